"""What the API knows of a model: its name in URLs, its key, its attributes, and what may be done with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

from sqlalchemy import Select, inspect, select
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapper, RelationshipProperty, lazyload, selectin_polymorphic, undefer
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.orm.interfaces import MANYTOONE
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList

from ...util.columns import Convert, json_reader, text_reader
from ...util.fields import ModelFields, model_fields
from ...util.jsonifying import column_writers
from ...util.model import table_name
from .errors import not_found

Key = tuple[Any, ...]
#: Its resource, its key, the values of its columns by name, and the entity itself where its class has properties.
Record = tuple["Resource", Key, dict[str, Any], Any]
#: How relations are loaded that are not loaded at once with their owner.
_LAZY = {"select", True, "raise", "raise_on_sql", "noload", "dynamic", "write_only", None}
#: The attribute of a model that is its description.
_KEPT = "_flasker_resource"


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
        #: For a reference by foreign key: the names of the owner's columns that are the target's key, else None.
        self.reference_names = None if self.many else self._find_reference()
        self._read_reference: Any = self.reference_names and _getter(self.reference_names)

    @property
    def writable(self) -> bool:
        """Whether its members may be changed."""
        return not self.prop.viewonly

    @property
    def order(self) -> Sequence[Any]:
        """What its members are ordered by: the order of the relation, if it has one, and the key."""
        return [*(self.prop.order_by or ()), *self.target.mapper.primary_key]

    @property
    def reference(self) -> Callable[[dict[str, Any]], Key | None] | None:
        """For a reference by foreign key: what reads the target's key from the owner's columns; else None."""
        return self._key_in if self._read_reference else None

    def _key_in(self, values: dict[str, Any]) -> Key | None:
        key: Key = self._read_reference(values)
        return None if None in key else key

    def _find_reference(self) -> tuple[str, ...] | None:
        prop, mapper = self.prop, self.owner.mapper
        if prop.direction is not MANYTOONE or prop.secondary is not None:
            return None
        join = prop.primaryjoin
        parts = list(join.clauses) if isinstance(join, BooleanClauseList) else [join]
        # Anything but equal columns, and the relation holds less than the reference says.
        if len(parts) != len(prop.local_remote_pairs or ()) or not all(
            isinstance(part, BinaryExpression) and part.operator is operators.eq for part in parts
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
        self.writers = column_writers(model)
        #: The class at the root of its inheritance: entities are one when this and their key are equal.
        self.root: type[Any] = self.mapper.base_mapper.class_
        self.keys: tuple[str, ...] = self.fields.keys
        self.key_readers: tuple[Convert, ...] = tuple(json_reader(column.type) for column in self.mapper.primary_key)
        self.key_parsers: tuple[Convert, ...] = tuple(text_reader(column.type) for column in self.mapper.primary_key)
        #: Whether answers need the entities themselves: for their properties, or as each has a class of its own.
        self.needs_entities = bool(self.fields.properties) or len(list(self.mapper.self_and_descendants)) > 1
        self.loading = self._loading_options()

    @property
    def name(self) -> str:
        """Its name in URLs: that of its table, unless it shares the table of its base."""
        shares = self.mapper.inherits is not None and self.mapper.local_table is self.mapper.inherits.local_table
        return table_name(self.model.__name__) if shares else str(self.mapper.local_table.description)

    @cached_property
    def relations(self) -> tuple[Relation, ...]:
        """The relations that are part of an entity."""
        props = self.mapper.relationships
        return tuple(Relation(self, props[key]) for key in self.fields.relations)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns of a record: those that are shown, and those that keys and references are made of."""
        references = (name for relation in self.relations for name in relation.reference_names or ())
        return tuple(dict.fromkeys((*self.fields.columns, *self.keys, *references)))

    @cached_property
    def read(self) -> Callable[[Any], tuple[Any, ...]]:
        """What reads the columns of a record from the dict of an entity."""
        return _getter(self.names)

    @cached_property
    def hidden(self) -> tuple[str, ...]:
        """The columns of a record that are not shown."""
        return tuple(name for name in self.names if name not in self.fields.columns)

    @cached_property
    def converters(self) -> list[tuple[str, Convert]]:
        """The columns whose values have another form in JSON, and what brings them into it."""
        return [(name, write) for name in self.fields.columns if (write := self.writers[name]) is not None]

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
        deferred = [prop.key for prop in self.mapper.column_attrs if prop.deferred]
        options: list[Any] = [undefer(getattr(self.model, key)) for key in deferred]
        kinds = {prop.lazy for mapper in self.mapper.self_and_descendants for prop in mapper.relationships}
        if kinds - _LAZY:
            # One that comes with its owner comes in many statements, or for nobody.
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
        """Return a statement for the entities."""
        return select(self.model).options(*self.loading)

    def select_records(self) -> Select[Any]:
        """Return a statement for the records."""
        return select(*self.what).options(*self.loading_of_records)

    @property
    def loading_of_records(self) -> tuple[Any, ...]:
        """The loading options that go with :attr:`what`."""
        return self.loading if self.needs_entities else ()

    @cached_property
    def what(self) -> list[Any]:
        """What a statement selects for records: entities, or their columns alone, which is several times faster."""
        return [self.model] if self.needs_entities else [getattr(self.model, name) for name in self.names]

    def records(self, rows: Iterable[Sequence[Any]]) -> Iterator[Record]:
        """Yield the records in rows of :attr:`what`."""
        if self.needs_entities:
            for (entity,) in rows:
                yield record_of(entity)
            return
        names = self.names
        key_of = _getter([names.index(name) for name in self.keys])
        for row in rows:
            yield self, key_of(row), dict(zip(names, row)), None  # noqa: B905 - it costs, and they are of one length

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
        found = dict(zip(self.keys, key, strict=True))
        for name, write in self.key_converters:
            found[name] = write(found[name])
        return found

    @cached_property
    def key_converters(self) -> list[tuple[str, Convert]]:
        """The parts of the key whose values have another form in JSON, and what brings them into it."""
        return [(name, write) for name in self.keys if (write := self.writers[name]) is not None]

    def key_texts(self, key: Key) -> list[str]:
        """Return the parts of a URL for a key."""
        return [str(part).lower() if isinstance(part, bool) else str(part) for part in self.key_object(key).values()]

    def is_settable(self, name: str) -> bool:
        """Tell whether a property may be assigned."""
        found = next((vars(base)[name] for base in self.model.__mro__ if name in vars(base)), None)
        if isinstance(found, (property, hybrid_property)):
            return found.fset is not None
        return False


def record_of(entity: Any) -> Record:
    """Return the record of an entity that is loaded."""
    resource = resource_of(type(entity))
    try:
        # What is loaded stands in the entity's own dict, where reading costs a tenth.
        values = dict(zip(resource.names, resource.read(entity.__dict__), strict=True))
    except KeyError:
        values = {name: getattr(entity, name) for name in resource.names}
    return resource, instance_state(entity).identity or (), values, entity


def _getter(places: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that gives the items at these places: a tuple even of one."""
    if len(places) == 1:
        (only,) = places
        return lambda source: (source[only],)
    return itemgetter(*places)


def resource_of(model: type[Any]) -> Resource:
    """Return the description of a mapped class."""
    # Kept by the class itself, so that it goes when the class goes; a base class has another one.
    resource: Resource | None = model.__dict__.get(_KEPT)
    if resource is None:
        resource = Resource(model)
        setattr(model, _KEPT, resource)
    return resource
