"""Attributes and expressions that are made when somebody needs them, and attributes that lie beside the others."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

T = TypeVar("T")

if TYPE_CHECKING:
    lazy = cached_property
else:

    class lazy(cached_property):
        """Make an attribute when it is first looked at; the standard library's, without a dictionary for the object.

        CPython keeps attributes faster when nobody asks for ``__dict__``. A look takes a third of the steps.
        """

        def __get__(self, obj: Any, owner: type | None = None) -> Any:
            if obj is None:
                return self
            value = self.func(obj)
            setattr(obj, self.attrname, value)
            return value


def compile_later(
    namespace: dict[str, Any], name: str, regex: str, flags: int = 0
) -> Callable[[str], re.Match[str] | None]:
    """Return a function that matches a whole text; the expression is compiled when it is first called.

    An import would spend 0.1 ms on each. Once compiled, it is what the module finds by the name.

    :param namespace: the names of the module that calls it
    """

    def match(text: str) -> re.Match[str] | None:
        namespace[name] = compiled = re.compile(regex, flags).fullmatch
        return compiled(text)

    return match


class Aside(Generic[T]):
    """Keep an attribute that requests do not need out of the way of those that they do.

    CPython finds the methods of an object at once as long as it has at most 30 attributes of its own; with one more,
    each call of a method costs a search, 0.03 microseconds, and a request makes a dozen. What only the set-up needs
    lies in one dictionary, so that an application has room for the attributes that extensions give it.

    :param make: makes the value when it is first looked at and was not assigned
    """

    def __init__(self, make: Callable[[Any], T] | None = None) -> None:
        self._make = make
        self.__doc__ = make.__doc__ if make is not None else None

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, obj: None, owner: type | None = None) -> Self: ...

    @overload
    def __get__(self, obj: Any, owner: type | None = None) -> T: ...

    def __get__(self, obj: Any, owner: type | None = None) -> T | Self:
        if obj is None:
            return self
        values = beside(obj)
        try:
            return values[self._name]  # type: ignore[no-any-return]
        except KeyError:
            if self._make is None:
                raise AttributeError(f"{type(obj).__name__!r} object has no attribute {self._name!r}") from None
        value = values[self._name] = self._make(obj)
        return value

    def __set__(self, obj: Any, value: T) -> None:
        beside(obj)[self._name] = value

    def __delete__(self, obj: Any) -> None:
        if beside(obj).pop(self._name, self) is self:
            raise AttributeError(f"{type(obj).__name__!r} object has no attribute {self._name!r}")


def beside(obj: Any) -> dict[str, Any]:
    """Return the dictionary with what lies beside the attributes of `obj`."""
    try:
        return obj._beside  # type: ignore[no-any-return]
    except AttributeError:
        obj._beside = {}
        return obj._beside  # type: ignore[no-any-return]
