"""Templates: where they are found, what they see, what is escaped, and that Jinja2 answers as it does by itself."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape
from strategies import examples

import microflask.templating
from microflask import (
    Blueprint,
    Flask,
    Module,
    before_render_template,
    flash,
    g,
    get_template_attribute,
    render_template,
    render_template_string,
    request,
    session,
    stream_template,
    stream_template_string,
    template_rendered,
)
from microflask.templating import DispatchingJinjaLoader, Environment, escape_text

MODES = ("documented", "0.10", "3.1")
# Said once by each application that behaves as Flask 0.10 did.
pytestmark = pytest.mark.filterwarnings("ignore:render_template_string.. of the application")


def write(folder: Path, **files: str) -> Path:
    """Write templates; a double underscore in a name is a slash, and ``.html`` is added."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ("" if "." in name else ".html"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(params=MODES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Flask:
    app = Flask("site", root_path=str(tmp_path), compat=request.param)
    app.config.update(TESTING=True, SECRET_KEY="a key")
    (tmp_path / "templates").mkdir()
    return app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "templates"


# -- rendering -----------------------------------------------------------------------------------------------------


def test_render_template(site: Flask, folder: Path) -> None:
    write(folder, hello="Hello {{ name }}!", deep__er="{% extends 'hello.html' %}")
    site.add_url_rule("/<name>", "hello", lambda name: render_template("hello.html", name=name))
    assert site.test_client().get("/W").text == "Hello W!"
    with site.app_context():
        assert render_template("deep/er.html", name="caf\u00e9") == "Hello caf\u00e9!"


def test_the_first_template_that_exists_is_taken(site: Flask, folder: Path) -> None:
    write(folder, a="a", b="b")
    with site.app_context():
        assert render_template(["no.html", "b.html", "a.html"]) == "b"
        assert render_template(iter(["a.html"])) == "a"
        assert render_template(site.jinja_env.get_template("a.html")) == "a"
        assert render_template(["no.html", site.jinja_env.get_template("b.html")]) == "b"


def test_render_template_string(site: Flask) -> None:
    with site.app_context():
        assert render_template_string("{{ a }} {{ b or 'none' }}", a=1) == "1 none"


@pytest.mark.parametrize("render", [render_template, stream_template, render_template_string, stream_template_string])
def test_templates_need_an_application(render: Any) -> None:
    with pytest.raises(RuntimeError, match="app_context"):
        render("a")
    with pytest.raises(RuntimeError, match="app_context"):
        get_template_attribute("a", "b")


def test_missing_templates_are_told_with_the_places(site: Flask, folder: Path, tmp_path: Path) -> None:
    site.register_blueprint(Blueprint("shop", "shop", template_folder="more", root_path=str(tmp_path)))
    with site.app_context():
        with pytest.raises(jinja2.TemplateNotFound) as caught:
            render_template("no.html")
        assert caught.value.name == "no.html"
        for part in ("'no.html'", str(folder), str(tmp_path / "more")):
            assert part in str(caught.value)
        with pytest.raises(jinja2.TemplatesNotFound, match=r"no\.html.*nor\.html"):
            render_template(["no.html", "nor.html"])
        assert render_template_string("{% include 'no.html' ignore missing %}fine") == "fine"


def test_mistakes_in_templates_come_out(site: Flask) -> None:
    with site.app_context():
        for source, error in (("{% bad %}", jinja2.TemplateSyntaxError), ("{{ a.b.c }}", jinja2.UndefinedError),
                              ("{{ 1 / 0 }}", ZeroDivisionError), ("{{ a|nope }}", jinja2.TemplateAssertionError)):
            with pytest.raises(error):
                render_template_string(source)


def test_an_attribute_of_a_template(site: Flask, folder: Path) -> None:
    write(folder, _cider="{% set kind = 'dry' %}{% macro hello(name) %}Hello {{ name }}{% endmacro %}{{ missing }}")
    with site.app_context():
        assert get_template_attribute("_cider.html", "hello")("<World>") == "Hello &lt;World&gt;"
        assert get_template_attribute("_cider.html", "kind") == "dry"
        with pytest.raises(AttributeError, match="nope"):
            get_template_attribute("_cider.html", "nope")
        with pytest.raises(jinja2.TemplateNotFound):
            get_template_attribute("no.html", "hello")


