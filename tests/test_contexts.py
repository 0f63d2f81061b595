"""What is current: the contexts, the proxies over them, the two documented stacks, and copies for elsewhere."""

import contextvars
import threading

import pytest
from threads import in_thread

from microflask import (
    Flask,
    _app_ctx_stack,
    _request_ctx_stack,
    app_ctx,
    appcontext_pushed,
    copy_current_request_context,
    current_app,
    flash,
    g,
    get_flashed_messages,
    has_app_context,
    has_request_context,
    request,
    request_ctx,
    session,
    url_for,
)
from microflask.ctx import AppContext, RequestContext
from microflask.sessions import SecureCookieSessionInterface

MODES = ("documented", "0.10", "3.1")


def make(mode="documented", name="microflask_tests"):
    app = Flask(name, root_path="/", compat=mode)
    app.secret_key = "a key for tests only"
    return app


@pytest.fixture
def ends(app):
    """What the teardown functions of the application were called with."""
    ends = []
    app.teardown_request(lambda error: ends.append(("request", error)))
    app.teardown_appcontext(lambda error: ends.append(("app", error)))
    return ends


# -- outside of every context


@pytest.mark.parametrize(
    ("proxy", "what"),
    [
        (current_app, "application"), (g, "application"), (app_ctx, "application"), (request, "request"),
        (session, "request"), (request_ctx, "request"),
    ],
    ids=["current_app", "g", "app_ctx", "request", "session", "request_ctx"],
)  # fmt: skip
def test_proxy_that_is_not_bound_says_what_is_missing(proxy, what):
    for use in (lambda: proxy.anything, lambda: proxy._get_current_object(), lambda: setattr(proxy, "a", 1)):
        with pytest.raises(RuntimeError, match=f"There is no current {what} here"):
            use()
    assert not proxy
    assert "unbound" in repr(proxy)


def test_request_is_missing_inside_of_an_application_context(app):
    with app.app_context():
        assert has_app_context() and not has_request_context()
        assert not request and not session
        with pytest.raises(RuntimeError, match="test_request_context"):
            request.path  # noqa: B018
        assert current_app and g


def test_nothing_is_current_outside():
    assert not has_app_context() and not has_request_context()
    assert _app_ctx_stack.top is None and _request_ctx_stack.top is None


# -- binding


@pytest.mark.parametrize("mode", MODES)
def test_application_context_binds_the_application(mode):
    app = make(mode)
    context = app.app_context()
    assert isinstance(context, AppContext)
    with context as entered:
        assert entered is context
        assert current_app._get_current_object() is app
        assert app_ctx._get_current_object() is context is _app_ctx_stack.top
        assert g._get_current_object() is context.g
        assert context.app is app
    assert not has_app_context()


@pytest.mark.parametrize("mode", MODES)
def test_request_context_binds_both(mode):
    app = make(mode)
    context = app.test_request_context("/a?b=c")
    assert isinstance(context, RequestContext)
    with context as entered:
        assert entered is context is _request_ctx_stack.top is request_ctx._get_current_object()
        assert has_app_context() and has_request_context()
        assert (request.path, request.args["b"]) == ("/a", "c")
        assert request._get_current_object() is context.request
        assert current_app._get_current_object() is app is context.app
        assert _app_ctx_stack.top.app is app
    assert not has_app_context()


def test_contexts_work_without_a_with_block(app, ends):
    for context in (app.app_context(), app.test_request_context()):
        context.push()
        assert current_app
        context.pop()
        assert not has_app_context()
    assert [name for name, _ in ends] == ["app", "request", "app"]


def test_teardown_functions_run_where_no_request_was_performed(app, ends):
    with app.test_request_context():
        assert ends == []
    assert ends == [("request", None), ("app", None)]
    error = ValueError("why")
    with pytest.raises(ValueError, match="why"), app.test_request_context():
        raise error
    with pytest.raises(ValueError, match="why"), app.app_context():
        raise error
    assert ends[2:] == [("request", error), ("app", error), ("app", error)]


