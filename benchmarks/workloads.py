"""The workloads: what is asked of every application, which answers are right, and which request is then timed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from . import material
from .checks import Check, WrongAnswer, cookie, document, empty, file, page, refused, require, with_header
from .wire import LOG, Ask, Call

#: Prove with a caller that the application answers rightly; return the request to be timed.
Prepare = Callable[[Call], Ask]


@dataclass(frozen=True)
class Workload:
    """Hold one row of the tables."""

    key: str
    title: str
    site: str
    """Which of its applications a framework answers with."""
    prepare: Prepare
    section: str = "calls"


def right(ask: Ask, check: Check, *others: tuple[Ask, Check]) -> Prepare:
    """Return the preparation of a workload that is one request.

    :param others: requests that are checked as well: they show that the answer is made and not remembered
    """

    def prepare(call: Call) -> Ask:
        for each, its_check in ((ask, check), *others, (ask, check)):
            its_check(call(each))
        return ask

    return prepare


def _post(path: str, content_type: str, body: bytes) -> Ask:
    return Ask(path, method="POST", content_type=content_type, body=body)


def _json(value: object) -> Ask:
    return _post("/echo", "application/json", json.dumps(value).encode())


def _form(body: bytes) -> Ask:
    return _post("/order", "application/x-www-form-urlencoded", body)


@cache
def _upload() -> tuple[Ask, str]:
    content = material.upload_content()
    boundary = "------------------------d74496d66958873e"
    body = material.multipart(boundary, "blue whale", "song.bin", content)
    ask = _post("/upload", f"multipart/form-data; boundary={boundary}", body)
    return ask, f"blue whale|song.bin|{hashed(content)}"


def hashed(content: bytes) -> str:
    """Return the SHA-256 of `content` as the upload views tell it."""
    import hashlib

    return hashlib.sha256(content).hexdigest()


def prepare_upload(call: Call) -> Ask:
    """Send a file of 1 MiB with a text field; the answer names both and the file's hash."""
    ask, text = _upload()
    page(text)(call(ask))
    return ask


def with_cookie(path: str, pair: str) -> Ask:
    """Return a request that brings another cookie and this one."""
    return Ask(path, headers=(("Cookie", f"tone=warm; {pair}"),))


