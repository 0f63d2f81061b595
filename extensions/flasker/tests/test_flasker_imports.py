"""How the modules of flasker depend on each other: one way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import flasker
import pytest

PACKAGE = Path(flasker.__file__).parent


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}


def imported(name: str) -> Iterator[str]:
    """Yield the modules of the package that a module names: late imports, and those for type checkers, too."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            source = ".".join(filter(None, (above, node.module)))
            for alias in node.names:
                found = f"{source}.{alias.name}"
                yield from (module for module in (found if found in MODULES else source,) if module in MODULES)


def test_the_modules_are_found() -> None:
    assert {"flasker", "flasker.cli", "flasker.ext.api.views"} <= set(MODULES)
    assert "flasker.current" in set(imported("flasker"))
    assert "flasker.errors" in set(imported("flasker.ext.auth.manager"))


def test_imports_make_no_circle() -> None:
    graph = {name: set(imported(name)) - {name} for name in MODULES}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
    assert set(order) == set(MODULES)


def test_what_a_project_is_made_of_knows_nothing_of_extensions_and_commands() -> None:
    above = ("flasker.ext", "flasker.commands", "flasker.cli", "flasker.__main__")
    for name in MODULES:
        if not name.startswith(above):
            assert not [module for module in imported(name) if module.startswith(above)], name
