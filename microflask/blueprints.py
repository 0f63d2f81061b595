"""Blueprints: views and hooks that wait to be registered on an application."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, overload
from warnings import warn

from werkzeug.exceptions import HTTPException, default_exceptions

from . import errors
from .compat import default_compat
from .scaffold import Scaffold, endpoint_of, merge_lists, setupmethod

if TYPE_CHECKING:
    from .typing import (
        After,
        Before,
        Defaults,
        Filter,
        First,
        Global,
        OnError,
        Preprocessor,
        Processor,
        Route,
        RouteCallable,
        Teardown,
        TemplateFilterCallable,
        TemplateGlobalCallable,
        TemplateTestCallable,
        Test,
    )

DeferredSetupFunction = Callable[["BlueprintSetupState"], Any]
F = TypeVar("F", bound=Callable[..., Any])

_FROM_APP: Any = object()


class BlueprintNameError(AssertionError, ValueError):
    """A blueprint, or an endpoint of one, has a name that it cannot have."""


class BlueprintSetupState:
    """Hold one registration of a blueprint while its recorded functions run.

    :param blueprint: the blueprint
    :param app: the application that it is registered on
    :param options: what was given to ``register_blueprint``
    :param first_registration: whether this application sees the blueprint for the first time
    """

    def __init__(self, blueprint: Blueprint, app: Any, options: Any, first_registration: bool) -> None:
        self.app = app
        self.blueprint = blueprint
        self.options = options
        self.first_registration = first_registration
        self.name: str = options.get("name", blueprint.name)
        self.name_prefix: str = options.get("name_prefix", "")
        #: The subdomain of the rules, or None.
        self.subdomain: str | None = self._option("subdomain")
        #: What stands in front of each rule, or None.
        self.url_prefix: str | None = self._option("url_prefix")
        #: Defaults for each rule.
        self.url_defaults: dict[str, Any] = {**blueprint.url_values_defaults, **(options.get("url_defaults") or {})}

    def _option(self, name: str) -> Any:
        given = self.options.get(name)
        return getattr(self.blueprint, name) if given is None else given

    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: RouteCallable | None = None, **options: Any
    ) -> None:
        """Register a rule, and a view, on the application: the blueprint's prefix and name come in front."""
        if self.url_prefix is not None and self.app.compat.plain_url_prefix:
            rule = f"{self.url_prefix}{rule}"
        elif self.url_prefix is not None:
            rule = f"{self.url_prefix.rstrip('/')}/{rule.lstrip('/')}" if rule else self.url_prefix
        options.setdefault("subdomain", self.subdomain)
        if endpoint is None:
            endpoint = endpoint_of(view_func)
        defaults = self.url_defaults
        if options.get("defaults"):
            defaults = {**defaults, **options["defaults"]}
        options["defaults"] = defaults
        full_name = ".".join(part for part in (self.name_prefix, self.name, endpoint) if part)
        self.app.add_url_rule(rule, full_name, view_func, **options)


