"""A guestbook: visitors register, sign in and leave entries, with a picture if they like."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from microflask import Flask

from . import api, auth, db, entries, errors, filters, secret_key, security

DEFAULTS = {
    "ENTRIES_PER_PAGE": 10,
    "MAX_PICTURE_SIZE": 2 * 1024 * 1024,
    # A whole request: a picture, and room for the message and the frame of the form around them.
    "MAX_CONTENT_LENGTH": 3 * 1024 * 1024,
    "SESSION_COOKIE_SAMESITE": "Lax",
}


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Create the application.

    Settings come from DEFAULTS, then from environment variables such as ``GUESTBOOK_ENTRIES_PER_PAGE``, then from
    `config`. The environment variable ``GUESTBOOK_INSTANCE`` names the folder for everything that is written: the
    database, the pictures and the secret key. Without it, that is ``instance`` beside this package.

    :raises OSError: the instance folder cannot be made or written
    """
    folder = os.environ.get("GUESTBOOK_INSTANCE")
    app = Flask(__name__, instance_path=os.path.abspath(folder) if folder else None)
    app.config.update(DEFAULTS)
    app.config.from_prefixed_env("GUESTBOOK")
    os.makedirs(app.instance_path, mode=0o700, exist_ok=True)  # the database holds what is nobody else's business
    app.config["SECRET_KEY"] = secret_key.load(app.instance_path)
    app.config.update(config or {})

    for part in (db, security, errors, filters):
        part.init_app(app)
    for blueprint in (entries.bp, auth.bp, api.bp):
        app.register_blueprint(blueprint)
    return app
