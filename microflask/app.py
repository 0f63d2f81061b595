"""The application object: its configuration, what it makes, and the life of a request."""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, ValuesView
from datetime import timedelta
from functools import cached_property
from threading import Lock
from typing import IO, Any, ClassVar, TypeVar, overload
from urllib.parse import quote

from werkzeug.datastructures import ImmutableDict
from werkzeug.exceptions import Aborter, BadRequest, BadRequestKeyError, HTTPException, InternalServerError
from werkzeug.routing import BuildError, RequestRedirect, RoutingException
from werkzeug.routing import Map as MapBase
from werkzeug.routing import Rule as RuleBase
from werkzeug.utils import redirect as make_redirect

from . import errors, loops, responses
from .blueprints import Blueprint
from .compat import DOCUMENTED, Compat, default_compat, documented_signature, get_compat
from .config import Config, ConfigAttribute
from .ctx import AppContext, RequestContext, _AppCtxGlobals
from .globals import _current, find_request_ctx
from .helpers import get_debug_flag
from .json.provider import DefaultJSONProvider, JSONDecoder, JSONEncoder, JSONProvider
from .module import Module
from .resources import auto_instance_path, open_instance_resource
from .routing import Map, RequestAdapter, Rule
from .scaffold import Scaffold, endpoint_of, setupmethod
from .sessions import SecureCookieSessionInterface, SessionInterface
from .signals import appcontext_tearing_down, got_request_exception, request_finished, request_started
from .signals import request_tearing_down
from .typing import (
    BeforeFirstRequestCallable,
    RouteCallable,
    ShellContextProcessorCallable,
    TeardownCallable,
    TemplateFilterCallable,
    TemplateGlobalCallable,
    TemplateTestCallable,
)
from .wrappers import Request, Response, blueprint_chain

First = TypeVar("First", bound=BeforeFirstRequestCallable)
Teardown = TypeVar("Teardown", bound=TeardownCallable)
Shell = TypeVar("Shell", bound=ShellContextProcessorCallable)
F = TypeVar("F", bound=Callable[..., Any])

_UNSET: Any = object()
_RULE = "-" * 80
_SAFE_IN_ANCHOR = "%!#$&'()*+,/:;=?@"


def _as_timedelta(value: Any) -> timedelta:
    return value if isinstance(value, timedelta) else timedelta(seconds=value)


class SetupError(AssertionError):
    """The application was set up in a way, or at a time, that it cannot work with."""


