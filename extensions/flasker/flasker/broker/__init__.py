"""The embedded broker: Celery's messages in a file, for processes on one machine and without a server."""

from __future__ import annotations

from kombu.transport import TRANSPORT_ALIASES

#: The broker's URL; where its file is stands in the transport options, as `folder`.
URL = "flasker://localhost//"

TRANSPORT_ALIASES.setdefault("flasker", "flasker.broker.transport:Transport")
