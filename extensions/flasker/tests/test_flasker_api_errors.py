"""What the API answers to bad input: JSON, always, and nothing is left of it in the database."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from api_tools import MEMORY, SAMPLE


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"{'a': 1}", b"{\"address\": NaN}", b"[" * 100_000, b"\xff", b"{\"address\": 1e999}", b"null",
     b"{\"id\": -Infinity}"],
)  # fmt: skip
@pytest.mark.parametrize(("method", "url"), [("POST", "/api/houses/"), ("PUT", "/api/houses/1")])
def test_malformed_json(api: Any, method: str, url: str, text: bytes) -> None:
    assert api.error(method, url, 400, data=text, content_type="application/json")


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "text/json", "app/x+json"])
def test_another_media_type(api: Any, kind: str | None) -> None:
    assert "JSON" in api.error("POST", "/api/houses/", 415, data=b"{}", content_type=kind)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/ld+json"])
def test_json_media_types(api: Any, kind: str) -> None:
    assert api.send("POST", "/api/houses/", data=b"{}", content_type=kind).status_code == 201


def test_a_body_that_is_too_large(api: Any) -> None:
    api.app.config["MAX_CONTENT_LENGTH"] = 10
    assert api.error("POST", "/api/houses/", 413, {"address": "x" * 100})


def test_postgresql_refuses_a_null_byte(make_api: Any, postgresql: str) -> None:
    api = make_api(conf=MEMORY.replace("sqlite://", postgresql))
    assert api.error("POST", "/api/houses/", 400, {"address": "a\0b"})
    assert api.error("GET", "/api/houses/?address=a%00b", 400)


# -- the project's own code --------------------------------------------------------------------------------------

OWN = """
    from flasker import current_project
    from flasker.ext.api import APIManager
    from flasker.util import Model
    from sqlalchemy import Column, Integer, String
    from sqlalchemy.orm import validates

    current_project.register_manager(APIManager(add_all_models=True))

    @current_project.app.errorhandler(404)
    @current_project.app.errorhandler(ZeroDivisionError)
    @current_project.app.errorhandler(500)
    def page(error):
        return 'a page', 200

    class Thing(Model):
        id = Column(Integer, primary_key=True)
        name = Column(String)

        @property
        def shout(self):
            return self.name.upper()

        @shout.setter
        def shout(self, value):
            self.name = value.lower()

        @validates('name')
        def check(self, key, value):
            if value == 'crash':
                return 1 / 0
            if value == 'bad':
                raise ValueError('no bad things')
            return value
"""


@pytest.fixture
def own(make_api: Any) -> Any:
    return make_api(OWN)


def test_the_handlers_of_the_application_have_no_part_in_it(own: Any) -> None:
    assert own.error("GET", "/api/nothing", 404)
    assert own.client.get("/nothing").text == "a page"


@pytest.mark.parametrize(("method", "url"), [("POST", "/api/things/"), ("PUT", "/api/things/1")])
def test_what_the_model_finds_wrong_is_told(own: Any, method: str, url: str) -> None:
    own.post("/api/things/", {"name": "x"})
    assert "no bad things" in own.error(method, url, 400, {"name": "bad"})
    assert own.get("/api/things/")["matches"]["total"] == 1


def test_an_exception_is_500_and_logged_and_told_to_nobody(own: Any, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("x", None):
        own.session.add(sys.modules["models"].Thing(name=name))
    own.session.commit()
    own.app.logger.propagate = True
    for method, url, body in [
        ("GET", "/api/things/", None), ("GET", "/api/things/2", None), ("PUT", "/api/things/1", {"name": "crash"}),
        ("POST", "/api/things/", {"name": None}), ("PUT", "/api/things/1", {"shout": 1}),
    ]:  # fmt: skip
        caplog.clear()
        content = own.error(method, url, 500, body)
        assert "NoneType" not in content and "division" not in content
        assert caplog.records[-1].exc_info
    assert own.get("/api/things/1") == {"id": 1, "name": "x", "shout": "X"}
    own.session.remove()
    assert own.session.query(sys.modules["models"].Thing).count() == 2


def test_an_exception_comes_out_in_debug_mode(own: Any) -> None:
    own.app.debug = True
    own.app.config["PRESERVE_CONTEXT_ON_EXCEPTION"] = False
    with pytest.raises(ZeroDivisionError):
        own.send("POST", "/api/things/", {"name": "crash"})


@pytest.mark.parametrize("flag", ["DEBUG", "TESTING"])
def test_bad_input_is_answered_in_debug_mode_too(api: Any, flag: str) -> None:
    api.app.config[flag] = True
    assert api.error("GET", "/api/houses/x", 404)
    assert api.error("POST", "/api/houses/", 400, [])
    assert api.error("POST", "/api/cats/", 409, {"name": "Tom"})
    assert api.error("PATCH", "/api/houses/", 405)


def test_a_constraint_that_fails_at_the_end_is_409(make_api: Any) -> None:
    api = make_api(
        SAMPLE.replace("ForeignKey('houses.id')", "ForeignKey('houses.id', deferrable=True, initially='DEFERRED')")
    )
    for debug in (False, True):
        api.app.debug = debug
        with api.client:
            assert api.error("POST", "/api/cats/", 409, {"name": "x", "house_id": 99})
    assert api.get("/api/cats/")["matches"]["total"] == 0


def test_a_key_that_would_lose_its_reference_is_409(make_api: Any) -> None:
    api = make_api(SAMPLE.replace("ForeignKey('houses.id')", "ForeignKey('houses.id'), primary_key=True"))
    api.post("/api/houses/", {})
    api.post("/api/cats/", {"name": "Tom", "house_id": 1})
    assert api.error("DELETE", "/api/houses/1", 409)
    assert api.error("PUT", "/api/houses/1/cats/", 409, [])
    assert api.get("/api/cats/Tom/1")["name"] == "Tom"


def test_relations_that_go_deeper_than_python(make_api: Any) -> None:
    api = make_api("""
        from flasker import current_project
        from flasker.ext.api import APIManager
        from flasker.util import Model
        from sqlalchemy import Column, ForeignKey, Integer
        from sqlalchemy.orm import relationship
        current_project.register_manager(APIManager(add_all_models=True))
        class Link(Model):
            id = Column(Integer, primary_key=True)
            next_id = Column(ForeignKey('links.id'))
            next = relationship('Link', remote_side=id)
    """)
    Link = sys.modules["models"].Link
    api.session.add_all([Link(id=number, next_id=number - 1 or None) for number in range(1, 600)])
    api.session.commit()
    assert "depth" in api.error("GET", "/api/links/599?depth=1000", 400)
    assert api.get("/api/links/599?depth=10")["next"]["next"]["id"] == 597
