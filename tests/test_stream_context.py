"""Streams that keep their request context, and its teardown after the last piece."""

import gc
import threading

import pytest

from microflask import (
    Flask,
    Response,
    current_app,
    g,
    has_app_context,
    has_request_context,
    request,
    session,
    stream_with_context,
)

MODES = ("documented", "0.10", "3.1")


@pytest.fixture(params=MODES)
def log(request):
    """What happened, in order; the fixture's application writes into it."""
    return Log(request.param)


class Log(list):
    """A list with an application whose teardown functions write into it, and which serves streams."""

    def __init__(self, mode):
        self.app = app = Flask("microflask_tests", root_path="/", compat=mode)
        app.secret_key = "a key for tests only"
        app.config["PROPAGATE_EXCEPTIONS"] = True
        app.teardown_request(lambda error: self.append(("request", type(error), request.path)))
        app.teardown_appcontext(lambda error: self.append(("app", type(error), has_request_context())))

    def serve(self, make_stream, path="/?name=peter", method="GET"):
        """Call the application as a server does; return status line and body."""
        self.app.add_url_rule("/", "stream", make_stream)
        environ = self.app.test_request_context(path, method=method).request.environ
        status = []
        body = self.app(environ, lambda line, headers: status.append(line))
        return status[0], body


NORMAL_END = [("request", type(None), "/"), ("app", type(None), False)]


def pieces():
    yield "Hello "
    yield request.args["name"]
    yield "!"


def around_a_generator():
    return Response(stream_with_context(pieces()))


def decorated():
    @stream_with_context
    def generate(greeting, *, mark):
        yield greeting
        yield request.args["name"]
        yield mark

    assert generate.__name__ == "generate"
    return generate("Hello ", mark="!")


@pytest.mark.parametrize("view", [around_a_generator, decorated])
def test_stream_sees_its_request_and_the_teardown_waits(log, view):
    _, body = log.serve(view)
    assert not has_app_context()
    assert log == []
    assert b"".join(body) == b"Hello peter!"
    assert log == NORMAL_END
    body.close()
    assert log == NORMAL_END


def test_stream_without_the_context_loses_it(log):
    _, body = log.serve(lambda: Response(pieces()))
    assert log == NORMAL_END
    with pytest.raises(RuntimeError, match="no current request"):
        list(body)
    body.close()


def test_stream_sees_everything_that_was_current(log):
    def view():
        g.text = "kept"
        session["user"] = "peter"

        def generate():
            yield f"{g.text} {session['user']} {current_app.name} {request.endpoint}"

        return stream_with_context(generate())

    _, body = log.serve(view)
    assert list(body) == [b"kept peter microflask_tests stream"]
    body.close()


def test_nothing_is_bound_between_the_pieces(log):
    other = Flask("other", root_path="/")
    _, body = log.serve(around_a_generator)
    steps = iter(body)
    with other.test_request_context("/elsewhere"):
        assert next(steps) == b"Hello "
        assert (request.path, current_app.name) == ("/elsewhere", "other")
        assert next(steps) == b"peter"
    assert not has_app_context()
    assert list(steps) == [b"!"]
    body.close()
    assert log == NORMAL_END


def test_stream_may_go_on_in_another_thread(log):
    _, body = log.serve(around_a_generator)
    got = []
    thread = threading.Thread(target=lambda: got.extend(body))
    thread.start()
    thread.join()
    body.close()
    assert b"".join(got) == b"Hello peter!"
    assert log == NORMAL_END


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_stream_that_is_cut_short_is_closed_and_torn_down(log, taken):
    def view():
        def generate():
            try:
                yield from pieces()
            finally:
                log.append(f"closed, {request.args['name']}")

        return Response(stream_with_context(generate()))

    _, body = log.serve(view)
    steps = iter(body)
    for _ in range(taken):
        next(steps)
    body.close()
    error = GeneratorExit if taken else type(None)
    closed = ["closed, peter"] if taken else []
    assert log == [*closed, ("request", error, "/"), ("app", error, False)]
    assert not has_app_context()


