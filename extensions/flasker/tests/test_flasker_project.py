"""Project and current_project: the start, the managers, and the life of the database session."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import celery
import flasker
import pytest
from flasker import Project, ProjectImportError, current_project
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import scoped_session

from microflask import Flask, g

MEMORY = "[PROJECT]\nNAME = My Project\nMODULES = models\nDB_URL = sqlite://\n"
MODELS = """
    from flasker import current_project
    from flasker.util import Model
    from sqlalchemy import Column, Integer, String

    app, db, celery = current_project.app, current_project.db, current_project.celery

    class Note(Model):
        id = Column(Integer, primary_key=True)
        text = Column(String, unique=True)

    def texts():
        with app.app_context():
            return sorted(note.text for note in Note.query)
"""


@pytest.fixture
def project(start: Any) -> Project:
    return start(MEMORY, models=MODELS)  # type: ignore[no-any-return]


@pytest.fixture
def models(project: Project) -> Any:
    return sys.modules["models"]


# -- the start ---------------------------------------------------------------------------------------------------


def test_current_project_says_how_to_get_one() -> None:
    with pytest.raises(RuntimeError, match=r"flasker\.Project\("):
        current_project.app  # noqa: B018


def test_a_project_has_application_celery_and_database(project: Project, tmp_path: Path) -> None:
    assert current_project.name == "My Project"
    assert isinstance(project.app, Flask)
    assert isinstance(project.celery, celery.Celery)
    assert isinstance(project.db.session, scoped_session)
    assert project.db.session.get_bind() is project.db.engine
    assert project.root_dir == str(tmp_path)
    assert current_project._get_current_object() is project  # type: ignore[attr-defined]


def test_config_holds_converted_values_by_section(start: Any) -> None:
    project = start("[PROJECT]\nNAME = 1\n[APP]\nA_LIST = [1]\nDEBUG = true\n[CELERY]\nCELERY_TASK_ALWAYS_EAGER = x\n"
                    .replace("CELERY_TASK_ALWAYS_EAGER", "CELERY_ALWAYS_EAGER"))  # fmt: skip
    assert project.config == {
        "PROJECT": {"NAME": "1"}, "APP": {"A_LIST": [1], "DEBUG": True}, "CELERY": {"CELERY_ALWAYS_EAGER": "x"},
    }  # fmt: skip
    assert project.app.config["A_LIST"] == [1]
    assert project.app.debug is True


def test_the_modules_are_imported_in_order_with_the_folder_first_on_the_path(start: Any, tmp_path: Path) -> None:
    start(
        "[PROJECT]\nNAME = x\nMODULES = beta, alpha\n",
        alpha="import beta\nbeta.order.append('alpha')",
        beta="import sys\norder = ['beta']\nfirst = sys.path[0]",
    )
    assert sys.modules["beta"].order == ["beta", "alpha"]
    assert sys.modules["beta"].first == str(tmp_path)


def test_a_second_project_is_refused_and_the_first_one_stays(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ProjectImportError, match="My Project"):
        Project(tmp_path / "default.cfg")
    assert current_project.name == "My Project"


def test_a_start_that_failed_leaves_no_project(start: Any, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        start("[PROJECT]\nNAME = x\nMODULES = broken\n", broken="1/0")
    with pytest.raises(RuntimeError):
        current_project.name  # noqa: B018
    assert not (tmp_path / ".flasker").exists()


@pytest.mark.parametrize(
    "name", ["missing", "package.missing", "missing.module", "plain.sub", "package..x", "a b", "."]
)
def test_a_missing_module_is_named(start: Any, tmp_path: Path, name: str) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    with pytest.raises(ProjectImportError, match="there is no such module") as caught:
        start(f"[PROJECT]\nNAME = x\nMODULES = {name}\n", plain="")
    assert repr(name) in str(caught.value)


def test_an_import_error_inside_of_a_module_is_its_own(start: Any) -> None:
    with pytest.raises(ModuleNotFoundError, match="not_there"):
        start("[PROJECT]\nNAME = x\nMODULES = broken\n", broken="import not_there")


def test_templates_and_static_files_are_below_app(start: Any, tmp_path: Path) -> None:
    (tmp_path / "app" / "templates").mkdir(parents=True)
    (tmp_path / "app" / "static").mkdir()
    (tmp_path / "app" / "templates" / "page.html").write_text("Hello {{ project_name }}")
    (tmp_path / "app" / "static" / "file.txt").write_text("static")
    project = start(
        "[PROJECT]\nNAME = <Me>\nMODULES = views\n",
        views="""
            from microflask import render_template
            from flasker import current_project
            @current_project.app.route('/')
            def index():
                return render_template('page.html')
        """,
    )
    client = project.app.test_client()
    assert client.get("/").text == "Hello &lt;Me&gt;"
    with client.get("/static/file.txt") as response:
        assert response.data == b"static"


def test_project_is_imported_when_it_is_asked_for() -> None:
    assert sorted(flasker.__all__) == ["Project", "ProjectImportError", "current_project"]
    assert flasker.Project is Project
    with pytest.raises(AttributeError, match="nothing"):
        flasker.nothing  # noqa: B018


# -- managers ----------------------------------------------------------------------------------------------------

MANAGERS = """
    from flasker import current_project
    calls = []
    class Manager:
        def __init__(self, name, follower=None):
            self.name, self.follower = name, follower
        def register(self, project):
            import sys
            calls.append((self.name, project.name, 'last' in sys.modules))
            if self.follower:
                project.register_manager(self.follower)
    current_project.register_manager(Manager('a', Manager('c')))
    current_project.register_manager(Manager('b'))
