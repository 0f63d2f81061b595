"""The six kinds of endpoint, over the models of the document."""

from __future__ import annotations

from typing import Any

import pytest

TIM = {"name": "Tim", "house_id": 1, "house": {"id": 1}}
TOM = {"name": "Tom", "house_id": 1, "house": {"id": 1}}


def test_the_sample_has_the_six_kinds_of_endpoint(api: Any) -> None:
    rules = {
        rule.rule: sorted(rule.methods - {"HEAD", "OPTIONS"})
        for rule in api.app.url_map.iter_rules()
        if rule.rule.startswith("/api")
    }
    assert rules == {
        "/api/houses/": ["GET", "POST"],
        "/api/houses/<key1>": ["DELETE", "GET", "PUT"],
        "/api/houses/<key1>/cats/": ["GET", "PUT"],
        "/api/houses/<key1>/cats/<position>": ["GET"],
        "/api/cats/": ["GET", "POST"],
        "/api/cats/<key1>": ["DELETE", "GET", "PUT"],
    }


# -- reading -----------------------------------------------------------------------------------------------------


def test_a_collection_has_content_and_matches(api: Any) -> None:
    assert api.get("/api/houses/") == {
        "content": [
            {"id": 1, "address": "one", "cats": [{"name": "Tim"}, {"name": "Tom"}]},
            {"id": 2, "address": "two", "cats": []},
        ],
        "matches": {"total": 2, "returned": 2},
    }


def test_an_entity_shows_one_level_of_relations(api: Any) -> None:
    assert api.get("/api/houses/1") == {"id": 1, "address": "one", "cats": [TIM, TOM]}
    assert api.get("/api/cats/Tom")["house"] == {"id": 1, "address": "one", "cats": [{"name": "Tim"}, {"name": "Tom"}]}


def test_a_relation_is_a_collection(api: Any) -> None:
    assert api.get("/api/houses/1/cats/") == {"content": [TIM, TOM], "matches": {"total": 2, "returned": 2}}
    assert api.get("/api/houses/2/cats/")["matches"] == {"total": 0, "returned": 0}


def test_positions_count_from_one_by_primary_key(api: Any) -> None:
    assert [api.get(f"/api/houses/1/cats/{place}?depth=0")["name"] for place in (1, 2)] == ["Tim", "Tom"]


def test_a_reference_to_nothing_is_null(api: Any) -> None:
    api.post("/api/cats/", {"name": "Stray"})
    assert api.get("/api/cats/Stray") == {"name": "Stray", "house_id": None, "house": None}


def test_an_empty_collection(make_api: Any) -> None:
    assert make_api().get("/api/cats/") == {"content": [], "matches": {"total": 0, "returned": 0}}


def test_head_and_options(api: Any) -> None:
    head = api.send("HEAD", "/api/houses/")
    assert (head.status_code, head.data, head.mimetype) == (200, b"", "application/json")
    options = api.send("OPTIONS", "/api/houses/1")
    assert set(options.allow) == {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}


def test_a_missing_slash_is_redirected(api: Any) -> None:
    response = api.send("GET", "/api/houses")
    assert response.status_code == 308
    assert response.location.endswith("/api/houses/")


def test_texts_beyond_ascii_are_keys_and_values(api: Any) -> None:
    response = api.send("POST", "/api/cats/", {"name": "Müsli & Co?", "house": {"id": 2}})
    assert api.get(response.location)["name"] == "Müsli & Co?"


# -- depth -------------------------------------------------------------------------------------------------------


def test_depth_zero_shows_keys(api: Any) -> None:
    assert api.get("/api/houses/1?depth=0")["cats"] == [{"name": "Tim"}, {"name": "Tom"}]


def test_depth_of_a_collection(api: Any) -> None:
    house = {"id": 1, "address": "one", "cats": [{"name": "Tim"}, {"name": "Tom"}]}
    assert api.content("/api/cats/?depth=1") == [
        {"name": "Tim", "house_id": 1, "house": house}, {"name": "Tom", "house_id": 1, "house": {"id": 1}},
    ]  # fmt: skip


def test_cycles_end_and_nothing_is_repeated(api: Any) -> None:
    answer = api.send("GET", "/api/houses/1?depth=1000").get_json()
    assert answer == {"id": 1, "address": "one", "cats": [TIM, TOM]}