# -- what templates see --------------------------------------------------------------------------------------------


def test_variables_of_every_template(site: Flask) -> None:
    source = "{{ request.path }} {{ session.a }} {{ g.b }} {{ config.TESTING }} {{ url_for('static', filename='x') }}"
    with site.test_request_context("/p"):
        session["a"], g.b = 1, 2
        assert render_template_string(source) == "/p 1 2 True /static/x"
        flash("m")
        assert render_template_string("{{ get_flashed_messages()|join }}") == "m"


def test_variables_without_a_request(site: Flask) -> None:
    with site.app_context():
        g.b = 2
        assert render_template_string("{{ g.b }}{{ config.TESTING }}") == "2True"
        context: dict[str, Any] = {"own": 1}
        site.update_template_context(context)
        assert context == {"own": 1, "g": g._get_current_object()}


def test_update_template_context(site: Flask) -> None:
    site.context_processor(lambda: {"added": 1, "own": "lost"})
    with site.test_request_context():
        context: dict[str, Any] = {"own": "kept"}
        site.update_template_context(context)
        assert context["request"] is request._get_current_object() and context["g"] is g._get_current_object()
        assert (context["own"], context["added"]) == ("kept", 1) and "session" in context


def test_imported_macros_see_the_globals(site: Flask, folder: Path) -> None:
    write(folder, m="{% macro f() %}{{ request.path }} {{ g.x }} {{ config.TESTING }} {{ own }}{% endmacro %}")
    with site.test_request_context("/p"):
        g.x = 1
        plain = render_template_string("{% import 'm.html' as m %}{{ m.f() }}", own="!")
        assert plain == "/p 1 True "
        assert render_template_string("{% import 'm.html' as m with context %}{{ m.f() }}", own="!") == "/p 1 True !"
        assert get_template_attribute("m.html", "f")() == "/p 1 True "


def test_context_processors_of_inner_blueprints_win(site: Flask) -> None:
    outer, inner = (Blueprint(name, name, root_path="/") for name in ("outer", "inner"))
    for owner, names in ((inner, "abc"), (outer, "bc"), (site, "c")):
        owner.context_processor(lambda owner=owner, names=names: dict.fromkeys([*names, "d"], owner.name))
    site.context_processor(lambda: {"e": "later"})
    site.context_processor(lambda: {"e": "last"})
    outer.app_context_processor(lambda: {"f": "everywhere"})
    source = "{{ a }} {{ b }} {{ c }} {{ d }} {{ e }} {{ f }}"
    inner.add_url_rule("/in", "view", lambda: render_template_string(source, d="given"))
    outer.add_url_rule("/out", "view", lambda: render_template_string(source))
    outer.register_blueprint(inner)
    site.register_blueprint(outer)
    site.add_url_rule("/top", "top", lambda: render_template_string(source))
    client = site.test_client()
    assert client.get("/in").text == "inner inner inner given last everywhere"
    assert client.get("/out").text == " outer outer outer last everywhere"
    assert client.get("/top").text == f"  {site.name} {site.name} last everywhere"


def test_asynchronous_context_processors(site: Flask) -> None:
    async def processor() -> dict[str, Any]:
        return {"a": 1}

    site.context_processor(processor)
    with site.app_context():
        assert render_template_string("{{ a }}") == "1"


def test_a_session_that_a_template_does_not_use_is_not_opened(app: Flask) -> None:
    app.add_url_rule("/", "index", lambda: render_template_string("{{ request.path }}"))
    app.add_url_rule("/reads", "reads", lambda: render_template_string("{{ session.a }}"))
    client = app.test_client()
    assert "Vary" not in client.get("/").headers
    assert client.get("/reads").headers["Vary"] == "Cookie"


