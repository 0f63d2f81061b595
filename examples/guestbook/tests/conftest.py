"""Fixtures of the guestbook's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from guestbook import create_app

from microflask import Flask
from microflask.testing import FlaskClient

from .browser import Browser


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
