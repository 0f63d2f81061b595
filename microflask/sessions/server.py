"""Sessions on the server: the browser holds a signed id, a store holds the data.

A store is any object with the three methods of :class:`SessionStore`; one in memory and one in files stand here.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import struct
import tempfile
import threading
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from itsdangerous import BadSignature, Signer, want_bytes

from .cookie import secret_keys, session_json_serializer
from .data import SecureCookieSession, without_time_zones
from .interface import SessionInterface, add_vary


class SessionStore(Protocol):
    """Keep bytes under a session's id for a while. The methods may be called by several threads at once."""

    def get(self, id: str) -> bytes | None:
        """Return the bytes kept under `id`, or None if there are none or their time is over."""

    def set(self, id: str, data: bytes, seconds: int) -> None:
        """Keep `data` under `id` for that many seconds, in place of what was there."""

    def delete(self, id: str) -> None:
        """Forget `id`; nothing happens if there is none."""


class ServerSession(SecureCookieSession):
    """Hold the data of a session that lives in a store."""

    #: The id under which the store keeps the session; None until it is saved for the first time.
    sid: str | None = None


class ServerSideSessionInterface(SessionInterface):
    """Keep sessions in a store: ``app.session_interface = ServerSideSessionInterface(FileStore(path))``.

    An id is made here and signed, so a browser can neither guess one nor bring its own. Data is kept for the
    application's ``permanent_session_lifetime`` from the last saving. Of two requests at the same time that change
    one session, the later to finish wins.
    """

    #: Keeps this use of the secret key apart from others.
    salt = "server-side-session"
    #: Turns the data into text and back; what it cannot read it has to answer with ValueError.
    serializer: Any = session_json_serializer
    #: What :meth:`open_session` makes.
    session_class: type[Any] = ServerSession
    lazy = True

    def __init__(self, store: SessionStore) -> None:
        self.store = store

    def open_session(self, app: Any, request: Any) -> Any | None:
        """Return the session of the first valid cookie, or a new one; None without a secret key."""
        signer = self._signer(app)
        if signer is None:
            return None
        for cookie in request.cookies.getlist(self.get_cookie_name(app)):
            session = self._load(app, signer, cookie)
            if session is not None:
                return session
        session = self.session_class()
        session.new = True
        return session

    def _load(self, app: Any, signer: Signer, cookie: str) -> Any | None:
        """Return the kept session whose signed id is `cookie`, or None."""
        try:
            sid = signer.unsign(cookie).decode()
            data = self.serializer.loads((self.store.get(sid) or b"").decode())
        except (BadSignature, ValueError):
            return None
        if not isinstance(data, dict):
            return None
        session = self.session_class(without_time_zones(data) if app.compat.naive_session_datetimes else data)
        session.sid = sid
        return session

    def save_session(self, app: Any, session: Any, response: Any) -> None:
        """Put `session` into the store, and its id into a cookie of `response`, if it changed or is refreshed.

        An emptied session is deleted from the store and from the browser.

        :raises RuntimeError: the application has lost its secret key
        :raises TypeError: `session` holds something the serializer does not know
        """
        accessed, modified = session.accessed, session.modified
        if not session:
            if modified:
                self._forget(session)
                response.delete_cookie(self.get_cookie_name(app), **self._cookie_options(app))
        elif self.should_set_cookie(app, session) and self._keep(app, session):
            accessed = True
            cookie = self._sign(app, session.sid)
            expires = self.get_expiration_time(app, session)
            response.set_cookie(self.get_cookie_name(app), cookie, expires=expires, **self._cookie_options(app))
        if accessed or modified:
            add_vary(response, "Cookie")

    def regenerate(self, session: Any) -> None:
        """Give `session` another id and forget the old one: call it when somebody logs in or gains rights.

        Whoever has seen or planted the old id is left with nothing.
        """
        self._forget(session)
        session.modified = True

    def needs_untouched(self, app: Any, environ: Mapping[str, Any]) -> bool:
        """Return whether a session nobody looked at may have to be refreshed."""
        return self._may_refresh(app, environ)

    def _keep(self, app: Any, session: Any) -> bool:
        """Store `session`; return False if another request ended it meanwhile, for then it stays ended."""
        if session.sid is None:
            session.sid = secrets.token_urlsafe(32)
        elif self.store.get(session.sid) is None:
            return False
        text: str = self.serializer.dumps(dict(session))
        self.store.set(session.sid, text.encode(), int(app.permanent_session_lifetime.total_seconds()))
        return True

    def _forget(self, session: Any) -> None:
        sid = getattr(session, "sid", None)  # a null session has none
        if sid is not None:
            self.store.delete(sid)
            session.sid = None

    def _sign(self, app: Any, sid: str) -> str:
        signer = self._signer(app)
        if signer is None:
            raise RuntimeError("a session cannot be saved without app.secret_key, and it was there when it was opened")
        return str(signer.sign(sid), "ascii")

    def _signer(self, app: Any) -> Signer | None:
        keys = secret_keys(app)
        return _make_signer(keys, self.salt) if keys else None


