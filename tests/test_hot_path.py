"""The cost of a request, counted in Python calls; and what a plain request must not cause."""

import asyncio
import gc
import io
import sys
from typing import NamedTuple

import pytest
from werkzeug.datastructures import Headers

from microflask import (
    Blueprint,
    Flask,
    Response,
    abort,
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    before_render_template,
    got_request_exception,
    jsonify,
    message_flashed,
    render_template,
    render_template_string,
    request,
    request_finished,
    request_started,
    request_tearing_down,
    session,
    template_rendered,
    url_for,
)
from microflask.ctx import AppContext
from microflask.headers import Headers as ResponseHeaders
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

    # What others have the garbage collector call is none of the request's.
    gc.disable()
    sys.setprofile(profile)
    try:
        body = app(environ, start_response)
    finally:
        sys.setprofile(None)
        gc.enable()
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


# -- the budgets


class Visit(NamedTuple):
    """A request, what its answer has to hold, and what it may cost at most."""

    path: str
    calls: int
    blocks: int
    text: str
    status: int = 200
    query: str = ""
    data: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()


FORM, JSON = "application/x-www-form-urlencoded", "application/json"
#: What was measured last (the highest of three modes and of CPython 3.11 to 3.13) and a tenth more.
BUDGETS = {
    "hello": Visit("/", 26, 17, "hello"),
    "int parameter": Visit("/number/5", 26, 24, "number 5"),
    "nested blueprint": Visit("/outer/inner/7", 31, 25, "part 7"),
    "query": Visit("/query", 41, 28, "blue whale 3", query="term=blue%20whale&number=3"),
    "form": Visit("/form", 49, 30, "Ada Byron 36", data=b"name=Ada+Byron&age=36", content_type=FORM),
    "json out": Visit("/json", 35, 28, '"a"'),
    "json in and out": Visit("/echo", 51, 29, '"b"', data=b'{"b": [1, 2]}', content_type=JSON),
    "session read": Visit("/session", 73, 39, "1", headers=(("HTTP_COOKIE", "session"),)),
    "session write": Visit("/session/add", 112, 45, "2", headers=(("HTTP_COOKIE", "session"),)),
    "template file": Visit("/template", 70, 50, "Hello Ada"),
    "template string": Visit("/snippet", 69, 50, "Hello Ada"),
    "url_for": Visit("/links", 85, 41, "/number/9"),
    "404, default": Visit("/missing", 36, 24, "Not Found", 404),
    "404, own page": Visit("/own/missing", 49, 32, "lost", 404),
    "500, own page": Visit("/own/broken", 40, 26, "broken", 500),
    "hooks": Visit("/hooks/", 35, 22, "hello"),
    "static file": Visit("/static/page.css", 61, 62, "p {}"),
    "304": Visit("/static/page.css", 59, 62, "", 304, headers=(("HTTP_IF_NONE_MATCH", "etag"),)),
    "stream": Visit("/stream", 58, 20, "0123456789"),
    "async": Visit("/async", 81, 37, "done"),
}  # fmt: skip
#: Modes that have more to do in a workload.
MORE = {
    ("documented", "json out"): (58, 59),
    ("0.10", "json out"): (58, 59),
    ("documented", "json in and out"): (88, 69),
    ("0.10", "json in and out"): (88, 69),
    ("0.10", "session read"): (107, 44),
    ("0.10", "template file"): (73, 61),
}


