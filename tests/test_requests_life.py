"""The life of a request: what is called when, what an error does to it, and what is left at its end."""

import gc
import io
import logging
import traceback
import weakref

import pytest

from microflask import (
    Blueprint,
    Flask,
    abort,
    after_this_request,
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    current_app,
    g,
    got_request_exception,
    has_app_context,
    has_request_context,
    request,
    request_finished,
    request_started,
    request_tearing_down,
    session,
)

MODES = ("documented", "0.10", "3.1")
SIGNALS = {
    "pushed": appcontext_pushed,
    "started": request_started,
    "exception": got_request_exception,
    "finished": request_finished,
    "request tearing down": request_tearing_down,
    "app tearing down": appcontext_tearing_down,
    "popped": appcontext_popped,
}


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


def make(mode="documented", **config):
    app = Flask("microflask_tests", root_path="/", compat=mode)
    app.secret_key = "a key for tests only"
    app.config.update(config)
    return app


@pytest.fixture
def quiet():
    """Nothing of what goes wrong on purpose is printed."""
    logger = logging.getLogger("microflask_tests")
    logger.disabled = True
    yield
    logger.disabled = False


def register_hooks(log, scaffold, name):
    """Let every hook of an application or a blueprint write into the log, twice where the order counts."""

    def noting(text, result=None):
        def hook(*args):
            log.append(f"{name} {text}")
            return args[0] if result == "first" else None

        return hook

    scaffold.url_value_preprocessor(noting("values"))
    for number in (1, 2):
        scaffold.before_request(noting(f"before {number}"))
        scaffold.after_request(noting(f"after {number}", "first"))
        scaffold.teardown_request(noting(f"teardown {number}"))
    if isinstance(scaffold, Flask):
        scaffold.before_first_request(noting("first"))
        scaffold.teardown_appcontext(noting("end 1"))
        scaffold.teardown_appcontext(noting("end 2"))


@pytest.fixture
def signalled(request):
    """Return a function that lets the signals of an application write into a log."""

    def connect(app, log):
        for name, signal in SIGNALS.items():
            receiver = lambda sender, name=name, **extra: log.append(f"signal {name}")  # noqa: E731
            signal.connect(receiver, app, weak=False)
            request.addfinalizer(lambda signal=signal, receiver=receiver: signal.disconnect(receiver))

    return connect


# -- the order


def test_order_of_everything_without_blueprints(mode, signalled):
    app, log = make(mode), []
    register_hooks(log, app, "app")
    signalled(app, log)

    @app.route("/")
    def view():
        after_this_request(lambda response: log.append("this request") or response)
        log.append("view")
        return ""

    app.test_client().get("/")
    assert log == [
        "signal pushed", "app first", "signal started", "app values", "app before 1", "app before 2", "view",
        "this request", "app after 2", "app after 1", "signal finished", "app teardown 2", "app teardown 1",
        "signal request tearing down", "app end 2", "app end 1", "signal app tearing down", "signal popped",
    ]  # fmt: skip


def test_order_with_nested_blueprints(mode):
    app, log = make(mode), []
    outer, inner, other = Blueprint("outer", "outer"), Blueprint("inner", "inner"), Blueprint("other", "other")
    for scaffold, name in ((app, "app"), (outer, "outer"), (inner, "inner"), (other, "other")):
        register_hooks(log, scaffold, name)
    inner.add_url_rule("/", "view", lambda: log.append("view") or "")
    outer.register_blueprint(inner)
    app.register_blueprint(other)
    app.register_blueprint(outer, url_prefix="/outer")
    app.test_client().get("/outer/")
    assert log == [
        "app first", "app values", "outer values", "inner values", "app before 1", "app before 2", "outer before 1",
        "outer before 2", "inner before 1", "inner before 2", "view", "inner after 2", "inner after 1",
        "outer after 2", "outer after 1", "app after 2", "app after 1", "inner teardown 2", "inner teardown 1",
        "outer teardown 2", "outer teardown 1", "app teardown 2", "app teardown 1", "app end 2", "app end 1",
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["stopped", "", ("stopped", 200)])
def test_value_from_before_request_is_the_answer(mode, value):
    app, log = make(mode), []
    app.before_request(lambda: log.append(1) or value)
    app.before_request(lambda: log.append(2))
    app.after_request(lambda response: log.append("after") or response)
    app.add_url_rule("/", "view", lambda: log.append("view") or "view")
    response = app.test_client().get("/")
    assert response.text == ("stopped" if value else "")
    assert log == [1, "after"]


