"""The base class of all models."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Column, PrimaryKeyConstraint, Table, Text, inspect
from sqlalchemy.orm import DeclarativeBase, Query, declared_attr
from sqlalchemy.types import TypeDecorator

from ..current import current_project
from .caching import Cacheable, cached_properties
from .jsonifying import Jsonifiable
from .loggable import Loggable

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def table_name(class_name: str) -> str:
    """Return the name of a model's table: ``HouseKeeper`` -> ``house_keepers``."""
    return _WORD_STARTS.sub("_", class_name).lower() + "s"


class _Query:
    """Give a model class its query on the session of the project."""

    def __get__(self, instance: Any, owner: type[Any]) -> Query[Any]:
        return current_project.db.session.query(owner)


class CacheText(TypeDecorator[dict[str, Any]]):
    """Store the cached values of a model as JSON; dates, Decimals, tuples and the like come back as what they were."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        """Return the text of a cache."""
        return None if value is None else json.dumps({name: [_pack(kept), at] for name, (kept, at) in value.items()})

    def process_result_value(self, value: Any, dialect: Any) -> dict[str, Any] | None:
        """Return the cache of a text."""
        if value is None:
            return None
        return {name: (_unpack(kept), at) for name, (kept, at) in json.loads(value).items()}


#: Each type that JSON lacks: its tag, and the way there and back.
_PACKERS: dict[type[Any], tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    datetime: ("datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("date", date.isoformat, date.fromisoformat),
    time: ("time", time.isoformat, time.fromisoformat),
    timedelta: ("timedelta", timedelta.total_seconds, lambda seconds: timedelta(seconds=seconds)),
    Decimal: ("decimal", str, Decimal),
    UUID: ("uuid", str, UUID),
    bytes: ("bytes", lambda value: base64.b64encode(value).decode(), base64.b64decode),
    tuple: ("tuple", lambda value: [_pack(member) for member in value], lambda value: tuple(map(_unpack, value))),
    set: ("set", lambda value: [_pack(member) for member in value], lambda value: set(map(_unpack, value))),
    # As pairs, so that no key can be taken for a tag, and keys need not be texts.
    dict: (
        "dict",
        lambda value: [[_pack(key), _pack(member)] for key, member in value.items()],
        lambda value: {_unpack(key): _unpack(member) for key, member in value},
    ),
}
_UNPACKERS = {tag: unpack for tag, _, unpack in _PACKERS.values()}


def _pack(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, list):
        return [_pack(member) for member in value]
    packer = _PACKERS.get(type(value))
    if packer is None:
        # No ValueError: it is nobody's input that is wrong.
        raise RuntimeError(f"a cached property of a model cannot keep a value of type {type(value).__qualname__}")
    return {packer[0]: packer[1](value)}


def _unpack(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpack(member) for member in value]
    if isinstance(value, dict):
        ((tag, packed),) = value.items()
        return _UNPACKERS[tag](packed)
    return value


class Model(Cacheable, Jsonifiable, Loggable, DeclarativeBase):
    """Be the declarative base of all models of a project; it may be used before there is one.

    The table is named after the class unless ``__tablename__`` says otherwise. A class that has a
    :class:`cached_property` gets a column ``_cache``, where the values outlive the process.
    """

    __abstract__ = True
    #: Attributes may be annotated with the types of their values, as in models older than ``Mapped``.
    __allow_unmapped__ = True

    #: A query for the entities of the class, on the session of the project.
    query = _Query()

    @declared_attr.directive
    def __tablename__(cls) -> str | None:
        return table_name(cls.__name__)

    @classmethod
    def __table_cls__(cls, *args: Any, **options: Any) -> Table | None:
        """Return the table of the class; None lets it share the one that a base class has."""
        own_key = any(isinstance(part, PrimaryKeyConstraint) or getattr(part, "primary_key", False) for part in args)
        if own_key or not any("__table__" in vars(base) for base in cls.__mro__[1:]):
            return Table(*args, **options)
        return None

    def __init_subclass__(cls, **options: Any) -> None:
        if "__abstract__" not in vars(cls) and cached_properties(cls) and not _has_cache_column(cls):
            cls._cache = _make_cache_column(cls)
        super().__init_subclass__(**options)
        if vars(cls).get("__table__", cls) is None:
            # So SQLAlchemy notes that there is no table of its own; the one that it shares says more.
            type.__setattr__(cls, "__table__", cls.__mapper__.local_table)

    def __repr__(self) -> str:
        state: Any = inspect(self)
        keys = [state.mapper.get_property_by_column(column).key for column in state.mapper.primary_key]
        values = state.identity or [state.dict.get(key) for key in keys]
        return f"<{type(self).__name__} ({', '.join(f'{k}={v!r}' for k, v in zip(keys, values, strict=True))})>"


def _has_cache_column(cls: type[Any]) -> bool:
    return any("_cache" in vars(base) for base in cls.__mro__ if base is not Cacheable)


def _make_cache_column(cls: type[Any]) -> Any:
    """Return a column for the cache of `cls`: the one of a sibling, if there is one in the table that they share."""
    shared = (vars(base)["__table__"].c.get("_cache") for base in cls.__mro__[1:] if "__table__" in vars(base))
    own_key = any(getattr(getattr(v, "column", v), "primary_key", False) for v in vars(cls).values())
    found = None if own_key else next((column for column in shared if column is not None), None)
    return Column("_cache", CacheText) if found is None else found
