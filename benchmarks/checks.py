"""What a right answer is: checks that are run before and after an application is timed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .wire import Answer

Check = Callable[[Answer], None]


class WrongAnswer(Exception):
    """An application answered something else than it was asked for."""


def require(what: str, got: object, wanted: object) -> None:
    """Insist that two values are equal.

    :raises WrongAnswer: they are not
    """
    if got != wanted:
        raise WrongAnswer(f"{what} is {got!r:.200}, but {wanted!r:.200} was expected")


def _content_type(answer: Answer) -> tuple[str, str]:
    """Return the media type and the parameters, in lower case and without spaces."""
    value = (answer.header("Content-Type") or "").lower().replace(" ", "").replace('"', "")
    media, _, parameters = value.partition(";")
    return media, parameters


def _whole(answer: Answer) -> None:
    """Insist that the length was announced, so that a server need not cut the body into chunks."""
    require("Content-Length", answer.header("Content-Length"), str(len(answer.body)))


def page(text: str, status: int = 200, pieces: int | None = None) -> Check:
    """Return a check for an HTML page of exactly this text.

    :param pieces: how many parts the body has to come in; such a page is streamed and announces no length
    """

    def check(answer: Answer) -> None:
        require("the status", answer.status, status)
        require("the body", answer.body, text.encode())
        require("Content-Type", _content_type(answer), ("text/html", "charset=utf-8"))
        if pieces is None:
            _whole(answer)
        elif answer.pieces is not None:
            require("the number of pieces", answer.pieces, pieces)

    return check


def document(value: Any) -> Check:
    """Return a check for a JSON document of this value, however it is spaced."""

    def check(answer: Answer) -> None:
        require("the status", answer.status, 200)
        require("the media type", _content_type(answer)[0], "application/json")
        try:
            got = json.loads(answer.body)
        except ValueError as error:
            raise WrongAnswer(f"the body is not JSON: {error}") from error
        require("the document", got, value)
        _whole(answer)

    return check


def file(content: bytes, media: str) -> Check:
    """Return a check for a file that a browser may keep."""

    def check(answer: Answer) -> None:
        require("the status", answer.status, 200)
        require("the body", answer.body, content)
        require("the media type", _content_type(answer)[0], media)
        _whole(answer)
        if answer.header("ETag") is None and answer.header("Last-Modified") is None:
            raise WrongAnswer("the file has neither ETag nor Last-Modified, so it could not be asked for again")

    return check


def empty(status: int) -> Check:
    """Return a check for an answer of this status without a body."""

    def check(answer: Answer) -> None:
        require("the status", answer.status, status)
        require("the body", answer.body, b"")

    return check


def refused(status: int) -> Check:
    """Return a check for an error of this status with some body of the framework's own."""

    def check(answer: Answer) -> None:
        require("the status", answer.status, status)
        _whole(answer)

    return check


def with_header(check: Check, name: str, value: str | None) -> Check:
    """Return `check` with one header more; None: it must not be there."""

    def both(answer: Answer) -> None:
        check(answer)
        require(name, answer.header(name), value)

    return both


def cookie(answer: Answer, name: str = "session") -> str:
    """Return ``name=value`` of the cookie that was set.

    :raises WrongAnswer: there is none, or scripts could read it, or it is not for the whole host
    """
    for header, text in answer.headers:
        pair, *attributes = (part.strip() for part in text.split(";"))
        if header.lower() == "set-cookie" and pair.startswith(f"{name}="):
            missing = {"httponly", "path=/"} - {attribute.lower() for attribute in attributes}
            require(f"what the cookie {name} lacks", missing, set())
            return pair
    raise WrongAnswer(f"no cookie {name} was set")