"""


def test_managers_are_registered_in_order_when_all_modules_are_imported(start: Any) -> None:
    start("[PROJECT]\nNAME = x\nMODULES = managers, last\n", managers=MANAGERS, last="")
    assert sys.modules["managers"].calls == [("a", "x", True), ("b", "x", True), ("c", "x", True)]


def test_something_without_register_is_no_manager(start: Any) -> None:
    bad = "from flasker import current_project\ncurrent_project.register_manager(17)"
    with pytest.raises(TypeError, match="17"):
        start("[PROJECT]\nNAME = x\nMODULES = bad\n", bad=bad)


def test_managers_come_too_late_after_the_start(start: Any) -> None:
    project = start("[PROJECT]\nNAME = x\nMODULES = managers, last\n", managers=MANAGERS, last="")
    with pytest.raises(RuntimeError, match="has started"):
        project.register_manager(sys.modules["managers"].Manager("late"))


# -- the database ------------------------------------------------------------------------------------------------


def test_the_default_database_is_a_file_below_the_folder(start: Any, tmp_path: Path) -> None:
    project = start()
    assert project.db.engine.url.database == str(tmp_path / ".flasker" / "db.sqlite")
    assert (tmp_path / ".flasker" / "db.sqlite").exists()


def test_a_relative_path_counts_from_the_folder_which_is_made(start: Any, tmp_path: Path) -> None:
    start("[PROJECT]\nNAME = x\nDB_URL = sqlite:///some/where/db.sqlite\n")
    assert (tmp_path / "some" / "where" / "db.sqlite").exists()


def test_an_absolute_path_is_taken_as_it_is(start: Any, tmp_path: Path) -> None:
    with pytest.raises(ProjectImportError, match="cannot be reached"):
        start(f"[PROJECT]\nNAME = x\nDB_URL = sqlite:///{tmp_path}/missing/db.sqlite\n")
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("", "not understood"),
        ("secret", "not understood"),
        ("postgresql://me:secret@host:port/db", "not understood"),
        ("nosuch://me:secret@host/db", "'nosuch'"),
        ("sqlite+nosuch:///x", "'sqlite+nosuch'"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/db", "cannot be reached"),
    ],
)
def test_a_bad_database_url_is_an_error_without_its_password(start: Any, tmp_path: Path, url: str, part: str) -> None:
    if "psycopg" in url:
        pytest.importorskip("psycopg")
    with pytest.raises(ProjectImportError, match=r"DB_URL|database") as caught:
        start(f"[PROJECT]\nNAME = x\nDB_URL = {url}\n")
    assert part in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / ".flasker").exists()


def test_a_driver_that_is_not_installed_is_named(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(ProjectImportError, match="psycopg2"):
        start("[PROJECT]\nNAME = x\nDB_URL = postgresql+psycopg2://me:secret@host/db\n")


def test_sqlite_enforces_foreign_keys(start: Any) -> None:
    project = start("[PROJECT]\nNAME = x\nDB_URL = sqlite://\n")
    with project.db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_database_in_memory_is_one_for_all_threads(models: Any, project: Project) -> None:
    from threading import Thread

    project.db.session.add(models.Note(text="x"))
    project.db.session.commit()
    found: list[str] = []
    thread = Thread(target=lambda: found.extend(models.texts()))
    thread.start()
    thread.join()
    assert found == ["x"]


def test_postgresql_is_a_database_like_any_other(start: Any, postgresql: str) -> None:
    project = start(MEMORY.replace("sqlite://", postgresql), models=MODELS)
    models = sys.modules["models"]

    @project.app.route("/")
    def index() -> str:
        project.db.session.add(models.Note(text="x"))
        return ""

    assert project.app.test_client().get("/").status_code == 200
    assert models.texts() == ["x"]


# -- the session -------------------------------------------------------------------------------------------------


@pytest.fixture
def answer(project: Project, models: Any) -> Any:
    """Return a function that adds a view, sends it a request, and returns the response."""

    def send(view: Any, **options: Any) -> Any:
        project.app.add_url_rule("/", "view", view, **options)
        project.app.config["PROPAGATE_EXCEPTIONS"] = False
        return project.app.test_client().get("/")

    return send


def test_a_request_that_ends_well_is_committed(project: Project, models: Any, answer: Any) -> None:
    def view() -> str:
        project.db.session.add(models.Note(text="x"))
        return "ok"

    assert answer(view).text == "ok"
    assert models.texts() == ["x"]


def test_a_redirect_is_committed(project: Project, models: Any, answer: Any) -> None:
    def view() -> Any:
        project.db.session.add(models.Note(text="x"))
        return "", 302

    answer(view)
    assert models.texts() == ["x"]


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_an_error_status_is_rolled_back(project: Project, models: Any, answer: Any, status: int) -> None:
    def view() -> Any:
        project.db.session.add(models.Note(text="x"))
        project.db.session.flush()
        return "no", status

    assert answer(view).status_code == status
    assert models.texts() == []


@pytest.mark.parametrize("debug", [False, True])
def test_an_exception_is_rolled_back(project: Project, models: Any, debug: bool) -> None:
    project.app.debug = project.app.testing = debug

    @project.app.route("/")
    def view() -> str:
        project.db.session.add(models.Note(text="x"))
        project.db.session.flush()
        raise KeyError("oops")

    client = project.app.test_client()
    if debug:
        with pytest.raises(KeyError), client:
            client.get("/")
    else:
        assert client.get("/").status_code == 500
    assert models.texts() == []


def test_a_commit_that_fails_gives_500_and_leaves_nothing(project: Project, models: Any, answer: Any) -> None:
    project.db.session.add(models.Note(text="x"))
    project.db.session.commit()
    project.db.session.remove()

    def view() -> str:
        project.db.session.add(models.Note(text="new"))
        project.db.session.add(models.Note(text="x"))
        return "fine"

    assert answer(view).status_code == 500
    assert models.texts() == ["x"]


def test_functions_after_the_request_are_part_of_it(project: Project, models: Any, answer: Any) -> None:
    @project.app.after_request
    def add(response: Any) -> Any:
        project.db.session.add(models.Note(text="after"))
        return response

    assert answer(lambda: "ok").status_code == 200
    assert models.texts() == ["after"]


def test_what_a_stream_changes_is_committed_at_its_end(project: Project, models: Any, answer: Any) -> None:
    from microflask import stream_with_context

    def view() -> Any:
        def parts() -> Any:
            project.db.session.add(models.Note(text="streamed"))
            yield "x"

        return stream_with_context(parts())

    assert answer(view).data == b"x"
    assert models.texts() == ["streamed"]


def test_a_late_commit_that_fails_is_logged(
    project: Project, models: Any, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @project.app.teardown_request
    def add(error: Any) -> None:
        project.db.session.add_all([models.Note(text="x"), models.Note(text="x")])

    assert answer(lambda: "ok").text == "ok"
    assert models.texts() == []
    assert "could not be committed" in caplog.text


def test_the_session_is_removed_at_the_end_of_the_context(project: Project, models: Any) -> None:
    with project.app.app_context():
        session = project.db.session()
        session.add(models.Note(text="x"))
        assert project.db.session() is session
        with project.app.app_context():
            assert project.db.session() is not session
        assert project.db.session() is session
    assert models.texts() == []
    assert project.db.session() is not session
    assert not session.new


def test_a_context_that_nobody_ends_takes_its_session_with_it(project: Project, models: Any) -> None:
    import gc
    import weakref

    ctx = project.app.app_context()
    ctx.push()
    kept = weakref.ref(project.db.session())
    assert g.get("_flasker_session") is kept()
    ctx.unbind()
    del ctx
    gc.collect()
    assert kept() is None


def test_threads_have_sessions_of_their_own_outside_of_contexts(project: Project) -> None:
    from threading import Thread

    found: list[Any] = []
    thread = Thread(target=lambda: found.append(project.db.session()))
    thread.start()
    thread.join()
    assert found[0] is not project.db.session()


def test_the_context_of_another_application_has_no_part_in_it(project: Project) -> None:
    mine = project.db.session()
    with Flask("other", root_path=project.root_dir).app_context():
        assert project.db.session() is mine


def test_tables_are_made_by_whoever_is_first(project: Project, models: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from flasker.util import Model

    real, attempts = Model.metadata.create_all, []

    def sometimes(engine: Any) -> None:
        attempts.append(engine)
        if len(attempts) < 3:
            raise OperationalError("CREATE TABLE notes", {}, Exception("table notes already exists"))
        real(engine)

    monkeypatch.setattr(Model.metadata, "create_all", sometimes)
    project.db.create_tables(Model.metadata)
    assert len(attempts) == 3


def test_tables_that_cannot_be_made_are_an_error(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from flasker.util import Model

    def never(engine: Any) -> None:
        raise IntegrityError("CREATE", {}, Exception("permission denied"))

    monkeypatch.setattr(Model.metadata, "create_all", never)
    monkeypatch.setattr("flasker.database.time.sleep", lambda seconds: None)
    with pytest.raises(ProjectImportError, match="permission denied"):
        project.db.create_tables(Model.metadata)


# -- tasks in this process ---------------------------------------------------------------------------------------


@pytest.fixture
def tasks(project: Project, models: Any) -> Any:
    """A task that adds a note, with the context that it runs in; and one that fails after that."""
    from microflask import current_app

    @project.celery.task(shared=False)
    def add(text: str) -> str:
        project.db.session.add(models.Note(text=text))
        return current_app.name

    @project.celery.task(shared=False)
    def fail(text: str) -> None:
        project.db.session.add(models.Note(text=text))
        project.db.session.flush()
        raise KeyError(text)

    return {"add": add, "fail": fail}


def test_a_task_runs_in_a_context_and_is_committed(models: Any, tasks: Any) -> None:
    assert tasks["add"].apply(["x"]).get() == "app"
    assert models.texts() == ["x"]


def test_a_task_that_fails_is_rolled_back(models: Any, tasks: Any) -> None:
    assert tasks["fail"].apply(["x"]).status == "FAILURE"
    assert models.texts() == []


def test_a_task_whose_commit_fails_fails(models: Any, tasks: Any) -> None:
    assert tasks["add"].apply(["x"]).status == "SUCCESS"
    assert isinstance(tasks["add"].apply(["x"]).result, IntegrityError)


def test_a_task_called_as_a_function_is_part_of_the_request(
    project: Project, models: Any, tasks: Any, answer: Any
) -> None:
    def view() -> Any:
        tasks["add"]("x")
        return "no", 400

    answer(view)
    assert models.texts() == []


def test_a_task_called_outside_of_contexts_has_one_of_its_own(models: Any, tasks: Any) -> None:
    assert tasks["add"]("x") == "app"
    assert models.texts() == ["x"]


def test_a_task_that_calls_itself_is_one_task(project: Project, models: Any) -> None:
    @project.celery.task(shared=False)
    def countdown(number: int) -> None:
        project.db.session.add(models.Note(text=str(number)))
        if number:
            countdown(number - 1)
        else:
            raise KeyError

    assert countdown.apply([2]).status == "FAILURE"
    assert models.texts() == []


def test_tasks_of_other_classes_run_in_a_context_too(project: Project, models: Any) -> None:
    from microflask import current_app

    class Base(celery.Task):
        marked = True

    @project.celery.task(base=Base, bind=True, shared=False)
    def decorated(self: Any) -> Any:
        return self.marked, current_app.name

    class Whole(celery.Task):
        name = "whole"

        def run(self) -> str:
            return str(current_app.name)

    assert decorated.apply().get() == (True, "app")
    assert project.celery.register_task(Whole()).apply().get() == "app"
    assert project.celery.tasks["whole"].apply().get() == "app"


def test_the_options_of_celery_have_their_present_names(start: Any) -> None:
    project = start("[PROJECT]\nNAME = x\n[CELERY]\nCELERYD_CONCURRENCY = 3\nTASK_acks_late = True\n")
    assert project.celery.conf.worker_concurrency == 3
    assert project.celery.conf.task_acks_late is True
    assert project.celery.main == "x"


@pytest.mark.parametrize(
    ("options", "backend"),
    [
        ("", "db+sqlite:///{}/.flasker/results.sqlite"),
        ("BROKER_URL = amqp://", "db+sqlite:///{}/.flasker/results.sqlite"),
        ("BROKER_URL = redis://", "redis://"),
        ("BROKER_URL = redis://host:1/2", "redis://host:1/2"),
        ("BROKER_URL = redis://\nresult_backend = rpc://", "rpc://"),
        ("CELERY_RESULT_BACKEND = cache+memory://", "cache+memory://"),
    ],
)
def test_where_results_go(start: Any, tmp_path: Path, options: str, backend: str) -> None:
    pytest.importorskip("redis")
    project = start(f"[PROJECT]\nNAME = x\n[CELERY]\n{options}\n")
    assert project.celery.conf.result_backend == backend.format(tmp_path)


def test_redis_is_on_this_machine_unless_it_is_said(start: Any) -> None:
    pytest.importorskip("redis")
    project = start("[PROJECT]\nNAME = x\n[CELERY]\nBROKER_URL = redis://\n")
    connection = project.celery.connection()
    assert connection.as_uri(include_password=True).startswith("redis://localhost:6379/")


def test_redis_without_its_library_names_the_extra(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flasker.tasks.find_spec", lambda name: None)
    with pytest.raises(ProjectImportError, match=r"flasker\[redis\]"):
        start("[PROJECT]\nNAME = x\n[CELERY]\nBROKER_URL = redis://\n")


def test_transport_options_are_added_to_those_of_the_embedded_broker(start: Any, tmp_path: Path) -> None:
    project = start("[PROJECT]\nNAME = x\n[CELERY]\nBROKER_TRANSPORT_OPTIONS = {'polling_interval': 1}\n")
    assert project.celery.conf.broker_transport_options == {
        "folder": str(tmp_path / ".flasker"), "polling_interval": 1,
    }  # fmt: skip


@pytest.mark.parametrize("url", ["sqlite:///x.db", "sqlite://", "postgresql"])
def test_a_forked_process_has_connections_of_its_own(start: Any, request: pytest.FixtureRequest, url: str) -> None:
    import os

    url = request.getfixturevalue("postgresql") if url == "postgresql" else url
    project = start(MEMORY.replace("sqlite://", url), models=MODELS)
    Note = sys.modules["models"].Note
    project.db.session.add(Note(text="x"))
    project.db.session.commit()
    project.db.session.remove()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with project.app.app_context():
                answer = f"{Note.query.one().text} {project.db.engine.pool.status()}"
            os.write(write, answer.encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 1000).decode().startswith("x ")
    os.close(read)
    os.close(write)
    assert sys.modules["models"].texts() == ["x"]