def test_filters_tests_and_globals(site: Flask) -> None:
    @site.template_filter()
    def reverse(text: str) -> str:
        return text[::-1]

    @site.template_filter("twice")
    def repeat(text: str) -> str:
        return text * 2

    @site.template_filter
    def bare(text: str) -> str:
        return f"({text})"

    @site.template_test()
    def boolean(value: Any) -> bool:
        return isinstance(value, bool)

    @site.template_test("odd_one")
    def odd(value: int) -> bool:
        return value % 2 == 1

    @site.template_global()
    def double(number: int) -> int:
        return 2 * number

    @site.template_global("triple")
    def three(number: int) -> int:
        return 3 * number

    site.add_template_filter(reverse, "backwards")
    site.add_template_filter(f=repeat)
    site.add_template_test(boolean, name="is_bool")
    site.add_template_global(double, "dbl")
    source = (
        "{{ 'ab'|reverse }} {{ 'ab'|twice }} {{ 'a'|bare }} {{ 'ab'|backwards }} {{ 'a'|repeat }}"
        " {{ true is boolean }} {{ 3 is odd_one }} {{ 1 is is_bool }} {{ double(2) }} {{ triple(2) }} {{ dbl(3) }}"
    )
    with site.app_context():
        assert render_template_string(source) == "ba abab (a) ba aa True True False 4 6 6"
    assert reverse("ab") == "ba" and "reverse" in site.jinja_env.filters and "boolean" in site.jinja_env.tests


def test_filters_of_a_blueprint(site: Flask) -> None:
    shop = Blueprint("shop", "shop", root_path="/")
    shop.add_app_template_filter(str.upper, "up")

    @shop.app_template_filter("low")
    def lower(text: str) -> str:
        return text.lower()

    @shop.app_template_test()
    def loud(text: str) -> bool:
        return text.isupper()

    @shop.app_template_global()
    def name() -> str:
        return "shop"

    shop.add_app_template_test(loud, "shouted")
    shop.add_app_template_global(name, "title")
    site.register_blueprint(shop)
    source = "{{ 'a'|up }}{{ 'A'|low }}{{ 'A' is loud }}{{ name() }}{{ 'a' is shouted }}{{ title() }}"
    with site.app_context():
        assert render_template_string(source) == "AaTrueshopFalseshop"


def test_globals_may_be_set_on_the_environment(site: Flask) -> None:
    site.jinja_env.globals["answer"] = 42
    site.jinja_env.globals.update(url_for=lambda *_, **__: "own")
    with site.app_context():
        assert render_template_string("{{ answer }} {{ url_for('x') }}") == "42 own"


def test_tojson_is_the_applications(site: Flask) -> None:
    with site.app_context():
        text = render_template_string("{{ {'b': '</script>', 'a': d}|tojson }}", d=Markup("<b>'&"))
    assert text == '{"a": "\\u003cb\\u003e\\u0027\\u0026", "b": "\\u003c/script\\u003e"}'


# -- escaping ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "escaped"),
    [("a.html", True), ("a.htm", True), ("a.xml", True), ("a.xhtml", True), ("a.svg", None), ("a.txt", False),
     ("a.HTML", False), ("a", False), ("a.html.txt", False)],
)  # fmt: skip
def test_escaping_by_name(site: Flask, folder: Path, name: str, escaped: bool | None) -> None:
    source = "{{ '<' }}{{ '<'|safe }}{% autoescape true %}{{ '<' }}{% endautoescape %}"
    (folder / name).write_text(source, encoding="utf-8")
    if escaped is None:
        escaped = site.compat.name != "0.10"
    with site.app_context():
        assert render_template(name) == ("&lt;<&lt;" if escaped else "<<&lt;")
    assert site.select_jinja_autoescape(name) is escaped


