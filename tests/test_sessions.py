"""Sessions: the mappings, what is sent when, and the contract of interfaces."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from itsdangerous import URLSafeTimedSerializer
from session_tools import get, make_app, open_cookies, pair, reference
from werkzeug.http import parse_cookie

import microflask.sessions
from microflask import session
from microflask.sessions import (
    NullSession,
    SecureCookieSession,
    SecureCookieSessionInterface,
    SessionInterface,
    SessionMixin,
)

# -- the mappings


@pytest.mark.parametrize(
    "look",
    [
        lambda s: s["a"],
        lambda s: s.get("a"),
        lambda s: s.get("missing", 1),
        lambda s: s.setdefault("a", 2),
        lambda s: "a" in s,
        lambda s: "missing" in s,
        list,
        len,
        bool,
        dict,
        reversed,
        json.dumps,
        lambda s: {**s},
        lambda s: s.keys(),
        lambda s: s.values(),
        lambda s: s.items(),
        lambda s: s == {"a": 1},
        lambda s: s != {"a": 1},
        lambda s: s | {},
        lambda s: {} | s,
        lambda s: s.copy(),
        lambda s: s.permanent,
        lambda s: s.pop("missing", None),
    ],
)
def test_every_look_counts_as_access_and_not_as_change(look: Any) -> None:
    opened = SecureCookieSession({"a": 1})
    assert (opened.accessed, opened.modified, opened.new) == (False, False, False)
    look(opened)
    assert (opened.accessed, opened.modified) == (True, False)
    assert opened == {"a": 1}


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda s: s.__setitem__("b", 2), {"a": 1, "b": 2}),
        (lambda s: s.__delitem__("a"), {}),
        (lambda s: s.update(b=2), {"a": 1, "b": 2}),
        (lambda s: s.__ior__({"b": 2}), {"a": 1, "b": 2}),
        (lambda s: s.setdefault("b", 2), {"a": 1, "b": 2}),
        (lambda s: s.pop("a"), {}),
        (lambda s: s.popitem(), {}),
        (lambda s: s.clear(), {}),
        (lambda s: setattr(s, "permanent", True), {"a": 1, "_permanent": True}),
    ],
)
def test_every_change_counts_as_change_and_as_access(change: Any, left: dict[str, Any]) -> None:
    opened = SecureCookieSession({"a": 1})
    change(opened)
    assert (opened.accessed, opened.modified) == (True, True)
    assert opened == left


def test_what_on_update_is_hears_of_changes() -> None:
    opened, heard = SecureCookieSession(), []
    opened.on_update = heard.append
    opened["a"] = 1
    opened.pop("a")
    assert (len(heard), opened.modified) == (2, False)
    opened.on_update = None
    opened["b"] = opened.get("a", 2)
    assert (dict(opened), opened.modified, opened.accessed) == ({"b": 2}, False, True)


def test_a_subclass_that_begins_its_own_way_has_the_flags_all_the_same() -> None:
    class Own(SecureCookieSession):
        def __init__(self, initial: Any = None) -> None:
            dict.__init__(self, initial or {})

    class Heir(Own):
        modified = True

    opened = Own({"a": 1})
    assert (opened.accessed, opened.modified, Heir().modified) == (False, False, True)
    opened["b"] = opened["a"]
    assert (opened.accessed, opened.modified, "b" in opened) == (True, True, True)
    assert (Own().accessed, Own().modified) == (False, False)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_keep_data_and_flags(again: Any) -> None:
    opened = SecureCookieSession({"a": 1})
    opened["b"] = 2
    made = again(opened)
    assert type(made) is SecureCookieSession
    assert (made, made.modified, made.accessed) == ({"a": 1, "b": 2}, True, True)


def test_a_change_inside_a_value_has_to_be_told() -> None:
    opened = SecureCookieSession({"list": []})
    opened["list"].append(1)
    assert not opened.modified
    opened.modified = True
    assert opened.modified


def test_permanent_is_the_key_of_that_name() -> None:
    opened = SecureCookieSession()
    assert opened.permanent is False
    opened.permanent = 1  # type: ignore[assignment]
    assert opened["_permanent"] is True
    opened["_permanent"] = False
    assert opened.permanent is False


def test_a_session_can_be_copied() -> None:
    opened = SecureCookieSession({"a": [1]})
    twin = copy.deepcopy(opened)
    twin["a"].append(2)
    assert (opened["a"], twin["a"], type(twin)) == ([1], [1, 2], SecureCookieSession)


def test_the_documented_recipe_of_a_session_class() -> None:
    class Session(dict, SessionMixin):  # type: ignore[type-arg,misc]
        pass

    opened = Session(a=1)
    opened.permanent = True
    assert (opened, opened.permanent) == ({"a": 1, "_permanent": True}, True)
    assert (opened.new, opened.modified, opened.accessed) == (False, True, False)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.__setitem__("b", 2),
        lambda s: s.__delitem__("a"),
        lambda s: s.update(b=2),
        lambda s: s.__ior__({"b": 2}),
        lambda s: s.setdefault("b"),
        lambda s: s.pop("a", None),
        lambda s: s.popitem(),
        lambda s: s.clear(),
        lambda s: setattr(s, "permanent", True),
    ],
)
def test_without_a_secret_key_every_change_names_the_way_out(change: Any) -> None:
    with pytest.raises(RuntimeError, match="secret_key"):
        change(NullSession())


def test_without_a_secret_key_reading_works() -> None:
    app = make_app(SECRET_KEY=None)
    with app.test_request_context():
        assert (session.get("a"), "a" in session, len(session), session.permanent) == (None, False, 0, False)
        with pytest.raises(KeyError):
            session["a"]
    assert get(app, "/read") == (None, None)


# -- what is sent when


def test_the_cookie_of_3_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1763701200)
    app = make_app()
    assert get(app, "/none") == (None, None)
    assert get(app, "/read") == (None, "Cookie")
    written, vary = get(app, "/write")
    assert vary == "Cookie"
    assert written == "session=" + reference().dumps({"a": 1}) + "; HttpOnly; Path=/"
    cookie = pair(written)
    assert get(app, "/none", cookie) == (None, None)
    assert get(app, "/read", cookie) == (None, "Cookie")
    deleted, vary = get(app, "/clear", cookie)
    assert vary == "Cookie"
    assert deleted == "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/"


def test_a_permanent_session_is_refreshed_with_each_response() -> None:
    app = make_app()
    written, _ = get(app, "/permanent")
    assert written is not None
    assert "Expires=" in written
    for path in ("/none", "/read"):
        refreshed, vary = get(app, path, pair(written))
        assert refreshed is not None
        assert (pair(refreshed).split(".")[0], vary) == (pair(written).split(".")[0], "Cookie")
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    assert get(app, "/none", pair(written)) == (None, None)
    assert get(app, "/read", pair(written)) == (None, "Cookie")


def test_0_10_sends_every_session_that_is_not_empty_again() -> None:
    app = make_app("0.10")
    assert get(app, "/none")[0] is None
    assert get(app, "/read")[0] is None
    cookie = pair(get(app, "/write")[0])
    for path in ("/none", "/read"):
        again, _ = get(app, path, cookie)
        assert pair(again).split(".")[0] == cookie.split(".")[0]
    assert "Max-Age=0" in str(get(app, "/clear", cookie)[0])


@pytest.mark.parametrize("path", ["/write", "/clear"])
def test_the_configuration_rules_both_setting_and_deleting(path: str) -> None:
    app = make_app(
        SESSION_COOKIE_NAME="other", SESSION_COOKIE_DOMAIN="example.com", SESSION_COOKIE_PATH="/p",
        SESSION_COOKIE_SECURE=True, SESSION_COOKIE_HTTPONLY=False, SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PARTITIONED=True,
    )  # fmt: skip
    cookie, _ = get(app, path)
    assert cookie is not None
    assert cookie.startswith("other=")
    attributes = set(cookie.split("; ")[1:]) - {"Expires=Thu, 01 Jan 1970 00:00:00 GMT", "Max-Age=0"}
    assert attributes == {"Domain=example.com", "Path=/p", "Secure", "SameSite=Lax", "Partitioned"}

COOKIE_SETTINGS = {
    "SESSION_COOKIE_DOMAIN": ("example.com", "Domain=example.com"),
    "SESSION_COOKIE_PATH": ("/p", "Path=/p"),
    "APPLICATION_ROOT": ("/r", "Path=/r"),
    "SESSION_COOKIE_SECURE": (True, "Secure"),
    "SESSION_COOKIE_HTTPONLY": (False, "no HttpOnly"),
    "SESSION_COOKIE_SAMESITE": ("Lax", "SameSite=Lax"),
    "SESSION_COOKIE_PARTITIONED": (True, "Partitioned"),
}


def attributes_of(cookie: str | None) -> set[str]:
    """Return the attributes of a cookie, and what stands for a missing HttpOnly."""
    assert cookie is not None
    found = set(cookie.split("; ")[1:])
    return found if "HttpOnly" in found else found | {"no HttpOnly"}


@pytest.mark.parametrize(("key", "value", "attribute"), [(key, *told) for key, told in COOKIE_SETTINGS.items()])
def test_settings_of_the_cookie_may_change_between_requests(key: str, value: Any, attribute: str) -> None:
    app = make_app()
    first = app.config[key]
    before = attributes_of(get(app, "/write")[0])
    assert attribute not in before
    app.config[key] = value
    assert attribute in attributes_of(get(app, "/write")[0])
    assert attribute in attributes_of(get(app, "/clear", get(app, "/write")[0])[0])
    app.config.update({key: first})
    assert attributes_of(get(app, "/write")[0]) == before


def test_settings_of_the_cookie_may_change_during_a_request() -> None:
    app = make_app()
    paths = iter(("/1", "/2"))
    app.before_request(lambda: app.config.__setitem__("SESSION_COOKIE_PATH", next(paths)))
    assert "Path=/1" in attributes_of(get(app, "/write")[0])
    assert "Path=/2" in attributes_of(get(app, "/write")[0])


def test_row_of_behaviours_may_change_between_requests() -> None:
    app = make_app("3.1", SERVER_NAME="example.com")
    base = {"base_url": "http://example.com"}
    for mode, dotted in (("3.1", False), ("0.10", True), ("3.1", False)):
        app.compat = make_app(mode).compat
        cookie = app.test_client().get("/write", **base).headers["Set-Cookie"]
        assert ("example.com" in cookie) is dotted


def test_applications_that_share_an_interface_have_their_own_settings() -> None:
    one, other = make_app(), make_app(SESSION_COOKIE_PATH="/other")
    one.session_interface = other.session_interface = SecureCookieSessionInterface()
    for _ in range(2):
        assert "Path=/" in attributes_of(get(one, "/write")[0])
        assert "Path=/other" in attributes_of(get(other, "/write")[0])


def numbered(name: str) -> tuple[Any, list[str]]:
    """Return a method for a cookie's path that gives another one each time, and what it gave."""
    given: list[str] = []

    def find(*_: Any) -> str:
        given.append(f"/{len(given)}")
        return given[-1]

    find.__name__ = name
    return find, given


