"""Error pages for browsers, and error objects for the API."""

from __future__ import annotations

from werkzeug.exceptions import HTTPException

from microflask import Flask, json, render_template, request
from microflask.typing import ResponseReturnValue

from .api import URL_PREFIX

#: Friendlier than what the exceptions say by themselves.
EXPLANATIONS = {
    404: "There is nothing at this address. It may have been deleted, or the link may be mistyped.",
    413: "What you sent is too large. Try a smaller picture.",
    500: "Something went wrong here, not with you. It has been logged; please try again later.",
}


def _handle(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error
    # The exception's own response has the right status, and headers such as Allow; only its body is replaced.
    response = error.get_response()
    explanation = EXPLANATIONS.get(error.code, error.description)
    if f"{request.path}/".startswith(f"{URL_PREFIX}/"):
        response.content_type = "application/json"
        response.data = json.dumps({"error": error.name, "message": explanation})
    else:
        response.data = render_template("error.html", code=error.code, name=error.name, explanation=explanation)
    return response


def init_app(app: Flask) -> None:
    """Answer every error of `app` in the style of what was asked for; exceptions arrive here as a 500."""
    app.register_error_handler(HTTPException, _handle)
