"""Many requests at once, in threads, in greenlets and in interleaved streams: none sees another one's data."""

import asyncio
import contextvars
import sys
import threading
import time
from collections import Counter

import pytest

from microflask import (
    Flask,
    current_app,
    flash,
    g,
    get_flashed_messages,
    has_app_context,
    render_template_string,
    request,
    session,
    stream_with_context,
    url_for,
)

THREADS = 16
GREENLETS = 200
REQUESTS = 10


@pytest.fixture
def often():
    """Let threads give way to each other as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def make(pause):
    """An application that looks at everything before and after it pauses, and counts its teardowns."""
    app = Flask("microflask_tests", root_path="/")
    app.config.update(TESTING=True, SECRET_KEY="a key for tests only")
    app.ended = Counter()
    app.before_request(lambda: setattr(g, "user", request.args["user"]))

    def everything():
        return (
            g.user, request.args["user"], request.view_args["number"], session.get("user"), session.get("count"),
            current_app.name, url_for(".show", number=request.view_args["number"]),
        )  # fmt: skip

    @app.route("/<int:number>")
    def show(number):
        session["user"] = g.user
        session["count"] = session.get("count", 0) + 1
        before = everything()
        flash(f"{g.user} {number}")
        pause()
        assert everything() == before
        pause()
        assert get_flashed_messages() == [f"{g.user} {number}"]
        return f"{g.user} {number} {session['user']} {session['count']}"

    @app.after_request
    def after(response):
        pause()
        response.headers["X-User"] = f"{g.user} {request.view_args.get('number')}"
        return response

    @app.teardown_request
    def teardown(error):
        pause()
        app.ended[request.args["user"], error] += 1

    return app


def send_requests(app, user):
    """Send requests as one user with one cookie jar; return what was wrong."""
    wrong = []
    client = app.test_client()
    for number in range(REQUESTS):
        response = client.get(f"/{number}?user={user}")
        found = (response.text, response.headers["X-User"])
        if found != (f"{user} {number} {user} {number + 1}", f"{user} {number}"):
            wrong.append(found)
    if has_app_context():
        wrong.append("a context is left")
    return wrong


def in_threads(function, count=THREADS):
    """Call a function with 0, 1, ... in threads that start together; return what it returned, or raise what it did."""
    barrier = threading.Barrier(count)
    outcomes = [None] * count

    def run(number):
        barrier.wait(10)
        try:
            outcomes[number] = function(number)
        except BaseException as error:
            outcomes[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes


# -- threads


def test_threads_do_not_see_each_other(often):
    app = make(lambda: time.sleep(0))
    assert in_threads(lambda number: send_requests(app, f"user{number}")) == [[]] * THREADS
    assert app.ended == {(f"user{number}", None): REQUESTS for number in range(THREADS)}


def test_threads_on_an_asynchronous_view_do_not_see_each_other(often):
    app = make(lambda: None)
    variable = contextvars.ContextVar("variable")

    @app.before_request
    async def remember():
        variable.set(g.user)

    @app.route("/async")
    async def view():
        await asyncio.sleep(0)
        return f"{g.user} {variable.get()} {request.args['user']}"

    def send(number):
        client = app.test_client()
        return {client.get(f"/async?user={number}").text for _ in range(REQUESTS)}

    assert in_threads(send) == [{f"{number} {number} {number}"} for number in range(THREADS)]


def test_first_request_is_prepared_once_and_all_wait_for_it(often):
    app, log = make(lambda: None), []

    @app.before_first_request
    def slow():
        log.append("began")
        time.sleep(0.02)
        log.append("ready")

    app.before_request(lambda: log.append("request"))
    in_threads(lambda number: app.test_client().get(f"/{number}?user=x").status_code)
    assert log == ["began", "ready", *["request"] * THREADS]


def test_what_is_made_late_may_be_made_by_all_at_once(often):
    app = Flask("microflask_tests", root_path="/")
    app.config.update(TESTING=True, SECRET_KEY="a key for tests only")
    app.template_filter("shout")(str.upper)
    source = "{{ name|shout }} {{ config.TESTING }}"
    app.add_url_rule("/<name>", "page", lambda name: render_template_string(source, name=name))
    app.add_url_rule("/json/<name>", "json", lambda name: {name: request.args})
    app.add_url_rule("/url/<name>", "url", lambda name: url_for("page", name=name))

    def send(number):
        client = app.test_client()
        return client.get(f"/a{number}").text, client.get(f"/json/b{number}").json, client.get(f"/url/c{number}").text

    assert in_threads(send) == [(f"A{number} True", {f"b{number}": {}}, f"/c{number}") for number in range(THREADS)]


def test_rules_of_a_map_may_be_matched_and_built_at_once(often):
    app = Flask("microflask_tests", root_path="/")
    app.testing = True
    for number in range(THREADS):
        app.add_url_rule(f"/{number}/<int:value>/<path:rest>", f"view{number}", lambda value, rest: f"{value} {rest}")

    def send(number):
        client = app.test_client()
        found = {client.get(f"/{number}/{value}/a/{number}").text for value in range(REQUESTS)}
        with app.test_request_context():
            return found, url_for(f"view{number}", value=number, rest="x y")

    for number, (found, url) in enumerate(in_threads(send)):
        assert found == {f"{value} a/{number}" for value in range(REQUESTS)}
        assert url == f"/{number}/{number}/x%20y"


def test_applications_in_threads_do_not_see_each_other(often):
    apps = [make(lambda: time.sleep(0)) for _ in range(4)]
    wrong = in_threads(lambda number: send_requests(apps[number % 4], f"user{number}"))
    assert wrong == [[]] * THREADS
    assert [sum(app.ended.values()) for app in apps] == [THREADS // 4 * REQUESTS] * 4


# -- greenlets


class Scheduler:
    """Run greenlets in turns; each gives way where the application pauses."""

    def __init__(self, kind):
        self.kind = kind
        self.results = {}

    def pause(self):
        """Give way to the others."""
        current = self.kind.getcurrent()
        if current.parent is not None:
            current.parent.switch()

    def run(self, function, count):
        """Call a function with 0, 1, ... in greenlets; return what it returned."""

        def work(number):
            self.results[number] = function(number)

        waiting = [self.kind.greenlet(lambda number=number: work(number)) for number in range(count)]
        while waiting:
            for green in waiting:
                green.switch()
            waiting = [green for green in waiting if not green.dead]
        return [self.results[number] for number in range(count)]


@pytest.fixture
def scheduler():
    return Scheduler(pytest.importorskip("greenlet"))


def test_greenlets_do_not_see_each_other(scheduler):
    app, open_at_once = make(scheduler.pause), []

    @app.before_request
    def count():
        open_at_once.append(1 + (open_at_once[-1] if open_at_once else 0))

    app.teardown_request(lambda error: open_at_once.append(open_at_once[-1] - 1))
    found = scheduler.run(lambda number: send_requests(app, f"user{number}"), GREENLETS)
    assert found == [[]] * GREENLETS
    assert sum(app.ended.values()) == GREENLETS * REQUESTS
    assert (max(open_at_once), open_at_once[-1]) == (GREENLETS, 0)
    assert not has_app_context()


def test_greenlet_sees_nothing_of_the_one_that_started_it(scheduler):
    app = make(scheduler.pause)
    with app.test_request_context("/1?user=outer"):
        assert scheduler.run(lambda number: has_app_context(), 3) == [False] * 3
        assert request.args["user"] == "outer"


def test_greenlets_interleave_their_contexts(scheduler):
    """Contexts end in another order than they began, which is no mistake as each greenlet has its own."""
    app, order = make(scheduler.pause), []

    def work(number):
        with app.test_request_context(f"/{number}?user={number}"):
            for _ in range(5 - number):
                scheduler.pause()
                assert request.args["user"] == str(number)
            order.append(number)
        return has_app_context()

    assert scheduler.run(work, 5) == [False] * 5
    assert order == [4, 3, 2, 1, 0]


def test_error_in_one_greenlet_leaves_the_others_alone(scheduler):
    app = make(scheduler.pause)

    @app.before_request
    def fail():
        scheduler.pause()
        if g.user == "3":
            raise ValueError(g.user)

    def work(number):
        try:
            return app.test_client().get(f"/{number}?user={number}").text
        except ValueError as error:
            return f"failed {error}"

    found = scheduler.run(work, 6)
    assert found == [f"{number} {number} {number} 1" if number != 3 else "failed 3" for number in range(6)]
    assert Counter(type(error) for _, error in app.ended.elements()) == {type(None): 5, ValueError: 1}


# -- streams


def test_streams_that_take_turns_do_not_see_each_other():
    app = make(lambda: None)
    ended = []
    app.teardown_request(lambda error: ended.append(request.args["user"]))

    @app.route("/stream")
    def stream():
        @stream_with_context
        def generate():
            for number in range(5):
                yield f"{g.user} {request.args['user']} {number};"

        return generate()

    bodies = []
    for number in range(20):
        environ = app.test_request_context(f"/stream?user={number}").request.environ
        bodies.append(app(environ, lambda status, headers: None))
    assert ended == []
    got = ["".join(piece.decode() for piece in pieces) for pieces in zip(*zip(*bodies, strict=True), strict=True)]
    assert got == ["".join(f"{user} {user} {number};" for number in range(5)) for user in range(20)]
    for body in bodies:
        body.close()
    assert sorted(ended, key=int) == [str(number) for number in range(20)]
    assert not has_app_context()
