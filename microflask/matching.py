"""Finding the rule for a path: the tree by segment, and the walk through it.

Which rule wins is what werkzeug's own state machine says: literal segments come before variables, variables in the
order of their weights, and a way that leads nowhere is gone back.
"""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from threading import Lock
from typing import Any, Literal

import werkzeug.routing as wr

from .rules import Piece, Rule, Values, domain_of, fields_of, parse, path_of, read_values

#: A rule that was made ready for the indexes by :func:`adopt`; its methods are looked up as `_allowed`.
Entry = Any
#: The key of the literal path "//": requests never ask for it, because slashes at their beginning count as one.
DOUBLE = "\0//"


class _Slashed:
    """Stand among the literal paths for one that lacks the slash of a rule."""

    _allowed: frozenset[str] = frozenset()
    _next = None


SLASHED: Entry = _Slashed()


class Part:
    """Match one segment of a path, or its whole rest, against the variables in it."""

    __slots__ = (
        "beside", "check", "final", "is_number", "is_one_line", "is_plain", "key", "node", "suffixed", "weight",
    )  # fmt: skip

    def __init__(self, pieces: list[Piece], final: bool) -> None:
        #: Whether the part is one variable of a kind that needs no regular expression.
        self.is_plain = len(pieces) == 1 and pieces[0][1].regex in _PLAIN_CHECKS  # type: ignore[union-attr]
        if self.is_plain:
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
            _PLAIN_CHECKS[regex] if self.is_plain else self.by_regex(regex)
        )
        self.is_number = regex == _DIGITS
        self.is_one_line = regex == _PATH
        self.node = Node()
        #: The literal segments that stand in the same place.
        self.beside: dict[str, Node] = {}

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
_DIGITS, _PATH = r"\d+", "[^/].*?"
_PLAIN_CHECKS = {"[^/]{1,}": _check_string, _DIGITS: _check_digits, _PATH: _check_path}


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
        part.beside = self.static
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
        for rule in entries:
            if rule._allowed is not None and self.method not in rule._allowed:
                self.allowed.update(rule._allowed)
            elif rule.websocket != self.websocket:
                self.wrong_protocol = True
            else:
                return rule
        return None

    def behind_slash(self, entries: Iterable[Entry]) -> Entry | None:
        """Return the entry that serves the path although its final slash is missing.

        :raises SlashRequired: the rule insists on its slash
        """
        for rule in entries:
            if (rule._allowed is None or self.method in rule._allowed) and rule.websocket == self.websocket:
                if rule.strict_slashes:
                    raise SlashRequired
                return rule
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
            entry = self.choose(rule for rule in node.entries if not rule.strict_slashes)
            return None if entry is None else (entry, texts)
        return None

    def arrive(self, node: Node, texts: list[str]) -> tuple[Entry, list[str]] | None:
        """Choose among the rules whose path ends at `node`."""
        entry = self.choose(node.entries)
        if entry is None and (slash := node.static.get("")) is not None:
            entry = self.behind_slash(slash.entries)
        return None if entry is None else (entry, texts)


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


def adopt(rule: wr.Rule) -> Entry:
    """Make a rule ready for the indexes: one of werkzeug's class is given what :class:`Rule` has.

    :raises ValueError: the rule is malformed
    """
    if isinstance(rule, Rule):
        return rule
    entry: Entry = rule
    entry._domain_pieces, entry._path_pieces = parse(rule)
    pieces = (*entry._domain_pieces, *entry._path_pieces)
    entry._fields = fields_of(dict(piece for piece in pieces if not isinstance(piece, str)))
    entry._allowed = rule.methods
    entry._next = entry._only = None
    return entry


def chain(entry: Entry | None) -> Iterator[Entry]:
    """Return a rule and those behind it that have the same literal path."""
    while entry is not None:
        yield entry
        entry = entry._next


class Place:
    """Keep the rules of one host or subdomain."""

    __slots__ = ("heads", "leaves", "literals", "root")

    def __init__(self, root: Node) -> None:
        #: path -> the first rule of those without variables; or :data:`SLASHED`
        self.literals: dict[str, Entry] = {}
        #: literal beginning of a path, up to the last slash -> what the segment behind it is matched with first
        self.leaves: dict[str, Part] = {}
        #: the same of all rules for the tree -> the last of those that are not there yet, or where they begin in it
        self.heads: dict[str, Entry | Node] = {}
        self.root = root


