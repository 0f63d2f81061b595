"""From an error to the function that answers for it."""

import gc
import logging

import pytest
from werkzeug.exceptions import (
    BadRequest,
    BadRequestKeyError,
    Forbidden,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    default_exceptions,
)

from microflask import Blueprint, Flask, Request, Response, abort, errors, request

MODES = ("documented", "0.10", "3.1")
OLD = ("documented", "0.10")


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture(autouse=True)
def quiet():
    """Nothing of what goes wrong on purpose is printed."""
    logger = logging.getLogger("microflask_tests")
    logger.disabled = True
    yield
    logger.disabled = False


class Base(Exception):
    pass


class Derived(Base):
    pass


class MyNotFound(NotFound):
    description = "mine"


class Teapot(HTTPException):
    code = 418


class Foreign(HTTPException):
    """An HTTP error that has the status of another class."""

    code = 404


def raising(error):
    def view():
        raise error

    return view


def make(mode="documented", error=None, **config):
    """An application whose view for ``/`` raises the error."""
    app = Flask("microflask_tests", root_path="/", compat=mode)
    app.config.update(config)
    if error is not None:
        app.add_url_rule("/", "view", raising(error))
    return app


def answering(text):
    return lambda error: text


def ask(app, path="/"):
    return app.test_client().get(path).get_data(as_text=True)


# -- registration


def test_handler_for_a_status_answers_for_routing_and_views(mode):
    app = make(mode, NotFound())

    @app.errorhandler(404)
    def page_not_found(error):
        return f"no {request.path}: {error.code}", 404

    response = app.test_client().get("/missing")
    assert (response.status_code, response.text) == (404, "no /missing: 404")
    assert ask(app) == "no /: 404"
    assert page_not_found.__name__ == "page_not_found"


def test_handler_for_an_exception_class(mode):
    app = make(mode, Derived("why"))
    app.register_error_handler(Base, lambda error: (f"{type(error).__name__} {error}", 502))
    response = app.test_client().get("/")
    assert (response.status_code, response.text) == (502, "Derived why")


@pytest.mark.parametrize(
    ("value", "status", "text"),
    [
        ("text", 200, "text"),
        (("text", 418), 418, "text"),
        (("text", {"X-A": "1"}), 200, "text"),
        (Response("made", 503), 503, "made"),
        (Forbidden("another error"), 403, None),
    ],
)
def test_handler_returns_what_a_view_could(mode, value, status, text):
    app = make(mode, Base())
    app.errorhandler(Base)(answering(value))
    response = app.test_client().get("/")
    assert response.status_code == status
    assert text is None or response.text == text


@pytest.mark.parametrize("choice", [404, NotFound])
def test_status_and_its_class_are_one_and_the_last_handler_counts(mode, choice):
    app = make(mode, NotFound())
    for number, registered in enumerate((404, NotFound, choice)):
        app.errorhandler(registered)(answering(f"handler {number}"))
    assert ask(app) == "handler 2"


@pytest.mark.parametrize("mode", ["documented", "0.10"])
def test_instance_of_an_http_error_stands_for_its_status(mode):
    app = make(mode, NotFound())
    app.errorhandler(NotFound("text"))(answering("handled"))
    assert ask(app) == "handled"


def test_instance_of_an_http_error_is_refused_under_3_1():
    with pytest.raises(TypeError, match="instance, not a class"):
        make("3.1").register_error_handler(NotFound("text"), answering("never"))


@pytest.mark.parametrize(
    "nonsense", [200, 299, 999, -1, "404", None, Base("instance"), dict, BaseException, KeyboardInterrupt, (404, 500)]
)
@pytest.mark.parametrize("kind", [ValueError, TypeError])
def test_nonsense_is_refused_when_it_is_registered(nonsense, kind):
    app, blueprint = make(), Blueprint("bp", "bp")
    for register in (app.errorhandler, blueprint.errorhandler):
        with pytest.raises(kind, match=r"error handler|HTTP error"):
            register(nonsense)(answering("never"))
    with pytest.raises(kind, match=r"error handler|HTTP error"):
        blueprint.app_errorhandler(nonsense)
    with pytest.raises(kind, match=r"error handler|HTTP error"):
        app.register_error_handler(nonsense, answering("never"))
    assert not any(dict(app.error_handler_spec[None]).values())


