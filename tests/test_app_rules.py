"""URL rules and views of an application, and when it can be set up."""

import os

import pytest
from werkzeug.routing import BaseConverter, Map, Rule

from microflask import Flask, Module, current_app, g, request, url_for

MODES = ("documented", "0.10", "3.1")


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


def make(mode="documented", **options):
    app = Flask("microflask_tests", root_path=os.path.dirname(__file__), compat=mode, **options)
    app.config["TESTING"] = True
    return app


# -- rules and views


def index():
    return f"index {request.method}"


def test_rule_with_endpoint_and_view_in_one_call(mode):
    app = make(mode)
    app.add_url_rule("/", "start", index)
    assert app.view_functions["start"] is index
    assert app.test_client().get("/").text == "index GET"


def test_view_connected_later_through_view_functions(mode):
    app = make(mode)
    app.add_url_rule("/", "index")
    app.view_functions["index"] = index
    assert app.test_client().get("/").text == "index GET"


def test_view_connected_by_endpoint_decorator(mode):
    app = make(mode)
    app.url_map.add(Rule("/", endpoint="example.endpoint"))

    @app.endpoint("example.endpoint")
    def example():
        return "example"

    assert app.view_functions["example.endpoint"] is example
    assert app.test_client().get("/").text == "example"


def test_endpoint_is_the_name_of_the_view():
    app = make()
    assert app.route("/")(index) is index
    assert list(app.view_functions) == ["static", "index"]
    with app.test_request_context():
        assert url_for("index") == "/"


def test_rule_listens_for_get_head_and_options(mode):
    app = make(mode)
    app.add_url_rule("/", view_func=index)
    client = app.test_client()
    assert next(app.url_map.iter_rules("index")).methods == {"GET", "HEAD", "OPTIONS"}
    head = client.head("/")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len("index HEAD"))
    answer = client.options("/")
    assert (answer.status_code, answer.data) == (200, b"")
    assert set(answer.allow) == {"GET", "HEAD", "OPTIONS"}
    refused = client.post("/")
    assert refused.status_code == 405
    assert set(refused.allow) == {"GET", "HEAD", "OPTIONS"}


def test_options_lists_the_methods_of_all_rules_of_the_url():
    app = make()
    app.add_url_rule("/", "read", index)
    app.add_url_rule("/", "write", index, methods=["PUT"])
    assert set(app.test_client().options("/").allow) == {"GET", "HEAD", "OPTIONS", "PUT"}


def test_methods_attribute_of_the_view_counts_unless_methods_are_given(mode):
    def view():
        return request.method

    view.methods = ["post", "DELETE"]
    app = make(mode)
    app.add_url_rule("/a", "a", view)
    app.add_url_rule("/b", "b", view, methods=["PUT"])
    assert next(app.url_map.iter_rules("a")).methods == {"POST", "DELETE", "OPTIONS"}
    assert next(app.url_map.iter_rules("b")).methods == {"PUT", "OPTIONS"}
    assert app.test_client().post("/a").text == "POST"


def test_required_methods_are_always_added(mode):
    def view():
        return request.method

    view.required_methods = ["PUT", "TRACE"]
    app = make(mode)
    app.add_url_rule("/", view_func=view, methods=["POST"])
    assert next(app.url_map.iter_rules("view")).methods == {"POST", "PUT", "TRACE", "OPTIONS"}


def test_view_that_answers_options_itself(mode):
    def view():
        return f"own {request.method}"

    view.provide_automatic_options = False
    view.methods = ["GET", "OPTIONS"]
    app = make(mode)
    app.add_url_rule("/", view_func=view)
    assert app.test_client().options("/").text == "own OPTIONS"


def test_view_without_options(mode):
    def view():
        return "here"

    view.provide_automatic_options = False
    app = make(mode)
    app.add_url_rule("/", view_func=view)
    answer = app.test_client().options("/")
    assert answer.status_code == 405
    assert set(answer.allow) == {"GET", "HEAD"}


def test_automatic_options_forced_by_the_view():
    def view():
        raise AssertionError("it is answered for the view")

    view.provide_automatic_options = True
    app = make()
    app.add_url_rule("/", view_func=view, methods=["GET", "OPTIONS"])
    assert app.test_client().options("/").status_code == 200


def test_automatic_options_are_switched_off_by_argument_and_configuration():
    app = make()
    app.add_url_rule("/a", "a", index, provide_automatic_options=False)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.add_url_rule("/b", "b", index)
    app.add_url_rule("/c", "c", index, provide_automatic_options=True)
    client = app.test_client()
    assert [client.options(path).status_code for path in ("/a", "/b", "/c")] == [405, 405, 200]


