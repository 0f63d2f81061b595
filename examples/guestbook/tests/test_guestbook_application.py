"""The application as a whole: settings, error pages, headers and the database."""

from __future__ import annotations

import socket
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from guestbook import create_app, secret_key
from guestbook.__main__ import main
from guestbook.db import get_db
from guestbook.filters import moment, paragraphs

from microflask import Flask

from .browser import Browser


@pytest.fixture
def broken(instance: Path) -> Flask:
    """A guestbook in production, with a view that fails in each style."""
    app = create_app()

    def fail() -> str:
        raise RuntimeError("the secret reason")

    app.add_url_rule("/fail", view_func=fail)
    app.add_url_rule("/api/fail", endpoint="api_fail", view_func=fail)
    return app


def test_failure_is_a_page_without_its_reason(broken: Flask) -> None:
    answer = broken.test_client().get("/fail")
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert "secret reason" not in answer.text


def test_failure_below_the_api_is_json(broken: Flask) -> None:
    answer = broken.test_client().get("/api/fail")
    assert answer.status_code == 500
    assert answer.get_json()["error"] == "Internal Server Error"
    assert "secret reason" not in answer.text


def test_failing_database_still_gives_the_error_page(broken: Flask, instance: Path) -> None:
    (instance / "guestbook.sqlite").write_bytes(b"this is no database" * 100)
    answer = broken.test_client().get("/")
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text


def test_unknown_page_is_404_with_the_layout(visitor: Browser) -> None:
    answer = visitor.get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing at this address." in answer.text
    assert 'href="/static/style.css"' in answer.text


def test_form_to_an_unknown_page_is_404(visitor: Browser) -> None:
    assert visitor.client.post("/nowhere", data={"a": "b"}).status_code == 404


def test_wrong_method_names_the_right_one(visitor: Browser) -> None:
    answer = visitor.get("/auth/logout")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/", "/nowhere", "/static/style.css", "/api/entries"])
def test_every_answer_carries_the_careful_headers(visitor: Browser, path: str) -> None:
    with visitor.get(path) as answer:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(("name", "mimetype"), [("style.css", "text/css"), ("icon.svg", "image/svg+xml")])
def test_static_files_need_no_session(visitor: Browser, name: str, mimetype: str) -> None:
    with visitor.get(f"/static/{name}") as answer:
        assert answer.status_code == 200
        assert answer.mimetype == mimetype
        assert "Set-Cookie" not in answer.headers


def test_database_is_made_at_first_use(app: Flask, instance: Path) -> None:
    assert not (instance / "guestbook.sqlite").exists()
    assert app.test_client().get("/").status_code == 200
    assert (instance / "guestbook.sqlite").exists()


def test_database_is_made_once_by_many_at_the_same_time(app: Flask) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: app.test_client().get("/").status_code, range(16)))
    assert answers == [200] * 16


def test_entries_outlive_the_application(alice: Browser, instance: Path) -> None:
    alice.write("kept")
    assert "kept" in create_app().test_client().get("/").text


def test_connection_is_one_per_context_and_closed_at_its_end(app: Flask) -> None:
    with app.app_context():
        connection = get_db()
        assert get_db() is connection
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")


def test_secret_key_is_made_once_for_its_owner_only(instance: Path) -> None:
    first, second = create_app(), create_app()
    assert first.secret_key == second.secret_key
    assert isinstance(first.secret_key, str)
    assert len(first.secret_key) == 64
    assert stat.S_IMODE((instance / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in instance.iterdir()] == ["secret_key"]


def test_instance_folder_is_for_its_owner_only(app: Flask, instance: Path) -> None:
    assert stat.S_IMODE(instance.stat().st_mode) == 0o700


def test_secret_key_is_the_same_for_workers_that_start_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(secret_key.load, [str(tmp_path)] * 32))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


@pytest.mark.parametrize("key", ["from the environment", "0123456789"])
def test_secret_key_of_the_environment_wins(instance: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("GUESTBOOK_SECRET_KEY", key)
    assert create_app().secret_key == key
    assert not (instance / "secret_key").exists()


def test_settings_come_from_the_environment_and_the_caller(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUESTBOOK_SESSION_COOKIE_SECURE", "true")
    monkeypatch.setenv("GUESTBOOK_ENTRIES_PER_PAGE", "5")
    app = create_app({"ENTRIES_PER_PAGE": 7})
    assert app.config["SESSION_COOKIE_SECURE"] is True
    assert app.config["ENTRIES_PER_PAGE"] == 7


def test_moment_is_written_in_utc() -> None:
    assert moment(datetime(2026, 3, 5, 14, 7, tzinfo=UTC)) == "5 March 2026, 14:07 UTC"
    assert moment(datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))) == "31 December 2025, 23:30 UTC"


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("", ""),
        ("one", "<p>one</p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("one\r\n\r\n\r\n\r\ntwo", "<p>one</p>\n<p>two</p>"),
        ("{0} <&> %s", "<p>{0} &lt;&amp;&gt; %s</p>"),
    ],
)
def test_paragraphs(text: str, markup: str) -> None:
    assert paragraphs(text) == markup


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", ""])
def test_bad_port_is_a_usage_error(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([f"--port={port}"])
    assert ended.value.code == 2
    assert "is not a number from 1 to 65535" in capsys.readouterr().err


def test_port_in_use_is_said_plainly(instance: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SystemExit) as ended:
            main(["--port", str(port)])
    assert f"cannot use port {port} on 127.0.0.1" in str(ended.value.code)
    assert "Choose another one with --port" in str(ended.value.code)
