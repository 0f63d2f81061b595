"""The named signals: their names, their namespace, and that nothing is sent to nobody."""

import blinker
import pytest

import microflask
from microflask import signals

DOCUMENTED = [
    "template_rendered",
    "request_started",
    "request_finished",
    "got_request_exception",
    "request_tearing_down",
    "appcontext_tearing_down",
    "appcontext_pushed",
    "appcontext_popped",
    "message_flashed",
]


@pytest.mark.parametrize("name", [*DOCUMENTED, "before_render_template"])
def test_signal_lives_in_the_one_namespace_under_its_dashed_name(name):
    signal = getattr(signals, name)
    assert signal is signals._signals.signal(name.replace("_", "-"))
    assert signal.name == name.replace("_", "-")


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_signals_are_offered_by_the_package(name):
    assert getattr(microflask, name) is getattr(signals, name)


def test_namespace_is_blinkers_own():
    assert signals.Namespace is blinker.Namespace
    mine = signals.Namespace().signal("saved", "Something was saved.")
    got = []
    with mine.connected_to(lambda sender, **values: got.append((sender, values))):
        mine.send("sender", key=1)
    assert got == [("sender", {"key": 1})]


def test_signals_are_available():
    assert signals.signals_available is True
    assert microflask.signals_available is True


def test_a_request_sends_its_signals_in_order(app, client):
    order = []

    @app.route("/")
    def index():
        order.append("view")
        return ""

    watched = [
        signals.appcontext_pushed, signals.request_started, signals.request_finished, signals.request_tearing_down,
        signals.appcontext_tearing_down, signals.appcontext_popped,
    ]
    listeners = []
    for signal in watched:
        def listen(sender, name=signal.name, **values):
            assert sender is app
            order.append(name)

        listeners.append(listen)
        signal.connect(listen, app)
    client.get("/")
    assert order == [
        "appcontext-pushed", "request-started", "view", "request-finished", "request-tearing-down",
        "appcontext-tearing-down", "appcontext-popped",
    ]


def test_a_failure_is_announced_with_the_exception(app, client):
    app.testing = False
    error = ZeroDivisionError("on purpose")

    @app.route("/")
    def index():
        raise error

    seen = []
    with signals.got_request_exception.connected_to(lambda sender, exception, **_: seen.append(exception), app):
        assert client.get("/").status_code == 500
    assert seen == [error]


def test_rendering_is_announced_before_and_after(app):
    seen = []

    def before(sender, template, context, **_):
        seen.append(("before", template.name, context["whom"]))

    def after(sender, template, context, **_):
        seen.append(("after", template.name, context["whom"]))

    with (
        app.test_request_context(),
        signals.before_render_template.connected_to(before, app),
        signals.template_rendered.connected_to(after, app),
    ):
        assert microflask.render_template_string("Hello {{ whom }}", whom=42) == "Hello 42"
    assert seen == [("before", None, 42), ("after", None, 42)]


def test_a_flashed_message_is_announced(app):
    seen = []
    with app.test_request_context(), signals.message_flashed.connected_to(
        lambda sender, message, category, **_: seen.append((sender, message, category)), app
    ):
        microflask.flash("saved", "notice")
    assert seen == [(app, "saved", "notice")]
