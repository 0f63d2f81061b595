"""Become a server on one core: ``python -m benchmarks.serve gunicorn|granian|waitress PORT``."""

from __future__ import annotations

import os
import sys

TARGET = "benchmarks.wsgi:app"
#: Each with one process, so that one core is what is measured.
OPTIONS: dict[str, tuple[str, ...]] = {
    "gunicorn": ("--workers=1", "--worker-class=sync", "--log-level=warning", "--bind=127.0.0.1:{port}", TARGET),
    "granian": (
        "--interface=wsgi", "--workers=1", "--blocking-threads=1", "--runtime-threads=1", "--no-ws",
        "--log-level=warning", "--host=127.0.0.1", "--port={port}", TARGET,
    ),
    "waitress": ("--threads=4", "--listen=127.0.0.1:{port}", TARGET),
}  # fmt: skip


def cores() -> list[int]:
    """Return the cores that this process may use; none where that cannot be told or chosen."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def command(kind: str, port: int) -> list[str]:
    """Return the command line of a server."""
    return [sys.executable, "-m", kind, *(option.format(port=port) for option in OPTIONS[kind])]


def main() -> None:
    """Move to the last core and give way to the server."""
    kind, port = sys.argv[1:3]
    mine = cores()
    if len(mine) > 1:
        os.sched_setaffinity(0, mine[-1:])
    arguments = command(kind, int(port))
    os.execv(arguments[0], arguments)


if __name__ == "__main__":
    main()
