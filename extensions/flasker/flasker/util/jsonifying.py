"""Plain JSON values of everything that a model may hold."""

from __future__ import annotations

from typing import Any

from .fields import attribute_names, find_mapper, model_fields
from .scalars import NO_SCALAR, scalar_to_json


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
    fields = model_fields(type(value))
    written = {}
    for name in fields.columns if depth >= 0 else fields.keys:
        write = fields.writers[name]
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
