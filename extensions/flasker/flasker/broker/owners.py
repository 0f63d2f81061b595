"""Who is alive: each process that takes messages holds a locked file, which the system lets go of when it dies."""

from __future__ import annotations

import os
from typing import Any
from uuid import uuid4

_PREFIX, _SUFFIX = "owner-", ".lock"

if os.name == "nt":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Owner:
    """Be one holder of messages, as long as its lock file is held.

    :param folder: where the lock files are
    """

    def __init__(self, folder: str) -> None:
        remove_dead(folder)
        self.name = uuid4().hex
        self._path = _path(folder, self.name)
        # Complete before it has its name, so that nobody finds it without its lock.
        hidden = f"{self._path}.new"
        self._file: int | None = os.open(hidden, os.O_RDWR | os.O_CREAT, 0o600)
        _lock(self._file)
        os.rename(hidden, self._path)

    def let_go(self) -> None:
        """Drop the file descriptor: in a child, which would keep the lock when its parent has died."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def end(self) -> None:
        """Give the lock up and remove its file."""
        if self._file is not None:
            self.let_go()
            _remove(self._path)


def is_alive(folder: str, name: str) -> bool:
    """Tell whether the owner called `name` holds its lock; the file of one that does not is removed."""
    path = _path(folder, name)
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        _lock(file)
    except OSError:
        return True
    finally:
        os.close(file)
    _remove(path)
    return False


def remove_dead(folder: str) -> None:
    """Remove the lock files of owners that have died."""
    for filename in os.listdir(folder):
        if filename.startswith(_PREFIX) and filename.endswith(_SUFFIX):
            is_alive(folder, filename.removeprefix(_PREFIX).removesuffix(_SUFFIX))


def _path(folder: str, name: str) -> str:
    return os.path.join(folder, f"{_PREFIX}{name}{_SUFFIX}")


def _remove(path: Any) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
