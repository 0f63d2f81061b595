"""What the property-based tests share: how many examples they run, and random WSGI environs."""

from __future__ import annotations

import os
from io import BytesIO
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

#: By hand: HYPOTHESIS_EXAMPLES=100000 python -m pytest tests/test_routing.py
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "1000"))


def examples(share: float = 1.0) -> settings:
    """Return the settings of a property: no deadline, no files, and `share` of the usual number of examples."""
    return settings(
        max_examples=max(1, int(EXAMPLES * share)), deadline=None, database=None, derandomize=EXAMPLES <= 1000,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )  # fmt: skip


def pick(*choices: Any) -> st.SearchStrategy[Any]:
    """Draw one of `choices`; one that stands twice comes twice as often."""
    return st.sampled_from(choices)


HOSTS = pick(
    None, None, "x.org", "x.org", "s.x.org", "a.b.x.org", "X.org", "x.org:80", "x.org:443", "x.org:8080", "other.net",
    "localhost:5000", "[::1]", "[::1]:80", "127.0.0.1", "", ".x.org", "x.org.", "ex ample", "b\xc3\xbccher.x.org",
    "x.org:99999", "x.org:", "-.x.org", "a..x.org", "a" * 70 + ".x.org", "x.org/evil", "u@x.org",
)  # fmt: skip
PATHS = pick(
    None, "", "/", "/a", "a", "//a", "///", "/a//b", "/a/", "/caf\xc3\xa9", "/\xff\xfe", "/a b", "/%41", "/a?b", "/a;b=1",
    "/\x00", "/..", "/a/../b", "/a\nb", "/\xe2\x82\xac/x",
)  # fmt: skip
QUERIES = pick(
    None, "", "a=1", "a=1&a=2&b=", "a=1;b=2", "&&&", "=", "a", "a=%41%20+%2B", "a=%ff", "\xc3\xa9=\xc3\xa9",
    "a=%C3%A9", "%00=%0a", "a=b=c", "q=" + "x" * 300, "a=%zz", "a=&a",
)  # fmt: skip
COOKIES = pick(None, "a=1", "a=1; a=2; b", "a=\"x y\"; b=\"\\073\"", "=1; =; a", ";;", "a=\xc3\xa9", "\xff=\xff", "a = 1")
_HEADERS: dict[str, st.SearchStrategy[Any]] = {
    "HTTP_CONNECTION": pick("upgrade", "keep-alive, Upgrade", "close", ",,\tupgrade "),
    "HTTP_UPGRADE": pick("websocket", "WebSocket", "h2c"),
    "HTTP_X_REQUESTED_WITH": pick("XMLHttpRequest", "xmlhttprequest", "x"),
    "HTTP_ACCEPT": pick("text/html", "text/*;q=0.5, application/json", "*/*", "q=,,;", "text/html;q=x"),
    "HTTP_ACCEPT_LANGUAGE": pick("de, en;q=0.5", "*", ""),
    "HTTP_USER_AGENT": pick("curl/8", ""),
    "HTTP_REFERER": pick("http://x.org/", "\xff"),
    "HTTP_RANGE": pick("bytes=0-1", "bytes=x", "bytes=5-1"),
    "HTTP_IF_NONE_MATCH": pick('"a", W/"b"', "*", "x"),
    "HTTP_IF_MODIFIED_SINCE": pick("Thu, 01 Jan 1970 00:00:00 GMT", "yesterday"),
    "HTTP_CACHE_CONTROL": pick("max-age=0", "no-cache, private=\"x\"", "max-age=x"),
    "HTTP_AUTHORIZATION": pick("Basic YTpi", "Basic !", "Bearer x", "Digest username=\"a\"", ""),
    "HTTP_X_FORWARDED_FOR": pick("1.2.3.4, 5.6.7.8", ""),
    "HTTP_DATE": pick("Thu, 01 Jan 1970 00:00:00 GMT", "x"),
    "HTTP_MAX_FORWARDS": pick("3", "x"),
    "HTTP_TRANSFER_ENCODING": pick("chunked", "gzip"),
    "HTTP_CONTENT_ENCODING": pick("gzip"),
    "HTTP_CONTENT_MD5": pick("x"),
    "HTTP_ORIGIN": pick("http://x.org"),
    "wsgi.input_terminated": pick(True),
}  # fmt: skip
_FORM = b"--X\r\nContent-Disposition: form-data; name=f\r\n\r\nv\r\n--X--\r\n"
_FILE = b'--X\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nv\r\n--X--'
#: Content type and body.
BODIES = pick(
    (None, b""), (None, b""), (None, b"data"), ("", b"data"), ("text/plain", b"caf\xe9"),
    ("application/x-www-form-urlencoded", b"a=1&b=%ff&c=caf\xc3\xa9"), ("application/x-www-form-urlencoded", b"\xff=\xfe"),
    ("application/json", b'{"a": 1}'), ("application/json; charset=utf-8", b"[1"), ("application/x+json", b"null"),
    ("multipart/form-data; boundary=X", _FORM), ("multipart/form-data; boundary=X", _FILE),
    ("multipart/form-data", _FORM), ("multipart/form-data; boundary=X", b"--X\r\nnonsense"), (";;=", b"x"),
    ("APPLICATION/JSON; a=\"b", b"\xff"), ("text/plain; charset=latin1", b"\xe9"),
)  # fmt: skip
LENGTHS = pick(True, True, True, None, "0", "3", "x", "-1", "99999", "1.5", "\u0663", "")


@st.composite
def environs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a WSGI environ such as a server may hand over for an odd request, without its body."""
    environ = {
        "REQUEST_METHOD": draw(pick("GET", "GET", "POST", "HEAD", "OPTIONS", "PUT", "get", "BREW")),
        "SERVER_NAME": draw(pick("x.org", "127.0.0.1", "::1", "s.x.org")),
        "SERVER_PORT": draw(pick("80", "443", "5000", "0")),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": draw(pick("http", "http", "https", "ws")),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    optional = {
        "HTTP_HOST": HOSTS, "PATH_INFO": PATHS, "QUERY_STRING": QUERIES, "HTTP_COOKIE": COOKIES,
        "SCRIPT_NAME": pick(None, "", "/", "/app", "/app/", "/\xc3\xa9", "app", "//x"),
        "REMOTE_ADDR": pick(None, "1.2.3.4", ""),
    }  # fmt: skip
    for name, values in optional.items():
        value = draw(values)
        if value is not None:
            environ[name] = value
    for name in draw(st.lists(st.sampled_from(sorted(_HEADERS)), max_size=3, unique=True)):
        environ[name] = draw(_HEADERS[name])
    return environ


@st.composite
def bodies(draw: st.DrawFn) -> tuple[dict[str, str], bytes]:
    """Draw what the environ says about a body, and the body."""
    content_type, data = draw(BODIES)
    length = draw(LENGTHS)
    said = {} if content_type is None else {"CONTENT_TYPE": content_type}
    if length is not None:
        said["CONTENT_LENGTH"] = str(len(data)) if length is True else length
    return said, data


def with_body(environ: dict[str, Any], body: tuple[dict[str, str], bytes]) -> dict[str, Any]:
    """Return a copy of `environ` with a body that has not been read."""
    return {**environ, **body[0], "wsgi.input": BytesIO(body[1]), "wsgi.errors": None}
