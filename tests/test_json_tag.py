"""The tagged JSON of sessions: its format, its extension, and documents that are none."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from strategies import examples

from microflask import Flask
from microflask.json.provider import JSONEncoder
from microflask.json.tag import JSONTag, PassDict, TagDict, TaggedJSONSerializer, TagTuple

MOMENT = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)

#: Values with the texts that Flask 3.1.3 writes for them.
WRITTEN = [
    ({"a": (1, 2)}, '{"a":{" t":[1,2]}}'),
    ({" t": 1}, '{" di":{" t__":1}}'),
    ({" t": (1,)}, '{" di":{" t__":{" t":[1]}}}'),
    ({" di": 1}, '{" di":{" di__":1}}'),
    ({" t": 1, "b": 2}, '{" t":1,"b":2}'),
    ({" x": 1}, '{" x":1}'),
    (b"abc", '{" b":"YWJj"}'),
    (uuid.UUID(int=7), '{" u":"00000000000000000000000000000007"}'),
    (MOMENT, '{" d":"Thu, 02 Jan 2020 03:04:05 GMT"}'),
    (Markup("<a>"), '{" m":"<a>"}'),
    ({"a": {" b": b"x"}}, '{"a":{" di":{" b__":{" b":"eA=="}}}}'),
    ([(1, [b"", (2,)])], '[{" t":[1,[{" b":""},{" t":[2]}]]}]'),
    (None, "null"),
    ({"n": 1.5, "t": True, "s": "é"}, '{"n":1.5,"s":"\\u00e9","t":true}'),
]


@pytest.fixture
def serializer() -> TaggedJSONSerializer:
    return TaggedJSONSerializer()


@pytest.mark.parametrize(("value", "text"), WRITTEN)
def test_the_format_is_flasks(serializer: TaggedJSONSerializer, value: Any, text: str) -> None:
    assert serializer.dumps(value) == text
    read = serializer.loads(text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{" t":[1,{" u":"00000000000000000000000000000007"}]}', (1, uuid.UUID(int=7))),
        ('{" m":"<b>"}', Markup("<b>")),
        ('{" d":"Thu, 02 Jan 2020 03:04:05 GMT"}', MOMENT),
        ('{" b":"AP8="}', b"\x00\xff"),
        ('{"_flashes":[{" t":["message","hello"]}]}', {"_flashes": [("message", "hello")]}),
    ],
)
def test_what_flask_0_10_wrote_is_read(serializer: TaggedJSONSerializer, text: str, value: Any) -> None:
    assert serializer.loads(text) == value
    assert serializer.loads(text.encode()) == value


def test_datetimes_come_back_in_utc_to_the_second(serializer: TaggedJSONSerializer) -> None:
    def again(value: datetime) -> Any:
        return serializer.loads(serializer.dumps(value))

    assert again(MOMENT.replace(microsecond=5)) == MOMENT
    assert again(MOMENT.replace(tzinfo=None)) == MOMENT
    elsewhere = again(MOMENT.astimezone(timezone(timedelta(hours=9))))
    assert elsewhere == MOMENT
    assert elsewhere.utcoffset() == timedelta(0)


def test_markup_of_any_object_is_kept(serializer: TaggedJSONSerializer) -> None:
    class Widget:
        def __html__(self) -> str:
            return "<w>"

    assert serializer.loads(serializer.dumps([Widget()])) == [Markup("<w>")]


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary() | st.uuids(),
    lambda inner: st.lists(inner)
    | st.lists(inner).map(tuple)
    | st.dictionaries(st.text() | st.sampled_from([" t", " di", " b", " t__", " di__", " m", "__"]), inner),
    max_leaves=12,
)


@examples(0.2)
@given(plain_values)
def test_every_value_comes_back(value: Any) -> None:
    serializer = TaggedJSONSerializer()
    assert serializer.loads(serializer.dumps(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        '{" t":5}', '{" t":null}', '{" di":5}', '{" di":[1]}', '{" b":5}', '{" b":"a"}', '{" u":"x"}', '{" u":5}',
        '{" d":5}', "{", "", b"\xff", "[" * 100_000, '{"a":' * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_such_document_is_a_ValueError(serializer: TaggedJSONSerializer, text: Any) -> None:
    with pytest.raises(ValueError):
        serializer.loads(text)


def _circular() -> Any:
    value: list[Any] = []
    value.append({"again": (value,)})
    return value


def _deep() -> Any:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize("make", [_circular, _deep])
def test_what_has_no_end_is_a_ValueError(serializer: TaggedJSONSerializer, make: Any) -> None:
    with pytest.raises(ValueError, match="contains itself"):
        serializer.dumps(make())


def test_types_without_a_tag_are_refused(serializer: TaggedJSONSerializer) -> None:
    with pytest.raises(TypeError, match="set"):
        serializer.dumps({"a": {1}})


class TagSet(JSONTag):
    __slots__ = ()
    key = " s"

    def check(self, value: Any) -> bool:
        return isinstance(value, set)

    def to_json(self, value: Any) -> Any:
        return [self.serializer.tag(item) for item in sorted(value)]

    def to_python(self, value: Any) -> Any:
        return set(value)


def test_a_type_can_be_added(serializer: TaggedJSONSerializer) -> None:
    serializer.register(TagSet)
    value = {"set": {(1, 2), (3,)}, " s": 1}
    assert serializer.dumps({(1,)}) == '{" s":[{" t":[1]}]}'
    assert serializer.loads(serializer.dumps(value)) == value
    assert serializer.loads(serializer.dumps({" s": 1})) == {" s": 1}


def test_a_key_is_registered_once_unless_forced(serializer: TaggedJSONSerializer) -> None:
    class Other(TagSet):
        key = TagTuple.key

    with pytest.raises(KeyError, match="taken"):
        serializer.register(Other)
    assert isinstance(serializer.tags[" t"], TagTuple)
    serializer.register(Other, force=True, index=0)
    assert serializer.loads(serializer.dumps({1})) == {1}
    assert type(serializer.order[0]) is Other


def test_the_index_decides_who_is_asked_first(serializer: TaggedJSONSerializer) -> None:
    class Ordered(dict):  # type: ignore[type-arg]
        pass

    class TagOrdered(JSONTag):
        __slots__ = ()
        key = " o"

        def check(self, value: Any) -> bool:
            return isinstance(value, Ordered)

        def to_json(self, value: Any) -> Any:
            return [[key, self.serializer.tag(inner)] for key, inner in value.items()]

        def to_python(self, value: Any) -> Any:
            return Ordered(value)

    serializer.register(TagOrdered, index=0)
    read = serializer.loads(serializer.dumps({"x": Ordered(b=1, a=(2,))}))["x"]
    assert (type(read), list(read.items())) == (Ordered, [("b", 1), ("a", (2,))])
    assert type(serializer.order[1]) is TagDict


def test_a_tag_may_take_over_what_is_plain_otherwise(serializer: TaggedJSONSerializer) -> None:
    class TagBigInt(JSONTag):
        __slots__ = ()
        key = " i"

        def check(self, value: Any) -> bool:
            return type(value) is int and value > 2**53

        def to_json(self, value: Any) -> Any:
            return hex(value)

        def to_python(self, value: Any) -> Any:
            return int(value, 16)

    serializer.register(TagBigInt, index=0)
    assert serializer.dumps({"a": 2**60, "b": 1}) == '{"a":{" i":"0x1000000000000000"},"b":1}'
    assert serializer.loads('{"a":{" i":"0x1000000000000000"}}') == {"a": 2**60}


def test_a_subclass_may_name_its_own_tags() -> None:
    class Small(TaggedJSONSerializer):
        default_tags = [PassDict, TagSet]

    assert Small().loads(Small().dumps({"a": {1, 2}})) == {"a": {1, 2}}
    assert [type(tag) for tag in Small().order] == [PassDict, TagSet]
    assert list(Small().tags) == [" s"]
    assert len(TaggedJSONSerializer().order) == 8


def test_tag_and_untag_work_on_single_values(serializer: TaggedJSONSerializer) -> None:
    assert serializer.tag((1, b"x")) == {" t": [1, {" b": "eA=="}]}
    assert serializer.tag("text") == "text"
    assert serializer.untag({" t": [1, 2]}) == (1, 2)
    assert serializer.untag({" t": [1], "more": 2}) == {" t": [1], "more": 2}
    assert serializer.untag({}) == {}


@pytest.mark.parametrize("call", [
    lambda tag: tag.check(1), lambda tag: tag.to_json(1), lambda tag: tag.to_python(1), lambda tag: tag.tag(1),
])  # fmt: skip
def test_a_tag_without_its_methods_names_them(serializer: TaggedJSONSerializer, call: Any) -> None:
    with pytest.raises(NotImplementedError, match="JSONTag has to define"):
        call(JSONTag(serializer))


def test_the_applications_json_does_the_writing(serializer: TaggedJSONSerializer) -> None:
    class Encoder(JSONEncoder):
        def default(self, o: Any) -> Any:
            return "complex" if isinstance(o, complex) else super().default(o)

    app = Flask(__name__)
    app.json_encoder = Encoder
    app.json.sort_keys = False
    with app.app_context():
        assert serializer.dumps({"b": 1j, "a": (1,)}) == '{"b":"complex","a":{" t":[1]}}'


@examples(0.2)
@given(st.recursive(
    st.none() | st.integers() | st.text(" a\"\\\u00e9"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(" tdibmu_"), inner), max_leaves=8,
))  # fmt: skip
def test_documents_without_tags_are_not_searched_for_them_in_vain(value: Any) -> None:
    serializer = TaggedJSONSerializer()
    spaced = TaggedJSONSerializer()
    spaced._spaced = spaced._passes_dicts = False
    text = serializer.dumps(value)
    assert text == spaced.dumps(value)
    assert serializer.loads(text) == spaced.loads(text) == value


def test_a_tag_may_be_written_with_an_escaped_space() -> None:
    assert TaggedJSONSerializer().loads(r'{"\u0020t":[1]}') == (1,)


def test_a_tag_need_not_begin_with_a_space() -> None:
    class Two(JSONTag):
        key = "two"

        def check(self, value: Any) -> bool:
            return isinstance(value, complex)

        def to_json(self, value: Any) -> Any:
            return [value.real, value.imag]

        def to_python(self, value: Any) -> Any:
            return complex(*value)

    serializer = TaggedJSONSerializer()
    serializer.register(Two)
    assert serializer.loads(serializer.dumps({"a": 1 + 2j})) == {"a": 1 + 2j}


def test_dictionaries_are_left_alone_where_no_tag_object_takes_them() -> None:
    class Few(TaggedJSONSerializer):
        default_tags = [TagTuple]

    assert Few().tag({"a": (1,)}) == {"a": (1,)}


def test_a_session_is_written_with_what_the_provider_is_at_that_moment() -> None:
    app = Flask(__name__, compat="3.1")
    provider: Any = app.json
    serializer, value = TaggedJSONSerializer(), {"b": "\u00e9", "a": 1}
    with app.app_context():
        assert serializer.dumps(value) == '{"a":1,"b":"\\u00e9"}'
        provider.sort_keys = False
        assert serializer.dumps(value) == '{"b":"\\u00e9","a":1}'
        app.config["JSON_AS_ASCII"] = False
        provider.ensure_ascii = False
        assert serializer.dumps(value) == '{"b":"\u00e9","a":1}'
        provider.default = lambda o: "default"
        assert serializer.dumps({"a": {1}}) == '{"a":"default"}'
        app.json_encoder = type("Own", (JSONEncoder,), {"default": lambda self, o: "own"})
        assert serializer.dumps({"a": {1}}) == '{"a":"own"}'
        provider.dumps = lambda obj, **kwargs: f"dumps {kwargs['separators']}"
        assert serializer.dumps(value) == "dumps (',', ':')"
