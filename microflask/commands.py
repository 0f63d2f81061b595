"""Commands of an application: how it is found for them, and how they get its context."""

from __future__ import annotations

import ast
import os
import re
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import update_wrapper
from importlib import import_module
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import IO, Any, TypeVar, overload

import click
from click.testing import CliRunner, Result

from .globals import find_app
from .helpers import get_debug_flag, get_load_dotenv
from .resources import PackageBound

F = TypeVar("F", bound=Callable[..., Any])

_APP_NAMES = ("app", "application")
_FACTORY_NAMES = ("create_app", "make_app")
_DEFAULT_FILES = ("wsgi.py", "app.py")
#: Between the module and the name in it, and not the one of a Windows drive.
_COLON = re.compile(r":(?![\\/])")
#: What is in a later one of them goes before what is in an earlier one.
_DOTENV_FILES = (".flaskenv", ".env")
_OWN_PREFIX = "MICROFLASK_"
_FOR_FLASK = "\nIt is made for Flask: start the command with python -m microflask.alias -m microflask\n"


class NoAppException(click.UsageError):
    """There is no application to work with, or none that can be told from others."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message; how the command is used has nothing to do with it."""
        click.secho(f"Error: {self.format_message()}", file=file, err=file is None, fg="red")


# -- finding the application -----------------------------------------------------------------------------------------


def _is_app(value: Any) -> bool:
    # By its class, because a proxy claims to be an instance of what it stands for.
    return issubclass(type(value), PackageBound) and hasattr(value, "wsgi_app")


def _call_factory(factory: Callable[..., Any], text: str, module: str, args: Any = (), kwargs: Any = None) -> Any:
    """Return what a factory returns; an error inside of it comes out as it is.

    :raises NoAppException: it takes other arguments
    """
    kwargs = kwargs or {}
    try:
        takes = signature(factory)
    except ValueError:  # a builtin that does not tell
        return factory(*args, **kwargs)
    try:
        takes.bind(*args, **kwargs)
    except TypeError as error:
        raise NoAppException(
            f"The factory {text!r} of {module!r} cannot be called like that, {error}: it takes {takes}. Write"
            f" the arguments as '{module}:{text.partition('(')[0]}(...)'."
        ) from None
    return factory(*args, **kwargs)


def find_best_app(module: ModuleType) -> Any:
    """Return the application of a module: `app` or `application`, the only one there is, or what a factory makes.

    :raises NoAppException: there is none, or more than one
    """
    where = module.__name__
    for name in _APP_NAMES:
        if _is_app(candidate := getattr(module, name, None)):
            return candidate
    found = {id(value): value for value in vars(module).values() if _is_app(value)}
    if len(found) > 1:
        names = sorted(name for name, value in vars(module).items() if id(value) in found)
        raise NoAppException(f"{where!r} has several applications ({', '.join(names)}): choose one, '{where}:NAME'.")
    if found:
        return found.popitem()[1]
    for name in _FACTORY_NAMES:
        factory = getattr(module, name, None)
        if callable(factory) and _is_app(made := _call_factory(factory, name, where)):
            return made
    raise NoAppException(
        f"{where!r} has no application, and no function create_app() or make_app() that makes one: if it has another"
        f" name, write '{where}:NAME'."
    )


def _parse_target(text: str) -> tuple[str, list[Any], dict[str, Any], bool]:
    """Return name, arguments and keyword arguments of ``name`` or ``name(...)``, and whether it is a call."""
    node: ast.expr | None = None
    with suppress(SyntaxError):
        node = ast.parse(text, mode="eval").body
    if isinstance(node, ast.Name):
        return node.id, [], {}, False
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        raise NoAppException(f"{text!r} is neither a name nor the call of a function, such as create_app('test').")
    try:
        given = {keyword.arg or "**": ast.literal_eval(keyword.value) for keyword in node.keywords}
        return node.func.id, [ast.literal_eval(value) for value in node.args], given, True
    except ValueError:
        raise NoAppException(
            f"The arguments in {text!r} must be plain values of Python: strings, numbers, None, lists and the like."
        ) from None


def find_app_by_string(module: ModuleType, app_name: str) -> Any:
    """Return the application that a module has under a name, or that a function makes.

    :param app_name: ``name``, or ``factory('with', arguments=True)`` whose arguments are literals
    :raises NoAppException: there is none
    """
    text, where = app_name.strip(), module.__name__
    name, args, kwargs, is_call = _parse_target(text)
    try:
        value = getattr(module, name)
    except AttributeError:
        raise NoAppException(f"There is no {name!r} in {where!r}.") from None
    if not _is_app(value) and callable(value):
        value = _call_factory(value, text, where, args, kwargs)
    elif is_call:
        raise NoAppException(f"{name!r} of {where!r} is no function: leave its brackets out.")
    if not _is_app(value):
        raise NoAppException(f"'{where}:{text}' is no application of microflask, but {value!r}.")
    return value


