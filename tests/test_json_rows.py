"""Lists of objects are written as the standard library writes them, by columns or not."""

from __future__ import annotations

import enum
import json as stdlib_json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from strategies import Dice, dice, examples

from microflask import Flask
from microflask.json.rows import MANY, RowWriter


class Number(enum.IntEnum):
    ONE = 1


class Text(str):
    def __str__(self) -> str:
        return "something else"


TEXTS = (
    "", "a", "],[", "},{", '"],["', "\n", "a\nb", "%s%%", "{}", "\\", "\x00", "\u20ac", "\U0001f600", "\ud800", ",",
)  # fmt: skip
KEYS = ("id", "name", "%s", '"', "\n", "", "{0}", "\u00e9", "],[", "zz", "a b", "],[\n")
SCALARS = (0, 1, -5, 10**30, 1.5, -0.0, 1e300, True, False, None, *TEXTS)
UNKNOWN = object()
ODD = (
    float("nan"), float("inf"), Number.ONE, Text("t"), (1, 2), (), (1,), {1: 2}, {None: 1, True: 2}, {"b": 1, "a": 2},
)  # fmt: skip
NESTED = ([[1, 2], [3]], [{"b": 1, "a": 0}], {"z": [1, 2], "a": {"y": 1, "b": 2}}, [[]], [None, [None]], [["],["]])


def make_column(dice: Dice) -> Callable[[], Any]:
    """Return what makes the values of a column: mostly of one kind."""
    def lists() -> Any:
        return [dice.one(*SCALARS) for _ in range(dice.one(0, 1, 2, 3))]

    def objects() -> Any:
        return {dice.one(*KEYS): dice.one(*SCALARS) for _ in range(dice.one(0, 1, 3))}

    makers: tuple[Callable[[], Any], ...] = (
        lambda: int(dice.random() * 1000), lambda: int(dice.random() * 1000), dice.random, lambda: dice.one(*TEXTS),
        lambda: f"Item {int(dice.random() * 99)}", lambda: dice.often(0.5), lambda: None, lists, lists, objects,
        lambda: dice.one(*SCALARS), lambda: dice.one(*ODD) if dice.often(0.1) else 3, lambda: dice.one(*NESTED),
        lambda: dice.one(lists, objects)(), lambda: dice.one([], [], {"a": 1}),
        lambda: UNKNOWN if dice.often(0.02) else 1, lambda: dice.one([1, 2], [1, 2], [1, 2], [1, 2], *NESTED),
    )  # fmt: skip
    return dice.one(*makers)


def make_rows(dice: Dice) -> list[Any]:
    columns = {key: make_column(dice) for key in dice.some(KEYS, 6)}
    rows: list[Any] = [{key: make() for key, make in columns.items()} for _ in range(MANY + dice.one(0, 1, 40))]
    for _ in range(dice.one(0, 0, 0, 1)):
        at = dice.one(0, 5, len(rows) - 1)
        row = rows[at]
        fewer = dict(list(row.items())[:-1])
        rows[at] = dice.one(
            {}, {**row, "more": 1}, {**row, 5: 1}, None, dict(reversed(row.items())), {**fewer, "other": 2},
        )  # fmt: skip
    return rows


def refuse(value: Any) -> Any:
    raise LookupError


def text_or_error(call: Callable[..., str], value: Any, options: dict[str, Any]) -> Any:
    try:
        return call(value, **options)
    except Exception as error:
        return type(error)


@examples()
@given(dice())
def test_rows_are_written_as_the_standard_library_writes_them(dice: Dice) -> None:
    rows = make_rows(dice)
    options: dict[str, Any] = {
        "sort_keys": dice.often(0.9), "ensure_ascii": dice.often(0.7), "skipkeys": dice.often(0.2),
        "allow_nan": dice.often(0.8), "indent": dice.one(None, None, None, None, 1),
        "separators": dice.one((",", ":"), (",", ":"), None, (", ", ": "), ("],[", ":"), ("\n", "\n"), (",", ":\n")),
    }  # fmt: skip
    app = Flask("rows", root_path="/", static_folder=None)
    default = dice.one(repr, refuse, lambda value: [2, 1], lambda value: {"b": 1, "a": 2})
    app.json.default = default  # type: ignore[attr-defined]
    if dice.often(0.05):
        rows[3] = {"ring": rows}
    got = text_or_error(app.json.dumps, rows, options)
    assert got == text_or_error(stdlib_json.dumps, rows, {**options, "default": default})


@pytest.mark.parametrize("chunks", [1, 3])
def test_rows_of_one_shape_are_written_by_columns(monkeypatch: pytest.MonkeyPatch, chunks: int) -> None:
    app = Flask("rows", root_path="/", compat="3.1")
    tables = []
    write = RowWriter._write_table

    def watch(self: RowWriter, rows: list[Any]) -> str | None:
        tables.append(write(self, rows))
        return tables[-1]

    monkeypatch.setattr(RowWriter, "_write_table", watch)
    monkeypatch.setattr("microflask.json.rows._AT_ONCE", -(-200 // chunks))
    rows = [{"name": f"Item {at}", "id": at, "tags": ["b", "a"], "of": {"id": at}, "new": at > 9} for at in range(200)]
    assert app.json.dumps(rows) == stdlib_json.dumps(rows, sort_keys=True)
    assert len(tables) == chunks
    assert None not in tables


def test_no_value_is_turned_twice() -> None:
    """An iterator that stands for a list is empty afterwards."""
    app = Flask("rows", root_path="/", compat="3.1")
    app.json.default = list  # type: ignore[attr-defined]
    for at in (0, 50):
        rows: list[dict[str, Any]] = [{"id": number, "values": 1} for number in range(MANY)]
        rows[at]["values"] = iter([1, 2])
        assert stdlib_json.loads(app.json.dumps(rows))[at] == {"id": at, "values": [1, 2]}


def test_rows_in_a_ring_are_refused() -> None:
    app = Flask("rows", root_path="/", compat="3.1")
    rows: list[Any] = [{"id": number, "of": None} for number in range(MANY)]
    rows[7]["of"] = rows
    with pytest.raises(ValueError, match="Circular"):
        app.json.dumps(rows)


def test_unsorted_rows_keep_their_order() -> None:
    app = Flask("rows", root_path="/", compat="3.1")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    rows = [{"b": 1, "a": 2} if number % 2 else {"a": 2, "b": 1} for number in range(MANY)]
    assert app.json.dumps(rows) == stdlib_json.dumps(rows)
