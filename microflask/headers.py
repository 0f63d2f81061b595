"""Werkzeug's headers, with a shorter way for what is done to most responses: a text is set, read or looked for."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import Headers as HeadersBase
from werkzeug.exceptions import BadRequestKeyError

_ABSENT: Any = object()
#: The headers that the way out of a response looks at, and the type, which each response has.
NOTED = frozenset({"content-type", "content-length", "location", "content-location"})
#: Names as programs write them that are none of these in any case. To know a name takes half the time of lower().
APART: set[str] = set()


def is_apart(name: str) -> bool:
    """Tell whether a header is none of the noted ones; such a name is kept unless there are many."""
    apart = name.lower() not in NOTED
    if apart and len(APART) < 256:
        APART.add(name)
    return apart


class Headers(HeadersBase):
    """Be werkzeug's ``Headers`` to everybody who looks; equal to one with the same content, too.

    :param defaults: the headers to begin with, as a mapping or as pairs
    :param kept: a list of pairs of texts that were checked; it is kept itself
    :raises ValueError: a value has a line break in it
    """

    __hash__ = None

    def __init__(self, defaults: Any = None, kept: list[tuple[str, str]] | None = None) -> None:
        self._list: list[tuple[str, str]] = [] if kept is None else kept
        #: A copy that may go out as it is, if the list still equals it.
        self.ready: list[tuple[str, str]] | None = None
        if defaults is not None:
            self.extend(defaults)

    def __eq__(self, other: object) -> bool:
        kind = type(other)
        if kind is not type(self) and kind is not HeadersBase:
            return NotImplemented
        return self._comparable() == Headers._comparable(other)  # type: ignore[arg-type]

    def _comparable(self) -> set[tuple[str, str]]:
        return {(name.lower(), value) for name, value in self._list}

    def _pair(self, key: str) -> tuple[str, str] | None:
        """Return the first header of a name, in whatever case; no exception is made for nothing."""
        lowered = key.lower()
        for pair in self._list:
            if pair[0].lower() == lowered:
                return pair
        return None

    def __setitem__(self, key: Any, value: Any) -> None:
        if type(key) is not str:
            super().__setitem__(key, value)
            return
        if type(value) is str and "\n" not in value and "\r" not in value:
            items = self._list
            # The first header after those that each response has.
            if key in APART and len(items) == 2 and items[0][0] == "Content-Type" and items[1][0] == "Content-Length":
                items.append((key, value))
                self.ready = items.copy()
                return
            lowered = key.lower()
            for name, _ in items:
                if name.lower() == lowered:
                    break
            else:
                items.append((key, value))
                return
        HeadersBase.set(self, key, value)

    def set(self, key: str, value: Any, /, **kwargs: Any) -> None:
        """Make `value` the only header of a name; `kwargs` are its options.

        :raises ValueError: the value has a line break in it
        """
        if type(key) is str and not kwargs:
            self.__setitem__(key, value)
        else:
            super().set(key, value, **kwargs)

    def add(self, key: str, value: Any, /, **kwargs: Any) -> None:
        """Append a header; `kwargs` are the options of its value.

        :raises ValueError: the value has a line break in it
        """
        if type(value) is str and not kwargs and "\n" not in value and "\r" not in value:
            self._list.append((key, value))
        else:
            super().add(key, value, **kwargs)

    def extend(self, arg: Any = None, /, **kwargs: Any) -> None:
        """Append the headers of a mapping or of pairs, and `kwargs`.

        :raises ValueError: a value has a line break in it
        """
        kind = type(arg)
        if kwargs or (kind is not dict and kind is not list):
            super().extend(arg, **kwargs)
            return
        append = self._list.append
        for key, value in arg.items() if kind is dict else arg:
            if type(value) is str and "\n" not in value and "\r" not in value:
                append((key, value))
            else:
                super().extend({key: value} if kind is dict else ((key, value),))

    def update(self, arg: Any = None, /, **kwargs: Any) -> None:
        """Set the headers of a mapping or of pairs, and `kwargs`.

        :raises ValueError: a value has a line break in it
        """
        if kwargs or type(arg) is not dict:
            super().update(arg, **kwargs)
            return
        for key, value in arg.items():
            if type(key) is str and type(value) is str:
                self.__setitem__(key, value)
            else:
                super().update({key: value})

    def __contains__(self, key: str) -> bool:
        return self._pair(key) is not None

    def get(  # type: ignore[override]
        self, key: str, default: Any = None, type: Any = None
    ) -> Any:
        """Return the first value of a name, or `default`.

        :param type: makes something else of the value; `default` is returned where it raises ValueError
        """
        pair = self._pair(key)
        if pair is None:
            return default
        return pair[1] if type is None else super().get(key, default, type)

    def setdefault(self, key: str, default: Any) -> str:
        """Return the first value of a name, which becomes `default` where there was none.

        :raises ValueError: the value has a line break in it
        """
        if self._pair(key) is None:
            self.set(key, default)
        return self._get_key(key)

    def pop(self, key: Any = None, default: Any = _ABSENT) -> Any:
        """Remove all headers of a name and return the first value; an index, or nothing, removes one pair.

        :raises KeyError: there is none, and no `default`
        """
        if type(key) is not str:
            return super().pop(key) if default is _ABSENT else super().pop(key, default)
        pair = self._pair(key)
        if pair is None:
            if default is _ABSENT:
                raise BadRequestKeyError(key)
            return default
        self.remove(key)
        return pair[1]
