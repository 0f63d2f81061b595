"""From whatever a view may return to a response object, in the order of likelihood."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import GeneratorType
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as ResponseBase

from .globals import find_request, find_request_ctx
from .outgoing import Response

#: What becomes JSON, and what is a body as it is. (A tuple that stands in the code is made at each call.)
_JSON_TYPES = frozenset({dict, list})
_TEXT_TYPES = (str, bytes, bytearray)


class NoResponseError(TypeError, ValueError):
    """A view returned something that no response can be made of."""


def make_response(self: Any, rv: Any) -> Response:
    """Return a response object for what a view returned; the method of the application.

    :param rv: a response, text, bytes, dict, list, iterator, WSGI application, or a tuple of such a body with
        status and headers
    :raises NoResponseError: it is none of these; a TypeError and ValueError
    """
    kind = self.response_class
    if type(rv) is str or type(rv) is GeneratorType:
        # With all of its arguments the interpreter enters the constructor directly, which saves 0.1 microseconds.
        return Response(rv, None, None, None, None, False) if kind is Response else kind(rv)
    if type(rv) is kind:
        return rv  # type: ignore[no-any-return]
    value, status, headers = rv, None, None
    if isinstance(rv, tuple):
        if len(rv) == 2 and type(rv[1]) is int:
            value, status = rv
        else:
            value, status, headers = _unpack(rv, self.compat.one_item_tuples)
        if type(value) is str and kind is Response:
            return Response(value, status, headers, None, None, False)
    if type(value) in _JSON_TYPES:
        response = self.json.response_value(value)
    elif isinstance(value, HTTPException):
        response = _from_error(kind, value)
    elif isinstance(value, _TEXT_TYPES):
        if kind is Response:
            return Response(value, status, headers, None, None, False)  # type: ignore[arg-type]
        response = kind(value) if status is headers is None else kind(value, status=status, headers=headers)
        status = headers = None
    else:
        response = value if isinstance(value, kind) else _convert(self, kind, value)
    if status is not None or headers:
        _adjust(response, status, headers, self.compat.tuple_headers_replace)
    return response  # type: ignore[no-any-return]


def _adjust(response: Any, status: Any, headers: Any, replace: bool) -> None:
    """Give a response the status and the headers of a tuple.

    :param replace: whether a header takes the place of the response's own of that name
    """
    if isinstance(status, str):
        response.status = status
    elif status is not None:
        response.status_code = status
    if headers and replace:
        response.headers.update(headers)
    elif headers:
        added = Headers(headers)
        if "Content-Type" in added:
            # A response has one.
            response.headers.pop("Content-Type", None)
        response.headers.extend(added)


def _unpack(value: tuple[Any, ...], alone: bool) -> tuple[Any, Any, Any]:
    """Return body, status and headers of a tuple.

    :param alone: whether the body may stand alone in it
    :raises NoResponseError: there is nothing in it, or too much
    """
    if len(value) == 3:
        body, status, headers = value
        return body, _decoded(status), headers
    if len(value) == 2:
        body, second = value
        if isinstance(second, (Headers, Mapping, tuple, list)):
            return body, None, second
        return body, _decoded(second), None
    if len(value) == 1 and alone:
        return value[0], None, None
    raise NoResponseError(
        f"a view returned a tuple of {len(value)} items: a tuple must have the form (body, status, headers),"
        " (body, status) or (body, headers)"
    )


def _decoded(status: Any) -> Any:
    return status.decode() if isinstance(status, (bytes, bytearray)) else status


def _convert(app: Any, kind: Any, value: Any) -> Any:
    if value is None:
        raise NoResponseError(app.compat.missing_response_text or _no_value(None))
    if isinstance(value, (dict, list)):
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
    of: Any = type(error)
    if error.response is None and of.get_response is HTTPException.get_response:
        # Without anything of its own the error has the page of its class.
        if (
            of.get_body is HTTPException.get_body
            and of.get_description is HTTPException.get_description
            and of.get_headers is HTTPException.get_headers
            and of.name is HTTPException.name
            and error.description is (text := of.description)
            and error.code is (code := of.code)
            and type(text) is str
        ):
            page = _page(of, text)
            if kind is Response:
                return Response(page, code, None, "text/html", None, False)
            return kind(page, code, mimetype="text/html")
        environ = _environ()
        return kind(error.get_body(environ), error.code, error.get_headers(environ))
    environ = _environ()
    return kind.force_type(error.get_response(environ), environ)


def _environ() -> dict[str, Any] | None:
    ctx = find_request_ctx()
    return None if ctx is None else ctx.environ


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
