"""The API over models of all kinds."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from api_tools import MEMORY

HEAD = """
    import enum
    from datetime import timedelta
    from flasker import current_project
    from flasker.ext.api import APIManager
    from flasker.util import Jsonifiable, Model, cached_property
    from sqlalchemy import (ARRAY, JSON, BigInteger, Boolean, Column, Computed, Date, DateTime, Enum, Float,
        ForeignKey, Integer, Interval, LargeBinary, Numeric, PickleType, SmallInteger, String, Table, Text, Time,
        Unicode, Uuid, func, select)
    from sqlalchemy.ext.hybrid import hybrid_property
    from sqlalchemy.ext.orderinglist import ordering_list
    from sqlalchemy.orm import column_property, deferred, relationship
    from sqlalchemy.orm.collections import attribute_keyed_dict
    from sqlalchemy.types import TypeDecorator

    manager = APIManager(add_all_models=True)
    current_project.register_manager(manager)
"""


@pytest.fixture
def make(make_api: Any) -> Any:
    def make_models(text: str, conf: str = MEMORY) -> Any:
        return make_api(HEAD + text, conf=conf)

    return make_models


def models() -> Any:
    return sys.modules["models"]


# -- keys --------------------------------------------------------------------------------------------------------

COMPOSITE = """
    class Visit(Model):
        key1 = Column(Integer, primary_key=True, autoincrement=False)
        key2 = Column(Date, primary_key=True)
        note = Column(String)
        remarks = relationship('Remark', back_populates='visit', order_by='Remark.id.desc()',
            primaryjoin='and_(foreign(Remark.first) == Visit.key1, foreign(Remark.second) == Visit.key2)')

    class Remark(Model):
        id = Column(Integer, primary_key=True)
        first = Column(Integer)
        second = Column(Date)
        visit = relationship('Visit', back_populates='remarks',
            primaryjoin='and_(foreign(Remark.first) == Visit.key1, foreign(Remark.second) == Visit.key2)')
"""


def test_composite_keys(make: Any) -> None:
    api = make(COMPOSITE)
    response = api.send("POST", "/api/visits/", {"key1": 1, "key2": "2020-01-02", "note": "x"})
    assert response.location == "/api/visits/1/2020-01-02"
    key = {"key1": 1, "key2": "2020-01-02"}
    for _ in range(2):
        api.post("/api/remarks/", {"visit": key})
    assert api.get("/api/remarks/1?depth=0") == {"id": 1, "first": 1, "second": "2020-01-02", "visit": key}
    assert api.get("/api/visits/1/2020-01-02?depth=0") == {**key, "note": "x", "remarks": [{"id": 2}, {"id": 1}]}
    assert [remark["id"] for remark in api.content("/api/visits/1/2020-01-02/remarks/")] == [2, 1]
    assert api.get("/api/visits/1/2020-01-02/remarks/1")["id"] == 2
    assert api.put("/api/visits/1/2020-01-02", {"note": "y", **key})["note"] == "y"
    assert api.error("PUT", "/api/visits/1/2020-01-02", 400, {"key2": "2020-01-03"})
    assert api.error("GET", "/api/visits/1", 404)
    assert api.error("GET", "/api/visits/2020-01-02/1", 404)
    assert api.error("POST", "/api/remarks/", 400, {"visit": {"key1": 1}})
    assert api.send("DELETE", "/api/visits/1/2020-01-02").status_code == 204


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("Boolean", True, "true"),
        ("DateTime", "2020-01-02T03:04:05", "2020-01-02T03:04:05"),
        ("Uuid", "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"),
        ("Enum('a b', 'c', name='k')", "a b", "a%20b"),
        ("Unicode", "ü/é", None),
        ("BigInteger", 2**62, str(2**62)),
    ],
)
def test_keys_of_other_types(make: Any, column: str, value: Any, text: str | None) -> None:
    api = make(f"""
    class Thing(Model):
        key = Column({column}, primary_key=True, autoincrement=False)
    """)
    response = api.send("POST", "/api/things/", {"key": value})
    assert response.get_json() == {"key": value}
    assert api.content("/api/things/") == [{"key": value}]
    if text is not None:
        assert response.location == f"/api/things/{text}"
        assert api.get(response.location) == {"key": value}


# -- columns -----------------------------------------------------------------------------------------------------

TYPES = """
    class Colour(enum.Enum):
        RED = 1
        BLUE = 2

    class Level(enum.Enum):
        LOW = 'low'
        HIGH = 'high'

    class Points(TypeDecorator):
        impl = String
        cache_ok = True
        def process_bind_param(self, value, dialect):
            return None if value is None else ','.join(str(int(number)) for number in value)
        def process_result_value(self, value, dialect):
            return None if value is None else [int(number) for number in value.split(',')]

    class Thing(Model):
        id = Column(Integer, primary_key=True)
        small = Column(SmallInteger)
        big = Column(BigInteger)
        flag = Column(Boolean)
        real = Column(Float)
        price = Column(Numeric(10, 2))
        text = Column(Text)
        day = Column(Date)
        moment = Column(DateTime)
        aware = Column(DateTime(timezone=True))
        clock = Column(Time)
        span = Column(Interval)
        blob = Column(LargeBinary)
        colour = Column(Enum(Colour))
        level = Column(Enum(Level, values_callable=lambda kind: [member.value for member in kind], name='level'))
        word = Column(Enum('one', 'two', name='word'))
        ident = Column(Uuid)
        data = Column(JSON)
        points = Column(Points)