def test_an_entity_is_written_again_when_more_depth_is_left(api: Any) -> None:
    # Tom comes first inside of Tim's house, where no depth is left, and then by itself.
    cats = api.content("/api/cats/?depth=2&sort=name")
    assert cats[0]["house"]["cats"] == [{"name": "Tim"}, TOM]
    assert cats[1] == TOM


def test_depth_goes_with_post_and_put(api: Any) -> None:
    created = api.post("/api/cats/?depth=0", {"name": "Kit", "house": {"id": 2}})
    assert created["house"] == {"id": 2}
    assert api.put("/api/cats/Kit?depth=1", {})["house"]["address"] == "two"
    assert api.put("/api/houses/2/cats/?depth=1", {})["content"][0]["house"]["address"] == "two"


def test_defaults_and_bounds_are_options(make_api: Any) -> None:
    from api_tools import SAMPLE

    options = (
        "add_all_models=True, default_collection_depth=1, default_model_depth=0, max_depth=1, default_limit=2,"
        " max_limit=3, url_prefix='rest/v1/'"
    )
    api = make_api(SAMPLE.replace("add_all_models=True", options))
    api.post("/rest/v1/houses/", {"address": "one"})
    for name in "abcd":
        api.post("/rest/v1/cats/", {"name": name, "house_id": 1})
    assert api.get("/rest/v1/houses/1")["cats"][0] == {"name": "a"}
    assert api.get("/rest/v1/houses/1?depth=99") == api.get("/rest/v1/houses/1?depth=1")
    assert api.content("/rest/v1/cats/")[0]["house"]["address"] == "one"
    assert api.get("/rest/v1/cats/")["matches"] == {"total": 4, "returned": 2}
    assert api.get("/rest/v1/cats/?limit=99")["matches"] == {"total": 4, "returned": 3}
    assert api.error("GET", "/rest/v1/nothing", 404)
    assert api.client.get("/api/cats/").mimetype == "text/html"


def test_no_default_limit_shows_all(make_api: Any) -> None:
    from api_tools import SAMPLE

    api = make_api(SAMPLE.replace("add_all_models=True", "add_all_models=True, default_limit=None"))
    for number in range(30):
        api.post("/api/cats/", {"name": str(number)})
    assert api.get("/api/cats/")["matches"] == {"total": 30, "returned": 30}
    assert api.get("/api/cats/?offset=29")["matches"] == {"total": 30, "returned": 1}


# -- paging, sorting, filters ------------------------------------------------------------------------------------


@pytest.fixture
def many(make_api: Any) -> Any:
    api = make_api()
    api.post("/api/houses/", {"address": "one"})
    for number in range(25):
        api.post("/api/cats/", {"name": f"c{number:02}", "house": {"id": 1} if number % 2 else None})
    return api


def names(entities: list[dict[str, Any]]) -> str:
    return " ".join(entity["name"].removeprefix("c") for entity in entities)


@pytest.mark.parametrize(
    ("query", "expected", "total"),
    [
        ("limit=3", "00 01 02", 25),
        ("limit=3&offset=23", "23 24", 25),
        ("offset=99", "", 25),
        ("limit=0", "", 25),
        ("limit=2&sort=-name", "24 23", 25),
        ("limit=2&sort=name", "00 01", 25),
        ("limit=2&sort=house_id&house_id=1", "01 03", 12),
        ("name=c07", "07", 1),
        ("name=c07&house_id=1", "07", 1),
        ("name=c08&house_id=1", "", 0),
        ("name=nobody", "", 0),
        ("limit=99999999999999999999999999&offset=24", "24", 25),
    ],
)
def test_paging_sorting_and_filters(many: Any, query: str, expected: str, total: int) -> None:
    answer = many.get(f"/api/cats/?{query}")
    assert names(answer["content"]) == expected
    assert answer["matches"] == {"total": total, "returned": len(expected.split())}


def test_twenty_is_the_default_limit(many: Any) -> None:
    assert many.get("/api/cats/")["matches"] == {"total": 25, "returned": 20}


def test_relations_are_paged_sorted_and_filtered_too(many: Any) -> None:
    answer = many.get("/api/houses/1/cats/?limit=2&offset=1&sort=-name")
    assert names(answer["content"]) == "21 19"
    assert answer["matches"] == {"total": 12, "returned": 2}
    assert many.get("/api/houses/1/cats/?name=c01")["matches"]["total"] == 1
    assert many.get("/api/houses/1/cats/?name=c00")["matches"]["total"] == 0


