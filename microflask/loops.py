"""Coroutines on a synchronous server: one event loop for each worker thread, kept from request to request."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from threading import local
from typing import Any


class _Loop(local):
    """Own the event loop of one thread, and close it when the thread ends."""

    def __init__(self) -> None:
        self.runner: asyncio.Runner | None = None

    def __del__(self) -> None:
        if self.runner is not None:
            self.runner.close()


_loop = _Loop()


def is_coroutine_function(function: Any) -> bool:
    """Tell whether calling `function` makes a coroutine; knows partials, methods and marked functions too."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(type(function), "__call__", None)  # noqa: B004 - an object whose class defines a coroutine
    )


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in this thread's loop and return its result.

    :raises RuntimeError: this thread is running an event loop already
    """
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
    if _loop.runner is None:
        _loop.runner = asyncio.Runner()
    return _loop.runner.run(coroutine)


def async_to_sync(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """Return a function that runs the coroutine function in this thread's loop."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return run(function(*args, **kwargs))

    return call
