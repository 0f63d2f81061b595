"""The json module and the providers: options, layouts, classes of 0.10, and what they refuse."""

from __future__ import annotations

import gc
import io
import json as stdlib_json
import uuid
import weakref
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import Markup
from strategies import examples

from microflask import Blueprint, Flask, json, jsonify
from microflask.json.provider import DefaultJSONProvider, JSONDecoder, JSONEncoder, JSONProvider

XHR = {"X-Requested-With": "XMLHttpRequest"}


def make_app(compat: str = "documented", **config: Any) -> Flask:
    app = Flask(__name__, compat=compat)
    app.config.update(config)
    return app


@dataclass
class Point:
    x: int
    y: Any


class WithHTML:
    def __html__(self) -> str:
        return "<b>"


# -- values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2020, 1, 2, 3, 4, 5), '"Thu, 02 Jan 2020 03:04:05 GMT"'),
        (datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))), '"Thu, 02 Jan 2020 01:04:05 GMT"'),
        (date(2020, 1, 2), '"Thu, 02 Jan 2020 00:00:00 GMT"'),
        (uuid.UUID(int=5), '"00000000-0000-0000-0000-000000000005"'),
        (Decimal("1.10"), '"1.10"'),
        (Point(1, [Point(2, None)]), '{"x": 1, "y": [{"x": 2, "y": null}]}'),
        (Markup("<i>"), '"<i>"'),
        (WithHTML(), '"<b>"'),
    ],
)
@pytest.mark.parametrize("encode", [json.dumps, JSONEncoder().encode], ids=["dumps", "JSONEncoder"])
def test_types_beyond_the_standard_library_have_a_form(encode: Any, value: Any, text: str) -> None:
    assert encode(value) == text


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", object(), Point, timedelta(1)])
def test_other_types_are_refused_by_name(value: Any) -> None:
    with pytest.raises(TypeError, match=type(value).__qualname__):
        json.dumps({"value": value})


def _circular_dict() -> Any:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


def _circular_list() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


def _circular_dataclass() -> Any:
    value = Point(1, None)
    value.y = {"back": value}
    return value


@pytest.mark.parametrize("make", [_circular_dict, _circular_list, _circular_dataclass])
def test_a_value_that_contains_itself_is_a_ValueError_each_time(make: Any) -> None:
    value = make()
    for _ in range(2):
        with pytest.raises(ValueError, match=r"[Cc]ircular"):
            json.dumps(value)
    assert json.dumps({"a": [1, 1]}) == '{"a": [1, 1]}'


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deeper_than_the_interpreter_is_a_ValueError(opening: str) -> None:
    for document in (opening * 100_000, (opening * 100_000).encode()):
        with pytest.raises(ValueError, match="nested too deeply"):
            json.loads(document)


@pytest.mark.parametrize("document", ["", "{", "[1,]", "nul", b"\xff\xfe\xff", b"\x80", '{"a":1}x', "\ufeff1"])
def test_what_is_no_json_is_a_ValueError(document: Any) -> None:
    with pytest.raises(ValueError):
        json.loads(document)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-32-le"])
def test_bytes_of_every_unicode_form_are_read(encoding: str) -> None:
    data = '{"name": "Zoë"}'.encode(encoding)
    assert json.loads(data) == {"name": "Zoë"}
    assert JSONDecoder().decode(data) == {"name": "Zoë"}
    assert data.decode(json.detect_encoding(data)) == '{"name": "Zoë"}'


# -- without an application


def test_without_an_application_keys_are_sorted_and_text_is_ascii() -> None:
    assert json.dumps({"b": "é", "a": 1}) == '{"a": 1, "b": "\\u00e9"}'
    assert json.loads('{"a": [1]}') == {"a": [1]}


def test_jsonify_without_an_application_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match="app_context"):
        jsonify(a=1)


