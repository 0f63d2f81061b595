"""Every promise of microflask_sqlite3: binding, configuration, connections of contexts, and those outside of any."""

from __future__ import annotations

import gc
import importlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from microflask_sqlite3 import SQLite3

from microflask import Flask, _app_ctx_stack, _request_ctx_stack


class Recorder(SQLite3):
    """Remember the connections that were opened."""

    def __init__(self, app: Flask | None = None) -> None:
        self.opened: list[sqlite3.Connection] = []
        super().__init__(app)

    def connect(self) -> sqlite3.Connection:
        self.opened.append(super().connect())
        return self.opened[-1]


def is_closed(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError as error:
        return "closed" in str(error)
    return False


@pytest.fixture
def manager() -> Recorder:
    return Recorder()


@pytest.fixture
def make_app(tmp_path: Path, manager: Recorder) -> Callable[..., Flask]:
    """Make an application with a database file of its own, bound to `manager`."""

    def make_app(name: str = "first") -> Flask:
        app = Flask(name)
        app.config.update(TESTING=True, SQLITE3_DATABASE=str(tmp_path / f"{name}.db"))
        manager.init_app(app)
        return app

    return make_app


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture(autouse=True)
def leave_nothing() -> Iterator[None]:
    """Let connections that a test has dropped be closed before the next one."""
    yield
    gc.collect()


def name_of(connection: sqlite3.Connection) -> str:
    """The name of the database file, without its ending."""
    return Path(connection.execute("PRAGMA database_list").fetchone()[2]).stem


# -- SQLite3(app=None), init_app(app)


def test_object_is_made_with_an_application_or_bound_later() -> None:
    app, later = Flask("app"), Flask("later")
    manager = SQLite3(app)
    assert app.config["SQLITE3_DATABASE"] == ":memory:"
    assert "SQLITE3_DATABASE" not in later.config
    manager.init_app(later)
    assert later.config["SQLITE3_DATABASE"] == ":memory:"
    assert app.extensions["sqlite3"] is later.extensions["sqlite3"] is manager


def test_one_object_serves_several_applications_from_a_factory(
    make_app: Callable[..., Flask], manager: Recorder
) -> None:
    apps = [make_app(name) for name in ("first", "second", "third")]
    for app in apps:
        app.add_url_rule("/", "index", lambda: name_of(manager.get_db()))
    for _ in range(2):
        assert [app.test_client().get("/").text for app in apps] == ["first", "second", "third"]
    with apps[0].app_context():
        outer = manager.get_db()
        assert apps[1].test_client().get("/").text == "second"
        with apps[2].test_request_context():
            assert name_of(manager.get_db()) == "third"
        assert manager.get_db() is outer


def test_binding_an_application_twice_registers_the_handlers_once(app: Flask, manager: Recorder) -> None:
    manager.init_app(app)
    assert app.before_request_funcs[None] == [manager.before_request]
    assert app.teardown_request_funcs[None] == [manager.teardown_request]


def test_two_objects_on_one_application_have_connections_of_their_own(app: Flask, manager: Recorder) -> None:
    other = SQLite3(app)
    with app.test_request_context():
        connections = [manager.get_db(), other.get_db()]
        assert connections[0] is not connections[1]
    assert all(map(is_closed, connections))


def test_redirector_finds_the_extension_and_the_extension_finds_the_library() -> None:
    module = importlib.import_module("microflask.ext.sqlite3")
    assert module.__name__ == "microflask_sqlite3"
    assert module.SQLite3 is SQLite3
    assert module.sqlite3 is sqlite3


# -- SQLITE3_DATABASE


def test_database_is_in_memory_unless_configured() -> None:
    app = Flask("app")
    manager = SQLite3(app)
    with app.app_context():
        assert name_of(manager.get_db()) == ""


@pytest.mark.parametrize("write", [str, Path, lambda path: f"file:{path}", lambda path: str(path).encode()])
def test_database_is_what_was_configured_before(tmp_path: Path, write: Any) -> None:
    app = Flask("app")
    app.config["SQLITE3_DATABASE"] = write(tmp_path / "kept.db")
    manager = SQLite3(app)
    with app.app_context(), manager.get_db() as db:
        db.execute("CREATE TABLE kept (n)")
    assert (tmp_path / "kept.db").is_file()
    with app.app_context():
        assert manager.get_db().execute("SELECT * FROM kept").fetchall() == []


def test_memory_can_be_shared_by_a_uri() -> None:
    app = Flask("app")
    app.config["SQLITE3_DATABASE"] = "file:shared-by-the-test?mode=memory&cache=shared"
    manager = SQLite3(app)
    with app.app_context():
        manager.get_db().execute("CREATE TABLE shared (n)")
        with app.test_request_context():
            assert manager.get_db().execute("SELECT * FROM shared").fetchall() == []


def test_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    app = Flask("app")
    app.config["SQLITE3_DATABASE"] = str(tmp_path / "no" / "folder.db")
    manager = SQLite3(app)
    with app.app_context(), pytest.raises(sqlite3.OperationalError) as raised:
        manager.get_db()
    assert str(tmp_path / "no" / "folder.db") in "".join(raised.value.__notes__)


# -- connect()


def test_connect_opens_a_new_connection_to_the_current_applications_database(
    make_app: Callable[..., Flask], manager: Recorder
) -> None:
    make_app("first")
    with make_app("second").app_context():
        first, second = manager.connect(), manager.connect()
    assert first is not second
    assert name_of(first) == name_of(second) == "second"
    first.close()
    second.close()


def test_connect_outside_of_any_context_uses_the_only_application(app: Flask, manager: Recorder) -> None:
    connection = manager.connect()
    assert name_of(connection) == "first"
    connection.close()


def test_connect_outside_of_any_context_asks_for_a_context_when_there_are_several(
    make_app: Callable[..., Flask], manager: Recorder
) -> None:
    make_app("first")
    make_app("second")
    with pytest.raises(RuntimeError, match=r"'first', 'second'.*app_context"):
        manager.connect()


def test_application_that_is_not_bound_is_refused_by_name(app: Flask, manager: Recorder) -> None:
    with Flask("stranger").app_context(), pytest.raises(RuntimeError, match=r"'stranger'.*init_app"):
        manager.get_db()


def test_rows_have_names_and_foreign_keys_are_enforced(app: Flask, manager: Recorder) -> None:
    with app.app_context():
        db = manager.get_db()
        db.executescript("CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a_id REFERENCES a (id));")
        assert dict(db.execute("SELECT 1 AS one").fetchone()) == {"one": 1}
        with pytest.raises(sqlite3.IntegrityError):
            db.execute("INSERT INTO b VALUES (7)")


# -- the handlers


def test_connection_is_opened_at_its_first_use_and_once(app: Flask, manager: Recorder) -> None:
    @app.route("/<int:times>")
    def index(times: int) -> str:
        return str(len({id(manager.get_db()) for _ in range(times)}))

    client = app.test_client()
    assert client.get("/0").text == "0"
    assert manager.opened == []
    assert client.get("/3").text == "1"
    assert len(manager.opened) == 1


@pytest.mark.parametrize("fail", [False, True])
def test_connection_is_closed_at_teardown_also_after_an_error(
    app: Flask, manager: Recorder, monkeypatch: pytest.MonkeyPatch, fail: bool
) -> None:
    @app.route("/")
    def index() -> str:
        assert not is_closed(manager.get_db())
        return str(1 // (not fail))

    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr(app.logger, "disabled", True)
    assert app.test_client().get("/").status_code == (500 if fail else 200)
    assert [is_closed(connection) for connection in manager.opened] == [True]


def test_context_that_never_opened_one_tears_down_without_error(manager: Recorder) -> None:
    app = Flask("app")
    app.testing = True
    app.before_request(lambda: "answered early")
    manager.init_app(app)
    assert app.test_client().get("/").text == "answered early"
    assert manager.opened == []


def test_handlers_are_public(app: Flask, manager: Recorder) -> None:
    with app.test_request_context():
        assert manager.before_request() is None  # type: ignore[func-returns-value]
        connection = manager.get_db()
        assert manager.teardown_request(None) is None  # type: ignore[func-returns-value]
        assert is_closed(connection)
        manager.teardown_request(ValueError("nothing is open any more"))


def test_subclass_may_open_the_connection_before_the_request(tmp_path: Path) -> None:
    class Eager(Recorder):
        def before_request(self) -> None:
            self.get_db()

    app = Flask("app")
    manager = Eager(app)
    app.add_url_rule("/", "index", lambda: str(len(manager.opened)))
    assert app.test_client().get("/").text == "1"
    assert is_closed(manager.opened[0])


def test_what_was_not_committed_is_lost_with_the_context(app: Flask, manager: Recorder) -> None:
    with app.app_context():
        manager.get_db().execute("CREATE TABLE t (n)")
        manager.get_db().execute("INSERT INTO t VALUES (1)")
    with app.app_context():
        assert manager.get_db().execute("SELECT * FROM t").fetchall() == []


# -- get_db() in contexts


def test_each_context_has_its_own_connection(app: Flask, manager: Recorder) -> None:
    with app.app_context():
        of_app = manager.get_db()
        assert manager.get_db() is of_app
        with app.test_request_context():
            of_request = manager.get_db()
            assert manager.get_db() is of_request is not of_app
            with app.app_context():
                of_inner = manager.get_db()
                assert of_inner not in (of_app, of_request)
            assert is_closed(of_inner)
            assert manager.get_db() is of_request
            with app.test_request_context():
                assert manager.get_db() not in (of_app, of_request, of_inner)
        assert is_closed(of_request)
        assert manager.get_db() is of_app
    assert all(map(is_closed, manager.opened))
    assert len(manager.opened) == 4


def test_requests_in_several_threads_have_their_own_connections(app: Flask, manager: Recorder) -> None:
    barrier = threading.Barrier(4)

    @app.route("/")
    def index() -> str:
        barrier.wait(10)
        return str(id(manager.get_db()))

    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(app.test_client().get("/").text)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == len(manager.opened) == 4


def test_connection_is_kept_for_a_test_clients_with_block(app: Flask, manager: Recorder) -> None:
    app.add_url_rule("/", "index", lambda: str(id(manager.get_db())))
    with app.test_client() as client:
        assert client.get("/").text == str(id(manager.get_db()))
        assert not is_closed(manager.get_db())
    assert is_closed(manager.opened[0])


def test_context_entered_again_gets_a_new_connection(app: Flask, manager: Recorder) -> None:
    ctx = app.app_context()
    with ctx:
        first = manager.get_db()
    with ctx:
        assert not is_closed(manager.get_db())
    assert is_closed(first)


def test_connections_are_kept_on_the_contexts_and_not_on_the_object(app: Flask, manager: Recorder) -> None:
    with app.test_request_context():
        connection = manager.get_db()
        assert vars(_request_ctx_stack.top)["sqlite3_connections"] == {manager: connection}
    with app.app_context():
        assert manager.get_db() in vars(_app_ctx_stack.top)["sqlite3_connections"].values()


# -- db = manager.get_db() at import time


def test_printed_way_works_db_at_import_time_used_in_views(app: Flask, manager: Recorder) -> None:
    db = manager.get_db()

    @app.route("/add/<name>")
    def add(name: str) -> str:
        with db:
            db.execute("INSERT INTO names VALUES (?)", (name,))
        return name

    @app.route("/")
    def show_all() -> list[str]:
        cur = db.cursor()
        cur.execute("SELECT name FROM names ORDER BY name")
        return [row["name"] for row in cur]

    with app.app_context():
        db.execute("CREATE TABLE names (name)")
        db.commit()
    client = app.test_client()
    for name in ("Grace", "Ada"):
        client.get(f"/add/{name}")
    assert client.get("/").json == ["Ada", "Grace"]
    assert len(manager.opened) == 4
    assert all(map(is_closed, manager.opened))


def test_get_db_outside_of_contexts_opens_nothing_and_needs_no_application(manager: Recorder) -> None:
    assert manager.get_db() is manager.connection
    assert manager.opened == []


def test_stand_in_is_the_current_connection_in_all_respects(app: Flask, manager: Recorder) -> None:
    db: Any = manager.connection
    assert isinstance(db, sqlite3.Connection)
    assert "connection" in repr(db)
    with app.app_context():
        db.row_factory = None
        assert manager.get_db().row_factory is None
        assert db("SELECT 1") is not None
        assert db.execute("SELECT 1").fetchone() == (1,)
        with db as entered:
            assert entered is manager.get_db()
        with pytest.raises(AttributeError, match="no_such"):
            db.no_such()  # type: ignore[attr-defined]


# -- outside of any context


def test_printed_prompt_works_a_cursor_outside_of_any_context(app: Flask, manager: Recorder) -> None:
    db = manager.get_db()
    cur = db.cursor()
    cur.execute("CREATE TABLE t (n)")
    assert db.cursor().execute("SELECT * FROM t").fetchall() == []
    assert len(manager.opened) == 1
    with app.app_context():
        assert manager.get_db() is not manager.opened[0]
    assert not is_closed(manager.opened[0])


def test_connection_outside_of_contexts_is_the_threads(app: Flask, manager: Recorder) -> None:
    def use() -> None:
        manager.connection.execute("SELECT 1")
        manager.connection.execute("SELECT 1")

    use()
    for _ in range(2):
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    assert len({id(connection) for connection in manager.opened}) == len(manager.opened) == 3


def test_connection_outside_of_contexts_is_closed_with_its_thread_and_by_it() -> None:
    closed_by: list[int] = []

    class Connection:
        total_changes = 0

        def close(self) -> None:
            closed_by.append(threading.get_ident())

    class Manager(SQLite3):
        def connect(self) -> Any:
            return Connection()

    manager = Manager(Flask("app"))
    used_by: list[int] = []
    thread = threading.Thread(target=lambda: used_by.append(manager.connection.total_changes or threading.get_ident()))
    thread.start()
    thread.join()
    assert closed_by == used_by != []


def test_connection_outside_of_contexts_that_was_closed_is_opened_again(app: Flask, manager: Recorder) -> None:
    db = manager.connection
    db.execute("SELECT 1")
    db.close()
    assert db.execute("SELECT 1").fetchone()[0] == 1
    assert len(manager.opened) == 2


def test_stand_in_without_an_application_says_what_to_do(manager: Recorder) -> None:
    with pytest.raises(RuntimeError, match=r"no application.*init_app"):
        manager.get_db().cursor()


def test_stand_in_with_several_applications_says_what_to_do(make_app: Callable[..., Flask], manager: Recorder) -> None:
    make_app("first")
    manager.get_db().cursor()
    make_app("second")
    with pytest.raises(RuntimeError, match=r"several applications.*app_context"):
        manager.get_db().cursor()