"""
VALUES = {
    "small": -(2**15), "big": 2**63 - 1, "flag": False, "real": 1.5, "price": 1.1, "text": "ü\n", "day": "2020-02-29",
    "moment": "2020-01-02T03:04:05.000006", "clock": "23:59:59", "span": 90.5, "blob": "AP8=", "colour": "BLUE",
    "level": "high", "word": "two", "ident": "00000000-0000-0000-0000-0000000000ff", "data": {"a": [1, None, "x"]},
    "points": [1, 2],
}  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def things(request: pytest.FixtureRequest, make: Any) -> Any:
    url = "sqlite://" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    return make(TYPES, conf=MEMORY.replace("sqlite://", url))


def test_values_of_all_types_go_in_and_come_out(things: Any) -> None:
    created = things.post("/api/things/", VALUES)
    assert {name: created[name] for name in VALUES} == VALUES
    assert things.get("/api/things/1") == created
    assert things.put("/api/things/1", created) == created
    empty = things.post("/api/things/", {})
    assert {empty[name] for name in VALUES} == {None}


@pytest.mark.parametrize(
    "name", ["small", "big", "price", "text", "day", "moment", "clock", "colour", "level", "word"]
)
def test_filters_and_sorting_by_all_types(things: Any, name: str) -> None:
    things.post("/api/things/", VALUES)
    things.post("/api/things/", {})
    query = {name: VALUES[name], "sort": f"-{name}"}
    from urllib.parse import urlencode

    assert [thing["id"] for thing in things.content(f"/api/things/?{urlencode(query)}")] == [1]


@pytest.mark.parametrize(("value", "ids"), [("true", []), ("false", [1])])
def test_filters_by_truth(things: Any, value: str, ids: list[int]) -> None:
    things.post("/api/things/", VALUES)
    assert [thing["id"] for thing in things.content(f"/api/things/?flag={value}")] == ids
    assert things.error("GET", "/api/things/?flag=1", 400)


def test_times_with_a_zone(things: Any) -> None:
    moment = "2020-01-02T03:04:05+02:00"
    created = things.post("/api/things/", {"moment": moment, "aware": moment})
    assert created["moment"] == "2020-01-02T01:04:05"
    assert created["aware"][:10] == "2020-01-02"
    assert things.put("/api/things/1", {"moment": "2020-01-02T03:04:05Z"})["moment"] == "2020-01-02T03:04:05"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("small", 2**15), ("big", 2**63), ("flag", 1), ("flag", "true"), ("real", "1"), ("real", True),
        ("real", 10**400), ("price", "1.1"), ("text", 1), ("day", "2020-02-30"),
        ("day", "2020-01-01T00:00:00"), ("day", 20200101),
        ("moment", "yesterday"), ("moment", "0001-01-01T00:00:00+05:00"), ("moment", 0), ("clock", "25:00"),
        ("span", "1 day"), ("span", 1e300), ("blob", "no base64"), ("blob", [1]), ("colour", "GREEN"), ("colour", 1),
        ("level", "HIGH"), ("word", "three"), ("ident", "1234"), ("ident", 5),
    ],
)  # fmt: skip
def test_values_of_a_wrong_type(make: Any, name: str, value: object) -> None:
    api = make(TYPES)
    assert name in api.error("POST", "/api/things/", 400, {name: value})


def test_what_only_the_database_finds_wrong_is_told(make: Any, postgresql: str) -> None:
    api = make(TYPES, conf=MEMORY.replace("sqlite://", postgresql))
    assert api.error("POST", "/api/things/", 400, {"price": 10**12})


def test_a_type_of_ones_own_that_refuses_a_value(things: Any) -> None:
    assert things.error("POST", "/api/things/", 400, {"points": "x"})
    assert things.error("POST", "/api/things/", 400, {"points": 5})


def test_what_cannot_be_compared_is_no_filter(things: Any) -> None:
    assert "data" in things.error("GET", "/api/things/?data=1", 400)
    assert "data" in things.error("GET", "/api/things/?sort=data", 400)


def test_arrays_of_postgresql(make: Any, postgresql: str) -> None:
    api = make(
        """
    class Row(Model):
        id = Column(Integer, primary_key=True)
        days = Column(ARRAY(Date))
    """,
        conf=MEMORY.replace("sqlite://", postgresql),
    )
    assert api.post("/api/rows/", {"days": ["2020-01-02", None]})["days"] == ["2020-01-02", None]
    assert api.error("POST", "/api/rows/", 400, {"days": ["x"]})
    assert api.error("POST", "/api/rows/", 400, {"days": "2020-01-02"})


def test_attributes_have_the_names_of_the_class(make: Any) -> None:
    api = make("""
    class Thing(Model):
        ident = Column('id', Integer, primary_key=True)
        title = Column('name', String)
        other_ident = Column('other_id', ForeignKey('things.id'))
        other = relationship('Thing', remote_side=ident)
    """)
    api.post("/api/things/", {"title": "x"})
    api.post("/api/things/", {"other": {"ident": 1}})
    assert api.get("/api/things/2?depth=0") == {"ident": 2, "title": None, "other_ident": 1, "other": {"ident": 1}}
    assert [thing["ident"] for thing in api.content("/api/things/?title=x")] == [1]
    assert api.error("GET", "/api/things/?name=x", 400)


def test_deferred_computed_and_expressed_columns(make: Any) -> None:
    api = make("""
    class Thing(Model):
        id = Column(Integer, primary_key=True)
        number = Column(Integer)
        long = deferred(Column(Text))
        double = Column(Integer, Computed('number * 2'))
        triple = column_property(number * 3)

        @property
        def code(self):
            return self.long
    """)
    created = api.post("/api/things/", {"number": 2, "long": "x", "double": 17, "triple": 17})
    assert created == {"id": 1, "number": 2, "long": "x", "double": 4, "triple": 6, "code": "x"}
    assert api.put("/api/things/1", created | {"number": 3})["triple"] == 9
    assert api.content("/api/things/?triple=9") == [created | {"number": 3, "double": 6, "triple": 9}]


# -- properties --------------------------------------------------------------------------------------------------

PROPERTIES = """
    class Part(Jsonifiable):
        def __init__(self, thing):
            self.name = thing.name

    class Thing(Model):
        id = Column(Integer, primary_key=True)
        name = Column(String)
        secret = Column(String)
        _hidden = Column(String)
        json_exclude = ['secret', 'quiet']
        json_include = ['method_name']
        method_name = 'plain'

        @property
        def upper(self):
            return self.name.upper()

        @property
        def part(self):
            return Part(self)

        @property
        def quiet(self):
            raise AssertionError('nobody asks')

        @hybrid_property
        def length(self):
            return len(self.name)

        @length.inplace.expression
        @classmethod
        def _length(cls):
            return func.length(cls.name)

        @hybrid_property
        def label(self):
            return self.name

        @label.setter
        def label(self, value):
            self.name = value

        @cached_property
        def first(self):
            return self.name[0]

        def method(self):
            return 1
