"""``microflask doctor``: what in an application is unsafe, has no effect, or differs between the generations of Flask.

The application is looked at as it stands after its import; the sources of its own modules are read, not run.
"""

from __future__ import annotations

import ast
import json
import os
import re
import sys
import tokenize
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from . import relics
from .resources import PackageBound
from .sessions import SessionInterface
from .views import LazyView

SEVERE, WARNING, NOTE = SEVERITIES = ("severe", "warning", "note")

_SHORTEST_KEY = 16
_FEWEST_LETTERS = 8
#: Keys that stand in tutorials and documents, and so in lists of keys to try.
_KNOWN_KEYS = frozenset({
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf", "_5#y2l\"f4q8z\n\xec]/",
    "a0zr98j/3yx r~xhh!jmn]lwx/,?rt", "changeme", "default", "dev", "development", "key", "my_secret_key",
    "mysecretkey", "password", "secret", "secret key", "secret-key", "secret_key", "secretkey", "something secret",
    "super secret key", "super-secret-key", "supersecretkey", "test", "this is a secret key", "very secret",
    "you-will-never-guess",
})  # fmt: skip
#: Folders below a package that hold no code of it.
_NO_SOURCES = frozenset({"__pycache__", "node_modules", "site-packages"})

#: Methods that register something on an application or a blueprint.
_SETUP = frozenset({
    "add_app_template_filter", "add_app_template_global", "add_app_template_test", "add_template_filter",
    "add_template_global", "add_template_test", "add_url_rule", "after_app_request", "after_request",
    "app_context_processor", "app_errorhandler", "app_template_filter", "app_template_global", "app_template_test",
    "app_url_defaults", "app_url_value_preprocessor", "before_app_first_request", "before_app_request",
    "before_first_request", "before_request", "context_processor", "delete", "endpoint", "errorhandler", "get",
    "patch", "post", "put", "record", "record_once", "register_blueprint", "register_error_handler",
    "register_module", "route", "shell_context_processor", "teardown_app_request", "teardown_appcontext",
    "teardown_request", "template_filter", "template_global", "template_test", "url_defaults",
    "url_value_preprocessor",
})  # fmt: skip
#: Attributes of an application under which functions wait that run while a request is handled.
_REGISTRIES = (
    "before_request_funcs", "after_request_funcs", "teardown_request_funcs", "template_context_processors",
    "url_value_preprocessors", "url_default_functions",
)  # fmt: skip
_VARIABLE = re.compile(r"<(?:([a-zA-Z_]\w*)(\(.*?\))?:)?\w+>")


@dataclass(frozen=True)
class Finding:
    """Hold one thing to know about an application."""

    code: str
    """A short name for the kind of finding."""
    severity: str
    """"severe", "warning" or "note"."""
    message: str
    way_out: str
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class Source:
    """Hold a module of the application, parsed."""

    path: str
    tree: ast.Module

    @cached_property
    def imported(self) -> dict[str, str]:
        """What the names that the module imports stand for."""
        return relics.imported_names(self.tree)

    @cached_property
    def namespace(self) -> Mapping[str, Any]:
        """The names of the module that was made of it, if one was."""
        for module in list(sys.modules.values()):
            if getattr(module, "__file__", None) == self.path:
                return vars(module)
        return {}


# -- reading the sources ---------------------------------------------------------------------------------------------


def _files_below(folder: str) -> Iterator[str]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders
            if name not in _NO_SOURCES and not name.startswith(".")
            and not os.path.exists(os.path.join(here, name, "pyvenv.cfg"))
        )  # fmt: skip
        yield from (os.path.join(here, name) for name in sorted(files) if name.endswith(".py"))


def source_files(app: Any) -> list[str]:
    """Return the files of the application's package; for a single module, its own, then those imported beside it."""
    folders = getattr(sys.modules.get(app.import_name.partition(".")[0]), "__path__", None)
    if folders is not None:
        return list(dict.fromkeys(file for folder in folders for file in _files_below(folder)))
    root = Path(app.root_path)
    own = getattr(sys.modules.get(app.import_name), "__file__", None)
    found = []
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.endswith(".py") and Path(file).is_relative_to(root):
            inner = Path(file).relative_to(root).parts
            if _NO_SOURCES.isdisjoint(inner) and not Path(file).is_relative_to(Path(__file__).parent):
                found.append(file)
    return list(dict.fromkeys([*([own] if own else ()), *sorted(found)]))


