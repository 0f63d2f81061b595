"""Query strings and forms are taken apart as the standard library and werkzeug do it."""

from __future__ import annotations

import copy
import pickle
from importlib import metadata
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import BadRequestKeyError
from werkzeug.sansio.http import parse_cookie
from werkzeug.test import create_environ

from microflask import Request
from microflask.decoding import Values, find_cookie, make_values, parse_cookies, parse_values

PIECES = (
    "%", "&", "=", "+", "a", "2", "C", "c3", "%C3%BC", "%c3", "%bc", "%20", "%26", "%3d", "%25", "%2B", "%ff", "\\",
    "\\x41", "\u00e9", "\u20ac", "\x80", "\udc80", "\n", "\0", "%00", "%F0%9F%98%80", " ", "%0", "%zz", ";", "\u0663",
)  # fmt: skip
queries = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@examples(3)
@given(queries)
def test_pairs_are_the_standard_librarys(text: str) -> None:
    pairs = parse_qsl(text, keep_blank_values=True, errors="werkzeug.url_quote")
    for kind in (ImmutableMultiDict, MultiDict):
        expected, got = kind(pairs), parse_values(kind, text)
        assert [*got.lists()] == [*expected.lists()] and isinstance(got, kind)


COOKIES = ("a", "b", "=", "=", ";", "; ", " ", "\t", '"', "\\", "\\073", "1", "\u00e9", "\n", ",", "a=1", '"x y"')


@pytest.mark.skipif(metadata.version("werkzeug") < "3.1.9", reason="compares with what werkzeug does since 3.1.9")
@examples(5)
@given(st.lists(st.sampled_from(COOKIES), max_size=12).map("".join))
def test_cookies_are_werkzeugs(header: str) -> None:
    kinds: list[Any] = [ImmutableMultiDict, MultiDict]
    for kind in kinds:
        expected, got = parse_cookie(header, kind), parse_cookies(kind, header)
        assert [*got.lists()] == [*expected.lists()] and isinstance(got, kind)


@examples(2)
@given(st.lists(st.sampled_from(COOKIES), max_size=12).map("".join), st.sampled_from(["a", "b", "1", "", "a=1", "ab"]))
def test_one_cookie_has_the_values_that_all_cookies_have_under_its_name(header: str, name: str) -> None:
    expected = parse_cookies(MultiDict, header).getlist(name)
    assert find_cookie(header, name) in (None, expected)
    request = Request(create_environ() | {"HTTP_COOKIE": header})
    assert request._cookie_values(name) == expected == request.cookies.getlist(name) == request._cookie_values(name)


@pytest.mark.parametrize(
    ("header", "values"),
    [(None, []), ("", []), ("a=1; ab=2; a=3;a=;a", ["1", "3", "", ""]), ("b=a=1; x", []), ('a="1"', None)],
)
def test_one_cookie_is_found_without_the_others_wherever_the_header_is_plain(header: Any, values: Any) -> None:
    assert find_cookie(header, "a") == values


def test_cookies_may_be_assigned_and_forgotten() -> None:
    request = Request(create_environ() | {"HTTP_COOKIE": "a=1"})
    request.cookies = ImmutableMultiDict({"a": "2"})
    assert (request.cookies["a"], request._cookie_values("a")) == ("2", ["2"])
    del request.cookies
    assert (request._cookie_values("a"), request.cookies["a"]) == (["1"], "1")


def test_cookies_of_a_subclass_are_asked_for() -> None:
    class Own(Request):
        @property
        def cookies(self) -> Any:
            return MultiDict({"a": "own"})

    class Stored(Request):
        dict_storage_class = type("Upper", (ImmutableMultiDict,), {"getlist": lambda self, name: ["stored"]})

    environ = create_environ() | {"HTTP_COOKIE": "a=1"}
    assert Own(environ)._cookie_values("a") == ["own"]
    assert Stored(environ)._cookie_values("a") == ["stored"]


def answer(values: Any, call: Any) -> Any:
    try:
        return call(values)
    except Exception as error:
        return type(error), error.args, str(error), error.__context__


@pytest.fixture
def both() -> tuple[Any, Any]:
    pairs = [("a", "1"), ("b", "x"), ("a", "2"), ("", "")]
    return ImmutableMultiDict(pairs), make_values(ImmutableMultiDict, pairs)


@pytest.mark.parametrize(
    "call",
    [
        lambda values: values["a"], lambda values: values["c"], lambda values: values[[]], lambda values: values[1],
        lambda values: values.get("a"), lambda values: values.get("a", 5, int), lambda values: values.get("b", 5, int),
        lambda values: values.get("b", type=len), lambda values: values.get("a", type={}.__getitem__),
        lambda values: values.get("a", type=[].__getitem__), lambda values: values.get("c", "d", type=int),
        lambda values: values.get("c"), lambda values: values.get([]), lambda values: values.get(key="a", default=0),
        lambda values: values.getlist("a"), lambda values: values.getlist("c"), lambda values: values.getlist([]),
        lambda values: values.getlist("a", int), lambda values: values.getlist("b", type=int), repr, hash, len, list,
        lambda values: values.getlist("a") is values.getlist("a"), lambda values: type(values.copy()),
        lambda values: [*values.items(multi=True)], lambda values: values.to_dict(flat=False), bool,
        lambda values: values.add("a", "b"), lambda values: values.pop("a"), lambda values: values.update({}),
        lambda values: values | {"a": "3"}, lambda values: "a" in values, copy.deepcopy,
        lambda values: pickle.dumps(values), lambda values: type(values)([("a", 1), ("a", 2)]).getlist("a"),
        lambda values: type(values).__name__, lambda values: values == MultiDict(values), lambda values: dict(values),
    ],
)  # fmt: skip
def test_values_answer_as_werkzeugs_class_does(both: tuple[Any, Any], call: Any) -> None:
    expected, got = (answer(values, call) for values in both)
    assert got == expected


def test_values_are_equal_and_immutable(both: tuple[Any, Any]) -> None:
    stock, ours = both
    assert ours == stock and isinstance(ours, ImmutableMultiDict) and copy.copy(ours) is ours
    assert type(pickle.loads(pickle.dumps(ours))) is ImmutableMultiDict
    with pytest.raises(BadRequestKeyError):
        Values()["a"]
    with pytest.raises(TypeError):
        ours["a"] = "3"
