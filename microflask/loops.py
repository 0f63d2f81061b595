"""Coroutines on a synchronous server: one event loop for each worker thread, kept from request to request."""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import partial, update_wrapper
from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any
from weakref import finalize

if TYPE_CHECKING:
    import asyncio

_UNSET: Any = object()
_NAMES = ("__module__", "__name__", "__qualname__", "__doc__")


#: For how many rounds in a row a loop that has something to do may leave its files alone.
_ROUNDS = 8


def _make_selector() -> Any:
    """Return a selector that tells its loop when the awaited task is done, and asks the system less often.

    A loop asks its selector once in each of its rounds. A view that waits for no file makes some rounds with nothing
    to see there, a system call each; and the end of the task needs no callback of its own. A short async view takes
    117 instead of 143 thousand machine instructions.
    """
    from selectors import DefaultSelector

    class Selector(DefaultSelector):
        def __init__(self) -> None:
            super().__init__()
            #: What the loop runs for, and what makes this its last round.
            self.awaited: asyncio.Task[Any] | None = None
            self.stop: Callable[[], None] | None = None
            self._rounds = _ROUNDS

        def select(self, timeout: float | None = None) -> Any:
            awaited = self.awaited
            if awaited is not None and awaited.done():
                # What is ready is still called, as it is before a callback of the task.
                self.stop()  # type: ignore[misc]
                return []
            if timeout == 0 and self._rounds:
                self._rounds -= 1
                return []
            self._rounds = _ROUNDS
            return super().select(timeout)

    return Selector()


class _Kept:
    """Own a loop, and close it when the thread that it belongs to ends, or the interpreter."""

    def __init__(self) -> None:
        import asyncio

        self.find_running_loop = asyncio._get_running_loop
        # It does not become the one that asyncio.get_event_loop() finds in this thread.
        self.loop = asyncio.new_event_loop()
        self.selector: Any = None
        if type(self.loop) is asyncio.SelectorEventLoop:
            # Neither that of another system nor that of a policy, e.g. uvloop's.
            self.loop.close()
            self.selector = _make_selector()
            self.loop = asyncio.SelectorEventLoop(self.selector)
            self.selector.stop = self.loop.stop
        #: Whether the interpreter calls its signal handlers in this thread.
        self.gets_signals = threading.current_thread() is threading.main_thread()
        # At the end of the interpreter too, where the values of a thread are not given up in time.
        finalize(self, _close, self.loop)

    def run(self, task: asyncio.Task[Any]) -> Any:
        """Run the loop until a task of it is done, and return its result.

        :raises RuntimeError: somebody stopped the loop
        """
        selector = self.selector
        if selector is None:
            return self.loop.run_until_complete(task)
        selector.awaited = task
        try:
            self.loop.run_forever()
        except BaseException:
            if task.done() and not task.cancelled():
                # An interrupt comes out here; asyncio would log that nobody asked the task for it.
                task.exception()
            raise
        finally:
            selector.awaited = None
        if not task.done():
            raise RuntimeError("the event loop was stopped before the coroutine had ended: leave out that stop()")
        return task.result()


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
# The module below `signal` has both without the conversions to members of an enumeration: 1 microsecond less each,
# and 0.8 ms less at the import.
_signals: Any = sys.modules.get("_signal") or import_module("signal")
_get_handler, _set_handler = _signals.getsignal, _signals.signal
SIGINT = int(_signals.SIGINT)
default_int_handler = _signals.default_int_handler


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
    kept: _Kept | None = getattr(_thread, "kept", None)
    if kept is None:
        # Importing it takes 20 ms, which an application without coroutine functions need not spend.
        from asyncio import _get_running_loop as find_running_loop
    else:
        find_running_loop = kept.find_running_loop
    if find_running_loop() is not None:
        coroutine.close()
        raise RuntimeError(
            "an async view cannot be run inside of a running event loop: call the application from a thread without"
            " one, e.g. with asyncio.to_thread(), or override async_to_sync()"
        )
    if kept is None:
        kept = _thread.kept = _Kept()
    context = copy_context()
    task = kept.loop.create_task(coroutine, context=context)
    try:
        if kept.gets_signals and _get_handler(SIGINT) is default_int_handler:
            return _run_until_interrupt(kept, task)
        return kept.run(task)
    finally:
        # What the coroutine set is set for its caller as well, as if it had been called directly.
        for variable, value in context.items():
            if variable.get(_UNSET) is not value:
                variable.set(value)


def _run_until_interrupt(kept: _Kept, task: asyncio.Task[Any]) -> Any:
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
        kept.loop.call_soon_threadsafe(lambda: None)

    _set_handler(SIGINT, on_interrupt)
    try:
        return kept.run(task)
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
