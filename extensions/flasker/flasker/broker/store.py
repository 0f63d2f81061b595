"""The file of the embedded broker: queues, bindings and messages in SQLite."""

from __future__ import annotations

import atexit
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, local
from typing import Any

from .owners import Owner, is_alive

#: Seconds to wait for another process that writes.
TIMEOUT = 30
#: Seconds between two looks for messages whose holder has died, and for queues that nobody uses any more.
SWEEP_INTERVAL = 2.0
#: How often a queue that expires is marked as used, within the time after which it expires.
USE_MARKS = 4

_SCHEMA = """
CREATE TABLE IF NOT EXISTS queues (name TEXT PRIMARY KEY, expires REAL, ttl REAL, used REAL NOT NULL);
CREATE TABLE IF NOT EXISTS bindings (
    exchange TEXT NOT NULL, routing_key TEXT NOT NULL, pattern TEXT NOT NULL, queue TEXT NOT NULL,
    PRIMARY KEY (exchange, routing_key, pattern, queue)
);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, priority INTEGER NOT NULL, payload TEXT NOT NULL,
    dead_at REAL, owner TEXT, redelivered INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS messages_in_order ON messages (queue, owner, priority DESC, id);
CREATE INDEX IF NOT EXISTS messages_by_owner ON messages (owner) WHERE owner IS NOT NULL;
"""


