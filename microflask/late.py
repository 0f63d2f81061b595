"""Blueprints that are registered by an import name, and imported when something may be meant for them."""

from __future__ import annotations

import re
from contextvars import ContextVar
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .blueprints import Blueprint

#: Set while a late blueprint is entered into its application: set-up that comes late because it was put off.
registering: ContextVar[bool] = ContextVar("microflask.late", default=False)

# One at a time: an application's map of rules takes additions from one thread only.
_lock = RLock()


class LateBlueprint:
    """Stand for a blueprint whose module has not been imported.

    :param import_name: where it is, e.g. ``yourapplication.admin:bp``
    :param options: for its registration
    :raises ValueError: there is no dot or colon in `import_name`
    """

    def __init__(self, import_name: str, options: dict[str, Any]) -> None:
        from .views import split_import_name

        split_import_name(import_name)
        self.import_name = import_name
        self.options = options
        literal, variable, _ = (options.get("url_prefix") or "").partition("<")
        #: All rules of the blueprint begin with this; empty when nothing is known.
        self.prefix = literal.rpartition("/")[0] if variable else literal.rstrip("/")
        self._entering = False
        self._refusal: tuple[Exception, TracebackType | None] | None = None

    def covers(self, path: str) -> bool:
        """Tell whether a rule of the blueprint may match a path."""
        if "//" in path:
            path = re.sub("/{2,}", "/", path)
        return f"{path}/".startswith(f"{self.prefix}/")

    def load(self, app: Any) -> None:
        """Import the blueprint and register it, once, whichever thread comes first; the others wait.

        A failure to import is forgotten, a failure to register is kept: what was entered cannot be taken back.

        :raises ImportError: there is no such module, or nothing of that name in it
        :raises TypeError: it is no blueprint
        """
        from .blueprints import Blueprint
        from .views import import_object

        blueprint = import_object(self.import_name)
        if not isinstance(blueprint, Blueprint):
            raise TypeError(f"{self.import_name!r} is no blueprint: it is {blueprint!r}")
        with _lock:
            if self._entering or self not in app.late_blueprints:
                return
            if self._refusal is not None:
                error, place = self._refusal
                raise error.with_traceback(place)
            self._entering = True
            token = registering.set(True)
            try:
                self._enter(blueprint, app)
            except Exception as error:
                self._refusal = (error, error.__traceback__)
                raise
            finally:
                registering.reset(token)
                self._entering = False
            app.late_blueprints.remove(self)

    def _enter(self, blueprint: Blueprint, app: Any) -> None:
        known = len(app.before_first_request_funcs)
        app.register_blueprint(blueprint, **self.options)
        if app.got_first_request:
            for function in app.before_first_request_funcs[known:]:
                app.ensure_sync(function)()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.import_name!r}>"


class LateBlueprints(list[LateBlueprint]):
    """Hold the late blueprints of an application which have not been imported."""

    def import_below(self, app: Any, path: str) -> Exception | None:
        """Import those with rules that may match a path; return the exception with which one fails."""
        for late in [late for late in self if late.covers(path)]:
            try:
                late.load(app)
            except Exception as error:
                return error
        return None

    def import_endpoint(self, app: Any, endpoint: str) -> None:
        """Import one after another until an endpoint is known.

        :raises Exception: it stays unknown, and this is why one of them could not be imported
        """
        failure: Exception | None = None
        for late in tuple(self):
            if "." not in endpoint or endpoint in app.view_functions:
                return
            try:
                late.load(app)
            except Exception as error:
                failure = failure or error
        if failure is not None and endpoint not in app.view_functions:
            raise failure

    def import_all(self, app: Any) -> dict[str, Exception]:
        """Import all; return the exceptions of those that fail, by import name."""
        failures: dict[str, Exception] = {}
        for late in tuple(self):
            try:
                late.load(app)
            except Exception as error:
                failures[late.import_name] = error
        return failures


def preload(app: Any) -> None:
    """Import the late blueprints and the lazy views of an application.

    :raises PreloadError: some cannot be imported; it names each of them
    """
    from .views import PreloadError, import_views

    failures = app.late_blueprints.import_all(app)
    failures |= import_views(app.view_functions.values())
    if failures:
        raise PreloadError(failures) from ExceptionGroup("late imports", list(failures.values()))