"""


def test_properties_are_shown_and_what_is_hidden_is_not(make: Any) -> None:
    api = make(PROPERTIES)
    assert api.post("/api/things/", {"name": "abc"}) == {
        "id": 1, "name": "abc", "upper": "ABC", "part": {}, "length": 3, "label": "abc", "first": "a",
        "method_name": "plain",
    }  # fmt: skip


def test_a_cached_property_is_stored_by_being_shown(make: Any) -> None:
    api = make(PROPERTIES)
    api.post("/api/things/", {"name": "abc"})
    api.put("/api/things/1", {"name": "xyz"})
    assert api.get("/api/things/1")["first"] == "a"
    api.session.remove()
    assert models().Thing.query.one()._cache["first"][0] == "a"


def test_properties_can_be_set_if_they_can_be_set(make: Any) -> None:
    api = make(PROPERTIES)
    shown = api.post("/api/things/", {"label": "abc", "upper": 17, "first": 17, "method_name": 17})
    assert (shown["name"], shown["first"]) == ("abc", "a")
    assert api.put("/api/things/1", shown) == shown
    assert api.put("/api/things/1", {"label": "new", "length": 5})["name"] == "new"


@pytest.mark.parametrize("name", ["secret", "_hidden", "quiet", "method", "_cache"])
def test_what_is_hidden_can_be_neither_set_nor_searched(make: Any, name: str) -> None:
    api = make(PROPERTIES)
    assert repr(name) in api.error("POST", "/api/things/", 400, {name: "x"})
    assert repr(name) in api.error("GET", f"/api/things/?{name}=x", 400)
    assert repr(name) in api.error("GET", f"/api/things/?sort={name}", 400)


# -- relations ---------------------------------------------------------------------------------------------------


def test_many_to_many(make: Any) -> None:
    api = make("""
    links = Table('links', Model.metadata, Column('post_id', ForeignKey('posts.id')),
        Column('tag', ForeignKey('tags.name')))

    class Post(Model):
        id = Column(Integer, primary_key=True)
        tags = relationship('Tag', secondary=links, back_populates='posts')

    class Tag(Model):
        name = Column(String, primary_key=True)
        posts = relationship('Post', secondary=links, back_populates='tags')
    """)
    for name in "cab":
        api.post("/api/tags/", {"name": name})
    api.post("/api/posts/", {"tags": [{"name": "c"}, {"name": "a"}]})
    api.post("/api/posts/", {"tags": [{"name": "a"}, {"name": "b"}]})
    assert api.get("/api/posts/1?depth=0")["tags"] == [{"name": "a"}, {"name": "c"}]
    assert api.get("/api/posts/1")["tags"][0] == {"name": "a", "posts": [{"id": 1}, {"id": 2}]}
    assert [tag["name"] for tag in api.content("/api/posts/2/tags/?sort=-name")] == ["b", "a"]
    assert api.get("/api/tags/a/posts/2")["id"] == 2
    assert [tag["name"] for tag in api.put("/api/posts/2/tags/", [{"name": "c"}])["content"]] == ["c"]
    assert api.get("/api/tags/?depth=1")["content"][2]["posts"][1] == {"id": 2, "tags": [{"name": "c"}]}


def test_a_relation_to_itself(make: Any) -> None:
    api = make("""
    class Node(Model):
        id = Column(Integer, primary_key=True)
        parent_id = Column(ForeignKey('nodes.id'))
        parent = relationship('Node', remote_side=id, back_populates='children')
        children = relationship('Node', back_populates='parent', order_by='Node.id.desc()')
    """)
    api.post("/api/nodes/", {})
    for parent in (1, 1, 2):
        api.post("/api/nodes/", {"parent": {"id": parent}})
    assert api.get("/api/nodes/1?depth=0")["children"] == [{"id": 3}, {"id": 2}]
    tree = api.get("/api/nodes/1?depth=2")
    assert [child["id"] for child in tree["children"]] == [3, 2]
    assert tree["children"][1]["children"] == [{"id": 4, "parent_id": 2, "parent": {"id": 2}, "children": []}]
    assert api.get("/api/nodes/1/children/1")["id"] == 3
    assert api.get("/api/nodes/2?depth=1")["parent"]["children"] == [{"id": 3}, {"id": 2}]


def test_one_to_one_and_joins_of_their_own(make: Any) -> None:
    api = make("""
    class Person(Model):
        id = Column(Integer, primary_key=True)
        passport = relationship('Passport', back_populates='person', uselist=False)
        valid = relationship('Passport', primaryjoin='and_(Person.id == Passport.person_id, Passport.good)',
            viewonly=True, uselist=False)
        all_valid = relationship('Passport', primaryjoin='and_(Person.id == Passport.person_id, Passport.good)',
            viewonly=True)

    class Passport(Model):
        id = Column(Integer, primary_key=True)
        good = Column(Boolean)
        person_id = Column(ForeignKey('persons.id'))
        person = relationship('Person', back_populates='passport')
        holder = relationship('Person', viewonly=True,
            primaryjoin='and_(Person.id == Passport.person_id, Passport.good)')
    """)
    api.post("/api/persons/", {})
    api.post("/api/passports/", {"person": {"id": 1}, "good": False})
    shown = {"id": 1, "passport": {"id": 1}, "valid": None, "all_valid": []}
    assert api.get("/api/persons/1?depth=0") == shown
    assert api.put("/api/persons/1?depth=0", {**shown, "valid": {"id": 1}}) == shown
    assert api.get("/api/passports/1?depth=0")["holder"] is None
    api.put("/api/passports/1", {"good": True})
    assert api.get("/api/persons/1?depth=0")["valid"] == {"id": 1}
    assert api.get("/api/passports/1")["holder"]["id"] == 1
    assert api.put("/api/persons/1?depth=0", {"passport": None})["passport"] is None
    assert api.error("PUT", "/api/persons/1/all_valid/", 405, [])
    assert api.content("/api/persons/1/all_valid/") == []


def test_collections_of_other_kinds(make: Any) -> None:
    api = make("""
    class House(Model):
        id = Column(Integer, primary_key=True)
        dogs = relationship('Dog', collection_class=set)
        birds = relationship('Bird', collection_class=attribute_keyed_dict('name'))
        steps = relationship('Step', collection_class=ordering_list('place'), order_by='Step.place')

    class Dog(Model):
        id = Column(Integer, primary_key=True)
        house_id = Column(ForeignKey('houses.id'))

    class Bird(Model):
        name = Column(String, primary_key=True)
        house_id = Column(ForeignKey('houses.id'))

    class Step(Model):
        id = Column(Integer, primary_key=True)
        place = Column(Integer)
        house_id = Column(ForeignKey('houses.id'))
    """)
    for number in range(1, 4):
        api.post("/api/dogs/", {})
        api.post("/api/birds/", {"name": f"b{number}"})
        api.post("/api/steps/", {})
    body = {
        "dogs": [{"id": 3}, {"id": 1}], "birds": [{"name": "b2"}, {"name": "b1"}],
        "steps": [{"id": 3}, {"id": 1}, {"id": 2}],
    }  # fmt: skip
    shown = api.post("/api/houses/?depth=0", body)
    assert shown["dogs"] == [{"id": 1}, {"id": 3}]
    assert shown["birds"] == [{"name": "b1"}, {"name": "b2"}]
    assert shown["steps"] == [{"id": 3}, {"id": 1}, {"id": 2}]
    assert api.put("/api/houses/1?depth=0", shown) == shown
    changed = api.put("/api/houses/1?depth=0", {"dogs": [{"id": 2}], "birds": [{"name": "b3"}, {"name": "b2"}]})
    assert (changed["dogs"], changed["birds"]) == ([{"id": 2}], [{"name": "b2"}, {"name": "b3"}])
    assert [step["id"] for step in api.put("/api/houses/1/steps/", [{"id": 1}, {"id": 3}])["content"]] == [1, 3]
    assert api.get("/api/houses/1/steps/2")["place"] == 1


@pytest.mark.parametrize("lazy", ["dynamic", "write_only"])
def test_relations_that_are_loaded_in_parts(make: Any, lazy: str) -> None:
    api = make(f"""
    class House(Model):
        id = Column(Integer, primary_key=True)
        cats = relationship('Cat', lazy={lazy!r}, order_by='Cat.id.desc()')

    class Cat(Model):
        id = Column(Integer, primary_key=True)
        house_id = Column(ForeignKey('houses.id'))
    """)
    for _ in range(3):
        api.post("/api/cats/", {})
    assert api.post("/api/houses/", {}) == {"id": 1}
    assert "'cats'" in api.error("PUT", "/api/houses/1", 400, {"cats": []})
    answer = api.put("/api/houses/1/cats/", [{"id": 1}, {"id": 3}])
    assert [cat["id"] for cat in answer["content"]] == [3, 1]
    assert [cat["id"] for cat in api.put("/api/houses/1/cats/", [{"id": 2}, {"id": 3}])["content"]] == [3, 2]
    assert api.get("/api/houses/1/cats/?limit=1")["matches"] == {"total": 2, "returned": 1}
    assert api.get("/api/houses/1/cats/2")["id"] == 2


def test_a_dynamic_relation_that_is_included(make: Any) -> None:
    api = make("""
    class House(Model):
        id = Column(Integer, primary_key=True)
        cats = relationship('Cat', lazy='dynamic')
        json_include = ['cats']

    class Cat(Model):
        id = Column(Integer, primary_key=True)
        house_id = Column(ForeignKey('houses.id'))
    """)
    api.post("/api/cats/", {})
    assert api.post("/api/houses/", {"cats": [{"id": 1}]})["cats"] == [{"id": 1, "house_id": 1}]


def test_excluded_relations_have_no_endpoint(make: Any) -> None:
    api = make("""
    class House(Model):
        id = Column(Integer, primary_key=True)
        cats = relationship('Cat')
        json_exclude = ['cats']

    class Cat(Model):
        id = Column(Integer, primary_key=True)
        house_id = Column(ForeignKey('houses.id'))
    """)
    assert api.post("/api/houses/", {}) == {"id": 1}
    assert api.error("GET", "/api/houses/1/cats/", 404)


# -- inheritance -------------------------------------------------------------------------------------------------

ANIMALS = """
    class Farm(Model):
        id = Column(Integer, primary_key=True)
        animals = relationship('Animal', back_populates='farm')

    class Animal(Model):
        id = Column(Integer, primary_key=True)
        kind = Column(String)
        farm_id = Column(ForeignKey('farms.id'))
        farm = relationship('Farm', back_populates='animals')
        __mapper_args__ = {'polymorphic_on': 'kind', 'polymorphic_identity': 'animal'}

    class Dog(Animal):
        tricks = Column(Integer)
        __mapper_args__ = {'polymorphic_identity': 'dog'}

    class Bird(Animal):
        id = Column(ForeignKey('animals.id'), primary_key=True)
        wings = Column(Integer)
        feathers = relationship('Feather')
        __mapper_args__ = {'polymorphic_identity': 'bird'}

    class Feather(Model):
        id = Column(Integer, primary_key=True)
        bird_id = Column(ForeignKey('birds.id'))
