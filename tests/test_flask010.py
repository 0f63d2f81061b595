"""What Flask 0.10.1 did and its document does not say: the mode "0.10", measured beside the real one."""

from __future__ import annotations

import gc
import io
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import BadRequest, HTTPException, NotFound

from microflask import (
    Blueprint,
    Flask,
    Module,
    Request,
    Response,
    abort,
    get_flashed_messages,
    json,
    redirect,
    request,
    session,
    signals,
    url_for,
)
from microflask.alias import _modules_of_0_10
from microflask.compat import set_default_compat
from microflask.helpers import locked_cached_property, send_file, total_seconds
from microflask.sessions import SecureCookieSession

ROOT = Path(__file__).parent


def make(**config: Any) -> Flask:
    app = Flask("microflask_tests", root_path=str(ROOT), compat="0.10")
    app.config.update(config, SECRET_KEY="a key for tests only")
    return app


@pytest.fixture
def old() -> Flask:
    """An application as of 2013, not in testing mode."""
    return make()


@pytest.fixture
def as_default() -> Iterator[None]:
    """Let what knows no application behave as Flask 0.10 did."""
    set_default_compat("0.10")
    yield
    set_default_compat("documented")


@pytest.fixture
def quiet(old: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old.logger, "disabled", True)


# -- errors


@pytest.mark.usefixtures("quiet")
def test_unhandled_error_ends_the_request_without_hooks_and_session(old: Flask) -> None:
    seen: list[str] = []

    @old.route("/")
    def view() -> None:
        session["touched"] = True
        raise ZeroDivisionError

    @old.after_request
    def after(response: Response) -> Response:
        seen.append("after")
        return response

    def finished(sender: Flask, **extra: Any) -> None:
        seen.append("finished")

    old.teardown_request(lambda error: seen.append(type(error).__name__))
    with signals.request_finished.connected_to(finished, old):
        response = old.test_client().get("/")
    assert response.status_code == 500 and "Set-Cookie" not in response.headers
    assert seen == ["ZeroDivisionError"]


@pytest.mark.usefixtures("quiet")
def test_redirect_of_a_500_handler_is_absolute(old: Flask) -> None:
    old.add_url_rule("/", "view", lambda: 1 / 0)
    old.register_error_handler(500, lambda error: redirect("/sorry"))
    assert old.test_client().get("/").location == "http://localhost/sorry"


class EnhanceYourCalm(HTTPException):
    code = 420
    description = "too many requests"


def test_status_without_an_http_error_may_be_handled(old: Flask, as_default: None) -> None:
    calm = Blueprint("calm", "microflask_tests")
    calm.errorhandler(420)(lambda error: (f"calm {error.code}", 420))
    for where in (old, calm):
        where.add_url_rule(f"/{where.name}", "view", lambda: abort(EnhanceYourCalm().get_response()))
        where.add_url_rule(f"/{where.name}/raise", "raise", raise_calm)
    old.errorhandler(420)(lambda error: ("application", 420))
    old.register_blueprint(calm)
    client = old.test_client()
    assert client.get(f"/{old.name}/raise").data == b"application"
    assert client.get("/calm/raise").data == b"calm 420"


def raise_calm() -> None:
    raise EnhanceYourCalm


@pytest.mark.parametrize("mode", ["documented", "3.1"])
def test_status_without_an_http_error_is_refused_later(mode: str) -> None:
    with pytest.raises(ValueError, match="420"):
        Flask("microflask_tests", root_path=str(ROOT), compat=mode).register_error_handler(420, str)


def test_trapped_error_is_seen_by_the_handler_of_its_class(old: Flask) -> None:
    old.config["TRAP_BAD_REQUEST_ERRORS"] = True
    old.add_url_rule("/", "view", lambda: request.form["missing"])
    old.register_error_handler(BadRequest, lambda error: "class")
    assert old.test_client().get("/").data == b"class"
    assert [kind for kind, _ in old.error_handler_spec[None][None]] == [BadRequest]


