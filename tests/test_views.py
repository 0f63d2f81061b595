"""Views that are classes."""

import pytest

from microflask import Blueprint, Flask, request, session, url_for
from microflask.views import MethodView, View

MODES = ("documented", "0.10", "3.1")


@pytest.fixture(params=MODES)
def app(request):
    app = Flask("microflask_tests", root_path="/", compat=request.param)
    app.secret_key = "a key for tests only"
    app.testing = True
    return app


def methods_of(app, endpoint):
    return next(app.url_map.iter_rules(endpoint)).methods


# -- View


def test_view_class_answers_with_the_values_of_the_rule(app):
    class Hello(View):
        methods = ["GET"]

        def dispatch_request(self, name):
            return f"Hello {name}!"

    app.add_url_rule("/hello/<name>", view_func=Hello.as_view("hello"))
    assert app.test_client().get("/hello/peter").text == "Hello peter!"
    assert app.test_client().post("/hello/peter").status_code == 405
    with app.test_request_context():
        assert url_for("hello", name="x") == "/hello/x"


def test_view_function_carries_what_a_registration_reads():
    class Hello(View):
        """Say hello."""

        methods = ["GET", "POST"]
        provide_automatic_options = False

    view = Hello.as_view("greeting")
    assert (view.__name__, view.__doc__, view.__module__) == ("greeting", "Say hello.", __name__)
    assert (view.methods, view.provide_automatic_options, view.view_class) == (["GET", "POST"], False, Hello)


def test_view_function_is_named_for_its_endpoint_only(app):
    class Hello(View):
        def dispatch_request(self):
            return request.endpoint

    app.add_url_rule("/a", view_func=Hello.as_view("by_name"))
    app.add_url_rule("/b", "given", Hello.as_view("by_name"))
    client = app.test_client()
    assert [client.get(path).text for path in ("/a", "/b")] == ["by_name", "given"]


def test_view_without_dispatch_request_says_so(app):
    app.add_url_rule("/", view_func=View.as_view("view"))
    with pytest.raises(NotImplementedError, match=r"View.*dispatch_request"):
        app.test_client().get("/")


def test_arguments_of_as_view_go_to_the_constructor(app):
    class Listing(View):
        def __init__(self, model, *, template):
            self.text = f"{model} in {template}"

        def dispatch_request(self):
            return self.text

    app.add_url_rule("/a", view_func=Listing.as_view("a", "users", template="list"))
    app.add_url_rule("/b", view_func=Listing.as_view("b", "books", template="grid"))
    client = app.test_client()
    assert [client.get(path).text for path in ("/a", "/b")] == ["users in list", "books in grid"]


class Counting(View):
    """Count the objects that are made."""

    made = 0

    def __init__(self):
        type(self).made += 1
        self.calls = 0

    def dispatch_request(self):
        self.calls += 1
        return f"{self.made} {self.calls}"


def test_each_request_has_an_object_of_its_own(app):
    counting = type("Counting", (Counting,), {"made": 0})
    app.add_url_rule("/", view_func=counting.as_view("view"))
    assert counting.made == 0
    client = app.test_client()
    assert [client.get("/").text for _ in range(2)] == ["1 1", "2 1"]


def test_one_object_may_serve_all_requests(app):
    counting = type("Counting", (Counting,), {"made": 0, "init_every_request": False})
    app.add_url_rule("/", view_func=counting.as_view("view"))
    assert counting.made == 1
    client = app.test_client()
    assert [client.get("/").text for _ in range(2)] == ["1 1", "1 2"]


def test_class_of_a_view_function_may_be_replaced(app):
    class First(View):
        def dispatch_request(self):
            return "first"

    class Second(View):
        def dispatch_request(self):
            return "second"

    view = First.as_view("view")
    app.add_url_rule("/", view_func=view)
    view.view_class = Second
    assert app.test_client().get("/").text == "second"


def marking(mark):
    def decorate(function):
        def decorated(*args, **kwargs):
            return f"{mark}({function(*args, **kwargs)})"

        decorated.seen = (function.__name__, function.__module__)
        return decorated

    return decorate


def test_decorators_are_applied_one_after_another(app):
    class Hello(View):
        methods = ["GET", "PUT"]
        decorators = [marking("inner"), marking("outer")]

        def dispatch_request(self):
            return "x"

    view = Hello.as_view("hello")
    assert (view.__name__, view.__module__, view.view_class) == ("hello", __name__, Hello)
    assert view.seen == ("hello", __name__)
    app.add_url_rule("/", view_func=view)
    assert methods_of(app, "hello") == {"GET", "HEAD", "PUT", "OPTIONS"}
    assert app.test_client().get("/").text == "outer(inner(x))"


def test_decorated_view_function_may_be_decorated_again(app):
    class Hello(View):
        def dispatch_request(self):
            return "x"

    app.add_url_rule("/", "hello", marking("around")(Hello.as_view("hello")))
    assert app.test_client().get("/").text == "around(x)"