def test_dump_and_load_use_text_files() -> None:
    file = io.StringIO()
    json.dump({"b": 1, "a": "é"}, file)
    assert file.getvalue() == '{"a": "\\u00e9", "b": 1}'
    file.seek(0)
    assert json.load(file) == {"a": "é", "b": 1}
    assert json.load(io.BytesIO(b"[1]")) == [1]


def test_the_encoding_keyword_makes_and_reads_bytes() -> None:
    assert json.dumps({"a": "é"}, encoding="utf-8") == b'{"a": "\\u00e9"}'
    assert json.dumps("é", ensure_ascii=False, encoding="latin-1") == b'"\xe9"'
    assert json.loads(b'"\xe9"', encoding="latin-1") == "é"
    assert json.loads('"é"', encoding="latin-1") == "é"
    file = io.BytesIO()
    json.dump("é", file, encoding="utf-8", ensure_ascii=False)
    assert file.getvalue() == '"é"'.encode()
    file.seek(0)
    assert json.load(file, encoding="utf-8") == "é"


def test_bytes_not_of_the_encoding_named_are_a_ValueError() -> None:
    with pytest.raises(ValueError):
        json.loads(b'"\xe9"', encoding="utf-8")


def test_the_app_keyword_chooses_the_provider() -> None:
    app = make_app()
    app.json.sort_keys = False
    assert json.dumps({"b": 1, "a": 2}, app=app) == '{"b": 1, "a": 2}'
    assert json.dumps({"b": 1, "a": 2}) == '{"a": 2, "b": 1}'
    app.json_decoder = type("Floats", (JSONDecoder,), {"__init__": lambda self, **kw: _floats(self, **kw)})
    assert isinstance(json.loads("1", app=app), float)
    assert isinstance(json.load(io.StringIO("1"), app=app), float)


def _floats(decoder: JSONDecoder, **kwargs: Any) -> None:
    JSONDecoder.__init__(decoder, parse_int=float, **kwargs)


# -- HTML


def test_htmlsafe_dumps_escapes_what_ends_a_script_or_an_attribute() -> None:
    text = json.htmlsafe_dumps("</script>&'\"")
    assert text == Markup('"\\u003c/script\\u003e\\u0026\\u0027\\""')
    assert isinstance(text, Markup)
    assert stdlib_json.loads(text) == "</script>&'\""


def test_htmlsafe_dump_and_the_filter_write_the_same() -> None:
    file = io.StringIO()
    json.htmlsafe_dump({"a": "<"}, file)
    assert file.getvalue() == '{"a": "\\u003c"}' == json.tojson_filter({"a": "<"})


# -- the classes of the 0.10 document


def test_the_documented_order_of_arguments_counts() -> None:
    encoder = JSONEncoder(False, False, True, True, True, 1, (",", ":"), "utf-8", str)
    assert encoder.encode({"é": {1}, "a": 1}) == '{\n "a":1,\n "é":"{1}"\n}'
    decoder = JSONDecoder("latin-1", None, None, str, None, False, dict)
    assert decoder.decode(b'{"\xe9": 1, "t": "a\tb"}') == {"é": "1", "t": "a\tb"}


def test_default_can_be_extended_as_documented() -> None:
    class Encoder(JSONEncoder):
        def default(self, o: Any) -> Any:
            return sorted(o) if isinstance(o, set) else JSONEncoder.default(self, o)

    assert Encoder().encode([{2, 1}, date(2020, 1, 2)]) == '[[1, 2], "Thu, 02 Jan 2020 00:00:00 GMT"]'
    with pytest.raises(TypeError, match="object"):
        Encoder().encode(object())


class UpperEncoder(JSONEncoder):
    def default(self, o: Any) -> Any:
        return "UPPER" if isinstance(o, set) else super().default(o)


class CountingDecoder(JSONDecoder):
    def decode(self, s: Any, *args: Any) -> Any:
        return {"counted": super().decode(s, *args)}


