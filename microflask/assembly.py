"""An application while it is put together: its settings, what it makes, and what is registered on it."""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, ValuesView
from datetime import timedelta
from functools import cached_property
from threading import RLock
from typing import IO, TYPE_CHECKING, Any, ClassVar, overload
from warnings import warn

from werkzeug.datastructures import ImmutableDict
from werkzeug.exceptions import Aborter
from werkzeug.routing import BuildError
from werkzeug.routing import Map as MapBase
from werkzeug.routing import Rule as RuleBase

from . import errors
from .attributes import Aside, beside
from .compat import DOCUMENTED, Compat, default_compat, documented_signature, get_compat, name_arguments
from .config import Config, ConfigAttribute
from .ctx import _AppCtxGlobals
from .helpers import get_debug_flag
from .json.provider import DefaultJSONProvider, JSONDecoder, JSONEncoder, JSONProvider
from .late import LateBlueprint, LateBlueprints, registering
from .resources import auto_instance_path, open_instance_resource
from .routing import Map, Rule
from .scaffold import Scaffold, endpoint_of, setupmethod

if TYPE_CHECKING:
    from .blueprints import Blueprint
    from .module import Module
    from .typing import (
        Filter,
        First,
        Global,
        RouteCallable,
        Shell,
        Teardown,
        TemplateFilterCallable,
        TemplateGlobalCallable,
        TemplateTestCallable,
        Test,
    )

_UNSET: Any = object()
_RULE = "-" * 80


def _as_timedelta(value: Any) -> timedelta:
    return value if isinstance(value, timedelta) else timedelta(seconds=value)


class SetupError(AssertionError):
    """The application was set up in a way, or at a time, that it cannot work with."""


class _LateEnvironment:
    """Be :class:`microflask.templating.Environment`, imported when it is looked at: it needs jinja2."""

    def __get__(self, obj: Any, owner: type | None = None) -> Any:
        from .templating import Environment

        return Environment


