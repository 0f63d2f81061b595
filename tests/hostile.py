"""Requests that no honest client sends, and an application that does everything with them.

``run(app, seed)`` sends the request of a seed and raises what an application must never let happen. The same seed is
always the same request. By hand: ``python tests/hostile.py 200000``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from wsgiref.validate import check_content_type, check_headers, check_status

from strategies import Dice
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException, default_exceptions

from microflask import (
    Blueprint,
    Flask,
    Request,
    Response,
    abort,
    flash,
    get_flashed_messages,
    jsonify,
    make_response,
    redirect,
    render_template,
    render_template_string,
    request,
    send_file,
    send_from_directory,
    session,
    stream_with_context,
    url_for,
)
from microflask.globals import _current

SECRET = "the content of a file that nobody may read"
KEY = "a key of the hostile tests"
#: {"n": 1000} with "another key".
SIGNED_WITH_ANOTHER_KEY = "eyJuIjoxMDAwfQ.awE_VQ.9bnyyC8cEGQKDf_OX3bsKh2e2cc"
LIMIT = 20_000

# -- the application -----------------------------------------------------------------------------------------------


class Buffered(Request):
    def _get_file_stream(self, *_: Any, **__: Any) -> BytesIO:
        # A form that ends too early leaves temporary files to the garbage collector, which warns.
        return BytesIO()


def make_app(mode: str, folder: Path, **config: Any) -> Flask:
    """Return an application whose views take everything a request has, and give it back in every way."""
    (folder / "static").mkdir(exist_ok=True)
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "static" / "a.css").write_text("body {}", encoding="utf-8")
    (folder / "secret.txt").write_text(SECRET, encoding="utf-8")
    (folder / "templates" / "page.html").write_text(
        "{{ request.path }} {{ request.args }} {{ session.n }} {{ get_flashed_messages() }} {{ url_for('go') }}",
        encoding="utf-8",
    )
    app = Flask("hostile", root_path=str(folder), compat=mode, subdomain_matching="SERVER_NAME" in config)
    app.request_class = Buffered
    app.config.update(SECRET_KEY=KEY, MAX_CONTENT_LENGTH=LIMIT, MAX_FORM_PARTS=50, PROPAGATE_EXCEPTIONS=True)
    app.config.update(config)
    for rule, view in VIEWS.items():
        app.add_url_rule(rule, view.__name__, view, methods=["GET", "POST", "PUT"])
    inner = Blueprint("inner", "inner", url_prefix="/inner", root_path=str(folder), static_folder="static")
    inner.add_url_rule("/", "index", lambda: url_for(".index", _external=True))
    app.register_blueprint(inner)
    app.add_url_rule("/", "sub", lambda sub: sub, subdomain="<sub>")
    app.register_error_handler(404, lambda error: (render_template("page.html"), 404))
    app.register_error_handler(413, lambda error: (jsonify(error=413), 413))
    app.before_request(lambda: request.values.get("x") and None)
    app.after_request(note)
    return app


def note(response: Response) -> Response:
    """Be a function after the request that looks at much."""
    response.headers["X-Seen"] = f"{request.endpoint} {len(request.full_path)} {request.is_xhr} {request.blueprints}"
    return response


def echo() -> Any:
    files = [(name, file.filename, file.content_type, file.read(5)) for name, file in request.files.items(multi=True)]
    return {
        "args": list(request.args.items(multi=True)), "form": list(request.form.items(multi=True)),
        "files": repr(files), "values": request.values.getlist("a"), "cookies": request.cookies.to_dict(),
        "headers": list(request.headers), "json": repr(request.get_json(silent=True)), "url": request.url,
        "urls": [request.base_url, request.url_root, request.host_url, request.full_path, request.host],
        "method": request.method, "mimetype": [request.mimetype, request.mimetype_params, request.content_length],
        "route": [request.access_route.copy(), request.remote_addr, request.referrer, str(request.user_agent)],
    }  # fmt: skip


def read_json() -> Any:
    return jsonify(got=request.get_json(), again=request.json)


def force_json() -> Any:
    return jsonify(got=request.get_json(force=True, cache=False))


def data() -> Any:
    return repr(request.get_data(as_text=True)[:100]) + repr(request.stream.read(5))


def stream() -> Any:
    def pieces() -> Any:
        yield request.path
        try:
            while piece := request.stream.read(1000):
                yield piece[:1]
        except HTTPException as error:
            # The status is gone already.
            yield f"stopped: {error.code}"

    return Response(stream_with_context(pieces()), mimetype="text/plain")


def go() -> Any:
    return redirect(request.args.get("to") or request.form.get("to") or request.headers.get("Referer") or "/")


def go_to(to: str) -> Any:
    return redirect(to, 308)


def urls() -> Any:
    return " ".join((
        url_for("number", n=7, q=request.args.getlist("q"), _anchor=request.args.get("a"), _external=True),
        url_for("path", p=request.path, _external=True, _scheme="https"), url_for("static", filename=request.host),
    ))  # fmt: skip


def headers() -> Any:
    response = make_response("headers")
    try:
        response.headers["X-Echo"] = request.args.get("v", request.headers.get("X-In", ""))
    except ValueError:
        abort(400)
    response.headers["X-Echo"] = re.sub(r"[^\x20-\x7e]", "?", response.headers["X-Echo"])
    response.set_cookie("echo", request.args.get("v", request.cookies.get("a", ""))[:500], max_age=5)
    return response


def use_session() -> Any:
    session["n"] = session.get("n", 0) + 1 if isinstance(session.get("n", 0), int) else 0
    session["args"] = request.args.to_dict()
    session.permanent = True
    flash(request.args.get("m", "message"))
    return render_template("page.html")


def read_session() -> Any:
    return repr((sorted(session), get_flashed_messages(with_categories=True)))


def render() -> Any:
    return render_template_string(
        "{{ v }} {{ v|tojson }} {{ request.cookies }} {{ request.headers['Host'] }}", v=list(request.values.items())
    )


def send(name: str) -> Any:
    return send_from_directory("static", name, as_attachment="download" in request.args)


def send_upload() -> Any:
    upload = next(iter(request.files.values()), FileStorage(BytesIO(b"nothing"), "nothing.txt"))
    return send_file(upload, "text/plain", as_attachment=True, download_name=upload.filename or "x", conditional=True)


def conditional() -> Any:
    response = make_response("0123456789" * 10)
    response.set_etag("tag")
    return response.make_conditional(request.environ, accept_ranges=True, complete_length=100)


def negotiate() -> Any:
    authorization = request.authorization
    return repr((
        request.accept_mimetypes.best_match(["text/html", "application/json"]), request.accept_languages.best,
        request.accept_encodings.quality("gzip"), request.accept_charsets, request.cache_control.max_age,
        request.if_match, request.if_none_match.contains("x"), request.if_modified_since, request.if_range,
        request.range,
        request.date, request.max_forwards, request.pragma, request.content_md5, request.origin,
        authorization and (authorization.type, authorization.username, authorization.password, authorization.token),
        request.access_control_request_headers, request.if_unmodified_since, request.is_json, request.is_secure,
    ))  # fmt: skip


def number(n: int) -> Any:
    return {"n": n % 1000}


def fraction(f: float) -> Any:
    return {"f": repr(f)}


def path(p: str) -> Any:
    return p, 200, {"X-Path": repr(p).encode("ascii", "backslashreplace").decode()}


def choice(c: str) -> Any:
    return [c]


def unique(u: Any) -> Any:
    return str(u)


def slash() -> Any:
    return "slash"


def give_up(code: int) -> Any:
    abort(code if code in default_exceptions and code < 500 else 404)


VIEWS: dict[str, Callable[..., Any]] = {
    "/echo": echo, "/json": read_json, "/force": force_json, "/data": data, "/stream": stream, "/go": go,
    "/go/<path:to>": go_to, "/urls": urls, "/headers": headers, "/session": use_session, "/read": read_session,
    "/render": render, "/files/<path:name>": send, "/upload": send_upload, "/conditional": conditional,
    "/negotiate": negotiate, "/number/<int:n>": number, "/fraction/<float:f>": fraction, "/path/<path:p>": path,
    "/choice/<any(a, b):c>": choice, "/unique/<uuid:u>": unique, "/slash/": slash, "/abort/<int:code>": give_up,
}  # fmt: skip

# -- the requests --------------------------------------------------------------------------------------------------

BYTES = (
    "\x00", "\xff", "\xc3\xa9", "\xc3", "\xe2\x82", "\xf0\x9f\x98\x80", "\xed\xa0\x80", "\r\n", "\n", "\r", "%00", "%",
    "%zz", "%0d%0aX-Injected: 1", "\r\nX-Injected: 1\r\nSet-Cookie: injected=1", "..", "../", "..\\", "%2e%2e%2f", "/",
    "//", "\\", "?", "#", ";", "&", "=", "<script>", "'\"", "{{7*7}}", "${x}", " ", "\t", "\x7f", "\x85", "\xad",
    "a" * 3000, "7" * 5000, "-1", "1e9", "0x10", "\xd9\xa3", "null", "::1", "javascript:alert(1)", "//evil.org",
    "\u0130".encode().decode("latin1"),
)  # fmt: skip
STARTS = (*VIEWS, "/", "", "/inner/", "/inner/static/", "/static/", "/static/a.css", "/missing", "*", "//", "/slash")
VARIABLES = (
    "7", "a", "b", "1.5", "12345678-1234-5678-1234-567812345678", "7" * 5000, "a.css", "../secret.txt",
    "..%2fsecret.txt", "../../../../../../etc/passwd", "/etc/passwd", "a.css\x00", "..\\secret.txt", "\xff",
    "\xc3\xa9", "-5", "\xd9\xa3", ".", "", "static/../../secret.txt", "a/../../secret.txt", "http://evil.org/",
    "//evil.org", "\r\nX-Injected: 1", "404", "418", "1" * 400,
)  # fmt: skip
METHODS = (
    *("GET", "POST", "PUT") * 6, "HEAD", "HEAD", "OPTIONS", "get", "BREW", "", "G\xc9T", "X" * 500, "TRACE",
)  # fmt: skip
LENGTHS = ("x", "-1", "-99999999999", "9" * 30, "1e3", "+5", " 7 ", "7_0", "", "0", "\xb2", "0x5", "5,5", "2.0")
TYPES = (
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=\xff", "application/json",
    "application/json; charset=utf-16", "application/json; charset=punycode", "application/json; charset=\xe9; x",
    "application/vnd.x+json", "multipart/form-data", "multipart/form-data; boundary=",
    "multipart/form-data; boundary=X", "multipart/form-data; boundary=X", "multipart/form-data; boundary=X",
    'multipart/form-data; boundary="X', "text/plain", "multipart/form-data; boundary=\xc3\xa9",
    "multipart/form-data; boundary=" + "b" * 5000, "multipart/mixed; boundary=X", ";", "", "/", "a/b;" + ";" * 500,
    "text/plain; charset=\x00", "multipart/form-data; boundary=X; boundary=Y", "\xff/\xff",
    "application/json; charset*=utf-8''x%ff", "a/b; x*0=a; x*1=b; x*9999999999=c",
    "application/x-www-form-urlencoded; a=\"\\",
)  # fmt: skip
JSONS = (
    b"{", b"[" * 100_000, b'{"a":' * 3000, b'"\xff"', b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"nul", b"1" * 6000, b"NaN",
    b"-Infinity", b'"\\ud800"', b'{"a": 1, "a": 2}', b"1e999", b"\x00", b"[1,]", b'{"__proto__": {"x": 1}}',
    b'"' + b"\\u0000" * 500 + b'"', b'{"a": "' + b"x" * 5000, b"true", b'["\\x"]', b"'", b'{" t": [1]}',
    b"\xf0\x9f\x98\x80",
)  # fmt: skip
PART = b'--X\r\nContent-Disposition: form-data; name="%s"%s\r\n%s\r\n%s\r\n'
MULTIPARTS = (
    b"", b"--X", b"--X--", b"--X\r\n", b"--X\r\n\r\n", b"--X\r\nContent-Disposition: form-data\r\n\r\nv\r\n--X--",
    b"no boundary at all" * 500, PART % (b"a", b"", b"", b"v"), PART % (b"a", b"", b"", b"v") + b"--X--\r\n",
    PART % (b"f", b'; filename="../../x"', b"Content-Type: text/x\r\n", b"v") + b"--X--",
    PART % (b"f", b'; filename="a\r\nX-Injected: 1"', b"", b"v") + b"--X--",
    PART % (b"f", b"; filename=", b"", b"\xff") + b"--X--",
    PART % (b"\xff", b"; filename*=utf-8''%ff%zz", b"Content-Type: \xff/\x00\r\n", b"v") + b"--X--",
    PART % (b"f", b'; filename="x"; filename*=nope\'\'y', b"Content-Transfer-Encoding: base64\r\n", b"!!") + b"--X--",
    PART % (b"a", b"", b"Content-Type: text/plain; charset=nope\r\n", b"\xff") + b"--X--",
    (PART % (b"a", b"", b"", b"v")) * 60 + b"--X--", b"--X\r\n" + b"A: b\r\n" * 2000 + b"\r\nv\r\n--X--",
    b"--X\r\n" + b"h" * 15_000, b"--X\r\nContent-Disposition\r\n\r\n--X--",
    b"--X\nContent-Disposition: form-data; name=a\n\nv\n--X--", b"\r\n--X\r\n: x\r\n\r\n--X--",
    b"--X\r\n \x00\r\n\r\n--X--", PART % (b"a", b"", b"", b"-" * 10_000) + b"--X--",
    PART % (b"a", b"", b"", b"\r" * 10_000) + b"--X--", b"--X\r\n" * 2000,
)  # fmt: skip
FORMS = (
    b"a=1&b=2", b"a=%ff&%zz=%", b"&" * 5000, b"=" * 500, b"a=1;b=2", b"\xff=\xff", b"to=%0d%0aX-Injected:%201",
    b"x" * 15_000, b"a=" + b"%00" * 1000, b"&".join(b"f%d=%d" % (n, n) for n in range(2000)), b"+", b"a=b=c&a", b"",
)  # fmt: skip
HEADERS = {
    "HTTP_HOST": (
        "", "localhost", "localhost:80", "x.org", "s.x.org", "evil.org", "x.org:99999", "x.org:-1", "\xff", "a b",
        "a\r\nb", "[::1", "[::1]", "..", "x.org.", "a" * 300, "x..org", "xn--", "xn--\xff", "x.org/evil", "u:p@x.org",
        "x.org\x00", "\xc3\xa9.org", "*", "127.0.0.1:http", "x.org,y.org", "<script>",
    ),
    "HTTP_COOKIE": (
        "a=1", "=;=", ";" * 500, "a", "a=\xff", "\xff=1", 'a="\\', 'a="\\777\\000"', "a=b=c", "a=1; a=2", "x" * 9000,
        "a=\r\nb", "session=", "session=x", "session=.x.y", "session=...", "session", "session=\xff", 'session="',
        "session=.eJw.x.y",
    ),
    "HTTP_RANGE": (
        "bytes=", "bytes=-", "bytes=0-", "bytes=-0", "bytes=9-1", "bytes=0-0,1-1,2-2", "bytes=" + "0-1," * 500,
        "x=1-2", "bytes=a-b", "bytes=0-99999999999999999999", "bytes=-99999999999", "bytes=\xb2-3", "bytes=1-2-3",
        "bytes 0-1", "=", "bytes=0-1\x00",
    ),
    "HTTP_IF_NONE_MATCH": (
        "*", '"tag"', 'W/"tag"', '"', "tag", ",,,", '"a", W/', "W/" * 500, '"\xff"', '"tag', "x" * 5000, "*, *",
    ),
    "HTTP_IF_MATCH": ("*", '"tag"', '"no"', "", '",', "W/W/"),
    "HTTP_IF_MODIFIED_SINCE": (
        "yesterday", "Thu, 99 Foo 9999 99:99:99 GMT", "0", "-1", "Thu, 01 Jan 1970 00:00:00 +9999", "\xff",
        "Thu, 01 Jan 99999 00:00:00 GMT", "Sat, 31 Dec 9999 23:59:59 -1200", "Mon, 01 Jan 0001 00:00:00 +1200",
        "1" * 400,
    ),
    "HTTP_IF_UNMODIFIED_SINCE": ("x", "Thu, 01 Jan 1970 00:00:00 GMT"),
    "HTTP_IF_RANGE": ('"tag"', "x", 'W/"', "Thu, 01 Jan 1970 00:00:00 GMT", "", '"'),
    "HTTP_DATE": ("x", "Thu, 01 Jan 99999 00:00:00 GMT"),
    "HTTP_ACCEPT": (
        "*/*", "text/html;q=x", ";", "a/b;q=-1", "a/b;q=1e9", "a/b;q=nan", ",".join(["a/b"] * 2000), "\xff", 'a/b;x="',
        "*", "/", "a/b;q=",
    ),
    "HTTP_ACCEPT_LANGUAGE": ("*", ";q=1", "de;q=\xb2", "-", "_" * 500, "en-US-x-y-z"),
    "HTTP_ACCEPT_ENCODING": ("gzip;q=", "*;q=0", "\x00"),
    "HTTP_AUTHORIZATION": (
        "Basic", "Basic !", "Basic /w==", "Basic YQ==", "Digest", 'Digest a="', "Bearer", "\xff", " ",
        "Digest " + "a=b," * 500, "Basic " + "A" * 5000, 'Digest username*=x\'\'%ff', "Basic \xe9", "Negotiate =,=",
        "X a=b, c",
    ),
    "HTTP_CACHE_CONTROL": (
        "max-age=x", "max-age", "=", "max-age=-1", "max-age=" + "9" * 5000, 'private="', "no-cache=\xff",
    ),
    "HTTP_MAX_FORWARDS": ("x", "-1", "9" * 5000),
    "HTTP_X_IN": ("\r\nX-Injected: 1", "\xff", "a" * 9000, ""),
    "HTTP_REFERER": (
        "\r\nX-Injected: 1", "http://[", "//[::", "\xff", "http://x.org:port/", "http://\xff/", "javascript:1",
        "http://a" + "." * 300,
    ),
    "HTTP_X_FORWARDED_FOR": (",,,", "\xff", "1," * 500),
    "HTTP_X_REQUESTED_WITH": ("XMLHttpRequest", "\xff"),
    "HTTP_UPGRADE": ("websocket", "h2c", "\xff"),
    "HTTP_CONNECTION": ("upgrade", ",,,", "Upgrade, \xff"),
    "HTTP_TRANSFER_ENCODING": ("chunked", "gzip, chunked", "x"),
    "HTTP_USER_AGENT": ("", "\xff", "x" * 9000),
    "HTTP_CONTENT_ENCODING": ("gzip", "\xff"),
    "HTTP_ORIGIN": ("null", "\xff"),
    "HTTP_": ("empty name",),
    "HTTP_CONTENT_TYPE": ("text/x",),
    "HTTP_X" + "_" * 300: ("long name",),
    "REMOTE_ADDR": ("", "\xff", "unix:", "::1%eth0"),
    "SCRIPT_NAME": ("", "/", "//", "/app", "app", "/\xff", "/..", "/a\r\nb", "/%", "/" * 500, "/a/", "/caf\xc3\xa9"),
    "SERVER_PORT": ("x", "", "99999", "-1"),
    "SERVER_NAME": ("", "\xff", "::1", "unix:/x"),
    "SERVER_PROTOCOL": ("HTTP/0.9", "", "X"),
}  # fmt: skip
QUERIES = ("", "a=1", "to=/there", "to=http://evil.org", "v=x", "m=%ff", "q=1&q=2", "download")


class Endless(BytesIO):
    """A body that never ends; whoever reads more than allowed is stopped."""

    given = 0

    def _give(self, size: int | None) -> int:
        if size is None or size < 0:
            raise AssertionError("the body was read without a limit")
        self.given += size
        if self.given > 50 * LIMIT:
            raise AssertionError("the body was read beyond the limit")
        return size

    def read(self, size: int | None = -1) -> bytes:
        return b"--X\r\n\r\n"[:4] * (self._give(size) // 4)

    def readline(self, size: int | None = -1) -> bytes:
        return self.read(size)

    def readinto(self, buffer: Any) -> int:
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


class Broken(BytesIO):
    """A connection that breaks."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError("the client is gone")

    readinto = read  # type: ignore[assignment]


