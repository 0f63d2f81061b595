"""The connection to the database, one per request."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from microflask import Flask, current_app, g

#: The largest number that SQLite can store, and so the largest id there can be.
MAX_ID = 2**63 - 1


def get_db() -> sqlite3.Connection:
    """Return the connection of this request, opened when first asked for."""
    if "db" not in g:
        g.db = _connect()
    connection: sqlite3.Connection = g.db
    return connection


def _connect() -> sqlite3.Connection:
    connection = sqlite3.connect(Path(current_app.instance_path, "guestbook.sqlite"))
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            with current_app.open_resource("schema.sql") as file:
                connection.executescript(file.read().decode())
    except BaseException:
        connection.close()
        raise
    return connection


def _close(error: BaseException | None) -> None:
    connection = g.pop("db", None)
    if connection is not None:
        connection.close()


def init_app(app: Flask) -> None:
    """Close the connection at the end of each request to `app`."""
    app.teardown_appcontext(_close)
