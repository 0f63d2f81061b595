"""The base class of models."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flasker.util import Cacheable, Jsonifiable, Loggable, Model, jsonify
from flasker.util.model import table_name
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

MEMORY = "[PROJECT]\nNAME = Test\nMODULES = models\nDB_URL = sqlite://\n"
MODELS = """
    from flasker.util import Model, cached_property
    from sqlalchemy import Column, ForeignKey, Integer, Unicode
    from sqlalchemy.orm import Mapped, mapped_column, relationship

    class House(Model):
        id = Column(Integer, primary_key=True)
        address = Column(Unicode(128))

        @cached_property
        def size(self):
            return len(self.address)

    class HouseKeeper(Model):
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        age: int = Column(Integer)

    class Cat(Model):
        name = Column(Unicode(64), primary_key=True)
        house_id = Column(ForeignKey('houses.id'))
        house = relationship('House', backref='cats')

    class Visit(Model):
        __tablename__ = 'calls'
        first = Column(Integer, primary_key=True)
        second = Column(Integer, primary_key=True)
"""


@pytest.fixture
def models(start: Any) -> Any:
    import importlib

    start(MEMORY, models=MODELS)
    return importlib.import_module("models")


@pytest.mark.parametrize(
    ("class_name", "table"),
    [
        ("House", "houses"), ("HouseKeeper", "house_keepers"), ("Cat", "cats"), ("APIKey", "api_keys"),
        ("User2Group", "user2_groups"), ("HTTPServerName", "http_server_names"),
    ],
)  # fmt: skip
def test_table_names(class_name: str, table: str) -> None:
    assert table_name(class_name) == table


def test_tables_are_named_after_the_classes_unless_they_say_otherwise(models: Any) -> None:
    names = [cls.__table__.name for cls in (models.House, models.HouseKeeper, models.Cat, models.Visit)]
    assert names == ["houses", "house_keepers", "cats", "calls"]


def test_a_model_is_cacheable_jsonifiable_and_loggable() -> None:
    assert issubclass(Model, (Cacheable, Jsonifiable, Loggable))


def test_models_may_be_defined_and_used_without_a_project(start: Any) -> None:
    from sqlalchemy import Column, Integer

    class Lonely(Model):
        id = Column(Integer, primary_key=True)

    engine = create_engine("sqlite://")
    Model.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Lonely(id=3))
        session.commit()
        assert session.query(Lonely).one().id == 3
    engine.dispose()
    with pytest.raises(RuntimeError, match="no project"):
        Lonely.query.all()


def test_keyword_constructor_and_repr(models: Any) -> None:
    assert repr(models.Cat(name="Tom")) == "<Cat (name='Tom')>"
    assert repr(models.House()) == "<House (id=None)>"
    assert repr(models.Visit(first=1, second=2)) == "<Visit (first=1, second=2)>"
    assert str(models.Cat(name="Tom")) == "<Cat (name='Tom')>"
    with pytest.raises(TypeError, match="colour"):
        models.Cat(colour="red")


def test_repr_of_an_entity_that_is_expired_and_detached(models: Any) -> None:
    from flasker import current_project

    session = current_project.db.session
    cat = models.Cat(name="Tom")
    session.add(cat)
    session.commit()
    session.remove()
    assert repr(cat) == "<Cat (name='Tom')>"


def test_query_is_on_the_session_of_the_project(models: Any) -> None:
    from flasker import current_project

    with current_project.app.app_context():
        current_project.db.session.add(models.Cat(name="Tom"))
        assert models.Cat.query.filter_by(name="Tom").one().name == "Tom"
        assert models.Cat.query.session is current_project.db.session()


INHERITANCE = """
    from flasker.util import Model, cached_property
    from sqlalchemy import Column, ForeignKey, Integer, String

    class Base(Model):
        __abstract__ = True
        note = Column(String)

    class Animal(Base):
        id = Column(Integer, primary_key=True)
        kind = Column(String)
        __mapper_args__ = {'polymorphic_on': 'kind', 'polymorphic_identity': 'animal'}

    class Dog(Animal):
        __mapper_args__ = {'polymorphic_identity': 'dog'}

        @cached_property
        def bark(self):
            return 'wow'

    class Wolf(Animal):
        __mapper_args__ = {'polymorphic_identity': 'wolf'}

        @cached_property
        def howl(self):
            return 'oo'

    class Bird(Animal):
        id = Column(ForeignKey('animals.id'), primary_key=True)
        wings = Column(Integer)
        __mapper_args__ = {'polymorphic_identity': 'bird'}
