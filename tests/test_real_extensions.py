"""Extensions as they are published do their job under the alias: five of them in one application, which is a process.

The application is real_extensions/notes.py; it says ``from flask import Flask`` and knows nothing of us.
"""

import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
EXTENSIONS = ("flask_login", "flask_wtf", "flask_sqlalchemy", "flask_cors", "flask_restful")
MISSING = [name for name in EXTENSIONS if importlib.util.find_spec(name) is None]

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(
        bool(MISSING), reason=f"{', '.join(MISSING)} not installed; the extra extensions_test brings them"
    ),
]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    return tmp_path_factory.mktemp("notes") / "notes.sqlite"


@pytest.fixture(scope="module")
def told(database):
    """What the program has told, by label."""
    program = [sys.executable, "-m", "microflask.alias", str(HERE / "real_extensions" / "notes.py"), str(database)]
    path = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        program, cwd=database.parent, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def outcome(told, label):
    answer = told[label]
    return answer["status"], answer["headers"].get("location")


def test_application_is_ours(told):
    assert told["made by"] == ["3.1.3", "microflask.app", True]
    assert told["files of flask"] == []


def test_login_required_sends_a_stranger_to_the_form(told):
    assert outcome(told, "a stranger") == (302, "/login?next=%2F")


def test_csrf_protection_refuses_a_form_without_its_token(told):
    for label in ("login without a token", "logout without a token"):
        assert outcome(told, label) == (400, None)
        assert "The CSRF token is missing." in told[label]["text"]


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("login without a name", "who are you?"),
        ("login with a wrong password", "this is not the password"),
        ("a note without a title", "a note needs a title"),
    ],
)
def test_form_shows_its_errors(told, label, text):
    assert told[label]["status"] == 200
    assert text in told[label]["text"]


def test_login_lasts_until_logout(told):
    assert outcome(told, "login") == (302, "/")
    assert told["the page"]["text"].startswith("ann: buy &lt;tea&gt;<form")
    assert outcome(told, "logout") == (302, "/login")
    assert outcome(told, "api: make as a stranger") == (302, "/login?next=%2Fapi%2Fnotes")


def test_what_is_posted_lies_in_the_database(told, database):
    assert outcome(told, "a note") == (302, "/")
    connection = sqlite3.connect(database)
    try:
        rows = connection.execute("SELECT title, name FROM note JOIN user ON user.id = author_id").fetchall()
    finally:
        connection.close()
    assert rows == [("buy <tea>", "ann")]


def test_resource_answers_json(told):
    first = {"title": "buy <tea>", "author": "ann", "url": "/api/notes/1"}
    second = {"title": "by api", "author": "ann", "url": "/api/notes/2"}
    assert told["api: make"]["status"] == 201
    assert told["api: make"]["headers"]["x-made"] == "2"
    assert json.loads(told["api: make"]["text"]) == second
    assert json.loads(told["api: all"]["text"]) == {"notes": [first, second]}
    assert json.loads(told["api: one"]["text"]) == first
    assert told["api: all"]["headers"]["content-type"] == "application/json"
    assert (told["api: delete"]["status"], told["api: delete"]["text"]) == (204, "")


def test_errors_below_the_resources_are_json_too(told):
    assert told["api: make nothing"]["status"] == 400
    assert json.loads(told["api: make nothing"]["text"]) == {"message": {"title": "a title is needed"}}
    assert told["api: none"]["status"] == 404
    assert "message" in json.loads(told["api: none"]["text"])
    assert told["api: method"]["status"] == 405
    assert "message" in json.loads(told["api: method"]["text"])


def test_cors_headers_go_to_friends_and_only_for_the_api(told):
    for label in ("api: make", "api: all", "api: none", "api: method"):
        assert told[label]["headers"]["access-control-allow-origin"] == "http://friend.example"
        assert told[label]["headers"]["access-control-expose-headers"] == "X-Made"
    for label in ("api: all, for an enemy", "the page"):
        assert "access-control-allow-origin" not in told[label]["headers"]
    preflight = told["api: preflight"]
    assert preflight["status"] == 200
    assert "POST" in preflight["headers"]["access-control-allow-methods"]
    assert preflight["headers"]["access-control-allow-headers"] == "X-Own"


def test_session_of_a_request_is_there_in_the_block_of_the_client(told):
    assert told["in the block"] == [[], False]
