"""The response object: werkzeug's answers after random arguments and changes, and what subclasses may take over."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
import werkzeug.wrappers
from hypothesis import given
from strategies import Dice, dice, examples
from werkzeug.datastructures import Headers, WWWAuthenticate
from werkzeug.exceptions import BadRequestKeyError
from werkzeug.http import remove_entity_headers
from werkzeug.test import create_environ, run_wsgi_app
from werkzeug.urls import iri_to_uri
from werkzeug.wsgi import wrap_file

from microflask import Flask, Response, make_response, outgoing
from microflask.headers import APART, NOTED

# -- what the documentation names ----------------------------------------------------------------------------------


def test_attributes() -> None:
    response = Response("text", 404, {"X-A": "1"}, mimetype="text/plain")
    assert (response.status, response.status_code) == ("404 NOT FOUND", 404)
    assert (response.data, response.mimetype) == (b"text", "text/plain")
    assert response.content_type == "text/plain; charset=utf-8"
    assert isinstance(response.headers, Headers) and response.headers["X-A"] == "1"
    response.data = "caf\u00e9"
    assert response.get_data() == "caf\u00e9".encode() and response.get_data(as_text=True) == "caf\u00e9"
    assert response.headers["Content-Length"] == "5"


def test_html_unless_told_otherwise() -> None:
    assert Response("x").headers.to_wsgi_list() == [
        ("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "1"),
    ]  # fmt: skip
    assert Response("x", content_type="a/b").mimetype == "a/b"
    assert Response("x", mimetype="a/b", content_type="c/d; e=f").content_type == "c/d; e=f"
    assert Response("x", headers={"content-type": "a/b"}).content_type == "a/b"
    assert Response("x", headers={"content-type": "a/b"}, mimetype="text/css").content_type.startswith("text/css")


@pytest.mark.parametrize(
    ("given", "line", "code"),
    [
        (None, "200 OK", 200),
        (200, "200 OK", 200),
        (418, "418 I'M A TEAPOT", 418),
        (299, "299 UNKNOWN", 299),
        (HTTPStatus.CREATED, "201 CREATED", 201),
        ("204", "204 NO CONTENT", 204),
        ("404 Gone fishing", "404 Gone fishing", 404),
        ("wow", "0 wow", 0),
        (0, "0 UNKNOWN", 0),
    ],
)
def test_statuses(given: Any, line: str, code: int) -> None:
    assert (Response(status=given).status, Response(status=given).status_code) == (line, code)
    response = Response()
    if given is not None:
        response.status = given
        assert (response.status, response.status_code) == (line, code)


@pytest.mark.parametrize("status", ["", "  "])
def test_an_empty_status_is_refused(status: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        Response(status=status)


def test_cookies() -> None:
    response = Response()
    response.set_cookie(
        "key", "va lue\u00e9", max_age=timedelta(minutes=1), expires=datetime(2030, 1, 2, tzinfo=UTC), path="/p",
        domain="example.org", secure=True, httponly=True, samesite="Lax",
    )  # fmt: skip
    (cookie,) = response.headers.getlist("Set-Cookie")
    for part in ("Domain=example.org", "Expires=Wed, 02 Jan 2030 00:00:00 GMT", "Max-Age=60", "Secure", "HttpOnly",
                 "Path=/p", "SameSite=Lax"):  # fmt: skip
        assert part in cookie
    response.set_cookie("plain")
    assert response.headers.getlist("Set-Cookie")[1] == "plain=; Path=/"
    response.delete_cookie("plain")
    assert "Max-Age=0" in response.headers.getlist("Set-Cookie")[2]


def test_a_large_cookie_is_warned_about(app: Flask) -> None:
    with app.test_request_context():
        response = Response()
        assert response.max_cookie_size == 4093
        with pytest.warns(UserWarning, match="too large"):
            response.set_cookie("a", "x" * 5000)
        app.config["MAX_COOKIE_SIZE"] = 0
        Response().set_cookie("a", "x" * 5000)
    assert Response().max_cookie_size == 4093


@pytest.mark.parametrize("headers", [{"X": "a\r\nb"}, [("X", "a\nb")]])
def test_line_breaks_are_refused(headers: Any) -> None:
    with pytest.raises(ValueError, match="newline"):
        Response(headers=headers)
    for name in ("mimetype", "content_type"):
        with pytest.raises(ValueError, match="newline"):
            Response("x", **{name: "text/html\r\nX: y"})
    response = Response()
    with pytest.raises(ValueError, match="newline"):
        response.headers["X"] = "a\r\nb"


def test_json_of_a_response(app: Flask) -> None:
    with app.test_request_context():
        response = Response('{"a": 1}', mimetype="application/json")
        assert response.is_json and response.json == response.get_json() == {"a": 1}
        assert Response("{}").json is None and Response("{}").get_json(force=True) == {}


def test_headers_are_made_when_somebody_looks() -> None:
    response = Response("x")
    assert response.headers is response.headers
    response.headers = Headers({"X": "y"})
    assert start(response)[1] == [("X", "y"), ("Content-Length", "1")]


@pytest.mark.parametrize("headers", [{"X-A": "b", "Content-Type": "a/b"}, [("X-A", "b"), ("Content-Type", "a/b")]])
def test_headers_may_be_assigned_as_a_mapping_or_list(app: Flask, headers: Any) -> None:
    @app.route("/")
    def view() -> Response:
        response = Response("text", status=418)
        response.headers = headers
        return response

    answer = app.test_client().get("/")
    assert (answer.headers["X-A"], answer.mimetype, answer.headers["Content-Length"]) == ("b", "a/b", "4")


def test_headers_assigned_to_a_response_of_werkzeug(app: Flask) -> None:
    @app.route("/")
    def view() -> Any:
        response = werkzeug.wrappers.Response("text")
        response.headers = {"X-A": "b"}  # type: ignore[assignment]
        return response

    assert app.test_client().get("/").headers.to_wsgi_list() == [("X-A", "b"), ("Content-Length", "4")]


def test_a_headers_object_is_kept() -> None:
    headers = Headers({"X": "y"})
    assert Response(headers=headers).headers is headers


def test_responses_can_be_pickled_and_shown() -> None:
    response = Response("text", 201)
    assert repr(response) == "<Response 4 bytes [201 CREATED]>"
    assert "streamed" in repr(Response(iter(["a"])))
    response.freeze()
    again = pickle.loads(pickle.dumps(response))
    assert (again.data, again.status, list(again.headers)) == (b"text", "201 CREATED", list(response.headers))


# -- how it goes out -----------------------------------------------------------------------------------------------


def start(response: Any, method: str = "GET", **environ: Any) -> tuple[str, list[tuple[str, str]], Any]:
    """Return status line, headers and the iterable for the server, as a server gets them."""
    started: list[Any] = []
    body = response({**create_environ(method=method), **environ}, lambda *given: started.append(given))
    ((status, headers),) = started
    assert type(status) is str and type(headers) is list
    return status, headers, body


class Closing:
    """An iterable that knows whether it was closed."""

    def __init__(self, *items: Any) -> None:
        self.items = iter(items)
        self.closed = 0

    def __iter__(self) -> Closing:
        return self

    def __next__(self) -> Any:
        return next(self.items)

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", [200, 204, 304, 101])
@pytest.mark.parametrize("passthrough", [False, True])
def test_the_iterable_is_closed(method: str, status: int, passthrough: bool) -> None:
    source = Closing(b"a", b"b")
    response = Response(source, status, direct_passthrough=passthrough)  # type: ignore[arg-type]
    called: list[str] = []
    response.call_on_close(lambda: called.append("called"))
    body = start(response, method)[2]
    sent = b"".join(body)
    bodiless = method == "HEAD" or status != 200
    assert sent == (b"" if bodiless else b"ab") and source.closed == 0
    body.close()
    assert source.closed == 1
    assert called == ([] if passthrough and not bodiless else ["called"])


@pytest.mark.parametrize("status", [204, 304, 100])
def test_responses_without_a_body(status: int) -> None:
    response = Response("text", status, {"Content-Length": "4", "ETag": "x", "Content-Language": "de"})
    _, headers, body = start(response)
    assert b"".join(body) == b"" and "Content-Length" not in dict(headers)
    assert ("ETag", "x") in headers


def test_head_keeps_the_headers() -> None:
    assert start(Response("text"), "HEAD")[:2] == start(Response("text"))[:2]


def test_call_on_close_works_for_texts_too_and_in_order() -> None:
    response = Response("text")
    called: list[int] = []
    assert response.call_on_close(decorated := lambda: called.append(1)) is decorated
    response.call_on_close(lambda: called.append(2))
    body = start(response)[2]
    assert b"".join(body) == b"text" and called == []
    body.close()
    assert called == [1, 2]
    other = Response("text")
    other.close()
    assert called == [1, 2]


def test_with_statement_closes() -> None:
    called: list[int] = []
    with Response("x") as response:
        response.call_on_close(lambda: called.append(1))
    assert called == [1]


def test_texts_in_lists_and_generators_are_encoded() -> None:
    assert b"".join(start(Response(["\u00e9", b"a"]))[2]) == b"\xc3\xa9a"  # type: ignore[list-item]
    assert b"".join(start(Response(iter(["\u00e9", "b"])))[2]) == b"\xc3\xa9b"
    assert dict(start(Response(["\u00e9", "b"]))[1])["Content-Length"] == "3"
    assert "Content-Length" not in dict(start(Response(iter(["a"])))[1])


@pytest.mark.parametrize("unsettle", [
    lambda it: it.headers, lambda it: it.call_on_close(int), lambda it: _change(it, "status", 201),
    lambda it: _change(it, "response", ["\u00e9"]), lambda it: _change(it, "response", iter([b"te", "xt"])),
    lambda it: it.response.append("more"), lambda it: it.set_data(b"text"),
    lambda it: _change(it, "direct_passthrough", True), lambda it: it,
])  # fmt: skip
@pytest.mark.parametrize("later", [
    lambda it: it, lambda it: _change(it, "status", 204), lambda it: it.headers.clear(),
])  # fmt: skip
@pytest.mark.parametrize("body", ["text", b"text"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_whatever_is_done_to_a_finished_text_is_heard_of(method: str, body: Any, later: Any, unsettle: Any) -> None:
    def live(kind: Any) -> tuple[Any, ...]:
        it = kind(body)
        unsettle(it)
        later(it)
        sent, status, headers = run_wsgi_app(it, create_environ(method=method), buffered=True)
        return outcome(lambda: b"".join(sent)), status, list(headers)

    assert live(Response) == live(StockResponse)

@pytest.mark.parametrize("later", [
    lambda it: it, lambda it: _change(it, "status", 204), lambda it: _change(it, "status", 304),
    lambda it: _change(it, "status", "200 FINE"), lambda it: _change(it, "status_code", 404),
    lambda it: it.headers.__setitem__("X-Frame-Options", "SAMEORIGIN"), lambda it: it.headers.pop("X-Frame-Options"),
    lambda it: it.headers.__delitem__("Content-Length"), lambda it: it.headers.add("X-Frame-Options", "DENY"),
    lambda it: it.headers.__setitem__("x-frame-options", "other"),
    lambda it: it.headers.__setitem__("LOCATION", "/\u00e9"), lambda it: it.headers.__setitem__("content-LENGTH", "9"),
    lambda it: it.headers.__setitem__(0, ("X-B", "1")), lambda it: _change(it, "headers", Headers([("X-B", "1")])),
    lambda it: _change(it, "mimetype", "text/plain"), lambda it: it.set_data("longer text"),
    lambda it: _change(it, "response", [b"te", b"xt", b"s"]), lambda it: it.call_on_close(int),
    lambda it: it.set_cookie("a", "b"), lambda it: it.headers.clear(),
    lambda it: _change(it, "content_location", "/\u00fc"), lambda it: it.headers.extend([("X-B", "1"), ("X-C", "2")]),
], ids=map(str, range(22)))  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_whatever_is_done_after_a_header_was_set_is_heard_of(method: str, later: Any) -> None:
    """Sent twice, to a server that takes the list of headers for its own."""

    def live(kind: Any) -> list[Any]:
        told: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            told.append((status, headers.copy()))
            headers.append(("Server", "x"))
            del headers[0]

        it = kind("text")
        # The second time the name is known.
        it.headers["X-Frame-Options"] = "DENY"
        later(it)
        for _ in range(2):
            body = it(create_environ(method=method), start_response)
            told.append(b"".join(body))
            if hasattr(body, "close"):
                body.close()
        return [*told, list(it.headers)]

    for _ in range(2):
        assert live(Response) == live(StockResponse)


def test_headers_that_two_responses_share_go_out_with_both() -> None:
    first, second = Response("text"), Response("text")
    first.headers["X-Shared"] = "1"
    second.headers = first.headers
    sent = start(first)[1]
    assert start(second)[1] == sent == list(first.headers)
    sent.clear()
    assert start(first)[1] == start(second)[1] == list(first.headers)


def test_every_server_gets_a_list_of_its_own() -> None:
    for _ in range(2):
        response = Response("text")
        # The second time the name is known.
        response.headers["X-Listed"] = "1"
        lists = [start(response)[1] for _ in range(3)]
        assert lists[0] == lists[1] == lists[2] == list(response.headers)
        assert len({id(each) for each in lists} | {id(response.headers._list)}) == 4


def test_what_is_kept_of_headers_is_limited() -> None:
    """Names and lengths may be up to the client."""
    for number in range(2000):
        response = Response("x" * number)
        response.headers[f"X-{number}"] = "1"
        assert start(response)[1][1:] == [("Content-Length", f"{number}"), (f"X-{number}", "1")]
    assert len(outgoing._LENGTHS) <= 1024 and len(APART) <= 256
    assert not {name.lower() for name in APART} & NOTED


def test_a_response_can_be_sent_twice() -> None:
    response = Response("text")
    first = start(response)[1]
    first.append(("Server", "x"))
    assert start(response)[1] == first[:-1]
    response.headers["X-A"] = "1"
    start(response)[1].clear()
    assert start(response)[1] == [*first[:-1], ("X-A", "1")]


def test_headers_are_equal_to_werkzeugs_and_look_like_them() -> None:
    ours, stock = Response("text").headers, StockResponse("text").headers
    assert ours == stock and stock == ours and repr(ours) == repr(stock) and str(ours) == str(stock)
    ours["X-A"] = "1"
    assert ours != stock and stock != ours and ours != ours.to_wsgi_list()
    assert ours.copy() == ours and type(ours.copy()) is type(ours) and ours.copy() is not ours
    assert pickle.loads(pickle.dumps(ours)) == ours
    with pytest.raises(TypeError):
        hash(ours)


def test_a_missing_header_is_a_bad_request() -> None:
    headers = Response("text").headers
    for look in (headers.__getitem__, headers.pop):
        with pytest.raises(BadRequestKeyError):
            look("X-Missing")
    assert headers.get("X-Missing") is None and headers.pop("X-Missing", "d") == "d" and "x-missing" not in headers


@pytest.mark.parametrize("value", ["a\n", "\rb", "a\r\nb"])
@pytest.mark.parametrize("put", [
    lambda it, value: it.__setitem__("X-A", value), lambda it, value: it.set("X-A", value),
    lambda it, value: it.add("X-A", value), lambda it, value: it.extend({"X-A": value}),
    lambda it, value: it.extend([("X-A", value)]), lambda it, value: it.extend({"X-A": ["1", value]}),
    lambda it, value: it.update({"X-A": value}), lambda it, value: it.setdefault("X-A", value),
    lambda it, value: it.set("Content-Type", value), lambda it, value: it.add("X-A", "b", c=value),
])  # fmt: skip
def test_no_way_into_the_headers_takes_line_breaks(put: Any, value: str) -> None:
    headers = Response("text").headers
    with pytest.raises(ValueError, match="newline"):
        put(headers, value)
    assert all(text not in str(list(headers)) for text in ("\\n", "\\r"))


@examples(0.5)
@given(dice())
def test_locations_are_what_werkzeug_makes_of_them(dice: Dice) -> None:
    first, others = dice.one(*"aB9.~-_?=&#:"), [dice.one(*"/aB9.~-_?=&#:;%@+ ") for _ in range(dice.randrange(8))]
    location = f"/{first}{''.join(others)}"
    response = Response(status=302, headers={"Location": location})
    assert dict(start(response)[1])["Location"] == iri_to_uri(location)


@pytest.mark.parametrize(("location", "sent"), [
    ("/\u00e9 b?q=\u00fc", "/%C3%A9%20b?q=%C3%BC"), ("http://b\u00fccher.de/", "http://xn--bcher-kva.de/"),
    ("?a", "?a"), ("", ""), ("//X.org/a", "//x.org/a"),
])  # fmt: skip
def test_locations_are_made_uris(location: str, sent: str) -> None:
    response = Response(status=302, headers={"Location": location, "Content-Location": location})
    headers = dict(start(response)[1])
    assert headers["Location"] == headers["Content-Location"] == sent


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("location", ["http://x.org:port/\u00e9", "http://[::1/", "http://xn--\u00e9.org:1 2/"])
def test_locations_that_are_no_urls_go_out_encoded(location: str, absolute: bool) -> None:
    response = Response(status=302, headers={"Location": location})
    response.autocorrect_location_header = absolute
    sent = dict(start(response)[1])["Location"]
    assert sent == location.replace("\u00e9", "%C3%A9").replace(" ", "%20")


def test_locations_with_a_host_that_cannot_be_decoded() -> None:
    response = Response(status=302, headers={"Location": "/a"})
    response.autocorrect_location_header = True
    # Since Python 3.13 such a host is shown as it is.
    assert dict(start(response, HTTP_HOST="xn--")[1])["Location"] in {"/a", "http://xn--/a"}


def test_locations_may_be_made_absolute() -> None:
    response = Response(status=302, headers={"Location": "b?c"})
    response.autocorrect_location_header = True
    headers = start(response, SCRIPT_NAME="/x", PATH_INFO="/y/z")[1]
    assert dict(headers)["Location"] == "http://localhost/x/y/b?c"


@pytest.mark.parametrize("compat", ["0.10", "documented", "3.1"])
def test_redirects_of_an_application(compat: str) -> None:
    app = Flask("redirects", root_path="/", compat=compat)
    app.add_url_rule("/go", "go", lambda: Response(status=302, headers={"Location": "/there?q=\u00e9"}))
    location = app.test_client().get("/go").headers["Location"]
    assert location == ("http://localhost" if compat == "0.10" else "") + "/there?q=%C3%A9"


def test_the_wsgi_response_can_be_had_without_a_server() -> None:
    response = Response(["a"], 201)
    body, status, headers = response.get_wsgi_response(create_environ())
    assert (list(body), status, headers) == (
        [b"a"], "201 CREATED", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "1")],
    )  # fmt: skip
    assert isinstance(response.get_wsgi_headers(create_environ()), Headers)
    assert list(response.get_app_iter(create_environ(method="HEAD"))) == []


def test_what_goes_out_does_not_change_the_response() -> None:
    response = Response("text", 304, {"Location": "/\u00e9"})
    start(response)
    assert response.headers["Location"] == "/\u00e9" and response.headers["Content-Length"] == "4"


# -- subclasses ----------------------------------------------------------------------------------------------------


def test_defaults_of_a_subclass() -> None:
    class Own(Response):
        default_status = 418
        default_mimetype = "application/json"

    response = Own("{}")
    assert (response.status_code, response.content_type) == (418, "application/json")
    assert Own("{}", 200, mimetype="text/css").content_type == "text/css; charset=utf-8"
    assert Own("{}", headers={}).content_type == "application/json"

    class Bare(Response):
        default_mimetype = None
        automatically_set_content_length = False

    assert start(Bare("x"))[1] == []
    assert list(Bare("x").headers) == []


class ForcedHeader(Response):
    def get_wsgi_headers(self, environ: dict[str, Any]) -> Headers:
        headers = super().get_wsgi_headers(environ)
        headers["X-Own"] = environ["REQUEST_METHOD"]
        return headers


class ForcedBody(Response):
    def get_app_iter(self, environ: dict[str, Any]) -> Iterable[bytes]:
        return [b"<", *super().get_app_iter(environ), b">"]


class ForcedItems(Response):
    def iter_encoded(self) -> Iterator[bytes]:
        for item in super().iter_encoded():
            yield item.upper()


class ForcedResponse(Response):
    def get_wsgi_response(self, environ: dict[str, Any]) -> Any:
        body, _, headers = super().get_wsgi_response(environ)
        return body, "299 OWN", headers


class ForcedClose(Response):
    closed = 0

    def close(self) -> None:
        ForcedClose.closed += 1
        super().close()


class Grandchild(ForcedHeader):
    pass


@pytest.mark.parametrize("kind", [ForcedHeader, ForcedBody, ForcedItems, ForcedResponse, ForcedClose, Grandchild])
def test_steps_that_a_subclass_takes_over(kind: type[Response]) -> None:
    ForcedClose.closed = 0
    status, headers, body = start(kind("text", 201))
    sent = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    expected = {ForcedBody: b"<text>", ForcedItems: b"TEXT"}.get(kind, b"text")
    assert sent == expected
    assert status == ("299 OWN" if kind is ForcedResponse else "201 CREATED")
    assert dict(headers).get("X-Own") == ("GET" if issubclass(kind, ForcedHeader) else None)
    assert ForcedClose.closed == (1 if kind is ForcedClose else 0)


@pytest.mark.parametrize("kind", [ForcedHeader, ForcedItems, ForcedClose])
def test_subclasses_in_an_application(kind: type[Response]) -> None:
    ForcedClose.closed = 0
    app = Flask("own", root_path="/")
    app.response_class = kind
    app.add_url_rule("/", "index", lambda: "text")
    response = app.test_client().get("/", buffered=True)
    assert response.headers.get("X-Own") == ("GET" if kind is ForcedHeader else None)
    assert response.data == (b"TEXT" if kind is ForcedItems else b"text")
    assert ForcedClose.closed == (1 if kind is ForcedClose else 0)


def test_a_status_or_body_that_a_subclass_computes() -> None:
    class Own(Response):
        def get_data(self, as_text: bool = False) -> Any:
            return "own" if as_text else b"own"

        @property
        def content_length(self) -> int:
            return 3

    assert Own("text").get_data(as_text=True) == "own"
    assert Own("text").content_length == 3


# -- responses of werkzeug -----------------------------------------------------------------------------------------


class StockResponse(werkzeug.wrappers.Response):
    default_mimetype = "text/html"


def test_force_type_makes_ours_of_werkzeugs() -> None:
    called: list[int] = []
    stock = werkzeug.wrappers.Response("text", 201, {"X": "y"})
    stock.call_on_close(lambda: called.append(1))
    ours = Response.force_type(stock)
    assert ours is stock and type(ours) is Response
    assert ours.headers["X"] == "y"
    ours.headers["Z"] = "1"
    ours.data = "longer text"
    status, headers, body = start(ours)
    assert (status, dict(headers)["Content-Length"], dict(headers)["Z"]) == ("201 CREATED", "11", "1")
    assert b"".join(body) == b"longer text"
    body.close()
    assert called == [1]


def test_force_type_keeps_a_stream() -> None:
    source = Closing(b"a", b"b")
    stock = werkzeug.wrappers.Response(source, direct_passthrough=True)  # type: ignore[arg-type]
    ours = Response.force_type(stock)
    assert ours.direct_passthrough and ours.is_streamed
    assert b"".join(start(ours)[2]) == b"ab"


def test_force_type_leaves_ours_as_they_are() -> None:
    ours = Response("x")
    assert Response.force_type(ours) is ours
    own = ForcedHeader.force_type(ours)
    assert own is ours and dict(start(own)[1])["X-Own"] == "GET"


def test_force_type_of_a_wsgi_application() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("202 ACCEPTED", [("X", environ["PATH_INFO"])])
        return [b"a", b"b"]

    ours = Response.force_type(application, create_environ("/p"))
    assert (ours.status_code, ours.headers["X"], ours.data) == (202, "/p", b"ab")
    with pytest.raises(TypeError):
        Response.force_type(application)
    assert Response.from_app(application, create_environ("/q")).headers["X"] == "/q"


# -- random responses ----------------------------------------------------------------------------------------------

TEXTS = ("", "text", "caf\u00e9", "\u20ac" * 3)
BODIES: tuple[Callable[[], Any], ...] = (
    lambda: None, lambda: "", lambda: "text", lambda: "caf\u00e9", lambda: b"", lambda: b"\xff\x00",
    lambda: bytearray(b"abc"), list, lambda: ["a", "\u00e9"], lambda: [b"a", b"", b"bc"], lambda: ("a", b"b"),
    lambda: iter(["a", "b"]), lambda: (item for item in (b"x", b"y")), lambda: Closing(b"1", b"2"),
    lambda: Closing("z"), lambda: {"a": 1, "b": 2}, lambda: ["a", None], lambda: range(0),
)  # fmt: skip
STATUSES = (
    None, None, 200, 201, 204, 304, 206, 404, 500, 100, 199, 999, 0, "200", "404 NOT HERE", "204 x", "what", "",
    " 200 OK\t",
    "1 0", "304", HTTPStatus.CONFLICT, "302 FOUND", 1.5,
)  # fmt: skip
HEADERS: tuple[Callable[[], Any], ...] = (
    lambda: None, lambda: None, dict, list, lambda: {"X-A": "1", "Content-Type": "a/b"},
    lambda: [("x-a", "1"), ("X-A", "2")], lambda: Headers([("Content-Length", "3")]),
    lambda: {"X-A": ["1", "2"]}, lambda: {"Content-Length": "99"},
    lambda: {"Location": "/\u00e9"}, lambda: {"X": 5}, lambda: {"X": "\r\n"}, lambda: [("a", "b", "c")],
    lambda: {"Content-Encoding": "gzip", "Last-Modified": "x", "ETag": '"e"', "Expires": "x"},
    lambda: [("X-A", "\u20ac")],
)  # fmt: skip
MIMETYPES = (None, None, None, "text/plain", "application/json", "", "image/svg+xml", "TEXT/X", "text/html; charset=x")
CONTENT_TYPES = (None, None, None, None, "a/b; c=d", "", "text/html")


def _change(it: Any, name: str, value: Any) -> Any:
    setattr(it, name, value)
    return getattr(it, name)


#: A change, and an argument for it.
CHANGES: tuple[tuple[Callable[[Any, Any], Any], tuple[Any, ...]], ...] = (
    (lambda it, v: _change(it, "status", v), STATUSES[2:]),
    (lambda it, v: _change(it, "status_code", v), (200, 204, 404, 304, 777)),
    (lambda it, v: _change(it, "data", v), ("new", b"newer", "\u00e9", b"")),
    (lambda it, v: it.set_data(v), ("new", b"newer", bytearray(b"x"))),
    (lambda it, v: _change(it, "mimetype", v), ("text/x", "image/png")),
    (lambda it, v: _change(it, "content_type", v), ("text/x; a=b", None)),
    (lambda it, v: _change(it, "content_length", v), (5, 0, None)),
    (lambda it, v: _change(it, "response", copy(v)), ([], ["a"], [b"bb", "c"], b"raw")),
    (lambda it, v: _change(it, "location", v), ("/x y", "http://\u00e9.org/", None)),
    (lambda it, v: _change(it, "content_location", v), ("/\u00fc", None)),
    (lambda it, v: _change(it, "direct_passthrough", v), (True, False)),
    (lambda it, v: _change(it, "implicit_sequence_conversion", v), (True, False)),
    (lambda it, v: _change(it, "automatically_set_content_length", v), (True, False)),
    (lambda it, v: _change(it, "last_modified", v), (datetime(2020, 1, 1, tzinfo=UTC),)),
    (lambda it, v: _change(it, "retry_after", v), (datetime(2030, 1, 1, tzinfo=UTC), "x")),
    (lambda it, v: _change(it, "www_authenticate", v), (WWWAuthenticate("basic", {"realm": "r"}), None)),
    (lambda it, v: it.headers.__setitem__(*v), (("X-B", "1"), ("Content-Length", "7"), ("content-type", "q/r"))),
    (lambda it, v: it.headers.add(*v), (("X-B", "2"), ("Set-Cookie", "a=b"), ("Content-Length", "8"), ("Vary", "A"))),
    (lambda it, v: it.headers.pop(v, None), ("Content-Type", "content-length", "X-B")),
    (lambda it, v: it.headers.clear(), (None,)),
    (lambda it, v: it.set_cookie(*v), (("a", "b"), ("\u00e9", "\u00e9;"), ("x", "y", 5))),
    (lambda it, v: it.delete_cookie(v), ("a",)),
    (lambda it, v: it.stream.write(v), ("s", b"t")),
    (lambda it, v: it.make_sequence(), (None,)),
    (lambda it, v: it.freeze(), (None,)),
    (lambda it, v: it.set_etag(v), ("e", "f")),
    (lambda it, v: it.add_etag(), (None,)),
    (lambda it, v: it.get_etag(), (None,)),
    (lambda it, v: it.vary.add(v), ("Cookie", "X")),
    (lambda it, v: setattr(it.cache_control, "max_age", v), (0, 9, None)),
    (lambda it, v: it.allow.update(v), (["GET"], [])),
    (lambda it, v: it.mimetype_params.update(a=v), ("1",)),
    (lambda it, v: it.get_data(as_text=v), (True, False)),
    (lambda it, v: it.get_json(force=v, silent=True), (True, False)),
    (lambda it, v: it.calculate_content_length(), (None,)),
    (lambda it, v: (it.is_sequence, it.is_streamed, it.is_json), (None,)),
    (lambda it, v: list(it.headers), (None,)),
    (lambda it, v: repr(it).replace(type(it).__name__, ""), (None,)),
    (lambda it, v: it.call_on_close(lambda: it.record.append(v)) and None, (1, 2)),
    (lambda it, v: it.close(), (None,)),
    (lambda it, v: _change(it, "date", datetime(2020, 1, 1, tzinfo=UTC)) and it.make_conditional(v) and None, (
        create_environ(), create_environ(headers={"If-None-Match": '"e"'}),
        create_environ(headers={"Range": "bytes=0-1"}),
        create_environ(headers={"If-Modified-Since": "Thu, 01 Jan 2032 00:00:00 GMT"}),
    )),
)  # fmt: skip
METHODS = ("GET", "GET", "HEAD", "POST")


def outcome(work: Callable[[], Any]) -> Any:
    try:
        return repr(work())
    except Exception as error:
        return type(error)


class Stock(StockResponse):
    json_module = json
    record: list[Any]


class Ours(Response):
    json_module = json
    record: list[Any]


class OursInOwnWay(Ours):
    """Goes the way of a subclass that took a step over."""

    def get_wsgi_headers(self, environ: dict[str, Any]) -> Headers:
        return super().get_wsgi_headers(environ)


@examples(0.5)
@given(dice())
def test_what_goes_out_is_werkzeugs(dice: Dice) -> None:
    body, headers = dice.one(*BODIES), dice.one(*HEADERS)
    arguments = {
        "status": dice.one(*STATUSES), "mimetype": dice.one(*MIMETYPES), "content_type": dice.one(*CONTENT_TYPES),
        "direct_passthrough": dice.often(0.1),
    }  # fmt: skip
    chosen = [dice.one(*CHANGES) for _ in range(dice.randrange(6))]
    changes = [(change, dice.one(*values)) for change, values in chosen]
    environ = create_environ("/p/q", "http://x.org/root", method=dice.one(*METHODS))
    kinds = (Stock, OursInOwnWay if dice.often(0.2) else Ours)

    def live(kind: Any) -> list[Any]:
        try:
            it = kind(body(), headers=headers(), **arguments)
        except Exception as error:
            return [type(error)]
        it.record = []
        told = [outcome(lambda: change(it, value)) for change, value in changes]  # noqa: B023
        told.append(outcome(lambda: run_wsgi_app(it, environ)[1:]))
        told.append(outcome(lambda: list(run_wsgi_app(it, environ, buffered=True)[0])))
        return [*told, it.record, it.status, outcome(lambda: list(it.headers)), getattr(it.response, "closed", None)]

    stock, ours = map(live, kinds)
    if stock != ours:
        # A cookie's end is told in seconds, and one may have passed in between.
        stock, ours = map(live, kinds)
    assert stock == ours


def test_every_public_name_of_werkzeugs_response_is_there() -> None:
    assert {name for name in dir(werkzeug.wrappers.Response) if not name.startswith("_")} <= set(dir(Response))


# -- files and ranges ----------------------------------------------------------------------------------------------


def test_conditional_responses(app: Flask) -> None:
    def view() -> Response:
        response = make_response("0123456789")
        response.set_etag("tag")
        return response.make_conditional({**view.environ}, accept_ranges=True, complete_length=10)  # type: ignore

    app.add_url_rule("/", "index", view)
    client = app.test_client()
    for headers, status, data in (
        ({}, 200, b"0123456789"), ({"If-None-Match": '"tag"'}, 304, b""), ({"Range": "bytes=2-4"}, 206, b"234"),
        ({"Range": "bytes=20-"}, 416, None), ({"If-Match": '"other"'}, 412, None),
        ({"If-Range": '"x"', "Range": "bytes=0-0"}, 200, b"0123456789"),
    ):  # fmt: skip
        view.environ = create_environ(headers=headers)  # type: ignore[attr-defined]
        response = client.get("/", headers=headers)
        assert response.status_code == status
        if data is not None:
            assert response.data == data


def test_a_wrapped_file_is_passed_through(tmp_path: Any) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 20_000)
    handle = path.open("rb")
    response = Response(wrap_file(create_environ(), handle), direct_passthrough=True)
    _, headers, body = start(response)
    assert b"".join(body) == b"x" * 20_000 and "Content-Length" not in dict(headers)
    body.close()
    assert handle.closed


def test_a_stream_is_given_to_the_server_and_closed_by_it() -> None:
    closed: list[str] = []

    def chunks() -> Iterator[Any]:
        try:
            yield from (b"a", "\u00e9", bytearray(b"c"), b"d")
        finally:
            closed.append("chunks")

    response = Response(chunks())
    response.call_on_close(lambda: closed.append("response"))
    body: Any = response.get_app_iter(create_environ())
    assert [next(body), *body] == [b"a", "\u00e9".encode(), b"c", b"d"] and closed == ["chunks"]
    response.call_on_close(lambda: closed.append("later"))
    body.close()
    assert closed == ["chunks", "response", "later"]


def test_a_stream_that_never_began_is_closed() -> None:
    closed: list[int] = []

    class Items:
        def __iter__(self) -> Iterator[str]:
            return iter(["a"])

        def close(self) -> None:
            closed.append(1)

    body: Any = Response(Items()).get_app_iter(create_environ())  # type: ignore[arg-type]
    body.close()
    assert closed == [1]


@pytest.mark.parametrize("name", [
    "Allow", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length",
    "Content-Location", "CONTENT-MD5", "Content-Range", "content-type", "Date", "ETag", "Expires", "Last-Modified",
    "Set-Cookie", "Vary", "X-Content-Type",
])  # fmt: skip
def test_a_304_leaves_out_what_werkzeug_leaves_out(name: str) -> None:
    expected = [(name, "x")]
    remove_entity_headers(expected)
    response = Response("x", 304)
    response.headers.clear()
    response.headers[name] = "x"
    _, _, headers = run_wsgi_app(response, create_environ())
    assert list(headers) == expected
