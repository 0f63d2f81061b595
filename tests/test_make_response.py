"""What a view may return, and what becomes of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from types import MappingProxyType
from typing import Any

import pytest
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response as StockResponse

import microflask
from microflask import Flask, Response, jsonify, make_response, request

HTML = "text/html; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("202 ACCEPTED", [("X-W", environ["PATH_INFO"])])
    return [b"w", b"sgi"]


class Teapot(HTTPException):
    code = 418

    def get_body(self, *_: Any) -> str:
        return "short and stout"

    def get_headers(self, *_: Any) -> list[tuple[str, str]]:
        return [("Content-Type", "text/pot")]


class OwnResponse(HTTPException):
    code = 400

    def get_response(self, *_: Any) -> Any:
        return StockResponse("own", 499)


class Nested(StockResponse):
    pass


def generate() -> Iterator[str]:
    yield "a"
    yield "b"


#: What is returned; status line, Content-Type and body that come out of it.
VALUES: list[tuple[Callable[[], Any], str, str | None, bytes]] = [
    (lambda: "caf\u00e9", "200 OK", HTML, "caf\u00e9".encode()),
    (lambda: b"\xff", "200 OK", HTML, b"\xff"),
    (lambda: bytearray(b"ab"), "200 OK", HTML, b"ab"),
    (lambda: "", "200 OK", HTML, b""),
    (generate, "200 OK", HTML, b"ab"),
    (lambda: iter([b"1", b"2"]), "200 OK", HTML, b"12"),
    (lambda: ("t", 201), "201 CREATED", HTML, b"t"),
    (lambda: ("t", "201 Made"), "201 Made", HTML, b"t"),
    (lambda: ("t", "404"), "404 NOT FOUND", HTML, b"t"),
    (lambda: ("t", 299), "299 UNKNOWN", HTML, b"t"),
    (lambda: ("t", None), "200 OK", HTML, b"t"),
    (lambda: ("t", 404, {"Content-Type": "a/b"}), "404 NOT FOUND", "a/b", b"t"),
    (lambda: ("t", {"Content-Type": "a/b"}), "200 OK", "a/b", b"t"),
    (lambda: ("t", [("Content-Type", "a/b")]), "200 OK", "a/b", b"t"),
    (lambda: ("t", Headers({"Content-Type": "a/b"})), "200 OK", "a/b", b"t"),
    (lambda: ("t", (("Content-Type", "a/b"),)), "200 OK", "a/b", b"t"),
    (lambda: ("t", None, {"Content-Type": "a/b"}), "200 OK", "a/b", b"t"),
    (lambda: ("t", 201, None), "201 CREATED", HTML, b"t"),
    (lambda: (generate(), 206), "206 PARTIAL CONTENT", HTML, b"ab"),
    (lambda: Response("r", 202), "202 ACCEPTED", HTML, b"r"),
    (lambda: (Response("r", 202), 404, {"Content-Type": "x/y"}), "404 NOT FOUND", "x/y", b"r"),
    (lambda: StockResponse("w", 203), "203 NON AUTHORITATIVE INFORMATION", PLAIN, b"w"),
    (lambda: (Nested("w"), 400), "400 BAD REQUEST", PLAIN, b"w"),
    (lambda: application, "202 ACCEPTED", PLAIN, b"wsgi"),
    (lambda: (application, 404), "404 NOT FOUND", PLAIN, b"wsgi"),
    (lambda: Teapot(), "418 I'M A TEAPOT", "text/pot", b"short and stout"),
    (lambda: (Teapot(), 400), "400 BAD REQUEST", "text/pot", b"short and stout"),
    (lambda: OwnResponse(), "499 UNKNOWN", PLAIN, b"own"),
    (lambda: NotFound(response=StockResponse("gone", 410)), "410 GONE", PLAIN, b"gone"),
]


@pytest.mark.parametrize(("make", "status", "content_type", "body"), VALUES)
def test_values(any_app: Flask, make: Callable[[], Any], status: str, content_type: str, body: bytes) -> None:
    any_app.add_url_rule("/page", "page", make)
    response = any_app.test_client().get("/page")
    assert (response.status, response.content_type, response.data) == (status, content_type, body)
    with any_app.test_request_context("/page"):
        made = make_response(make())
        assert type(made) is Response
        assert (made.status, made.content_type, made.get_data()) == (status, content_type, body)


@pytest.mark.parametrize(
    ("value", "compact", "pretty"),
    [
        ({"b": 1, "a": [2]}, b'{"a":[2],"b":1}\n', b'{\n  "a": [\n    2\n  ], \n  "b": 1\n}'),
        ([], b"[]\n", b"[]"),
        ({}, b"{}\n", b"{}"),
        ([{"a": None}], b'[{"a":null}]\n', b'[\n  {\n    "a": null\n  }\n]'),
        (["t", 201], b'["t",201]\n', b'[\n  "t", \n  201\n]'),
        (OrderedDict(a=1), b'{"a":1}\n', b'{\n  "a": 1\n}'),
        (MappingProxyType({"a": 1}), b'{"a":1}\n', b'{\n  "a": 1\n}'),
    ],
)
def test_json_values(any_app: Flask, value: Any, compact: bytes, pretty: bytes) -> None:
    any_app.add_url_rule("/", "index", lambda: value)
    any_app.add_url_rule("/status", "status", lambda: (value, 201, {"X": "y"}))
    client = any_app.test_client()
    expected = compact if any_app.compat.name == "3.1" else pretty
    response = client.get("/")
    assert (response.mimetype, response.data) == ("application/json", expected)
    response = client.get("/status")
    assert (response.status_code, response.headers["X"], response.data) == (201, "y", expected)


@pytest.mark.parametrize(
    "value",
    [None, (None, 404), (), ("a", 1, {}, 3), 5, 5.5, True, object(), range(3), {1, 2}, (("t", 201), 202), lambda: "x",
     str, memoryview(b"m")],
)  # fmt: skip
def test_what_is_no_response(any_app: Flask, value: Any) -> None:
    any_app.add_url_rule("/", "the_view", lambda: value)
    with pytest.raises(TypeError) as caught:
        any_app.test_client().get("/")
    assert isinstance(caught.value, ValueError)
    if value in (None, (None, 404)) and any_app.compat.missing_response_text:
        assert str(caught.value) == any_app.compat.missing_response_text
    elif not isinstance(value, tuple) or len(value) == 2:
        assert "the_view" in str(caught.value)


def test_a_view_without_an_answer_is_told_so(app: Flask) -> None:
    app.add_url_rule("/", "forgetful", lambda: None)
    with pytest.raises(TypeError, match="'forgetful' returned None"):
        app.test_client().get("/")


@pytest.mark.parametrize("bad", [("t", ""), ("t", {"X": "a\nb"}), ("t", [("a",)])])
def test_bad_parts(app: Flask, bad: Any) -> None:
    with app.test_request_context(), pytest.raises(ValueError, match=r"empty|newline|unpack"):
        make_response(bad)


@pytest.mark.parametrize("mode", ["documented", "3.1"])
def test_headers_replace_those_of_a_response_and_may_repeat(mode: str) -> None:
    any_app = Flask("microflask_tests", root_path="/", compat=mode)
    response = Response("r", headers=[("X-A", "0"), ("X-B", "0"), ("X-A", "00")])
    with any_app.test_request_context():
        made = make_response(response, {"X-A": ["1", "2"]})
    assert made is response
    before = [] if any_app.compat.tuple_headers_replace else ["0", "00"]
    assert made.headers.getlist("X-A") == [*before, "1", "2"] and made.headers["X-B"] == "0"
    with any_app.test_request_context():
        made = make_response("t", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    assert made.headers.getlist("Set-Cookie") == ["a=1", "b=2"]


def test_make_response_takes_what_a_view_returns_in_parts(any_app: Flask) -> None:
    with any_app.test_request_context():
        empty = make_response()
        assert (empty.status_code, empty.data, empty.mimetype) == (200, b"", "text/html")
        assert make_response("t").data == b"t"
        two = make_response("t", 404)
        assert (two.status_code, two.data) == (404, b"t")
        three = make_response("t", 400, {"X": "y"})
        assert (three.status_code, three.headers["X"]) == (400, "y")
        assert make_response(("t", 404)).status_code == 404
        assert make_response(jsonify(a=1), 201).status_code == 201
        assert any_app.make_response("t").data == b"t"


def test_make_response_needs_an_application() -> None:
    with pytest.raises(RuntimeError, match="app_context"):
        make_response("t")


@pytest.mark.parametrize("compat", ["documented", "0.10"])
def test_a_body_may_stand_alone_in_a_tuple(compat: str) -> None:
    app = Flask(__name__, compat=compat)
    app.add_url_rule("/", "index", lambda: ("t",))
    assert app.test_client().get("/").data == b"t"


def test_a_body_may_not_stand_alone_in_a_tuple_under_3_1() -> None:
    app = Flask(__name__, compat="3.1")
    app.testing = True
    app.add_url_rule("/", "index", lambda: ("t",))
    with pytest.raises(TypeError, match="tuple must have the form"):
        app.test_client().get("/")


def test_make_response_works_without_a_request(any_app: Flask) -> None:
    with any_app.app_context():
        assert make_response("t", 201).status_code == 201
        assert make_response(NotFound()).status_code == 404
        with pytest.raises(TypeError):
            make_response(None)


def test_errors_know_the_request(any_app: Flask) -> None:
    with any_app.test_request_context("/"):
        assert make_response(MethodNotAllowed(["GET", "PUT"])).headers["Allow"] == "GET, PUT"
        assert make_response(RequestedRangeNotSatisfiable(5)).headers["Content-Range"] == "bytes */5"


def test_the_class_of_the_application_is_made(any_app: Flask) -> None:
    class Own(Response):
        default_status = 218
        default_mimetype = "text/own"

    any_app.response_class = Own
    with any_app.test_request_context():
        for value in ("t", b"t", ("t", {"X": "y"}), StockResponse("w"), Response("r"), application, NotFound(), [1]):
            assert type(make_response(value)) is Own
        assert make_response("t").status == "218 UNKNOWN" and make_response("t", 201).status_code == 201
        assert make_response("t", {"X": "y"}).mimetype == "text/own"
        own = Own("x")
        assert make_response(own) is own

        class Below(Own):
            pass

        below = Below("x")
        assert make_response(below) is below


def test_make_response_may_be_overridden() -> None:
    class Site(Flask):
        def make_response(self, rv: Any) -> Any:
            return super().make_response("nothing" if rv is None else rv)

    site = Site("site", root_path="/")
    site.add_url_rule("/", "index", lambda: None)
    assert site.test_client().get("/").text == "nothing"
    with site.app_context():
        assert make_response(None).data == b"nothing"


def test_values_of_hooks_and_handlers_are_made_responses_too(any_app: Flask) -> None:
    any_app.before_request(lambda: ({"early": True}, 203) if request.path == "/early" else None)
    any_app.register_error_handler(404, lambda error: (["gone"], 410))
    client = any_app.test_client()
    assert (client.get("/early").json, client.get("/early").status_code) == ({"early": True}, 203)
    assert (client.get("/no").json, client.get("/no").status_code) == (["gone"], 410)


def test_async_generators_are_streamed(any_app: Flask) -> None:
    async def view() -> AsyncIterator[str]:
        for part in ("a", "b"):
            yield part

    any_app.add_url_rule("/", "index", view)
    assert any_app.test_client().get("/").text == "ab"


def test_generators_are_not_run_before_the_server_asks(any_app: Flask) -> None:
    ran: list[int] = []

    def lazy() -> Iterator[str]:
        ran.append(1)
        yield "x"

    with any_app.test_request_context():
        response = make_response(lazy())
        assert response.is_streamed and ran == []
        assert response.data == b"x" and ran == [1]


def test_jsonify_is_the_same_as_a_dict(any_app: Flask) -> None:
    with any_app.test_request_context():
        assert jsonify({"a": 1}).data == make_response({"a": 1}).data == microflask.json.jsonify(a=1).data