class App(Scaffold):
    """Be the registry of an application's views, rules, templates and settings; :class:`microflask.Flask` adds WSGI.

    The parameters are those of :class:`microflask.Flask`.
    """

    #: The class of the Jinja2 environment.
    jinja_environment: Any = _LateEnvironment()
    #: The class of :data:`g`.
    app_ctx_globals_class: type[Any] = _AppCtxGlobals
    config_class: type[Config] = Config
    aborter_class: type[Aborter] = Aborter
    json_provider_class: type[JSONProvider] = DefaultJSONProvider
    json_encoder: type[Any] | None = JSONEncoder
    json_decoder: type[Any] | None = JSONDecoder
    url_rule_class: type[RuleBase] = Rule
    url_map_class: type[MapBase] = Map
    #: Whether a :class:`microflask.Module` is registered, in which endpoints without a dot are its own.
    _has_modules = False
    #: Whether :meth:`register_module` works.
    enable_modules = True
    #: The format of log messages in debug mode.
    debug_log_format = f"{_RULE}\n%(levelname)s in %(module)s [%(pathname)s:%(lineno)d]:\n%(message)s\n{_RULE}"
    #: What the configuration holds at first; other values for some rows of :mod:`microflask.compat`.
    default_config: ClassVar[Any] = ImmutableDict(DOCUMENTED.default_config)
    #: Options of the Jinja2 environment. The two extensions are part of Jinja2 by now and dropped when it is made.
    jinja_options: Any = ImmutableDict(extensions=["jinja2.ext.autoescape", "jinja2.ext.with_"])

    #: The absolute path of the instance folder.
    instance_path: Aside[str] = Aside()
    #: What :func:`abort` calls.
    aborter: Aside[Aborter] = Aside()
    #: Called with error, endpoint and values when url_for() fails, until one returns a URL.
    url_build_error_handlers: Aside[list[Callable[[BuildError, str, dict[str, Any]], str | None]]] = Aside()
    before_first_request_funcs: Aside[list[Any]] = Aside()
    shell_context_processors: Aside[list[Any]] = Aside()
    #: name -> registered blueprint
    blueprints: Aside[dict[str, Blueprint]] = Aside()
    _in_first_request: Aside[bool] = Aside()
    _first_request_lock: Aside[Any] = Aside()

    testing: ConfigAttribute[bool] = ConfigAttribute("TESTING")
    secret_key: ConfigAttribute[str | bytes | None] = ConfigAttribute("SECRET_KEY")
    session_cookie_name: ConfigAttribute[str] = ConfigAttribute("SESSION_COOKIE_NAME")
    permanent_session_lifetime = ConfigAttribute("PERMANENT_SESSION_LIFETIME", _as_timedelta)
    use_x_sendfile: ConfigAttribute[bool] = ConfigAttribute("USE_X_SENDFILE")

    @overload
    def __init__(
        self, import_name: str, static_path: str | None = None, static_url_path: str | None = None,
        static_folder: str | os.PathLike[str] | None = "static",
        template_folder: str | os.PathLike[str] | None = "templates", instance_path: str | None = None,
        instance_relative_config: bool = False, *, root_path: str | None = None, static_host: str | None = None,
        host_matching: bool = False, subdomain_matching: bool = False, compat: str | Compat | None = None,
    ) -> None: ...  # fmt: skip

    @overload
    def __init__(self, import_name: str, *args: Any, compat: str | Compat | None = None, **options: Any) -> None: ...

    def __init__(self, import_name: str, *args: Any, compat: str | Compat | None = None, **options: Any) -> None:
        self.compat = default_compat() if compat is None else get_compat(compat)
        if options.get("static_path") is not None:
            self._deprecate("static_path is called static_url_path")
        self._set_up(import_name, **name_arguments(type(self).__name__, self.compat, args, options))

    __init__.__signature__ = documented_signature(  # type: ignore[attr-defined]
        "self, import_name, static_path=None, static_url_path=None, static_folder='static',"
        " template_folder='templates', instance_path=None, instance_relative_config=False",
        root_path=None, static_host=None, host_matching=False, subdomain_matching=False, compat=None,
    )  # fmt: skip

    def _set_up(
        self, import_name: str, static_url_path: str | None = None,
        static_folder: str | os.PathLike[str] | None = "static",
        template_folder: str | os.PathLike[str] | None = "templates", instance_path: str | None = None,
        instance_relative_config: bool = False, root_path: str | None = None, static_host: str | None = None,
        host_matching: bool = False, subdomain_matching: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        self.error_handler_spec = errors.make_spec(self.compat.error_spec_by_class)
        self.error_handler_spec[None]
        if instance_path is None:
            instance_path = self.auto_find_instance_path()
        elif not os.path.isabs(instance_path):
            raise ValueError(f"instance_path={instance_path!r} is a relative path: it must be absolute")
        self.instance_path = instance_path
        self.config = self.make_config(instance_relative_config)
        self.aborter = self.make_aborter()
        self.json: JSONProvider = self.json_provider_class(self)
        self.url_build_error_handlers = []
        self.before_first_request_funcs = []
        self.teardown_appcontext_funcs: list[Any] = []
        self.shell_context_processors = []
        self.template_context_processors[None].append(_variables)
        self.blueprints = {}
        #: The blueprints that were registered by import name and have not been imported.
        self.late_blueprints = LateBlueprints()
        #: A place for the state of extensions, by their names.
        self.extensions: dict[str, Any] = {}
        self.subdomain_matching = subdomain_matching
        self.url_map = self.url_map_class(host_matching=host_matching)
        self._got_first_request = False
        self._in_first_request = False
        self._first_request_lock = RLock()
        if self.has_static_folder:
            self._serve_static_files(static_host)

    def _serve_static_files(self, static_host: str | None) -> None:
        if (static_host is not None) != self.url_map.host_matching:
            raise SetupError(
                "static_host and host_matching go together: give both, or static_folder=None for an application with"
                " host_matching that serves no static files"
            )
        # Weak, so that an application that nobody uses any more is freed at once.
        this = weakref.ref(self)
        self.add_url_rule(
            f"{self.static_url_path}/<path:filename>", endpoint="static", host=static_host,
            view_func=lambda **values: this().send_static_file(**values),  # type: ignore[union-attr]
        )  # fmt: skip

    def _check_setup_finished(self, f_name: str) -> None:
        if self._got_first_request and (self.compat.late_setup_refused or self.debug) and not registering.get():
            raise SetupError(
                f"A setup function was called too late: the setup method {f_name!r} would have no consistent effect"
                f" now that the application {self.name!r} has handled its first request. Call it while the application"
                " is set up, and import the modules that do before the server starts"
            )

    # -- names and settings --------------------------------------------------------------------------------------

    @Aside
    def name(self) -> str:
        """The name for messages: the import name, or for a program the name of its file. May be assigned."""
        if self.import_name != "__main__":
            return self.import_name
        filename = getattr(sys.modules.get("__main__"), "__file__", None)
        return self.import_name if filename is None else os.path.splitext(os.path.basename(filename))[0]

    @property
    def static_path(self) -> str | None:
        """Another name of static_url_path."""
        return self.static_url_path

    @static_path.setter
    def static_path(self, value: str | None) -> None:
        self.static_url_path = value

    @property
    def debug(self) -> bool:
        """The debug flag: DEBUG of the configuration."""
        return self.config["DEBUG"]  # type: ignore[no-any-return]

    @debug.setter
    def debug(self, value: bool) -> None:
        self.config["DEBUG"] = value
        if "jinja_env" in self.__dict__ and self.config.get("TEMPLATES_AUTO_RELOAD") is None:
            self.jinja_env.auto_reload = bool(value) or self.compat.templates_always_reload

    @property
    def logger_name(self) -> str:
        """The name of the documented logger: LOGGER_NAME of the configuration, or the import name."""
        return self.config.get("LOGGER_NAME") or self.import_name

    @logger_name.setter
    def logger_name(self, value: str) -> None:
        self.config["LOGGER_NAME"] = value

    @property
    def logger(self) -> Any:
        """The logger of the application, a :class:`logging.Logger`; see :mod:`microflask.logging`."""
        wanted = self.logger_name if self.compat.logger_by_import_name else self.name
        known = beside(self)
        logger = known.get("logger")
        if logger is None or (logger.name != wanted and "assigned_logger" not in known):
            from .logging import create_logger

            logger = known["logger"] = create_logger(self)
        return logger

    @logger.setter
    def logger(self, value: Any) -> None:
        known = beside(self)
        known["logger"] = known["assigned_logger"] = value

    @property
    def propagate_exceptions(self) -> bool:
        """PROPAGATE_EXCEPTIONS of the configuration; while that is None, whether testing or debugging."""
        value = self.config["PROPAGATE_EXCEPTIONS"]
        return self.testing or self.debug if value is None else value

    @property
    def preserve_context_on_exception(self) -> bool:
        """PRESERVE_CONTEXT_ON_EXCEPTION of the configuration; while that is None, the debug flag if compat says so."""
        value = self.config.get("PRESERVE_CONTEXT_ON_EXCEPTION")
        return self.compat.preserve_follows_debug and self.debug if value is None else value

    @property
    def got_first_request(self) -> bool:
        """Whether a request has come in."""
        return self._got_first_request or self._in_first_request

    def _deprecate(self, advice: str, level: int = 3) -> None:
        """Warn, where an application wants that, of what Flask 0.10 called deprecated."""
        if self.compat.warns_of_deprecations:
            warn(advice, DeprecationWarning, stacklevel=level)

    @property
    def modules(self) -> dict[str, Blueprint]:
        """Another name of blueprints."""
        self._deprecate("app.modules holds the blueprints: use app.blueprints")
        return self.blueprints

    @property
    def error_handlers(self) -> Any:
        """The application's own part of error_handler_spec."""
        self._deprecate("app.error_handlers is a part of app.error_handler_spec: use that")
        return self.error_handler_spec[None]

    @property
    def request_globals_class(self) -> type[Any]:
        """Another name of app_ctx_globals_class."""
        return self.app_ctx_globals_class

    @request_globals_class.setter
    def request_globals_class(self, value: type[Any]) -> None:
        self._deprecate("app.request_globals_class is called app.app_ctx_globals_class")
        self.app_ctx_globals_class = value

    def make_config(self, instance_relative: bool = False) -> Config:
        """Return the configuration the application starts with.

        :param instance_relative: whether file names count from the instance path
        """
        defaults = dict(self.compat.default_config)
        if type(self).default_config is not App.default_config:
            known = App.default_config
            own = {key: value for key, value in self.default_config.items() if known.get(key, _UNSET) != value}
            defaults |= own
        if self.compat.debug_from_environment and get_debug_flag():
            defaults["DEBUG"] = True
        if self.compat.logger_by_import_name and defaults.get("LOGGER_NAME") is None:
            defaults["LOGGER_NAME"] = self.import_name
        return self.config_class(self.instance_path if instance_relative else self.root_path, defaults)

    def make_aborter(self) -> Aborter:
        """Return what :func:`abort` calls."""
        return self.aborter_class()

    def auto_find_instance_path(self) -> str:
        """Return the folder `instance` beside the package, or ``var/NAME-instance`` when it is installed."""
        return auto_instance_path(self.import_name, self.name)

    def open_instance_resource(
        self, resource: str, mode: str = "rb", encoding: str | None = "utf-8"
    ) -> IO[Any]:
        """Open a file of the instance folder, for reading or writing.

        :param encoding: of the text modes
        """
        return open_instance_resource(self.instance_path, resource, mode, encoding)

    # -- templates -----------------------------------------------------------------------------------------------

    @cached_property
    def jinja_env(self) -> Any:
        """The Jinja2 environment, made at the first look."""
        return self.create_jinja_environment()

    def create_jinja_environment(self) -> Any:
        """Return a Jinja2 environment with the application's options, loaders and globals."""
        from .templating import make_environment

        return make_environment(self)

    def create_global_jinja_loader(self) -> Any:
        """Return the loader that asks the application's and the blueprints' loaders in turn."""
        from .templating import DispatchingJinjaLoader

        return DispatchingJinjaLoader(self)

    def init_jinja_globals(self) -> None:
        """Do nothing; before Flask 0.7 it filled the globals of the environment."""

    def select_jinja_autoescape(self, filename: str | None) -> bool:
        """Tell whether a template's output is escaped, by its name; None is a template given as text."""
        if filename is None:
            return self._escape_string_templates
        return filename.endswith(self.compat.escaped_suffixes)

    @cached_property
    def _escape_string_templates(self) -> bool:
        if not self.compat.escape_string_templates:
            import warnings

            warnings.warn(
                f"render_template_string() of the application {self.name!r} does not escape what it inserts, as Flask"
                f" 0.10 did not (compat={self.compat.name!r}): escape values with |e, or use template files",
                UserWarning, stacklevel=2,
            )  # fmt: skip
        return self.compat.escape_string_templates

    def update_template_context(self, context: dict[str, Any]) -> None:
        """Add request, session, g and what the context processors return; `context` itself wins over them."""
        from .templating import fill_context

        fill_context(self, context)

    def add_template_filter(self, f: TemplateFilterCallable, name: str | None = None) -> None:
        """Register a filter; by the function's name unless given one."""
        self._add_to_templates("filters", f, name)

    def add_template_test(self, f: TemplateTestCallable, name: str | None = None) -> None:
        """Register a test; by the function's name unless given one."""
        self._add_to_templates("tests", f, name)

    def add_template_global(self, f: TemplateGlobalCallable, name: str | None = None) -> None:
        """Register a function that templates may call; by its own name unless given one."""
        self._add_to_templates("globals", f, name)

    def _add_to_templates(self, registry: str, f: Callable[..., Any], name: str | None) -> None:
        self._check_setup_finished(f"add_template_{registry[:-1]}")
        getattr(self.jinja_env, registry)[name or endpoint_of(f)] = f

    @overload
    def template_filter(self, name: Filter) -> Filter: ...
    @overload
    def template_filter(self, name: str | None = None) -> Callable[[Filter], Filter]: ...
    @setupmethod
    def template_filter(self, name: Any = None) -> Any:
        """Register the decorated function as a filter."""
        return self._template_decorator(self.add_template_filter, name)

    @overload
    def template_test(self, name: Test) -> Test: ...
    @overload
    def template_test(self, name: str | None = None) -> Callable[[Test], Test]: ...
    @setupmethod
    def template_test(self, name: Any = None) -> Any:
        """Register the decorated function as a test."""
        return self._template_decorator(self.add_template_test, name)

    @overload
    def template_global(self, name: Global) -> Global: ...
    @overload
    def template_global(self, name: str | None = None) -> Callable[[Global], Global]: ...
    @setupmethod
    def template_global(self, name: Any = None) -> Any:
        """Register the decorated function for templates to call."""
        return self._template_decorator(self.add_template_global, name)

    # -- set-up --------------------------------------------------------------------------------------------------

    @setupmethod
    def register_blueprint(self, blueprint: Blueprint | str, **options: Any) -> None:
        """Register a blueprint.

        By its import name, it is imported at the first request whose path begins with the `url_prefix` given here
        (with none given: at the first request), or when a URL for an endpoint that is not known is built. Only then
        does the application know its rules, templates and commands, and what it registers for the whole application.
        :meth:`preload_views` imports it before. A failure to import comes out of each request that needs it.

        :param blueprint: the blueprint, or its import name, e.g. ``yourapplication.admin:bp``
        :param options: url_prefix, subdomain, url_defaults, name and cli_group replace the blueprint's own
        :raises ValueError: its name is taken, or is none; or the import name has no dot or colon
        """
        if isinstance(blueprint, str):
            self.late_blueprints.append(LateBlueprint(blueprint, options))
            # Requests have to look at it again.
            self._plain_version = object()
        else:
            blueprint.register(self, options)

    @setupmethod
    def register_module(self, module: Module, **options: Any) -> None:
        """Register a Module, the documented predecessor of blueprints.

        :param options: replace what the module was made with
        :raises RuntimeError: enable_modules is off
        """
        if not self.enable_modules:
            raise RuntimeError(
                f"modules are switched off for {self.name!r}: set enable_modules, or make {module.name!r} a Blueprint"
            )
        from .module import Module

        self._deprecate("register_module(): Modules are deprecated, make it a Blueprint", 4)
        if not isinstance(module, Module):
            raise SetupError(f"{module!r} is no Module: use register_blueprint()")
        self.register_blueprint(module, **options)

    def iter_blueprints(self) -> ValuesView[Blueprint]:
        """Return the registered blueprints in order of their registration."""
        return self.blueprints.values()

    @setupmethod
    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: RouteCallable | str | None = None,
        provide_automatic_options: bool | None = None, **options: Any,
    ) -> None:  # fmt: skip
        """Connect a URL rule with an endpoint and, when given, the endpoint with a view.

        :param rule: the rule, e.g. ``/user/<int:id>``
        :param endpoint: the view's name unless given
        :param view_func: the view, or the import name of one that is imported at its first request
        :param provide_automatic_options: whether OPTIONS is answered for the view; decided by it, and by
            PROVIDE_AUTOMATIC_OPTIONS, unless given
        :param options: what werkzeug's rule takes; `methods` lists the HTTP methods, GET unless given
        :raises SetupError: the endpoint has another view
        """
        view = self._resolve_view(endpoint, view_func)
        if endpoint is None:
            endpoint = endpoint_of(view)
        known = self.view_functions.get(endpoint)
        if known is not None and view is not None and known != view:
            raise SetupError(
                f"{view!r} would be overwriting an existing endpoint function: {endpoint} has the view {known!r}; give"
                " one of them another endpoint (with decorated views: keep their names, with functools.wraps)"
            )
        given = options.pop("methods", None)
        if isinstance(given, str):
            raise TypeError(f"methods={given!r} is a text: write a list, as in methods=[{given!r}]")
        if given is None:
            given = getattr(view, "methods", None) or ("GET",)
        methods = {method.upper() for method in given}
        if provide_automatic_options is None:
            provide_automatic_options = getattr(view, "provide_automatic_options", None)
        if provide_automatic_options is None:
            provide_automatic_options = "OPTIONS" not in methods and self.config.get("PROVIDE_AUTOMATIC_OPTIONS", True)
        if provide_automatic_options:
            methods.add("OPTIONS")
        methods.update(getattr(view, "required_methods", ()))
        kind = self.url_rule_class
        # Rules of our own class that are given the same frozen set share it.
        url_rule = kind(rule, methods=frozenset(methods) if kind is Rule else methods, endpoint=endpoint, **options)
        url_rule.provide_automatic_options = provide_automatic_options  # type: ignore[attr-defined]
        self.url_map.add(url_rule)
        if view is not None:
            self.view_functions[endpoint] = view

    @setupmethod
    def before_first_request(self, f: First) -> First:
        """Call `f` once, before the first request."""
        self.before_first_request_funcs.append(f)
        return f

    @setupmethod
    def teardown_appcontext(self, f: Teardown) -> Teardown:
        """Call `f` when an application context ends, with the exception that ended it, or None."""
        self.teardown_appcontext_funcs.append(f)
        return f

    @setupmethod
    def shell_context_processor(self, f: Shell) -> Shell:
        """Add what `f` returns to the names in the shell."""
        self.shell_context_processors.append(f)
        return f

    def make_shell_context(self) -> dict[str, Any]:
        """Return the names that the shell starts with."""
        from .globals import g

        names: dict[str, Any] = {"app": self, "g": g}
        for processor in self.shell_context_processors:
            names.update(processor())
        return names


def _variables() -> dict[str, Any]:
    """Return the variables of every template; jinja2 is not needed before there is one."""
    from .templating import _default_template_ctx_processor

    return _default_template_ctx_processor()
