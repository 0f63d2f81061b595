"""Sessions in signed cookies: readable by the browser, changeable by the holder of the secret key alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from werkzeug.http import dump_cookie
from werkzeug.wrappers import Response as ResponseBase

from ..attributes import compile_later
from ..headers import Headers
from ..json.tag import TaggedJSONSerializer
from .data import SecureCookieSession, without_time_zones
from .interface import SessionInterface, add_vary

if TYPE_CHECKING:
    from itsdangerous import URLSafeTimedSerializer

#: Writes and reads the data of sessions: JSON with tuples, bytes, markup, UUIDs and datetimes.
session_json_serializer = TaggedJSONSerializer()

#: What a signed text consists of.
_NEEDS_NO_QUOTES = compile_later(globals(), "_NEEDS_NO_QUOTES", r"[A-Za-z0-9._-]*")


def _sha1(string: bytes = b"") -> Any:
    """Return a SHA-1 object. The name is looked up late: builds for FIPS may lack it, and replace this method."""
    return hashlib.sha1(string)


_signing: Any = None
_length, _items = dict.__len__, dict.items


def _import_signing() -> Any:
    # itsdangerous takes 3 ms to import, which an application without sessions need not spend.
    global _signing
    from . import signing

    _signing = signing
    return signing


def secret_keys(app: Any) -> tuple[str | bytes, ...]:
    """Return the keys that verify, the signing one last; none if the application has no secret key.

    :raises TypeError: a key is neither text nor bytes, or SECRET_KEY_FALLBACKS is not a list of such
    """
    key = app.secret_key
    if not key:
        return ()
    fallbacks = app.config.get("SECRET_KEY_FALLBACKS")
    if not fallbacks:
        keys: tuple[Any, ...] = (key,)
    elif isinstance(fallbacks, (str, bytes, bytearray)):
        raise TypeError("SECRET_KEY_FALLBACKS has to be a list of keys, and it is a single one: write [key]")
    else:
        keys = (*fallbacks, key)
    for each in keys:
        if not isinstance(each, (str, bytes)):
            name = "SECRET_KEY" if each is key else "SECRET_KEY_FALLBACKS"
            raise TypeError(f"a key in {name} is of type {type(each).__name__}: it has to be str or bytes")
    return keys


def _keep_dot(app: Any, response: Any, domain: str) -> None:
    """Put the dot back before the domain of the cookie that was set last, if such dots are wanted."""
    if domain.startswith(".") and app.compat.dotted_cookie_domains:
        cookies = response.headers.getlist("Set-Cookie")
        cookies[-1] = cookies[-1].replace("; Domain=", "; Domain=.", 1)
        response.headers.setlist("Set-Cookie", cookies)


@lru_cache(maxsize=64)
def _around_value(name: str, expires: datetime | None, options: tuple[Any, ...]) -> tuple[str, str]:
    """Return what stands before and after the value in a Set-Cookie header.

    :param options: all names, then all values
    """
    half = len(options) // 2
    before = dump_cookie(name, max_size=0)
    header = dump_cookie(name, expires=expires, max_size=0, **dict(zip(options[:half], options[half:], strict=True)))
    before = before[: before.index("=", len(name.encode())) + 1]
    # It refuses line breaks.
    Headers().add("Set-Cookie", header)
    return before, header[len(before) :]


def _around(name: str, expires: datetime | None, options: dict[str, Any]) -> tuple[str, str]:
    return _around_value(name, expires, (*options, *options.values()))


#: A name, options, and what stands around the values of that cookie.
_last: tuple[str, dict[str, Any], tuple[str, str]] = ("", {}, ("", ""))


def _last_around(name: str, options: dict[str, Any]) -> tuple[str, str]:
    """Do as _around() for a cookie of the browser's session, most often with the very options of the last one."""
    global _last
    last_name, last_options, around = _last
    if options is not last_options or name != last_name:
        around = _around(name, None, options)
        _last = (name, options, around)
    return around


def set_cookie(
    response: Any, name: str, text: str, expires: Any, options: dict[str, Any], plain: bool = False
) -> None:
    """Set a cookie as ``response.set_cookie()`` does, with all but the value kept for a second.

    That takes 1.2 microseconds instead of 3.5.

    :param plain: whether `text` is known to need no quotes
    """
    if type(response).set_cookie is ResponseBase.set_cookie and (plain or _NEEDS_NO_QUOTES(text)):
        if type(expires) is datetime and expires.tzinfo is UTC:
            expires = expires.replace(microsecond=0)
        if expires is None or type(expires) is datetime:
            before, after = _last_around(name, options) if expires is None else _around(name, expires, options)
            header = f"{before}{text}{after}"
            limit = response.max_cookie_size
            if not limit or len(header) <= limit:
                headers = response.headers
                if type(headers) is Headers:
                    headers._list.append(("Set-Cookie", header))
                else:
                    headers.add("Set-Cookie", header)
                return
    # There werkzeug warns of cookies that are too large, too.
    response.set_cookie(name, text, expires=expires, **options)