# -- the public dictionary


@pytest.mark.parametrize("mode", OLD)
def test_documented_shape_of_the_spec(mode):
    app, blueprint = make(mode), Blueprint("bp", "bp")
    first, second, third, fourth = (answering(str(number)) for number in range(4))
    assert app.error_handler_spec == {None: {}}
    app.errorhandler(404)(first)
    app.errorhandler(Base)(second)
    blueprint.errorhandler(403)(third)
    blueprint.errorhandler(Teapot)(fourth)
    app.register_blueprint(blueprint)
    assert app.error_handler_spec == {
        None: {404: first, None: [(Base, second)]},
        "bp": {403: third, None: [(Teapot, fourth)]},
    }
    app.errorhandler(Base)(third)
    assert app.error_handler_spec[None][None] == [(Base, third)]


def test_shape_of_the_spec_in_3_1():
    app, blueprint = make("3.1"), Blueprint("bp", "bp")
    first, second, third, fourth = (answering(str(number)) for number in range(4))
    app.errorhandler(404)(first)
    app.errorhandler(Base)(second)
    blueprint.errorhandler(403)(third)
    blueprint.errorhandler(Teapot)(fourth)
    app.register_blueprint(blueprint)
    assert app.error_handler_spec == {
        None: {404: {NotFound: first}, None: {Base: second}},
        "bp": {403: {Forbidden: third}, 418: {Teapot: fourth}},
    }


def test_handler_may_be_assigned_as_documented(mode):
    app = make(mode, NotFound())
    app.error_handler_spec[None][404] = answering("assigned")
    app.errorhandler(MyNotFound)(answering("special"))
    assert ask(app) == "assigned"
    app.view_functions["view"] = raising(MyNotFound())
    assert ask(app) == "special"


def test_registered_handler_replaces_an_assigned_one(mode):
    app = make(mode, NotFound())
    app.error_handler_spec[None][404] = answering("assigned")
    app.errorhandler(404)(answering("registered"))
    assert ask(app) == "registered"


def test_assigned_handler_counts_after_the_first_request_too(mode):
    app = make(mode, Base())
    assert app.test_client().get("/missing").status_code == 404
    app.error_handler_spec[None][404] = answering("assigned")
    assert ask(app, "/missing") == "assigned"


@pytest.mark.parametrize("mode", OLD)
def test_documented_list_of_classes_may_be_changed(mode):
    app = make(mode, Derived())
    app.error_handler_spec[None].setdefault(None, []).append((Base, answering("appended")))
    assert ask(app) == "appended"
    app.error_handler_spec[None][None].clear()
    assert app.test_client().get("/").status_code == 500


def test_classes_by_status_may_be_assigned_in_3_1():
    app = make("3.1", MyNotFound())
    app.error_handler_spec[None][404][NotFound] = answering("nested")
    app.error_handler_spec[None][None][Base] = answering("base")
    assert ask(app) == "nested"
    app.view_functions["view"] = raising(Derived())
    assert ask(app) == "base"


def test_spec_may_be_replaced_by_plain_dictionaries(mode):
    app, blueprint = make(mode, Derived()), Blueprint("bp", "bp")
    app.error_handler_spec = {None: {404: answering("plain 404"), None: [(Base, answering("plain base"))]}}
    blueprint.errorhandler(403)(answering("of the blueprint"))
    blueprint.add_url_rule("/bp", "view", raising(Forbidden()))
    app.register_blueprint(blueprint)
    app.errorhandler(405)(answering("added"))
    assert [ask(app, path) for path in ("/", "/missing", "/bp")] == ["plain base", "plain 404", "of the blueprint"]
    assert app.test_client().post("/").text == "added"