def test_context_knows_what_matched(app):
    app.add_url_rule("/user/<int:number>", "user", lambda number: "")
    with app.test_request_context("/user/4") as context:
        assert (request.endpoint, request.view_args) == ("user", {"number": 4})
        assert request.url_rule.rule == "/user/<int:number>"
        assert request.routing_exception is None
        assert context.url_adapter.build("user", {"number": 5}) == "/user/5"
        assert "/user/4" in repr(context) and "GET" in repr(context)
    with app.test_request_context("/missing"):
        assert (request.endpoint, request.view_args, request.url_rule) == (None, None, None)
        assert request.routing_exception.code == 404


def test_matching_may_be_hooked_into(app):
    class Mine(RequestContext):
        def match_request(self):
            super().match_request()
            self.request.view_args = {"seen": True}

    app.request_context = lambda environ: Mine(app, environ)
    with app.test_request_context():
        assert request.view_args == {"seen": True}


def test_session_is_opened_when_it_is_looked_at(app, monkeypatch):
    opened = []
    original = SecureCookieSessionInterface.open_session

    def open_session(self, app, request):
        opened.append(1)
        return original(self, app, request)

    monkeypatch.setattr(SecureCookieSessionInterface, "open_session", open_session)
    with app.test_request_context() as context:
        assert opened == []
        session["a"] = 1
        assert session["a"] == 1
        assert opened == [1]
        assert context.session == {"a": 1}


# -- the proxies


def test_proxies_behave_as_what_they_stand_for(app):
    with app.test_request_context("/", method="POST", json={"a": 1}):
        assert isinstance(request, app.request_class)
        assert isinstance(current_app, Flask)
        assert request == request._get_current_object()
        assert hasattr(request, "path") and not hasattr(request, "no_such_thing")
        assert request.get_json() == {"a": 1}
        request.mark = "set"
        assert request_ctx.request.mark == "set"
        del request.mark
        assert not hasattr(request, "mark")
        session["list"] = [1]
        session["list"].append(2)
        assert (len(session), "list" in session, list(session), session["list"]) == (1, True, ["list"], [1, 2])
        assert bool(request) is bool(current_app) is True
        assert bool(session) is True
        session.clear()
        assert not session
        with pytest.raises(AttributeError, match="no_such_thing"):
            request.no_such_thing  # noqa: B018


def test_proxy_follows_the_current_context(app):
    paths = []
    for path in ("/a", "/b"):
        with app.test_request_context(path):
            paths.append(request.path)
            with app.test_request_context(f"{path}/inner"):
                paths.append(request.path)
            paths.append(request.path)
    assert paths == ["/a", "/a/inner", "/a", "/b", "/b/inner", "/b"]


# -- g


def test_g_is_a_namespace(app):
    with app.app_context():
        assert g.get("user") is None
        assert g.get("user", "nobody") == "nobody"
        assert "user" not in g
        g.user = "peter"
        assert g.user == g.get("user") == getattr(g, "user", None) == "peter"
        assert "user" in g and list(g) == ["user"]
        assert g.setdefault("user", "paul") == "peter"
        assert g.setdefault("number", 4) == g.number == 4
        assert g.pop("number") == 4
        assert g.pop("number", "gone") == "gone"
        with pytest.raises(KeyError):
            g.pop("number")
        del g.user
        assert list(g) == []
        with pytest.raises(AttributeError, match=r"g\.get\('user'\)"):
            g.user  # noqa: B018
        assert app.name in repr(g)


def test_each_context_has_a_g_of_its_own(app):
    with app.app_context():
        g.value = "outer"
        with app.app_context():
            assert "value" not in g
            g.value = "inner"
        assert g.value == "outer"
    with app.app_context():
        assert "value" not in g


def test_g_is_empty_when_a_request_context_is_entered_again(app):
    context = app.test_request_context()
    for _ in range(2):
        with context:
            assert list(g) == []
            g.value = 1
            assert context.g is g._get_current_object()


