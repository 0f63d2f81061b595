"""Blueprints: what they collect, and what of it an application gets when they are registered."""

import pytest

from microflask import Blueprint, Flask, abort, current_app, g, request, url_for
from microflask.blueprints import BlueprintSetupState

MODES = ("documented", "0.10", "3.1")
STRICT = ("documented", "3.1")


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


def make(mode="documented", **options):
    app = Flask("microflask_tests", root_path="/", compat=mode, **options)
    app.config["TESTING"] = True
    return app


def where():
    """The view of most tests tells how it was reached."""
    return f"{request.endpoint} {request.path}"


def make_blueprint(name="bp", rule="/", **options):
    blueprint = Blueprint(name, "microflask_tests", root_path="/", **options)
    blueprint.add_url_rule(rule, "view", where)
    return blueprint


def ask(app, path="/", **options):
    return app.test_client().get(path, **options).get_data(as_text=True)


# -- registration and names


def test_endpoints_are_prefixed_with_the_name(mode):
    app, blueprint = make(mode), make_blueprint()
    app.register_blueprint(blueprint)
    assert ask(app) == "bp.view /"
    assert app.blueprints == {"bp": blueprint}
    assert app.view_functions["bp.view"] is where
    with app.test_request_context():
        assert url_for("bp.view") == "/"
    assert "bp" in repr(blueprint)


def test_blueprints_are_listed_in_order_of_their_registration():
    app = make()
    blueprints = [make_blueprint(name, f"/{name}") for name in ("z", "a", "m")]
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    assert list(app.iter_blueprints()) == blueprints


def test_blueprint_needs_a_name():
    with pytest.raises(ValueError, match="name"):
        Blueprint("", "microflask_tests")


def test_request_knows_its_blueprint(mode):
    app, outer = make(mode), make_blueprint("outer", "/outer")
    outer.register_blueprint(make_blueprint("inner"), url_prefix="/inner")
    app.register_blueprint(outer)
    app.add_url_rule("/", "view", where)
    found = {}
    app.before_request(lambda: found.update({request.path: (request.blueprint, request.blueprints)}))
    for path in ("/", "/outer", "/inner/", "/missing"):
        app.test_client().get(path)
    assert found == {
        "/": (None, []),
        "/outer": ("outer", ["outer"]),
        "/inner/": ("outer.inner", ["outer.inner", "outer"]),
        "/missing": (None, []),
    }


@pytest.mark.parametrize("mode", STRICT)
def test_name_may_not_have_a_dot(mode):
    for kind in (ValueError, AssertionError):
        with pytest.raises(kind, match="dot"):
            make(mode).register_blueprint(make_blueprint("a.b"))


def test_name_may_have_a_dot_in_0_10():
    app = make("0.10")
    app.register_blueprint(make_blueprint("a.b"))
    assert ask(app) == "a.b.view /"


@pytest.mark.parametrize("kind", [ValueError, AssertionError])
def test_endpoint_and_name_of_a_view_may_not_have_a_dot(kind):
    def view():
        return ""

    blueprint = make_blueprint()
    with pytest.raises(kind, match=r"a\.b.*dot"):
        blueprint.add_url_rule("/x", "a.b", view)
    view.__name__ = "c.d"
    with pytest.raises(kind, match=r"c\.d.*dot"):
        blueprint.route("/x")(view)


def test_view_in_the_place_of_the_endpoint_is_explained():
    with pytest.raises(TypeError, match="view_func=where"):
        make_blueprint().add_url_rule("/x", where)


def test_name_is_taken_by_another_blueprint(mode):
    app = make(mode)
    app.register_blueprint(make_blueprint())
    other = make_blueprint(rule="/other")
    for kind in (ValueError, AssertionError):
        with pytest.raises(kind, match=r"'bp'.*name='"):
            app.register_blueprint(other)
    app.register_blueprint(other, name="second")
    assert ask(app, "/other") == "second.view /other"


@pytest.mark.parametrize("mode", STRICT)
def test_second_registration_needs_a_name_of_its_own(mode):
    app, blueprint = make(mode), make_blueprint()
    app.register_blueprint(blueprint, url_prefix="/a")
    with pytest.raises(ValueError, match="name='"):
        app.register_blueprint(blueprint, url_prefix="/b")
    app.register_blueprint(blueprint, url_prefix="/b", name="second")
    app.register_blueprint(blueprint, url_prefix="/c", name="with.dots")
    assert list(app.blueprints.values()) == [blueprint] * 3
    for path, endpoint in (("/a/", "bp.view"), ("/b/", "second.view"), ("/c/", "with.dots.view")):
        assert ask(app, path) == f"{endpoint} {path}"