def test_handler_may_be_assigned_on_a_blueprint(mode):
    app, blueprint = make(mode), Blueprint("bp", "bp")
    blueprint.error_handler_spec[None][403] = answering("assigned")
    blueprint.add_url_rule("/", "view", raising(Forbidden()))
    app.register_blueprint(blueprint)
    assert ask(app) == "assigned"


def test_all_entries_lists_both_shapes():
    for by_class in (True, False):
        spec = errors.make_spec(by_class)
        handlers = [answering(str(number)) for number in range(3)]
        for choice, handler in zip((404, Base, Teapot), handlers, strict=True):
            errors.register(spec, None, choice, handler)
        listed = dict(errors.all_entries(spec[None]))
        assert set(listed.values()) == set(handlers)
        assert set(listed) == ({NotFound, Base, Teapot} if by_class else {404, Base, Teapot})


# -- which handler


@pytest.mark.parametrize(
    ("raised", "registered", "wanted"),
    [
        (Derived(), [Exception, Base, Derived], Derived),
        (Derived(), [Derived, Base], Derived),
        (Derived(), [Exception, Base], Base),
        (Base(), [Derived, Exception], Exception),
        (KeyError("x"), [LookupError, Exception], LookupError),
        (MyNotFound(), [404, MyNotFound], MyNotFound),
        (MyNotFound(), [MyNotFound, NotFound], MyNotFound),
        (MyNotFound(), [404], 404),
        (NotFound(), [MyNotFound, 404], 404),
        (Teapot(), [Teapot, HTTPException], Teapot),
        (NotFound(), [HTTPException, 404], 404),
        (BadRequestKeyError("x"), [BadRequest], BadRequest),
        (BadRequestKeyError("x"), [BadRequest, BadRequestKeyError], BadRequestKeyError),
    ],
)
def test_most_specific_handler_counts(mode, raised, registered, wanted):
    app = make(mode, raised)
    for choice in registered:
        app.errorhandler(choice)(answering(str(choice)))
    assert ask(app) == str(wanted)


@pytest.mark.parametrize("choice", [HTTPException, Exception])
@pytest.mark.parametrize(("mode", "called"), [("documented", True), ("3.1", True), ("0.10", False)])
def test_general_handler_and_http_errors(choice, mode, called):
    app = make(mode, Forbidden())
    app.errorhandler(choice)(lambda error: f"general {error.code}")
    assert (ask(app) == "general 403") is called
    assert (ask(app, "/missing") == "general 404") is called
    assert app.test_client().put("/").status_code == (200 if called else 405)


@pytest.mark.parametrize(("mode", "called"), [("documented", True), ("0.10", True), ("3.1", False)])
def test_status_alone_counts_in_old_modes_and_the_class_in_3_1(mode, called):
    app = make(mode, Foreign())
    app.errorhandler(404)(answering("by status"))
    assert (ask(app) == "by status") is called


@pytest.mark.parametrize("mode", MODES)
def test_redirects_of_the_url_map_are_no_errors(mode):
    app = make(mode)
    app.add_url_rule("/folder/", "folder", lambda: "folder")
    for choice in (Exception, HTTPException):
        app.errorhandler(choice)(answering("handled"))
    assert app.test_client().get("/folder").status_code in {301, 308}


def test_response_that_aborts_is_the_answer(mode):
    app = make(mode)
    app.errorhandler(HTTPException)(answering("handled"))
    app.add_url_rule("/", "view", lambda: abort(Response("as it is", 204)))
    assert app.test_client().get("/").status_code == 204


def test_http_error_without_a_status_is_the_answer_itself(mode):
    response = Response("mine", 299)
    app = make(mode, HTTPException(response=response))
    app.errorhandler(HTTPException)(answering("handled"))
    answer = app.test_client().get("/")
    assert (answer.status_code, answer.text) == (299, "mine")


