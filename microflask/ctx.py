"""The contexts: what is bound to the current thread, greenlet or task while an application works."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import Token
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import RequestRedirect

from .globals import APPLICATION_ONLY, Frame, bind, current_frame, find_request_ctx, scopes_of, unbind
from .signals import appcontext_popped, appcontext_pushed, appcontext_tearing_down, request_tearing_down

if TYPE_CHECKING:
    from .typing import Application

P = ParamSpec("P")
R = TypeVar("R")
_UNSET: Any = object()


class _AppCtxGlobals:
    """Be a plain namespace, the default class of :data:`g`."""

    def get(self, name: str, default: Any = None) -> Any:
        """Return the attribute `name`, or `default` when it is not set."""
        return self.__dict__.get(name, default)

    def pop(self, name: str, default: Any = _UNSET) -> Any:
        """Remove the attribute `name` and return it.

        :raises KeyError: it is not set and there is no `default`
        """
        return self.__dict__.pop(name) if default is _UNSET else self.__dict__.pop(name, default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return the attribute `name`, set to `default` if it was not set."""
        return self.__dict__.setdefault(name, default)

    if TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None: ...
        def __delattr__(self, name: str) -> None: ...

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"g has no attribute {name!r} in this context; g.get({name!r}) gives None instead")

    def __contains__(self, name: object) -> bool:
        return name in self.__dict__

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __repr__(self) -> str:
        frame = current_frame()
        of = "" if frame is None else f" of {frame[0].app.name!r}"
        return f"<flask.g{of}>"


def reset(token: Token[Frame | None]) -> None:
    """Bind again what was bound before the push that gave `token`."""
    try:
        unbind(token)
    except ValueError:
        _restore(token)


def _restore(token: Token[Frame | None]) -> None:
    """Do what can be done for a push in another task or thread: put back what was seen there."""
    bind(None if token.old_value is Token.MISSING else token.old_value)


#: Stands for the push of a request context that an application context belongs to; that one ends both.
_WITHIN_REQUEST = (None, None)


class AppContext:
    """Bind an application, and `g`, without a request.

    :param app: the application
    """

    def __init__(self, app: Application) -> None:
        self.app = app
        make_namespace = app.app_ctx_globals_class
        self.g = make_namespace()
        #: What a request context has while nobody has looked at its application context; here it is always `g`.
        self._namespace = None
        self._tokens: tuple[Any, Any] | None = None

    def namespace(self) -> Any:
        """Return what :data:`g` stands for."""
        return self.g

    @property
    def app_context(self) -> AppContext:
        """The context itself: it is what provides the application."""
        return self

    def __getattr__(self, name: str) -> Any:
        # Made when first looked at, and then found without coming here.
        if name == "url_adapter":
            self.url_adapter = self.app.create_url_adapter(None)
            return self.url_adapter
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def push(self) -> None:
        """Bind the context."""
        frame = current_frame()
        token = bind((self, None if frame is None else frame[1]))
        earlier = self._tokens
        if earlier is None and frame is not None and getattr(frame[0], "_app_context", None) is self:
            earlier = _WITHIN_REQUEST
        self._tokens = (token, earlier)
        if appcontext_pushed.receivers:
            appcontext_pushed.send(self.app, _async_wrapper=self.app.ensure_sync)

    def pop(self, exc: BaseException | None = _UNSET) -> None:
        """Run the teardown functions with `exc` and unbind the context.

        :raises AssertionError: another context is the current one
        """
        frame = current_frame()
        if frame is None or frame[0] is not self:
            _complain(self, frame and frame[0])
        try:
            if self._tokens is not None and self._tokens[1] is None:
                error = sys.exc_info()[1] if exc is _UNSET else exc
                self.app.do_teardown_appcontext(error)
        finally:
            self.unbind()
        if appcontext_popped.receivers:
            appcontext_popped.send(self.app, _async_wrapper=self.app.ensure_sync)

    def unbind(self) -> None:
        """Undo one push, without any teardown."""
        if self._tokens is not None:
            token, earlier = self._tokens
            self._tokens = None if earlier is _WITHIN_REQUEST else earlier
            reset(token)

    def __enter__(self) -> AppContext:
        self.push()
        return self

    def __exit__(self, exc_type: Any, exc_value: BaseException | None, tb: Any) -> None:
        self.pop(exc_value)


class ContextOrderError(AssertionError, LookupError):
    """A context was to end that is not the current one."""


def _complain(ctx: Any, current: Any) -> NoReturn:
    raise ContextOrderError(
        f"{ctx!r} was asked to end, but the current context is {current!r}: contexts end in the reverse order of their"
        " beginning, and where they began"
    )


