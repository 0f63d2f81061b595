"""The development server."""

from __future__ import annotations

import os
import sys
from typing import Any

from .helpers import get_load_dotenv


def read_dotenv() -> None:
    """Read .env and .flaskenv when python-dotenv is installed and FLASK_SKIP_DOTENV does not forbid it."""
    if not get_load_dotenv():
        return
    from .commands import load_dotenv

    load_dotenv()


def run_application(
    app: Any, host: str | None, port: int | None, debug: bool | None, load_dotenv: bool, options: dict[str, Any]
) -> None:
    """Serve an application until interrupted; what is not given comes from its configuration."""
    if os.environ.get("FLASK_RUN_FROM_CLI") == "true":
        # The command line has imported the module that ends with app.run().
        print(" * Ignoring app.run(): the `run` command is starting the server.", file=sys.stderr)
        return
    if load_dotenv:
        read_dotenv()
        if app.compat.debug_from_environment and "FLASK_DEBUG" in os.environ:
            from .helpers import get_debug_flag

            app.debug = get_debug_flag()
    if debug is not None:
        app.debug = bool(debug)
    name, _, name_port = (app.config["SERVER_NAME"] or "").partition(":")
    if not host:
        host = name if name and app.compat.run_host_from_server_name else "127.0.0.1"
    port = int(name_port or 5000) if port is None else int(port)
    options.setdefault("use_reloader", app.debug)
    options.setdefault("use_debugger", app.debug)
    options.setdefault("threaded", True)
    from werkzeug.serving import is_running_from_reloader, run_simple

    if not is_running_from_reloader():
        print(f" * Serving {app.name!r}, debug mode {'on' if app.debug else 'off'}", file=sys.stderr)
    try:
        run_simple(host, port, app, **options)
    finally:
        # An interactive session may go on setting the application up.
        app._got_first_request = False