def read_sources(app: Any) -> list[Source]:
    """Return the modules of an application that can be read and parsed."""
    sources = []
    for path in source_files(app):
        try:
            with tokenize.open(path) as file, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                sources.append(Source(path, ast.parse(file.read())))
        except (OSError, SyntaxError, ValueError):
            continue
    return sources


# -- the configuration -----------------------------------------------------------------------------------------------


def _place_of_key(sources: Iterable[Source], key: str) -> dict[str, Any]:
    """Return file and line where a key of the configuration is written, as arguments of a finding."""
    for source in sources:
        for node in ast.walk(source.tree):
            match node:
                case ast.Constant(value=text) if text == key:
                    return {"file": source.path, "line": node.lineno}
                case ast.keyword(arg=text) if text == key:
                    return {"file": source.path, "line": node.value.lineno}
                case ast.Name(id=text, ctx=ast.Store()) | ast.Attribute(attr=text, ctx=ast.Store()):
                    if text == key or (key == "SECRET_KEY" and text == "secret_key"):
                        return {"file": source.path, "line": node.lineno}
    return {}


def check_ignored_keys(app: Any, sources: list[Source]) -> Iterator[Finding]:
    """Find keys that the application's compat does not look at."""
    config, compat = app.config, app.compat
    ignored = {
        "ENV": (config.get("ENV") is not None, "use the debug flag, or a key of your own"),
        "JSONIFY_MIMETYPE": ("JSONIFY_MIMETYPE" in config, "set app.json.mimetype"),
        "LOGGER_HANDLER_POLICY": ("LOGGER_HANDLER_POLICY" in config, "configure logging"),
        "LOGGER_NAME": (
            config.get("LOGGER_NAME") is not None and not compat.logger_by_import_name,
            "ask logging.getLogger() for the logger with the application's name",
        ),
        "SESSION_REFRESH_EACH_REQUEST": (
            config.get("SESSION_REFRESH_EACH_REQUEST") is False and compat.session_always_sent,
            "choose another compat: with this one a session is sent with every response",
        ),
    }
    for key, (is_ignored, way_out) in ignored.items():
        if is_ignored:
            message = f"The configuration has {key}, which has no effect with compat={compat.name!r}."
            yield Finding("config-ignored", WARNING, message, way_out, **_place_of_key(sources, key))


def _weakness(key: Any) -> str | None:
    """Return why a secret key is weak, without the key."""
    text = key.decode("latin-1") if isinstance(key, bytes) else str(key)
    if text.lower() in _KNOWN_KEYS:
        return "is one that stands in tutorials"
    if len(text) < _SHORTEST_KEY:
        return f"has less than {_SHORTEST_KEY} characters"
    if len(set(text)) < _FEWEST_LETTERS:
        return "repeats a few characters"
    return None


def check_secret_key(app: Any, sources: list[Source]) -> Iterator[Finding]:
    """Find out whether the session cookie can be forged."""
    make_one = "make one with python -c 'import secrets; print(secrets.token_hex())' and keep it out of the sources"
    place = _place_of_key(sources, "SECRET_KEY")
    if not app.secret_key:
        used = next(_uses_of(sources, {"flask.session", "flask.flash"}), None)
        message = "There is no SECRET_KEY, so that sessions and flashed messages fail."
        if used is None:
            yield Finding("secret-key-missing", NOTE, message, f"if the application needs them, {make_one}")
        else:
            source, line = used
            yield Finding("secret-key-missing", SEVERE, message, make_one, source.path, line)
        return
    fallbacks = app.config.get("SECRET_KEY_FALLBACKS") or ()
    if isinstance(fallbacks, str | bytes):
        message = "SECRET_KEY_FALLBACKS is a text, and has to be a list of keys."
        where = _place_of_key(sources, "SECRET_KEY_FALLBACKS")
        yield Finding("secret-key-weak", SEVERE, message, "put brackets around it", **where)
        fallbacks = ()
    for name, keys in (("SECRET_KEY", (app.secret_key,)), ("SECRET_KEY_FALLBACKS", fallbacks)):
        for why in filter(None, map(_weakness, keys)):
            message = f"A key in {name} {why}: whoever guesses it can forge sessions."
            found = _place_of_key(sources, name)
            yield Finding("secret-key-weak", SEVERE, message, make_one, **(found or place))