def test_response_may_be_replaced_after_the_request(mode):
    app = make(mode)
    app.after_request(lambda response: app.make_response(f"[{response.get_data(as_text=True)}]"))
    app.after_request(lambda response: app.make_response(f"({response.get_data(as_text=True)})"))
    app.add_url_rule("/", "view", lambda: "x")
    assert app.test_client().get("/").text == "[(x)]"


@pytest.mark.parametrize(("path", "status"), [("/missing", 404), ("/abort", 403), ("/fail", 500), ("/", 405)])
def test_functions_after_the_request_see_error_pages(mode, path, status, quiet):
    app, seen = make(mode), []
    app.after_request(lambda response: seen.append(response.status_code) or response)
    app.add_url_rule("/", "view", lambda: "x", methods=["PUT"])
    app.add_url_rule("/abort", "abort", lambda: abort(403))
    app.add_url_rule("/fail", "fail", lambda: 1 / 0)
    assert app.test_client().get(path).status_code == status
    # "This function might not be executed ... in case an unhandled exception occurred", says the document.
    assert seen == ([] if (mode, status) == ("0.10", 500) else [status])


def test_functions_before_the_request_run_where_nothing_matched(mode):
    app, seen = make(mode), []

    @app.url_value_preprocessor
    def values(endpoint, values):
        seen.append((endpoint, values))

    @app.before_request
    def before():
        seen.append((request.url_rule, request.view_args, request.routing_exception.code))

    app.test_client().get("/missing")
    assert seen == [(None, None), (None, None, 404)]


def test_functions_before_the_request_run_for_automatic_options(mode):
    app, seen = make(mode), []
    app.before_request(lambda: seen.append(request.endpoint))
    app.add_url_rule("/", "view", lambda: "x")
    app.test_client().options("/")
    assert seen == ["view"]


def test_preprocessor_changes_the_arguments_of_the_view(mode):
    app = make(mode)

    @app.url_value_preprocessor
    def pull(endpoint, values):
        if values is not None:
            g.language = values.pop("language", None)

    @app.url_defaults
    def push(endpoint, values):
        if app.url_map.is_endpoint_expecting(endpoint, "language"):
            values.setdefault("language", g.language)

    @app.route("/<language>/<int:number>")
    def view(number):
        return f"{g.language} {number} {app.url_for('view', number=number + 1)}"

    assert app.test_client().get("/de/4").text == "de 4 /de/5"


def test_function_after_this_request_runs_for_this_request_only(mode):
    app = make(mode)

    @app.route("/")
    def view():
        if "mark" in request.args:

            @after_this_request
            def mark(response):
                after_this_request(lambda response: response.headers.add("X-Mark", "second") or response)
                response.headers.add("X-Mark", "first")
                return response

        return ""

    client = app.test_client()
    assert client.get("/?mark").headers.getlist("X-Mark") == ["first", "second"]
    assert client.get("/").headers.getlist("X-Mark") == []


def test_function_after_this_request_needs_a_request():
    with make().app_context(), pytest.raises(RuntimeError, match="after_this_request"):
        after_this_request(lambda response: response)


# -- errors on the way

PLACES = [
    "first", "started", "values", "before", "view", "none", "this request", "after", "finished", "save", "handler",
]  # fmt: skip