def test_the_applications_classes_are_used() -> None:
    app = make_app()
    app.json_encoder, app.json_decoder = UpperEncoder, CountingDecoder
    with app.app_context():
        assert json.dumps({"b": {1}, "a": Point(1, 2)}) == '{"a": {"x": 1, "y": 2}, "b": "UPPER"}'
        assert json.loads("[1]") == {"counted": [1]}
        assert stdlib_json.loads(jsonify(a={1}).data) == {"a": "UPPER"}


def test_a_plain_encoder_of_the_standard_library_can_be_the_applications() -> None:
    app = make_app(JSON_SORT_KEYS=False)
    app.json_encoder = type("Plain", (stdlib_json.JSONEncoder,), {"default": lambda self, o: repr(o)})
    assert app.json.dumps({"b": {1}, "a": 1}) == '{"b": "{1}", "a": 1}'


def test_a_class_given_to_the_call_wins() -> None:
    app = make_app()
    app.json_encoder = type("Never", (JSONEncoder,), {"default": lambda self, o: 1 / 0})
    with app.app_context():
        assert json.dumps({1}, cls=UpperEncoder) == '"UPPER"'
        assert json.loads("1", cls=CountingDecoder) == {"counted": 1}


def test_an_encoder_class_that_overrides_no_default_keeps_the_providers() -> None:
    app = make_app()
    app.json.default = lambda o: "mine"
    app.json_encoder = type("Same", (JSONEncoder,), {})
    assert app.json.dumps({1}) == '"mine"'


def test_an_encoder_of_somebody_elses_is_made_for_each_call() -> None:
    class Remembering(JSONEncoder):
        seen = 0

        def default(self, o: Any) -> Any:
            self.seen += 1
            return self.seen

    app = make_app()
    app.json_encoder = Remembering
    assert [app.json.dumps({1}), app.json.dumps({1})] == ["1", "1"]


def test_a_blueprints_classes_win_within_its_requests() -> None:
    app = make_app()
    bp = Blueprint("bp", __name__)
    bp.json_encoder, bp.json_decoder = UpperEncoder, CountingDecoder

    @app.route("/outside")
    @bp.route("/inside")
    def view() -> str:
        return json.dumps([json.loads("1"), json.dumps({1}) if json.loads("1") != 1 else None])

    app.register_blueprint(bp)
    client = app.test_client()
    assert client.get("/inside").data == b'[{"counted": 1}, "\\"UPPER\\""]'
    assert client.get("/outside").data == b"[1, null]"


def test_a_blueprint_does_not_reach_into_another_applications_json() -> None:
    app, other = make_app(), make_app()
    for each in (app, other):
        bp = Blueprint("bp", __name__)
        bp.add_url_rule("/", "view", lambda: other.json.dumps([1]))
        each.register_blueprint(bp)
    other.blueprints["bp"].json_encoder = type("Never", (JSONEncoder,), {"encode": lambda self, o: "wrong"})
    assert app.test_client().get("/").data == b"[1]"
    assert other.test_client().get("/").data == b"wrong"


# -- options of the provider and of the configuration


@pytest.mark.parametrize("compat", ["documented", "0.10", "3.1"])
@pytest.mark.parametrize(
    ("config", "attribute", "sorts"),
    [
        ({}, None, True),
        ({}, False, False),
        ({"JSON_SORT_KEYS": False}, None, False),
        ({"JSON_SORT_KEYS": False}, True, False),
        ({"JSON_SORT_KEYS": False}, False, False),
        ({"JSON_SORT_KEYS": None}, False, False),
        ({"JSON_SORT_KEYS": None}, None, True),
    ],
)
def test_what_somebody_set_decides_about_sorting(
    compat: str, config: dict[str, Any], attribute: bool | None, sorts: bool
) -> None:
    app = make_app(compat, **config)
    if attribute is not None:
        app.json.sort_keys = attribute
    sorted_text, given_text = '{"a": 2, "b": 1}', '{"b": 1, "a": 2}'
    assert app.json.dumps({"b": 1, "a": 2}) == (sorted_text if sorts else given_text)
    assert app.json.dumps({"b": 1, "a": 2}, sort_keys=not sorts) == (given_text if sorts else sorted_text)