def check_cookie_flags(app: Any, sources: list[Source]) -> Iterator[Finding]:
    """Find flags of the session cookie that protect nobody."""
    interface = app.session_interface
    if not (app.secret_key and isinstance(interface, SessionInterface)):
        return
    secure, samesite = interface.get_cookie_secure(app), interface.get_cookie_samesite(app)
    if not interface.get_cookie_httponly(app):
        yield Finding(
            "cookie-httponly", SEVERE,
            "Scripts in a page can read the session cookie: SESSION_COOKIE_HTTPONLY is off.", "leave it on",
            **_place_of_key(sources, "SESSION_COOKIE_HTTPONLY"),
        )  # fmt: skip
    for key, needs_https in (
        ("SESSION_COOKIE_SAMESITE", str(samesite).lower() == "none" and samesite is not None),
        ("SESSION_COOKIE_PARTITIONED", interface.get_cookie_partitioned(app)),
    ):
        if needs_https and not secure:
            yield Finding(
                "cookie-secure", SEVERE, f"Browsers refuse the session cookie: {key} asks for SESSION_COOKIE_SECURE.",
                "set SESSION_COOKIE_SECURE and serve HTTPS", **_place_of_key(sources, key),
            )  # fmt: skip
            return
    if not secure:
        yield Finding(
            "cookie-secure", NOTE if app.debug or app.testing else WARNING,
            "The session cookie travels over plain HTTP too: SESSION_COOKIE_SECURE is off.",
            "set it where the application is served over HTTPS", **_place_of_key(sources, "SESSION_COOKIE_SECURE"),
        )  # fmt: skip
    if samesite is None:
        yield Finding(
            "cookie-samesite", WARNING,
            "Browsers decide whether requests from other sites carry the session: SESSION_COOKIE_SAMESITE is unset.",
            "set it to 'Lax', or to 'Strict'",
        )  # fmt: skip


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def check_session_domain(app: Any, sources: list[Source]) -> Iterator[Finding]:
    """Find domains with which the session cookie does not come back, or comes to hosts it was not meant for."""
    if not (app.secret_key and isinstance(app.session_interface, SessionInterface)):
        return
    server = (app.config.get("SERVER_NAME") or "").rpartition("@")[2].partition(":")[0].lower()
    domain = (app.session_interface.get_cookie_domain(app) or "").lstrip(".").lower()
    place = _place_of_key(sources, "SESSION_COOKIE_DOMAIN") or _place_of_key(sources, "SERVER_NAME")
    if domain and ("." not in domain or _is_address(domain)):
        message = f"Browsers keep no session cookie for the domain {domain!r}: it is an address, or has no dot."
        way_out = "set none for such a host; without SESSION_COOKIE_DOMAIN, compat '0.10' takes it from SERVER_NAME"
        yield Finding("session-domain", SEVERE, message, way_out, **place)
    elif domain and server and not f".{server}".endswith(f".{domain}"):
        message = f"Browsers refuse a session cookie for {domain!r} from the host {server!r} (SERVER_NAME)."
        yield Finding("session-domain", SEVERE, message, "make one of them a part of the other", **place)
    elif domain:
        message = f"The session cookie goes to {domain!r} and to all hosts below it, whoever runs them."
        yield Finding("session-domain", NOTE, message, "leave it unset, if this host alone needs the session", **place)
    elif any(rule.subdomain for rule in app.url_map.iter_rules()) and _has_subdomains(app):
        message = "Each subdomain has a session of its own, since the cookie has no domain."
        way_out = f"set SESSION_COOKIE_DOMAIN to {server or 'the common domain'!r}, if they are to share one"
        yield Finding("session-domain", WARNING, message, way_out)


def _has_subdomains(app: Any) -> bool:
    implied = app.compat.server_name_implies_subdomains and app.config.get("SERVER_NAME")
    return bool(app.subdomain_matching or implied)


def check_hosts(app: Any, sources: list[Source]) -> Iterator[Finding]:
    """Find out whether a client may call the host what it likes."""
    if not app.config.get("TRUSTED_HOSTS"):
        yield Finding(
            "hosts-unchecked", WARNING,
            "Any Host header is believed, and so gets into absolute URLs: TRUSTED_HOSTS is unset.",
            "list the names under which the application is reached, unless the server in front of it checks them",
        )  # fmt: skip


# -- the rules -------------------------------------------------------------------------------------------------------


