"""Signed cookies: those of two releases of Flask, against itsdangerous, the keys, and cookies that are no session."""

from __future__ import annotations

import hashlib
import json
import random
import time
import uuid
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import BadData, BadSignature, SignatureExpired, Signer, URLSafeTimedSerializer, base64_encode
from markupsafe import Markup
from session_tools import KEY, get, make_app, open_cookies, pair, reference
from strategies import Dice, dice, examples
from werkzeug.datastructures import MultiDict
from werkzeug.http import parse_cookie

from microflask import Request, Response, session
from microflask.sessions import SecureCookieSession, SecureCookieSessionInterface, signing
from microflask.sessions import cookie as cookies_of_sessions

#: Friday, 21 November 2025, 05:00:00 UTC: when the cookies below were signed.
SIGNED_AT = 1763701200

#: Payloads signed with KEY by Flask 3.1.3 (itsdangerous 2.2.0) and by Flask 0.10.1 (itsdangerous 0.24).
PLAIN = {"user_id": 5, "_permanent": True}
RICH = {
    "t": (1, "a", (b"\x00\xff",)), "m": Markup("<b>x</b>"), "u": uuid.UUID(int=7), "n": None,
    "d": datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC),
}  # fmt: skip
LONG = {"text": "ab" * 60}
FROM_3_1 = {
    "plain": "eyJfcGVybWFuZW50Ijp0cnVlLCJ1c2VyX2lkIjo1fQ.aR_x0A.lJHxtPMFHMqz9d-1FKiy28RSMTE",
    "rich": (
        ".eJx9i0ELwjAMhf9KeOeAcSpKmQNPgiB42E3KWPGg0PW0gjDy302rZxP4wgvvW_CAW0BG9M_MJA1dxkSNNEKycbJ1sqPztYcyIty9dF9VmYfB8"
        "tqresZUX0a0oXu3q9AVIcGlHCNj_hqlzxjBv2AnmHK6HY5Qb8vItWmE_J89VD9B8S_W.aR_x0A.z5VuWT08qNNgQsZCouPvVoVMcPA"
    ),
    "long": ".eJyrVipJrShRslJKTBoYqFQLAJkdMTQ.aR_x0A.OAeGQC2YAdeMV4eLhONr8Iqcbj0",
}
FROM_0_10 = {
    "plain": "eyJfcGVybWFuZW50Ijp0cnVlLCJ1c2VyX2lkIjo1fQ.HAGDUA.6eWSTc2aqTdW8t5QXdG_N_ukQNI",
    "rich": (
        ".eJyrVkpRsqpWUgCSSiEZpToKBkYKXol5CkYGRgYKBsZWBiZWBqYK7r4hSrU6SrlgpUBSySbJrsJGP8kOJJqnZJVXmpOjo1QClgaS0YY6SolKO"
        "lAOkEoCanEMsLBVqo0FQh2lUrBKIKlkgB-YK9XWAgASGCf0.HAGDUA.XACCKpMTB03hF14G_0tMn3Yz3h8"
    ),
    "long": ".eJyrVipJrShRslJKTBoYqFQLAJkdMTQ.HAGDUA.NvdmMLdHVMxbpNPcu1RcQXh_KR8",
}
#: Signed by Flask 3.1.3 with the key "old key" at the same time.
WITH_OLD_KEY = "eyJ1c2VyX2lkIjo2fQ.aR_x0A.ewrPrJZANhieJ2weguCT0HnlPZ0"