class Store:
    """Keep messages in the file ``broker.sqlite`` of a folder.

    A message that was taken belongs to an owner until it is removed. When that owner has died, it goes back into its
    queue. Methods may be called by several threads, and in a child process after a fork.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._local = local()
        self._parents: list[Any] = []
        self._owner: Owner | None = None
        self._owning = Lock()
        self._swept = 0.0
        #: Queues that expire: after how many seconds, and when they were last marked as used.
        self._uses: dict[str, tuple[float, float]] = {}
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)
        atexit.register(self.end)

    def _forked(self) -> None:
        # SQLite's connections must be neither used nor closed on the other side of a fork.
        self._parents.append(self._local)
        self._local = local()
        self._owning = Lock()
        if self._owner is not None:
            self._owner.let_go()
            self._owner = None

    def end(self) -> None:
        """Say that this process takes no more messages."""
        if self._owner is not None:
            self._owner.end()
            self._owner = None

    @property
    def owner(self) -> Owner:
        """The owner of the messages that this process takes."""
        with self._owning:
            if self._owner is None:
                self._owner = Owner(self.folder)
            return self._owner

    # -- connections ---------------------------------------------------------------------------------------------

    def _connection(self) -> sqlite3.Connection:
        kept: _Kept | None = getattr(self._local, "kept", None)
        if kept is None:
            kept = self._local.kept = _Kept(self._connect())
        return kept.connection

    def _connect(self) -> sqlite3.Connection:
        os.makedirs(self.folder, exist_ok=True)
        path = os.path.join(self.folder, "broker.sqlite")
        connection = sqlite3.connect(path, timeout=TIMEOUT, isolation_level=None, check_same_thread=False)
        give_up = time.monotonic() + TIMEOUT
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(_SCHEMA)
                return connection
            except sqlite3.OperationalError as error:
                # SQLite does not wait for its turn to change the journal's mode.
                if "locked" not in str(error) or time.monotonic() > give_up:
                    connection.close()
                    raise
                time.sleep(0.02)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    # -- queues --------------------------------------------------------------------------------------------------

    def declare(self, queue: str, expires: float | None = None, ttl: float | None = None) -> None:
        """Make a queue.

        :param expires: after how many seconds without use the queue goes
        :param ttl: after how many seconds a message in it goes
        """
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO queues VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE"
                " SET expires = excluded.expires, ttl = excluded.ttl, used = excluded.used",
                (queue, expires, ttl, time.time()),
            )
        if expires is not None:
            self._uses[queue] = (expires, time.monotonic())

    def exists(self, queue: str) -> bool:
        """Tell whether a queue was made."""
        return bool(self._connection().execute("SELECT 1 FROM queues WHERE name = ?", (queue,)).fetchall())

    def delete(self, queue: str) -> None:
        """Remove a queue with its bindings and messages."""
        self._uses.pop(queue, None)
        with self._writing() as connection:
            _delete_queue(connection, queue)

    def bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        """Let messages for `exchange` come into `queue`."""
        with self._writing() as connection:
            row = (exchange, routing_key, pattern, queue)
            connection.execute("INSERT OR IGNORE INTO bindings VALUES (?, ?, ?, ?)", row)

    def unbind(self, exchange: str, routing_key: str, queue: str) -> None:
        """Undo what :meth:`bind` did."""
        with self._writing() as connection:
            connection.execute(
                "DELETE FROM bindings WHERE exchange = ? AND routing_key = ? AND queue = ?",
                (exchange, routing_key, queue),
            )

    def bindings(self, exchange: str) -> list[tuple[str, str, str]]:
        """Return routing key, pattern and queue of each binding."""
        query = "SELECT routing_key, pattern, queue FROM bindings WHERE exchange = ?"
        return self._connection().execute(query, (exchange,)).fetchall()

    # -- messages ------------------------------------------------------------------------------------------------

    def put(self, queue: str, message: dict[str, Any], priority: int) -> None:
        """Add a message to a queue."""
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO messages (queue, priority, payload, dead_at) VALUES"
                " (?, ?, ?, ? + (SELECT ttl FROM queues WHERE name = ?))",
                (queue, priority, json.dumps(message), time.time(), queue),
            )

    def take(self, queue: str) -> tuple[int, dict[str, Any], bool] | None:
        """Take the next message of a queue; it stays ours until it is removed or released.

        :returns: its number, the message, and whether it was delivered before; None when there is none
        """
        self._mark_use(queue)
        self._sweep_now_and_then()
        now = time.time()
        query = (
            "SELECT id, payload, redelivered FROM messages WHERE queue = ? AND owner IS NULL"
            " AND (dead_at IS NULL OR dead_at > ?) ORDER BY priority DESC, id LIMIT 1"
        )
        # Looking takes no lock; most looks find nothing.
        if self._connection().execute(query, (queue, now)).fetchone() is None:
            return None
        owner = self.owner.name
        with self._writing() as connection:
            row = connection.execute(query, (queue, now)).fetchone()
            if row is None:
                return None
            connection.execute("UPDATE messages SET owner = ? WHERE id = ?", (owner, row[0]))
        return row[0], json.loads(row[1]), bool(row[2])

    def remove(self, number: int) -> None:
        """Remove a message that was taken."""
        with self._writing() as connection:
            connection.execute("DELETE FROM messages WHERE id = ?", (number,))

    def release(self, number: int) -> None:
        """Put a message that was taken back into its place in the queue."""
        with self._writing() as connection:
            connection.execute("UPDATE messages SET owner = NULL, redelivered = 1 WHERE id = ?", (number,))

    def size(self, queue: str) -> int:
        """Return how many messages nobody has taken from a queue."""
        query = "SELECT count(*) FROM messages WHERE queue = ? AND owner IS NULL AND (dead_at IS NULL OR dead_at > ?)"
        return self._connection().execute(query, (queue, time.time())).fetchone()[0]  # type: ignore[no-any-return]

    def purge(self, queue: str) -> int:
        """Remove the messages that nobody has taken from a queue, and return how many."""
        with self._writing() as connection:
            return connection.execute("DELETE FROM messages WHERE queue = ? AND owner IS NULL", (queue,)).rowcount

    # -- what others have left behind ----------------------------------------------------------------------------

    def _mark_use(self, queue: str) -> None:
        expires, marked = self._uses.get(queue, (0, 0))
        if expires and time.monotonic() - marked > expires / USE_MARKS:
            self._uses[queue] = (expires, time.monotonic())
            with self._writing() as connection:
                connection.execute("UPDATE queues SET used = ? WHERE name = ?", (time.time(), queue))

    def _sweep_now_and_then(self) -> None:
        if time.monotonic() - self._swept >= SWEEP_INTERVAL:
            self._swept = time.monotonic()
            self.sweep()

    def sweep(self) -> None:
        """Release the messages of owners that have died; remove expired queues and dead messages."""
        read = self._connection().execute
        now = time.time()
        owners = read("SELECT DISTINCT owner FROM messages WHERE owner IS NOT NULL").fetchall()
        dead = [row for row in owners if not is_alive(self.folder, row[0])]
        queues = read("SELECT name FROM queues WHERE used + expires < ?", (now,)).fetchall()
        late = read("SELECT id FROM messages WHERE owner IS NULL AND dead_at <= ?", (now,)).fetchall()
        if not (dead or queues or late):
            return
        with self._writing() as connection:
            connection.executemany("UPDATE messages SET owner = NULL, redelivered = 1 WHERE owner = ?", dead)
            connection.executemany("DELETE FROM messages WHERE owner IS NULL AND id = ?", late)
            for (queue,) in queues:
                _delete_queue(connection, queue)


class _Kept:
    """Close a connection when its thread ends."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


def _delete_queue(connection: sqlite3.Connection, queue: str) -> None:
    for table, column in (("messages", "queue"), ("bindings", "queue"), ("queues", "name")):
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (queue,))
