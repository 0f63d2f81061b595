"""Values that are computed once and kept with the time at which that was done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")
Self = TypeVar("Self", bound="cached_property[Any]")


class cached_property(Generic[T]):
    """Compute a property of a :class:`Cacheable` when it is first read, and keep it.

    Assigning replaces what is kept. :meth:`Cacheable.refresh_cache` computes it again.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        self.name: str = compute.__name__
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = name

    @overload
    def __get__(self: Self, instance: None, owner: type[Any]) -> Self: ...

    @overload
    def __get__(self, instance: Any, owner: type[Any]) -> T: ...

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self
        kept = instance._cache
        if kept and self.name in kept:
            return kept[self.name][0]
        return self.refresh(instance)

    def __set__(self, instance: Any, value: T) -> None:
        # A new mapping each time: a database column notices only that.
        instance._cache = {**(instance._cache or {}), self.name: (value, time.time())}

    def refresh(self, instance: Any) -> T:
        """Compute the value for `instance`, keep it and return it."""
        value = self.compute(instance)
        self.__set__(instance, value)
        return value


class _NothingKept:
    """Be an empty mapping until something is kept: then the instance has an attribute of its own."""

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        return self if instance is None else {}


class Cacheable:
    """Keep the values of :class:`cached_property` in `_cache`: name -> (value, seconds since 1970)."""

    _cache: Any = _NothingKept()

    def refresh_cache(self, names: str | Iterable[str] | None = None, expiration: float = 0) -> None:
        """Compute cached properties that are `expiration` seconds old or more, or were never computed.

        :param names: which ones; all unless given
        :raises AttributeError: there is no cached property of that name
        """
        known = cached_properties(type(self))
        wanted = known if names is None else [names] if isinstance(names, str) else list(names)
        for name in wanted:
            if name not in known:
                raise AttributeError(f"{type(self).__name__!r} has no cached property {name!r}")
        ages = self.view_cache()
        for name in wanted:
            age = ages[name]
            if age is None or age >= expiration:
                known[name].refresh(self)

    def view_cache(self) -> dict[str, float | None]:
        """Return the age in seconds of each cached property, None for what has not been computed."""
        kept, now = self._cache or {}, time.time()
        names = cached_properties(type(self))
        return {name: max(0.0, now - kept[name][1]) if name in kept else None for name in names}


def cached_properties(cls: type[Any]) -> dict[str, cached_property[Any]]:
    """Return the cached properties of a class by name, those of its bases first."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        found.update(vars(base))
    return {name: value for name, value in found.items() if isinstance(value, cached_property)}
