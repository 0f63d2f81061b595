"""What Flask 3.1 does and was found to be otherwise here, by running programs on both side by side."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from werkzeug.exceptions import NotFound

from microflask import (
    Blueprint,
    Flask,
    abort,
    appcontext_popped,
    compat,
    g,
    json,
    render_template_string,
    session,
)
from microflask.ctx import AppContext
from microflask.globals import _cv_app, _cv_request, app_ctx, request_ctx
from microflask.helpers import get_root_path
from microflask.sessions import SecureCookieSessionInterface
from microflask.templating import Environment

NAME = "tests.of_31"


@pytest.fixture
def current() -> Flask:
    """An application that behaves as those of today's Flask."""
    app = Flask(NAME, compat="3.1")
    app.config.update(TESTING=True, SECRET_KEY="a key for tests only")
    return app


@pytest.fixture
def row_3_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default row that the alias sets."""
    monkeypatch.setattr(compat, "_default", compat.FLASK_3_1)


def view() -> str:
    return "view"


# -- set-up that comes too late --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch", "route"])
def test_decorator_of_a_rule_is_refused_when_it_is_made(current: Flask, method: str) -> None:
    bp = Blueprint("bp", NAME)
    current.register_blueprint(bp)
    current.test_client().get("/")
    with pytest.raises(AssertionError, match="setup method"):
        getattr(current, method)("/late")
    with pytest.raises(AssertionError, match="setup method"):
        getattr(bp, method)("/late")


@pytest.mark.parametrize("kind", ["filter", "test", "global"])
def test_decorator_for_templates_is_refused_when_it_is_made(current: Flask, kind: str) -> None:
    bp = Blueprint("bp", NAME)
    current.register_blueprint(bp)
    current.test_client().get("/")
    with pytest.raises(AssertionError, match=f"template_{kind}"):
        getattr(current, f"template_{kind}")()
    with pytest.raises(AssertionError, match=f"app_template_{kind}"):
        getattr(bp, f"app_template_{kind}")()


def test_blueprint_can_be_opened_again_for_changes(current: Flask) -> None:
    bp = Blueprint("bp", NAME)
    current.register_blueprint(bp)
    assert bp._got_registered_once
    bp._got_registered_once = False
    bp.add_url_rule("/", "index", view)
    Flask(NAME, compat="3.1").register_blueprint(bp)
    assert bp._got_registered_once


@pytest.mark.usefixtures("row_3_1")
def test_dot_in_a_blueprints_name_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"'a\.b' has a dot"):
        Blueprint("a.b", NAME)


def test_dot_in_a_blueprints_name_waits_for_an_application_that_may_allow_it() -> None:
    bp = Blueprint("a.b", NAME)
    Flask(NAME, compat="0.10").register_blueprint(bp)
    with pytest.raises(ValueError, match=r"'a\.b' has a dot"):
        Flask(NAME, compat="3.1").register_blueprint(bp)


@pytest.mark.usefixtures("row_3_1")
def test_instance_of_an_http_error_is_refused_by_a_blueprint() -> None:
    bp = Blueprint("bp", NAME)
    for register in (bp.register_error_handler, lambda error, f: bp.app_errorhandler(error)(f)):
        with pytest.raises(TypeError, match="instance, not a class"):
            register(NotFound(), lambda error: "never")


def test_static_rules_are_added_with_their_endpoint_by_name() -> None:
    seen: list[Any] = []

    class Mine(Flask):
        def add_url_rule(self, rule: str, **options: Any) -> None:  # type: ignore[override]
            seen.append((rule, options["endpoint"]))
            super().add_url_rule(rule, **options)

    Mine(NAME)
    assert seen == [("/static/<path:filename>", "static")]


# -- requests --------------------------------------------------------------------------------------------------------


def test_rule_without_a_view_is_a_key_error_that_says_so(current: Flask) -> None:
    current.add_url_rule("/", "nowhere")
    with pytest.raises(KeyError) as caught:
        current.test_client().get("/")
    assert "'nowhere'" in str(caught.value)
    assert not str(caught.value).startswith('"')


def test_session_is_there_for_who_asks_the_context_and_not_accessed_by_that(current: Flask) -> None:
    current.add_url_rule("/", "index", view)
    current.add_url_rule("/look", "look", lambda: str(session.get("a")))
    with current.test_client() as client:
        response = client.get("/")
        kept = request_ctx._session
        assert (kept.accessed, kept.modified, "Vary" in response.headers) == (False, False, False)
        response = client.get("/look")
        assert (request_ctx._session.accessed, response.headers["Vary"]) == (True, "Cookie")


def test_saving_a_session_does_not_count_as_access(current: Flask) -> None:
    class Eager(SecureCookieSessionInterface):
        lazy = False

    current.session_interface = Eager()
    current.add_url_rule("/", "index", view)
    with current.test_client() as client:
        client.get("/")
        assert not request_ctx._session.accessed


def test_session_of_the_context_may_be_replaced(current: Flask) -> None:
    with current.test_request_context():
        request_ctx._session = current.session_interface.session_class({"a": 1})  # type: ignore[attr-defined]
        assert session["a"] == 1


def test_end_of_a_context_is_told_although_a_teardown_function_fails(current: Flask) -> None:
    ended: list[str] = []
    current.add_url_rule("/", "index", view)

    @current.teardown_request
    def fail(error: BaseException | None) -> None:
        raise LookupError("in teardown")

    def note(sender: Flask, **extra: Any) -> None:
        ended.append(sender.name)

    with appcontext_popped.connected_to(note, current), pytest.raises(LookupError, match="in teardown"):
        current.test_client().get("/")
    assert ended == [NAME]


# -- contexts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", [_cv_app, _cv_request], ids=["app", "request"])
def test_context_variables_have_nothing_outside(variable: Any) -> None:
    with pytest.raises(LookupError):
        variable.get()
    assert variable.get(None) is None


def test_context_variables_give_the_innermost_contexts(current: Flask) -> None:
    with current.test_request_context() as ctx:
        assert _cv_request.get() is ctx
        assert _cv_app.get() is app_ctx._get_current_object()
        with current.app_context() as inner:
            assert _cv_app.get() is inner
            assert _cv_request.get() is ctx


@pytest.mark.parametrize("kind", ["app", "request"])
def test_context_variables_may_be_set_and_reset(current: Flask, kind: str) -> None:
    ctx: Any = current.app_context() if kind == "app" else current.test_request_context()
    variable = _cv_app if kind == "app" else _cv_request
    token = variable.set(ctx)
    try:
        assert variable.get() is ctx
    finally:
        variable.reset(token)
    assert variable.get(None) is None


def test_context_that_was_never_entered_cannot_be_left(current: Flask) -> None:
    for ctx in (current.app_context(), current.test_request_context()):
        for kind in (LookupError, AssertionError):
            with pytest.raises(kind):
                ctx.pop()  # type: ignore[attr-defined]


def test_requests_use_the_application_context_of_a_subclass() -> None:
    class Own(AppContext):
        pass

    class Mine(Flask):
        def app_context(self) -> AppContext:
            return Own(self)

    app = Mine(NAME)
    app.add_url_rule("/", "index", lambda: type(app_ctx._get_current_object()).__name__)
    assert app.test_client().get("/").text == "Own"


def test_repr_of_g_names_the_application(current: Flask) -> None:
    with current.app_context():
        assert repr(g) == f"<flask.g of {NAME!r}>"


# -- JSON, templates, files ------------------------------------------------------------------------------------------


def test_json_without_an_application_is_sorted_as_documented() -> None:
    assert json.dumps({"b": 1, "a": 2}) == '{"a": 2, "b": 1}'


@pytest.mark.usefixtures("row_3_1")
def test_json_without_an_application_keeps_its_order_under_3_1(current: Flask) -> None:
    assert json.dumps({"b": 1, "a": 2}) == '{"b": 1, "a": 2}'
    with current.app_context():
        assert json.dumps({"b": 1, "a": 2}) == '{"a": 2, "b": 1}'


def test_environment_class_can_be_looked_at_and_replaced() -> None:
    assert Flask.jinja_environment is Environment

    class Own(Flask.jinja_environment):  # type: ignore[misc,name-defined]
        pass

    app = Flask(NAME)
    app.jinja_environment = Own
    with app.app_context():
        assert render_template_string("{{ 1 + 1 }}") == "2"
    assert type(app.jinja_env) is Own


@pytest.fixture
def with_loader(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Make a module importable whose loader alone knows its file."""
    from importlib.machinery import ModuleSpec

    class Loader:
        def __init__(self) -> None:
            self.names: set[str] = set()

        def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
            return ModuleSpec(name, self) if name in self.names else None  # type: ignore[arg-type]

        def create_module(self, spec: ModuleSpec) -> None:
            return None

        def exec_module(self, module: ModuleType) -> None:
            pass

        def get_filename(self, name: str) -> str:
            return f"/somewhere/else/{name}.py"

    loader = Loader()
    monkeypatch.setattr(sys, "meta_path", [loader, *sys.meta_path])
    yield loader.names.add
    for name in loader.names:
        sys.modules.pop(name, None)