@pytest.mark.parametrize("how", ["class", "mixin", "subclass of it", "object"])
def test_methods_of_the_cookie_that_are_taken_over_are_asked_each_time(how: str) -> None:
    find, given = numbered("get_cookie_path")
    if how == "object":
        interface: Any = SecureCookieSessionInterface()
        interface.get_cookie_path = find
    elif how == "mixin":
        mixin = type("Mixin", (), {"get_cookie_path": find})
        interface = type("Mine", (mixin, SecureCookieSessionInterface), {})()
    else:
        kind = type("Mine", (SecureCookieSessionInterface,), {"get_cookie_path": find})
        interface = type("Deeper", (kind,), {})() if how == "subclass of it" else kind()
    app = make_app()
    app.session_interface = interface
    for number in range(3):
        assert f"Path=/{number}" in attributes_of(get(app, "/write")[0])
    assert given == ["/0", "/1", "/2"]


@pytest.mark.parametrize("kind", [SessionInterface, SecureCookieSessionInterface])
def test_methods_of_the_cookie_may_be_put_into_the_class(monkeypatch: pytest.MonkeyPatch, kind: type[Any]) -> None:
    """Also when requests were answered with the former ones, and when they come back."""
    app = make_app()
    assert "Path=/" in attributes_of(get(app, "/write")[0])
    find, _ = numbered("get_cookie_path")
    with monkeypatch.context() as patch:
        patch.setattr(kind, "get_cookie_path", find)
        for number in range(2):
            assert f"Path=/{number}" in attributes_of(get(app, "/write")[0])
    assert "Path=/" in attributes_of(get(app, "/write")[0])


