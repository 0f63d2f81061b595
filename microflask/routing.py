"""Werkzeug's Map and MapAdapter, made lazy: rules are indexed as they come, adapters look at the environ when asked.

The map keeps its literal paths in a dictionary, and a tree by path segment for the rest. Which rule wins, which
redirect or error is raised, is what werkzeug's own state machine says; a randomised test compares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urljoin

import werkzeug.routing as wr
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import BuildError, RequestRedirect, WebsocketMismatch
from werkzeug.wsgi import get_host

from .attributes import compile_later
from .decoding import decode_wsgi
from .matching import Index, Place, Search, SlashRequired, chain
from .rules import SAFE_IN_PATH, Field, Rule, RuleMap, Values, merge_slashes, read_values, write_fields

#: A rule, its domain part, and the format of its path, which has no slash at its beginning.
Plan = tuple[Rule, str, str, tuple[Field, ...]]
#: Hosts in which werkzeug changes nothing: no port, no other case, nothing of other alphabets.
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_HOST = compile_later(globals(), "_PLAIN_HOST", rf"(?!.*xn--){_LABEL}(?:\.{_LABEL})*")


class Map(RuleMap):
    """Work as werkzeug's map, with the rules indexed as they are added."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.index = Index()
        self.places = self.index.places
        self.shared_converters = {}
        #: endpoint -> what :meth:`plan` says of it
        self.plans: dict[Any, Plan | None] = {}
        #: Whether there are defaults, aliases, redirects or web sockets, so that a match may not be the last word.
        self.has_detours = False
        super().__init__(*args, **kwargs)

    def add(self, rulefactory: wr.RuleFactory) -> None:
        """Bind a rule, or each rule of a factory, and index it.

        :raises ValueError: a rule is malformed
        :raises LookupError: a rule names a converter that the map lacks
        :raises RuntimeError: a rule belongs to a map already
        """
        for rule in (rulefactory,) if type(rulefactory) is Rule else rulefactory.get_rules(self):
            rule.bind(self)
            if not rule.build_only:
                self.index.add(rule)
            if rule.defaults or rule.alias or rule.redirect_to is not None or rule.websocket:
                self.has_detours = True
            rules = self._rules_by_endpoint.get(rule.endpoint)
            if rules is None:
                self._rules_by_endpoint[rule.endpoint] = [rule]
            else:
                self.plans.pop(rule.endpoint, None)
                rules.append(rule)
                rules.sort(key=wr.Rule.build_compare_key)

    def plan(self, endpoint: Any) -> Plan | None:
        """Return the rule of an endpoint and what its URLs are made of; None where it has several, or no plain one."""
        rules = self._rules_by_endpoint.get(endpoint, ())
        plan = None
        if len(rules) == 1 and isinstance(rule := rules[0], Rule) and rule.is_plain():
            (domain, in_domain), (text, fields) = rule._formats
            # An endpoint that begins with a dot is one of the current blueprint.
            if not in_domain and str(endpoint)[:1] != ".":
                plan = (rule, domain, text.lstrip("/"), fields)
        if rules:
            self.plans[endpoint] = plan
        return plan

    def update(self) -> None:
        """Do nothing: the indexes are always in order."""

    def match_environ(self, environ: dict[str, Any]) -> tuple[wr.Rule | None, Values | NotFound]:
        """Return rule and values for a request; no rule, where only an adapter can tell; and no rule but the error,
        where nothing can match, because an exception takes twice the time of the search.

        :raises NotFound: no rule matches, which took some trying
        :raises MethodNotAllowed: rules match, for other methods
        """
        try:
            path = environ["PATH_INFO"]
        except KeyError:
            path = "/"
        if not path.isascii():
            path = decode_wsgi(path)
        domain: Any = self.plain_host(environ) if self.host_matching else self.default_subdomain
        try:
            place = self.places[domain]
        except KeyError:
            return None, {}
        scheme = environ["wsgi.url_scheme"]
        if "HTTP_UPGRADE" in environ or (scheme != "http" and scheme in _WEBSOCKET_SCHEMES):
            return None, {}
        method = environ["REQUEST_METHOD"]
        rule = place.literals.get(path)
        if rule is None:
            head, slash, tail = path.rpartition("/")
            part = place.leaves.get(head)
            if part is not None and tail and slash and tail not in part.beside:
                if part.is_number:
                    # More digits could be more than int() takes.
                    value: Any = int(tail) if tail.isdecimal() and len(tail) < 640 else None
                else:
                    value = None if part.is_one_line and "\n" in tail else tail
                for leaf in part.node.entries if value is not None else ():
                    allowed = leaf._allowed
                    if allowed is None or method in allowed:
                        if leaf._only is None:
                            break
                        return (None if self.has_detours and self.may_detour(leaf) else leaf), {leaf._only: value}
                    if not method.isupper():
                        break
            return self._match_tree(place, domain, path, head, method)
        while rule is not None:
            allowed = rule._allowed
            if allowed is None or method in allowed:
                return (None if self.has_detours and self.may_detour(rule) else rule), {}
            rule = rule._next if method.isupper() else None
        return self._match_slowly(domain, path, method)

    def _match_tree(
        self, place: Place, domain: Any, path: str, head: str, method: str
    ) -> tuple[wr.Rule | None, Values | NotFound]:
        """Do as :meth:`match_environ` for a path that is no literal one.

        :param head: what is before its last slash
        """
        if not path or path[0] != "/" or "//" in path:
            # Slashes at the beginning count as one, and elsewhere they may be too many.
            has_one = path[:1] == "/" and path[:2] != "//"
            return self._match_slowly(domain, path, method) if has_one else (None, {})
        match = self.index.descend(place, path, head, method, False)
        if match is False:
            error = _new_error(NotFound)
            error.response = None
            return None, error
        if match is None:
            return self._match_slowly(domain, path, method)
        return (None, match[1]) if self.has_detours and self.may_detour(match[0]) else match

    def _match_slowly(self, domain: Any, path: str, method: str) -> tuple[wr.Rule | None, Values]:
        """Do as :meth:`match_environ` where all ways through the tree have to be tried."""
        try:
            match = self._try_all(domain, path, method.upper(), False)
        except MovedPath:
            return None, {}
        return (None, match[1]) if self.has_detours and self.may_detour(match[0]) else match

    @staticmethod
    def plain_host(environ: dict[str, Any]) -> str | None:
        """Return the host of a request as rules have it, or None where only an adapter can tell."""
        host: str = environ.get("HTTP_HOST", "")
        return host if len(host) < 254 and _PLAIN_HOST(host) else None

    def may_detour(self, rule: wr.Rule) -> bool:
        """Tell whether a match of `rule` is not the last word: defaults to add, an alias or redirect to follow."""
        return bool(
            rule.defaults or rule.alias or rule.redirect_to is not None or rule.websocket
            or self._rules_by_endpoint[rule.endpoint][0] is not rule
        )  # fmt: skip

    def find(self, domain: str, path: str, method: str, websocket: bool) -> tuple[wr.Rule, Values]:
        """Return the rule for a path and the values of its variables.

        :raises MovedPath: the path should have been another one
        :raises NotFound: no rule matches
        :raises MethodNotAllowed: rules match, for other methods
        """
        place = self.places.get(domain)
        if place is not None and path and path not in place.literals:
            match = self.index.descend(place, path, path.rpartition("/")[0], method, websocket)
            if match:
                return match
            if match is False and "//" not in path:
                raise NotFound()
        return self._try_all(domain, path, method, websocket)

    def _try_all(self, domain: str, path: str, method: str, websocket: bool) -> tuple[wr.Rule, Values]:
        search = Search(method, websocket)
        if found := self._search(search, domain, path):
            return self._read(search, found)
        if self.merge_slashes and "//" in path:
            path = merge_slashes(path)
            found = self._search(search, domain, path)
            if found is not None and found[0].merge_slashes is not False:
                raise MovedPath(path)
        raise _refusal(search)

    def _search(self, search: Search, domain: str, path: str) -> tuple[Any, list[str]] | None:
        try:
            return self.index.search(search, domain, path)
        except SlashRequired:
            raise MovedPath(f"{path}/") from None

    @staticmethod
    def _read(search: Search, found: tuple[Any, list[str]]) -> tuple[wr.Rule, Values]:
        rule, texts = found
        values = read_values(rule._fields, texts)
        if values is None:
            raise _refusal(search)
        return rule, values

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
    #: What the domain part of a rule is compared with: the host, or the subdomain.
    domain_part: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.domain_part = _domain_part(self)

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
        place = url_map.places.get(self.domain_part)
        for rule in () if place is None else chain(place.literals.get(path)):
            if (rule._allowed is None or method in rule._allowed) and rule.websocket == websocket:
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
            target = self.make_redirect_url(quote(moved.path, safe=SAFE_IN_PATH), self._query(query_args))
            raise _redirect(target) from None

    def _query(self, given: Mapping[str, Any] | str | None) -> Mapping[str, Any] | str:
        return (self.query_args or {}) if given is None else given

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
            target = re.sub("<([^>]+)>", lambda m: written[m[1]].to_url(values[m[1]]), rule.redirect_to)
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
                allowed = rule._allowed
                fits = (method is None or allowed is None or method in allowed) and rule._required <= values.keys()
            else:
                fits = rule.suitable_for(values, method)
            if fits and (built := rule.build(values, append_unknown)) is not None:
                found = (*built, rule.websocket)
                if not self.map.host_matching or found[0] == self.server_name:
                    return found
                elsewhere = elsewhere or found
        return elsewhere


