"""The command: help, new, shell, server, and the message for what keeps a project from starting."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from conftest import Folder, free_port, wait_until
from flasker.commands.shell import converse

from microflask import has_app_context

pytestmark = pytest.mark.server
COMMANDS = ("server", "worker", "flower", "shell", "new")


def fetch(url: str) -> str:
    """Return what a server of the tests answers; an empty text while it does not."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as response:
            return str(response.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return str(error.read().decode())
    except OSError:
        return ""


def serve(folder: Folder, *arguments: str, path: str = "/") -> str:
    """Start the server and return what it answers."""
    port = free_port()
    server = folder.start("server", "-p", str(port), *arguments)
    url = f"http://127.0.0.1:{port}{path}"
    answer = wait_until(lambda: fetch(url) or server.poll() is not None, "the answer of the server")
    assert server.poll() is None, folder.read()
    return str(answer)


def fails(result: Any, *parts: str) -> None:
    """Check the message of a command that cannot do its work."""
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    for part in parts:
        assert part in result.stderr


# -- help --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_the_commands_without_a_project(folder: Folder, flag: str) -> None:
    result = folder.run(flag)
    assert result.returncode == 0
    assert set(re.findall(r"^  (\w+) +\S", result.stdout, re.MULTILINE)) >= set(COMMANDS)
    assert list(folder.path.iterdir()) == []


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_without_a_project(folder: Folder, command: str, flag: str) -> None:
    result = folder.call(command, flag)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Usage:")
    assert command in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [("unknown",), ("new",), ("new", "advanced"), ("new", "basic", "--what"), ("server", "-p", "x"), ("shell", "x"),
     ("server", "-p", "99999"), ("new", "basic", "-n", "../x"), ("new", "basic", "-n", "")],
)  # fmt: skip
def test_wrong_usage_is_status_2(folder: Folder, arguments: tuple[str, ...]) -> None:
    result = folder.call(*arguments)
    assert result.returncode == 2
    assert "Usage:" in result.stderr
    assert list(folder.path.iterdir()) == []


def test_the_command_is_installed_as_a_script() -> None:
    from importlib.metadata import entry_points

    found = [point.value for point in entry_points(group="console_scripts") if point.name == "flasker"]
    if not found:
        import configparser
        from pathlib import Path

        parser = configparser.ConfigParser(interpolation=None)
        parser.read(Path(__file__).parents[1] / "setup.cfg")
        found = [parser["options.entry_points"]["console_scripts"].strip().partition(" = ")[2]]
    assert found == ["flasker.cli:main"]


# -- new ---------------------------------------------------------------------------------------------------------


def test_new_basic_writes_a_project_that_shows_its_page(folder: Folder) -> None:
    result = folder.run("new", "basic")
    assert result.returncode == 0, result.stderr
    files = {str(path.relative_to(folder.path)) for path in folder.path.rglob("*") if path.is_file()}
    assert files == {
        "default.cfg", "app/__init__.py", "app/views.py", "app/templates/base.html", "app/templates/index.html",
    }  # fmt: skip
    text = folder.read("default.cfg")
    assert re.search(r"^NAME = My Project$", text, re.MULTILINE)
    assert re.search(r"^MODULES = app\.views$", text, re.MULTILINE)
    page = serve(folder)
    assert "My Project</h1>" in page
    assert "bootstrap" in page


def test_each_project_has_a_key_of_its_own(folder: Folder) -> None:
    keys = set()
    for name in "abc":
        assert folder.call("new", "basic", "-a", "-n", name).returncode == 0
        keys.add(re.search(r"^SECRET_KEY = '(\w{64})'$", folder.read(f"{name}.cfg"), re.MULTILINE)[1])  # type: ignore[index]
    assert len(keys) == 3


@pytest.mark.parametrize("flag", ["-a", "--no-app"])
def test_a_project_without_an_application_starts_too(folder: Folder, flag: str) -> None:
    assert folder.call("new", "basic", flag).returncode == 0
    assert [path.name for path in folder.path.iterdir()] == ["default.cfg"]
    result = folder.run("shell", stdin="print(current_project.name)\n")
    assert (result.returncode, result.stdout) == (0, "My Project\n")


def test_new_overwrites_no_file(folder: Folder) -> None:
    folder.write({"default.cfg": "mine"})
    fails(folder.call("new", "basic"), "default.cfg")
    assert [path.name for path in folder.path.iterdir()] == ["default.cfg"]
    assert folder.read("default.cfg") == "mine"


