"""What the property-based tests share: how many examples they run, their dice, and random WSGI environs."""

from __future__ import annotations

import os
import random
from io import BytesIO
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

#: All properties, and nothing else, with 1000 examples each, as .ci/run has it:
#: HYPOTHESIS_EXAMPLES=1000 python -m pytest -m hypothesis
#: Without the variable there are fewer, so that the whole suite is quick.
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "100"))


def examples(share: float = 1.0) -> settings:
    """Return the settings of a property: no deadline, no files, and the number of its examples.

    A slow one takes only a `share` of the usual number, unless somebody asked for 1000 or more.
    """
    if EXAMPLES >= 1000:
        share = max(share, 1)
    return settings(
        max_examples=max(1, int(EXAMPLES * share)), deadline=None, database=None, derandomize=EXAMPLES <= 1000,
        phases=(Phase.explicit, Phase.generate), suppress_health_check=[HealthCheck.function_scoped_fixture],
    )  # fmt: skip


class Dice(random.Random):
    """Make the choices of one example.

    One seed stands for a whole map or environ: hypothesis takes 70 microseconds for each choice, and there are a
    hundred of them. An example that fails is found again by its seed.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.first = seed

    def __repr__(self) -> str:
        return f"Dice({self.first})"

    def one(self, *choices: Any) -> Any:
        """Return one of `choices`; one that stands twice comes twice as often."""
        return choices[int(self.random() * len(choices))]

    def often(self, chance: float) -> bool:
        return self.random() < chance

    def some(self, choices: Any, most: int) -> list[Any]:
        """Return up to `most` different ones of `choices`, in random order."""
        return self.sample(list(choices), min(len(choices), int(self.random() * (most + 1))))


def dice() -> st.SearchStrategy[Dice]:
    return st.integers(0, 2**64 - 1).map(Dice)


METHODS = ("GET", "GET", "POST", "HEAD", "OPTIONS", "PUT", "get", "BREW")
HOSTS = (
    None, None, "x.org", "x.org", "s.x.org", "a.b.x.org", "X.org", "x.org:80", "x.org:443", "x.org:8080", "other.net",
    "localhost:5000", "[::1]", "[::1]:80", "127.0.0.1", "", ".x.org", "x.org.", "ex ample", "b\xc3\xbccher.x.org",
    "x.org:99999", "x.org:", "-.x.org", "a..x.org", "a" * 70 + ".x.org", "x.org/evil", "u@x.org",
)  # fmt: skip
PATHS = (
    None, "", "/", "/a", "a", "//a", "///", "/a//b", "/a/", "/caf\xc3\xa9", "/\xff\xfe", "/a b", "/%41", "/a?b",
    "/a;b=1", "/\x00", "/..", "/a/../b", "/a\nb", "/\xe2\x82\xac/x",
)  # fmt: skip
QUERIES = (
    None, "", "a=1", "a=1&a=2&b=", "a=1;b=2", "&&&", "=", "a", "a=%41%20+%2B", "a=%ff", "\xc3\xa9=\xc3\xa9",
    "a=%C3%A9", "%00=%0a", "a=b=c", "q=" + "x" * 300, "a=%zz", "a=&a", "\xff=\xe9",
)  # fmt: skip
COOKIES = (
    None, "a=1", "a=1; a=2; b", 'a="x y"; b="\\073"', "=1; =; a", ";;", "a=\xc3\xa9", "\xff=\xff", "a = 1",
)  # fmt: skip
ROOTS = (None, "", "/", "/app", "/app/", "/\xc3\xa9", "app", "//x")
HEADERS: dict[str, tuple[Any, ...]] = {
    "HTTP_CONNECTION": ("upgrade", "keep-alive, Upgrade", "close", ",,\tupgrade "),
    "HTTP_UPGRADE": ("websocket", "WebSocket", "h2c"),
    "HTTP_X_REQUESTED_WITH": ("XMLHttpRequest", "xmlhttprequest", "x"),
    "HTTP_ACCEPT": ("text/html", "text/*;q=0.5, application/json", "*/*", "q=,,;", "text/html;q=x"),
    "HTTP_ACCEPT_LANGUAGE": ("de, en;q=0.5", "*", ""),
    "HTTP_USER_AGENT": ("curl/8", ""),
    "HTTP_REFERER": ("http://x.org/", "\xff"),
    "HTTP_RANGE": ("bytes=0-1", "bytes=x", "bytes=5-1"),
    "HTTP_IF_NONE_MATCH": ('"a", W/"b"', "*", "x"),
    "HTTP_IF_MODIFIED_SINCE": ("Thu, 01 Jan 1970 00:00:00 GMT", "yesterday"),
    "HTTP_CACHE_CONTROL": ("max-age=0", 'no-cache, private="x"', "max-age=x"),
    "HTTP_AUTHORIZATION": ("Basic YTpi", "Basic !", "Bearer x", 'Digest username="a"', ""),
    "HTTP_X_FORWARDED_FOR": ("1.2.3.4, 5.6.7.8", ""),
    "HTTP_DATE": ("Thu, 01 Jan 1970 00:00:00 GMT", "x"),
    "HTTP_MAX_FORWARDS": ("3", "x"),
    "HTTP_TRANSFER_ENCODING": ("chunked", "gzip"),
    "HTTP_CONTENT_ENCODING": ("gzip",),
    "HTTP_CONTENT_MD5": ("x",),
    "HTTP_ORIGIN": ("http://x.org",),
    "wsgi.input_terminated": (True,),
}
_FORM = b"--X\r\nContent-Disposition: form-data; name=f\r\n\r\nv\r\n--X--\r\n"
_FILE = b'--X\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nv\r\n--X--'
_URLENCODED = "application/x-www-form-urlencoded"
#: Content type and body.
BODIES: tuple[tuple[str | None, bytes], ...] = (
    (None, b""), (None, b""), (None, b"data"), ("", b"data"), ("text/plain", b"caf\xe9"),
    (_URLENCODED, b"a=1&b=%ff&c=caf\xc3\xa9"), (_URLENCODED, b"\xff=\xfe"), (_URLENCODED, b"a=1&a=2"),
    ("application/json", b'{"a": 1}'), ("application/json; charset=utf-8", b"[1"), ("application/x+json", b"null"),
    ("multipart/form-data; boundary=X", _FORM), ("multipart/form-data; boundary=X", _FILE),
    ("multipart/form-data", _FORM), ("multipart/form-data; boundary=X", b"--X\r\nnonsense"), (";;=", b"x"),
    ('APPLICATION/JSON; a="b', b"\xff"), ("text/plain; charset=latin1", b"\xe9"),
)  # fmt: skip
LENGTHS = (True, True, True, None, "0", "3", "x", "-1", "99999", "1.5", "\u0663", "")


def make_environ(dice: Dice) -> dict[str, Any]:
    """Return a WSGI environ such as a server may hand over for an odd request, without its body."""
    environ = {
        "REQUEST_METHOD": dice.one(*METHODS),
        "SERVER_NAME": dice.one("x.org", "127.0.0.1", "::1", "s.x.org"),
        "SERVER_PORT": dice.one("80", "443", "5000", "0"),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": dice.one("http", "http", "https", "ws", "wss"),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    optional = {
        "HTTP_HOST": HOSTS, "PATH_INFO": PATHS, "QUERY_STRING": QUERIES, "HTTP_COOKIE": COOKIES, "SCRIPT_NAME": ROOTS,
        "REMOTE_ADDR": (None, "1.2.3.4", ""),
    }  # fmt: skip
    for name, choices in optional.items():
        value = dice.one(*choices)
        if value is not None:
            environ[name] = value
    for name in dice.some(HEADERS, 4):
        environ[name] = dice.one(*HEADERS[name])
    return environ


def make_body(dice: Dice) -> tuple[dict[str, str], bytes]:
    """Return what the environ says about a body, and the body."""
    content_type, data = dice.one(*BODIES)
    length = dice.one(*LENGTHS)
    said = {} if content_type is None else {"CONTENT_TYPE": content_type}
    if length is not None:
        said["CONTENT_LENGTH"] = str(len(data)) if length is True else length
    return said, data


def with_body(environ: dict[str, Any], body: tuple[dict[str, str], bytes]) -> dict[str, Any]:
    """Return a copy of `environ` with a body that has not been read."""
    return {**environ, **body[0], "wsgi.input": BytesIO(body[1]), "wsgi.errors": None}