class Site:
    """Have an application with a view for each workload, and make its environs."""

    def __init__(self, folder, mode):
        self.app = app = Flask("microflask_tests", root_path=str(folder), compat=mode)
        app.secret_key = "a key for tests only"
        for name, content in (("templates/hello.html", "Hello {{ name }}"), ("static/page.css", "p {}")):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(content)
        self.add_views()
        self.add_data()
        self.add_blueprints()
        self.cookie = self.header("/session/add", "Set-Cookie").partition(";")[0]
        self.etag = self.header("/static/page.css", "ETag")

    def add_views(self):
        add = self.app.add_url_rule
        add("/", "hello", lambda: "hello")
        add("/number/<int:number>", "number", lambda number: f"number {number}")
        add("/template", "template", lambda: render_template("hello.html", name="Ada"))
        add("/snippet", "snippet", lambda: render_template_string("Hello {{ name|e }}", name="Ada"))
        add("/links", "links", lambda: " ".join([url_for("number", number=number) for number in range(10)]))
        add("/stream", "stream", lambda: Response(str(number) for number in range(10)))

        async def wait():
            await asyncio.sleep(0)
            return "done"

        add("/async", "async", wait)

    def add_data(self):
        add = self.app.add_url_rule
        add("/query", "query", lambda: f"{request.args['term']} {request.args.get('number', type=int)}")
        add("/form", "form", lambda: f"{request.form['name']} {request.form['age']}", methods=["POST"])
        add("/json", "json", lambda: jsonify(a=1))
        add("/echo", "echo", lambda: jsonify(request.get_json()), methods=["POST"])
        add("/session", "session", lambda: str(session["visits"]))

        @self.app.route("/session/add")
        def add_visit():
            session["visits"] = session.get("visits", 0) + 1
            return str(session["visits"])

    def add_blueprints(self):
        outer, inner, own, hooks = (Blueprint(name, name) for name in ("outer", "inner", "own", "hooks"))
        inner.add_url_rule("/<int:number>", "part", lambda number: f"part {number}")
        outer.register_blueprint(inner, url_prefix="/inner")
        own.add_url_rule("/missing", "missing", lambda: abort(404))
        own.add_url_rule("/broken", "broken", lambda: 1 // 0)
        own.register_error_handler(404, lambda error: ("lost", 404))
        own.register_error_handler(ZeroDivisionError, lambda error: ("broken", 500))
        hooks.add_url_rule("/", "hello", lambda: "hello")
        hooks.before_request(lambda: None)
        hooks.after_request(lambda response: response)
        hooks.teardown_request(lambda error: None)
        for blueprint in (outer, own, hooks):
            self.app.register_blueprint(blueprint, url_prefix=f"/{blueprint.name}")

    def header(self, path, name):
        with self.app.test_client().get(path) as response:
            return response.headers[name]

    def environ(self, visit):
        """Return the environ of a workload, as a server would make it."""
        environ = environ_for(visit.path, "POST" if visit.content_type else "GET")
        environ |= {"QUERY_STRING": visit.query, "wsgi.input": io.BytesIO(visit.data)}
        if visit.content_type:
            environ |= {"CONTENT_TYPE": visit.content_type, "CONTENT_LENGTH": str(len(visit.data))}
        environ |= {name: {"session": self.cookie, "etag": self.etag}[value] for name, value in visit.headers}
        return environ

    def spend(self, visit, profile):
        """Answer a warm request while `profile` watches, and return the status and the body."""
        for _ in range(4):
            answer(self.app, self.environ(visit))
        environ, begun = self.environ(visit), []
        gc.collect()
        gc.disable()
        sys.setprofile(profile)
        try:
            body = self.app(environ, lambda status, headers: begun.append(status))
            whole = b"".join(body)
            if hasattr(body, "close"):
                body.close()
        finally:
            sys.setprofile(None)
            gc.enable()
        return int(begun[0][:3]), whole.decode()


def answer(app, environ):
    """Let `app` answer, and close the body as a server does."""
    body = app(environ, start_response)
    list(body)
    if hasattr(body, "close"):
        body.close()


@pytest.fixture(params=MODES, scope="module")
def site(request, tmp_path_factory):
    return Site(tmp_path_factory.mktemp("site"), request.param)


@pytest.mark.filterwarnings("ignore:render_template_string")
@pytest.mark.parametrize("workload", BUDGETS)
def test_budget_of_python_calls(site, workload):
    visit, names = BUDGETS[workload], []
    budget = MORE.get((site.app.compat.name, workload), (visit.calls,))[0]

    def profile(frame, event, argument):
        if event == "call":
            names.append(f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}")

    status, text = site.spend(visit, profile)
    assert (status, visit.text in text) == (visit.status, True)
    assert len(names) <= budget, "\n".join(names)


@pytest.mark.skipif(sys.gettrace() is not None, reason="what measures the coverage allocates too")
@pytest.mark.filterwarnings("ignore:render_template_string")
@pytest.mark.parametrize("workload", BUDGETS)
def test_budget_of_allocated_blocks(site, workload):
    """Count the rises of the number of blocks in use, from each call and return of a function to the next.

    An object has one to three blocks; one that is made and freed in between is not seen, and the frame of each Python
    call is one more, which is there only because it is watched.
    """
    visit, blocks, rises = BUDGETS[workload], sys.getallocatedblocks, []
    budget = MORE.get((site.app.compat.name, workload), (visit.blocks,))[-1]
    before = 0

    def profile(frame, event, argument):
        nonlocal before
        now = blocks()
        if now > before > 0:
            rises[-1] += now - before
        before = blocks()

    for _ in range(3):
        before = 0
        rises.append(0)
        status, text = site.spend(visit, profile)
        assert (status, visit.text in text) == (visit.status, True)
    # A cache that grows now and then is seen once.
    assert min(rises) <= budget


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
    for kind in (Headers, ResponseHeaders):
        refusing(kind, "__init__")
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
