"""The table of behaviours in which Flask 0.10 and Flask 3.1 differ.

An application chooses one of three named rows, or brings a row of its own made with :func:`dataclasses.replace`.
Code asks the row for a behaviour (``app.compat.jsonify_pretty``); it never asks for a version.
"""

# Without `from __future__ import annotations`: a dataclass looks at each annotation that is a text with expressions.
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, replace
from datetime import timedelta
from inspect import Parameter, Signature
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

T = TypeVar("T")

#: Configuration of the documented API, with the values it prints.
_DOCUMENTED_CONFIG: dict[str, Any] = {
    "APPLICATION_ROOT": None,
    "DEBUG": False,
    "JSONIFY_PRETTYPRINT_REGULAR": True,
    "JSON_AS_ASCII": True,
    "JSON_SORT_KEYS": True,
    "LOGGER_NAME": None,
    "MAX_CONTENT_LENGTH": None,
    "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
    "PREFERRED_URL_SCHEME": "http",
    "PRESERVE_CONTEXT_ON_EXCEPTION": None,
    "PROPAGATE_EXCEPTIONS": None,
    "SECRET_KEY": None,
    "SEND_FILE_MAX_AGE_DEFAULT": 43200,
    "SERVER_NAME": None,
    "SESSION_COOKIE_DOMAIN": None,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_NAME": "session",
    "SESSION_COOKIE_PATH": None,
    "SESSION_COOKIE_SECURE": False,
    "TESTING": False,
    "TRAP_BAD_REQUEST_ERRORS": False,
    "TRAP_HTTP_EXCEPTIONS": False,
    "USE_X_SENDFILE": False,
}

#: Keys that came later; every row has them, and those of Flask 0.10 switch nothing on.
_LATER_CONFIG: dict[str, Any] = {
    "SECRET_KEY_FALLBACKS": None,
    "SESSION_COOKIE_SAMESITE": None,
    "SESSION_COOKIE_PARTITIONED": False,
    "SESSION_REFRESH_EACH_REQUEST": True,
    "TRUSTED_HOSTS": None,
    "MAX_FORM_MEMORY_SIZE": 500_000,
    "MAX_FORM_PARTS": 1_000,
    "MAX_COOKIE_SIZE": 4093,
    "EXPLAIN_TEMPLATE_LOADING": False,
    "TEMPLATES_AUTO_RELOAD": None,
    "PROVIDE_AUTOMATIC_OPTIONS": True,
}

_CURRENT_CONFIG = {
    key: value
    for key, value in (_DOCUMENTED_CONFIG | _LATER_CONFIG).items()
    if key
    not in {
        "LOGGER_NAME",
        "JSON_AS_ASCII",
        "JSON_SORT_KEYS",
        "JSONIFY_PRETTYPRINT_REGULAR",
        "PRESERVE_CONTEXT_ON_EXCEPTION",
    }
} | {"APPLICATION_ROOT": "/", "SEND_FILE_MAX_AGE_DEFAULT": None, "TRAP_BAD_REQUEST_ERRORS": None}

#: What ``Flask(...)`` takes by position after the import name.
_DOCUMENTED_POSITIONS = (
    "static_path",
    "static_url_path",
    "static_folder",
    "template_folder",
    "instance_path",
    "instance_relative_config",
)
_CURRENT_POSITIONS = (
    "static_url_path",
    "static_folder",
    "static_host",
    "host_matching",
    "subdomain_matching",
    "template_folder",
    "instance_path",
    "instance_relative_config",
    "root_path",
)


@dataclass_transform(kw_only_default=True, frozen_default=True, eq_default=False)
def _row(cls: type[T]) -> type[T]:
    """Make a dataclass whose methods are its own: those that dataclass writes for 50 fields take a millisecond."""
    return dataclass(kw_only=True, init=False, eq=False, repr=False)(cls)


