"""What the tests of sessions share: an application with a view per deed, and itsdangerous as the reference."""

from __future__ import annotations

import hashlib
from typing import Any

from itsdangerous import URLSafeTimedSerializer

from microflask import Flask, session
from microflask.sessions import session_json_serializer

KEY = "a key for tests"


def make_app(compat: str = "documented", **config: Any) -> Flask:
    """Return an application with a view for each thing that can be done to a session."""
    app = Flask(__name__, compat=compat)
    app.config.update({"SECRET_KEY": KEY, "TESTING": True} | config)

    @app.route("/none")
    def none() -> str:
        return "none"

    @app.route("/read")
    def read() -> str:
        return repr(session.get("a"))

    @app.route("/write")
    def write() -> str:
        session["a"] = 1
        return "written"

    @app.route("/permanent")
    def permanent() -> str:
        session["a"] = 2
        session.permanent = True
        return "written"

    @app.route("/clear")
    def clear() -> str:
        session.clear()
        return "cleared"

    return app


def open_cookies(app: Flask, *values: str) -> dict[str, Any]:
    """Return what the session holds for a request with these cookies."""
    header = "; ".join(f"session={value}" for value in values)
    with app.test_request_context(headers={"Cookie": header}):
        return dict(session)


def get(app: Flask, path: str, cookie: str | None = None) -> tuple[str | None, str | None]:
    """Return the Set-Cookie and the Vary header of one request."""
    headers = {} if cookie is None else {"Cookie": cookie}
    response = app.test_client(use_cookies=False).get(path, headers=headers)
    assert len(response.headers.getlist("Set-Cookie")) < 2
    return response.headers.get("Set-Cookie"), response.headers.get("Vary")


def pair(set_cookie: str | None) -> str:
    assert set_cookie is not None
    return set_cookie.partition(";")[0]


def reference(key: Any = KEY, **signer: Any) -> URLSafeTimedSerializer:
    options = {"key_derivation": "hmac", "digest_method": hashlib.sha1} | signer
    return URLSafeTimedSerializer(
        key, salt="cookie-session", serializer=session_json_serializer, signer_kwargs=options
    )
