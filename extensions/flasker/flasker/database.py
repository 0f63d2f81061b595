"""The database of a project: its engine, and a session for each application context."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import local
from typing import Any
from weakref import WeakMethod

from sqlalchemy import URL, Engine, MetaData, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.pool import StaticPool

from microflask import Flask, current_app, g, got_request_exception, has_app_context, request

from .errors import ProjectImportError

#: Seconds to wait for another process that writes to the same SQLite file.
SQLITE_TIMEOUT = 20
#: Seconds to wait for a database server to answer at all.
CONNECT_TIMEOUT = 10
#: How often missing tables are looked for while other processes of the project make them as well.
CREATE_ATTEMPTS = 20
#: The drivers that know the argument connect_timeout.
_TIMED_DRIVERS = {"psycopg", "psycopg2"}
_MEMORY = (None, "", ":memory:")
_ENDED_WELL = "flasker.ended_well"


class ContextRegistry:
    """Keep the session of the application context; outside of one, that of the thread.

    It is what :class:`sqlalchemy.orm.scoped_session` asks of a registry. The session lives on the context itself, so
    it goes with a context that nobody ends, such as one that a debugger keeps.
    """

    def __init__(self, createfunc: Callable[[], Session]) -> None:
        self.createfunc = createfunc
        self.app: Flask | None = None
        self._thread = local()

    def _scope(self) -> Any:
        ours = has_app_context() and current_app._get_current_object() is self.app  # type: ignore[attr-defined]
        return g if ours else self._thread

    def __call__(self) -> Session:
        scope = self._scope()
        session: Session | None = getattr(scope, "_flasker_session", None)
        if session is None:
            session = scope._flasker_session = self.createfunc()
        return session

    def has(self) -> bool:
        """Tell whether there is a session."""
        return getattr(self._scope(), "_flasker_session", None) is not None

    def set(self, obj: Session) -> None:
        """Make `obj` the session."""
        self._scope()._flasker_session = obj

    def clear(self) -> None:
        """Forget the session."""
        self._scope()._flasker_session = None


class Database:
    """Hold the engine and the scoped session of a project.

    :param url: an SQLAlchemy URL
    :param root_dir: the folder that a relative SQLite path counts from
    :raises ProjectImportError: SQLAlchemy cannot read the URL, or has no driver for it
    """

    def __init__(self, url: str, root_dir: str) -> None:
        self.engine: Engine = make_engine(*parse_url(url, root_dir))
        factory = sessionmaker(self.engine)
        self.registry = ContextRegistry(factory)
        #: The session of the current application context.
        self.session: scoped_session[Session] = scoped_session(factory)
        self.session.registry = self.registry  # type: ignore[assignment]
        if hasattr(os, "register_at_fork"):
            forked = WeakMethod(self._forked)
            os.register_at_fork(after_in_child=lambda: (forked() or _nothing)())

    def _forked(self) -> None:
        # Two processes that share a connection would mix up its answers. What is in memory is copied by the fork.
        if self.engine.url.database not in _MEMORY or not is_sqlite(self.engine.url):
            self.engine.dispose(close=False)

    def create_tables(self, metadata: MetaData) -> None:
        """Make the tables of `metadata` that are missing, while other processes may do the same.

        :raises ProjectImportError: the database cannot be reached, or refuses
        """
        where = self.engine.url.render_as_string()
        try:
            self.engine.connect().close()
        except SQLAlchemyError as error:
            raise ProjectImportError(f"The database {where} cannot be reached: {reason_of(error)}") from None
        for attempt in range(1, CREATE_ATTEMPTS + 1):
            try:
                metadata.create_all(self.engine)
                return
            except DBAPIError as error:
                # Perhaps another process was faster with one of them; then the next look finds it.
                if attempt == CREATE_ATTEMPTS:
                    raise ProjectImportError(
                        f"The missing tables cannot be made in the database {where}: {reason_of(error)}"
                    ) from None
                time.sleep(0.02 * attempt)

    # -- the life of a session -----------------------------------------------------------------------------------

    def init_app(self, app: Flask) -> None:
        """Let the session end with the requests and the contexts of `app`."""
        self.registry.app = app
        # What is registered first is called last.
        app.after_request(self._end_request)
        app.teardown_request(self._end_late_changes)
        app.teardown_appcontext(self._end_context)
        got_request_exception.connect(self._fail_request, app)

    def _end_request(self, response: Any) -> Any:
        if response.status_code < 400:
            request.environ[_ENDED_WELL] = True
            if self.registry.has():
                self.commit()
        elif self.registry.has():
            self.session.rollback()
        return response

    def _fail_request(self, app: Any, **_: Any) -> None:
        if self.registry.has():
            self.session.rollback()

    def _end_late_changes(self, error: BaseException | None) -> None:
        """Commit what a streamed answer, or a teardown function, has changed since the response was made."""
        if error is None and request.environ.get(_ENDED_WELL) and self.registry.has():
            try:
                self.commit()
            except SQLAlchemyError:
                # The answer has left; all that can be done is to say so.
                current_app.logger.exception("The changes made after the response could not be committed")

    def _end_context(self, error: BaseException | None) -> None:
        self.session.remove()

    def commit(self) -> None:
        """Commit the session; or roll it back, and let the error out."""
        try:
            self.session.commit()
        except BaseException:
            self.session.rollback()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit the session at the end of a ``with`` block; or roll it back, when an exception leaves the block."""
        try:
            yield
        except BaseException:
            if self.registry.has():
                self.session.rollback()
            raise
        if self.registry.has():
            self.commit()


