"""The alias: microflask under the name flask. What it changes for a whole process is tried in processes."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from textwrap import dedent
from typing import Any
from unittest import mock

import pytest
from cli_tools import python

import microflask
from microflask import alias, compat
from microflask.alias import Front, install_as_flask

Run = Callable[..., str]
Write = Callable[[str, str], Path]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a program in a process where no Flask is installed but the alias, if any, and return what it prints."""

    def run(source: str, install: str | None = "'3.1'") -> str:
        first = "import sys, microflask, importlib\n"
        if install is not None:
            first += f"from microflask.alias import install_as_flask\ninstall_as_flask({install})\n"
        result = python("-W", "error", "-c", first + dedent(source), cwd=tmp_path)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout.strip()

    return run


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, source: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(source), encoding="utf-8")
        return path

    return write


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide a Flask that is there; restore modules, finders and the default compat afterwards."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "flask"]:
        monkeypatch.delitem(sys.modules, name)
    finders, row = sys.meta_path[:], compat.default_compat()
    yield
    sys.meta_path[:] = finders
    compat.set_default_compat(row)
    for name in [name for name in sys.modules if name.partition(".")[0] == "flask"]:
        del sys.modules[name]


# -- modules


@pytest.mark.parametrize("mode", ["'3.1'", "'documented'", "'0.10'", "microflask.FLASK_3_1", ""])
def test_each_module_is_there_once(run: Run, mode: str) -> None:
    source = """
        import flask
        names = ["app", "blueprints", "cli", "config", "ctx", "debughelpers", "ext", "globals", "helpers", "json",
                 "json.provider", "json.tag", "logging", "module", "sessions", "templating", "testing", "typing",
                 "views", "wrappers"]
        for name in names:
            module = importlib.import_module(f"flask.{name}")
            real = importlib.import_module(f"microflask.{name}")
            assert module is real and sys.modules[f"flask.{name}"] is real, name
            assert real.__spec__.name == real.__name__ == f"microflask.{name}", name
            found = flask
            for part in name.split("."):
                found = getattr(found, part)
            assert found is real, name
        print(len(names))
    """
    assert run(source, mode) == "20"


def test_modules_that_were_imported_before_are_the_same(run: Run) -> None:
    source = """
        import microflask.views, microflask.testing
        from microflask.alias import install_as_flask
        install_as_flask()
        import flask.views, flask.testing
        from flask.views import MethodView
        print(flask.views is microflask.views, flask.testing is microflask.testing)
    """
    assert run(source, None) == "True True"


def test_bases_without_io(run: Run) -> None:
    source = """
        import flask.sansio.app, flask.sansio.blueprints, flask.sansio.scaffold
        from flask.sansio.scaffold import Scaffold, T_route, _endpoint_from_view_func, setupmethod
        from flask.testing import FlaskCliRunner, ScriptInfo
        app = flask.Flask("x")
        print(isinstance(app, flask.sansio.app.App), isinstance(app, Scaffold), flask.sansio.__path__)
        print(issubclass(flask.Blueprint, flask.sansio.blueprints.Blueprint))
    """
    assert run(source) == "True True []\nTrue"


def test_modules_that_flask_imports_are_in_sys_modules(run: Run) -> None:
    source = """
        cli = sys.modules["flask.cli"]
        cli.show_server_banner = lambda *args: None
        import microflask.cli
        print(microflask.cli is cli, [name for name in ("app", "sansio.app", "json.tag", "globals")
                                      if f"flask.{name}" not in sys.modules])
    """
    assert run(source) == "True []"
    assert run('print("click" in sys.modules)', "'0.10'") == "False"


@pytest.mark.parametrize("mode", ["3.1", "0.10"])
def test_names_that_modules_of_flask_only_import(run: Run, mode: str) -> None:
    source = """
        import flask, typing
        from microflask.borrowed import _BORROWERS, _HOMES
        renamed = {"assembly": "flask.sansio.app", "scaffold": "flask.sansio.scaffold", "": "flask"}
        lacking = set()
        for name, borrowed in _BORROWERS.items():
            module = importlib.import_module(renamed.get(name, f"flask.{name}"))
            lacking |= {lent for lent in borrowed.split() if not hasattr(module, lent)}
        from flask.app import BaseResponse, Environment, T_teardown, get_debug_flag, t
        from flask.blueprints import AppGroup, SansioBlueprint, send_from_directory
        from flask.sansio.app import DispatchingJinjaLoader, create_logger
        from flask.sessions import datetime, hashlib
        print(t is typing, issubclass(flask.Blueprint, SansioBlueprint), BaseResponse.__module__, hashlib.__name__)
        print(lacking <= {text.partition("=")[0] for text in _HOMES["flask._compat"].split()}, bool(lacking))
    """
    # Without the module flask._compat its names are not there either.
    assert run(source, repr(mode)).splitlines() == [
        "True True werkzeug.wrappers.response hashlib", f"True {mode == '3.1'}",
    ]  # fmt: skip


