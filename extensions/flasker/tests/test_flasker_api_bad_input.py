"""Requests that no API can fulfil: each is answered with what was wrong, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from api_tools import MEMORY, SAMPLE, Api
from conftest import empty_database, note_statements, projects

HUGE = 10**30


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def shared_api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API of the sample on each kind of database, with a house and a cat in it."""
    url = "sqlite://"
    if request.param == "postgresql":
        url = empty_database(request.getfixturevalue("postgresql_url"))
    with projects(tmp_path_factory.mktemp("api")) as start:
        project = start(MEMORY.replace("sqlite://", url), models=SAMPLE)
        api = Api(project, note_statements(project))
        api.post("/api/houses/", {"address": "one"})
        api.post("/api/cats/", {"name": "Tom", "house": {"id": 1}})
        yield api


@pytest.fixture
def any_api(shared_api: Api) -> Iterator[Api]:
    yield shared_api
    # No request has left anything behind.
    assert shared_api.get("/api/houses/")["matches"]["total"] == 1
    assert shared_api.get("/api/cats/Tom?depth=0") == {"name": "Tom", "house_id": 1, "house": {"id": 1}}


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
def test_bad_urls(any_api: Api, method: str, url: str, status: int, part: str) -> None:
    body = {} if method in {"POST", "PUT"} else None
    assert part in any_api.error(method, url, status, body)


def test_405_says_what_is_offered(any_api: Api) -> None:
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
def test_bad_bodies(any_api: Api, method: str, url: str, body: object, status: int, part: str) -> None:
    assert part in any_api.error(method, url, status, body)
