"""Werkzeug's response, made lazy: it keeps its arguments, and makes headers when somebody looks at them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from http import HTTPStatus
from types import GeneratorType
from typing import Any
from urllib.parse import quote, urljoin

from werkzeug.datastructures import Headers as HeadersBase
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.urls import iri_to_uri
from werkzeug.utils import get_content_type
from werkzeug.wrappers import Response as ResponseBase
from werkzeug.wsgi import ClosingIterator, get_current_url

from . import json
from .attributes import compile_later
from .globals import find_app
from .headers import APART, Headers, is_apart

_SAFE_IN_URL = "%!#$&'()*+,/:;=?@[]"
#: Paths, with a query or without, that are the same as a URI: 0.4 microseconds instead of 3.
_PLAIN_URI = compile_later(globals(), "_PLAIN_URI", r"/(?!/)[\w./~-]*(?:\?[\w.=&~-]+)?", re.ASCII)


@lru_cache(maxsize=256)
def content_type_of(mimetype: str) -> str:
    """Return the Content-Type for a mimetype: texts get their charset.

    :raises ValueError: there is a line break in it
    """
    content_type = get_content_type(mimetype, "utf-8")
    Headers([("Content-Type", content_type)])
    return content_type


def _note_type(mimetype: str) -> tuple[str, str]:
    """Return the header for a mimetype; it is kept unless there are many."""
    pair = ("Content-Type", content_type_of(mimetype))
    if len(_TYPES) < 256:
        _TYPES[mimetype] = pair
    return pair


#: Headers by mimetypes. It is no subclass with a __missing__, which the interpreter reads in twice the time.
_TYPES: dict[str | None, tuple[str, str] | None] = {None: None}


def _note_length(length: int) -> tuple[str, str]:
    """Return the header for a length; it is kept unless there are many, which takes a third of the time."""
    pair = ("Content-Length", str(length))
    if len(_LENGTHS) < 1024:
        _LENGTHS[length] = pair
    return pair


_LENGTHS: dict[int, tuple[str, str]] = {}
_LINES: dict[int, str] = {}


def status_line(code: int) -> str:
    """Return the status line for a status code; it is kept unless there are many."""
    line = f"{code} {HTTP_STATUS_CODES.get(code, 'unknown').upper()}"
    if len(_LINES) < 256:
        _LINES[code] = line
    return line


def _parse_status(value: str) -> tuple[str, int]:
    """Return the line and the code of a status given as text."""
    line = value.strip()
    if not line:
        raise ValueError("the status of a response is empty: give a number such as 404, or '404 NOT FOUND'")
    code, space, _ = line.partition(" ")
    try:
        number = int(code)
    except ValueError:
        return f"0 {line}", 0
    return (line if space else status_line(number)), number


HeadersArgument = Mapping[str, str | Iterable[str]] | Iterable[tuple[str, str]]
_NO_CALLBACKS: list[Callable[[], Any]] = []
_LOCATIONS = {"location": "Location", "content-location": "Content-Location"}
#: Headers about a body that the client has already; it may hear anew where that is and until when it is good.
_NOT_IN_304 = frozenset({
    "allow", "content-encoding", "content-language", "content-length", "content-md5", "content-range", "content-type",
    "last-modified",
})  # fmt: skip
_LENGTH = frozenset({"content-length"})
#: Statuses whose responses have no body.
_BODILESS = frozenset({*range(100, 200), 204, 304})


def _encoded(items: Iterable[Any]) -> Iterator[bytes]:
    """Yield `items` with texts encoded, as werkzeug does; bytes, which most are, are asked about first."""
    # Locals are quicker than what is built in: a seventh of the work for a chunk.
    kind, data = type, bytes
    for item in items:
        if kind(item) is not data and isinstance(item, str):
            item = item.encode()
        yield item


class _Body:
    """Give the server the iterator itself, and be closed by it: 0.03 microseconds for a chunk instead of 0.16."""

    # No __slots__: the interpreter does not enter the constructors of such classes directly.
    def __init__(self, items: Iterable[Any], response: ResponseBase) -> None:
        self._chunks = _encoded(items)
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        self._response.close()


class Response(ResponseBase):
    """Hold what goes out; HTML unless told otherwise. The headers object is made when somebody looks at it.

    :param response: text, bytes, or an iterable of either
    :param status: a number or a status line
    :param headers: pairs or a mapping
    :param mimetype: the type without charset, which texts get
    :param content_type: the full type, which wins over `mimetype`
    :param direct_passthrough: hand the iterable to the server as it is
    :raises ValueError: a header has a line break in it
    """

    default_mimetype: str | None = "text/html"
    #: The encoding of texts, for programs that ask; there is no other one.
    charset = "utf-8"
    json_module: Any = json
    autocorrect_location_header = False
    #: Whether a subclass took over a step of the way out, so that it has to be asked.
    _own_exit = False
    #: Whether it took over neither one of these nor set_data() nor the status.
    _stock = True
    #: None until somebody looks at them.
    _headers: HeadersBase | None
    #: The headers as they go out, as long as nothing was done that has a say in it; see _unsettle().
    _plain: list[tuple[str, str]] | None
    #: What the headers begin with when somebody looks at them, if that is another list: a type, or a length after it.
    _first: list[tuple[str, str]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        steps = ("get_wsgi_headers", "get_app_iter", "get_wsgi_response", "iter_encoded", "close")
        cls._own_exit = any(getattr(cls, step) is not getattr(Response, step) for step in steps)
        cls._stock = not cls._own_exit and all(
            getattr(cls, name) is getattr(Response, name) for name in ("set_data", "status", "status_code")
        )

    def __init__(
        self, response: Iterable[bytes] | bytes | Iterable[str] | str | None = None,
        status: int | str | HTTPStatus | None = None, headers: HeadersArgument | None = None,
        mimetype: str | None = None, content_type: str | None = None, direct_passthrough: bool = False,
    ) -> None:  # fmt: skip
        # All of it is set here, and no default stands in the class: see RequestContext.
        self._on_close = _NO_CALLBACKS
        self.direct_passthrough = direct_passthrough
        if headers is None and content_type is None:
            self._headers = None
            if mimetype is None:
                mimetype = self.default_mimetype
            try:
                kind = _TYPES[mimetype]
            except KeyError:
                kind = _note_type(mimetype)  # type: ignore[arg-type]
        else:
            kind = None
            self._headers = self._make_headers(headers, mimetype, content_type)
        if status is None:
            status = self.default_status
        if status == 200:
            self._status = "200 OK"
            self._status_code = 200
        else:
            if type(status) is int and self._stock:
                # Without the call of the property.
                self._status_code = status
                try:
                    self._status = _LINES[status]
                except KeyError:
                    self._status = status_line(status)
            else:
                self._plain = None
                self.status = status
            if kind is not None and self._status_code in _BODILESS:
                self._headers, kind = Headers(None, [kind]), None
        text = type(response) is str
        if kind is not None and (text or type(response) is bytes) and (
            self._stock and self.automatically_set_content_length
        ):  # fmt: skip
            body: bytes = response.encode() if text else response  # type: ignore[assignment, union-attr]
            self._plain = [kind, _LENGTHS.get(len(body)) or _note_length(len(body))]
            self.response = [body]
        else:
            self._hold(response, kind)

    def _hold(self, response: Any, kind: tuple[str, str] | None) -> None:
        """Keep a body that is no plain text, or one that is not measured, and its type."""
        self._plain = None
        self._first = [] if kind is None else [kind]
        if response is None:
            self.response = []
        elif isinstance(response, (str, bytes, bytearray)):
            self.set_data(response)  # type: ignore[arg-type]
        else:
            self.response = response

    def _unsettle(self) -> None:
        """Let the way out look at everything."""
        if self._plain is not None:
            self._first, self._plain = self._plain, None

    @classmethod
    def force_type(cls, response: Any, environ: Any = None) -> Any:
        """Make a response of this class of another one, or of a WSGI application that is run for `environ`."""
        made: Any = super().force_type(response, environ)
        known = made.__dict__
        if "_plain" in known:
            made._unsettle()
        else:
            # It was one of werkzeug's own, and only its class was changed.
            made.headers = known.pop("headers")
        return made

    def _make_headers(
        self, headers: HeadersArgument | None, mimetype: str | None, content_type: str | None
    ) -> HeadersBase:
        made = headers if isinstance(headers, HeadersBase) else Headers(headers or None, None)
        for name, _ in made._list:
            if name == "Content-Type" or name.lower() == "content-type":
                typed = True
                break
        else:
            # Of a class with rules of its own, the list is not all.
            typed = type(made) is not Headers and "content-type" in made
        if content_type is None:
            if mimetype is None:
                if typed:
                    return made
                mimetype = self.default_mimetype
            if mimetype is None:
                return made
            pair = _TYPES.get(mimetype) or _note_type(mimetype)
            if not typed and type(made) is Headers:
                made._list.append(pair)
                return made
            content_type = pair[1]
        made.__setitem__("Content-Type", content_type)
        return made

    @property
    def headers(self) -> HeadersBase:
        """The headers; what the constructor was told stands in them."""
        headers = self._headers
        if headers is None:
            first = self._plain
            if first is None:
                first = self._first
            self._plain = None
            # Given all of its arguments, the constructor is entered directly.
            self._headers = headers = Headers(None, first)
        return headers

    @headers.setter
    def headers(self, value: HeadersArgument) -> None:
        self._headers = value if isinstance(value, HeadersBase) else Headers(value)
        self._plain = None

    @property
    def status_code(self) -> int:
        """The status as a number."""
        return self._status_code

    @status_code.setter
    def status_code(self, code: int) -> None:
        self.status = code

    @property
    def status(self) -> str:
        """The status line; numbers may be assigned too."""
        return self._status

    @status.setter
    def status(self, value: str | int | HTTPStatus) -> None:
        if isinstance(value, int):
            self._status_code = int(value)
            self._status = _LINES.get(self._status_code) or status_line(self._status_code)
        else:
            self._status, self._status_code = _parse_status(value)
        if self._status_code in _BODILESS:
            self._unsettle()

    @property
    def max_cookie_size(self) -> int:  # type: ignore[override]
        """The size in bytes from which on a cookie is warned about; MAX_COOKIE_SIZE of the configuration."""
        app = find_app()
        size: int = 4093 if app is None else app.config.get("MAX_COOKIE_SIZE", 4093)
        return size

    def set_data(self, value: bytes | str) -> None:
        """Make `value` the body."""
        if isinstance(value, str):
            value = value.encode()
        self.response = [value]
        if self.automatically_set_content_length:
            # Methods of Python are entered directly when they are called by their names, operators go through C.
            self.headers.__setitem__("Content-Length", str(len(value)))

    data = property(ResponseBase.get_data, set_data, doc="The body as bytes; text may be assigned too.")

    def call_on_close(self, func: Callable[[], Any]) -> Callable[[], Any]:
        """Call `func` when the server has sent the response; returns `func`."""
        if self._on_close is _NO_CALLBACKS:
            self._on_close = []
            self._unsettle()
        return super().call_on_close(func)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Send the response as a WSGI application does."""
        plain = self._plain
        if plain is not None:
            start_response(self._status, plain.copy())
        elif self._own_exit:
            return ResponseBase.__call__(self, environ, start_response)
        else:
            headers: Any = self._headers
            code = self._status_code
            if code == 200 and type(headers) is Headers and (plain := headers.ready) == headers._list:
                # Once only: whoever gets the list may change it.
                headers.ready = None
            else:
                plain = self._wsgi_headers(environ)
            start_response(self._status, plain)
            if self._on_close or (code != 200 and code in _BODILESS):
                return self._body(environ)
        body = self.response
        if type(body) is not list or environ["REQUEST_METHOD"] == "HEAD":
            return self._body(environ)
        if len(body) == 1 and type(body[0]) is bytes:
            # Nearly all of them; the loop takes twice the time.
            return body
        for item in body:
            if type(item) is not bytes:
                return self._body(environ)
        return body

    def get_wsgi_headers(self, environ: dict[str, Any]) -> HeadersBase:
        """Return the headers as they go out for the request of `environ`."""
        return Headers(None, self._wsgi_headers(environ))

    def get_app_iter(self, environ: dict[str, Any]) -> Iterable[bytes]:
        """Return the body as it goes out for the request of `environ`."""
        if self._own_exit:
            return super().get_app_iter(environ)
        return self._body(environ)

    def _wsgi_headers(self, environ: dict[str, Any]) -> list[tuple[str, str]]:
        """Return the headers as WSGI wants them: length added, locations made URIs."""
        headers = self._headers
        if headers is None:
            items = (self._plain or self._first).copy()
            has_length = len(items) == 2
        else:
            has_length = has_location = False
            items = headers._list
            for name, _ in items:
                if name == "Content-Length":
                    has_length = True
                elif name != "Content-Type" and name not in APART and not is_apart(name):
                    key = name.lower()
                    has_length |= key == "content-length"
                    has_location |= key in _LOCATIONS
            items = self._locate_all(items, environ) if has_location else items.copy()
        # To look for a number among these takes thrice the time of comparing it.
        if self._status_code != 200 and self._status_code in _BODILESS:
            return self._without_entity(items)
        if has_length or type(self.response) is GeneratorType:
            return items
        if self.automatically_set_content_length and self.is_sequence:
            items.append(("Content-Length", str(sum(map(len, self.iter_encoded())))))
        return items

    def _without_entity(self, items: list[tuple[str, str]]) -> list[tuple[str, str]]:
        left_out = _NOT_IN_304 if self._status_code == 304 else _LENGTH
        return [item for item in items if item[0].lower() not in left_out]

    def _locate_all(self, items: list[tuple[str, str]], environ: dict[str, Any]) -> list[tuple[str, str]]:
        """Return the headers with one location of each kind, the last that was given, where the first one stood."""
        last = {key: value for name, value in items if (key := name.lower()) in _LOCATIONS}
        made = []
        for name, value in items:
            key = name.lower()
            if key not in _LOCATIONS:
                made.append((name, value))
            elif key in last:
                made.append((_LOCATIONS[key], self._locate(key, last.pop(key), environ)))
        return made

    def _locate(self, key: str, value: str, environ: dict[str, Any]) -> str:
        """Return the value of a location as a URI."""
        if _PLAIN_URI(value) and not self.autocorrect_location_header:
            return value
        try:
            location = iri_to_uri(value)
            if key == "location" and self.autocorrect_location_header:
                here = iri_to_uri(get_current_url(environ, strip_querystring=True))
                if ":///" not in here:
                    location = urljoin(here, location)
        except ValueError:
            # No URL: a port that is no number, a host that cannot be. It may come from the client, who gets it back.
            location = quote(value, safe=_SAFE_IN_URL)
        return location

    def _body(self, environ: dict[str, Any]) -> Iterable[bytes]:
        """Return the body for the server: a plain list of bytes wherever nothing has to be closed."""
        body = self.response
        if environ["REQUEST_METHOD"] == "HEAD" or self._status_code in _BODILESS:
            if self._on_close or hasattr(body, "close"):
                return ClosingIterator((), self.close)
            return []
        if self.direct_passthrough:
            return body  # type: ignore[return-value]
        if type(body) is not list or self._on_close:
            return _Body(body, self)
        return [item.encode() if isinstance(item, str) else item for item in body]
