"""Streams that need the request which they answer, when that is over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .ctx import RequestContext, reset


class KeptStream:
    """Run each step of an iterator inside of a request context that is over, or will be, in the meantime.

    Between the steps nothing is bound. The context's teardown waits for the end of the stream.
    """

    def __init__(self, ctx: RequestContext, iterator: Iterator[Any]) -> None:
        self._ctx = ctx
        self._iterator = iterator
        self._open = True
        self._begun = False
        ctx.hold()

    def __iter__(self) -> KeptStream:
        return self

    def __next__(self) -> Any:
        token = self._ctx.bind()
        try:
            value = next(self._iterator)
        except BaseException as error:
            reset(token)
            self._end(None if isinstance(error, StopIteration) else error)
            raise
        reset(token)
        self._begun = True
        return value

    def close(self) -> None:
        """Close the iterator, and let the context run its teardown; it hears of a stream that is cut short."""
        self._end(GeneratorExit("the stream was closed before its end") if self._begun else None)

    def _end(self, error: BaseException | None) -> None:
        if not self._open:
            return
        self._open = False
        token = self._ctx.bind()
        try:
            close = getattr(self._iterator, "close", None)
            if close is not None:
                close()
        finally:
            reset(token)
            self._ctx.release(error)

    def __del__(self) -> None:
        self.close()