def test_new_keeps_an_application_and_says_so(folder: Folder) -> None:
    folder.write({"app/views.py": "mine"})
    result = folder.call("new", "basic", "-n", "other")
    assert result.returncode == 0
    assert "app: kept" in result.stdout
    assert [path.name for path in (folder.path / "app").iterdir()] == ["views.py"]
    assert folder.read("app/views.py") == "mine"
    assert "MODULES = app.views" in folder.read("other.cfg")


def test_new_leaves_nothing_half_written(folder: Folder) -> None:
    folder.write({"app": "a file"})
    fails(folder.call("new", "basic"), "app")
    assert [path.name for path in folder.path.iterdir()] == ["app"]


def test_new_undoes_what_it_has_made_when_it_fails(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    from flasker import ProjectImportError
    from flasker.commands import new

    real = new._write

    def fail_late(path: str, text: str, made: list[str]) -> None:
        if path.endswith(".cfg"):
            raise OSError(28, "No space left on device", path)
        real(path, text, made)

    monkeypatch.setattr(new, "_write", fail_late)
    with pytest.raises(ProjectImportError, match="No space left"):
        list(new.create(str(folder.path), "default", with_app=True))
    assert list(folder.path.iterdir()) == []


# -- the project file --------------------------------------------------------------------------------------------


def test_the_only_project_file_is_taken_or_one_is_named(folder: Folder) -> None:
    folder.write({"one.cfg": "[PROJECT]\nNAME = One\n"})
    assert folder.run("shell", stdin="current_project.name").stdout == "'One'\n"
    folder.write({"two.cfg": "[PROJECT]\nNAME = Two\n"})
    fails(folder.call("shell"), "one.cfg", "two.cfg", "-c")
    assert folder.run("-c", "two.cfg", "shell", stdin="current_project.name").stdout == "'Two'\n"
    assert folder.run("--conf", "one.cfg", "shell", stdin="current_project.name").stdout == "'One'\n"


def test_without_a_project_file(folder: Folder) -> None:
    for command in ("server", "worker", "flower", "shell"):
        fails(folder.call(command), ".cfg")
    fails(folder.run("server"), ".cfg")
    fails(folder.run("-c", "missing.cfg", "server"), "missing.cfg", "no such file")
    assert list(folder.path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("just text", ["no INI text"]),
        ("[APP]\nDEBUG = True\n", ["no name"]),
        ("[PROJECT]\nNAME = x\n[OTHER]\n", ["[OTHER]"]),
        ("[PROJECT]\nNAME = x\nMODULE = y\n", ["'MODULE'"]),
        ("[PROJECT]\nNAME = x\n[CELERY]\nBROKER = y\n", ["'BROKER'"]),
        ("[PROJECT]\nNAME = x\n[APP]\ndebug = 1\n", ["'debug'"]),
        ("[PROJECT]\nNAME = x\nMODULES = missing.views\n", ["'missing.views'"]),
        ("[PROJECT]\nNAME = x\nDB_URL = postgresql://me:secret@host:port/x\n", ["DB_URL"]),
        ("[PROJECT]\nNAME = x\nDB_URL = sqlite:////missing/folder/x.db\n", ["/missing/folder/x.db"]),
    ],
)
def test_what_keeps_a_project_from_starting_is_one_line(folder: Folder, text: str, parts: list[str]) -> None:
    folder.write({"default.cfg": text})
    result = folder.call("server")
    fails(result, *parts)
    assert "secret" not in result.stderr
    assert [path.name for path in folder.path.iterdir()] == ["default.cfg"]


def test_a_module_that_fails_shows_its_own_error(folder: Folder) -> None:
    folder.write({"default.cfg": "[PROJECT]\nNAME = x\nMODULES = broken\n", "broken.py": "1/0"})
    result = folder.run("server")
    assert result.returncode == 1
    assert "Traceback" in result.stderr
    assert "broken.py" in result.stderr
    assert "ZeroDivisionError" in result.stderr


def test_several_processes_of_a_new_project_may_start_at_once(folder: Folder) -> None:
    models = "from flasker.util import Model\nfrom sqlalchemy import Column, Integer, String\n" + "".join(
        f"class M{number}(Model):\n    id = Column(Integer, primary_key=True)\n    x = Column(String, index=True)\n"
        for number in range(20)
    )
    folder.write({"default.cfg": "[PROJECT]\nNAME = x\nMODULES = models\n", "models.py": models})
    program = (
        "import flasker, sys, time; sys.stdin.read(1); p = flasker.Project('default.cfg')\n"
        "@p.celery.task\ndef f(): pass\nf.delay().status"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program], cwd=folder.path, env=folder.environment(), stdin=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("x")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=80)
        assert process.returncode == 0, errors


