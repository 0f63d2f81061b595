"""From the bytes of a request to text and values; equal to what werkzeug and the standard library make of them."""

from __future__ import annotations

from codecs import unicode_escape_decode
from typing import Any
from urllib.parse import parse_qsl, unquote

from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.sansio.http import parse_cookie

#: Bytes that are no UTF-8 stay percent-encoded; werkzeug registers the error handler of that name.
KEEP_QUOTED = "werkzeug.url_quote"

_new = dict.__new__
_fill = dict.update
_list_of: Any = dict.__getitem__


class Values(ImmutableMultiDict[str, Any]):
    """Be werkzeug's class, and be shown, pickled and compared as that; what is used most takes fewer steps."""

    def __getitem__(self, key: str) -> Any:
        try:
            return _list_of(self, key)[0]
        except LookupError:
            pass
        # Outside of the handler: the exception has no other one for its context.
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None, type: Any = None) -> Any:  # type: ignore[override]
        """Return the first value of `key`; `default` if there is none, or if `type` does not convert it."""
        try:
            value = _list_of(self, key)[0]
        except LookupError:
            return default
        if type is None:
            return value
        try:
            return type(value)
        except (ValueError, TypeError):
            return default

    def getlist(self, key: str, type: Any = None) -> list[Any]:
        """Return all values of `key`; without those that `type` does not convert."""
        if type is not None:
            return super().getlist(key, type)
        try:
            return _list_of(self, key)[:]  # type: ignore[no-any-return]
        except KeyError:
            return []

    def __reduce_ex__(self, protocol: Any) -> Any:
        return ImmutableMultiDict, (list(self.items(multi=True)),)


for _name in ("__name__", "__qualname__", "__module__"):
    setattr(Values, _name, getattr(ImmutableMultiDict, _name))


def decode_wsgi(text: str) -> str:
    """Return `text` of a WSGI environ, whose characters stand for bytes, decoded as UTF-8."""
    return text if text.isascii() else text.encode("latin1").decode(errors="replace")


def _unquote(text: str) -> str:
    """Return ``urllib.parse.unquote(text)``, made by the decoder of Python's own escapes wherever that can be."""
    if "\\" not in text:
        try:
            plain = unicode_escape_decode(text.replace("%", "\\x"))[0]
            # One character for each byte.
            return plain if plain.isascii() else plain.encode("latin1").decode()
        except UnicodeError:
            pass
    return unquote(text, errors=KEEP_QUOTED)


def parse_values(kind: type[Any], text: str) -> Any:
    """Return a multi dict of the class `kind` with what a query string or an urlencoded form says.

    It is what ``kind(parse_qsl(text, keep_blank_values=True))`` makes. Bytes that are no UTF-8 stay percent-encoded.
    """
    if kind is not ImmutableMultiDict:
        return kind(parse_qsl(text, keep_blank_values=True, errors=KEEP_QUOTED))
    if "+" in text:
        text = text.replace("+", " ")
    escaped = "%" in text
    lists: dict[str, list[str]] = {}
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            if escaped and "%" in part:
                value = _unquote(value)
                if "%" in name:
                    name = _unquote(name)
            if name in lists:
                lists[name].append(value)
            else:
                lists[name] = [value]
    made = _new(Values)
    _fill(made, lists)
    return made


def parse_foreign_values(kind: type[Any], data: bytes, charset: str, errors: str) -> Any:
    """Do as :func:`parse_values` for what is in another encoding than UTF-8."""
    text = data.decode(charset, errors)
    return make_values(kind, parse_qsl(text, keep_blank_values=True, encoding=charset, errors=errors))


def parse_cookies(kind: type[Any], header: str | None) -> Any:
    """Return a multi dict of the class `kind` with the cookies of a header, as werkzeug's parser finds them."""
    if not header:
        return no_values(kind)
    plain = header.replace("; ", ";")
    if " " in plain or '"' in plain or "\t" in plain:
        return make_values(kind, parse_cookie(header, list))  # type: ignore[arg-type]
    parts = [part.partition("=") for part in plain.split(";")]
    return make_values(kind, [(name, value) for name, _, value in parts if name])


def find_cookie(header: str | None, name: str) -> list[str] | None:
    """Return the values that :func:`parse_cookies` finds for one cookie; None where the header has to be parsed."""
    if not header:
        return []
    plain = header.replace("; ", ";")
    if " " in plain or '"' in plain or "\t" in plain or "=" in name or not name:
        return None
    begins, length = f"{name}=", len(name) + 1
    return [part[length:] for part in plain.split(";") if part.startswith(begins) or part == name]


def make_values(kind: type[Any], pairs: list[tuple[str, Any]]) -> Any:
    """Return a multi dict of the class `kind`; in place of werkzeug's immutable one, its shorter equal."""
    if kind is not ImmutableMultiDict:
        return kind(pairs)
    lists: dict[str, list[Any]] = {}
    for name, value in pairs:
        if name in lists:
            lists[name].append(value)
        else:
            lists[name] = [value]
    made = _new(Values)
    _fill(made, lists)
    return made


def no_values(kind: type[Any]) -> Any:
    """Return an empty multi dict of the class `kind`."""
    return _new(Values) if kind is ImmutableMultiDict else kind()
