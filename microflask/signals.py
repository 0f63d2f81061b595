"""The signals that an application sends, and the namespace class with which extensions make their own.

Every signal is sent with the application as sender. The library asks ``if signal.receivers`` first, so a signal that
nobody is connected to costs nothing.
"""

from __future__ import annotations

from blinker import Namespace

__all__ = [
    "Namespace",
    "appcontext_popped",
    "appcontext_pushed",
    "appcontext_tearing_down",
    "before_render_template",
    "got_request_exception",
    "message_flashed",
    "request_finished",
    "request_started",
    "request_tearing_down",
    "signals_available",
    "template_rendered",
]

#: Whether signals work. Blinker is a requirement, so they always do; the name stays for code that asks.
signals_available = True

_signals = Namespace()

# The life of a request, in order.
appcontext_pushed = _signals.signal("appcontext-pushed", "An application context became the current one.")
request_started = _signals.signal(
    "request-started", "The request context is bound; nothing of the request has been handled yet."
)
got_request_exception = _signals.signal(
    "got-request-exception", "Handling the request failed. Carries ``exception``; sent before any 500 is made of it."
)
request_finished = _signals.signal("request-finished", "The answer is about to leave. Carries ``response``.")
request_tearing_down = _signals.signal(
    "request-tearing-down", "The request context ends, whatever happened in it. Carries ``exc``, an exception or None."
)
appcontext_tearing_down = _signals.signal(
    "appcontext-tearing-down", "The application context ends. Carries ``exc``, an exception or None."
)
appcontext_popped = _signals.signal("appcontext-popped", "An application context is no longer the current one.")

# What may happen during one.
message_flashed = _signals.signal("message-flashed", "A message was flashed. Carries ``message`` and ``category``.")
before_render_template = _signals.signal(
    "before-render-template", "A template will be rendered next. Carries ``template`` and ``context``."
)
template_rendered = _signals.signal(
    "template-rendered", "A template was rendered without an error. Carries ``template`` and ``context``."
)