def make_path(dice: Dice) -> str:
    text = re.sub(r"<[^>]+>", lambda _: dice.one(*VARIABLES), dice.one(*STARTS))
    if dice.often(0.15):
        text += dice.one(*BYTES)
    if dice.often(0.05):
        at = dice.randrange(len(text) + 1)
        text = text[:at] + dice.one(*BYTES) + text[at:]
    return text


def make_query(dice: Dice) -> str:
    more = [dice.one("&", "=", "%", "") + dice.one(*BYTES) for _ in range(dice.randrange(3))]
    return "".join((dice.one(*QUERIES), *more))


def make_cookie(dice: Dice, valid: str) -> str:
    """Return a Cookie header around a signed session, which was tampered with."""
    at = dice.randrange(len(valid))
    other = chr(dice.randrange(33, 127))
    return "session=" + dice.one(
        valid, valid[:at], valid[at:], valid[:at] + dice.one(*BYTES) + valid[at:],
        valid[:at] + other + valid[at + 1 :], f"{valid}; session={valid}", f"x; session={valid}",
        f"{valid}; session=x", valid + valid, f'"{valid}"', f".{valid}", valid.swapcase(),
        valid.replace(".", "..", 1), valid.replace(".", "", 1), valid.rpartition(".")[0] + "." + "A" * 27,
        SIGNED_WITH_ANOTHER_KEY,
    )  # fmt: skip