def break_at(app, place, connect):
    """Let something fail on the way of a request for ``/``."""

    def fail(*args, **kwargs):
        raise ZeroDivisionError(place)

    def view():
        if place == "view":
            fail()
        if place == "this request":
            after_this_request(fail)
        if place == "handler":
            abort(404)
        session["a"] = object() if place == "save" else 1
        return None if place == "none" else "fine"

    app.add_url_rule("/", "view", view)
    if place in {"started", "finished"}:
        connect(SIGNALS[place], app, fail)
    registrations = {
        "first": app.before_first_request, "values": app.url_value_preprocessor, "before": app.before_request,
        "after": app.after_request, "handler": app.errorhandler(404),
    }  # fmt: skip
    if place in registrations:
        registrations[place](fail)


@pytest.fixture
def connect(request):
    def connect(signal, app, receiver):
        signal.connect(receiver, app, weak=False)
        request.addfinalizer(lambda: signal.disconnect(receiver))

    return connect


@pytest.mark.parametrize("place", PLACES)
def test_error_anywhere_is_a_500_and_everything_is_torn_down(mode, place, connect, quiet):
    app, ends, seen = make(mode), [], []
    break_at(app, place, connect)
    app.teardown_request(lambda error: ends.append(("request", type(error), has_request_context())))
    app.teardown_appcontext(lambda error: ends.append(("app", type(error), has_request_context())))
    connect(got_request_exception, app, lambda sender, exception: seen.append(exception))
    response = app.test_client().get("/")
    assert response.status_code == 500
    assert not has_app_context()
    kind = TypeError if place in {"none", "save"} else ZeroDivisionError
    assert len(seen) == 1 and isinstance(seen[0], kind)
    assert [name for name, _, _ in ends] == ["request", "app"]
    assert [issubclass(found, kind) for _, found, _ in ends] == [True, True]
    assert [bound for _, _, bound in ends] == [True, False]


@pytest.mark.parametrize("place", PLACES)
def test_error_anywhere_propagates_when_testing(mode, place, connect):
    app, ends = make(mode, TESTING=True), []
    break_at(app, place, connect)
    app.teardown_request(lambda error: ends.append(type(error)))
    kind = TypeError if place in {"none", "save"} else ZeroDivisionError
    with pytest.raises(kind):
        app.test_client().get("/")
    assert len(ends) == 1 and issubclass(ends[0], kind)
    assert not has_app_context()


def test_traceback_ends_where_the_error_is(mode):
    app = make(mode, TESTING=True)

    @app.route("/")
    def view():
        raise ValueError("here")

    with pytest.raises(ValueError, match="here") as caught:
        app.test_client().get("/")
    assert traceback.extract_tb(caught.tb)[-1].name == "view"


def test_unhandled_error_is_logged_once(mode, caplog):
    app = make(mode)
    app.add_url_rule("/fail", "fail", lambda: 1 / 0)
    with caplog.at_level(logging.ERROR):
        app.test_client().post("/fail")
        app.test_client().get("/fail?secret=1")
    records = [record for record in caplog.records if record.name == app.logger.name]
    assert [record.getMessage() for record in records] == ["Exception on /fail [GET]"]
    assert records[0].exc_info[0] is ZeroDivisionError


def test_failing_function_after_an_error_page_is_logged_and_the_page_sent(mode, caplog):
    app = make(mode)
    app.add_url_rule("/", "view", lambda: "fine")
    app.after_request(lambda response: 1 / 0)
    assert app.test_client().get("/").status_code == 500
    kinds = [record.exc_info[0] for record in caplog.records]
    assert kinds == [ZeroDivisionError] * (1 if mode == "0.10" else 2)


def test_server_that_fails_to_start_the_response_is_heard_of(mode):
    app, ends = make(mode), []
    app.teardown_request(lambda error: ends.append(type(error)))
    app.add_url_rule("/", "view", lambda: "fine")

    def broken(status, headers):
        raise OSError("the client went away")

    with pytest.raises(OSError, match="went away"):
        app(app.test_request_context("/").request.environ, broken)
    assert ends == [OSError]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_end_of_the_program_is_no_error_of_the_request(mode, kind, connect):
    app, ends, seen = make(mode), [], []
    app.teardown_request(lambda error: ends.append(type(error)))
    app.errorhandler(Exception)(lambda error: "handled")
    connect(got_request_exception, app, lambda sender, exception: seen.append(exception))

    @app.route("/")
    def view():
        raise kind

    with pytest.raises(kind):
        app.test_client().get("/")
    assert (ends, seen) == ([kind], [])