#: Makes an error without its constructor, which takes a quarter of the time of a miss to set one attribute to None.
_new_error = NotFound.__new__
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

    #: The path of the application, with a slash at its end.
    root: str

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
        self.websocket = (
            "HTTP_UPGRADE" in environ or environ["wsgi.url_scheme"] in _WEBSOCKET_SCHEMES
        ) and _is_websocket(environ)

    def __getattr__(self, name: str) -> Any:
        make = _MAKERS.get(name)
        if make is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = make(self)
        setattr(self, name, value)
        return value

    def local_url(self, endpoint: Any, values: dict[str, Any]) -> str | None:
        """Return what :meth:`build` does for an endpoint with one plain rule on this host; None: ask that."""
        try:
            plan = self.map.plans[endpoint]
        except KeyError:
            plan = self.map.plan(endpoint)
        if plan is None:
            return None
        rule, domain, text, fields = plan
        if domain != self.domain_part:
            return None
        try:
            url = write_fields(f"{self.root}{text}", fields, values)
        except Exception:
            # Of several things that are wrong build() tells the one that werkzeug does.
            return None
        if len(values) > len(fields):
            url += rule.query(values)
        # Nothing but a value can bring slashes to the beginning of the path.
        return url if text else f"{self.root}{url[len(self.root) :].lstrip('/')}"


