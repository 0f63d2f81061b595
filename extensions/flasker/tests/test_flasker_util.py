"""Caching, jsonifying and logging."""

from __future__ import annotations

import functools
import logging
import time
import uuid
from datetime import UTC, date, datetime
from datetime import time as daytime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import pytest
from flasker.util import Cacheable, Jsonifiable, Loggable, cached_property, jsonify

# -- caching -----------------------------------------------------------------------------------------------------


class Counting(Cacheable):
    def __init__(self) -> None:
        self.calls: list[str] = []

    @cached_property
    def first(self) -> int:
        """The first one."""
        self.calls.append("first")
        return len(self.calls)

    @cached_property
    def second(self) -> str:
        self.calls.append("second")
        return "two"


class Heir(Counting):
    @cached_property
    def third(self) -> int:
        return 3


def test_a_cached_property_is_computed_once() -> None:
    counting = Counting()
    assert (counting.first, counting.first, counting.calls) == (1, 1, ["first"])
    assert Counting.first.__doc__ == "The first one."


def test_the_cache_holds_value_and_time() -> None:
    counting, begun = Counting(), time.time()
    assert counting._cache == {}
    assert counting.second == "two"
    value, moment = counting._cache["second"]
    assert value == "two"
    assert begun <= moment <= time.time()
    assert Counting()._cache == {}


def test_assigning_replaces_the_value_and_its_time() -> None:
    counting = Counting()
    counting.first = 17
    assert counting.first == 17
    assert counting.calls == []
    assert counting.view_cache()["second"] is None


def test_refresh_computes_what_is_old_or_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    counting, now = Counting(), 1000.0
    monkeypatch.setattr("flasker.util.caching.time.time", lambda: now)
    assert counting.first == 1
    now += 60
    counting.refresh_cache(expiration=61)
    assert counting.calls == ["first", "second"]
    assert counting.view_cache() == {"first": 60, "second": 0}
    counting.refresh_cache(expiration=60)
    assert counting.calls == ["first", "second", "first"]
    counting.refresh_cache()
    assert counting.calls[3:] == ["first", "second"]


@pytest.mark.parametrize("names", ["second", ["second"], ("second",)])
def test_refresh_takes_names(names: Any) -> None:
    counting = Counting()
    counting.refresh_cache(names)
    assert counting.calls == ["second"]


def test_refresh_of_an_unknown_name_computes_nothing() -> None:
    counting = Counting()
    with pytest.raises(AttributeError, match="'calls'"):
        counting.refresh_cache(["second", "calls"])
    assert counting.calls == []


def test_a_subclass_has_the_cached_properties_of_its_bases() -> None:
    heir = Heir()
    assert heir.third == 3
    assert heir.view_cache() == {"first": None, "second": None, "third": pytest.approx(0, abs=5)}


# -- jsonifying --------------------------------------------------------------------------------------------------


class Colour(str, Enum):  # noqa: UP042 - another kind than StrEnum
    RED = "red"


class Number(IntEnum):
    ONE = 1


class Inner(Jsonifiable):
    def __init__(self) -> None:
        self.name = "inner"


class Outer(Jsonifiable):
    kind = "outer"
    unset: int

    def __init__(self) -> None:
        self.inner = Inner()
        self.many = [Inner(), {"x": Inner()}]
        self._hidden = 1
        self.call = print

    @property
    def size(self) -> int:
        return 3

    @functools.cached_property
    def kept(self) -> date:
        return date(2020, 1, 2)

    def method(self) -> None: ...

    @staticmethod
    def static() -> None: ...

    @classmethod
    def of_class(cls) -> None: ...


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None), (True, True), (1, 1), (1.5, 1.5), ("a", "a"), ([1, [2]], [1, [2]]), ((1, (2,)), [1, [2]]),
        ({1}, [1]), (frozenset(), []), ({"a": (1,)}, {"a": [1]}), ({1: 2, None: 3}, {"1": 2, "null": 3}),
        (date(2020, 1, 2), "2020-01-02"), (daytime(3, 4, 5), "03:04:05"),
        (datetime(2020, 1, 2, 3, 4, 5, 6), "2020-01-02T03:04:05.000006"),
        (datetime(2020, 1, 2, tzinfo=UTC), "2020-01-02T00:00:00+00:00"),
        (Decimal("1.50"), 1.5), (Decimal("12345678901234567890"), 12345678901234567890), (Decimal("NaN"), None),
        (float("inf"), None), (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Colour.RED, "red"), (Number.ONE, 1), ({date(2020, 1, 2): 1}, {"2020-01-02": 1}), ({True: 1}, {"true": 1}),
        ({1: 1}, {"1": 1}),
    ],
)  # fmt: skip
def test_plain_values(value: object, plain: object) -> None:
    found = jsonify(value)
    assert found == plain
    assert type(found) is type(plain)


def test_an_object_is_its_public_attributes_and_properties() -> None:
    assert jsonify(Outer()) == {
        "kind": "outer", "inner": {}, "many": [{}, {"x": {}}], "size": 3, "kept": "2020-01-02",
    }  # fmt: skip


def test_depth_shows_objects_inside_of_objects() -> None:
    plain = jsonify(Outer(), depth=1)
    assert plain["inner"] == {"name": "inner"}
    assert plain["many"] == [{"name": "inner"}, {"x": {"name": "inner"}}]


def test_include_and_exclude() -> None:
    class Special(Outer):
        json_include = ["_hidden"]
        json_exclude = ["inner", "many", "size", "kept"]

    assert jsonify(Special()) == {"kind": "outer", "_hidden": 1}


def test_an_object_with_slots() -> None:
    class Slotted(Jsonifiable):
        __slots__ = ("name",)

        def __init__(self) -> None:
            self.name = "x"

    assert jsonify(Slotted()) == {"name": "x"}


@pytest.mark.parametrize("value", [object(), 1j, b"bytes", [object()], {"a": object()}, {(1, 2): 3}, print])
def test_what_has_no_form_in_json_is_an_error_that_names_its_type(value: object) -> None:
    with pytest.raises(ValueError, match=r"object|complex|bytes|tuple|builtin"):
        jsonify(value)


def test_a_list_that_holds_itself_is_an_error() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(ValueError, match="holds itself"):
        jsonify(value)


# -- logging -----------------------------------------------------------------------------------------------------


class Speaking(Loggable):
    def __str__(self) -> str:
        return "I"


@pytest.mark.parametrize(
    ("method", "level"),
    [("debug", "DEBUG"), ("info", "INFO"), ("warn", "WARNING"), ("warning", "WARNING"), ("error", "ERROR")],
)
def test_messages_name_who_speaks(caplog: pytest.LogCaptureFixture, method: str, level: str) -> None:
    with caplog.at_level(logging.DEBUG):
        getattr(Speaking(), method)("100% sure")
    assert caplog.record_tuples == [(__name__, getattr(logging, level), "I :: 100% sure")]
    assert caplog.records[0].funcName == "test_messages_name_who_speaks"


def test_arguments_are_formatted_in(caplog: pytest.LogCaptureFixture) -> None:
    Speaking().error("%s of %d", "one", 2)
    assert caplog.messages == ["I :: one of 2"]


@pytest.mark.parametrize("logger", ["special", logging.getLogger("special")])
def test_a_class_may_name_its_logger(caplog: pytest.LogCaptureFixture, logger: object) -> None:
    class Special(Speaking):
        __logger__ = logger  # type: ignore[assignment]

    Special().warning("x")
    assert [record.name for record in caplog.records] == ["special"]
