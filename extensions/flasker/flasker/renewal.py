"""Workers on Redis: messages that a worker has taken stay taken as long as it lives, and no longer.

Redis cannot tell that a worker has died. kombu notes when each message was taken, and gives those that are older than
`visibility_timeout` to the next worker: a long one keeps the tasks of a dead worker back, a short one lets tasks that
take longer run twice. So a worker of a project notes a new time for its messages again and again.
"""

from __future__ import annotations

import time
from threading import Event, Thread
from typing import Any

from celery import bootsteps
from celery.utils.log import get_logger

#: How often the time is noted within `visibility_timeout`.
_NOTES = 4

_logger = get_logger(__name__)


class Renewal(bootsteps.StartStopStep):
    """Be the part of a worker that renews its hold on messages, from the start of its consumer to its end.

    A thread does it, as the pool `solo` keeps the worker's own loop waiting while a task runs.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **options: Any) -> None:
        self._end = Event()
        super().__init__(parent, **options)

    def start(self, parent: Any) -> None:
        """Start to renew for a connection; for that before it, if there was one, no more."""
        self._end.set()
        self._end = Event()
        channel = parent.task_consumer.channel
        Thread(target=renew, args=(channel, self._end), name="flasker-renewal", daemon=True).start()

    def stop(self, parent: Any) -> None:
        """Go on: a worker that is told to end finishes its tasks first."""

    def shutdown(self, parent: Any) -> None:
        """End."""
        self._end.set()


def renew(channel: Any, end: Event) -> None:
    """Note the present time for all messages that a channel has taken, until `end`."""
    while not end.wait(channel.visibility_timeout / _NOTES):
        taken = list(channel.qos._delivered)
        if not taken:
            continue
        try:
            with channel.conn_or_acquire() as client:
                # Only for those that are still there: others have been dealt with in the meantime.
                client.zadd(channel.unacked_index_key, dict.fromkeys(taken, time.time()), xx=True)
        except channel.connection_errors:
            _logger.warning("Redis did not hear that this worker holds %d messages", len(taken), exc_info=True)
