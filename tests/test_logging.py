"""The application's logger, in the way of either generation, and the error stream of the server."""

import io
import logging
import re
from types import SimpleNamespace

import pytest

from microflask.compat import DOCUMENTED, FLASK_0_10, FLASK_3_1
from microflask.logging import create_logger, default_handler, has_level_handler, wsgi_errors_stream

NAME = "tests_of_logging.application"


@pytest.fixture(autouse=True)
def make_parent():
    """Return a function that makes the parent of the test's logger, which hands nothing on to the root.

    To be called in the test itself: pytest adds its own handlers to every such logger when the test starts.
    """
    name = NAME.partition(".")[0]

    def make():
        parent = logging.getLogger(name)
        parent.propagate = False
        return parent

    yield make
    for known in (NAME, name):
        logging.root.manager.loggerDict.pop(known, None)


@pytest.fixture
def make_app(make_parent):
    def make(compat, debug=False, **attributes):
        make_parent()
        known = {"name": NAME, "logger_name": NAME, "debug_log_format": "<%(levelname)s %(message)s>"}
        return SimpleNamespace(compat=compat, debug=debug, **{**known, **attributes})

    return make


@pytest.fixture
def errors(capsys):
    """Return a function that reads what came to standard error since the last time."""
    return lambda: capsys.readouterr().err


# -- as Flask 3.1


def test_current_logger_is_named_after_the_application(make_app):
    logger = create_logger(make_app(FLASK_3_1, name=NAME, logger_name="other"))
    assert logger is logging.getLogger(NAME)


@pytest.mark.parametrize(("debug", "level"), [(False, logging.NOTSET), (True, logging.DEBUG)])
def test_current_level_follows_debug_when_the_logger_is_made(make_app, debug, level):
    assert create_logger(make_app(FLASK_3_1, debug=debug)).level == level


def test_current_level_that_was_chosen_stays(make_app):
    logging.getLogger(NAME).setLevel(logging.ERROR)
    assert create_logger(make_app(FLASK_3_1, debug=True)).level == logging.ERROR


def test_current_logger_gets_the_default_handler_once(make_app):
    app = make_app(FLASK_3_1)
    assert create_logger(app) is create_logger(app)
    assert create_logger(app).handlers == [default_handler]


def test_current_logger_leaves_an_existing_handler_alone(make_app, make_parent):
    make_parent().addHandler(logging.NullHandler())
    assert create_logger(make_app(FLASK_3_1)).handlers == []


def test_current_logger_prints_in_production(make_app, errors):
    create_logger(make_app(FLASK_3_1)).error("in production")
    assert re.fullmatch(r"\[.+\] ERROR in test_logging: in production\n", errors())


@pytest.mark.parametrize(
    ("handler_level", "logger_level", "expected"),
    [(logging.NOTSET, logging.DEBUG, True), (logging.ERROR, logging.DEBUG, False), (logging.INFO, logging.INFO, True)],
)
def test_a_level_handler_takes_all_that_passes(make_parent, handler_level, logger_level, expected):
    parent, logger = make_parent(), logging.getLogger(NAME)
    logger.setLevel(logger_level)
    parent.addHandler(logging.NullHandler(handler_level))
    assert has_level_handler(logger) is expected


def test_a_level_handler_is_reached_by_propagation_only(make_parent):
    parent, logger = make_parent(), logging.getLogger(NAME)
    assert not has_level_handler(logger)
    parent.addHandler(logging.NullHandler())
    assert has_level_handler(logger)
    logger.propagate = False
    assert not has_level_handler(logger)


# -- as documented


@pytest.fixture(params=[DOCUMENTED, FLASK_0_10], ids=lambda row: row.name)
def app(request, make_app):
    return make_app(request.param, name="another", debug=True)


def test_documented_logger_is_named_by_logger_name(app):
    assert create_logger(app) is logging.getLogger(NAME)


def test_documented_logger_prints_in_debug_mode_only(app, errors):
    logger = create_logger(app)
    logger.debug("value %d", 1)
    app.debug = False
    logger.error("silent")
    logger.debug("silent")
    app.debug = True
    logger.debug("again")
    assert errors() == "<DEBUG value 1>\n<DEBUG again>\n"


