"""Werkzeug's Map, Rule and MapAdapter, made lazy: rules are parsed once, adapters look at the environ when asked.

The map keeps two indexes of its rules: literal paths in a dictionary, and a tree by path segment for the rest. Which
rule wins, which redirect or error is raised, is what werkzeug's own state machine says; a randomised test compares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode, urljoin

import werkzeug.routing as wr
from werkzeug.datastructures import MultiDict, iter_multi_items
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import BuildError, RequestRedirect, WebsocketMismatch
from werkzeug.routing.converters import BaseConverter, IntegerConverter, ValidationError
from werkzeug.wsgi import get_host

from .decoding import decode_wsgi
from .matching import SLASHES, VARIABLE, Entry, Node, Part, Piece, Search, SlashRequired, Values, parse, segments_of

# https://url.spec.whatwg.org/#url-path-segment-string
_SAFE_IN_PATH = "!$&'()*+,/:;=@"
_SAFE_IN_QUERY = "!$'()*,/:;?@"
_NEEDS_NO_QUOTING = re.compile(r"[A-Za-z0-9_.~!$&'()*+,/:;=@-]*").fullmatch
_PLACEHOLDER = re.compile(r"<([^>]+)>")

#: The key of the literal path "//".
_DOUBLE = "\0//"
#: A piece of a URL to build: (text, None, ...), or a variable's name, its to_url and types that need no to_url.
Field = tuple[str, Callable[[Any], str] | None, frozenset[type]]
Format = str | list[Field]
_NO_TYPES: frozenset[type] = frozenset()
_NUMBER: frozenset[type] = frozenset({int})
_TEXT_OR_NUMBER: frozenset[type] = frozenset({int, str})


def quote_path(text: str) -> str:
    """Percent-encode what may not stand in the path of a URL."""
    return text if _NEEDS_NO_QUOTING(text) else quote(text, safe=_SAFE_IN_PATH)


def encode_query(items: Iterable[tuple[str, Any]]) -> str:
    """Return `items` as a query string, without those that are None."""
    return urlencode([item for item in items if item[1] is not None], safe=_SAFE_IN_QUERY)


class Rule(wr.Rule):
    """Work as werkzeug's rule; what builds its URLs is made when the first one is asked for."""

    _domain_pieces: list[Piece]
    _path_pieces: list[Piece]
    #: Whether werkzeug's method says if values suit the rule.
    _plain = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._plain = cls.suitable_for is wr.Rule.suitable_for

    def compile(self) -> None:
        """Parse the rule for its map."""
        super().compile() if not isinstance(self.map, Map) else self._parse()

    def _parse(self) -> None:
        self._domain_pieces, self._path_pieces = parse(self)
        self._converters = converters = {}
        for piece in (*self._domain_pieces, *self._path_pieces):
            if isinstance(piece, str):
                continue
            if piece[0] in converters:
                raise ValueError(f"malformed url rule: {self.rule!r}: it has the variable {piece[0]!r} twice")
            converters[piece[0]] = piece[1]
        # Read by what documents an API, for the variables of the rule in their order.
        self._trace = [
            (False, piece) if isinstance(piece, str) else (True, piece[0])
            for piece in (*self._domain_pieces, "|", *self._path_pieces)
        ]
        self.arguments.update(converters)
        for made in ("_formats", "_known", "_required"):
            self.__dict__.pop(made, None)
        if self.defaults and not converters.keys().isdisjoint(self.defaults):
            # A default that its converter refuses is a mistake of the set-up.
            self._formats  # noqa: B018

    def build(self, values: Mapping[str, Any], append_unknown: bool = True) -> tuple[str, str] | None:
        """Return the domain part and the path with `values` filled in, or None when a converter refuses one."""
        if not isinstance(self.map, Map):
            return super().build(values, append_unknown)
        domain, path = self._formats
        try:
            host = domain if isinstance(domain, str) else _fill(domain, values)
            url = path if isinstance(path, str) else _fill(path, values)
        except ValidationError:
            return None
        if append_unknown and len(values) > len(self._known):
            url += self._query(values)
        elif append_unknown:
            for name in values:
                if name not in self._known:
                    url += self._query(values)
                    break
        return host, url

    def _query(self, values: Mapping[str, Any]) -> str:
        items = [item for item in iter_multi_items(values) if item[0] not in self._known]
        if self.map.sort_parameters:
            items = sorted(items, key=self.map.sort_key)
        query = encode_query(items)
        return f"?{query}" if query else ""

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self._converters) | frozenset(self.defaults or ())

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(self.arguments) - frozenset(self.defaults or ())

    @cached_property
    def _formats(self) -> tuple[Format, Format]:
        return self._format(self._domain_pieces), self._format(self._path_pieces)

    def _format(self, pieces: list[Piece]) -> Format:
        """Return the text, or the fields of :func:`_fill` with neighbouring texts joined."""
        defaults = self.defaults or {}
        made: list[Field] = []
        for piece in pieces:
            if isinstance(piece, str):
                text = quote_path(piece)
            elif piece[0] in defaults:
                text = piece[1].to_url(defaults[piece[0]])
            else:
                made.append((piece[0], *_writer(piece[1])))
                continue
            if made and made[-1][1] is None:
                made[-1] = (made[-1][0] + text, None, _NO_TYPES)
            else:
                made.append((text, None, _NO_TYPES))
        if not made:
            return ""
        return made[0][0] if len(made) == 1 and made[0][1] is None else made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rule) or self.map is None or other.map is None:
            return self is other
        return _shape(self) == _shape(other)

    __hash__ = None

    def __repr__(self) -> str:
        if self.map is None:
            return f"<{type(self).__name__} (unbound)>"
        methods = "" if self.methods is None else f" ({', '.join(sorted(self.methods))})"
        domain = (self.host if self.map.host_matching else self.subdomain) or ""
        path = VARIABLE.sub(r"<\3>", f"{domain}|{self.rule}").lstrip("|")
        return f"<{type(self).__name__} {path!r}{methods} -> {self.endpoint}>"


