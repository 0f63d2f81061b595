"""Fixtures of all tests: projects in this process, projects in processes of their own, and real servers."""

from __future__ import annotations

import gc
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from api_tools import MEMORY, SAMPLE, Api
from flasker import Project, current
from flasker.cli import main
from flasker.util import Model
from sqlalchemy import event

PACKAGE_FOLDER = Path(__file__).parents[1]
#: Seconds in which something that happens in another process has to happen.
PATIENCE = 60

Start = Callable[..., Project]


def write_files(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")


def wait_until(condition: Callable[[], Any], what: str = "it") -> Any:
    """Return what `condition` returns as soon as that is true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen in {PATIENCE} seconds")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]  # type: ignore[no-any-return]


# -- projects in this process ------------------------------------------------------------------------------------


@contextmanager
def projects(folder: Path) -> Iterator[Start]:
    """Give what starts a project from the text of its file and its modules; all of it is forgotten at the end."""
    before = set(sys.modules)
    started: list[Project] = []

    def start_project(conf: str = "[PROJECT]\nNAME = Test\n", name: str = "default.cfg", **modules: str) -> Project:
        write_files(folder, {name: conf, **{f"{module}.py": text for module, text in modules.items()}})
        project = Project(folder / name)
        started.append(project)
        return project

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        patch.setattr(sys, "path", list(sys.path))
        try:
            yield start_project
        finally:
            for project in started:
                project.db.session.remove()
                project.db.engine.dispose()
                project.celery.close()
                current.unbind(project)
            Model.registry.dispose()
            Model.metadata.clear()
            for module in set(sys.modules) - before:
                if str(folder) in str(getattr(sys.modules[module], "__file__", "")):
                    del sys.modules[module]
            gc.collect()
            # What is left is there for all tests; the next collection need not look at it again.
            gc.freeze()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a project in the test's folder."""
    with projects(tmp_path) as start_project:
        yield start_project


def note_statements(project: Project) -> list[str]:
    """Return a list to which every statement is added that the project's database gets."""
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(project.db.engine, "before_cursor_execute", note)
    return statements


@pytest.fixture
def make_api(start: Start) -> Callable[..., Api]:
    """Start a project whose models are exposed, and return what sends requests to it."""

    def make(models: str = SAMPLE, conf: str = MEMORY, **modules: str) -> Api:
        project = start(conf, models=models, **modules)
        return Api(project, note_statements(project))

    return make


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """The API of the document's sample, with two houses: Tim and Tom live in the first one."""
    api = make_api()
    api.post("/api/houses/", {"address": "one"})
    api.post("/api/houses/", {"address": "two"})
    for name in ("Tom", "Tim"):
        api.post("/api/cats/", {"name": name, "house": {"id": 1}})
    return api


# -- projects in processes of their own --------------------------------------------------------------------------


class Result(NamedTuple):
    """Hold how a command ended."""

    returncode: int
    stdout: str
    stderr: str


class Folder:
    """Be the folder of a project, with the command run in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.running: list[subprocess.Popen[str]] = []

    def write(self, files: dict[str, str]) -> None:
        write_files(self.path, files)

    def environment(self) -> dict[str, str]:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("FLASK", "WERKZEUG"))}
        places = [str(PACKAGE_FOLDER), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        return {**environ, "PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}

    def run(self, *arguments: str, stdin: str = "", program: tuple[str, ...] = ("-m", "flasker")) -> Any:
        """Run the command to its end."""
        return subprocess.run(
            [sys.executable, *program, *arguments], cwd=self.path, env=self.environment(), input=stdin, text=True,
            capture_output=True, timeout=PATIENCE * 2, check=False,
        )  # fmt: skip

    def call(self, *arguments: str) -> Result:
        """Run the command to its end in this process, for what is done before there is a project.

        An exception that it does not deal with comes out.
        """
        out, errors = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(errors):
            patch.chdir(self.path)
            patch.setattr(sys, "argv", ["flasker", *arguments])
            patch.setattr(sys, "path", list(sys.path))
            try:
                main()
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
        return Result(code, out.getvalue(), errors.getvalue())

    def python(self, code: str) -> str:
        """Run a Python program and return what it prints."""
        result = self.run(textwrap.dedent(code), program=("-c",))
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()  # type: ignore[no-any-return]

    def start(self, *arguments: str, log: str = "log") -> subprocess.Popen[str]:
        """Start the command and let it run; what it prints goes to a file."""
        with (self.path / log).open("a") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "flasker", *arguments], cwd=self.path, env=self.environment(), text=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.running.append(process)
        return process

    def worker(self, *arguments: str, log: str = "log") -> subprocess.Popen[str]:
        """Start a worker and wait until it is ready."""
        seen = self.read(log).count(" ready.")
        worker = self.start("worker", "--concurrency", "1", "--loglevel", "INFO", *arguments, log=log)
        wait_until(lambda: self.read(log).count(" ready.") > seen or worker.poll() is not None, "the worker's start")
        assert worker.poll() is None, self.read(log)
        return worker

    def read(self, name: str = "log") -> str:
        path = self.path / name
        return path.read_text() if path.exists() else ""

    def lines(self, name: str) -> list[str]:
        return self.read(name).split()

    def kill_all(self) -> None:
        for process in self.running:
            try:
                # The children of a worker that was killed live on in its session.
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """An empty folder for a project."""
    made = Folder(tmp_path)
    yield made
    made.kill_all()


# -- real servers ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis server that was started for the tests."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    pytest.importorskip("redis", reason="the library redis is not installed")
    port = free_port()
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(
        [program, *arguments], cwd=tmp_path_factory.mktemp("redis"), stdout=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: _answers(port), "the start of Redis")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The URL of a PostgreSQL server that was started for the tests, without the name of a database."""
    programs = _find_postgresql()
    if programs is None:
        pytest.skip("PostgreSQL's initdb and postgres are not installed")
    pytest.importorskip("psycopg", reason="the library psycopg is not installed")
    user = _user_of_postgresql()
    with tempfile.TemporaryDirectory(prefix="flasker-", dir=_folder_that_all_can_enter()) as folder:
        if user:
            os.chown(folder, user["user"], user["group"])
        options = ["-D", folder, "-A", "trust", "-U", "tester", "-E", "UTF8", "--locale=C", "--no-sync"]
        made = subprocess.run(
            [programs / "initdb", *options], cwd="/", capture_output=True, text=True, check=False, **user
        )
        assert made.returncode == 0, made.stderr
        yield from _run_postgresql(programs / "postgres", folder, user)


def _user_of_postgresql() -> dict[str, Any]:
    """Return what lets a program run as another user than root, as which PostgreSQL does not run."""
    if os.getuid() != 0:
        return {}
    import pwd

    try:
        found = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("the tests run as root, and there is no user postgres")
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}


