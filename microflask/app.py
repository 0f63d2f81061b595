"""The application object, and the life of a request."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from importlib import import_module
from inspect import CO_COROUTINE
from types import CoroutineType, FunctionType
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import InternalServerError, NotFound
from werkzeug.routing import RequestRedirect
from werkzeug.utils import redirect as make_redirect

from . import errors, loops, responses, urls
from .assembly import App, SetupError
from .config import version_of
from .ctx import AppContext, RequestContext
from .globals import NO_REQUEST, current_frame, find_request_ctx
from .helpers import one_line
from .incoming import Request
from .late import preload
from .outgoing import Response
from .routing import Map, RequestAdapter
from .sessions import SecureCookieSessionInterface, SessionInterface
from .signals import (
    appcontext_tearing_down,
    got_request_exception,
    request_finished,
    request_started,
    request_tearing_down,
)

if TYPE_CHECKING:
    from .commands import FlaskCliRunner
    from .testing import FlaskClient

_UNSET: Any = object()
#: Requests with GET and with these methods never ask for the automatic answer to OPTIONS.
_NOT_OPTIONS = frozenset({"HEAD", "POST", "PUT", "PATCH", "DELETE"})
#: The methods that say how coroutine functions are run.
_SYNC_METHODS = ("ensure_sync", "async_to_sync")
_TEARDOWN_METHODS = ("do_teardown_request", "do_teardown_appcontext")
#: The methods by whose overriding sessions were replaced before there were session interfaces.
_SESSION_METHODS = ("open_session", "save_session", "make_null_session")


class MissingViewError(SetupError, KeyError):
    """A rule matched whose endpoint has no view."""

    __str__ = Exception.__str__


class Flask(App):
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
    :param compat: "documented", "0.10", "3.1" or a row of your own, see :mod:`microflask.compat`; it also says in
        which order arguments come by position
    """

    request_class: type[Request] = Request
    response_class: type[Response] = Response
    session_interface: SessionInterface = SecureCookieSessionInterface()
    #: The class of :meth:`test_client`; None: :class:`microflask.testing.FlaskClient`.
    test_client_class: Any = None
    #: The class of :meth:`test_cli_runner`; None: :class:`microflask.testing.FlaskCliRunner`.
    test_cli_runner_class: Any = None
    #: Called like the functions of url_build_error_handlers, with the values as keyword arguments; or None.
    build_error_handler: Callable[..., str] | None = None
    #: Whether a subclass, or somebody for this application, brought URL adapters or a map of their own.
    _own_adapters = False
    #: The version of the configuration for which _matches_plainly() said yes.
    _plain_version: object
    #: The same of the methods for sessions, which are called in every request then.
    _own_sessions = False
    #: The same of url_for() and inject_url_defaults().
    _own_urls = False
    #: The same of app_context().
    _own_contexts = False
    #: The same of raise_routing_exception().
    _own_refusals = False
    #: The same of ensure_sync() and async_to_sync(), which are asked each time then.
    _own_sync = False
    #: The same of do_teardown_request() and do_teardown_appcontext(), which are called with nothing to do then, too.
    _own_teardown = False

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

    def _matches_plainly(self) -> bool:
        """Tell whether the map needs no adapter to match: neither the server's name nor the hosts it trusts count."""
        config = self.config
        # The version first: what is found out is that of the values then, or of later ones.
        version, trusted = version_of(config), config.get("TRUSTED_HOSTS")
        subdomains = self.subdomain_matching or (
            self.compat.server_name_implies_subdomains and config["SERVER_NAME"]
        )
        plain = not (trusted or subdomains or self._own_adapters)
        if plain and trusted is None and not self.late_blueprints:
            # A list may be filled without anybody's knowing.
            self._plain_version = version
        return plain

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._own_adapters = cls.create_url_adapter is not Flask.create_url_adapter or not issubclass(
            cls.url_map_class, Map
        )
        cls._own_urls = (cls.url_for, cls.inject_url_defaults) != (Flask.url_for, Flask.inject_url_defaults)
        cls._own_contexts = cls.app_context is not Flask.app_context
        cls._own_refusals = cls.raise_routing_exception is not Flask.raise_routing_exception
        cls._own_sync = any(getattr(cls, name) is not getattr(Flask, name) for name in _SYNC_METHODS)
        cls._own_sessions = any(getattr(cls, name) is not getattr(Flask, name) for name in _SESSION_METHODS)
        cls._own_teardown = any(getattr(cls, name) is not getattr(Flask, name) for name in _TEARDOWN_METHODS)

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name in {"compat", "config", "create_url_adapter", "url_map", "subdomain_matching"}:
            if name == "create_url_adapter" or (name == "url_map" and not isinstance(value, Map)):
                self._own_adapters = True
            self._plain_version = object()
        elif name in _SESSION_METHODS:
            self._own_sessions = True
        elif name in {"inject_url_defaults", "url_for"}:
            self._own_urls = True
        elif name == "app_context":
            self._own_contexts = True
        elif name == "raise_routing_exception":
            self._own_refusals = True
        elif name in _SYNC_METHODS:
            self._own_sync = True
        elif name in _TEARDOWN_METHODS:
            self._own_teardown = True

    def url_for(
        self, /, endpoint: str, *, _anchor: str | None = None, _method: str | None = None,
        _scheme: str | None = None, _external: bool | None = None, **values: Any,
    ) -> str:  # fmt: skip
        """Return the URL of an endpoint; see :func:`microflask.url_for`."""
        return urls.build_url(self, current_frame(), endpoint, values, _anchor, _method, _scheme, _external)

    inject_url_defaults = urls.inject_url_defaults
    handle_url_build_error = urls.handle_url_build_error

    def redirect(self, location: str, code: int = 302) -> Any:
        """Return a response that sends the client to another URL; :func:`microflask.redirect` calls it."""
        return make_redirect(one_line(location), code=code, Response=self.response_class)

    def preload_views(self) -> None:
        """Import all views and blueprints that were registered by import name, e.g. before a server forks.

        :raises microflask.views.PreloadError: some cannot be imported; it names each of them, with its exception
        """
        preload(self)

    # -- sessions ------------------------------------------------------------------------------------------------

    def open_session(self, request: Request) -> Any:
        """Return the session of a request, or None; replace session_interface rather than overriding this."""
        return self.session_interface.open_session(self, request)

    def save_session(self, session: Any, response: Response) -> None:
        """Store a session with the response; replace session_interface rather than overriding this."""
        self.session_interface.save_session(self, session, response)

    def make_null_session(self) -> Any:
        """Return what stands for the session when there is none; replace session_interface instead."""
        return self.session_interface.make_null_session(self)

    # -- contexts ------------------------------------------------------------------------------------------------

    def app_context(self) -> AppContext:
        """Return a context that binds the application, for use in a ``with`` statement."""
        return AppContext(self)  # type: ignore[arg-type]

    def request_context(self, environ: dict[str, Any]) -> RequestContext:
        """Return a context for the request of a WSGI environ, for use in a ``with`` statement."""
        return RequestContext(self, environ, None, None)  # type: ignore[arg-type]

    def test_request_context(self, *args: Any, **kwargs: Any) -> RequestContext:
        """Return a context for a request made of the arguments of :class:`microflask.testing.EnvironBuilder`."""
        from .testing import EnvironBuilder

        builder = EnvironBuilder(self, *args, **kwargs)
        try:
            environ = builder.get_environ()
        finally:
            builder.close()
        ctx = self.request_context(environ)
        if self.compat.matched_before_session:
            ctx.match_request()
        return ctx

    def test_client(self, use_cookies: bool = True, **kwargs: Any) -> FlaskClient:
        """Return a client that sends requests to the application without a server.

        :param kwargs: for the client's class, see test_client_class
        """
        kind = self.test_client_class
        if kind is None:
            kind = import_module(".testing", __package__).FlaskClient
        return kind(self, self.response_class, use_cookies=use_cookies, **kwargs)  # type: ignore[no-any-return]

    def test_cli_runner(self, **kwargs: Any) -> FlaskCliRunner:
        """Return a runner for the application's commands.

        :param kwargs: for the runner's class, see test_cli_runner_class
        """
        kind = self.test_cli_runner_class
        if kind is None:
            kind = import_module(".commands", __package__).FlaskCliRunner
        return kind(self, **kwargs)  # type: ignore[no-any-return]

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
                answer = self.full_dispatch_request()
            except Exception as raised:
                error = raised
                answer = self.handle_exception(raised)
            # By its name: the interpreter enters a method of Python directly, an object through C.
            return answer.__call__(environ, start_response)
        except BaseException as raised:
            # Where the handling of an error fails, the error itself is what ended the request.
            if error is None:
                error = raised
            raise
        finally:
            if "werkzeug.debug.preserve_context" in environ:
                # The debugger enters the context again while somebody looks at it.
                environ["werkzeug.debug.preserve_context"](ctx.app_context)
                environ["werkzeug.debug.preserve_context"](ctx)
            if error is not None and self.should_ignore_error(error):
                error = None
            if ctx._tokens is None:
                pass  # Something else has ended it.
            elif error is None and "flask._preserve_context" not in environ:
                ctx.pop(None)
            else:
                ctx.auto_pop(error)
            # The traceback refers to this frame; nothing here shall refer to it.
            error = None

    def full_dispatch_request(self) -> Response:
        """Handle the current request, with what is registered before and after it, and its errors."""
        if not self._got_first_request:
            self.try_trigger_before_first_request_functions()
        try:
            if request_started.receivers:
                request_started.send(self, _async_wrapper=self.ensure_sync)
            value = self.preprocess_request()
            if value is None:
                value = self.dispatch_request()
        except Exception as error:
            value = self.handle_user_exception(error)
        return self.finalize_request(value)

    def try_trigger_before_first_request_functions(self) -> None:
        """Run the functions before the first request, unless that was done."""
        with self._first_request_lock:
            if self.got_first_request:
                # By another thread, or by this one: such a function may send a request of its own.
                return
            self._in_first_request = True
            try:
                for function in tuple(self.before_first_request_funcs):
                    self.ensure_sync(function)()
            finally:
                self._in_first_request = False
                self._got_first_request = True

    def preprocess_request(self) -> Any:
        """Run the URL value preprocessors and the functions before the request; return the first value of these."""
        before = self.before_request_funcs
        preprocessors = self.url_value_preprocessors
        if not (before or preprocessors):
            return None
        ctx: Any = current_frame()[1]  # type: ignore[index]
        if preprocessors:
            # Whose functions these are is decided now; a preprocessor may put another rule in the request.
            scopes = ctx.scopes()
            for preprocess in ctx._registered(preprocessors, scopes):
                preprocess(ctx.request.endpoint, ctx.request.view_args)
            functions = ctx._registered(before, scopes)
        else:
            functions = before.get(None, ()) if ctx._alone else ctx._registered(before, ctx.scopes())
        own_sync = self._own_sync
        for function in functions:
            value = self.ensure_sync(function)() if own_sync else function()
            if value is not None and (value := self._awaited(function, value)) is not None:
                return value
        return None

    def dispatch_request(self) -> Any:
        """Return what the view for the current request returns.

        :raises HTTPException: nothing matched
        """
        try:
            ctx: Any = current_frame()[1]  # type: ignore[index]
            match = ctx.made
        except (TypeError, AttributeError):
            raise RuntimeError(NO_REQUEST) from None
        if match is None:
            match = ctx
        if match.routing_exception is not None:
            if type(match.routing_exception) is NotFound and not self._own_refusals:
                # Nothing asks for the request that raise_routing_exception() would be called with.
                raise match.routing_exception
            self.raise_routing_exception(ctx.request)
        rule = match.url_rule
        method = ctx.environ["REQUEST_METHOD"]
        # To compare one takes a third of the time of looking for it.
        if method != "GET" and method not in _NOT_OPTIONS and self._answers_options(rule, method):
            return self.make_default_options_response()
        try:
            view = self.view_functions[rule.endpoint]
        except KeyError:
            view = None
        if view is None:
            raise MissingViewError(
                f"the endpoint {rule.endpoint!r} of the rule {rule.rule!r} has no view: register one for it in"
                " view_functions, or with endpoint()"
            )
        if self._own_sync:
            view = self.ensure_sync(view)
        values = match.view_args
        # Without the dictionary the interpreter enters the view directly.
        value = view(**values) if values else view()
        # What is no function of Python's own, e.g. one that was compiled, makes coroutines of its own kind.
        final = type(value) is str or (type(view) is FunctionType and type(value) is not CoroutineType)
        return value if final else self._awaited(view, value)

    @staticmethod
    def _answers_options(rule: Any, method: str) -> bool:
        return method.upper() == "OPTIONS" and getattr(rule, "provide_automatic_options", False)

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

    make_response = responses.make_response

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
        try:
            ctx: Any = current_frame()[1]  # type: ignore[index]
            own = ctx._after_request_functions
        except (TypeError, AttributeError):
            raise RuntimeError(NO_REQUEST) from None
        if own:
            for function in own:
                response = self.ensure_sync(function)(response)
                if response is None:
                    raise responses.no_response_after(function)
        registry = self.after_request_funcs
        if registry:
            own_sync = self._own_sync
            functions = registry.get(None, ()) if ctx._alone else ()
            # To turn a list around, or to copy it, costs more than to call a function.
            single = len(functions) == 1
            for function in functions if single else functions[::-1] or ctx._backwards(registry):
                answer = self.ensure_sync(function)(response) if own_sync else function(response)
                if answer is not response:
                    response = self._awaited(function, answer)
                    if response is None:
                        raise responses.no_response_after(function)
                if single:
                    # It may have added another one to the list.
                    break
        session = ctx._opened_session
        if session is None:
            # It was opened at the beginning, unless the interface is lazy.
            environ = ctx.environ
            if "HTTP_COOKIE" in environ and self.session_interface.needs_untouched(self, environ):
                session = ctx.open_session()
        if session is not None and not self.session_interface.is_null_session(session):
            self.save_session(session, response)
        if self.compat.absolute_redirects:
            response.autocorrect_location_header = True
        return response

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return `func` itself, or for a coroutine function one that runs it in a loop."""
        if type(func) is FunctionType and not func.__dict__ and not func.__code__.co_flags & CO_COROUTINE:
            # A plain function that carries no mark either: 0.1 microseconds instead of 1.4.
            return func
        return self.async_to_sync(func) if loops.is_coroutine_function(func) else func

    def _awaited(self, function: Callable[..., Any], value: Any) -> Any:
        """Run what a coroutine function returned; the coroutine of any other function is a value like others."""
        # To look at what came back takes half the time of asking each time what the function is.
        if isinstance(value, Coroutine) and not self._own_sync and loops.is_coroutine_function(function):
            return loops.run(value)
        return value

    def async_to_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that runs the coroutine function `func`; override it to use another loop."""
        return loops.async_to_sync(func)

    def iterate(self, values: Any) -> Iterator[Any]:
        """Yield the values of an asynchronous iterator, whose steps run in a loop."""
        steps = aiter(values)

        async def step() -> Any:
            return await anext(steps, _UNSET)

        async def end() -> None:
            await steps.aclose()

        next_value = self.ensure_sync(step)
        try:
            while (value := next_value()) is not _UNSET:
                yield value
        except GeneratorExit:
            # The client went away: what a generator has to clean up is cleaned up now.
            if hasattr(steps, "aclose"):
                self.ensure_sync(end)()
            raise

    # -- errors --------------------------------------------------------------------------------------------------

    _find_error_handler = errors.find_handler

    trap_http_exception = errors.trap_http_exception
    handle_http_exception = errors.handle_http_exception
    handle_user_exception = errors.handle_user_exception
    log_exception = errors.log_exception

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
        blueprints = errors.current_blueprints() if self.compat.blueprint_500_handlers else ()
        handler = self._find_error_handler(failure, blueprints)
        if handler is not None:
            failure = errors.call(self, handler, e if self.compat.original_error_to_500_handler else failure)
        if self.compat.unhandled_errors_finalized:
            return self.finalize_request(failure, from_error_handler=True)
        response: Response = self.make_response(failure)
        response.autocorrect_location_header = self.compat.absolute_redirects
        return response

    def should_ignore_error(self, error: BaseException | None) -> bool:
        """Tell whether the teardown functions shall not hear of an error; override it to ignore some."""
        return False

    # -- the end -------------------------------------------------------------------------------------------------

    def do_teardown_request(self, exc: BaseException | None = _UNSET) -> None:
        """Run the teardown functions of the current request, the last registered first.

        :param exc: the exception that ended it, or None; the one being handled unless given
        """
        registry = self.teardown_request_funcs
        frame = current_frame()
        ctx = None if frame is None else frame[1]
        if ctx is None or ctx._alone:
            own = registry.get(None, ())
            functions: Any = (own[0],) if len(own) == 1 else own[::-1]
        else:
            functions = [function for name in ctx.scopes() if name in registry for function in registry[name][::-1]]
        self._run_all(functions, request_tearing_down, sys.exc_info()[1] if exc is _UNSET else exc)

    def do_teardown_appcontext(self, exc: BaseException | None = _UNSET) -> None:
        """Run the teardown functions of the application context, the last registered first.

        :param exc: the exception that ended it, or None; the one being handled unless given
        """
        error = sys.exc_info()[1] if exc is _UNSET else exc
        self._run_all(self.teardown_appcontext_funcs[::-1], appcontext_tearing_down, error)

    def _run_all(self, functions: Iterable[Any], signal: Any, error: BaseException | None) -> None:
        """Call each function with `error`, whatever the others raise, and send the signal.

        :raises BaseException: the first exception that one of them raised
        """
        first: BaseException | None = None
        own_sync = self._own_sync
        for function in functions:
            try:
                value = self.ensure_sync(function)(error) if own_sync else function(error)
                if value is not None:
                    self._awaited(function, value)
            except BaseException as raised:
                if first is None:
                    first = raised
        if signal.receivers:
            try:
                signal.send(self, _async_wrapper=self.ensure_sync, exc=error)
            except BaseException as raised:
                if first is None:
                    first = raised
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