# -- writing -----------------------------------------------------------------------------------------------------


def test_post_creates_and_tells_where(api: Any) -> None:
    response = api.send("POST", "/api/houses/", {"address": "three"})
    assert response.status_code == 201
    assert response.get_json() == {"id": 3, "address": "three", "cats": []}
    assert response.location == "/api/houses/3"
    assert api.get("/api/houses/3")["address"] == "three"


def test_post_takes_relations(api: Any) -> None:
    house = api.post("/api/houses/?depth=0", {"cats": [{"name": "Tom", "colour": "ignored"}, {"name": "Tom"}]})
    assert house["cats"] == [{"name": "Tom"}]
    assert api.get("/api/cats/Tom")["house_id"] == 3


def test_post_with_a_column_and_null_for_its_relation_keeps_the_column(api: Any) -> None:
    assert api.post("/api/cats/", {"name": "Kit", "house_id": 2, "house": None})["house"]["id"] == 2


def test_put_changes_what_is_named(api: Any) -> None:
    assert api.put("/api/houses/1?depth=0", {"address": "new"}) == {
        "id": 1, "address": "new", "cats": [{"name": "Tim"}, {"name": "Tom"}],
    }  # fmt: skip
    assert api.put("/api/houses/1", {"address": None})["address"] is None
    assert api.put("/api/houses/1?depth=0", {})["cats"] == [{"name": "Tim"}, {"name": "Tom"}]


def test_put_of_a_column_shows_in_the_relation(api: Any) -> None:
    assert api.put("/api/cats/Tom?depth=0", {"house_id": 2}) == {"name": "Tom", "house_id": 2, "house": {"id": 2}}


def test_put_of_a_relation_shows_in_the_column(api: Any) -> None:
    assert api.put("/api/cats/Tom?depth=0", {"house": {"id": 2}})["house_id"] == 2
    assert api.put("/api/cats/Tom?depth=0", {"house": None}) == {"name": "Tom", "house_id": None, "house": None}
    assert api.put("/api/houses/2?depth=0", {"cats": [{"name": "Tom"}]})["cats"] == [{"name": "Tom"}]
    assert api.put("/api/houses/2?depth=0", {"cats": []})["cats"] == []


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("url", ["/api/houses/1", "/api/cats/Tom"])
def test_an_answer_can_be_put_back_unchanged(api: Any, url: str, depth: int) -> None:
    shown = api.get(f"{url}?depth={depth}")
    assert api.put(f"{url}?depth={depth}", shown) == shown
    assert api.get(f"{url}?depth={depth}") == shown


def test_delete_removes(api: Any) -> None:
    response = api.send("DELETE", "/api/houses/1")
    assert (response.status_code, response.data) == (204, b"")
    assert api.error("GET", "/api/houses/1", 404)
    assert api.get("/api/cats/Tom")["house"] is None


def test_put_of_an_object_changes_every_member(api: Any) -> None:
    answer = api.put("/api/houses/1/cats/?limit=1", {"house": {"id": 2}})
    assert answer == {"content": [], "matches": {"total": 0, "returned": 0}}
    assert [cat["house_id"] for cat in api.content("/api/cats/")] == [2, 2]


def test_put_of_a_list_makes_these_the_members(api: Any) -> None:
    api.post("/api/cats/", {"name": "Kit", "house": {"id": 2}})
    answer = api.put("/api/houses/1/cats/", [{"name": "Tom"}, {"name": "Kit", "further": 1}, {"name": "Kit"}])
    assert names(answer["content"]) == "Kit Tom"
    assert answer["matches"] == {"total": 2, "returned": 2}
    assert api.get("/api/cats/Tim")["house"] is None
    assert api.put("/api/houses/1/cats/", [])["content"] == []


def test_the_answer_to_put_is_paged(api: Any) -> None:
    answer = api.put("/api/houses/1/cats/?limit=1&sort=-name", {})
    assert (names(answer["content"]), answer["matches"]["total"]) == ("Tom", 2)


# -- options -----------------------------------------------------------------------------------------------------


def make_options(make_api: Any, manager: str, *calls: str) -> Any:
    from api_tools import SAMPLE

    text = SAMPLE.replace("APIManager(add_all_models=True)", f"APIManager({manager})")
    return make_api(text + "".join(f"\n    {call}" for call in calls))


