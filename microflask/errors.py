"""From an exception to the function that handles it.

``error_handler_spec`` is public and has had two shapes: code -> handler with a list of (class, handler) under None, as
documented, and code -> class -> handler, as today. Which one is written is the application's choice; both are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import TracebackType
from typing import Any

from werkzeug.exceptions import HTTPException, default_exceptions

Handler = Callable[[Any], Any]
#: What stands between a server and a view.
_LIBRARIES = frozenset({__name__.partition(".")[0], "werkzeug", "asyncio", "json"})
#: The key of what is registered on the application itself.
_APPLICATION = (None,)


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


def find(
    spec: dict[str | None, Any], names: Iterable[str], error: BaseException, generic_for_http: bool = True,
    by_status: bool = True,
) -> Handler | None:  # fmt: skip
    """Return the handler for `error`: first by status, then by class; each time the blueprints `names`, innermost
    first, before the application; and the most specific class of all.

    :param generic_for_http: whether handlers without a status are considered for HTTP errors
    :param by_status: whether handlers with a status are
    """
    kind = type(error)
    code = error.code if isinstance(error, HTTPException) else None
    if code is not None:
        if by_status and (handler := _find_at(code, spec, names, kind)) is not None:
            return handler
        if not generic_for_http:
            return None
    return _find_at(None, spec, names, kind)


def _find_at(
    code: int | None, spec: dict[str | None, Any], names: Iterable[str], kind: type[BaseException]
) -> Handler | None:
    for name in (*names, None) if names else _APPLICATION:
        # Asking for the key takes a third of the time of the method get() of a defaultdict.
        by_code = spec[name] if name in spec else None  # noqa: SIM401
        if by_code:
            handlers = by_code[code] if code in by_code else None  # noqa: SIM401
            if type(handlers) is not dict or (code is not None and isinstance(by_code.get(None), list)):
                handlers = dict(entries(by_code, code))
            if handlers:
                if kind in handlers:
                    return handlers[kind]  # type: ignore[no-any-return]
                for base in kind.__mro__:
                    if base in handlers:
                        return handlers[base]  # type: ignore[no-any-return]
    return None


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
