"""Jinja2 with the application's loaders, filters and variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from os import fspath
from posixpath import normpath
from typing import Any

import jinja2
from jinja2 import BaseLoader, Template, TemplateNotFound
from jinja2.utils import LRUCache

from .globals import _current, find_app, find_request_ctx, g, request, session
from .helpers import get_flashed_messages, stream_with_context
from .helpers import get_template_attribute as get_template_attribute
from .signals import before_render_template, template_rendered

#: Extensions of old that are part of Jinja2 itself by now.
_BUILT_IN = {"jinja2.ext.autoescape", "jinja2.ext.with_"}


def _default_template_ctx_processor() -> dict[str, Any]:
    """Return the variables of every template: request, session and g."""
    frame = _current.get()
    if frame is None:
        return {}
    owner, ctx = frame
    variables = {"g": owner.app_context.g}
    if ctx is not None:
        variables["request"] = ctx.request
        # The proxy: rendering a template does not open the session by itself.
        variables["session"] = session
    return variables


class Environment(jinja2.Environment):
    """Be a Jinja2 environment that belongs to an application."""

    def __init__(self, app: Any, **options: Any) -> None:
        if "loader" not in options:
            options["loader"] = app.create_global_jinja_loader()
        options["extensions"] = [name for name in options.get("extensions", ()) if name not in _BUILT_IN]
        super().__init__(**options)
        self.app = app
        self._strings: Any = LRUCache(200)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if "_strings" in self.__dict__ and name != "_strings":
            # What was compiled may depend on the option that changed.
            self._strings.clear()

    def overlay(self, *args: Any, **options: Any) -> Environment:
        """Return an environment that shares all but the given options, and compiles by itself."""
        made = super().overlay(*args, **options)
        assert isinstance(made, Environment)
        made._strings = LRUCache(200)
        return made

    def from_source(self, source: str) -> Template:
        """Return the template for a source text; the last 200 are kept compiled."""
        template: Template | None = self._strings.get(source)
        if template is None:
            template = self._strings[source] = self.from_string(source)
        return template


def make_environment(app: Any) -> jinja2.Environment:
    """Return an environment with an application's options, loader and globals."""
    options = dict(app.jinja_options)
    options.setdefault("autoescape", app.select_jinja_autoescape)
    if "auto_reload" not in options:
        chosen = app.config.get("TEMPLATES_AUTO_RELOAD")
        options["auto_reload"] = app.debug or app.compat.templates_always_reload if chosen is None else chosen
    environment: jinja2.Environment = (app.jinja_environment or Environment)(app, **options)
    environment.globals.update(
        url_for=app.url_for, get_flashed_messages=get_flashed_messages, config=app.config,
        request=request, session=session, g=g,
    )  # fmt: skip
    environment.policies["json.dumps_function"] = app.json.dumps
    return environment


def fill_context(app: Any, context: dict[str, Any]) -> None:
    """Add what the context processors return; `context` itself wins over them."""
    ctx = find_request_ctx()
    blueprints = () if ctx is None else reversed(ctx.blueprints)
    given = dict(context)
    for name in (None, *blueprints):
        for processor in app.template_context_processors.get(name, ()):
            context.update(app.ensure_sync(processor)())
    context.update(given)


