"""What of a class is shown as JSON: its columns, properties and relations, or its plain attributes."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from types import MemberDescriptorType
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import inspect
from sqlalchemy.exc import NoInspectionAvailable
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapper
from sqlalchemy.types import TypeEngine

from .caching import cached_property

#: Relations that are not loaded as a whole, so they are no part of an entity.
NOT_LOADED = {"dynamic", "write_only"}
_PROPERTIES = (property, functools.cached_property, cached_property, hybrid_property)


@dataclass(frozen=True)
class ModelFields:
    """Hold the names of a model's public attributes by their kind, in the order of their definition."""

    keys: tuple[str, ...]
    """The attributes of the primary key, in the order of the table's key columns."""
    columns: tuple[str, ...]
    """The mapped columns and SQL expressions."""
    properties: tuple[str, ...]
    """The properties, and what json_include adds."""
    relations: tuple[str, ...]
    """The relations that are loaded as a whole."""
    types: dict[str, TypeEngine[Any]]
    """The database type of each column."""


def find_mapper(cls: type[Any]) -> Mapper[Any] | None:
    """Return the mapper of a class, or None when it is no model."""
    try:
        found = inspect(cls)
    except NoInspectionAvailable:
        return None
    return found if isinstance(found, Mapper) else None


_models: WeakKeyDictionary[type[Any], ModelFields] = WeakKeyDictionary()
_plain: WeakKeyDictionary[type[Any], tuple[str, ...]] = WeakKeyDictionary()


def model_fields(cls: type[Any]) -> ModelFields:
    """Return the public attributes of a mapped class."""
    fields = _models.get(cls)
    if fields is None:
        fields = _models[cls] = _find_model_fields(cls)
    return fields


def _find_model_fields(cls: type[Any]) -> ModelFields:
    mapper: Mapper[Any] = inspect(cls)
    mapper.registry.configure()
    included = tuple(getattr(cls, "json_include", ()))
    excluded = set(getattr(cls, "json_exclude", ()))

    def shown(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(
            name for name in names if name in included or not (name.startswith("_") or name in excluded)
        )

    keys = tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key)
    columns = shown(prop.key for prop in mapper.column_attrs)
    relations = shown(
        prop.key for prop in mapper.relationships if prop.lazy not in NOT_LOADED or prop.key in included
    )
    properties = shown(name for name, value in _attributes(cls).items() if isinstance(value, _PROPERTIES))
    rest = tuple(name for name in included if name not in {*columns, *relations, *properties})
    types = {prop.key: prop.columns[0].type for prop in mapper.column_attrs}
    return ModelFields(keys, columns, properties + rest, relations, types)


def _attributes(cls: type[Any]) -> dict[str, Any]:
    """Return what the class and its bases define, those of the bases first; the root classes do not count."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.partition(".")[0] not in {"builtins", "sqlalchemy"}:
            found.update(vars(base))
    return found


def plain_fields(cls: type[Any]) -> tuple[str, ...]:
    """Return the names that a class which is no model defines for JSON: properties and plain values, no methods."""
    names = _plain.get(cls)
    if names is None:
        names = _plain[cls] = tuple(
            name for name, value in _attributes(cls).items()
            if isinstance(value, (*_PROPERTIES, MemberDescriptorType))
            or not (callable(value) or hasattr(value, "__get__"))
        )  # fmt: skip
    return names


def attribute_names(instance: Any) -> tuple[str, ...]:
    """Return the names of the public attributes of an object that is no model."""
    cls = type(instance)
    included = tuple(getattr(cls, "json_include", ()))
    hidden = {"json_include", "json_exclude", *getattr(cls, "json_exclude", ())}
    names = dict.fromkeys((*plain_fields(cls), *getattr(instance, "__dict__", ())))
    return tuple(
        name for name in dict.fromkeys((*names, *included))
        if name in included or not (name.startswith("_") or name in hidden)
    )  # fmt: skip
