"""How workers on Redis renew their hold on messages; with real workers that is in test_flasker_worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from flasker.renewal import Renewal, renew

CONF = "[PROJECT]\nNAME = x\n[CELERY]\n"


class Channel:
    """Stand for a channel of kombu: keep what Redis gets, and end when that is enough."""

    visibility_timeout = 0.04
    unacked_index_key = "index"
    connection_errors = (ConnectionError,)

    def __init__(self, enough: int, *problems: Exception) -> None:
        self.qos = SimpleNamespace(_delivered={"a": 1, "b": 2})
        self.notes: list[tuple[str, set[str], bool]] = []
        self.problems = list(problems)
        self.enough = enough
        self.end = Event()

    @contextmanager
    def conn_or_acquire(self) -> Iterator[Any]:
        yield self

    def zadd(self, key: str, times: dict[str, float], xx: bool) -> None:
        self.notes.append((key, set(times), xx))
        if len(self.notes) == self.enough:
            self.end.set()
        if self.problems:
            raise self.problems.pop()


def test_only_messages_that_are_still_taken_get_a_new_time() -> None:
    channel = Channel(2)
    renew(channel, channel.end)
    assert channel.notes == [("index", {"a", "b"}, True)] * 2


def test_redis_may_be_away_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    channel = Channel(3, ConnectionError("away"))
    renew(channel, channel.end)
    assert len(channel.notes) == 3
    assert [record.getMessage() for record in caplog.records] == [
        "Redis did not hear that this worker holds 2 messages"
    ]


def test_a_new_connection_ends_what_was_for_the_old_one() -> None:
    old, new = Channel(10**6), Channel(1)
    step = Renewal(None)
    step.start(SimpleNamespace(task_consumer=SimpleNamespace(channel=old)))
    first = step._end
    step.start(SimpleNamespace(task_consumer=SimpleNamespace(channel=new)))
    assert first.is_set() and not step._end.is_set()
    # A warm end stops the parts of a worker first, and waits for its tasks then.
    step.stop(None)
    assert not step._end.is_set()
    assert new.end.wait(20)
    step.shutdown(None)
    assert step._end.is_set()


@pytest.mark.parametrize(
    ("broker", "renews"), [("BROKER_URL = redis://\n", True), ("BROKER_URL = amqp://\n", False), ("", False)]
)
def test_only_workers_on_redis_renew(start: Any, broker: str, renews: bool) -> None:
    pytest.importorskip("redis")
    assert (Renewal in start(CONF + broker).celery.steps["consumer"]) is renews


def test_a_dead_worker_holds_its_tasks_for_a_minute_unless_it_is_said(start: Any) -> None:
    pytest.importorskip("redis")
    options = "BROKER_URL = redis://\nBROKER_TRANSPORT_OPTIONS = {'unacked_restore_interval': 7}\n"
    found = start(CONF + options).celery.conf.broker_transport_options
    assert (found["visibility_timeout"], found["unacked_restore_interval"]) == (60, 7)
