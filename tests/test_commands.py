"""Commands: finding the application, application contexts for commands, .env files, the runner for tests."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import microflask.testing
from microflask import Blueprint, Flask, current_app
from microflask.commands import (
    AppGroup,
    FlaskCliRunner,
    NoAppException,
    ScriptInfo,
    adopt_variables,
    find_app_by_string,
    find_best_app,
    load_dotenv,
    locate_app,
    pass_script_info,
    prepare_import,
    with_appcontext,
)

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore the environment, the import path and the modules."""
    variables, path, modules = dict(os.environ), sys.path[:], set(sys.modules)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in [name for name in os.environ if "FLASK_" in name]:
        del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(variables)
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if not name.startswith(("microflask", "dotenv")):
            del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a file into a folder, which is the current one."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, source: str = "") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        return path

    return write


def module(**contents: Any) -> types.ModuleType:
    made = types.ModuleType("made")
    vars(made).update(contents)
    return made


# -- the application of a module


@pytest.mark.parametrize("name", ["app", "application", "whatever"])
def test_application_of_a_module(name: str) -> None:
    app = Flask("one")
    assert find_best_app(module(**{name: app})) is app


def test_usual_name_goes_before_others() -> None:
    app = Flask("one")
    assert find_best_app(module(other=Flask("two"), application=app)) is app
    assert find_best_app(module(application=Flask("two"), app=app)) is app


def test_application_with_two_names_is_one() -> None:
    app = Flask("one")
    assert find_best_app(module(first=app, second=app)) is app


@pytest.mark.parametrize("name", ["create_app", "make_app"])
def test_factory_of_a_module(name: str) -> None:
    app = Flask("one")
    assert find_best_app(module(**{name: lambda: app})) is app
    assert find_best_app(module(**{name: lambda test=False: app})) is app


def test_application_goes_before_factory() -> None:
    app = Flask("one")
    assert find_best_app(module(site=app, create_app=lambda: Flask("two"))) is app


def test_proxies_and_classes_are_no_applications() -> None:
    app = Flask("one")
    with app.app_context():
        assert find_best_app(module(Flask=Flask, current_app=current_app, site=app)) is app
        with pytest.raises(NoAppException):
            find_best_app(module(Flask=Flask, current_app=current_app))


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({}, ["made", "create_app"]),
        ({"app": "text", "create_app": lambda: "text"}, ["made"]),
        ({"one": Flask("one"), "two": Flask("two")}, ["one, two", "made:NAME"]),
        ({"create_app": lambda name, other: Flask(name)}, ["create_app", "'name'", "made:create_app(...)"]),
    ],
)
def test_module_without_a_clear_application(contents: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(NoAppException) as caught:
        find_best_app(module(**contents))
    assert [word for word in words if word not in caught.value.format_message()] == []


def test_error_inside_a_factory_comes_out() -> None:
    def create_app() -> Flask:
        raise TypeError("from inside")

    with pytest.raises(TypeError, match="from inside"):
        find_best_app(module(create_app=create_app))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("app", "plain"),
        ("  app ", "plain"),
        ("factory", "None None"),
        ("factory()", "None None"),
        ("factory('a', b=2)", "a 2"),
        ("factory('a', {'x': [1, None]}, )", "a {'x': [1, None]}"),
    ],
)
def test_application_by_string(text: str, name: str) -> None:
    def factory(a: Any = None, b: Any = None) -> Flask:
        return Flask(f"{a} {b}")

    made = module(app=Flask("plain"), factory=factory)
    assert find_app_by_string(made, text).import_name == name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("missing", ["missing"]),
        ("factory(", ["factory("]),
        ("1 + 1", ["1 + 1"]),
        ("package.app", ["package.app"]),
        ("factory(name)", ["plain values"]),
        ("factory(**{})", ["factory"]),
        ("factory(1, 2, 3)", ["factory(1, 2, 3)", "(a)"]),
        ("app()", ["brackets"]),
        ("text", ["'made:text'", "'some text'"]),
        ("builtin(a=1)", ["'made:builtin(a=1)'", "{'a': 1}"]),
    ],
)
def test_no_application_by_string(text: str, words: list[str]) -> None:
    made = module(app=Flask("plain"), factory=lambda a: Flask(a), text="some text", builtin=dict)
    with pytest.raises(NoAppException) as caught:
        find_app_by_string(made, text)
    assert [word for word in words if word not in caught.value.format_message()] == []


