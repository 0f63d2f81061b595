"""Random templates say what they say in an environment of Jinja2's own, whichever way they are rendered."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import jinja2
import pytest
from hypothesis import given
from markupsafe import Markup
from strategies import Dice, dice, examples

from microflask import Flask
from microflask.templating import Environment

ATOMS = (
    *("text",) * 6, *("markup",) * 3, "numbers", "numbers", "mapping", "mapping", "users", "missing", "widget", "none",
    "true", "1", "0", "-2", "1.5", "'a'", "'<'", "'a' ~ text", "[1, text]", "[]", "{'a': text}", "{}", "(1, 'b')",
    "users[0].name", "users[0]", "mapping.a", "numbers[1:]", "namespace(a=1)", "dict(a=text)", "range(3)",
    "environment_name", "x", "loop.index", "self", "caller",
)  # fmt: skip
OPERATORS = (
    *("~",) * 15, "+", "-", "*", "/", "//", "%", "==", "!=", "<", ">=", "and", "or", "or", "in [text] or", "in",
)  # fmt: skip
FILTERS = (
    "upper", "lower", "e", "e", "safe", "forceescape", "length", "first", "last", "join(',')", "join('<')", "trim",
    "default('d')", "default('<', true)", "string", "int", "float(2)", "list", "sort", "reverse", "reverse|list",
    "title", "capitalize", "striptags", "tojson", "tojson(1)", "urlencode", "replace('b', '<')", "map('upper')|list",
    "map(attribute='name')|join(text)", "select|list", "rejectattr('a')|list", "batch(2)|list", "slice(2)|list", "sum",
    "min", "max", "unique|list", "round", "abs", "wordcount", "center(7)", "truncate(3, true)", "indent(1, true)",
    "xmlattr", "format(1)", "items|list", "groupby('age')", "attr('upper')", "filesizeformat", "pprint", "urlize",
    "wordwrap(2)", "count", "map('e')|join", "selectattr('age', 'eq', 1)|list", "nope", "shout", "greet(text)",
    "dictsort",
)  # fmt: skip
TESTS = (
    "defined", "undefined", "none", "number", "string", "mapping", "iterable", "sequence", "even", "odd", "escaped",
    "divisibleby(2)", "callable", "eq(1)", "in([1, 2])", "sameas(none)", "boolean", "filter", "nope", "loud",
)  # fmt: skip
NAMES = (
    "a", "b", "name", "age", "upper", "items", "keys", "__class__", "append", "nope", "0", "get", "index", "striptags",
)  # fmt: skip
CALLS = ("", "text", "1", "'a', 1", "k=text", "*numbers", "**mapping")
#: What stands around two expressions.
PIECES = (
    "{{ A }}", "{{ A }}", "{{ A }}|{{ B }}", "<i>{{- A -}} </i>\n", "text {# A #}", "{% raw %}{{ A }}{% endraw %}",
    "{% if A %}a{{ B }}{% elif B %}b{% else %}c{% endif %}", "{% set x = A %}{{ x }}",
    "{% for x in A %}{{ loop.index }}{{ x }}{{ B }}{% else %}none{% endfor %}",
    "{% for x in A if B %}{{ loop.last }}{{ x }}{% endfor %}", "{% for x, y in A %}{{ x }}={{ y }}{% endfor %}",
    "{% for x in users recursive %}{{ x[A] }}{% endfor %}", "{% set x %}<{{ A }}>{% endset %}{{ x }}",
    "{% filter upper %}{{ A }}<{% endfilter %}", "{% with x = A %}{{ x }}{% endwith %}",
    "{% autoescape false %}{{ A }}{% endautoescape %}", "{% autoescape text %}{{ A }}{% endautoescape %}",
    "{% macro m(x, y=A) %}<{{ x }}{{ y }}{{ caller and caller() }}{% endmacro %}{{ m(B) }}",
    "{% macro n() %}({{ caller(A) }}){% endmacro %}{% call(x) n() %}{{ x }}{{ B }}{% endcall %}",
    "{% block c %}{{ A }}{% endblock %}{{ self.c() }}", "{% include 'part' %}{{ A }}",
    "{% include A ignore missing %}", "{% include ['none', 'part'] without context %}",
    "{% set x = A %}{% include 'part' %}", "{% import 'macros' as them %}{{ them.show(A) }}{{ them.shown }}",
    "{% from 'macros' import show with context %}{{ show(A) }}",
)  # fmt: skip
FILES = {
    "base": "<html>{% block a %}base {{ text }}{% endblock %}{% block b scoped %}{{ missing }}{% endblock %}",
    "part": "[{{ text }}{{ x }}]",
    "macros": "{% macro show(a) %}<p>{{ a }}{{ text }}</p>{% endmacro %}{% set shown = '<' %}",
}


def make_expression(dice: Dice, depth: int = 2) -> str:
    """Return an expression of the language, which need not have a value."""
    if depth == 0 or dice.often(0.25):
        return str(dice.one(*ATOMS))
    first, second = make_expression(dice, depth - 1), make_expression(dice, depth - 2 if depth > 1 else 0)
    usual: tuple[str, ...] = (
        f"{first}|{dice.one(*FILTERS)}", f"({first})|{dice.one(*FILTERS)}",
        *(f"({first} {dice.one(*OPERATORS)} {second})" for _ in range(2)),
        f"({first} is {dice.one('', 'not ')}{dice.one(*TESTS)})", f"({first} if {second} else {dice.one(*ATOMS)})",
        f"[{first}, {second}]", f"(not {first})",
    )  # fmt: skip
    odd: tuple[str, ...] = (
        f"({first}).{dice.one(*NAMES)}", f"({first})[{second}]", f"({first})['{dice.one(*NAMES)}']",
        f"({first})[{second}:]", f"({first})({dice.one(*CALLS)})", f"({first}).{dice.one(*NAMES)}({dice.one(*CALLS)})",
        f"(-{first})", f"widget[{dice.one(*NAMES)!r}]", f"widget({second})", f"greet({second})",
    )  # fmt: skip
    return str(dice.one(*(odd if dice.often(0.2) else usual)))


def fill(piece: str, dice: Dice) -> str:
    given = {"A": make_expression(dice), "B": make_expression(dice, 1)}
    return re.sub(r"\b[AB]\b", lambda found: given[found[0]], piece)


def make_template(dice: Dice) -> str:
    """Return the source of a template, which need not be one."""
    source = "".join(fill(dice.one(*PIECES), dice) for _ in range(1 + dice.randrange(3)))
    if dice.often(0.15):
        inner = source.replace("block c", "block d")
        source = "{% extends 'base' %}{% block a %}{{ super() }}" + inner + "{% endblock %}"
    if dice.often(0.05):
        at = dice.randrange(len(source))
        source = source[:at] + dice.one("%}", "{{", "'", "", "|", "-%}", "{#") + source[at + 1 :]
    return source


class Widget:
    """Is HTML by itself, has an attribute and an item of the same name, and may be called."""

    a = "attribute <"

    def __html__(self) -> str:
        return "<w>"

    def __repr__(self) -> str:
        return "widget <"

    def __getitem__(self, key: Any) -> Any:
        return {"a": "item", "b": "<b>"}[key]

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        return f"{args}{kwargs}"


def values() -> dict[str, Any]:
    return {
        "text": "<b>", "markup": Markup("<i>&amp;</i>"), "numbers": [1, 2, 3], "mapping": {"a": 1, "b": "<"},
        "users": [{"name": "x", "age": 1}, {"name": "<y>", "age": 1}], "widget": Widget(),
    }  # fmt: skip


@jinja2.pass_eval_context
def greet(context: Any, value: Any, name: str) -> str:
    return f"{context.autoescape} {value} {name}"


@cache
def environments(escape: bool) -> tuple[jinja2.Environment, Environment]:
    """Return one of Jinja2's own, and an application's."""

    class Site(Flask):
        def select_jinja_autoescape(self, filename: str | None) -> bool:
            return escape

    site = Site("site", root_path="/")
    stock = jinja2.Environment(autoescape=lambda name: escape)
    stock.policies["json.dumps_function"] = site.json.dumps
    assert isinstance(site.jinja_env, Environment)
    for environment in (stock, site.jinja_env):
        environment.filters.update(shout=lambda value: f"{value}!", greet=greet)
        environment.tests["loud"] = lambda value: str(value).isupper()
        environment.globals.update(environment_name="a <global>", greet=greet)
    return stock, site.jinja_env


def text_or_error(render: Callable[[], str]) -> Any:
    """Return a text, or an exception's class and text."""
    try:
        return render()
    except Exception as error:
        return type(error), str(error)


