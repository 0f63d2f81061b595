"""The command `flasker worker`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kombu.utils.url import maybe_sanitize_url

from ..errors import ProjectImportError

#: Seconds to wait for the broker.
PATIENCE = 5


def work(project: Any, arguments: Iterable[str]) -> None:
    """Run a Celery worker until it is told to end.

    :param arguments: for Celery
    :raises ProjectImportError: the broker cannot be reached
    """
    check_broker(project.celery)
    project.celery.worker_main(["worker", *arguments])


def check_broker(celery: Any) -> None:
    """Connect to the broker once.

    :raises ProjectImportError: that fails
    """
    with celery.connection_for_read() as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=PATIENCE)
        except Exception as error:  # each library has classes of its own
            where = maybe_sanitize_url(str(celery.conf.broker_read_url or celery.conf.broker_url))
            raise ProjectImportError(f"The broker {where} cannot be reached: {error}") from None