class Index:
    """Keep rules by their literal paths, and in a tree by segment; the tree grows where requests go."""

    def __init__(self) -> None:
        self.root = Node()
        #: host or subdomain -> what is known of it
        self.places: dict[str, Place] = {}
        self._lock = Lock()

    def add(self, rule: wr.Rule) -> None:
        """Enter a bound rule."""
        entry = adopt(rule)
        domain, path = domain_of(entry), path_of(entry)
        if "<" in domain:
            self._plant(entry)
            return
        place = self.places.get(domain)
        if place is None:
            place = self.places[domain] = Place(self.root.literal(domain))
        if "<" not in path:
            self._add_literal(place, entry, path)
            return
        head = path[: path.rindex("/", 0, path.index("<"))]
        with self._lock:
            waiting = place.heads.get(head)
            entry._next = None if type(waiting) is Node else waiting
            place.heads[head] = entry
            # What is asked for below it has to be looked up by descend() again.
            place.leaves.pop(head, None)

    def _add_literal(self, place: Place, entry: Entry, path: str) -> None:
        literals = place.literals
        key = f"\0{path}" if path[:2] == "//" else path
        known = literals.get(key)
        if known is None or known is SLASHED:
            literals[key] = entry
        else:
            *_, last = chain(known)
            last._next = entry
        if path[-1] == "/" and path[:3] != "///":
            # More slashes at the beginning are those of no request, with or without the last.
            literals.setdefault(path[:-1], SLASHED)
        if not entry.strict_slashes:
            # It competes with variables that may match the empty segment behind it.
            place.heads.setdefault(path, self._plant(entry))

    def _settle(self, place: Place, path: str) -> None:
        """Bring the rules into the tree that a path could be for."""
        for at, character in enumerate(path):
            if character == "/" and path[:at] in place.heads:
                self._bring(place, path[:at])

    def _bring(self, place: Place, head: str) -> Node:
        """Bring the rules into the tree that wait behind `head`; return the place there that they begin at."""
        with self._lock:
            waiting = place.heads[head]
            if type(waiting) is Node:
                # By another thread.
                return waiting
            entries = list(chain(waiting))
            for entry in reversed(entries):
                self._plant(entry)
            node = place.root
            for segment in head.split("/"):
                node = node.static[segment]
            # Slashes at the beginning of a request's path count as one.
            if node.dynamic[0].is_plain and head != "/" and head[:2] != "//":
                # Requests find the variables there without a walk.
                place.leaves[head] = node.dynamic[0]
            for entry in entries:
                entry._next = None
            place.heads[head] = node
            return node

    def _plant(self, entry: Entry) -> Node:
        """Enter a rule into the tree; return the place where its path ends."""
        node, part = self.root, None
        for pieces, final in segments_of(entry._domain_pieces, entry._path_pieces):
            if all(isinstance(piece, str) for piece in pieces):
                node = node.literal("".join(pieces))  # type: ignore[arg-type]
            else:
                part = Part(pieces, final)
                node = node.variable(part)
                if part.suffixed:
                    node = node.literal("")
        if len(entry._fields) == 1 and part is not None and entry._fields[0][1] is (int if part.is_number else None):
            entry._only = entry._fields[0][0]
        node.entries.append(entry)
        return node

    def descend(
        self, place: Place, path: str, head: str, method: str, websocket: bool
    ) -> tuple[wr.Rule, Values] | Literal[False] | None:
        """Return what the first way through the tree leads to; False where no way can lead to anything.

        None says neither: the ways have to be tried one after the other.

        :param path: one that has a slash
        :param head: what is before its last slash
        """
        heads, node, start = place.heads, None, 0
        while True:
            # All ways go through the beginning of the shortest of these.
            if head in heads:
                node, start = heads[head], len(head) + 1
                if type(node) is not Node:
                    node = self._bring(place, head)
            if not head:
                break
            head = head.rpartition("/")[0]
        if self.root.dynamic:
            # Variables in a domain lead to a tree of their own.
            return self._follow(place.root, path.split("/"), False, method, websocket)
        return node is not None and self._follow(node, path[start:].split("/"), True, method, websocket)

    @staticmethod
    def _follow(
        node: Node, segments: list[str], sure: bool, method: str, websocket: bool
    ) -> tuple[wr.Rule, Values] | Literal[False] | None:
        """Do as :meth:`descend` from a place in the tree on.

        :param sure: whether there is no other way so far
        """
        texts: list[str] = []
        at = 0
        for segment in segments:
            following, dynamic = node.static.get(segment), node.dynamic
            at += 1
            if following is not None:
                if dynamic:
                    sure = False
                node = following
                continue
            if not segment and node.entries:
                return None
            for part in dynamic:
                if part.suffixed:
                    return None
                matched = part.check("/".join(segments[at - 1 :]) if part.final else segment)
                if matched is not None:
                    break
            else:
                return False if sure else None
            if len(dynamic) > 1:
                sure = False
            texts += matched
            node = part.node
            if part.final:
                break
        method = method.upper()
        for entry in node.entries:
            allowed = entry._allowed
            if (allowed is None or method in allowed) and entry.websocket == websocket:
                values = read_values(entry._fields, texts)
                return None if values is None else (entry, values)
        return False if sure and not node.entries and not node.static else None

    def search(self, search: Search, domain: str, path: str) -> tuple[Entry, list[str]] | None:
        """Try all ways; return a rule and the texts of its variables.

        :raises SlashRequired: the path would match with a slash at its end
        """
        place = self.places.get(domain)
        if place is not None:
            self._settle(place, path)
            literals = place.literals
            slashed = literals.get(DOUBLE if path == "/" else f"{path}/")
            entry = search.choose(chain(literals.get(path))) or search.behind_slash(chain(slashed))
            if entry is not None:
                return entry, []
        return search.walk(self.root, [domain, *path.split("/")], 0, [])