def prepare_import(path: str) -> str:
    """Return the dotted name under which a file or module is imported, and put its folder first on ``sys.path``.

    :param path: the path of a Python file or of a package, or a dotted name
    """
    place = Path(path).resolve()
    if place.suffix == ".py":
        place = place.with_suffix("")
    if place.name == "__init__":
        place = place.parent
    parts, folder = [place.name], place.parent
    while (folder / "__init__.py").exists() and folder != folder.parent:
        parts.insert(0, folder.name)
        folder = folder.parent
    if sys.path[:1] != [str(folder)]:
        sys.path.insert(0, str(folder))
    return ".".join(parts)


def _own_traceback(error: BaseException) -> str:
    """Return the traceback of an import that failed, without what Python and we did before the module began."""
    place = error.__traceback__
    while place is not None:
        name = place.tb_frame.f_code.co_filename
        if name != __file__ and not name.startswith("<frozen importlib"):
            break
        place = place.tb_next
    return "".join(traceback.format_exception(type(error), error, place))


def locate_app(module_name: str, app_name: str | None, raise_if_not_found: bool = True) -> Any:
    """Import a module and return its application.

    :param app_name: see :func:`find_app_by_string`; None: see :func:`find_best_app`
    :param raise_if_not_found: whether a module that does not exist is an error; else None is returned for it
    :raises NoAppException: there is no application, or the module could not be imported
    """
    try:
        __import__(module_name)
    except ImportError as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing is None or not f"{module_name}.".startswith(f"{missing}."):
            hint = _FOR_FLASK if missing == "flask" else ""
            raise NoAppException(
                f"{module_name!r} failed while it was imported:\n\n{_own_traceback(error)}{hint}"
            ) from None
        if not raise_if_not_found:
            return None
        raise NoAppException(
            f"There is no module {module_name!r} to take the application from: check --app (or FLASK_APP), and the"
            " folder in which you are."
        ) from None
    module = sys.modules[module_name]
    return find_best_app(module) if app_name is None else find_app_by_string(module, app_name)


class ScriptInfo:
    """Know which application the command line is about; commands get it as click's ``ctx.obj``.

    :param app_import_path: ``module``, ``module:name``, ``module:factory('argument')``, or a path for the module
    :param create_app: makes the application, whatever the path says
    :param set_debug_flag: whether loading sets the debug flag of the application as FLASK_DEBUG says
    :param load_dotenv_defaults: whether .env and .flaskenv are read, unless FLASK_SKIP_DOTENV tells
    """

    def __init__(
        self, app_import_path: str | None = None, create_app: Callable[..., Any] | None = None,
        set_debug_flag: bool = True, load_dotenv_defaults: bool = True,
    ) -> None:  # fmt: skip
        self.app_import_path = app_import_path
        self.create_app = create_app
        self.set_debug_flag = set_debug_flag
        self.load_dotenv_defaults = get_load_dotenv(load_dotenv_defaults)
        #: What ``--debug`` or ``--no-debug`` said; None: neither was given.
        self.debug_option: bool | None = None
        #: For whatever commands want to tell each other.
        self.data: dict[Any, Any] = {}
        self._loaded_app: Any = None

    def load_app(self) -> Any:
        """Return the application, imported or made at the first call.

        :raises NoAppException: there is none
        """
        if self._loaded_app is None:
            app = self._find_app()
            compat = getattr(app, "compat", None)
            # An application of 2013 sets the flag itself and has not heard of the variable.
            asked = self.debug_option is not None or compat is None or compat.debug_from_environment
            if self.set_debug_flag and asked:
                app.debug = get_debug_flag()
            self._loaded_app = app
        return self._loaded_app

    def _find_app(self) -> Any:
        if self.create_app is not None:
            made = self.create_app()
            if made is None:
                raise NoAppException("No application: create_app() returned None instead of one.")
            return made
        if self.app_import_path:
            path, *name = _COLON.split(self.app_import_path, maxsplit=1)
            return locate_app(prepare_import(path), name[0] if name else None)
        for file in _DEFAULT_FILES:
            app = locate_app(prepare_import(file), None, raise_if_not_found=False)
            if app is not None:
                return app
        raise NoAppException(
            "Which application? Name it with --app, or in the environment variable FLASK_APP or MICROFLASK_APP;"
            " without these, one is looked for in wsgi.py and app.py in the current folder, and there is none."
        )