def test_g_stays_with_an_application_context(app):
    context = app.app_context()
    with context:
        g.value = 1
    with context:
        assert g.value == 1


# -- contexts inside of contexts


def test_request_inside_of_its_application_context_shares_g_and_tears_down_once(app, ends):
    with app.app_context() as context:
        g.value = "outer"
        with app.test_request_context() as inner:
            assert app_ctx._get_current_object() is context is inner.app_context
            assert g.value == "outer"
            g.value = "inner"
        assert ends == [("request", None)]
        assert g.value == "inner"
    assert ends == [("request", None), ("app", None)]


def test_nested_requests_of_one_application_share_g(app, ends):
    with app.test_request_context("/a"):
        g.value = 1
        with app.test_request_context("/b"):
            assert (request.path, g.value) == ("/b", 1)
        assert ends == [("request", None)]
        assert request.path == "/a"
    assert [name for name, _ in ends] == ["request", "request", "app"]


def test_requests_of_two_applications_are_apart(app, ends):
    other = make(name="other")
    with app.test_request_context("/a"):
        g.value = 1
        with other.test_request_context("/b"):
            assert (current_app.name, request.path, "value" in g) == ("other", "/b", False)
        assert ends == []
        with other.app_context():
            assert (current_app.name, request.path, "value" in g) == ("other", "/a", False)
            with app.test_request_context("/c"):
                assert (current_app.name, request.path, "value" in g) == (app.name, "/c", False)
        assert (current_app.name, request.path, g.value) == (app.name, "/a", 1)


def test_application_context_inside_of_a_request_has_a_g_of_its_own(app, ends):
    with app.test_request_context("/a"):
        g.value = 1
        with app.app_context():
            assert request.path == "/a"
            assert "value" not in g
        assert ends == [("app", None)]
        assert g.value == 1


@pytest.mark.parametrize("make_context", [Flask.app_context, Flask.test_request_context])
def test_context_entered_twice_tears_down_once(app, ends, make_context):
    log, context = [], make_context(app)
    with appcontext_pushed.connected_to(lambda sender: log.append("pushed"), app), context:
        g.value = 1
        with context:
            assert (g.value, current_app.name) == (1, app.name)
        assert ends == []
        assert (g.value, current_app.name) == (1, app.name)
    assert ends[-1:] == [("app", None)] and len(ends) < 3
    assert log[0] == "pushed"
    assert not has_app_context()


def test_request_context_entered_again_in_other_company(app, ends):
    context = app.test_request_context("/a")
    with context:
        g.value = "of the request"
        with app.app_context():
            g.value = "of the application"
            with context:
                assert (request.path, g.value) == ("/a", "of the application")
            assert g.value == "of the application"
        assert (request.path, g.value) == ("/a", "of the request")
    assert ends == [("app", None), ("request", None), ("app", None)]


def test_application_teardown_sees_the_outer_request_only(app):
    other, seen = make(name="other"), []
    other.teardown_appcontext(lambda error: seen.append(request.path if has_request_context() else None))
    with other.test_request_context("/alone"):
        pass
    with app.test_request_context("/outer"), other.test_request_context("/inner"):
        pass
    assert seen == [None, "/outer"]


@pytest.mark.parametrize("make_context", [Flask.app_context, Flask.test_request_context])
def test_contexts_end_in_reverse_order(app, make_context):
    first, second = make_context(app), make_context(make(name="other"))
    first.push()
    second.push()
    with pytest.raises(AssertionError, match="reverse order"):
        first.pop()
    second.pop()
    first.pop()
    with pytest.raises(AssertionError, match="reverse order"):
        first.pop()


# -- the stacks


def test_stacks_show_the_innermost_context(app):
    with app.app_context() as outer:
        assert (_app_ctx_stack.top, _request_ctx_stack.top) == (outer, None)
        with app.test_request_context() as inner:
            assert (_app_ctx_stack.top, _request_ctx_stack.top) == (outer, inner)
    assert (_app_ctx_stack.top, _request_ctx_stack.top) == (None, None)