def test_error_in_a_handler_is_an_error_of_its_own(mode):
    app = make(mode, Base("first"), TESTING=True)
    app.errorhandler(Base)(lambda error: 1 / 0)
    with pytest.raises(ZeroDivisionError) as caught:
        ask(app)
    assert isinstance(caught.value.__context__, Base)
    app.config["TESTING"] = False
    assert app.test_client().get("/").status_code == 500


@pytest.mark.parametrize("code", sorted(default_exceptions))
def test_every_status_has_a_page_and_may_have_a_handler(code):
    plain, own = make(), make()
    own.errorhandler(code)(lambda error: (f"own {error.code}", code))
    for app in (plain, own):
        app.add_url_rule("/", "view", lambda: abort(code))
    response = plain.test_client().get("/")
    assert response.status_code == code
    assert str(code) in response.text
    assert ask(own) == f"own {code}"


def test_page_carries_the_description_and_the_headers():
    app = make()
    app.add_url_rule("/", "view", lambda: abort(403, "not <you>"), methods=["PUT"])
    forbidden = app.test_client().put("/")
    assert "not &lt;you&gt;" in forbidden.text
    assert forbidden.mimetype == "text/html"
    refused = app.test_client().get("/")
    assert set(refused.allow) == {"PUT", "OPTIONS"}


@pytest.mark.parametrize(
    ("status", "line", "title"), [(404, "404 NOT FOUND", "404 Not Found"), (410, "410 GONE", "410 Gone")]
)
@pytest.mark.parametrize("mode", MODES)
def test_page_tells_the_status_that_the_error_itself_has(mode, status, line, title):
    error = NotFound()
    error.code = status
    response = make(mode, error).test_client().get("/")
    assert response.status == line
    assert f"<title>{title}</title>" in response.text
    assert NotFound.description in response.text


def test_page_is_made_anew_once_the_class_of_the_error_says_something_else(monkeypatch):
    client = make("3.1", NotFound()).test_client()
    assert NotFound.description in client.get("/").text
    monkeypatch.setattr(NotFound, "description", "a new text")
    assert "a new text" in client.get("/").text
    monkeypatch.setattr(NotFound, "get_body", lambda self, environ, *scope: f"asked for {environ['PATH_INFO']}")
    assert client.get("/").text == "asked for /"


@pytest.mark.parametrize("looked_at", [False, True])
def test_request_that_nothing_matches_is_made_when_it_is_looked_at(mode, looked_at):
    made = []

    class Counted(Request):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(self)

    class Counting(Flask):
        request_class = Counted

    app = Counting("microflask_tests", root_path="/", compat=mode)

    @app.errorhandler(404)
    def lost(error):
        assert error.__traceback__ is not None
        return (f"{request.path} {request.routing_exception is error}" if looked_at else "lost"), 404

    answer = app.test_client().get("/nowhere")
    assert (answer.status_code, answer.text) == (404, "/nowhere True" if looked_at else "lost")
    assert len(made) == looked_at


def test_error_of_the_routing_may_be_another_one(mode):
    class Mine(Flask):
        def raise_routing_exception(self, request):
            raise Forbidden(f"{type(request.routing_exception).__name__} at {request.path}")

    plain = make(mode)
    assert plain.test_client().get("/nowhere").status_code == 404
    plain.raise_routing_exception = lambda request: raising(Forbidden(f"NotFound at {request.path}"))()
    for app in (Mine("microflask_tests", root_path="/", compat=mode), plain):
        answer = app.test_client().get("/nowhere")
        assert answer.status_code == 403 and "NotFound at /nowhere" in answer.text


def test_handler_finds_the_allowed_methods_on_the_error():
    app, seen = make(), []
    app.add_url_rule("/", "view", lambda: "", methods=["PUT"])
    app.errorhandler(405)(lambda error: seen.append(error) or "handled")
    app.test_client().get("/")
    assert isinstance(seen[0], MethodNotAllowed) and "PUT" in seen[0].valid_methods


# -- blueprints