class DispatchingJinjaLoader(BaseLoader):
    """Look for templates with the application's loader, and then with those of its blueprints."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def get_source(self, environment: jinja2.Environment, template: str) -> Any:
        """Return source, file name and check of the first template found.

        :raises jinja2.TemplateNotFound: naming all places looked at
        """
        attempts = []
        found = None
        for owner, loader, name in self._candidates(template):
            try:
                source = loader.get_source(environment, name)
            except TemplateNotFound:
                source = None
            attempts.append((loader, owner, source))
            found = found or source
            if found and not self.app.config.get("EXPLAIN_TEMPLATE_LOADING"):
                return found
        if self.app.config.get("EXPLAIN_TEMPLATE_LOADING"):
            from .debughelpers import explain_template_loading_attempts

            explain_template_loading_attempts(self.app, template, attempts)
        if found is None:
            raise TemplateNotFound(template, self._missing(template, attempts))
        return found

    @staticmethod
    def _missing(template: str, attempts: list[Any]) -> str:
        from .debughelpers import missing_template_message

        places: list[str] = []
        for loader, _, _ in attempts:
            places += getattr(loader, "searchpath", None) or [repr(loader)]
        return missing_template_message(template, [fspath(place) for place in places])

    def _candidates(self, template: str) -> Iterator[tuple[Any, BaseLoader, str]]:
        """Yield who owns a loader, the loader, and the template's name for it."""
        app = self.app
        if app.jinja_loader is not None:
            yield app, app.jinja_loader, template
        # "name/page.html" was how templates of the Module `name` were called.
        module, _, rest = normpath(template).partition("/")
        owner = app.blueprints.get(module)
        if rest and getattr(owner, "is_module", False) and owner.jinja_loader is not None:
            yield owner, owner.jinja_loader, rest
        for blueprint in app.iter_blueprints():
            if blueprint.jinja_loader is not None and not blueprint.is_module:
                yield blueprint, blueprint.jinja_loader, template

    def list_templates(self) -> list[str]:
        """Return the names of all templates, sorted."""
        names = set()
        if self.app.jinja_loader is not None:
            names.update(self.app.jinja_loader.list_templates())
        for blueprint in self.app.iter_blueprints():
            if blueprint.jinja_loader is not None:
                found = blueprint.jinja_loader.list_templates()
                names.update(f"{blueprint.name}/{name}" if blueprint.is_module else name for name in found)
        return sorted(names)


def _needs_app() -> Any:
    app = find_app()
    if app is None:
        raise RuntimeError(
            "Working outside of application context. Templates are rendered by a current application: do it while a"
            " request is handled, or inside of `with app.app_context():`"
        )
    return app


def _render(app: Any, template: Template, context: dict[str, Any]) -> str:
    app.update_template_context(context)
    if before_render_template.receivers:
        before_render_template.send(app, _async_wrapper=app.ensure_sync, template=template, context=context)
    text = template.render(context)
    if template_rendered.receivers:
        template_rendered.send(app, _async_wrapper=app.ensure_sync, template=template, context=context)
    return text


def render_template(
    template_name_or_list: str | Template | Iterable[str | Template], **context: Any
) -> str:
    """Render a template from the template folders.

    :param template_name_or_list: the name of the template, or names of which the first that exists is taken
    :param context: the variables of the template
    :raises jinja2.TemplateNotFound: there is no such template; names the places looked at
    """
    app = _needs_app()
    return _render(app, app.jinja_env.get_or_select_template(template_name_or_list), context)


def _from_string(app: Any, source: str) -> Template:
    env = app.jinja_env
    return env.from_source(source) if isinstance(env, Environment) else env.from_string(source)


def render_template_string(source: str, **context: Any) -> str:
    """Render a template from its source text.

    :param context: the variables of the template
    """
    app = _needs_app()
    return _render(app, _from_string(app, source), context)


def _stream(app: Any, template: Template, context: dict[str, Any]) -> Iterator[str]:
    app.update_template_context(context)
    if before_render_template.receivers:
        before_render_template.send(app, _async_wrapper=app.ensure_sync, template=template, context=context)

    def pieces() -> Iterator[str]:
        yield from template.generate(context)
        if template_rendered.receivers:
            template_rendered.send(app, _async_wrapper=app.ensure_sync, template=template, context=context)

    return pieces() if find_request_ctx() is None else stream_with_context(pieces())


def stream_template(
    template_name_or_list: str | Template | Iterable[str | Template], **context: Any
) -> Iterator[str]:
    """Render a template piece by piece, to be returned by a view as it is."""
    app = _needs_app()
    return _stream(app, app.jinja_env.get_or_select_template(template_name_or_list), context)


def stream_template_string(source: str, **context: Any) -> Iterator[str]:
    """Render a template from its source text piece by piece."""
    app = _needs_app()
    return _stream(app, _from_string(app, source), context)
