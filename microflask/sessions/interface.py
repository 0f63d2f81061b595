"""The contract between an application and whatever keeps its sessions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from ..config import version_of
from ..headers import Headers
from .data import NullSession, SecureCookieSession, SessionMixin

#: What an interface replaces that is not lazy then.
_EAGER = frozenset({"open_session", "save_session", "session_class"})
#: The methods that make the options of the cookie.
_COOKIE_METHODS = frozenset({
    "get_cookie_domain", "get_cookie_httponly", "get_cookie_partitioned", "get_cookie_path", "get_cookie_samesite",
    "get_cookie_secure",
})  # fmt: skip
_cookie_methods = attrgetter(*_COOKIE_METHODS)


class SessionInterface:
    """Open and save sessions; subclass it, define both methods, and set ``app.session_interface`` to an instance.

    The methods that read the configuration say how the session's cookie is to be written.
    """

    #: What :meth:`make_null_session` makes and :meth:`is_null_session` looks for.
    null_session_class: type[NullSession] = NullSession
    #: Whether the sessions are pickled, for extensions that want to know.
    pickle_based = False
    #: Whether a session need not be opened before somebody looks at it, and without a cookie not at all. Where this is
    #: false, the session is opened when the context is pushed and saved at the end of every request, as documented.
    lazy = False
    #: Whether no method that says how the cookie is written was assigned to the object; they are asked each time then.
    _keeps_options = True
    _kept_options: tuple[Any, dict[str, Any]] = (None, {})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Whoever replaces the opening or the saving counts on being called, unless they say otherwise; and a class of
        # somebody's own for the sessions may fill them when they are made.
        for owner in cls.__mro__:
            if "lazy" in vars(owner):
                break
            if not _EAGER.isdisjoint(vars(owner)):
                cls.lazy = False
                break

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name in _EAGER:
            self.lazy = False
        elif name in _COOKIE_METHODS:
            self._keeps_options = False

    def open_session(self, app: Any, request: Any) -> Any | None:
        """Return the session of `request`, or None if the configuration does not allow for one."""
        raise NotImplementedError(f"{type(self).__name__} has to define open_session(app, request)")

    def save_session(self, app: Any, session: Any, response: Any) -> None:
        """Keep `session` beyond this request; called with each opened session that is not a null session."""
        raise NotImplementedError(f"{type(self).__name__} has to define save_session(app, session, response)")

    def needs_untouched(self, app: Any, environ: Mapping[str, Any]) -> bool:
        """Return whether the session of a request with cookies that never looked at it must be opened and saved all
        the same; asked where the interface is lazy."""
        return True

    def make_null_session(self, app: Any) -> NullSession:
        """Return what stands for the session where none could be opened."""
        return self.null_session_class()

    def is_null_session(self, obj: object) -> bool:
        """Return whether `obj` only stands for a session; such a one is not saved."""
        if type(obj) is SecureCookieSession and self.null_session_class is NullSession:
            # An abstract base class takes 0.2 microseconds for an answer.
            return False
        return isinstance(obj, self.null_session_class)

    def get_cookie_name(self, app: Any) -> str:
        """Return the name of the cookie, SESSION_COOKIE_NAME."""
        name: str = app.config["SESSION_COOKIE_NAME"]
        return name

    def get_cookie_domain(self, app: Any) -> str | None:
        """Return the domain of the cookie, SESSION_COOKIE_DOMAIN; None means this host alone.

        As Flask 0.10 did, an application with that behaviour takes SERVER_NAME where no domain is configured.
        """
        domain: str | None = app.config.get("SESSION_COOKIE_DOMAIN")
        if domain is None and app.compat.session_domain_from_server_name:
            return self._server_domain(app)
        return domain or None

    def _server_domain(self, app: Any) -> str | None:
        """Return SERVER_NAME without its port, with a dot before it if the cookie is for the subdomains as well."""
        host: str = (app.config.get("SERVER_NAME") or "").partition(":")[0]
        # Browsers take no cookie for .localhost, and an IPv6 address, of which "[" is left, is no domain.
        if host in ("", "localhost", "["):
            return None
        return f".{host}" if self.get_cookie_path(app) == "/" else host

    def get_cookie_path(self, app: Any) -> str:
        """Return the path of the cookie: SESSION_COOKIE_PATH, else APPLICATION_ROOT, else the whole host."""
        config = app.config
        return config.get("SESSION_COOKIE_PATH") or config.get("APPLICATION_ROOT") or "/"

    def get_cookie_httponly(self, app: Any) -> bool:
        """Return whether scripts are kept from the cookie, SESSION_COOKIE_HTTPONLY."""
        return app.config.get("SESSION_COOKIE_HTTPONLY", True)  # type: ignore[no-any-return]

    def get_cookie_secure(self, app: Any) -> bool:
        """Return whether the cookie travels over HTTPS alone, SESSION_COOKIE_SECURE."""
        return app.config.get("SESSION_COOKIE_SECURE", False)  # type: ignore[no-any-return]

    def get_cookie_samesite(self, app: Any) -> str | None:
        """Return the SameSite rule of the cookie, SESSION_COOKIE_SAMESITE: "Strict", "Lax", "None" or unset."""
        return app.config.get("SESSION_COOKIE_SAMESITE")  # type: ignore[no-any-return]

    def get_cookie_partitioned(self, app: Any) -> bool:
        """Return whether the cookie is kept apart by embedding site, SESSION_COOKIE_PARTITIONED."""
        return app.config.get("SESSION_COOKIE_PARTITIONED", False)  # type: ignore[no-any-return]

    def get_expiration_time(self, app: Any, session: SessionMixin) -> datetime | None:
        """Return when a permanent session ends, in UTC; None for one that ends with the browser's."""
        if not session.permanent:
            return None
        end: datetime = datetime.now(UTC) + app.permanent_session_lifetime
        return end

    def should_set_cookie(self, app: Any, session: SessionMixin) -> bool:
        """Return whether the response has to carry the cookie of this session, which is not empty."""
        return bool(
            session.modified
            or app.compat.session_always_sent
            or (session.permanent and app.config.get("SESSION_REFRESH_EACH_REQUEST", True))
        )

    def _may_refresh(self, app: Any, environ: Mapping[str, Any]) -> bool:
        """Return whether a request with an untouched session could have to send that session's cookie again."""
        name = self.get_cookie_name(app)
        # PEP 3333: the header's bytes stand in the environ as Latin-1.
        if name.encode().decode("latin-1") not in environ.get("HTTP_COOKIE", ""):
            return False
        if type(self).should_set_cookie is not SessionInterface.should_set_cookie:
            return True
        return bool(app.compat.session_always_sent or app.config.get("SESSION_REFRESH_EACH_REQUEST", True))

    def _cookie_options(self, app: Any) -> dict[str, Any]:
        """Return what setting and deleting the cookie have in common; the same for the same configuration."""
        state = (version_of(app.config), app.compat)
        kept, options = self._kept_options
        # Somebody may put a method into the class when it is there already.
        stock = self._keeps_options and _cookie_methods(type(self)) == _STOCK_COOKIE_METHODS
        if kept != state or not stock:
            options = self._find_cookie_options(app)
            if stock:
                self._kept_options = (state, options)
        return options

    def _find_cookie_options(self, app: Any) -> dict[str, Any]:
        return {
            "path": self.get_cookie_path(app),
            "domain": self.get_cookie_domain(app),
            "secure": self.get_cookie_secure(app),
            "httponly": self.get_cookie_httponly(app),
            "samesite": self.get_cookie_samesite(app),
            "partitioned": self.get_cookie_partitioned(app),
        }


#: With these methods the options are those of the configuration.
_STOCK_COOKIE_METHODS = _cookie_methods(SessionInterface)


def add_vary(response: Any, name: str) -> None:
    """Let a response say that it depends on a header of the request.

    Most responses have no Vary yet: then this is one call instead of the thirty of werkzeug's header set.
    """
    headers = response.headers
    for key, _ in headers._list:
        if len(key) == 4 and key.lower() == "vary":
            response.vary.add(name)
            return
    if type(headers) is Headers and name == "Cookie":
        # What add() would look for in the value is not there.
        headers._list.append(("Vary", "Cookie"))
    else:
        headers.add("Vary", name)
