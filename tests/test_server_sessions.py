"""Sessions on the server: ids, fixation, concurrent requests, and the two stores."""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from itsdangerous import Signer
from werkzeug.http import parse_cookie

from microflask import Flask, session
from microflask.sessions import FileStore, MemoryStore, ServerSession, ServerSideSessionInterface

KEY = "a key for tests"


@pytest.fixture(params=["memory", "files"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return MemoryStore() if request.param == "memory" else FileStore(tmp_path / "sessions")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Stand still at 1000000; call it to set another time."""

    def set_to(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: seconds)

    set_to(1_000_000)
    return set_to


def make_app(store: Any, compat: str = "documented", **config: Any) -> Flask:
    app = Flask(__name__, compat=compat)
    app.config.update({"SECRET_KEY": KEY, "TESTING": True} | config)
    app.session_interface = ServerSideSessionInterface(store)

    @app.route("/none")
    def none() -> str:
        return "none"

    @app.route("/read")
    def read() -> str:
        return f"{session.get('user')} {session.new}"

    @app.route("/login/<user>")
    def login(user: str) -> str:
        app.session_interface.regenerate(session)  # type: ignore[attr-defined]
        session["user"] = user
        return "welcome"

    @app.route("/permanent")
    def permanent() -> str:
        session["user"] = "kept"
        session.permanent = True
        return "kept"

    @app.route("/logout")
    def logout() -> str:
        session.clear()
        return "goodbye"

    return app


def get(app: Flask, path: str, cookie: str | None = None) -> Any:
    return app.test_client(use_cookies=False).get(path, headers={} if cookie is None else {"Cookie": cookie})


def pair(response: Any) -> str:
    return str(response.headers["Set-Cookie"].partition(";")[0])


def id_of(cookie: str) -> str:
    return parse_cookie(cookie)["session"].partition(".")[0]


# -- through an application


def test_the_cookie_holds_an_id_and_the_store_the_data(store: Any) -> None:
    app = make_app(store)
    response = get(app, "/login/anna")
    assert response.headers["Vary"] == "Cookie"
    assert response.headers["Set-Cookie"].endswith("; HttpOnly; Path=/")
    sid = id_of(pair(response))
    assert json.loads(store.get(sid)) == {"user": "anna"}
    assert len(sid) == 43
    response = get(app, "/read", pair(response))
    assert response.data == b"anna False"
    assert (response.headers.get("Set-Cookie"), response.headers["Vary"]) == (None, "Cookie")


def test_nothing_is_kept_until_something_is_stored() -> None:
    store = MemoryStore()
    app = make_app(store)
    response = get(app, "/read")
    assert (response.data, response.headers.get("Set-Cookie")) == (b"None True", None)
    assert get(app, "/none").headers.get("Vary") is None
    assert len(store) == 0


def test_every_session_has_an_id_of_its_own(store: Any) -> None:
    app = make_app(store)
    assert len({id_of(pair(get(app, "/login/anna"))) for _ in range(20)}) == 20


def test_logging_out_forgets_the_session_on_both_sides(store: Any) -> None:
    app = make_app(store)
    cookie = pair(get(app, "/login/anna"))
    response = get(app, "/logout", cookie)
    assert "Max-Age=0" in response.headers["Set-Cookie"]
    assert store.get(id_of(cookie)) is None
    assert get(app, "/read", cookie).data == b"None True"


def test_an_id_that_was_planted_is_worth_nothing_after_a_login(store: Any) -> None:
    app = make_app(store)
    planted = pair(get(app, "/permanent"))
    own = pair(get(app, "/login/anna", planted))
    assert id_of(own) != id_of(planted)
    assert get(app, "/read", planted).data == b"None True"
    assert get(app, "/read", own).data == b"anna False"


def test_regenerating_keeps_the_data(store: Any) -> None:
    app = make_app(store)
    cookie = pair(get(app, "/permanent"))
    again = pair(get(app, "/login/bob", cookie))
    assert json.loads(store.get(id_of(again))) == {"_permanent": True, "user": "bob"}


def test_an_id_of_the_browsers_own_is_not_taken_up(store: Any) -> None:
    app = make_app(store)
    store.set("chosen", b'{"user":"anna"}', 1000)
    unsigned = get(app, "/read", "session=chosen")
    assert unsigned.data == b"None True"
    signer = Signer(KEY, salt="another purpose")
    assert get(app, "/read", f"session={signer.sign('chosen').decode()}").data == b"None True"


def test_a_signed_id_that_the_store_has_lost_is_not_used_again(store: Any) -> None:
    app = make_app(store)
    cookie = pair(get(app, "/permanent"))
    store.delete(id_of(cookie))
    again = pair(get(app, "/permanent", cookie))
    assert id_of(again) != id_of(cookie)


@pytest.mark.parametrize("value", ["", ".", "x.y", "../../etc/passwd", "é", "a" * 5000, "\x00"])
def test_a_forged_cookie_is_a_new_session(store: Any, value: str) -> None:
    assert get(make_app(store), "/read", f"session={value}").data == b"None True"


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"\xff\xfe\xff", b"null", b'{" t":5}'])
def test_stored_data_that_cannot_be_read_is_a_new_session(store: Any, data: bytes) -> None:
    app = make_app(store)
    cookie = pair(get(app, "/login/anna"))
    store.set(id_of(cookie), data, 1000)
    assert get(app, "/read", cookie).data == b"None True"


def test_the_first_valid_cookie_of_several_counts(store: Any) -> None:
    app = make_app(store)
    cookie = pair(get(app, "/login/anna"))
    assert get(app, "/read", f"session=forged.sig; {cookie}").data == b"anna False"


def test_a_session_lives_as_long_as_configured_from_its_last_change(store: Any, clock: Any) -> None:
    app = make_app(store, PERMANENT_SESSION_LIFETIME=100)
    cookie = pair(get(app, "/login/anna"))
    clock(1_000_099)
    assert get(app, "/read", cookie).data == b"anna False"
    clock(1_000_100)
    assert get(app, "/read", cookie).data == b"None True"


def test_a_permanent_session_is_prolonged_by_each_request(store: Any, clock: Any) -> None:
    app = make_app(store, PERMANENT_SESSION_LIFETIME=100)
    response = get(app, "/permanent")
    assert "Expires=" in response.headers["Set-Cookie"]
    cookie = pair(response)
    for passed in (90, 180, 270):
        clock(1_000_000 + passed)
        assert "Expires=" in get(app, "/none", cookie).headers["Set-Cookie"]
    assert get(app, "/read", cookie).data == b"kept False"


def test_a_request_that_comes_late_does_not_revive_what_another_ended(store: Any) -> None:
    app = make_app(store)
    cookie = pair(get(app, "/permanent"))
    late = app.test_request_context(headers={"Cookie": cookie})
    with late:
        session["late"] = True
        logged_in = pair(get(app, "/login/anna", cookie))
        response = app.process_response(app.response_class())
    assert "Set-Cookie" not in response.headers
    assert store.get(id_of(cookie)) is None
    assert get(app, "/read", logged_in).data == b"anna False"


def test_without_a_secret_key_there_is_no_session(store: Any) -> None:
    app = make_app(store, SECRET_KEY=None)
    with app.test_request_context():
        app.session_interface.regenerate(session)  # type: ignore[attr-defined]
        with pytest.raises(RuntimeError, match="secret_key"):
            session["a"] = 1


def test_a_key_lost_during_the_request_is_an_error(store: Any) -> None:
    app = make_app(store)
    with app.test_request_context():
        session["a"] = 1
        app.secret_key = None
        with pytest.raises(RuntimeError, match="secret_key"):
            app.save_session(session, app.response_class())


def test_keys_may_be_rotated(store: Any) -> None:
    cookie = pair(get(make_app(store, SECRET_KEY="old"), "/login/anna"))
    assert get(make_app(store, SECRET_KEY_FALLBACKS=["old"]), "/read", cookie).data == b"anna False"
    assert get(make_app(store), "/read", cookie).data == b"None True"


def test_types_of_a_session_are_kept(store: Any) -> None:
    app = make_app(store)
    moment = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    with app.test_client() as client:
        with client.session_transaction() as opened:
            opened["value"] = (1, b"\x00", moment)
        with client.session_transaction() as opened:
            assert type(opened) is ServerSession
            assert opened["value"] == (1, b"\x00", moment)
    naive = make_app(MemoryStore(), "0.10")
    with naive.test_client() as client:
        with client.session_transaction() as opened:
            opened["value"] = moment
        with client.session_transaction() as opened:
            assert opened["value"] == moment.replace(tzinfo=None)


def test_0_10_sends_the_cookie_again_each_time(store: Any) -> None:
    app = make_app(store, "0.10")
    cookie = pair(get(app, "/login/anna"))
    assert pair(get(app, "/none", cookie)) == cookie


def test_an_untouched_request_asks_the_store_for_nothing() -> None:
    class Refusing(MemoryStore):
        def get(self, id: str) -> bytes | None:
            raise AssertionError("asked")

    app = make_app(Refusing(), SESSION_REFRESH_EACH_REQUEST=False)
    cookie = pair(get(app, "/login/anna"))
    assert get(app, "/none", cookie).data == b"none"
    assert get(app, "/none").data == b"none"


# -- the stores


def test_a_store_keeps_replaces_and_forgets(store: Any) -> None:
    assert store.get("a") is None
    store.set("a", b"one", 100)
    store.set("b", b"", 100)
    assert (store.get("a"), store.get("b")) == (b"one", b"")
    store.set("a", b"two", 100)
    assert store.get("a") == b"two"
    store.delete("a")
    store.delete("a")
    assert (store.get("a"), store.get("b")) == (None, b"")


def test_a_store_keeps_to_the_time_given(store: Any, clock: Any) -> None:
    store.set("a", b"one", 10)
    clock(1_000_009)
    assert store.get("a") == b"one"
    clock(1_000_010)
    assert store.get("a") is None
    store.set("never", b"one", 0)
    assert store.get("never") is None


def test_a_store_serves_several_threads(store: Any) -> None:
    seen: list[Any] = []

    def work(letter: str) -> None:
        for _ in range(50):
            store.set("shared", letter.encode() * 2000, 100)
            seen.append(store.get("shared"))
            store.set(letter, b"own", 100)

    threads = [threading.Thread(target=work, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = {letter.encode() * 2000 for letter in "abcd"}
    assert len(seen) == 200
    assert set(seen) <= whole
    assert [store.get(letter) for letter in "abcd"] == [b"own"] * 4


def test_the_memory_store_does_not_grow_with_expired_sessions(clock: Any) -> None:
    store = MemoryStore()
    for number in range(5000):
        clock(1_000_000 + number)
        store.set(str(number), b"data", 10)
    assert len(store) <= 512
    assert store.get("4999") == b"data"


def test_the_memory_store_keeps_what_is_alive() -> None:
    store = MemoryStore()
    for number in range(2000):
        store.set(str(number), b"data", 1000)
    assert len(store) == 2000


def test_files_are_private_and_named_by_a_hash(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "deep" / "sessions")
    for sid in ("../escape", "/etc/passwd", "nul\x00", "é", "x" * 5000):
        store.set(sid, sid.encode(), 100)
        assert store.get(sid) == sid.encode()
    files = list(tmp_path.rglob("*.session"))
    assert len(files) == 5
    assert {path.parent for path in files} == {store.directory}
    assert {len(path.stem) for path in files} == {64}
    if os.name == "posix":
        assert {path.stat().st_mode & 0o077 for path in [*files, store.directory]} == {0}


def test_files_are_shared_between_stores_of_one_directory(tmp_path: Path) -> None:
    FileStore(tmp_path).set("a", b"one", 100)
    assert FileStore(str(tmp_path)).get("a") == b"one"


@pytest.mark.parametrize("content", [b"", b"\x00", b"1234567"])
def test_a_file_cut_short_is_no_session(tmp_path: Path, content: bytes) -> None:
    store = FileStore(tmp_path)
    store.set("a", b"one", 100)
    next(tmp_path.glob("*.session")).write_bytes(content)
    assert store.get("a") is None
    assert store.purge() == 1


def test_a_write_that_fails_leaves_the_old_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileStore(tmp_path)
    store.set("a", b"one", 100)

    def fail(*args: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        store.set("a", b"two", 100)
    assert store.get("a") == b"one"
    assert [path.suffix for path in tmp_path.iterdir()] == [".session"]


def test_purging_deletes_what_is_over_and_nothing_else(tmp_path: Path, clock: Any) -> None:
    store = FileStore(tmp_path)
    store.set("short", b"one", 10)
    store.set("long", b"two", 1000)
    (tmp_path / "broken-off.part").write_bytes(b"x")
    os.utime(tmp_path / "broken-off.part", (900_000, 900_000))
    (tmp_path / "being-written.part").write_bytes(b"x")
    os.utime(tmp_path / "being-written.part", (1_000_000, 1_000_000))
    (tmp_path / "notes.txt").write_text("not ours")
    clock(1_000_010)
    assert store.purge() == 2
    assert store.get("long") == b"two"
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".session") == [
        "being-written.part", "notes.txt",
    ]  # fmt: skip
    assert len(list(tmp_path.glob("*.session"))) == 1


def test_a_file_that_vanishes_while_purging_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileStore(tmp_path)
    gone = [tmp_path / "gone.session", tmp_path / "gone.part"]
    monkeypatch.setattr(Path, "glob", lambda self, pattern: [path for path in gone if path.match(pattern)])
    assert store.purge() == 0