MONTH = 31 * 24 * 3600


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Stand still at SIGNED_AT; call it to set another time."""

    def set_to(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: seconds)

    set_to(SIGNED_AT)
    return set_to


# -- cookies of real releases


@pytest.mark.parametrize("compat", ["documented", "0.10", "3.1"])
@pytest.mark.parametrize("cookies", [FROM_3_1, FROM_0_10], ids=["3.1.3", "0.10.1"])
def test_sessions_of_both_releases_are_read(clock: Any, compat: str, cookies: dict[str, str]) -> None:
    app = make_app(compat)
    clock(SIGNED_AT + MONTH)
    assert open_cookies(app, cookies["plain"]) == PLAIN
    assert open_cookies(app, cookies["long"]) == LONG
    rich = open_cookies(app, cookies["rich"])
    expected = RICH["d"].replace(tzinfo=None) if compat == "0.10" else RICH["d"]  # type: ignore[attr-defined]
    assert {name: rich[name] for name in RICH} == RICH | {"d": expected}


@pytest.mark.parametrize("cookies", [FROM_3_1, FROM_0_10], ids=["3.1.3", "0.10.1"])
def test_the_lifetime_holds_for_both_releases(clock: Any, cookies: dict[str, str]) -> None:
    app = make_app()
    clock(SIGNED_AT + MONTH + 1)
    assert open_cookies(app, cookies["plain"]) == {}
    app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(days=32)
    assert open_cookies(app, cookies["plain"]) == PLAIN
    clock(SIGNED_AT - 1)
    assert open_cookies(app, cookies["plain"]) == {}


def test_what_is_written_is_what_flask_3_1_writes(clock: Any) -> None:
    app = make_app()
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    with app.app_context():
        assert serializer.dumps(PLAIN) == FROM_3_1["plain"]
        assert serializer.dumps(LONG) == FROM_3_1["long"]


# -- against itsdangerous


def random_sessions(count: int) -> list[dict[str, Any]]:
    """Return sessions of many sizes, some of which compress and some of which do not."""
    source = random.Random(count)
    made = []
    for _ in range(count):
        letters = "abcdefghijklmnopqrstuvwxyz"[: source.randint(1, 26)]
        words = ["".join(source.choices(letters, k=source.randint(0, 40))) for _ in range(source.randint(0, 9))]
        made.append({f"k{number}": word for number, word in enumerate(words)} | {"n": source.randint(0, 10**9)})
    return made


def test_texts_are_equal_to_those_of_itsdangerous(clock: Any) -> None:
    ours = SecureCookieSessionInterface().get_signing_serializer(make_app())
    assert ours is not None
    theirs = reference()
    compressed = 0
    for data in random_sessions(500):
        text = theirs.dumps(data)
        compressed += text.startswith(".")
        assert ours.dumps(data) == text
        assert ours.loads(text, max_age=0) == data
        assert theirs.loads(ours.dumps(data)) == data
    assert 50 < compressed < 450


@pytest.mark.parametrize("derivation", ["hmac", "concat", "django-concat", "none"])
@pytest.mark.parametrize("digest", [hashlib.sha1, hashlib.sha256])
def test_derivation_and_digest_may_be_chosen(derivation: str, digest: Any) -> None:
    class Interface(SecureCookieSessionInterface):
        key_derivation = derivation
        digest_method = staticmethod(digest)

    ours = Interface().get_signing_serializer(make_app())
    theirs = reference(key_derivation=derivation, digest_method=digest)
    assert ours is not None
    assert theirs.loads(ours.dumps({"a": 1})) == {"a": 1} == ours.loads(theirs.dumps({"a": 1}))


def test_salt_serializer_and_session_class_may_be_chosen() -> None:
    class Session(SecureCookieSession):
        pass

    class Interface(SecureCookieSessionInterface):
        salt = "another"
        serializer = json
        session_class = Session

    app = make_app()
    ours = Interface().get_signing_serializer(app)
    theirs = URLSafeTimedSerializer(KEY, salt="another", signer_kwargs={"key_derivation": "hmac"})
    assert ours is not None
    assert ours.loads(theirs.dumps({"a": [1]})) == {"a": [1]}
    app.session_interface = Interface()
    with app.test_request_context(headers={"Cookie": f"session={theirs.dumps({'a': [1]})}"}):
        assert session == {"a": [1]}
        assert type(session._get_current_object()) is Session
    assert open_cookies(make_app(), theirs.dumps({"a": [1]})) == {}


def test_the_serializer_raises_what_itsdangerous_does(clock: Any) -> None:
    serializer = SecureCookieSessionInterface().get_signing_serializer(make_app())
    assert serializer is not None
    text = serializer.dumps({"a": 1})
    assert serializer.loads(text, return_timestamp=True) == ({"a": 1}, datetime.fromtimestamp(SIGNED_AT, UTC))
    assert serializer.loads(serializer.dumps({"a": 1}, salt="other"), salt="other") == {"a": 1}
    with pytest.raises(BadSignature):
        serializer.loads(text, salt="other")
    clock(SIGNED_AT + 11)
    assert serializer.loads(text, max_age=11) == {"a": 1}
    with pytest.raises(SignatureExpired) as caught:
        serializer.loads(text, max_age=10)
    assert caught.value.date_signed == datetime.fromtimestamp(SIGNED_AT, UTC)


def test_the_serializer_is_kept_for_each_set_of_settings() -> None:
    app, interface = make_app(), SecureCookieSessionInterface()
    first = interface.get_signing_serializer(app)
    assert interface.get_signing_serializer(app) is first
    assert SecureCookieSessionInterface().get_signing_serializer(make_app()) is first
    app.secret_key = "another"
    assert interface.get_signing_serializer(app) is not first
    app.secret_key = KEY
    app.config["SECRET_KEY_FALLBACKS"] = ["old"]
    assert interface.get_signing_serializer(app) is not first
    app.config["SECRET_KEY_FALLBACKS"] = None
    interface.salt = "another"
    assert interface.get_signing_serializer(app) is not first


def test_a_serializer_that_cannot_be_hashed_serves_too() -> None:
    class Odd:
        dumps = staticmethod(json.dumps)
        loads = staticmethod(json.loads)

        def __eq__(self, other: object) -> bool:
            return True

    interface = SecureCookieSessionInterface()
    interface.serializer = Odd()
    serializer = interface.get_signing_serializer(make_app())
    assert serializer is not None
    assert serializer.loads(serializer.dumps({"a": 1})) == {"a": 1}


# -- keys


def test_fallback_keys_verify_and_do_not_sign(clock: Any) -> None:
    app = make_app(SECRET_KEY_FALLBACKS=["older", "old key"])
    assert open_cookies(app, WITH_OLD_KEY) == {"user_id": 6}
    assert open_cookies(app, FROM_3_1["plain"]) == PLAIN
    cookie = parse_cookie(pair(get(app, "/write")[0]))["session"]
    assert reference().loads(cookie) == {"a": 1}
    assert open_cookies(make_app(), WITH_OLD_KEY) == {}


@pytest.mark.parametrize("fallbacks", ["old key", b"old key"])
def test_fallbacks_given_as_one_key_are_refused(fallbacks: Any) -> None:
    with pytest.raises(TypeError, match="SECRET_KEY_FALLBACKS has to be a list") as caught:
        open_cookies(make_app(SECRET_KEY_FALLBACKS=fallbacks), WITH_OLD_KEY)
    assert "old key" not in str(caught.value)


@pytest.mark.parametrize(
    ("config", "name"), [({"SECRET_KEY": 12345}, "SECRET_KEY "), ({"SECRET_KEY_FALLBACKS": [12345]}, "_FALLBACKS")]
)
def test_keys_of_another_type_are_refused_without_being_shown(config: dict[str, Any], name: str) -> None:
    with pytest.raises(TypeError, match=name) as caught:
        open_cookies(make_app(**config))
    assert "12345" not in str(caught.value)


def test_bytes_and_text_are_the_same_key(clock: Any) -> None:
    assert open_cookies(make_app(SECRET_KEY=KEY.encode()), FROM_3_1["plain"]) == PLAIN


# -- cookies that are none


def _signed(payload: bytes) -> str:
    """Return `payload` signed as a session is, whatever it is."""
    return reference().make_signer().sign(payload).decode()


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        ".",
        "..",
        "no dots at all",
        FROM_3_1["plain"][:-1],
        FROM_3_1["plain"][1:],
        FROM_3_1["plain"].rpartition(".")[0],
        FROM_3_1["plain"].replace("aR_x0A", "aR_x0B"),
        FROM_3_1["plain"] + "A",
        "x" + FROM_3_1["plain"],
        "é" * 10,
        "\x00.\x00.\x00",
        "." * 5000,
        _signed(b"!!!!"),
        _signed(b".AAAA"),
        _signed(b""),
        _signed(b"e30"[:1]),
    ],
)
def test_what_is_no_session_is_an_empty_one(clock: Any, cookie: str) -> None:
    app = make_app()
    assert open_cookies(app, cookie) == {}


@pytest.mark.parametrize("value", [[1], "text", None, 5, (1, 2), [["a", 1]]])
def test_a_payload_that_is_no_dict_is_an_empty_session(value: Any) -> None:
    assert open_cookies(make_app(), reference().dumps(value)) == {}


@pytest.mark.parametrize("text", ['{" t":5}', "{", '{"a":{" u":"x"}}', '{"a":' * 50_000])
def test_a_signed_payload_that_cannot_be_read_is_an_empty_session(text: str) -> None:
    for payload in (base64_encode(text), b"." + base64_encode(zlib.compress(text.encode()))):
        assert open_cookies(make_app(), _signed(payload.rstrip(b"="))) == {}


@pytest.mark.parametrize("stamp", [b"", b"\xff" * 8, b"\x00"])
def test_a_signed_timestamp_out_of_range_is_an_empty_session(stamp: bytes) -> None:
    signer = Signer(KEY, salt="cookie-session", key_derivation="hmac")
    text = signer.sign(base64_encode(b'{"a":1}') + b"." + base64_encode(stamp)).decode()
    assert open_cookies(make_app(), text) == {}


def test_every_changed_character_makes_a_session_void(clock: Any) -> None:
    app = make_app()
    good = FROM_3_1["plain"]
    for place in range(len(good)):
        other = "A" if good[place] != "A" else "B"
        assert open_cookies(app, good[:place] + other + good[place + 1 :]) == {}


def test_a_text_that_has_no_bytes_is_no_session() -> None:
    app = make_app()
    with app.test_request_context() as ctx:
        ctx.request.cookies = MultiDict({"session": "\udc80.\udc80.\udc80"})
        assert not session


def test_the_first_valid_cookie_of_several_counts(clock: Any) -> None:
    app = make_app()
    foreign, own, second = "eyJhIjoxfQ.aR_x0A.forged", FROM_3_1["plain"], FROM_3_1["long"]
    assert open_cookies(app, foreign, own) == PLAIN
    assert open_cookies(app, own, foreign) == PLAIN
    assert open_cookies(app, own, second) == PLAIN
    assert open_cookies(app, second, own) == LONG


# -- the short ways, against the long ones


def to_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-99, 10**6), st.floats(allow_nan=False), st.text(max_size=30),
        st.binary(max_size=9), st.uuids(), st.text("<a", max_size=3).map(Markup),
        st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)).map(to_second),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(" tx_", max_size=3), inner, max_size=4)
    | st.tuples(inner, inner), max_leaves=9,
)  # fmt: skip
SERIALIZER: Any = SecureCookieSessionInterface().get_signing_serializer(make_app(SECRET_KEY_FALLBACKS=["old key"]))


# Nested values take hypothesis ten milliseconds each.
@examples(0.5)
@given(st.dictionaries(st.text("abc \u00e9", max_size=3), JSON, max_size=4))
def test_cookies_are_written_as_itsdangerous_writes_them(data: dict[str, Any]) -> None:
    assert SERIALIZER.loads(signing.write(SERIALIZER, data)) == data
    assert signing.read(SERIALIZER, reference().dumps(data), 9) == data
    before, text, after = reference().dumps(data), signing.write(SERIALIZER, data), reference().dumps(data)
    assert text in (before, after)


def changed(dice: Dice) -> str:
    """Return a text that was a session's cookie, or a forged one."""
    payload = dice.one(b"{}", b"[]", b"{", b'{"a":1}', b"\xff", bytes(dice.getrandbits(8) for _ in range(20)))
    body = dice.one(base64_encode(payload), b"." + base64_encode(zlib.compress(payload)), b"." + payload, payload)
    stamp = dice.one(b"", b"aR_x0A", b"HAGDUA", b"A", b"____________", base64_encode(bytes([dice.getrandbits(8)] * 4)))
    key = dice.one(KEY, KEY, "old key", "another")
    signer = Signer(key, salt="cookie-session", key_derivation="hmac")
    text: str = signer.sign(body + dice.one(b".", b".", b"") + stamp).decode("latin-1")
    if dice.often(0.3):
        at = dice.randrange(len(text))
        text = text[:at] + dice.one("", "A", ".", "-", "\u00e9", "=", " ") + text[at + 1 :]
    return text