@lru_cache(maxsize=32)
def _make_signer(keys: tuple[str | bytes, ...], salt: str) -> Signer:
    return Signer([want_bytes(key) for key in keys], salt=salt, key_derivation="hmac", digest_method=hashlib.sha256)


class MemoryStore:
    """Keep sessions in this process, for tests and for servers of one process; they end with it."""

    #: How many sessions may be there before the expired ones are looked for.
    _FIRST_SWEEP = 256

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, bytes]] = {}
        self._lock = threading.Lock()
        self._sweep_at = self._FIRST_SWEEP

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, id: str) -> bytes | None:
        """Return the bytes kept under `id`, or None."""
        end, data = self._kept.get(id, (0.0, b""))
        return data if end > time.time() else None

    def set(self, id: str, data: bytes, seconds: int) -> None:
        """Keep `data` under `id` for that many seconds."""
        with self._lock:
            if len(self._kept) >= self._sweep_at:
                self._sweep()
            self._kept[id] = (time.time() + seconds, data)

    def delete(self, id: str) -> None:
        """Forget `id`."""
        with self._lock:
            self._kept.pop(id, None)

    def _sweep(self) -> None:
        now = time.time()
        self._kept = {id: entry for id, entry in self._kept.items() if entry[0] > now}
        # Twice what is alive: over many calls, sweeping costs each of them a constant.
        self._sweep_at = max(self._FIRST_SWEEP, 2 * len(self._kept))


class FileStore:
    """Keep each session in a file of `directory`, for several processes of one machine.

    The directory is made, for this user alone, if it is not there. Names are hashes of ids, so that nothing a browser
    sends becomes a path and a listing gives no id away. Call :meth:`purge` from time to time.
    """

    _HEADER = struct.Struct(">d")

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _path(self, id: str) -> Path:
        return self.directory / f"{hashlib.sha256(id.encode()).hexdigest()}.session"

    def get(self, id: str) -> bytes | None:
        """Return the bytes kept under `id`, or None.

        :raises OSError: the file is there and cannot be read
        """
        try:
            content = self._path(id).read_bytes()
        except FileNotFoundError:
            return None
        return content[self._HEADER.size :] if self._end_of(content) > time.time() else None

    def set(self, id: str, data: bytes, seconds: int) -> None:
        """Keep `data` under `id` for that many seconds; a reader sees the old content or the new, never a part.

        :raises OSError: the directory cannot be written
        """
        handle, name = tempfile.mkstemp(dir=self.directory, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self._HEADER.pack(time.time() + seconds) + data)
            os.replace(name, self._path(id))
        except BaseException:
            os.unlink(name)
            raise

    def delete(self, id: str) -> None:
        """Forget `id`."""
        self._path(id).unlink(missing_ok=True)

    def purge(self) -> int:
        """Delete the sessions whose time is over, and what broken-off writes left; return how many there were."""
        now = time.time()
        gone = [path for path in self.directory.glob("*.session") if self._end_of(_read_start(path)) <= now]
        gone += [path for path in self.directory.glob("*.part") if _changed(path) < now - 3600]
        return sum(map(_unlink, gone))

    def _end_of(self, content: bytes) -> float:
        """Return when the content's time is over, in Unix seconds; a file cut short has none."""
        if len(content) < self._HEADER.size:
            return 0.0
        end: float = self._HEADER.unpack_from(content)[0]
        return end


def _unlink(path: Path) -> bool:
    """Delete the file and return whether it was there: another process may be purging too."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _read_start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except FileNotFoundError:
        return b""


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