@_row
class Compat:
    """Hold one choice for each behaviour that differs between the generations of Flask."""

    name: str
    """What the row is called in messages."""
    default_config: Mapping[str, Any]
    """The configuration an application starts with."""
    application_positions: tuple[str, ...]
    """Names of the positional arguments of ``Flask`` after the import name."""
    send_file_positions: tuple[str, ...]
    """Names of the positional arguments of ``send_file`` from the fifth on."""
    send_file_conditional: bool
    """Whether ``send_file`` answers conditional and range requests unless told otherwise."""
    jsonify_pretty: bool
    """Whether jsonify indents for all but XMLHttpRequests and ends without a newline."""
    jsonify_any_value: bool
    """Whether jsonify takes values that ``dict()`` would refuse."""
    json_sorted_without_application: bool
    """Whether ``json.dumps`` sorts keys where there is no application, if this is the default row."""
    json_mimetype_required: bool
    """Whether reading JSON of another mimetype is a 415, and ``+json`` types count as JSON."""
    logger_by_import_name: bool
    """Whether ``app.logger`` is named by ``logger_name`` and speaks in debug mode only."""
    one_item_tuples: bool
    """Whether a view may return a tuple that holds a body alone."""
    missing_response_text: str | None
    """What is said of a view that returns None, where programs compare it; None: which view it was and what to do."""
    error_instances_handled: bool
    """Whether an HTTP error's instance may stand for its status when a handler is registered."""
    blueprint_names_checked_early: bool
    """Whether a blueprint with a dot in its name is refused when it is made, if this is the default row."""
    unhandled_errors_finalized: bool
    """Whether the functions after a request, and its session, have part in the response to an unhandled error."""
    tuple_headers_replace: bool
    """Whether headers beside a response take the place of its own instead of being added."""
    unknown_statuses_handled: bool
    """Whether a handler may be registered for a status without an HTTP error, for errors of one's own."""
    plain_url_prefix: bool
    """Whether a blueprint's prefix and a rule are joined as they are, without a slash between them."""
    matched_before_session: bool
    """Whether the URL is matched before the session is opened, and for test contexts before they are pushed."""
    preferred_scheme_in_tests: bool
    """Whether test requests without a base URL use PREFERRED_URL_SCHEME."""
    safe_in_anchor: str
    """Characters that need no quoting behind the ``#`` of a URL."""
    dotted_cookie_domains: bool
    """Whether the domain of a session cookie keeps the dot before it."""
    htmlsafe_json_is_markup: bool
    """Whether ``htmlsafe_dumps`` returns Markup, which joins escape what is no markup beside it."""
    inline_files_named: bool
    """Whether a file that is not sent for saving carries its name in Content-Disposition."""
    open_files_tagged: bool
    """Whether an open file that has the name of one on disk gets an ETag."""
    warns_of_deprecations: bool
    """Whether what Flask 0.10 called deprecated gives a DeprecationWarning."""
    run_host_from_server_name: bool
    """Whether ``run()`` takes the host, and not only the port, from SERVER_NAME."""
    blueprint_500_handlers: bool
    """Whether a blueprint may handle the status 500."""
    preserve_follows_debug: bool
    """Whether an unset PRESERVE_CONTEXT_ON_EXCEPTION means the value of the debug flag."""
    error_spec_by_class: bool
    """Whether ``error_handler_spec`` reads as code -> class -> handler."""
    scheme_implies_external: bool
    """Whether ``url_for(_scheme=...)`` alone makes an absolute URL instead of a ValueError."""
    escape_string_templates: bool
    """Whether ``render_template_string`` escapes what it inserts."""
    escaped_suffixes: tuple[str, ...]
    """Endings of the template names that are escaped."""
    unique_blueprint_names: bool
    """Whether dotted blueprint names and second registrations under one name are refused."""
    blueprint_changes_refused: bool
    """Whether changing a blueprint after its registration is an error."""
    late_setup_refused: bool
    """Whether set-up after the first request is refused outside of debug mode too."""
    server_name_implies_subdomains: bool
    """Whether SERVER_NAME alone switches subdomain matching on."""
    session_domain_from_server_name: bool
    """Whether the session cookie's domain is taken from SERVER_NAME."""
    original_error_to_500_handler: bool
    """Whether handlers of 500 get the exception itself instead of InternalServerError."""
    trapped_errors_skip_status_handlers: bool
    """Whether an HTTP error that is trapped passes by the handlers for its status."""
    exception_handlers_see_http_errors: bool
    """Whether ``errorhandler(Exception)`` is also called for HTTP errors."""
    naive_session_datetimes: bool
    """Whether datetimes come out of a session without a time zone."""
    absolute_redirects: bool
    """Whether the Location header of a redirect is made absolute."""
    slash_redirect_code: int | None
    """The status with which a missing final slash is mended; None: that of werkzeug's RequestRedirect, 308."""
    files_key_error_quote: str
    """The quotation mark around the key in DebugFilesKeyError."""
    session_always_sent: bool
    """Whether a session that is not empty is sent again with every response."""
    templates_always_reload: bool
    """Whether templates are looked at for changes outside of debug mode."""
    debug_from_environment: bool
    """Whether the environment variable MICROFLASK_DEBUG, or FLASK_DEBUG, sets the debug flag."""

    if not TYPE_CHECKING:

        def __init__(self, **behaviours: Any) -> None:
            if wrong := self.__dataclass_fields__.keys() ^ behaviours.keys():
                raise TypeError(
                    f"a row needs each behaviour by name, and no other name: missing or unknown are"
                    f" {', '.join(sorted(wrong))}. Make it of another row, with dataclasses.replace"
                )
            vars(self).update(behaviours)

        def __setattr__(self, name: str, value: Any) -> None:
            raise FrozenInstanceError(f"{name} of {self!r} stays as it is: make another row with dataclasses.replace")

        def __delattr__(self, name: str) -> None:
            raise FrozenInstanceError(f"{name} of {self!r} has to stay: make another row with dataclasses.replace")

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if isinstance(other, Compat) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<Compat {self.name!r}>"


