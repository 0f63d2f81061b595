"""SQLite databases for microflask: a connection for each context, opened when it is first used.

The worked example of the guide to extensions, which walks through this file.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from typing import Any

from microflask import Flask, _app_ctx_stack, _request_ctx_stack

__all__ = ["SQLite3"]


class SQLite3:
    """Give each context of the applications it is bound to a connection of its own, and close it with the context.

    ``SQLITE3_DATABASE`` in an application's configuration names its database: ``":memory:"`` unless set, the path of a
    file, or a ``file:`` URI. Rows are :class:`sqlite3.Row`, foreign keys are enforced.

    :param app: the application; others, or this one later, are bound by :meth:`init_app`
    """

    def __init__(self, app: Flask | None = None) -> None:
        self._apps: list[Flask] = []
        self._outside = threading.local()
        self._connection: Any = CurrentConnection(self)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Bind an application: set the default of its configuration and register the handlers, once."""
        if app in self._apps:
            return
        app.config.setdefault("SQLITE3_DATABASE", ":memory:")
        app.before_request(self.before_request)
        app.teardown_request(self.teardown_request)
        app.teardown_appcontext(self.teardown_appcontext)
        app.extensions["sqlite3"] = self
        self._apps.append(app)

    @property
    def connection(self) -> sqlite3.Connection:
        """A stand-in for the connection that is current whenever it is used; it may be kept anywhere."""
        return self._connection  # type: ignore[no-any-return]

    def get_db(self) -> sqlite3.Connection:
        """Return the connection of the current context, opened if it is not; outside of all, :attr:`connection`.

        :raises RuntimeError: the current application is not bound
        :raises sqlite3.Error: the database cannot be opened
        """
        ctx = current_context()
        return self.connection if ctx is None else self._connection_of(ctx)

    def connect(self) -> sqlite3.Connection:
        """Return a new connection, which is the caller's to close, to the database of the current application.

        Outside of any context, the application is the only one bound.

        :raises RuntimeError: the current application is not bound; or there is no current one, and several or none are
        :raises sqlite3.Error: the database cannot be opened
        """
        database = self._find_app().config["SQLITE3_DATABASE"]
        try:
            connection = sqlite3.connect(database, uri=os.fsdecode(database).startswith("file:"))
        except sqlite3.Error as error:
            error.add_note(f"SQLITE3_DATABASE is {database!r}: is its folder there, and may this process write to it?")
            raise
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def before_request(self) -> None:
        """Do nothing: the connection waits for its first use. A subclass that wants it earlier calls get_db()."""

    def teardown_request(self, exception: BaseException | None = None) -> None:
        """Close the connection of the current request, if it has one."""
        self._close(_request_ctx_stack.top)

    def teardown_appcontext(self, exception: BaseException | None = None) -> None:
        """Close the connection of the current application context, if it has one."""
        self._close(_app_ctx_stack.top)

    def _find_app(self) -> Flask:
        """Return the application whose database is meant."""
        ctx = _app_ctx_stack.top
        if ctx is not None:
            app: Flask = ctx.app
            if app in self._apps:
                return app
            raise RuntimeError(f"this SQLite3 object does not know the application {app.name!r}: call init_app(app)")
        if len(self._apps) == 1:
            return self._apps[0]
        if not self._apps:
            raise RuntimeError("this SQLite3 object is bound to no application: call init_app(app) first")
        names = ", ".join(repr(app.name) for app in self._apps)
        raise RuntimeError(
            f"this SQLite3 object is bound to several applications ({names}): say which database is meant, with"
            " `with app.app_context():` around this"
        )

    def _connection_of(self, ctx: Any) -> sqlite3.Connection:
        """Return the connection of a context. It is kept there, so that it cannot outlive it or get into another."""
        connections: dict[SQLite3, sqlite3.Connection] | None = getattr(ctx, "sqlite3_connections", None)
        if connections is None:
            connections = ctx.sqlite3_connections = {}
        if self not in connections:
            connections[self] = self.connect()
        return connections[self]

    def _close(self, ctx: Any) -> None:
        connection = getattr(ctx, "sqlite3_connections", {}).pop(self, None)
        if connection is not None:
            connection.close()

    def _connection_in_use(self) -> sqlite3.Connection:
        """Return what the stand-in stands for now; outside of any context, a connection that the thread keeps."""
        ctx = current_context()
        if ctx is not None:
            return self._connection_of(ctx)
        self._find_app()
        kept: KeptConnection | None = getattr(self._outside, "kept", None)
        if kept is None or not kept.is_open:
            kept = self._outside.kept = KeptConnection(self.connect())
        return kept.connection


def current_context() -> Any | None:
    """Return the innermost context, of a request or an application, or None."""
    request_ctx, app_ctx = _request_ctx_stack.top, _app_ctx_stack.top
    # An application context that was pushed while the request was handled is not the request's own.
    if request_ctx is not None and request_ctx.app_context is app_ctx:
        return request_ctx
    return app_ctx


class KeptConnection:
    """Close a connection together with the thread that it was opened for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        # Not __del__: in a circle of garbage, the connection's own finalizer could come first, and complain.
        weakref.finalize(self, self._close, connection)

    @staticmethod
    def _close(connection: sqlite3.Connection) -> None:
        try:
            connection.close()
        except sqlite3.ProgrammingError:
            pass  # this is another thread, which may not close it

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it."""
        try:
            self.connection.total_changes  # noqa: B018 - a closed connection refuses to say
        except sqlite3.ProgrammingError:
            return False
        return True


class CurrentConnection:
    """Pass everything on to the connection that is current when it is used."""

    __slots__ = ("_manager",)
    _manager: SQLite3

    def __init__(self, manager: SQLite3) -> None:
        object.__setattr__(self, "_manager", manager)

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # for isinstance()
        return sqlite3.Connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager._connection_in_use(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._manager._connection_in_use(), name, value)

    def __call__(self, sql: str) -> Any:
        return self._manager._connection_in_use()(sql)

    def __enter__(self) -> sqlite3.Connection:
        return self._manager._connection_in_use().__enter__()

    def __exit__(self, *error: Any) -> bool | None:
        return self._manager._connection_in_use().__exit__(*error)

    def __repr__(self) -> str:
        return f"<the current connection of {self._manager!r}>"
