"""From whatever a view may return to a response object, in the order of likelihood."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import GeneratorType
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as ResponseBase

from .globals import find_request
from .wrappers import Response


class NoResponseError(TypeError, ValueError):
    """A view returned something that no response can be made of."""


def make_response(self: Any, rv: Any) -> Response:
    """Return a response object for what a view returned; the method of the application.

    :param rv: a response, text, bytes, dict, list, iterator, WSGI application, or a tuple of such a body with
        status and headers
    :raises NoResponseError: it is none of these; a TypeError and ValueError
    """
    kind = self.response_class
    if type(rv) is str:
        # With all of its arguments the interpreter enters the constructor directly, which saves 0.1 microseconds.
        return Response(rv, None, None, None, None, False) if kind is Response else kind(rv)
    if type(rv) is kind:
        return rv  # type: ignore[no-any-return]
    app, value = self, rv
    status = headers = None
    if isinstance(value, tuple):
        value, status, headers = _unpack(value, app.compat.one_item_tuples)
        if isinstance(status, (bytes, bytearray)):
            status = status.decode()
    if isinstance(value, (str, bytes, bytearray)):
        if kind is Response:
            return Response(value, status, headers, None, None, False)  # type: ignore[arg-type]
        response: Response = (
            kind(value) if status is headers is None else kind(value, status=status, headers=headers)
        )
        status = headers = None
    elif isinstance(value, kind):
        response = value
    elif value is None:
        raise NoResponseError(app.compat.missing_response_text or _no_value(None))
    else:
        response = _convert(app, kind, value)
    if status is not None:
        if isinstance(status, str):
            response.status = status
        else:
            response.status_code = status
    if headers and app.compat.tuple_headers_replace:
        response.headers.update(headers)
    elif headers:
        added = Headers(headers)
        if "Content-Type" in added:
            # A response has one.
            response.headers.pop("Content-Type", None)
        response.headers.extend(added)
    return response


def _unpack(value: tuple[Any, ...], alone: bool) -> tuple[Any, Any, Any]:
    """Return body, status and headers of a tuple.

    :param alone: whether the body may stand alone in it
    :raises NoResponseError: there is nothing in it, or too much
    """
    if len(value) == 3:
        return value
    if len(value) == 2:
        body, second = value
        # Asking the abstract Mapping about a number takes 2 microseconds.
        if type(second) is not int and isinstance(second, (Headers, Mapping, tuple, list)):
            return body, None, second
        return body, second, None
    if len(value) == 1 and alone:
        return value[0], None, None
    raise NoResponseError(
        f"a view returned a tuple of {len(value)} items: a tuple must have the form (body, status, headers),"
        " (body, status) or (body, headers)"
    )


def _convert(app: Any, kind: Any, value: Any) -> Any:
    if type(value) is GeneratorType:
        return Response(value, None, None, None, None, False) if kind is Response else kind(value)
    if isinstance(value, HTTPException):
        return _from_error(kind, value)
    if isinstance(value, dict | list):
        return app.json.response_value(value)
    if isinstance(value, Iterator) or hasattr(value, "__aiter__"):
        return kind(app.iterate(value) if hasattr(value, "__aiter__") else value)
    if isinstance(value, ResponseBase) or callable(value):
        request = find_request()
        try:
            return kind.force_type(value, None if request is None else request.environ)
        except TypeError as error:
            raise NoResponseError(f"{_no_value(value)} Calling it as a WSGI application failed: {error}") from error
    if isinstance(value, Mapping):
        return app.json.response_value(dict(value))
    raise NoResponseError(_no_value(value))


def _from_error(kind: Any, error: HTTPException) -> Any:
    """Return the page of an HTTP error; no WSGI application is run for it."""
    request = find_request()
    environ = None if request is None else request.environ
    of: Any = type(error)
    if error.response is not None or of.get_response is not HTTPException.get_response:
        return kind.force_type(error.get_response(environ), environ)
    text: Any = of.description
    usual = isinstance(text, str) and "description" not in error.__dict__
    if usual and all(getattr(of, name) is stock for name, stock in _PAGE_PARTS):
        return kind(_page(of, text), error.code, mimetype="text/html")
    return kind(error.get_body(environ), error.code, error.get_headers(environ))


#: What the page of an error is made by. Where a class has changed none of these, all its pages are the same.
_PAGE_PARTS = [
    (name, getattr(HTTPException, name)) for name in ("get_body", "get_description", "get_headers", "name")
]


@lru_cache(maxsize=64)
def _page(of: Any, description: str) -> str:
    """Return the page of an error that says what all errors of its class say."""
    page: str = of().get_body()
    return page


def no_response_after(function: Any) -> NoResponseError:
    """Return the error of a function that was called after the request and returned None."""
    name = getattr(function, "__qualname__", repr(function))
    return NoResponseError(
        f"{name}() was called with the response to a request and returned None: a function that is registered with"
        " after_request() or after_this_request() returns the response, or another one"
    )


def _no_value(value: Any) -> str:
    from .debughelpers import no_return_type_message, view_returned_none_message

    request = find_request()
    name = getattr(request, "endpoint", None) or "the view"
    return view_returned_none_message(name) if value is None else no_return_type_message(name, type(value))