FLASK_3_1 = Compat(
    name="3.1",
    default_config=MappingProxyType(_CURRENT_CONFIG),
    application_positions=_CURRENT_POSITIONS,
    send_file_positions=("conditional", "etag", "last_modified", "max_age"),
    send_file_conditional=True,
    jsonify_pretty=False,
    jsonify_any_value=True,
    json_sorted_without_application=False,
    json_mimetype_required=True,
    logger_by_import_name=False,
    one_item_tuples=False,
    missing_response_text=None,
    error_instances_handled=False,
    blueprint_names_checked_early=True,
    unhandled_errors_finalized=True,
    tuple_headers_replace=True,
    unknown_statuses_handled=False,
    plain_url_prefix=False,
    matched_before_session=False,
    preferred_scheme_in_tests=True,
    safe_in_anchor="%!#$&'()*+,/:;=?@",
    dotted_cookie_domains=False,
    htmlsafe_json_is_markup=True,
    inline_files_named=True,
    open_files_tagged=False,
    warns_of_deprecations=False,
    run_host_from_server_name=True,
    blueprint_500_handlers=True,
    preserve_follows_debug=False,
    error_spec_by_class=True,
    scheme_implies_external=True,
    escape_string_templates=True,
    escaped_suffixes=(".html", ".htm", ".xml", ".xhtml", ".svg"),
    unique_blueprint_names=True,
    blueprint_changes_refused=True,
    late_setup_refused=True,
    server_name_implies_subdomains=False,
    session_domain_from_server_name=False,
    original_error_to_500_handler=False,
    trapped_errors_skip_status_handlers=False,
    exception_handlers_see_http_errors=True,
    naive_session_datetimes=False,
    absolute_redirects=False,
    slash_redirect_code=None,
    files_key_error_quote="'",
    session_always_sent=False,
    templates_always_reload=False,
    debug_from_environment=True,
)

DOCUMENTED = replace(
    FLASK_3_1,
    name="documented",
    default_config=MappingProxyType(_DOCUMENTED_CONFIG | _LATER_CONFIG),
    application_positions=_DOCUMENTED_POSITIONS,
    send_file_positions=("add_etags", "cache_timeout", "conditional"),
    send_file_conditional=False,
    jsonify_pretty=True,
    jsonify_any_value=False,
    json_sorted_without_application=True,
    json_mimetype_required=False,
    logger_by_import_name=True,
    one_item_tuples=True,
    error_instances_handled=True,
    blueprint_names_checked_early=False,
    run_host_from_server_name=False,
    blueprint_500_handlers=False,
    preserve_follows_debug=True,
    error_spec_by_class=False,
    trapped_errors_skip_status_handlers=True,
    scheme_implies_external=False,
)

