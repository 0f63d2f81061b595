"""What a view finds as its session: a mapping that knows whether it was looked at and whether it was changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from werkzeug.datastructures import CallbackDict


class SessionMixin(MutableMapping[str, Any]):
    """Add to a dictionary what the application and its extensions expect of a session."""

    #: Whether the session was made for this request; a backend that cannot tell says False.
    new = False
    #: Whether the session has to be saved; a backend that cannot tell says True.
    modified = True
    #: Whether the request looked at the session; set by its context.
    accessed = False

    @property
    def permanent(self) -> bool:
        """Whether the session outlives the browser's, by the application's ``permanent_session_lifetime``."""
        return bool(self.get("_permanent", False))

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)


def _reading(name: str) -> Any:
    """Return dict's method `name`, made to note that the session was looked at."""
    method: Callable[..., Any] = getattr(dict, name)

    def read(self: SecureCookieSession, *args: Any) -> Any:
        self.accessed = True
        return method(self, *args)

    read.__name__ = name
    read.__doc__ = method.__doc__
    return read


# An attribute of dict is searched for at each call; what the module has is not.
_fill, _set, _item, _has = dict.__init__, dict.__setitem__, dict.__getitem__, dict.__contains__
_get: Any = dict.get


def _note_change(session: Any) -> None:
    session.modified = session.accessed = True


class SecureCookieSession(CallbackDict[str, Any], SessionMixin):
    """Hold a session's data and note every look at it and every change of it.

    A change inside a value, such as an append to a list, is not noticed: set :attr:`modified` yourself.
    """

    # CPython finds a slot at once; a value in the class that an instance covers takes ten times as long. A session has
    # its flags set and read a dozen times.
    __slots__ = ("accessed", "modified")

    #: What is called with the session after a change.
    on_update = staticmethod(_note_change)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            # It may leave ours out, and counts on the flags all the same.
            for name in SecureCookieSession.__slots__:
                if getattr(cls, name) is vars(SecureCookieSession)[name]:
                    setattr(cls, name, False)

    def __init__(self, initial: Mapping[str, Any] | None = None) -> None:
        # What CallbackDict does, in two calls less.
        _fill(self, () if initial is None else initial)
        self.accessed = self.modified = False

    def __setitem__(self, key: str, value: Any) -> None:
        _set(self, key, value)
        note = self.on_update
        if note is not None:
            note(self)

    def __getitem__(self, key: str) -> Any:
        self.accessed = True
        return _item(self, key)

    def __contains__(self, key: object) -> bool:
        self.accessed = True
        return _has(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`, or `default`."""
        self.accessed = True
        return _get(self, key, default)

    __iter__ = _reading("__iter__")
    __reversed__ = _reading("__reversed__")
    __len__ = _reading("__len__")
    __eq__ = _reading("__eq__")
    __ne__ = _reading("__ne__")
    __or__ = _reading("__or__")
    __ror__ = _reading("__ror__")
    keys = _reading("keys")
    values = _reading("values")
    items = _reading("items")
    copy = _reading("copy")


class NullSession(SecureCookieSession):
    """Stand for a session where none could be opened: it is empty, and refuses every change."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(
            "The session is unavailable: the application has no secret key to sign it with. Set"
            " app.secret_key, or SECRET_KEY in the configuration, to a long random value that stays the same."
        )

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

def without_time_zones(value: Any) -> Any:
    """Return `value` with its datetimes in UTC and without a time zone, inside of containers too."""
    if isinstance(value, datetime):
        return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, dict):
        return {key: without_time_zones(inner) for key, inner in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(without_time_zones, value))
    return value