def test_loader_that_knows_the_file_tells_the_root_path(with_loader: Callable[[str], None]) -> None:
    with_loader("known_to_its_loader")
    assert get_root_path("known_to_its_loader") == "/somewhere/else"


# -- texts that programs look for ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "returned None"),
        (True, "it was a bool"),
        ((1, 2, 3, 4), "tuple must have the form"),
    ],
)
def test_message_about_a_views_value(current: Flask, value: Any, text: str) -> None:
    current.add_url_rule("/", "index", lambda: value)
    with pytest.raises(TypeError, match=text):
        current.test_client().get("/")


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (lambda app: g.name, "Working outside of application context"),
        (lambda app: session["name"], "Working outside of request context"),
        (lambda app: render_template_string(""), "Working outside of application context"),
        (lambda app: app.config.from_pyfile("missing.cfg"), "Unable to load configuration file"),
        (lambda app: app.json.dumps(object()), "Object of type object is not JSON serializable"),
        (lambda app: app.test_client(use_cookies=False).session_transaction().__enter__(), "Cookies are disabled"),
    ],
)
def test_message_begins_as_people_know_it(current: Flask, use: Callable[[Flask], Any], text: str) -> None:
    with pytest.raises((RuntimeError, OSError, TypeError), match=text):
        use(current)


def test_session_without_a_key_is_called_unavailable(current: Flask) -> None:
    current.secret_key = None
    with current.test_request_context(), pytest.raises(RuntimeError, match="session is unavailable"):
        session["a"] = 1
    with pytest.raises(RuntimeError, match="did not open a session"):
        current.test_client().session_transaction().__enter__()


def test_abort_in_a_view_is_handled_although_setup_is_closed(current: Flask) -> None:
    current.add_url_rule("/", "index", lambda: abort(404))
    current.register_error_handler(404, lambda error: ("handled", 404))
    client = current.test_client()
    assert [client.get("/").text for _ in range(2)] == ["handled", "handled"]