def _shape(rule: Rule) -> list[list[str]]:
    both = (rule._domain_pieces, rule._path_pieces)
    return [[piece if isinstance(piece, str) else f"<{piece[0]}>" for piece in pieces] for pieces in both]


def _writer(converter: Any) -> tuple[Callable[[Any], str], frozenset[type]]:
    """Return what makes the text of a value in a URL, and the types whose str() is that text if it is alphanumeric."""
    kind = type(converter)
    if kind.to_url is BaseConverter.to_url:
        return (lambda value: quote_path(str(value))), _TEXT_OR_NUMBER
    plain = kind.to_url is IntegerConverter.to_url and converter.num_convert is int and not converter.fixed_digits
    return converter.to_url, _NUMBER if plain else _NO_TYPES


def _fill(fields: list[Field], values: Mapping[str, Any]) -> str:
    """Return the text of a format's fields; short plain values take 0.06 microseconds instead of 0.2 in to_url().

    :raises ValidationError: a converter refuses a value
    """
    texts = []
    for text, to_url, plain in fields:
        if to_url is not None:
            value = values[text]
            if type(value) not in plain or not (text := str(value)).isalnum() or not text.isascii():
                text = to_url(value)
        texts.append(text)
    return "".join(texts)


class Map(wr.Map):
    """Work as werkzeug's map, with the rules indexed as they are added."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        #: domain -> path -> entries of the rules without variables
        self.literals: dict[str, dict[str, list[Entry]]] = {}
        self._root = Node()
        #: Whether there are defaults, aliases or redirects, so that a match may not be the last word.
        self.has_detours = False
        super().__init__(*args, **kwargs)

    def add(self, rulefactory: wr.RuleFactory) -> None:
        """Bind a rule, or each rule of a factory, and index it.

        :raises ValueError: a rule is malformed
        :raises LookupError: a rule names a converter that the map lacks
        :raises RuntimeError: a rule belongs to a map already
        """
        for rule in rulefactory.get_rules(self):
            rule.bind(self)
            if not rule.build_only:
                self._index(rule)
            if rule.defaults or rule.alias or rule.redirect_to is not None:
                self.has_detours = True
            rules = self._rules_by_endpoint.setdefault(rule.endpoint, [])
            rules.append(rule)
            if len(rules) > 1:
                rules.sort(key=wr.Rule.build_compare_key)

    def update(self) -> None:
        """Do nothing: the indexes are always in order."""

    def _index(self, rule: wr.Rule) -> None:
        domain, path = (rule._domain_pieces, rule._path_pieces) if isinstance(rule, Rule) else parse(rule)
        variables = [piece for piece in (*domain, *path) if not isinstance(piece, str)]
        entry = Entry(rule, dict(variables))
        if not variables:
            paths = self.literals.setdefault("".join(domain), {})  # type: ignore[arg-type]
            whole = "".join(path)  # type: ignore[arg-type]
            # Slashes at the beginning of a request's path count as one: no request is for "//", but "/" may lack one.
            paths.setdefault(_DOUBLE if whole == "//" else whole, []).append(entry)
            if rule.strict_slashes:
                return
            # A rule that forgives a slash competes with variables that may match the empty segment behind it.
        node = self._root
        for pieces, final in segments_of(domain, path):
            if all(isinstance(piece, str) for piece in pieces):
                node = node.literal("".join(pieces))  # type: ignore[arg-type]
            else:
                part = Part(pieces, final)
                node = node.variable(part)
                if part.suffixed:
                    node = node.literal("")
        node.entries.append(entry)

    def match_environ(self, environ: dict[str, Any], domain: str) -> tuple[wr.Rule | None, Values]:
        """Return rule and values for a request; no rule, where only an adapter can tell.

        :raises NotFound: no rule matches
        :raises MethodNotAllowed: rules match, for other methods
        """
        path = environ.get("PATH_INFO", "/")
        if not path.isascii():
            path = decode_wsgi(path)
        method = environ["REQUEST_METHOD"]
        if "HTTP_UPGRADE" not in environ and environ["wsgi.url_scheme"] not in _WEBSOCKET_SCHEMES:
            literals = self.literals.get(domain)
            if literals is not None:
                for entry in literals.get(path, ()):
                    rule = entry.rule
                    if (rule.methods is None or method in rule.methods) and not rule.websocket:
                        return (None if self.has_detours and self.may_detour(rule) else rule), {}
            if path[:1] == "/" and path[:2] != "//":
                try:
                    rule, values = self.find(domain, path, method.upper(), False)
                except MovedPath:
                    return None, {}
                return (None if self.has_detours and self.may_detour(rule) else rule), values
        return None, {}

    def may_detour(self, rule: wr.Rule) -> bool:
        """Tell whether a match of `rule` is not the last word: defaults to add, an alias or redirect to follow."""
        return bool(
            rule.defaults or rule.alias or rule.redirect_to is not None
            or self._rules_by_endpoint[rule.endpoint][0] is not rule
        )  # fmt: skip

    def find(self, domain: str, path: str, method: str, websocket: bool) -> tuple[wr.Rule, Values]:
        """Return the rule for a path and the values of its variables.

        :raises RequestPath: the path should have been another one
        :raises NotFound: no rule matches
        :raises MethodNotAllowed: rules match, for other methods
        """
        literals = self.literals.get(domain, ())
        if path not in literals and (f"{path}/" if path != "/" else _DOUBLE) not in literals:
            match = self._descend(domain, path.split("/"), method, websocket)
            if match is not None:
                return match
        search = Search(method, websocket)
        if found := self._search(search, domain, path):
            return self._read(search, found)
        if self.merge_slashes and "//" in path:
            path = SLASHES.sub("/", path)
            found = self._search(search, domain, path)
            if found is not None and found[0].rule.merge_slashes is not False:
                raise MovedPath(path)
        raise _refusal(search)

    def _descend(
        self, domain: str, segments: list[str], method: str, websocket: bool
    ) -> tuple[wr.Rule, Values] | None:
        """Return the match where there is no choice on the way, so that nothing has to be searched; or None."""
        node = self._root.static.get(domain)
        if node is None or self._root.dynamic:
            return None
        texts: list[str] = []
        for at, segment in enumerate(segments):
            dynamic = node.dynamic
            following = node.static.get(segment)
            if not dynamic:
                if following is None:
                    return None
                node = following
                continue
            part = dynamic[0]
            if following is not None or len(dynamic) > 1 or part.suffixed:
                return None
            matched = part.check("/".join(segments[at:]) if part.final else segment)
            if matched is None:
                return None
            texts += matched
            node = part.node
            if part.final:
                break
        for entry in node.entries:
            rule = entry.rule
            if (rule.methods is None or method in rule.methods) and rule.websocket == websocket:
                values = entry.read(texts)
                return None if values is None else (rule, values)
        return None

    def _search(self, search: Search, domain: str, path: str) -> tuple[Entry, list[str]] | None:
        try:
            if (literals := self.literals.get(domain)) is not None:
                slashed = _DOUBLE if path == "/" else f"{path}/"
                entry = search.choose(literals.get(path, ())) or search.behind_slash(literals.get(slashed, ()))
                if entry is not None:
                    return entry, []
            return search.walk(self._root, [domain, *path.split("/")], 0, [])
        except SlashRequired:
            raise MovedPath(f"{path}/") from None

    @staticmethod
    def _read(search: Search, found: tuple[Entry, list[str]]) -> tuple[wr.Rule, Values]:
        entry, texts = found
        values = entry.read(texts)
        if values is None:
            raise _refusal(search)
        return entry.rule, values

    def bind(self, *args: Any, **kwargs: Any) -> MapAdapter:
        """Return an adapter for a server name and what else is given, as werkzeug's map does."""
        return MapAdapter.of(super().bind(*args, **kwargs))

    def bind_to_environ(self, *args: Any, **kwargs: Any) -> MapAdapter:
        """Return an adapter for a WSGI environ, as werkzeug's map does."""
        return MapAdapter.of(super().bind_to_environ(*args, **kwargs))


