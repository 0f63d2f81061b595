"""Sign-in with Google, or another provider of OpenID Connect. Importing it makes microflask answer to ``flask``."""

from __future__ import annotations

from .libraries import current_user, login_required, login_user, logout_user
from .manager import GoogleAuthManager

__all__ = ["GoogleAuthManager", "current_user", "login_required", "login_user", "logout_user"]
