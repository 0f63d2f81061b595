"""A small load generator: one thread, many connections, and each answer compared with the right one.

It needs less of its core than any WSGI server needs of its own; how much it needed is told with each result, because a
generator that has no time left measures itself.
"""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter, process_time

from .checks import WrongAnswer
from .serve import cores

CONNECTIONS = 64
WARM_UP_SECONDS = 0.25
_AT_ONCE = 1 << 17


@dataclass(frozen=True)
class Load:
    """Hold what a server managed."""

    rate: float
    """Requests per second."""
    busy: float
    """The part of the time, 0 to 1, in which the generator was at work."""


@dataclass
class Wanted:
    """Know the right answer, and learn from the first one how long its bytes are."""

    status: int
    body: bytes
    size: int = -1
    keeps_open: bool = True
    start: bytes = b"not known yet"

    def complete(self, received: bytes) -> bool:
        """Return whether the whole answer is there.

        :raises WrongAnswer: it is not the right one
        """
        if len(received) == self.size and received.startswith(self.start) and received.endswith(self.body):
            return True
        return self._read(received)

    def _read(self, received: bytes) -> bool:
        head, blank, body = received.partition(b"\r\n\r\n")
        if not blank:
            return False
        lines = head.split(b"\r\n")
        pairs = [line.partition(b":") for line in lines[1:]]
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        status = int(lines[0].split(b" ")[1])
        length = headers.get(b"content-length")
        if status != self.status or length is None or int(length) != len(self.body):
            raise WrongAnswer(f"under load the answer was {received[:300]!r}")
        if len(body) < len(self.body):
            return False
        if body != self.body:
            raise WrongAnswer(f"under load the body was {body[:300]!r}")
        self.size, self.start = len(received), lines[0]
        self.keeps_open = headers.get(b"connection", b"").lower() != b"close" and not lines[0].startswith(b"HTTP/1.0")
        return True


class Connection:
    """Ask again and again on one connection, or on one after the other where the server closes them."""

    def __init__(self, port: int, message: bytes, wanted: Wanted, selector: selectors.BaseSelector) -> None:
        self.port, self.message, self.wanted, self.selector = port, message, wanted, selector
        self.received = b""
        self.open()

    def open(self) -> None:
        """Connect and send the request."""
        # The kernel of this machine answers at once, so there is nothing to wait for.
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.selector.register(self.socket, selectors.EVENT_READ, self.receive)
        self.received = b""
        self.socket.send(self.message)

    def close(self) -> None:
        """Forget this connection."""
        self.selector.unregister(self.socket)
        self.socket.close()

    def receive(self) -> int:
        """Take what has arrived; return 1 if that ended an answer, else 0.

        :raises WrongAnswer: the answer is not the right one
        """
        wanted = self.wanted
        try:
            data = self.socket.recv(_AT_ONCE)
        except ConnectionError:
            data = b""
        if not data:
            return self._ended()
        received = self.received + data if self.received else data
        if wanted.complete(received) and wanted.keeps_open:
            self.received = b""
            self.socket.send(self.message)
            return 1
        self.received = received
        return 0

    def _ended(self) -> int:
        done = self.received != b""
        if done and not self.wanted.complete(self.received):
            raise WrongAnswer(f"the server closed the connection in the middle of {self.received[:300]!r}")
        self.close()
        self.open()
        return int(done)


@contextmanager
def on_first_core() -> Iterator[None]:
    """Keep to the first core, away from the server, where cores can be chosen."""
    mine = cores()
    if len(mine) > 1:
        os.sched_setaffinity(0, mine[:1])
    try:
        yield
    finally:
        if len(mine) > 1:
            os.sched_setaffinity(0, mine)


def drive(port: int, message: bytes, wanted: Wanted, seconds: float, connections: int = CONNECTIONS) -> Load:
    """Send the message for so many seconds over so many connections to a server of this machine.

    :raises WrongAnswer: an answer was not the right one
    :raises OSError: the server does not take connections
    """
    with on_first_core(), selectors.DefaultSelector() as selector:
        made: list[Connection] = []
        try:
            made += [Connection(port, message, wanted, selector) for _ in range(connections)]
            _run(selector, WARM_UP_SECONDS)
            begin, begin_busy = perf_counter(), process_time()
            count = _run(selector, seconds)
            spent, busy = perf_counter() - begin, process_time() - begin_busy
        finally:
            for connection in made:
                connection.close()
    if count == 0:
        raise WrongAnswer(f"the server did not answer within {seconds:g} seconds")
    return Load(count / spent, busy / spent)


def _run(selector: selectors.BaseSelector, seconds: float) -> int:
    """Return how many answers came in this time."""
    count, end = 0, perf_counter() + seconds
    select = selector.select
    while (left := end - perf_counter()) > 0:
        for key, _ in select(left):
            count += key.data()
    return count