@pytest.mark.parametrize("testing", [True, False])
def test_view_without_an_answer_is_named(mode, testing):
    app = make(mode, TESTING=True)

    @app.route("/", endpoint="forgetful")
    def view():
        pass

    for kind in (TypeError, ValueError):
        # Old programs compare the text, which does not name the view.
        with pytest.raises(kind, match=app.compat.missing_response_text or "forgetful"):
            app.test_client().get("/")


def test_ignored_error_is_kept_from_the_teardown_functions(mode, quiet):
    class Mine(Flask):
        def should_ignore_error(self, error):
            return isinstance(error, ZeroDivisionError)

    app, ends = Mine("microflask_tests", root_path="/", compat=mode), []
    app.teardown_request(ends.append)
    app.teardown_appcontext(ends.append)
    app.add_url_rule("/", "view", lambda: 1 / 0)
    assert app.test_client().get("/").status_code == 500
    assert ends == [None, None]


# -- the end


def test_teardown_hears_of_unhandled_errors_only(mode):
    app, ends = make(mode), []
    app.teardown_request(ends.append)
    app.errorhandler(ValueError)(lambda error: "handled")

    @app.route("/")
    def view():
        raise ValueError

    assert app.test_client().get("/").text == "handled"
    app.test_client().get("/missing")
    assert ends == [None, None]


def test_every_teardown_function_runs_whatever_the_others_raise(mode, signalled):
    app, log = make(mode), []
    signalled(app, log)

    def failing(text):
        def teardown(error):
            log.append(text)
            raise ValueError(text)

        return teardown

    for number in (1, 2):
        app.teardown_request(failing(f"request {number}"))
        app.teardown_appcontext(failing(f"app {number}"))
    app.add_url_rule("/", "view", lambda: "fine")
    del log[:]
    with pytest.raises(ValueError, match="app 2") as caught:
        app.test_client().get("/")
    assert log[:8] == [
        "signal pushed", "signal started", "signal finished", "request 2", "request 1", "signal request tearing down",
        "app 2", "app 1",
    ]  # fmt: skip
    assert "signal app tearing down" in log
    assert str(caught.value.__context__) == "request 2"
    assert not has_app_context()


def test_failing_teardown_of_an_application_context(mode):
    app, log = make(mode), []

    def failing(error):
        log.append(error)
        raise ValueError("broken")

    app.teardown_appcontext(log.append)
    app.teardown_appcontext(failing)
    with pytest.raises(ValueError, match="broken"), app.app_context():
        pass
    assert log == [None, None]
    assert not has_app_context()