def _forgeries(pair: str) -> list[str]:
    """Return the cookie with one letter changed, at several places."""
    name, _, value = pair.partition("=")
    places = {2, len(value) // 3, len(value) // 2, len(value) - 4}
    swapped = [(place, "B" if value[place] == "A" else "A") for place in places if value[place].isalnum()]
    return [f"{name}={value[:place]}{letter}{value[place + 1 :]}" for place, letter in swapped]


def prepare_session_read(call: Call) -> Ask:
    """Read a session; a session that was only read is not sent again."""
    ask = with_cookie("/visits", cookie(call(Ask("/visits/add"))))
    with_header(page("1"), "Set-Cookie", None)(call(ask))
    page("0")(call(Ask("/visits")))
    return ask


def prepare_session_write(call: Call) -> Ask:
    """Count in a session; a forged cookie counts from the beginning."""
    first = call(Ask("/visits/add"))
    page("1")(first)
    pair = cookie(first)
    second = call(with_cookie("/visits/add", pair))
    page("2")(second)
    page("3")(call(with_cookie("/visits/add", cookie(second))))
    for forged in _forgeries(pair):
        page("1")(call(with_cookie("/visits/add", forged)))
    return with_cookie("/visits/add", pair)


def prepare_unchanged(call: Call) -> Ask:
    """Ask for a file again that the browser has; the answer is 304 and nothing more."""
    first = call(Ask("/static/style.css"))
    file(material.STYLE, "text/css")(first)
    known = (("If-None-Match", first.header("ETag")), ("If-Modified-Since", first.header("Last-Modified")))
    ask = Ask("/static/style.css", headers=tuple((name, value) for name, value in known if value is not None))
    empty(304)(call(ask))
    return ask


def prepare_logged(call: Call) -> Ask:
    """Raise what nobody handles: it is logged with its traceback, and the own page for 500 is the answer."""
    LOG.text = ""
    ask = Ask("/unknown")
    page(material.BROKEN, 500)(call(ask))
    if "Traceback (most recent call last)" not in LOG.text or f"RuntimeError: {material.REASON}" not in LOG.text:
        raise WrongAnswer("the exception was not logged with its traceback")
    return ask


def prepare_hooks(call: Call) -> Ask:
    """Run a function before, one after that sets a header, and one at the end of each request."""
    before = material.teardowns[0]
    for _ in range(3):
        with_header(page(material.GREETING), "X-Seen", "yes")(call(Ask("/")))
    require("the number of teardowns", material.teardowns[0] - before, 3)
    return Ask("/")


_NESTED = "/v2/shop/parts/"
_SIGNED_FORM = b"name=Ada+Byron&mail=ada%40example.org&age=36&remark=at+the+door"
_FIND = Ask("/find", "term=blue%20whale&number=3&label=sea&label=big")

_MAIN = [
    Workload("hello", "hello, text", "main", right(Ask("/"), page(material.HELLO))),
    Workload("parameter", "int parameter", "main", right(
        Ask("/planet/42"), page("planet 42"), (Ask("/planet/7"), page("planet 7")), (Ask("/planet/x"), refused(404)),
    )),
    Workload("nested", "nested blueprint", "main", right(
        Ask(f"{_NESTED}7"), page("part 7"), (Ask(f"{_NESTED}8"), page("part 8")),
    )),
    Workload("query", "query arguments", "main", right(
        _FIND, page("blue whale|3|sea,big"), (Ask("/find", "label=%C3%A9&term=a+b&number=4"), page("a b|4|é")),
    )),
    Workload("json", "JSON out, small", "main", right(Ask("/small"), document(material.SMALL))),
    Workload("json-rows", "JSON out, 200 rows", "main", right(Ask("/rows"), document(material.ROWS))),
    Workload("json-echo", "JSON in and out", "main", right(
        _json(material.LETTER), document(material.LETTER), (_json({"a": [None, 1]}), document({"a": [None, 1]})),
    )),
    Workload("form", "urlencoded form", "main", right(
        _form(_SIGNED_FORM), page("Ada Byron|ada@example.org|36"),
        (_form(b"age=1&mail=a&name=%C3%A9%26"), page("é&|a|1")),
    )),
    Workload("upload", "upload of 1 MiB, hashed", "main", prepare_upload),
    Workload("session-read", "session read", "sessions", prepare_session_read),
    Workload("session-write", "session read and write", "sessions", prepare_session_write),
    Workload("template", "template from a file", "main", right(Ask("/page"), page(material.rendered_page()))),
    Workload("snippet", "template from a string", "main", right(Ask("/snippet"), page(material.rendered_snippet()))),
    Workload("links", "ten URLs built", "main", right(
        Ask("/links"), page("\n".join(f"/shelf/books/{n}" for n in range(10))),
    )),
    Workload("missing", "404, default", "main", right(Ask("/nowhere"), refused(404))),
    Workload("missing-page", "404, own page", "errors", right(Ask("/nowhere"), page(material.LOST, 404))),
    Workload("error-page", "exception to own 500 page", "errors", right(Ask("/known"), page(material.BROKEN, 500))),
    Workload("error-logged", "uncaught, logged", "errors", prepare_logged),
    Workload("hooks", "before + after + teardown", "hooks", prepare_hooks),
    Workload("static", "static file, 10 KiB", "main", right(
        Ask("/static/style.css"), file(material.STYLE, "text/css"),
    )),
    Workload("unchanged", "static file, 304", "main", prepare_unchanged),
    Workload("stream", "stream of 100 chunks", "main", right(
        Ask("/stream"), page(b"".join(material.CHUNKS).decode(), pieces=len(material.CHUNKS)),
    )),
    Workload("async", "async view", "main", right(Ask("/async"), page("done"))),
]  # fmt: skip


def _many(count: int) -> list[Workload]:
    """Return the workloads of an application with `count` routes."""
    last = count // 2 - 1
    item = page(f"item {last}")
    others = ((Ask("/api/item1/3"), page("item 3")), (Ask("/api/list0/all"), page("all")))
    rows = [
        ("last", "last literal", right(Ask(f"/api/list{last}/all"), page("all"), *others)),
        ("last-parameter", "last with parameter", right(Ask(f"/api/item{last}/{last}"), item, *others)),
        ("miss", "miss", right(Ask("/api/nowhere/all"), refused(404), *others)),
    ]
    site = f"routes-{count}"
    return [Workload(f"{site}-{key}", f"{count} routes: {title}", site, prepare) for key, title, prepare in rows]


def prepare_own_session(call: Call) -> Ask:
    """Count in a session that an interface of the application's own keeps in memory, under a random identifier."""
    pair = cookie(call(Ask("/visits/add")))
    page("2")(call(with_cookie("/visits/add", pair)))
    page("2")(call(with_cookie("/visits", pair)))
    page("1")(call(with_cookie("/visits/add", "session=unheard-of")))
    return with_cookie("/visits", pair)


def _tenant(host: str) -> Ask:
    return Ask("/", host=host)


def _modes() -> list[Workload]:
    """Return hello and JSON in the modes of compatibility; Flask then writes its JSON indented too."""
    rows = []
    for site in ("documented", "0.10"):
        prepare = right(Ask("/"), page(material.HELLO))
        rows.append(Workload(f"{site}-hello", f'"{site}" mode: hello', site, prepare, "variants"))
        for path, title, value in (("small", "small", material.SMALL), ("rows", "200 rows", {"rows": material.ROWS})):
            prepare = right(Ask(f"/{path}"), document(value))
            rows.append(Workload(f"{site}-json-{path}", f'"{site}" mode: JSON, {title}', site, prepare, "variants"))
    return rows


_VARIANTS = [
    Workload("middleware", "WSGI middleware that sets a header", "middleware", right(
        Ask("/"), with_header(page(material.HELLO), "X-Seen", "yes"),
    ), "variants"),
    Workload("subclassed", "Flask, Request and Response subclassed", "subclassed", right(
        Ask("/"), with_header(page("asked by 127.0.0.1"), "X-Made-By", "Answer"),
    ), "variants"),
    Workload("after", "after_request sets a header", "after", right(
        Ask("/"), with_header(page(material.HELLO), "X-Seen", "yes"),
    ), "variants"),
    Workload("own-session", "session interface of one's own, read", "own-session", prepare_own_session, "variants"),
    Workload("own-session-unused", "the same, session unused", "own-session", right(
        Ask("/"), page(material.HELLO),
    ), "variants"),
    Workload("hosts", "host matching", "hosts", right(
        _tenant("mill.example.org"), page("tenant mill"), (_tenant("inn.example.org"), page("tenant inn")),
        (_tenant("127.0.0.1:8000"), page(material.HELLO)), (_tenant("example.com"), refused(404)),
    ), "variants"),
    *_modes(),
]  # fmt: skip

#: All of them by key, in the order of the tables.
WORKLOADS: dict[str, Workload] = {
    workload.key: workload for workload in (*_MAIN, *_many(1000), *_many(10_000), *_VARIANTS)
}
#: What is also asked over HTTP.
OVER_HTTP = ("hello", "json", "template", "session-write")
