"""JSON with the current application's provider, or with the plain defaults where there is no application.

The functions take what those of the standard library's ``json`` take, and of older releases `app` (the application
whose provider serves) and `encoding` (JSON comes and goes as bytes in that encoding).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from json import detect_encoding
from typing import IO, Any, overload

from markupsafe import Markup

from ..compat import DOCUMENTED, default_compat
from ..globals import NO_APP, current_frame, find_app
from .provider import STOCK_ARGUMENTS, STOCK_RESPONSE, DefaultJSONProvider, JSONDecoder, JSONEncoder

__all__ = [
    "JSONDecoder", "JSONEncoder", "detect_encoding", "dump", "dumps", "htmlsafe_dump", "htmlsafe_dumps", "jsonify",
    "jsonify_stream", "load", "loads", "tojson_filter",
]

#: What could end a script element or an attribute in single quotes, or begin a tag or an entity.
_HTML_ESCAPES = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&'"})


class _NoApplication:
    """Answer what a provider asks of its application, where there is none."""

    config: dict[str, Any] = {}
    blueprints: dict[str, Any] = {}
    json_decoder = json_encoder = None
    compat = DOCUMENTED
    debug = False


class _UnsortedProvider(DefaultJSONProvider):
    sort_keys = False


_no_application = _NoApplication()
_plain = DefaultJSONProvider(_no_application)
_unsorted = _UnsortedProvider(_no_application)


def _provider(app: Any) -> Any:
    if app is None:
        app = find_app()
    if app is not None:
        return app.json
    return _plain if default_compat().json_sorted_without_application else _unsorted


@overload
def dumps(obj: Any, *, app: Any = None, encoding: None = None, **kwargs: Any) -> str: ...


@overload
def dumps(obj: Any, *, app: Any = None, encoding: str, **kwargs: Any) -> bytes: ...


def dumps(obj: Any, *, app: Any = None, encoding: str | None = None, **kwargs: Any) -> str | bytes:
    """Return `obj` as JSON text, or as bytes if an `encoding` is given.

    :raises TypeError: `obj` holds something that has no form in JSON
    :raises ValueError: `obj` contains itself
    """
    text: str = _provider(app).dumps(obj, **kwargs)
    return text if encoding is None else text.encode(encoding)


def dump(obj: Any, fp: IO[Any], *, app: Any = None, encoding: str | None = None, **kwargs: Any) -> None:
    """Write `obj` as JSON to the text file `fp`, or to the binary file `fp` if an `encoding` is given.

    :raises TypeError: `obj` holds something that has no form in JSON
    :raises ValueError: `obj` contains itself
    """
    if encoding is None:
        _provider(app).dump(obj, fp, **kwargs)
    else:
        fp.write(dumps(obj, app=app, encoding=encoding, **kwargs))


def loads(s: str | bytes, *, app: Any = None, encoding: str | None = None, **kwargs: Any) -> Any:
    """Return the value of the JSON document `s`; bytes are Unicode of any form unless an `encoding` is given.

    :raises ValueError: `s` is not JSON, or not in that encoding
    """
    if encoding is not None and isinstance(s, (bytes, bytearray)):
        s = s.decode(encoding)
    return _provider(app).loads(s, **kwargs)


def load(fp: IO[Any], *, app: Any = None, encoding: str | None = None, **kwargs: Any) -> Any:
    """Return the value of the JSON document in the text or binary file `fp`.

    :raises ValueError: the content is not JSON, or not in the `encoding` given
    """
    if encoding is None:
        return _provider(app).load(fp, **kwargs)
    return loads(fp.read(), app=app, encoding=encoding, **kwargs)


def jsonify(*args: Any, **kwargs: Any) -> Any:
    """Return a response with the JSON of the arguments.

    As documented, the arguments are those of ``dict()``, and the body is indented unless an XMLHttpRequest asks. Under
    ``compat="3.1"`` one value of any kind, several values (a list) or none (null) are taken as well.

    :raises RuntimeError: there is no current application
    :raises TypeError: the arguments are none of these, or hold something that has no form in JSON
    """
    # What find_app() does: a call is a fortieth of all that is done for a small document.
    frame = current_frame()
    if frame is None:
        raise RuntimeError(NO_APP)
    app = frame[0].app
    provider = app.json
    if len(args) == 1 and not kwargs:
        # Each call without stars takes 0.1 microseconds less.
        kind = type(provider)
        if (
            kind.response is STOCK_RESPONSE
            and kind._prepare_response_obj is STOCK_ARGUMENTS
            and provider._takes_values
            and app.compat.jsonify_any_value
        ):
            return provider._respond(args[0])
        return provider.response(args[0])
    return provider.response(*args, **kwargs)


class _Stream:
    """Be the body of :func:`jsonify_stream`: an iterator, which the server closes.

    A generator would not do: closed before its first step, it would leave the rows open.
    """

    def __init__(self, app: Any, rows: Iterable[Any], rows_per_chunk: int) -> None:
        self._app = app
        self._source = rows
        self._rows = iter(rows)
        self._count = rows_per_chunk
        self._ended = False
        try:
            self._first = "[" + self._encoded()
        except BaseException:
            self.close()
            raise

    def _encoded(self) -> str:
        """Return the next rows as JSON without the brackets; nothing when there are no more."""
        rows = list(islice(self._rows, self._count))
        return self._app.json.dumps(rows).strip()[1:-1] if rows else ""

    def __iter__(self) -> _Stream:
        return self

    def __next__(self) -> str:
        if self._ended:
            raise StopIteration
        if self._first:
            first, self._first = self._first, ""
            return first
        # Set now, so that nothing comes after an exception.
        self._ended = True
        try:
            following = self._encoded()
        except Exception as error:
            # The status has been sent, so no error handler could answer; the server cuts the connection.
            self._app.logger.error("A stream of JSON ended before its last row", exc_info=error)
            raise
        if not following:
            return "]\n"
        self._ended = False
        return "," + following

    def close(self) -> None:
        """Close the rows, if they can be closed."""
        self._ended = True
        if hasattr(self._source, "close"):
            self._source.close()


def jsonify_stream(rows: Iterable[Any], rows_per_chunk: int = 100) -> Any:
    """Return a response with a JSON array of `rows`, which are fetched and sent some at a time.

    However many rows there are, `rows_per_chunk` of them are in memory. The first ones are encoded at once, so that
    what is wrong with them is answered as an error; an exception after that is logged and goes to the server, which
    cuts the connection, so that nobody takes the part for the whole. The response has no length. Rows that are
    made with the request at hand need :func:`~microflask.helpers.stream_with_context`. A generator is closed at the
    end, also if the client goes away.

    :raises RuntimeError: there is no current application
    :raises TypeError: `rows` is not iterable, or one of the first holds something that has no form in JSON
    :raises ValueError: `rows_per_chunk` is less than 1
    """
    app = find_app()
    if app is None:
        raise RuntimeError(NO_APP)
    if rows_per_chunk < 1:
        raise ValueError(f"rows_per_chunk has to be 1 or more, it is {rows_per_chunk!r}")
    mimetype = getattr(app.json, "mimetype", "application/json")
    return app.response_class(_Stream(app, rows, rows_per_chunk), mimetype=mimetype)


def htmlsafe_dumps(obj: Any, **kwargs: Any) -> str:
    r"""Return `obj` as JSON that may stand in HTML text, in a script element and in a single-quoted attribute.

    ``<``, ``>``, ``&`` and ``'`` are written as ``\u003c`` and so on, which JavaScript reads as the same text. The
    result is a Markup, but for ``compat="0.10"``.
    """
    text: str = dumps(obj, **kwargs).translate(_HTML_ESCAPES)
    app = find_app()
    compat = default_compat() if app is None else app.compat
    return Markup(text) if compat.htmlsafe_json_is_markup else text


def htmlsafe_dump(obj: Any, fp: IO[str], **kwargs: Any) -> None:
    """Write `obj` to the text file `fp` as :func:`htmlsafe_dumps` returns it."""
    fp.write(str(htmlsafe_dumps(obj, **kwargs)))


def tojson_filter(obj: Any, **kwargs: Any) -> Markup:
    """Return `obj` as :func:`htmlsafe_dumps` does; this is the ``tojson`` filter of templates."""
    return Markup(htmlsafe_dumps(obj, **kwargs))