class MovedPath(Exception):
    """The request should have asked for another path."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def _redirect(url: str) -> RequestRedirect:
    """Return a redirect; a line break, which the root or the query of the request may have, is no part of a header."""
    return RequestRedirect(url.replace("\r", "%0D").replace("\n", "%0A"))


def _refusal(search: Search) -> NotFound:
    """Return the error for a search that found nothing."""
    if search.allowed:
        return MethodNotAllowed(valid_methods=sorted(search.allowed))  # type: ignore[return-value]
    return WebsocketMismatch() if search.wrong_protocol else NotFound()  # type: ignore[return-value]


class MapAdapter(wr.MapAdapter):
    """Match and build with the indexes of :class:`Map`; the results are those of werkzeug's adapter."""

    map: Map

    @classmethod
    def of(cls, bound: wr.MapAdapter) -> MapAdapter:
        """Return an adapter that says the same as `bound`."""
        return cls(
            bound.map, bound.server_name, bound.script_name, bound.subdomain, bound.url_scheme, bound.path_info,
            bound.default_method, bound.query_args,
        )  # fmt: skip

    def match(
        self, path_info: str | None = None, method: str | None = None, return_rule: bool = False,
        query_args: Mapping[str, Any] | str | None = None, websocket: bool | None = None,
    ) -> tuple[Any, Values]:  # fmt: skip
        """Return (endpoint, values), or (rule, values) with `return_rule`, for a path and a method.

        :raises werkzeug.routing.RequestRedirect: the URL should have been another one
        :raises werkzeug.exceptions.NotFound: no rule matches
        :raises werkzeug.exceptions.MethodNotAllowed: rules match, for other methods
        """
        url_map = self.map
        path = self.path_info if path_info is None else path_info
        method = (method or self.default_method).upper()
        if websocket is None:
            websocket = self.websocket
        values: Values = {}
        literals = url_map.literals.get(self.domain_part)
        for entry in () if literals is None else literals.get(path, ()):
            rule = entry.rule
            if (rule.methods is None or method in rule.methods) and rule.websocket == websocket:
                break
        else:
            rule, values = self._search(path, method, websocket, query_args)
        if url_map.has_detours:
            if rule.defaults:
                values.update(rule.defaults)
            if rule.alias or rule.redirect_to is not None or url_map._rules_by_endpoint[rule.endpoint][0] is not rule:
                self._follow(rule, values, path, method, self._query(query_args))
        return (rule if return_rule else rule.endpoint), values

    def _search(
        self, path: str, method: str, websocket: bool, query_args: Mapping[str, Any] | str | None
    ) -> tuple[wr.Rule, Values]:
        """Return rule and values for a path that is no literal one."""
        if path:
            path = f"/{path.lstrip('/')}"
        try:
            return self.map.find(self.domain_part, path, method, websocket)
        except MovedPath as moved:
            target = self.make_redirect_url(quote(moved.path, safe=_SAFE_IN_PATH), self._query(query_args))
            raise _redirect(target) from None

    def _query(self, given: Mapping[str, Any] | str | None) -> Mapping[str, Any] | str:
        return (self.query_args or {}) if given is None else given

    @cached_property
    def domain_part(self) -> str:
        """What the domain part of a rule is compared with: the host, or the subdomain."""
        if self.map.host_matching or self.subdomain is None:
            return self.server_name
        return self.subdomain

    def _follow(
        self, rule: wr.Rule, values: Values, path: str, method: str, query_args: Mapping[str, Any] | str
    ) -> None:
        """Raise the redirect that an alias, a rule with defaults or `redirect_to` asks for, if one does."""
        if rule.alias and self.map.redirect_defaults:
            here = f"{self.domain_part}|{path}"
            raise _redirect(self.make_alias_redirect_url(here, rule.endpoint, values, method, query_args))
        if self.map.redirect_defaults:
            better = self.get_default_redirect(rule, method, values, query_args)
            if better is not None:
                raise _redirect(better)
        if rule.redirect_to is None:
            return
        if isinstance(rule.redirect_to, str):
            written = rule._converters
            target = _PLACEHOLDER.sub(lambda m: written[m[1]].to_url(values[m[1]]), rule.redirect_to)
        else:
            target = rule.redirect_to(self, **values)
        host = f"{self.subdomain}.{self.server_name}" if self.subdomain else self.server_name
        raise _redirect(urljoin(f"{self.url_scheme or 'http'}://{host}{self.script_name}", target))

    def build(
        self, endpoint: Any, values: Mapping[str, Any] | None = None, method: str | None = None,
        force_external: bool = False, append_unknown: bool = True, url_scheme: str | None = None,
    ) -> str:  # fmt: skip
        """Return the URL of an endpoint with `values` filled in; those the rule does not know become the query.

        :raises werkzeug.routing.BuildError: no rule of the endpoint takes these values
        """
        if isinstance(values, MultiDict):
            given = {key: v[0] if len(v) == 1 else v for key, v in dict.items(values) if v}
        else:
            given = values if isinstance(values, dict) else dict(values or ())
            for value in given.values():
                if value is None:
                    given = {key: value for key, value in given.items() if value is not None}
                    break
        built = None
        if method is None:
            built = self._first(endpoint, given, self.default_method, append_unknown)
        if built is None:
            built = self._first(endpoint, given, method, append_unknown)
        if built is None:
            raise BuildError(endpoint, dict(given), method, self)
        domain, path, websocket = built
        if not (force_external or websocket) and domain == (
            self.server_name if self.map.host_matching else self.subdomain
        ):
            return f"{self.script_name.rstrip('/')}/{path.lstrip('/')}"
        scheme = self.url_scheme if url_scheme is None else url_scheme
        secure = scheme in {"https", "wss"}
        if websocket:
            scheme = "wss" if secure else "ws"
        elif scheme:
            scheme = "https" if secure else "http"
        start = f"{scheme}:" if scheme else ""
        return f"{start}//{self.get_host(domain)}{self.script_name[:-1]}/{path.lstrip('/')}"

    def _first(
        self, endpoint: Any, values: Values, method: str | None, append_unknown: bool
    ) -> tuple[str, str, bool] | None:
        """Return domain part, path and protocol of the first rule that takes the values; with hosts, of this one."""
        elsewhere = None
        for rule in self.map._rules_by_endpoint.get(endpoint, ()):
            if isinstance(rule, Rule) and rule._plain and not rule.defaults:
                fits = (method is None or rule.methods is None or method in rule.methods) and (
                    rule._required <= values.keys()
                )
            else:
                fits = rule.suitable_for(values, method)
            if fits and (built := rule.build(values, append_unknown)) is not None:
                found = (*built, rule.websocket)
                if not self.map.host_matching or found[0] == self.server_name:
                    return found
                elsewhere = elsewhere or found
        return elsewhere