def test_a_key_that_is_no_default_wins_over_the_attribute() -> None:
    app = make_app("3.1", JSON_SORT_KEYS=True, JSON_AS_ASCII=True)
    app.json.sort_keys = app.json.ensure_ascii = False
    assert app.json.dumps({"b": 1, "a": "é"}) == '{"a": "\\u00e9", "b": 1}'


@pytest.mark.parametrize("compat", ["documented", "3.1"])
def test_text_beyond_ascii_is_escaped_unless_told_otherwise(compat: str) -> None:
    app = make_app(compat)
    assert app.json.dumps("é") == '"\\u00e9"'
    app.config["JSON_AS_ASCII"] = False
    assert app.json.dumps("é") == '"é"'
    assert app.json.dumps("é", ensure_ascii=True) == '"\\u00e9"'


def test_options_may_change_at_any_time() -> None:
    app = make_app()
    texts = []
    for value in (True, False, True):
        app.json.sort_keys = value
        texts.append(app.json.dumps({"b": 1, "a": 2}))
    assert texts == ['{"a": 2, "b": 1}', '{"b": 1, "a": 2}', '{"a": 2, "b": 1}']


@pytest.mark.parametrize("kind", [None, dict])
def test_settings_of_responses_may_change_at_any_time(kind: Any) -> None:
    """Also where something else stands in the place of the configuration."""
    app = make_app("3.1")
    if kind is not None:
        app.config = kind(app.config)
    plain = b'{"a":1,"b":"\\u00e9"}\n'
    changes: tuple[tuple[str, Any, bytes], ...] = (
        ("JSON_AS_ASCII", False, '{"a":1,"b":"\u00e9"}\n'.encode()),
        ("JSON_SORT_KEYS", False, b'{"b":"\\u00e9","a":1}\n'),
        ("JSONIFY_PRETTYPRINT_REGULAR", True, b'{\n  "a": 1,\n  "b": "\\u00e9"\n}\n'),
        ("DEBUG", True, b'{\n  "a": 1,\n  "b": "\\u00e9"\n}\n'),
    )  # fmt: skip
    missing = object()
    with app.test_request_context():
        for key, value, body in changes:
            assert jsonify(b="\u00e9", a=1).data == plain
            before = app.config.get(key, missing)
            app.config[key] = value
            assert jsonify(b="\u00e9", a=1).data == body
            if before is missing:
                del app.config[key]
            else:
                app.config.update({key: before})
        assert jsonify(b="\u00e9", a=1).data == plain
        assert app.json.dump_compact({"b": "\u00e9", "a": 1}) == plain.decode()[:-1]
        app.config["JSON_SORT_KEYS"] = False
        assert app.json.dump_compact({"b": "\u00e9", "a": 1}) == '{"b":"\\u00e9","a":1}'
        app.config["JSON_SORT_KEYS"] = True
        app.compat = make_app().compat
        assert jsonify(b=2, a=1).data == b'{\n  "a": 1, \n  "b": 2\n}'


def test_default_may_be_replaced_on_the_provider_or_in_a_subclass() -> None:
    class Provider(DefaultJSONProvider):
        def default(self, o: Any) -> Any:  # type: ignore[override]
            return "subclass" if isinstance(o, set) else DefaultJSONProvider.default(o)

    app = make_app()
    app.json = Provider(app)
    assert app.json.dumps([{1}, Decimal(1)]) == '["subclass", "1"]'
    app.json.default = lambda o: "instance"
    assert app.json.dumps({1}) == '"instance"'
    assert app.json.dumps({1}, default=lambda o: "call") == '"call"'


