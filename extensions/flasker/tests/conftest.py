"""Fixtures of all tests: projects in this process, projects in processes of their own, and real servers."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from api_tools import MEMORY, SAMPLE, Api
from flasker import Project, current
from flasker.util import Model
from sqlalchemy import event

PACKAGE_FOLDER = Path(__file__).parents[1]
#: Seconds in which something that happens in another process has to happen.
PATIENCE = 40

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


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a project from the text of its file and its modules; all of it is forgotten after the test."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    started: list[Project] = []

    def start_project(conf: str = "[PROJECT]\nNAME = Test\n", name: str = "default.cfg", **modules: str) -> Project:
        write_files(tmp_path, {name: conf, **{f"{module}.py": text for module, text in modules.items()}})
        project = Project(tmp_path / name)
        started.append(project)
        return project

    yield start_project
    for project in started:
        project.db.session.remove()
        project.db.engine.dispose()
        project.celery.close()
        current.unbind(project)
    Model.registry.dispose()
    Model.metadata.clear()
    for module in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[module], "__file__", "")):
            del sys.modules[module]
    gc.collect()


@pytest.fixture
def count() -> Callable[[Project], list[str]]:
    """Return a list to which every statement is added that the project's database gets."""

    def listen(project: Project) -> list[str]:
        statements: list[str] = []

        def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            statements.append(statement)

        event.listen(project.db.engine, "before_cursor_execute", note)
        return statements

    return listen


@pytest.fixture
def make_api(start: Start, count: Callable[[Project], list[str]]) -> Callable[..., Api]:
    """Start a project whose models are exposed, and return what sends requests to it."""

    def make(models: str = SAMPLE, conf: str = MEMORY, **modules: str) -> Api:
        project = start(conf, models=models, **modules)
        return Api(project, count(project))

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
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL database that was made for the tests; without a name."""
    programs = _find_postgresql()
    if programs is None:
        pytest.skip("PostgreSQL's initdb and postgres are not installed")
    pytest.importorskip("psycopg", reason="the library psycopg is not installed")
    data = tmp_path_factory.mktemp("postgresql") / "data"
    as_user: dict[str, Any] = {}
    if os.getuid() == 0:
        # PostgreSQL does not run as root.
        try:
            import pwd

            as_user = {"user": pwd.getpwnam("postgres").pw_uid}
        except KeyError:
            pytest.skip("the tests run as root, and there is no user postgres")
        data.mkdir()
        shutil.chown(data, "postgres")
        for parent in data.parents[:3]:
            parent.chmod(parent.stat().st_mode | 0o011)
    subprocess.run(
        [programs / "initdb", "-D", data, "-A", "trust", "-U", "tester", "-E", "UTF8", "--no-sync"], check=True,
        capture_output=True, cwd="/", **as_user,
    )  # fmt: skip
    port = free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    server = subprocess.Popen(
        [programs / "postgres", "-D", data, *options.split()], cwd="/", stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, **as_user,
    )  # fmt: skip
    try:
        wait_until(lambda: _takes_connections(port), "the start of PostgreSQL")
        yield f"postgresql+psycopg://tester@127.0.0.1:{port}"
    finally:
        # Fast shutdown: it does not wait for connections.
        server.send_signal(signal.SIGINT)
        server.wait()


@pytest.fixture
def postgresql(postgresql_url: str, request: pytest.FixtureRequest) -> str:
    """The URL of a new, empty database."""
    import psycopg

    name = f"test_{time.time_ns()}"
    with psycopg.connect(f"{postgresql_url.replace('+psycopg', '')}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{postgresql_url}/{name}"


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