def test_processes_of_a_new_project_share_a_postgresql(folder: Folder, postgresql: str) -> None:
    folder.write({
        "default.cfg": f"[PROJECT]\nNAME = x\nMODULES = models\nDB_URL = {postgresql}\n",
        "models.py": """
            from flasker.util import Model
            from sqlalchemy import Column, Enum, Integer
            class Thing(Model):
                id = Column(Integer, primary_key=True)
                kind = Column(Enum('a', 'b', name='kind'))
        """,
    })  # fmt: skip
    for number in range(4):
        folder.start("shell", log=f"log{number}")
    for process in folder.running:
        assert process.wait(80) == 0, [folder.read(f"log{number}") for number in range(4)]


def test_the_sample_of_the_document_runs_as_it_stands(folder: Folder) -> None:
    pytest.importorskip("redis")
    module = """
        from flask import render_template
        from flasker import current_project

        # the Flask application
        app = current_project.app

        # the Celery application
        celery = current_project.celery

        # the SQLAlchemy scoped session maker is available on db.session
        db = current_project.db
    """
    folder.write({
        "default.cfg": """\
            [PROJECT]
            NAME = My Project
            MODULES = app.views, app.tasks
            DB_URL = sqlite:///db/db.sqlite
            [APP]
            # any valid Flask configuration option can go here
            DEBUG = True
            TESTING = True
            [CELERY]
            # any valid Celery configuration option can go here
            BROKER_URL = redis://
        """,
        "app/__init__.py": "",
        "app/views.py": module + """
        @app.route('/')
        def index():
          \"\"\"A random view.\"\"\"
          return render_template('index.html')
        """,
        "app/tasks.py": module + """
        @celery.task
        def task():
          \"\"\"And a great task.\"\"\"
          pass
        """,
        "app/templates/index.html": "<h1>{{ project_name }}</h1>",
    })  # fmt: skip
    lines = ["app.test_client().get('/').text", "app.debug, app.testing", "from app.tasks import task; task.name",
             "str(celery.conf.broker_url)", "task()", "db.session.bind.url.database[-12:]"]  # fmt: skip
    result = folder.run("shell", stdin="\n".join(lines))
    assert result.stderr == ""
    assert result.stdout.splitlines() == [
        "'<h1>My Project</h1>'", "(True, True)", "'app.tasks.task'", "'redis://'", "'db/db.sqlite'",
    ]  # fmt: skip
    assert (folder.path / "db" / "db.sqlite").exists()


# -- shell -------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(folder: Folder) -> Folder:
    folder.write({"default.cfg": "[PROJECT]\nNAME = My Project\n"})
    return folder


def test_the_shell_runs_what_comes_and_goes_on_after_errors(project: Folder) -> None:
    result = project.run(
        "shell",
        stdin="1 + 1\n1 / 0\nthis is no python\nfor n in range(2):\n    print(n)\n\n    print('-')\nelse:\n"
        "    print('end')\ndef f(a):\n\n    return (a +\n1)\n\nf(2)\nx = '''a\n\nb'''\nx\n(\nprint('last')",
    )
    assert result.returncode == 0
    assert result.stdout.splitlines() == ["2", "0", "-", "1", "-", "end", "3", "'a\\n\\nb'"]
    assert "ZeroDivisionError" in result.stderr
    assert result.stderr.count("SyntaxError") == 2


def test_the_shell_has_the_project_and_a_context(project: Folder) -> None:
    result = project.run(
        "shell",
        stdin="from microflask import current_app\n"
        "current_app._get_current_object() is app is current_project.app\n"
        "celery is current_project.celery, db is current_project.db\n"
        "db.session.connection().exec_driver_sql('SELECT 1').scalar()",
    )
    assert result.stdout.split() == ["True", "(True,", "True)", "1"]
    assert result.stderr == ""


def test_the_shell_ends_with_the_input_or_when_told(project: Folder) -> None:
    assert project.run("shell").returncode == 0
    assert project.run("shell", stdin="raise SystemExit(3)\nprint('never')").returncode == 3