def test_modules_lack_borrowed_names_without_the_alias(run: Run) -> None:
    source = """
        import microflask.app, microflask.sessions
        print(hasattr(microflask.app, "click"), hasattr(microflask, "t"))
        microflask.install_as_flask()
        import flask.app, flask.sessions
        print(flask.sessions.MemoryStore.__name__, flask.app.click.__name__, "nothing" in dir(flask.app))
        for module in (flask.app, flask.sessions, flask):
            try:
                module.nothing
            except AttributeError as error:
                print(error)
    """
    assert run(source, None).splitlines() == [
        "False False", "MemoryStore click False", "module 'microflask.app' has no attribute 'nothing'",
        "module 'microflask.sessions' has no attribute 'nothing'", "module 'flask' has no attribute 'nothing'",
    ]  # fmt: skip


@pytest.mark.parametrize(("mode", "between"), [("0.10", 2), ("3.1", 0)])
def test_traceback_of_a_broken_extension(run: Run, write: Write, mode: str, between: int) -> None:
    write("flask_broken/__init__.py", "import missing_module\n")
    source = """
        import traceback
        try:
            import flask.ext.broken
        except ImportError as error:
            files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
            print(error, len(files) - 2, "flask_broken" in files[-1])
    """
    assert run(source, repr(mode)) == f"No module named 'missing_module' {between} True"


def test_old_modules(run: Run) -> None:
    source = """
        import flask.module, flask._compat, flask.exceptions, flask.exthook
        from flask.session import SecureCookieSession
        from flask.sessions import SecureCookieSession as same
        from flask._compat import iteritems, reraise, string_types, with_metaclass
        from flask.testing import make_test_environ_builder
        assert same is SecureCookieSession and flask.session is microflask.session
        print(sorted(iteritems({"a": 1})), string_types, type("D", (with_metaclass(type, dict),), {}).__mro__[1:])
        try:
            reraise(ValueError, ValueError("again"))
        except ValueError as error:
            print(error)
    """
    assert run(source, "'0.10'").splitlines() == [
        "[('a', 1)] (<class 'str'>,) (<class 'dict'>, <class 'object'>)", "again",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["flask._compat", "flask.exthook", "flask.nothing", "flask.json.nothing", "flask.scaffold"]
)
def test_modules_that_are_not_there(run: Run, name: str) -> None:
    source = f"""
        import importlib.util
        print(importlib.util.find_spec("{name}"))
        try:
            import {name}
        except ModuleNotFoundError as error:
            print(error.name)
    """
    assert run(source) == f"None\n{name}"


def test_extensions(run: Run, write: Write) -> None:
    write("flask_demo/__init__.py", "from flask import current_app\nruns = 1\n")
    write("flask_demo/part.py", "")
    source = """
        import flask.ext.demo.part
        from flask.ext import demo
        from flask.ext.demo import runs
        import microflask.ext.demo, flask_demo
        print(demo is flask_demo is microflask.ext.demo, flask.ext.demo.part is flask_demo.part)
    """
    assert run(source) == "True True"


# -- names


def test_names_come_from_microflask_and_go_there(run: Run) -> None:
    source = """
        import flask
        from flask import *
        from flask import Flask, render_template, g
        assert Flask is microflask.Flask and render_template is microflask.render_template
        flask.templating._render = len
        flask.own = 1
        print(microflask.templating._render is len, microflask.own)
        del flask.own
        microflask.other = 2
        print(hasattr(microflask, "own"), flask.other, "other" in dir(flask))
    """
    assert run(source) == "True 1\nFalse 2 True"