@pytest.fixture
def nested(mode):
    """An application with a blueprint in a blueprint, and one beside them; each view raises what the test says."""
    app = make(mode)
    app.raised = NotFound()
    outer, inner, other = (Blueprint(name, name) for name in ("outer", "inner", "other"))

    def view():
        raise app.raised

    for blueprint in (outer, inner, other):
        blueprint.add_url_rule("/", "view", view)
    outer.register_blueprint(inner, url_prefix="/inner")
    app.add_url_rule("/", "view", view)

    def finish():
        app.register_blueprint(outer, url_prefix="/outer")
        app.register_blueprint(other, url_prefix="/other")
        return [ask(app, path) for path in ("/", "/other/", "/outer/", "/outer/inner/")]

    app.parts = (app, outer, inner)
    app.finish = finish
    return app


@pytest.mark.parametrize(("choice", "error"), [(404, NotFound()), (Base, Derived()), (Teapot, Teapot())])
def test_innermost_blueprint_answers_first(nested, choice, error):
    nested.raised = error
    for scaffold in nested.parts:
        scaffold.errorhandler(choice)(answering(scaffold.name))
    assert nested.finish() == ["microflask_tests", "microflask_tests", "outer", "inner"]


def test_outer_blueprint_answers_for_an_inner_one_without_a_handler(nested):
    app, outer, _ = nested.parts
    app.errorhandler(404)(answering("app"))
    outer.errorhandler(404)(answering("outer"))
    assert nested.finish() == ["app", "app", "outer", "outer"]


def test_less_specific_handler_of_the_blueprint_wins_over_the_application(nested):
    app, outer, _ = nested.parts
    nested.raised = Derived()
    app.errorhandler(Derived)(answering("app"))
    outer.errorhandler(Base)(answering("outer"))
    assert nested.finish() == ["app", "app", "outer", "outer"]


def test_status_handler_of_the_application_wins_over_a_general_one_of_the_blueprint(nested):
    app, outer, _ = nested.parts
    app.errorhandler(404)(answering("app"))
    outer.errorhandler(HTTPException)(answering("outer"))
    assert nested.finish() == ["app"] * 4


def test_blueprint_does_not_answer_for_what_did_not_match(nested):
    nested.parts[1].errorhandler(404)(answering("outer"))
    nested.finish()
    assert nested.test_client().get("/outer/missing").status_code == 404


def test_handler_of_a_blueprint_for_the_whole_application(nested):
    nested.parts[1].app_errorhandler(404)(answering("all"))
    assert nested.finish() == ["all"] * 4
    assert ask(nested, "/missing") == "all"


# -- the status 500


@pytest.mark.parametrize("choice", [500, InternalServerError])
@pytest.mark.parametrize(("mode", "original"), [("documented", False), ("3.1", False), ("0.10", True)])
def test_argument_of_the_500_handler(choice, mode, original):
    error = Derived("why")
    app, seen = make(mode, error), []
    app.errorhandler(choice)(lambda error: seen.append(error) or ("sorry", 500))
    response = app.test_client().get("/")
    assert (response.status_code, response.text) == (500, "sorry")
    if original:
        assert seen == [error]
    else:
        assert isinstance(seen[0], InternalServerError)
        assert seen[0].original_exception is error


def test_500_handler_for_a_deliberate_500(mode):
    app, seen = make(mode, InternalServerError()), []
    app.errorhandler(500)(lambda error: seen.append(error) or "sorry")
    assert ask(app) == "sorry"
    assert isinstance(seen[0], InternalServerError)
    assert seen[0].original_exception is None


def test_500_handler_is_not_called_for_what_has_a_handler(mode):
    app = make(mode, Derived())
    app.errorhandler(500)(answering("500"))
    app.errorhandler(Base)(answering("base"))
    assert ask(app) == "base"


