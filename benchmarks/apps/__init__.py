"""The applications, one module for each framework, written as its own manual would have it.

Each has ``make(site, assets)``. The frameworks are imported by name: none has to be installed for the sources to be
checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

from .. import material

F = TypeVar("F", bound=Callable[..., Any])


def typed(decorator: Any) -> Callable[[F], F]:
    """Return a decorator of an untyped framework as one that leaves the type of its function alone."""
    return cast("Callable[[F], F]", decorator)


def chunks() -> Iterator[bytes]:
    """Yield what the stream view sends."""
    yield from material.CHUNKS


def routes_of(site: str) -> int:
    """Return how many routes the site is about, 0 if it is not."""
    return int(site.removeprefix("routes-")) if site.startswith("routes-") else 0


def jinja_environment(assets: Path) -> Any:
    """Return what a user of a framework without templates sets up."""
    from importlib import import_module

    jinja2 = import_module("jinja2")
    loader = jinja2.FileSystemLoader(assets / "templates")
    return jinja2.Environment(loader=loader, autoescape=True, auto_reload=False)


class CookieSessions:
    """Keep sessions in signed cookies with itsdangerous, for a framework without sessions."""

    lifetime = 31 * 24 * 3600

    def __init__(self) -> None:
        from importlib import import_module

        itsdangerous = import_module("itsdangerous")
        self._invalid = itsdangerous.BadSignature
        self._serializer = itsdangerous.URLSafeTimedSerializer(material.SECRET, salt="sessions")

    def load(self, value: str | None) -> dict[str, Any]:
        """Return the session in a cookie, a new one if there is none or it is forged or too old."""
        if value is None:
            return {}
        try:
            return cast("dict[str, Any]", self._serializer.loads(value, max_age=self.lifetime))
        except self._invalid:
            return {}

    def dump(self, session: dict[str, Any]) -> str:
        """Return the cookie that carries a session."""
        return cast(str, self._serializer.dumps(session))
