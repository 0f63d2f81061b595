"""What an application and a blueprint both are: a package with views, hooks and error handlers of its own."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, TypeVar

from . import errors
from .attributes import Aside
from .compat import Compat, default_compat
from .globals import find_app
from .helpers import send_from_directory
from .resources import PackageBound
from .resources import find_package as find_package
from .resources import get_root_path as get_root_path

if TYPE_CHECKING:
    from .commands import AppGroup
    from .typing import (
        After,
        AppOrBlueprintKey,
        Before,
        Defaults,
        ErrorHandlerCallable,
        OnError,
        Preprocessor,
        Processor,
        Route,
        RouteCallable,
        Teardown,
    )

F = TypeVar("F", bound=Callable[..., Any])


def setupmethod(f: F) -> F:
    """Let a method of set-up first ask whether it is not too late for it."""

    @wraps(f)
    def checked(self: Scaffold, *args: Any, **kwargs: Any) -> Any:
        self._check_setup_finished(f.__name__)
        return f(self, *args, **kwargs)

    return checked  # type: ignore[return-value]


class NamelessViewError(AssertionError, AttributeError, TypeError):
    """An endpoint was to be named after a view that has no name, or after none."""


def endpoint_of(view_func: Any) -> str:
    """Return the endpoint that a view has unless it is given one: its name.

    :raises NamelessViewError: it has no name
    """
    name = getattr(view_func, "__name__", None)
    if name is None:
        raise NamelessViewError(
            f"{view_func!r} has no __name__ to name its endpoint by: pass endpoint='...' with the rule"
        )
    return name  # type: ignore[no-any-return]


#: The name that Flask has for it, which extensions import.
_endpoint_from_view_func = endpoint_of


class Scaffold(PackageBound):
    """Hold what is registered on an application or a blueprint. The registries are public and may be changed.

    :param import_name: the name of the module or package it belongs to
    :param static_folder: the folder of static files, relative to the root path
    :param static_url_path: where these are served
    :param template_folder: the folder of templates, relative to the root path
    :param root_path: the folder that relative names count from; found by the import name when left out
    """

    name: Any
    #: What adds to the variables of every template.
    template_context_processors: Aside[dict[AppOrBlueprintKey, list[Any]]] = Aside()
    #: The encoder class for JSON that this application or blueprint answers; None: the application's.
    json_encoder: type[Any] | None = None
    #: The decoder class for JSON that it is sent.
    json_decoder: type[Any] | None = None

    def __init__(
        self, import_name: str, static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None, template_folder: str | os.PathLike[str] | None = None,
        root_path: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(import_name, template_folder, root_path)
        self.static_folder = static_folder
        self.static_url_path = static_url_path
        #: endpoint -> view
        self.view_functions: dict[str, Any] = {}
        #: blueprint's name, or None for all -> what handles its errors; see :mod:`microflask.errors`
        self.error_handler_spec: dict[AppOrBlueprintKey, Any] = errors.make_spec(by_class=True)
        # In each of these the key is a blueprint's name, or None for all requests.
        self.before_request_funcs: dict[AppOrBlueprintKey, list[Any]] = defaultdict(list)
        self.after_request_funcs: dict[AppOrBlueprintKey, list[Any]] = defaultdict(list)
        self.teardown_request_funcs: dict[AppOrBlueprintKey, list[Any]] = defaultdict(list)
        self.template_context_processors = defaultdict(list)
        self.url_value_preprocessors: dict[AppOrBlueprintKey, list[Any]] = defaultdict(list)
        self.url_default_functions: dict[AppOrBlueprintKey, list[Any]] = defaultdict(list)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @property
    def _compat(self) -> Compat:
        """The row of behaviours: an application's own; a blueprint does not know the one of its application."""
        return getattr(self, "compat", None) or default_compat()

    _get_exc_class_and_code = staticmethod(errors.resolve)

    def _check_handled(self, code_or_exception: Any) -> None:
        compat = self._compat
        errors.resolve(code_or_exception, compat.error_instances_handled, compat.unknown_statuses_handled)

    def _check_setup_finished(self, f_name: str) -> None:
        raise NotImplementedError

    @cached_property
    def cli(self) -> AppGroup:
        """The group of commands (click) that the command line offers for this application or blueprint."""
        from .commands import AppGroup

        return AppGroup(self.name)

    # -- files ---------------------------------------------------------------------------------------------------

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """Return for how many seconds a file may be cached: SEND_FILE_MAX_AGE_DEFAULT of the current application.

        Override it to decide by the file's name. None lets caches ask each time.
        """
        app = find_app()
        value = None if app is None else app.config["SEND_FILE_MAX_AGE_DEFAULT"]
        return int(value.total_seconds()) if isinstance(value, timedelta) else value

    def send_static_file(self, filename: str) -> Any:
        """Answer with a file from the static folder.

        :raises RuntimeError: there is no static folder
        :raises NotFound: there is no such file in it
        """
        folder = self.static_folder
        if folder is None:
            raise RuntimeError(f"{self!r} has no static folder: set static_folder to serve files from it")
        return send_from_directory(
            folder, filename, max_age=self.get_send_file_max_age(filename), conditional=True
        )

    # -- views ---------------------------------------------------------------------------------------------------

    def _method_route(self, method: str, rule: str, options: dict[str, Any]) -> Callable[[Route], Route]:
        if "methods" in options:
            raise TypeError(f"{method.lower()}() serves {method} alone: use route() to give other methods")
        return self.route(rule, methods=[method], **options)

    @setupmethod
    def get(self, rule: str, **options: Any) -> Callable[[Route], Route]:
        """Do as :meth:`route` with ``methods=["GET"]``."""
        return self._method_route("GET", rule, options)

    @setupmethod
    def post(self, rule: str, **options: Any) -> Callable[[Route], Route]:
        """Do as :meth:`route` with ``methods=["POST"]``."""
        return self._method_route("POST", rule, options)

    @setupmethod
    def put(self, rule: str, **options: Any) -> Callable[[Route], Route]:
        """Do as :meth:`route` with ``methods=["PUT"]``."""
        return self._method_route("PUT", rule, options)

    @setupmethod
    def delete(self, rule: str, **options: Any) -> Callable[[Route], Route]:
        """Do as :meth:`route` with ``methods=["DELETE"]``."""
        return self._method_route("DELETE", rule, options)

    @setupmethod
    def patch(self, rule: str, **options: Any) -> Callable[[Route], Route]:
        """Do as :meth:`route` with ``methods=["PATCH"]``."""
        return self._method_route("PATCH", rule, options)

    @setupmethod
    def route(self, rule: str, **options: Any) -> Callable[[Route], Route]:
        """Register the decorated view for a URL rule; the options are those of :meth:`add_url_rule`."""

        def register(view: Route) -> Route:
            self.add_url_rule(rule, options.pop("endpoint", None), view, **options)
            return view

        return register

    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: RouteCallable | str | None = None,
        provide_automatic_options: bool | None = None, **options: Any,
    ) -> None:  # fmt: skip
        """Connect a URL rule with an endpoint and, when given, the endpoint with a view.

        :param endpoint: the view's name unless given
        :param view_func: the view, or the import name of one that is imported at its first request
        :param options: what werkzeug's rule takes, and `methods`
        """
        raise NotImplementedError

    @staticmethod
    def _resolve_view(endpoint: Any, view_func: Any) -> Any:
        """Return the view for what was registered as one.

        :raises TypeError: view and endpoint changed places
        """
        if callable(endpoint) and not isinstance(endpoint, str):
            raise TypeError(f"the endpoint {endpoint!r} is a function: pass it as view_func={endpoint_of(endpoint)}")
        if isinstance(view_func, str):
            from .views import LazyView

            return LazyView(view_func)
        return view_func

    @setupmethod
    def endpoint(self, endpoint: str) -> Callable[[F], F]:
        """Register the decorated view for an endpoint, which gets its rules from elsewhere."""

        def register(view: F) -> F:
            self.view_functions[endpoint] = view
            return view

        return register

    # -- hooks ---------------------------------------------------------------------------------------------------

    @setupmethod
    def before_request(self, f: Before) -> Before:
        """Call `f` before each request; a value that it returns is the answer, and no view is called."""
        self.before_request_funcs.setdefault(None, []).append(f)
        return f

    @setupmethod
    def after_request(self, f: After) -> After:
        """Call `f` with each response; it returns that response or another one.

        It may not be called when an unhandled exception ended the request.
        """
        self.after_request_funcs.setdefault(None, []).append(f)
        return f

    @setupmethod
    def teardown_request(self, f: Teardown) -> Teardown:
        """Call `f` when the request context ends, with the exception that ended the request, or None."""
        self.teardown_request_funcs.setdefault(None, []).append(f)
        return f

    @setupmethod
    def context_processor(self, f: Processor) -> Processor:
        """Add the dictionary that `f` returns to the variables of each template."""
        self.template_context_processors.setdefault(None, []).append(f)
        return f

    @setupmethod
    def url_value_preprocessor(self, f: Preprocessor) -> Preprocessor:
        """Call `f` with the endpoint and the view arguments, which it may change, before the request functions."""
        self.url_value_preprocessors.setdefault(None, []).append(f)
        return f

    @setupmethod
    def url_defaults(self, f: Defaults) -> Defaults:
        """Call `f` with the endpoint and the values, which it may add to, whenever a URL is built."""
        self.url_default_functions.setdefault(None, []).append(f)
        return f

    # -- errors --------------------------------------------------------------------------------------------------

    @setupmethod
    def errorhandler(self, code_or_exception: type[Exception] | int) -> Callable[[OnError], OnError]:
        """Let the decorated function answer for an HTTP status, or for the exceptions of a class.

        :raises ValueError: there is no HTTP error with that status
        :raises TypeError: neither a status nor an exception class
        """

        def register(f: OnError) -> OnError:
            self.register_error_handler(code_or_exception, f)
            return f

        return register

    @setupmethod
    def register_error_handler(self, code_or_exception: type[Exception] | int, f: ErrorHandlerCallable) -> None:
        """Do as :meth:`errorhandler`, without a decorator."""
        self._check_handled(code_or_exception)
        errors.register(self.error_handler_spec, None, code_or_exception, f)

    # -- templates -----------------------------------------------------------------------------------------------

    @staticmethod
    def _template_decorator(add: Callable[[Any, str | None], None], name: Any) -> Any:
        """Return a decorator that calls `add`; or register at once when it was used without brackets."""
        if callable(name):
            add(name, None)
            return name

        def register(f: F) -> F:
            add(f, name)
            return f

        return register


def merge_lists(target: dict[Any, list[Any]], name: str, source: dict[Any, Iterable[Any]]) -> None:
    """Append the functions of a blueprint to those of the application, under the name it is registered with."""
    for key, functions in source.items():
        if functions:
            target.setdefault(name if key is None else f"{name}.{key}", []).extend(functions)