def test_an_encoder_is_kept_for_each_set_of_options_and_no_more_than_some(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    real = JSONEncoder.__init__
    monkeypatch.setattr(JSONEncoder, "__init__", lambda self, **kw: (made.append(kw), real(self, **kw))[1])
    app = make_app()
    provider = app.json
    for _ in range(3):
        provider.dumps({"a": 1})
        provider.dumps({"a": 1}, indent=2)
        provider.dumps({"a": 1}, separators=[",", ":"])
    assert len(made) == 2 + 3
    for indent in range(200):
        assert provider.dumps([], indent=indent) == "[]"
    assert len(provider._encoders) <= 32


def test_an_option_nobody_knows_is_a_TypeError() -> None:
    with pytest.raises(TypeError, match="no_such_option"):
        json.dumps({}, no_such_option=1)


# -- responses


@pytest.mark.parametrize("compat", ["documented", "0.10"])
def test_jsonify_indents_as_documented(compat: str) -> None:
    with make_app(compat).test_request_context():
        response = jsonify(b=[1, {}], a={"c": "é"})
    assert response.data == b'{\n  "a": {\n    "c": "\\u00e9"\n  }, \n  "b": [\n    1, \n    {}\n  ]\n}'
    assert response.mimetype == "application/json"


def test_an_xhr_gets_one_line() -> None:
    app = make_app()
    for value in ("XMLHttpRequest", "xmlhttprequest"):
        with app.test_request_context(headers={"X-Requested-With": value}):
            assert jsonify(a=1, b=[1, {}]).data == b'{"a": 1, "b": [1, {}]}'
    with app.test_request_context(headers={"X-Requested-With": "other"}):
        assert jsonify(a=1).data == b'{\n  "a": 1\n}'


def test_pretty_printing_may_be_switched_off() -> None:
    app = make_app(JSONIFY_PRETTYPRINT_REGULAR=False)
    with app.app_context():
        assert jsonify(a=1, b=2).data == b'{"a": 1, "b": 2}'


def test_compact_of_the_provider_counts_against_a_default_of_the_configuration() -> None:
    app = make_app()
    app.json.compact = True
    with app.app_context():
        assert jsonify(a=1, b=2).data == b'{"a":1,"b":2}'
    app.json.compact = False
    with app.app_context():
        assert jsonify(a=1).data == b'{\n  "a": 1\n}'


INDENTED = b'{\n  "a": 1,\n  "b": 2\n}\n'
COMPACT = b'{"a":1,"b":2}\n'


@pytest.mark.parametrize(
    ("debug", "compact", "config", "body"),
    [
        (False, None, None, COMPACT),
        (True, None, None, INDENTED),
        (True, True, None, COMPACT),
        (False, False, None, INDENTED),
        (False, None, True, INDENTED),
        (True, None, False, COMPACT),
        (False, True, True, INDENTED),
        (False, False, False, COMPACT),
    ],
)
def test_the_layout_of_3_1(debug: bool, compact: bool | None, config: bool | None, body: bytes) -> None:
    app = make_app("3.1")
    app.debug = debug
    app.json.compact = compact
    if config is not None:
        app.config["JSONIFY_PRETTYPRINT_REGULAR"] = config
    with app.test_request_context(headers=XHR):
        assert jsonify(a=1, b=2).data == body


@pytest.mark.parametrize("compat", ["documented", "0.10"])
@pytest.mark.parametrize(
    ("args", "kwargs", "value"),
    [
        ((), {}, {}),
        ((), {"a": 1}, {"a": 1}),
        (({"a": 1},), {}, {"a": 1}),
        (([("a", 1)],), {}, {"a": 1}),
        (({"a": 1},), {"b": 2}, {"a": 1, "b": 2}),
        (((pair for pair in [("a", 1)]),), {"a": 2}, {"a": 2}),
    ],
)
def test_jsonify_takes_what_dict_takes(compat: str, args: Any, kwargs: Any, value: Any) -> None:
    with make_app(compat).app_context():
        assert stdlib_json.loads(jsonify(*map(_again, args), **kwargs).data) == value


def _again(arg: Any) -> Any:
    # A generator in a parameter list is used up by the first test that takes it.
    return arg if isinstance(arg, (dict, list)) else iter([("a", 1)])


@pytest.mark.parametrize("compat", ["documented", "0.10"])
@pytest.mark.parametrize("args", [(1,), ([1, 2],), ("text",), (None,), ({}, {}), (1.5,)])
def test_jsonify_names_the_way_out_for_what_is_no_object(compat: str, args: Any) -> None:
    with make_app(compat).app_context(), pytest.raises(TypeError, match=r"items=.*return a list.*compat='3.1'"):
        jsonify(*args)


@pytest.mark.parametrize(
    ("args", "kwargs", "body"),
    [
        ((), {}, b"null\n"),
        ((1,), {}, b"1\n"),
        ((None,), {}, b"null\n"),
        (([],), {}, b"[]\n"),
        ((1, "a"), {}, b'[1,"a"]\n'),
        ((), {"a": 1}, b'{"a":1}\n'),
    ],
)
def test_jsonify_of_3_1_takes_any_value(args: Any, kwargs: Any, body: bytes) -> None:
    with make_app("3.1").app_context():
        assert jsonify(*args, **kwargs).data == body


def test_jsonify_of_3_1_refuses_values_and_keywords_together() -> None:
    with make_app("3.1").app_context(), pytest.raises(TypeError, match="keyword"):
        jsonify(1, a=2)


@pytest.mark.parametrize("compat", ["documented", "0.10", "3.1"])
@pytest.mark.parametrize("value", [[1, {"a": 2}], {"a": 1}, []])
def test_a_view_may_return_a_list_or_a_dict(compat: str, value: Any) -> None:
    app = make_app(compat)
    app.add_url_rule("/", "view", lambda: value)
    response = app.test_client().get("/")
    assert response.mimetype == "application/json"
    assert stdlib_json.loads(response.data) == value


def test_the_mimetype_of_the_provider_is_used() -> None:
    app = make_app()
    app.json.mimetype = "application/vnd.test+json"
    with app.app_context():
        assert jsonify(a=1).mimetype == "application/vnd.test+json"


# -- providers of one's own


class ReversedProvider(JSONProvider):
    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return stdlib_json.dumps(obj)[::-1]

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return stdlib_json.loads(s[::-1])


def test_a_provider_with_dumps_and_loads_serves_everything() -> None:
    app = make_app()
    app.json = ReversedProvider(app)
    app.add_url_rule("/", "view", lambda: [12])
    file = io.StringIO()
    with app.app_context():
        assert json.dumps([12]) == "]21["
        assert json.loads("]21[") == [12]
        json.dump([12], file)
        file.seek(0)
        assert json.load(file) == [12]
        assert jsonify(a=1).data == b'}1 :"a"{'
    assert app.test_client().get("/").data == b"]21["


@pytest.mark.parametrize("name", ["response", "_prepare_response_obj"])
@pytest.mark.parametrize("on", ["class", "instance"])
def test_jsonify_asks_whatever_method_was_replaced(name: str, on: str) -> None:
    def replaced(*args: Any, **kwargs: Any) -> Any:
        return "replaced"

    app = make_app("3.1")
    if on == "class":
        app.json = type("Provider", (DefaultJSONProvider,), {name: replaced})(app)
    with app.app_context():
        assert on == "class" or jsonify(1).data == b"1\n"
        if on == "instance":
            setattr(app.json, name, replaced)
        answer = jsonify(1)
    assert answer == "replaced" if name == "response" else answer.data == b'"replaced"\n'


def test_a_response_of_ones_own_also_serves_returned_values() -> None:
    class Envelope(DefaultJSONProvider):
        def response(self, *args: Any, **kwargs: Any) -> Any:
            return super().response({"data": list(args)})

    app = make_app()
    app.json = Envelope(app)
    app.add_url_rule("/", "view", lambda: [1])
    assert stdlib_json.loads(app.test_client().get("/").data) == {"data": [[1]]}


@pytest.mark.parametrize(("call", "name"), [(lambda p: p.dumps(1), "dumps"), (lambda p: p.loads("1"), "loads")])
def test_a_provider_without_its_methods_names_them(call: Any, name: str) -> None:
    app = make_app()
    with pytest.raises(NotImplementedError, match=name):
        call(JSONProvider(app))


def test_a_provider_does_not_keep_its_application_alive() -> None:
    class Application:
        config: dict[str, Any] = {}

    app = Application()
    provider = DefaultJSONProvider(app)
    gone = weakref.ref(app)
    gc.disable()
    try:
        del app
        assert gone() is None
    finally:
        gc.enable()
    assert provider is not None


def test_a_datetime_with_a_zone_is_read_by_its_instant() -> None:
    moment = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=-5)))
    assert json.dumps(moment) == json.dumps(elsewhere) == '"Mon, 06 May 2024 07:08:09 GMT"'


