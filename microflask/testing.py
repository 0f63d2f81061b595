"""Test clients for applications and their commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from functools import cache, lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import werkzeug.test
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request as RequestBase

from .globals import find_request_ctx
from .sessions import SessionMixin

if TYPE_CHECKING:
    from .commands import FlaskCliRunner as FlaskCliRunner
    from .commands import ScriptInfo as ScriptInfo

_SAFE_IN_URL = "%!#$&'()*+,/:;=?@[]"


class NoCookiesError(RuntimeError, TypeError):
    """A session was to be opened by a client that keeps no cookies."""


class BaseUrlError(AssertionError, ValueError):
    """A base URL was given together with parts that it would be made of."""


class EnvironBuilder(werkzeug.test.EnvironBuilder):
    """Build the WSGI environ of a test request with the server name, root and JSON of an application.

    :param app: the application
    :param path: the path, which may have a query, or a whole URL
    :param base_url: scheme, host and root; made of the configuration unless given
    :param subdomain: stands in front of SERVER_NAME
    :param url_scheme: PREFERRED_URL_SCHEME unless given
    :raises BaseUrlError: `base_url` and one of the parts it is made of are given
    """

    def __init__(
        self, app: Any, path: str | bytes = "/", base_url: str | None = None, subdomain: str | None = None,
        url_scheme: str | None = None, *args: Any, **kwargs: Any,
    ) -> None:  # fmt: skip
        if base_url is not None and (subdomain or url_scheme):
            raise BaseUrlError("give either base_url, or subdomain and url_scheme, of which it would be made")
        if isinstance(path, bytes):
            path = quote(path, safe=_SAFE_IN_URL)
        if base_url is None:
            base_url, path = self._locate(app, path, subdomain, url_scheme)
        self.app = app
        super().__init__(path, base_url, *args, **kwargs)

    @staticmethod
    def _locate(app: Any, path: str, subdomain: str | None, url_scheme: str | None) -> tuple[str, str]:
        """Return the base URL and the path below it."""
        host = app.config["SERVER_NAME"] or "localhost"
        if subdomain:
            host = f"{subdomain}.{host}"
        url = urlsplit(path)
        preferred = app.config["PREFERRED_URL_SCHEME"] if app.compat.preferred_scheme_in_tests else "http"
        scheme = url.scheme or url_scheme or preferred
        root = (app.config["APPLICATION_ROOT"] or "/").lstrip("/")
        # A relative path stays below the root, an absolute URL brings its own host.
        below = f"{url.path}?{url.query}" if url.query else url.path
        return f"{scheme}://{url.netloc or host}/{root}", below

    def json_dumps(self, obj: Any, **kwargs: Any) -> str:
        """Return `obj` as JSON of the application."""
        return self.app.json.dumps(obj, **kwargs)  # type: ignore[no-any-return]


def make_test_environ_builder(
    app: Any, path: str = "/", base_url: str | None = None, *args: Any, **kwargs: Any
) -> EnvironBuilder:
    """Return an :class:`EnvironBuilder`; the name that Flask 0.10 had for it."""
    return EnvironBuilder(app, path, base_url, *args, **kwargs)


@cache
def _user_agent() -> str:
    # Looking the version up reads folders.
    return f"Werkzeug/{version('werkzeug')}"


@lru_cache(maxsize=32)
def _wrapper_for(response_class: type[Any]) -> type[TestResponse]:
    """Return the class of a client's responses, made once: werkzeug makes one for each client, as garbage."""
    if issubclass(response_class, TestResponse):
        return response_class
    return type("WrapperTestResponse", (TestResponse, response_class), {})