def test_names_that_current_extensions_must_not_find(run: Run) -> None:
    source = """
        import flask, flask.signals, microflask.signals
        def find(statement):
            try:
                exec(statement)
            except ImportError:
                return "-"
            return "+"
        for name in ("{0}", "micro{0}"):
            print(*[find(f"from {name.format(package)} import {thing}") for package, thing in [
                ("flask", "scaffold"), ("flask", "_request_ctx_stack"), ("flask.signals", "signals_available"),
                ("flask", "Markup"), ("flask.globals", "_request_ctx_stack"), ("flask.signals", "request_started")]])
        print([hasattr(flask, name) for name in ("scaffold", "_request_ctx_stack", "_app_ctx_stack")])
        print("_request_ctx_stack" in dir(flask), "_request_ctx_stack" in flask.__all__)
        signal = flask.signals.request_started
        print(flask.signals is sys.modules["flask.signals"], signal is microflask.signals.request_started)
    """
    assert run(source).splitlines() == [
        "- - - + + +", "+ + + + + +", "[False, False, True]", "False False", "True True",
    ]  # fmt: skip


@pytest.mark.parametrize("mode", ["'0.10'", "'documented'"])
def test_old_names_are_there_for_old_applications(run: Run, mode: str) -> None:
    source = """
        from flask import _request_ctx_stack, Markup
        from flask.signals import signals_available
        import flask.signals, microflask.signals
        print(flask.signals is microflask.signals)
    """
    assert run(source, mode) == "True"


def test_mocks_reach_the_library_and_are_undone(restored: None) -> None:
    install_as_flask()
    import flask

    before = (flask.url_for, flask.render_template)
    with mock.patch("flask.url_for", "mocked"), mock.patch("flask.render_template", "mocked"):
        assert microflask.url_for == microflask.render_template == "mocked"
    assert (microflask.url_for, microflask.render_template) == before == (flask.url_for, flask.render_template)


# -- version and compat


@pytest.mark.parametrize(
    ("mode", "version", "row"),
    [
        ("", "3.1.3", "3.1"),
        ("'3.1'", "3.1.3", "3.1"),
        ("'documented'", "3.1.3", "documented"),
        ("'0.10'", "0.10.1", "0.10"),
        ("microflask.FLASK_0_10", "0.10.1", "0.10"),
    ],
)
def test_version_and_compat(run: Run, mode: str, version: str, row: str) -> None:
    source = """
        import flask
        from importlib import metadata
        print(flask.__version__, metadata.version("flask"), metadata.version("Flask"))
        print(metadata.metadata("flask")["Name"], metadata.distribution("flask").locate_file("app.py").exists())
        print([found.version for found in metadata.distributions() if found.metadata["Name"] == "Flask"][0])
        app = flask.Flask("x")
        print(app.compat.name, isinstance(app, flask.Flask), isinstance(microflask.Flask("y"), flask.Flask))
        print(microflask.__version__ != flask.__version__)
    """
    versions = " ".join([version] * 3)
    assert run(source, mode).splitlines() == [versions, "Flask True", version, f"{row} True True", "True"]


def test_only_flask_is_answered_for() -> None:
    finder = alias._finder
    assert [found.version for found in finder.find_distributions()] == ["3.1.3"]
    assert [found.version for found in finder.find_distributions(metadata.DistributionFinder.Context(name="FLASK"))]
    assert finder.find_distributions(metadata.DistributionFinder.Context(name="flask-login")) == []
    assert next(iter(finder.find_distributions())).read_text("RECORD") is None


def test_second_call_changes_compat_and_nothing_else(restored: None) -> None:
    install_as_flask()
    import flask
    import flask.signals

    signals = flask.signals
    assert isinstance(signals, Front) and not hasattr(flask, "_request_ctx_stack")
    install_as_flask()
    assert (sys.modules["flask"], sys.modules["flask.signals"]) == (flask, signals)
    install_as_flask("0.10")
    assert (sys.modules["flask"], flask.__version__, flask.Flask("x").compat.name) == (flask, "0.10.1", "0.10")
    assert flask._request_ctx_stack is microflask._request_ctx_stack
    assert importlib.import_module("flask.signals") is microflask.signals
    assert importlib.import_module("flask._compat").PY2 is False
    install_as_flask("3.1")
    assert not hasattr(flask, "_compat") and not hasattr(flask, "_request_ctx_stack")
    assert sys.meta_path.count(alias._finder) == 1


