"""Coroutines on a synchronous server: one event loop for each worker thread, kept from request to request."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import partial, wraps
from threading import local
from typing import TYPE_CHECKING, Any
from weakref import finalize

if TYPE_CHECKING:
    import asyncio

_UNSET: Any = object()


class _Kept:
    """Own a runner, and close it when the thread that it belongs to ends, or the interpreter."""

    def __init__(self) -> None:
        import asyncio

        # With a factory, the loop does not become the one that asyncio.get_event_loop() finds in this thread.
        self.runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        # At the end of the interpreter too, where the values of a thread are not given up in time.
        finalize(self, _close, self.runner)


def _close(runner: asyncio.Runner) -> None:
    # The loop of a daemon thread may be running when the interpreter ends.
    if not runner.get_loop().is_running():
        runner.close()


_thread = local()


def is_coroutine_function(function: Any) -> bool:
    """Tell whether calling `function` makes a coroutine; knows partials, methods and marked functions too."""
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

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        coroutine.close()
        raise RuntimeError(
            "an async view cannot be run inside of a running event loop: call the application from a thread without"
            " one, e.g. with asyncio.to_thread(), or override async_to_sync()"
        )
    kept: _Kept | None = getattr(_thread, "kept", None)
    if kept is None:
        kept = _thread.kept = _Kept()
    context = copy_context()
    try:
        return kept.runner.run(coroutine, context=context)
    finally:
        # What the coroutine set is set for its caller as well, as if it had been called directly.
        for variable, value in context.items():
            if variable.get(_UNSET) is not value:
                variable.set(value)


def async_to_sync(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """Return a function that runs the coroutine function in this thread's loop."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return run(function(*args, **kwargs))

    return call
