"""Requests that can be asked again and again, their answers, and the two ways between them: in process and by HTTP."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import FileWrapper

HOST = "127.0.0.1:8000"
#: What a browser sends along with every request.
USUAL_HEADERS = (
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
    ("Accept-Language", "en-GB,en;q=0.7"),
    ("Accept-Encoding", "gzip, deflate"),
)


class ErrorLog(io.TextIOBase):
    """Be the stream of logged errors; keep the end of it only, so that a long run does not fill the memory."""

    limit = 16_384

    def __init__(self) -> None:
        self.text = ""

    def writable(self) -> bool:
        """Return that text may be written here."""
        return True

    def write(self, text: str) -> int:
        """Append `text`, and forget what is too long ago."""
        self.text = (self.text + text)[-self.limit :]
        return len(text)


#: Where all applications log to: ``wsgi.errors`` of every request asked in process.
LOG = ErrorLog()


@dataclass(frozen=True)
class Ask:
    """Hold a request; `path` and `query` as they stand in the URL, in ASCII."""

    path: str
    query: str = ""
    method: str = "GET"
    body: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    host: str = HOST

    @cached_property
    def _variables(self) -> WSGIEnvironment:
        name, _, port = self.host.partition(":")
        variables: WSGIEnvironment = {
            "REQUEST_METHOD": self.method, "SCRIPT_NAME": "", "PATH_INFO": self.path, "QUERY_STRING": self.query,
            "SERVER_NAME": name, "SERVER_PORT": port or "80", "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_SOFTWARE": "benchmarks", "REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "50000",
            "HTTP_HOST": self.host, "HTTP_CONNECTION": "keep-alive", "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http", "wsgi.errors": LOG, "wsgi.multithread": True, "wsgi.multiprocess": False,
            "wsgi.run_once": False, "wsgi.input_terminated": True, "wsgi.file_wrapper": FileWrapper,
        }  # fmt: skip
        for header, value in USUAL_HEADERS + self.headers:
            variables["HTTP_" + header.upper().replace("-", "_")] = value
        if self.content_type:
            variables["CONTENT_TYPE"] = self.content_type
        if self.body:
            variables["CONTENT_LENGTH"] = str(len(self.body))
        return variables

    def environ(self) -> WSGIEnvironment:
        """Return a new WSGI environ of this request, as a server would make it."""
        return {**self._variables, "wsgi.input": io.BytesIO(self.body)}

    @property
    def target(self) -> str:
        """Name path and query as the request line does."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def header_list(self, host: str) -> list[tuple[str, str]]:
        """Return all headers of the request to `host`."""
        own = [("Content-Type", self.content_type)] if self.content_type else []
        length = [("Content-Length", str(len(self.body)))] if self.body else []
        return [("Host", host), *USUAL_HEADERS, *self.headers, *own, *length]

    def message(self, host: str) -> bytes:
        """Return the request to `host` as the bytes that travel."""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{header}: {value}" for header, value in self.header_list(host)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + self.body


@dataclass(frozen=True)
class Answer:
    """Hold what came back; `pieces` counts the parts of the body that were not empty, None if that is unknown."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    pieces: int | None = None

    def header(self, name: str) -> str | None:
        """Return the first header called `name`, whatever the case of its letters, or None."""
        wanted = name.lower()
        return next((value for header, value in self.headers if header.lower() == wanted), None)


Call = Callable[[Ask], Answer]


def caller(app: WSGIApplication) -> Call:
    """Return a function that asks `app` in this process."""

    def call(ask: Ask) -> Answer:
        head: list[Any] = []
        pieces: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[..., object]:
            head[:] = [int(status[:3]), tuple(headers)]
            return pieces.append

        start: StartResponse = start_response
        body = app(ask.environ(), start)
        try:
            pieces.extend(body)
        finally:
            if (close := getattr(body, "close", None)) is not None:
                close()
        return Answer(head[0], head[1], b"".join(pieces), sum(map(bool, pieces)))

    return call


def http_caller(port: int) -> Call:
    """Return a function that asks the server on `port` of this machine, with a new connection each time."""

    def call(ask: Ask) -> Answer:
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.putrequest(ask.method, ask.target, skip_host=True, skip_accept_encoding=True)
            for header, value in ask.header_list(f"127.0.0.1:{port}"):
                connection.putheader(header, value)
            connection.endheaders(ask.body or None)
            got = connection.getresponse()
            return Answer(got.status, tuple(got.getheaders()), got.read())
        finally:
            connection.close()

    return call
