"""From the body of a request to the attributes of an entity."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from sqlalchemy import Column
from sqlalchemy.orm import Session, object_session
from sqlalchemy.orm.collections import collection_adapter
from werkzeug.exceptions import UnsupportedMediaType

from microflask import request

from ...util import jsonify
from ...util.columns import json_reader
from ...util.fields import NOT_LOADED
from .errors import refuse
from .links import load_entities
from .resource import Key, Relation, Resource


def read_body() -> Any:
    """Return the JSON of the current request.

    :raises UnsupportedMediaType: it says that it is something else
    :raises BadRequest: it is no JSON
    """
    mimetype = request.mimetype
    if mimetype != "application/json" and not (mimetype.startswith("application/") and mimetype.endswith("+json")):
        raise UnsupportedMediaType("the body has to be JSON, with the Content-Type application/json")
    try:
        return json.loads(request.get_data(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        refuse(f"the body is no JSON: {error}")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def read_object() -> dict[str, Any]:
    """Return the JSON object of the current request.

    :raises BadRequest: it is something else
    """
    value = read_body()
    if not isinstance(value, dict):
        refuse("the body has to be a JSON object")
    return value


class Changes:
    """Hold what a JSON object says about the attributes of an entity: checked, and not applied yet.

    Read-only attributes are left out, so that an answer may be sent back as it is.

    :param new: whether it is about an entity that is to be made
    :raises BadRequest: an attribute is unknown, has a value of a wrong type, or refers to what does not exist
    """

    def __init__(self, session: Session, resource: Resource, body: dict[str, Any], new: bool = False) -> None:
        self.resource = resource
        self.columns: dict[str, Any] = {}
        self.properties: dict[str, Any] = {}
        self.relations: list[tuple[Relation, Any]] = []
        fields = resource.fields
        relations = {relation.key: relation for relation in resource.relations}
        for name, value in body.items():
            if name in fields.columns:
                self._read_column(name, value)
            elif name in relations:
                self._read_relation(session, relations[name], value, new)
            elif name in fields.properties:
                if resource.is_settable(name):
                    self.properties[name] = value
            else:
                refuse(f"{resource.name} has no attribute {name!r}")

    def _read_column(self, name: str, value: Any) -> None:
        column = self.resource.mapper.column_attrs[name].columns[0]
        if not isinstance(column, Column) or column.computed is not None:
            return
        try:
            self.columns[name] = None if value is None else json_reader(column.type)(value)
        except ValueError as error:
            refuse(f"{name}: {error}")

    def _read_relation(self, session: Session, relation: Relation, value: Any, new: bool) -> None:
        if not relation.writable:
            return
        if relation.many:
            if not isinstance(value, list):
                refuse(f"{relation.key}: a list of objects was expected")
            self.relations.append((relation, find_members(session, relation, value)))
        elif value is not None:
            self.relations.append((relation, find_members(session, relation, [value])[0]))
        elif not new:
            # For a new entity that is so anyway, and would undo a reference given by its column.
            self.relations.append((relation, None))

    def make(self) -> Any:
        """Return a new entity.

        :raises BadRequest: the model itself finds a value wrong
        """
        try:
            entity = self.resource.model(**self.columns, **self.properties)
            self._apply_relations(entity)
        except ValueError as error:
            refuse(str(error))
        return entity

    def apply(self, entity: Any) -> None:
        """Change an entity.

        :raises BadRequest: its key would change, or the model itself finds a value wrong
        """
        for name in self.resource.keys:
            if name in self.columns and self.columns[name] != getattr(entity, name):
                refuse(f"{name}: the primary key of an entity cannot be changed")
        try:
            for name, value in self.columns.items():
                if name not in self.resource.keys:
                    setattr(entity, name, value)
            self._apply_relations(entity)
            for name, value in self.properties.items():
                # Sent back as it was shown, which may be another form than the one it is assigned in.
                if jsonify(getattr(entity, name), -1) != value:
                    setattr(entity, name, value)
        except ValueError as error:
            refuse(str(error))

    def _apply_relations(self, entity: Any) -> None:
        for relation, value in self.relations:
            assign(relation, entity, value)


def find_members(session: Session, relation: Relation, references: Iterable[Any]) -> list[Any]:
    """Return the entities that primary key objects stand for, in their order and each one once.

    :raises BadRequest: something is no such object, or there is no such entity
    """
    keys = dict.fromkeys(_read_reference(relation, reference) for reference in references)
    resource = relation.target
    found = {tuple(getattr(entity, name) for name in resource.keys): entity
             for entity in load_entities(session, resource, keys)}  # fmt: skip
    for key in keys:
        if key not in found:
            refuse(f"{relation.key}: {resource.name} has nothing with the key {_shown(resource, key)}")
    return [found[key] for key in keys]


def _read_reference(relation: Relation, reference: Any) -> Key:
    resource = relation.target
    if not isinstance(reference, dict):
        refuse(f"{relation.key}: an object with the primary key was expected")
    key = []
    for name, read in zip(resource.keys, resource.key_readers, strict=True):
        if reference.get(name) is None:
            refuse(f"{relation.key}: the object needs the primary key of {resource.name}, {', '.join(resource.keys)}")
        try:
            key.append(read(reference[name]))
        except ValueError as error:
            refuse(f"{relation.key}: {name}: {error}")
    return tuple(key)


def _shown(resource: Resource, key: Key) -> str:
    return json.dumps(resource.key_object(key))


def assign(relation: Relation, owner: Any, value: Any) -> None:
    """Make `value` what `owner` is related to: an entity or None, or a list of the members."""
    collection = None if not relation.many or relation.prop.lazy in NOT_LOADED else getattr(owner, relation.key)
    if relation.prop.lazy == "write_only":
        members = getattr(owner, relation.key)
        session = object_session(owner)
        present = list(session.scalars(members.select())) if session is not None else []
        _change(members.remove, members.add, present, value)
    elif collection is None or isinstance(collection, list):
        setattr(owner, relation.key, value)
        # An ordering_list numbers only those that are new by itself.
        getattr(getattr(owner, relation.key), "reorder", lambda: None)()
    else:
        # Sets, dicts and others take no list; what they all have in common is the adapter.
        adapter: Any = collection_adapter(collection)
        _change(adapter.remove_with_event, adapter.append_with_event, list(adapter), value)


def _change(remove: Callable[[Any], Any], add: Callable[[Any], Any], present: list[Any], wanted: list[Any]) -> None:
    for member in present:
        if member not in wanted:
            remove(member)
    for member in wanted:
        if member not in present:
            add(member)