class Flask(Scaffold):
    """Be a WSGI application and the registry of its views, rules, templates and settings.

    :param import_name: the module or package of the application, usually ``__name__``
    :param static_path: another name of `static_url_path`
    :param static_url_path: where static files are served; the name of their folder unless given
    :param static_folder: the folder of static files, relative to the root path
    :param template_folder: the folder of templates, relative to the root path
    :param instance_path: the folder for files of this installation; found beside the package unless given
    :param instance_relative_config: whether file names for the configuration count from there
    :param root_path: the folder that relative names count from; found by the import name unless given
    :param static_host: the host that serves the static files, with `host_matching`
    :param host_matching: whether rules are for hosts
    :param subdomain_matching: whether rules may be for subdomains of SERVER_NAME
    :param compat: "documented", "0.10", "3.1" or a row of your own, see :mod:`microflask.compat`; it also says in which
        order arguments come by position
    """

    request_class: type[Request] = Request
    response_class: type[Response] = Response
    #: The class of the Jinja2 environment; None: :class:`microflask.templating.Environment`.
    jinja_environment: Any = None
    #: The class of :data:`g`.
    app_ctx_globals_class: type[Any] = _AppCtxGlobals
    config_class: type[Config] = Config
    aborter_class: type[Aborter] = Aborter
    json_provider_class: type[JSONProvider] = DefaultJSONProvider
    json_encoder: type[Any] | None = JSONEncoder
    json_decoder: type[Any] | None = JSONDecoder
    url_rule_class: type[RuleBase] = Rule
    url_map_class: type[MapBase] = Map
    session_interface: SessionInterface = SecureCookieSessionInterface()
    #: The class of :meth:`test_client`; None: :class:`microflask.testing.FlaskClient`.
    test_client_class: Any = None
    #: The class of :meth:`test_cli_runner`; None: :class:`microflask.testing.FlaskCliRunner`.
    test_cli_runner_class: Any = None
    #: Whether :meth:`register_module` works.
    enable_modules = True
    #: The format of log messages in debug mode.
    debug_log_format = f"{_RULE}\n%(levelname)s in %(module)s [%(pathname)s:%(lineno)d]:\n%(message)s\n{_RULE}"
    #: What the configuration holds at first; other values for some rows of :mod:`microflask.compat`.
    default_config: ClassVar[Any] = ImmutableDict(DOCUMENTED.default_config)
    #: Options of the Jinja2 environment. The two extensions are part of Jinja2 by now and dropped when it is made.
    jinja_options: Any = ImmutableDict(extensions=["jinja2.ext.autoescape", "jinja2.ext.with_"])
    #: Called like the functions of url_build_error_handlers, with the values as keyword arguments; or None.
    build_error_handler: Callable[..., str] | None = None

    testing = ConfigAttribute[bool]("TESTING")
    secret_key = ConfigAttribute[str | bytes | None]("SECRET_KEY")
    session_cookie_name = ConfigAttribute[str]("SESSION_COOKIE_NAME")
    permanent_session_lifetime = ConfigAttribute[timedelta]("PERMANENT_SESSION_LIFETIME", _as_timedelta)
    use_x_sendfile = ConfigAttribute[bool]("USE_X_SENDFILE")

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
        self._set_up(import_name, **self._by_name(args, options))

    __init__.__signature__ = documented_signature(  # type: ignore[attr-defined]
        "self, import_name, static_path=None, static_url_path=None, static_folder='static',"
        " template_folder='templates', instance_path=None, instance_relative_config=False",
        root_path=None, static_host=None, host_matching=False, subdomain_matching=False, compat=None,
    )  # fmt: skip

    def _by_name(self, args: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of the constructor by name.

        :raises TypeError: there are too many, or one is given twice
        """
        positions = self.compat.application_positions
        if len(args) > len(positions):
            raise TypeError(
                f"{type(self).__name__}() takes {len(positions) + 1} positional arguments with"
                f" compat={self.compat.name!r}, {len(args) + 1} were given"
            )
        named = dict(zip(positions, args, strict=False))
        if twice := sorted(named.keys() & options.keys()):
            raise TypeError(f"{type(self).__name__}() got {', '.join(twice)} by position and by name")
        named |= options
        static_path = named.pop("static_path", None)
        if named.get("static_url_path") is None:
            named["static_url_path"] = static_path
        return named

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
            raise ValueError(f"instance_path={instance_path!r} is relative: give an absolute path")
        #: The absolute path of the instance folder.
        self.instance_path = instance_path
        self.config = self.make_config(instance_relative_config)
        self.aborter = self.make_aborter()
        self.json: JSONProvider = self.json_provider_class(self)
        #: Called with error, endpoint and values when url_for() fails, until one returns a URL.
        self.url_build_error_handlers: list[Callable[[BuildError, str, dict[str, Any]], str | None]] = []
        self.before_first_request_funcs: list[Any] = []
        self.teardown_appcontext_funcs: list[Any] = []
        self.shell_context_processors: list[Any] = []
        self.template_context_processors[None].append(_variables)
        #: name -> registered blueprint
        self.blueprints: dict[str, Blueprint] = {}
        #: A place for the state of extensions, by their names.
        self.extensions: dict[str, Any] = {}
        self.url_map = self.url_map_class(host_matching=host_matching)
        self.subdomain_matching = subdomain_matching
        self._got_first_request = False
        self._first_request_lock = Lock()
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
            f"{self.static_url_path}/<path:filename>", "static", host=static_host,
            view_func=lambda **values: this().send_static_file(**values),  # type: ignore[union-attr]
        )  # fmt: skip

    def _check_setup_finished(self, f_name: str) -> None:
        if self._got_first_request and (self.compat.late_setup_refused or self.debug):
            raise SetupError(
                f"{f_name}() was called after the application {self.name!r} had handled its first request, and would"
                " have no consistent effect: call it while the application is set up, and import the modules that do"
                " before the server starts"
            )

    # -- names and settings --------------------------------------------------------------------------------------

    @cached_property
    def name(self) -> str:  # type: ignore[override]
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
        logger = self.__dict__.get("_logger")
        if logger is None or logger.name != wanted:
            from .logging import create_logger

            logger = self.__dict__["_logger"] = create_logger(self)
        return logger

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
        return self._got_first_request

    def make_config(self, instance_relative: bool = False) -> Config:
        """Return the configuration the application starts with.

        :param instance_relative: whether file names count from the instance path
        """
        defaults = dict(self.compat.default_config)
        if type(self).default_config is not Flask.default_config:
            known = Flask.default_config
            own = {key: value for key, value in self.default_config.items() if known.get(key, _UNSET) != value}
            defaults |= own
        if self.compat.debug_from_environment and get_debug_flag():
            defaults["DEBUG"] = True
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
        from . import globals as names
        from .helpers import get_flashed_messages
        from .templating import Environment

        options = dict(self.jinja_options)
        options.setdefault("autoescape", self.select_jinja_autoescape)
        if "auto_reload" not in options:
            chosen = self.config.get("TEMPLATES_AUTO_RELOAD")
            options["auto_reload"] = self.debug or self.compat.templates_always_reload if chosen is None else chosen
        environment = (self.jinja_environment or Environment)(self, **options)
        environment.globals.update(
            url_for=self.url_for, get_flashed_messages=get_flashed_messages, config=self.config,
            request=names.request, session=names.session, g=names.g,
        )  # fmt: skip
        environment.policies["json.dumps_function"] = self.json.dumps
        return environment

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
        ctx = find_request_ctx()
        blueprints = () if ctx is None else reversed(ctx.request.blueprints)
        given = dict(context)
        for name in (None, *blueprints):
            for processor in self.template_context_processors.get(name, ()):
                context.update(self.ensure_sync(processor)())
        context.update(given)

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

    def _template_decorator(self, add: Callable[[Any, str | None], None], name: Any) -> Any:
        if callable(name):
            add(name, None)
            return name

        def register(f: F) -> F:
            add(f, name)
            return f

        return register

    def template_filter(self, name: Any = None) -> Any:
        """Register the decorated function as a filter."""
        return self._template_decorator(self.add_template_filter, name)

    def template_test(self, name: Any = None) -> Any:
        """Register the decorated function as a test."""
        return self._template_decorator(self.add_template_test, name)

    def template_global(self, name: Any = None) -> Any:
        """Register the decorated function for templates to call."""
        return self._template_decorator(self.add_template_global, name)

    # -- set-up --------------------------------------------------------------------------------------------------

    @setupmethod
    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Register a blueprint.

        :param options: url_prefix, subdomain, url_defaults, name and cli_group replace the blueprint's own
        :raises ValueError: its name is taken, or is none
        """
        blueprint.register(self, options)

    @setupmethod
    def register_module(self, module: Module, **options: Any) -> None:
        """Register a Module, the documented predecessor of blueprints.

        :param options: replace what the module was made with
        :raises RuntimeError: enable_modules is off
        """
        if not self.enable_modules:
            raise RuntimeError(
                f"modules are switched off for {self.name!r}: set enable_modules, or make a Blueprint of {module.name!r}"
            )
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
                f"the endpoint {endpoint!r} has the view {known!r} already and cannot have {view!r} as well: give one"
                " of them another endpoint (with decorated views: keep their names, with functools.wraps)"
            )
        given = options.pop("methods", None)
        if isinstance(given, str):
            raise TypeError(f"methods={given!r} is a text: write a list, as in methods=[{given!r}]")
        methods = {method.upper() for method in (given or getattr(view, "methods", None) or ("GET",))}
        if provide_automatic_options is None:
            provide_automatic_options = getattr(view, "provide_automatic_options", None)
        if provide_automatic_options is None:
            provide_automatic_options = "OPTIONS" not in methods and self.config.get("PROVIDE_AUTOMATIC_OPTIONS", True)
        if provide_automatic_options:
            methods.add("OPTIONS")
        methods.update(getattr(view, "required_methods", ()))
        url_rule = self.url_rule_class(rule, methods=methods, endpoint=endpoint, **options)
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

    # -- URLs ----------------------------------------------------------------------------------------------------

    def create_url_adapter(self, request: Request | None) -> Any:
        """Return what matches and builds URLs for a request, or for none; None where the server name is not known.

        :raises SecurityError: the request's host is none of TRUSTED_HOSTS
        """
        server_name = self.config["SERVER_NAME"]
        if request is None:
            if server_name is None:
                return None
            return self.url_map.bind(
                server_name, script_name=self.config["APPLICATION_ROOT"] or "/",
                url_scheme=self.config["PREFERRED_URL_SCHEME"],
            )  # fmt: skip
        trusted = self.config.get("TRUSTED_HOSTS")
        if trusted:
            request.trusted_hosts = trusted
            request.host  # noqa: B018 - it is checked when looked at
        subdomain = None
        if self.url_map.host_matching:
            server_name = None
        elif not (self.subdomain_matching or (server_name and self.compat.server_name_implies_subdomains)):
            subdomain = self.url_map.default_subdomain or ""
        if isinstance(self.url_map, Map):
            return RequestAdapter(self.url_map, request.environ, server_name, subdomain)
        return self.url_map.bind_to_environ(request.environ, server_name=server_name, subdomain=subdomain)

    def url_for(
        self, /, endpoint: str, *, _anchor: str | None = None, _method: str | None = None,
        _scheme: str | None = None, _external: bool | None = None, **values: Any,
    ) -> str:  # fmt: skip
        """Return the URL of an endpoint; see :func:`microflask.url_for`."""
        frame = _current.get()
        ctx = None if frame is None else frame[1]
        if ctx is not None:
            adapter = ctx.url_adapter
            endpoint = self._local_endpoint(endpoint, ctx.request)
            if _external is None:
                _external = _scheme is not None and self.compat.scheme_implies_external
        else:
            same = frame is not None and frame[0].app is self
            adapter = frame[0].app_context.url_adapter if same else self.create_url_adapter(None)  # type: ignore[index]
            if _external is None:
                _external = True
        if adapter is None:
            raise RuntimeError(
                f"url_for({endpoint!r}) needs a current request, or SERVER_NAME (and APPLICATION_ROOT,"
                " PREFERRED_URL_SCHEME) in the configuration: nothing else here tells the host"
            )
        if _scheme is not None and not _external:
            raise ValueError(f"url_for(_scheme={_scheme!r}) makes an absolute URL: add _external=True")
        self.inject_url_defaults(endpoint, values)
        try:
            url = adapter.build(endpoint, values, method=_method, url_scheme=_scheme, force_external=_external)
        except BuildError as error:
            values.update(_anchor=_anchor, _method=_method, _scheme=_scheme, _external=_external)
            return self.handle_url_build_error(error, endpoint, values)
        return url if _anchor is None else f"{url}#{quote(_anchor, safe=_SAFE_IN_ANCHOR)}"  # type: ignore[no-any-return]

    @staticmethod
    def _local_endpoint(endpoint: str, request: Any) -> str:
        """Return the endpoint that is meant in the blueprint, or Module, of the request."""
        if endpoint[:1] == ".":
            return f"{request.blueprint}{endpoint}" if request.blueprint else endpoint[1:]
        if "." not in endpoint and (url_rule := request.url_rule) is not None and "." in url_rule.endpoint:
            module = request.module
            return endpoint if module is None else f"{module}.{endpoint}"
        return endpoint

    def inject_url_defaults(self, endpoint: str, values: dict[str, Any]) -> None:
        """Let the functions of url_defaults() add to the values that a URL is built with."""
        registry = self.url_default_functions
        if not registry:
            return
        blueprint = endpoint.rpartition(".")[0]
        for name in (None, *reversed(blueprint_chain(blueprint) if blueprint else ())):
            for function in registry.get(name, ()):
                function(endpoint, values)

    def handle_url_build_error(self, error: BuildError, endpoint: str, values: dict[str, Any]) -> str:
        """Return the URL that one of the build error handlers knows.

        :raises werkzeug.routing.BuildError: none does
        """
        for handler in self.url_build_error_handlers:
            try:
                url = handler(error, endpoint, values)
            except BuildError as raised:
                error = raised
            else:
                if url is not None:
                    return url
        if self.build_error_handler is not None:
            return self.build_error_handler(error, endpoint, **values)
        raise error

    def redirect(self, location: str, code: int = 302) -> Any:
        """Return a response that sends the client to another URL; :func:`microflask.redirect` calls it."""
        return make_redirect(location, code=code, Response=self.response_class)

    # -- sessions ------------------------------------------------------------------------------------------------

    def open_session(self, request: Request) -> Any:
        """Return the session of a request, or None; replace session_interface rather than overriding this."""
        return self.session_interface.open_session(self, request)  # type: ignore[arg-type]

    def save_session(self, session: Any, response: Response) -> None:
        """Store a session with the response; replace session_interface rather than overriding this."""
        self.session_interface.save_session(self, session, response)  # type: ignore[arg-type]

    def make_null_session(self) -> Any:
        """Return what stands for the session when there is none; replace session_interface instead."""
        return self.session_interface.make_null_session(self)  # type: ignore[arg-type]

    # -- contexts ------------------------------------------------------------------------------------------------

    def app_context(self) -> AppContext:
        """Return a context that binds the application, for use in a ``with`` statement."""
        return AppContext(self)  # type: ignore[arg-type]

    def request_context(self, environ: dict[str, Any]) -> RequestContext:
        """Return a context for the request of a WSGI environ, for use in a ``with`` statement."""
        return RequestContext(self, environ)  # type: ignore[arg-type]

    def test_request_context(self, *args: Any, **kwargs: Any) -> RequestContext:
        """Return a context for a request made of the arguments of :class:`microflask.testing.EnvironBuilder`."""
        from .testing import EnvironBuilder

        builder = EnvironBuilder(self, *args, **kwargs)
        try:
            environ = builder.get_environ()
        finally:
            builder.close()
        return self.request_context(environ)

    def test_client(self, use_cookies: bool = True, **kwargs: Any) -> Any:
        """Return a client that sends requests to the application without a server.

        :param kwargs: for the client's class, see test_client_class
        """
        kind = self.test_client_class
        if kind is None:
            from .testing import FlaskClient as kind
        return kind(self, self.response_class, use_cookies=use_cookies, **kwargs)

    def test_cli_runner(self, **kwargs: Any) -> Any:
        """Return a runner for the application's commands.

        :param kwargs: for the runner's class, see test_cli_runner_class
        """
        kind = self.test_cli_runner_class
        if kind is None:
            from .commands import FlaskCliRunner as kind
        return kind(self, **kwargs)

    # -- the life of a request -----------------------------------------------------------------------------------

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Be the WSGI application that servers call; middleware goes around :attr:`wsgi_app`."""
        return self.wsgi_app(environ, start_response)

    def wsgi_app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Handle one request; assign to it what middleware makes of it.

        :param environ: the WSGI environ
        :param start_response: takes a status line and a list of headers
        """
        ctx = self.request_context(environ)
        error: BaseException | None = None
        try:
            try:
                ctx.push()
                response = self.full_dispatch_request()
            except Exception as raised:
                error = raised
                response = self.handle_exception(raised)
            return response(environ, start_response)
        except BaseException as raised:
            error = raised
            raise
        finally:
            if ctx._tokens is not None:
                self._end(ctx, environ, error)

    def _end(self, ctx: RequestContext, environ: dict[str, Any], error: BaseException | None) -> None:
        if "werkzeug.debug.preserve_context" in environ:
            # The debugger enters the context again while somebody looks at it.
            environ["werkzeug.debug.preserve_context"](ctx)
        if error is not None and self.should_ignore_error(error):
            error = None
        ctx.auto_pop(error)

    def full_dispatch_request(self) -> Response:
        """Handle the current request, with what is registered before and after it, and its errors."""
        if not self._got_first_request:
            self._start_first_request()
        try:
            if request_started.receivers:
                request_started.send(self, _async_wrapper=self.ensure_sync)
            value = self.preprocess_request()
            if value is None:
                value = self.dispatch_request()
        except Exception as error:
            value = self.handle_user_exception(error)
        return self.finalize_request(value)

    def _start_first_request(self) -> None:
        with self._first_request_lock:
            if not self._got_first_request:
                for function in self.before_first_request_funcs:
                    self.ensure_sync(function)()
                self._got_first_request = True

    def preprocess_request(self) -> Any:
        """Run the URL value preprocessors and the functions before the request; return the first value of these."""
        if not (self.before_request_funcs or self.url_value_preprocessors):
            return None
        request = find_request_ctx().request  # type: ignore[union-attr]
        names = (None, *reversed(request.blueprints))
        for name in names:
            for preprocess in self.url_value_preprocessors.get(name, ()):
                preprocess(request.endpoint, request.view_args)
        for name in names:
            for function in self.before_request_funcs.get(name, ()):
                value = self.ensure_sync(function)()
                if value is not None:
                    return value
        return None

    def dispatch_request(self) -> Any:
        """Return what the view for the current request returns.

        :raises HTTPException: nothing matched
        """
        request = find_request_ctx().request  # type: ignore[union-attr]
        if request.routing_exception is not None:
            self.raise_routing_exception(request)
        rule = request.url_rule
        if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
            return self.make_default_options_response()
        view = self.view_functions.get(rule.endpoint)
        if view is None:
            raise SetupError(
                f"the endpoint {rule.endpoint!r} of the rule {rule.rule!r} has no view: register one for it in"
                " view_functions, or with endpoint()"
            )
        return self.ensure_sync(view)(**request.view_args)

    def raise_routing_exception(self, request: Request) -> Any:
        """Raise what matching failed with; in debug mode a redirect that loses a form is an error of its own."""
        error: Any = request.routing_exception
        loses_form = isinstance(error, RequestRedirect) and error.code not in {307, 308}
        if self.debug and loses_form and request.method not in {"GET", "HEAD", "OPTIONS"}:
            from .debughelpers import FormDataRoutingRedirect

            raise FormDataRoutingRedirect(request)
        raise error

    def make_default_options_response(self) -> Response:
        """Return the answer to OPTIONS: the methods of the current URL."""
        response = self.response_class()
        response.allow.update(find_request_ctx().url_adapter.allowed_methods())  # type: ignore[union-attr]
        return response

    def make_response(self, rv: Any) -> Any:
        """Return a response object for what a view returned.

        :param rv: a response, text, bytes, dict, list, iterator, WSGI application, or a tuple of such a body with
            status and headers
        :raises TypeError: it is none of these
        """
        return responses.make_response(self, rv)

    def finalize_request(self, rv: Any, from_error_handler: bool = False) -> Response:
        """Make a response of a view's value, and let the functions after the request have it.

        :param from_error_handler: log errors on this way instead of raising them
        """
        response: Response = self.make_response(rv)
        try:
            response = self.process_response(response)
            if request_finished.receivers:
                request_finished.send(self, _async_wrapper=self.ensure_sync, response=response)
        except Exception:
            if not from_error_handler:
                raise
            self.logger.exception("a function after the request failed for the response to an error")
        return response

    def process_response(self, response: Response) -> Response:
        """Let the functions after the request have the response, in reverse order, and store the session."""
        ctx: Any = find_request_ctx()
        for function in ctx._after_request_functions:
            response = self.ensure_sync(function)(response)
        registry = self.after_request_funcs
        if registry:
            for name in (*ctx.request.blueprints, None):
                for function in reversed(registry.get(name, ())):
                    response = self.ensure_sync(function)(response)
        sessions = self.session_interface
        if ctx._session is None and sessions.needs_untouched(self, ctx.request.environ):
            ctx.open_session()
        if ctx._session is not None and not sessions.is_null_session(ctx._session):
            self.save_session(ctx._session, response)
        if self.compat.absolute_redirects:
            response.autocorrect_location_header = True
        return response

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return `func` itself, or for a coroutine function one that runs it in a loop."""
        return self.async_to_sync(func) if loops.is_coroutine_function(func) else func

    def async_to_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that runs the coroutine function `func`; override it to use another loop."""
        return loops.async_to_sync(func)

    def iterate(self, values: Any) -> Iterator[Any]:
        """Yield the values of an asynchronous iterator, whose steps run in a loop."""
        steps = aiter(values)

        async def step() -> Any:
            return await anext(steps, _UNSET)

        next_value = self.ensure_sync(step)
        while (value := next_value()) is not _UNSET:
            yield value

    # -- errors --------------------------------------------------------------------------------------------------

    def _find_error_handler(self, error: BaseException, blueprints: Iterable[str]) -> Any:
        handler = errors.find(
            self.error_handler_spec, blueprints, error, self.compat.exception_handlers_see_http_errors
        )
        return None if handler is None else self.ensure_sync(handler)

    @staticmethod
    def _current_blueprints() -> list[str]:
        ctx = find_request_ctx()
        return [] if ctx is None else ctx.request.blueprints

    def trap_http_exception(self, e: Exception) -> bool:
        """Tell whether an HTTP error is treated as any other exception, as TRAP_HTTP_EXCEPTIONS, or for a missing key
        TRAP_BAD_REQUEST_ERRORS, says."""
        if self.config["TRAP_HTTP_EXCEPTIONS"]:
            return True
        bad_requests = self.config["TRAP_BAD_REQUEST_ERRORS"]
        if bad_requests is None:
            return self.debug and isinstance(e, BadRequestKeyError)
        return bool(bad_requests) and isinstance(e, BadRequest)

    def should_ignore_error(self, error: BaseException | None) -> bool:
        """Tell whether the teardown functions shall not hear of an error; override it to ignore some."""
        return False

    def handle_http_exception(self, e: HTTPException) -> Any:
        """Return what the handler for an HTTP error returns, or the error, which is a response too."""
        if e.code is None or isinstance(e, RoutingException):
            # These are part of the routing, or carry a response of their own.
            return e
        handler = self._find_error_handler(e, self._current_blueprints())
        return e if handler is None else handler(e)

    def handle_user_exception(self, e: Exception) -> Any:
        """Return what the handler for an exception returns.

        :raises Exception: `e` itself, when there is none
        """
        if isinstance(e, BadRequestKeyError) and (self.debug or self.config["TRAP_BAD_REQUEST_ERRORS"]):
            e.show_exception = True
        if isinstance(e, HTTPException) and not self.trap_http_exception(e):
            return self.handle_http_exception(e)
        handler = self._find_error_handler(e, self._current_blueprints())
        if handler is None:
            raise e
        return handler(e)

    def handle_exception(self, e: Exception) -> Response:
        """Answer 500 for an exception that nobody handled, and log it.

        :raises Exception: `e` itself, when exceptions propagate
        """
        if got_request_exception.receivers:
            got_request_exception.send(self, _async_wrapper=self.ensure_sync, exception=e)
        if self.propagate_exceptions:
            raise e
        self.log_exception((type(e), e, e.__traceback__))
        failure: Any = InternalServerError(original_exception=e)
        handler = self._find_error_handler(failure, self._current_blueprints())
        if handler is not None:
            failure = handler(e if self.compat.original_error_to_500_handler else failure)
        return self.finalize_request(failure, from_error_handler=True)

    def log_exception(self, exc_info: Any) -> None:
        """Log an exception as an error, with its traceback.

        :param exc_info: (class, exception, traceback)
        """
        ctx = find_request_ctx()
        where = "" if ctx is None else f" on {ctx.request.path} [{ctx.request.method}]"
        self.logger.error("Exception%s", where, exc_info=exc_info)

    # -- the end -------------------------------------------------------------------------------------------------

    def do_teardown_request(self, exc: BaseException | None = _UNSET) -> None:
        """Run the teardown functions of the current request, the last registered first.

        :param exc: the exception that ended it, or None; the one being handled unless given
        """
        registry = self.teardown_request_funcs
        if not (registry or request_tearing_down.receivers):
            return
        error = sys.exc_info()[1] if exc is _UNSET else exc
        functions: list[Any] = []
        if registry:
            for name in (*self._current_blueprints(), None):
                functions += reversed(registry.get(name, ()))
        if request_tearing_down.receivers:
            functions.append(lambda exc: request_tearing_down.send(self, _async_wrapper=self.ensure_sync, exc=exc))
        self._run_all(functions, error)

    def do_teardown_appcontext(self, exc: BaseException | None = _UNSET) -> None:
        """Run the teardown functions of the application context, the last registered first.

        :param exc: the exception that ended it, or None; the one being handled unless given
        """
        if not (self.teardown_appcontext_funcs or appcontext_tearing_down.receivers):
            return
        error = sys.exc_info()[1] if exc is _UNSET else exc
        functions = [*reversed(self.teardown_appcontext_funcs)]
        if appcontext_tearing_down.receivers:
            functions.append(lambda exc: appcontext_tearing_down.send(self, _async_wrapper=self.ensure_sync, exc=exc))
        self._run_all(functions, error)

    def _run_all(self, functions: Iterable[Any], error: BaseException | None) -> None:
        """Call each function with `error`, whatever the others raise; the first exception comes out at the end."""
        first: BaseException | None = None
        for function in functions:
            try:
                self.ensure_sync(function)(error)
            except BaseException as raised:
                first = first or raised
        if first is not None:
            raise first

    # -- the development server ----------------------------------------------------------------------------------

    def run(
        self, host: str | None = None, port: int | None = None, debug: bool | None = None, load_dotenv: bool = True,
        **options: Any,
    ) -> None:  # fmt: skip
        """Run the application on the development server, which is not for production.

        :param host: the address to listen on; ``0.0.0.0`` for all; 127.0.0.1 unless given
        :param port: 5000, or the port in SERVER_NAME, unless given
        :param debug: sets the debug flag
        :param load_dotenv: whether .env files are read
        :param options: for :func:`werkzeug.serving.run_simple`
        """
        from .serving import run_application

        run_application(self, host, port, debug, load_dotenv, options)


def _variables() -> dict[str, Any]:
    """Return the variables of every template; jinja2 is not needed before there is one."""
    from .templating import _default_template_ctx_processor

    return _default_template_ctx_processor()