@pytest.mark.parametrize("last", [404, NotFound])
def test_status_and_class_share_one_place_in_the_spec(old: Flask, last: Any) -> None:
    for what in (404, NotFound, 404, last):
        old.register_error_handler(what, lambda error, what=what: str(what))
    spec = old.error_handler_spec[None]
    places = [code for code in spec if code is not None] + [kind for kind, _ in spec.get(None, ())]
    assert places == [last]


# -- responses


def test_headers_beside_a_response_are_added(old: Flask) -> None:
    old.add_url_rule("/", "view", lambda: (Response("r", headers={"X-A": "1"}), 201, {"X-A": "2", "X-B": "3"}))
    response = old.test_client().get("/")
    assert response.headers.getlist("X-A") == ["1", "2"] and response.headers["X-B"] == "3"


def test_status_line_may_be_bytes(any_app: Flask) -> None:
    any_app.add_url_rule("/", "view", lambda: ("text", b"299 Fine"))
    assert any_app.test_client().get("/").status == "299 Fine"


def test_charsets_can_be_read(req_ctx: object) -> None:
    assert (request.charset, request.url_charset, request.encoding_errors) == ("utf-8", "utf-8", "replace")
    assert Response("x").charset == "utf-8"


class KoreanRequest(Request):
    charset = "euc-kr"


def test_requests_may_be_in_another_encoding(any_app: Flask) -> None:
    any_app.request_class = KoreanRequest
    any_app.add_url_rule(
        "/", "view", lambda: f"{request.args['q']} {request.form.get('f')}", methods=["GET", "POST"]
    )
    client, text = any_app.test_client(), "\uac00\ub098"
    assert client.get(b"/?q=" + text.encode("euc-kr")).get_data(as_text=True) == f"{text} None"
    kind = "application/x-www-form-urlencoded"
    response = client.post("/?q=a", data=b"f=" + text.encode("euc-kr"), content_type=kind)
    assert response.get_data(as_text=True) == f"a {text}"


def test_body_is_no_json_by_its_type_without_a_current_application(app: Flask) -> None:
    ctx = app.test_request_context(data="{}", content_type="text/plain", method="POST")
    assert ctx.request.get_json() is None


# -- URLs


def test_anchor_is_quoted_wholly(old: Flask) -> None:
    with old.test_request_context():
        assert url_for("static", filename="x", _anchor="a/b!c%&") == "/static/x#a/b%21c%25%26"


@pytest.mark.parametrize(
    ("prefix", "rule", "whole"),
    [("/x", ".json", "/x.json"), ("/x", "/y", "/x/y"), ("/x/", "/y", "/x//y"), ("/x", "", "/x")],
)
def test_prefix_and_rule_are_joined_as_they_are(old: Flask, prefix: str, rule: str, whole: str) -> None:
    blueprint = Blueprint("b", "microflask_tests", url_prefix=prefix)
    blueprint.add_url_rule(rule, "view", lambda: "found")
    old.register_blueprint(blueprint)
    assert [each.rule for each in old.url_map.iter_rules("b.view")] == [whole]
    assert old.test_client().get(whole.replace("//", "/")).data == b"found"


def test_test_requests_are_plain_http(old: Flask) -> None:
    old.config.update(SERVER_NAME="x.org", PREFERRED_URL_SCHEME="https")
    with old.test_request_context("/a"):
        assert request.url == "http://x.org/a"


def test_context_of_a_test_has_matched_before_it_is_pushed(old: Flask) -> None:
    ctx = old.test_request_context("/static/x")
    assert ctx.request.endpoint == "static" and ctx.request.view_args == {"filename": "x"}
    assert isinstance(old.test_request_context("/missing").request.routing_exception, NotFound)


# -- sessions


def test_session_is_opened_for_a_matched_request(old: Flask) -> None:
    seen: list[Any] = []

    class Interface(type(old.session_interface)):  # type: ignore[misc]
        def open_session(self, app: Any, request: Any) -> Any:
            seen.append(request.endpoint)
            return super().open_session(app, request)

    old.session_interface = Interface()
    old.test_client().get("/static/missing")
    assert seen == ["static"]


