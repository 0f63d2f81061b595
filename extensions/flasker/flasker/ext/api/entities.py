"""Writing entities as JSON objects, none of them twice in an answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from ...util import jsonify
from .errors import refuse
from .links import Links, lazy_loading_at_once
from .resource import Key, Record, Relation

#: From this depth on it is the request's fault when Python cannot go so deep.
DEEP = 50


def write_records(session: Session, records: Iterable[Record], depth: int) -> list[dict[str, Any]]:
    """Return entities as JSON objects.

    :param depth: how many levels of relations hold entities in full
    :raises BadRequest: these are too many
    """
    records = list(records)
    with lazy_loading_at_once(session):
        links = Links(session)
        links.gather(records, depth)
        writer = _Writer(links)
        try:
            return [writer.write(record, depth) for record in records]
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

    def write(self, record: Record, depth: int) -> dict[str, Any]:
        """Return one entity, or its key where it need not be written again."""
        resource, key, values, entity = record
        name = (resource.root, key)
        if self.written.get(name, -1) >= depth:
            return resource.key_object(key)
        self.written[name] = depth
        answer = values.copy()
        for column in resource.hidden:
            del answer[column]
        for column, convert in resource.converters:
            value = answer[column]
            if value is not None:
                answer[column] = convert(value)
        for prop in resource.fields.properties:
            answer[prop] = jsonify(getattr(entity, prop), -1)
        for relation in resource.relations:
            if relation.reference is not None:
                member = relation.reference(values)
                answer[relation.key] = None if member is None else self._write_member(relation, member, depth)
            else:
                answer[relation.key] = self._write_members(relation, key, depth)
        return answer

    def _write_members(self, relation: Relation, owner: Key, depth: int) -> Any:
        members = self.links.keys.get((relation.owner, relation.key), {}).get(owner, [])
        if relation.many:
            return [self._write_member(relation, member, depth) for member in members]
        return self._write_member(relation, members[0], depth) if members else None

    def _write_member(self, relation: Relation, key: Key, depth: int) -> dict[str, Any]:
        if depth > 0:
            record = self.links.records.get((relation.target.root, key))
            if record is not None:
                return self.write(record, depth - 1)
        return relation.target.key_object(key)
