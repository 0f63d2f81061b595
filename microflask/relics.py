"""Names that later releases of Flask removed: which, since when, what to use instead, and where a source has them.

All of them work in microflask and stay; they matter to whoever wants to run the same source on Flask.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_PROVIDER = "subclass flask.json.provider.DefaultJSONProvider and set app.json_provider_class"
_SETUP = "do it where the application is made"
_SETTING = "read or set the key of app.config"
_JSON_KEY = "set the attribute of app.json: ensure_ascii, sort_keys, compact or mimetype"
_BLUEPRINT = "make it a Blueprint"
_MARKUP = "import it from markupsafe"
_SIGNALS = "leave the question out: signals always work"
_STACK = "use the proxies request, session, g and current_app, or request_ctx and app_ctx of flask.globals"

#: Dotted name -> the release of Flask that lacks it, and the way out. A module stands for all that is in it.
_NAMES = {
    "flask.Markup": ("3.0", _MARKUP),
    "flask.escape": ("3.0", _MARKUP),
    "flask.Module": ("1.0", _BLUEPRINT),
    "flask.module": ("1.0", _BLUEPRINT),
    "flask.ext": ("1.0", "import the extension under its own name, such as flask_login"),
    "flask.exthook": ("1.0", "import extensions under their own names"),
    "flask._compat": ("2.0", "write for Python 3 alone"),
    "flask.scaffold": ("3.0", "import from flask.blueprints or flask.app, or from flask.sansio.scaffold"),
    "flask._request_ctx_stack": ("3.0", _STACK),
    "flask._app_ctx_stack": ("3.0", _STACK),
    "flask.globals._request_ctx_stack": ("3.0", _STACK),
    "flask.globals._app_ctx_stack": ("3.0", _STACK),
    "flask.signals_available": ("3.0", _SIGNALS),
    "flask.signals.signals_available": ("3.0", _SIGNALS),
    "flask.safe_join": ("2.1", "import it from werkzeug.utils"),
    "flask.helpers.safe_join": ("2.1", "import it from werkzeug.utils"),
    "flask.helpers.locked_cached_property": ("3.0", "use functools.cached_property"),
    "flask.json.JSONEncoder": ("2.3", _PROVIDER),
    "flask.json.JSONDecoder": ("2.3", _PROVIDER),
    "flask.json.htmlsafe_dumps": ("2.3", "use jinja2.utils.htmlsafe_json_dumps, or |tojson in templates"),
    "flask.json.htmlsafe_dump": ("2.3", "use jinja2.utils.htmlsafe_json_dumps, or |tojson in templates"),
    "flask.testing.make_test_environ_builder": ("2.0", "use flask.testing.EnvironBuilder"),
}

#: Attributes that nothing but an application, a blueprint or a request has.
_ATTRIBUTES = {
    "before_first_request": ("2.3", _SETUP),
    "before_first_request_funcs": ("2.3", _SETUP),
    "before_app_first_request": ("2.3", _SETUP),
    "register_module": ("1.0", f"{_BLUEPRINT} and call register_blueprint()"),
    "is_xhr": ("2.0", "look at the header X-Requested-With"),
}

#: Attributes that other objects may have as well.
_APP_ATTRIBUTES = {
    "json_encoder": ("2.3", _PROVIDER),
    "json_decoder": ("2.3", _PROVIDER),
    "logger_name": ("1.0", "the logger has the name of the application"),
    "debug_log_format": ("1.0", "configure logging"),
    "static_path": ("1.0", "use static_url_path"),
    "got_first_request": ("3.0", "keep what you need to know yourself"),
    "preserve_context_on_exception": ("2.3", _SETTING),
    "propagate_exceptions": ("2.3", _SETTING),
    "send_file_max_age_default": ("2.3", _SETTING),
    "session_cookie_name": ("2.3", _SETTING),
    "templates_auto_reload": ("2.3", _SETTING),
    "use_x_sendfile": ("2.3", _SETTING),
}

#: Function, or class -> keyword -> the release that lacks it, and the way out.
_SEND_FILE = {
    "attachment_filename": ("2.2", "call it download_name"),
    "cache_timeout": ("2.2", "call it max_age"),
    "add_etags": ("2.2", "call it etag"),
    "filename_or_fp": ("2.2", "call it path_or_file"),
}
_KEYWORDS = {
    "send_file": _SEND_FILE,
    "send_from_directory": {**_SEND_FILE, "filename": ("2.2", "call it path")},
    "Flask": {"static_path": ("1.0", "call it static_url_path")},
}

#: Keys of the configuration.
_KEYS = {
    "JSON_AS_ASCII": ("2.3", _JSON_KEY),
    "JSON_SORT_KEYS": ("2.3", _JSON_KEY),
    "JSONIFY_MIMETYPE": ("2.3", _JSON_KEY),
    "JSONIFY_PRETTYPRINT_REGULAR": ("2.3", _JSON_KEY),
    "LOGGER_HANDLER_POLICY": ("1.0", "configure logging"),
    "LOGGER_NAME": ("1.0", "the logger has the name of the application"),
    "PRESERVE_CONTEXT_ON_EXCEPTION": ("2.3", "leave it out: the test client and the debugger keep what they need"),
}

#: How applications and blueprints are usually called.
_USUAL_NAMES = frozenset({"app", "application", "blueprint", "bp", "current_app", "mod"})


@dataclass(frozen=True)
class Use:
    """Name a place where a source uses what a later Flask has not."""

    line: int
    name: str
    since: str
    """The first release without it."""
    way_out: str


def resolve(node: ast.AST, imported: dict[str, str]) -> str | None:
    """Return the dotted name that an expression stands for, or None if it is no name or attribute.

    :param imported: what the names of the module stand for, see :func:`imported_names`
    """
    if isinstance(node, ast.Name):
        return imported.get(node.id, node.id)
    if isinstance(node, ast.Attribute) and (owner := resolve(node.value, imported)):
        return f"{owner}.{node.attr}"
    return None


def _as_flask(name: str) -> str:
    """Return a dotted name as it is in Flask."""
    return name.removeprefix("micro") if f"{name}.".startswith("microflask.") else name


def imported_names(tree: ast.AST) -> dict[str, str]:
    """Return what the names that a module imports stand for; those of microflask as if they were of flask."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = _as_flask(alias.name if alias.asname else top)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = _as_flask(f"{node.module}.{alias.name}")
    return names


