"""JSON that keeps tuples, bytes, markup, UUIDs and datetimes: what a session may hold.

A value of such a type is written as an object with one key, its tag: ``{" t": [1, 2]}`` is the tuple ``(1, 2)``. The
format is that of Flask, from 0.10 on. Other types are added with :meth:`TaggedJSONSerializer.register`.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any
from uuid import UUID

from markupsafe import Markup
from werkzeug.http import http_date, parse_date

from ..globals import find_app
from . import dumps, loads
from .provider import DefaultJSONProvider

__all__ = [
    "JSONTag", "PassDict", "PassList", "TagBytes", "TagDateTime", "TagDict", "TagMarkup", "TagTuple", "TagUUID",
    "TaggedJSONSerializer",
]


class JSONTag:
    """Convert one type of value for a :class:`TaggedJSONSerializer`; subclass it and register the subclass.

    `key` is the tag; a class with an empty key only decides how values are written.
    """

    __slots__ = ("serializer",)

    key: str = ""

    def __init__(self, serializer: TaggedJSONSerializer) -> None:
        self.serializer = serializer

    def check(self, value: Any) -> bool:
        """Return whether `value` is one for this tag."""
        raise NotImplementedError(f"{type(self).__name__} has to define check(value)")

    def to_json(self, value: Any) -> Any:
        """Return `value` as something that JSON has; the values inside are tagged by this method too."""
        raise NotImplementedError(f"{type(self).__name__} has to define to_json(value)")

    def to_python(self, value: Any) -> Any:
        """Return the value that :meth:`to_json` was given; the values inside are converted already."""
        raise NotImplementedError(f"{type(self).__name__} has to define to_python(value)")

    def tag(self, value: Any) -> Any:
        """Return `value` as JSON has it, under its tag."""
        return {self.key: self.to_json(value)}


class TagDict(JSONTag):
    """Mark a dict whose only key looks like a tag, by an ending on that key."""

    __slots__ = ()
    key = " di"

    def check(self, value: Any) -> bool:
        """Return whether `value` would be mistaken for a tagged value."""
        return isinstance(value, dict) and len(value) == 1 and not self.serializer.tags.keys().isdisjoint(value)

    def to_json(self, value: Any) -> Any:
        """Return the dict with its key made harmless."""
        return {f"{key}__": self.serializer.tag(inner) for key, inner in value.items()}

    def to_python(self, value: Any) -> Any:
        """Return the dict with its own key."""
        return {key.removesuffix("__"): inner for key, inner in value.items()}


class PassDict(JSONTag):
    """Write a dict as it is, with its values tagged."""

    __slots__ = ()

    def check(self, value: Any) -> bool:
        """Return whether `value` is a dict."""
        return isinstance(value, dict)

    def to_json(self, value: Any) -> Any:
        """Return the dict with its values tagged."""
        tag = self.serializer.tag
        return {key: tag(inner) for key, inner in value.items()}

    def tag(self, value: Any) -> Any:
        """Return the dict without a tag."""
        return self.to_json(value)


class PassList(JSONTag):
    """Write a list as it is, with its values tagged."""

    __slots__ = ()

    def check(self, value: Any) -> bool:
        """Return whether `value` is a list."""
        return isinstance(value, list)

    def to_json(self, value: Any) -> Any:
        """Return the list with its values tagged."""
        return list(map(self.serializer.tag, value))

    def tag(self, value: Any) -> Any:
        """Return the list without a tag."""
        return self.to_json(value)


class TagTuple(JSONTag):
    """Keep tuples."""

    __slots__ = ()
    key = " t"

    def check(self, value: Any) -> bool:
        """Return whether `value` is a tuple."""
        return isinstance(value, tuple)

    def to_json(self, value: Any) -> Any:
        """Return a list of the values, tagged."""
        return list(map(self.serializer.tag, value))

    def to_python(self, value: Any) -> Any:
        """Return a tuple of the values."""
        return tuple(value)


class TagBytes(JSONTag):
    """Keep bytes, in base 64."""

    __slots__ = ()
    key = " b"

    def check(self, value: Any) -> bool:
        """Return whether `value` is bytes."""
        return isinstance(value, bytes)

    def to_json(self, value: Any) -> Any:
        """Return base 64 text."""
        return str(b64encode(value), "ascii")

    def to_python(self, value: Any) -> Any:
        """Return the bytes of base 64 text."""
        return b64decode(value)


class TagMarkup(JSONTag):
    """Keep markup; any object with ``__html__`` comes back as a Markup."""

    __slots__ = ()
    key = " m"

    def check(self, value: Any) -> bool:
        """Return whether `value` knows its HTML."""
        return callable(getattr(value, "__html__", None))

    def to_json(self, value: Any) -> Any:
        """Return the HTML."""
        return str(value.__html__())

    def to_python(self, value: Any) -> Any:
        """Return the HTML as a Markup."""
        return Markup(value)


class TagUUID(JSONTag):
    """Keep UUIDs."""

    __slots__ = ()
    key = " u"

    def check(self, value: Any) -> bool:
        """Return whether `value` is a UUID."""
        return isinstance(value, UUID)

    def to_json(self, value: Any) -> Any:
        """Return the 32 hexadecimal digits."""
        return value.hex

    def to_python(self, value: Any) -> Any:
        """Return the UUID of 32 hexadecimal digits."""
        return UUID(hex=value)


class TagDateTime(JSONTag):
    """Keep datetimes to the second; one without a time zone is taken as UTC, and all come back in UTC."""

    __slots__ = ()
    key = " d"

    def check(self, value: Any) -> bool:
        """Return whether `value` is a datetime."""
        return isinstance(value, datetime)

    def to_json(self, value: Any) -> Any:
        """Return the HTTP date."""
        return http_date(value)

    def to_python(self, value: Any) -> Any:
        """Return the datetime of an HTTP date, with its time zone."""
        return parse_date(value)


class TaggedJSONSerializer:
    """Serialise values to compact JSON with tags, and back; the current application's JSON provider does the writing.

    A subclass may name other tag classes in `default_tags`.
    """

    __slots__ = ("_leaves", "_passes_dicts", "_spaced", "order", "tags")

    default_tags: list[type[JSONTag]] = [
        TagDict, PassDict, TagTuple, PassList, TagBytes, TagMarkup, TagUUID, TagDateTime,
    ]

    def __init__(self) -> None:
        #: The tag objects by their keys.
        self.tags: dict[str, JSONTag] = {}
        #: The tag objects in the order in which they are asked about a value.
        self.order: list[JSONTag] = []
        # Types that no tag object cares for; a foreign one might care for any.
        self._leaves: frozenset[type[Any]] = frozenset({str, int, float, bool, type(None)})
        # Whether all tags begin with a space.
        self._spaced = True
        self._passes_dicts = False
        for tag_class in self.default_tags:
            self.register(tag_class)

    def register(self, tag_class: type[JSONTag], force: bool = False, index: int | None = None) -> None:
        """Add a tag class, at the end or before the one at `index` of :attr:`order`.

        :raises KeyError: its key is taken, and `force` is not set
        """
        added = tag_class(self)
        if added.key:
            if added.key in self.tags and not force:
                raise KeyError(f"the tag {added.key!r} is taken: choose another key, or pass force=True to replace it")
            self.tags[added.key] = added
            self._spaced = self._spaced and added.key[0] == " "
        self.order.insert(len(self.order) if index is None else index, added)
        if tag_class not in TaggedJSONSerializer.default_tags:
            self._leaves = frozenset()
        self._passes_dicts = bool(self._leaves) and (self._passes_dicts or tag_class is PassDict)

    def tag(self, value: Any) -> Any:
        """Return `value` as JSON has it, tagged where it needs to be."""
        leaves = self._leaves
        kind = type(value)
        if kind in leaves:
            return value
        if kind is dict and self._passes_dicts and (len(value) != 1 or next(iter(value)) not in self.tags):
            # What the first two of the tag objects do, in four calls less.
            for inner in value.values():
                if type(inner) not in leaves:
                    break
            else:
                return value
            return {key: inner if type(inner) in leaves else self.tag(inner) for key, inner in value.items()}
        for tag in self.order:
            if tag.check(value):
                return tag.tag(value)
        return value

    def untag(self, value: dict[str, Any]) -> Any:
        """Return what the dict `value` stands for: itself, unless its only key is a tag."""
        if len(value) != 1:
            return value
        [(key, inner)] = value.items()
        tag = self.tags.get(key)
        return value if tag is None else tag.to_python(inner)

    def dumps(self, value: Any) -> str:
        """Return `value` as compact tagged JSON.

        :raises TypeError: `value` holds something that has no form in JSON
        :raises ValueError: `value` contains itself, or is nested too deeply
        """
        try:
            app, tagged = find_app(), self.tag(value)
            if app is None:
                return dumps(tagged, separators=(",", ":"))
            provider = app.json
            if isinstance(provider, DefaultJSONProvider):
                return provider.dump_compact(tagged)
            return provider.dumps(tagged, separators=(",", ":"))  # type: ignore[no-any-return]
        except RecursionError:
            raise ValueError("the value contains itself, or is nested too deeply to be written as JSON") from None

    def loads(self, value: str | bytes) -> Any:
        """Return the value that :meth:`dumps` was given.

        :raises ValueError: `value` is not such a document
        """
        try:
            app = find_app()
            made = loads(value) if app is None else app.json.loads(value)
            if self._spaced and type(value) is str and '" ' not in value and "\\u0020" not in value:
                # No name, and no other text, begins with a space: 0.1 microseconds instead of 0.8 for an object.
                return made
            return self._scan(made)
        except (TypeError, LookupError, AttributeError, RecursionError) as error:
            raise ValueError(f"this is no document of a {type(self).__name__}: {type(error).__name__}") from error

    def _scan(self, value: Any) -> Any:
        # Children first, and not as an object_hook: a provider over another library may not know of one.
        if isinstance(value, dict):
            scan = self._scan
            return self.untag({k: scan(v) if isinstance(v, (dict, list)) else v for k, v in value.items()})
        if isinstance(value, list):
            return list(map(self._scan, value))
        return value