# -- importing it


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("single", "single"),
        ("single.py", "single"),
        ("sub/single.py", "single"),
        ("package", "package"),
        ("package/__init__.py", "package"),
        ("package/__init__", "package"),
        ("package/inner/deep.py", "package.inner.deep"),
        ("package.inner.deep", "package.inner.deep"),
        ("package/notes.txt", "package.notes.txt"),
    ],
)
def test_import_name_of_a_path(write: Write, tmp_path: Path, path: str, name: str) -> None:
    for file in ("package/__init__.py", "package/inner/__init__.py"):
        write(file)
    assert prepare_import(path) == name
    assert sys.path[0] == str(tmp_path / "sub" if path.startswith("sub") else tmp_path)


def test_import_path_gets_a_folder_once(write: Write, tmp_path: Path) -> None:
    before = len(sys.path)
    prepare_import("single")
    prepare_import("other.py")
    assert sys.path[0] == str(tmp_path)
    assert len(sys.path) == before + 1


def test_located_application(write: Write, tmp_path: Path) -> None:
    write("located.py", "from microflask import Flask\nsite = Flask('s')\ndef create_app(x): return Flask(x)\n")
    sys.path.insert(0, str(tmp_path))
    assert locate_app("located", None).import_name == "s"
    assert locate_app("located", "create_app('made')").import_name == "made"


@pytest.mark.parametrize("name", ["nowhere", "nowhere.inner", "nowhere/inner", "single.inner"])
def test_missing_module(write: Write, tmp_path: Path, name: str) -> None:
    write("single.py")
    sys.path.insert(0, str(tmp_path))
    assert locate_app(name, None, raise_if_not_found=False) is None
    with pytest.raises(NoAppException, match="no module") as caught:
        locate_app(name, None)
    assert repr(name) in caught.value.format_message()
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("raise_if_not_found", [True, False])
def test_import_error_inside_of_the_module_is_shown_with_its_traceback(
    write: Write, tmp_path: Path, raise_if_not_found: bool
) -> None:
    file = write("broken.py", "import helper_of_broken\n")
    helper = write("helper_of_broken.py", "\n\nimport thing_that_is_missing\n")
    sys.path.insert(0, str(tmp_path))
    with pytest.raises(NoAppException) as caught:
        locate_app("broken", None, raise_if_not_found)
    lines = caught.value.format_message().splitlines()
    assert f'  File "{file}", line 1, in <module>' == lines[3]
    assert f'  File "{helper}", line 3, in <module>' in lines
    assert lines[-1] == "ModuleNotFoundError: No module named 'thing_that_is_missing'"
    assert "commands.py" not in caught.value.format_message()


def test_application_made_for_flask_gets_a_hint(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "flask", None)
    write("for_flask.py", "import flask\n")
    sys.path.insert(0, str(tmp_path))
    with pytest.raises(NoAppException, match=r"python -m microflask\.alias"):
        locate_app("for_flask", None)


def test_other_errors_of_the_module_come_out(write: Write, tmp_path: Path) -> None:
    write("failing.py", "raise LookupError('at import')")
    sys.path.insert(0, str(tmp_path))
    with pytest.raises(LookupError, match="at import"):
        locate_app("failing", None)


# -- ScriptInfo

APP = "from microflask import Flask\napp = Flask('of {0}')\n"


@pytest.mark.parametrize("path", ["site_a", "site_a.py", "site_a:app", "./site_a.py:app", "{here}/site_a.py:app"])
def test_script_info_loads_by_path_and_once(write: Write, tmp_path: Path, path: str) -> None:
    write("site_a.py", APP.format("a"))
    info = ScriptInfo(path.format(here=tmp_path))
    assert info.load_app().import_name == "of a"
    assert info.load_app() is info.load_app()


def test_script_info_calls_the_factory_whatever_the_path() -> None:
    app = Flask("made")
    assert ScriptInfo("nowhere", create_app=lambda: app).load_app() is app


@pytest.mark.parametrize(("files", "name"), [(["app"], "of app"), (["wsgi"], "of wsgi"), (["app", "wsgi"], "of wsgi")])
def test_usual_files(write: Write, files: list[str], name: str) -> None:
    for file in files:
        write(f"{file}.py", APP.format(file))
    assert ScriptInfo().load_app().import_name == name


