"""Coroutines on a synchronous server: one event loop for each worker thread, kept from request to request."""

from __future__ import annotations

import inspect
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import partial, update_wrapper
from types import FunctionType
from typing import TYPE_CHECKING, Any
from weakref import finalize

if TYPE_CHECKING:
    import asyncio

_UNSET: Any = object()
_NAMES = ("__module__", "__name__", "__qualname__", "__doc__")


class _Kept:
    """Own a loop, and close it when the thread that it belongs to ends, or the interpreter."""

    def __init__(self) -> None:
        import asyncio

        # It does not become the one that asyncio.get_event_loop() finds in this thread.
        self.loop = asyncio.new_event_loop()
        #: Whether the interpreter calls its signal handlers in this thread.
        self.gets_signals = threading.current_thread() is threading.main_thread()
        # At the end of the interpreter too, where the values of a thread are not given up in time.
        finalize(self, _close, self.loop)


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel the tasks that are left, wait for their end, and close the loop."""
    # Not Runner.close(), which starts a thread to wait for others: a thread that ends cannot do that, and neither can
    # an interpreter.
    import asyncio

    if loop.is_running():
        # In a daemon thread, when the interpreter ends.
        return
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


_thread = threading.local()
# The module below `signal` has both without the conversions to members of an enumeration: 1 microsecond less each.
_signals: Any = sys.modules.get("_signal", signal)
_get_handler, _set_handler = _signals.getsignal, _signals.signal
SIGINT = int(signal.SIGINT)
default_int_handler = signal.default_int_handler


def is_coroutine_function(function: Any) -> bool:
    """Tell whether calling `function` makes a coroutine; knows partials, methods and marked functions too."""
    if type(function) is FunctionType and function.__code__.co_flags & inspect.CO_COROUTINE:
        # What is written as ``async def``: 0.1 microseconds instead of 0.6.
        return True
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(type(function), "__call__", None)  # noqa: B004 - an object whose class defines a coroutine
    )


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in this thread's loop and return its result; context variables go in and come out.

    :raises RuntimeError: this thread is running an event loop already
    """
    # Importing it takes 20 ms, which an application without coroutine functions need not spend.
    import asyncio

    if asyncio._get_running_loop() is not None:
        coroutine.close()
        raise RuntimeError(
            "an async view cannot be run inside of a running event loop: call the application from a thread without"
            " one, e.g. with asyncio.to_thread(), or override async_to_sync()"
        )
    kept: _Kept | None = getattr(_thread, "kept", None)
    if kept is None:
        kept = _thread.kept = _Kept()
    context = copy_context()
    task = kept.loop.create_task(coroutine, context=context)
    try:
        if kept.gets_signals and _get_handler(SIGINT) is default_int_handler:
            return _run_until_interrupt(kept.loop, task)
        return kept.loop.run_until_complete(task)
    finally:
        # What the coroutine set is set for its caller as well, as if it had been called directly.
        for variable, value in context.items():
            if variable.get(_UNSET) is not value:
                variable.set(value)


def _run_until_interrupt(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> Any:
    """Run a task, and let it end in order at Ctrl-C, as asyncio.Runner does; a second one does not wait.

    :raises KeyboardInterrupt: Ctrl-C ended it
    """
    interrupted = False

    def on_interrupt(signum: int, frame: Any) -> None:
        nonlocal interrupted
        if interrupted or task.done():
            raise KeyboardInterrupt
        interrupted = True
        task.cancel()
        # Where the loop waits for something else, it has to look again.
        loop.call_soon_threadsafe(lambda: None)

    _set_handler(SIGINT, on_interrupt)
    try:
        return loop.run_until_complete(task)
    except BaseException as error:
        import asyncio

        # Was it cancelled by the interrupt, and by nobody else?
        if interrupted and isinstance(error, asyncio.CancelledError) and task.uncancel() == 0:
            raise KeyboardInterrupt from None
        raise
    finally:
        if _get_handler(SIGINT) is on_interrupt:
            _set_handler(SIGINT, default_int_handler)


def async_to_sync(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """Return a function that runs the coroutine function in this thread's loop."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return run(function(*args, **kwargs))

    # Not the annotations, which would be looked up at each call: 0.9 microseconds instead of 2.0.
    return update_wrapper(call, function, _NAMES)
