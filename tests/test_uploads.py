"""Multipart bodies of moderate size are parsed in one piece; werkzeug's parser says what has to come out."""

from __future__ import annotations

import random
from importlib import metadata
from io import BytesIO, RawIOBase
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import pytest
from hypothesis import given
from strategies import Dice, dice, examples
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from microflask import Flask, Request, request
from microflask.uploads import WHOLE, FormParser, find_parts

NAMES = ("a", "b", "", 'q\\"q', "%22", "\u00e9", "a;b", "x\\y", "n=1")
EXTRAS = ("Content-Type: text/plain", "Content-Type: text/plain; charset=latin-1", "Content-Length: 3", "X: \u20ac",
          "Content-Type: a; charset=iso-8859-1", "no colon", " folded", "\tfolded", ":", "", "x:\u2028y")  # fmt: skip
DISPOSITIONS = (
    'Content-Disposition: form-data; name="{}"', 'Content-Disposition: form-data; name="{}"; filename="{}"',
    'content-disposition:form-data;name="{}"', "Content-Disposition: form-data; name={}",
    "Content-Disposition: form-data; filename*=UTF-8''%e2%82%ac; name=\"{}\"", "Content-Disposition: form-data", "",
)  # fmt: skip
CONTENTS = (b"", b"v", b"\r\n", b"\r", b"\n", b"--X", b"\r\n--X", b"\r\n--Xy", b"\n--X\n", b"\xff\xe9", b"\r\n\r\n",
            b"--X--", b"long" * 100, b"\r--X\r", b"-\r\n-")  # fmt: skip
STRANGE = (b"\r", b"\n", b"\r\n", b"--X", b"--X--", b" ", b"\xff", b"\r\n\r\n", b"--", b"\t", b"")


#: As browsers and programs make them, with what has a meaning elsewhere, and some that are none.
BOUNDARIES = (
    "X", "X", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "--", "a.b+c", "'()+_,-./:=?", "a" * 70, "a" * 71, "a b", "",
    "\u00e9", "\\", "[", ".*", "$",
)  # fmt: skip


def make_multipart(dice: Dice, odd: float) -> bytes:
    """Return a multipart body with the boundary X; `odd` is the chance of each way to write it unlike a browser."""
    body: bytes = dice.one(b"", b"", b"\r\n")
    for _ in range(int(dice.random() * 5)):
        plain = not dice.often(odd)
        disposition = dice.one(*DISPOSITIONS[: 2 if plain else None]).format(dice.one(*NAMES), dice.one(*NAMES))
        lines = [disposition, *dice.some(EXTRAS[: 4 if plain else None], 2)]
        if not plain:
            dice.shuffle(lines)
        content = dice.one(*(CONTENTS[:5] if plain else CONTENTS))
        body += b"--X\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + content + b"\r\n"
    body += b"--X--" + dice.one(b"", b"\r\n")
    while dice.often(odd):
        at = int(dice.random() * len(body))
        body = body[:at] + dice.one(*STRANGE) + body[at + int(dice.random() * 3) :]
    return body


class Kept(BytesIO):
    """An upload that remembers what it was opened with."""


def outcome(
    kind: type[FormDataParser], stream: IO[bytes], length: int | None, options: dict[str, Any], boundary: str = "X"
) -> Any:
    opened: list[Any] = []

    def keep(*_: Any, **said: Any) -> IO[bytes]:
        opened.append(said)
        return Kept()

    parser = kind(stream_factory=keep, cls=ImmutableMultiDict, **options)
    try:
        rest, form, files = parser.parse(stream, "multipart/form-data", length, {"boundary": boundary})
    except Exception as error:
        return type(error)
    assert rest is stream
    shown = [
        (name, file.filename, file.name, list(file.headers), file.stream.tell(), file.read())
        for name, file in files.items(multi=True)
    ]
    return [*form.items(multi=True)], shown, opened, rest.read()


@pytest.mark.skipif(metadata.version("werkzeug") < "3.1.9", reason="compares with what werkzeug does since 3.1.9")
@examples(5)
@given(dice())
def test_forms_are_werkzeugs(dice: Dice) -> None:
    body = make_multipart(dice, dice.one(0, 0.1, 0.5))
    options = {
        "max_form_memory_size": dice.one(None, 500_000, 3), "max_form_parts": dice.one(None, 1000, 1),
        "silent": dice.one(True, True, False),
    }  # fmt: skip
    length = dice.one(len(body), len(body), None)
    expected, got = (outcome(kind, BytesIO(body), length, options) for kind in (FormDataParser, FormParser))
    assert got == expected