"""


def test_entities_of_subclasses_are_shown_as_what_they_are(make: Any) -> None:
    api = make(ANIMALS)
    api.post("/api/farms/", {})
    api.post("/api/animals/", {"farm_id": 1})
    api.post("/api/dogs/", {"tricks": 3, "farm": {"id": 1}})
    api.post("/api/birds/", {"wings": 2, "farm": {"id": 1}})
    api.post("/api/feathers/", {"bird_id": 3})
    animals = api.content("/api/animals/")
    assert [sorted(animal) for animal in animals] == [
        ["farm", "farm_id", "id", "kind"], ["farm", "farm_id", "id", "kind", "tricks"],
        ["farm", "farm_id", "feathers", "id", "kind", "wings"],
    ]  # fmt: skip
    assert api.content("/api/dogs/") == [animals[1]]
    assert api.content("/api/birds/") == [animals[2]]
    assert animals[2]["feathers"] == [{"id": 1}]
    assert api.error("GET", "/api/dogs/3", 404)
    assert api.get("/api/birds/3/feathers/1")["id"] == 1
    farm = api.get("/api/farms/1?depth=2")
    assert farm["animals"][2]["feathers"] == [{"id": 1, "bird_id": 3}]
    assert farm["animals"][1] == {"id": 2, "kind": "dog", "farm_id": 1, "tricks": 3, "farm": {"id": 1}}


def test_two_models_with_one_name_are_an_error(make: Any) -> None:
    with pytest.raises(ValueError, match="below /api/things/"):
        make("""
    class Thing(Model):
        id = Column(Integer, primary_key=True)

    class Other(Model):
        __tablename__ = 'things'
        __table_args__ = {'schema': 'elsewhere'}
        id = Column(Integer, primary_key=True)
    """)
