"""Headers of a response, looked at and changed in every way, against those of werkzeug."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import werkzeug.wrappers
from hypothesis import given
from strategies import Dice, dice, examples
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.test import create_environ, run_wsgi_app

from microflask import Response

KEYS = ("X-A", "x-a", "X-B", "Content-Type", "content-length", "Set-Cookie", "Location", "vary", "", "\u00e9", 5, None)
VALUES = ("1", "a b", "", "/\u00e9", "\u20ac", "a\nb", "a\r\n b", 7, 1.5, None, b"x", True, ["1", "2"], ("3",), "x")
PLACES: tuple[Any, ...] = (0, 1, -1, 9, slice(0, 1), slice(1, None), slice(None))
SEVERAL: tuple[Callable[[], Any], ...] = (
    dict, lambda: {"X-A": "1", "x-b": ["2", "3"]}, lambda: [("X-A", "1"), ("X-A", "2")], lambda: [("X-A", "a\n")],
    lambda: Headers([("Vary", "A"), ("vary", "B")]), lambda: MultiDict([("X-C", "1"), ("X-C", "2")]), lambda: None,
    lambda: iter([("X-A", "9")]), lambda: [("X-A",)], lambda: 5, lambda: {"X-A": ("1",), "Content-Length": 3},
)  # fmt: skip


def _assign(headers: Any, key: Any, value: Any) -> None:
    headers[key] = value


def _delete(headers: Any, key: Any) -> None:
    del headers[key]


def _unite(headers: Any, other: Any) -> Any:
    headers |= other
    return list(headers)


#: What may be done with a key, with a key and a value, with a place in the order, and with several headers.
BY_KEY: tuple[Callable[[Any, Any], Any], ...] = (
    lambda it, key: it[key], lambda it, key: it.get(key), lambda it, key: it.get(key, "d", int),
    lambda it, key: it.getlist(key), lambda it, key: it.getlist(key, type=int), lambda it, key: it.get_all(key),
    lambda it, key: key in it, lambda it, key: it.remove(key), _delete, lambda it, key: it.pop(key),
    lambda it, key: it.pop(key, "d"), lambda it, key: it.setlist(key, ["1", "2"]), lambda it, key: it.setlist(key, []),
    lambda it, key: it.setlistdefault(key, ["1"]), lambda it, key: it.extend({key: "v"}),
)  # fmt: skip
BY_PAIR: tuple[Callable[[Any, Any, Any], Any], ...] = (
    _assign, _assign, lambda it, key, value: it.add(key, value), lambda it, key, value: it.insert(0, (key, value)),
    lambda it, key, value: it.add(key, value, a="b", c_d=1), lambda it, key, value: it.add(key, value, x=None),
    lambda it, key, value: it.set(key, value), lambda it, key, value: it.set(key, value, filename="\u00e9"),
    lambda it, key, value: it.setdefault(key, value), lambda it, key, value: it.add_header(key, value),
    lambda it, key, value: it.update({key: value}), lambda it, key, value: it.extend([(key, value)]),
)  # fmt: skip
BY_PLACE: tuple[Callable[[Any, Any], Any], ...] = (
    lambda it, place: it[place], _delete, lambda it, place: it.pop(place),
    lambda it, place: _assign(it, place, ("X-P", "1")), lambda it, place: _assign(it, place, [("X-P", "\n")]),
    lambda it, place: _assign(it, place, [("X-P", 5), ("X-P", "6")]), lambda it, place: _assign(it, place, "x"),
)  # fmt: skip
BY_SEVERAL: tuple[Callable[[Any, Any], Any], ...] = (
    lambda it, several: it.extend(several), lambda it, several: it.update(several), _unite,
    lambda it, several: list(it | several), lambda it, several: it.extend(several, x_y="z"),
    lambda it, several: it.update(several, x_a=["1", "2"]), lambda it, several: it == several,
)  # fmt: skip
BY_NOTHING: tuple[Callable[[Any], Any], ...] = (
    len, bool, list, str, repr, lambda it: list(it.items(lower=True)), lambda it: list(it.keys()),
    lambda it: list(it.values()), lambda it: list(it.lists()), lambda it: it.to_wsgi_list(), lambda it: it.popitem(),
    lambda it: it.pop(), lambda it: it.clear(), lambda it: list(copy.copy(it)), lambda it: list(it.copy()),
    lambda it: list(copy.deepcopy(it)), lambda it: list(pickle.loads(pickle.dumps(it))), hash,
    lambda it: it == it.copy(), lambda it: it == Headers(it.to_wsgi_list()[::-1]), lambda it: it != it.to_wsgi_list(),
    lambda it: it.nope,
)  # fmt: skip


def make_step(dice: Dice) -> Callable[[Any], Any]:
    """Return something to do with headers."""
    key, value, place, several = dice.one(*KEYS), dice.one(*VALUES), dice.one(*PLACES), dice.one(*SEVERAL)
    by_key, by_pair, by_place = dice.one(*BY_KEY), dice.one(*BY_PAIR), dice.one(*BY_PLACE)
    by_several, by_nothing = dice.one(*BY_SEVERAL), dice.one(*BY_NOTHING)
    steps: tuple[Callable[[Any], Any], ...] = (
        lambda it: by_key(it, key), lambda it: by_pair(it, key, value), lambda it: by_pair(it, key, value),
        lambda it: by_place(it, place), lambda it: by_several(it, several()), by_nothing,
    )  # fmt: skip
    step: Callable[[Any], Any] = dice.one(*steps)
    return step


def outcome(work: Callable[[], Any]) -> Any:
    try:
        return repr(work())
    except Exception as error:
        return type(error)


class Stock(werkzeug.wrappers.Response):
    default_mimetype = "text/html"


@examples()
@given(dice())
def test_headers_of_a_response_do_as_werkzeugs(dice: Dice) -> None:
    body: Any = dice.one("text", b"bytes", None, ["a", "b"])
    options = {
        "headers": dice.one(None, None, {"X-A": "1"}, [("Vary", "A"), ("Content-Type", "a/b")]),
        "content_type": dice.one(None, None, None, "c/d"), "status": dice.one(None, None, 304, 404),
    }  # fmt: skip
    stock, ours = Stock(body, **options), Response(body, **options)
    assert isinstance(ours.headers, Headers)
    for step in [make_step(dice) for _ in range(1 + dice.randrange(6))]:
        told = [outcome(lambda: step(it.headers)) for it in (stock, ours)]  # noqa: B023
        assert told[0] == told[1]
        assert list(stock.headers) == list(ours.headers)
    environ = create_environ()
    sent = [outcome(lambda: list(run_wsgi_app(it, environ)[2])) for it in (stock, ours)]  # noqa: B023
    assert sent[0] == sent[1]


@examples(0.3)
@given(dice())
def test_headers_may_be_replaced_as_a_whole(dice: Dice) -> None:
    chosen, steps = dice.one(*SEVERAL), [make_step(dice) for _ in range(3)]
    # Ours takes a mapping or pairs for headers at once; werkzeug does it on the way out, where it refuses too.
    changed = isinstance(chosen(), Headers)

    def send(kind: Any) -> list[tuple[str, str]]:
        it = kind("text")
        it.headers = chosen()
        for step in steps if changed else ():
            outcome(lambda: step(it.headers))  # noqa: B023
        return list(run_wsgi_app(it, create_environ())[2])

    assert outcome(lambda: send(Response)) == outcome(lambda: send(Stock))