@pytest.mark.parametrize("by_subclass", [True, False])
def test_overridden_session_methods_are_called_in_every_request(by_subclass: bool) -> None:
    calls: list[str] = []

    class App(Flask):
        def open_session(self, request: Any) -> Any:
            calls.append("open")
            return SecureCookieSession({"name": "from elsewhere"})

        def save_session(self, session: Any, response: Any) -> None:
            calls.append("save")

    app = (App if by_subclass else Flask)("microflask_tests", root_path=str(ROOT), compat="0.10")
    if not by_subclass:
        for name in ("open_session", "save_session"):
            setattr(app, name, getattr(App, name).__get__(app))
    app.add_url_rule("/", "view", lambda: "untouched")
    assert app.test_client().get("/").data == b"untouched" and calls == ["open", "save"]


def test_plain_dictionary_may_take_the_place_of_the_session(old: Flask) -> None:
    with old.test_request_context() as ctx:
        ctx.session = {"a": 1}
        assert session["a"] == 1


def test_domain_from_server_name_keeps_its_dot_and_reaches_the_client(old: Flask) -> None:
    old.config["SERVER_NAME"] = "example.com"

    @old.route("/")
    def view() -> str:
        session["n"] = session.get("n", 0) + 1
        return str(session["n"])

    client = old.test_client()
    assert "Domain=.example.com;" in client.get("/").headers["Set-Cookie"]
    assert client.get("/").data == b"2"


def test_category_filter_may_be_one_text(any_app: Flask) -> None:
    with any_app.test_request_context():
        session["_flashes"] = [("error", "e"), ("message", "m")]
        assert get_flashed_messages(category_filter="error") == ["e"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("set_args", "delete_args"), [(("localhost", "k", "v"), ("localhost", "k")), (("k", "v"), ("k",))]
)
def test_client_takes_cookies_as_it_once_did(any_app: Flask, set_args: Any, delete_args: Any) -> None:
    any_app.add_url_rule("/", "view", lambda: str(dict(request.cookies)))
    client = any_app.test_client()
    client.set_cookie(*set_args)
    assert client.get("/").data == b"{'k': 'v'}"
    client.delete_cookie(*delete_args)
    assert client.get("/").data == b"{}"


def test_requests_of_a_client_leave_nothing_to_the_garbage_collector(any_app: Flask) -> None:
    any_app.add_url_rule("/", "view", lambda: "fine")

    def send() -> None:
        with any_app.test_client() as client:
            assert client.get("/").data == b"fine"

    send()
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            send()
        assert gc.collect() == 0
    finally:
        gc.enable()


# -- files


