"""Jinja2 with the application's loaders, filters and variables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from os import fspath
from posixpath import normpath
from typing import Any

import jinja2
import markupsafe
from jinja2 import BaseLoader, Template, TemplateNotFound, nodes
from jinja2.compiler import CodeGenerator
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.tests import TESTS
from markupsafe import Markup, escape

from .globals import _current, find_request_ctx, g, request, session
from .helpers import get_flashed_messages, stream_with_context
from .helpers import get_template_attribute as get_template_attribute
from .signals import before_render_template, template_rendered

#: Extensions of old that are part of Jinja2 itself by now.
_BUILT_IN = {"jinja2.ext.autoescape", "jinja2.ext.with_"}
#: What a template finds on any plain dictionary before it looks for a key.
_DICT_ATTRIBUTES = frozenset(dir(dict))
#: Escapes a text; makes no Markup of it from MarkupSafe 3 on.
_escape_str: Callable[[str], str] = getattr(markupsafe, "_escape_inner", escape)


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


def escape_text(value: Any) -> str:
    """Return the text that stands for a value in HTML; equal to what markupsafe.escape() returns.

    Output is joined to a str in the end. That it need not be a Markup on the way takes 0.15
    microseconds instead of 0.6, for a text.
    """
    kind = type(value)
    if kind is str:
        return _escape_str(value)
    if kind is int:
        return str(value)
    return value if kind is Markup else escape(value)


class _Generator(CodeGenerator):
    """Write Jinja2's code, with :func:`escape_text` where a value is put out and escaped."""

    def _output_child_pre(self, node: nodes.Expr, frame: Any, finalize: Any) -> None:
        context = frame.eval_ctx
        # Code that is kept in files may be loaded by an environment of Jinja2's own, which lacks the name.
        kept = self.defer_init or self.environment.bytecode_cache is not None
        if kept or context.volatile or not context.autoescape:
            super()._output_child_pre(node, frame, finalize)
            return
        self.write("environment.escape_text(")
        if finalize.src is not None:
            self.write(finalize.src)


class _Template(Template):
    """Render as Jinja2's template."""

    def new_context(
        self, vars: dict[str, Any] | None = None, shared: bool = False, locals: Any = None
    ) -> Context:
        """Return the context of one rendering; see Jinja2."""
        maps = getattr(self.globals, "maps", None)
        if shared or locals or maps is None:
            return super().new_context(vars, shared, locals)
        # A ChainMap's names are gone through in Python, twice: the context takes 11.5 microseconds instead of 2.1.
        known: dict[str, Any] = {}
        for names in reversed(maps):
            known.update(names)
        return self.environment.context_class(
            self.environment, {**known, **(vars or {})}, self.name, self.blocks, globals=known
        )


class Environment(jinja2.Environment):
    """Be a Jinja2 environment that belongs to an application."""

    code_generator_class = _Generator
    template_class = _Template
    escape_text = staticmethod(escape_text)

    def __init__(self, app: Any, **options: Any) -> None:
        if "loader" not in options:
            options["loader"] = app.create_global_jinja_loader()
        options["extensions"] = [name for name in options.get("extensions", ()) if name not in _BUILT_IN]
        super().__init__(**options)
        self.app = app
        self._strings: dict[str, Template | bool] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if "_strings" in self.__dict__ and name != "_strings":
            # What was compiled may depend on the option that changed.
            self._strings.clear()

    def overlay(self, *args: Any, **options: Any) -> Environment:
        """Return an environment that shares all but the given options, and compiles by itself."""
        made = super().overlay(*args, **options)
        assert isinstance(made, Environment)
        made._strings = {}
        return made

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute of an object, or else an item.

        Jinja2 tries the attribute first, and an exception is raised and caught for each key of a dictionary: 0.7
        microseconds, which are 0.1 here.
        """
        if type(obj) is dict and attribute not in _DICT_ATTRIBUTES:
            try:
                return obj[attribute]
            except (TypeError, LookupError, AttributeError):
                pass
        return super().getattr(obj, attribute)

    def from_source(self, source: str) -> Template:
        """Return the template for a source text; the last 200 are kept compiled, where that makes no difference.

        The oldest goes first, used or not: to keep them in the order of their use takes 0.4 microseconds each time.
        """
        kept = self._strings.get(source)
        if isinstance(kept, Template):
            return kept
        template = self.from_string(source)
        if kept is None:
            for oldest in list(self._strings)[: max(0, len(self._strings) - 199)]:
                self._strings.pop(oldest, None)
            self._strings[source] = not self._filters_constants(source) and template
        return template

    def _filters_constants(self, source: str) -> bool:
        """Tell whether a filter or test of the application's own is applied to a constant.

        Jinja calls it when it compiles, and it may depend on the request, as those for a locale do.
        """
        for node in self.parse(source).find_all((nodes.Filter, nodes.Test)):
            ours, builtin = (self.tests, TESTS) if isinstance(node, nodes.Test) else (self.filters, FILTERS)
            if ours.get(node.name) is builtin.get(node.name):
                continue
            given: Any = node
            while isinstance(given, nodes.Filter | nodes.Test | nodes.Getattr | nodes.Getitem | nodes.Call):
                given = given.node
            if given is not None and not isinstance(given, nodes.Name):
                return True
        return False


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
    found: dict[str, Any] = {}
    for name in (None, *blueprints):
        for processor in app.template_context_processors.get(name, ()):
            found.update(app.ensure_sync(processor)())
    for name, value in found.items():
        context.setdefault(name, value)


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
    frame = _current.get()
    if frame is None:
        raise RuntimeError(
            "Working outside of application context. Templates are rendered by a current application: do it while a"
            " request is handled, or inside of `with app.app_context():`"
        )
    return frame[0].app


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
