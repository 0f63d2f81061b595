"""One house: imports only go down, and a switch of behaviour stands in compat.py or nowhere."""

import ast
import dataclasses
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import microflask
from microflask.compat import Compat

ROOT = Path(microflask.__file__).parent

#: From the ground to the roof. A module may import what lies below it, and of its own floor whatever makes no circle.
FLOORS = {
    "ground": [
        "attributes", "compat", "config", "debughelpers", "decoding", "errors", "files", "globals", "headers",
        "loops", "matching", "relics", "resources", "routing", "rules", "signals", "typing",
        "uploads",
    ],
    "first floor": [
        "commands", "ctx", "helpers", "json", "json.provider", "json.rows", "json.tag", "logging", "streams",
        "urls", "views",
    ],
    "second floor": [
        "scaffold", "sessions", "sessions.cookie", "sessions.data", "sessions.interface", "sessions.server",
        "incoming", "outgoing", "sessions.signing", "templating", "wrappers",
    ],
    "third floor": ["blueprints", "late", "module", "responses", "testing"],
    "assembly": ["assembly"],
    "roof": ["", "__main__", "alias", "app", "borrowed", "cli", "doctor", "ext", "extension_check", "serving"],
}  # fmt: skip
HEIGHT = {module: height for height, modules in enumerate(FLOORS.values()) for module in modules}
#: Names that a module offers from above and imports when they are asked for, as the face of the package does.
DOORS = {("testing", "extension_check")}

FILES = {
    ".".join(part for part in path.relative_to(ROOT).with_suffix("").parts if part != "__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}
TREES = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in FILES.items()}


def resolve(module: str, level: int, name: str) -> str:
    """Return the full name, below the package, of what a relative import in a module names."""
    base = module.split(".") if module else []
    if FILES[module].name != "__init__.py":
        base = base[:-1]
    base = base[: len(base) - (level - 1)]
    return ".".join([*base, *filter(None, [name])])


def targets(module: str, node: ast.AST) -> list[str]:
    """Return the modules of the package that a node of a module's tree imports, under TYPE_CHECKING too."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
        return [name.removeprefix("microflask").lstrip(".") for name in names if name.split(".")[0] == "microflask"]
    if isinstance(node, ast.ImportFrom):
        if node.level:
            base = resolve(module, node.level, node.module or "")
        elif (node.module or "").split(".")[0] == "microflask":
            base = (node.module or "").removeprefix("microflask").lstrip(".")
        else:
            return []
        inner = [f"{base}.{alias.name}".lstrip(".") for alias in node.names]
        return [name if name in FILES else base for name in inner]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
        argument = node.args[0]
        if isinstance(argument, ast.Constant) and str(argument.value).startswith("."):
            return [resolve(module, 1, str(argument.value).lstrip("."))]
    return []


def arrows(module: str) -> set[str]:
    """Return the modules of the package that a module imports."""
    found = {target for node in ast.walk(TREES[module]) for target in targets(module, node)}
    return {target for target in found - {module} if (module, target) not in DOORS}


def test_every_module_has_a_floor():
    assert sorted(HEIGHT) == sorted(FILES)


def test_the_reader_of_imports_finds_them():
    assert {"assembly", "commands", "testing", "debughelpers", "late", "outgoing"} <= arrows("app")
    assert {"json.tag", "sessions.data"} <= arrows("sessions.cookie")
    assert arrows("signals") == arrows("globals") == set()


@pytest.mark.parametrize("module", sorted(FILES))
def test_imports_go_down(module):
    upward = {target for target in arrows(module) if HEIGHT[target] > HEIGHT[module]}
    # The package itself, as in `from . import json`, is the face; only the roof may look at it.
    assert upward == set()


@pytest.mark.parametrize("floor", FLOORS)
def test_no_floor_goes_round_in_circles(floor):
    modules = set(FLOORS[floor]) - {""}
    graph = {module: arrows(module) & modules for module in modules}
    assert len(list(TopologicalSorter(graph).static_order())) == len(modules)


def test_doors_are_opened_late():
    """Such an import stands in a function, so that nothing of the kind happens when the module is imported."""
    for module, target in DOORS:
        at_once = {name for node in TREES[module].body for name in targets(module, node)}
        assert target not in at_once


# -- compat


def attributes(tree: ast.AST) -> set[str]:
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_every_behaviour_of_the_table_is_asked_for():
    asked = set().union(*(attributes(tree) for tree in TREES.values()))
    assert {field.name for field in dataclasses.fields(Compat)} - asked == set()


def test_what_is_asked_for_stands_in_the_table():
    known = {field.name for field in dataclasses.fields(Compat)}
    asked = {
        node.attr
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "compat"
    }
    assert asked - known == set()
    assert len(asked) > 20


@pytest.mark.parametrize("module", sorted(FILES))
def test_nobody_asks_for_a_version(module):
    compared = [
        ast.unparse(node)
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Compare) and "compat.name" in ast.unparse(node)
    ]
    assert compared == []
