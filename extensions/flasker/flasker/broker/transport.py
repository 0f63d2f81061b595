"""The embedded broker as a transport of kombu, which is what Celery sends and gets its messages with."""

from __future__ import annotations

import queue
import sqlite3
from functools import cache
from typing import Any

from kombu.transport import virtual
from kombu.transport.base import to_rabbitmq_queue_arguments

from .store import Store


@cache
def open_store(folder: str) -> Store:
    """Return this process's view of the broker in `folder`."""
    return Store(folder)


class QoS(virtual.QoS):
    """Remove and release messages in the store; kombu itself would keep them in memory, and lose them with it."""

    def ack(self, delivery_tag: Any) -> None:
        """Remove a message that was dealt with."""
        self.channel.store.remove(int(delivery_tag))
        super().ack(delivery_tag)

    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        """Put a message back into its queue, or remove it."""
        if requeue:
            self.channel.store.release(int(delivery_tag))
            super().ack(delivery_tag)
        else:
            self.ack(delivery_tag)

    def restore_unacked(self) -> list[Any]:
        """Put everything back that was not dealt with."""
        self._flush()
        while self._delivered:
            delivery_tag, _ = self._delivered.popitem()
            self.channel.store.release(int(delivery_tag))
        return []


class Channel(virtual.Channel):
    """Take messages from the store, and put them there."""

    QoS = QoS
    supports_fanout = True

    def __init__(self, connection: Any, **options: Any) -> None:
        super().__init__(connection, **options)
        self.store = open_store(connection.client.transport_options["folder"])
        self._unacknowledged: set[str] = set()
        # Whoever cannot open the file is told so here, where a connection is expected to fail.
        self.store.size("")

    def prepare_queue_arguments(self, arguments: Any, **options: Any) -> Any:
        """Return the arguments of a queue with its expiration in them."""
        return to_rabbitmq_queue_arguments(arguments, **options)

    def basic_consume(self, queue: str, no_ack: bool, *args: Any, **options: Any) -> Any:
        """Deliver the messages of a queue to a callback."""
        if no_ack:
            self._unacknowledged.add(queue)
        return super().basic_consume(queue, no_ack, *args, **options)

    def basic_get(self, queue: str, no_ack: bool = False, **options: Any) -> Any:
        """Return the next message of a queue, or None."""
        message = super().basic_get(queue, no_ack=False, **options)
        if no_ack and message is not None:
            self.basic_ack(str(message.delivery_tag))
        return message

    def get_table(self, exchange: str) -> list[Any]:
        """Return the bindings of an exchange: those that any process made."""
        return self.store.bindings(exchange)

    def queue_delete(self, queue: str, if_unused: bool = False, if_empty: bool = False, **options: Any) -> None:
        """Remove a queue, whoever made it."""
        if not (if_empty and self._size(queue)):
            self.store.delete(queue)
            self.state.queue_bindings_delete(queue)

    def queue_unbind(
        self, queue: str, exchange: str | None = None, routing_key: str = "", arguments: Any = None, **options: Any
    ) -> None:
        """Let no more messages for an exchange come into a queue."""
        self.state.binding_delete(queue, exchange or "", routing_key)
        self.store.unbind(exchange or "", routing_key, queue)

    # -- what kombu asks of a transport --------------------------------------------------------------------------

    def _new_queue(self, queue: str, arguments: Any = None, **options: Any) -> None:
        expires, ttl = ((arguments or {}).get(name) for name in ("x-expires", "x-message-ttl"))
        self.store.declare(queue, expires and expires / 1000, ttl and ttl / 1000)

    def _has_queue(self, queue: str, **options: Any) -> bool:
        return self.store.exists(queue)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        self.store.bind(exchange, routing_key or "", pattern or "", queue or "")

    def _put(self, queue: str, message: dict[str, Any], **options: Any) -> None:
        self.store.put(queue, message, self._get_message_priority(message))

    def _put_fanout(self, exchange: str, message: dict[str, Any], routing_key: str, **options: Any) -> None:
        for _, _, bound in self.store.bindings(exchange):
            self._put(bound, message)

    def _get(self, queue_name: str, timeout: float | None = None) -> dict[str, Any]:
        taken = self.store.take(queue_name)
        if taken is None:
            raise queue.Empty
        number, message, redelivered = taken
        if queue_name in self._unacknowledged:
            self.store.remove(number)
        properties = message["properties"]
        properties["delivery_tag"] = str(number)
        properties["delivery_info"]["redelivered"] = redelivered
        return message

    def _size(self, queue: str) -> int:
        return self.store.size(queue)

    def _purge(self, queue: str) -> int:
        return self.store.purge(queue)


class Transport(virtual.Transport):
    """Be the transport for the URL ``flasker://``."""

    Channel = Channel
    driver_type = "flasker"
    driver_name = "flasker"
    #: Seconds between two looks for messages when there were none.
    polling_interval = 0.2
    connection_errors: Any = (*virtual.Transport.connection_errors, sqlite3.Error, OSError)
    channel_errors = virtual.Transport.channel_errors
    implements = virtual.Transport.implements.extend(exchange_type=frozenset(["direct", "topic", "fanout"]))

    def driver_version(self) -> str:
        """Return the version of SQLite."""
        return sqlite3.sqlite_version
