"""The command `flasker server`."""

from __future__ import annotations

import socket
from typing import Any

from werkzeug.serving import is_running_from_reloader

from ..errors import ProjectImportError


def serve(project: Any, host: str, port: int) -> None:
    """Serve the application of a project until interrupted.

    :raises ProjectImportError: the port is in use
    """
    if not is_running_from_reloader():
        check_port(host, port)
    # What the modules of the project have in common with it: a change of its file starts it anew, too.
    project.app.run(host, port, load_dotenv=False, threaded=True, extra_files=[project.conf_path])


def check_port(host: str, port: int) -> None:
    """Try whether a port is free.

    :raises ProjectImportError: it is not, or there is no such address here
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ProjectImportError(
                f"The server cannot listen on {host}:{port}: {error.strerror or error}; name another with -p or --host"
            ) from None
