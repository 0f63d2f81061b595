"""The number of SQL statements of a request does not grow with the number of entities."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from api_tools import MEMORY

MODELS = """
    from flasker import current_project
    from flasker.ext.api import APIManager
    from flasker.util import Model, cached_property
    from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text
    from sqlalchemy.orm import deferred, relationship

    current_project.register_manager(APIManager(add_all_models=True, default_limit=None))
    links = Table('links', Model.metadata, Column('cat_id', ForeignKey('cats.id')),
        Column('toy_id', ForeignKey('toys.id')))

    class Street(Model):
        id = Column(Integer, primary_key=True)
        name = Column(String)
        houses = relationship('House', back_populates='street')

    class House(Model):
        id = Column(Integer, primary_key=True)
        street_id = Column(ForeignKey('streets.id'))
        street = relationship('Street', back_populates='houses')
        cats = relationship('Cat', back_populates='house')
        plan = deferred(Column(Text))

    class Cat(Model):
        id = Column(Integer, primary_key=True)
        house_id = Column(ForeignKey('houses.id'))
        house = relationship('House', back_populates='cats')
        toys = relationship('Toy', secondary=links, back_populates='cats')

    class Toy(Model):
        id = Column(Integer, primary_key=True)
        cats = relationship('Cat', secondary=links, back_populates='toys')

    def fill(number):
        with current_project.app.app_context():
            session = current_project.db.session
            toys = [Toy() for _ in range(3)]
            for place in range(number):
                house = House(street=Street(name=f's{place}'), plan='x')
                house.cats = [Cat(toys=toys), Cat(toys=toys[:1])]
                session.add(house)
            session.commit()
"""
#: As MODELS, with properties that look at relations of relations, and relations that come with their owners.
LAZY = (
    MODELS.replace(
        "plan = deferred(Column(Text))",
        """plan = deferred(Column(Text))

        @property
        def where(self):
            return self.street.name

        @property
        def toys(self):
            return sum(len(cat.toys) for cat in self.cats)

        @cached_property
        def size(self):
            return len(self.cats)""",
    )
    .replace("'Cat', back_populates='house'", "'Cat', back_populates='house', lazy='joined'")
    .replace("relationship('Toy', secondary=links,", "relationship('Toy', secondary=links, lazy='selectin',")
)
URLS = [
    f"/api/{path}?depth={depth}"
    for path in ("houses/", "cats/", "toys/", "streets/", "toys/1/cats/", "toys/1/cats/1", "toys/1")
    for depth in (0, 1, 2, 3)
]


@pytest.mark.parametrize("text", [MODELS, LAZY], ids=["columns", "properties"])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_as_many_statements_for_one_as_for_hundreds(
    make_api: Any, request: pytest.FixtureRequest, text: str, kind: str
) -> None:
    url = "sqlite://" if kind == "sqlite" else request.getfixturevalue("postgresql")
    api = make_api(text, conf=MEMORY.replace("sqlite://", url))
    counts: list[dict[str, int]] = []
    for number in (1, 9, 190):
        sys.modules["models"].fill(number)
        counts.append({})
        for path in URLS:
            if text is LAZY:
                # What a cached property adds when it is computed first is one statement for all.
                api.get(path)
            api.get(path)
            counts[-1][path] = len(api.statements)
    assert counts[0] == counts[1] == counts[2]
    assert api.get("/api/houses/")["matches"]["returned"] == 200


def test_a_collection_takes_one_statement_for_itself_one_to_count_and_one_for_each_relation(make_api: Any) -> None:
    api = make_api(MODELS)
    sys.modules["models"].fill(5)
    api.get("/api/houses/")
    assert len(api.statements) == 3
    api.get("/api/cats/")
    assert len(api.statements) == 3
    api.get("/api/houses/?depth=1")
    assert len(api.statements) == 6
    assert all(statement.lstrip().upper().startswith("SELECT") for statement in api.statements)


def test_cached_properties_that_are_computed_by_an_answer_are_stored_at_once(make_api: Any) -> None:
    api = make_api(LAZY)
    sys.modules["models"].fill(50)
    api.get("/api/houses/")
    assert sum(statement.startswith("UPDATE") for statement in api.statements) == 1


def test_putting_to_many_takes_no_statement_for_each_in_the_answer(make_api: Any) -> None:
    api = make_api(MODELS)
    sys.modules["models"].fill(50)
    api.put("/api/toys/1/cats/", {})
    few = len(api.statements)
    sys.modules["models"].fill(50)
    api.put("/api/toys/1/cats/", [{"id": number} for number in range(1, 201)])
    api.put("/api/toys/1/cats/", {})
    assert len(api.statements) == few


def test_more_owners_than_one_statement_can_name(make_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    api = make_api(MODELS)
    sys.modules["models"].fill(30)
    whole = [api.get(path) for path in URLS]
    monkeypatch.setattr("flasker.ext.api.links._MOST_VALUES", {"sqlite": 7})
    assert [api.get(path) for path in URLS] == whole
