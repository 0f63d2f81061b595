"""Sessions: what a view sees of one, the contract of whatever keeps them, and two ways of keeping them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..json.tag import TaggedJSONSerializer
from .cookie import SecureCookieSessionInterface, session_json_serializer
from .data import NullSession, SecureCookieSession, SessionMixin
from .interface import SessionInterface

if TYPE_CHECKING:
    from .server import FileStore, MemoryStore, ServerSession, ServerSideSessionInterface, SessionStore

__all__ = [
    "FileStore", "MemoryStore", "NullSession", "SecureCookieSession", "SecureCookieSessionInterface", "ServerSession",
    "ServerSideSessionInterface", "SessionInterface", "SessionMixin", "SessionStore", "TaggedJSONSerializer",
    "session_json_serializer",
]


def __getattr__(name: str) -> object:
    # Few applications keep sessions on the server; the others do not pay for its imports.
    if name in __all__:
        from . import server

        return getattr(server, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