class FlaskClient(Client):
    """Send requests to an application without a server.

    In a ``with`` block the context of the last request stays until the next one or the end of the block.

    :param application: the application
    :param response_wrapper: the class of the responses
    :param use_cookies: whether cookies are kept
    :param allow_subdomain_redirects: whether redirects to subdomains are followed
    """

    application: Any
    preserve_context = False
    #: The context of the last request, if it was kept.
    _kept: Any = None

    def __init__(self, application: Any, response_wrapper: Any = None, *args: Any, **kwargs: Any) -> None:
        if response_wrapper is not None:
            response_wrapper = _wrapper_for(response_wrapper)
        super().__init__(application, response_wrapper, *args, **kwargs)
        self.environ_base = {
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_USER_AGENT": _user_agent(),
        }

    @contextmanager
    def session_transaction(self, *args: Any, **kwargs: Any) -> Iterator[SessionMixin]:
        """Open the session that the next request will see; it is stored when the ``with`` block ends.

        :param args: as for ``app.test_request_context``, as are the keyword arguments
        :raises NoCookiesError: the client keeps no cookies
        :raises RuntimeError: the application has no sessions
        """
        if self._cookies is None:
            raise NoCookiesError(
                "Cookies are disabled: this client was made with use_cookies=False, so that a session cannot be kept"
            )
        app = self.application
        ctx = app.test_request_context(*args, **kwargs)
        self._add_cookies_to_wsgi(ctx.request.environ)
        with ctx:
            session = app.session_interface.open_session(app, ctx.request)
        if session is None:
            raise RuntimeError("Session backend did not open a session: set the application's secret_key")
        yield session
        response = app.response_class()
        if app.session_interface.is_null_session(session):
            return
        with ctx:
            app.session_interface.save_session(app, session, response)
        self._update_cookies_from_response(
            ctx.request.host.partition(":")[0], ctx.request.path, response.headers.getlist("Set-Cookie")
        )

    def _update_cookies_from_response(self, server_name: str, path: str, headers: list[str]) -> None:
        # As browsers do; to werkzeug's client a dot before the domain shuts the domain itself out.
        undotted = [header.replace("; Domain=.", "; Domain=", 1) for header in headers]
        super()._update_cookies_from_response(server_name, path, undotted)

    def set_cookie(self, *args: Any, **kwargs: Any) -> None:
        """Set a cookie: ``set_cookie(key, value)``, or as in Werkzeug 0.9 ``set_cookie(server_name, key, value)``."""
        if len(args) > 2:
            kwargs["domain"], *args = args  # type: ignore[assignment]
        super().set_cookie(*args, **kwargs)

    def delete_cookie(self, *args: Any, **kwargs: Any) -> None:
        """Remove a cookie: ``delete_cookie(key)``, or as in Werkzeug 0.9 ``delete_cookie(server_name, key)``."""
        if len(args) > 1:
            kwargs["domain"], *args = args  # type: ignore[assignment]
        super().delete_cookie(*args, **kwargs)

    def _base(self) -> dict[str, Any]:
        return {**self.environ_base, "flask._preserve_context": self.preserve_context}

    def open(
        self, *args: Any, buffered: bool = False, follow_redirects: bool = False, **kwargs: Any
    ) -> Any:
        """Send a request and return the response.

        :param args: a builder, an environ or a request; or, as the keyword arguments, what makes one
        :param buffered: read the whole body at once
        :param follow_redirects: go on to where the response sends us
        """
        response = super().open(
            self._builder(args, kwargs), buffered=buffered, follow_redirects=follow_redirects
        )
        response.json_module = self.application.json
        # The environ and the request would keep each other alive.
        response.request.environ.pop("werkzeug.request", None)
        return response

    def run_wsgi_app(self, environ: dict[str, Any], buffered: bool = False) -> Any:
        """Call the application, after the context that was kept for the last request has ended."""
        self._end_context()
        before = find_request_ctx()
        try:
            return super().run_wsgi_app(environ, buffered)
        finally:
            ctx = find_request_ctx()
            if ctx is not None and ctx is not before and ctx.preserved:
                self._kept = ctx

    def _builder(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        first = args[0] if args else None
        if isinstance(first, werkzeug.test.EnvironBuilder):
            builder = copy(first)
            builder.environ_base = {**(builder.environ_base or {}), **self._base()}
            return builder
        if isinstance(first, RequestBase):
            first = first.environ
        if isinstance(first, dict):
            return EnvironBuilder.from_environ(first, app=self.application, environ_base=self._base())
        kwargs["environ_base"] = {**self._base(), **kwargs.get("environ_base", {})}
        return EnvironBuilder(self.application, *args, **kwargs)

    def _request_from_builder_args(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the request that :meth:`open` would send; test clients of extensions ask for it by this name."""
        builder = self._builder(args, kwargs)
        try:
            return builder.get_request()
        finally:
            builder.close()

    def _end_context(self) -> None:
        """End the context that was kept for the last request of this client."""
        kept, self._kept = self._kept, None
        if kept is not None and kept.preserved:
            kept.pop(kept._preserved_exc)

    def __enter__(self) -> FlaskClient:
        if self.preserve_context:
            raise RuntimeError("a client in a with block cannot be used in another one at the same time")
        self.preserve_context = True
        return self

    def __exit__(self, exc_type: Any, exc_value: BaseException | None, tb: Any) -> None:
        self.preserve_context = False
        self._end_context()


def __getattr__(name: str) -> Any:
    # click is needed by nobody who tests views.
    if name in {"FlaskCliRunner", "ScriptInfo"}:
        from . import commands

        return getattr(commands, name)
    if name == "check_extension":
        from .extension_check import check_extension

        return check_extension
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
