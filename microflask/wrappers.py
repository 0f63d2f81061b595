"""Request and response: werkzeug's, made lazy."""

from __future__ import annotations

from .globals import current_app as current_app
from .incoming import Request
from .outgoing import Response, content_type_of, status_line

__all__ = ["Request", "Response", "content_type_of", "status_line"]