@pytest.mark.parametrize("choice", [True, False, None])
def test_automatic_options_of_a_view_class(app, choice):
    class Hello(View):
        methods = ["GET", "OPTIONS"]
        provide_automatic_options = choice

        def dispatch_request(self):
            return f"own {request.method}"

    app.add_url_rule("/", view_func=Hello.as_view("hello"))
    assert app.test_client().options("/").text == ("" if choice else "own OPTIONS")


def test_methods_of_the_rule_win_over_those_of_the_class(app):
    class Hello(View):
        methods = ["GET"]

        def dispatch_request(self):
            return request.method

    app.add_url_rule("/", view_func=Hello.as_view("hello"), methods=["PUT"])
    assert methods_of(app, "hello") == {"PUT", "OPTIONS"}


def test_view_class_on_a_blueprint(app):
    class Hello(View):
        def dispatch_request(self):
            return url_for(".hello")

    blueprint = Blueprint("bp", "microflask_tests", url_prefix="/bp")
    blueprint.add_url_rule("/", view_func=Hello.as_view("hello"))
    app.register_blueprint(blueprint)
    assert app.test_client().get("/bp/").text == "/bp/"


# -- MethodView


class Echo(MethodView):
    """Have a method for each HTTP method."""


for name in ("get", "post", "put", "delete", "patch", "head", "options", "trace"):
    setattr(Echo, name, lambda self, name=name: f"answer to {name}")
Echo = type("Echo", (Echo,), {})


def test_counter_of_the_document(app):
    class CounterAPI(MethodView):
        def get(self):
            return str(session.get("counter", 0))

        def post(self):
            session["counter"] = session.get("counter", 0) + 1
            return "OK"

    app.add_url_rule("/counter", view_func=CounterAPI.as_view("counter"))
    client = app.test_client()
    assert client.get("/counter").text == "0"
    assert [client.post("/counter").text for _ in range(2)] == ["OK", "OK"]
    assert client.get("/counter").text == "2"
    assert client.put("/counter").status_code == 405
    assert set(client.options("/counter").allow) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch", "options", "trace"])
def test_each_method_has_its_own_method(app, method):
    app.add_url_rule("/", view_func=Echo.as_view("echo"))
    assert app.test_client().open("/", method=method.upper()).text == f"answer to {method}"


def test_methods_are_those_that_are_defined():
    class Base(MethodView):
        def get(self):
            return "get"

    class Derived(Base):
        def post(self):
            return "post"

    class Mixin:
        def patch(self):
            return "patch"

    class Mixed(Mixin, Derived):
        pass

    class Set(Derived):
        methods = ["PUT"]

    class Empty(MethodView):
        pass

    assert MethodView.methods is None and Empty.methods is None
    assert Base.methods == {"GET"}
    assert Derived.methods == {"GET", "POST"}
    assert Mixed.methods == {"GET", "POST", "PATCH"}
    assert Set.methods == ["PUT"]


def test_methods_that_a_base_class_lists_are_inherited():
    class Listed(View):
        methods = ["PROPFIND"]

    class Mixed(MethodView, Listed):
        def get(self):
            return "get"

    assert Mixed.methods == {"GET", "PROPFIND"}


def test_get_answers_head_unless_there_is_a_method_for_it(app):
    class Getting(MethodView):
        def get(self):
            return "body", 200, {"X-Method": "get"}

    class Heading(Getting):
        def head(self):
            return "", 204, {"X-Method": "head"}

    app.add_url_rule("/get", view_func=Getting.as_view("get"))
    app.add_url_rule("/head", view_func=Heading.as_view("head"))
    client = app.test_client()
    answer = client.head("/get")
    assert (answer.status_code, answer.headers["X-Method"], answer.data) == (200, "get", b"")
    answer = client.head("/head")
    assert (answer.status_code, answer.headers["X-Method"]) == (204, "head")


def test_values_of_the_rule_go_to_the_method(app):
    class User(MethodView):
        def get(self, number=None):
            return f"get {number}"

        def put(self, number):
            return f"put {number}"

    view = User.as_view("user")
    app.add_url_rule("/", defaults={"number": None}, view_func=view, methods=["GET"])
    app.add_url_rule("/<int:number>", view_func=view)
    client = app.test_client()
    assert [client.get("/").text, client.get("/3").text, client.put("/3").text] == ["get None", "get 3", "put 3"]
    assert client.put("/").status_code == 405


def test_method_that_is_registered_and_missing_is_named(app):
    class Getting(MethodView):
        def get(self):
            return "get"

    app.add_url_rule("/", view_func=Getting.as_view("getting"), methods=["GET", "POST"])
    with pytest.raises(AssertionError, match=r"Getting.*'POST'"):
        app.test_client().post("/")


def test_dispatch_of_a_method_view_may_be_wrapped(app):
    class Wrapped(Echo):
        def dispatch_request(self, **kwargs):
            return f"[{super().dispatch_request(**kwargs)}]"

    app.add_url_rule("/", view_func=Wrapped.as_view("wrapped"))
    assert app.test_client().delete("/").text == "[answer to delete]"
