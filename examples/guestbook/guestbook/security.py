"""Who is signed in, and is this request really theirs."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from microflask import Flask, Response, abort, flash, g, redirect, request, session, url_for
from microflask.typing import ResponseReturnValue

from .models import User, get_user

P = ParamSpec("P")

#: Everything comes from this site, there are no scripts, and no other site may show these pages in a frame.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def current_user() -> User | None:
    """Return who is signed in; the database is asked once per request, and only by those who want to know."""
    if "user" not in g:
        user_id = session.get("user_id")
        g.user = None if user_id is None else get_user(user_id)
    user: User | None = g.user
    return user


def sign_in(user: User) -> None:
    """Begin a new session for `user`."""
    # Nothing of the old session survives, its CSRF token included: somebody else may have planted it.
    session.clear()
    session["user_id"] = user.id
    g.user = user


def sign_out() -> None:
    """Forget who is signed in."""
    session.clear()
    g.user = None


def signed_in_user() -> User:
    """Return who is signed in, for views behind `login_required`; anybody else gets a 403."""
    return current_user() or abort(403)


def login_required(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Send visitors who are not signed in to the sign-in page, and back here afterwards."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if current_user() is None:
            flash("Please sign in first.")
            # A form that was posted cannot be sent again by a redirect.
            back = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for("auth.login", next=back))
        return view(*args, **kwargs)

    return guarded


def local_path(target: str) -> str | None:
    """Return `target` if it is a path on this site; None if a browser could take it for another site."""
    if not target.startswith("/") or target.startswith("//"):
        return None
    # Browsers read a backslash as a slash, and skip tabs and newlines.
    if "\\" in target or any(character <= " " for character in target):
        return None
    return target


def csrf_token() -> str:
    """Return the session's secret, which every form carries and other sites cannot know."""
    token: str = session.setdefault("csrf_token", secrets.token_urlsafe(32))
    return token


def _check_csrf_token() -> None:
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    # An unknown URL is answered by its own error. The API does not look at the session, so nothing can be forged.
    if request.endpoint is None or request.blueprint == "api":
        return
    expected = session.get("csrf_token", "")
    given = request.form.get("csrf_token", "")
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        abort(403, "This form has expired. Go back, load the page again and send the form once more.")


def _set_headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def init_app(app: Flask) -> None:
    """Check every form sent to `app`, and set the headers that tell browsers to be careful."""
    app.before_request(_check_csrf_token)
    app.after_request(_set_headers)
    app.add_template_global(csrf_token)

    @app.context_processor
    def add_current_user() -> dict[str, object]:
        return {"current_user": current_user}
