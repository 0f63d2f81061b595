"""Finding the rule for a path: the tree by segment, and the walk through it.

Which rule wins is what werkzeug's own state machine says: literal segments come before variables, variables in the
order of their weights, and a way that leads nowhere is gone back.
"""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any

import werkzeug.routing as wr
from werkzeug.routing.converters import BaseConverter, IntegerConverter

VARIABLE = re.compile(r"<(?:([a-zA-Z_][a-zA-Z0-9_]*)(?:\((.*?)\))?:)?([a-zA-Z_][a-zA-Z0-9_]*)>")
SLASHES = re.compile("/{2,}")

#: A piece of a rule: literal text, or a variable's name with its converter.
Piece = str | tuple[str, Any]
Values = dict[str, Any]


def _pieces(rule: wr.Rule, text: str) -> Iterator[Piece]:
    """Cut `text` into slashes, literal text and variables.

    :raises ValueError: the text is no rule
    :raises LookupError: the map has no such converter
    """
    start = 0
    for match in VARIABLE.finditer(text):
        yield from _literal_pieces(rule, text[start : match.start()])
        converter, arguments, name = match.groups()
        if arguments:
            args, kwargs = wr.rules.parse_converter_args(arguments)
        else:
            args, kwargs = (), {}
        yield name, rule.get_converter(name, converter or "default", args, kwargs)
        start = match.end()
    yield from _literal_pieces(rule, text[start:])


def _literal_pieces(rule: wr.Rule, text: str) -> Iterator[str]:
    if "<" in text:
        raise ValueError(
            f"malformed url rule: {rule.rule!r}: a '<' opens a variable such as <name> or <int:name>, and this one"
            f" is not closed or not named properly: {text[text.index('<') :]!r}"
        )
    for piece in re.split("(/)", text):
        if piece:
            yield piece


class Part:
    """Match one segment of a path, or its whole rest, against the variables in it."""

    __slots__ = ("check", "final", "key", "node", "suffixed", "weight")

    def __init__(self, pieces: list[Piece], final: bool) -> None:
        if self.is_plain(pieces):
            regex = pieces[0][1].regex  # type: ignore[union-attr]
        else:
            regex = "".join(
                re.escape(piece) if isinstance(piece, str) else f"(?P<__v{i}>{piece[1].regex})"
                for i, piece in enumerate(pieces)
            )
        self.final = final
        self.suffixed = final and pieces[-1] == "/"
        self.weight = _weight(pieces)
        self.key = (regex, final, self.suffixed, self.weight)
        self.check: Callable[[str], Iterable[str] | None] = (
            _PLAIN_CHECKS[regex] if self.is_plain(pieces) else self.by_regex(regex)
        )
        self.node = Node()

    @staticmethod
    def is_plain(pieces: list[Piece]) -> bool:
        """Tell whether the part is one variable of a kind that needs no regular expression."""
        return len(pieces) == 1 and not isinstance(pieces[0], str) and pieces[0][1].regex in _PLAIN_CHECKS

    def by_regex(self, regex: str) -> Callable[[str], Iterable[str] | None]:
        """Return a check that tries `regex` on the whole text."""
        if self.suffixed:
            # The final slash is optional here: without it the tree finds out about the redirect.
            regex = f"{regex[:-1]}(?<!/)(?P<__slash>/?)"
        match = re.compile(rf"{regex}\Z").match
        names = [name for name in re.compile(regex).groupindex if name.startswith("__v")]

        def check(text: str) -> Iterable[str] | None:
            found = match(text)
            return None if found is None else [found[name] for name in names]

        return check


def _weight(pieces: list[Piece]) -> tuple[int, list[tuple[int, int]], int, list[int]]:
    """Return werkzeug's order of dynamic parts: more literal text first, then the converters' own weights."""
    texts = [piece for piece in pieces if isinstance(piece, str) and piece != "/"]
    weights = [piece[1].weight for piece in pieces if not isinstance(piece, str)]
    return (-len(texts), [(i, -len(text)) for i, text in enumerate(texts)], -len(weights), weights)


def _check_string(text: str) -> Iterable[str] | None:
    return (text,) if text and "/" not in text else None


def _check_digits(text: str) -> Iterable[str] | None:
    return (text,) if text.isdecimal() else None


def _check_path(text: str) -> Iterable[str] | None:
    return (text,) if text and text[0] != "/" and "\n" not in text[1:] else None


#: Converters' regular expressions that a method of str answers; 0.1 microseconds instead of 0.9.
_PLAIN_CHECKS = {"[^/]{1,}": _check_string, r"\d+": _check_digits, "[^/].*?": _check_path}


def _reader(converter: Any) -> Callable[[str], Any] | None:
    """Return what makes the Python value of a matched text; None where the text is the value."""
    kind = type(converter)
    if kind.to_python is BaseConverter.to_python:
        return None
    if kind is IntegerConverter and not converter.fixed_digits and converter.min is converter.max is None:
        return int
    read: Callable[[str], Any] = converter.to_python
    return read