pass_script_info = click.make_pass_decorator(ScriptInfo, ensure=True)


# -- commands that know the application ------------------------------------------------------------------------------


def with_appcontext(f: F) -> F:
    """Let a command run inside of an application context, of the application that the command line is about.

    :raises NoAppException: there is none; when the command runs
    """

    @click.pass_context
    def inside(ctx: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        if find_app() is None:
            ctx.with_resource(ctx.ensure_object(ScriptInfo).load_app().app_context())
        return ctx.invoke(f, *args, **kwargs)

    return update_wrapper(inside, f)  # type: ignore[return-value]


class AppGroup(click.Group):
    """Be a group of click commands that run inside of an application context.

    ``with_appcontext=False`` in the decorator leaves a command without one. Groups below it are of the same class.
    """

    @overload
    def command(self, f: Callable[..., Any], /) -> click.Command: ...
    @overload
    def command(self, *args: Any, **kwargs: Any) -> Callable[[Callable[..., Any]], click.Command]: ...
    def command(self, *args: Any, **kwargs: Any) -> Any:
        """Make the decorated function a command of the group; the arguments are click's."""
        prepare = with_appcontext if kwargs.pop("with_appcontext", True) else _as_it_is
        if args and callable(args[0]):  # "@group.command" without brackets
            return super().command(**kwargs)(prepare(args[0]))
        as_command = super().command(*args, **kwargs)
        return lambda f: as_command(prepare(f))

    @overload
    def group(self, f: Callable[..., Any], /) -> click.Group: ...
    @overload
    def group(self, *args: Any, **kwargs: Any) -> Callable[[Callable[..., Any]], click.Group]: ...
    def group(self, *args: Any, **kwargs: Any) -> Any:
        """Make the decorated function a group below this one; the arguments are click's."""
        return super().group(*args, **{"cls": AppGroup, **kwargs})


def _as_it_is(f: F) -> F:
    return f


# -- environment variables -------------------------------------------------------------------------------------------


def load_dotenv(path: str | os.PathLike[str] | None = None, load_defaults: bool = True) -> bool:
    """Set environment variables from files, with python-dotenv, and tell whether there were any.

    What the environment has already stays as it is. Without python-dotenv nothing is read.

    :param path: a file; its variables come before those of the others
    :param load_defaults: whether .env and, after it, .flaskenv are read from this folder or the nearest above
    """
    try:
        dotenv: Any = import_module("dotenv")
    except ImportError:
        if path or any(os.path.isfile(name) for name in _DOTENV_FILES):
            click.secho(" * Files with environment variables are left unread: install python-dotenv.", err=True)
        return False
    names = [dotenv.find_dotenv(name, usecwd=True) for name in _DOTENV_FILES] if load_defaults else []
    if path is not None:
        names.append(os.fspath(path))
    variables: dict[str, str | None] = {}
    for name in filter(os.path.isfile, names):
        variables |= dotenv.dotenv_values(name, encoding="utf-8")
    for variable, value in variables.items():
        if value is not None:
            os.environ.setdefault(variable, value)
    return bool(variables)


def adopt_variables(replace: bool) -> None:
    """Give each environment variable ``MICROFLASK_X`` the name ``FLASK_X`` too, which the options look for.

    :param replace: whether that goes before a FLASK_X that is there
    """
    for name in [name for name in os.environ if name.startswith(_OWN_PREFIX)]:
        known = name.removeprefix("MICRO")
        if replace or known not in os.environ:
            os.environ[known] = os.environ[name]


# -- tests -----------------------------------------------------------------------------------------------------------


class FlaskCliRunner(CliRunner):
    """Invoke commands in a test, with an application; made by :meth:`microflask.Flask.test_cli_runner`.

    :param app: the application
    :param kwargs: as for click's CliRunner
    """

    def __init__(self, app: Any, **kwargs: Any) -> None:
        self.app = app
        super().__init__(**kwargs)

    def invoke(self, cli: Any = None, args: Any = None, **kwargs: Any) -> Result:  # type: ignore[override]
        """Invoke a command and return click's result.

        :param cli: the command; the application's group of commands unless given
        :param args: the arguments, a list or a string
        :param kwargs: as for click's; `obj` is a :class:`ScriptInfo` of the application unless given
        """
        kwargs.setdefault("obj", ScriptInfo(create_app=lambda: self.app))
        return super().invoke(self.app.cli if cli is None else cli, args, **kwargs)
