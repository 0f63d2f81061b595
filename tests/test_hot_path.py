"""The cost of a request, counted in Python calls; and what a plain request must not cause."""

import sys

import pytest
from werkzeug.datastructures import Headers

from microflask import (
    Blueprint,
    Flask,
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    before_render_template,
    got_request_exception,
    message_flashed,
    request,
    request_finished,
    request_started,
    request_tearing_down,
    session,
    template_rendered,
)
from microflask.ctx import AppContext
from microflask.routing import RequestAdapter
from microflask.sessions import SecureCookieSessionInterface

MODES = ("documented", "0.10", "3.1")
SIGNALS = [
    appcontext_pushed, appcontext_popped, appcontext_tearing_down, before_render_template, got_request_exception,
    message_flashed, request_finished, request_started, request_tearing_down, template_rendered,
]  # fmt: skip


def environ_for(path, method="GET"):
    """The environ of a server, made anew for each request as servers do."""
    return {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost", "HTTP_ACCEPT": "*/*",
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": None, "wsgi.errors": sys.stderr,
        "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }  # fmt: skip


def start_response(status, headers):
    """Do nothing; it counts as one call."""


def calls_of(app, path, method="GET"):
    """Return the names of the Python functions that one warm request calls, the server's part included."""
    for _ in range(3):
        list(app(environ_for(path, method), start_response))
    environ, names = environ_for(path, method), []

    def profile(frame, event, argument):
        if event == "call":
            names.append(f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}")

    sys.setprofile(profile)
    try:
        body = app(environ, start_response)
    finally:
        sys.setprofile(None)
    assert b"".join(body) or method == "HEAD"
    return names


@pytest.fixture(params=MODES)
def app(request):
    app = Flask("microflask_tests", root_path="/", compat=request.param)
    app.secret_key = "a key for tests only"
    app.add_url_rule("/", "hello", lambda: "hello")
    app.add_url_rule("/number/<int:number>", "number", lambda number: f"number {number}")
    app.add_url_rule("/json", "json", lambda: {"a": 1})
    return app


# -- the budget


@pytest.mark.parametrize(
    ("path", "budget"), [("/", 45), ("/number/5", 70), ("/json", 60), ("/missing", 100)], ids=lambda value: str(value)
)
def test_budget_of_calls(app, path, budget):
    calls = calls_of(app, path)
    assert len(calls) <= budget, "\n".join(calls)


def test_budget_of_calls_in_a_nested_blueprint(app):
    outer, inner = Blueprint("outer", "outer"), Blueprint("inner", "inner")
    inner.add_url_rule("/", "hello", lambda: "hello")
    outer.register_blueprint(inner, url_prefix="/inner")
    app.register_blueprint(outer, url_prefix="/outer")
    calls = calls_of(app, "/outer/inner/")
    assert len(calls) <= 45, "\n".join(calls)


def test_hooks_cost_their_own_calls_and_little_more(app):
    before = len(calls_of(app, "/"))
    for register in (app.before_request_funcs, app.teardown_request_funcs):
        register[None].append(lambda *args: None)
    app.after_request_funcs[None].append(lambda response: response)
    calls = calls_of(app, "/")
    assert len(calls) - before <= 15, "\n".join(calls)


def test_header_that_is_set_does_not_fall_off_a_cliff(app):
    plain = len(calls_of(app, "/"))

    def set_header(response):
        response.headers["X-Mark"] = "1"
        return response

    app.after_request_funcs[None].append(set_header)
    calls = calls_of(app, "/")
    assert len(calls) - plain <= 25, "\n".join(calls)


@pytest.mark.parametrize("path", ["/", "/number/5"])
def test_requests_cost_the_same_whatever_came_before(app, path):
    # The first request of all finds out that the view is a plain function.
    calls_of(app, path)
    first = len(calls_of(app, path))
    for _ in range(5):
        assert len(calls_of(app, path)) == first


def make_with_rules(count):
    app = Flask("microflask_tests", root_path="/")
    for number in range(count):
        app.add_url_rule(f"/static-{number}/page", f"static{number}", lambda: "static")
        app.add_url_rule(f"/dynamic-{number}/<int:value>", f"dynamic{number}", lambda value: "dynamic")
    return app


@pytest.mark.parametrize("path", ["/static-{}/page", "/dynamic-{}/7", "/missing-{}", "/dynamic-{}/x"])
def test_ten_thousand_rules_cost_no_more_calls_than_ten(path, many_rules):
    few = make_with_rules(10)
    for place in (0, -1):
        small = calls_of(few, path.format(range(10)[place]))
        large = calls_of(many_rules, path.format(range(10_000)[place]))
        assert len(large) <= len(small), "\n".join(large)


@pytest.fixture(scope="module")
def many_rules():
    """An application with 10 000 rules without and 10 000 with a variable."""
    return make_with_rules(10_000)


# -- what a plain request does not do


@pytest.fixture
def refusing(monkeypatch):
    """Let whatever a plain request has no use for fail when it is called."""

    def refuse(*args, **kwargs):
        raise AssertionError("a plain request has no use for this")

    def forbid(owner, name):
        monkeypatch.setattr(owner, name, refuse)

    return forbid


@pytest.mark.parametrize("path", ["/", "/number/5", "/json"])
def test_no_session_is_opened_and_none_saved(app, refusing, path):
    app.config["PROPAGATE_EXCEPTIONS"] = True
    for name in ("open_session", "save_session", "get_signing_serializer"):
        refusing(SecureCookieSessionInterface, name)
    assert b"".join(app(environ_for(path), start_response))


@pytest.mark.parametrize("mode", ["documented", "3.1"])
def test_no_session_is_opened_for_a_cookie_of_another_name(mode, refusing):
    app = Flask("microflask_tests", root_path="/", compat=mode)
    app.config.update(SECRET_KEY="a key for tests only", PROPAGATE_EXCEPTIONS=True)
    app.add_url_rule("/", "hello", lambda: "hello")
    refusing(SecureCookieSessionInterface, "open_session")
    environ = environ_for("/") | {"HTTP_COOKIE": "theme=dark; consent=1"}
    assert list(app(environ, start_response)) == [b"hello"]


def test_session_that_is_looked_at_is_opened(app):
    app.add_url_rule("/session", "session", lambda: str(session.get("a")))
    assert "microflask.sessions.cookie.SecureCookieSessionInterface.open_session" in calls_of(app, "/session")


@pytest.mark.parametrize("path", ["/", "/number/5", "/json"])
def test_no_headers_object_is_built(app, refusing, path):
    app.config["PROPAGATE_EXCEPTIONS"] = True
    list(app(environ_for(path), start_response))
    refusing(Headers, "__init__")
    assert b"".join(app(environ_for(path), start_response))


@pytest.mark.parametrize("path", ["/", "/number/5"])
def test_adapter_computes_nothing_but_path_and_method(app, monkeypatch, path):
    adapters = []
    original = RequestAdapter.__init__

    def remember(self, *args, **kwargs):
        original(self, *args, **kwargs)
        adapters.append((self, set(vars(self))))

    monkeypatch.setattr(RequestAdapter, "__init__", remember)
    list(app(environ_for(path), start_response))
    for adapter, given in adapters:
        assert set(vars(adapter)) - given <= {"path_info", "default_method", "websocket"}


def test_adapter_computes_what_is_asked_for(app):
    app.add_url_rule("/url", "url", lambda: app.url_for("hello", _external=True) + request.url_rule.rule)
    assert list(app(environ_for("/url"), start_response)) == [b"http://localhost//url"]


@pytest.mark.parametrize("path", ["/", "/number/5", "/json", "/missing"])
def test_no_signal_is_sent(app, monkeypatch, path):
    sent = []
    for signal in SIGNALS:
        monkeypatch.setattr(signal, "send", lambda *args, **extra: sent.append(args))
    list(app(environ_for(path), start_response))
    assert sent == []


def test_signal_with_a_receiver_is_sent(app):
    got = []
    with request_started.connected_to(lambda sender: got.append(sender), app):
        list(app(environ_for("/"), start_response))
    assert got == [app]


def test_no_application_context_and_no_g_is_made(app, refusing):
    app.config["PROPAGATE_EXCEPTIONS"] = True
    refusing(app, "app_ctx_globals_class")
    refusing(AppContext, "__init__")
    assert list(app(environ_for("/"), start_response)) == [b"hello"]


def test_body_is_a_plain_list(app):
    for path in ("/", "/number/5", "/json", "/missing"):
        body = app(environ_for(path), start_response)
        assert type(body) is list
        assert all(type(part) is bytes for part in body)