def test_second_registration_under_one_name_in_0_10():
    app, blueprint = make("0.10"), make_blueprint()
    hooks = []
    blueprint.before_request(lambda: hooks.append(request.path))
    app.register_blueprint(blueprint, url_prefix="/a")
    app.register_blueprint(blueprint, url_prefix="/b")
    assert [ask(app, path) for path in ("/a/", "/b/")] == ["bp.view /a/", "bp.view /b/"]
    assert hooks == ["/a/", "/b/"]


def test_hooks_and_handlers_belong_to_every_name(mode):
    app, blueprint, log = make(mode), make_blueprint(), []
    blueprint.before_request(lambda: log.append(request.blueprint))
    blueprint.errorhandler(403)(lambda error: f"handled for {request.blueprint}")
    blueprint.add_url_rule("/403", "403", lambda: abort(403))
    app.register_blueprint(blueprint, url_prefix="/a")
    app.register_blueprint(blueprint, url_prefix="/b", name="second")
    assert [ask(app, f"/{name}/403") for name in "ab"] == ["handled for bp", "handled for second"]
    assert log == ["bp", "second"]


def test_blueprint_serves_several_applications():
    blueprint, log = make_blueprint(), []
    blueprint.before_request(lambda: log.append(request.endpoint))
    for mode in MODES:
        app = make(mode)
        app.register_blueprint(blueprint, url_prefix=f"/{mode}")
        assert ask(app, f"/{mode}/") == f"bp.view /{mode}/"
    assert log == ["bp.view"] * 3


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch"])
def test_short_cut_for_one_method(method):
    app, blueprint = make(), Blueprint("bp", "microflask_tests")
    getattr(blueprint, method)("/")(where)
    app.register_blueprint(blueprint)
    assert getattr(app.test_client(), method)("/").text == "bp.where /"


def change(blueprint):
    return [
        lambda: blueprint.add_url_rule("/late", "late", where),
        lambda: blueprint.route("/late")(where),
        lambda: blueprint.before_request(lambda: "late"),
        lambda: blueprint.after_request(lambda response: response),
        lambda: blueprint.teardown_request(lambda error: None),
        lambda: blueprint.errorhandler(404)(where),
        lambda: blueprint.before_app_request(lambda: "late"),
        lambda: blueprint.app_errorhandler(404)(where),
        lambda: blueprint.record(lambda state: 1 / 0),
        lambda: blueprint.record_once(lambda state: 1 / 0),
        lambda: blueprint.endpoint(".late")(where),
        lambda: blueprint.add_app_template_filter(str, "late"),
        lambda: blueprint.register_blueprint(make_blueprint("inner")),
    ]


@pytest.mark.parametrize("number", range(13))
def test_change_after_the_registration(mode, number):
    app, blueprint = make(mode), make_blueprint()
    app.register_blueprint(blueprint)
    late = change(blueprint)[number]
    if mode == "0.10":
        late()
    else:
        with pytest.raises(AssertionError, match=r"'bp' after it was registered"):
            late()
    assert ask(app) == "bp.view /"
    assert app.test_client().get("/late").status_code == 404


# -- what the recorded functions get


def test_recorded_function_gets_the_state(mode):
    app, blueprint, states = make(mode), Blueprint("bp", "microflask_tests", url_defaults={"a": 1}), []
    blueprint.record(states.append)
    app.register_blueprint(blueprint, url_prefix="/x", subdomain="sub", url_defaults={"b": 2}, flavour="salty")
    (state,) = states
    assert isinstance(state, BlueprintSetupState)
    assert state.app is app and state.blueprint is blueprint
    assert (state.url_prefix, state.subdomain, state.url_defaults) == ("/x", "sub", {"a": 1, "b": 2})
    assert state.first_registration is True
    assert state.options["flavour"] == "salty"


def test_state_falls_back_on_the_blueprint():
    app, states = make(), []
    blueprint = Blueprint("bp", "microflask_tests", url_prefix="/own", subdomain="own")
    blueprint.record(states.append)
    app.register_blueprint(blueprint)
    app.register_blueprint(blueprint, name="second", url_prefix=None, subdomain=None)
    assert [(state.url_prefix, state.subdomain) for state in states] == [("/own", "own")] * 2