SECRETS = (b"key", "key", "\u00e9", b"\0\xff", b"k" * 63, b"k" * 64, "k" * 65, b"k" * 200)
DERIVATIONS = ("hmac", "hmac", "concat", "django-concat", "none")
DIGESTS = (hashlib.sha1, hashlib.sha1, hashlib.sha256, hashlib.sha512, hashlib.md5)


@examples()
@given(dice())
def test_signers_of_any_settings_are_those_of_itsdangerous(dice: Dice) -> None:
    keys, salt = tuple(dice.some(SECRETS, 3)) or (b"key",), dice.one("cookie-session", b"salt", "\u00e9", "")
    derivation, digest = dice.one(*DERIVATIONS), dice.one(*DIGESTS)
    ours = signing.session_serializer(keys, salt, json, derivation, digest)
    signer = {"key_derivation": derivation, "digest_method": digest}
    theirs = URLSafeTimedSerializer(list(keys), salt=salt, serializer=json, signer_kwargs=signer)
    texts = "\u00e9" * dice.randrange(9), "ab" * dice.randrange(200)
    data = {dice.one("a", "b"): dice.one(1, None, dice.random(), *texts)}
    text, other = signing.write(ours, data), theirs.dumps(data)
    assert theirs.loads(text) == data and signing.read(ours, other, 9) == data
    # A second may have passed in between.
    assert text.rpartition(".")[0].rpartition(".")[0] == other.rpartition(".")[0].rpartition(".")[0]
    value = dice.randbytes(dice.randrange(80))
    signed = Signer(list(keys), salt=salt, **signer).sign(value + b"." + base64_encode(bytes([100, 0, 0, 0])))
    assert ours.make_signer().unsign(signed) == value
    forged = Signer(b"another", salt=salt, **signer).sign(value + b".AAAA").decode("latin1")
    assert signing.read(ours, forged, 10**11) is None


