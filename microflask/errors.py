"""From an exception to the function that handles it, and the methods of the application that call it.

``error_handler_spec`` is public and has had two shapes: code -> handler with a list of (class, handler) under None, as
documented, and code -> class -> handler, as today. Which one is written is the application's choice; both are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import TracebackType
from typing import Any

from werkzeug.exceptions import BadRequest, BadRequestKeyError, HTTPException, NotFound, default_exceptions
from werkzeug.routing import RoutingException

from .globals import current_frame, find_request_ctx

Handler = Callable[[Any], Any]
#: What stands between a server and a view.
_LIBRARIES = frozenset({__name__.partition(".")[0], "werkzeug", "asyncio", "json"})


class ErrorSpecError(AssertionError, TypeError, ValueError):
    """A handler is registered for something that cannot be handled there."""


def make_spec(by_class: bool) -> dict[str | None, Any]:
    """Return an empty ``error_handler_spec`` of the chosen shape."""
    return defaultdict(partial(defaultdict, dict)) if by_class else defaultdict(dict)


def resolve(
    code_or_exception: Any, instances: bool = True, unknown: bool = False
) -> tuple[type[Exception], int | None]:
    """Return the exception class that is meant, and the HTTP status it stands for.

    :param instances: whether an instance of an HTTP error may stand for its status
    :param unknown: whether a status may be one that only an error class of one's own has
    :raises ErrorSpecError: neither an exception class nor the status of an HTTP error
    """
    if isinstance(code_or_exception, int):
        if unknown and code_or_exception not in default_exceptions:
            return HTTPException, code_or_exception
        try:
            return default_exceptions[code_or_exception], code_or_exception
        except KeyError:
            raise ErrorSpecError(
                f"{code_or_exception} is not a recognized HTTP error code: handle one of"
                f" {min(default_exceptions)} to {max(default_exceptions)} that exists, or an HTTPException class of"
                " your own which has that status as its `code`"
            ) from None
    if isinstance(code_or_exception, type) and issubclass(code_or_exception, Exception):
        return code_or_exception, code_or_exception.code if issubclass(code_or_exception, HTTPException) else None
    if instances and isinstance(code_or_exception, HTTPException) and code_or_exception.code in default_exceptions:
        # Flask 0.10 took instances of HTTP errors for their status.
        return type(code_or_exception), code_or_exception.code
    if isinstance(code_or_exception, BaseException):
        why = "is an instance, not a class"
    else:
        why = "is not a subclass of Exception"
    raise ErrorSpecError(
        f"{code_or_exception!r} {why}: give an error handler an exception class, or the status of an HTTP error as an"
        " integer"
    )


def register(spec: dict[str | None, Any], key: str | None, code_or_exception: Any, handler: Handler) -> None:
    """Enter `handler` into `spec` for a blueprint's name, or None for the application, in the shape it has."""
    kind, code = resolve(code_or_exception, unknown=True)
    # Whoever assigned a plain dict to the spec gets one for each key.
    by_code = spec[key] if isinstance(spec, defaultdict) else spec.setdefault(key, {})
    if isinstance(by_code, defaultdict):
        if callable(by_code.get(code)):
            by_code[code] = dict(entries(by_code, code))
        by_code[code][kind] = handler
    else:
        # A status and its class are one, and the last handler counts.
        if pairs := by_code.get(None):
            pairs[:] = [pair for pair in pairs if pair[0] is not kind]
        if code is not None and not isinstance(code_or_exception, type):
            by_code[code] = handler
        else:
            if code is not None and kind is default_exceptions.get(code):
                by_code.pop(code, None)
            by_code.setdefault(None, []).append((kind, handler))


def entries(by_code: dict[Any, Any], code: int | None) -> Iterator[tuple[type[BaseException], Handler]]:
    """Yield (class, handler) for a status, or for what has none, out of either shape."""
    found = by_code.get(code)
    if callable(found):
        # As documented, the status alone counts here, whatever the class of the error is.
        yield HTTPException, found
    elif found:
        yield from found.items() if isinstance(found, dict) else found
    if code is not None and isinstance(by_code.get(None), list):
        for kind, handler in by_code[None]:
            if issubclass(kind, HTTPException) and kind.code == code:
                yield kind, handler


def all_entries(by_code: dict[Any, Any]) -> Iterator[tuple[Any, Handler]]:
    """Yield (status or class, handler) for all that one blueprint, or the application, handles."""
    for code in list(by_code):
        if callable(by_code[code]):
            yield code, by_code[code]
        else:
            yield from (by_code[code].items() if isinstance(by_code[code], dict) else by_code[code])


