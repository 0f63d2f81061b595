"""The forms of single values in JSON."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

#: What :func:`scalar_to_json` returns for everything that is no single value.
NO_SCALAR: Any = object()


def scalar_to_json(value: Any) -> Any:
    """Return a text, number, date, time, UUID or None as JSON has it, :data:`NO_SCALAR` for anything else."""
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    convert = _CONVERTERS.get(kind)
    if convert is None:
        convert = next((convert for base, convert in _CONVERTERS.items() if isinstance(value, base)), None)
    return NO_SCALAR if convert is None else convert(value)


def float_to_json(value: float) -> float | None:
    """Return a float, or None for what JSON has no number for."""
    return float(value) if math.isfinite(value) else None


def decimal_to_json(value: Decimal) -> int | float | None:
    """Return the number that a Decimal is; one without decimal places stays exact."""
    if not value.is_finite():
        return None
    return int(value) if value.as_tuple().exponent >= 0 else float(value)  # type: ignore[operator]


def isoformat(value: date | time) -> str:
    """Return a date, time or datetime in the form of ISO 8601."""
    return value.isoformat()


_AS_IT_IS = {str, int, bool, type(None)}
#: In this order: what is no such type itself is tried from the front.
_CONVERTERS: dict[type[Any], Callable[[Any], Any]] = {
    str: str.__str__,
    int: int,
    float: float_to_json,
    datetime: isoformat,
    date: isoformat,
    time: isoformat,
    Decimal: decimal_to_json,
    UUID: str,
}
