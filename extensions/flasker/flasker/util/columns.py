"""From plain JSON, and from parts of a URL, to the values of a database column."""

from __future__ import annotations

import base64
import binascii
import math
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import types

Convert = Callable[[Any], Any]
#: Since SQLAlchemy 2.1 a Float is no Numeric.
_NUMBERS = (types.Numeric, types.Float)
_INTEGER_BITS = {types.SmallInteger: 16, types.BigInteger: 64}


def is_of_ones_own(kind: types.TypeEngine[Any]) -> bool:
    """Tell whether a column type has values that only its author knows."""
    return isinstance(kind, types.TypeDecorator) and not isinstance(kind, types.Interval)


def enum_names(kind: types.Enum) -> dict[Any, str]:
    """Return the texts of an enum's members: those that are stored."""
    members = list(kind.enum_class or ())
    if {member.name for member in members} >= set(kind.enums):
        return {member: member.name for member in members}
    return dict(zip(members, kind.enums, strict=False))


# -- from JSON ---------------------------------------------------------------------------------------------------


def json_reader(kind: types.TypeEngine[Any]) -> Convert:
    """Return what makes values of a column type out of plain JSON, other than None.

    It raises ValueError, with what was expected, for a value of another type or out of range.
    """
    if is_of_ones_own(kind):
        return _as_it_is
    if isinstance(kind, types.Enum):
        return _enum_reader(kind)
    if isinstance(kind, types.Integer):
        return _integer_reader(next((bits for base, bits in _INTEGER_BITS.items() if isinstance(kind, base)), 64))
    if isinstance(kind, types.String):
        return _string_reader(kind.length)
    if isinstance(kind, types.DateTime):
        return _read_aware_datetime if kind.timezone else _read_naive_datetime
    if isinstance(kind, _NUMBERS):
        return _read_decimal if kind.asdecimal else _read_float
    if isinstance(kind, types.Uuid):
        return _read_uuid if kind.as_uuid else _read_uuid_text
    if isinstance(kind, types.ARRAY):
        return _array_reader(json_reader(kind.item_type))
    return next((read for base, read in _READERS.items() if isinstance(kind, base)), _as_it_is)


def text_reader(kind: types.TypeEngine[Any]) -> Convert:
    """Return what makes values of a column type out of a part of a URL; it raises ValueError as json_reader's does."""
    read = json_reader(kind)
    if isinstance(kind, types.Integer):
        return lambda text: read(_parse_integer(text))
    if isinstance(kind, (*_NUMBERS, types.Interval)):
        return lambda text: read(_parse_number(text))
    if isinstance(kind, types.Boolean):
        return _parse_boolean
    return read


def _as_it_is(value: Any) -> Any:
    return value


def _expect(good: bool, expected: str) -> None:
    if not good:
        raise ValueError(f"{expected} was expected")


def _integer_reader(bits: int) -> Convert:
    limit = 1 << (bits - 1)

    def read(value: Any) -> int:
        _expect(type(value) is int, "an integer")
        _expect(-limit <= value < limit, f"an integer of {bits} bits")
        return value  # type: ignore[no-any-return]

    return read


def _string_reader(length: int | None) -> Convert:
    def read(value: Any) -> str:
        _expect(isinstance(value, str), "a text")
        _expect(length is None or len(value) <= length, f"a text of at most {length} characters")
        _expect(value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value), "a text of Unicode")
        return value  # type: ignore[no-any-return]

    return read


def _enum_reader(kind: types.Enum) -> Convert:
    known = {text: member for member, text in enum_names(kind).items()} or {text: text for text in kind.enums}

    def read(value: Any) -> Any:
        _expect(isinstance(value, str) and value in known, f"one of {', '.join(map(repr, known))}")
        return known[value]

    return read


def _array_reader(read_item: Convert) -> Convert:
    def read(value: Any) -> list[Any]:
        _expect(isinstance(value, list), "a list")
        return [None if item is None else read_item(item) for item in value]

    return read


def _read_boolean(value: Any) -> bool:
    _expect(isinstance(value, bool), "true or false")
    return value  # type: ignore[no-any-return]


def _read_number(value: Any) -> float:
    _expect(isinstance(value, (int, float, Decimal)) and not isinstance(value, bool), "a number")
    _expect(math.isfinite(value), "a finite number")
    return value  # type: ignore[no-any-return]


def _read_float(value: Any) -> float:
    try:
        return float(_read_number(value))
    except OverflowError:
        raise ValueError("a number in the range of a float was expected") from None


def _read_decimal(value: Any) -> Decimal:
    # By way of the text, or 0.1 would come out with all the digits that a float really has.
    return Decimal(str(_read_number(value)))


def _read_text(value: Any, expected: str) -> str:
    _expect(isinstance(value, str), expected)
    return value  # type: ignore[no-any-return]


def _read_date(value: Any) -> date:
    expected = "a date, YYYY-MM-DD,"
    try:
        return date.fromisoformat(_read_text(value, expected))
    except ValueError:
        raise ValueError(f"{expected} was expected") from None


def _read_time(value: Any) -> time:
    expected = "a time, HH:MM:SS,"
    try:
        return time.fromisoformat(_read_text(value, expected))
    except ValueError:
        raise ValueError(f"{expected} was expected") from None


def _read_aware_datetime(value: Any) -> datetime:
    expected = "a date and time, YYYY-MM-DDTHH:MM:SS,"
    try:
        return datetime.fromisoformat(_read_text(value, expected))
    except ValueError:
        raise ValueError(f"{expected} was expected") from None


def _read_naive_datetime(value: Any) -> datetime:
    moment = _read_aware_datetime(value)
    try:
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise ValueError("a date and time between the years 1 and 9999 was expected") from None


def _read_interval(value: Any) -> timedelta:
    try:
        return timedelta(seconds=float(_read_number(value)))
    except OverflowError:
        raise ValueError("a number of seconds in the range of an interval was expected") from None


def _read_bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(_read_text(value, "a text in base64"), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a text in base64 was expected") from None


def _read_uuid(value: Any) -> uuid.UUID:
    try:
        return uuid.UUID(_read_text(value, "a UUID"))
    except ValueError:
        raise ValueError("a UUID was expected") from None


def _read_uuid_text(value: Any) -> str:
    return str(_read_uuid(value))


_READERS: dict[type[Any], Convert] = {
    types.Boolean: _read_boolean,
    types.Date: _read_date,
    types.Time: _read_time,
    types.Interval: _read_interval,
    types.LargeBinary: _read_bytes,
}


# -- from a URL --------------------------------------------------------------------------------------------------


def _parse_integer(text: str) -> int:
    digits = text.removeprefix("-")
    _expect(digits.isascii() and digits.isdigit() and len(digits) < 20, "an integer")
    return int(text)


def _parse_number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("a number was expected") from None


def _parse_boolean(text: str) -> bool:
    _expect(text in {"true", "false"}, "true or false")
    return text == "true"
