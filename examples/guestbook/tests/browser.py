"""A visitor of the guestbook, for its tests."""

from __future__ import annotations

import html
import re
from typing import Any

from werkzeug.test import TestResponse

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
