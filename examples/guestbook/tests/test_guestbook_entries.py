"""Reading, writing and deleting entries in the browser."""

from __future__ import annotations

import pytest

from .browser import Browser


def test_empty_guestbook_says_so(visitor: Browser) -> None:
    page = visitor.get("/")
    assert page.status_code == 200
    assert "Nobody has written anything yet" in page.text


def test_entry_is_shown_with_author_and_message(alice: Browser, visitor: Browser) -> None:
    page = alice.write("Lovely place")
    assert page.request.path == "/entries/1"
    assert "Thank you for your entry." in page.text
    for path in ("/", "/entries/1"):
        assert "Lovely place" in visitor.get(path).text
        assert "<strong>alice</strong>" in visitor.get(path).text


def test_flash_message_is_shown_once(alice: Browser) -> None:
    assert "Thank you for your entry." in alice.write().text
    assert "Thank you for your entry." not in alice.get("/").text


def test_flash_message_survives_an_error_page(alice: Browser) -> None:
    alice.client.post("/entries/new", data={"csrf_token": alice.token("/"), "message": "Hello"})
    assert alice.get("/nowhere").status_code == 404
    assert "Thank you for your entry." in alice.get("/").text


def test_newest_entry_comes_first(alice: Browser) -> None:
    alice.write("first one")
    alice.write("second one")
    text = alice.get("/").text
    assert text.index("second one") < text.index("first one")


def test_markup_in_messages_is_escaped(alice: Browser) -> None:
    page = alice.write("<script>alert(1)</script> & \"quotes\"")
    assert "<script" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;quotes&#34;" in page.text


def test_markup_is_escaped_when_a_form_is_shown_again(alice: Browser) -> None:
    page = alice.write("</textarea><script>alert(1)</script>" + "x" * 2000)
    assert page.status_code == 422
    assert "<script" not in page.text


def test_blank_lines_make_paragraphs(alice: Browser) -> None:
    page = alice.write("one\r\ntwo\r\n\r\n<three>")
    assert "<p>one<br>\ntwo</p>\n<p>&lt;three&gt;</p>" in page.text


@pytest.mark.parametrize("message", ["", "  \n\t ", "x" * 2001])
def test_bad_message_is_refused_with_a_reason(alice: Browser, message: str) -> None:
    page = alice.write(message)
    assert page.status_code == 422
    assert 'class="error"' in page.text
    assert "Nobody has written" in alice.get("/").text


def test_pages_link_to_their_neighbours(alice: Browser) -> None:
    for number in range(7):
        alice.write(f"message {number}")
    middle = alice.get("/?page=2").text
    assert "Page 2 of 3" in middle
    assert 'href="/?page=1"' in middle
    assert 'href="/?page=3"' in middle
    assert "message 3" in middle
    assert "message 6" not in middle
    assert "Older" not in alice.get("/?page=3").text
    assert "Newer" not in alice.get("/?page=1").text


@pytest.mark.parametrize("page", ["0", "-1", "2", "9" * 40])
def test_page_that_does_not_exist_is_404(visitor: Browser, page: str) -> None:
    assert visitor.get(f"/?page={page}").status_code == 404


def test_page_that_is_no_number_is_the_first(visitor: Browser) -> None:
    assert visitor.get("/?page=two").status_code == 200


@pytest.mark.parametrize("entry_id", ["0", "7", "-1", "seven", "9223372036854775807", "9223372036854775808", "9" * 40])
def test_unknown_entry_is_404(visitor: Browser, entry_id: str) -> None:
    assert visitor.get(f"/entries/{entry_id}").status_code == 404


def test_visitor_is_sent_to_sign_in_and_back(visitor: Browser) -> None:
    answer = visitor.get("/entries/new")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/auth/login?next=/entries/new"


def test_writing_needs_a_user(visitor: Browser) -> None:
    page = visitor.post("/entries/new", message="anonymous")
    assert "Please sign in first." in page.text
    assert "anonymous" not in visitor.get("/").text


def test_author_can_delete_an_entry(alice: Browser) -> None:
    alice.write("a mistake")
    page = alice.post("/entries/1/delete", form_at="/")
    assert "The entry is deleted." in page.text
    assert "a mistake" not in page.text
    assert alice.get("/entries/1").status_code == 404


def test_others_cannot_delete_an_entry(alice: Browser, bob: Browser) -> None:
    alice.write("mine")
    assert "/entries/1/delete" not in bob.get("/").text
    answer = bob.post("/entries/1/delete", form_at="/")
    assert answer.status_code == 403
    assert "Only the author" in answer.text
    assert "mine" in bob.get("/").text


def test_deleting_an_unknown_entry_is_404(alice: Browser) -> None:
    assert alice.post("/entries/5/delete", form_at="/").status_code == 404


def test_id_of_a_deleted_entry_is_not_used_again(alice: Browser) -> None:
    alice.write("old")
    alice.post("/entries/1/delete", form_at="/")
    assert alice.write("new").request.path == "/entries/2"
