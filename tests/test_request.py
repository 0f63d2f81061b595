"""The request object: what the documentation names, and werkzeug's answers for random environs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import partial
from importlib import metadata
from io import BytesIO
from typing import Any

import pytest
import werkzeug.wrappers
from hypothesis import given
from strategies import Dice, dice, examples, make_body, make_environ, with_body
from werkzeug.datastructures import CombinedMultiDict, FileStorage, MultiDict
from werkzeug.exceptions import (
    BadRequest,
    BadRequestKeyError,
    HTTPException,
    RequestEntityTooLarge,
    SecurityError,
    UnsupportedMediaType,
)
from werkzeug.routing import RequestRedirect, Rule

from microflask import Blueprint, Flask, Module, Request, request
from microflask.testing import FlaskClient

#: Flask 0.10 warns of modules.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

# -- what it knows about the request -------------------------------------------------------------------------------


def test_ways_to_look_at_the_url(app: Flask) -> None:
    with app.test_request_context("/page.html?x=y", base_url="http://www.example.com/myapplication"):
        assert request.path == "/page.html"
        assert request.script_root == request.root_path == "/myapplication"
        assert request.base_url == "http://www.example.com/myapplication/page.html"
        assert request.url == "http://www.example.com/myapplication/page.html?x=y"
        assert request.url_root == request.root_url == "http://www.example.com/myapplication/"
        assert request.full_path == "/page.html?x=y"
        assert (request.host, request.host_url) == ("www.example.com", "http://www.example.com/")
        assert (request.scheme, request.is_secure) == ("http", False)


def test_query_and_form(app: Flask) -> None:
    with app.test_request_context("/?a=1&a=2&b=3", method="POST", data={"b": "form", "c": "5"}):
        assert isinstance(request.args, MultiDict) and isinstance(request.form, MultiDict)
        assert request.args.getlist("a") == ["1", "2"] and request.form.to_dict() == {"b": "form", "c": "5"}
        assert isinstance(request.values, CombinedMultiDict)
        assert request.values.getlist("b") == ["3", "form"] and request.values["c"] == "5"
        assert request.args.get("a", type=int) == 1 and request.args.get("x", 7) == 7
        with pytest.raises(BadRequestKeyError):
            request.form["missing"]


def test_a_get_has_no_form_values(app: Flask) -> None:
    with app.test_request_context("/?a=1", method="GET", data={"a": "2"}):
        assert request.values.getlist("a") == ["1"] and request.form["a"] == "2"


def test_files(app: Flask) -> None:
    data = {"text": "t", "upload": (BytesIO(b"content"), "name.txt")}
    with app.test_request_context("/", method="POST", data=data):
        upload = request.files["upload"]
        assert isinstance(upload, FileStorage) and upload.filename == "name.txt"
        assert upload.read() == b"content" and "upload" not in request.form
        assert request.form["text"] == "t" and request.data == b""


def test_uploaded_files_can_be_saved_and_are_closed_at_the_end(app: Flask, tmp_path: Any) -> None:
    with app.test_request_context("/", method="POST", data={"f": (BytesIO(b"x" * 600_000), "big")}):
        upload = request.files["f"]
        upload.save(tmp_path / "saved")
        stream = upload.stream
        request.environ["wsgi.input"].close()
    assert (tmp_path / "saved").stat().st_size == 600_000
    assert stream.closed


def test_headers_cookies_environ_and_method(app: Flask) -> None:
    headers = {"Cookie": "a=1; b=2", "X-Thing": "yes", "X-Requested-With": "XMLHttpRequest"}
    with app.test_request_context("/", method="PUT", headers=headers, content_type="text/x; charset=y"):
        assert request.method == "PUT" and request.is_xhr
        assert request.cookies.to_dict() == {"a": "1", "b": "2"}
        assert request.headers["x-thing"] == "yes" and "Missing" not in request.headers
        assert request.environ["HTTP_X_THING"] == "yes"
        assert (request.mimetype, request.mimetype_params) == ("text/x", {"charset": "y"})
    with app.test_request_context():
        assert not request.is_xhr


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", None])
def test_data_is_the_body_of_unknown_types(app: Flask, content_type: str | None) -> None:
    with app.test_request_context("/", method="POST", data="caf\u00e9", content_type=content_type):
        assert request.data == request.get_data() == "caf\u00e9".encode()
        assert request.get_data(as_text=True) == "caf\u00e9"


def test_the_stream_gives_the_body_once(app: Flask) -> None:
    with app.test_request_context("/", method="POST", data=b"body"):
        assert request.stream.read(2) == b"bo" and request.stream.read() == b"dy" and request.stream.read() == b""
        assert request.data == b""


def test_a_parsed_form_leaves_no_data(app: Flask) -> None:
    with app.test_request_context("/", method="POST", data={"a": "1"}):
        assert request.get_data(parse_form_data=True) == b"" and request.form["a"] == "1"
    with app.test_request_context("/", method="POST", data={"a": "1"}):
        assert request.get_data() == b"a=1" and request.form["a"] == "1"


def test_a_request_is_true_and_shows_its_url(app: Flask) -> None:
    with app.test_request_context("/x?y"):
        assert request and "http://localhost/x?y" in repr(request._get_current_object())
    assert not request


# -- what matched --------------------------------------------------------------------------------------------------


@pytest.fixture
def site(any_app: Flask) -> Flask:
    """An application with a view, and one in a blueprint inside of another one, that tell what they see."""

    def tell(**_: Any) -> dict[str, Any]:
        return {
            "endpoint": request.endpoint, "blueprint": request.blueprint, "blueprints": request.blueprints,
            "view_args": request.view_args, "rule": request.url_rule.rule, "module": request.module,
        }  # fmt: skip

    inner, outer = Blueprint("inner", "inner", root_path="/"), Blueprint("outer", "outer", root_path="/")
    inner.add_url_rule("/in", "view", tell)
    outer.register_blueprint(inner)
    outer.add_url_rule("/out", "view", tell)
    any_app.add_url_rule("/<int:n>/", "top", tell, methods=["GET", "POST"])
    any_app.register_blueprint(outer)
    module = Module("package.module", url_prefix="/module")
    module.add_url_rule("/", "view", tell)
    any_app.register_module(module)
    return any_app


@pytest.mark.parametrize(
    ("path", "endpoint", "chain", "view_args", "module"),
    [
        ("/4/", "top", [], {"n": 4}, None),
        ("/out", "outer.view", ["outer"], {}, None),
        ("/in", "outer.inner.view", ["outer.inner", "outer"], {}, None),
        ("/module/", "module.view", ["module"], {}, "module"),
    ],
)
def test_what_matched(
    site: Flask, path: str, endpoint: str, chain: list[str], view_args: dict[str, Any], module: str | None
) -> None:
    told = site.test_client().get(path).json
    assert told["endpoint"] == endpoint and told["blueprints"] == chain
    assert told["blueprint"] == (chain[0] if chain else None)
    assert told["view_args"] == view_args and told["module"] == module


def test_the_rule_tells_the_methods(site: Flask) -> None:
    with site.test_request_context("/4/"):
        assert isinstance(request.url_rule, Rule)
        assert request.url_rule.methods == {"GET", "HEAD", "POST", "OPTIONS"} and request.routing_exception is None


@pytest.mark.parametrize(("path", "method", "code"), [("/no", "GET", 404), ("/4/", "PUT", 405), ("/4", "GET", None)])
def test_what_did_not_match(site: Flask, path: str, method: str, code: int | None) -> None:
    with site.test_request_context(path, method=method):
        expected = code or site.compat.slash_redirect_code or RequestRedirect.code
        assert isinstance(request.routing_exception, HTTPException) and request.routing_exception.code == expected
        assert (request.url_rule, request.endpoint, request.view_args) == (None, None, None)
        assert (request.blueprint, request.blueprints, request.module) == (None, [], None)


def test_blueprints_of_a_request_may_be_changed_without_harm(site: Flask) -> None:
    client = site.test_client()
    with client:
        client.get("/in")
        request.blueprints.clear()
    assert client.get("/in").json["blueprints"] == ["outer.inner", "outer"]


def test_a_request_without_an_application() -> None:
    alone = Request({"REQUEST_METHOD": "POST", "wsgi.url_scheme": "http", "wsgi.input": BytesIO(b"{}"),
                     "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "2"})  # fmt: skip
    assert alone.json == {} and alone.endpoint is None and alone.module is None
    assert (alone.max_content_length, alone.max_form_memory_size, alone.max_form_parts) == (None, 500_000, 1_000)


def test_a_request_may_be_made_known_to_the_environ() -> None:
    environ: dict[str, Any] = {"wsgi.url_scheme": "http"}
    assert environ.get("werkzeug.request") is None
    made = Request(environ)
    assert environ.pop("werkzeug.request") is made
    Request(environ, populate_request=False)
    shallow = Request(environ, shallow=True)
    assert "werkzeug.request" not in environ
    for name in ("form", "data", "stream"):
        with pytest.raises(RuntimeError, match="shallow"):
            getattr(shallow, name)


def test_request_class(app: Flask) -> None:
    class Own(Request):
        parameter_storage_class = MultiDict

        @property
        def shouted(self) -> str:
            return self.path.upper()

    app.request_class = Own
    app.add_url_rule("/a", "a", lambda: f"{request.shouted} {type(request.args).__name__}")
    assert app.test_client().get("/a").text == "/A MultiDict"


# -- JSON ----------------------------------------------------------------------------------------------------------

JSON = "application/json"


def posted(app: Flask, data: bytes, content_type: str | None = JSON) -> Any:
    return app.test_request_context("/", method="POST", data=data, content_type=content_type)


def test_json(any_app: Flask) -> None:
    with posted(any_app, b'{"a": [1, null]}'):
        assert request.is_json and request.json == request.get_json() == {"a": [1, None]}
    with posted(any_app, b"[]", "application/json; charset=utf-8"):
        assert request.json == []


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_json_of_another_type(any_app: Flask, content_type: str | None) -> None:
    with posted(any_app, b"[1]", content_type):
        if any_app.compat.name == "3.1":
            with pytest.raises(UnsupportedMediaType, match="application/json"):
                request.get_json()
            with pytest.raises(UnsupportedMediaType):
                request.json  # noqa: B018
        else:
            assert request.get_json() is None and request.json is None
        assert request.get_json(silent=True) is None
        assert request.get_json(force=True) == [1]


@pytest.mark.parametrize("content_type", ["application/problem+json", "application/vnd.api+json; v=1"])
def test_json_of_a_derived_type(any_app: Flask, content_type: str) -> None:
    with posted(any_app, b"[1]", content_type):
        assert request.get_json() == ([1] if any_app.compat.name == "3.1" else None)
        assert request.get_json(force=True) == [1]


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b'"\xff"', b"[1]]", b"[" * 100_000])
@pytest.mark.parametrize("debug", [False, True])
def test_broken_json(any_app: Flask, body: bytes, debug: bool) -> None:
    any_app.debug = debug
    with posted(any_app, body):
        assert request.get_json(silent=True) is None
        with pytest.raises(BadRequest) as caught:
            request.get_json()
        # What was wrong is told to developers only.
        assert ("Failed to decode" in str(caught.value.description)) is debug
        with pytest.raises(BadRequest):
            request.json  # noqa: B018
        assert request.get_json(silent=True) is None


def test_json_is_remembered_unless_told_otherwise(app: Flask) -> None:
    with posted(app, b'{"a": 1}'):
        assert request.get_json() is request.get_json() is request.json
        assert request.get_json(cache=False) is not request.get_json()
    with posted(app, b'{"a": 1}'):
        assert request.get_json(cache=False) == {"a": 1}
        # The body is gone with it.
        with pytest.raises(BadRequest):
            request.get_json(cache=False)


def test_what_failed_loudly_or_silently_is_remembered_apart(app: Flask) -> None:
    class Own(Request):
        calls = 0

        def on_json_loading_failed(self, e: ValueError | None) -> Any:
            Own.calls += 1
            return f"failed: {type(e).__name__}"

    app.request_class = Own
    with posted(app, b"{"):
        assert request.get_json(silent=True) is None
        assert request.get_json() == request.get_json() == "failed: JSONDecodeError"
        assert request.get_json(silent=True) is None and Own.calls == 1


def test_on_json_loading_failed_is_told_of_another_type() -> None:
    class Own(Request):
        def on_json_loading_failed(self, e: ValueError | None) -> Any:
            return e

    app = Flask("json", root_path="/", compat="3.1")
    app.request_class = Own
    with posted(app, b"[1]", "text/plain"):
        assert request.get_json() is None


@pytest.mark.parametrize(
    ("charset", "body", "value"),
    [
        ("latin1", b'"\xe9"', "\u00e9"),
        ("windows-1251", b'"\xe9"', "\u0439"),
        ('"UTF-8"', b'"\xc3\xa9"', "\u00e9"),
        ("utf-16", '"\u00e9"'.encode("utf-16"), "\u00e9"),
        ("", b'"\xc3\xa9"', "\u00e9"),
    ],
)
def test_the_charset_of_json_counts(any_app: Flask, charset: str, body: bytes, value: str) -> None:
    for name in ("charset", "CHARSET"):
        with posted(any_app, body, f"application/json; {name}={charset}"):
            assert request.get_json() == value


def test_json_without_a_charset_may_be_any_utf(any_app: Flask) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"):
        with posted(any_app, '{"a": "\u00e9"}'.encode(encoding)):
            assert request.get_json() == {"a": "\u00e9"}


@pytest.mark.parametrize(
    "charset", ["nope", "hex", "punycode", "unicode_escape", "idna", "undefined", "\u0663", "utf-8\\0"]
)
def test_charsets_that_are_none(any_app: Flask, charset: str) -> None:
    environ = with_body(posted(any_app, b"").environ, ({"CONTENT_LENGTH": "4"}, b'"\\d"'))
    with any_app.request_context(environ | {"CONTENT_TYPE": f"application/json; charset={charset}"}):
        assert request.get_json(silent=True) is None
        with pytest.raises(BadRequest):
            request.get_json()


def test_the_json_of_the_application_reads(app: Flask) -> None:
    class Decoder(json.JSONDecoder):
        def __init__(self, **options: Any) -> None:
            super().__init__(object_hook=lambda made: ("hooked", made), **options)

    app.json_decoder = Decoder
    with posted(app, b'{"a": 1}'):
        assert request.get_json() == ("hooked", {"a": 1})


# -- limits --------------------------------------------------------------------------------------------------------


def read_form() -> Any:
    return request.form.to_dict()


def read_data() -> Any:
    return request.get_data().decode()


def read_json() -> Any:
    return request.get_json(force=True, silent=True)


@pytest.mark.parametrize("read", [read_form, read_data, read_json])
def test_max_content_length(any_app: Flask, read: Any) -> None:
    any_app.config["MAX_CONTENT_LENGTH"] = 10
    any_app.add_url_rule("/", "index", lambda: {"got": read()}, methods=["POST"])
    client = any_app.test_client()
    assert client.post("/", data={"a": "x" * 20}).status_code == 413
    assert client.post("/", data={"a": "x"}).status_code == 200


def test_limits_may_be_set_for_one_request(any_app: Flask) -> None:
    any_app.config["MAX_CONTENT_LENGTH"] = 10
    with any_app.test_request_context("/", method="POST", data={"a": "x" * 20}):
        assert request.max_content_length == 10
        request.max_content_length = 100
        assert request.max_content_length == 100 and request.form["a"] == "x" * 20
    any_app.config["MAX_CONTENT_LENGTH"] = None
    with any_app.test_request_context("/", method="POST", data={"a": "x" * 20}):
        assert request.max_content_length is None
        request.max_content_length = 10
        with pytest.raises(RequestEntityTooLarge):
            request.form  # noqa: B018


def test_a_body_without_a_length_is_cut_at_the_limit(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10
    environ = app.test_request_context("/", method="POST").environ
    environ |= {"wsgi.input": BytesIO(b"x" * 50), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    environ.pop("CONTENT_LENGTH", None)
    with app.request_context(environ):
        assert request.get_data() == b"x" * 10
        with pytest.raises(RequestEntityTooLarge):
            request.stream.read()


def test_a_long_field_of_a_multipart_form(any_app: Flask) -> None:
    data = {"a": "x" * 500_001, "f": (BytesIO(b""), "f")}
    with any_app.test_request_context("/", method="POST", data=data):
        if any_app.compat.name == "0.10":
            assert len(request.form["a"]) == 500_001
        else:
            with pytest.raises(RequestEntityTooLarge):
                request.form  # noqa: B018
    any_app.config["MAX_FORM_MEMORY_SIZE"] = 1_000
    with any_app.test_request_context("/", method="POST", data={"a": "x" * 1_001, "f": (BytesIO(b""), "f")}):
        assert request.max_form_memory_size == 1_000
        request.max_form_memory_size = 2_000
        assert len(request.form["a"]) == 1_001 and request.files["f"].read() == b""


def test_parts_of_a_multipart_form(app: Flask) -> None:
    app.config["MAX_FORM_PARTS"] = 3
    data = {f"field{n}": "x" for n in range(4)}
    options = {"method": "POST", "content_type": "multipart/form-data"}
    with app.test_request_context("/", data=data, **options), pytest.raises(RequestEntityTooLarge):
        request.files  # noqa: B018
    with app.test_request_context("/", data=data, **options):
        request.max_form_parts = 4
        assert len(request.form) == 4 and request.max_form_parts == 4


def test_trusted_hosts(any_app: Flask) -> None:
    any_app.config["TRUSTED_HOSTS"] = ["x.org", ".y.org"]
    any_app.add_url_rule("/", "index", lambda: request.host)
    client = any_app.test_client()
    statuses = [client.get("/", headers={"Host": host}).status_code for host in ("x.org", "a.y.org", "evil.org", "")]
    assert statuses == [200, 200, 400, 400]


def test_one_request_may_trust_other_hosts(app: Flask) -> None:
    with app.test_request_context(base_url="http://evil.org"):
        request.trusted_hosts = ["x.org"]
        with pytest.raises(SecurityError):
            request.host  # noqa: B018


@pytest.mark.parametrize("host", ["xn--", "a.xn--.org", "xn--:80"])
def test_hosts_that_cannot_be_are_none(any_app: Flask, host: str) -> None:
    environ = any_app.test_request_context("/").environ | {"HTTP_HOST": host}
    # Since Python 3.13 such a name can be shown, as it is.
    shown = host.removesuffix(":80") if sys.version_info >= (3, 13) else ""
    with any_app.request_context(environ):
        assert request.host == shown and request.url.endswith(f"://{shown}/")


def test_names_of_other_alphabets_are_hosts(app: Flask) -> None:
    with app.test_request_context(base_url="http://b\u00fccher.de/"):
        assert request.host == "xn--bcher-kva.de" and request.url == "http://b\u00fccher.de/"


@pytest.mark.parametrize("value", ["Basic \xe9", "", "Basic /w=="])
def test_credentials_that_cannot_be_read_are_none(app: Flask, value: str) -> None:
    with app.test_request_context(environ_overrides={"HTTP_AUTHORIZATION": value}):
        assert request.authorization is None


# -- debug mode ----------------------------------------------------------------------------------------------------


@pytest.fixture
def debug_app(any_app: Flask) -> Flask:
    any_app.debug = True
    return any_app


def test_a_missing_file_that_came_as_text_is_explained(debug_app: Flask) -> None:
    quote = debug_app.compat.files_key_error_quote
    with debug_app.test_request_context("/", method="POST", data={"up": "photo.png"}):
        with pytest.raises(KeyError, match=f"{quote}up{quote}.*multipart/form-data"):
            request.files["up"]
        with pytest.raises(BadRequestKeyError):
            request.files["other"]
        assert request.files.get("up") is None


@pytest.mark.parametrize("options", [{"data": b"x", "content_type": "text/plain"}, {},
                                     {"data": {"up": "x"}, "content_type": "multipart/form-data"}])  # fmt: skip
def test_other_missing_files_are_bad_requests(debug_app: Flask, options: dict[str, Any]) -> None:
    with debug_app.test_request_context("/", method="POST", **options), pytest.raises(BadRequestKeyError):
        request.files["up"]


def test_nothing_is_explained_outside_of_debug_mode(app: Flask) -> None:
    with app.test_request_context("/", method="POST", data={"up": "x"}), pytest.raises(BadRequestKeyError):
        request.files["up"]


@pytest.mark.parametrize("debug", [False, True])
def test_a_missing_key_is_a_bad_request_or_an_error(any_app: Flask, debug: bool) -> None:
    any_app.testing, any_app.debug = False, debug
    any_app.config["PROPAGATE_EXCEPTIONS"] = False
    any_app.add_url_rule("/", "index", lambda: request.form["missing"], methods=["POST"])
    expected = 500 if debug and any_app.compat.name == "3.1" else 400
    assert any_app.test_client().post("/").status_code == expected


def test_the_name_of_a_missing_key_is_for_developers(any_app: Flask) -> None:
    any_app.add_url_rule("/", "index", lambda: request.args["hidden-name"])
    any_app.config["TRAP_BAD_REQUEST_ERRORS"] = False
    texts = {}
    for debug in (False, True):
        any_app.debug = debug
        texts[debug] = any_app.test_client().get("/").text
    assert "hidden-name" not in texts[False] and "hidden-name" in texts[True]


# -- werkzeug's request on random environs -------------------------------------------------------------------------

LOOKS = (
    "method", "scheme", "server", "root_path", "path", "query_string", "remote_addr", "full_path", "script_root",
    "url", "base_url", "root_url", "url_root", "host_url", "host", "is_secure", "is_multithread", "is_multiprocess",
    "is_run_once", "content_type", "content_length", "content_encoding", "content_md5", "referrer", "date",
    "max_forwards", "origin", "access_control_request_headers", "access_control_request_method", "mimetype",
    "mimetype_params", "pragma", "accept_mimetypes", "accept_charsets", "accept_encodings", "accept_languages",
    "cache_control", "if_match", "if_none_match", "if_modified_since", "if_unmodified_since", "if_range", "range",
    "user_agent", "authorization", "is_json", "access_route", "remote_user", "args", "cookies", "headers",
    "want_form_data_parsed", "trusted_hosts",
)  # fmt: skip
READS = (
    "form", "files", "values", "data", "stream", "get_data", "get_text", "force_json", "silent_json", "close",
    "parsed_data", "uncached_data",
)  # fmt: skip


def shown(value: Any) -> Any:
    """Return what can be compared and tells everything."""
    if isinstance(value, FileStorage):
        return value.name, value.filename, list(value.headers), value.read()
    if isinstance(value, CombinedMultiDict):
        return [shown(each) for each in value.dicts]
    if isinstance(value, MultiDict):
        return [(key, shown(each)) for key, each in value.items(multi=True)]
    if type(value).__name__ == "EnvironHeaders":
        return list(value), value.get("Host"), value.get("content-type"), len(value), "X-Nope" in value
    if type(value).__name__ in {"UserAgent", "Authorization"}:
        return str(value), vars(value)
    return value


def look(it: Any, name: str) -> Any:
    """Return what a request says under a name of LOOKS or READS, or the name of what it raises."""
    calls = {
        "stream": lambda: it.stream.read(3), "get_data": it.get_data, "get_text": partial(it.get_data, as_text=True),
        "get_json": it.get_json, "force_json": partial(it.get_json, force=True),
        "silent_json": partial(it.get_json, force=True, silent=True), "close": it.close,
        "parsed_data": partial(it.get_data, parse_form_data=True), "uncached_data": partial(it.get_data, cache=False),
    }  # fmt: skip
    try:
        return repr(shown(calls[name]() if name in calls else getattr(it, name)))
    except Exception as error:
        return type(error).__name__


class Stock(werkzeug.wrappers.Request):
    json_module = json

    def _get_file_stream(self, *_: Any, **__: Any) -> BytesIO:
        # What a parser leaves behind that fails shall not be a temporary file, which would be complained about.
        return BytesIO()


class Ours(Request):
    _get_file_stream = Stock._get_file_stream


#: Werkzeug before 3.1.8 took any text for a host.
CHECKS_HOSTS = Stock({"wsgi.url_scheme": "http", "HTTP_HOST": "x.org:x"}).host == ""


def make_both(dice: Dice) -> tuple[dict[str, Any], tuple[dict[str, str], bytes]]:
    environ = make_environ(dice)
    return (environ if CHECKS_HOSTS else environ | {"HTTP_HOST": "x.org"}), make_body(dice)


def same_answers(stock: Any, ours: Any, names: list[str]) -> None:
    for name in names:
        expected, got = look(stock, name), look(ours, name)
        if expected == "UnicodeDecodeError":
            # A query of bytes that are no UTF-8; servers hand them on, and ours come out percent-encoded.
            assert got != expected
            break
        if name == "authorization" and expected == "ValueError":
            # Base 64 of other characters than ASCII; ours are no credentials then.
            expected = "None"
        assert (name, got) == (name, expected)


@examples(0.5)
@given(dice())
def test_the_answers_are_werkzeugs(dice: Dice) -> None:
    environ, body = make_both(dice)
    stock, ours = (kind(with_body(environ, body)) for kind in (Stock, Ours))
    names = [*dice.some(LOOKS, 40), *dice.some(READS, 6)]
    dice.shuffle(names)
    same_answers(stock, ours, names)


@examples(0.15)
@given(dice())
def test_the_answers_are_werkzeugs_in_an_application_too(dice: Dice) -> None:
    app = Flask("answers", root_path="/", compat="3.1")
    app.request_class = Ours
    environ, body = make_both(dice)
    stock = Stock(with_body(environ, body))
    stock.max_content_length = app.config["MAX_CONTENT_LENGTH"] = dice.one(None, 0, 3, 1000)
    names = [*dice.some(LOOKS, 10), *dice.some([*READS, "get_json"], 6)]
    with app.request_context(with_body(environ, body)):
        same_answers(stock, request, names)


PIECES = (
    *'aaab===&&;+%\\",/?#\0\n\t\x7f\x85\xff ', "; ", "%C3%A9", "%ff", "%00", "%2", "%u00e9", "\\303\\251", "\\073",
    "//", "..", "\xc3\xa9", "\xe2\x82", "\xed\xa0\x80", "[]", "1" * 40,
)  # fmt: skip
FORMS = (
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a",
    "application/x-www-form-urlencoded; charset=latin1", "Application/X-WWW-Form-Urlencoded;", "text/plain",
    "application/json", 'multipart/form-data; boundary="a=b"', "multipart/form-data; boundary=%; charset=utf-7",
)  # fmt: skip
PARSED = (
    "args", "cookies", "form", "files", "values", "data", "path", "full_path", "url", "base_url", "root_url",
    "query_string", "root_path", "headers", "host", "silent_json", "get_text", "mimetype_params", "authorization",
)  # fmt: skip


def make_text(dice: Dice) -> str:
    """Return bytes that a client may send, as a WSGI server hands them over."""
    if dice.often(0.1):
        return dice.randbytes(dice.randrange(20)).decode("latin1")
    return "".join(dice.one(*PIECES) for _ in range(dice.randrange(14)))


@pytest.mark.skipif(metadata.version("werkzeug") < "3.1.9", reason="compares with what werkzeug does since 3.1.9")
@examples(0.5)
@given(dice())
def test_malformed_bytes_are_read_as_werkzeug_reads_them(dice: Dice) -> None:
    query, cookies, path = make_text(dice), make_text(dice), "/" + make_text(dice)
    data = make_text(dice).encode("latin1")
    environ = {
        "REQUEST_METHOD": dice.one("GET", "POST", "POST", "PUT"), "wsgi.url_scheme": "http", "SERVER_NAME": "x.org",
        "SERVER_PORT": "80", "HTTP_HOST": "x.org", "PATH_INFO": path, "QUERY_STRING": query,
        "HTTP_COOKIE": cookies, "SCRIPT_NAME": dice.one("", "/" + make_text(dice)),
        "HTTP_AUTHORIZATION": "Basic " + make_text(dice),
    }  # fmt: skip
    body = {"CONTENT_TYPE": dice.one(*FORMS), "CONTENT_LENGTH": str(len(data))}
    # JSON is read in the charset that it came with, which werkzeug does not look at.
    plain = "charset" not in body["CONTENT_TYPE"]
    names = [name for name in dice.sample(PARSED, len(PARSED)) if plain or name != "silent_json"]
    stock, ours = (kind(with_body(environ, (body, data))) for kind in (Stock, Ours))
    same_answers(stock, ours, names)


def test_every_public_name_of_werkzeugs_request_is_there() -> None:
    names = {name for name in dir(werkzeug.wrappers.Request) if not name.startswith("_")}
    assert names <= set(dir(Request))


def test_from_values() -> None:
    made = Request.from_values("/a?b=c", method="POST", data={"d": "e"})
    assert isinstance(made, Request) and made.args["b"] == "c" and made.form["d"] == "e"


# -- bodies that end too early, or never ---------------------------------------------------------------------------


class Broken(BytesIO):
    """A connection that the client closed."""

    def read(self, *_: Any) -> bytes:
        raise OSError("gone")

    def readinto(self, *_: Any) -> int:
        raise OSError("gone")


class Endless(BytesIO):
    """A client that never stops."""

    given = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None and size >= 0, "all of it was asked for"
        Endless.given += size
        assert Endless.given < 10_000_000
        return b"x" * size

    def readinto(self, buffer: Any) -> int:
        buffer[:] = self.read(len(buffer))
        return len(buffer)


@pytest.fixture
def reader(any_app: Flask) -> Iterator[FlaskClient]:
    any_app.add_url_rule("/<what>", "read", lambda what: repr(look(request, what)), methods=["POST"])
    any_app.config["MAX_CONTENT_LENGTH"] = 100_000
    Endless.given = 0
    yield any_app.test_client()


@pytest.mark.parametrize("what", ["data", "form", "silent_json", "stream"])
@pytest.mark.parametrize("kind", [Broken, Endless])
def test_strange_streams(reader: FlaskClient, what: str, kind: type[BytesIO]) -> None:
    for content_type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json"):
        for length in ("50000", None):
            response = reader.post(
                f"/{what}", input_stream=kind(), content_type=content_type, content_length=length,
                environ_overrides={} if length else {"wsgi.input_terminated": True},
            )  # fmt: skip
            assert response.status_code == 200
