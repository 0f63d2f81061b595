"""Aliases of the callables that users hand in, and the protocol by which lower rooms know an application."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Union

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse as StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment as WSGIEnvironment
    from werkzeug.datastructures import Headers
    from werkzeug.sansio.response import Response

#: What may stand alone as the value of a view.
ResponseValue = Union[
    "Response", str, bytes, "list[Any]", Mapping[str, Any], Iterator[str], Iterator[bytes],
    AsyncIterable[str], AsyncIterable[bytes],
]
HeaderValue = str | list[str] | tuple[str, ...]
HeadersValue = Union[
    "Headers", Mapping[str, HeaderValue], Sequence[tuple[str, HeaderValue]],
]
#: Everything a view may return.
ResponseReturnValue = Union[
    ResponseValue,
    tuple[ResponseValue, HeadersValue],
    tuple[ResponseValue, int],
    tuple[ResponseValue, int, HeadersValue],
    "WSGIApplication",
]

ResponseClass = TypeVar("ResponseClass", bound="Response")

AppOrBlueprintKey = str | None
RouteCallable = Callable[..., ResponseReturnValue] | Callable[..., Awaitable[ResponseReturnValue]]
AfterRequestCallable = Callable[[ResponseClass], ResponseClass] | Callable[[ResponseClass], Awaitable[ResponseClass]]
BeforeFirstRequestCallable = Callable[[], None] | Callable[[], Awaitable[None]]
BeforeRequestCallable = (
    Callable[[], ResponseReturnValue | None] | Callable[[], Awaitable[ResponseReturnValue | None]]
)
ShellContextProcessorCallable = Callable[[], dict[str, Any]]
TeardownCallable = Callable[[BaseException | None], None] | Callable[[BaseException | None], Awaitable[None]]
TemplateContextProcessorCallable = Callable[[], dict[str, Any]] | Callable[[], Awaitable[dict[str, Any]]]
TemplateFilterCallable = Callable[..., Any]
TemplateGlobalCallable = Callable[..., Any]
TemplateTestCallable = Callable[..., bool]
URLDefaultCallable = Callable[[str, dict[str, Any]], None]
URLValuePreprocessorCallable = Callable[[str | None, dict[str, Any] | None], None]
# The error is Any: a handler of one exception class would not fit a parameter of type Exception.
ErrorHandlerCallable = Callable[[Any], ResponseReturnValue] | Callable[[Any], Awaitable[ResponseReturnValue]]


Route = TypeVar("Route", bound=RouteCallable)
Before = TypeVar("Before", bound=BeforeRequestCallable)
After = TypeVar("After", bound=AfterRequestCallable[Any])
Teardown = TypeVar("Teardown", bound=TeardownCallable)
Processor = TypeVar("Processor", bound=TemplateContextProcessorCallable)
Preprocessor = TypeVar("Preprocessor", bound=URLValuePreprocessorCallable)
Defaults = TypeVar("Defaults", bound=URLDefaultCallable)
OnError = TypeVar("OnError", bound=ErrorHandlerCallable)
First = TypeVar("First", bound=BeforeFirstRequestCallable)
Shell = TypeVar("Shell", bound=ShellContextProcessorCallable)
Filter = TypeVar("Filter", bound=TemplateFilterCallable)
Test = TypeVar("Test", bound=TemplateTestCallable)
Global = TypeVar("Global", bound=TemplateGlobalCallable)
# By the names that Flask has for them: extensions annotate decorators of their own with these.
T_route, T_before_request, T_after_request, T_teardown = Route, Before, After, Teardown
T_template_context_processor, T_url_value_preprocessor = Processor, Preprocessor
T_url_defaults, T_error_handler, T_shell_context_processor = Defaults, OnError, Shell
T_template_filter, T_template_test, T_template_global = Filter, Test, Global


class Application(Protocol):
    """Name what the lower rooms ask of an application; anything else about it is none of their business."""

    name: str
    import_name: str
    root_path: str
    instance_path: str
    compat: Any
    config: Any
    debug: bool
    testing: bool
    secret_key: Any
    json: Any
    jinja_env: Any
    jinja_loader: Any
    logger: Any
    url_map: Any
    blueprints: dict[str, Any]
    late_blueprints: Any
    extensions: dict[str, Any]
    error_handler_spec: Any
    session_interface: Any
    _own_sessions: bool
    _plain_version: object
    _own_contexts: bool
    _own_teardown: bool
    subdomain_matching: bool
    request_class: Any
    response_class: Any
    app_ctx_globals_class: Any
    teardown_appcontext_funcs: list[Any]
    teardown_request_funcs: dict[Any, Any]
    preserve_context_on_exception: bool

    def _matches_plainly(self) -> bool: ...
    def create_url_adapter(self, request: Any) -> Any: ...
    def app_context(self) -> Any: ...
    def open_session(self, request: Any) -> Any: ...
    def make_null_session(self) -> Any: ...
    def should_ignore_error(self, error: BaseException | None) -> bool: ...
    def do_teardown_request(self, exc: BaseException | None) -> None: ...
    def do_teardown_appcontext(self, exc: BaseException | None) -> None: ...
    def ensure_sync(self, func: Any) -> Any: ...


__all__ = [
    "AfterRequestCallable", "AppOrBlueprintKey", "Application", "BeforeFirstRequestCallable", "BeforeRequestCallable",
    "ErrorHandlerCallable", "HeaderValue", "HeadersValue", "Iterable", "ResponseClass", "ResponseReturnValue",
    "ResponseValue", "RouteCallable", "ShellContextProcessorCallable", "TeardownCallable",
    "TemplateContextProcessorCallable", "TemplateFilterCallable", "TemplateGlobalCallable", "TemplateTestCallable",
    "URLDefaultCallable", "URLValuePreprocessorCallable",
]