def test_flask_that_was_imported_before(restored: None) -> None:
    other = types.ModuleType("flask")
    other.__file__ = "/elsewhere/flask/__init__.py"
    sys.modules["flask"] = other
    row = compat.default_compat()
    with pytest.raises(RuntimeError, match=r"/elsewhere/flask/__init__\.py"):
        install_as_flask("0.10")
    assert compat.default_compat() is row
    del other.__file__
    with pytest.raises(RuntimeError, match="already"):
        install_as_flask()


def test_unknown_compat_changes_nothing(restored: None) -> None:
    with pytest.raises(ValueError, match=r"0\.9"):
        install_as_flask("0.9")
    assert "flask" not in sys.modules


def test_microflask_offers_it() -> None:
    assert microflask.install_as_flask is install_as_flask


# -- what tools ask of modules


def test_specs(restored: None) -> None:
    install_as_flask()
    import flask

    spec = importlib.util.find_spec("flask")
    assert spec is flask.__spec__ and spec is not None
    assert (spec.name, spec.origin, spec.submodule_search_locations) == ("flask", microflask.__file__, [])
    assert flask.__file__ == microflask.__file__
    assert flask.__package__ == "flask"
    del sys.modules["flask.config"], sys.modules["flask.json"]
    spec = importlib.util.find_spec("flask.config")
    assert spec is not None and isinstance(spec.loader, alias._Loader)
    assert spec.loader.get_source("flask.config").startswith('"""Config')  # type: ignore[union-attr]
    assert spec.loader.get_code("flask.config").co_filename == microflask.config.__file__
    with pytest.raises(ImportError):
        spec.loader.get_source("flask.nothing")
    assert importlib.util.find_spec("flask.json").submodule_search_locations == []  # type: ignore[union-attr]
    assert alias._finder.find_spec("flask.config.inner", None) is None
    assert alias._finder.find_spec("flasks", None) is None


def test_module_comes_back_when_it_was_forgotten(restored: None) -> None:
    install_as_flask()
    import flask

    del sys.modules["flask"]
    assert importlib.import_module("flask") is flask


def test_front_complains_in_its_own_name() -> None:
    target: Any = types.ModuleType("target")
    target.__file__ = "target.py"
    target.there, target.hidden = 1, 2
    front: Any = Front("front.inner", target)
    assert (front.there, front.hidden, front.__package__) == (1, 2, "front")
    front.hide(frozenset({"hidden"}))
    for name in ("hidden", "missing"):
        with pytest.raises(AttributeError, match=f"'front.inner' has no attribute '{name}'"):
            getattr(front, name)
    with pytest.raises(AttributeError):
        del front.missing
    front.__doc__ = "own"
    assert (target.__doc__, "hidden" in dir(front), "there" in dir(front)) == (None, False, True)
    assert not hasattr(front, "__path__") and not hasattr(front, "__all__")


# -- python -m microflask.alias


@pytest.mark.parametrize(
    ("arguments", "parsed"),
    [
        (["a.py"], ("3.1", "a.py", False, [])),
        (["a.py", "-m", "--compat", "x"], ("3.1", "a.py", False, ["-m", "--compat", "x"])),
        (["--compat", "0.10", "a.py", "b"], ("0.10", "a.py", False, ["b"])),
        (["--compat=0.10", "-m", "a", "-q"], ("0.10", "a", True, ["-q"])),
        (["-ma", "b"], ("3.1", "a", True, ["b"])),
    ],
)
def test_arguments(arguments: list[str], parsed: tuple[Any, ...]) -> None:
    assert alias._parse(arguments) == parsed


@pytest.mark.parametrize("arguments", [[], ["-m"], ["-x"], ["--compat"], ["--compat", "0.10"], ["-"]])
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        alias._parse(arguments)
    assert (caught.value.code, capsys.readouterr().err.startswith("usage: ")) == (2, True)


def test_help_for_the_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        alias._parse(["--help"])
    assert (caught.value.code, capsys.readouterr().out.startswith("usage: ")) == (None, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--compat", "9", "a.py"], "'9'"),
        (["nothing_such.py"], "'nothing_such.py'"),
        (["-m", "nothing_such"], "module"),
        (["-m", "nothing_such.inner"], "module"),
    ],
)
def test_programs_that_are_not_there(
    restored: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str],
    words: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(sys, "argv", sys.argv[:])
    with pytest.raises(SystemExit) as caught:
        alias.main(arguments)
    [line] = capsys.readouterr().err.splitlines()
    assert (caught.value.code, words in line) == (2, True)


