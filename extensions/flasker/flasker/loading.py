"""Importing the modules of a project."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

from .errors import ProjectImportError


def import_modules(names: Iterable[str], root_dir: str) -> None:
    """Import modules in their order, with `root_dir` first on ``sys.path``.

    :raises ProjectImportError: one of them does not exist; what fails inside of one comes out as it is
    """
    if root_dir in sys.path:
        sys.path.remove(root_dir)
    sys.path.insert(0, root_dir)
    for name in names:
        if not _exists(name):
            raise ProjectImportError(f"MODULES names {name!r}, and there is no such module in {root_dir} or installed")
        import_module(name)


def _exists(name: str) -> bool:
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return False
    for end in range(1, len(parts) + 1):
        # find_spec() imports the packages above by itself, but then a missing one would look like an error inside.
        whole = ".".join(parts[:end])
        if whole not in sys.modules and find_spec(whole) is None:
            return False
        if end < len(parts) and not hasattr(import_module(whole), "__path__"):
            return False
    return True
