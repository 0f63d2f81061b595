"""The development server: ``python -m guestbook``."""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Sequence

from . import create_app

HOST = "127.0.0.1"


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 65535")
    return int(text)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        # A server that has just ended leaves its port closing for a while; that is no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            sys.exit(f"guestbook: cannot use port {port} on {HOST}: {error.strerror}. Choose another one with --port.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Start the development server on this machine only."""
    parser = argparse.ArgumentParser(prog="guestbook", description="Start the guestbook on this machine only.")
    parser.add_argument("--port", type=_port, default=5000, help="5000 by default")
    port: int = parser.parse_args(arguments).port
    _check_free(port)
    app = create_app()
    print(f"The guestbook is at http://{HOST}:{port}/ (Ctrl+C stops it)", flush=True)
    app.run(HOST, port)


if __name__ == "__main__":
    main()