@examples()
@given(dice())
def test_cookies_are_read_as_the_serializer_reads_them(dice: Dice) -> None:
    text, age = changed(dice), dice.one(0, MONTH, 10**11)
    try:
        expected = SERIALIZER.loads(text, max_age=age)
    except (BadData, ValueError):
        expected = None
    assert signing.read(SERIALIZER, text, age) == expected


def test_cookies_of_another_kind_of_request_are_asked_for() -> None:
    class Own(Request):
        cookies = MultiDict[str, str]()

    app = make_app()
    Own.cookies = MultiDict({"session": reference().dumps({"a": 1})})
    app.request_class = Own
    assert open_cookies(app, reference().dumps({"a": 2})) == {"a": 1}


@examples()
@given(dice())
def test_cookies_are_set_as_werkzeug_sets_them(dice: Dice) -> None:
    ours, theirs = Response(), Response()
    name, text = dice.one("session", "s", "\u00e9", "a=b"), dice.one("", "abc.d-_", "a b", '"', "\u00e9", "x" * 3000)
    moment = datetime.fromtimestamp(dice.random() * 10**9, UTC)
    expires = dice.one(None, moment, moment.replace(tzinfo=None), 5, "Thu, 01 Jan 1970 00:00:00 GMT")
    options = {
        "path": dice.one("/", "/a b", None, "/\u00e9"), "domain": dice.one(None, "x.org", ".x.org", "b\u00fc.de"),
        "secure": dice.often(0.5), "httponly": dice.often(0.5), "samesite": dice.one(None, "Lax", "none"),
        "partitioned": dice.often(0.2),
    }  # fmt: skip
    cookies_of_sessions.set_cookie(ours, name, text, expires, options)
    theirs.set_cookie(name, text, expires=expires, **options)
    assert ours.headers.getlist("Set-Cookie") == theirs.headers.getlist("Set-Cookie")


