"""What much of something costs by the piece: many routes, blueprints, hooks, receivers, contexts, rows, megabytes.

Started as ``python -m benchmarks.scale_costs SUBJECT PACKAGE`` for flask or microflask; prints JSON.
"""

from __future__ import annotations

import contextvars
import gc
import hashlib
import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from time import perf_counter
from typing import Any

from . import material
from .apps import typed
from .apps.flask_family import in_mode, many
from .checks import WrongAnswer, cookie, page, require
from .memory import highest, resident
from .wire import Ask, caller
from .worker import spend
from .workloads import with_cookie

ROUTES = 10_000
BLUEPRINTS, DEPTH = 500, 5
HOOKS = 100
RECEIVERS = 1000
SESSION_BYTES = 3000
MEGABYTES = 100
CONTEXTS = 10_000
ROWS = 100_000


@dataclass(frozen=True)
class Cost:
    """Hold a figure: `amount` of `unit`, such as "us per route"; None where it is not offered."""

    what: str
    amount: float | None
    unit: str


def new_app(api: Any) -> Any:
    """Return an application that says hello."""
    app = api.Flask("scale", static_folder=None, **in_mode(api, "3.1"))
    app.secret_key = material.SECRET
    app.add_url_rule("/", "hello", lambda: material.HELLO)
    return app


def request_us(app: Any, ask: Ask = Ask("/"), text: str | None = material.HELLO) -> float:  # noqa: B008 - frozen
    """Return the microseconds of a request, the fastest of some batches; check its answer if `text` is given."""
    if text is not None:
        page(text)(caller(app)(ask))
    count = 300
    spend(app, [ask.environ() for _ in range(count)])
    gc.collect()
    return min(spend(app, [ask.environ() for _ in range(count)])[0] for _ in range(9)) / count / 1000


def routes(api: Any) -> list[Cost]:
    """Register 10 000 routes, and ask for the last of them."""
    small = new_app(api)
    many(small, 10)
    last = Ask(f"/api/item{ROUTES // 2 - 1}/5")
    few = request_us(small, Ask("/api/item4/5"), "item 5")
    app = new_app(api)
    before, begin = resident(), perf_counter()
    many(app, ROUTES)
    registered = perf_counter() - begin
    page("item 5")(caller(app)(last))
    ready, grown = perf_counter() - begin, resident() - before
    more = request_us(app, last, "item 5") - few
    return [
        Cost("registering", registered * 1e6 / ROUTES, "us per route"),
        Cost("registering and the first request", ready * 1e6 / ROUTES, "us per route"),
        Cost("memory", grown / ROUTES, "KB per route"),
        Cost("a request, more than with 10 routes", more * 1e6 / ROUTES, "ns per 1000 routes"),
    ]


def _branch(api: Any, number: int) -> Any:
    """Return a blueprint with others in it, 5 deep, each with a view, a hook and an error handler."""
    inner = None
    for level in reversed(range(DEPTH)):
        blueprint = api.Blueprint(f"b{number}x{level}", __name__, url_prefix=f"/b{number}x{level}")
        blueprint.add_url_rule("/", "index", lambda level=level: f"level {level}")
        blueprint.before_request(lambda: None)
        blueprint.register_error_handler(404, lambda error: ("lost", 404))
        if inner is not None:
            blueprint.register_blueprint(inner)
        inner = blueprint
    return inner