# -- the same as the standard library

KEYS = st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4) | st.tuples(inner),
    max_leaves=12,
)


@examples()
@given(value=VALUES, indent=st.sampled_from([None, 0, 2, "\t"]), ascii=st.booleans(), sort=st.booleans())
def test_texts_are_those_of_the_standard_library(value: Any, indent: Any, ascii: bool, sort: bool) -> None:
    options: dict[str, Any] = {"indent": indent, "ensure_ascii": ascii, "sort_keys": sort}
    assert json.dumps(value, **options) == stdlib_json.dumps(value, **options)


def outcome(call: Any, document: Any) -> tuple[str, str]:
    try:
        value = call(document)
    except (TypeError, ValueError) as error:
        return type(error).__name__, str(error)
    return type(value).__name__, repr(value)


@examples()
@given(
    value=VALUES,
    around=st.tuples(st.sampled_from(["", " ", "\n", "\ufeff", "x"]), st.sampled_from(["", " ", "\n", "x", "\0"])),
    encoding=st.sampled_from(["", "utf-8", "utf-16", "utf-16-le", "utf-32-be", "latin-1"]),
    escaped=st.booleans(),
)
@example(value="", around=("", ""), encoding="", escaped=True)
def test_documents_are_read_as_the_standard_library_reads_them(
    value: Any, around: tuple[str, str], encoding: str, escaped: bool
) -> None:
    text = stdlib_json.dumps(value, ensure_ascii=escaped).join(around)
    document: Any = text.encode(encoding, "replace") if encoding else text
    assert outcome(json.loads, document) == outcome(stdlib_json.loads, document)