def test_a_cookie_that_is_too_large_is_warned_about() -> None:
    with pytest.warns(UserWarning, match="too large"):
        cookies_of_sessions.set_cookie(Response(), "session", "x" * 5000, None, {})


@pytest.mark.parametrize("length", [0, 1, 19, 20, 63, 64, 65, 200])
@pytest.mark.parametrize("digest", [hashlib.sha1, hashlib.sha512], ids=["sha1", "sha512"])
def test_signatures_by_keys_of_any_length_are_those_of_itsdangerous(length: int, digest: Any) -> None:
    signer = signing.SessionSigner(b"x" * length, salt="s", key_derivation="none", digest_method=digest)
    theirs = Signer(b"x" * length, salt="s", key_derivation="none", digest_method=digest)
    assert signer.get_signature("value") == theirs.get_signature("value")
    assert signer.verify_signature("value", theirs.get_signature("value"))
    assert not signer.verify_signature("valuf", theirs.get_signature("value"))


def test_a_hash_that_is_refused_by_itself_still_signs() -> None:
    def refusing(data: bytes = b"", usedforsecurity: bool = True) -> Any:
        if usedforsecurity:
            raise ValueError("disabled for FIPS")
        return hashlib.sha1(data, usedforsecurity=False)

    signer = signing.SessionSigner(b"key", salt="s", key_derivation="none", digest_method=refusing)
    theirs = Signer(b"key", salt="s", key_derivation="none")
    assert signer.get_signature("value") == theirs.get_signature("value")


def test_a_changed_setting_is_noticed_between_two_requests() -> None:
    app = make_app("3.1")
    interface = SecureCookieSessionInterface()
    first = interface.get_signing_serializer(app)
    assert first is not None and interface.get_signing_serializer(app) is first
    token = first.dumps({"a": 1})
    app.secret_key = "another key"
    second = interface.get_signing_serializer(app)
    assert second is not None and second is not first
    with pytest.raises(BadSignature):
        second.loads(token)
    app.config["SECRET_KEY_FALLBACKS"] = [KEY]
    third = interface.get_signing_serializer(app)
    assert third is not None and third.loads(token) == {"a": 1}
    app.config["SECRET_KEY_FALLBACKS"] = []
    interface.salt = "other"
    assert interface.get_signing_serializer(app) is not second
    app.secret_key = None
    assert interface.get_signing_serializer(app) is None
