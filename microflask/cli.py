"""The command line: ``microflask``, or ``python -m microflask``.

Its options may come from the environment as well, under the names that Flask gave them (``FLASK_APP``,
``FLASK_RUN_PORT``) or with MICROFLASK in front.
"""

from __future__ import annotations

import os
import platform
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module, metadata
from typing import Any

import click
from click.core import ParameterSource

from .commands import AppGroup as AppGroup
from .commands import F as F
from .commands import NoAppException as NoAppException
from .commands import ScriptInfo as ScriptInfo
from .commands import adopt_variables
from .commands import find_app_by_string as find_app_by_string
from .commands import find_best_app as find_best_app
from .commands import load_dotenv as load_dotenv
from .commands import locate_app as locate_app
from .commands import pass_script_info as pass_script_info
from .commands import prepare_import as prepare_import
from .commands import with_appcontext as with_appcontext
from .globals import current_app, find_app
from .helpers import get_debug_flag as get_debug_flag
from .helpers import get_load_dotenv as get_load_dotenv
from .serving import check_address
from .serving import show_server_banner as show_server_banner
from .views import PreloadError

#: Where distributions announce commands; those of the later group win.
_PLUGIN_GROUPS = ("flask.commands", "microflask.commands")


# -- the options of the group ----------------------------------------------------------------------------------------


def get_version(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Print the versions of Python, microflask and Werkzeug, and end the program; an option's callback."""
    if not value or ctx.resilient_parsing:
        return
    lines = [f"Python {platform.python_version()}", f"microflask {import_module(__package__).__version__}"]
    if "flask" in sys.modules:  # as it is under the alias, which answers with the version that it stands for
        lines.append(f"Flask {metadata.version('flask')}")
    lines.append(f"Werkzeug {metadata.version('werkzeug')}")
    click.echo("\n".join(lines), color=ctx.color)
    ctx.exit()


def _set_variables(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        try:
            import_module("dotenv")
        except ImportError:
            raise click.BadParameter("reading it needs python-dotenv, which is not installed", ctx, param) from None
    with_defaults = ctx.ensure_object(ScriptInfo).load_dotenv_defaults
    if with_defaults or value is not None:
        load_dotenv(value, load_defaults=with_defaults)
        adopt_variables(replace=False)
    return value


def _set_app(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        ctx.ensure_object(ScriptInfo).app_import_path = value
    return value


def _set_debug(ctx: click.Context, param: click.Parameter, value: bool) -> bool | None:
    source = ctx.get_parameter_source(param.name or "")
    if source in {ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP}:
        return None
    if source is ParameterSource.COMMANDLINE:
        ctx.ensure_object(ScriptInfo).debug_option = value
    # In the environment, because it holds for the application that is imported, and after the reloader's restart.
    os.environ["FLASK_DEBUG"] = "1" if value else "0"
    # It was adopted, and may say otherwise.
    os.environ.pop("MICROFLASK_DEBUG", None)
    return value


def _debug_option() -> click.Option:
    return click.Option(
        ["--debug/--no-debug"], expose_value=False, callback=_set_debug, help="Switch debug mode on or off."
    )


def _group_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["-e", "--env-file"], type=click.Path(exists=True, dir_okay=False), is_eager=True, expose_value=False,
            callback=_set_variables, help="Set the environment variables in this file, unless they are set: it goes"
            " before .env and .flaskenv, which are read as well. Needs python-dotenv.",
        ),
        click.Option(
            ["-A", "--app"], metavar="IMPORT", is_eager=True, expose_value=False, callback=_set_app,
            help="The application: 'module', or 'module:name', or 'module:factory(\"argument\")'. The module is a"
            " dotted name or a path; the name may be left out if it is app, application, create_app or make_app.",
        ),
        _debug_option(),
    ]  # fmt: skip


def _version_option() -> click.Option:
    return click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=get_version,
        help="Show the versions of what runs here.",
    )  # fmt: skip


# -- the group -------------------------------------------------------------------------------------------------------


