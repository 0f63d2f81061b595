"""Logging with the name of the one who speaks."""

from __future__ import annotations

import logging
from typing import Any


class Loggable:
    """Log messages as ``str(self) :: message``, to the logger named after the class's module."""

    #: The logger to use instead, or its name.
    __logger__: logging.Logger | str | None = None

    def _log(self, level: int, message: object, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        logger = self.__logger__
        if not isinstance(logger, logging.Logger):
            logger = logging.getLogger(logger or type(self).__module__)
        if logger.isEnabledFor(level):
            text = str(message) % args if args else message
            # Two calls up stands the one whose line the record is to show.
            logger.log(level, "%s :: %s", self, text, stacklevel=3, **options)

    def debug(self, message: object, *args: Any, **options: Any) -> None:
        """Log for those who look for a mistake.

        :param args: what the message is formatted with, by ``%``
        :param options: for :meth:`logging.Logger.log`, such as `exc_info`
        """
        self._log(logging.DEBUG, message, args, options)

    def info(self, message: object, *args: Any, **options: Any) -> None:
        """Log that something went as it should; the parameters are those of :meth:`debug`."""
        self._log(logging.INFO, message, args, options)

    def warning(self, message: object, *args: Any, **options: Any) -> None:
        """Log that something may become a problem; the parameters are those of :meth:`debug`."""
        self._log(logging.WARNING, message, args, options)

    def warn(self, message: object, *args: Any, **options: Any) -> None:
        """Do as :meth:`warning`."""
        self._log(logging.WARNING, message, args, options)

    def error(self, message: object, *args: Any, **options: Any) -> None:
        """Log that something failed; the parameters are those of :meth:`debug`."""
        self._log(logging.ERROR, message, args, options)