def test_script_info_without_any_application(write: Write) -> None:
    with pytest.raises(NoAppException) as caught:
        ScriptInfo().load_app()
    message = caught.value.format_message()
    assert [word for word in ("--app", "MICROFLASK_APP", "wsgi.py", "app.py") if word not in message] == []


def test_script_info_by_default() -> None:
    info = ScriptInfo()
    assert (info.data, info.load_dotenv_defaults, ScriptInfo(load_dotenv_defaults=False).load_dotenv_defaults) == (
        {}, True, False,
    )  # fmt: skip
    os.environ["FLASK_SKIP_DOTENV"] = "1"
    assert ScriptInfo().load_dotenv_defaults is False


def test_factory_that_returns_nothing_is_named() -> None:
    with pytest.raises(NoAppException, match="returned None"):
        ScriptInfo(create_app=lambda: None).load_app()


@pytest.mark.parametrize(("compat", "debug"), [("documented", False), ("3.1", False), ("0.10", True)])
def test_debug_flag_follows_the_environment_for_those_that_know_it(compat: str, debug: bool) -> None:
    def create_app() -> Flask:
        app = Flask("made", compat=compat)
        app.debug = True
        return app

    assert ScriptInfo(create_app=create_app).load_app().debug is debug
    assert ScriptInfo(create_app=create_app, set_debug_flag=False).load_app().debug is True


def test_debug_option_is_obeyed_by_all(any_app: Flask) -> None:
    os.environ["FLASK_DEBUG"] = "1"
    info = ScriptInfo(create_app=lambda: any_app)
    info.debug_option = True
    assert info.load_app().debug is True


# -- contexts for commands


def test_command_with_appcontext() -> None:
    @click.command()
    @with_appcontext
    def name() -> None:
        """Show the name."""
        click.echo(current_app.name)

    result = CliRunner().invoke(name, obj=ScriptInfo(create_app=lambda: Flask("in_command")))
    assert (result.exit_code, result.output) == (0, "in_command\n")
    assert name.help == "Show the name."


def test_command_runs_in_the_context_that_is_there(app: Flask) -> None:
    @click.command()
    @with_appcontext
    def same() -> None:
        click.echo(str(current_app._get_current_object() is app))

    with app.app_context():
        assert CliRunner().invoke(same).output == "True\n"


def test_context_ends_with_the_command(app: Flask) -> None:
    ended: list[BaseException | None] = []
    app.teardown_appcontext(ended.append)

    @app.cli.command()
    def work() -> None:
        assert ended == []

    assert app.test_cli_runner().invoke(args="work").exit_code == 0
    assert ended == [None]


def test_group_gives_contexts_to_its_commands_and_groups(app: Flask) -> None:
    group = AppGroup("tools")

    @group.command
    def bare() -> None:
        click.echo(f"bare {current_app.name}")

    @group.command("other-name")
    @click.option("--times", default=1)
    def named(times: int) -> None:
        click.echo(f"named {current_app.name} {times}")

    @group.command(with_appcontext=False)
    def without() -> None:
        click.echo(str(microflask.has_app_context()))

    @group.group()
    def inner() -> None:
        """Hold more."""

    @inner.command()
    def deep() -> None:
        click.echo(f"deep {current_app.name}")

    app.cli.add_command(group)
    runner = app.test_cli_runner()
    assert isinstance(inner, AppGroup)
    for arguments, output in (
        (["tools", "bare"], "bare microflask_tests\n"),
        (["tools", "other-name", "--times", "2"], "named microflask_tests 2\n"),
        (["tools", "without"], "False\n"),
        (["tools", "inner", "deep"], "deep microflask_tests\n"),
    ):
        assert runner.invoke(args=arguments).output == output


def test_group_of_another_class_can_be_asked_for() -> None:
    group = AppGroup("tools")

    @group.group(cls=click.Group)
    def plain() -> None:
        """Hold nothing."""

    assert type(plain) is click.Group


def test_script_info_is_passed(app: Flask) -> None:
    @click.command()
    @pass_script_info
    def show(info: ScriptInfo) -> None:
        click.echo(info.load_app().name)

    assert app.test_cli_runner().invoke(show).output == "microflask_tests\n"


# -- commands of applications and blueprints