def test_keys_that_came_later_may_be_missing() -> None:
    app = make_app()
    for key in list(app.config):
        if key.startswith("SESSION_") and key != "SESSION_COOKIE_NAME":
            del app.config[key]
    del app.config["SECRET_KEY_FALLBACKS"]
    assert str(get(app, "/permanent")[0]).endswith("; HttpOnly; Path=/")


def test_the_expiry_is_the_lifetime_from_now() -> None:
    app = make_app(PERMANENT_SESSION_LIFETIME=3600)
    interface = SessionInterface()
    assert interface.get_expiration_time(app, SecureCookieSession()) is None
    end = interface.get_expiration_time(app, SecureCookieSession({"_permanent": True}))
    assert end is not None
    assert timedelta(minutes=59) < end - datetime.now(UTC) <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("server_name", "root", "domain"),
    [
        (None, None, None),
        ("example.com", None, ".example.com"),
        ("example.com:5000", "/", ".example.com"),
        ("example.com:5000", "/app", "example.com"),
        ("a.localhost", None, ".a.localhost"),
        ("localhost", None, None),
        ("localhost:5000", "/app", None),
        ("[::1]:5000", None, None),
    ],
)
def test_the_domain_of_0_10_comes_from_the_server_name(
    server_name: str | None, root: str | None, domain: str | None
) -> None:
    interface = SessionInterface()
    config = {"SERVER_NAME": server_name, "APPLICATION_ROOT": root}
    assert interface.get_cookie_domain(make_app("0.10", **config)) == domain
    assert interface.get_cookie_domain(make_app("0.10", SESSION_COOKIE_DOMAIN="x.y", **config)) == "x.y"
    assert interface.get_cookie_domain(make_app("documented", **config)) is None
    assert interface.get_cookie_domain(make_app("3.1", SESSION_COOKIE_DOMAIN=False, **config)) is None


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({}, "/"),
        ({"APPLICATION_ROOT": None}, "/"),
        ({"APPLICATION_ROOT": "/app"}, "/app"),
        ({"APPLICATION_ROOT": "/app", "SESSION_COOKIE_PATH": "/p"}, "/p"),
    ],
)
def test_the_path_is_configured_or_the_applications(config: dict[str, Any], path: str) -> None:
    assert SessionInterface().get_cookie_path(make_app(**config)) == path