def rules(api: Any) -> set[str]:
    return {
        f"{method} {rule.rule.removeprefix('/api/')}"
        for rule in api.app.url_map.iter_rules() if rule.rule.startswith("/api")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }  # fmt: skip


def test_no_model_is_added_by_itself(make_api: Any) -> None:
    api = make_options(make_api, "", "api_manager.add_model(Cat)")
    assert rules(api) == {"GET cats/", "POST cats/", "GET cats/<key1>", "PUT cats/<key1>", "DELETE cats/<key1>"}


def test_methods_of_all_and_of_one_model(make_api: Any) -> None:
    api = make_options(
        make_api, "add_all_models=True, methods=['get']", "api_manager.add_model(Cat, methods=['GET', 'PUT'])"
    )
    assert rules(api) == {
        "GET houses/", "GET houses/<key1>", "GET houses/<key1>/cats/", "GET houses/<key1>/cats/<position>",
        "GET cats/", "GET cats/<key1>", "PUT cats/<key1>",
    }  # fmt: skip
    assert "GET" in api.send("POST", "/api/houses/", {}).headers["Allow"]
    assert api.error("POST", "/api/houses/", 405, {})


@pytest.mark.parametrize(
    ("options", "has"),
    [("relationships=False", False), ("relationships=[]", False), ("relationships=['cats']", True),
     ("relationships='cats'", True), ("relationships=True", True)],
)  # fmt: skip
def test_relationships(make_api: Any, options: str, has: bool) -> None:
    api = make_options(make_api, "", f"api_manager.add_model(House, {options})")
    assert ("GET houses/<key1>/cats/" in rules(api)) is has


def test_put_many_may_be_switched_off(make_api: Any) -> None:
    api = make_options(make_api, "add_all_models=True, allow_put_many=False")
    assert "PUT houses/<key1>/cats/" not in rules(api)
    assert "GET houses/<key1>/cats/" in rules(api)


def test_put_many_of_one_model(make_api: Any) -> None:
    api = make_options(
        make_api, "add_all_models=True, allow_put_many=False", "api_manager.add_model(House, allow_put_many=True)"
    )
    assert "PUT houses/<key1>/cats/" in rules(api)


def test_post_without_a_place_to_look_at_has_no_location(make_api: Any) -> None:
    api = make_options(make_api, "add_all_models=True, methods=['POST']")
    response = api.send("POST", "/api/houses/", {})
    assert response.status_code == 201
    assert "Location" not in response.headers


@pytest.mark.parametrize(
    ("manager", "call", "error", "part"),
    [
        ("unknown=1", "", TypeError, "unknown"),
        ("methods=['PATCH']", "", ValueError, "PATCH"),
        ("", "api_manager.add_model(int)", TypeError, "int"),
        ("", "api_manager.add_model('Cat')", TypeError, "Cat"),
        ("", "api_manager.add_model(Cat, methods='BREW')", ValueError, "BREW"),
        ("", "api_manager.add_model(House, relationships=['dogs'])", ValueError, "dogs"),
        ("", "api_manager.add_model(House, unknown=1)", TypeError, "unknown"),
    ],
)
def test_bad_options(make_api: Any, manager: str, call: str, error: type[Exception], part: str) -> None:
    with pytest.raises(error, match=part):
        make_options(make_api, manager, call)


def test_models_may_follow_in_other_modules(make_api: Any) -> None:
    api = make_api(
        "from flasker import current_project\nfrom flasker.ext.api import APIManager\n"
        "current_project.register_manager(APIManager(add_all_models=True))",
        conf="[PROJECT]\nNAME = x\nMODULES = models, more\nDB_URL = sqlite://\n",
        more="""
            from flasker.util import Model
            from sqlalchemy import Column, Integer
            class Late(Model):
                id = Column(Integer, primary_key=True)
        """,
    )
    assert api.get("/api/lates/")["matches"]["total"] == 0


def test_two_managers_side_by_side(make_api: Any) -> None:
    from api_tools import SAMPLE

    api = make_api(
        SAMPLE + "\n    current_project.register_manager(APIManager(add_all_models=True, url_prefix='/api/v2'))"
    )
    response = api.send("POST", "/api/v2/houses/", {})
    assert response.location == "/api/v2/houses/1"
    assert api.get("/api/houses/1")["id"] == 1
    assert api.error("GET", "/api/v2/nothing", 404)
