"""Fixtures of all tests: an application, and packages that are written for one test."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from microflask import Flask

Write = Callable[[str, str], None]


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    app = Flask("pocket_site", root_path=str(tmp_path))
    app.testing = True
    return app


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write files below an import path of their own. What was imported from there is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def write(name: str, source: str = "") -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        importlib.invalidate_caches()

    yield write
    for name in set(sys.modules) - before:
        origin = getattr(sys.modules[name], "__file__", None) or ""
        if origin.startswith(str(tmp_path)) or name.partition(".")[0] in {"apps", "views_site"}:
            del sys.modules[name]
