"""The development server."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

from .helpers import debug_setting, get_debug_flag, get_load_dotenv


def read_dotenv() -> None:
    """Read .env and .flaskenv when python-dotenv is installed and FLASK_SKIP_DOTENV does not forbid it."""
    if not get_load_dotenv():
        return
    from .commands import load_dotenv

    load_dotenv()


def show_server_banner(debug: bool, app_import_path: str | None) -> None:
    """Print what is going to be served, but not again in the processes that the reloader starts.

    :param app_import_path: the name of the application; None prints no line
    """
    from werkzeug.serving import is_running_from_reloader

    if app_import_path is not None and not is_running_from_reloader():
        print(f" * Serving {app_import_path!r}, debug mode {'on' if debug else 'off'}", file=sys.stderr, flush=True)


def check_address(host: str, port: int) -> None:
    """Find out whether a server can listen on an address.

    :param host: a name or an address; ``unix://...`` is not looked into
    :param port: 0 stands for any free one
    :raises OSError: it cannot
    """
    if host.startswith("unix://"):
        return
    # As the server will do it: "localhost" is an IPv4 address for it.
    wanted = socket.AF_INET6 if ":" in host else socket.AF_INET
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, wanted, socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        # Otherwise connections of an earlier server that are fading out count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen()


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
        if app.compat.debug_from_environment and debug_setting() is not None:
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
    from werkzeug.serving import run_simple

    # Programs silence the banner by replacing it where Flask has it: in the module of the command line.
    command_line = sys.modules.get(f"{__package__}.cli")
    getattr(command_line, "show_server_banner", show_server_banner)(app.debug, app.name)
    try:
        run_simple(host, port, app, **options)
    finally:
        # An interactive session may go on setting the application up.
        app._got_first_request = False