# -- the engine --------------------------------------------------------------------------------------------------


def parse_url(text: str, root_dir: str) -> tuple[URL, str | None]:
    """Return the URL of a database, and the folder that is made for it; a relative SQLite path is made absolute.

    :raises ProjectImportError: it is no SQLAlchemy URL; the text is not shown, as it may hold a password
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ProjectImportError(
            "DB_URL is not understood: write dialect://user:password@host:port/name, or sqlite:///path"
        ) from None
    path = url.database
    if not is_sqlite(url) or path in _MEMORY or path.startswith("file:") or os.path.isabs(path):
        return url, None
    path = os.path.join(root_dir, path)
    return url.set(database=path), os.path.dirname(path)


def is_sqlite(url: URL) -> bool:
    """Tell whether a URL is one of SQLite."""
    return url.get_backend_name() == "sqlite"


def make_engine(url: URL, folder: str | None = None) -> Engine:
    """Return an engine for `url`, which connects when it is first needed.

    :param folder: is made before the first connection: late, so that a start that fails leaves nothing behind
    :raises ProjectImportError: the dialect is unknown, or its driver is not installed
    """
    try:
        engine = create_engine(url, **_engine_options(url))
    except NoSuchModuleError:
        raise ProjectImportError(f"DB_URL: SQLAlchemy knows no database called {url.drivername!r}") from None
    except ModuleNotFoundError as error:
        raise ProjectImportError(
            f"DB_URL: the driver for {url.drivername!r} is not installed, there is no module {error.name!r}"
        ) from None
    except (ArgumentError, TypeError, ValueError) as error:
        raise ProjectImportError(f"DB_URL is not understood: {reason_of(error)}") from None
    if is_sqlite(url):
        event.listen(engine, "connect", _enforce_foreign_keys)
    if folder:
        event.listen(engine, "do_connect", lambda *_: os.makedirs(folder, exist_ok=True))
    return engine


def _engine_options(url: URL) -> dict[str, Any]:
    if not is_sqlite(url):
        timed = url.drivername.partition("+")[2] in _TIMED_DRIVERS and "connect_timeout" not in url.query
        return {"pool_pre_ping": True, "connect_args": {"connect_timeout": CONNECT_TIMEOUT} if timed else {}}
    if url.database in _MEMORY:
        # One connection for all, or each thread would see a database of its own.
        return {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    return {"connect_args": {} if "timeout" in url.query else {"timeout": SQLITE_TIMEOUT}}


def _enforce_foreign_keys(connection: Any, record: Any) -> None:
    # SQLite alone takes references to nothing unless it is told not to.
    connection.execute("PRAGMA foreign_keys = ON")


def _nothing() -> None:
    pass


def reason_of(error: BaseException) -> str:
    """Return the first line of what a driver has to say."""
    text = str(getattr(error, "orig", None) or error).strip()
    return text.splitlines()[0] if text else type(error).__name__
