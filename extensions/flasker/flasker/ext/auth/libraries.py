"""Flask-Login and Authlib, which import ``flask`` and get microflask."""

from __future__ import annotations

from microflask.alias import install_as_flask
from microflask.compat import default_compat

# With the row that is the default anyway: an import must not change what applications made later are like.
install_as_flask(default_compat())

try:
    from authlib.integrations.flask_client import OAuth
    from flask_login import LoginManager, UserMixin, current_user, login_required, login_user, logout_user
except ModuleNotFoundError as error:
    raise ImportError(
        f"flasker.ext.auth needs the module {error.name!r}, which is not installed: pip install flasker[auth]",
        name=error.name,
    ) from None

__all__ = ["LoginManager", "OAuth", "UserMixin", "current_user", "login_required", "login_user", "logout_user"]
