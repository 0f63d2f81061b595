"""The command `flasker flower`."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

from ..errors import ProjectImportError
from .server import check_port

ADDRESS = "127.0.0.1"


def watch(project: Any, port: int, arguments: Iterable[str]) -> None:
    """Run Flower until interrupted.

    :param arguments: for Flower
    :raises ProjectImportError: Flower is not installed, or the port is in use
    """
    if find_spec("flower") is None:
        raise ProjectImportError("Flower is not installed: pip install flasker[flower]")
    arguments = list(arguments)
    if not any(argument.startswith(("--address", "--unix")) for argument in arguments):
        check_port(ADDRESS, port)
        arguments.insert(0, f"--address={ADDRESS}")
    project.celery.start(["flower", f"--port={port}", *arguments])