def test_layer_of_the_request_stack_has_the_documented_attributes(app):
    with app.test_request_context("/"):
        flash("hello")
        top = _request_ctx_stack.top
        assert top.app is app
        assert top.request is request._get_current_object()
        assert top.session == session
        assert top.g is g._get_current_object()
        assert top.url_adapter.build("static", {"filename": "a"}) == "/static/a"
        assert top.flashes is None
        assert get_flashed_messages() == ["hello"]
        assert top.flashes == [("message", "hello")]


@pytest.mark.parametrize("stack", [_app_ctx_stack, _request_ctx_stack])
def test_extension_may_keep_something_on_a_layer(app, stack):
    with app.test_request_context():
        assert not hasattr(stack.top, "my_database")
        stack.top.my_database = "connection"
        assert stack.top.my_database == "connection"
    with app.test_request_context():
        assert not hasattr(stack.top, "my_database")


def test_contexts_may_be_pushed_on_the_stacks_by_hand(app, ends):
    context = app.test_request_context("/by/hand")
    application = app.app_context()
    assert _app_ctx_stack.push(application) is application
    assert _request_ctx_stack.push(context) is context
    assert (request.path, current_app.name, _app_ctx_stack.top) == ("/by/hand", app.name, application)
    assert _request_ctx_stack.pop() is context
    assert _app_ctx_stack.pop() is application
    assert not has_app_context()
    assert ends == []


def test_popping_the_stack_of_a_pushed_context_unbinds_it(app):
    context = app.test_request_context()
    context.push()
    assert _request_ctx_stack.pop() is context
    assert not has_request_context()
    assert _request_ctx_stack.pop() is None


def test_request_of_a_context_brings_the_environ(app):
    original = app.test_request_context("/here?a=1").request
    with RequestContext(app, {}, request=original, session={"b": 2}):
        assert (request.path, request.args["a"], session["b"]) == ("/here", "1", 2)


def test_pushing_the_current_contexts_again_ends_nothing(app, ends):
    @app.route("/")
    def index():
        with app_ctx, request_ctx, app_ctx:
            assert ends == []
        assert request.environ["werkzeug.request"] is request._get_current_object()
        return "still here"

    assert app.test_client().get("/").text == "still here"
    assert ends == [("request", None), ("app", None)]


def test_stack_has_the_parts_that_old_programs_reach_for(app):
    assert _app_ctx_stack.__ident_func__() == _app_ctx_stack._local.__ident_func__() == threading.get_ident()
    _app_ctx_stack._local.__storage__["own"] = [1]
    with app.app_context():
        assert _app_ctx_stack._local.__storage__ == {"own": [1]}
    del _app_ctx_stack._local.__storage__["own"]


def test_stack_answers_as_a_context_variable(app):
    context = app.test_request_context("/a")
    with pytest.raises(LookupError, match="_request_ctx_stack"):
        _request_ctx_stack.get()
    assert _request_ctx_stack.get(None) is None
    token = _request_ctx_stack.set(context)
    assert _request_ctx_stack.get() is context
    assert "/a" in repr(_request_ctx_stack)
    _request_ctx_stack.reset(token)
    assert not has_request_context()


def test_anything_with_an_application_may_be_pushed_on_the_application_stack(app):
    class Layer:
        def __init__(self, app):
            self.app = app

    layer = Layer(app)
    _app_ctx_stack.push(layer)
    assert current_app._get_current_object() is app
    assert _app_ctx_stack.top is layer
    assert _app_ctx_stack.pop() is layer
    assert not has_app_context()


def test_stack_called_gives_a_proxy(app):
    proxy = _request_ctx_stack()
    assert not proxy
    with pytest.raises(RuntimeError, match="_request_ctx_stack"):
        proxy.request  # noqa: B018
    with app.test_request_context("/proxied"):
        assert proxy.request.path == "/proxied"