class Blueprint(Scaffold):
    """Collect views, hooks, templates and static files to be registered on applications, under a prefix if need be.

    :param name: comes in front of its endpoints
    :param import_name: the module or package it is in, usually ``__name__``
    :param static_folder: the folder of static files, relative to the root path
    :param static_url_path: where they are served, below the prefix
    :param template_folder: the folder of templates; the application's come first
    :param url_prefix: stands in front of each rule
    :param subdomain: the subdomain of each rule
    :param url_defaults: default values of each rule
    :param root_path: the folder that relative names count from
    :param cli_group: the name of the group of its commands; None merges them into the application's
    """

    is_module = False
    #: Whether a change after the registration that has no effect is warned about.
    warn_on_modifications = False

    def __init__(
        self, name: str, import_name: str, static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None, template_folder: str | os.PathLike[str] | None = None,
        url_prefix: str | None = None, subdomain: str | None = None, url_defaults: dict[str, Any] | None = None,
        root_path: str | None = None, cli_group: str | None = _FROM_APP,
    ) -> None:  # fmt: skip
        if not name:
            raise ValueError("a blueprint needs a name: it stands in front of the endpoints of its views")
        if "." in name and default_compat().blueprint_names_checked_early:
            raise self._dotted_name_error(name)
        self.name = name
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        self.url_prefix = url_prefix
        self.subdomain = subdomain
        self.url_values_defaults = url_defaults or {}
        self.cli_group = cli_group
        self.deferred_functions: list[DeferredSetupFunction] = []
        self._blueprints: list[tuple[Blueprint, dict[str, Any]]] = []
        self._registered_on: Any = None

    @property
    def _got_registered_once(self) -> bool:
        return self._registered_on is not None

    @_got_registered_once.setter
    def _got_registered_once(self, value: bool) -> None:
        # Tests that register one blueprint on several applications say False here.
        if not value:
            self._registered_on = None

    def _check_setup_finished(self, f_name: str) -> None:
        app = self._registered_on
        if app is not None and app.compat.blueprint_changes_refused:
            raise AssertionError(
                f"the setup method {f_name!r} was called on the blueprint {self.name!r} after it was registered on"
                f" {app.name!r}, which would not see the change: set the blueprint up, with all modules that add to it"
                " imported, before register_blueprint()"
            )

    @setupmethod
    def record(self, func: DeferredSetupFunction) -> None:
        """Call `func` with a :class:`BlueprintSetupState` at each registration."""
        if self._registered_on is not None and self.warn_on_modifications:
            warn(f"the blueprint {self.name!r} is changed after its registration, without effect", stacklevel=3)
        self.deferred_functions.append(func)

    @setupmethod
    def record_once(self, func: DeferredSetupFunction) -> None:
        """Do as :meth:`record`, for the first registration on each application only."""

        @wraps(func)
        def once(state: BlueprintSetupState) -> None:
            if state.first_registration:
                func(state)

        self.record(once)

    def make_setup_state(
        self, app: Any, options: dict[str, Any], first_registration: bool = False
    ) -> BlueprintSetupState:
        """Return what the recorded functions are called with; override it for a class of your own."""
        return BlueprintSetupState(self, app, options, first_registration)

    @setupmethod
    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Register another blueprint below this one.

        :raises ValueError: it is this one
        """
        if blueprint is self:
            raise ValueError(f"the blueprint {self.name!r} cannot be registered below itself")
        self._blueprints.append((blueprint, options))

    def register(self, app: Any, options: dict[str, Any], first_registration: bool = False) -> None:
        """Enter all that was collected into an application; called by ``app.register_blueprint``.

        :param options: what was given there
        :param first_registration: documented; whether it is the first is found out here
        :raises BlueprintNameError: the name is taken, or has a dot in it
        """
        name = ".".join(part for part in (options.get("name_prefix"), options.get("name", self.name)) if part)
        known = app.blueprints.get(name)
        self._check_name(app, name, known, options)
        first = first_registration or all(other is not self for other in app.blueprints.values())
        app.blueprints[name] = self
        if self.is_module:
            app._has_modules = True
        self._registered_on = app
        state = self.make_setup_state(app, options, first)
        if self.has_static_folder:
            path = options.get("static_path", self.static_url_path)
            state.add_url_rule(f"{path}/<path:filename>", endpoint="static", view_func=self.send_static_file)
        if first or known is None:
            self._merge_into(app, name)
        for function in self.deferred_functions:
            function(state)
        self._merge_commands(app, name, options)
        for inner, inner_options in self._blueprints:
            inner.register(app, self._inner_options(state, name, inner, inner_options))

    def _check_name(self, app: Any, name: str, known: Blueprint | None, options: dict[str, Any]) -> None:
        if known is not None and (known is not self or app.compat.unique_blueprint_names):
            whose = "it" if known is self else f"another blueprint, {known!r} of {known.import_name!r},"
            raise BlueprintNameError(
                f"the blueprint {self.name!r} of {self.import_name!r} cannot be registered as {name!r}: {whose} is"
                " already registered under that name; give register_blueprint() another one, name='...'"
            )
        if app.compat.unique_blueprint_names and "." in self.name:
            raise self._dotted_name_error(self.name)

    @staticmethod
    def _dotted_name_error(name: str) -> BlueprintNameError:
        return BlueprintNameError(
            f"the blueprint's name {name!r} has a dot in it, which separates nested blueprints in endpoints: choose a"
            " name without one"
        )

    def _merge_into(self, app: Any, name: str) -> None:
        """Enter views, hooks and error handlers into the application's registries."""
        for attribute in (
            "before_request_funcs", "after_request_funcs", "teardown_request_funcs", "template_context_processors",
            "url_value_preprocessors", "url_default_functions",
        ):  # fmt: skip
            merge_lists(getattr(app, attribute), name, getattr(self, attribute))
        app.view_functions.update(self.view_functions)
        for key, by_code in self.error_handler_spec.items():
            full = name if key is None else f"{name}.{key}"
            for code, handlers in by_code.items():
                if code == 500 and not app.compat.blueprint_500_handlers:
                    raise errors.ErrorSpecError(
                        f"the blueprint {self.name!r} handles the status 500, which is always looked up from the"
                        " application: use app_errorhandler(500)"
                    )
                pairs = {code: handlers}.items() if callable(handlers) else dict(handlers).items()
                usual = default_exceptions.get(code, HTTPException)
                for kind, handler in pairs:
                    what = kind if code is None or kind is not usual else code
                    errors.register(app.error_handler_spec, full, what, handler)

    def _merge_commands(self, app: Any, name: str, options: dict[str, Any]) -> None:
        # Nobody looked at the group: importing click for it would be for nothing.
        if "cli" not in self.__dict__ or not self.cli.commands:
            return
        group = options.get("cli_group", self.cli_group)
        if group is None:
            app.cli.commands.update(self.cli.commands)
        else:
            self.cli.name = name if group is _FROM_APP else group
            app.cli.add_command(self.cli)

    @staticmethod
    def _inner_options(
        state: BlueprintSetupState, name: str, inner: Blueprint, options: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the options of a nested blueprint's registration: prefixes and subdomains are put together."""
        made = dict(options)
        own_prefix = options.get("url_prefix")
        prefixes = [state.url_prefix, inner.url_prefix if own_prefix is None else own_prefix]
        given = [prefix for prefix in prefixes if prefix is not None]
        if given:
            made["url_prefix"] = given[0] if len(given) == 1 else f"{given[0].rstrip('/')}/{given[1].lstrip('/')}"
        own = options.get("subdomain")
        domains = [inner.subdomain if own is None else own, state.subdomain]
        if any(domains):
            made["subdomain"] = ".".join(domain for domain in domains if domain)
        made["name_prefix"] = name
        return made

    def route(self, rule: str, **options: Any) -> Callable[[Route], Route]:
        """Register the decorated view for a URL rule; its endpoint is prefixed with the blueprint's name."""
        return super().route(rule, **options)

    @setupmethod
    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: RouteCallable | str | None = None,
        provide_automatic_options: bool | None = None, **options: Any,
    ) -> None:  # fmt: skip
        """Do as the application's method; the endpoint is prefixed with the blueprint's name.

        :raises BlueprintNameError: the endpoint, or the view's name, has a dot in it
        """
        view = self._resolve_view(endpoint, view_func)
        for what, text in (("endpoint", endpoint), ("view's name", getattr(view, "__name__", None))):
            if text and "." in text:
                raise BlueprintNameError(
                    f"the {what} {text!r} has a dot in it: endpoints of a blueprint are prefixed with its name, which"
                    " the dot separates"
                )
        self.record(
            lambda state: state.add_url_rule(
                rule, endpoint, view, provide_automatic_options=provide_automatic_options, **options
            )
        )

    @setupmethod
    def endpoint(self, endpoint: str) -> Callable[[F], F]:
        """Register the decorated view for an endpoint: with a dot in front one of this blueprint, else as it is."""

        def register(view: F) -> F:
            def enter(state: BlueprintSetupState) -> None:
                full = endpoint
                if endpoint.startswith("."):
                    full = ".".join(part for part in (state.name_prefix, state.name) if part) + endpoint
                state.app.view_functions[full] = view

            self.record(enter)
            return view

        return register

    # -- for the whole application -------------------------------------------------------------------------------

    def _for_app(self, registry: str, f: F) -> F:
        self.record_once(lambda state: getattr(state.app, registry).setdefault(None, []).append(f))
        return f

    @setupmethod
    def before_app_request(self, f: Before) -> Before:
        """Call `f` before each request to the application."""
        return self._for_app("before_request_funcs", f)

    @setupmethod
    def after_app_request(self, f: After) -> After:
        """Call `f` with each response of the application."""
        return self._for_app("after_request_funcs", f)

    @setupmethod
    def teardown_app_request(self, f: Teardown) -> Teardown:
        """Call `f` at the end of each request to the application."""
        return self._for_app("teardown_request_funcs", f)

    @setupmethod
    def app_context_processor(self, f: Processor) -> Processor:
        """Add what `f` returns to the variables of all templates of the application."""
        return self._for_app("template_context_processors", f)

    @setupmethod
    def app_url_value_preprocessor(self, f: Preprocessor) -> Preprocessor:
        """Do as :meth:`url_value_preprocessor`, for the whole application."""
        return self._for_app("url_value_preprocessors", f)

    @setupmethod
    def app_url_defaults(self, f: Defaults) -> Defaults:
        """Do as :meth:`url_defaults`, for the whole application."""
        return self._for_app("url_default_functions", f)

    @setupmethod
    def before_app_first_request(self, f: First) -> First:
        """Call `f` once, before the first request to the application."""
        self.record_once(lambda state: state.app.before_first_request_funcs.append(f))
        return f

    @setupmethod
    def app_errorhandler(self, code: type[Exception] | int) -> Callable[[OnError], OnError]:
        """Let the decorated function answer for errors of the whole application."""
        self._check_handled(code)

        def register(f: OnError) -> OnError:
            self.record_once(lambda state: state.app.register_error_handler(code, f))
            return f

        return register

    # -- templates -----------------------------------------------------------------------------------------------

    @overload
    def app_template_filter(self, name: Filter) -> Filter: ...
    @overload
    def app_template_filter(self, name: str | None = None) -> Callable[[Filter], Filter]: ...
    @setupmethod
    def app_template_filter(self, name: Any = None) -> Any:
        """Register the decorated function as a filter in all templates; by its own name unless given one."""
        return self._template_decorator(self.add_app_template_filter, name)

    @setupmethod
    def add_app_template_filter(self, f: TemplateFilterCallable, name: str | None = None) -> None:
        """Register a filter for all templates of the application."""
        self.record_once(lambda state: state.app.add_template_filter(f, name))

    @overload
    def app_template_test(self, name: Test) -> Test: ...
    @overload
    def app_template_test(self, name: str | None = None) -> Callable[[Test], Test]: ...
    @setupmethod
    def app_template_test(self, name: Any = None) -> Any:
        """Register the decorated function as a test in all templates; by its own name unless given one."""
        return self._template_decorator(self.add_app_template_test, name)

    @setupmethod
    def add_app_template_test(self, f: TemplateTestCallable, name: str | None = None) -> None:
        """Register a test for all templates of the application."""
        self.record_once(lambda state: state.app.add_template_test(f, name))

    @overload
    def app_template_global(self, name: Global) -> Global: ...
    @overload
    def app_template_global(self, name: str | None = None) -> Callable[[Global], Global]: ...
    @setupmethod
    def app_template_global(self, name: Any = None) -> Any:
        """Register the decorated function for all templates to call; by its own name unless given one."""
        return self._template_decorator(self.add_app_template_global, name)

    @setupmethod
    def add_app_template_global(self, f: TemplateGlobalCallable, name: str | None = None) -> None:
        """Register a function for all templates of the application to call."""
        self.record_once(lambda state: state.app.add_template_global(f, name))
