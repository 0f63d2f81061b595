"""The command line: its group, the variables and plugins it minds, and the built-in commands."""

from __future__ import annotations

import os
import socket
import ssl
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from cli_tools import SEPARATE_OUTPUTS, SITE
from click.testing import CliRunner

import microflask.cli
from microflask import Blueprint, Flask, current_app
from microflask.cli import (
    AppGroup,
    CertParamType,
    FlaskGroup,
    ScriptInfo,
    SeparatedPathType,
    cli,
    get_version,
    run_command,
)
from microflask.serving import check_address

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
        if not name.startswith(("microflask", "dotenv", "werkzeug")):
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


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the development server would have been started with."""
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(microflask.cli, "run_simple", lambda *args, **options: calls.append((*args, options)))
    monkeypatch.setattr(microflask.cli, "check_address", lambda host, port: None)
    return calls


def invoke(*arguments: str, group: Any = cli, **options: Any) -> Any:
    return CliRunner(**SEPARATE_OUTPUTS).invoke(group, list(arguments), prog_name="microflask", **options)


def offered(output: str) -> dict[str, str]:
    """Return the commands of a help text; how far their descriptions are indented depends on what is installed."""
    _, _, commands = output.partition("\nCommands:\n")
    return {name: text.strip() for name, _, text in (line.strip().partition(" ") for line in commands.splitlines())}


# -- the group


def test_versions() -> None:
    lines = invoke("--version").output.splitlines()
    assert [line.partition(" ")[0] for line in lines if not line.startswith("Flask")] == [
        "Python", "microflask", "Werkzeug",
    ]  # fmt: skip
    assert f"microflask {microflask.__version__}" in lines


def test_versions_are_not_printed_while_parsing_is_only_tried(capsys: pytest.CaptureFixture[str]) -> None:
    with click.Context(cli, resilient_parsing=True) as ctx:
        get_version(ctx, cli.params[-1], True)
    assert capsys.readouterr().out == ""


def test_help_lists_built_in_commands_when_there_is_no_application(write: Write) -> None:
    result = invoke("--help")
    assert result.exit_code == 0
    assert {"doctor", "routes", "run", "shell"} <= offered(result.output).keys()
    assert "FLASK_APP" in result.output


@pytest.mark.parametrize("error", ["raise LookupError('at import')", "import thing_that_is_missing"])
def test_help_shows_why_the_application_cannot_be_imported_and_lists_the_others(write: Write, error: str) -> None:
    write("broken_app.py", f"{error}\n")
    result = invoke("--app", "broken_app", "--help")
    assert result.exit_code == 0
    assert 'broken_app.py", line 1, in <module>' in result.stderr
    assert "routes" in offered(result.stdout)


@pytest.mark.parametrize("arguments", [["--app", "help_site", "--help"], ["--help", "--app", "help_site"]])
def test_help_lists_commands_of_the_application(write: Write, arguments: list[str]) -> None:
    write("help_site.py", SITE)
    result = invoke(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert offered(result.stdout)["greet"] == "Say hello."


def test_help_without_arguments_knows_the_application_of_a_file_with_variables(write: Write) -> None:
    pytest.importorskip("dotenv")
    write("env_site.py", SITE)
    write(".flaskenv", "MICROFLASK_APP=env_site\n")
    assert "greet" in invoke().output


def test_command_of_the_application_runs_in_its_context(app: Flask) -> None:
    def in_context(ctx: click.Context, param: click.Parameter, value: str) -> str:
        return f"{value} {current_app.name}"

    @app.cli.command(with_appcontext=False)
    @click.argument("value", callback=in_context)
    def show(value: str) -> None:
        click.echo(value)

    assert invoke("show", "x", group=FlaskGroup(create_app=lambda: app)).output == "x microflask_tests\n"


def test_unknown_command(write: Write, app: Flask) -> None:
    result = invoke("nothing", group=FlaskGroup(create_app=lambda: app))
    assert (result.exit_code, "'nothing'" in result.stderr) == (2, True)
    result = invoke("nothing")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: Which application?")
    assert "Usage: microflask" in result.stderr


@pytest.mark.parametrize("set_debug_flag", [True, False])
def test_group_sets_the_debug_flag_unless_told_otherwise(app: Flask, set_debug_flag: bool) -> None:
    app.debug = True
    group = FlaskGroup(create_app=lambda: app, set_debug_flag=set_debug_flag)

    @group.command()
    def show() -> None:
        click.echo(str(current_app.debug))

    assert invoke("show", group=group).output == f"{not set_debug_flag}\n"
    assert invoke("--debug", "show", group=group).output == "True\n"


def test_group_without_anything_built_in() -> None:
    group = FlaskGroup(add_default_commands=False, add_version_option=False, params=[click.Option(["--own"])])
    assert group.commands == {}
    assert [option.name for option in group.params] == ["own", "env_file", "app", "debug"]
    assert FlaskGroup().params[-1].name == "version"


def test_group_below_another_one(app: Flask) -> None:
    outer = click.Group("outer")
    inner = FlaskGroup(name="site", create_app=lambda: app)
    outer.add_command(inner)

    @inner.command()
    def show() -> None:
        click.echo(current_app.name)

    assert invoke("site", "show", group=outer).output == "microflask_tests\n"


def test_object_of_ones_own(app: Flask) -> None:
    group = FlaskGroup()

    @group.command()
    def show() -> None:
        click.echo(current_app.name)

    assert invoke("show", group=group, obj=ScriptInfo(create_app=lambda: app)).output == "microflask_tests\n"


def test_commands_of_a_blueprint_are_offered(app: Flask) -> None:
    blueprint = Blueprint("pages", "pages", root_path="/")
    blueprint.cli.command("work")(lambda: click.echo(current_app.name))
    app.register_blueprint(blueprint)
    assert invoke("pages", "work", group=FlaskGroup(create_app=lambda: app)).output == "microflask_tests\n"


# -- variables


@pytest.mark.parametrize("prefix", ["FLASK", "MICROFLASK"])
def test_options_from_the_environment(write: Write, served: list[Any], prefix: str) -> None:
    write("served_site.py", SITE)
    variables = {"APP": "served_site", "DEBUG": "1", "RUN_PORT": "81", "RUN_HOST": "::1", "RUN_RELOAD": "0"}
    result = invoke("run", env={f"{prefix}_{name}": value for name, value in variables.items()})
    assert result.exit_code == 0
    [(host, port, app, options)] = served
    assert (host, port, app.debug) == ("::1", 81, True)
    assert (options["use_reloader"], options["use_debugger"], options["threaded"]) == (False, True, True)


def test_own_variables_go_first(write: Write, served: list[Any]) -> None:
    write("served_site.py", SITE)
    env = {"FLASK_APP": "served_site", "FLASK_RUN_PORT": "81", "MICROFLASK_RUN_PORT": "82"}
    assert invoke("run", env=env).exit_code == 0
    assert served[0][1] == 82


def test_debug_option_goes_before_the_variables(write: Write, served: list[Any]) -> None:
    write("served_site.py", SITE)
    env = {"FLASK_APP": "served_site", "FLASK_DEBUG": "1", "MICROFLASK_DEBUG": "1"}
    assert invoke("--no-debug", "run", env=env).exit_code == 0
    assert served[0][2].debug is False


def test_variables_from_files(write: Write, served: list[Any]) -> None:
    pytest.importorskip("dotenv")
    write("served_site.py", SITE)
    write(".flaskenv", "FLASK_APP=served_site\nFLASK_RUN_PORT=81\n")
    write("more.env", "MICROFLASK_RUN_HOST=::1\nFLASK_RUN_PORT=82\n")
    assert invoke("run").exit_code == 0
    assert served[-1][:2] == ("127.0.0.1", 81)


def test_variables_from_a_named_file(write: Write, served: list[Any]) -> None:
    pytest.importorskip("dotenv")
    write("served_site.py", SITE)
    write(".env", "FLASK_APP=served_site\n")
    write("more.env", "MICROFLASK_RUN_HOST=::1\nFLASK_RUN_PORT=82\n")
    assert invoke("-e", "more.env", "run").exit_code == 0
    assert served[-1][:2] == ("::1", 82)


def test_files_with_variables_can_be_switched_off(write: Write, app: Flask) -> None:
    pytest.importorskip("dotenv")
    write(".env", "SITE_WORD=found\n")
    group = FlaskGroup(create_app=lambda: app)
    group.command("word")(lambda: click.echo(f"word {os.environ.get('SITE_WORD')}"))
    assert invoke("word", group=group, env={"FLASK_SKIP_DOTENV": "1"}).output == "word None\n"
    group.load_dotenv = False
    assert invoke("word", group=group).output == "word None\n"
    group.load_dotenv = True
    assert invoke("word", group=group).output == "word found\n"


def test_named_file_needs_dotenv(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dotenv", None)
    write("more.env", "A=b\n")
    result = invoke("-e", "more.env", "routes")
    assert (result.exit_code, "python-dotenv" in result.stderr) == (2, True)


# -- plugins


@pytest.fixture
def plugin(write: Write, tmp_path: Path) -> Write:
    """Install a distribution that announces commands."""
    sys.path.insert(0, str(tmp_path))

    def install(groups: str, source: str) -> Path:
        write("plug_1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: plug\nVersion: 1.0\n")
        write("plug_1.0.dist-info/entry_points.txt", groups)
        return write("plug_of_test.py", source)

    return install


COMMANDS = "import click\n@click.command()\ndef {0}():\n    '''Do {0}.'''\n    print('{0} was called')\n"


@pytest.mark.parametrize("group", ["flask.commands", "microflask.commands"])
def test_plugins(plugin: Write, group: str) -> None:
    plugin(f"[{group}]\nextra = plug_of_test:work\n", COMMANDS.format("work"))
    assert invoke("extra", group=FlaskGroup()).output == "work was called\n"
    assert offered(invoke("--help", group=FlaskGroup()).output)["extra"] == "Do work."


def test_plugin_goes_before_a_built_in_command(plugin: Write) -> None:
    plugin("[flask.commands]\nrun = plug_of_test:work\n", COMMANDS.format("work"))
    assert invoke("run", group=FlaskGroup()).output == "work was called\n"


@pytest.mark.parametrize(("source", "hint"), [("import nothing_such\n", False), ("import flask\n", True)])
def test_broken_plugin_is_named_and_the_others_work(
    plugin: Write, monkeypatch: pytest.MonkeyPatch, source: str, hint: bool
) -> None:
    if hint:

        class NoFlask:
            @staticmethod
            def find_spec(name: str, *rest: Any) -> None:
                if name == "flask":
                    raise ModuleNotFoundError("No module named 'flask'", name="flask")

        monkeypatch.delitem(sys.modules, "flask", raising=False)
        monkeypatch.setattr(sys, "meta_path", [NoFlask(), *sys.meta_path])
    plugin("[flask.commands]\nextra = plug_of_test:work\n", source)
    result = invoke("--help", group=FlaskGroup())
    assert (result.exit_code, "routes" in offered(result.stdout)) == (0, True)
    assert "'extra' of plug" in result.stderr
    assert ("microflask.alias" in result.stderr) is hint


# -- run


def test_run_serves_the_application(write: Write, served: list[Any], app: Flask) -> None:
    result = invoke("run", "--port", "0", group=FlaskGroup(create_app=lambda: app))
    [(host, port, got, options)] = served
    assert (host, port, got) == ("127.0.0.1", 0, app)
    assert options == {
        "use_reloader": False, "use_debugger": False, "threaded": True, "ssl_context": None, "extra_files": None,
        "exclude_patterns": None,
    }  # fmt: skip
    assert "'microflask_tests'" in result.stderr


@pytest.mark.parametrize("arguments", [["--debug", "run"], ["run", "--debug"], ["--no-debug", "run", "--debug"]])
def test_debug_switches_reloader_and_debugger_on(served: list[Any], app: Flask, arguments: list[str]) -> None:
    assert invoke(*arguments, group=FlaskGroup(create_app=lambda: app)).exit_code == 0
    options = served[0][-1]
    assert (app.debug, options["use_reloader"], options["use_debugger"]) == (True, True, True)


def test_options_of_run(served: list[Any], app: Flask, tmp_path: Path) -> None:
    arguments = [
        "run", "--debug", "--no-reload", "--no-debugger", "--without-threads", "--extra-files",
        os.pathsep.join(["a", str(tmp_path)]), "--exclude-patterns", "*.x",
    ]  # fmt: skip
    assert invoke(*arguments, group=FlaskGroup(create_app=lambda: app)).exit_code == 0
    options = served[0][-1]
    assert (options["use_reloader"], options["use_debugger"], options["threaded"]) == (False, False, False)
    assert (options["extra_files"], options["exclude_patterns"]) == (["a", str(tmp_path)], ["*.x"])


def test_application_that_breaks_is_served_as_its_error_while_the_reloader_waits(
    write: Write, served: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microflask.cli, "is_running_from_reloader", lambda: True)
    write("failing_app.py", "raise LookupError('at import')\n")
    result = invoke("--app", "failing_app", "run")
    assert (result.exit_code, "LookupError: at import" in result.stderr) == (0, True)
    for _ in range(2):
        with pytest.raises(LookupError, match="at import"):
            served[0][2]({}, None)
    assert "Error: There is no module" in invoke("--app", "missing_app", "run").stderr


def test_application_that_breaks_ends_the_command(write: Write, served: list[Any]) -> None:
    write("failing_app.py", "raise LookupError('at import')\n")
    result = invoke("--app", "failing_app", "run")
    assert (result.exit_code, type(result.exception), served) == (1, LookupError, [])


@pytest.mark.parametrize("port", ["x", "-1", "65536"])
def test_impossible_port(port: str) -> None:
    result = invoke("run", "--port", port)
    assert (result.exit_code, "'--port'" in result.stderr) == (2, True)


def test_busy_port_is_one_line(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microflask.cli, "run_simple", lambda *args, **options: pytest.fail("was started"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = invoke("run", "--port", str(port), group=FlaskGroup(create_app=lambda: app))
    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert line.startswith("Error: ") and str(port) in line


def test_addresses() -> None:
    check_address("127.0.0.1", 0)
    check_address("unix:///nowhere/at/all", 0)
    with pytest.raises(OSError, match="assign"):
        check_address("192.0.2.1", 0)


# -- certificates


@pytest.fixture
def pem(write: Write) -> str:
    return str(write("some.pem", "no certificate"))


@pytest.mark.parametrize("turn", [1, -1])
def test_certificate_and_key_make_a_pair(pem: str, turn: int) -> None:
    pairs = [["--cert", pem], ["--key", pem]][::turn]
    ctx = run_command.make_context("run", [*pairs[0], *pairs[1]])
    assert ctx.params["cert"] == (pem, pem)


@pytest.mark.parametrize("arguments", [["--cert"], ["--key"]])
def test_certificate_and_key_need_each_other(pem: str, arguments: list[str]) -> None:
    with pytest.raises(click.BadParameter, match="--cert"):
        run_command.make_context("run", [*arguments, pem])


def test_certificate_for_the_occasion(monkeypatch: pytest.MonkeyPatch, pem: str) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(click.BadParameter, match="cryptography"):
        run_command.make_context("run", ["--cert", "adhoc"])
    monkeypatch.setitem(sys.modules, "cryptography", types.ModuleType("cryptography"))
    assert run_command.make_context("run", ["--cert", "ADHOC"]).params["cert"] == "adhoc"
    with pytest.raises(click.BadParameter, match="already"):
        run_command.make_context("run", ["--cert", "adhoc", "--key", pem])


def test_ssl_context_by_its_name(monkeypatch: pytest.MonkeyPatch, pem: str) -> None:
    holder: Any = types.ModuleType("holder")
    holder.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    monkeypatch.setitem(sys.modules, "holder", holder)
    assert run_command.make_context("run", ["--cert", "holder.context"]).params["cert"] is holder.context
    with pytest.raises(click.BadParameter, match="already"):
        run_command.make_context("run", ["--cert", "holder.context", "--key", pem])
    for name in ("holder", "nothing.such"):
        with pytest.raises(click.BadParameter, match=name):
            run_command.make_context("run", ["--cert", name])


def test_certificates_need_ssl(monkeypatch: pytest.MonkeyPatch, pem: str) -> None:
    monkeypatch.setitem(sys.modules, "ssl", None)
    with pytest.raises(click.BadParameter, match="ssl"):
        CertParamType().convert(pem, None, None)


def test_paths_are_separated_as_in_path(pem: str) -> None:
    text = os.pathsep.join([pem, pem])
    assert SeparatedPathType(exists=True).convert(text, None, None) == [pem, pem]
    with pytest.raises(click.BadParameter):
        SeparatedPathType(exists=True).convert(f"{text}{os.pathsep}nowhere", None, None)


# -- routes


@pytest.fixture
def routed() -> Flask:
    app = Flask("routed", static_folder=None)
    app.add_url_rule("/z", "alpha", lambda: "", methods=["POST"])
    app.add_url_rule("/m/<int:x>", "middle", lambda x: "")
    app.add_url_rule("/a", "zeta", lambda: "", methods=["GET", "POST"])
    return app


def table(app: Flask, *arguments: str) -> list[list[str]]:
    result = app.test_cli_runner().invoke(microflask.cli.routes_command, list(arguments))
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.output.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "endpoints"),
    [
        ([], ["alpha", "middle", "zeta"]),
        (["--sort", "endpoint"], ["alpha", "middle", "zeta"]),
        (["-s", "methods"], ["middle", "zeta", "alpha"]),
        (["-s", "rule"], ["zeta", "middle", "alpha"]),
    ],
)
def test_rules_are_sorted(routed: Flask, arguments: list[str], endpoints: list[str]) -> None:
    head, line, *rows = table(routed, *arguments)
    assert (head, set("".join(line))) == (["Endpoint", "Methods", "Rule"], {"-"})
    assert [row[0] for row in rows] == endpoints


def test_rules_in_the_order_of_matching(routed: Flask) -> None:
    expected = [rule.endpoint for rule in routed.url_map.iter_rules()]
    assert [row[0] for row in table(routed, "-s", "match")[2:]] == expected


def test_methods_of_rules(routed: Flask) -> None:
    assert table(routed)[4] == ["zeta", "GET,", "POST", "/a"]
    assert table(routed, "--all-methods")[4] == ["zeta", "GET,", "HEAD,", "OPTIONS,", "POST", "/a"]


def test_no_rules() -> None:
    assert table(Flask("empty", static_folder=None)) == [["No", "routes", "were", "registered."]]


def test_subdomains_and_hosts() -> None:
    app = Flask("sub", static_folder=None, subdomain_matching=True)
    app.add_url_rule("/", "one", lambda: "", subdomain="shop")
    app.add_url_rule("/", "two", lambda: "")
    assert table(app, "-s", "domain")[0] == ["Endpoint", "Methods", "Subdomain", "Rule"]
    assert [row[0] for row in table(app, "-s", "domain")[2:]] == ["two", "one"]
    app = Flask("host", static_folder=None, host_matching=True)
    app.add_url_rule("/", "one", lambda: "", host="a.example")
    assert table(app)[0] == ["Endpoint", "Methods", "Host", "Rule"]
    assert table(app)[2] == ["one", "GET", "a.example", "/"]


def test_views_and_blueprints_that_are_imported_late_are_checked(routed: Flask) -> None:
    routed.add_url_rule("/good", "good", "os.path.join")
    runner = routed.test_cli_runner(**SEPARATE_OUTPUTS)
    command = microflask.cli.routes_command
    assert runner.invoke(command, ["--check"]).exit_code == 0
    routed.add_url_rule("/no-module", "no_module", "nothing.such")
    routed.add_url_rule("/no-name", "no_name", "os.path.nothing_such")
    routed.register_blueprint("nothing_such:pages", url_prefix="/pages")
    result = runner.invoke(command, ["--check"])
    assert (result.exit_code, result.stdout) == (1, "")
    names = [line.partition(" cannot be imported: ")[0] for line in result.stderr.splitlines()]
    assert sorted(names) == ["nothing.such", "nothing_such:pages", "os.path.nothing_such"]


def test_rules_of_late_blueprints_are_listed(write: Write, routed: Flask) -> None:
    source = "from microflask import Blueprint\nbp = Blueprint('late', __name__)\nbp.add_url_rule('/x', 'x')\n"
    write("late_pages.py", source)
    sys.path.insert(0, os.getcwd())
    routed.register_blueprint("late_pages:bp", url_prefix="/late")
    routed.register_blueprint("nothing_such:bp", url_prefix="/nothing")
    result = routed.test_cli_runner(**SEPARATE_OUTPUTS).invoke(microflask.cli.routes_command)
    assert (result.exit_code, result.stderr.startswith("nothing_such:bp cannot be imported")) == (0, True)
    assert "late.x    GET        /late/x" in result.stdout


# -- names


def test_names_of_the_module_are_there() -> None:
    for name in (
        "find_app_by_string", "find_best_app", "get_debug_flag", "get_load_dotenv", "load_dotenv", "locate_app",
        "main", "pass_script_info", "prepare_import", "routes_command", "shell_command", "show_server_banner",
        "with_appcontext", "is_running_from_reloader", "run_simple", "NoAppException",
    ):  # fmt: skip
        assert callable(getattr(microflask.cli, name))
    assert issubclass(FlaskGroup, AppGroup)
    with pytest.raises(AttributeError):
        microflask.cli.nothing_such  # noqa: B018


def test_banner_of_app_run_can_be_replaced(
    app: Flask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[Any] = []
    monkeypatch.setattr("werkzeug.serving.run_simple", lambda *args, **options: None)
    app.run(load_dotenv=False)
    assert "'microflask_tests', debug mode off" in capsys.readouterr().err
    monkeypatch.setattr(microflask.cli, "show_server_banner", lambda *args: shown.append(args))
    app.run(load_dotenv=False)
    assert (capsys.readouterr().err, shown) == ("", [(False, "microflask_tests")])