class FlaskGroup(AppGroup):
    """Be a group of commands that belong to an application: built in, of plugins, and the application's own.

    :param add_default_commands: whether run, shell, routes and doctor are there
    :param create_app: makes the application; without it, the command line tells
    :param add_version_option: whether there is ``--version``
    :param load_dotenv: whether .env and .flaskenv are read
    :param set_debug_flag: whether the debug flag of the application is set as FLASK_DEBUG says
    :param extra: for click's group
    """

    def __init__(
        self, add_default_commands: bool = True, create_app: Callable[..., Any] | None = None,
        add_version_option: bool = True, load_dotenv: bool = True, set_debug_flag: bool = True, **extra: Any,
    ) -> None:  # fmt: skip
        self._own_options = _group_options()
        version = [_version_option()] if add_version_option else []
        extra["params"] = [*(extra.get("params") or ()), *self._own_options, *version]
        extra["context_settings"] = {"auto_envvar_prefix": "FLASK", **(extra.get("context_settings") or {})}
        super().__init__(**extra)
        self.create_app = create_app
        self.load_dotenv = load_dotenv
        self.set_debug_flag = set_debug_flag
        self._plugins: dict[str, metadata.EntryPoint] | None = None
        for command in (run_command, shell_command, routes_command, doctor_command) if add_default_commands else ():
            self.add_command(command)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return click's context, with a :class:`ScriptInfo` as its object unless one is given."""
        # For app.run() in a module that is only imported here.
        os.environ["FLASK_RUN_FROM_CLI"] = "true"
        adopt_variables(replace=True)
        if "obj" not in extra.keys() | self.context_settings.keys():
            extra["obj"] = ScriptInfo(None, self.create_app, self.set_debug_flag, self.load_dotenv)
        return super().make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the group's own options out of the arguments."""
        # Help lists the application's commands, so it has to know the application, and comes before it otherwise.
        given: dict[str, Any] = {}
        with suppress(click.UsageError):
            given = self.make_parser(ctx).parse_args(list(args))[0]
        help_option = self.get_help_option(ctx)
        if (not args and self.no_args_is_help) or (help_option and given.get(help_option.name or "")):
            for option in self._own_options[:2]:
                option.handle_parse_result(ctx, given, [])
        return super().parse_args(ctx, args)

    def _built_in(self, ctx: click.Context, name: str) -> click.Command | None:
        return self._load_plugin(name) or super().get_command(ctx, name)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name: a plugin's, a built-in one, or the application's."""
        command = self._built_in(ctx, cmd_name)
        if command is None:
            try:
                app = ctx.ensure_object(ScriptInfo).load_app()
            except NoAppException as error:
                error.show()
            else:
                command = app.cli.get_command(ctx, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return name, command and the other arguments; a command of the application finds its context pushed."""
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and name is not None and self._built_in(ctx, name) is None:
            # Not first when the command itself runs: its parameters may need the application.
            app = ctx.ensure_object(ScriptInfo).load_app()
            if find_app() is not app:
                ctx.with_resource(app.app_context())
        return name, command, rest

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted; when the application cannot be loaded, why, and the others."""
        names = {*super().list_commands(ctx), *self._find_plugins()}
        try:
            names.update(ctx.ensure_object(ScriptInfo).load_app().cli.list_commands(ctx))
        except NoAppException as error:
            error.show()
        except Exception:
            click.secho(traceback.format_exc(), err=True, fg="red")
        return sorted(names)

    def _find_plugins(self) -> dict[str, metadata.EntryPoint]:
        if self._plugins is None:
            points = (point for group in _PLUGIN_GROUPS for point in metadata.entry_points(group=group))
            self._plugins = {point.name: point for point in points}
        return self._plugins

    def _load_plugin(self, name: str) -> click.Command | None:
        """Return the command that a distribution announces under a name, or None, with a warning if it is broken."""
        point = self._find_plugins().get(name)
        if point is None:
            return None
        try:
            return point.load()  # type: ignore[no-any-return]
        except Exception as error:
            owner = point.dist.name if point.dist else point.value
            hint = ""
            if isinstance(error, ModuleNotFoundError) and error.name == "flask":
                hint = f" It is made for Flask: try python -m microflask.alias -m microflask {name}"
            click.secho(f"The command {name!r} of {owner} cannot be loaded: {error!r}.{hint}", err=True, fg="red")
            return None


# -- run -------------------------------------------------------------------------------------------------------------


class CertParamType(click.ParamType):  # type: ignore[type-arg]
    """Take what ``--cert`` may be: a file, ``adhoc``, or the import name of an :class:`ssl.SSLContext`."""

    name = "path"

    def __init__(self) -> None:
        self.path_type = click.Path(exists=True, dir_okay=False, resolve_path=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, the word or the object.

        :raises click.BadParameter: it is none of these, or what it needs is not installed
        """
        try:
            ssl = import_module("ssl")
        except ImportError:
            self.fail("HTTPS needs a Python with the module ssl.", param, ctx)
        with suppress(click.BadParameter):
            return self.path_type(value, param, ctx)
        if str(value).lower() == "adhoc":
            try:
                import_module("cryptography")
            except ImportError:
                self.fail("a certificate for the occasion needs the package cryptography.", param, ctx)
            return "adhoc"
        from werkzeug.utils import import_string

        found = import_string(str(value), silent=True)
        if not isinstance(found, ssl.SSLContext):
            self.fail(f"{value!r} is no file, not 'adhoc', and not the import name of an SSL context.", param, ctx)
        return found


