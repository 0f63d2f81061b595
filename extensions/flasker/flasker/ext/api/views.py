"""The six kinds of endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session, with_parent
from sqlalchemy.orm.exc import FlushError

from microflask import request, url_for
from microflask.wrappers import Response

from .body import Changes, assign, find_members, read_body, read_object
from .entities import write_records
from .errors import json_response, not_found, refuse
from .links import key_columns, load_entities, load_records
from .query import Limits, Query, parse_collection_query, parse_query, run_query
from .resource import Record, Relation, Resource

Answer = Response | tuple[str, int]


class Views:
    """Answer the requests for one model.

    :param db: the project's database
    :param collection_depth: the depth of collections unless a request names one
    :param model_depth: the depth of single entities unless a request names one
    """

    def __init__(self, db: Any, resource: Resource, limits: Limits, collection_depth: int, model_depth: int) -> None:
        self._db = db
        self.resource = resource
        self.limits = limits
        self.collection_depth = collection_depth
        self.model_depth = model_depth
        #: The endpoint of single entities, None if they have none.
        self.entity_endpoint: str | None = None

    @property
    def session(self) -> Session:
        """The session of the current request."""
        return self._db.session()  # type: ignore[no-any-return]

    # -- what the views have in common ---------------------------------------------------------------------------

    def _load(self, load: Callable[..., list[Any]], texts: Iterable[str]) -> Any:
        """Return the one that `load` finds with the id that a URL gives.

        :raises NotFound: there is none
        """
        texts = list(texts)
        try:
            found = load(self.session, self.resource, [self.resource.parse_key(texts)])
        except DataError:
            # What the column cannot hold is not in it.
            found = []
        if not found:
            not_found(f"{self.resource.name} has nothing with the id {'/'.join(texts)}")
        return found[0]

    def _find(self, texts: Iterable[str]) -> Any:
        """Return the entity with the id that a URL gives.

        :raises NotFound: there is none
        """
        return self._load(load_entities, texts)

    def _entity_answer(self, texts: Iterable[str], query: Query) -> Response:
        """Answer with the entity that has the id which a URL gives.

        :raises NotFound: there is none
        """
        return self._record_answer(self._load(load_records, texts), query)

    def _record_answer(self, record: Record, query: Query, code: int = 200) -> Response:
        return json_response(write_records(self.session, [record], query.depth)[0], code)

    def _collection_answer(self, resource: Resource, condition: Any, order: Any, query: Query) -> Response:
        records, total = run_query(self.session, resource, condition, order, query)
        content = write_records(self.session, records, query.depth)
        return json_response({"content": content, "matches": {"total": total, "returned": len(content)}})

    def _save(self) -> None:
        """Write the changes, and forget what is loaded: keys, defaults and relations may have changed with them."""
        session = self.session
        try:
            session.flush()
        except AssertionError as error:
            # SQLAlchemy's word for a key that would lose the reference which is a part of it.
            raise FlushError(str(error)) from None
        session.expire_all()

    # -- /houses/ ------------------------------------------------------------------------------------------------

    def get_collection(self) -> Response:
        """Answer with entities of the model."""
        resource = self.resource
        query = parse_collection_query(request.args, resource, self.collection_depth, self.limits)
        return self._collection_answer(resource, None, key_columns(resource), query)

    def post_collection(self) -> Response:
        """Make an entity and answer with it."""
        query = parse_query(request.args, self.model_depth, self.limits)
        session = self.session
        with session.no_autoflush:
            entity = Changes(session, self.resource, read_object(), new=True).make()
            session.add(entity)
        self._save()
        key = inspect(entity).identity
        response = self._record_answer(load_records(session, self.resource, [key])[0], query, 201)
        if self.entity_endpoint is not None:
            parts: dict[str, Any] = dict(zip(self.url_names, self.resource.key_texts(key), strict=True))
            response.headers["Location"] = url_for(self.entity_endpoint, **parts)
        return response

    # -- /houses/<id> --------------------------------------------------------------------------------------------

    @property
    def url_names(self) -> list[str]:
        """The names of the parts of a URL that are the id."""
        return [f"key{number}" for number in range(1, len(self.resource.keys) + 1)]

    def get_entity(self, **texts: str) -> Response:
        """Answer with an entity."""
        query = parse_query(request.args, self.model_depth, self.limits)
        return self._entity_answer(texts.values(), query)

    def put_entity(self, **texts: str) -> Response:
        """Change attributes of an entity and answer with it."""
        query = parse_query(request.args, self.model_depth, self.limits)
        entity = self._find(texts.values())
        session = self.session
        with session.no_autoflush:
            Changes(session, self.resource, read_object()).apply(entity)
        self._save()
        return self._entity_answer(texts.values(), query)

    def delete_entity(self, **texts: str) -> Answer:
        """Remove an entity."""
        if request.args:
            refuse("DELETE takes no parameters")
        self.session.delete(self._find(texts.values()))
        self._save()
        return "", 204


class RelationViews:
    """Answer the requests for one to-many relation of a model.

    :param views: those of the model
    """

    def __init__(self, views: Views, relation: Relation) -> None:
        self.views = views
        self.relation = relation

    # -- /houses/<id>/cats/ --------------------------------------------------------------------------------------

    def get_collection(self, **texts: str) -> Response:
        """Answer with members of the relation."""
        views, target = self.views, self.relation.target
        query = parse_collection_query(request.args, target, views.collection_depth, views.limits)
        return self._answer(views._find(texts.values()), query)

    def put_collection(self, **texts: str) -> Response:
        """Change all members of the relation, or which ones these are, and answer with them."""
        views, target = self.views, self.relation.target
        # Filters would leave it open whether they choose what is changed.
        query = parse_collection_query(request.args, target, views.collection_depth, views.limits, with_filters=False)
        owner, body = views._find(texts.values()), read_body()
        session = views.session
        with session.no_autoflush:
            if isinstance(body, list):
                assign(self.relation, owner, find_members(session, self.relation, body))
            elif isinstance(body, dict):
                changes = Changes(session, target, body)
                for member in session.scalars(target.select().where(self._is_member(owner))):
                    changes.apply(member)
            else:
                refuse("the body has to be a JSON object, or a list of primary key objects")
        views._save()
        return self._answer(views._find(texts.values()), query)

    def _is_member(self, owner: Any) -> Any:
        return with_parent(owner, self.relation.attribute)

    def _answer(self, owner: Any, query: Query) -> Response:
        return self.views._collection_answer(self.relation.target, self._is_member(owner), self.relation.order, query)

    # -- /houses/<id>/cats/<position> ----------------------------------------------------------------------------

    def get_position(self, position: str, **texts: str) -> Response:
        """Answer with the member at a position, counted from 1."""
        views = self.views
        query = parse_query(request.args, views.model_depth, views.limits)
        owner = views._find(texts.values())
        place = int(position) if position.isascii() and position.isdigit() and len(position) < 19 else 0
        found: list[Record] = []
        if place:
            page = Query(query.depth, limit=1, offset=place - 1)
            relation = self.relation
            found, _ = run_query(views.session, relation.target, self._is_member(owner), relation.order, page)
        if not found:
            not_found(f"{self.relation.key} has nothing at the position {position}")
        return views._record_answer(found[0], query)
