"""Fixtures of the guestbook's tests; here, so that pytest puts this folder on the import path."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
from guestbook import create_app
from werkzeug.test import TestResponse

from microflask import Flask
from microflask.testing import FlaskClient

PASSWORD = "correct horse"


class Browser:
    """A client that fills in forms as a browser does: with the CSRF token of the page that shows the form."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **options: Any) -> TestResponse:
        """Load a page."""
        return self.client.get(path, **options)

    def token(self, path: str = "/auth/login") -> str:
        """Return the CSRF token that the form at `path` carries."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).text)
        assert found, f"no form at {path}"
        return html.unescape(found[1])

    def post(self, path: str, form_at: str = "/auth/login", **fields: Any) -> TestResponse:
        """Send a form to `path`, and follow redirects."""
        return self.client.post(path, data={"csrf_token": self.token(form_at)} | fields, follow_redirects=True)

    def register(self, name: str = "alice", password: str = PASSWORD) -> TestResponse:
        """Register, and so sign in."""
        return self.post("/auth/register", name=name, password=password)

    def write(self, message: str = "Hello!", **fields: Any) -> TestResponse:
        """Write an entry."""
        return self.post("/entries/new", form_at="/", message=message, **fields)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The instance folder; it does not exist yet."""
    folder = tmp_path / "instance"
    monkeypatch.setenv("GUESTBOOK_INSTANCE", str(folder))
    monkeypatch.delenv("GUESTBOOK_SECRET_KEY", raising=False)
    return folder


@pytest.fixture
def app(instance: Path) -> Flask:
    """A guestbook with small limits."""
    return create_app({"TESTING": True, "ENTRIES_PER_PAGE": 3, "MAX_PICTURE_SIZE": 4096, "MAX_CONTENT_LENGTH": 16384})


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A plain client, as programs use it."""
    return app.test_client()


@pytest.fixture
def visitor(app: Flask) -> Browser:
    """Somebody who has not registered."""
    return Browser(app.test_client())


@pytest.fixture
def alice(app: Flask) -> Browser:
    """Somebody who is signed in as alice."""
    browser = Browser(app.test_client())
    browser.register("alice")
    return browser


@pytest.fixture
def bob(app: Flask) -> Browser:
    """Somebody else, signed in as bob."""
    browser = Browser(app.test_client())
    browser.register("bob")
    return browser