@pytest.mark.parametrize(
    ("own", "given", "arguments"),
    [
        ({}, {}, ["pages", "work"]),
        ({"cli_group": "other"}, {}, ["other", "work"]),
        ({"cli_group": None}, {}, ["work"]),
        ({}, {"cli_group": "late"}, ["late", "work"]),
        ({"cli_group": "other"}, {"cli_group": None}, ["work"]),
        ({}, {"name": "renamed"}, ["renamed", "work"]),
    ],
)
def test_commands_of_a_blueprint(app: Flask, own: Any, given: Any, arguments: list[str]) -> None:
    blueprint = Blueprint("pages", "pages", root_path="/", **own)

    @blueprint.cli.command("work")
    def work() -> None:
        click.echo(f"for {current_app.name}")

    app.register_blueprint(blueprint, **given)
    assert app.test_cli_runner().invoke(args=arguments).output == "for microflask_tests\n"


def test_blueprint_without_commands_adds_no_group(app: Flask) -> None:
    app.register_blueprint(Blueprint("pages", "pages", root_path="/", cli_group="pages"))
    assert app.test_cli_runner().invoke(args=["pages", "--help"]).exit_code == 2


def test_group_has_the_name_of_its_owner(app: Flask) -> None:
    assert app.cli.name == "microflask_tests"
    assert Blueprint("pages", "pages", root_path="/").cli.name == "pages"


# -- the runner


def test_runner_invokes_with_an_object_of_ones_own(app: Flask) -> None:
    made: list[str] = []

    def create_app() -> Flask:
        made.append("app")
        return Flask("another")

    @app.cli.command()
    def name() -> None:
        click.echo(f"{current_app.name} {os.environ['SITE_WORD']}")

    runner = app.test_cli_runner(env={"SITE_WORD": "word"})
    assert isinstance(runner, FlaskCliRunner)
    assert runner.invoke(name).output == "microflask_tests word\n"
    assert runner.invoke(cli=name, obj=ScriptInfo(create_app=create_app)).output == "another word\n"
    assert made == ["app"]


def test_runner_class_of_the_application(app: Flask) -> None:
    class Runner(FlaskCliRunner):
        pass

    app.test_cli_runner_class = Runner
    assert type(app.test_cli_runner()) is Runner
    assert microflask.testing.FlaskCliRunner is FlaskCliRunner


# -- environment variables


@pytest.fixture
def env_files(write: Write) -> None:
    pytest.importorskip("dotenv")
    write(".env", "DOT_A=env\nDOT_B=env\nDOT_WITHOUT\n")
    write(".flaskenv", "DOT_A=flaskenv\nDOT_C=火\nDOT_SET=flaskenv\n")
    write("more.env", "DOT_B=more\n")


def read(*names: str) -> list[str | None]:
    return [os.environ.get(f"DOT_{name}") for name in names]


def test_files_with_variables(env_files: None) -> None:
    os.environ["DOT_SET"] = "before"
    assert load_dotenv() is True
    assert read("A", "B", "C", "SET", "WITHOUT") == ["env", "env", "火", "before", None]


def test_file_of_ones_own_goes_first(env_files: None) -> None:
    assert load_dotenv("more.env") is True
    assert read("A", "B") == ["env", "more"]


def test_file_of_ones_own_alone(env_files: None, tmp_path: Path) -> None:
    assert load_dotenv(tmp_path / "more.env", load_defaults=False) is True
    assert read("A", "B") == [None, "more"]


def test_files_above_are_found(env_files: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert load_dotenv() is True
    assert read("A") == ["env"]
    assert Path.cwd() == tmp_path / "below"


def test_no_file(write: Write) -> None:
    pytest.importorskip("dotenv")
    assert load_dotenv("nowhere.env", load_defaults=False) is False


def test_without_dotenv_files_are_left_unread(
    write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "dotenv", None)
    assert load_dotenv() is False
    assert capsys.readouterr().err == ""
    write(".env", "DOT_A=env\n")
    assert load_dotenv() is False
    assert "python-dotenv" in capsys.readouterr().err
    assert read("A") == [None]


@pytest.mark.parametrize(("replace", "value"), [(True, "own"), (False, "general")])
def test_own_names_of_variables(replace: bool, value: str) -> None:
    os.environ.update(MICROFLASK_APP="own", FLASK_APP="general", MICROFLASK_RUN_PORT="81")
    adopt_variables(replace)
    assert (os.environ["FLASK_APP"], os.environ["FLASK_RUN_PORT"]) == (value, "81")