def test_documented_level_is_decided_at_each_call(app):
    logger = create_logger(app)
    assert (logger.getEffectiveLevel(), logger.isEnabledFor(logging.DEBUG)) == (logging.DEBUG, True)
    app.debug = False
    assert (logger.getEffectiveLevel(), logger.isEnabledFor(logging.DEBUG)) == (logging.root.level, False)
    assert logger.level == logging.NOTSET


def test_documented_level_that_was_chosen_counts(app, errors):
    logger = create_logger(app)
    logger.setLevel(logging.ERROR)
    logger.warning("hidden")
    logger.error("seen")
    assert logger.getEffectiveLevel() == logging.ERROR
    assert errors() == "<ERROR seen>\n"


def test_documented_logger_obeys_the_global_switches(app, errors):
    logger = create_logger(app)
    logging.disable(logging.CRITICAL)
    try:
        logger.critical("disabled")
    finally:
        logging.disable(logging.NOTSET)
    logger.disabled = True
    logger.critical("disabled")
    assert errors() == ""


def test_documented_logger_starts_with_its_own_handler_only(app):
    logging.getLogger(NAME).addHandler(logging.NullHandler())
    logger = create_logger(app)
    (own,) = logger.handlers
    (again,) = create_logger(app).handlers
    assert not isinstance(own, logging.NullHandler) and again is not own


def test_documented_logger_hands_its_records_on(app, make_parent, errors):
    stream = io.StringIO()
    make_parent().addHandler(logging.StreamHandler(stream))
    app.debug = False
    create_logger(app).error("to the parent's handler")
    assert stream.getvalue() == "to the parent's handler\n"
    assert errors() == ""


def test_documented_logger_prints_tracebacks(app, errors):
    logger = create_logger(app)
    try:
        raise ValueError("on purpose")
    except ValueError:
        logger.exception("failed")
    first, *middle, last = errors().splitlines()
    assert (first, last) == ("<ERROR failed>", "ValueError: on purpose")
    assert __file__ in "".join(middle)


def test_documented_logger_keeps_a_class_of_ones_own(app, errors):
    class Chatty(logging.Logger):
        def notice(self, text):
            self.info("notice: %s", text)

    logging.setLoggerClass(Chatty)
    try:
        logger = create_logger(app)
    finally:
        logging.setLoggerClass(logging.Logger)
    logger.notice("hello")
    assert errors() == "<INFO notice: hello>\n"


def test_documented_logger_belongs_to_the_application_that_asked_last(make_app, errors):
    first, second = make_app(DOCUMENTED, debug=True), make_app(DOCUMENTED)
    create_logger(first)
    create_logger(second).error("silent")
    assert errors() == ""


# -- the error stream


def test_outside_of_a_request_the_stream_is_standard_error(errors):
    wsgi_errors_stream.write("text")
    assert errors() == "text"


def test_in_a_request_the_stream_is_the_servers(microflask_app, make_parent, errors):
    make_parent()
    stream = io.StringIO()
    with microflask_app.test_request_context(errors_stream=stream):
        create_logger(microflask_app).error("to the server")
    assert stream.getvalue().endswith("ERROR in test_logging: to the server\n")
    assert errors() == ""


def test_a_server_without_a_stream_gets_standard_error(microflask_app, errors):
    with microflask_app.test_request_context() as context:
        context.request.environ.pop("wsgi.errors")
        wsgi_errors_stream.write("text")
    assert errors() == "text"


@pytest.fixture
def microflask_app():
    import microflask

    return microflask.Flask(NAME, root_path="/", compat="3.1")


def test_an_unhandled_error_is_logged_with_its_traceback(microflask_app, make_parent):
    make_parent()

    @microflask_app.route("/")
    def index():
        return 1 // 0

    stream = io.StringIO()
    response = microflask_app.test_client().get("/", errors_stream=stream)
    assert response.status_code == 500
    assert "Exception on / [GET]" in stream.getvalue()
    assert stream.getvalue().rstrip().endswith("ZeroDivisionError: integer division or modulo by zero")