def test_uploaded_files_are_closed_whatever_happens(mode):
    app, files = make(mode, TESTING=True), []

    @app.route("/", methods=["POST"])
    def view():
        files.append(request.files["file"].stream)
        assert not files[-1].closed
        return "fine"

    client = app.test_client()
    client.post("/", data={"file": (io.BytesIO(b"x"), "a.bin")})
    app.teardown_request_funcs[None].append(lambda error: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        client.post("/", data={"file": (io.BytesIO(b"x"), "a.bin")})
    assert [file.closed for file in files] == [True, True]


def test_teardown_sees_the_current_error_unless_it_is_given_one():
    app, ends = make(), []
    app.teardown_request(ends.append)
    app.teardown_appcontext(ends.append)
    ctx = app.test_request_context()
    ctx.push()
    try:
        raise ValueError
    except ValueError as error:
        ctx.pop()
        assert ends == [error, error]
    ctx.push()
    ctx.pop(None)
    assert ends[2:] == [None, None]


@pytest.mark.parametrize("path", ["/", "/fail", "/handled"])
def test_request_is_freed_without_the_garbage_collector(mode, path, quiet):
    app, alive = make(mode), []
    app.errorhandler(LookupError)(lambda error: "handled")
    app.before_request(lambda: alive.append(weakref.ref(request._get_current_object())))
    app.add_url_rule("/", "view", lambda: "fine")
    app.add_url_rule("/fail", "fail", lambda: 1 / 0)
    app.add_url_rule("/handled", "handled", lambda: {}["x"])
    start = lambda status, headers: None  # noqa: E731
    environ = app.test_request_context(path).request.environ
    gc.collect()
    gc.disable()
    try:
        list(app(dict(environ), start))
        assert alive[0]() is None
    finally:
        gc.enable()


def test_application_is_freed_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        app = Flask("microflask_tests", root_path="/")
        app.add_url_rule("/", "view", lambda: "fine")
        gone = weakref.ref(app)
        del app
        assert gone() is None
    finally:
        gc.enable()


# -- signals


def test_signals_carry_what_is_documented(mode, connect, quiet):
    app, got = make(mode), {}
    for name, signal in SIGNALS.items():
        connect(signal, app, lambda sender, name=name, **extra: got.setdefault(name, (sender, extra)))
    app.add_url_rule("/", "view", lambda: 1 / 0)
    app.test_client().get("/")
    assert {sender for sender, _ in got.values()} == {app}
    extra = {name: extra for name, (_, extra) in got.items()}
    error = extra["exception"]["exception"]
    assert isinstance(error, ZeroDivisionError)
    if mode != "0.10":
        assert extra["finished"]["response"].status_code == 500
    assert extra["request tearing down"] == extra["app tearing down"] == {"exc": error}
    assert extra["pushed"] == extra["started"] == extra["popped"] == {}


def test_signals_of_another_application_are_not_received(connect):
    app, other, log = make(), make(), []
    for signal in SIGNALS.values():
        connect(signal, other, lambda sender, **extra: log.append(sender))
    app.test_client().get("/")
    assert log == []
    other.test_client().get("/")
    assert set(log) == {other}


def test_request_is_bound_when_the_signals_of_its_life_are_sent(connect):
    app, paths = make(), []
    for name in ("started", "finished", "request tearing down"):
        connect(SIGNALS[name], app, lambda sender, **extra: paths.append((request.path, current_app.name)))
    app.test_client().get("/somewhere")
    assert paths == [("/somewhere", app.name)] * 3


def test_exception_signal_is_not_sent_for_what_is_handled(mode, connect):
    app, got = make(mode), []
    connect(got_request_exception, app, lambda sender, exception: got.append(exception))
    app.errorhandler(LookupError)(lambda error: "handled")
    app.add_url_rule("/", "view", lambda: {}["x"])
    client = app.test_client()
    assert client.get("/").text == "handled"
    assert client.get("/missing").status_code == 404
    assert got == []


@pytest.mark.parametrize("config", [{"DEBUG": True, "PRESERVE_CONTEXT_ON_EXCEPTION": False}, {"TESTING": True}])
def test_exception_signal_is_sent_in_debug_mode_too(mode, config, connect):
    app, got = make(mode, **config), []
    connect(got_request_exception, app, lambda sender, exception: got.append(exception))
    app.add_url_rule("/", "view", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError) as caught:
        app.test_client().get("/")
    assert got == [caught.value]


@pytest.mark.parametrize("register", ["after_request", "after_this_request"])
def test_a_function_after_the_request_that_returns_none_is_named(app, register):
    def forgetful(response):
        response.headers["X-Seen"] = "yes"

    if register == "after_request":
        app.after_request(forgetful)

    @app.route("/forgotten")
    def view():
        if register == "after_this_request":
            after_this_request(forgetful)
        return "text"

    with pytest.raises(TypeError, match=r"forgetful\(\) .* returned None"):
        app.test_client().get("/forgotten")
