"""Flask's documented API, both generations of it, on one lazy request path."""

from __future__ import annotations

import sys
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from . import json as json
from .app import Flask
from .compat import DOCUMENTED, FLASK_0_10, FLASK_3_1, Compat
from .config import Config
from .ctx import after_this_request, copy_current_request_context, has_app_context, has_request_context
from .globals import _app_ctx_stack, _request_ctx_stack
from .helpers import (
    abort,
    flash,
    get_flashed_messages,
    get_template_attribute,
    redirect,
    safe_join,
    stream_with_context,
    url_for,
)
from .incoming import Request
from .outgoing import Response
from .signals import (
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    before_render_template,
    got_request_exception,
    message_flashed,
    request_finished,
    request_started,
    request_tearing_down,
    signals_available,
    template_rendered,
)

if TYPE_CHECKING:
    from .blueprints import Blueprint as Blueprint
    from .ctx import AppContext, RequestContext, _AppCtxGlobals
    from .module import Module as Module
    from .sessions import SessionMixin
    from .templating import render_template as render_template
    from .templating import render_template_string as render_template_string
    from .templating import stream_template as stream_template
    from .templating import stream_template_string as stream_template_string

    # Lower rooms do not know the classes of responses; users of an editor want to.
    def jsonify(*args: Any, **kwargs: Any) -> Response: ...
    def make_response(*args: Any) -> Response: ...
    def send_file(path_or_file: Any = None, *args: Any, **kwargs: Any) -> Response: ...
    def send_from_directory(directory: str | PathLike[str], path: str = "", *args: Any, **kwargs: Any) -> Response: ...

    # The proxies, by what they stand for.
    app_ctx: AppContext
    current_app: Flask
    g: _AppCtxGlobals
    request: Request
    request_ctx: RequestContext
    session: SessionMixin
else:
    from .globals import app_ctx, current_app, g, request, request_ctx, session
    from .helpers import make_response, send_file, send_from_directory
    from .json import jsonify

__version__ = "0.1.0"

#: What is imported when it is first asked for: neither blueprints nor Jinja2 or click are needed to serve JSON.
_LATER = {
    "Blueprint": "blueprints",
    "Module": "module",
    "render_template": "templating",
    "render_template_string": "templating",
    "stream_template": "templating",
    "stream_template_string": "templating",
    "install_as_flask": "alias",
}
#: Whether JSON works; there was a time when it needed a library.
json_available = True
_SUBMODULES = {
    "alias", "blueprints", "cli", "commands", "debughelpers", "doctor", "ext", "logging", "module", "templating",
    "testing", "typing", "views", "wrappers",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "Session":
        # Sessions were of this class before there were interfaces for them.
        return import_module(".sessions", __name__).SecureCookieSession
    if name in _LATER:
        value = getattr(import_module(f".{_LATER[name]}", __name__), name)
        setattr(sys.modules[__name__], name, value)
        return value
    if name in _SUBMODULES:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "DOCUMENTED",
    "FLASK_0_10",
    "FLASK_3_1",
    "Blueprint",
    "Compat",
    "Config",
    "Flask",
    "Markup",
    "Module",
    "Request",
    "Response",
    "_app_ctx_stack",
    "_request_ctx_stack",
    "abort",
    "after_this_request",
    "app_ctx",
    "appcontext_popped",
    "appcontext_pushed",
    "appcontext_tearing_down",
    "before_render_template",
    "copy_current_request_context",
    "current_app",
    "escape",
    "flash",
    "g",
    "get_flashed_messages",
    "get_template_attribute",
    "got_request_exception",
    "has_app_context",
    "has_request_context",
    "install_as_flask",
    "json",
    "jsonify",
    "make_response",
    "message_flashed",
    "redirect",
    "render_template",
    "render_template_string",
    "request",
    "request_ctx",
    "request_finished",
    "request_started",
    "request_tearing_down",
    "safe_join",
    "send_file",
    "send_from_directory",
    "session",
    "signals_available",
    "stream_template",
    "stream_template_string",
    "stream_with_context",
    "template_rendered",
    "url_for",
]
