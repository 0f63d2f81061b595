"""Loading what an answer shows of relations: one statement for each relation of a level, not one for each entity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, select, tuple_
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.orm import ORMExecuteState, Session, aliased
from sqlalchemy.orm.attributes import set_committed_value

from ...util.fields import NOT_LOADED
from .resource import Key, Record, Relation, Resource, resource_of

#: How many values one statement may carry, by dialect; every database that is not named takes the last.
_MOST_VALUES = {"sqlite": 30_000, "postgresql": 30_000, "mysql": 30_000, "mariadb": 30_000}
_FEW_VALUES = 500


class Links:
    """Hold what the records of an answer are related to.

    `keys` has the keys of the members for each relation and owner, `records` what was loaded in full.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.keys: dict[tuple[Resource, str], dict[Key, list[Key]]] = {}
        self.records: dict[tuple[type[Any], Key], Record] = {}

    def gather(self, records: Iterable[Record], depth: int) -> None:
        """Load what an answer needs that shows `records` with relations in full down to `depth` levels."""
        level = self._add(records)
        while level:
            following: list[Record] = []
            for resource, owners in level.items():
                for relation in resource.relations:
                    if depth == 0:
                        self._gather_keys(relation, owners)
                    else:
                        following += self._gather_records(relation, owners)
            if depth == 0:
                return
            depth -= 1
            level = self._add(following)

    def _add(self, records: Iterable[Record]) -> dict[Resource, list[Record]]:
        """Note records that are new, and return these by resource."""
        level: dict[Resource, list[Record]] = {}
        known = self.records
        for record in records:
            resource = record[0]
            name = (resource.root, record[1])
            if name not in known:
                known[name] = record
                if resource in level:
                    level[resource].append(record)
                else:
                    level[resource] = [record]
        return level

    def _gather_keys(self, relation: Relation, owners: list[Record]) -> None:
        if relation.reference is None:
            target = [getattr(relation.target.model, name) for name in relation.target.keys]
            members = self._members(relation)
            for owner, key in self.pairs(relation, (record[1] for record in owners), target):
                members.setdefault(owner, []).append(tuple(key))

    def _gather_records(self, relation: Relation, owners: list[Record]) -> list[Record]:
        target = relation.target
        if relation.reference is not None:
            wanted = {key for owner in owners if (key := relation.reference(owner[2])) is not None}
            missing = [key for key in wanted if (target.root, key) not in self.records]
            return load_records(self.session, target, missing)
        members = self._members(relation)
        pairs = list(self.pairs(relation, (record[1] for record in owners), target.what, target.loading_of_records))
        found = list(target.records(row for _, row in pairs))
        for (owner, _), record in zip(pairs, found, strict=True):
            members.setdefault(owner, []).append(record[1])
        return found

    def _members(self, relation: Relation) -> dict[Key, list[Key]]:
        return self.keys.setdefault((relation.owner, relation.key), {})

    def pairs(
        self, relation: Relation, owners: Iterable[Key], what: Sequence[Any], loading: Sequence[Any] = ()
    ) -> Iterator[tuple[Key, Any]]:
        """Yield the key of an owner and what is asked for of a member, in the order of the relation."""
        owner = aliased(relation.owner.model)
        keys = [getattr(owner, name) for name in relation.owner.keys]
        statement: Any = select(*keys, *what).select_from(owner).join(getattr(owner, relation.key)).options(*loading)
        statement = statement.order_by(*relation.order)
        width = len(keys)
        for part in in_parts(self.session, owners, width):
            for row in self.session.execute(statement.where(is_one_of(keys, part))):
                yield tuple(row[:width]), row[width:]


# -- statements for many keys ------------------------------------------------------------------------------------


def in_parts(session: Session, keys: Iterable[Key], width: int) -> Iterator[list[Key]]:
    """Yield `keys`, all at once where the database can take so many values."""
    keys = list(keys)
    step = _MOST_VALUES.get(session.get_bind().dialect.name, _FEW_VALUES) // width
    for start in range(0, len(keys), step):
        yield keys[start : start + step]


def is_one_of(columns: Sequence[Any], keys: Iterable[Key]) -> Any:
    """Return the condition that `columns` are one of `keys`."""
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(list(keys))


def key_columns(resource: Resource) -> list[Any]:
    """Return the attributes of a model that are its key."""
    return [getattr(resource.model, name) for name in resource.keys]


def load_entities(session: Session, resource: Resource, keys: Iterable[Key]) -> list[Any]:
    """Return the entities that have one of these keys."""
    columns, statement = key_columns(resource), resource.select()
    parts = in_parts(session, keys, len(columns))
    return [entity for part in parts for entity in session.scalars(statement.where(is_one_of(columns, part)))]


def load_records(session: Session, resource: Resource, keys: Iterable[Key]) -> list[Record]:
    """Return the records that have one of these keys."""
    columns, statement = key_columns(resource), resource.select_records()
    parts = in_parts(session, keys, len(columns))
    rows = (row for part in parts for row in session.execute(statement.where(is_one_of(columns, part))))
    return list(resource.records(rows))


# -- relations that properties look at ---------------------------------------------------------------------------


@contextmanager
def lazy_loading_at_once(session: Session) -> Iterator[None]:
    """Load a relation of all entities of a class as soon as a property asks one of them for it."""

    def load_for_all(state: ORMExecuteState) -> Any:
        if state.is_relationship_load and state.lazy_loaded_from is not None and state.loader_strategy_path:
            return _load_for_class(session, state.lazy_loaded_from, state.loader_strategy_path[-1])
        return None

    event.listen(session, "do_orm_execute", load_for_all, retval=True)
    try:
        # A cached property that is computed now is written when the request ends, not before each statement.
        with session.no_autoflush:
            yield
    finally:
        event.remove(session, "do_orm_execute", load_for_all)


def _load_for_class(session: Session, asked: Any, prop: Any) -> Any:
    """Load a relation of `asked`, the state of an entity, and all others of its kind; return the rows for `asked`."""
    if prop.lazy in NOT_LOADED:
        return None
    relation = Relation(resource_of(prop.parent.class_), prop)
    owners: dict[Any, Any] = {
        state.identity: state.obj()
        for state in session.identity_map.all_states()
        if state is asked or (prop.key in state.unloaded and state.mapper.isa(prop.parent))
    }
    members: dict[Key, list[Any]] = {key: [] for key in owners}
    pairs = Links(session).pairs(relation, owners, [relation.target.model], relation.target.loading)
    for key, (member,) in pairs:
        members[key].append(member)
    for key, owner in owners.items():
        if key != asked.identity:
            found = members[key]
            set_committed_value(owner, prop.key, found if relation.many else found[0] if found else None)
    return IteratorResult(SimpleResultMetaData(["member"]), iter([(member,) for member in members[asked.identity]]))