def find_handler(self: Any, error: BaseException, blueprints: Iterable[str], trapped: bool | None = False) -> Any:
    """Return the handler for `error`, or None; the method of the application.

    What is registered for the status goes before what is for a class, each time the blueprints, innermost first,
    before the application; and of the classes the most specific one.

    :param blueprints: the names of the blueprints that handle the request
    :param trapped: whether `error` is an HTTP error that is treated as any other exception; None when it is none
    """
    spec = self.error_handler_spec
    by_codes: Iterable[Any]
    if blueprints:
        by_codes = [by_code for name in (*blueprints, None) if (by_code := spec.get(name))]
    elif None in spec and (own := spec[None]):
        # Asking for the key takes half the time of the method get() of a defaultdict, here and below.
        by_codes = (own,)
    else:
        return None
    kind = type(error)
    status = None
    if trapped is not None and isinstance(error, HTTPException):
        status = None if trapped and self.compat.trapped_errors_skip_status_handlers else error.code
    while True:
        for by_code in by_codes:
            handlers = by_code[status] if status in by_code else None  # noqa: SIM401
            # Nearly every error is of a class that has a handler itself.
            handler = handlers.get(kind) if type(handlers) is dict else None
            if handler is None:
                handler = _find_at(by_code, status, handlers, kind)
            if handler is not None:
                return handler
        if status is None or not self.compat.exception_handlers_see_http_errors:
            return None
        status = None


def _find_at(by_code: dict[Any, Any], status: int | None, handlers: Any, kind: type[BaseException]) -> Any:
    """Return the handler of the most specific class, or None.

    :param handlers: what `by_code` has for the status
    """
    if type(handlers) is not dict or (status is not None and isinstance(by_code.get(None), list)):
        handlers = dict(entries(by_code, status))
    for base in kind.__mro__ if handlers else ():
        if base in handlers:
            return handlers[base]
    return None


def call(app: Any, handler: Any, error: BaseException) -> Any:
    """Return what a handler, which may be a coroutine function, returns for `error`."""
    if app._own_sync:
        handler = app.ensure_sync(handler)
    answer = handler(error)
    kind = type(answer)
    # What nearly all return; to ask about coroutines goes through an abstract base class.
    return answer if kind is str or kind is tuple else app._awaited(handler, answer)


def current_blueprints() -> tuple[Any, ...]:
    """Return the names of the blueprints that handle the current request, innermost first."""
    ctx = find_request_ctx()
    return () if ctx is None else ctx.blueprint_names()


def trap_http_exception(self: Any, e: Exception) -> bool:
    """Tell whether an HTTP error is treated as any other exception, as TRAP_HTTP_EXCEPTIONS, or for a missing key
    TRAP_BAD_REQUEST_ERRORS, says."""
    config = self.config
    if config["TRAP_HTTP_EXCEPTIONS"]:
        return True
    if type(e) is NotFound or not isinstance(e, BadRequest):
        return False
    bad_requests = config["TRAP_BAD_REQUEST_ERRORS"]
    if bad_requests is None:
        return isinstance(e, BadRequestKeyError) and bool(self.debug)
    return bool(bad_requests)


def handle_http_exception(self: Any, e: HTTPException) -> Any:
    """Return what the handler for an HTTP error returns, or the error, which is a response too."""
    frame, handler = current_frame(), None
    ctx: Any = None if frame is None else frame[1]
    match = ctx
    if ctx is not None and ctx.made is not None:
        match = ctx.made
    # Those without a status, and those of the routing, carry a response of their own.
    if type(e) is NotFound or (e.code is not None and not isinstance(e, RoutingException)):
        names = () if match is None or match.url_rule is None else ctx.blueprint_names()
        handler = self._find_error_handler(e, names, False)
    answer = e if handler is None else call(self, handler, e)
    if handler is None or (match is not None and match.routing_exception is e):
        # Its traceback leads to frames that lead back to it. Nobody asks for that of an error which is its own
        # page, or comes from the matching; and the garbage collector would take a third of the request's time.
        e.__traceback__ = None
    return answer


def handle_user_exception(self: Any, e: Exception) -> Any:
    """Return what the handler for an exception returns.

    :raises Exception: `e` itself, when there is none
    """
    trapped = None
    if isinstance(e, HTTPException):
        # Asking about a class that an object is not of goes through all of its classes.
        if type(e) is not NotFound and isinstance(e, BadRequestKeyError):
            e.show_exception = bool(self.debug or self.config["TRAP_BAD_REQUEST_ERRORS"]) or e.show_exception
        if not self.trap_http_exception(e):
            return self.handle_http_exception(e)
        trapped = True
    handler = self._find_error_handler(e, current_blueprints(), trapped)
    if handler is not None:
        return call(self, handler, e)
    try:
        raise e
    finally:
        # The traceback refers to this frame, which shall not keep the error alive in return.
        del e


def log_exception(self: Any, exc_info: Any) -> None:
    """Log an exception as an error, with its traceback from the first function of the application's own on.

    :param exc_info: (class, exception, traceback)
    """
    ctx = find_request_ctx()
    where = "" if ctx is None else f" on {ctx.request.path} [{ctx.request.method}]"
    if isinstance(exc_info, tuple) and len(exc_info) == 3:
        exc_info = (exc_info[0], exc_info[1], skip_library(exc_info[2]))
    self.logger.error("Exception%s", where, exc_info=exc_info)


def skip_library(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames before the first one of the application; all of it when there is none.

    Whoever reads a log looks for a function of their own. Python takes 50 microseconds to print a frame, and there are
    five to each view.
    """
    at = traceback
    while at is not None:
        if str(at.tb_frame.f_globals.get("__name__")).partition(".")[0] not in _LIBRARIES:
            return at
        at = at.tb_next
    return traceback
