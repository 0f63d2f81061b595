"""Whatever is documented to be overridden is called through the application, with its documented arguments."""

import io
import logging
from contextlib import nullcontext

import jinja2
import pytest
from werkzeug.exceptions import Aborter, ImATeapot, NotFound
from werkzeug.routing import BuildError

from microflask import (
    Config,
    Flask,
    Request,
    Response,
    abort,
    current_app,
    g,
    redirect,
    render_template_string,
    request,
    session,
    url_for,
)
from microflask.json.provider import DefaultJSONProvider
from microflask.sessions import NullSession, SecureCookieSession, SessionInterface, SessionMixin
from microflask.templating import Environment
from microflask.testing import FlaskClient
from microflask.views import http_method_funcs


def fail():
    raise ValueError("fail")


async def asynchronous():
    return "async"


def build_nothing():
    try:
        return url_for("nowhere", a=1)
    except BuildError:
        return "no URL"


def write_session():
    session["a"] = 1
    return "written"


VIEWS = {
    "/": lambda: "hello",
    "/fail": fail,
    "/abort": lambda: abort(404),
    "/async": asynchronous,
    "/session": write_session,
    "/read": lambda: str(session.get("a")),
    "/template": lambda: render_template_string("{{ request.path }}"),
    "/url": lambda: url_for("/", a=1),
    "/nowhere": build_nothing,
    "/away": lambda: redirect("/"),
}


def set_up(app):
    app.secret_key = "a key for tests only"
    app.logger.disabled = True
    for path, view in VIEWS.items():
        app.add_url_rule(path, path, view)
    return app


def is_a(kind):
    return lambda value: isinstance(value, kind)


def is_equal(wanted):
    return lambda value: value == wanted


def is_triple(value):
    return value[0] is ValueError and isinstance(value[1], ValueError) and value[2].tb_frame is not None


# name, path, and what each positional argument has to satisfy
POINTS = [
    ("wsgi_app", "/", [is_a(dict), callable]),
    ("request_context", "/", [is_a(dict)]),
    ("create_url_adapter", "/", [is_a(Request)]),
    ("full_dispatch_request", "/", []),
    ("preprocess_request", "/", []),
    ("dispatch_request", "/", []),
    ("raise_routing_exception", "/missing", [is_a(Request)]),
    ("make_response", "/", [is_equal("hello")]),
    ("finalize_request", "/", [is_equal("hello")]),
    ("process_response", "/", [is_a(Response)]),
    ("open_session", "/read", [is_a(Request)]),
    ("save_session", "/session", [is_a(SecureCookieSession), is_a(Response)]),
    ("handle_user_exception", "/fail", [is_a(ValueError)]),
    ("handle_user_exception", "/missing", [is_a(NotFound)]),
    ("handle_exception", "/fail", [is_a(ValueError)]),
    ("log_exception", "/fail", [is_triple]),
    ("trap_http_exception", "/abort", [is_a(NotFound)]),
    ("handle_http_exception", "/abort", [is_a(NotFound)]),
    ("should_ignore_error", "/fail", [is_a(ValueError)]),
    ("do_teardown_request", "/", [is_equal(None)]),
    ("do_teardown_request", "/fail", [is_a(ValueError)]),
    ("do_teardown_appcontext", "/", [is_equal(None)]),
    ("do_teardown_appcontext", "/fail", [is_a(ValueError)]),
    ("ensure_sync", "/", [is_equal(VIEWS["/"])]),
    ("async_to_sync", "/async", [is_equal(asynchronous)]),
    ("url_for", "/url", [is_equal("/")]),
    ("inject_url_defaults", "/url", [is_equal("/"), is_equal({"a": 1})]),
    ("handle_url_build_error", "/nowhere", [is_a(BuildError), is_equal("nowhere"), is_a(dict)]),
    ("redirect", "/away", [is_equal("/")]),
    ("select_jinja_autoescape", "/template", [is_equal(None)]),
    ("update_template_context", "/template", [is_a(dict)]),
    ("create_jinja_environment", "/template", []),
    ("create_global_jinja_loader", "/template", []),
]
IDS = [f"{name} for {path}" for name, path, _ in POINTS]