def test_functions_recorded_once_run_once_for_each_application(mode):
    app, other, blueprint, log = make(mode), make(mode), make_blueprint(), []

    def each_time(state):
        log.append(("each time", state.name))

    def once(state):
        log.append(("once", state.name, state.first_registration))

    blueprint.record(each_time)
    blueprint.record_once(once)
    app.register_blueprint(blueprint)
    app.register_blueprint(blueprint, name="second", url_prefix="/second")
    other.register_blueprint(blueprint)
    assert log == [
        ("each time", "bp"), ("once", "bp", True), ("each time", "second"), ("each time", "bp"), ("once", "bp", True),
    ]  # fmt: skip


def test_state_may_be_of_a_class_of_ones_own():
    class Shouting(BlueprintSetupState):
        def add_url_rule(self, rule, endpoint=None, view_func=None, **options):
            super().add_url_rule(rule.upper(), endpoint, view_func, **options)

    class Mine(Blueprint):
        def make_setup_state(self, app, options, first_registration=False):
            return Shouting(self, app, options, first_registration)

    app, blueprint = make(), Mine("bp", "microflask_tests")
    blueprint.add_url_rule("/quiet", "view", where)
    app.register_blueprint(blueprint)
    assert ask(app, "/QUIET") == "bp.view /QUIET"


def test_state_adds_rules_under_the_name_of_the_blueprint():
    app, blueprint = make(), make_blueprint(url_prefix="/bp")
    blueprint.record(lambda state: state.add_url_rule("/added", view_func=where, defaults={}))
    app.register_blueprint(blueprint)
    assert ask(app, "/bp/added") == "bp.where /bp/added"


def two_arguments(log):
    class Mine(Blueprint):
        def register(self, app, options):
            log.append(options)
            super().register(app, options)

    return Mine


def three_arguments(log):
    class Mine(Blueprint):
        def register(self, app, options, first_registration=False):
            log.append(options)
            super().register(app, options, first_registration)

    return Mine


@pytest.mark.parametrize("make_class", [two_arguments, three_arguments])
def test_registration_may_be_overridden(mode, make_class):
    log, once = [], []
    app, blueprint = make(mode), make_class(log)("bp", "microflask_tests")
    blueprint.add_url_rule("/", "view", where)
    blueprint.record_once(once.append)
    app.register_blueprint(blueprint, url_prefix="/a", flavour="salty")
    app.register_blueprint(blueprint, url_prefix="/b", name="second")
    assert log[0] == {"url_prefix": "/a", "flavour": "salty"}
    assert [ask(app, path) for path in ("/a/", "/b/")] == ["bp.view /a/", "second.view /b/"]
    assert len(once) == 1


# -- prefixes, defaults, subdomains


@pytest.mark.parametrize(
    ("prefix", "rule", "path"),
    [
        (None, "/", "/"),
        (None, "/a", "/a"),
        ("/p", "/", "/p/"),
        ("/p", "/a", "/p/a"),
        ("/p/", "/a", "/p/a"),
        ("/p/", "a", "/p/a"),
        ("/p", "", "/p"),
        ("/p/", "", "/p/"),
        ("/", "/a", "/a"),
        ("/", "/", "/"),
        ("", "/a", "/a"),
        ("/<int:number>", "/a", "/3/a"),
    ],
)
def test_prefix_stands_in_front_of_the_rules(mode, prefix, rule, path):
    app, blueprint = make(mode), Blueprint("bp", "microflask_tests", url_prefix=prefix)
    blueprint.add_url_rule(rule, "view", lambda **values: where())
    app.register_blueprint(blueprint)
    assert ask(app, path) == f"bp.view {path}"
    given = make(mode)
    given.register_blueprint(Blueprint("other", "microflask_tests"))
    plain = Blueprint("bp", "microflask_tests", url_prefix="/never")
    plain.add_url_rule(rule, "view", lambda **values: where())
    if prefix is not None:
        given.register_blueprint(plain, url_prefix=prefix)
        assert ask(given, path) == f"bp.view {path}"


def test_variable_in_the_prefix_reaches_the_view():
    app, blueprint = make(), Blueprint("user", "microflask_tests", url_prefix="/<name>")

    @blueprint.url_value_preprocessor
    def pull(endpoint, values):
        g.name = values.pop("name")

    @blueprint.url_defaults
    def push(endpoint, values):
        values.setdefault("name", g.name)

    @blueprint.route("/")
    def start():
        return f"{g.name} {url_for('.start')} {url_for('user.start', name='other')}"

    app.register_blueprint(blueprint)
    assert ask(app, "/peter/") == "peter /peter/ /other/"


