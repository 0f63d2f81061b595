"""Plain JSON values of everything that a model may hold."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import types

from .columns import Convert, enum_names, is_of_ones_own
from .fields import attribute_names, find_mapper, model_fields
from .scalars import NO_SCALAR, isoformat, scalar_to_json


class Jsonifiable:
    """Let :func:`jsonify` show an object as its public attributes and properties.

    `json_include` and `json_exclude`, lists of names on the class, add to them and take away.
    """


def jsonify(value: Any, depth: int = 0) -> Any:
    """Return `value` as plain JSON values.

    :param depth: how many levels of :class:`Jsonifiable` objects inside of one are shown in full; below that a model
        is its primary key, and another object is ``{}``
    :raises ValueError: it holds something that has no form in JSON
    """
    try:
        return _jsonify(value, depth)
    except RecursionError:
        raise ValueError(f"a {type(value).__name__} that holds itself has no form in JSON") from None


def _jsonify(value: Any, depth: int) -> Any:
    plain = scalar_to_json(value)
    if plain is not NO_SCALAR:
        return plain
    if isinstance(value, Jsonifiable):
        return _jsonify_object(value, depth)
    if isinstance(value, dict):
        return {_key(key): _jsonify(member, depth) for key, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_jsonify(member, depth) for member in value]
    kind = type(value)
    raise ValueError(f"a value of type {kind.__module__}.{kind.__qualname__} has no form in JSON")


def _jsonify_object(value: Any, depth: int) -> dict[str, Any]:
    if find_mapper(type(value)) is not None:
        return _jsonify_model(value, depth)
    if depth < 0:
        return {}
    members = ((name, getattr(value, name)) for name in attribute_names(value))
    return {name: _jsonify(member, depth - 1) for name, member in members if not callable(member)}


def _jsonify_model(value: Any, depth: int) -> dict[str, Any]:
    fields, writers = model_fields(type(value)), column_writers(type(value))
    written = {}
    for name in fields.columns if depth >= 0 else fields.keys:
        write = writers[name]
        member = getattr(value, name)
        written[name] = member if write is None or member is None else write(member)
    if depth >= 0:
        for name in fields.properties + fields.relations:
            written[name] = _jsonify(getattr(value, name), depth - 1)
    return written


def _key(key: Any) -> str:
    if isinstance(key, str):
        return str(key)
    plain = _jsonify(key, -1)
    if isinstance(plain, (dict, list)):
        raise ValueError(f"a key of type {type(key).__name__} has no form in JSON")
    if plain is None or isinstance(plain, bool):
        return {None: "null", True: "true", False: "false"}[plain]
    return str(plain)


# -- the values of columns ---------------------------------------------------------------------------------------


def json_writer(kind: types.TypeEngine[Any]) -> Convert | None:
    """Return what makes plain JSON of the values of a column type, other than None; None if they are that already."""
    if isinstance(kind, types.Enum):
        return enum_names(kind).__getitem__ if kind.enum_class else None
    if is_of_ones_own(kind):
        return _write_anything
    for base, write in _WRITERS.items():
        if isinstance(kind, base):
            return write
    return _write_anything


def _write_anything(value: Any) -> Any:
    plain = scalar_to_json(value)
    if plain is not NO_SCALAR:
        return plain
    if isinstance(value, timedelta):
        return value.total_seconds()
    return _write_bytes(value) if isinstance(value, bytes) else jsonify(value)


def _write_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


_WRITERS: dict[type[Any], Convert | None] = {
    types.Integer: None,
    types.String: None,
    types.Boolean: None,
    types.DateTime: isoformat,
    types.Date: isoformat,
    types.Time: isoformat,
    types.LargeBinary: _write_bytes,
    types.Interval: timedelta.total_seconds,
}
_column_writers: WeakKeyDictionary[type[Any], dict[str, Convert | None]] = WeakKeyDictionary()


def column_writers(cls: type[Any]) -> dict[str, Convert | None]:
    """Return for each column of a mapped class what makes plain JSON of its values, None if they are that already."""
    writers = _column_writers.get(cls)
    if writers is None:
        writers = {name: json_writer(kind) for name, kind in model_fields(cls).types.items()}
        _column_writers[cls] = writers
    return writers