FLASK_0_10 = replace(
    DOCUMENTED,
    name="0.10",
    default_config=MappingProxyType(_DOCUMENTED_CONFIG | _LATER_CONFIG | {"MAX_FORM_MEMORY_SIZE": None}),
    missing_response_text="View function did not return a response",
    unhandled_errors_finalized=False,
    tuple_headers_replace=False,
    unknown_statuses_handled=True,
    plain_url_prefix=True,
    matched_before_session=True,
    preferred_scheme_in_tests=False,
    safe_in_anchor="/:",
    dotted_cookie_domains=True,
    htmlsafe_json_is_markup=False,
    inline_files_named=False,
    open_files_tagged=True,
    warns_of_deprecations=True,
    escape_string_templates=False,
    escaped_suffixes=(".html", ".htm", ".xml", ".xhtml"),
    unique_blueprint_names=False,
    blueprint_changes_refused=False,
    late_setup_refused=False,
    server_name_implies_subdomains=True,
    session_domain_from_server_name=True,
    original_error_to_500_handler=True,
    exception_handlers_see_http_errors=False,
    naive_session_datetimes=True,
    absolute_redirects=True,
    slash_redirect_code=301,
    files_key_error_quote='"',
    session_always_sent=True,
    templates_always_reload=True,
    debug_from_environment=False,
)

NAMED = {row.name: row for row in (DOCUMENTED, FLASK_0_10, FLASK_3_1)}


def get_compat(choice: str | Compat) -> Compat:
    """Return the row called `choice`, or `choice` itself when it is a row.

    :raises ValueError: there is no row of that name
    """
    if isinstance(choice, Compat):
        return choice
    try:
        return NAMED[choice]
    except (KeyError, TypeError):
        known = ", ".join(map(repr, NAMED))
        raise ValueError(f"compat={choice!r} is not known: use one of {known}, or a Compat of your own") from None


_default: Compat = DOCUMENTED
#: What may stand for a default in :func:`documented_signature`, beside texts.
_CONSTANTS: dict[str, Any] = {"None": None, "True": True, "False": False}


def default_compat() -> Compat:
    """Return the row of applications that do not choose one."""
    return _default


def set_default_compat(choice: str | Compat) -> None:
    """Set the row of applications that do not choose one.

    :raises ValueError: there is no row of that name
    """
    global _default
    _default = get_compat(choice)


def name_arguments(
    what: str, compat: Compat, args: tuple[Any, ...], options: dict[str, Any]
) -> dict[str, Any]:
    """Return the arguments of an application's constructor by name, in the order that a row says.

    :param what: the class, for messages
    :raises TypeError: there are too many, or one is given twice
    """
    positions = compat.application_positions
    if len(args) > len(positions):
        raise TypeError(
            f"{what}() takes {len(positions) + 1} positional arguments with compat={compat.name!r},"
            f" {len(args) + 1} were given"
        )
    named = dict(zip(positions, args, strict=False))
    if twice := sorted(named.keys() & options.keys()):
        raise TypeError(f"{what}() got {', '.join(twice)} by position and by name")
    named |= options
    if unknown := sorted(named.keys() - {*_DOCUMENTED_POSITIONS, *_CURRENT_POSITIONS}):
        raise TypeError(f"{what}() takes no argument named {', '.join(unknown)}")
    static_path = named.pop("static_path", None)
    if named.get("static_url_path") is None:
        named["static_url_path"] = static_path
    return named


def documented_signature(positional: str, **keywords: Any) -> Signature:
    """Return a signature for what takes its arguments in the order that a row says.

    :param positional: the documented parameters, as they stand between the brackets; a default is a text in single
        quotes, None, True or False
    :param keywords: later ones and their defaults, by name only
    """
    parameters = []
    for text in positional.split(","):
        name, given, default = text.strip().partition("=")
        value = _CONSTANTS.get(default, default.strip("'")) if given else Parameter.empty
        parameters.append(Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=value))
    parameters += [Parameter(name, Parameter.KEYWORD_ONLY, default=value) for name, value in keywords.items()]
    return Signature(parameters)