PROGRAM = """
    import pickle, sys, __main__
    import flask
    from flask import Flask
    class Kind:
        pass
    app = Flask(__name__)
    again = pickle.loads(pickle.dumps(Kind()))
    print(__name__, __main__.Kind is Kind, isinstance(again, Kind), app.name, app.compat.name, flask.__version__)
    print(sys.argv[1:], sys.argv[0] == __file__, sys.path[0])
"""


@pytest.mark.parametrize("in_process", [True, False])
@pytest.mark.parametrize(
    ("arguments", "row", "version", "folder"),
    [
        (["sub/prog.py", "a", "-m"], "3.1", "3.1.3", "sub"),
        (["--compat", "0.10", "sub/prog.py", "a", "-m"], "0.10", "0.10.1", "sub"),
        (["-m", "prog", "a", "-m"], "3.1", "3.1.3", ""),
    ],
)
def test_programs_run_under_the_alias(
    restored: None, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    in_process: bool, arguments: list[str], row: str, version: str, folder: str,
) -> None:  # fmt: skip
    write("sub/prog.py", PROGRAM)
    write("prog.py", PROGRAM)
    if in_process:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", sys.argv[:])
        monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
        alias.main(arguments)
        lines = capsys.readouterr().out.splitlines()
    else:
        result = python("-W", "error", "-m", "microflask.alias", *arguments, cwd=tmp_path)
        assert (result.returncode, result.stderr) == (0, "")
        lines = result.stdout.splitlines()
    assert lines == [
        f"__main__ True True prog {row} {version}", f"['a', '-m'] True {str(tmp_path / folder).rstrip('/')}",
    ]  # fmt: skip


def test_status_and_traceback_of_a_program(write: Write, tmp_path: Path) -> None:
    write("ends.py", "raise SystemExit(7)\n")
    write("fails.py", "import flask\nflask.nothing_such\n")
    assert python("-m", "microflask.alias", "ends.py", cwd=tmp_path).returncode == 7
    result = python("-m", "microflask.alias", "fails.py", cwd=tmp_path)
    assert (result.returncode, "'flask' has no attribute 'nothing_such'" in result.stderr) == (1, True)


def test_command_line_under_the_alias(write: Write, tmp_path: Path) -> None:
    write("site_of_alias.py", "from flask import Flask\napp = Flask(__name__)\napp.add_url_rule('/x', 'x')\n")
    result = python("-m", "microflask.alias", "-m", "flask", "--app", "site_of_alias", "routes", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "/x" in result.stdout
    result = python("-m", "microflask.alias", "-m", "flask", "--version", cwd=tmp_path)
    assert "Flask 3.1.3" in result.stdout.splitlines()


def test_pytest_with_a_plugin_that_imports_flask_early(write: Write, tmp_path: Path) -> None:
    write("early.py", """
        import flask
        import pytest
        from flask.testing import FlaskClient
        from importlib.metadata import version
        @pytest.fixture
        def made():
            assert version("flask") == flask.__version__
            return flask.Flask("made")
    """)  # fmt: skip
    write("test_under_alias.py", """
        import flask, microflask
        def test_it(made, monkeypatch):
            monkeypatch.setattr("flask.templating._render", None)
            assert microflask.templating._render is None
            assert isinstance(made, microflask.Flask) and flask.Flask is microflask.Flask
            made.add_url_rule("/", "index", lambda: {"a": 1})
            assert made.test_client().get("/").json == {"a": 1}
    """)  # fmt: skip
    command = ["-m", "microflask.alias", "-m", "pytest", "-p", "early", "-p", "no:cacheprovider", "-W", "error", "-q"]
    result = python(*command, "test_under_alias.py", cwd=tmp_path, variables={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    assert (result.returncode, "1 passed" in result.stdout) == (0, True), result.stdout


@pytest.mark.server
def test_reloader_starts_the_program_under_the_alias_again(write: Write, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "microflask").symlink_to(Path(microflask.__file__).parent)
    write("reloaded.py", """
        import os
        import werkzeug.serving
        from flask import Flask
        app = Flask(__name__)
        if werkzeug.serving.is_running_from_reloader():
            print("again", flush=True)
            os._exit(0)
        app.run(port=0, debug=True)
    """)  # fmt: skip
    path = {"PYTHONPATH": str(tmp_path / "lib")}
    result = python("-m", "microflask.alias", "reloaded.py", cwd=tmp_path, variables=path)
    assert (result.returncode, "again" in result.stdout) == (0, True), result.stderr
