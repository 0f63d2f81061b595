"""Functions around a request: which ones are called when registries, rules and methods change in the meantime."""

import pytest
from werkzeug.routing import Rule as WerkzeugRule

from microflask import Blueprint, Flask, has_request_context, request
from microflask.rules import Rule

MODES = ("documented", "0.10", "3.1")


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


def make(mode):
    return Flask("microflask_tests", root_path="/", compat=mode)


# -- what is registered may change while a request is under way


def registering(app, kind, later):
    """Return a function for a registry of the application that once puts `later` behind itself there."""
    registry = getattr(app, f"{kind}_request_funcs")
    done = []

    def first(value=None):
        if not done:
            done.append(True)
            registry[None].append(later)
        return value if kind == "after" else None

    return first


@pytest.mark.parametrize("looks", [False, True])
@pytest.mark.parametrize(("kind", "at_once"), [("before", True), ("after", False), ("teardown", False)])
def test_function_that_registers_another_one(mode, kind, at_once, looks):
    """What comes after it in its list is called in the same request; the other lists are gone through backwards."""
    app, calls = make(mode), []
    app.add_url_rule("/", "view", lambda: request.path if looks else "text")
    if looks:
        app.url_value_preprocessor(lambda endpoint, values: None)

    def later(value=None):
        calls.append(kind)
        return value if kind == "after" else None

    getattr(app, f"{kind}_request")(registering(app, kind, later))
    client = app.test_client()
    client.get("/")
    assert calls == [kind] * at_once
    client.get("/")
    assert calls == [kind] * (1 + at_once)


@pytest.mark.parametrize("kind", ["after", "teardown"])
def test_function_that_registers_itself_each_time_comes_to_an_end(mode, kind):
    app, calls = make(mode), []
    app.add_url_rule("/", "view", lambda: "text")
    registry = getattr(app, f"{kind}_request_funcs")

    def again(value):
        calls.append(kind)
        assert len(calls) < 10
        registry[None].append(again)
        return value

    registry[None].append(again)
    client = app.test_client()
    for count in (1, 3, 7):
        assert client.get("/").status_code == 200
        assert len(calls) == count


@pytest.mark.parametrize("looks", [False, True])
def test_function_that_removes_itself(mode, looks):
    app, calls = make(mode), []
    app.add_url_rule("/", "view", lambda: "text")

    def once():
        calls.append(request.path if looks else "/")
        app.before_request_funcs[None].remove(once)

    app.before_request(once)
    client = app.test_client()
    assert [client.get("/").text, client.get("/").text, calls] == ["text", "text", ["/"]]


def test_functions_of_a_blueprint_and_of_the_application_may_register_for_each_other(mode):
    app, calls = make(mode), []
    blueprint = Blueprint("b", "b")
    blueprint.add_url_rule("/", "view", lambda: "text")
    app.register_blueprint(blueprint)

    def before():
        app.before_request_funcs["b"] = [lambda: calls.append("before in b")]

    def after(response):
        app.after_request_funcs[None] = [lambda response: calls.append("after all") or response]
        return response

    app.before_request(before)
    app.after_request_funcs["b"] = [after]
    app.test_client().get("/")
    assert calls == ["before in b", "after all"]


@pytest.mark.parametrize("kind", [list, tuple])
def test_registries_may_be_plain_dictionaries(mode, kind):
    app, calls = make(mode), []
    app.add_url_rule("/", "view", lambda: "text")
    blueprint = Blueprint("b", "b")
    blueprint.add_url_rule("/b", "view", lambda: "text")
    app.register_blueprint(blueprint)

    def note(text):
        return lambda *args: calls.append(text) or (args[0] if text.startswith("after") else None)

    for name in ("before", "after", "teardown"):
        functions = {None: kind((note(f"{name} 1"), note(f"{name} 2"))), "b": kind((note(f"{name} b"),))}
        setattr(app, f"{name}_request_funcs", functions)
    client = app.test_client()
    client.get("/")
    own = [["before 1", "before 2"], ["after 2", "after 1"], ["teardown 2", "teardown 1"]]
    assert calls == [*own[0], *own[1], *own[2]]
    calls.clear()
    client.get("/b")
    assert calls == [*own[0], "before b", "after b", *own[1], "teardown b", *own[2]]