def check(calls, name, wanted):
    assert calls, f"{name} was not called"
    assert any(
        len(args) == len(wanted) and all(holds(arg) for holds, arg in zip(wanted, args, strict=True)) for args in calls
    ), f"{name} was called with {calls}"


@pytest.mark.parametrize(("name", "path", "wanted"), POINTS, ids=IDS)
def test_overridden_in_a_subclass(name, path, wanted):
    calls = []

    def override(self, *args, **kwargs):
        calls.append(args)
        return getattr(Flask, name)(self, *args, **kwargs)

    app = set_up(type("Mine", (Flask,), {name: override})("some_name", root_path="/"))
    plain = set_up(Flask("some_name", root_path="/")).test_client().get(path)
    response = app.test_client().get(path)
    assert (response.status, response.data) == (plain.status, plain.data)
    check(calls, name, wanted)


@pytest.mark.parametrize(("name", "path", "wanted"), POINTS, ids=IDS)
def test_replaced_on_the_instance_at_run_time(name, path, wanted):
    app = set_up(Flask("some_name", root_path="/"))
    client = app.test_client()
    client.get("/")
    calls = []
    original = getattr(app, name)

    def replacement(*args, **kwargs):
        calls.append(args)
        return original(*args, **kwargs)

    setattr(app, name, replacement)
    client.get(path)
    check(calls, name, wanted)


@pytest.mark.parametrize(
    ("name", "value", "path", "text"),
    [
        ("dispatch_request", lambda: "instead", "/", "instead"),
        ("preprocess_request", lambda: "instead", "/fail", "instead"),
        ("handle_user_exception", lambda error: f"caught {error}", "/fail", "caught fail"),
        ("handle_http_exception", lambda error: f"page {error.code}", "/missing", "page 404"),
        ("handle_exception", lambda error: Response(f"last {error}"), "/fail", "last fail"),
        ("process_response", lambda response: Response("another"), "/", "another"),
        ("full_dispatch_request", lambda: Response("nothing else"), "/fail", "nothing else"),
        ("handle_url_build_error", lambda error, endpoint, values: f"/ext/{endpoint}", "/nowhere", "/ext/nowhere"),
        ("url_for", lambda endpoint, **values: f"<{endpoint}>", "/url", "</>"),
    ],
)
def test_value_of_an_override_counts(name, value, path, text):
    app = set_up(Flask("some_name", root_path="/"))
    setattr(app, name, value)
    assert app.test_client().get(path).text == text


def test_default_options_response_may_be_changed():
    class Mine(Flask):
        def make_default_options_response(self):
            response = super().make_default_options_response()
            response.headers["X-Options"] = "mine"
            return response

    answer = set_up(Mine("some_name", root_path="/")).test_client().options("/")
    assert answer.headers["X-Options"] == "mine"
    assert set(answer.allow) == {"GET", "HEAD", "OPTIONS"}


def test_null_session_comes_from_the_application():
    class Mine(Flask):
        def make_null_session(self):
            null = super().make_null_session()
            null.mark = "made here"
            return null

    app = Mine("some_name", root_path="/")
    with app.test_request_context():
        assert isinstance(session._get_current_object(), NullSession)
        assert session.mark == "made here"


def test_context_classes_come_from_the_application():
    class Mine(Flask):
        def app_context(self):
            context = super().app_context()
            context.mark = "app"
            return context

        def request_context(self, environ):
            context = super().request_context(environ)
            context.mark = "request"
            return context

    app = Mine("some_name", root_path="/")
    with app.app_context() as context:
        assert context.mark == "app"
    with app.test_request_context() as context:
        assert context.mark == "request"


def test_middleware_goes_around_wsgi_app():
    app = set_up(Flask("some_name", root_path="/"))
    inner = app.wsgi_app

    def middleware(environ, start_response):
        def start(status, headers, exc_info=None):
            return start_response(status, [*headers, ("X-Middleware", environ["PATH_INFO"])], exc_info)

        return inner(environ, start)

    app.wsgi_app = middleware
    assert app.test_client().get("/").headers["X-Middleware"] == "/"


