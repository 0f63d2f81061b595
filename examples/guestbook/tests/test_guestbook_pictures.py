"""Uploading and sending pictures."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from .browser import Browser

PNG = b"\x89PNG\r\n\x1a\n" + b"the rest of a picture"
PICTURES = [
    (PNG, "png", "image/png"),
    (b"\xff\xd8\xff\xe0" + b"\0" * 20, "jpg", "image/jpeg"),
    (b"GIF89a" + b"\0" * 20, "gif", "image/gif"),
    (b"RIFF\x10\n\0\0WEBP" + b"\0" * 20, "webp", "image/webp"),
]


def upload(browser: Browser, data: bytes, name: str = "holiday.png", message: str = "look") -> str:
    """Write an entry with a picture and return the page that comes back."""
    return browser.write(message, picture=(io.BytesIO(data), name)).text


def stored(instance: Path) -> list[str]:
    """Return the names of all files of the instance folder, those of the pictures' folder as ``pictures/name``."""
    return sorted(str(path.relative_to(instance)) for path in instance.rglob("*") if path.is_file())


@pytest.mark.parametrize(("data", "suffix", "mimetype"), PICTURES)
def test_picture_is_shown_and_sent(alice: Browser, data: bytes, suffix: str, mimetype: str) -> None:
    found = re.search(r'src="(/pictures/[0-9a-f]{32}\.(\w+))"', upload(alice, data))
    assert found
    assert found[2] == suffix
    with alice.get(found[1]) as answer:
        assert answer.data == data
        assert answer.mimetype == mimetype
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_form_without_a_picture_makes_an_entry_without(alice: Browser, instance: Path) -> None:
    assert "Thank you" in alice.write("no picture", picture=(io.BytesIO(b""), "")).text
    assert not (instance / "pictures").exists()


@pytest.mark.parametrize(
    "data", [b"", b"MZ\x90\0", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF88a", b" " + PNG, b"RIFF....WAVE"]
)
def test_fake_picture_is_refused(alice: Browser, instance: Path, data: bytes) -> None:
    page = upload(alice, data, message="keep this text")
    assert "This is not a picture" in page
    assert "keep this text" in page
    assert not (instance / "pictures").exists()
    assert "Nobody has written" in alice.get("/").text


def test_picture_over_the_limit_is_refused(alice: Browser, instance: Path) -> None:
    assert "Thank you" in upload(alice, PNG.ljust(4096, b"\0"))
    assert "too large; the limit is 4 KiB" in upload(alice, PNG.ljust(4097, b"\0"))
    assert len(list((instance / "pictures").iterdir())) == 1


def test_request_over_the_limit_is_413(alice: Browser) -> None:
    answer = alice.write("huge", picture=(io.BytesIO(PNG.ljust(20_000, b"\0")), "huge.png"))
    assert answer.status_code == 413
    assert "Try a smaller picture." in answer.text


@pytest.mark.parametrize(
    "name", ["../../evil.png", "/etc/evil.png", "..\\evil.png", "evil.html", "a\u0301 <b>.php", ".png", "secret_key"]
)
def test_name_of_an_upload_is_not_used(alice: Browser, instance: Path, tmp_path: Path, name: str) -> None:
    upload(alice, PNG, name)
    (picture,) = (path for path in stored(instance) if path.startswith("pictures"))
    assert re.fullmatch(r"pictures/[0-9a-f]{32}\.png", picture)
    assert stored(instance) == ["guestbook.sqlite", picture, "secret_key"]
    assert [path.name for path in tmp_path.iterdir()] == ["instance"]


@pytest.mark.parametrize(
    "path",
    [
        "../guestbook.sqlite",
        "..%2Fguestbook.sqlite",
        "%2e%2e/secret_key",
        "..%5Csecret_key",
        "%2Fetc%2Fpasswd",
        "..",
        ".",
        "unknown.png",
    ],
)
def test_paths_out_of_the_folder_are_404(alice: Browser, path: str) -> None:
    upload(alice, PNG)
    assert alice.get(f"/pictures/{path}").status_code == 404


def test_deleting_an_entry_deletes_its_picture(alice: Browser, instance: Path) -> None:
    upload(alice, PNG)
    alice.post("/entries/1/delete", form_at="/")
    assert stored(instance) == ["guestbook.sqlite", "secret_key"]


def test_deleting_copes_with_a_picture_that_is_gone(alice: Browser, instance: Path) -> None:
    upload(alice, PNG)
    for picture in (instance / "pictures").iterdir():
        picture.unlink()
    assert "The entry is deleted." in alice.post("/entries/1/delete", form_at="/").text
