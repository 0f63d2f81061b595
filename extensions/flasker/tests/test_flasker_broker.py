"""The embedded broker: messages in a file, and what happens to those of a process that dies."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from queue import Queue as ThreadQueue
from typing import Any

import pytest
from flasker import broker
from flasker.broker.owners import Owner, is_alive
from flasker.broker.store import Store
from kombu import Connection, Exchange, Queue
from kombu.exceptions import ChannelError, OperationalError


@pytest.fixture
def store(tmp_path: Path) -> Any:
    made = Store(str(tmp_path))
    yield made
    made.end()


def message(body: str) -> dict[str, Any]:
    return {"body": body, "properties": {"delivery_info": {}}}


def take(store: Store, queue: str = "q") -> str | None:
    taken = store.take(queue)
    return None if taken is None else taken[1]["body"]


# -- the store ---------------------------------------------------------------------------------------------------


def test_messages_come_in_order_and_once(store: Store) -> None:
    for body in "ab":
        store.put("q", message(body), 0)
    store.put("other", message("c"), 0)
    assert store.size("q") == 2
    assert [take(store) for _ in range(3)] == ["a", "b", None]


def test_priority_goes_first(store: Store) -> None:
    for body, priority in [("a", 0), ("b", 5), ("c", 9), ("d", 5)]:
        store.put("q", message(body), priority)
    assert [take(store) for _ in range(4)] == ["c", "b", "d", "a"]


def test_a_released_message_goes_back_into_its_place(store: Store) -> None:
    for body in "ab":
        store.put("q", message(body), 0)
    number, _, redelivered = store.take("q") or (0, {}, True)
    assert not redelivered
    store.release(number)
    again = store.take("q")
    assert again == (number, message("a"), True)


def test_a_removed_message_is_gone(store: Store, tmp_path: Path) -> None:
    store.put("q", message("a"), 0)
    number, _, _ = store.take("q") or (0, {}, True)
    store.remove(number)
    store.end()
    assert Store(str(tmp_path)).take("q") is None


def test_messages_are_kept_between_processes(store: Store, tmp_path: Path) -> None:
    store.put("q", message("a"), 0)
    assert take(Store(str(tmp_path))) == "a"


def test_messages_of_a_living_owner_are_left_alone(store: Store, tmp_path: Path) -> None:
    store.put("q", message("a"), 0)
    take(store)
    other = Store(str(tmp_path))
    other.sweep()
    assert take(other) is None


def test_messages_of_a_dead_owner_come_again(store: Store, tmp_path: Path) -> None:
    store.put("q", message("a"), 0)
    take(store)
    store.owner.let_go()
    other = Store(str(tmp_path))
    other.sweep()
    _, found, redelivered = other.take("q") or (0, {}, False)
    assert (found["body"], redelivered) == ("a", True)
    other.end()


def test_messages_of_a_killed_process_come_again(store: Store) -> None:
    store.put("q", message("a"), 0)
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        store.take("q")
        os.write(tell, b"x")
        time.sleep(60)
        os._exit(0)
    os.read(ready, 1)
    store.sweep()
    assert take(store) is None
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    store.sweep()
    assert take(store) == "a"


def test_a_child_does_not_keep_its_parent_alive(tmp_path: Path) -> None:
    owner_name, tell = os.pipe()
    parent = os.fork()
    if parent == 0:
        store = Store(str(tmp_path))
        store.put("q", message("a"), 0)
        store.take("q")
        if os.fork() == 0:
            os.write(tell, store.owner.name.encode() if store._owner else b"none")
            time.sleep(60)
            os._exit(0)
        time.sleep(60)
        os._exit(0)
    assert os.read(owner_name, 100) == b"none"
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    store = Store(str(tmp_path))
    store.sweep()
    assert take(store) == "a"
    store.end()


def test_owners_and_their_files(tmp_path: Path) -> None:
    owner = Owner(str(tmp_path))
    assert is_alive(str(tmp_path), owner.name)
    assert not is_alive(str(tmp_path), "nobody")
    dead = Owner(str(tmp_path))
    dead.let_go()
    other = Owner(str(tmp_path))
    assert len(list(tmp_path.glob("*.lock"))) == 2
    owner.end()
    other.end()
    assert list(tmp_path.iterdir()) == []


def test_many_threads_take_each_message_once(store: Store) -> None:
    for number in range(60):
        store.put("q", message(str(number)), 0)
    found: ThreadQueue[str] = ThreadQueue()

    def work() -> None:
        while (body := take(store)) is not None:
            found.put(body)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(found.get()) for _ in range(found.qsize())) == list(range(60))


def test_dead_messages_and_unused_queues_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr("flasker.broker.store.time.time", lambda: now)
    store.declare("q", expires=10, ttl=5)
    store.bind("e", "", "", "q")
    store.put("q", message("a"), 0)
    now += 6
    assert take(store) is None
    assert store.size("q") == 0
    store.put("q", message("b"), 0)
    now += 6
    store.sweep()
    assert not store.exists("q")
    assert store.bindings("e") == []


def test_a_queue_that_is_used_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now, ticks = time.time(), time.monotonic()
    monkeypatch.setattr("flasker.broker.store.time.time", lambda: now)
    monkeypatch.setattr("flasker.broker.store.time.monotonic", lambda: ticks)
    store.declare("q", expires=10)
    for _ in range(5):
        now, ticks = now + 6, ticks + 6
        assert take(store) is None
    assert store.exists("q")


def test_purging_and_deleting(store: Store) -> None:
    store.declare("q")
    for body in "abc":
        store.put("q", message(body), 0)
    take(store)
    assert store.purge("q") == 2
    store.delete("q")
    assert not store.exists("q")


def test_a_write_that_fails_leaves_nothing_open(store: Store) -> None:
    with pytest.raises(TypeError):
        store.put("q", {"body": object()}, 0)
    store.put("q", message("a"), 0)
    assert take(store) == "a"


# -- the transport -----------------------------------------------------------------------------------------------


@pytest.fixture
def connection(tmp_path: Path) -> Any:
    with Connection(broker.URL, transport_options={"folder": str(tmp_path), "polling_interval": 0.01}) as connection:
        yield connection


def received(connection: Connection, consumer: Any) -> list[Any]:
    """Return the bodies of the messages that wait."""
    bodies: list[Any] = []
    consumer.register_callback(lambda body, message: (bodies.append(body), message.ack()))
    with consumer:
        try:
            while True:
                connection.drain_events(timeout=0.1)
        except TimeoutError:
            return bodies


@pytest.mark.parametrize(
    ("kind", "binding", "key", "arrives"),
    [
        ("direct", "a", "a", True), ("direct", "a", "b", False), ("topic", "a.*", "a.b", True),
        ("topic", "a.*", "b.c", False), ("fanout", "", "anything", True),
    ],
)  # fmt: skip
def test_exchanges(connection: Connection, kind: str, binding: str, key: str, arrives: bool) -> None:
    exchange = Exchange("e", kind)
    queue = Queue("q", exchange, routing_key=binding)
    queue(connection.default_channel).declare()
    connection.Producer().publish({"x": 1}, exchange=exchange, routing_key=key, declare=[exchange])
    assert received(connection, connection.Consumer(queue)) == ([{"x": 1}] if arrives else [])


def test_a_binding_of_another_process_counts(connection: Connection, tmp_path: Path) -> None:
    exchange = Exchange("e", "fanout")
    queue = Queue("q", exchange)
    queue(connection.default_channel).declare()
    with Connection(broker.URL, transport_options={"folder": str(tmp_path)}) as other:
        other.Producer().publish("x", exchange=exchange, declare=[exchange])
    assert received(connection, connection.Consumer(queue)) == ["x"]
    bound = queue(connection.default_channel)
    bound.unbind_from(exchange)
    connection.Producer().publish("y", exchange=exchange)
    assert received(connection, connection.Consumer(queue)) == []
    bound.delete()
    assert not connection.default_channel.store.exists("q")


def test_rejected_messages(connection: Connection) -> None:
    queue = connection.SimpleQueue("q")
    queue.put("a")
    queue.get(timeout=1).reject()
    with pytest.raises(queue.Empty):
        queue.get(timeout=0.05)
    queue.put("b")
    queue.get(timeout=1).requeue()
    again = queue.get(timeout=1)
    assert (again.payload, again.delivery_info["redelivered"]) == ("b", True)
    again.ack()
    queue.close()


def test_what_is_not_acknowledged_goes_back_when_the_channel_closes(connection: Connection) -> None:
    connection.SimpleQueue("q").put("a")
    channel = connection.channel()
    assert channel.basic_get("q").payload == "a"
    assert connection.default_channel.basic_get("q") is None
    channel.close()
    assert connection.default_channel.basic_get("q").payload == "a"


def test_messages_that_need_no_acknowledgement_are_gone(connection: Connection) -> None:
    channel = connection.default_channel
    connection.SimpleQueue("q").put("a")
    assert channel.basic_get("q", no_ack=True).payload == "a"
    assert channel.basic_get("q") is None
    queue = connection.SimpleQueue("q", no_ack=True)
    queue.put("b")
    assert queue.get(timeout=1).payload == "b"
    queue.close()
    assert channel.store.owner and channel.basic_get("q") is None


def test_purging_and_asking_for_a_queue(connection: Connection) -> None:
    queue = connection.SimpleQueue("q")
    for _ in range(3):
        queue.put("a")
    assert queue.qsize() == 3
    assert queue.clear() == 3
    with pytest.raises(ChannelError):
        connection.default_channel.queue_declare("unknown", passive=True)
    queue.close()


def test_a_folder_that_cannot_be_used_is_a_connection_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Connection(broker.URL, transport_options={"folder": str(tmp_path / "file")}) as connection:
        with pytest.raises(OperationalError, match="File exists"):
            connection.ensure_connection(max_retries=1, timeout=1)
        assert connection.transport.driver_version()