def test_string_templates_are_escaped_but_for_old_applications(tmp_path: Path) -> None:
    for mode in ("documented", "3.1"):
        app = Flask("strings", root_path=str(tmp_path), compat=mode)
        with app.app_context():
            assert render_template_string("{{ a }}", a="<") == "&lt;"
            assert "".join(stream_template_string("{{ a }}", a="<")) == "&lt;"
        assert app.select_jinja_autoescape(None) is True
    old = Flask("strings", root_path=str(tmp_path), compat="0.10")
    with old.app_context():
        with pytest.warns(UserWarning, match="does not escape"):
            assert render_template_string("{{ a }}", a="<") == "<"
        # It is said once.
        assert render_template_string("{{ a }} again", a="<") == "< again"


def test_escaping_may_be_overridden(tmp_path: Path) -> None:
    class Site(Flask):
        def select_jinja_autoescape(self, filename: str | None) -> bool:
            return filename is not None and filename.endswith(".txt")

    site = Site("site", root_path=str(tmp_path))
    write(tmp_path / "templates", **{"a.txt": "{{ '<' }}", "a.html": "{{ '<' }}"})
    with site.app_context():
        assert (render_template("a.txt"), render_template("a.html"), render_template_string("{{ '<' }}")) == (
            "&lt;", "<", "<",
        )  # fmt: skip


# -- loaders -------------------------------------------------------------------------------------------------------


def test_the_applications_templates_come_before_those_of_blueprints(site: Flask, folder: Path, tmp_path: Path) -> None:
    write(folder, both="app")
    write(tmp_path / "one", both="one", some="one", one__own="own")
    write(tmp_path / "two", some="two", two="two")
    for name in ("one", "two"):
        site.register_blueprint(Blueprint(name, name, template_folder=name, root_path=str(tmp_path)))
    site.register_blueprint(Blueprint("none", "none", root_path=str(tmp_path)))
    with site.app_context():
        texts = [render_template(f"{name}.html") for name in ("both", "some", "two", "one/own")]
    assert texts == ["app", "one", "two", "own"]
    assert site.jinja_env.list_templates() == ["both.html", "one/own.html", "some.html", "two.html"]
    assert isinstance(site.jinja_env.loader, DispatchingJinjaLoader)


