"""From the bytes of a request to text and values; equal to what werkzeug and the standard library make of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote

from werkzeug.datastructures import ImmutableMultiDict

#: Bytes that are no UTF-8 stay percent-encoded; werkzeug registers the error handler of that name.
KEEP_QUOTED = "werkzeug.url_quote"


def decode_wsgi(text: str) -> str:
    """Return `text` of a WSGI environ, whose characters stand for bytes, decoded as UTF-8."""
    return text if text.isascii() else text.encode("latin1").decode(errors="replace")


def parse_pairs(text: str) -> list[tuple[str, str]]:
    """Return names and values of a query string or an urlencoded form, as ``parse_qsl(keep_blank_values=True)``."""
    if "+" in text:
        text = text.replace("+", " ")
    pairs = []
    if "%" not in text:
        for part in text.split("&"):
            if part:
                name, _, value = part.partition("=")
                pairs.append((name, value))
        return pairs
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            if "%" in part:
                name, value = unquote(name, errors=KEEP_QUOTED), unquote(value, errors=KEEP_QUOTED)
            pairs.append((name, value))
    return pairs


def parse_foreign_pairs(data: bytes, charset: str, errors: str) -> list[tuple[str, str]]:
    """Do as :func:`parse_pairs` for what is in another encoding than UTF-8."""
    return parse_qsl(data.decode(charset, errors), keep_blank_values=True, encoding=charset, errors=errors)


def make_multidict(kind: type[Any], pairs: list[tuple[str, str]]) -> Any:
    """Return a multi dict of the class `kind`; for werkzeug's immutable one without a call for each value."""
    if kind is not ImmutableMultiDict:
        return kind(pairs)
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        if name in lists:
            lists[name].append(value)
        else:
            lists[name] = [value]
    made = dict.__new__(ImmutableMultiDict)
    dict.update(made, lists)
    return made
