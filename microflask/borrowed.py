"""Names that modules of Flask only import for themselves, and that programs nevertheless take from there.

The alias lends them to the modules of microflask, which do without them: each is fetched when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

#: Where they are at home. ``name=other`` is called `other` there; the module itself stands for ``name=``.
_HOMES = {
    "microflask.assembly": "App _make_timedelta=_as_timedelta",
    "microflask.blueprints": "Blueprint SansioBlueprint=Blueprint",
    "microflask.cli": "cli=",
    "microflask.commands": "AppGroup",
    "microflask.config": "Config ConfigAttribute",
    "microflask.ctx": "_AppCtxGlobals",
    "microflask.debughelpers": "UnexpectedUnicodeError attach_enctype_error_multidict",
    "microflask.globals": "_app_ctx_stack _cv_app _cv_request _no_app_msg=NO_APP _no_req_msg=NO_REQUEST"
    " _request_ctx_stack _split_blueprint_path=blueprint_chain current_app g request request_ctx session",
    "microflask.helpers": "_PackageBoundObject find_package get_debug_flag get_flashed_messages get_load_dotenv"
    " locked_cached_property send_from_directory url_for",
    "microflask.json": "json=",
    "microflask.logging": "create_logger",
    "microflask.module": "blueprint_is_module",
    "microflask.signals": "got_request_exception",
    "microflask.scaffold": "F _endpoint_from_view_func setupmethod",
    "microflask.templating": "DispatchingJinjaLoader Environment _default_template_ctx_processor",
    "microflask.typing": "ft= T_after_request T_before_request T_error_handler T_route T_shell_context_processor"
    " T_teardown T_template_context_processor T_template_filter T_template_global T_template_test T_url_defaults"
    " T_url_value_preprocessor",
    "flask._compat": "_compat= integer_types iteritems itervalues reraise string_types text_type with_metaclass"
    " implements_to_string PY2",
    "ast": "ast=",
    "base64": "b64decode b64encode",
    "click": "click= version_option",
    "click.testing": "CliRunner Result",
    "collections": "defaultdict",
    "collections.abc": "MutableMapping c= cabc=",
    "contextlib": "ExitStack",
    "contextvars": "contextvars=",
    "datetime": "datetime timedelta timezone",
    "decimal": "decimal=",
    "functools": "cache partial update_wrapper",
    "hashlib": "_lazy_sha1=sha1 hashlib=",
    "importlib": "importlib=",
    "inspect": "inspect= iscoroutinefunction",
    "io": "io=",
    "itertools": "chain",
    "itsdangerous": "BadSignature URLSafeTimedSerializer",
    "jinja2": "BaseEnvironment=Environment BaseLoader FileSystemLoader",
    "json": "_json=",
    "logging": "DEBUG Formatter StreamHandler getLogger getLoggerClass logging=",
    "markupsafe": "Markup",
    "mimetypes": "mimetypes=",
    "operator": "itemgetter",
    "os": "os=",
    "pathlib": "pathlib=",
    "pkgutil": "pkgutil=",
    "posixpath": "posixpath=",
    "re": "re=",
    "sys": "sys=",
    "threading": "Lock RLock",
    "time": "time",
    "types": "ModuleType TracebackType types=",
    "typing": "t=",
    "urllib.parse": "_url_quote=quote url_parse=urlparse url_quote=quote",
    "uuid": "uuid=",
    "weakref": "weakref=",
    "werkzeug.datastructures": "CallbackDict Headers ImmutableDict",
    "werkzeug.exceptions": "BadRequest BadRequestKeyError HTTPException InternalServerError MethodNotAllowed"
    " _wz_abort=abort default_exceptions",
    "werkzeug.http": "http_date parse_date",
    "werkzeug.local": "LocalStack",
    "werkzeug.routing": "BuildError MapAdapter RequestRedirect RoutingException Rule",
    "werkzeug.sansio.response": "Response",
    "werkzeug.serving": "is_running_from_reloader",
    "werkzeug.utils": "_wz_redirect=redirect import_string",
    "werkzeug.wrappers": "BaseRequest=Request BaseResponse=Response RequestBase=Request ResponseBase=Response",
    "werkzeug.wsgi": "get_host wrap_file",
    "zlib": "adler32",
}

#: What is asked for in which module, of either generation of Flask.
_BORROWERS = {
    "": "_compat t",
    "app": "BadRequest BadRequestKeyError BaseResponse BuildError Config ConfigAttribute DispatchingJinjaLoader"
    " Environment HTTPException Headers ImmutableDict InternalServerError Lock MapAdapter MethodNotAllowed"
    " RoutingException Rule T_shell_context_processor T_teardown T_template_filter T_template_global T_template_test"
    " TracebackType _AppCtxGlobals _PackageBoundObject _cv_app _cv_request _default_template_ctx_processor"
    " _endpoint_from_view_func _make_timedelta _request_ctx_stack _url_quote cabc chain cli click current_app"
    " find_package ft g get_debug_flag get_flashed_messages get_host get_load_dotenv got_request_exception"
    " integer_types is_running_from_reloader iscoroutinefunction json locked_cached_property os request request_ctx"
    " reraise send_from_directory session setupmethod string_types t text_type timedelta update_wrapper url_for"
    " weakref blueprint_is_module",
    "assembly": "BadRequest BadRequestKeyError DispatchingJinjaLoader Environment Response chain create_logger"
    " find_package ft logging t T_shell_context_processor T_teardown T_template_filter T_template_global"
    " T_template_test",
    "blueprints": "AppGroup SansioBlueprint _PackageBoundObject _endpoint_from_view_func current_app defaultdict ft"
    " send_from_directory t timedelta update_wrapper T_after_request T_before_request T_error_handler T_teardown"
    " T_template_context_processor T_template_filter T_template_global T_template_test T_url_defaults"
    " T_url_value_preprocessor",
    "cli": "ModuleType ast cabc import_string importlib inspect itemgetter re t update_wrapper version_option",
    "config": "string_types t types",
    "ctx": "F TracebackType _app_ctx_stack _cv_app _cv_request _request_ctx_stack blueprint_is_module contextvars ft"
    " t",
    "debughelpers": "App BaseLoader Blueprint RequestRedirect implements_to_string request_ctx t",
    "globals": "LocalStack _no_app_msg _no_req_msg partial t",
    "helpers": "BaseResponse BuildError FileSystemLoader Headers RLock _app_ctx_stack _cv_app _cv_request"
    " _endpoint_from_view_func _request_ctx_stack _split_blueprint_path _wz_abort _wz_redirect adler32 cache datetime"
    " importlib mimetypes pkgutil posixpath request_ctx string_types sys t text_type time url_quote wrap_file",
    "json": "PY2 _json current_app datetime http_date io request t text_type uuid",
    "json.provider": "decimal t uuid",
    "json.tag": "t",
    "logging": "DEBUG Formatter StreamHandler getLogger getLoggerClass request t",
    "scaffold": "BaseLoader FileSystemLoader HTTPException default_exceptions ft importlib pathlib sys t"
    " update_wrapper T_after_request T_before_request T_error_handler T_route T_teardown T_template_context_processor"
    " T_url_defaults T_url_value_preprocessor",
    "sessions": "BadSignature CallbackDict Markup MutableMapping URLSafeTimedSerializer UnexpectedUnicodeError"
    " _lazy_sha1 b64decode b64encode c datetime hashlib http_date iteritems json parse_date t text_type timezone uuid",
    "templating": "BaseEnvironment _app_ctx_stack _cv_app _cv_request _request_ctx_stack blueprint_is_module"
    " current_app iteritems itervalues posixpath t",
    "testing": "BaseRequest CliRunner ExitStack Result TracebackType _request_ctx_stack importlib t url_parse",
    "typing": "cabc t",
    "views": "F ft t with_metaclass",
    "wrappers": "BadRequest HTTPException RequestBase ResponseBase _request_ctx_stack _split_blueprint_path"
    " attach_enctype_error_multidict json t",
}  # fmt: skip


def _home_of(name: str) -> tuple[str, str]:
    """Return the module of a name, and what it is called there."""
    for module, names in _HOMES.items():
        for text in names.split():
            lent, renamed, other = text.partition("=")
            if lent == name:
                return module, other if renamed else name
    raise LookupError(f"there is no home for {name}: add it to the table")


def lend(module: ModuleType) -> None:
    """Let a module of microflask answer to the names that the module of Flask in its place has from elsewhere.

    What it has of its own comes first. A second call changes nothing.
    """
    names = frozenset(_BORROWERS.get(module.__name__.partition(".")[2], "").split())
    own = vars(module).get("__getattr__")
    if not names or getattr(own, "borrows", False):
        return

    def fetch(name: str) -> Any:
        if name not in names:
            if own is not None:
                return own(name)
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        place, attribute = _home_of(name)
        try:
            home = import_module(place)
        except ModuleNotFoundError as error:  # of the other generation
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}") from error
        return getattr(home, attribute) if attribute else home

    fetch.borrows = True  # type: ignore[attr-defined]
    vars(module)["__getattr__"] = fetch
