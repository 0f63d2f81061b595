"""The errors of the API, which are JSON all of them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, NoReturn

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.orm.exc import FlushError, StaleDataError
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, NotFound
from werkzeug.routing import RoutingException

from microflask import current_app
from microflask.wrappers import Response

from ...database import reason_of


def refuse(what: str) -> NoReturn:
    """Answer 400 with what was wrong.

    :raises BadRequest: always
    """
    raise BadRequest(what)


def not_found(what: str) -> NoReturn:
    """Answer 404 with what was not found.

    :raises NotFound: always
    """
    raise NotFound(what)


def answer_error(error: Exception) -> Response | None:
    """Return the answer to an exception, or None for one that is no matter of the API.

    It is what :class:`flasker.web.ProjectFlask` asks for an area.
    """
    if isinstance(error, RoutingException):
        return None
    if isinstance(error, HTTPException):
        return _from_http(error)
    if isinstance(error, (IntegrityError, FlushError, StaleDataError)):
        return error_response(409, f"The database refuses: {reason_of(error)}")
    if isinstance(error, DataError) or _is_bad_value(error):
        return error_response(400, f"The database refuses: {reason_of(error)}")
    return None


def _is_bad_value(error: Exception) -> bool:
    """Tell whether a column type, or the driver, could not make a value for the database of what it was given."""
    wrapped = isinstance(error, StatementError) and not isinstance(error, DBAPIError)
    return wrapped and isinstance(error.orig, (ValueError, TypeError, ArithmeticError))  # type: ignore[attr-defined]


def _from_http(error: HTTPException) -> Response | None:
    if error.response is not None:
        return error.response  # type: ignore[return-value]
    if isinstance(error, InternalServerError):
        return error_response(500, "The server failed to answer; its log says why.")
    code = error.code or 500
    response = error_response(code, error.description or HTTPStatus(code).phrase)
    for name, value in error.get_headers():
        if name.lower() != "content-type":
            response.headers.add(name, value)
    return response


def error_response(code: int, content: str) -> Response:
    """Return an answer that says what was wrong."""
    return json_response({"status": f"{code} {_phrase(code)}", "content": content}, code)


def _phrase(code: int) -> str:
    # The standard library has other words for some codes, by version.
    from werkzeug.http import HTTP_STATUS_CODES

    return HTTP_STATUS_CODES.get(code, "Unknown")


def json_response(value: Any, code: int = 200) -> Response:
    """Return an answer of plain JSON values."""
    text = json.dumps(value, separators=(",", ":"))
    return current_app.response_class(text, status=code, mimetype="application/json")