# -- to whom a request belongs


def make_guarded(mode):
    """Return an application with a view of its own and one of a blueprint, and what was called."""
    app, calls = make(mode), []
    app.add_url_rule("/", "own", lambda: "own")
    blueprint = Blueprint("b", "b")
    blueprint.add_url_rule("/b", "view", lambda: "of b")
    blueprint.before_request(lambda: calls.append("before"))
    blueprint.after_request(lambda response: calls.append("after") or response)
    blueprint.teardown_request(lambda error: calls.append("teardown"))
    app.register_blueprint(blueprint)
    return app, calls


def rule_of(app, endpoint):
    return next(rule for rule in app.url_map.iter_rules() if rule.endpoint == endpoint)


@pytest.mark.parametrize(
    ("register", "called"),
    [
        ("url_value_preprocessor", ["after", "teardown"]), ("before_request", ["after", "teardown"]),
        ("after_request", ["teardown"]),
    ],
)  # fmt: skip
def test_rule_that_a_function_puts_in_the_request_counts_for_the_next_steps(mode, register, called):
    app, calls = make_guarded(mode)

    def replace(*args):
        request.url_rule = rule_of(app, "b.view")
        return args[0] if register == "after_request" else None

    getattr(app, register)(replace)
    answer = app.test_client().get("/").text
    assert answer == ("own" if register == "after_request" else "of b")
    assert calls == called


@pytest.mark.parametrize("warm", [False, True])
def test_endpoint_of_a_rule_may_be_changed(mode, warm):
    app, calls = make_guarded(mode)
    client = app.test_client()
    if warm:
        assert client.get("/").text == "own" and calls == []
    rule = rule_of(app, "own")
    rule.endpoint = "b.view"
    assert client.get("/").text == "of b"
    assert calls == ["before", "after", "teardown"]
    rule.endpoint = "own"
    assert client.get("/").text == "own" and len(calls) == 3


class ScopedRule(Rule):
    """A rule that says which rights its view asks for."""

    def __init__(self, *args, scopes=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.scopes = scopes


@pytest.mark.parametrize("kind", [ScopedRule, WerkzeugRule])
def test_rules_of_another_class_belong_to_their_blueprints(mode, kind):
    app, calls = make(mode), []
    app.url_rule_class = kind
    options = {"scopes": ["read"]} if kind is ScopedRule else {}
    app.before_request(lambda: calls.append("application"))
    blueprint = Blueprint("b", "b")
    blueprint.before_request(lambda: calls.append("blueprint"))
    blueprint.add_url_rule("/b", "view", lambda: "text", **options)
    app.register_blueprint(blueprint)
    app.add_url_rule("/", "view", lambda: "text", **options)
    client = app.test_client()
    assert client.get("/").text == client.get("/b").text == "text"
    assert calls == ["application", "application", "blueprint"]


def test_endpoint_need_not_be_text(mode):
    app, calls = make(mode), []
    app.add_url_rule("/", ("shop", "index"), lambda: "text")
    app.before_request(lambda: calls.append("before"))
    app.after_request(lambda response: calls.append("after") or response)
    app.teardown_request(lambda error: calls.append("teardown"))
    assert app.test_client().get("/").text == "text"
    assert calls == ["before", "after", "teardown"]


# -- ends that are taken over


@pytest.mark.parametrize("on_instance", [False, True])
@pytest.mark.parametrize("name", ["do_teardown_request", "do_teardown_appcontext"])
def test_teardown_that_is_taken_over_is_called_with_nothing_to_do(mode, name, on_instance):
    ends = []

    def end(*args):
        ends.append(has_request_context())

    if on_instance:
        app = make(mode)
        setattr(app, name, end)
    else:
        kind = type("Mine", (Flask,), {name: end})
        app = kind("microflask_tests", root_path="/", compat=mode)
    app.add_url_rule("/", "view", lambda: "text")
    assert app.test_client().get("/").text == "text"
    assert ends == [name == "do_teardown_request"]
