"""Tasks that run on an application before its first request, and views that are imported by theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

from microflask import Blueprint, Flask
from microflask.views import LazyView

__all__ = ["HipPocket", "LateLoader", "Mapper"]

F = TypeVar("F", bound=Callable[..., Any])


class LateLoader(LazyView):
    """Stand for a view that is imported at its first request; the name that HipPocket's document has for LazyView."""


class Mapper:
    """Map URLs to views of one package, each imported when its URL is first asked for.

    :param blueprint: gets the rules: a blueprint or an application
    :param base_import_name: stands in front of the views' names; the blueprint's import name unless given
    :param url_defaults: options for every rule, e.g. ``methods`` or ``strict_slashes``
    """

    def __init__(
        self, blueprint: Blueprint | Flask, base_import_name: str | None = None, **url_defaults: Any
    ) -> None:
        self.blueprint = blueprint
        self.base_import_name = base_import_name or blueprint.import_name
        self.url_defaults = url_defaults

    def add_url_rule(self, url: str, import_name: str, **url_kwargs: Any) -> None:
        """Map a URL to a view.

        :param url: the rule, e.g. ``/user/<name>``
        :param import_name: the view's name below the base, e.g. ``views.index``
        :param url_kwargs: options for this rule, which win over `url_defaults`
        """
        view = LateLoader(f"{self.base_import_name}.{import_name}")
        self.blueprint.add_url_rule(url, view_func=view, **{**self.url_defaults, **url_kwargs})

    def add(self, url: str, import_name: str, **url_kwargs: Any) -> None:
        """Do as :meth:`add_url_rule`."""
        self.add_url_rule(url, import_name, **url_kwargs)


class HipPocket:
    """Run tasks on an application when it is set up, and so before its first request.

    :param app: an application to run them on at once; others are given to :meth:`init_app`
    :param tasks: callables that are called with the application, in this order; None: none
    :raises TypeError: one of them cannot be called
    """

    def __init__(self, app: Flask | None = None, tasks: Iterable[Callable[[Flask], Any]] | None = None) -> None:
        self._tasks: list[Callable[[Flask], Any]] = [] if tasks is None else list(tasks)
        self._decorated: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
        for task in self._tasks:
            if not callable(task):
                raise TypeError(f"{task!r} is no task: it cannot be called with an application")
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Run the tasks, then the decorated functions in the order of their decoration, on an application.

        The first exception comes out and leaves the rest undone.
        """
        for task in self._tasks:
            task(app)
        for function, args, kwargs in self._decorated:
            function(app, *args, **kwargs)

    @overload
    def task(self, function: F, /) -> F: ...

    @overload
    def task(self, /, *args: Any, **kwargs: Any) -> Callable[[F], F]: ...

    def task(self, /, *args: Any, **kwargs: Any) -> Any:
        """Add the decorated function to the tasks: bare, or with the arguments that it gets after the application.

        One single positional callable is taken for the function. To give a function a callable, pass it by name.
        """
        if len(args) == 1 and not kwargs and callable(args[0]):
            return self._add(args[0], (), {})

        def decorate(function: F) -> F:
            return self._add(function, args, kwargs)

        return decorate

    def _add(self, function: F, args: tuple[Any, ...], kwargs: dict[str, Any]) -> F:
        self._decorated.append((function, args, kwargs))
        return function
