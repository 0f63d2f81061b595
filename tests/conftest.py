"""Fixtures of all tests, and the check that no test leaves a context behind."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from microflask import Flask
from microflask.globals import _current
from microflask.testing import FlaskClient

ROOT = Path(__file__).parent
MODES = ("documented", "0.10", "3.1")


@pytest.fixture
def app() -> Flask:
    """An application with sessions, in testing mode, whose resources lie beside the tests."""
    app = Flask("microflask_tests", root_path=str(ROOT))
    app.config.update(TESTING=True, SECRET_KEY="a key for tests only")
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def req_ctx(app: Flask) -> Iterator[object]:
    """The context of a GET request for ``/``."""
    with app.test_request_context() as ctx:
        yield ctx


@pytest.fixture(params=MODES)
def any_app(request: pytest.FixtureRequest) -> Flask:
    """The same application in each named mode."""
    app = Flask("microflask_tests", root_path=str(ROOT), compat=request.param)
    app.config.update(TESTING=True, SECRET_KEY="a key for tests only")
    return app


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl-C interrupt, as in a terminal; what runs in the background of a script begins with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def no_context_is_left() -> Iterator[None]:
    """Fail a test that leaves a context pushed."""
    assert _current.get() is None, "an earlier test left a context pushed"
    yield
    left = _current.get()
    if left is not None:
        _current.set(None)
    assert left is None, f"the test left {left!r} pushed"
