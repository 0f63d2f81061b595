"""The manager of the API: options, models, and the rules of the URLs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy.orm import configure_mappers

from microflask import request

from ...util import Model
from ...util.fields import find_mapper
from .errors import answer_error
from .query import Limits
from .resource import Options, Relation, Resource, resource_of
from .views import RelationViews, Views

METHODS = ("GET", "POST", "PUT", "DELETE")
_UNSET: Any = object()


class APIManager:
    """Expose models as a ReSTful API.

    :param url_prefix: what all URLs start with
    :param add_all_models: whether every model of the project is exposed
    :param methods: what is offered
    :param relationships: which to-many relations have endpoints: all (True), none (False), or their names
    :param allow_put_many: whether the members of a relation may be changed by PUT
    :param default_collection_depth: how many levels of relations a collection shows in full
    :param default_model_depth: how many levels a single entity does
    :param max_depth: the most levels that a request gets; None for no bound
    :param default_limit: how many entities a collection shows; None for all
    :param max_limit: the most entities that a request gets; None for no bound
    :raises ValueError: there is no such method
    """

    def __init__(
        self, url_prefix: str = "/api", add_all_models: bool = False, methods: Iterable[str] = METHODS,
        relationships: bool | Iterable[str] = True, allow_put_many: bool = True, default_collection_depth: int = 0,
        default_model_depth: int = 1, max_depth: int | None = None, default_limit: int | None = 20,
        max_limit: int | None = None,
    ) -> None:  # fmt: skip
        self.url_prefix = "/" + url_prefix.strip("/") if url_prefix.strip("/") else ""
        self.add_all_models = add_all_models
        self.options = Options(_read_methods(methods), _read_names(relationships), allow_put_many)
        self.limits = Limits(default_limit, max_limit, max_depth)
        self.default_collection_depth = default_collection_depth
        self.default_model_depth = default_model_depth
        self._models: dict[type[Any], dict[str, Any]] = {}

    def add_model(
        self, model: type[Any], methods: Iterable[str] | None = None,
        relationships: bool | Iterable[str] | None = None, allow_put_many: bool | None = None,
    ) -> None:  # fmt: skip
        """Expose a model, or give one options of its own; what is not given is as for all models.

        :raises TypeError: it is no model
        :raises ValueError: there is no such method
        """
        if not isinstance(model, type) or find_mapper(model) is None:
            raise TypeError(f"{model!r} is no model")
        given = {
            "methods": None if methods is None else _read_methods(methods),
            "relationships": None if relationships is None else _read_names(relationships),
            "allow_put_many": allow_put_many,
        }
        self._models[model] = {name: value for name, value in given.items() if value is not None}

    def register(self, project: Any) -> None:
        """Add the URLs of the models to the project's application.

        :raises ValueError: two models have one name, or a relation is named that does not exist
        """
        configure_mappers()
        project.app.error_areas[f"{self.url_prefix}/"] = answer_error
        names: dict[str, type[Any]] = {}
        for model, options in self._chosen().items():
            resource = resource_of(model)
            if resource.name in names:
                raise ValueError(
                    f"{names[resource.name].__name__} and {model.__name__} would both be found below"
                    f" {self.url_prefix}/{resource.name}/: leave one of them out, or give it another __tablename__"
                )
            names[resource.name] = model
            _Rules(self, project, resource, options).add()

    def _chosen(self) -> dict[type[Any], Options]:
        models = dict.fromkeys(_all_models() if self.add_all_models else ()) | dict.fromkeys(self._models)
        return {
            model: Options(**{**vars(self.options), **self._models.get(model, {})}) for model in models
        }


def _all_models() -> list[type[Any]]:
    mappers = sorted(Model.registry.mappers, key=lambda mapper: mapper.class_.__name__)
    return [mapper.class_ for mapper in mappers]


def _read_methods(methods: Iterable[str]) -> frozenset[str]:
    chosen = {method.upper() for method in ([methods] if isinstance(methods, str) else methods)}
    for method in chosen:
        if method not in METHODS:
            raise ValueError(f"the API does not offer {method!r}: its methods are {', '.join(METHODS)}")
    return frozenset(chosen)


def _read_names(names: bool | Iterable[str]) -> bool | tuple[str, ...]:
    if isinstance(names, bool):
        return names
    return (names,) if isinstance(names, str) else tuple(names)


class _Rules:
    """Add the rules for one model."""

    def __init__(self, manager: APIManager, project: Any, resource: Resource, options: Options) -> None:
        self.app = project.app
        self.options = options
        self.resource = resource
        self.views = Views(
            project.db, resource, manager.limits, manager.default_collection_depth, manager.default_model_depth
        )
        self.collection_rule = f"{manager.url_prefix}/{resource.name}/"
        self.entity_rule = self.collection_rule + "/".join(f"<{name}>" for name in self.views.url_names)

    def add(self) -> None:
        """Add them all."""
        views = self.views
        self._add(self.collection_rule, {"GET": views.get_collection, "POST": views.post_collection})
        entity = {"GET": views.get_entity, "PUT": views.put_entity, "DELETE": views.delete_entity}
        views.entity_endpoint = self._add(self.entity_rule, entity)
        for relation in self._relations():
            found = RelationViews(views, relation)
            members: dict[str, Callable[..., Any]] = {"GET": found.get_collection}
            if self.options.allow_put_many and relation.writable:
                members["PUT"] = found.put_collection
            self._add(f"{self.entity_rule}/{relation.key}/", members)
            self._add(f"{self.entity_rule}/{relation.key}/<position>", {"GET": found.get_position})

    def _relations(self) -> list[Relation]:
        wanted, found = self.options.relationships, self.resource.collections()
        if isinstance(wanted, bool):
            return found if wanted else []
        by_name = {relation.key: relation for relation in found}
        for name in wanted:
            if name not in by_name:
                raise ValueError(f"{self.resource.model.__name__} has no to-many relation {name!r}")
        return [by_name[name] for name in wanted]

    def _add(self, rule: str, handlers: dict[str, Callable[..., Any]]) -> str | None:
        """Add a rule for the methods that are offered, and return its endpoint."""
        offered = {method: handler for method, handler in handlers.items() if method in self.options.methods}
        if not offered:
            return None
        if "GET" in offered:
            offered["HEAD"] = offered["GET"]

        def view(**values: str) -> Any:
            return offered[request.method](**values)

        endpoint = rule.strip("/").replace(".", "_")
        self.app.add_url_rule(rule, endpoint, view, methods=sorted(offered))
        return endpoint