@pytest.mark.parametrize(("mode", "text"), [("documented", "general 500"), ("3.1", "general 500"), ("0.10", None)])
def test_general_http_handler_for_an_unhandled_error(mode, text):
    app = make(mode, Derived())
    app.errorhandler(HTTPException)(lambda error: f"general {error.code}")
    response = app.test_client().get("/")
    assert response.text == text or (text is None and response.status_code == 500)


def test_failing_500_handler_leaves_the_application(mode):
    app, ends = make(mode, Derived()), []
    app.teardown_request(lambda error: ends.append(type(error)))
    app.errorhandler(500)(lambda error: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ask(app)
    assert ends == [Derived]


@pytest.mark.parametrize("mode", OLD)
@pytest.mark.parametrize("choice", [500, InternalServerError])
def test_500_handler_of_a_blueprint_is_refused_in_old_modes(mode, choice):
    app, blueprint = make(mode), Blueprint("bp", "bp")
    blueprint.errorhandler(choice)(answering("never"))
    with pytest.raises(AssertionError, match="app_errorhandler"):
        app.register_blueprint(blueprint)


def test_500_handler_of_a_blueprint_is_used_in_3_1(quiet):
    app, blueprint = make("3.1", Base()), Blueprint("bp", "bp")
    blueprint.errorhandler(500)(answering("of the blueprint"))
    blueprint.add_url_rule("/bp", "view", raising(Base()))
    app.register_blueprint(blueprint)
    assert ask(app, "/bp") == "of the blueprint"
    assert app.test_client().get("/").status_code == 500
    assert "of the blueprint" not in ask(app)


@pytest.mark.parametrize("mode", OLD)
def test_500_is_always_looked_up_from_the_application_in_old_modes(mode):
    app, blueprint = make(mode), Blueprint("bp", "bp")
    blueprint.add_url_rule("/", "view", raising(Base()))
    app.register_blueprint(blueprint)
    app.errorhandler(500)(answering("of the application"))
    app.error_handler_spec.setdefault("bp", {})[500] = answering("of the blueprint")
    assert ask(app) == "of the application"


# -- trapping


def outcomes(app):
    """What becomes of a missing key, of abort(400), and of abort(404)."""
    app.add_url_rule("/key", "key", lambda: request.form["missing"])
    app.add_url_rule("/400", "400", lambda: abort(400))
    app.add_url_rule("/404", "404", lambda: abort(404))
    client, found = app.test_client(), []
    for path in ("/key", "/400", "/404"):
        try:
            found.append(client.get(path).status_code)
        except HTTPException as error:
            found.append(type(error).__name__)
    return found


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({"TESTING": True}, [400, 400, 404]),
        ({"TESTING": True, "TRAP_HTTP_EXCEPTIONS": True}, ["BadRequestKeyError", "BadRequest", "NotFound"]),
        ({"TESTING": True, "TRAP_BAD_REQUEST_ERRORS": True}, ["BadRequestKeyError", "BadRequest", 404]),
        ({"TRAP_HTTP_EXCEPTIONS": True}, [500, 500, 500]),
        ({"TESTING": True, "TRAP_BAD_REQUEST_ERRORS": False}, [400, 400, 404]),
    ],
)
def test_trapped_http_errors_are_errors_as_any_other(mode, config, wanted):
    assert outcomes(make(mode, **config)) == wanted


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [("documented", [400, 400, 404]), ("0.10", [400, 400, 404]), ("3.1", ["BadRequestKeyError", 400, 404])],
)
def test_missing_key_in_debug_mode(mode, wanted):
    assert outcomes(make(mode, DEBUG=True, PRESERVE_CONTEXT_ON_EXCEPTION=False)) == wanted


@pytest.mark.parametrize(("mode", "called"), [("documented", False), ("0.10", False), ("3.1", True)])
@pytest.mark.parametrize("config", [{"TRAP_HTTP_EXCEPTIONS": True}, {"TRAP_BAD_REQUEST_ERRORS": True}])
def test_handler_for_the_status_of_a_trapped_error(mode, called, config):
    app = make(mode, BadRequest(), TESTING=True, **config)
    app.errorhandler(400)(answering("handled"))
    if called:
        assert ask(app) == "handled"
    else:
        with pytest.raises(BadRequest):
            ask(app)


