"""What the API answers to bad input: JSON, always, and nothing is left of it in the database."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from api_tools import MEMORY, SAMPLE

HUGE = 10**30


@pytest.fixture(params=["sqlite", "postgresql"])
def any_api(request: pytest.FixtureRequest, make_api: Any) -> Any:
    """The API of the sample on each kind of database, with a house and a cat in it."""
    url = "sqlite://" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    api = make_api(conf=MEMORY.replace("sqlite://", url))
    api.post("/api/houses/", {"address": "one"})
    api.post("/api/cats/", {"name": "Tom", "house": {"id": 1}})
    yield api
    # No request has left anything behind.
    assert api.get("/api/houses/")["matches"]["total"] == 1
    assert api.get("/api/cats/Tom?depth=0") == {"name": "Tom", "house_id": 1, "house": {"id": 1}}


@pytest.mark.parametrize(
    ("method", "url", "status", "part"),
    [
        ("GET", "/api/houses/2", 404, "2"),
        ("GET", "/api/houses/one", 404, "one"),
        ("GET", "/api/houses/1.0", 404, "1.0"),
        ("GET", "/api/houses/+1", 404, "+1"),
        ("GET", "/api/houses/٣", 404, "houses"),
        ("GET", f"/api/houses/{HUGE}", 404, str(HUGE)),
        ("GET", f"/api/houses/-{2**63}", 404, "houses"),
        ("PUT", "/api/houses/2", 404, "2"),
        ("DELETE", "/api/houses/2", 404, "2"),
        ("GET", "/api/cats/Nobody", 404, "Nobody"),
        ("GET", "/api/cats/" + "x" * 500, 404, "xxx"),
        ("GET", "/api/houses/2/cats/", 404, "2"),
        ("GET", "/api/houses/2/cats/1", 404, "2"),
        ("PUT", "/api/houses/2/cats/", 404, "2"),
        ("GET", "/api/houses/1/cats/0", 404, "position 0"),
        ("GET", "/api/houses/1/cats/2", 404, "position 2"),
        ("GET", "/api/houses/1/cats/first", 404, "first"),
        ("GET", "/api/houses/1/cats/-1", 404, "-1"),
        ("GET", f"/api/houses/1/cats/{HUGE}", 404, "position"),
        ("GET", "/api/houses/1/dogs/", 404, ""),
        ("GET", "/api/dogs/", 404, ""),
        ("GET", "/api/", 404, ""),
        ("GET", "/api", 404, ""),
        ("POST", "/api/nothing/at/all", 404, ""),
        ("PATCH", "/api/houses/", 405, ""),
        ("DELETE", "/api/houses/", 405, ""),
        ("POST", "/api/houses/1", 405, ""),
        ("DELETE", "/api/houses/1/cats/", 405, ""),
        ("POST", "/api/houses/1/cats/1", 405, ""),
        ("GET", "/api/houses/?unknown=1", 400, "unknown"),
        ("GET", "/api/houses/?cats=1", 400, "cats"),
        ("GET", "/api/houses/?limit=-1", 400, "limit"),
        ("GET", "/api/houses/?limit=many", 400, "limit"),
        ("GET", "/api/houses/?limit=", 400, "limit"),
        ("GET", "/api/houses/?limit=1&limit=2", 400, "limit"),
        ("GET", "/api/houses/?offset=1.5", 400, "offset"),
        ("GET", "/api/houses/?depth=-1", 400, "depth"),
        ("GET", "/api/houses/1?depth=deep", 400, "depth"),
        ("GET", "/api/houses/1?limit=1", 400, "limit"),
        ("GET", "/api/houses/?sort=cats", 400, "cats"),
        ("GET", "/api/houses/?sort=--id", 400, "sort"),
        ("GET", "/api/houses/?sort=", 400, "sort"),
        ("GET", "/api/houses/?id=one", 400, "id"),
        ("GET", f"/api/houses/?id={HUGE}", 400, "id"),
        ("GET", "/api/houses/?id=1&id=1", 400, "id"),
        ("GET", "/api/houses/?name=1", 400, "name"),
        ("GET", "/api/houses/1/cats/?address=1", 400, "address"),
        ("DELETE", "/api/houses/1?depth=1", 400, "DELETE"),
        ("PUT", "/api/houses/1/cats/?name=Tom", 400, "name"),
    ],
)
def test_bad_urls(any_api: Any, method: str, url: str, status: int, part: str) -> None:
    body = {} if method in {"POST", "PUT"} else None
    assert part in any_api.error(method, url, status, body)


def test_405_says_what_is_offered(any_api: Any) -> None:
    response = any_api.send("DELETE", "/api/houses/")
    assert set(response.allow) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize(
    ("method", "url", "body", "status", "part"),
    [
        ("POST", "/api/houses/", [], 400, "object"),
        ("POST", "/api/houses/", "text", 400, "object"),
        ("PUT", "/api/houses/1", [1], 400, "object"),
        ("PUT", "/api/houses/1/cats/", 17, 400, "object"),
        ("POST", "/api/houses/", {"adress": "x"}, 400, "'adress'"),
        ("PUT", "/api/houses/1", {"_sa_instance_state": 1}, 400, "'_sa_instance_state'"),
        ("PUT", "/api/houses/1", {"metadata": 1}, 400, "'metadata'"),
        ("PUT", "/api/houses/1", {"query": 1}, 400, "'query'"),
        ("PUT", "/api/houses/1/cats/", {"adress": "x"}, 400, "'adress'"),
        ("POST", "/api/houses/", {"address": 17}, 400, "address"),
        ("POST", "/api/houses/", {"address": ["x"]}, 400, "address"),
        ("POST", "/api/houses/", {"address": True}, 400, "address"),
        ("POST", "/api/houses/", {"address": "x" * 129}, 400, "128"),
        ("POST", "/api/houses/", {"address": "\ud800"}, 400, "address"),
        ("POST", "/api/houses/", {"id": "1"}, 400, "id"),
        ("POST", "/api/houses/", {"id": 1.0}, 400, "id"),
        ("POST", "/api/houses/", {"id": True}, 400, "id"),
        ("POST", "/api/houses/", {"id": HUGE}, 400, "id"),
        ("PUT", "/api/houses/1", {"id": 2}, 400, "primary key"),
        ("PUT", "/api/houses/1", {"id": None}, 400, "primary key"),
        ("PUT", "/api/houses/1/cats/", {"name": "x"}, 400, "primary key"),
        ("POST", "/api/cats/", {"name": "x", "house": {"id": 2}}, 400, "house"),
        ("POST", "/api/cats/", {"name": "x", "house": {"id": "1"}}, 400, "house"),
        ("POST", "/api/cats/", {"name": "x", "house": {"id": None}}, 400, "house"),
        ("POST", "/api/cats/", {"name": "x", "house": {}}, 400, "house"),
        ("POST", "/api/cats/", {"name": "x", "house": 1}, 400, "house"),
        ("POST", "/api/cats/", {"name": "x", "house": [{"id": 1}]}, 400, "house"),
        ("PUT", "/api/houses/1", {"cats": {"name": "Tom"}}, 400, "cats"),
        ("PUT", "/api/houses/1", {"cats": None}, 400, "cats"),
        ("PUT", "/api/houses/1", {"cats": ["Tom"]}, 400, "cats"),
        ("PUT", "/api/houses/1", {"cats": [{"name": "Nobody"}]}, 400, "Nobody"),
        ("PUT", "/api/houses/1/cats/", [{"name": "Nobody"}], 400, "Nobody"),
        ("PUT", "/api/houses/1/cats/", [{"name": "Tom"}, {}], 400, "name"),
        ("POST", "/api/cats/", {"name": "Tom"}, 409, "database"),
        ("POST", "/api/cats/", {"name": "x", "house_id": 2}, 409, "database"),
        ("PUT", "/api/cats/Tom", {"house_id": 2}, 409, "database"),
        ("POST", "/api/cats/", {"name": None}, 409, ""),
        ("POST", "/api/cats/", {"house_id": 1}, 409, ""),
    ],
)
@pytest.mark.filterwarnings("ignore:Column 'cats.name' is marked as a member of the primary key")
def test_bad_bodies(any_api: Any, method: str, url: str, body: object, status: int, part: str) -> None:
    assert part in any_api.error(method, url, status, body)


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
