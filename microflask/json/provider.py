"""How an application turns values into JSON and back: the provider of ``app.json`` and the documented classes.

The provider reads its options each time, because the configuration, its own attributes and the application's
encoder class may be changed at any moment. What it keeps is the encoder made for one set of options.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import weakref
from collections.abc import Callable, Mapping
from datetime import date
from typing import IO, Any
from uuid import UUID

from werkzeug.http import http_date

from ..config import version_of
from ..globals import current_frame, find_request_ctx
from .rows import MANY, RowWriter

#: Layouts of a response: keyword arguments of ``dumps``.
_ONE_LINE: dict[str, Any] = {}
_COMPACT: dict[str, Any] = {"separators": (",", ":")}
_INDENTED: dict[str, Any] = {"indent": 2}
_DOCUMENTED: dict[str, Any] = {"indent": 2, "separators": (", ", ": ")}

#: More sets of options than this are not the settings of a program but a caller making them up.
_KEPT_ENCODERS = 32


def _default(o: Any) -> Any:
    """Return what stands in JSON for `o`, which the encoder itself does not know.

    :raises TypeError: nothing stands for a value of this type
    """
    if isinstance(o, date):
        return http_date(o)
    # Whoever has a Decimal has imported its module, which takes a while.
    decimal = sys.modules.get("decimal")
    if isinstance(o, UUID) or (decimal is not None and isinstance(o, decimal.Decimal)):
        return str(o)
    if dataclasses.is_dataclass(o) and not isinstance(o, type):
        # One level only: the encoder comes back for the fields, so it sees a circle, and so does a caller's default.
        return {field.name: getattr(o, field.name) for field in dataclasses.fields(o)}
    if hasattr(o, "__html__"):
        return str(o.__html__())
    raise TypeError(
        f"Object of type {type(o).__qualname__} is not JSON serializable: convert it first, or give app.json.default"
        " (or app.json_encoder) a rule for it"
    )


class JSONEncoder(json.JSONEncoder):
    """Encode what the standard encoder does, and dates, UUIDs, decimals, dataclasses and objects with ``__html__``.

    Dates become RFC 822 texts in GMT; a datetime without a time zone is taken as UTC. `encoding` is accepted for old
    callers; text is text today, so it changes nothing. Set a subclass as ``app.json_encoder`` to use it.
    """

    def __init__(
        self, skipkeys: bool = False, ensure_ascii: bool = True, check_circular: bool = True, allow_nan: bool = True,
        sort_keys: bool = False, indent: int | str | None = None, separators: tuple[str, str] | None = None,
        encoding: str | None = "utf-8", default: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(
            skipkeys=skipkeys, ensure_ascii=ensure_ascii, check_circular=check_circular, allow_nan=allow_nan,
            sort_keys=sort_keys, indent=indent, separators=separators, default=default,
        )
        self.encoding = encoding

    def default(self, o: Any) -> Any:
        """Return a serialisable stand-in for `o`; override it for more types, and call it for the rest.

        :raises TypeError: nothing stands for a value of this type
        """
        return _default(o)


class JSONDecoder(json.JSONDecoder):
    """Decode as the standard decoder does; bytes are decoded with `encoding`, or as the UTF they are in."""

    def __init__(
        self, encoding: str | None = None, object_hook: Callable[[dict[str, Any]], Any] | None = None,
        parse_float: Callable[[str], Any] | None = None, parse_int: Callable[[str], Any] | None = None,
        parse_constant: Callable[[str], Any] | None = None, strict: bool = True,
        object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
    ) -> None:
        super().__init__(
            object_hook=object_hook, parse_float=parse_float, parse_int=parse_int, parse_constant=parse_constant,
            strict=strict, object_pairs_hook=object_pairs_hook,
        )
        self.encoding = encoding

    def decode(self, s: str | bytes, *args: Any) -> Any:
        """Return the value of the JSON document `s`.

        :raises ValueError: `s` is not JSON, or not in its encoding
        """
        if isinstance(s, (bytes, bytearray)):
            s = s.decode(self.encoding or json.detect_encoding(s))
        return super().decode(s, *args)


class JSONProvider:
    """Serve an application's JSON; subclass it to use another library, with `dumps` and `loads` at least.

    It is made with the application: ``app.json = MyProvider(app)``. The application is held weakly.
    """

    #: Whether, as long as the methods are the stock ones, the response for one value is that of _respond().
    _takes_values = False

    def __init__(self, app: Any) -> None:
        self._app = weakref.proxy(app)

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Return `obj` as JSON text."""
        raise NotImplementedError(f"{type(self).__name__} has to define dumps(obj, **kwargs)")

    def dump(self, obj: Any, fp: IO[str], **kwargs: Any) -> None:
        """Write `obj` as JSON to the text file `fp`."""
        fp.write(self.dumps(obj, **kwargs))

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return the value of the JSON document `s`."""
        raise NotImplementedError(f"{type(self).__name__} has to define loads(s, **kwargs)")

    def load(self, fp: IO[str] | IO[bytes], **kwargs: Any) -> Any:
        """Return the value of the JSON document in the file `fp`."""
        return self.loads(fp.read(), **kwargs)

    def _prepare_response_obj(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the one value that the arguments of :meth:`response` stand for.

        :raises TypeError: the arguments do not stand for one, or not for one the application's row of behaviour allows
        """
        if not self._app.compat.jsonify_any_value:
            return _as_dict(args, kwargs)
        if kwargs:
            if args:
                raise TypeError(
                    "jsonify takes args or kwargs, not both: put the keyword arguments into a dict of their own"
                )
            return kwargs
        if len(args) == 1:
            return args[0]
        return list(args) or None

    def response(self, *args: Any, **kwargs: Any) -> Any:
        """Return a response whose body is the JSON of the arguments; this is what ``jsonify`` calls.

        :raises TypeError: see :func:`microflask.json.jsonify`
        """
        return self._respond(self._prepare_response_obj(args, kwargs))

    def response_value(self, value: Any) -> Any:
        """Return a response for a value that a view returned, of any kind JSON has."""
        return self._respond(value) if type(self).response is STOCK_RESPONSE else self.response(value)

    def _respond(self, value: Any) -> Any:
        """Return the response for one value."""
        return self._app.response_class(self.dumps(value), mimetype="application/json")


