"""The logger of an application, in the way of Flask 0.10 or of Flask 3.1."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Any, Protocol, TextIO

from werkzeug.local import LocalProxy

from .compat import Compat
from .globals import find_request


class _LoggedApplication(Protocol):
    """What a logger asks of its application."""

    debug_log_format: str

    @property
    def compat(self) -> Compat: ...
    @property
    def debug(self) -> Any: ...
    @property
    def name(self) -> str: ...
    @property
    def logger_name(self) -> str: ...


def _find_errors_stream() -> TextIO:
    request = find_request()
    if request is not None:
        stream: TextIO | None = request.environ.get("wsgi.errors")
        if stream is not None:
            return stream
    return sys.stderr


#: The error stream of the current request, which the server chose; outside of a request, ``sys.stderr``.
wsgi_errors_stream = LocalProxy(_find_errors_stream)

#: What ``app.logger`` of Flask 3.1 gets when nobody else listens; remove it with ``logger.removeHandler``.
default_handler: logging.StreamHandler[Any] = logging.StreamHandler(wsgi_errors_stream)
default_handler.setFormatter(logging.Formatter("[%(asctime)s] %(levelname)s in %(module)s: %(message)s"))


class _DebugHandler(logging.StreamHandler[TextIO]):
    """Print to stderr while an application is in debug mode, and nothing at other times."""

    def __init__(self, app: _LoggedApplication) -> None:
        super().__init__()
        self.app = app
        self.setLevel(logging.DEBUG)
        self.setFormatter(logging.Formatter(app.debug_log_format))

    def emit(self, record: logging.LogRecord) -> None:
        if self.app.debug:
            self.stream = sys.stderr  # may have been replaced since, by a test or by a server
            super().emit(record)


def _reachable_handlers(logger: logging.Logger) -> Iterator[logging.Handler]:
    """Yield every handler that a record of `logger` comes to."""
    node: logging.Logger | None = logger
    while node is not None:
        yield from node.handlers
        node = node.parent if node.propagate else None


def has_level_handler(logger: logging.Logger) -> bool:
    """Return whether some handler takes what passes the logger's own effective level."""
    threshold = logger.getEffectiveLevel()
    return any(handler.level <= threshold for handler in _reachable_handlers(logger))


def create_logger(app: _LoggedApplication) -> logging.Logger:
    """Return the logger of an application, configured as ``app.compat.logger_by_import_name`` says.

    If false, as Flask 3.1: named ``app.name``, level DEBUG when debug is on and no level was chosen, and
    ``default_handler`` added unless a handler for that level exists. If true, as documented: named
    ``app.logger_name``, with one handler of its own that prints in debug mode only.
    """
    if app.compat.logger_by_import_name:
        return _create_debug_logger(app)
    logger = logging.getLogger(app.name)
    if app.debug and logger.level == logging.NOTSET:
        logger.setLevel(logging.DEBUG)
    if not has_level_handler(logger):
        logger.addHandler(default_handler)
    return logger


def _create_debug_logger(app: _LoggedApplication) -> logging.Logger:
    logger = logging.getLogger(app.logger_name)
    plain = type(logger)

    def forced() -> bool:
        return bool(app.debug) and logger.level == logging.NOTSET

    def effective_level() -> int:
        return logging.DEBUG if forced() else plain.getEffectiveLevel(logger)

    def is_enabled_for(level: int) -> bool:
        # The class remembers its answers, and app.debug may change between two calls.
        if forced():
            return not logger.disabled and level >= logging.DEBUG and level > logger.manager.disable
        return plain.isEnabledFor(logger, level)

    # On the object, so that the logger keeps the class that the program chose with logging.setLoggerClass.
    logger.getEffectiveLevel = effective_level  # type: ignore[method-assign]
    logger.isEnabledFor = is_enabled_for  # type: ignore[method-assign]
    logger.handlers.clear()
    logger.addHandler(_DebugHandler(app))
    return logger
