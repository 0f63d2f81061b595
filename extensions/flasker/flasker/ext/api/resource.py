"""What the API knows of a model: its name in URLs, its key, its attributes, and what may be done with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, inspect, select
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapper, RelationshipProperty, lazyload, selectin_polymorphic, undefer
from sqlalchemy.orm.interfaces import MANYTOONE
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression

from ...util.columns import Convert, json_reader, text_reader
from ...util.fields import ModelFields, model_fields
from ...util.model import table_name
from .errors import not_found

Key = tuple[Any, ...]
#: How relations are loaded that are not loaded at once with their owner.
_LAZY = {"select", True, "raise", "raise_on_sql", "noload", "dynamic", "write_only", None}


@dataclass(frozen=True)
class Options:
    """Hold what may be done with the entities of a model."""

    methods: frozenset[str]
    relationships: bool | tuple[str, ...]
    allow_put_many: bool


class Relation:
    """Describe one relation of a model."""

    def __init__(self, owner: Resource, prop: RelationshipProperty[Any]) -> None:
        self.owner = owner
        self.prop = prop
        self.key: str = prop.key
        self.many = bool(prop.uselist)
        self.attribute: Any = getattr(owner.model, prop.key)
        self.target = resource_of(prop.mapper.class_)
        #: For a reference by foreign key: the names of our attributes that are the target's key, else None.
        self.reference = None if self.many else self._find_reference()

    @property
    def writable(self) -> bool:
        """Whether its members may be changed."""
        return not self.prop.viewonly

    @property
    def order(self) -> Sequence[Any]:
        """What its members are ordered by: the order of the relation, if it has one, and the key."""
        return [*(self.prop.order_by or ()), *self.target.mapper.primary_key]

    def _find_reference(self) -> tuple[str, ...] | None:
        prop, mapper = self.prop, self.owner.mapper
        if prop.direction is not MANYTOONE or prop.secondary is not None:
            return None
        comparisons = [part for part in visitors.iterate(prop.primaryjoin) if isinstance(part, BinaryExpression)]
        if len(comparisons) != len(prop.local_remote_pairs or ()) or not all(
            part.operator is operators.eq for part in comparisons
        ):
            return None
        columns = {remote: local for local, remote in prop.local_remote_pairs or ()}
        if set(columns) != set(self.target.mapper.primary_key):
            return None
        return tuple(mapper.get_property_by_column(columns[key]).key for key in self.target.mapper.primary_key)


class Resource:
    """Describe a model.

    :param model: a mapped class
    """

    def __init__(self, model: type[Any]) -> None:
        self.model = model
        self.mapper: Mapper[Any] = inspect(model)
        self.fields: ModelFields = model_fields(model)
        #: The class at the root of its inheritance: entities are one when this and their key are equal.
        self.root: type[Any] = self.mapper.base_mapper.class_
        self.keys: tuple[str, ...] = self.fields.keys
        self.key_readers: tuple[Convert, ...] = tuple(json_reader(column.type) for column in self.mapper.primary_key)
        self.key_parsers: tuple[Convert, ...] = tuple(text_reader(column.type) for column in self.mapper.primary_key)
        self.loading = self._loading_options()

    @property
    def name(self) -> str:
        """Its name in URLs: that of its table, unless it shares the table of its base."""
        shares = self.mapper.inherits is not None and self.mapper.local_table is self.mapper.inherits.local_table
        return table_name(self.model.__name__) if shares else str(self.mapper.local_table.description)

    def find_relations(self) -> tuple[Relation, ...]:
        """Return the relations that are part of an entity."""
        found = self.__dict__.get("_relations")
        if found is None:
            props = self.mapper.relationships
            found = self.__dict__["_relations"] = tuple(Relation(self, props[key]) for key in self.fields.relations)
        return found  # type: ignore[no-any-return]

    def collections(self) -> list[Relation]:
        """Return the to-many relations that may have an endpoint: those, too, that are loaded in parts."""
        excluded = set(getattr(self.model, "json_exclude", ()))
        return [
            Relation(self, prop)
            for prop in self.mapper.relationships
            if prop.uselist and not prop.key.startswith("_") and prop.key not in excluded
        ]

    # -- statements ----------------------------------------------------------------------------------------------

    def _loading_options(self) -> tuple[Any, ...]:
        """Return options with which the columns of an entity come at once, and its relations when asked for."""
        options: list[Any] = [undefer(getattr(self.model, prop.key)) for prop in self.mapper.column_attrs if prop.deferred]
        if any(prop.lazy not in _LAZY for mapper in self.mapper.self_and_descendants for prop in mapper.relationships):
            options.append(lazyload("*"))
        with_tables = [
            mapper.class_
            for mapper in self.mapper.self_and_descendants
            if mapper is not self.mapper and mapper.local_table is not self.mapper.local_table
        ]
        if with_tables:
            options.append(selectin_polymorphic(self.model, with_tables))
        return tuple(options)

    def select(self) -> Select[Any]:
        """Return a statement for all entities."""
        return select(self.model).options(*self.loading)

    # -- keys ----------------------------------------------------------------------------------------------------

    def parse_key(self, texts: Iterable[str]) -> Key:
        """Return the key that the parts of a URL are.

        :raises NotFound: they cannot be one
        """
        texts = list(texts)
        try:
            return tuple(parse(text) for parse, text in zip(self.key_parsers, texts, strict=True))
        except ValueError:
            not_found(f"{self.name} has nothing with the id {'/'.join(texts)}")

    def key_object(self, key: Key) -> dict[str, Any]:
        """Return a key as a JSON object."""
        writers = self.fields.writers
        return {
            name: value if (write := writers[name]) is None or value is None else write(value)
            for name, value in zip(self.keys, key, strict=True)
        }

    def key_texts(self, key: Key) -> list[str]:
        """Return the parts of a URL for a key."""
        return [str(part).lower() if isinstance(part, bool) else str(part) for part in self.key_object(key).values()]

    def is_settable(self, name: str) -> bool:
        """Tell whether a property may be assigned."""
        found = next((vars(base)[name] for base in self.model.__mro__ if name in vars(base)), None)
        if isinstance(found, (property, hybrid_property)):
            return found.fset is not None
        return False


_resources: dict[type[Any], Resource] = {}


def resource_of(model: type[Any]) -> Resource:
    """Return the description of a mapped class."""
    resource = _resources.get(model)
    if resource is None:
        resource = _resources[model] = Resource(model)
    return resource
