"""The proxies against werkzeug's own, operation by operation."""

import contextlib
import copy
import operator
import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from werkzeug.local import LocalProxy

from microflask import (
    Flask,
    _app_ctx_stack,
    _request_ctx_stack,
    app_ctx,
    current_app,
    g,
    request,
    request_ctx,
    session,
)
from microflask.sessions import SessionInterface

USES = {
    "attribute": lambda it: it.known,
    "missing attribute": lambda it: it.unknown,
    "missing attribute with a default": lambda it: getattr(it, "unknown", 7),
    "special attribute": lambda it: it.__dict__,
    "assigned attribute": lambda it: (setattr(it, "new", 1), it.new),
    "deleted attribute": lambda it: (delattr(it, "known"), hasattr(it, "known")),
    "item": lambda it: it["known"],
    "missing item": lambda it: it["unknown"],
    "assigned item": lambda it: (operator.setitem(it, "new", 1), it["new"]),
    "deleted item": lambda it: (operator.delitem(it, "known"), "known" in it),
    "deleted missing item": lambda it: operator.delitem(it, "unknown"),
    "in": lambda it: ("known" in it, "unknown" in it),
    "in without a hash": lambda it: [] in it,
    "iteration": lambda it: iter(it) if it._get_current_object() is not None else None,
    "reversed": reversed,
    "length": len,
    "length hint": operator.length_hint,
    "truth": bool,
    "equality": lambda it: (it == it._get_current_object(), it != it._get_current_object(), it == 1),
    "order": lambda it: it < 1,
    "hash": lambda it: hash(it) == hash(it._get_current_object()),
    "call": lambda it: it(1, two=2),
    "class": lambda it: (isinstance(it, dict), it.__class__.__name__),
    "class of the proxy": lambda it: issubclass(type(it), LocalProxy),
    "doc": lambda it: it.__doc__,
    "dir": dir,
    "repr": repr,
    "str": str,
    "copy": lambda it: type(copy.copy(it)),
    "sum": lambda it: it + 1,
    "union": lambda it: it | {"other": 2},
    "update": lambda it: operator.ior(it, {"other": 2}) is it,
    "method of the class": lambda it: type(it).__getitem__(it, "known"),
    "length by the class": lambda it: type(it).__len__(it),
}


class Thing:
    """Have an attribute, and no items."""

    def __init__(self):
        self.known = "value"

    def __call__(self, *args, **kwargs):
        return args, kwargs


class Store(dict):
    """Have items, attributes, and a truth of its own."""

    known = "of the class"

    def __init__(self):
        super().__init__(known=1, second=2)

    def __bool__(self):
        return False


class Refusing:
    def __len__(self):
        raise RuntimeError("it will not be counted")

    def __getattr__(self, name):
        raise AttributeError(f"no {name} here")


def result_of(use, proxy):
    """Return what a use of a proxy gives: its value, or its error."""
    try:
        value = use(proxy)
    except Exception as error:
        value = (type(error), str(error))
    # Where an object lies is no difference.
    return re.sub(" at 0x[0-9a-f]+", "", repr([*value] if isinstance(value, Iterator) else value))


def bind_g(contexts, make):
    app = Flask("proxies", root_path="/")
    app.app_ctx_globals_class = make
    contexts.enter_context(app.test_request_context())


def bind_session(contexts, make):
    contexts.enter_context(Flask("proxies", root_path="/").test_request_context()).session = make()


def bind_request(contexts, make):
    contexts.enter_context(Flask("proxies", root_path="/").test_request_context()).request = make()


def bind_app(contexts, make):
    _app_ctx_stack.push(SimpleNamespace(app=make()))
    contexts.callback(_app_ctx_stack.pop)


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("make", [Thing, Store, Refusing, lambda: 5, list, None])
@pytest.mark.parametrize(
    ("proxy", "bind"),
    [(g, bind_g), (session, bind_session), (request, bind_request), (current_app, bind_app)],
    ids=["g", "session", "request", "current_app"],
)
def test_proxy_does_what_werkzeugs_does(proxy, bind, make, use):
    results = []
    for tried in (proxy, LocalProxy(proxy._get_current_object)):
        with contextlib.ExitStack() as contexts:
            if make is not None:
                bind(contexts, make)
            results.append(result_of(use, tried))
    assert results[0] == results[1]


@pytest.mark.parametrize("proxy", [g, session, request, current_app], ids=["g", "session", "request", "current_app"])
def test_iteration_says_what_is_missing_where_werkzeugs_says_that_it_is_not_iterable(proxy):
    with pytest.raises(RuntimeError, match="Working outside of"):
        iter(proxy)


def test_doc_of_a_proxy_is_that_of_its_object(app):
    with app.test_request_context():
        assert request.__doc__ == app.request_class.__doc__
        assert current_app.__doc__ == Flask.__doc__


def test_session_that_cannot_be_opened_is_no_session(app):
    class Away(SessionInterface):
        opening = False

        def open_session(self, app, request):
            if self.opening:
                raise RuntimeError("the store is away")
            return {}

    with app.test_request_context() as ctx:
        ctx.app.session_interface = away = Away()
        away.opening = True
        assert not session
        for use in (len, iter, lambda it: it["n"], lambda it: it.get("n")):
            with pytest.raises(RuntimeError, match="the store is away"):
                use(session)


def test_session_in_place_of_the_opened_one(app):
    with app.test_request_context() as ctx:
        session["n"] = 1
        ctx.session = {"n": 2}
        assert session["n"] == 2
        session["m"] = 3
        assert ctx.session == {"n": 2, "m": 3}


@pytest.mark.parametrize("look", [lambda: session.new, lambda: len(session), lambda: "n" in session, lambda: session])
def test_look_at_the_session_counts_as_access(app, look):
    with app.test_request_context() as ctx:
        opened = ctx.open_session()
        assert not opened.accessed
        look() is session and bool(session)
        assert opened.accessed


def test_g_is_what_its_application_context_has(app):
    with app.test_request_context():
        g.first = 1
        assert app_ctx.g.first == 1
        other = app_ctx.g = SimpleNamespace(first="other")
        assert g.first == "other"
        g.second = 2
        assert other.second == 2
        assert request_ctx.g is other
    with app.app_context():
        g.first = 1
        app_ctx.g = other
        assert (g.first, g.second) == ("other", 2)


def test_g_is_empty_at_the_next_push_of_a_context(app):
    ctx = app.test_request_context()
    for _ in range(2):
        with ctx:
            assert "first" not in g
            g.first = 1
            assert g.first == 1


def test_context_of_another_make_on_the_stack():
    _request_ctx_stack.push(SimpleNamespace(request=SimpleNamespace(path="/own"), session={"n": 1}))
    _app_ctx_stack.push(SimpleNamespace(g=SimpleNamespace(first=1), app="an application"))
    try:
        assert (request.path, session["n"], g.first, current_app.upper()) == ("/own", 1, 1, "AN APPLICATION")
        g.second = 2
        assert g.second == 2
    finally:
        _app_ctx_stack.pop()
        _request_ctx_stack.pop()


def test_request_that_is_assigned_is_the_current_one(app):
    with app.test_request_context("/first") as ctx:
        assert request.path == "/first"
        ctx.request = app.request_class({**ctx.environ, "PATH_INFO": "/second"})
        assert request.path == "/second"
        assert request == ctx.request