def _join_key(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Make a pair of certificate and key, which run_simple takes."""
    cert = ctx.params.get("cert")
    complete = cert == "adhoc" or not isinstance(cert, str | None)
    if value is None:
        if cert is not None and not complete:
            raise click.BadParameter("the certificate of --cert needs its key.", ctx, param)
    elif cert is None or complete:
        why = "a key alone is of no use: give --cert as well." if cert is None else "this --cert has its key already."
        raise click.BadParameter(why, ctx, param)
    else:
        ctx.params["cert"] = (cert, value)
    return value


class SeparatedPathType(click.Path):
    """Take several paths in one text, separated as in PATH: by ``:``, on Windows by ``;``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the list of paths."""
        one = super().convert
        return [one(item, param, ctx) for item in self.split_envvar_value(value)]


def _broken_app(error: BaseException) -> Any:
    """Return an application that raises `error`, for a reloader that waits until somebody has mended it."""
    if isinstance(error, NoAppException):
        error.show()
    else:
        click.echo("".join(traceback.format_exception(error)), err=True)
    place = error.__traceback__

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raise error.with_traceback(place)

    return app


def _run(
    info: ScriptInfo, host: str, port: int, reload: bool | None, debugger: bool | None, with_threads: bool,
    cert: Any, extra_files: list[str] | None, exclude_patterns: list[str] | None,
) -> None:  # fmt: skip
    """Serve the application on the development server. It is not meant for production."""
    this = sys.modules[__name__]  # where tests put a server of their own
    again = this.is_running_from_reloader()
    try:
        app = info.load_app()
    except Exception as error:
        if not again:
            raise
        app = _broken_app(error)
    if not again:
        try:
            check_address(host, port)
        except OSError as error:
            raise click.ClickException(
                f"The server cannot listen on {host}, port {port}: {error.strerror or error}. Choose another --port or"
                " --host, or end the program that has it."
            ) from None
    debug = getattr(app, "debug", True)
    show_server_banner(debug, info.app_import_path or getattr(app, "name", ""))
    this.run_simple(
        host, port, app, use_reloader=debug if reload is None else reload,
        use_debugger=debug if debugger is None else debugger, threaded=with_threads, ssl_context=cert,
        extra_files=extra_files, exclude_patterns=exclude_patterns,
    )  # fmt: skip


run_command = click.Command(
    "run", callback=pass_script_info(_run), short_help="Serve the application, for development.", help=_run.__doc__,
    params=[
        _debug_option(),
        click.Option(["--host", "-h"], default="127.0.0.1", show_default=True, help="The address to listen on."),
        click.Option(
            ["--port", "-p"], type=click.IntRange(0, 65535), default=5000, show_default=True,
            help="The port to listen on; 0 for any free one.",
        ),
        click.Option(
            ["--cert"], type=CertParamType(), is_eager=True,
            help="Serve HTTPS: the file of a certificate, or 'adhoc', or the import name of an SSL context.",
        ),
        click.Option(
            ["--key"], type=click.Path(exists=True, dir_okay=False, resolve_path=True), expose_value=False,
            callback=_join_key, help="The file with the key of the certificate.",
        ),
        click.Option(
            ["--reload/--no-reload"], default=None, help="Start anew when the code changes; on in debug mode."
        ),
        click.Option(
            ["--debugger/--no-debugger"], default=None, help="Show errors in the browser; on in debug mode."
        ),
        click.Option(
            ["--with-threads/--without-threads"], default=True, help="Handle each request in a thread of its own."
        ),
        click.Option(
            ["--extra-files"], default=None, type=SeparatedPathType(),
            help=f"More files that count as code for --reload, separated by {os.pathsep!r}.",
        ),
        click.Option(
            ["--exclude-patterns"], default=None, type=SeparatedPathType(),
            help=f"Patterns of files that do not count for --reload, separated by {os.pathsep!r}.",
        ),
    ],
)  # fmt: skip


# -- shell -----------------------------------------------------------------------------------------------------------


def _complete_names(names: dict[str, Any]) -> None:
    """Let the tabulator key know the names of the shell, where the terminal can."""
    hook = getattr(sys, "__interactivehook__", None)
    if hook is None:
        return
    with suppress(ImportError):
        readline: Any = import_module("readline")
        readline.set_completer(import_module("rlcompleter").Completer(names).complete)
    hook()


def _shell() -> None:
    """Open a Python shell inside of an application context, with what the application puts into it."""
    from code import interact

    names: dict[str, Any] = {}
    startup = os.environ.get("PYTHONSTARTUP")
    if startup and os.path.isfile(startup):
        with open(startup, "rb") as file:
            exec(compile(file.read(), startup, "exec"), names)
    names.update(current_app.make_shell_context())
    _complete_names(names)
    interact(
        f"Python {sys.version} on {sys.platform}\nApplication: {current_app.import_name}\n"
        f"Instance: {current_app.instance_path}",
        local=names,
    )


shell_command = click.Command(
    "shell", callback=with_appcontext(_shell), short_help="Open a shell with the application.", help=_shell.__doc__
)


# -- routes ----------------------------------------------------------------------------------------------------------

_COLUMNS = ("endpoint", "methods", "domain", "rule")


def _rows(app: Any, sort: str, all_methods: bool) -> list[tuple[str, str, str, str]]:
    """Return endpoint, methods, domain and rule of each rule."""
    left_out = set() if all_methods else {"HEAD", "OPTIONS"}
    domain = "host" if app.url_map.host_matching else "subdomain"
    rows = [
        (rule.endpoint, ", ".join(sorted((rule.methods or set()) - left_out)), getattr(rule, domain) or "", rule.rule)
        for rule in app.url_map.iter_rules()
    ]
    if sort in _COLUMNS:
        rows.sort(key=lambda row: row[_COLUMNS.index(sort)])
    return rows


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows of texts, the first of which are the headings, in columns as wide as they need."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in (rows[0], ["-" * width for width in widths], *rows[1:]):
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _name_failures(failures: Mapping[str, Exception]) -> None:
    for name, error in failures.items():
        click.echo(f"{name} cannot be imported: {error!r}", err=True)


def _import_what_is_late(app: Any) -> None:
    """Import the views and blueprints that wait for their first request, and name those that fail."""
    try:
        app.preload_views()
    except PreloadError as error:
        _name_failures(error.failures)
        raise click.exceptions.Exit(1) from None
    click.echo("All that is imported late can be imported.")


def _routes(sort: str, all_methods: bool, check: bool) -> None:
    """List the rules of the application, with their endpoints and methods."""
    app = current_app._get_current_object()
    if check:
        _import_what_is_late(app)
        return
    # Before, nobody knows their rules.
    _name_failures(app.late_blueprints.import_all(app))
    rows = _rows(app, sort, all_methods)
    if not rows:
        click.echo("No routes were registered.")
        return
    headings = ("Endpoint", "Methods", "Host" if app.url_map.host_matching else "Subdomain", "Rule")
    shown = [index for index in range(4) if index != 2 or any(row[2] for row in rows)]
    _print_table([[row[index] for index in shown] for row in (headings, *rows)])


routes_command = click.Command(
    "routes", callback=with_appcontext(_routes), short_help="List the URL rules.", help=_routes.__doc__,
    params=[
        click.Option(
            ["--sort", "-s"], type=click.Choice([*_COLUMNS, "match"]), default="endpoint", show_default=True,
            help="The column to sort by; 'match' is the order in which the rules are tried.",
        ),
        click.Option(["--all-methods"], is_flag=True, help="Show HEAD and OPTIONS as well."),
        click.Option(
            ["--check"], is_flag=True,
            help="Import all views and blueprints that are given by their import names, and name those that fail.",
        ),
    ],
)  # fmt: skip


# -- doctor ----------------------------------------------------------------------------------------------------------


def _doctor(info: ScriptInfo, as_json: bool) -> None:
    """Look for what is unsafe, without effect, or different between the generations of Flask.

    The status is 1 when something severe was found.
    """
    from . import doctor

    app = info.load_app()
    findings = doctor.examine(app)
    click.echo(doctor.to_json(app, findings) if as_json else doctor.to_text(app, findings))
    if any(finding.severity == "severe" for finding in findings):
        raise click.exceptions.Exit(1)


doctor_command = click.Command(
    "doctor", callback=pass_script_info(_doctor), short_help="Look for mistakes in the set-up.", help=_doctor.__doc__,
    params=[click.Option(["--json", "as_json"], is_flag=True, help="Print JSON.")],
)  # fmt: skip


cli = FlaskGroup(
    name="microflask",
    help="Work with an application of microflask.\n\nName it with --app, in the environment variable FLASK_APP, or let"
    " it be found in wsgi.py or app.py in the current folder.",
)


def main() -> None:
    """Run the command line with the arguments of the program."""
    cli.main()


def __getattr__(name: str) -> Any:
    # The server is needed by one command only.
    if name in {"is_running_from_reloader", "run_simple"}:
        globals()[name] = getattr(import_module("werkzeug.serving"), name)
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if __name__ == "__main__":
    main()