def test_error_in_a_stream_reaches_the_teardown(log):
    def view():
        def generate():
            yield "before"
            raise ValueError("broken off")

        return Response(stream_with_context(generate()))

    _, body = log.serve(view)
    steps = iter(body)
    assert next(steps) == b"before"
    with pytest.raises(ValueError, match="broken off"):
        next(steps)
    body.close()
    assert log == [("request", ValueError, "/"), ("app", ValueError, False)]
    assert not has_app_context()


def test_error_of_the_view_wins_over_its_stream(log):
    def view():
        stream_with_context(pieces())
        raise ValueError("no stream after all")

    with pytest.raises(ValueError, match="no stream"):
        log.serve(view)
    gc.collect()
    assert log == [("request", ValueError, "/"), ("app", ValueError, False)]


def test_forgotten_stream_does_not_hold_the_context(log):
    def view():
        stream_with_context(pieces())
        return "something else"

    _, body = log.serve(view)
    assert b"".join(body) == b"something else"
    assert log == NORMAL_END


def test_answer_to_head_takes_nothing_out_of_the_stream(log):
    status, body = log.serve(around_a_generator, method="HEAD")
    assert status == "200 OK"
    assert list(body) == []
    body.close()
    assert log == NORMAL_END


def test_teardown_waits_for_the_last_of_several_streams(log):
    def view():
        first, second = stream_with_context(pieces()), stream_with_context(pieces())

        def both():
            yield from first
            log.append("first is over")
            yield from second

        return Response(both())

    _, body = log.serve(view)
    assert b"".join(body) == b"Hello peter!" * 2
    body.close()
    assert log == ["first is over", *NORMAL_END]


def test_stream_used_up_by_the_view_changes_nothing(log):
    _, body = log.serve(lambda: "".join(stream_with_context(pieces())))
    assert b"".join(body) == b"Hello peter!"
    assert log == NORMAL_END


def test_stream_outlives_a_test_request_context(log):
    with log.app.test_request_context("/?name=paul"):
        stream = stream_with_context(pieces())
    assert log == []
    assert list(stream) == ["Hello ", "paul", "!"]
    assert log == NORMAL_END


def test_stream_of_a_request_inside_of_an_application_context(log):
    with log.app.app_context():
        g.text = "outer"
        with log.app.test_request_context("/"):
            stream = stream_with_context(g.text for _ in range(2))
        assert list(stream) == ["outer", "outer"]
        assert [name for name, _, _ in log] == ["request"]
    assert [name for name, _, _ in log] == ["request", "app"]


def test_iterator_that_is_no_generator_may_be_kept(log):
    class Pieces:
        def __init__(self):
            self.left = 2

        def __iter__(self):
            return self

        def __next__(self):
            if not self.left:
                raise StopIteration
            self.left -= 1
            return request.path

    _, body = log.serve(lambda: Response(stream_with_context(Pieces())))
    assert b"".join(body) == b"//"
    body.close()
    assert log == NORMAL_END


def test_client_reads_the_whole_stream(log):
    log.app.add_url_rule("/", "stream", around_a_generator)
    with log.app.test_client() as client:
        assert client.get("/?name=client").text == "Hello client!"
        assert request.args["name"] == "client"
        assert log == []
    assert log == NORMAL_END


def test_stream_needs_a_request(log):
    with log.app.app_context():
        with pytest.raises(RuntimeError, match="make the generator in a view"):
            stream_with_context(pieces())
        with pytest.raises(RuntimeError, match="make the generator in a view"):
            stream_with_context(pieces)()


def test_a_view_that_fails_with_a_stream_in_hand_is_torn_down_at_once(log):
    log.app.config["PROPAGATE_EXCEPTIONS"] = False

    @log.app.route("/fails")
    def fails():
        stream = stream_with_context(iter(["a"]))
        raise ValueError(f"{stream} is never returned")

    gc.disable()
    try:
        assert log.app.test_client().get("/fails").status_code == 500
        assert log == [("request", ValueError, "/fails"), ("app", ValueError, False)]
    finally:
        gc.enable()