def test_defaults_of_blueprint_registration_and_rule():
    app = make()
    blueprint = Blueprint("bp", "microflask_tests", url_defaults=dict.fromkeys("abc", "blueprint"))
    blueprint.add_url_rule("/", "view", lambda a, b, c: f"{a} {b} {c}", defaults={"c": "rule"})
    app.register_blueprint(blueprint, url_defaults={"b": "registration"})
    assert ask(app) == "blueprint registration rule"


@pytest.mark.parametrize(("mode", "matching"), [("documented", True), ("3.1", True), ("0.10", False)])
def test_subdomain_of_a_blueprint(mode, matching):
    app = make(mode, subdomain_matching=matching)
    app.config["SERVER_NAME"] = "shop.test"
    app.register_blueprint(make_blueprint("own", subdomain="own"))
    app.register_blueprint(make_blueprint("given", subdomain="never"), subdomain="given")
    app.add_url_rule("/", "view", where)
    assert ask(app, base_url="http://own.shop.test") == "own.view /"
    assert ask(app, base_url="http://given.shop.test") == "given.view /"
    assert ask(app, base_url="http://shop.test") == "view /"
    assert app.test_client().get("/", base_url="http://never.shop.test").status_code == 404
    with app.test_request_context():
        assert url_for("own.view") == "http://own.shop.test/"


def test_subdomains_of_nested_blueprints_are_put_together():
    app = make(subdomain_matching=True)
    app.config["SERVER_NAME"] = "shop.test"
    outer = make_blueprint("outer", subdomain="outer")
    outer.register_blueprint(make_blueprint("inner", subdomain="inner"))
    outer.register_blueprint(make_blueprint("given", subdomain="never"), subdomain="given")
    outer.register_blueprint(make_blueprint("plain", "/plain"))
    app.register_blueprint(outer)
    for host, path, endpoint in (
        ("outer", "/", "outer.view"),
        ("inner.outer", "/", "outer.inner.view"),
        ("given.outer", "/", "outer.given.view"),
        ("outer", "/plain", "outer.plain.view"),
    ):
        assert ask(app, path, base_url=f"http://{host}.shop.test") == f"{endpoint} {path}"


# -- endpoints


def test_endpoint_with_a_dot_in_front_belongs_to_the_blueprint(mode):
    app, blueprint = make(mode), Blueprint("bp", "microflask_tests")
    blueprint.add_url_rule("/own", "own")
    blueprint.endpoint(".own")(where)
    blueprint.endpoint("free")(where)
    app.add_url_rule("/free", "free")
    app.register_blueprint(blueprint)
    app.register_blueprint(blueprint, name="second", url_prefix="/second")
    assert [ask(app, path) for path in ("/own", "/second/own", "/free")] == [
        "bp.own /own", "second.own /second/own", "free /free",
    ]  # fmt: skip


def test_endpoint_of_a_nested_blueprint():
    app, outer, inner = make(), Blueprint("outer", "microflask_tests"), Blueprint("inner", "microflask_tests")
    inner.add_url_rule("/", "own")
    inner.endpoint(".own")(where)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    assert ask(app) == "outer.inner.own /"


def test_urls_are_built_relative_to_the_blueprint(mode):
    app = make(mode)
    outer, inner = Blueprint("outer", "microflask_tests"), Blueprint("inner", "microflask_tests")
    for blueprint in (outer, inner):
        blueprint.add_url_rule(f"/{blueprint.name}", "here", lambda: url_for(".there"))
        blueprint.add_url_rule(f"/{blueprint.name}/there", "there", where)
    outer.register_blueprint(inner, url_prefix="/in")
    app.register_blueprint(outer, url_prefix="/out")
    assert ask(app, "/out/outer") == "/out/outer/there"
    assert ask(app, "/out/in/inner") == "/out/in/inner/there"


# -- hooks


