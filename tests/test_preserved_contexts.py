"""Contexts that outlive their request: for a debugger after an error, and for a test client in a with block."""

from contextlib import ExitStack

import pytest
from werkzeug.routing import RequestRedirect

from microflask import (
    Flask,
    _request_ctx_stack,
    current_app,
    g,
    has_app_context,
    has_request_context,
    redirect,
    request,
    session,
)
from microflask.debughelpers import FormDataRoutingRedirect

MODES = ("documented", "0.10", "3.1")


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def ends():
    """The names and errors that the teardown functions were called with."""
    return []


@pytest.fixture
def make(ends):
    def make(mode="documented", **config):
        app = Flask("microflask_tests", root_path="/", compat=mode)
        app.secret_key = "a key for tests only"
        app.config.update(config)
        app.teardown_request(lambda error: ends.append(("request", error)))
        app.teardown_appcontext(lambda error: ends.append(("app", error)))
        app.add_url_rule("/", "index", lambda: g.setdefault("text", "fine"))
        app.add_url_rule("/fail", "fail", lambda: 1 / 0)
        app.add_url_rule("/away", "away", lambda: redirect("/"))
        app.add_url_rule("/folder/", "folder", lambda: request.method, methods=["GET", "POST"])
        return app

    return make


# -- after an error


@pytest.mark.parametrize(
    ("mode", "config"),
    [
        ("documented", {"DEBUG": True}),
        ("0.10", {"DEBUG": True}),
        ("documented", {"TESTING": True, "PRESERVE_CONTEXT_ON_EXCEPTION": True}),
        ("3.1", {"DEBUG": True, "PRESERVE_CONTEXT_ON_EXCEPTION": True}),
    ],
)
def test_context_is_kept_after_an_error_until_the_next_request(make, ends, mode, config):
    app = make(mode, **config)
    client = app.test_client()
    with pytest.raises(ZeroDivisionError) as caught:
        client.get("/fail")
    assert request.path == "/fail"
    assert current_app.name == app.name
    assert _request_ctx_stack.top.preserved is True
    assert ends == []
    assert client.get("/").status_code == 200
    assert not has_app_context()
    assert ends == [("request", caught.value), ("app", caught.value), ("request", None), ("app", None)]


@pytest.mark.parametrize("config", [{"DEBUG": True}, {"DEBUG": True, "PRESERVE_CONTEXT_ON_EXCEPTION": True}])
def test_kept_context_gives_way_to_any_other_one(make, ends, config):
    app, other = make(**config), make()
    with pytest.raises(ZeroDivisionError):
        app.test_client().get("/fail")
    with other.test_request_context("/else"):
        assert [name for name, _ in ends] == ["request", "app"]
        assert request.path == "/else"
    assert not has_app_context()


@pytest.mark.parametrize(
    ("mode", "config"),
    [
        ("3.1", {"DEBUG": True}),
        ("3.1", {"TESTING": True}),
        ("documented", {"TESTING": True}),
        ("0.10", {"TESTING": True}),
        ("documented", {"DEBUG": True, "PRESERVE_CONTEXT_ON_EXCEPTION": False}),
        ("0.10", {"PROPAGATE_EXCEPTIONS": True}),
    ],
)
def test_context_is_not_kept_after_an_error(make, ends, mode, config):
    with pytest.raises(ZeroDivisionError) as caught:
        make(mode, **config).test_client().get("/fail")
    assert not has_app_context()
    assert ends == [("request", caught.value), ("app", caught.value)]


def test_context_is_not_kept_where_the_error_was_handled(make, ends, mode):
    app = make(mode, DEBUG=True, PRESERVE_CONTEXT_ON_EXCEPTION=True)
    app.errorhandler(ZeroDivisionError)(lambda error: "handled")
    client = app.test_client()
    assert [client.get(path).status_code for path in ("/", "/missing", "/fail")] == [200, 404, 200]
    assert not has_app_context()
    assert ends == [("request", None), ("app", None)] * 3


def test_error_in_a_with_block_keeps_the_context_too(make, ends):
    app = make(DEBUG=True)
    with pytest.raises(ValueError, match="inside"), app.test_request_context("/here"):
        raise ValueError("inside")
    assert request.path == "/here"
    context = _request_ctx_stack.top
    assert (context.preserved, ends) == (True, [])
    context.pop()
    assert not has_app_context()
    assert len(ends) == 2


# -- by the environ


def test_environ_may_ask_for_the_context_to_be_kept(make, ends, mode):
    app = make(mode)
    environ = app.test_request_context("/").request.environ
    environ["flask._preserve_context"] = True
    assert list(app(environ, lambda status, headers: None)) == [b"fine"]
    assert (request.path, g.text, ends) == ("/", "fine", [])
    _request_ctx_stack.top.pop()
    assert ends == [("request", None), ("app", None)]
    assert not has_app_context()