@pytest.mark.parametrize("name", ["dispatch_request", "process_response", "finalize_request"])
def test_steps_of_a_request_need_one(name):
    app = Flask("some_name", root_path="/")
    arguments = {"dispatch_request": []}.get(name, [app.response_class("text")])
    for surroundings in (nullcontext(), app.app_context()):
        with surroundings, pytest.raises(RuntimeError, match="request"):
            getattr(app, name)(*arguments)


# -- classes


def test_request_class():
    class MyRequest(Request):
        @property
        def shouted(self):
            return self.path.upper()

    app = set_up(Flask("some_name", root_path="/"))
    app.request_class = MyRequest
    app.add_url_rule("/shout", view_func=lambda: request.shouted, endpoint="shout")
    assert app.test_client().get("/shout").text == "/SHOUT"


def test_response_class():
    class MyResponse(Response):
        default_mimetype = "text/plain"

    class Mine(Flask):
        response_class = MyResponse

    client = set_up(Mine("some_name", root_path="/")).test_client()
    for path in ("/", "/missing", "/away"):
        assert isinstance(client.get(path), MyResponse)
    assert client.get("/").mimetype == "text/plain"


def test_class_of_g():
    class Globals:
        user = "nobody"

    class Mine(Flask):
        app_ctx_globals_class = Globals

    app = Mine("some_name", root_path="/")
    with app.app_context():
        assert g.user == "nobody"
        g.user = "peter"
        assert current_app.app_ctx_globals_class.user == "nobody"
        assert isinstance(g._get_current_object(), Globals)


def test_class_of_the_test_client():
    class MyClient(FlaskClient):
        def __init__(self, *args, flavour=None, **kwargs):
            self.flavour = flavour
            super().__init__(*args, **kwargs)

    app = Flask("some_name", root_path="/")
    assert type(app.test_client()) is FlaskClient
    app.test_client_class = MyClient
    assert app.test_client(flavour="salty").flavour == "salty"


def test_class_of_the_configuration():
    class MyConfig(Config):
        pass

    class Mine(Flask):
        config_class = MyConfig

    assert type(Mine("some_name", root_path="/").config) is MyConfig


def test_aborter():
    class MyAborter(Aborter):
        pass

    class Mine(Flask):
        aborter_class = MyAborter

        def make_aborter(self):
            aborter = super().make_aborter()
            aborter.mapping[777] = ImATeapot
            return aborter

    app = Mine("some_name", root_path="/")
    assert type(app.aborter) is MyAborter
    app.add_url_rule("/", "tea", lambda: abort(777))
    assert app.test_client().get("/").status_code == 418


def test_json_provider():
    class Reversed(DefaultJSONProvider):
        def dumps(self, obj, **kwargs):
            return super().dumps(obj, **kwargs)[::-1]

    class Mine(Flask):
        json_provider_class = Reversed

    app = Mine("some_name", root_path="/", compat="3.1")
    app.add_url_rule("/", "json", lambda: [12, 3])
    assert app.test_client().get("/").text.strip() == "]3,21["


def test_class_of_the_jinja_environment():
    class MyEnvironment(Environment):
        pass

    class Mine(Flask):
        jinja_environment = MyEnvironment
        jinja_options = {"line_statement_prefix": "%"}

        def create_global_jinja_loader(self):
            return jinja2.DictLoader({"only.html": "from the dict"})

    app = Mine("some_name", root_path="/")
    assert isinstance(app.jinja_env, MyEnvironment)
    assert app.jinja_env.line_statement_prefix == "%"
    assert app.jinja_env.get_template("only.html").render() == "from the dict"


class DictSession(dict, SessionMixin):
    pass


class ServerSessions(SessionInterface):
    """The documented way to replace sessions: a dict with the mixin, opened and saved with every request."""

    def __init__(self):
        self.log = []
        self.session = DictSession()

    def open_session(self, app, request):
        self.log.append(("open", app.name, request.path))
        return self.session

    def save_session(self, app, session, response):
        self.log.append(("save", request.path, response.status_code))


def test_session_interface_is_opened_and_saved_with_every_request():
    app = set_up(Flask("some_name", root_path="/"))
    app.session_interface = interface = ServerSessions()
    client = app.test_client()
    client.get("/")
    assert interface.log == [("open", "some_name", "/"), ("save", "/", 200)]
    client.get("/session")
    assert interface.session == {"a": 1}
    assert client.get("/read").text == "1"
    assert len(interface.log) == 6