def blueprints(api: Any) -> list[Cost]:
    """Nest 500 blueprints 5 deep, and ask in the deepest and outside of all."""
    app = new_app(api)
    alone = request_us(app)
    app = new_app(api)
    before, begin = resident(), perf_counter()
    for number in range(BLUEPRINTS // DEPTH):
        app.register_blueprint(_branch(api, number))
    registered, grown = perf_counter() - begin, resident() - before
    path = "".join(f"/b99x{level}" for level in range(DEPTH))
    deepest = request_us(app, Ask(f"{path}/"), f"level {DEPTH - 1}")
    outside = request_us(app)
    return [
        Cost("registering", registered * 1e6 / BLUEPRINTS, "us per blueprint"),
        Cost("memory", grown / BLUEPRINTS, "KB per blueprint"),
        Cost("a request to the deepest, more than outside", (deepest - outside) * 1000 / DEPTH, "ns per level"),
        Cost("a request outside, more than without any", (outside - alone) * 1000 / BLUEPRINTS, "ns per blueprint"),
    ]


def hooks(api: Any) -> list[Cost]:
    """Run 100 functions before, 100 after, and 100 at the end of a request."""
    costs = []
    calls = [0]

    def count(value: Any = None) -> None:
        calls[0] += 1

    def passing(response: Any) -> Any:
        calls[0] += 1
        return response

    for stage, function in (("before_request", count), ("after_request", passing), ("teardown_request", count)):
        app = new_app(api)
        alone = request_us(app)
        app = new_app(api)
        for _ in range(HOOKS):
            getattr(app, stage)(function)
        calls[0] = 0
        page(material.HELLO)(caller(app)(Ask("/")))
        require("the number of calls", calls[0], HOOKS)
        costs.append(Cost(stage, (request_us(app) - alone) * 1000 / HOOKS, "ns per function"))
    return costs


def receivers(api: Any) -> list[Cost]:
    """Connect 1000 receivers to a signal that each request sends, and to one that it does not."""
    costs = []
    for name, unit in (("request_started", "a request that sends it"), ("message_flashed", "one that does not")):
        app = new_app(api)
        alone = request_us(app)
        calls = [0]

        def receive(sender: Any, calls: list[int] = calls, **more: Any) -> None:
            calls[0] += 1

        kept = [lambda sender, receive=receive, **more: receive(sender) for _ in range(RECEIVERS)]
        signal = getattr(api, name)
        for function in kept:
            signal.connect(function, app)
        page(material.HELLO)(caller(app)(Ask("/")))
        require("the number of calls", calls[0], RECEIVERS if name == "request_started" else 0)
        costs.append(Cost(f"{name}, {unit}", (request_us(app) - alone) * 1000 / RECEIVERS, "ns per receiver"))
        for function in kept:
            signal.disconnect(function, app)
    return costs


def sessions(api: Any) -> list[Cost]:
    """Read and write a session of 3 KB."""
    app, session = new_app(api), api.session
    words = [f"{hashlib.sha256(bytes([n])).hexdigest()[:6]} and some text" for n in range(SESSION_BYTES // 24)]

    @typed(app.route("/fill"))
    def fill() -> str:
        session["words"], session["count"] = words, 0
        return "filled"

    @typed(app.route("/read"))
    def read() -> str:
        return str(len(session["words"]))

    @typed(app.route("/write"))
    def write() -> str:
        session["count"] += 1
        return str(session["count"])

    pair = cookie(caller(app)(Ask("/fill")))
    reading = request_us(app, with_cookie("/read", pair), str(len(words)))
    writing = request_us(app, with_cookie("/write", pair), "1")
    kilobytes = SESSION_BYTES / 1000
    return [
        Cost("a request that reads it", reading / kilobytes, "us per KB"),
        Cost("a request that reads and writes it", writing / kilobytes, "us per KB"),
    ]


class Sending(io.RawIOBase):
    """Be the body of a request that is never in memory as a whole: a head, a block again and again, a tail."""

    block = bytes(range(256)) * 4096

    def __init__(self, head: bytes, blocks: int, tail: bytes) -> None:
        self._parts = iter([head, *([self.block] * blocks), tail])
        self._rest = memoryview(b"")
        self.size = len(head) + blocks * len(self.block) + len(tail)

    def readable(self) -> bool:
        """Return that this can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the current part goes."""
        if not self._rest:
            self._rest = memoryview(next(self._parts, b""))
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def uploads(api: Any) -> list[Cost]:
    """Send a file of 100 MB in a form; it is hashed piece by piece."""
    app = new_app(api)

    @typed(app.route("/upload", methods=["POST"]))
    def upload() -> str:
        sent = api.request.files["attachment"]
        return f"{api.request.form['note']}|{material.digest(sent.stream)}"

    def send(blocks: int) -> float:
        head, tail = material.multipart("limit", "blue", "whale.bin", b"|").split(b"|")
        body = Sending(head, blocks, tail)
        ask = Ask("/upload", method="POST", content_type="multipart/form-data; boundary=limit")
        environ = {**ask.environ(), "wsgi.input": body, "CONTENT_LENGTH": str(body.size)}
        wanted = hashlib.sha256()
        for _ in range(blocks):
            wanted.update(Sending.block)
        begin = perf_counter()
        statuses: list[str] = []
        answer = b"".join(app(environ, lambda status, headers, exc_info=None: statuses.append(status)))
        spent = perf_counter() - begin
        require("the answer", (statuses, answer), (["200 OK"], f"blue|{wanted.hexdigest()}".encode()))
        return spent

    send(2)
    before = highest()
    spent = send(MEGABYTES)
    return [
        Cost("reading and hashing", spent * 1000 / MEGABYTES, "ms per MB"),
        Cost("memory, more than for 2 MB", (highest() - before) / MEGABYTES, "KB per MB"),
    ]


def contexts(api: Any) -> list[Cost]:
    """Keep 10 000 request contexts pushed at the same time, each in a context of its own."""
    app, request = new_app(api), api.request
    environs = [Ask(f"/{number}").environ() for number in range(CONTEXTS)]
    gc.collect()
    before, begin = resident(), perf_counter()
    held = []
    for environ in environs:
        around, context = contextvars.copy_context(), app.request_context(environ)
        around.run(context.push)
        held.append((around, context))
    pushed, grown = perf_counter() - begin, resident() - before
    for number, (around, _) in enumerate(held):
        require("the path of a context", around.run(lambda: request.path), f"/{number}")
    begin = perf_counter()
    for around, context in held:
        around.run(context.pop)
    popped = perf_counter() - begin
    return [
        Cost("pushing", pushed * 1e6 / CONTEXTS, "us per context"),
        Cost("memory", grown / CONTEXTS, "KB per context"),
        Cost("popping", popped * 1e6 / CONTEXTS, "us per context"),
    ]


def _rows() -> Iterator[dict[str, Any]]:
    for number in range(ROWS):
        yield {"id": number, "name": f"Row {number}", "price": number * 0.25}


def _send(app: Any, path: str) -> tuple[float, float]:
    """Return the seconds and the kilobytes that sending the document takes."""
    before, begin = highest(), perf_counter()
    body = app(Ask(path).environ(), lambda status, headers, exc_info=None: None)
    for _ in body:
        pass
    if (close := getattr(body, "close", None)) is not None:
        close()
    return perf_counter() - begin, highest() - before


def _check_document(app: Any, path: str) -> None:
    answer = caller(app)(Ask(path))
    require("the status", answer.status, 200)
    if json.loads(answer.body) != list(_rows()):
        raise WrongAnswer(f"{path} did not send all rows")


def _streamed(api: Any) -> Any:
    """Return the rows by microflask's function for that.

    :raises TypeError: Flask has none
    """
    stream = getattr(api.json, "jsonify_stream", None)
    if stream is None:
        raise TypeError("no function that streams an array")
    return stream(_rows())


def _rows_app(api: Any) -> Any:
    app = new_app(api)
    app.config["PROPAGATE_EXCEPTIONS"] = True

    def yielding() -> Iterator[str]:
        mark = "["
        for row in _rows():
            yield mark + app.json.dumps(row)
            mark = ","
        yield "]"

    app.add_url_rule("/yielding", "yielding", lambda: app.response_class(yielding(), mimetype="application/json"))
    app.add_url_rule("/iterator", "iterator", lambda: api.jsonify(_rows()))
    app.add_url_rule("/stream", "stream", lambda: _streamed(api))
    app.add_url_rule("/list", "list", lambda: api.jsonify(list(_rows())))
    return app


def documents(api: Any) -> list[Cost]:
    """Send 100 000 rows as JSON: from a view that yields, from an iterator in two ways, from a list."""
    app = _rows_app(api)
    costs, offered = [], []
    ways = {
        "yielding": "yielded by the view", "stream": "jsonify_stream(iterator)", "iterator": "jsonify(iterator)",
        "list": "jsonify(list)",
    }  # fmt: skip
    # What needs most memory comes last, and the checks after all: the highest mark never sinks.
    for path, what in ways.items():
        seconds: float | None = None
        kilobytes: float | None = None
        try:
            seconds, kilobytes = _send(app, f"/{path}")
            offered.append(f"/{path}")
        except TypeError:  # this jsonify takes no iterator
            pass
        costs.append(Cost(what, None if seconds is None else seconds * 1e6 / ROWS, "us per row"))
        costs.append(Cost(f"{what}, memory", None if kilobytes is None else kilobytes / ROWS, "KB per row"))
    for path in offered:
        _check_document(app, path)
    return costs


SUBJECTS: dict[str, tuple[str, Callable[[Any], list[Cost]]]] = {
    "routes": ("10 000 routes", routes),
    "blueprints": ("500 blueprints, nested 5 deep", blueprints),
    "hooks": ("100 hooks of each kind", hooks),
    "receivers": ("1000 receivers", receivers),
    "sessions": ("sessions of 3 KB", sessions),
    "uploads": ("an upload of 100 MB", uploads),
    "contexts": ("10 000 contexts at once", contexts),
    "documents": ("JSON of 100 000 rows", documents),
}


def main() -> None:
    """Measure a subject as the command line says."""
    subject, package = sys.argv[1:3]
    costs = SUBJECTS[subject][1](import_module(package))
    print(json.dumps([asdict(cost) for cost in costs]))


if __name__ == "__main__":
    main()