@pytest.mark.parametrize(
    "document", ["", b"", "\ud800", b'"\xed\xa0\x80"', b"\xff", bytearray(b"[1]"), "nul", b"[1,]", None]
)
def test_what_is_no_usual_document_is_read_the_same(document: Any) -> None:
    assert outcome(json.loads, document) == outcome(stdlib_json.loads, document)


ANY_KEYS = KEYS | st.integers() | st.floats() | st.booleans() | st.none() | st.sampled_from([(1,), b"k"])
ODD_VALUES = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([set(), 1j, b"x", float("nan")]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_KEYS, inner, max_size=3), max_leaves=6,
)  # fmt: skip


def text_or_error(call: Any, value: Any, options: dict[str, Any]) -> Any:
    try:
        return call(value, **options)
    except Exception as error:
        return type(error)


@examples(0.1)
@given(
    value=ODD_VALUES, ring=st.booleans(), skip=st.booleans(), nan=st.booleans(), sort=st.booleans(),
    more=st.sampled_from([
        {}, {"default": str}, {"default": lambda value: [value]}, {"separators": (",", ":")}, {"separators": 5},
        {"separators": (" ; ", "=")}, {"indent": 1, "separators": (",", ": ")}, {"indent": -1}, {"indent": ""},
        {"cls": stdlib_json.JSONEncoder}, {"check_circular": False, "default": repr}, {"nope": 1},
    ]),
)  # fmt: skip
def test_what_is_refused_and_skipped_is_what_the_standard_library_refuses_and_skips(
    value: Any, ring: bool, skip: bool, nan: bool, sort: bool, more: dict[str, Any]
) -> None:
    options: dict[str, Any] = {"skipkeys": skip, "allow_nan": nan, "sort_keys": sort, **more}
    if ring and "check_circular" not in more:
        value = [value]
        value.append(value)
    assert text_or_error(json.dumps, value, options) == text_or_error(stdlib_json.dumps, value, options)