def make_body(dice: Dice, environ: dict[str, Any]) -> BytesIO:
    kind = dice.one("form", "json", "multipart", "bytes", "none", "endless", "broken")
    if dice.often(0.9):
        environ["CONTENT_TYPE"] = dice.one(*TYPES)
    if kind in {"endless", "broken"}:
        environ["CONTENT_LENGTH"] = str(dice.one(5, 1000, LIMIT, LIMIT + 1))
        if dice.often(0.5):
            del environ["CONTENT_LENGTH"]
            environ["wsgi.input_terminated"] = True
        return Endless() if kind == "endless" else Broken()
    body: bytes = {
        "form": dice.one(*FORMS), "json": dice.one(*JSONS), "multipart": dice.one(*MULTIPARTS),
        "bytes": dice.randbytes(dice.randrange(300)), "none": b"",
    }[kind]  # fmt: skip
    if dice.often(0.7):
        environ["CONTENT_TYPE"] = {
            "form": TYPES[0], "json": "application/json", "multipart": "multipart/form-data; boundary=X",
        }.get(kind, environ.get("CONTENT_TYPE", ""))  # fmt: skip
    environ["CONTENT_LENGTH"] = dice.one(*LENGTHS) if dice.often(0.2) else str(len(body) + dice.one(0, 0, 0, 0, 3, -1))
    if dice.often(0.1):
        environ.pop("CONTENT_LENGTH")
        environ["wsgi.input_terminated"] = dice.often(0.8)
    return BytesIO(body)