def test_no_methods_are_not_the_default_methods(mode):
    app = make(mode)
    app.add_url_rule("/", view_func=index, methods=[])
    assert next(app.url_map.iter_rules("index")).methods == {"OPTIONS"}


def test_methods_given_as_text_are_refused(mode):
    with pytest.raises(TypeError, match=r"methods=\['GET'\]"):
        make(mode).add_url_rule("/", view_func=index, methods="GET")


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch"])
def test_short_cut_for_one_method(method):
    app = make()
    getattr(app, method)("/")(index)
    with pytest.raises(TypeError, match="route"):
        getattr(app, method)("/other", methods=["GET"])
    client = app.test_client()
    assert getattr(client, method)("/").text == f"index {method.upper()}"
    assert client.open("/", method="TRACE").status_code == 405


def test_endpoint_cannot_get_a_second_view(mode):
    app = make(mode)
    app.add_url_rule("/", "index", index)
    app.add_url_rule("/again", "index", index)
    with pytest.raises(AssertionError, match="index"):
        app.add_url_rule("/other", "index", lambda: "other")
    assert app.test_client().get("/again").text == "index GET"
    assert app.test_client().get("/other").status_code == 404


def test_rule_without_view_and_endpoint_is_refused(mode):
    with pytest.raises(AssertionError, match="endpoint"):
        make(mode).add_url_rule("/")


def test_nameless_view_needs_an_endpoint():
    class View:
        def __call__(self):
            return "called"

    app = make()
    with pytest.raises(AttributeError, match="endpoint"):
        app.add_url_rule("/", view_func=View())
    app.add_url_rule("/", "nameless", View())
    assert app.test_client().get("/").text == "called"


def test_view_in_the_place_of_the_endpoint_is_explained():
    with pytest.raises(TypeError, match="view_func=index"):
        make().add_url_rule("/", index)


def test_endpoint_without_view_is_named_when_it_is_asked_for(mode):
    app = make(mode)
    app.add_url_rule("/", "forgotten")
    with pytest.raises(AssertionError, match="forgotten"):
        app.test_client().get("/")


def test_several_rules_and_defaults_for_one_view(mode):
    app = make(mode)

    @app.route("/users/", defaults={"page": 1})
    @app.route("/users/page/<int:page>")
    def show_users(page):
        return f"page {page}"

    client = app.test_client()
    assert client.get("/users/").text == "page 1"
    assert client.get("/users/page/3").text == "page 3"
    moved = client.get("/users/page/1")
    assert moved.status_code == (301 if mode == "0.10" else 308)
    assert moved.location.endswith("/users/")
    with app.test_request_context():
        assert url_for("show_users", page=1) == "/users/"
        assert url_for("show_users", page=2) == "/users/page/2"


@pytest.mark.parametrize(
    ("rule", "path", "value"),
    [
        ("/<name>", "/peter", "peter"),
        ("/<int:name>", "/42", 42),
        ("/<float:name>", "/4.5", 4.5),
        ("/<path:name>", "/a/b/c", "a/b/c"),
    ],
)
def test_converters_give_their_types(rule, path, value):
    app = make()
    got = []
    app.add_url_rule(rule, "view", lambda name: got.append(name) or "")
    assert app.test_client().get(path).status_code == 200
    assert got == [value]
    assert type(got[0]) is type(value)


@pytest.mark.parametrize(("mode", "code"), [("documented", 308), ("0.10", 301), ("3.1", 308)])
def test_missing_final_slash_is_mended_and_a_surplus_one_is_not(mode, code):
    app = make(mode)
    app.add_url_rule("/folder/", "folder", index)
    app.add_url_rule("/leaf", "leaf", index)
    client = app.test_client()
    moved = client.get("/folder?a=1")
    assert moved.status_code == code
    assert moved.location.endswith("/folder/?a=1")
    assert client.get("/folder?a=1", follow_redirects=True).status_code == 200
    assert client.get("/leaf/").status_code == 404


def test_converter_of_ones_own(mode):
    class ListConverter(BaseConverter):
        def to_python(self, value):
            return value.split(",")

        def to_url(self, value):
            return ",".join(super(ListConverter, self).to_url(item) for item in value)

    app = make(mode)
    app.url_map.converters["list"] = ListConverter
    app.add_url_rule("/<list:names>", "names", lambda names: "|".join(names))
    assert app.test_client().get("/a,b").text == "a|b"
    with app.test_request_context():
        assert url_for("names", names=["x", "y"]) == "/x,y"


def test_route_uses_an_overridden_add_url_rule():
    class Mine(Flask):
        def add_url_rule(self, rule, endpoint=None, view_func=None, **options):
            super().add_url_rule(f"/v1{rule}", endpoint, view_func, **options)

    app = Mine("some_name")
    app.route("/a", endpoint="a", methods=["POST"])(index)
    app.get("/b", endpoint="b")(index)
    client = app.test_client()
    assert client.post("/v1/a").status_code == 200
    assert client.get("/v1/b").status_code == 200


