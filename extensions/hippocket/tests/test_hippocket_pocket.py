"""HipPocket, Mapper and LateLoader, row by row of what they promise."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from microflask_hippocket import HipPocket, Mapper, pocket, tasks
from microflask_hippocket.pocket import LateLoader

from microflask import Blueprint, Flask, url_for
from microflask.views import LazyView

Write = Callable[..., None]

VIEWS = """
import time
runs = []
runs.append(__name__)
time.sleep(0.02)

def index():
    return "index"

def user(name="nobody"):
    return f"user {name}"
"""


@pytest.fixture
def site(write: Write) -> None:
    """The package ``views_site`` with the module ``views``."""
    write("views_site/__init__.py")
    write("views_site/views.py", VIEWS)


# -- the names


def test_names_are_where_the_document_has_them() -> None:
    extension = importlib.import_module("microflask.ext.hippocket")
    assert (extension.HipPocket, extension.Mapper) == (HipPocket, Mapper) == (pocket.HipPocket, pocket.Mapper)
    assert importlib.import_module("microflask.ext.hippocket.tasks").autoload is tasks.autoload
    assert importlib.import_module("microflask.ext.hippocket.pocket").LateLoader is LateLoader
    assert extension.tasks.setup_errors is tasks.setup_errors


# -- pocket.LateLoader, as LazyView


def test_late_loader_has_its_names_and_imports_nothing(site: None) -> None:
    loader = LateLoader("views_site.views.index")
    assert (loader.__module__, loader.__name__) == ("views_site.views", "index")
    assert loader.import_name == "views_site.views.index"
    assert repr(loader) == "<LateLoader 'views_site.views.index'>"
    assert "views_site" not in sys.modules


def test_late_loader_imports_at_first_use_and_keeps_the_view(app: Flask, site: None) -> None:
    blueprint = Blueprint("bp", "views_site", url_prefix="/bp")
    blueprint.add_url_rule("/<name>", view_func=LateLoader("views_site.views.user"))
    app.register_blueprint(blueprint)
    app.add_url_rule("/", view_func=LateLoader("views_site.views.index"))
    assert {"index", "bp.user"} <= set(app.view_functions)
    assert app.test_client().get("/bp/ada").text == "user ada"
    assert app.view_functions["bp.user"].view is sys.modules["views_site.views"].user


def test_late_loaders_of_one_import_name_are_equal_so_that_a_view_has_several_urls(app: Flask, site: None) -> None:
    loader = LateLoader("views_site.views.index")
    assert loader == LateLoader("views_site.views.index") == LazyView("views_site.views.index")
    assert hash(loader) == hash(LateLoader("views_site.views.index"))
    app.add_url_rule("/", view_func=loader)
    app.add_url_rule("/home", view_func=LateLoader("views_site.views.index"))
    assert app.test_client().get("/home").text == "index"


def test_late_loader_refuses_a_name_without_a_dot() -> None:
    with pytest.raises(ValueError, match="'index'"):
        LateLoader("index")


@pytest.mark.parametrize("import_name", ["views_site.missing.index", "views_site.views.missing"])
def test_late_loader_names_what_is_missing_and_keeps_nothing_of_the_failure(
    app: Flask, site: None, monkeypatch: pytest.MonkeyPatch, import_name: str
) -> None:
    app.add_url_rule("/", "index", LateLoader(import_name))
    client = app.test_client()
    for _ in range(2):
        with pytest.raises(ImportError, match=import_name.replace(".", r"\.")):
            client.get("/")
    app.testing = False
    monkeypatch.setattr(app.logger, "disabled", True)
    assert client.get("/").status_code == 500


def test_late_loader_shows_an_error_inside_the_module(app: Flask, write: Write) -> None:
    write("views_site/__init__.py")
    write("views_site/broken.py", "1 / 0\n")
    app.add_url_rule("/", view_func=LateLoader("views_site.broken.index"))
    with pytest.raises(ZeroDivisionError):
        app.test_client().get("/")
    write("views_site/broken.py", "def index():\n    return 'mended'\n")
    assert app.test_client().get("/").text == "mended"


def test_late_loader_imports_once_for_requests_at_once(app: Flask, site: None) -> None:
    Mapper(app, "views_site").add("/", "views.index")
    barrier = threading.Barrier(6)

    def get(_: int) -> str:
        barrier.wait(10)
        return app.test_client().get("/").text

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(get, range(6))) == {"index"}
    assert sys.modules["views_site.views"].runs == ["views_site.views"]


# -- Mapper


def test_mapper_works_as_the_document_prints_it(app: Flask, write: Write) -> None:
    write("apps/__init__.py")
    write("apps/my_app/__init__.py")
    write("apps/my_app/my_module.py", "def my_endpoint():\n    return 'mine'\n")
    routes = Blueprint("my_blueprint", __name__, url_prefix="/my-blueprint")
    mapper = Mapper(routes, "apps.my_app")
    mapper.add_url_rule("/", "my_module.my_endpoint")
    app.register_blueprint(routes)
    assert "apps.my_app.my_module" not in sys.modules
    assert app.test_client().get("/my-blueprint/").text == "mine"


@pytest.mark.parametrize("base", [None, "views_site"])
def test_mapper_counts_from_the_import_name_without_a_base(site: None, base: str | None) -> None:
    for target in (Flask("views_site"), Blueprint("bp", "views_site")):
        mapper = Mapper(target, base)
        assert mapper.base_import_name == "views_site"
    app = Flask("views_site")
    Mapper(app, base).add("/", "views.index")
    assert app.test_client().get("/").text == "index"


def test_mapper_add_is_add_url_rule_also_in_subclasses(app: Flask, site: None) -> None:
    class Prefixed(Mapper):
        def add_url_rule(self, url: str, import_name: str, **url_kwargs: Any) -> None:
            super().add_url_rule(f"/v1{url}", import_name, **url_kwargs)

    Prefixed(app, "views_site").add("/", "views.index")
    assert app.test_client().get("/v1/").text == "index"


def test_mapper_gives_url_defaults_to_every_rule_and_url_kwargs_win(app: Flask, site: None) -> None:
    defaults = {"name": "default"}
    methods = ["POST"]
    mapper = Mapper(app, "views_site", methods=methods, defaults=defaults, strict_slashes=False)
    mapper.add("/a/", "views.user")
    mapper.add("/b/", "views.user", endpoint="b", methods=["GET"], defaults={"name": "own"})
    mapper.add("/c/", "views.user", endpoint="c")
    client = app.test_client()
    assert client.get("/a/").status_code == 405
    assert [client.post(path).text for path in ("/a", "/c")] == ["user default"] * 2
    assert client.get("/b").text == "user own"
    assert mapper.url_defaults == {"methods": ["POST"], "defaults": {"name": "default"}, "strict_slashes": False}
    assert (defaults, methods) == ({"name": "default"}, ["POST"])


def test_mapper_takes_an_endpoint(app: Flask, site: None) -> None:
    Mapper(app, "views_site").add_url_rule("/<name>", "views.user", endpoint="person")
    with app.test_request_context():
        assert url_for("person", name="ada") == "/ada"


def test_mapper_imports_at_the_first_hit_once(app: Flask, site: None) -> None:
    mapper = Mapper(app, "views_site")
    mapper.add("/", "views.index")
    mapper.add("/user/<name>", "views.user")
    client = app.test_client()
    assert "views_site.views" not in sys.modules
    for path in ("/", "/user/a", "/"):
        client.get(path)
    assert sys.modules["views_site.views"].runs == ["views_site.views"]


# -- HipPocket(app=None, tasks=None), init_app


@pytest.fixture
def calls() -> list[Any]:
    """What tasks leave behind."""
    return []


@pytest.mark.parametrize("make", [list, tuple, iter, dict.fromkeys])
def test_tasks_are_any_iterable_called_with_the_application_in_order(app: Flask, calls: list[Any], make: Any) -> None:
    def first(app: Flask) -> None:
        calls.append(("first", app))

    def second(app: Flask) -> None:
        calls.append(("second", app))

    hip_pocket = HipPocket(tasks=make([first, second]))
    assert calls == []
    hip_pocket.init_app(app)
    hip_pocket.init_app(app)
    assert calls == [("first", app), ("second", app)] * 2


def test_tasks_are_copied_and_the_callers_list_stays_as_it_is(app: Flask, calls: list[Any]) -> None:
    mine: list[Any] = [lambda app: calls.append("mine")]
    hip_pocket = HipPocket(tasks=mine)
    hip_pocket.task(lambda app: calls.append("decorated"))
    mine.append(lambda app: calls.append("too late"))
    hip_pocket.init_app(app)
    assert calls == ["mine", "decorated"]
    assert len(mine) == 2


@pytest.mark.parametrize("hip_pocket", [HipPocket(), HipPocket(None, None), HipPocket(tasks=[])])
def test_no_tasks_are_no_tasks(app: Flask, hip_pocket: HipPocket) -> None:
    hip_pocket.init_app(app)
    assert HipPocket(app, None) is not None


def test_application_given_at_once_is_initialised_at_once(app: Flask, calls: list[Any]) -> None:
    HipPocket(app, [calls.append])
    assert calls == [app]


def test_what_cannot_be_called_is_no_task() -> None:
    with pytest.raises(TypeError, match="'not a task'"):
        HipPocket(tasks=["not a task"])  # type: ignore[list-item]


def test_init_app_serves_several_applications(calls: list[Any]) -> None:
    hip_pocket = HipPocket(tasks=[lambda app: calls.append(app.name)])
    hip_pocket.task("x")(lambda app, x: calls.append((app.name, x)))
    for name in ("one", "two"):
        hip_pocket.init_app(Flask(name))
    assert calls == ["one", ("one", "x"), "two", ("two", "x")]


def test_exception_of_a_task_comes_out_and_stops_the_rest(app: Flask, calls: list[Any]) -> None:
    def fail(app: Flask) -> None:
        raise LookupError("no cellar")

    hip_pocket = HipPocket(tasks=[calls.append, fail, calls.append])
    hip_pocket.task(calls.append)
    with pytest.raises(LookupError, match="no cellar"):
        hip_pocket.init_app(app)
    assert calls == [app]


def test_tasks_may_set_up_the_application(app: Flask) -> None:
    hip_pocket = HipPocket()

    @hip_pocket.task
    def add_routes(app: Flask) -> None:
        app.add_url_rule("/", "index", lambda: "from a task")

    hip_pocket.init_app(app)
    assert app.test_client().get("/").text == "from a task"


# -- task


def test_document_example_works_with_its_slips_mended(app: Flask, calls: list[Any]) -> None:
    hip_pocket = HipPocket()

    @hip_pocket.task
    def do_something(app: Flask) -> None:
        calls.append(app)

    @hip_pocket.task("an_arg", "another_arg")
    def do_something_else(app: Flask, an_arg: str, another_arg: str) -> None:
        calls.append((app, an_arg, another_arg))

    hip_pocket.init_app(app)
    assert calls == [app, (app, "an_arg", "another_arg")]


def test_task_gets_every_argument(app: Flask, calls: list[Any]) -> None:
    hip_pocket = HipPocket()

    def function(*args: Any, **kwargs: Any) -> None:
        calls.append((args, kwargs))

    hip_pocket.task()(function)
    hip_pocket.task(1)(function)
    hip_pocket.task(None, 2, key="value")(function)
    hip_pocket.task(self="self", function="function", args=(), func=3)(function)
    hip_pocket.init_app(app)
    assert calls == [
        ((app,), {}), ((app, 1), {}), ((app, None, 2), {"key": "value"}),
        ((app,), {"self": "self", "function": "function", "args": (), "func": 3}),
    ]  # fmt: skip


def test_task_returns_the_function_itself() -> None:
    hip_pocket = HipPocket()

    def function(app: Flask, *args: Any, **kwargs: Any) -> None:
        """Do nothing."""

    assert hip_pocket.task(function) is function
    assert hip_pocket.task(1, key=2)(function) is function


def test_callable_may_be_passed_by_name_or_beside_others(app: Flask, calls: list[Any]) -> None:
    hip_pocket = HipPocket()

    @hip_pocket.task(butler=lambda garment: f"{garment} with squares")
    def add_pocket_squares(app: Flask, butler: Callable[[str], str]) -> None:
        calls.append(butler("coat"))

    @hip_pocket.task(str.upper, "text")
    def shout(app: Flask, change: Callable[[str], str], text: str) -> None:
        calls.append(change(text))

    hip_pocket.init_app(app)
    assert calls == ["coat with squares", "TEXT"]


def test_single_positional_callable_is_taken_for_the_task_so_the_first_example_fails() -> None:
    hip_pocket = HipPocket()
    with pytest.raises(TypeError):

        @hip_pocket.task(lambda x: x * 2)
        def schedule_doubles(app: Flask, doubler: Callable[[int], int]) -> None: ...


def test_functions_run_in_order_of_decoration_after_the_tasks(app: Flask, calls: list[Any]) -> None:
    hip_pocket = HipPocket(tasks=[lambda app: calls.append("given")])
    for number in range(3):
        hip_pocket.task(number)(lambda app, number: calls.append(number))
    hip_pocket.init_app(app)
    assert calls == ["given", 0, 1, 2]
