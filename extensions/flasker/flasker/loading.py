"""Importing the modules of a project."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from microflask.alias import install_as_flask
from microflask.compat import default_compat

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


class _FlaskFinder(MetaPathFinder):
    """Install microflask's alias when something imports ``flask`` first: that takes time, and few projects need it."""

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return where the module is that is imported, if it is ``flask`` or below it."""
        if fullname.partition(".")[0] != "flask":
            return None
        sys.meta_path.remove(self)
        # With the row that is the default anyway: it decides about applications that are made later.
        install_as_flask(default_compat())
        return find_spec(fullname)


def answer_to_flask() -> None:
    """Let modules that say ``from flask import ...`` get microflask, which the application of a project is made of.

    Where something has imported Flask itself before, that stays what it is.
    """
    if "flask" not in sys.modules and not any(isinstance(finder, _FlaskFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _FlaskFinder())


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
