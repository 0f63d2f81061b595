"""Users and entries: what the database holds, and what may go into it."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from werkzeug.security import check_password_hash, generate_password_hash

from .db import get_db

MAX_MESSAGE_LENGTH = 2000
MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 200

_USER_NAME = re.compile(r"[A-Za-z0-9_-]{3,30}")
_SELECT_ENTRIES = """
    SELECT entry.id, entry.user_id, user.name AS author, entry.message, entry.picture, entry.created
    FROM entry JOIN user ON user.id = entry.user_id
"""


@dataclass(frozen=True)
class User:
    """Somebody who may write entries."""

    id: int
    name: str


@dataclass(frozen=True)
class Entry:
    """What a user left in the guestbook."""

    id: int
    user_id: int
    author: str
    message: str
    picture: str | None
    """Name of the picture's file."""
    created: datetime


@dataclass(frozen=True)
class Page:
    """One page of entries, newest first."""

    entries: list[Entry]
    number: int
    last: int
    total: int


def user_name_error(name: str) -> str | None:
    """Return what is wrong with `name` as the name of a new user."""
    if not _USER_NAME.fullmatch(name):
        return "Use 3 to 30 letters (a to z), digits, hyphens or underscores."
    return None


def password_error(password: str) -> str | None:
    """Return what is wrong with `password` as a new password."""
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        return f"Use {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters."
    return None


def message_error(message: object) -> str | None:
    """Return what is wrong with `message` as the text of an entry."""
    if not isinstance(message, str):
        return "This must be a text."
    if not message.strip():
        return "Please write something."
    if len(message) > MAX_MESSAGE_LENGTH:
        return f"Use at most {MAX_MESSAGE_LENGTH} characters; these are {len(message)}."
    try:
        message.encode()
    except UnicodeEncodeError:
        # JSON can spell half of a surrogate pair, which no database and no page can hold.
        return "This holds a character that does not exist."
    return None


def add_user(name: str, password: str) -> User | None:
    """Store a new user; None when the name is taken."""
    db = get_db()
    try:
        with db:
            cursor = db.execute(
                "INSERT INTO user (name, password_hash) VALUES (?, ?)", (name, generate_password_hash(password))
            )
    except sqlite3.IntegrityError:
        return None
    assert cursor.lastrowid is not None
    return User(cursor.lastrowid, name)


def get_user(user_id: int) -> User | None:
    """Return the user with this id."""
    row = get_db().execute("SELECT id, name FROM user WHERE id = ?", (user_id,)).fetchone()
    return User(**row) if row else None


def authenticate(name: str, password: str) -> User | None:
    """Return the user of this name if the password is right."""
    row = get_db().execute("SELECT id, name, password_hash FROM user WHERE name = ?", (name,)).fetchone()
    # Unknown names take the same time as known ones, so that the time does not tell which names exist.
    password_hash = row["password_hash"] if row else _hash_of_nobody()
    if check_password_hash(password_hash, password) and row:
        return User(row["id"], row["name"])
    return None


@cache
def _hash_of_nobody() -> str:
    return generate_password_hash("")


def add_entry(user: User, message: str, picture: str | None = None) -> Entry:
    """Store a new entry; `picture` is the name of a stored file."""
    db = get_db()
    with db:
        cursor = db.execute(
            "INSERT INTO entry (user_id, message, picture) VALUES (?, ?, ?)", (user.id, message.strip(), picture)
        )
    assert cursor.lastrowid is not None
    entry = get_entry(cursor.lastrowid)
    assert entry is not None
    return entry


def get_entry(entry_id: int) -> Entry | None:
    """Return the entry with this id."""
    row = get_db().execute(_SELECT_ENTRIES + "WHERE entry.id = ?", (entry_id,)).fetchone()
    return _entry(row) if row else None


def delete_entry(entry: Entry) -> None:
    """Remove `entry` from the database; its picture's file stays."""
    db = get_db()
    with db:
        db.execute("DELETE FROM entry WHERE id = ?", (entry.id,))


def get_page(number: int, size: int) -> Page | None:
    """Return page `number`, counted from 1, of `size` entries; None when there is no such page."""
    db = get_db()
    (total,) = db.execute("SELECT count(*) FROM entry").fetchone()
    last = max(1, -(-total // size))
    if not 1 <= number <= last:
        return None
    rows = db.execute(_SELECT_ENTRIES + "ORDER BY entry.id DESC LIMIT ? OFFSET ?", (size, (number - 1) * size))
    return Page([_entry(row) for row in rows], number, last, total)


def _entry(row: sqlite3.Row) -> Entry:
    values = dict(row)
    return Entry(**values | {"created": datetime.fromisoformat(values["created"])})
