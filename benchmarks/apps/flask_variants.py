"""Applications of Flask and microflask that change something about the framework itself."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from .. import material
from ..wire import HOST
from . import typed


def _new(api: Any, mode: str = "3.1", make: Any = None, **options: Any) -> Any:
    if hasattr(api, "Compat"):
        options["compat"] = mode
    app = (make or api.Flask)("benchmark", static_folder=None, **options)
    app.secret_key = material.SECRET
    return app


def _say_hello(app: Any) -> Any:
    app.add_url_rule("/", "hello", lambda: material.HELLO)
    return app


class Marking:
    """Be a middleware that adds a header to every answer."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, [*headers, ("X-Seen", "yes")], exc_info)

        return self.app(environ, start)


def middleware(api: Any, assets: Path) -> Any:
    """Wrap the application as its documentation says."""
    app = _say_hello(_new(api))
    app.wsgi_app = Marking(app.wsgi_app)
    return app


def subclassed(api: Any, assets: Path) -> Any:
    """Give the application, the request and the response classes of their own."""
    asked_by = property(lambda self: f"asked by {self.remote_addr}")
    request_class = type("Question", (api.Request,), {"asked_by": asked_by})

    response_base, flask_base = api.Response, api.Flask

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        response_base.__init__(self, *args, **kwargs)
        self.headers["X-Made-By"] = "Answer"

    def make_response(self: Any, value: Any) -> Any:
        return flask_base.make_response(self, value)

    response_class = type("Answer", (response_base,), {"__init__": __init__, "default_mimetype": "text/html"})
    members = {"request_class": request_class, "response_class": response_class, "make_response": make_response}
    app = _new(api, make=type("Shop", (flask_base,), members))
    app.add_url_rule("/", "hello", lambda: api.request.asked_by)
    return app


def after(api: Any, assets: Path) -> Any:
    """Set a header on every response."""
    app = _say_hello(_new(api))

    @typed(app.after_request)
    def mark(response: Any) -> Any:
        response.headers["X-Seen"] = "yes"
        return response

    return app


def own_session(api: Any, assets: Path) -> Any:
    """Keep the sessions in memory by an interface of one's own, as extensions do."""
    sessions = import_module(f"{api.__name__}.sessions")
    session_class = type("MemorySession", (dict, sessions.SessionMixin), {"key": ""})
    kept: dict[str, Any] = {}

    def open_session(self: Any, app: Any, request: Any) -> Any:
        key = request.cookies.get("session")
        if key in kept:
            return kept[key]
        session = session_class()
        session.key = secrets.token_urlsafe(16)
        return session

    def save_session(self: Any, app: Any, session: Any, response: Any) -> None:
        if session and session.key not in kept:
            kept[session.key] = session
            response.set_cookie("session", session.key, httponly=True, path="/")

    members = {"open_session": open_session, "save_session": save_session}
    app = _say_hello(_new(api))
    app.session_interface = type("MemorySessions", (sessions.SessionInterface,), members)()
    _count_visits(app, api)
    return app


def _count_visits(app: Any, api: Any) -> None:
    session = api.session

    @typed(app.route("/visits"))
    def visits() -> str:
        return str(session.get("visits", 0))

    @typed(app.route("/visits/add"))
    def add_visit() -> str:
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])


def hosts(api: Any, assets: Path) -> Any:
    """Choose the view by the host."""
    app = _new(api, host_matching=True)
    app.add_url_rule("/", "hello", lambda: material.HELLO, host=HOST)
    app.add_url_rule("/", "tenant", lambda tenant: f"tenant {tenant}", host="<tenant>.example.org")
    return app


def _mode(mode: str) -> Callable[[Any, Path], Any]:
    def make(api: Any, assets: Path) -> Any:
        app = _say_hello(_new(api, mode))
        if not hasattr(api, "Compat"):
            app.json.compact = False  # both write the same indented document
        app.add_url_rule("/small", "small", lambda: api.jsonify(material.SMALL))
        app.add_url_rule("/rows", "rows", lambda: api.jsonify(rows=material.ROWS))
        return app

    return make


VARIANTS: dict[str, Callable[[Any, Path], Any]] = {
    "middleware": middleware,
    "subclassed": subclassed,
    "after": after,
    "own-session": own_session,
    "hosts": hosts,
    "documented": _mode("documented"),
    "0.10": _mode("0.10"),
}
