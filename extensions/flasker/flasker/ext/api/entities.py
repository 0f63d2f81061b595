"""Writing entities as JSON objects, none of them twice in an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from ...util import jsonify
from .errors import refuse
from .links import Links, lazy_loading_at_once, reference_key
from .resource import Key, Relation, Resource, resource_of

#: From this depth on it is the request's fault when Python cannot go so deep.
DEEP = 50


def write_entities(session: Session, entities: Iterable[Any], depth: int) -> list[dict[str, Any]]:
    """Return entities as JSON objects.

    :param depth: how many levels of relations hold entities in full
    :raises BadRequest: these are too many
    """
    entities = list(entities)
    with lazy_loading_at_once(session):
        links = Links(session)
        links.gather(entities, depth)
        writer = _Writer(links)
        try:
            return [writer.write(entity, depth) for entity in entities]
        except RecursionError:
            if depth < DEEP:
                raise
            refuse("depth: the relations go deeper than one answer can")


class _Writer:
    """Write the entities of one answer.

    :param links: what they are related to
    """

    def __init__(self, links: Links) -> None:
        self.links = links
        #: With how much depth left each entity was written.
        self.written: dict[tuple[type[Any], Key], int] = {}
        self.plans: dict[type[Any], tuple[Resource, Callable[[Any], dict[str, Any]]]] = {}

    def write(self, entity: Any, depth: int) -> dict[str, Any]:
        """Return one entity, or its key where it need not be written again."""
        model = type(entity)
        plan = self.plans.get(model)
        if plan is None:
            resource = resource_of(model)
            plan = self.plans[model] = (resource, _columns_writer(resource))
        resource, write_columns = plan
        key = inspect(entity).identity
        name = (resource.root, key)
        if self.written.get(name, -1) >= depth:
            return resource.key_object(key)
        self.written[name] = depth
        answer = write_columns(entity)
        for prop in resource.fields.properties:
            answer[prop] = jsonify(getattr(entity, prop), -1)
        for relation in resource.find_relations():
            answer[relation.key] = self._write_relation(relation, entity, key, depth)
        return answer

    def _write_relation(self, relation: Relation, entity: Any, key: Key, depth: int) -> Any:
        if relation.reference is not None:
            member = reference_key(relation, entity)
            return None if member is None else self._write_member(relation, member, depth)
        members = self.links.keys.get((relation.owner.model, relation.key), {}).get(key, [])
        if relation.many:
            return [self._write_member(relation, member, depth) for member in members]
        return self._write_member(relation, members[0], depth) if members else None

    def _write_member(self, relation: Relation, key: Key, depth: int) -> dict[str, Any]:
        if depth > 0:
            entity = self.links.entities.get((relation.target.root, key))
            if entity is not None:
                return self.write(entity, depth - 1)
        return relation.target.key_object(key)


def _columns_writer(resource: Resource) -> Callable[[Any], dict[str, Any]]:
    """Return what writes the columns of an entity: once for a class, as it is called for each row."""
    names = resource.fields.columns
    converters = [(name, write) for name in names if (write := resource.fields.writers[name]) is not None]
    if len(names) == 1:
        (only,) = names
        read: Callable[[Any], tuple[Any, ...]] = lambda values: (values[only],)  # noqa: E731
    else:
        read = itemgetter(*names) if names else lambda values: ()

    def write_columns(entity: Any) -> dict[str, Any]:
        try:
            # What is loaded stands in the entity's own dict, where reading costs a tenth.
            answer = dict(zip(names, read(entity.__dict__)))  # noqa: B905 - one comes out of the other
        except KeyError:
            answer = {name: getattr(entity, name) for name in names}
        for name, convert in converters:
            value = answer[name]
            if value is not None:
                answer[name] = convert(value)
        return answer

    return write_columns