class RequestContext:
    """Bind a request, and its application unless that is bound already.

    Made by :meth:`Flask.request_context` and :meth:`Flask.test_request_context`. It keeps application and environ;
    `request` and `url_adapter` are made when they are looked at. What matched lies here until there is a request,
    and on the request from then on.
    """

    #: The request, made at the first look.
    request: Any
    #: What matched the request's URL and builds others; None when the host may not be served.
    url_adapter: Any
    #: Set while the context is kept for a debugger or a test client after its request.
    preserved = False
    _preserved_exc: BaseException | None = None
    #: The cache of get_flashed_messages().
    flashes: list[tuple[str, str]] | None = None
    _postponed: tuple[BaseException | None] | None = None
    #: For how many streams the teardown is postponed.
    _held = 0
    _after_request_functions: list[Callable[[Any], Any]] | tuple[()] = ()

    def __init__(
        self, app: Application, environ: dict[str, Any], request: Any | None = None, session: Any | None = None
    ) -> None:
        # What requests give a value is set here. Defaults in the class that an instance covers cost more: the
        # interpreter finds such an attribute by a search each time, 0.03 microseconds instead of 0.003.
        self.app = app
        self.environ = environ
        #: The request once it is made; until then the context has the match.
        self.made: Any = request
        self.url_rule: Any = None
        self.view_args: dict[str, Any] | None = None
        self.routing_exception: HTTPException | None = None
        self._opened_session = session
        #: Whether it is known that the request is no blueprint's: all that registries have for it is under None.
        self._alone = False
        #: Where the application comes from when it was bound already; None while this context provides it.
        self._around: Any = None
        self._app_context: AppContext | None = None
        #: The g of the context while nobody has looked at its application context.
        self._namespace: Any = None
        #: The token of the last push, the same of the push before it, and what was around then.
        self._tokens: tuple[Any, Any, Any] | None = None
        if request is not None:
            self.request = request
            self.environ = environ or request.environ

    def __getattr__(self, name: str) -> Any:
        # Each of these is made when it is first looked at, and then found without coming here.
        if name == "request":
            kind = self.app.request_class
            try:
                plain = kind._stock_init
            except AttributeError:
                # A class that is none of ours.
                plain = False
            # With all of its arguments the interpreter enters the constructor directly.
            self.request = request = kind(self.environ, True, False) if plain else kind(self.environ)
            request.url_rule, request.view_args = self.url_rule, self.view_args
            request.routing_exception = self.routing_exception
            self.made = request
            # From now on its rule may be replaced.
            self._alone = False
            return request
        if name == "url_adapter":
            try:
                self.url_adapter = self.app.create_url_adapter(self.request)
            except HTTPException as error:
                self.made.routing_exception = error
                self.url_adapter = None
            return self.url_adapter
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def blueprints(self) -> list[str]:
        """The names of the blueprint that handles the request and of those around it, innermost first."""
        return [*self.blueprint_names()]

    # Methods beside properties: an object that makes some attributes when they are looked at has its methods found at
    # once, but not its properties.

    def blueprint_names(self) -> tuple[Any, ...]:
        """Return what :attr:`blueprints` has."""
        return self.scopes()[:-1]

    def scopes(self) -> tuple[str | None, ...]:
        """Return under which keys the registries have functions for the request, innermost blueprint first."""
        match = self.made
        if match is None:
            match = self
        rule = match.url_rule
        # Most endpoints belong to the application itself; to see that takes a third of the time of the cache.
        return APPLICATION_ONLY if rule is None or "." not in rule.endpoint else scopes_of(rule.endpoint)

    def _backwards(self, registry: Mapping[Any, Any]) -> Iterable[Any]:
        """Return the functions that a registry has for the request: the innermost blueprint's last one first."""
        # Each list is looked at when its turn comes, as in _registered().
        return (function for name in self.scopes() if name in registry for function in registry[name][::-1])

    @staticmethod
    def _registered(registry: Mapping[Any, Any], scopes: tuple[str | None, ...]) -> Iterator[Any]:
        """Yield the functions that a registry has: the application's first, the innermost last.

        Each list is looked at when its turn comes: a function may register, or remove, one that comes after it.

        :param scopes: the keys, innermost first
        """
        for name in scopes[::-1]:
            if name in registry:
                yield from registry[name]

    def namespace(self) -> Any:
        """Return what :data:`g` stands for."""
        ctx = self._app_context
        if ctx is not None:
            return ctx.g
        if self._namespace is None:
            if self._around is not None or self.app._own_contexts:
                return self.app_context.g
            make_namespace = self.app.app_ctx_globals_class
            self._namespace = make_namespace()
        return self._namespace

    @property
    def app_context(self) -> AppContext:
        """The application context that belongs to the request."""
        if self._around is not None:
            return self._around.app_context  # type: ignore[no-any-return]
        if self._app_context is None:
            self._app_context = self.app.app_context()
            if self._namespace is not None:
                # From now on it is there, where somebody may put another one.
                self._app_context.g, self._namespace = self._namespace, None
        return self._app_context

    @property
    def g(self) -> Any:
        """The namespace of the application context."""
        return self.namespace()

    @g.setter
    def g(self, value: Any) -> None:
        self.app_context.g = value

    @property
    def session(self) -> Any:
        """The session; it is opened when first looked at, and counts as accessed from then on."""
        session = self.open_session()
        try:
            session.accessed = True
        except AttributeError:
            # A plain dictionary, which somebody put in the session's place.
            pass
        return session

    @session.setter
    def session(self, value: Any) -> None:
        self._opened_session = value

    def open_session(self) -> Any:
        """Return the session, opened if it was not, without counting it as accessed."""
        session = self._opened_session
        if session is None:
            session = self.app.open_session(self.request)
            if session is None:
                session = self.app.make_null_session()
            self._opened_session = session
        return session

    @property
    def _session(self) -> Any:
        """The session without the mark of access, which extensions read and assign."""
        return self.open_session()

    @_session.setter
    def _session(self, value: Any) -> None:
        self._opened_session = value

    def copy(self) -> RequestContext:
        """Return a context of the same request and session, for another greenlet or task."""
        return type(self)(self.app, self.environ, request=self.request, session=self.open_session())

    def match_request(self) -> None:
        """Match the URL and keep rule and arguments, or the error."""
        app = self.app
        try:
            plain = app.config._version is app._plain_version
        except (AttributeError, LookupError):
            # A dictionary in the configuration's place, which may take attributes for keys.
            plain = False
        if not plain:
            late = app.late_blueprints
            if late and (failure := late.import_below(app, self.request.path)) is not None:
                # Dispatch raises it, so that error handlers see it.
                self.request.routing_exception = failure
                return
            plain = app._matches_plainly()
        try:
            rule = args = None
            if plain:
                rule, args = app.url_map.match_environ(self.environ)
            if rule is None:
                if type(args) is NotFound:
                    (self if self.made is None else self.made).routing_exception = args
                    return
                # It depends on the host, or the answer is a redirect.
                adapter = self.url_adapter
                if adapter is None:
                    return
                rule, args = adapter.match(return_rule=True)
            match = self.made
            if match is None:
                match = self
                try:
                    self._alone = rule._lone_endpoint is rule.endpoint
                except AttributeError:
                    # A rule of another class than ours.
                    pass
            match.url_rule = rule
            match.view_args = args
        except HTTPException as error:
            if isinstance(error, RequestRedirect) and app.compat.slash_redirect_code is not None:
                error.code = app.compat.slash_redirect_code
            (self if self.made is None else self.made).routing_exception = error

    def push(self) -> None:
        """Bind the context, open the session if its interface is not lazy, and match the URL."""
        app = self.app
        frame = current_frame()
        if frame is not None and frame[1] is not None and frame[1].preserved and not frame[1].kept_by_environ:
            frame[1].pop(frame[1]._preserved_exc)
            frame = current_frame()
        if frame is None or frame[0].app is not app:
            self._tokens = (bind((self, self)), self._tokens, self._around)
            self._around = None
            if appcontext_pushed.receivers:
                appcontext_pushed.send(app, _async_wrapper=app.ensure_sync)
        else:
            self._tokens = (bind((frame[0], self)), self._tokens, self._around)
            self._around = None if frame[0] is self else frame[0]
        if app.session_interface.lazy and not app._own_sessions:
            self.match_request()
        elif app.compat.matched_before_session:
            self.match_request()
            self.open_session()
        else:
            self.open_session()
            self.match_request()

    def pop(self, exc: BaseException | None = _UNSET) -> None:
        """Run the teardown functions with `exc`, close uploaded files and unbind the context.

        :raises AssertionError: another context is the current one
        """
        frame = current_frame()
        if frame is None or frame[1] is not self:
            _complain(self, frame and frame[1])
        token, earlier, around = self._tokens
        if exc is _UNSET:
            exc = sys.exc_info()[1]
        if self.preserved:
            self.preserved = False
            self._preserved_exc = None
        try:
            if earlier is None:
                if self._held and exc is None:
                    # After an error nobody may ever end the stream: the traceback holds the view that made it.
                    self._postponed = (exc,)
                else:
                    self.tear_down(exc, token)
        finally:
            self._tokens = earlier
            try:
                unbind(token)
            except ValueError:
                _restore(token)
            if earlier is not None:
                self._around = around
            elif self._around is None and appcontext_popped.receivers:
                appcontext_popped.send(self.app, _async_wrapper=self.app.ensure_sync)

    def tear_down(self, exc: BaseException | None, token: Token[Frame | None] | None) -> None:
        """Run the teardown functions of the request, and of the application if it came with the request.

        :param token: of the push; None where nothing was bound before
        """
        app = self.app
        try:
            if app.teardown_request_funcs or request_tearing_down.receivers or app._own_teardown:
                app.do_teardown_request(exc)
        finally:
            try:
                if self.made is not None:
                    # The environ and the request would keep each other alive.
                    self.environ.pop("werkzeug.request", None)
                    self.made.close()
            finally:
                if self._around is None:
                    if app.teardown_appcontext_funcs or appcontext_tearing_down.receivers or app._own_teardown:
                        # The request is over, the application is not: its functions see no request.
                        before = None if token is None else token.old_value
                        bind((self, None if before is None or before is Token.MISSING else before[1]))
                        app.do_teardown_appcontext(exc)
                    # The next push of this context begins with an empty g.
                    self._app_context = self._namespace = None

    def hold(self) -> None:
        """Postpone the teardown until :meth:`release`, for a stream that goes on when the request is over."""
        self._held += 1

    def release(self, error: BaseException | None = None) -> None:
        """Run the teardown if it was due while the context was held.

        :param error: the exception that ended the stream
        """
        self._held -= 1
        if self._postponed is None:
            return
        exc = error if self._postponed[0] is None else self._postponed[0]
        self._postponed = (exc,)
        if self._held == 0:
            self._postponed = None
            token = self.bind()
            try:
                self.tear_down(exc, None)
            finally:
                reset(token)

    def bind(self) -> Token[Frame | None]:
        """Bind the context for a moment, without signals and teardown; :meth:`unbind` does not know of it."""
        return bind((self._around or self, self))

    def unbind(self) -> None:
        """Undo one push, without any teardown."""
        if self._tokens is not None:
            token, self._tokens, self._around = self._tokens
            reset(token)

    @property
    def kept_by_environ(self) -> bool:
        """Whether ``flask._preserve_context`` in the environ keeps the context; who set that ends it."""
        return bool(self.environ.get("flask._preserve_context"))

    def auto_pop(self, exc: BaseException | None) -> None:
        """End the context, or keep it: for a test client that asked for it, or for a debugger after an error."""
        if exc is None and "flask._preserve_context" not in self.environ:
            self.pop(None)
        elif self.kept_by_environ or (exc is not None and self.app.preserve_context_on_exception):
            self.preserved = True
            self._preserved_exc = exc
        else:
            self.pop(exc)

    def __enter__(self) -> RequestContext:
        try:
            self.push()
        except BaseException as error:
            # No __exit__() follows.
            if self._tokens is not None:
                self.pop(error)
            raise
        return self

    def __exit__(self, exc_type: Any, exc_value: BaseException | None, tb: Any) -> None:
        self.auto_pop(exc_value)

    def __repr__(self) -> str:
        request = self.request
        return f"<{type(self).__name__} {request.url!r} [{request.method}] of {self.app.name}>"


def has_request_context() -> bool:
    """Tell whether there is a current request."""
    return find_request_ctx() is not None


def has_app_context() -> bool:
    """Tell whether there is a current application."""
    return current_frame() is not None


def after_this_request(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Call `f` with the response of this request only; it returns that response or another one.

    :raises RuntimeError: there is no current request
    """
    ctx = _request_ctx_for("after_this_request")
    if not ctx._after_request_functions:
        ctx._after_request_functions = []
    # To the list itself: one of these functions may add another one while they are called.
    ctx._after_request_functions.append(f)
    return f


def copy_current_request_context(f: Callable[P, R]) -> Callable[P, R]:
    """Let `f`, which runs later in another greenlet or task, see the request that is current now.

    :raises RuntimeError: there is no current request
    """
    kept = _request_ctx_for("copy_current_request_context").copy()

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with kept.copy() as ctx:
            return ctx.app.ensure_sync(f)(*args, **kwargs)  # type: ignore[no-any-return]

    return update_wrapper(run, f)


def _request_ctx_for(name: str) -> Any:
    ctx = find_request_ctx()
    if ctx is None:
        raise RuntimeError(f"{name}() belongs into a view or a function called by one: there is no request here")
    return ctx
