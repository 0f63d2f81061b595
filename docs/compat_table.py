"""The directive ``compat-table``: each behaviour of :mod:`microflask.compat` with its value in the named rows."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import timedelta
from itertools import pairwise
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from microflask import compat

ROWS = (compat.FLASK_0_10, compat.DOCUMENTED, compat.FLASK_3_1)
_ABSENT = object()


def explanations() -> dict[str, str]:
    """Return the text below each field of the class, by the field's name."""
    (definition,) = ast.parse(inspect.getsource(compat.Compat)).body
    assert isinstance(definition, ast.ClassDef)
    told = {}
    for field, text in pairwise(definition.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                told[name] = words
    return told


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "no such key"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return f"{value.days} days"
    if isinstance(value, tuple):
        return ", ".join(f"``{item}``" for item in value)
    return f"``{value!r}``"


def _table(title: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield from (f".. list-table:: {title}", "   :header-rows: 1", "")
    for row in [list(head), *map(list, rows)]:
        yield from (f"   {'*' if number == 0 else ' '} - {cell}" for number, cell in enumerate(row))
    yield ""


def lines() -> Iterator[str]:
    """Return the source of the tables: the behaviours, and the configuration where it differs."""
    modes = [f'"{row.name}"' for row in ROWS]
    told = explanations()
    yield from _table(
        "Behaviours", ["Field", "What it says", *modes],
        ([f"``{field.name}``", told[field.name], *(_shown(getattr(row, field.name)) for row in ROWS)]
         for field in fields(compat.Compat) if field.name not in {"name", "default_config"}),
    )  # fmt: skip
    values = {key: [row.default_config.get(key, _ABSENT) for row in ROWS]
              for key in sorted({key for row in ROWS for key in row.default_config})}  # fmt: skip
    yield from _table(
        f"``default_config``: {told['default_config']} Keys that differ:", ["Key", *modes],
        ([f"``{key}``", *map(_shown, found)] for key, found in values.items() if any(v != found[0] for v in found)),
    )  # fmt: skip


class CompatTable(SphinxDirective):
    """Stand for the tables."""

    def run(self) -> list[nodes.Node]:
        """Return the tables as the nodes of a document."""
        parent = nodes.Element()
        self.state.nested_parse(StringList(list(lines()), compat.__file__), self.content_offset, parent)
        return list(parent.children)


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directive known to Sphinx."""
    app.add_directive("compat-table", CompatTable)
    return {"parallel_read_safe": True}
