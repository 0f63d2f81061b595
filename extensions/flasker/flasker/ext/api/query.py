"""The parameters of a URL: depth, paging, sorting and filters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, types
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from ...util.columns import text_reader
from .errors import refuse
from .links import key_columns
from .resource import Record, Resource

PAGING = frozenset({"limit", "offset", "sort"})
#: The greatest number that every database takes for a limit.
_GREATEST = 2**63 - 1
#: Types whose values no database compares, or not all of them do.
_WITHOUT_ORDER = (types.JSON, types.ARRAY, types.PickleType, types.NullType)


@dataclass
class Query:
    """Hold what a request asks for."""

    depth: int
    limit: int | None = None
    offset: int = 0
    #: A column's name, and whether downwards.
    sort: tuple[str, bool] | None = None
    filters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """Hold an API's defaults and bounds for what a request may ask for."""

    default_limit: int | None
    max_limit: int | None
    max_depth: int | None


def parse_query(args: MultiDict[str, str], default_depth: int, limits: Limits) -> Query:
    """Return what the parameters of a request for one entity ask for: a depth.

    :raises BadRequest: there are others
    """
    _check_names(args, {"depth"})
    return Query(_parse_depth(args, default_depth, limits))


def parse_collection_query(
    args: MultiDict[str, str], resource: Resource, default_depth: int, limits: Limits, with_filters: bool = True
) -> Query:
    """Return what the parameters of a request for a collection ask for.

    :raises BadRequest: one of them is unknown, given twice, or has a bad value
    """
    columns = filterable(resource)
    _check_names(args, {"depth", *PAGING, *(columns if with_filters else ())})
    limit = _parse_count(args, "limit", limits.default_limit)
    if limits.max_limit is not None:
        limit = limits.max_limit if limit is None else min(limit, limits.max_limit)
    query = Query(_parse_depth(args, default_depth, limits), limit, _parse_count(args, "offset", 0) or 0)
    if "sort" in args:
        name = args["sort"].removeprefix("-")
        if name not in columns:
            refuse(f"sort: {resource.name} has no column {name!r}")
        query.sort = (name, args["sort"].startswith("-"))
    for name in args.keys() - {"depth", *PAGING}:
        try:
            query.filters[name] = columns[name](args[name])
        except ValueError as error:
            refuse(f"{name}: {error}")
    return query


def filterable(resource: Resource) -> dict[str, Any]:
    """Return the columns that a request may filter and sort by, each with what reads its values.

    What an entity does not show is no such column, or requests could find its value out.
    """
    columns = ((name, resource.mapper.column_attrs[name].columns[0].type) for name in resource.fields.columns)
    return {name: text_reader(kind) for name, kind in columns if not isinstance(kind, _WITHOUT_ORDER)}


def _check_names(args: MultiDict[str, str], known: set[str]) -> None:
    for name, values in args.lists():
        if name not in known:
            refuse(f"the parameter {name!r} is unknown here; known are {', '.join(sorted(known))}")
        if len(values) > 1:
            refuse(f"the parameter {name!r} is given more than once")


def _parse_depth(args: MultiDict[str, str], default: int, limits: Limits) -> int:
    depth = _parse_count(args, "depth", default) or 0
    return depth if limits.max_depth is None else min(depth, limits.max_depth)


def _parse_count(args: MultiDict[str, str], name: str, default: int | None) -> int | None:
    text = args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        refuse(f"{name}: a whole number from 0 on was expected")
    return min(int(text[:30]), _GREATEST)


def run_query(
    session: Session, resource: Resource, condition: Any, order: Sequence[Any], query: Query
) -> tuple[list[Record], int]:
    """Return a page of the records of a model, and how many there are in all.

    :param condition: what they have in common, or None
    :param order: what they are ordered by, unless the query says so
    """
    conditions = [getattr(resource.model, name) == value for name, value in query.filters.items()]
    if condition is not None:
        conditions.append(condition)
    keys = key_columns(resource)
    total = session.scalar(select(func.count()).select_from(select(*keys).where(*conditions).subquery())) or 0
    if query.sort is not None:
        column = getattr(resource.model, query.sort[0])
        order = [column.desc() if query.sort[1] else column.asc(), *keys]
    if query.limit == 0:
        return [], total
    statement = resource.select_records().where(*conditions).order_by(*order).limit(query.limit)
    rows = session.execute(statement.offset(query.offset) if query.offset else statement)
    return list(resource.records(rows)), total