def _shape(rule: Any) -> tuple[str, str]:
    """Return a rule's domain and its text, with the names of the variables left out."""

    def without_name(match: re.Match[str]) -> str:
        converter = match[1] or "default"
        return f"<{'string' if converter == 'default' else converter}{match[2] or ''}>"

    return rule.host or rule.subdomain or "", _VARIABLE.sub(without_name, rule.rule)


def _place_of_view(app: Any, endpoint: str) -> dict[str, Any]:
    """Return file and line of a view, as arguments of a finding; a view that is imported late stays unimported."""
    view = app.view_functions.get(endpoint)
    code = None if isinstance(view, LazyView) else _code_of(getattr(view, "view_class", view))
    return {} if code is None else {"file": code.co_filename, "line": code.co_firstlineno}


def _code_of(thing: Any) -> Any:
    """Return the code of a function below decorators and partials, or of the first method of a class."""
    if isinstance(thing, type):
        return next(filter(None, map(_code_of, vars(thing).values())), None)
    while (inner := getattr(thing, "__wrapped__", getattr(thing, "func", None))) is not None:
        thing = inner
    return getattr(thing, "__code__", None)


def check_rules(app: Any, sources: list[Source]) -> Iterator[Finding]:
    """Find rules that are never reached, and pairs that differ only in a slash."""
    seen: dict[tuple[str, str], list[Any]] = {}
    for rule in app.url_map.iter_rules():
        if rule.build_only or rule.alias or rule.websocket or rule.redirect_to:
            continue
        domain, text = _shape(rule)
        for other_text, code in ((text, "rules-shadowed"), (_other_slash(text), "rules-slash")):
            for earlier in seen.get((domain, other_text), ()):
                common = _common_methods(earlier, rule)
                if common and not (earlier.endpoint == rule.endpoint and (earlier.defaults or rule.defaults)):
                    yield _rules_finding(app, code, earlier, rule, common)
        seen.setdefault((domain, text), []).append(rule)


def _other_slash(text: str) -> str:
    return text[:-1] if text.endswith("/") else f"{text}/"


def _common_methods(one: Any, other: Any) -> list[str]:
    if one.methods is None or other.methods is None:
        return sorted(one.methods or other.methods or {"any method"})
    # Those that are answered for the view do not count where both have others.
    return sorted((one.methods & other.methods) - {"OPTIONS", "HEAD"})


def _rules_finding(app: Any, code: str, earlier: Any, rule: Any, methods: list[str]) -> Finding:
    pair = f"{rule.rule!r} (endpoint {rule.endpoint!r}) and {earlier.rule!r} (endpoint {earlier.endpoint!r})"
    place = _place_of_view(app, rule.endpoint)
    if code == "rules-shadowed":
        message = f"The rules {pair} match the same URLs for {', '.join(methods)}: only one of them is ever reached."
        return Finding(code, WARNING, message, "remove one of them, or give them different methods", **place)
    message = f"The rules {pair} differ only in the slash at the end: two pages where readers expect one."
    return Finding(code, WARNING, message, "keep the one with the slash: it also answers for the other", **place)


# -- the sources -----------------------------------------------------------------------------------------------------


def _uses_of(sources: Iterable[Source], names: set[str]) -> Iterator[tuple[Source, int]]:
    """Yield where the sources use one of some dotted names, other than by importing it."""
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Name | ast.Attribute) and relics.resolve(node, source.imported) in names:
                yield source, node.lineno


def check_removed_names(app: Any, sources: list[Source]) -> Iterator[Finding]:
    """Find names that a later Flask has not."""
    for source in sources:
        for use in relics.find_uses(source.tree):
            message = f"{use.name} is gone since Flask {use.since}; microflask keeps it."
            yield Finding("removed-name", NOTE, message, use.way_out, source.path, use.line)


def check_string_templates(app: Any, sources: list[Source]) -> Iterator[Finding]:
    """Find templates in strings that insert values as they are."""
    if app.compat.escape_string_templates:
        return
    names = {
        f"flask.{where}{name}"
        for name in ("render_template_string", "stream_template_string")
        for where in ("", "templating.")
    }
    for source, line in _uses_of(sources, names):
        message = f"With compat={app.compat.name!r}, templates in strings insert values unescaped."
        way_out = "use a template file, or write {{ value|e }}"
        yield Finding("templates-unescaped", SEVERE, message, way_out, source.path, line)