STOCK_RESPONSE = JSONProvider.response
STOCK_ARGUMENTS = JSONProvider._prepare_response_obj


def _as_dict(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return ``dict(*args, **kwargs)``, or name the way out.

    :raises TypeError: ``dict()`` refuses the arguments
    """
    if not args:
        return kwargs
    try:
        return dict(*args, **kwargs)
    except (TypeError, ValueError) as error:
        given = ", ".join(type(arg).__name__ for arg in args)
        raise TypeError(
            f"jsonify takes what dict() takes, so that the body is an object; it was given: {given}. Name the value,"
            " jsonify(items=...), or return a list from the view itself, or choose Flask(..., compat='3.1')"
        ) from error


class DefaultJSONProvider(JSONProvider):
    """Serve JSON with the standard library.

    The options are class attributes, which an instance or a subclass may replace. The configuration's JSON_AS_ASCII,
    JSON_SORT_KEYS and JSONIFY_PRETTYPRINT_REGULAR win over them where somebody has set them, and the encoder and
    decoder classes of the application, or of the request's blueprint, where they are not the stock ones.
    """

    #: Turns an object the encoder does not know into one that it knows, or raises TypeError.
    default: Callable[[Any], Any] = staticmethod(_default)
    #: Whether characters outside ASCII are written as escapes.
    ensure_ascii: bool = True
    #: Whether the keys of objects are sorted; keys of mixed types then raise TypeError.
    sort_keys: bool = True
    #: Whether responses have no white space; None leaves it to the debug flag.
    compact: bool | None = None
    #: The content type of responses.
    mimetype: str = "application/json"
    _takes_values = True

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        # Asking a proxy for an attribute takes twice as long.
        self._find = weakref.ref(app)
        self._encoders: dict[tuple[Any, ...], Callable[[Any], str]] = {}
        self._own_dumps = False
        self._plan: _Plan = ((), _ONE_LINE, "", None, False)
        self._compact_plan: tuple[tuple[Any, ...], Callable[[Any], str] | None] = ((), None)

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name == "dumps":
            self._own_dumps = True
        elif name == "response" or name == "_prepare_response_obj":
            self._takes_values = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Return `obj` as JSON text; keyword arguments are those of :class:`JSONEncoder` and ``cls``.

        :raises TypeError: `obj` holds something that has no form in JSON
        :raises ValueError: `obj` contains itself
        """
        cls = kwargs.pop("cls", None) or self._chosen_class("json_encoder", JSONEncoder)
        if cls is not JSONEncoder:
            return self._foreign_encoder(cls, kwargs).encode(obj)
        if "default" in kwargs:
            self._add_options(kwargs)
            return JSONEncoder(**kwargs).encode(obj)
        return self._kept_encoder(kwargs)(obj)

    def dump_compact(self, obj: Any) -> str:
        """Return what :meth:`dumps` does for separators without white space; in 1.2 microseconds, not 1.8.

        :raises TypeError: `obj` holds something that has no form in JSON
        :raises ValueError: `obj` contains itself
        """
        app: Any = self._find()
        state = (
            version_of(app.config), self.ensure_ascii, self.sort_keys, self.default, type(self).dumps, self._own_dumps,
            self._class_of_blueprint(app, "json_encoder") or app.json_encoder,
        )  # fmt: skip
        kept, encode = self._compact_plan
        if kept != state:
            *_, dumps, own, cls = state
            stock = dumps is _STOCK_DUMPS and not own and (cls is None or cls is JSONEncoder)
            encode = self._kept_encoder(dict(_COMPACT)) if stock else None
            self._compact_plan = (state, encode)
        return self.dumps(obj, **_COMPACT) if encode is None else encode(obj)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return the value of the JSON document `s`; bytes may be UTF-8, UTF-16 or UTF-32.

        :raises ValueError: `s` is not JSON, not Unicode, or nested deeper than the interpreter can follow
        """
        if not kwargs or "cls" not in kwargs:
            app: Any = self._find()
            cls = self._class_of_blueprint(app, "json_decoder") or app.json_decoder
            if cls is not None and cls is not JSONDecoder:
                kwargs["cls"] = cls
        try:
            return json.loads(s, **kwargs) if kwargs else _loads(s)
        except RecursionError as error:
            text = s if isinstance(s, str) else ""
            raise json.JSONDecodeError("The document is nested too deeply", text, 0) from error

    def _respond(self, value: Any) -> Any:
        app: Any = self._find()
        kind = app.response_class
        # All that the answer depends on besides the value; any of it may change at any time.
        state = (
            version_of(app.config), self.ensure_ascii, self.sort_keys, self.compact, self.default, app.compat,
            type(self).dumps, kind,
            self._class_of_blueprint(app, "json_encoder") or app.json_encoder,
        )  # fmt: skip
        kept, layout, end, encode, by_position = self._plan
        if kept != state:
            self._plan = _, layout, end, encode, by_position = self._make_plan(state)
        if layout is _DOCUMENTED and _is_xhr():
            layout, encode = (_COMPACT if self.compact else _ONE_LINE), None
        text = self.dumps(value, **layout) if encode is None or self._own_dumps else encode(value)
        if by_position:
            return kind(text + end, None, None, self.mimetype, None, False)
        return kind(text + end, mimetype=self.mimetype)

    def _make_plan(self, state: tuple[Any, ...]) -> _Plan:
        """Return how :meth:`_respond` answers in that state."""
        *_, dumps, kind, cls = state
        layout, end = self._layout()
        stock = dumps is _STOCK_DUMPS and (cls is None or cls is JSONEncoder)
        return state, layout, end, self._kept_encoder(dict(layout)) if stock else None, _takes_positions(kind)

    def _layout(self) -> tuple[Mapping[str, Any], str]:
        """Return how a response is laid out, as arguments of `dumps`, and what its body ends with.

        An XMLHttpRequest gets one line all the same, as documented.
        """
        app: Any = self._find()
        indent = None if self.compact is None else not self.compact
        regular = app.config.get("JSONIFY_PRETTYPRINT_REGULAR")
        if regular is not None and (indent is None or regular != _stock(app, "JSONIFY_PRETTYPRINT_REGULAR")):
            indent = bool(regular)
        if not app.compat.jsonify_pretty:
            if indent is None:
                indent = app.config["DEBUG"]
            return (_INDENTED if indent else _COMPACT), "\n"
        if indent is not False:
            return _DOCUMENTED, ""
        return (_COMPACT if self.compact else _ONE_LINE), ""

    def _add_options(self, kwargs: dict[str, Any]) -> None:
        """Add the application's options to those of one call, which win."""
        config = self._find().config  # type: ignore[union-attr]
        if "ensure_ascii" not in kwargs:
            kwargs["ensure_ascii"] = self._option(config, "JSON_AS_ASCII", self.ensure_ascii)
        if "sort_keys" not in kwargs:
            kwargs["sort_keys"] = self._option(config, "JSON_SORT_KEYS", self.sort_keys)

    def _option(self, config: Mapping[str, Any], key: str, own: bool) -> bool:
        """Return what counts: the configuration's value if somebody set it, else the provider's own."""
        value = config.get(key)
        if value is None or (own is not True and value == _stock(self._find(), key)):
            return own
        return bool(value)

    def _chosen_class(self, attribute: str, stock: type[Any]) -> type[Any]:
        """Return the class named `attribute` of the request's blueprint or of the application, or else `stock`."""
        app: Any = self._find()
        return self._class_of_blueprint(app, attribute) or getattr(app, attribute, None) or stock

    def _class_of_blueprint(self, app: Any, attribute: str) -> Any:
        frame = current_frame()
        if frame is None or (ctx := frame[1]) is None or (name := ctx.scopes()[0]) is None or ctx.app.json is not self:
            return None
        return getattr(app.blueprints.get(name), attribute, None)

    def _kept_encoder(self, options: dict[str, Any]) -> Callable[[Any], str]:
        """Return what encodes with these options and the provider's `default`, made once for each set of them."""
        config = self._find().config  # type: ignore[union-attr]
        chosen = (config.get("JSON_AS_ASCII"), config.get("JSON_SORT_KEYS"), self.ensure_ascii, self.sort_keys)
        key = (self.default, chosen, *options.items())
        try:
            encode = self._encoders.get(key)
        except TypeError:  # an option cannot be hashed, such as separators given as a list
            encode, key = None, ()
        if encode is None:
            self._add_options(options)
            encode = _one_shot(JSONEncoder(default=self.default, **options))
            if len(self._encoders) >= _KEPT_ENCODERS:
                self._encoders.clear()
            if key:
                self._encoders[key] = encode
        return encode

    def _foreign_encoder(self, cls: type[json.JSONEncoder], options: dict[str, Any]) -> json.JSONEncoder:
        """Return an encoder of a caller's class, always a new one: nobody knows what such an object remembers."""
        self._add_options(options)
        if getattr(cls, "default", None) is JSONEncoder.default:
            options.setdefault("default", self.default)
        # Classes written for json.dumps may insist on the arguments that it always passes.
        for name, value in _STANDARD_OPTIONS.items():
            options.setdefault(name, value)
        return cls(**options)


#: A state, and what answers in it: arguments of `dumps`, the end of the body, what encodes if that is not asked to,
#: and whether the class of responses takes its arguments by position.
_Plan = tuple[tuple[Any, ...], Mapping[str, Any], str, Callable[[Any], str] | None, bool]
_STOCK_DUMPS = DefaultJSONProvider.dumps
_RESPONSE_ARGUMENTS = ("self", "response", "status", "headers", "mimetype", "content_type", "direct_passthrough")


def _takes_positions(kind: Any) -> bool:
    """Tell whether a class of responses takes its arguments in werkzeug's order; called so it takes 0.2 microseconds
    less."""
    code = getattr(kind.__init__, "__code__", None)
    return code is not None and code.co_varnames[: code.co_argcount] == _RESPONSE_ARGUMENTS


def _one_shot(encoder: JSONEncoder) -> Callable[[Any], str]:
    """Return the encoder's ``encode`` with its part in C made once, which takes 0.6 microseconds each time."""
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    text = json.encoder.encode_basestring_ascii if encoder.ensure_ascii else json.encoder.encode_basestring
    indent = " " * encoder.indent if isinstance(encoder.indent, int) else encoder.indent

    def make_writer(default: Callable[[Any], Any], item_separator: str) -> Any:
        # No table of what is being encoded, which would outlive an error: a circle ends in the recursion limit.
        return make(
            None, default, text, indent, encoder.key_separator, item_separator, encoder.sort_keys, encoder.skipkeys,
            encoder.allow_nan,
        )  # fmt: skip

    write, join = make_writer(encoder.default, encoder.item_separator), "".join
    if indent is not None and join(write([[0]], 0)) != encoder.encode([[0]]):
        # The part in C can indent since Python 3.13.
        return encoder.encode
    separators = (encoder.item_separator, encoder.key_separator)
    rows = None
    if encoder.sort_keys and indent is None and RowWriter.serves(separators):
        rows = RowWriter(make_writer, text, separators, write)

    def encode(obj: Any) -> str:
        try:
            # To look for such lists inside of an object would take more of the time of small ones.
            if type(obj) is list and rows is not None and len(obj) >= MANY and type(obj[0]) is dict:
                return rows.write(obj)
            return join(write(obj, 0))
        except RecursionError:
            # This one tells a circle from what is merely deep.
            return encoder.encode(obj)

    return encode


_decoder: Any = json.JSONDecoder()
_read = _decoder.scan_once


def _loads(s: str | bytes) -> Any:
    """Return what ``json.loads`` does; for a document without white space around it, in half the time."""
    kind = type(s)
    if kind is str or kind is bytes:
        try:
            # What is in another form of Unicode has a mark in front, or null bytes, which no document has.
            text: Any = s if kind is str else s.decode("utf-8", "surrogatepass")  # type: ignore[union-attr]
            value, end = _read(text, 0)
            if end == len(text):
                return value
        except (StopIteration, ValueError):
            # It begins with white space, is in another form, or is no JSON.
            pass
    return json.loads(s)


_STANDARD_OPTIONS: dict[str, Any] = {
    "skipkeys": False, "check_circular": True, "allow_nan": True, "indent": None, "separators": None, "default": None,
}


def _stock(app: Any, key: str) -> Any:
    """Return the value that the application's configuration started with."""
    return app.compat.default_config.get(key)


def _is_xhr() -> bool:
    ctx = find_request_ctx()
    return ctx is not None and ctx.environ.get("HTTP_X_REQUESTED_WITH", "").lower() == "xmlhttprequest"