_WEBSOCKET_SCHEMES = frozenset({"ws", "wss"})


def _is_websocket(environ: dict[str, Any]) -> bool:
    """Tell whether the request is for a web socket, or asks for the protocol to be changed to it."""
    if environ["wsgi.url_scheme"] in _WEBSOCKET_SCHEMES:
        return True
    if environ["HTTP_UPGRADE"].lower() != "websocket":
        return False
    return any(token.strip(" \t") == "upgrade" for token in environ.get("HTTP_CONNECTION", "").lower().split(","))


class RequestAdapter(MapAdapter):
    """Be bound to a request: every attribute is read from the environ when it is looked at, and then kept."""

    websocket = False

    def __init__(
        self, url_map: Map, environ: dict[str, Any], server_name: str | None = None, subdomain: str | None = None,
    ) -> None:  # fmt: skip
        self.map = url_map
        self._environ = environ
        self._configured = server_name
        # What matching asks for at once is read at once; the rest waits.
        path = environ.get("PATH_INFO", "/")
        self.path_info = path if path.isascii() else decode_wsgi(path)
        self.default_method = environ["REQUEST_METHOD"]
        if subdomain is not None:
            self.subdomain = self.domain_part = subdomain
        if "HTTP_UPGRADE" in environ or environ["wsgi.url_scheme"] in _WEBSOCKET_SCHEMES:
            self.websocket = _is_websocket(environ)

    @cached_property
    def server_name(self) -> str:  # type: ignore[override]
        # A subdomain is given, because werkzeug warns where it finds none: a hint for set-up, noise for each request.
        subdomain = None if self.map.host_matching else ""
        bound = wr.Map.bind_to_environ(self.map, self._environ, server_name=self._configured, subdomain=subdomain)
        return bound.server_name

    @cached_property
    def subdomain(self) -> str | None:  # type: ignore[override]
        if self.map.host_matching:
            return None
        if self._configured is None:
            return ""
        here = get_host(self._environ).lower()
        configured = self._configured.lower()
        for port in (":443",) if self.url_scheme in {"https", "wss"} else (":80",):
            # get_host() leaves the standard ports out.
            configured = configured.removesuffix(port)
        if not f".{here}".endswith(f".{configured}"):
            return "<invalid>"
        return ".".join(filter(None, here.removesuffix(configured).split(".")))

    @cached_property
    def script_name(self) -> str:  # type: ignore[override]
        name = decode_wsgi(self._environ.get("SCRIPT_NAME") or "")
        return name if name.endswith("/") else f"{name}/"

    @cached_property
    def url_scheme(self) -> str:  # type: ignore[override]
        scheme: str = self._environ["wsgi.url_scheme"]
        if not self.websocket or scheme in _WEBSOCKET_SCHEMES:
            return scheme
        return "wss" if scheme == "https" else "ws"

    @cached_property
    def query_args(self) -> str | None:  # type: ignore[override]
        query = self._environ.get("QUERY_STRING")
        return None if query is None else decode_wsgi(query)


__all__ = ["Map", "MapAdapter", "RequestAdapter", "Rule", "get_host"]
