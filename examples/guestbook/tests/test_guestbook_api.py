"""The JSON API."""

from __future__ import annotations

import io

import pytest

from microflask.testing import FlaskClient

from .browser import PASSWORD, Browser

ALICE = ("alice", PASSWORD)


def test_list_of_entries(alice: Browser, client: FlaskClient) -> None:
    for number in range(4):
        alice.write(f"message {number}")
    answer = client.get("/api/entries")
    assert answer.mimetype == "application/json"
    assert [entry["message"] for entry in answer.get_json()["entries"]] == ["message 3", "message 2", "message 1"]
    assert (answer.get_json()["page"], answer.get_json()["pages"], answer.get_json()["total"]) == (1, 2, 4)
    assert [entry["id"] for entry in client.get("/api/entries?page=2").get_json()["entries"]] == [1]
    assert client.get("/api/entries?page=3").status_code == 404


def test_one_entry(alice: Browser, client: FlaskClient) -> None:
    alice.write("<b>raw</b>", picture=(io.BytesIO(b"GIF87a..."), "x.gif"))
    entry = client.get("/api/entries/1").get_json()
    assert {key: entry[key] for key in ("id", "author", "message", "url")} == {
        "id": 1,
        "author": "alice",
        "message": "<b>raw</b>",
        "url": "/api/entries/1",
    }
    assert entry["created"].endswith("+00:00")
    with client.get(entry["picture"]) as picture:
        assert picture.data == b"GIF87a..."


@pytest.mark.parametrize("path", ["/api/entries/1", "/api/entries/nine", f"/api/entries/{2**63}", "/api/no", "/api"])
def test_unknown_address_is_404_in_json(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.mimetype == "application/json"
    assert set(answer.get_json()) == {"error", "message"}


def test_sending_to_an_unknown_address_is_404_in_json(client: FlaskClient) -> None:
    answer = client.post("/api/no", json={"message": "x"})
    assert answer.status_code == 404
    assert answer.mimetype == "application/json"


def test_address_that_only_begins_alike_is_answered_in_html(client: FlaskClient) -> None:
    assert client.get("/apiary").mimetype == "text/html"


def test_create(alice: Browser, client: FlaskClient) -> None:
    answer = client.post("/api/entries", json={"message": "  from a program\n"}, auth=ALICE)
    assert answer.status_code == 201
    assert answer.headers["Location"] == "/api/entries/1"
    assert answer.get_json() == client.get("/api/entries/1").get_json()
    assert answer.get_json()["message"] == "from a program"
    assert answer.get_json()["picture"] is None
    assert "from a program" in alice.get("/").text


@pytest.mark.parametrize("auth", [None, ("alice", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_create_needs_a_password(alice: Browser, client: FlaskClient, auth: tuple[str, str] | None) -> None:
    answer = client.post("/api/entries", json={"message": "forged"}, auth=auth)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].lower().startswith("basic realm=")
    assert answer.get_json()["error"] == "Unauthorized"


@pytest.mark.parametrize("header", ["Bearer abc", "Basic", "Basic !!!", "Basic YWxpY2U=", "Basic /////w=="])
def test_malformed_credentials_are_401(alice: Browser, client: FlaskClient, header: str) -> None:
    answer = client.post("/api/entries", json={"message": "forged"}, headers={"Authorization": header})
    assert answer.status_code == 401


def test_session_of_a_browser_is_no_credential(alice: Browser) -> None:
    assert alice.client.post("/api/entries", json={"message": "forged"}).status_code == 401


@pytest.mark.parametrize("body", ["", "{", "{'message': 'x'}", b"\xff\xfe\xff", "nul"])
def test_malformed_json_is_400(alice: Browser, client: FlaskClient, body: str | bytes) -> None:
    answer = client.post("/api/entries", data=body, content_type="application/json", auth=ALICE)
    assert answer.status_code == 400
    assert answer.get_json()["error"] == "Bad Request"


@pytest.mark.parametrize("body", ["null", "1", '"message"', '["message"]'])
def test_json_that_is_no_object_is_400(alice: Browser, client: FlaskClient, body: str) -> None:
    answer = client.post("/api/entries", data=body, content_type="application/json", auth=ALICE)
    assert answer.status_code == 400
    assert answer.get_json()["message"] == "Send a JSON object."


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_other_media_types_are_415(alice: Browser, client: FlaskClient, content_type: str) -> None:
    answer = client.post("/api/entries", data='{"message": "x"}', content_type=content_type, auth=ALICE)
    assert answer.status_code == 415
    assert answer.mimetype == "application/json"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({}, "message"),
        ({"message": None}, "message"),
        ({"message": 5}, "message"),
        ({"message": " "}, "message"),
        ({"message": "x" * 2001}, "message"),
        ({"message": "\ud800"}, "message"),
        ({"message": "x", "author": "bob"}, "author"),
        ({"message": "x", "id": 7}, "id"),
    ],
)
def test_wrong_fields_are_named(alice: Browser, client: FlaskClient, value: dict[str, object], field: str) -> None:
    answer = client.post("/api/entries", json=value, auth=ALICE)
    assert answer.status_code == 422
    assert list(answer.get_json()["fields"]) == [field]
    assert client.get("/api/entries").get_json()["total"] == 0


def test_wrong_method_is_405_with_the_allowed_ones(client: FlaskClient) -> None:
    answer = client.delete("/api/entries")
    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))
    assert answer.get_json()["error"] == "Method Not Allowed"


def test_body_over_the_limit_is_413(alice: Browser, client: FlaskClient) -> None:
    answer = client.post("/api/entries", json={"message": "x" * 20_000}, auth=ALICE)
    assert answer.status_code == 413
    assert answer.mimetype == "application/json"