def test_datetimes_of_0_10_come_back_naive_wherever_they_are() -> None:
    moment = datetime(2020, 1, 2, 3, 4, 5)
    value = {"a": moment, "b": [moment, (moment, {"c": moment})], "d": "text"}
    cookie = reference().dumps(value)
    assert open_cookies(make_app("0.10"), cookie) == value
    assert open_cookies(make_app(), cookie)["b"][1][0] == moment.replace(tzinfo=UTC)


def test_a_session_that_cannot_be_written_is_an_error() -> None:
    app = make_app()
    with app.test_request_context(), pytest.raises(TypeError, match="set"):
        session["a"] = {1}
        app.save_session(session, app.response_class())


def test_a_key_lost_during_the_request_is_an_error() -> None:
    app = make_app()
    with app.test_request_context():
        session["a"] = 1
        app.secret_key = None
        with pytest.raises(RuntimeError, match="secret_key"):
            app.save_session(session, app.response_class())


# -- the contract


class Recording(SessionInterface):
    """Note what an application asks of its interface."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def open_session(self, app: Any, request: Any) -> Any:
        self.calls.append("open")
        return SecureCookieSession()

    def save_session(self, app: Any, session: Any, response: Any) -> None:
        self.calls.append("save")


def test_an_interface_of_ones_own_is_opened_and_saved_each_time() -> None:
    app = make_app()
    app.session_interface = interface = Recording()
    get(app, "/none")
    assert interface.calls == ["open", "save"]


@pytest.mark.parametrize("method", ["open_session", "save_session"])
def test_a_missing_method_is_named(method: str) -> None:
    app = make_app()
    with pytest.raises(NotImplementedError, match=method):
        getattr(SessionInterface(), method)(app, *[None] * (1 + (method == "save_session")))


def test_the_base_class_needs_every_request() -> None:
    assert SessionInterface.lazy is False
    assert SessionInterface.pickle_based is False
    assert SessionInterface().needs_untouched(make_app(), {}) is True


def test_null_sessions_are_told_by_their_class() -> None:
    class Missing(NullSession):
        pass

    interface = SessionInterface()
    assert type(interface.make_null_session(make_app())) is NullSession
    interface.null_session_class = Missing
    assert interface.is_null_session(interface.make_null_session(make_app()))
    assert not interface.is_null_session(NullSession())


class Opens:
    def open_session(self, app: Any, request: Any) -> Any:
        return None


@pytest.mark.parametrize(
    ("bases", "body", "lazy"),
    [
        ((SecureCookieSessionInterface,), {}, True),
        ((SecureCookieSessionInterface,), {"salt": "x"}, True),
        ((SecureCookieSessionInterface,), {"save_session": lambda *args: None}, False),
        ((SecureCookieSessionInterface,), {"open_session": lambda *args: None}, False),
        ((SecureCookieSessionInterface,), {"open_session": lambda *args: None, "lazy": True}, True),
        ((Opens, SecureCookieSessionInterface), {}, False),
        ((SessionInterface,), {"open_session": lambda *args: None}, False),
        ((SessionInterface,), {"open_session": lambda *args: None, "lazy": True}, True),
    ],
)
def test_whoever_replaces_opening_or_saving_is_called(bases: Any, body: dict[str, Any], lazy: bool) -> None:
    cls = type("Interface", bases, body)
    assert cls.lazy is lazy
    assert type("Grandchild", (cls,), {}).lazy is lazy


@pytest.mark.parametrize(
    ("compat", "config", "environ", "needed"),
    [
        ("3.1", {}, {}, False),
        ("3.1", {}, {"HTTP_COOKIE": "other=1"}, False),
        ("3.1", {}, {"HTTP_COOKIE": "session=1"}, True),
        ("3.1", {"SESSION_REFRESH_EACH_REQUEST": False}, {"HTTP_COOKIE": "session=1"}, False),
        ("0.10", {"SESSION_REFRESH_EACH_REQUEST": False}, {"HTTP_COOKIE": "session=1"}, True),
        ("0.10", {}, {"HTTP_COOKIE": ""}, False),
        ("3.1", {"SESSION_COOKIE_NAME": "other"}, {"HTTP_COOKIE": "session=1"}, False),
        ("3.1", {"SESSION_COOKIE_NAME": "é"}, {"HTTP_COOKIE": "Ã©=1"}, True),
    ],
)
def test_an_untouched_session_is_needed_only_for_a_refresh(
    compat: str, config: dict[str, Any], environ: dict[str, str], needed: bool
) -> None:
    assert SecureCookieSessionInterface().needs_untouched(make_app(compat, **config), environ) is needed


def test_a_rule_of_ones_own_for_sending_is_asked_on_untouched_requests() -> None:
    class Always(SecureCookieSessionInterface):
        def should_set_cookie(self, app: Any, session: Any) -> bool:
            return True

    app = make_app(SESSION_REFRESH_EACH_REQUEST=False)
    app.session_interface = Always()
    cookie = pair(get(app, "/write")[0])
    assert get(app, "/none", cookie)[0] is not None


@pytest.mark.parametrize("assigned", [False, True])
def test_a_session_class_that_fills_itself_is_saved_untouched(assigned: bool) -> None:
    class Counted(SecureCookieSession):
        def __init__(self, initial: Any = None) -> None:
            super().__init__(initial)
            self["opened"] = self.get("opened", 0) + 1

    class Interface(SecureCookieSessionInterface):
        session_class = Counted

    app = make_app()
    app.session_interface = SecureCookieSessionInterface() if assigned else Interface()
    if assigned:
        app.session_interface.session_class = Counted
    cookie = pair(get(app, "/none")[0])
    assert reference().loads(parse_cookie(cookie)["session"]) == {"opened": 1}


def test_nothing_is_opened_for_a_request_that_does_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Any:
        raise AssertionError("opened")

    app = make_app()
    monkeypatch.setattr(SecureCookieSessionInterface, "open_session", refuse)
    assert get(app, "/none") == (None, None)


def test_a_signer_of_ones_own_is_used_for_both_ways() -> None:
    class Interface(SecureCookieSessionInterface):
        def get_signing_serializer(self, app: Any) -> URLSafeTimedSerializer:
            return URLSafeTimedSerializer("elsewhere", salt="mine")

    app = make_app()
    app.session_interface = Interface()
    cookie = pair(get(app, "/write")[0])
    assert URLSafeTimedSerializer("elsewhere", salt="mine").loads(parse_cookie(cookie)["session"]) == {"a": 1}
    response = app.test_client(use_cookies=False).get("/read", headers={"Cookie": cookie})
    assert response.data == b"1"


# -- the module


def test_all_names_are_there_and_the_server_side_ones_on_demand() -> None:
    for name in microflask.sessions.__all__:
        assert getattr(microflask.sessions, name).__class__ is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        microflask.sessions.no_such_name  # noqa: B018
    assert sorted(microflask.sessions.__all__) == list(microflask.sessions.__all__)


def test_signing_and_stores_are_imported_when_they_are_needed() -> None:
    code = (
        "import sys, microflask.sessions as s\n"
        "print([name for name in ('itsdangerous', 'microflask.sessions.server') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
