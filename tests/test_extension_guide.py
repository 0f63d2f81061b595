"""What the guide to extensions says that every extension can rely on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from microflask import Flask, _request_ctx_stack, request


class PrintedSQLite3:
    """The guide's extension, as it grows in the guide: with an application, or bound later."""

    def __init__(self, app: Flask | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        self.app = app
        self.app.config.setdefault("SQLITE3_DATABASE", ":memory:")
        self.app.teardown_request(self.teardown_request)
        self.app.before_request(self.before_request)

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.app.config["SQLITE3_DATABASE"])

    def before_request(self) -> None:
        ctx: Any = _request_ctx_stack.top
        ctx.sqlite3_db = self.connect()

    def teardown_request(self, exception: BaseException | None) -> None:
        ctx: Any = _request_ctx_stack.top
        ctx.sqlite3_db.close()

    def get_db(self) -> Any:
        ctx: Any = _request_ctx_stack.top
        return None if ctx is None else ctx.sqlite3_db


def init_helloworld(app: Flask, greeting: str = "Hello") -> None:
    """An initialisation function, as the guide names them, with an argument more."""
    app.config.setdefault("HELLOWORLD_GREETING", greeting)
    app.add_url_rule("/hello", "helloworld.hello", lambda: app.config["HELLOWORLD_GREETING"])


@pytest.mark.parametrize("bind", [PrintedSQLite3, lambda app: PrintedSQLite3().init_app(app)])
def test_class_is_initialised_with_an_application_or_later(app: Flask, bind: Callable[[Flask], Any]) -> None:
    bind(app)
    connections: list[sqlite3.Connection] = []

    @app.route("/")
    def show_all() -> str:
        connections.append(_request_ctx_stack.top.sqlite3_db)  # type: ignore[union-attr]
        return str(connections[0].execute("SELECT 40 + 2").fetchone()[0])

    assert app.test_client().get("/").text == "42"
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connections[0].execute("SELECT 1")


def test_function_initialises_applications_each_for_itself() -> None:
    def create_app(**config: Any) -> Flask:
        app = Flask("factory")
        app.config.update(config)
        init_helloworld(app)
        return app

    apps = [create_app(), create_app(HELLOWORLD_GREETING="Ahoj")]
    assert [app.test_client().get("/hello").text for app in apps] == ["Hello", "Ahoj"]


def test_setdefault_keeps_what_is_configured(app: Flask) -> None:
    app.config["SQLITE3_DATABASE"] = "kept.db"
    PrintedSQLite3(app)
    assert app.config["SQLITE3_DATABASE"] == "kept.db"


def test_request_context_stack_is_empty_outside_of_requests(app: Flask) -> None:
    assert _request_ctx_stack.top is None
    with app.app_context():
        assert _request_ctx_stack.top is None
    assert PrintedSQLite3(app).get_db() is None


def test_request_contexts_take_free_attributes_which_do_not_mix(any_app: Flask) -> None:
    with any_app.test_request_context("/outer"):
        _request_ctx_stack.top.mine = request.path  # type: ignore[union-attr]
        with any_app.test_request_context("/inner"):
            assert not hasattr(_request_ctx_stack.top, "mine")
            _request_ctx_stack.top.mine = request.path  # type: ignore[union-attr]
            assert _request_ctx_stack.top.mine == "/inner"  # type: ignore[union-attr]
        assert _request_ctx_stack.top.mine == "/outer"  # type: ignore[union-attr]


@pytest.mark.parametrize("fail", [False, True])
def test_teardown_functions_get_the_exception_or_none_and_return_what_they_like(any_app: Flask, fail: bool) -> None:
    app = any_app
    seen: list[Any] = []

    def close_connection(response: Any) -> Any:
        seen.append(response)
        return response

    if hasattr(app, "teardown_request"):
        app.teardown_request(close_connection)
    app.add_url_rule("/<int:n>", "divide", lambda n: str(1 // n))
    if fail:
        with pytest.raises(ZeroDivisionError) as raised:
            app.test_client().get("/0")
        assert seen == [raised.value]
    else:
        assert app.test_client().get("/1").text == "1"
        assert seen == [None]


def test_all_teardown_functions_run_also_when_one_fails(any_app: Flask) -> None:
    seen: list[str] = []

    def fail(exception: BaseException | None) -> None:
        seen.append("failing")
        raise LookupError("in teardown")

    any_app.teardown_request(lambda exception: seen.append("first registered"))
    any_app.teardown_request(fail)
    any_app.add_url_rule("/", "index", lambda: "")
    with pytest.raises(LookupError, match="in teardown"):
        any_app.test_client().get("/")
    assert seen == ["failing", "first registered"]


def test_before_request_functions_run_for_their_application_only() -> None:
    seen: list[str] = []

    class Extension:
        def init_app(self, app: Flask) -> None:
            app.before_request(lambda: seen.append(app.name))

    extension = Extension()
    apps = [Flask("one"), Flask("two")]
    for app in apps:
        extension.init_app(app)
    for app in (*apps, apps[0]):
        app.test_client().get("/")
    assert seen == ["one", "two", "one"]