class SecureCookieSessionInterface(SessionInterface):
    """Keep sessions in signed cookies; this is the default."""

    #: Keeps this use of the secret key apart from others.
    salt = "cookie-session"
    #: The hash function of the signature.
    digest_method = staticmethod(_sha1)
    #: How itsdangerous makes the signing key of secret key and salt.
    key_derivation = "hmac"
    #: Turns the data into text or bytes and back, with ``dumps`` and ``loads``.
    serializer: Any = session_json_serializer
    #: What :meth:`open_session` makes.
    session_class: type[Any] = SecureCookieSession
    lazy = True
    #: What the last serializer was made of, and it.
    _kept: tuple[Any, Any] = (None, None)

    def get_signing_serializer(self, app: Any) -> URLSafeTimedSerializer | None:
        """Return what makes and reads the cookie's text, or None if the application has no secret key.

        :raises TypeError: SECRET_KEY or SECRET_KEY_FALLBACKS is of a wrong type
        """
        fallbacks = app.config.get("SECRET_KEY_FALLBACKS")
        state = (app.secret_key, self.salt, self.serializer, self.key_derivation, self.digest_method)
        kept, made = self._kept
        if not fallbacks and kept == state:
            return made  # type: ignore[no-any-return]
        keys = secret_keys(app)
        if not keys:
            return None
        digest = self.digest_method
        made = (_signing or _import_signing()).session_serializer(
            keys, self.salt, self.serializer, self.key_derivation, hashlib.sha1 if digest is _sha1 else digest
        )
        if not fallbacks:
            self._kept = (state, made)
        return made  # type: ignore[no-any-return]

    def open_session(self, app: Any, request: Any) -> Any | None:
        """Return the session of the first valid cookie, or an empty one; None without a secret key."""
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            return None
        name = self.get_cookie_name(app)
        try:
            tokens = request._cookie_values(name)
        except AttributeError:
            # A request that is none of ours.
            tokens = request.cookies.getlist(name)
        if tokens:
            signing = _import_signing() if _signing is None else _signing
            max_age = int(app.permanent_session_lifetime.total_seconds())
            for token in tokens:
                data = signing.read(serializer, token, max_age)
                if isinstance(data, dict):
                    return self.session_class(without_time_zones(data) if app.compat.naive_session_datetimes else data)
        return self.session_class()

    def save_session(self, app: Any, session: Any, response: Any) -> None:
        """Write `session` into a cookie of `response` if it changed or has to be sent again.

        An emptied session deletes the cookie. A response that depends on the session says so with ``Vary: Cookie``.

        :raises RuntimeError: the application has lost its secret key
        :raises TypeError: `session` holds something the serializer does not know
        """
        accessed, modified = session.accessed, session.modified
        # The look that is taken here is not one of the application's.
        plain = type(session) is SecureCookieSession
        empty = _length(session) == 0 if plain else not session
        if empty:
            if not accessed and session.accessed:
                session.accessed = False
            if modified:
                options = self._cookie_options(app)
                response.delete_cookie(self.get_cookie_name(app), **options)
                if options["domain"]:
                    _keep_dot(app, response, options["domain"])
        elif self.should_set_cookie(app, session):
            accessed = True
            expires = self.get_expiration_time(app, session)
            # dict(session) would ask the session for its keys and for each value: 0.7 microseconds instead of 0.3.
            text, safe = self._sign(app, dict(_items(session) if plain else session))
            options = self._cookie_options(app)
            set_cookie(response, self.get_cookie_name(app), text, expires, options, safe)
            if options["domain"]:
                _keep_dot(app, response, options["domain"])
        if accessed or modified:
            add_vary(response, "Cookie")

    def _sign(self, app: Any, data: dict[str, Any]) -> tuple[str, bool]:
        """Return the text of a cookie, and whether it is one that needs no quotes for sure."""
        serializer: Any = self.get_signing_serializer(app)
        if serializer is None:
            raise RuntimeError("a session cannot be saved without app.secret_key, and it was there when it was opened")
        signing = _import_signing() if _signing is None else _signing
        if type(serializer) is signing.SessionSerializer:
            return serializer.write(data), True
        return signing.write(serializer, data), False

    def needs_untouched(self, app: Any, environ: Mapping[str, Any]) -> bool:
        """Return whether a session nobody looked at may have to be sent again."""
        return self._may_refresh(app, environ)