class Entry:
    """Keep a rule at the place where its path ends, with what reads its variables."""

    __slots__ = ("fields", "rule")

    def __init__(self, rule: wr.Rule, converters: Mapping[str, Any]) -> None:
        self.rule = rule
        self.fields = tuple((name, _reader(converter)) for name, converter in converters.items())

    def read(self, texts: list[str]) -> Values | None:
        """Return the view arguments, or None when a converter refuses a text."""
        values = {}
        for (name, read), text in zip(self.fields, texts, strict=False):
            if read is None:
                values[name] = text
                continue
            try:
                values[name] = read(text)
            except ValueError:
                # ValidationError is one; int() raises a plain one for more digits than Python converts.
                return None
        return values


class Node:
    """Be a place in the tree: what may follow, and the rules whose path ends here."""

    __slots__ = ("dynamic", "entries", "static")

    def __init__(self) -> None:
        self.static: dict[str, Node] = {}
        self.dynamic: list[Part] = []
        self.entries: list[Entry] = []

    def literal(self, text: str) -> Node:
        """Return the node behind a literal segment, made when missing."""
        node = self.static.get(text)
        if node is None:
            node = self.static[text] = Node()
        return node

    def variable(self, part: Part) -> Node:
        """Return the node behind a part with variables, added in the order of the weights."""
        for known in self.dynamic:
            if known.key == part.key:
                return known.node
        insort(self.dynamic, part, key=attrgetter("weight"))
        return part.node


class SlashRequired(Exception):
    """The path would match with a slash at its end."""


class Search:
    """Walk the tree for one method, and remember what spoke against the rules that were met."""

    __slots__ = ("allowed", "method", "websocket", "wrong_protocol")

    def __init__(self, method: str, websocket: bool) -> None:
        self.method = method
        self.websocket = websocket
        self.allowed: set[str] = set()
        self.wrong_protocol = False

    def choose(self, entries: Iterable[Entry]) -> Entry | None:
        """Return the first entry that serves the method and the protocol."""
        for entry in entries:
            rule = entry.rule
            if rule.methods is not None and self.method not in rule.methods:
                self.allowed.update(rule.methods)
            elif rule.websocket != self.websocket:
                self.wrong_protocol = True
            else:
                return entry
        return None

    def behind_slash(self, entries: Iterable[Entry]) -> Entry | None:
        """Return the entry that serves the path although its final slash is missing.

        :raises SlashRequired: the rule insists on its slash
        """
        for entry in entries:
            rule = entry.rule
            if rule.websocket == self.websocket and (rule.methods is None or self.method in rule.methods):
                if rule.strict_slashes:
                    raise SlashRequired
                return entry
        return None

    def walk(self, node: Node, segments: list[str], at: int, texts: list[str]) -> tuple[Entry, list[str]] | None:
        """Follow `segments` from the index `at` on, literal ones first; return the entry and the variables' texts."""
        end = len(segments)
        while at < end:
            segment = segments[at]
            following = node.static.get(segment)
            if node.dynamic or (not segment and node.entries):
                break
            if following is None:
                return None
            node, at = following, at + 1
        else:
            return self.arrive(node, texts)
        if following is not None and (found := self.walk(following, segments, at + 1, texts)):
            return found
        for part in node.dynamic:
            target = "/".join(segments[at:]) if part.final else segment
            if (matched := part.check(target)) is None:
                continue
            rest, after = (segments, end if part.final else at + 1)
            if part.suffixed and target.endswith("/"):
                rest, after = ([""], 0)
            if found := self.walk(part.node, rest, after, [*texts, *matched]):
                return found
        if at == end - 1 and not segment:
            entry = self.choose(entry for entry in node.entries if not entry.rule.strict_slashes)
            return None if entry is None else (entry, texts)
        return None

    def arrive(self, node: Node, texts: list[str]) -> tuple[Entry, list[str]] | None:
        """Choose among the rules whose path ends at `node`."""
        entry = self.choose(node.entries)
        if entry is None and (slash := node.static.get("")) is not None:
            entry = self.behind_slash(slash.entries)
        return None if entry is None else (entry, texts)


def parse(rule: wr.Rule) -> tuple[list[Piece], list[Piece]]:
    """Return the pieces of the domain part and of the path of a bound rule."""
    domain = (rule.host if rule.map.host_matching else rule.subdomain) or ""
    path = SLASHES.sub("/", rule.rule) if rule.merge_slashes else rule.rule
    return list(_pieces(rule, domain)), list(_pieces(rule, path))


def segments_of(domain: list[Piece], path: list[Piece]) -> Iterator[tuple[list[Piece], bool]]:
    """Cut the pieces of a rule at its slashes; a variable that takes slashes keeps the rest to itself."""
    yield domain or [""], False
    segment: list[Piece] = []
    final = False
    for piece in path:
        if piece == "/" and not final:
            yield segment or [""], False
            segment = []
        else:
            segment.append(piece)
            final = final or not (isinstance(piece, str) or piece[1].part_isolating)
    yield segment or [""], final