@pytest.mark.parametrize("choice", [Exception, HTTPException])
def test_general_handler_for_a_trapped_error(mode, choice):
    app = make(mode, NotFound(), TESTING=True, TRAP_HTTP_EXCEPTIONS=True)
    app.errorhandler(choice)(answering("handled"))
    assert ask(app) == "handled"


@pytest.mark.parametrize(("config", "shown"), [({}, False), ({"DEBUG": True}, True)])
def test_name_of_a_missing_key_is_shown_in_debug_mode_only(config, shown):
    app = make(**config)
    app.add_url_rule("/", "view", lambda: request.args["the_key"])
    response = app.test_client().get("/")
    assert response.status_code == 400
    assert ("the_key" in response.text) is shown


def test_trapping_may_be_decided_by_the_application():
    class Mine(Flask):
        def trap_http_exception(self, e):
            return isinstance(e, Forbidden)

    app = Mine("microflask_tests", root_path="/")
    app.testing = True
    app.add_url_rule("/", "view", raising(Forbidden()))
    assert app.test_client().get("/missing").status_code == 404
    with pytest.raises(Forbidden):
        ask(app)


# -- what is left behind


@pytest.mark.parametrize("handled", [False, True])
@pytest.mark.parametrize("path", ["/missing", "/"])
def test_an_http_error_that_was_answered_leaves_no_garbage(mode, handled, path):
    app = make(mode, Forbidden())
    if handled:
        app.register_error_handler(HTTPException, lambda error: ("own", error.code))
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "wsgi.url_scheme": "http",
    }  # fmt: skip
    for _ in range(3):
        list(app(dict(environ), lambda *args: None))
    gc.collect()
    gc.disable()
    try:
        list(app(dict(environ), lambda *args: None))
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_an_error_handler_sees_the_traceback_and_may_keep_it(mode):
    app = make(mode, NotFound())
    kept = []
    app.register_error_handler(404, lambda error: (kept.append((error, error.__traceback__)), "x")[1])
    assert ask(app) == "x"
    [(error, traceback)] = kept
    assert traceback is not None and error.__traceback__ is traceback


# -- what is logged


def logged(app, caplog):
    """The functions in the traceback that a request leaves in the log."""
    logging.getLogger(app.logger.name).disabled = False
    with caplog.at_level(logging.ERROR):
        assert app.test_client().get("/").status_code == 500
    [record] = [record for record in caplog.records if record.exc_info]
    kind, error, traceback = record.exc_info
    assert type(error) is kind
    names = []
    while traceback is not None:
        names.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    return names, error


def test_a_logged_traceback_begins_with_the_applications_own_function(mode, caplog):
    names, error = logged(make(mode, KeyError("x")), caplog)
    assert names == ["view"]
    # The exception itself tells the whole way.
    assert error.__traceback__.tb_frame.f_code.co_name == "wsgi_app"


def test_a_logged_traceback_of_a_coroutine_begins_with_it(mode, caplog):
    app = make(mode)

    async def view():
        raise KeyError("x")

    app.add_url_rule("/", "view", view)
    assert logged(app, caplog)[0] == ["view"]


def test_a_failure_of_the_library_is_logged_with_all_frames(mode, caplog):
    app = make(mode)
    app.add_url_rule("/", "view", lambda: object())
    names, _ = logged(app, caplog)
    assert names[0] == "wsgi_app" and "make_response" in names


def test_an_overridden_log_exception_gets_the_whole_traceback(mode):
    app, seen = make(mode, KeyError("x")), []
    app.log_exception = seen.append
    assert app.test_client().get("/").status_code == 500
    [(kind, error, traceback)] = seen
    assert kind is KeyError and traceback is error.__traceback__
    assert traceback.tb_frame.f_code.co_name == "wsgi_app"