def test_file_that_is_not_for_saving_has_no_name(old: Flask, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>")
    old.static_folder = str(tmp_path)
    with old.test_client().get("/static/page.html") as response:
        assert response.status_code == 200 and "Content-Disposition" not in response.headers
    with old.test_request_context(), send_file(tmp_path / "page.html") as response:
        assert "Content-Disposition" not in response.headers
    with old.test_request_context(), send_file(tmp_path / "page.html", as_attachment=True) as response:
        assert response.headers["Content-Disposition"] == "attachment; filename=page.html"


@pytest.mark.parametrize(
    ("options", "count", "tagged"),
    [
        ({}, 2, True),
        ({"mimetype": "text/x"}, 1, True),
        ({"attachment_filename": "x.txt"}, 1, True),
        ({"add_etags": False}, 1, False),
        ({"add_etags": False, "mimetype": "text/x"}, 0, False),
    ],
)
def test_open_file_gets_a_tag_and_a_warning(
    old: Flask, tmp_path: Path, options: dict[str, Any], count: int, tagged: bool
) -> None:
    (tmp_path / "page.html").write_text("<p>")
    with old.test_request_context(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with (tmp_path / "page.html").open("rb") as file, send_file(file, **options) as response:
            assert ("ETag" in response.headers) is tagged
    assert [warning.category for warning in caught] == [DeprecationWarning] * count
    assert {warning.filename for warning in caught} <= {__file__}


def test_name_of_any_object_tells_its_type(old: Flask) -> None:
    class Named:
        name = "nowhere.txt"
        read = io.BytesIO(b"x").read

    with old.test_request_context(), pytest.warns(DeprecationWarning), send_file(Named()) as response:
        assert (response.mimetype, "ETag" in response.headers) == ("text/plain", False)


def test_documented_mode_warns_nobody_of_an_open_file(app: Flask) -> None:
    with app.test_request_context(), send_file(io.BytesIO(b"x")) as response:
        assert "ETag" not in response.headers


# -- what was called deprecated


def set_globals_class(app: Flask) -> None:
    app.request_globals_class = dict


@pytest.mark.parametrize(
    "use",
    [
        lambda app: app.modules,
        lambda app: app.error_handlers,
        set_globals_class,
        lambda app: app.register_module(Module("microflask_tests.admin", "admin")),
        lambda app: Flask("microflask_tests", static_path="/s", root_path=str(ROOT), compat=app.compat),
        lambda app: request.module,
    ],
)
def test_deprecated_names_warn_in_this_mode_alone(old: Flask, app: Flask, use: Callable[[Flask], Any]) -> None:
    with old.test_request_context(), pytest.warns(DeprecationWarning):
        use(old)
    with app.test_request_context():
        use(app)


def test_old_names_of_an_application(app: Flask) -> None:
    set_globals_class(app)
    assert app.app_ctx_globals_class is app.request_globals_class is dict
    assert app.modules is app.blueprints and app.error_handlers is app.error_handler_spec[None]
    assert app.config["LOGGER_NAME"] == app.logger_name == app.import_name


def test_functions_before_the_first_request_may_be_triggered(app: Flask) -> None:
    calls: list[int] = []
    app.before_first_request(lambda: calls.append(1))
    app.try_trigger_before_first_request_functions()
    app.try_trigger_before_first_request_functions()
    assert calls == [1] and app.got_first_request


def test_blueprint_may_warn_of_late_changes(old: Flask) -> None:
    blueprint = Blueprint("b", "microflask_tests")
    blueprint.warn_on_modifications = True
    old.register_blueprint(blueprint)
    with pytest.warns(UserWarning, match="'b' is changed after its registration"):
        blueprint.add_url_rule("/", "view", str)


# -- names


def test_old_names_of_the_modules() -> None:
    import microflask
    from microflask import globals as names
    from microflask.views import MethodView, MethodViewType, http_method_funcs

    assert microflask.Session is SecureCookieSession and microflask.json_available is True
    with Flask("microflask_tests", root_path=str(ROOT)).test_request_context() as ctx:
        assert names._lookup_req_object("request") is ctx.request
        assert names._lookup_app_object("g") is ctx.g and names._find_app() is ctx.app
    view = MethodViewType("Pages", (MethodView,), {"get": lambda self: "got"})
    assert view.methods == {"GET"} and "patch" in http_method_funcs


def test_locked_cached_property_computes_once() -> None:
    class Thing:
        calls = 0

        @locked_cached_property
        def value(self) -> int:
            """A documented number."""
            self.calls += 1
            return self.calls

    thing = Thing()
    assert (thing.value, thing.value) == (1, 1)
    assert Thing.value.__doc__ == "A documented number." and Thing.value.__name__ == "value"


def test_class_with_a_metaclass_has_no_other_base(as_default: None) -> None:
    names: list[str] = []

    class Registry(type):
        def __new__(cls, name: str, bases: Any, namespace: dict[str, Any]) -> Registry:
            names.append(name)
            return super().__new__(cls, name, bases, namespace)

    with_metaclass = _modules_of_0_10()["flask._compat"].with_metaclass

    class Thing(with_metaclass(Registry, dict)):  # type: ignore[misc]
        pass

    assert names == ["Thing"] and Thing.__mro__ == (Thing, dict, object) and type(Thing) is Registry


def test_total_seconds(app: Flask) -> None:
    assert total_seconds(app.permanent_session_lifetime) == 31 * 24 * 3600


# -- JSON and templates


def test_html_safe_json_is_text_that_may_be_joined(old: Flask, app: Flask) -> None:
    with old.app_context():
        assert "<script>" + json.htmlsafe_dumps("<") == '<script>"\\u003c"'
        assert str(json.tojson_filter("'")) == '"\\u0027"' and hasattr(json.tojson_filter("'"), "__html__")
    with app.app_context():
        assert hasattr(json.htmlsafe_dumps("<"), "__html__")