# -- URLs without a request


@pytest.mark.parametrize("mode", MODES)
def test_application_context_builds_absolute_urls(mode):
    app = make(mode)
    app.add_url_rule("/a", "a", lambda: "")
    with app.app_context(), pytest.raises(RuntimeError, match="SERVER_NAME"):
        url_for("a")
    app.config.update(SERVER_NAME="shop.test:8000", APPLICATION_ROOT="/shop", PREFERRED_URL_SCHEME="https")
    with app.app_context() as context:
        assert url_for("a") == "https://shop.test:8000/shop/a"
        assert url_for("a", _external=False) == "/shop/a"
        assert context.url_adapter is app_ctx.url_adapter


# -- elsewhere


def test_nothing_is_current_in_another_thread(app):
    with app.test_request_context():
        assert in_thread(has_app_context) is False


def test_copy_has_the_same_request_and_session(app):
    with app.test_request_context("/a") as context:
        session["user"] = "peter"
        g.value = 1
        copy = context.copy()
    assert copy is not context and copy.request is context.request

    def look():
        with copy:
            return request.path, session["user"], "value" in g

    assert in_thread(look) == ("/a", "peter", False)


def test_decorated_function_sees_the_request_later(app):
    with app.test_request_context("/a"):
        session["user"] = "peter"

        @copy_current_request_context
        def work(suffix, *, mark):
            """Work."""
            session["worked"] = True
            return request.path + suffix + mark + session["user"] + current_app.name

        inside = in_thread(lambda: work("b", mark="c"))
        assert session["worked"] is True
    assert inside == "/abcpeter" + app.name
    assert (work.__name__, work.__doc__) == ("work", "Work.")
    # The request is over, and the function may be called as often as one likes.
    assert work("x", mark="y") == in_thread(lambda: work("x", mark="y")) == "/axypeter" + app.name
    assert not has_request_context()


def test_decorated_function_runs_beside_the_request(app):
    started, go_on = threading.Event(), threading.Event()
    found = []

    @app.route("/<name>")
    def view(name):
        @copy_current_request_context
        def work():
            started.set()
            go_on.wait(5)
            found.append((request.path, request.view_args, has_app_context()))

        thread = threading.Thread(target=work)
        thread.start()
        view.threads.append(thread)
        started.wait(5)
        return name

    view.threads = []
    client = app.test_client()
    assert client.get("/first").text == "first"
    assert client.get("/second").text == "second"
    go_on.set()
    for thread in view.threads:
        thread.join()
    assert sorted(path for path, _, _ in found) == ["/first", "/second"]
    assert all(arguments == {"name": path[1:]} for path, arguments, _ in found)


def test_function_cannot_be_decorated_without_a_request(app):
    with app.app_context(), pytest.raises(RuntimeError, match="copy_current_request_context"):
        copy_current_request_context(print)


def test_copied_context_variables_carry_the_context(app):
    with app.test_request_context("/a"):
        kept = contextvars.copy_context()
    assert not has_request_context()
    assert kept.run(lambda: request.path) == "/a"


def test_context_may_end_where_it_did_not_begin(app, ends):
    """As fixtures and event loops make it happen: pushed in one set of context variables, popped in a copy of it."""
    context = app.test_request_context()
    began = contextvars.copy_context()
    began.run(context.push)
    ended = began.copy()
    ended.run(context.pop)
    assert ended.run(has_app_context) is False
    assert ends == [("request", None), ("app", None)]


def test_a_context_whose_beginning_fails_leaves_nothing_behind(app):
    ended = []
    app.teardown_request(ended.append)

    class Failing(SecureCookieSessionInterface):
        lazy = False

        def open_session(self, app, request):
            raise ValueError("no session today")

    app.session_interface = Failing()
    with pytest.raises(ValueError, match="no session today"), app.test_request_context("/"):
        pass
    assert not has_request_context()
    assert [str(error) for error in ended] == ["no session today"]