def make_environ(seed: int, valid: str) -> dict[str, Any]:
    """Return the request of a seed; `valid` is a session that the application signed."""
    dice = Dice(seed)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": dice.one(*METHODS), "PATH_INFO": make_path(dice), "QUERY_STRING": make_query(dice),
        "SERVER_NAME": "x.org", "SERVER_PORT": "80", "HTTP_HOST": "x.org", "SERVER_PROTOCOL": "HTTP/1.1",
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0), "wsgi.url_scheme": dice.one("http", "https", "ws"), "wsgi.errors": sys.stderr,
        "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }  # fmt: skip
    environ["wsgi.input"] = make_body(dice, environ)
    for name in dice.some(HEADERS, 4):
        environ[name] = dice.one(*HEADERS[name])
    if dice.often(0.25):
        environ["HTTP_COOKIE"] = make_cookie(dice, valid)
    for name in ("HTTP_HOST", "PATH_INFO", "QUERY_STRING", "SCRIPT_NAME"):
        if dice.often(0.02):
            environ.pop(name, None)
    return environ


# -- what must hold ------------------------------------------------------------------------------------------------

_LINE = re.compile(r"[0-9]{3} [\x20-\x7e]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class Flaw(AssertionError):
    """The answer to a request is one that no application may give."""


def demand(holds: object, what: str) -> None:
    if not holds:
        raise Flaw(what)


def sign_session(app: Flask) -> str:
    """Return the value of a session cookie that the application accepts."""
    with app.test_request_context(base_url="http://x.org"):
        opened = app.open_session(request._get_current_object())
        opened.update(n=1, _flashes=[("message", "hello")], more="x" * 50)
        response = app.response_class()
        app.save_session(opened, response)
    return response.headers["Set-Cookie"].partition(";")[0].partition("=")[2]


def answer(app: Flask, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    """Send a request as a server does; return status line, headers and body."""
    started: list[Any] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = [status, headers]
        return written.append

    iterable = app(environ, start_response)
    try:
        written.extend(iterable)
    finally:
        if hasattr(iterable, "close"):
            iterable.close()
    demand(len(started) == 2, "start_response was not called")
    demand(all(type(part) is bytes for part in written), "the body is not made of bytes")
    return started[0], started[1], b"".join(written)


def check(method: str, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
    """Raise a Flaw for an answer that is none."""
    code = int(status[:3])
    check_status(status)
    check_headers(headers)
    if code not in {204, 304}:
        check_content_type(status, headers)
    demand(_LINE.fullmatch(status), f"the status line is {status!r}")
    demand(code < 500, f"the status is {status}")
    for name, value in headers:
        demand(_VALUE.fullmatch(value), f"the header {name} is {value!r}")
    names = [name.lower() for name, _ in headers]
    demand("x-injected" not in names, "a header was injected")
    demand(not any(value.startswith("injected=") for _, value in headers), "a cookie was injected")
    for once in ("content-length", "content-type", "location", "etag"):
        demand(names.count(once) <= 1, f"there are several headers {once}")
    lengths = [value for name, value in headers if name.lower() == "content-length"]
    if method == "HEAD" or code in {204, 304}:
        demand(body == b"", "a response without a body has one")
    elif lengths:
        demand(int(lengths[0]) == len(body), f"Content-Length is {lengths[0]} for {len(body)} bytes")
    demand(SECRET.encode() not in body and b"root:" not in body, "a file came out that nobody may read")


def run(app: Flask, seed: int, valid: str) -> str:
    """Send the request of a seed and return the status line.

    :raises Flaw: the answer is one that may not be
    """
    environ = make_environ(seed, valid)
    told = {key: value for key, value in environ.items() if not key.startswith("wsgi.")}
    try:
        try:
            status, headers, body = answer(app, environ)
            check(told["REQUEST_METHOD"], status, headers, body)
        finally:
            left = _current.get()
            _current.set(None)
        demand(left is None, f"the context {left!r} is left")
    except Exception as error:
        raise Flaw(f"seed {seed}, compat {app.compat.name}: {error!r}\n{told}") from error
    return status


if __name__ == "__main__":
    with TemporaryDirectory() as name:
        for mode in ("documented", "0.10", "3.1"):
            for config in ({}, {"SERVER_NAME": "x.org"}):
                made = make_app(mode, Path(name), **config)
                signed = sign_session(made)
                for each in range(int(sys.argv[1])):
                    run(made, each, signed)