@pytest.mark.skipif(metadata.version("werkzeug") < "3.1.9", reason="compares with what werkzeug does since 3.1.9")
@examples()
@given(dice())
def test_forms_of_any_boundary_are_werkzeugs(dice: Dice) -> None:
    boundary, written = dice.one(*BOUNDARIES), dice.one(*BOUNDARIES)
    body = make_multipart(dice, dice.one(0, 0, 0.2))
    # Mostly it is what was announced, and at times nothing is written as it should be.
    body = body.replace(b"--X", b"--" + dice.one(boundary, boundary, boundary, written).encode())
    if dice.often(0.1):
        body = dice.randbytes(dice.randrange(60))
    length = dice.one(len(body), len(body), len(body) + 5, max(0, len(body) - 5), None)
    options = {"silent": dice.one(True, False)}
    kinds = (FormDataParser, FormParser)
    expected, got = (outcome(kind, BytesIO(body), length, options, boundary) for kind in kinds)
    assert got == expected


class Slow(RawIOBase):
    """A connection that gives a few bytes at a time."""

    def __init__(self, data: bytes, dice: Dice) -> None:
        self.source, self.dice = BytesIO(data), dice

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.source.read(min(len(buffer), self.dice.one(1, 7, 1000)))
        buffer[: len(data)] = data
        return len(data)


@examples(0.5)
@given(dice())
def test_it_does_not_matter_how_the_body_arrives(dice: Dice) -> None:
    body = make_multipart(dice, 0)
    slow: Any = Slow(body, dice)
    expected, got = (outcome(FormParser, stream, len(body), {}) for stream in (BytesIO(body), slow))
    assert got[:3] == expected[:3]


@pytest.mark.parametrize("size", [10, 500_000, 500_001])
def test_fields_may_be_as_long_as_the_limit(size: int) -> None:
    body = b'--X\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * size + b"\r\n--X--\r\n"
    results = [
        outcome(kind, BytesIO(body), len(body), {"max_form_memory_size": 500_000})
        for kind in (FormDataParser, FormParser)
    ]
    assert results[0] == results[1] and isinstance(results[0], type) is (size > 500_000)


def test_what_browsers_send_is_found_at_once() -> None:
    body = (
        b'--X\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--X\r\nContent-Disposition: form-data; name="f";'
        b' filename="n.txt"\r\nContent-Type: text/plain\r\n\r\n\r\n--X--\r\n'
    )
    parts = find_parts(body, b"X")
    assert parts is not None
    first, second = parts
    assert (first.name, first.filename, body[first.start : first.end]) == ("a", None, b"1")
    assert (second.name, second.filename, body[second.start : second.end]) == ("f", "n.txt", b"")
    assert second.headers["content-type"] == "text/plain"


@pytest.mark.parametrize("size", [1 << 20, WHOLE + 1])
def test_uploads_of_any_size(app: Flask, size: int) -> None:
    content = random.Random(1).randbytes(size)
    with app.test_request_context("/", method="POST", data={"a": "1", "f": (BytesIO(content), "n")}):
        file = request.files["f"]
        assert isinstance(file.stream, SpooledTemporaryFile) and file.read() == content and request.form["a"] == "1"
        assert request.stream.read() == b""
        file.stream.seek(0)
        # In memory or not, it becomes a file for those who need one.
        assert file.stream.fileno() > 0 and file.stream.read(10) == content[:10]
        stream = file.stream
        request.environ["wsgi.input"].close()
    assert stream.closed


def test_a_request_may_have_a_parser_and_files_of_its_own(app: Flask) -> None:
    class OwnParser(FormDataParser):
        pass

    class Own(Request):
        form_data_parser_class = OwnParser

        def _get_file_stream(self, *args: Any, **kwargs: Any) -> IO[bytes]:
            return Kept()

    class OwnFiles(Request):
        _get_file_stream = Own._get_file_stream

    for kind in (Own, OwnFiles):
        app.request_class = kind
        with app.test_request_context("/", method="POST", data={"f": (BytesIO(b"content"), "n")}):
            assert isinstance(request.files["f"].stream, Kept) and request.files["f"].read() == b"content"
    assert isinstance(Own({}).make_form_data_parser(), OwnParser)


@pytest.mark.parametrize("limit", [10, -1, 0])
def test_a_body_without_a_length_that_is_over_the_limit_is_refused_each_time(limit: int) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1234567890\r\n--b--\r\n'
    environ = {
        "REQUEST_METHOD": "POST", "CONTENT_TYPE": "multipart/form-data; boundary=b", "CONTENT_LENGTH": "",
        "wsgi.input": BytesIO(body), "wsgi.input_terminated": True,
    }  # fmt: skip
    request = Request(environ)
    request.max_content_length = limit if limit > 0 else len(body) + limit
    for name in ("data", "form", "data", "form"):
        with pytest.raises(RequestEntityTooLarge):
            getattr(request, name)