def test_hooks_of_a_blueprint_are_for_its_own_requests(mode):
    app, blueprint, log = make(mode), make_blueprint(rule="/bp"), []
    blueprint.url_value_preprocessor(lambda endpoint, values: log.append("values"))
    blueprint.before_request(lambda: log.append("before"))
    blueprint.after_request(lambda response: log.append("after") or response)
    blueprint.teardown_request(lambda error: log.append("teardown"))
    blueprint.context_processor(lambda: {"name": "blueprint"})

    def variable():
        context = {}
        current_app.update_template_context(context)
        return context.get("name", "")

    blueprint.add_url_rule("/template", "template", variable)
    app.add_url_rule("/template/app", "template", variable)
    app.register_blueprint(blueprint)
    for path in ("/", "/missing", "/template/app"):
        ask(app, path)
    assert log == []
    assert ask(app, "/bp") == "bp.view /bp"
    assert log == ["values", "before", "after", "teardown"]
    assert (ask(app, "/template"), ask(app, "/template/app")) == ("blueprint", "")


def test_hooks_for_the_whole_application(mode):
    app, blueprint, log = make(mode), make_blueprint(rule="/bp"), []
    for register in (
        lambda: blueprint.before_app_first_request(lambda: log.append("first")),
        lambda: blueprint.app_url_value_preprocessor(lambda endpoint, values: log.append("values")),
        lambda: blueprint.before_app_request(lambda: log.append("before")),
        lambda: blueprint.after_app_request(lambda response: log.append("after") or response),
        lambda: blueprint.teardown_app_request(lambda error: log.append("teardown")),
    ):
        assert callable(register())
    app.register_blueprint(blueprint)
    app.register_blueprint(blueprint, name="second", url_prefix="/second")
    app.test_client().get("/missing")
    assert log == ["first", "values", "before", "after", "teardown"]
    app.test_client().get("/bp")
    assert log[5:] == ["values", "before", "after", "teardown"]


def test_url_defaults_for_the_whole_application():
    app, blueprint = make(), make_blueprint()
    blueprint.app_url_defaults(lambda endpoint, values: values.setdefault("language", "de"))
    app.register_blueprint(blueprint)
    app.add_url_rule("/<language>/", "page", lambda language: language)
    with app.test_request_context():
        assert url_for("page") == "/de/"


def test_error_handler_for_the_whole_application(mode):
    app, blueprint = make(mode), make_blueprint()

    @blueprint.app_errorhandler(404)
    def missing(error):
        return "not here", 404

    assert missing.__name__ == "missing"
    app.register_blueprint(blueprint)
    assert ask(app, "/missing") == "not here"


# -- blueprints inside of blueprints


def test_nested_names_and_prefixes_are_put_together(mode):
    app = make(mode)
    outer, middle, inner = (make_blueprint(name, url_prefix=f"/{name}") for name in ("outer", "middle", "inner"))
    middle.register_blueprint(inner)
    outer.register_blueprint(middle, url_prefix="/given/", name="renamed")
    outer.register_blueprint(inner, url_prefix=None, name="again")
    app.register_blueprint(outer)
    assert list(app.blueprints) == ["outer", "outer.renamed", "outer.renamed.inner", "outer.again"]
    for path, endpoint in (
        ("/outer/", "outer.view"),
        ("/outer/given/", "outer.renamed.view"),
        ("/outer/given/inner/", "outer.renamed.inner.view"),
        ("/outer/inner/", "outer.again.view"),
    ):
        assert ask(app, path) == f"{endpoint} {path}"


def test_blueprint_nested_below_two_others(mode):
    app, inner, log = make(mode), make_blueprint("inner"), []
    inner.before_request(lambda: log.append(request.blueprint))
    for name in ("a", "b"):
        outer = make_blueprint(name, url_prefix=f"/{name}")
        outer.register_blueprint(inner, url_prefix="/inner")
        app.register_blueprint(outer)
    assert [ask(app, f"/{name}/inner/") for name in "ab"] == ["a.inner.view /a/inner/", "b.inner.view /b/inner/"]
    assert log == ["a.inner", "b.inner"]


def test_blueprint_cannot_be_nested_in_itself():
    blueprint = make_blueprint()
    with pytest.raises(ValueError, match="below itself"):
        blueprint.register_blueprint(blueprint)


@pytest.mark.parametrize("mode", STRICT)
def test_nested_names_are_unique(mode):
    app, outer = make(mode), make_blueprint("outer")
    outer.register_blueprint(make_blueprint("inner", "/1"))
    outer.register_blueprint(make_blueprint("inner", "/2"))
    with pytest.raises(ValueError, match=r"outer\.inner"):
        app.register_blueprint(outer)