def test_rule_and_map_classes_may_be_replaced():
    class MyRule(Rule):
        pass

    class MyMap(Map):
        pass

    class Mine(Flask):
        url_rule_class = MyRule
        url_map_class = MyMap

    app = Mine("some_name", root_path=os.path.dirname(__file__))
    app.add_url_rule("/<int:n>", "number", lambda n: f"{n + 1}")
    assert type(app.url_map) is MyMap
    assert all(type(rule) is MyRule for rule in app.url_map.iter_rules())
    assert app.test_client().get("/4").text == "5"
    with app.test_request_context():
        assert url_for("number", n=3) == "/3"


# -- set-up


def test_functions_before_the_first_request_run_once(mode):
    app = make(mode)
    log = []
    app.before_first_request(lambda: log.append((app.got_first_request, request.path)))
    app.add_url_rule("/", view_func=index)
    assert len(app.before_first_request_funcs) == 1
    assert app.got_first_request is False
    client = app.test_client()
    client.get("/")
    client.get("/")
    assert app.got_first_request is True
    # "started handling the first request", says the document, and so it has by then.
    assert log == [(True, "/")]


def test_function_before_the_first_request_that_fails_is_not_called_again(mode, caplog):
    app = make(mode)
    app.testing = False
    log = []

    @app.before_first_request
    def fail():
        log.append("called")
        raise ValueError("not now")

    app.add_url_rule("/", view_func=index)
    client = app.test_client()
    assert [client.get("/").status_code for _ in range(3)] == [500, 200, 200]
    assert log == ["called"]


def test_function_before_the_first_request_may_send_a_request():
    app = make()
    app.add_url_rule("/", view_func=index)
    got = []
    app.before_first_request(lambda: got.append(app.test_client().get("/").text))
    assert app.test_client().get("/").text == "index GET"
    assert got == ["index GET"]


def late_calls(app):
    return [
        lambda: app.route("/late")(index),
        lambda: app.add_url_rule("/late", view_func=index),
        lambda: app.before_request(index),
        lambda: app.after_request(index),
        lambda: app.teardown_request(index),
        lambda: app.teardown_appcontext(index),
        lambda: app.before_first_request(index),
        lambda: app.context_processor(index),
        lambda: app.url_defaults(index),
        lambda: app.url_value_preprocessor(index),
        lambda: app.errorhandler(404)(index),
        lambda: app.register_error_handler(404, index),
        lambda: app.endpoint("late")(index),
        lambda: app.template_filter("late")(index),
        lambda: app.template_test("late")(index),
        lambda: app.template_global("late")(index),
        lambda: app.shell_context_processor(index),
        lambda: app.register_module(Module("late", name="late")),
    ]


@pytest.mark.filterwarnings("ignore:register_module:DeprecationWarning")
@pytest.mark.parametrize("number", range(18))
@pytest.mark.parametrize(
    ("mode", "debug", "refused"),
    [("documented", False, True), ("3.1", False, True), ("0.10", False, False), ("0.10", True, True)],
)
def test_set_up_after_the_first_request(number, mode, debug, refused):
    app = make(mode)
    app.debug = debug
    app.test_client().get("/")
    if refused:
        with pytest.raises(AssertionError, match=r"microflask_tests.*first request"):
            late_calls(app)[number]()
    else:
        late_calls(app)[number]()


def test_registries_may_be_changed_at_any_time(mode):
    app = make(mode)
    app.add_url_rule("/", view_func=index)
    client = app.test_client()
    client.get("/")
    app.before_request_funcs.setdefault(None, []).append(lambda: "before")
    assert client.get("/").text == "before"
    app.before_request_funcs[None].clear()
    app.view_functions["index"] = lambda: "replaced"
    assert client.get("/").text == "replaced"


def test_modules_are_registered_unless_switched_off():
    app = make()
    module = Module("package.admin")
    module.add_url_rule("/", view_func=index)
    app.register_module(module, url_prefix="/admin")
    assert app.test_client().get("/admin/").text == "index GET"
    other = make()
    other.enable_modules = False
    with pytest.raises(RuntimeError, match="Blueprint"):
        other.register_module(module)


def test_shell_context_has_application_g_and_what_was_added():
    app = make()
    app.shell_context_processor(lambda: {"answer": 42})
    with app.app_context():
        context = app.make_shell_context()
    assert context["app"] is app
    assert context["answer"] == 42
    assert context["g"] is g


def test_extensions_have_a_place():
    app = make()
    assert app.extensions == {}
    app.extensions["thing"] = state = object()
    with app.app_context():
        assert current_app.extensions["thing"] is state