def test_templates_of_a_module_by_its_name(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "mods" / "templates", page="of the module", index="module index")
    (tmp_path / "mods" / "__init__.py").write_text("")
    (tmp_path / "mods" / "admin.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    site = Flask("site", root_path=str(tmp_path))
    write(tmp_path / "templates", index="app index")
    site.register_module(Module("mods.admin"))
    with site.app_context():
        assert render_template("admin/page.html") == "of the module"
        assert (render_template("index.html"), render_template("admin/index.html")) == ("app index", "module index")
        for name in ("page.html", "admin/../../secret", "admin/..", "other/page.html"):
            with pytest.raises(jinja2.TemplateNotFound):
                render_template(name)
    assert set(site.jinja_env.list_templates()) >= {"index.html", "admin/page.html"}
    write(tmp_path / "templates" / "admin", index="app admin index")
    fresh = Flask("site", root_path=str(tmp_path))
    fresh.register_module(Module("mods.admin"))
    with fresh.app_context():
        assert render_template("admin/index.html") == "app admin index"


@pytest.mark.parametrize(
    "name", ["../secret.html", "/secret.html", "a/../../secret.html", "..\\secret.html", "a\0.html"]
)
def test_templates_outside_of_the_folder_are_not_found(site: Flask, folder: Path, name: str) -> None:
    write(folder.parent, secret="secret")
    write(folder, a="a")
    with site.app_context(), pytest.raises((jinja2.TemplateNotFound, ValueError)):
        render_template(name)


def test_loaders_may_be_replaced(site: Flask, tmp_path: Path) -> None:
    site.jinja_loader = jinja2.DictLoader({"a.html": "dict"})
    shop = Blueprint("shop", "shop", root_path=str(tmp_path))
    shop.jinja_loader = jinja2.ChoiceLoader([jinja2.DictLoader({"b.html": "choice"})])  # type: ignore[assignment]
    site.register_blueprint(shop)
    with site.app_context():
        assert render_template("a.html") + render_template("b.html") == "dictchoice"
        with pytest.raises(jinja2.TemplateNotFound, match="DictLoader"):
            render_template("c.html")


def test_an_application_without_templates(tmp_path: Path) -> None:
    bare = Flask("bare", root_path=str(tmp_path), template_folder=None)
    assert bare.jinja_loader is None and bare.jinja_env.list_templates() == []
    with bare.app_context(), pytest.raises(jinja2.TemplateNotFound, match="template_folder"):
        render_template("a.html")


def test_overridden_factories(tmp_path: Path) -> None:
    class Own(Environment):
        pass

    class Site(Flask):
        jinja_environment = Own
        jinja_options = {"trim_blocks": True, "line_statement_prefix": "%", "autoescape": False}

        def create_global_jinja_loader(self) -> jinja2.BaseLoader:
            return jinja2.DictLoader({"a": "% if true:\n{{ '<' }}\n% endif"})

        def create_jinja_environment(self) -> Any:
            environment = super().create_jinja_environment()
            environment.globals["made"] = "here"
            return environment

    site = Site("site", root_path=str(tmp_path))
    assert type(site.jinja_env) is Own and site.jinja_env is site.jinja_env
    with site.app_context():
        assert render_template("a") == "<\n" and render_template_string("{{ made }}") == "here"


def test_options_of_old_are_accepted(site: Flask) -> None:
    assert site.jinja_options == {"extensions": ["jinja2.ext.autoescape", "jinja2.ext.with_"]}
    site.jinja_options = {**site.jinja_options, "extensions": [*site.jinja_options["extensions"], "jinja2.ext.do"]}
    with site.app_context():
        assert render_template_string("{% with a = [] %}{% do a.append(1) %}{{ a }}{% endwith %}") == "[1]"


def test_where_templates_were_looked_for(site: Flask, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(folder, a="a")
    site.config["EXPLAIN_TEMPLATE_LOADING"] = True
    caplog.set_level(logging.INFO)
    site.logger.propagate = True
    site.logger.setLevel(logging.INFO)
    with site.app_context():
        assert render_template("a.html") == "a"
        with pytest.raises(jinja2.TemplateNotFound):
            render_template("no.html")
    first, second = (record.getMessage() for record in caplog.records)
    assert "'a.html'" in first and str(folder) in first and "'no.html'" in second


# -- reloading and caching -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("debug", "config", "old", "new"),
    [(False, None, True, False), (True, None, True, True), (False, True, True, True), (True, False, False, False)],
)
def test_changed_templates(site: Flask, folder: Path, debug: bool, config: bool | None, old: bool, new: bool) -> None:
    site.debug = debug
    site.config["TEMPLATES_AUTO_RELOAD"] = config
    write(folder, a="first")
    with site.app_context():
        assert render_template("a.html") == "first"
        write(folder, a="second")
        os.utime(folder / "a.html", (1, 1))
        reloaded = old if site.compat.name == "0.10" else new
        assert render_template("a.html") == ("second" if reloaded else "first")


def test_debug_may_be_switched_after_the_environment_was_made(site: Flask) -> None:
    always = site.compat.name == "0.10"
    assert site.jinja_env.auto_reload is always
    site.debug = True
    assert site.jinja_env.auto_reload is True
    site.debug = False
    assert site.jinja_env.auto_reload is always
    site.config["TEMPLATES_AUTO_RELOAD"] = True
    site.jinja_env.auto_reload = True
    site.debug = False
    assert site.jinja_env.auto_reload is True


def test_string_templates_are_kept_up_to_a_number(site: Flask) -> None:
    environment = site.jinja_env
    first = environment.from_source("{{ 1 }}")
    assert environment.from_source("{{ 1 }}") is first
    for number in range(300):
        environment.from_source(f"{{{{ {number} }}}}")
    assert len(environment._strings) == 200
    assert environment.from_source("{{ 1 }}") is not first


def test_string_templates_follow_changed_options(app: Flask) -> None:
    source = "{% if true %}\n{{ '<' }}{{ missing }}{% endif %}"
    with app.app_context():
        assert render_template_string(source) == "\n&lt;"
        app.jinja_env.trim_blocks = True
        assert render_template_string(source) == "&lt;"
        app.jinja_env.autoescape = False
        assert render_template_string(source) == "<"
        app.jinja_env.undefined = jinja2.StrictUndefined
        with pytest.raises(jinja2.UndefinedError):
            render_template_string(source)
        overlay = app.jinja_env.overlay(autoescape=True)
        assert overlay.from_source("{{ '<' }}").render() == "&lt;"
        assert app.jinja_env.from_source("{{ '<' }}").render() == "<"


def test_string_templates_see_later_globals_and_filters(app: Flask) -> None:
    with app.app_context():
        assert render_template_string("{{ later }}{{ a }}", a=1) == "1"
        app.jinja_env.globals["later"] = "now"
        assert render_template_string("{{ later }}{{ a }}", a=2) == "now2"
        app.jinja_env.filters["own"] = lambda value: f"1{value}"
        assert render_template_string("{{ a|own }}", a=3) == "13"
        app.jinja_env.filters["own"] = lambda value: f"2{value}"
        assert render_template_string("{{ a|own }}", a=3) == "23"


def test_another_environment_may_stand_in(site: Flask) -> None:
    site.jinja_env = jinja2.Environment(loader=jinja2.DictLoader({"a": "{{ x }}"}))
    with site.app_context():
        assert render_template("a", x="<") + render_template_string("{{ x }}", x="!") == "<!"


# -- streams and signals -------------------------------------------------------------------------------------------


def test_streamed_templates(site: Flask, folder: Path) -> None:
    write(folder, count="{% for n in range(3) %}{{ n }}{{ request.path }} {% endfor %}")
    site.add_url_rule("/a", "a", lambda: stream_template("count.html"))
    site.add_url_rule("/b", "b", lambda: stream_template_string("{{ x }}{{ request.args.q }}", x="\u00e9"))
    client = site.test_client()
    response = client.get("/a")
    assert response.is_streamed and response.text == "0/a 1/a 2/a "
    assert client.get("/b?q=1").text == "\u00e91"
    with site.app_context():
        pieces = stream_template("count.html", request={"path": "!"})
        assert isinstance(pieces, Iterator) and "".join(pieces) == "0! 1! 2! "
        assert "".join(stream_template_string("{{ g }}", g=1)) == "1"


def test_a_missing_template_is_found_out_before_the_stream_starts(site: Flask) -> None:
    with site.app_context(), pytest.raises(jinja2.TemplateNotFound):
        stream_template("no.html")


def test_signals(site: Flask, folder: Path) -> None:
    write(folder, a="{{ x }}")
    seen: list[Any] = []

    def before(sender: Any, template: jinja2.Template, context: dict[str, Any]) -> None:
        seen.append(("before", template.name, context["x"]))
        context["x"] += 1

    def after(sender: Any, template: jinja2.Template, context: dict[str, Any]) -> None:
        seen.append(("after", template.name, context["x"]))

    listening = before_render_template.connected_to(before, site), template_rendered.connected_to(after, site)
    with listening[0], listening[1], site.app_context():
        assert render_template("a.html", x=1) == "2"
        assert "".join(stream_template_string("{{ x }}", x=5)) == "6"
    assert seen == [("before", "a.html", 1), ("after", "a.html", 2), ("before", None, 5), ("after", None, 6)]


def test_a_failed_template_is_not_signalled(site: Flask) -> None:
    seen: list[Any] = []
    with template_rendered.connected_to(lambda *_, **__: seen.append(1), site), site.app_context():
        try:
            render_template_string("{{ 1 / 0 }}")
        except ZeroDivisionError:
            seen.append("failed")
    assert seen == ["failed"]


def test_the_step_that_extensions_replace(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(app: Any, template: jinja2.Template, context: dict[str, Any]) -> str:
        return f"{app.name} {template.name} {context}"

    monkeypatch.setattr(microflask.templating, "_render", fake)
    with site.app_context():
        assert render_template_string("x", a=1) == "site None {'a': 1}"


def test_update_template_context_may_be_overridden(tmp_path: Path) -> None:
    class Site(Flask):
        def update_template_context(self, context: dict[str, Any]) -> None:
            super().update_template_context(context)
            context["site"] = "own"

    with Site("site", root_path=str(tmp_path)).app_context():
        assert render_template_string("{{ site }}") == "own"
        assert "".join(stream_template_string("{{ site }}")) == "own"


# -- Jinja2 by itself ----------------------------------------------------------------------------------------------

#: A template in each line.
SOURCES = r"""
{{ text }}
{{ text|upper }}
{{ text|e }}
{{ text|safe }}
{{ markup }}{{ markup|striptags }}
{{ numbers }}
{{ numbers|sum }}
{{ numbers|join(', ') }}
{{ numbers[1:]|list }}
{{ mapping.a }}
{{ mapping['b'] }}
{{ mapping.missing }}
{{ missing }}
{{ missing is defined }}
{{ missing|default('d') }}
{{ 1 + 2 * 3 }}
{{ 7 // 2 }} {{ 7 % 2 }} {{ 2 ** 3 }}
{{ 'a' ~ 1 ~ text }}
{{ 1 if numbers else 2 }}
{{ not true }}
{{ 3 in numbers }}
{{ text == '<b>' and 1 }}
{% for n in numbers %}{{ loop.index }}{{ n }}{% else %}no{% endfor %}
{% for k, v in mapping|dictsort %}{{ k }}={{ v }};{% endfor %}
{% if 0 %}a{% elif 1 %}b{% else %}c{% endif %}
{% set x = 5 %}{{ x }}
{% set ns = namespace(a=1) %}{% set ns.a = 2 %}{{ ns.a }}
{% set b %}<i>{{ text }}{% endset %}{{ b }}
{% macro m(a, b='x') %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }}{{ m(1, 2, 3, k=4) }}
{% call(x) [].append %}{% endcall %}
{% macro c() %}({{ caller() }}){% endmacro %}{% call c() %}{{ text }}{% endcall %}
{% filter upper %}a{{ text }}{% endfilter %}
{% raw %}{{ x }}{% endraw %}
{# nothing #}
{%- if 1 -%} a {%- endif -%} b
{{ '%s-%d'|format('a', 3) }}
{{ numbers|map('string')|list }}
{{ numbers|select('odd')|list }}
{{ 'x'|center(5) }}|
{{ [3, 1, 2]|sort }}
{{ users|map(attribute='name')|join(',') }}
{{ users|groupby('age')|list|length }}
{{ text|replace('b', 'i') }}
{{ markup + text }}
{{ text + markup }}
{{ markup|replace('<', text) }}
{{ 'a<b'|urlize }}
{{ 'http://x.org/<a>'|urlize }}
{{ {'a': text}|tojson }}
{{ {'a': '<'}|xmlattr }}
{{ 1.5|round }}
{{ '%.2f' % 1.234 }}
{{ text|wordcount }}
{{ 'a b'|title|length }}
{{ range(3)|list }}
{{ dict(a=1) }}
{{ cycler('a', 'b').next() }}
{{ lipsum(n=0) }}
{% autoescape false %}{{ text }}{% endautoescape %}{{ text }}
{% with a = 1 %}{{ a }}{% endwith %}
{{ text.__class__ }}
{{ numbers.append(4) }}{{ numbers|length }}
{% block b %}x{% endblock %}{{ self.b() }}
{{ loop }}
{{ caller }}
{{ true }}{{ none }}
{{ users[0].name }}{{ users[0]['age'] }}
{{ text is string }}
{{ 3 is divisibleby 3 }}
{{ numbers is iterable }}
{{ 'a' < 'b' }}
{{ (1, 2) }}
{{ text[0] }}{{ text[-1] }}
{{ numbers|batch(2)|list }}
{{ numbers|first }}{{ numbers|last }}
{{ ''|default('x', true) }}
{{ text|truncate(2, true) }}
{{ 'a\nb'|indent }}
{{ 1000000|filesizeformat }}
{{ text|forceescape }}
{{ [text]|join }}
{{ [text, markup]|join('<') }}
{{ '<'|e|e }}
{{ ('<'|e) ~ '<' }}
{{ 5 / 2 }}
{{ 1 / 0 }}
{{ missing.attribute }}
{{ text() }}
{{ 1|nope }}
{% nope %}
{{
"""


def values() -> dict[str, Any]:
    return {
        "text": "<b>", "markup": Markup("<i>&amp;</i>"), "numbers": [1, 2, 3], "mapping": {"a": 1, "b": "<"},
        "users": [{"name": "x", "age": 1}, {"name": "y", "age": 1}],
    }  # fmt: skip


def result(environment: jinja2.Environment, source: str) -> Any:
    try:
        compile_text = environment.from_source if isinstance(environment, Environment) else environment.from_string
        return compile_text(source).render(values())
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("escape", [False, True])
def test_jinja_answers_as_by_itself(tmp_path: Path, escape: bool) -> None:
    class Site(Flask):
        def select_jinja_autoescape(self, filename: str | None) -> bool:
            return escape

    site = Site("site", root_path=str(tmp_path))
    stock = jinja2.Environment(autoescape=lambda name: escape)
    stock.policies["json.dumps_function"] = site.json.dumps
    for source in SOURCES.strip().splitlines():
        expected = result(stock, source)
        # The second time the template is an old one.
        assert [result(site.jinja_env, source) for _ in range(2)] == [expected, expected], source


class Shouting(str):
    def __html__(self) -> str:
        return f"<b>{self}</b>"


@examples()
@given(st.one_of(st.text("a<>&'\"\u00e9\udc80"), st.integers(), st.booleans(), st.none(), st.floats(), st.binary()))
def test_escaping_is_that_of_markupsafe(value: Any) -> None:
    for each in (value, Markup(value), Shouting(value), [value], {"<": value}):
        assert escape_text(each) == escape(each)


@examples()
@given(st.dictionaries(st.sampled_from(["a", "b", "items", "get", "__len__", "copy"]), st.integers(), max_size=3))
def test_attributes_of_dictionaries_are_those_of_jinja(mapping: dict[str, int]) -> None:
    ours, stock = Flask("site").jinja_env, jinja2.Environment()
    for name in ("a", "b", "items", "get", "__len__", "__class__", "nope", "copy"):
        found, expected = ours.getattr(mapping, name), stock.getattr(mapping, name)
        assert found == expected or (isinstance(found, jinja2.Undefined) and isinstance(expected, jinja2.Undefined))


def test_compiled_code_that_is_kept_is_jinjas_own(site: Flask, tmp_path: Path) -> None:
    site.jinja_env.loader = jinja2.DictLoader({"a.html": "{{ x }}"})
    site.jinja_env.compile_templates(str(tmp_path / "modules"), zip=None)
    cache = jinja2.FileSystemBytecodeCache(str(tmp_path))
    site.jinja_env.bytecode_cache = cache
    with site.app_context():
        assert render_template("a.html", x="<") == "&lt;"
    for loader in (site.jinja_env.loader, jinja2.ModuleLoader(str(tmp_path / "modules"))):
        stock = jinja2.Environment(loader=loader, bytecode_cache=cache, autoescape=True)
        assert stock.get_template("a.html").render(x="<") == "&lt;"


def test_variables_win_over_globals_of_the_template_and_those_over_the_environments(site: Flask) -> None:
    environment = site.jinja_env
    environment.globals.update(a="environment", b="environment", c="environment")
    template = environment.from_string("{{ a }} {{ b }} {{ c }}", globals={"b": "template", "c": "template"})
    assert template.render(c="given") == "environment template given"
    assert template.new_context({"c": 1}).globals_keys == {*environment.globals, *template.globals}
    environment.globals["a"] = "later"
    assert template.render() == "later template template"
