"""Sessions in signed cookies: readable by the browser, changeable by the holder of the secret key alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ..json.tag import TaggedJSONSerializer
from .data import SecureCookieSession, without_time_zones
from .interface import SessionInterface, add_vary

if TYPE_CHECKING:
    from itsdangerous import URLSafeTimedSerializer

#: Writes and reads the data of sessions: JSON with tuples, bytes, markup, UUIDs and datetimes.
session_json_serializer = TaggedJSONSerializer()


def _sha1(string: bytes = b"") -> Any:
    """Return a SHA-1 object. The name is looked up late: builds for FIPS may lack it, and replace this method."""
    return hashlib.sha1(string)


@cache
def _signing() -> Any:
    # itsdangerous takes 3 ms to import, which an application without sessions need not spend.
    from . import signing

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


def _keep_dot(app: Any, response: Any, domain: str | None) -> None:
    """Put the dot back before the domain of the cookie that was set last, if such dots are wanted."""
    if domain and domain.startswith(".") and app.compat.dotted_cookie_domains:
        cookies = response.headers.getlist("Set-Cookie")
        cookies[-1] = cookies[-1].replace("; Domain=", "; Domain=.", 1)
        response.headers.setlist("Set-Cookie", cookies)


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

    def get_signing_serializer(self, app: Any) -> URLSafeTimedSerializer | None:
        """Return what makes and reads the cookie's text, or None if the application has no secret key.

        :raises TypeError: SECRET_KEY or SECRET_KEY_FALLBACKS is of a wrong type
        """
        keys = secret_keys(app)
        if not keys:
            return None
        digest = self.digest_method
        return _signing().session_serializer(  # type: ignore[no-any-return]
            keys, self.salt, self.serializer, self.key_derivation, hashlib.sha1 if digest is _sha1 else digest
        )

    def open_session(self, app: Any, request: Any) -> Any | None:
        """Return the session of the first valid cookie, or an empty one; None without a secret key."""
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            return None
        tokens = request.cookies.getlist(self.get_cookie_name(app))
        for token in tokens:
            data = _signing().read(serializer, token, int(app.permanent_session_lifetime.total_seconds()))
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
        if not session:
            if not accessed and session.accessed:
                # The look that was taken here is not one of the application's.
                session.accessed = False
            if modified:
                options = self._cookie_options(app)
                response.delete_cookie(self.get_cookie_name(app), **options)
                _keep_dot(app, response, options["domain"])
        elif self.should_set_cookie(app, session):
            accessed = True
            expires = self.get_expiration_time(app, session)
            text = self._sign(app, dict(session))
            options = self._cookie_options(app)
            response.set_cookie(self.get_cookie_name(app), text, expires=expires, **options)
            _keep_dot(app, response, options["domain"])
        if accessed or modified:
            add_vary(response, "Cookie")

    def _sign(self, app: Any, data: dict[str, Any]) -> str:
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            raise RuntimeError("a session cannot be saved without app.secret_key, and it was there when it was opened")
        text = serializer.dumps(data)
        return text.decode("ascii") if isinstance(text, bytes) else text

    def needs_untouched(self, app: Any, environ: Mapping[str, Any]) -> bool:
        """Return whether a session nobody looked at may have to be sent again."""
        # A session class of somebody's own may fill itself when it is made.
        if self.session_class is not SecureCookieSession:
            return True
        return "HTTP_COOKIE" in environ and self._may_refresh(app, environ)