def test_a_terminal_gets_ipython_where_that_is_installed(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    class Prompt:
        def __init__(self, **options: Any) -> None:
            given.update(options)

        def __call__(self) -> None:
            given["context"] = has_app_context()

    for name in ("IPython", "IPython.terminal", "IPython.terminal.embed"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(sys.modules["IPython.terminal.embed"], "InteractiveShellEmbed", Prompt, raising=False)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    converse(start())
    assert set(given["user_ns"]) == {"current_project", "app", "celery", "db"}
    assert given["context"] and "Test" in given["banner1"]


def test_a_terminal_gets_a_prompt(project: Folder) -> None:
    import pty

    master, slave = pty.openpty()
    without_ipython = "import sys; sys.modules['IPython'] = None\nfrom flasker.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", without_ipython, "shell"],
        cwd=project.path, env=project.environment(), stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    project.running.append(process)  # type: ignore[arg-type]
    seen = b""

    def read_until(part: bytes) -> None:
        nonlocal seen
        while not re.search(part + rb"\s*>>> [^\n]*$", seen):
            seen += os.read(master, 1000)

    read_until(b"")
    os.write(master, b"current_project.name * 2\n")
    read_until(b"My ProjectMy Project'")
    os.write(master, b"\x04")
    assert process.wait(20) == 0
    os.close(master)
    assert b"current_project, app, celery, db" in seen


# -- server ------------------------------------------------------------------------------------------------------

VIEWS = """
    from flasker import current_project
    app = current_project.app

    @app.route('/')
    def index():
        return f'debug {app.debug}'

    @app.route('/error')
    def error():
        return 1 / 0
"""


def test_the_server_answers_without_debugger(folder: Folder) -> None:
    folder.write({"default.cfg": "[PROJECT]\nNAME = x\nMODULES = views\n", "views.py": VIEWS})
    assert serve(folder) == "debug False"
    port = re.search(r"127\.0\.0\.1:(\d+)", folder.read())[1]  # type: ignore[index]
    assert "Internal Server Error" in fetch(f"http://127.0.0.1:{port}/error")


@pytest.mark.parametrize(("arguments", "conf"), [(["-d"], ""), ([], "[APP]\nDEBUG = True\n")])
def test_debugger_and_reloader(folder: Folder, arguments: list[str], conf: str) -> None:
    folder.write({"default.cfg": f"[PROJECT]\nNAME = x\nMODULES = views\n{conf}", "views.py": VIEWS})
    assert serve(folder, *arguments) == "debug True"
    port = re.search(r"127\.0\.0\.1:(\d+)", folder.read())[1]  # type: ignore[index]
    assert "__debugger__" in fetch(f"http://127.0.0.1:{port}/error")
    folder.write({"views.py": VIEWS.replace("debug {app.debug}", "changed")})
    wait_until(lambda: fetch(f"http://127.0.0.1:{port}/") == "changed", "the reload")


def test_the_server_listens_where_it_is_told(folder: Folder) -> None:
    folder.write({"default.cfg": "[PROJECT]\nNAME = x\n"})
    port = free_port()
    folder.start("server", "--port", str(port), "--host", "127.0.0.2")
    wait_until(lambda: fetch(f"http://127.0.0.2:{port}/"), "the answer of the server")


def test_several_requests_at_once(folder: Folder) -> None:
    folder.write({
        "default.cfg": "[PROJECT]\nNAME = x\nMODULES = views\n",
        "views.py": """
            from threading import Barrier
            from flasker import current_project
            both = Barrier(2, timeout=20)

            @current_project.app.route('/meet')
            def meet():
                both.wait()
                return 'met'

            @current_project.app.route('/')
            def index():
                return 'index'
        """,
    })  # fmt: skip
    from concurrent.futures import ThreadPoolExecutor

    serve(folder)
    port = re.search(r"127\.0\.0\.1:(\d+)", folder.read())[1]  # type: ignore[index]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: fetch(f"http://127.0.0.1:{port}/meet"), range(2))) == ["met", "met"]


@pytest.mark.parametrize("command", ["server", "flower"])
def test_a_port_in_use(folder: Folder, command: str) -> None:
    if command == "flower":
        pytest.importorskip("flower", reason="the extra flasker[flower] is not installed")
    folder.write({"default.cfg": "[PROJECT]\nNAME = x\n"})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        fails(folder.run(command, "-p", str(port)), str(port))


def test_the_server_ends_when_it_is_interrupted(folder: Folder) -> None:
    folder.write({"default.cfg": "[PROJECT]\nNAME = x\n"})
    # What runs in the background of a script ignores interrupts, and so do the processes that it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        serve(folder)
    finally:
        signal.signal(signal.SIGINT, before)
    folder.running[0].send_signal(signal.SIGINT)
    folder.running[0].wait(20)
    assert "Traceback" not in folder.read()