"""


def test_inheritance_shares_a_table_or_has_its_own(start: Any) -> None:
    start(MEMORY, models=INHERITANCE)
    models = sys.modules["models"]
    assert models.Dog.__table__ is models.Animal.__table__
    assert models.Bird.__table__.name == "birds"
    assert set(models.Animal.__table__.c.keys()) == {"id", "kind", "note", "_cache"}
    assert "_cache" not in models.Bird.__table__.c
    dog = models.Dog()
    assert dog.bark == "wow"
    assert jsonify(dog)["bark"] == "wow"


# -- the cache ---------------------------------------------------------------------------------------------------


def test_the_cache_is_a_column_where_there_is_something_to_cache(models: Any) -> None:
    assert "_cache" in models.House.__table__.c
    assert "_cache" not in models.Cat.__table__.c
    assert models.Cat(name="Tom").view_cache() == {}
    models.Cat(name="Tom").refresh_cache()


def test_the_cache_outlives_the_session(models: Any) -> None:
    from flasker import current_project

    with current_project.app.app_context():
        house = models.House(id=1, address="abc")
        assert house.view_cache() == {"size": None}
        assert house.size == 3
        current_project.db.session.add(house)
        current_project.db.session.commit()
    with current_project.app.app_context():
        house = models.House.query.one()
        house.address = "abcdef"
        assert house.size == 3
        assert house.view_cache()["size"] >= 0
        house.refresh_cache("size")
        current_project.db.session.commit()
    with current_project.app.app_context():
        assert models.House.query.one()._cache["size"][0] == 6


@pytest.mark.parametrize(
    "value",
    [
        None, True, 1.5, "text", [1, [2]], (1, ("a",)), {"tuple": 1}, {1: {"x": date(2020, 1, 2)}}, {1, 2},
        b"\x00\xff", datetime(2020, 1, 2, 3, 4, 5, 6), timedelta(days=1, microseconds=5), Decimal("1.10"),
        UUID(int=5), {},
    ],
)  # fmt: skip
def test_cached_values_come_back_as_what_they_were(models: Any, value: object) -> None:
    from flasker import current_project

    with current_project.app.app_context():
        current_project.db.session.add(models.House(id=1, size=value))
        current_project.db.session.commit()
    with current_project.app.app_context():
        found = models.House.query.one().size
        assert found == value
        assert type(found) is type(value)


def test_what_the_database_cannot_keep_is_an_error_that_says_so(models: Any) -> None:
    from flasker import current_project
    from sqlalchemy.exc import StatementError

    with current_project.app.app_context():
        current_project.db.session.add(models.House(id=1, size=object()))
        with pytest.raises(StatementError, match="cannot keep a value of type object"):
            current_project.db.session.flush()


# -- jsonifying --------------------------------------------------------------------------------------------------


def test_jsonify_shows_columns_properties_and_relations_to_a_depth(models: Any) -> None:
    from flasker import current_project

    with current_project.app.app_context():
        house = models.House(id=1, address="ab", cats=[models.Cat(name="Tom")])
        current_project.db.session.add(house)
        current_project.db.session.flush()
        assert jsonify(house) == {"id": 1, "address": "ab", "size": 2, "cats": [{"name": "Tom"}]}
        tom = {"name": "Tom", "house_id": 1, "house": {"id": 1}}
        assert jsonify(house, 1) == {"id": 1, "address": "ab", "size": 2, "cats": [tom]}
        assert jsonify([house], -1) == [{"id": 1}]