def same(first: Any, second: Any, source: str) -> None:
    """Compare two results; where an object shows its address, filters may have made anything of it."""
    if first != second:
        plain = re.sub(r"[^a-z0-9]", "", html.unescape(html.unescape(str(first))).lower())
        if "|sort" in source or "0x" in plain or "x0" in plain:
            first, second = type(first), type(second)
        elif "{% for" in source:
            # Or a loop went through it, character by character.
            first, second = (re.sub("[0-9a-fA-F]", "", str(result)) for result in (first, second))
    assert first == second


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@examples(0.1)
@given(dice())
def test_random_templates_are_rendered_as_jinja_renders_them(dice: Dice) -> None:
    source, (stock, ours) = make_template(dice), environments(dice.often(0.5))
    files = jinja2.DictLoader({**FILES, "page": source})
    for environment in (stock, ours):
        environment.loader = files
        assert environment.cache is not None
        environment.cache.clear()
    expected = text_or_error(lambda: stock.from_string(source).render(values()))
    # The second time it is one that was kept.
    for _ in range(2):
        same(expected, text_or_error(lambda: ours.from_source(source).render(values())), source)
    if dice.often(0.3):
        ways = (lambda page: page.render(values()), lambda page: "".join(page.generate(values())))
        render: Callable[[Any], str] = dice.one(*ways)
        first, second = (text_or_error(lambda: render(it.get_template("page"))) for it in (stock, ours))  # noqa: B023
        same(first, second, source)
