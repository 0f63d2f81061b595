"""Arrays of JSON that are sent while their rows are fetched."""

import decimal
import json
import logging

import pytest

from microflask import Flask, Response, request, stream_with_context
from microflask.json import jsonify_stream
from microflask.json.provider import JSONProvider

MODES = ("documented", "0.10", "3.1")


@pytest.fixture(params=MODES)
def app(request):
    return Flask("microflask_tests", root_path="/", compat=request.param)


class Rows:
    """An iterator that counts what was taken from it, and remembers that it was closed."""

    def __init__(self, count, broken=False):
        self.numbers = iter(range(count))
        self.taken = self.closed = 0
        self.broken = broken

    def __iter__(self):
        return self

    def __next__(self):
        number = next(self.numbers, None)
        if number is None:
            if self.broken:
                raise LookupError("the database went away")
            raise StopIteration
        self.taken += 1
        return {"number": number}

    def close(self):
        self.closed += 1


def serve(app, view):
    """Call the application as a server does; return status, headers and body."""
    app.add_url_rule("/", "stream", view)
    begun = []
    environ = app.test_request_context("/?name=peter").request.environ
    body = app(environ, lambda status, headers: begun.extend((status, dict(headers))))
    return *begun, body


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7, 250])
@pytest.mark.parametrize("size", [1, 3, 100])
def test_all_rows_arrive_whatever_the_chunks(app, count, size):
    status, headers, body = serve(app, lambda: jsonify_stream(Rows(count), size))
    assert (status, headers["Content-Type"]) == ("200 OK", "application/json")
    assert "Content-Length" not in headers
    assert json.loads(b"".join(body)) == [{"number": number} for number in range(count)]


def test_rows_are_taken_as_they_are_sent(app):
    rows = Rows(1000)
    _, _, body = serve(app, lambda: jsonify_stream(rows, 10))
    assert rows.taken == 10
    pieces = iter(body)
    for sent in range(1, 5):
        next(pieces)
        assert rows.taken == 10 * sent
    body.close()
    assert rows.taken == 40


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_rows_are_closed_once_the_server_is_done(app, steps):
    rows = Rows(50)
    _, _, body = serve(app, lambda: jsonify_stream(rows, 10))
    for _ in range(steps):
        next(iter(body))
    assert not rows.closed
    body.close()
    assert rows.closed


def test_a_list_needs_no_closing(app):
    _, _, body = serve(app, lambda: jsonify_stream([1, None, "é"]))
    assert json.loads(b"".join(body)) == [1, None, "é"]
    body.close()


@pytest.mark.parametrize("wrong", [5, [object()]])
def test_what_is_wrong_with_the_first_rows_is_answered_as_an_error(app, wrong):
    app.register_error_handler(TypeError, lambda error: ("no JSON", 422))
    status, _, body = serve(app, lambda: jsonify_stream(wrong))
    assert (status, b"".join(body)) == ("422 UNPROCESSABLE ENTITY", b"no JSON")


def test_rows_are_closed_when_the_first_of_them_fail(app):
    rows = Rows(5, broken=True)
    with app.app_context(), pytest.raises(LookupError):
        jsonify_stream(rows)
    assert rows.closed


def test_an_error_in_the_middle_is_logged_and_cuts_the_stream(app, caplog):
    rows = Rows(25, broken=True)
    _, _, body = serve(app, lambda: jsonify_stream(rows, 10))
    sent = []
    with caplog.at_level(logging.ERROR), pytest.raises(LookupError, match="went away"):
        sent.extend(body)
    body.close()
    assert b"".join(sent).endswith(b'{"number": 19}')
    assert rows.closed
    (record,) = caplog.records
    assert record.name == app.logger.name
    assert record.exc_info[0] is LookupError


def test_a_stream_that_broke_does_not_go_on(app):
    _, _, body = serve(app, lambda: jsonify_stream(Rows(15, broken=True), 10))
    pieces = iter(body)
    next(pieces)
    with pytest.raises(LookupError):
        next(pieces)
    assert list(pieces) == []
    body.close()


def test_the_provider_of_the_application_encodes(app):
    class Provider(JSONProvider):
        mimetype = "application/vnd.shop+json"

        def dumps(self, obj, **kwargs):
            return json.dumps(obj, default=lambda value: f"EUR {value}", indent=2) + "\n"

    app.json = Provider(app)
    prices = [decimal.Decimal(number) for number in range(5)]
    _, headers, body = serve(app, lambda: jsonify_stream(prices, 2))
    assert headers["Content-Type"] == "application/vnd.shop+json"
    assert json.loads(b"".join(body)) == [f"EUR {number}" for number in range(5)]


def test_the_response_is_one_of_the_application(app):
    app.response_class = type("Answer", (Response,), {})
    with app.test_request_context():
        response = jsonify_stream([1])
    assert isinstance(response, app.response_class)
    response.close()


def test_rows_may_look_at_the_request_if_it_is_kept(app):
    def rows():
        for number in range(3):
            yield f"{request.args['name']} {number}"

    _, _, body = serve(app, lambda: jsonify_stream(stream_with_context(rows()), 1))
    assert json.loads(b"".join(body)) == ["peter 0", "peter 1", "peter 2"]


@pytest.mark.parametrize("size", [0, -1])
def test_a_chunk_without_rows_is_refused(app, size):
    with app.app_context(), pytest.raises(ValueError, match="rows_per_chunk"):
        jsonify_stream([], size)


def test_without_an_application_there_is_no_stream():
    with pytest.raises(RuntimeError):
        jsonify_stream([])