def _match(name: str) -> str | None:
    """Return the removed name that a dotted name is, or is a part of."""
    parts = name.split(".")
    starts = (".".join(parts[:length]) for length in range(2, len(parts) + 1))
    return next((start for start in starts if start in _NAMES), None)


class _Finder:
    """Find the uses in one module."""

    def __init__(self, tree: ast.AST) -> None:
        self.tree = tree
        self.imported = imported_names(tree)
        self.apps = _USUAL_NAMES | {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
            and resolve(node.value.func, self.imported) in {"flask.Flask", "flask.Blueprint", "flask.Module"}
            for target in node.targets
            if isinstance(target, ast.Name)
        }  # fmt: skip

    def uses(self) -> Iterator[Use]:
        for node in ast.walk(self.tree):
            match node:
                case ast.Import() | ast.ImportFrom():
                    yield from self._in_import(node)
                case ast.Attribute():
                    yield from self._in_attribute(node)
                case ast.Call():
                    yield from self._in_call(node)
                case ast.ClassDef():
                    yield from self._in_class(node)
                case ast.Constant(value=str(key)) if key in _KEYS:
                    yield Use(node.lineno, key, *_KEYS[key])
                case ast.Name(id=key, ctx=ast.Store()) if key in _KEYS:
                    yield Use(node.lineno, key, *_KEYS[key])

    def _in_import(self, node: ast.Import | ast.ImportFrom) -> Iterator[Use]:
        if isinstance(node, ast.Import):
            names: Iterable[str] = (alias.name for alias in node.names)
        elif node.module and not node.level:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            return
        for found in dict.fromkeys(filter(None, (_match(_as_flask(name)) for name in names))):
            yield Use(node.lineno, found, *_NAMES[found])

    def _in_attribute(self, node: ast.Attribute) -> Iterator[Use]:
        if node.attr in _ATTRIBUTES:
            yield Use(node.lineno, node.attr, *_ATTRIBUTES[node.attr])
        elif node.attr in _APP_ATTRIBUTES and self._is_app(node.value):
            yield Use(node.lineno, node.attr, *_APP_ATTRIBUTES[node.attr])
        # Not where it is part of a longer name, which was found already, and not for what an import names.
        elif (name := resolve(node, self.imported)) in _NAMES and name is not None:
            yield Use(node.lineno, name, *_NAMES[name])

    def _is_app(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Attribute):
            return node.attr in _USUAL_NAMES
        return isinstance(node, ast.Name) and node.id in self.apps

    def _in_call(self, node: ast.Call) -> Iterator[Use]:
        name = (resolve(node.func, self.imported) or "").rpartition(".")[2]
        for keyword in node.keywords:
            key = keyword.arg or ""
            if key in _KEYS:
                yield Use(keyword.lineno, key, *_KEYS[key])
            elif key in _KEYWORDS.get(name, ()):
                yield Use(keyword.lineno, f"{name}({key}=)", *_KEYWORDS[name][key])

    def _in_class(self, node: ast.ClassDef) -> Iterator[Use]:
        bases = {resolve(base, self.imported) for base in node.bases}
        if bases.isdisjoint({"flask.Flask", "flask.Blueprint"}):
            return
        for statement in node.body:
            for target in statement.targets if isinstance(statement, ast.Assign) else ():
                if isinstance(target, ast.Name) and target.id in _APP_ATTRIBUTES:
                    yield Use(target.lineno, target.id, *_APP_ATTRIBUTES[target.id])


def find_uses(tree: ast.AST) -> list[Use]:
    """Return the uses of removed names in a module, in the order of their lines."""
    return sorted(set(_Finder(tree).uses()), key=lambda use: (use.line, use.name))