def _folder_that_all_can_enter() -> str:
    """Return where temporary files of another user may be: the usual place can be somebody's private one."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        path = Path(place).resolve()
        if all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents)):
            return place
    pytest.skip("there is no folder for temporary files that the user postgres can enter")


def _run_postgresql(program: Path, folder: str, user: dict[str, Any]) -> Iterator[str]:
    port = free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen([program, "-D", folder, *options.split()], cwd="/", stdout=log, stderr=log, **user)
        try:
            wait_until(lambda: _takes_connections(port) or server.poll() is not None, "the start of PostgreSQL")
            log.seek(0)
            assert server.poll() is None, log.read()
            yield f"postgresql+psycopg://tester@127.0.0.1:{port}"
        finally:
            # Fast shutdown: it does not wait for connections.
            server.send_signal(signal.SIGINT)
            server.wait()


@pytest.fixture
def postgresql(postgresql_url: str) -> str:
    """The URL of an empty database."""
    return empty_database(postgresql_url)


def empty_database(postgresql_url: str) -> str:
    """Return the URL of the only database of a server, after all that was in it is gone."""
    import psycopg

    url = f"{postgresql_url}/postgres"
    with psycopg.connect(url.replace("+psycopg", ""), options="-c lock_timeout=20s") as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url


def _find_postgresql() -> Path | None:
    found = shutil.which("postgres")
    places = [Path(found).parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _takes_connections(port: int) -> bool:
    import psycopg

    try:
        psycopg.connect(f"postgresql://tester@127.0.0.1:{port}/postgres").close()
    except psycopg.OperationalError:
        return False
    return True