def _running_code(app: Any) -> set[tuple[str, int]]:
    """Return file and first line of each function that runs while a request is handled."""
    functions: list[Any] = [*app.teardown_appcontext_funcs]
    for view in app.view_functions.values():
        kind = getattr(view, "view_class", None)
        functions += [view] if kind is None else [value for base in kind.__mro__ for value in vars(base).values()]
    for registry in _REGISTRIES:
        functions += [function for listed in getattr(app, registry).values() for function in listed]
    for by_code in app.error_handler_spec.values():
        for handlers in by_code.values():
            if isinstance(handlers, Mapping):
                functions += handlers.values()
            elif isinstance(handlers, list):
                functions += [handler for _, handler in handlers]
            else:
                functions.append(handlers)
    codes = map(_code_of, (function for function in functions if not isinstance(function, LazyView)))
    return {(code.co_filename, code.co_firstlineno) for code in codes if code is not None}


def _is_bound(node: ast.expr, source: Source) -> bool:
    """Tell whether an expression is an application or a blueprint: by what it is, and without a value by its name."""
    if relics.resolve(node, source.imported) == "flask.current_app":
        return True
    if isinstance(node, ast.Name):
        value = source.namespace.get(node.id)
        return node.id in {"app", "bp"} if value is None else issubclass(type(value), PackageBound)
    return False


def check_late_setup(app: Any, sources: list[Source]) -> Iterator[Finding]:
    """Find views and hooks that register something, at a time when it is too late."""
    running = _running_code(app)
    severity = SEVERE if app.compat.late_setup_refused else WARNING
    for source in sources:
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            # The code of a decorated function begins with its first decorator.
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            if (source.path, first) not in running:
                continue
            for call, method in _setup_calls(node, source):
                message = f"{node.name}() runs during requests and calls {method}(), which is for the set-up only."
                way_out = "call it where the application is made, before the first request"
                yield Finding("late-setup", severity, message, way_out, source.path, call.lineno)


def _setup_calls(function: ast.FunctionDef | ast.AsyncFunctionDef, source: Source) -> Iterator[tuple[ast.Call, str]]:
    own = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for statement in function.body:
        for node in ast.walk(statement):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner = node.func.value
            is_own = isinstance(owner, ast.Name) and owner.id in own
            if node.func.attr in _SETUP and not is_own and _is_bound(owner, source):
                yield node, node.func.attr


# -- all of it -------------------------------------------------------------------------------------------------------

_CHECKS: tuple[Callable[[Any, list[Source]], Iterator[Finding]], ...] = (
    check_secret_key, check_cookie_flags, check_session_domain, check_hosts, check_ignored_keys, check_rules,
    check_late_setup, check_string_templates, check_removed_names,
)  # fmt: skip


def _import_late_blueprints(app: Any) -> Iterator[Finding]:
    for name, error in app.late_blueprints.import_all(app).items():
        message = f"The blueprint {name!r} cannot be imported, so its pages fail: {type(error).__name__}: {error}"
        way_out = "mend it; `routes --check` also tries the views that are imported late"
        yield Finding("late-import", SEVERE, message, way_out)


def examine(app: Any) -> list[Finding]:
    """Return what there is to know about an application, the severe things first.

    Blueprints that wait for their first request are imported, since nobody knows their rules before.
    """
    late = list(_import_late_blueprints(app))
    sources = read_sources(app)
    found = dict.fromkeys([*late, *(finding for check in _CHECKS for finding in check(app, sources))])
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _place(finding: Finding) -> str:
    if finding.file is None:
        return ""
    path = Path(finding.file)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"  {shown}:{finding.line}"


def to_text(app: Any, findings: list[Finding]) -> str:
    """Return findings for a reader."""
    lines = [f"{app.name!r}, compat={app.compat.name!r}"]
    for finding in findings:
        lines += ["", f"{finding.severity:8}{finding.code}{_place(finding)}"]
        lines += [f"        {finding.message}", f"        Way out: {finding.way_out}."]
    counts = [f"{sum(one.severity == severity for one in findings)} {severity}" for severity in SEVERITIES]
    return "\n".join([*lines, "", f"Found: {', '.join(counts)}."])


def to_json(app: Any, findings: list[Finding]) -> str:
    """Return findings as a JSON document: application, compat, and a list of findings."""
    listed = [asdict(finding) for finding in findings]
    return json.dumps({"application": app.name, "compat": app.compat.name, "findings": listed}, indent=2)