def test_session_interface_that_opens_nothing_is_not_asked_to_save():
    class Closed(ServerSessions):
        def open_session(self, app, request):
            return None

    app = set_up(Flask("some_name", root_path="/"))
    app.session_interface = interface = Closed()
    assert app.test_client().get("/read").text == "None"
    assert interface.log == []
    with app.test_request_context(), pytest.raises(RuntimeError, match="secret_key"):
        session["a"] = 1


def test_session_interface_that_fails_to_open_is_an_error_of_the_request():
    class Broken(ServerSessions):
        def open_session(self, app, request):
            raise OSError("the store is away")

    app = set_up(Flask("some_name", root_path="/"))
    app.session_interface = Broken()
    ends = []
    app.teardown_request(lambda error: ends.append(type(error)))
    assert app.test_client().get("/").status_code == 500
    assert ends == [OSError]


def test_errors_stream_of_the_server_is_used(monkeypatch):
    logger = logging.getLogger("a_name_of_its_own")
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(logger, "handlers", [])
    app = Flask("a_name_of_its_own", root_path="/", compat="3.1")
    app.add_url_rule("/", "fail", fail)
    stream = io.StringIO()
    assert app.test_client().get("/", errors_stream=stream).status_code == 500
    assert "Exception on / [GET]" in stream.getvalue()
    assert "ValueError: fail" in stream.getvalue()


# -- what extensions read or call though no document tells them to


def test_names_of_methods_are_a_set_of_views():
    assert http_method_funcs == {"get", "post", "head", "options", "delete", "put", "trace", "patch"}
    assert "connect" not in http_method_funcs


def test_client_makes_the_request_that_it_would_send():
    app = set_up(Flask("some_name", root_path="/"))
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = "10.0.0.1"
    made = client._request_from_builder_args((), {"path": "/read?a=1", "headers": {"X-Own": "yes"}})
    assert made.full_path == "/read?a=1"
    assert made.remote_addr == "10.0.0.1"
    client.get("/session")
    client._add_cookies_to_wsgi(made.environ)
    with app.request_context(made.environ):
        assert request.headers["X-Own"] == "yes"
        assert session["a"] == 1


def test_pieces_of_a_rule_are_told_in_their_order():
    app = Flask("some_name", root_path="/")
    app.add_url_rule("/shelf/<int:row>/<title>.txt", "book", lambda: "")
    rule = next(app.url_map.iter_rules("book"))
    assert [name for is_variable, name in rule._trace if is_variable] == ["row", "title"]
    fixed = [text for is_variable, text in rule._trace if not is_variable]
    assert "".join(fixed) == "|/shelf//.txt"
    assert rule._converters["row"].map is app.url_map


@pytest.mark.parametrize(
    "source", ["{{ 3|localised }}", "{{ [1, 2]|localised }}", "{{ (3|localised)|upper }}", "{{ 1 is near }}"]
)
def test_filter_of_a_constant_is_asked_in_each_request(source):
    app = Flask("some_name", root_path="/")
    app.template_filter("localised")(lambda value: f"{value} {request.args['lang']}")
    app.template_test("near")(lambda value: request.args["lang"] == "en")
    app.add_url_rule("/", "page", lambda: render_template_string(source))
    client = app.test_client()
    english, german = client.get("/?lang=en").text, client.get("/?lang=de").text
    assert english != german
    assert client.get("/?lang=en").text == english


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("{{ 'a'|upper }}{{ 3 is odd }}", True),
        ("{{ a.b[0]()|own }}", True),
        ("{{ a|upper|own }}", True),
        ("{% filter own %}text{% endfilter %}", True),
        ("{{ 'a'|own }}", False),
        ("{{ a|upper|replace('a', 'b'|own) }}", False),
    ],
)
def test_text_of_a_template_stays_compiled_when_it_depends_on_nothing_else(source, kept):
    app = Flask("some_name", root_path="/")
    app.jinja_env.filters["own"] = str.title
    first = app.jinja_env.from_source(source)
    assert (app.jinja_env.from_source(source) is first) is kept
