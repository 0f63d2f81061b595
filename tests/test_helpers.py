"""The small functions for views: redirect, abort, messages, paths and streams."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import werkzeug.wrappers
from markupsafe import Markup, escape
from werkzeug.exceptions import Aborter, HTTPException, NotFound

import microflask
from microflask import (
    Flask,
    Response,
    abort,
    flash,
    g,
    get_flashed_messages,
    has_request_context,
    message_flashed,
    redirect,
    request,
    safe_join,
    session,
    stream_with_context,
    url_for,
)
from microflask.helpers import get_debug_flag, get_load_dotenv

# -- redirect ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [301, 302, 303, 305, 307, 308])
def test_redirect(any_app: Flask, code: int) -> None:
    any_app.add_url_rule("/", "index", lambda: redirect("/there", code))
    response = any_app.test_client().get("/")
    prefix = "http://localhost" if any_app.compat.name == "0.10" else ""
    assert (response.status_code, response.headers["Location"]) == (code, f"{prefix}/there")
    assert 'href="/there"' in response.text and response.mimetype == "text/html"


def test_redirect_is_temporary_unless_told_otherwise(app: Flask) -> None:
    with app.app_context():
        response = redirect("http://x.org/")
        assert response.status_code == 302 and type(response) is Response
        assert type(redirect("/", Response=werkzeug.wrappers.Response)) is werkzeug.wrappers.Response
    assert redirect("/").status_code == 302


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/\u00e9?q=\u00fc b", "/%C3%A9?q=%C3%BC%20b"),
        ("http://b\u00fccher.de/a", "http://xn--bcher-kva.de/a"),
        ("//evil.org", "//evil.org"),
        ("/a\r\nSet-Cookie: x=y", "/a%0D%0ASet-Cookie:%20x=y"),
        ("?<script>", "?%3Cscript%3E"),
    ],
)
def test_redirect_encodes_the_location(location: str, sent: str) -> None:
    app = Flask("redirect", root_path="/")
    app.add_url_rule("/", "index", lambda: redirect(location))
    response = app.test_client().get("/")
    assert response.headers["Location"] == sent
    assert "Set-Cookie" not in response.headers and "<script>" not in response.text


def test_redirect_to_an_object_that_stands_for_a_text(app: Flask) -> None:
    class Translation:
        def __str__(self) -> str:
            return "/lazy\n"

    with app.app_context():
        assert redirect(Translation()).location == "/lazy%0A"  # type: ignore[arg-type]


def test_redirect_may_be_overridden() -> None:
    class Site(Flask):
        def redirect(self, location: str, code: int = 302) -> Any:
            return super().redirect(f"/sub{location}", 303)

    with Site("site", root_path="/").app_context():
        response = redirect("/a", 301)
    assert (response.status_code, response.headers["Location"]) == (303, "/sub/a")


# -- abort ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [400, 404, 418, 451, 503])
def test_abort(any_app: Flask, code: int) -> None:
    any_app.add_url_rule("/", "index", lambda: abort(code, "a reason"))
    response = any_app.test_client().get("/")
    assert response.status_code == code and "a reason" in response.text


def test_abort_outside_of_an_application() -> None:
    with pytest.raises(NotFound):
        abort(404)


@pytest.mark.parametrize("code", [200, 999, "404"])
def test_abort_with_what_is_no_error(app: Flask, code: Any) -> None:
    with app.app_context(), pytest.raises(LookupError):
        abort(code)


def test_abort_with_a_response(any_app: Flask) -> None:
    any_app.add_url_rule("/", "index", lambda: abort(Response("stop", 299)))
    any_app.register_error_handler(HTTPException, lambda error: "handled")
    response = any_app.test_client().get("/")
    assert (response.status_code, response.text) == (299, "stop")


def test_the_applications_aborter_is_asked(app: Flask) -> None:
    class Sleepy(HTTPException):
        code = 499

    app.aborter.mapping[499] = Sleepy
    with app.app_context(), pytest.raises(Sleepy):
        abort(499)

    class Site(Flask):
        aborter_class = type("Own", (Aborter,), {})

    assert type(Site("site", root_path="/").aborter).__name__ == "Own"


# -- messages ------------------------------------------------------------------------------------------------------


def test_messages_wait_for_the_next_request(any_app: Flask) -> None:
    any_app.add_url_rule("/say", "say", lambda: flash("hello") or flash("oh", "error") or "")
    any_app.add_url_rule("/hear", "hear", lambda: repr(get_flashed_messages(with_categories=True)))
    client = any_app.test_client()
    client.get("/say")
    assert client.get("/hear").text == "[('message', 'hello'), ('error', 'oh')]"
    assert client.get("/hear").text == "[]"


def test_messages_are_the_same_within_one_request(any_app: Flask) -> None:
    with any_app.test_request_context():
        flash("a")
        assert get_flashed_messages() == get_flashed_messages() == ["a"]
        flash("b")
        assert get_flashed_messages() == ["a"]


def test_messages_by_category(any_app: Flask) -> None:
    with any_app.test_request_context():
        assert get_flashed_messages() == []
    with any_app.test_request_context():
        for category in ("error", "info", "error"):
            flash(f"an {category}", category)
        flash(Markup("<b>bold</b>"))
        assert get_flashed_messages(category_filter=["error"]) == ["an error", "an error"]
        assert get_flashed_messages(True, ["info"]) == [("info", "an info")]
        assert get_flashed_messages(category_filter=("info", "message")) == ["an info", Markup("<b>bold</b>")]
        assert get_flashed_messages(category_filter=iter(["info"])) == ["an info"]
        assert get_flashed_messages(category_filter=["nothing"]) == []


def test_markup_and_other_values_survive_the_session(any_app: Flask) -> None:
    any_app.add_url_rule("/say", "say", lambda: flash(Markup("<i>")) or flash({"n": 1}) or "")  # type: ignore[arg-type]
    any_app.add_url_rule("/hear", "hear", lambda: repr([escape(it) if isinstance(it, str) else it
                                                        for it in get_flashed_messages()]))  # fmt: skip
    client = any_app.test_client()
    client.get("/say")
    assert client.get("/hear").text == "[Markup('<i>'), {'n': 1}]"


def test_messages_do_not_touch_a_session_without_any(any_app: Flask) -> None:
    any_app.add_url_rule("/", "index", lambda: repr(get_flashed_messages()))
    response = any_app.test_client().get("/")
    assert response.text == "[]" and "Set-Cookie" not in response.headers


def test_messages_are_signalled(any_app: Flask) -> None:
    heard: list[Any] = []

    def hear(sender: Any, message: str, category: str) -> None:
        heard.append((sender, message, category))

    with message_flashed.connected_to(hear, any_app), any_app.test_request_context():
        flash("m", "c")
    assert heard == [(any_app, "m", "c")]


def test_flash_needs_a_request_and_a_secret_key(any_app: Flask) -> None:
    with pytest.raises(RuntimeError):
        flash("x")
    with pytest.raises(RuntimeError):
        get_flashed_messages()
    any_app.secret_key = None
    with any_app.test_request_context():
        with pytest.raises(RuntimeError, match="secret"):
            flash("x")
        assert get_flashed_messages() == []


# -- paths ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "joined"),
    [(("/d", "a"), "/d/a"), (("/d", "a/b"), "/d/a/b"), (("d", "a/./b/../c"), "d/a/c"), (("/d", ""), "/d"),
     (("/d", "a", "b"), "/d/a/b"), (("/d", "...a"), "/d/...a"), (("", "a"), "./a"), (("/d/", "a b"), "/d/a b")],
)  # fmt: skip
def test_safe_join(parts: tuple[str, ...], joined: str) -> None:
    assert safe_join(*parts) == joined


@pytest.mark.parametrize(
    "name", ["..", "../x", "a/../../x", "/etc/passwd", "//etc", "a/../..", "./../x", "a\0b", "..\\..\\x/../../y"]
)
def test_safe_join_stays_in_the_folder(name: str) -> None:
    with pytest.raises(NotFound):
        safe_join("/folder", name)
    with pytest.raises(NotFound):
        safe_join("/folder", "fine", name)


def test_get_root_path() -> None:
    assert microflask.helpers.get_root_path("microflask") == os.path.dirname(microflask.__file__)


@pytest.mark.parametrize(
    ("value", "debug", "dotenv"),
    [(None, False, True), ("", False, True), ("0", False, True), ("False", False, True), ("no", False, True),
     ("1", True, False), ("true", True, False), ("anything", True, False)],
)  # fmt: skip
def test_flags_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, value: str | None, debug: bool, dotenv: bool
) -> None:
    monkeypatch.delenv("MICROFLASK_DEBUG", raising=False)
    for name in ("FLASK_DEBUG", "FLASK_SKIP_DOTENV"):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert get_debug_flag() is debug
    assert get_load_dotenv() is dotenv
    assert get_load_dotenv(False) is (dotenv if value else False)


def test_own_variable_goes_before_the_one_of_flask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    monkeypatch.setenv("MICROFLASK_DEBUG", "0")
    assert get_debug_flag() is False
    monkeypatch.setenv("MICROFLASK_DEBUG", "1")
    monkeypatch.delenv("FLASK_DEBUG")
    assert get_debug_flag() is True


# -- streams -------------------------------------------------------------------------------------------------------


def test_a_stream_sees_the_request(any_app: Flask) -> None:
    events: list[str] = []
    any_app.teardown_request(lambda error: events.append("teardown"))

    def view() -> Any:
        session["key"] = "value"
        g.word = "there"

        def generate() -> Iterator[str]:
            events.append("start")
            yield "Hello "
            yield request.args["name"]
            yield g.word + session["key"] + url_for("view")
            events.append("end")

        return Response(stream_with_context(generate()))

    any_app.add_url_rule("/view", "view", view)
    assert any_app.test_client().get("/view?name=World").text == "Hello Worldtherevalue/view"
    assert events == ["start", "end", "teardown"]


def test_stream_with_context_is_a_decorator_too(any_app: Flask) -> None:
    def view(name: str) -> Any:
        @stream_with_context
        def generate(greeting: str) -> Iterator[str]:
            """Say it."""
            yield greeting
            yield request.path

        assert generate.__doc__ == "Say it." and generate.__name__ == "generate"
        return generate("Hi ")

    any_app.add_url_rule("/<name>", "view", view)
    assert any_app.test_client().get("/x").text == "Hi /x"


def test_nothing_is_bound_between_the_steps(app: Flask) -> None:
    def generate() -> Iterator[str]:
        yield request.path
        yield request.path

    with app.test_request_context("/p"):
        stream = stream_with_context(generate())
        assert next(stream) == "/p"
    assert not has_request_context()
    assert next(stream) == "/p" and not has_request_context()
    with pytest.raises(StopIteration):
        next(stream)
    with pytest.raises(StopIteration):
        next(stream)


def test_a_stream_that_is_closed_early_ends_the_request(app: Flask) -> None:
    events: list[Any] = []
    app.teardown_request(lambda error: events.append("teardown"))

    def generate() -> Iterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            events.append(("closed", has_request_context()))

    app.add_url_rule("/", "index", lambda: stream_with_context(generate()))
    app.test_client().get("/").close()
    assert events == [("closed", True), "teardown"]
    with app.test_request_context():
        stream: Any = stream_with_context(generate())
    assert len(events) == 2
    stream.close()
    stream.close()
    assert events[2:] == ["teardown"]


def test_an_error_in_a_stream_ends_the_request_too(app: Flask) -> None:
    events: list[str] = []
    app.teardown_request(lambda error: events.append("teardown"))

    def generate() -> Iterator[str]:
        yield "a"
        raise LookupError("broken")

    app.add_url_rule("/", "index", lambda: stream_with_context(generate()))
    response = app.test_client().get("/")
    with pytest.raises(LookupError, match="broken"):
        response.get_data()
    response.close()
    assert events == ["teardown"]


def test_streams_need_a_request(app: Flask) -> None:
    with pytest.raises(RuntimeError, match="stream_with_context"):
        stream_with_context(iter("ab"))

    @stream_with_context
    def generate() -> Iterator[str]:
        yield "x"

    with pytest.raises(RuntimeError):
        generate()
    with app.app_context(), pytest.raises(RuntimeError):
        generate()


def test_two_streams_of_one_request_end_it_once(app: Flask) -> None:
    events: list[str] = []
    app.teardown_request(lambda error: events.append("teardown"))

    def count(name: str) -> Iterator[str]:
        yield f"{name}{request.path}"

    def view() -> Any:
        first, second = stream_with_context(count("1")), stream_with_context(count("2"))

        def both() -> Iterator[str]:
            yield from first
            assert events == []
            yield from second

        return both()

    app.add_url_rule("/p", "view", view)
    assert app.test_client().get("/p").text == "1/p2/p"
    assert events == ["teardown"]


def test_a_stream_inside_of_a_test_context(app: Flask) -> None:
    with app.test_request_context("/p"):
        assert "".join(stream_with_context(request.path for _ in range(2))) == "/p/p"
        assert request.path == "/p"


# -- escaping ------------------------------------------------------------------------------------------------------


def test_markup_and_escape_are_there() -> None:
    class Html:
        def __html__(self) -> str:
            return '<a href="#">x</a>'

    assert microflask.Markup is Markup and microflask.escape is escape
    assert str(microflask.escape("<&>\"'")) == "&lt;&amp;&gt;&#34;&#39;"
    assert microflask.Markup(Html()) == '<a href="#">x</a>'
    assert microflask.Markup("<b>%s</b>") % "<" == "<b>&lt;</b>"
    assert microflask.Markup.escape("<") == "&lt;"
    assert microflask.Markup("<i>a</i> &raquo;  b").striptags() == "a \u00bb b"
    assert microflask.Markup("&raquo;").unescape() == "\u00bb"
