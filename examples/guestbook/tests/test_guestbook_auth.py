"""Registering, signing in and out, and forms that other sites forged."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from guestbook.security import local_path

from microflask import Flask

from .browser import PASSWORD, Browser


def test_registering_signs_in(visitor: Browser) -> None:
    page = visitor.register("carol")
    assert "Welcome, carol!" in page.text
    assert '<span class="who">carol</span>' in page.text


def test_password_is_stored_as_a_hash(alice: Browser, instance: Path) -> None:
    connection = sqlite3.connect(instance / "guestbook.sqlite")
    (stored,) = connection.execute("SELECT password_hash FROM user").fetchone()
    connection.close()
    assert PASSWORD not in stored
    assert stored.startswith(("scrypt:", "pbkdf2:"))


@pytest.mark.parametrize("name", ["", "ab", "x" * 31, "two words", "<b>bold</b>", "Zoe\u0301", "../etc", "new\nline"])
def test_bad_name_is_refused(visitor: Browser, name: str) -> None:
    page = visitor.register(name)
    assert page.status_code == 422
    assert "Use 3 to 30 letters" in page.text
    assert "<b>bold" not in page.text


@pytest.mark.parametrize("password", ["", "seven77", "x" * 201])
def test_bad_password_is_refused_and_not_shown_again(visitor: Browser, password: str) -> None:
    page = visitor.register("carol", password)
    assert page.status_code == 422
    assert "Use 8 to 200 characters." in page.text
    assert not password or password not in page.text


@pytest.mark.parametrize("name", ["alice", "ALICE"])
def test_taken_name_is_refused(alice: Browser, visitor: Browser, name: str) -> None:
    page = visitor.register(name)
    assert page.status_code == 422
    assert "This name is taken." in page.text


@pytest.mark.parametrize(("name", "password"), [("alice", "wrong horse"), ("nobody", PASSWORD), ("", "")])
def test_wrong_name_and_wrong_password_look_alike(alice: Browser, visitor: Browser, name: str, password: str) -> None:
    page = visitor.post("/auth/login", name=name, password=password)
    assert page.status_code == 422
    assert "Wrong name or password." in page.text
    assert 'class="who"' not in page.text


def test_signing_out_and_in_again(alice: Browser) -> None:
    assert "You are signed out." in alice.post("/auth/logout", form_at="/").text
    assert alice.get("/entries/new").status_code == 302
    assert "Welcome back, alice!" in alice.post("/auth/login", name="Alice", password=PASSWORD).text
    assert alice.get("/entries/new").status_code == 200


def test_signing_in_renews_the_session(alice: Browser, visitor: Browser) -> None:
    with visitor.client.session_transaction() as session:
        session["planted"] = "by somebody else"
    before = visitor.token()
    visitor.post("/auth/login", name="alice", password=PASSWORD)
    with visitor.client.session_transaction() as session:
        assert "planted" not in session
        assert session["user_id"] == 1
        assert session["csrf_token"] != before


def test_session_cookie_is_kept_from_scripts_and_other_sites(visitor: Browser) -> None:
    cookie = visitor.get("/auth/login").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_user_who_is_gone_is_signed_out(alice: Browser) -> None:
    with alice.client.session_transaction() as session:
        session["user_id"] = 99
    assert 'class="who"' not in alice.get("/").text


def test_sign_in_leads_back_to_where_the_visitor_was(alice: Browser, visitor: Browser) -> None:
    page = visitor.post("/auth/login?next=/entries/new", name="alice", password=PASSWORD)
    assert page.request.path == "/entries/new"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "x", ""],
)
def test_sign_in_never_leads_to_another_site(alice: Browser, visitor: Browser, target: str) -> None:
    data = {"csrf_token": visitor.token(), "name": "alice", "password": PASSWORD}
    answer = visitor.client.post("/auth/login", query_string={"next": target}, data=data)
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("target", ["/", "/entries/new", "/?page=2", "/entries/1?next=//evil.example"])
def test_paths_of_this_site_are_local(target: str) -> None:
    assert local_path(target) == target


@pytest.mark.parametrize("token", [None, "", "wrong", "\u00e9"])
@pytest.mark.parametrize(
    "path", ["/auth/register", "/auth/login", "/auth/logout", "/entries/new", "/entries/1/delete"]
)
def test_form_with_a_wrong_token_is_403(alice: Browser, path: str, token: str | None) -> None:
    alice.write("still here")
    data = {"message": "forged", "name": "mallory", "password": PASSWORD}
    answer = alice.client.post(path, data=data if token is None else data | {"csrf_token": token})
    assert answer.status_code == 403
    assert "This form has expired." in answer.text
    text = alice.get("/").text
    assert "forged" not in text
    assert "still here" in text
    assert '<span class="who">alice</span>' in text


def test_form_without_a_session_is_403(app: Flask) -> None:
    answer = app.test_client().post("/auth/login", data={"csrf_token": "", "name": "alice", "password": PASSWORD})
    assert answer.status_code == 403


def test_token_of_another_session_is_403(alice: Browser, bob: Browser) -> None:
    answer = alice.client.post("/entries/new", data={"csrf_token": bob.token("/"), "message": "forged"})
    assert answer.status_code == 403


def test_session_signed_with_another_key_is_ignored(alice: Browser, app: Flask) -> None:
    app.config["SECRET_KEY"] = "another key"
    assert 'class="who"' not in alice.get("/").text