def test_debugger_may_enter_the_contexts_again(make, mode):
    app = make(mode, DEBUG=True, PRESERVE_CONTEXT_ON_EXCEPTION=False)
    kept = []
    app.before_request(lambda: setattr(g, "user", "peter"))
    environ = app.test_request_context("/fail").request.environ
    environ["werkzeug.debug.preserve_context"] = kept.append
    with pytest.raises(ZeroDivisionError):
        app(environ, lambda status, headers: None)
    assert not has_app_context()
    for _ in range(2):
        with ExitStack() as stack:
            for context in kept:
                stack.enter_context(context)
            assert (request.path, g.user, current_app.name) == ("/fail", "peter", app.name)
        assert not has_app_context()


# -- the test client


def test_client_keeps_the_context_until_the_end_of_the_block(make, ends, mode):
    app = make(mode)
    with app.test_client() as client:
        assert client.get("/?a=1").text == "fine"
        assert (request.args["a"], g.text, ends) == ("1", "fine", [])
    assert ends == [("request", None), ("app", None)]
    assert not has_app_context()


def test_client_keeps_the_context_until_its_next_request(make, ends, mode):
    app = make(mode)
    with app.test_client() as client:
        client.get("/?a=1")
        client.get("/missing?a=2")
        assert request.args["a"] == "2"
        assert not hasattr(g, "text")
        assert len(ends) == 2
    assert len(ends) == 4


def test_client_keeps_nothing_outside_of_a_block(make, ends, mode):
    client = make(mode).test_client()
    with client:
        client.get("/")
    client.get("/")
    assert not has_request_context()
    assert len(ends) == 4


def test_client_keeps_the_last_hop_of_redirects(make, ends, mode):
    with make(mode).test_client() as client:
        assert client.get("/away", follow_redirects=True).text == "fine"
        assert request.path == "/"
        assert len(ends) == 2
    assert len(ends) == 4
    assert not has_app_context()


def test_client_keeps_the_context_of_a_failed_request(make, ends, mode):
    app = make(mode, TESTING=True)
    with app.test_client() as client:
        with pytest.raises(ZeroDivisionError) as caught:
            client.get("/fail")
        assert (request.path, ends) == ("/fail", [])
    assert ends == [("request", caught.value), ("app", caught.value)]
    assert not has_app_context()


def test_other_contexts_come_and_go_over_the_kept_one(make, ends, mode):
    app = make(mode)
    with app.test_client() as client:
        client.get("/?a=1")
        with app.test_request_context("/other"):
            assert request.path == "/other"
        with client.session_transaction() as transaction:
            transaction["user"] = "peter"
        with app.app_context():
            assert current_app.name == app.name
        app.test_client().get("/fail")
        assert (request.path, request.args["a"], g.text) == ("/", "1", "fine")
        client.get("/")
        assert session["user"] == "peter"
    assert not has_app_context()


def test_blocks_of_two_clients_may_be_nested(make, mode):
    app = make(mode)
    with app.test_client() as outer:
        outer.get("/?of=outer")
        with app.test_client() as inner:
            inner.get("/?of=inner")
            assert request.args["of"] == "inner"
        assert request.args["of"] == "outer"
    assert not has_app_context()


def test_blocks_of_one_client_may_not_be_nested(make):
    with make().test_client() as client, pytest.raises(RuntimeError, match="with block"), client:
        pass


def test_error_in_the_block_itself_ends_the_context(make, ends):
    with pytest.raises(ValueError, match="mine"), make().test_client() as client:
        client.get("/")
        raise ValueError("mine")
    assert not has_app_context()
    assert len(ends) == 2


# -- redirects that would lose a form


@pytest.mark.parametrize("mode", ["documented", "3.1"])
def test_form_goes_with_a_slash_redirect(make, mode):
    client = make(mode, DEBUG=True).test_client()
    answer = client.post("/folder", data={"a": "1"})
    assert answer.status_code == 308
    assert client.post("/folder", data={"a": "1"}, follow_redirects=True).text == "POST"


def test_form_that_a_redirect_would_lose_is_an_error_in_debug_mode_of_0_10(make):
    app = make("0.10", DEBUG=True, PRESERVE_CONTEXT_ON_EXCEPTION=False)
    client = app.test_client()
    with pytest.raises(FormDataRoutingRedirect, match="/folder/"):
        client.post("/folder", data={"a": "1"})
    assert client.get("/folder").status_code == 301
    app.debug = False
    assert client.post("/folder", data={"a": "1"}).status_code == 301


@pytest.mark.parametrize(("code", "lost"), [(301, True), (302, True), (307, False)])
def test_status_of_slash_redirects_is_that_of_werkzeug_unless_compat_says_otherwise(make, monkeypatch, code, lost):
    client = make("3.1", DEBUG=True).test_client()
    monkeypatch.setattr(RequestRedirect, "code", code)
    assert client.get("/folder").status_code == code
    if not lost:
        assert client.post("/folder", data={"a": "1"}).status_code == code
        return
    with pytest.raises(FormDataRoutingRedirect, match="canonical URL 'http://localhost/folder/'"):
        client.post("/folder", data={"a": "1"})