def _domain_part(adapter: wr.MapAdapter) -> str:
    if adapter.map.host_matching or adapter.subdomain is None:
        return adapter.server_name
    return adapter.subdomain


def _server_name(adapter: RequestAdapter) -> str:
    if adapter.map.host_matching and adapter._configured is None:
        host = adapter.map.plain_host(adapter._environ)
        if host is not None:
            return host
    # A subdomain is given, because werkzeug warns where it finds none: a hint for set-up, noise for each request.
    subdomain = None if adapter.map.host_matching else ""
    return wr.Map.bind_to_environ(
        adapter.map, adapter._environ, server_name=adapter._configured, subdomain=subdomain
    ).server_name


def _subdomain(adapter: RequestAdapter) -> str | None:
    if adapter.map.host_matching:
        return None
    if adapter._configured is None:
        return ""
    here = get_host(adapter._environ).lower()
    # get_host() leaves the standard ports out.
    port = ":443" if adapter.url_scheme in {"https", "wss"} else ":80"
    configured = adapter._configured.lower().removesuffix(port)
    if not f".{here}".endswith(f".{configured}"):
        return "<invalid>"
    return ".".join(filter(None, here.removesuffix(configured).split(".")))


def _script_name(adapter: RequestAdapter) -> str:
    name = decode_wsgi(adapter._environ.get("SCRIPT_NAME") or "")
    return name if name.endswith("/") else f"{name}/"


def _url_scheme(adapter: RequestAdapter) -> str:
    scheme: str = adapter._environ["wsgi.url_scheme"]
    if not adapter.websocket or scheme in _WEBSOCKET_SCHEMES:
        return scheme
    return "wss" if scheme == "https" else "ws"


def _query_args(adapter: RequestAdapter) -> str | None:
    query = adapter._environ.get("QUERY_STRING")
    return None if query is None else decode_wsgi(query)


#: The attributes of :class:`RequestAdapter` that wait.
_MAKERS: dict[str, Callable[[RequestAdapter], Any]] = {
    "domain_part": _domain_part, "query_args": _query_args, "script_name": _script_name, "server_name": _server_name,
    "subdomain": _subdomain, "url_scheme": _url_scheme, "root": lambda adapter: f"{adapter.script_name.rstrip('/')}/",
}  # fmt: skip


__all__ = ["Map", "MapAdapter", "RequestAdapter", "Rule", "get_host"]