TOKENS = (
    *"{{}}[[]]::,,-0.e+1 \n\r\t/\\\"", '"a"', '"a"', "null", "true", "false", "nul", "NaN", "Infinity", "-Infinity",
    '"\\u00e9"', '"\\ud83d\\ude00"', '"\\ud83d"', "\\u12", "\x7f", "\0", "\ufeff", "\u00e9", "\ud800", "1e999", "-0.0",
    "123456789012345678901234567890", "'a'", "\u2028", '"\t"', "1_0", "\u0661",
)  # fmt: skip


@examples(0.5)
@given(
    st.lists(st.sampled_from(TOKENS), max_size=9).map("".join), st.binary(max_size=3),
    st.sampled_from(["", "utf-8", "utf-8", "utf-16", "utf-16-be", "utf-32-le", "utf-8-sig"]),
)  # fmt: skip
def test_malformed_documents_are_refused_as_the_standard_library_refuses_them(
    text: str, rest: bytes, encoding: str
) -> None:
    document: Any = text.encode(encoding, "surrogatepass") + rest if encoding else text
    for each in (document, bytearray(document) if encoding else document.strip()):
        assert outcome(json.loads, each) == outcome(stdlib_json.loads, each)


# -- responses follow what changes


def test_a_response_follows_each_option_from_one_call_to_the_next() -> None:
    app = make_app("3.1")

    def body() -> str:
        with app.test_request_context():
            return str(jsonify({"b": "\u00e9", "a": 1}).get_data(as_text=True))

    assert body() == '{"a":1,"b":"\\u00e9"}\n'
    app.json.sort_keys = False  # type: ignore[attr-defined]
    assert body() == '{"b":"\\u00e9","a":1}\n'
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    assert body() == '{"b":"\u00e9","a":1}\n'
    app.json.compact = False  # type: ignore[attr-defined]
    assert body() == '{\n  "b": "\u00e9",\n  "a": 1\n}\n'
    del app.json.sort_keys  # type: ignore[attr-defined]
    assert body() == '{\n  "a": 1,\n  "b": "\u00e9"\n}\n'
    app.config.update(JSON_AS_ASCII=True, JSON_SORT_KEYS=False, JSONIFY_PRETTYPRINT_REGULAR=False, DEBUG=True)
    assert body() == '{"b":"\\u00e9","a":1}\n'
    app.json.dumps = lambda value, **options: f"own {len(value)}"  # type: ignore[method-assign]
    assert body() == "own 2\n"


def test_a_response_follows_the_class_of_responses() -> None:
    app = make_app("3.1")

    class Named(app.response_class):  # type: ignore[name-defined, misc]
        def __init__(self, response: Any = None, **options: Any) -> None:
            super().__init__(response, **options)
            self.headers["X-Options"] = ",".join(options)

    with app.test_request_context():
        assert "X-Options" not in jsonify(1).headers
        app.response_class = Named
        assert jsonify(1).headers["X-Options"] == "mimetype" and jsonify(1).mimetype == "application/json"
