"""Views and blueprints that are imported late: by the documented class, by LazyView, and by an import name alone."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from werkzeug.utils import cached_property, import_string

from microflask import Blueprint, Flask, request, url_for
from microflask.testing import FlaskClient
from microflask.views import LazyView, PreloadError, import_object

Write = Callable[..., None]


class PrintedLazyView:
    """The class as the document "Lazily Loading Views" prints it, with its imports from werkzeug.utils."""

    def __init__(self, import_name: str) -> None:
        self.__module__, self.__name__ = import_name.rsplit(".", 1)
        self.import_name = import_name

    @cached_property
    def view(self) -> Any:
        return import_string(self.import_name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.view(*args, **kwargs)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write modules of the package ``late_site``; forget them afterwards. The package counts what runs."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    folder = tmp_path / "late_site"
    folder.mkdir()

    def write(name: str, source: str = "") -> None:
        path = folder / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
        importlib.invalidate_caches()

    write("__init__", "runs = []\n")
    write("views", "import late_site\nlate_site.runs.append(__name__)\n"
          "def index():\n    return 'index'\n"
          "def user(username):\n    return f'user {username}'\n")  # fmt: skip
    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] == "late_site"]:
        del sys.modules[name]


def runs() -> list[str]:
    """The modules that have run, in order."""
    return list(importlib.import_module("late_site").runs)


def imported(name: str) -> bool:
    return f"late_site.{name}" in sys.modules


@pytest.fixture(params=[PrintedLazyView, LazyView])
def lazy_class(request: pytest.FixtureRequest) -> Any:
    return request.param


# -- add_url_rule with any callable that has a name


def test_printed_class_names_the_endpoint_on_an_application_without_an_import(
    app: Flask, write: Write, lazy_class: Any
) -> None:
    app.add_url_rule("/", view_func=lazy_class("late_site.views.index"))
    app.add_url_rule("/user/<username>", view_func=lazy_class("late_site.views.user"))
    with app.test_request_context():
        assert url_for("user", username="ada") == "/user/ada"
    assert not imported("views")
    client = app.test_client()
    assert client.get("/").text == "index"
    assert client.get("/user/ada").text == "user ada"
    assert runs() == ["late_site.views"]


def test_printed_class_names_the_endpoint_on_a_blueprint(app: Flask, write: Write, lazy_class: Any) -> None:
    blueprint = Blueprint("site", __name__, url_prefix="/site")
    blueprint.add_url_rule("/user/<username>", view_func=lazy_class("late_site.views.user"))
    app.register_blueprint(blueprint)
    assert "site.user" in app.view_functions
    assert not imported("views")
    assert app.test_client().get("/site/user/ada").text == "user ada"


def test_printed_url_helper_works(app: Flask, write: Write, lazy_class: Any) -> None:
    def url(url_rule: str, import_name: str, **options: Any) -> None:
        view = lazy_class("late_site." + import_name)
        app.add_url_rule(url_rule, view_func=view, **options)

    url("/", "views.index")
    url("/user/<username>", "views.user", methods=["POST"])
    client = app.test_client()
    assert client.get("/").text == "index"
    assert client.get("/user/ada").status_code == 405
    assert client.post("/user/ada").text == "user ada"


def test_import_name_alone_is_a_lazy_view_on_application_and_blueprint(app: Flask, write: Write) -> None:
    blueprint = Blueprint("site", __name__, url_prefix="/site")
    blueprint.add_url_rule("/", view_func="late_site.views.index")
    app.register_blueprint(blueprint)
    app.add_url_rule("/user/<username>", view_func="late_site.views:user")
    assert {"site.index", "user"} <= set(app.view_functions)
    assert not imported("views")
    assert app.test_client().get("/site/").text == "index"
    assert app.test_client().get("/user/ada").text == "user ada"


def test_callable_without_a_name_is_refused_with_what_to_do(app: Flask) -> None:
    class Nameless:
        def __call__(self) -> str:
            return ""

    with pytest.raises(TypeError, match="endpoint="):
        app.add_url_rule("/", view_func=Nameless())


# -- LazyView


@pytest.mark.parametrize("import_name", ["late_site.views.index", "late_site.views:index"])
def test_lazy_view_tells_its_names_and_imports_nothing(write: Write, import_name: str) -> None:
    lazy = LazyView(import_name)
    assert (lazy.__module__, lazy.__name__, lazy.import_name) == ("late_site.views", "index", import_name)
    assert repr(lazy) == f"<LazyView {import_name!r}>"
    assert "late_site" not in sys.modules


def test_lazy_view_keeps_the_real_function(write: Write) -> None:
    lazy = LazyView("late_site.views.user")
    function = lazy.view
    assert function is sys.modules["late_site.views"].user
    del sys.modules["late_site.views"].user
    assert lazy.view is function
    assert lazy("ada") == lazy(username="ada") == "user ada"


def test_lazy_view_of_a_coroutine_function_is_awaited(app: Flask, write: Write) -> None:
    write("slow", "async def index():\n    return 'awaited'\n")
    app.add_url_rule("/", view_func=LazyView("late_site.slow.index"))
    assert app.test_client().get("/").text == "awaited"


# -- several URLs


def test_lazy_views_of_one_import_name_are_equal_and_hash_alike() -> None:
    lazy = LazyView("late_site.views.index")
    assert lazy == LazyView("late_site.views.index") == LazyView("late_site.views:index")
    assert hash(lazy) == hash(LazyView("late_site.views:index"))
    assert lazy != LazyView("late_site.views.user")
    assert lazy != "late_site.views.index"


def test_one_lazy_view_can_have_several_urls(app: Flask, write: Write) -> None:
    app.add_url_rule("/", view_func=LazyView("late_site.views.index"))
    app.add_url_rule("/home", view_func="late_site.views.index")
    client = app.test_client()
    assert [client.get(path).text for path in ("/", "/home")] == ["index", "index"]
    assert runs() == ["late_site.views"]


# -- hooks


def test_hooks_of_a_module_imported_upfront_run_at_the_first_request(app: Flask, write: Write) -> None:
    seen: list[Any] = []
    app.add_url_rule("/", view_func="late_site.views.index")
    app.before_request(lambda: seen.append(imported("views")))

    @app.after_request
    def mark(response: Any) -> Any:
        seen.append(response.get_data(as_text=True))
        return response

    app.test_client().get("/")
    assert seen == [False, "index"]


def test_hooks_in_the_lazy_module_are_out_of_reach_and_say_so(app: Flask, write: Write) -> None:
    write("application", "app = None\n")
    importlib.import_module("late_site.application").app = app  # type: ignore[attr-defined]
    write("late", "from late_site.application import app\n@app.before_request\ndef never(): pass\ndef index(): pass\n")
    app.add_url_rule("/", view_func="late_site.late.index")
    with pytest.raises(AssertionError, match=r"before_request.*first request"):
        app.test_client().get("/")


# -- bad input


@pytest.mark.parametrize("import_name", ["index", "", ".index", "views.", "a..index", ":index"])
@pytest.mark.parametrize("register", [
    LazyView,
    lambda import_name: Flask("late").add_url_rule("/", view_func=import_name),
    lambda import_name: Flask("late").register_blueprint(import_name),
])  # fmt: skip
def test_name_without_a_module_is_refused_at_construction(import_name: str, register: Any) -> None:
    with pytest.raises(ValueError, match=repr(import_name).replace(".", r"\.")):
        register(import_name)


@pytest.mark.parametrize("import_name", [
    "late_site.missing.index", "late_site.views.missing", "nowhere_at_all.views.index", "late_site.views.index.deeper",
])  # fmt: skip
def test_missing_module_or_attribute_is_an_import_error_with_the_whole_name(
    app: Flask, write: Write, import_name: str
) -> None:
    app.add_url_rule("/", "index", LazyView(import_name))
    for _ in range(2):
        with pytest.raises(ImportError, match=import_name.replace(".", r"\.")):
            app.test_client().get("/")


@pytest.mark.parametrize(("source", "error"), [
    ("import no_such_library\n", ModuleNotFoundError), ("1 / 0\n", ZeroDivisionError), ("def index(:\n", SyntaxError),
    ("from late_site.views import nothing\n", ImportError), ("raise LookupError('gone')\n", LookupError),
])  # fmt: skip
def test_error_inside_the_module_is_shown_as_it_is(app: Flask, write: Write, source: str, error: type) -> None:
    write("broken", f"import late_site\nlate_site.runs.append(__name__)\n{source}")
    app.add_url_rule("/", view_func="late_site.broken.index")
    with pytest.raises(error) as raised:
        app.test_client().get("/")
    assert type(raised.value) is error
    assert "late_site.broken.index" not in str(raised.value)
    assert error is SyntaxError or runs().count("late_site.broken") == 1


def test_nothing_of_a_failure_is_kept(app: Flask, write: Write, tmp_path: Path) -> None:
    app.add_url_rule("/", view_func="late_site.mended.index")
    client = app.test_client()
    with pytest.raises(ImportError):
        client.get("/")
    # Without a word to the import system, which has listed the folder by now.
    (tmp_path / "late_site" / "mended.py").write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        client.get("/")
    (tmp_path / "late_site" / "mended.py").write_text("def index():\n    return 'mended'\n")
    assert client.get("/").text == "mended"


def test_attribute_that_appears_later_is_found(app: Flask, write: Write) -> None:
    app.add_url_rule("/", view_func="late_site.views.added")
    with pytest.raises(ImportError):
        app.test_client().get("/")
    sys.modules["late_site.views"].added = lambda: "added"  # type: ignore[attr-defined]
    assert app.test_client().get("/").text == "added"


def test_failure_is_a_500_outside_of_tests_and_a_handler_sees_it(
    app: Flask, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.testing = False
    app.add_url_rule("/", view_func="late_site.missing.index")
    monkeypatch.setattr(app.logger, "disabled", True)
    assert app.test_client().get("/").status_code == 500
    app = Flask("late")
    app.add_url_rule("/", view_func="late_site.missing.index")
    app.register_error_handler(ImportError, lambda error: (f"handled {error.name}", 503))
    response = app.test_client().get("/")
    assert (response.status_code, response.text) == (503, "handled late_site.missing")


def test_what_cannot_be_called_is_no_view(write: Write) -> None:
    with pytest.raises(TypeError, match=r"late_site\.runs.*cannot be called"):
        LazyView("late_site.runs").view  # noqa: B018


def test_import_object_gives_an_error_of_a_module_attribute_as_it_is(write: Write) -> None:
    write("dynamic", "def __getattr__(name):\n    raise LookupError(name)\n")
    with pytest.raises(LookupError, match="thing"):
        import_object("late_site.dynamic.thing")


# -- threads


def at_once(count: int, call: Callable[[], Any]) -> list[Any]:
    """Call from several threads, which wait for each other; return what they get."""
    barrier = threading.Barrier(count)

    def wait_and_call() -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(wait_and_call) for _ in range(count)]]


SLOW = "import time, late_site\nlate_site.runs.append(__name__)\ntime.sleep(0.05)\n"


def test_requests_at_once_import_the_module_once(app: Flask, write: Write, lazy_class: Any) -> None:
    write("slow", f"{SLOW}def index():\n    return 'slow'\ndef other():\n    return 'slow'\n")
    app.add_url_rule("/", view_func=lazy_class("late_site.slow.index"))
    app.add_url_rule("/other", view_func=lazy_class("late_site.slow.other"))
    paths = iter(["/", "/other"] * 4)
    assert at_once(8, lambda: app.test_client().get(next(paths)).text) == ["slow"] * 8
    assert runs() == ["late_site.slow"]


# -- preloading


def test_preload_views_imports_all(app: Flask, write: Write) -> None:
    write("admin", "from microflask import Blueprint\nbp = Blueprint('admin', __name__)\n"
          "bp.add_url_rule('/', view_func='late_site.panel.show')\n")  # fmt: skip
    write("panel", "def show():\n    return 'panel'\n")
    app.add_url_rule("/", view_func=LazyView("late_site.views.index"))
    app.register_blueprint("late_site.admin:bp", url_prefix="/admin")
    app.preload_views()
    assert imported("views") and imported("admin") and imported("panel")
    assert "admin.show" in app.view_functions


def test_preload_views_names_every_one_that_fails(app: Flask, write: Write) -> None:
    write("broken", "1 / 0\n")
    app.add_url_rule("/", view_func="late_site.views.index")
    app.add_url_rule("/1", view_func="late_site.views.missing")
    app.add_url_rule("/2", view_func="late_site.broken.page")
    app.register_blueprint("late_site.nowhere:bp", url_prefix="/nowhere")
    app.register_blueprint("late_site.views:index", url_prefix="/index")
    with pytest.raises(PreloadError) as raised:
        app.preload_views()
    failures = raised.value.failures
    assert list(failures) == [
        "late_site.nowhere:bp", "late_site.views:index", "late_site.views.missing", "late_site.broken.page",
    ]  # fmt: skip
    assert all(name in str(raised.value) for name in failures)
    assert isinstance(failures["late_site.broken.page"], ZeroDivisionError)
    assert isinstance(raised.value, ImportError)
    assert isinstance(raised.value.__cause__, ExceptionGroup)
    assert app.test_client().get("/").text == "index"


def test_preload_views_with_nothing_late_does_nothing(app: Flask) -> None:
    app.add_url_rule("/", "index", lambda: "index")
    app.preload_views()
    assert app.test_client().get("/").text == "index"


# -- blueprints by import name

ADMIN = """
import late_site
from microflask import Blueprint, request
late_site.runs.append(__name__)
bp = Blueprint("admin", __name__)

@bp.before_request
def remember():
    late_site.runs.append(f"before {request.endpoint}")

@bp.route("/")
def index():
    return f"admin {request.blueprint}"

@bp.route("/user/<int:number>", methods=["POST"])
def user(number):
    return f"user {number}"
"""


@pytest.fixture
def late(any_app: Flask, write: Write) -> FlaskClient:
    """A client for an application with a page of its own and a late blueprint below ``/admin``, in each mode."""
    app = any_app
    write("admin", ADMIN)
    app.add_url_rule("/", "index", lambda: "front")
    app.add_url_rule("/<path:page>", "page", lambda page: f"page {page}")
    app.register_blueprint("late_site.admin:bp", url_prefix="/admin")
    return app.test_client()


@pytest.mark.parametrize("path", ["/", "/administrator", "/a/admin", "/adm"])
def test_late_blueprint_is_not_imported_for_other_paths(late: FlaskClient, path: str) -> None:
    assert late.get(path).status_code == 200
    assert not imported("admin")


def test_late_blueprint_answers_its_first_request(late: FlaskClient) -> None:
    late.get("/")
    assert late.get("/admin/").text == "admin admin"
    assert late.post("/admin/user/3").text == "user 3"
    assert runs() == ["late_site.admin", "before admin.index", "before admin.user"]
    assert late.application.late_blueprints == []


@pytest.mark.parametrize("path", ["/admin", "/admin//", "/admin/user/3", "/admin/user/x", "/admin/"])
def test_late_blueprint_matches_as_one_that_is_registered_does(late: FlaskClient, path: str) -> None:
    here = late.get(path)
    assert imported("admin")
    eager = Flask("eager", compat=late.application.compat)
    eager.add_url_rule("/", "index", lambda: "front")
    eager.add_url_rule("/<path:page>", "page", lambda page: f"page {page}")
    eager.register_blueprint(sys.modules["late_site.admin"].bp, url_prefix="/admin")
    there = eager.test_client().get(path)
    assert (there.status_code, there.location, there.text) == (here.status_code, here.location, here.text)


def test_late_blueprint_is_imported_for_a_url_of_it(late: FlaskClient) -> None:
    late.get("/")
    with late.application.test_request_context():
        assert url_for("page", page="x") == "/x"
        assert not imported("admin")
        assert url_for("admin.user", number=3) == "/admin/user/3"


def test_late_blueprint_with_variables_in_its_prefix(app: Flask, write: Write) -> None:
    write("shop", "from microflask import Blueprint\nbp = Blueprint('shop', __name__)\n"
          "bp.add_url_rule('/cart', 'cart', lambda name: f'cart of {name}')\n")  # fmt: skip
    app.register_blueprint("late_site.shop.bp", url_prefix="/shops/by-<name>")
    client = app.test_client()
    assert client.get("/shop").status_code == 404
    assert not imported("shop")
    assert client.get("/shops/by-ada/cart").text == "cart of ada"


def test_late_blueprint_without_a_known_prefix_is_imported_at_the_first_request(app: Flask, write: Write) -> None:
    write("own", "from microflask import Blueprint\nbp = Blueprint('own', __name__, url_prefix='/own')\n"
          "bp.add_url_rule('/', 'index', lambda: 'own')\n")  # fmt: skip
    app.register_blueprint("late_site.own:bp")
    assert not imported("own")
    assert app.test_client().get("/elsewhere").status_code == 404
    assert imported("own")
    assert app.test_client().get("/own/").text == "own"


def test_late_blueprint_is_registered_once_by_requests_at_once(app: Flask, write: Write) -> None:
    write("slow", f"{SLOW}{ADMIN}")
    app.register_blueprint("late_site.slow:bp", url_prefix="/admin")
    app.add_url_rule("/", "index", lambda: "front")
    assert app.test_client().get("/").text == "front"
    assert at_once(8, lambda: app.test_client().get("/admin/").text) == ["admin admin"] * 8
    assert runs().count("late_site.slow") == 2  # once by each of the two sources
    assert runs().count("before admin.index") == 8


def test_late_blueprints_at_once_do_not_lose_rules(app: Flask, write: Write) -> None:
    names = [f"part{number}" for number in range(8)]
    for name in names:
        write(name, f"from microflask import Blueprint\nbp = Blueprint({name!r}, __name__)\n"
              "for n in range(20):\n    bp.add_url_rule(f'/{n}/<x>', f'e{n}', lambda x: x)\n")  # fmt: skip
        app.register_blueprint(f"late_site.{name}:bp", url_prefix=f"/shared/{name}")
    waiting = iter(names)
    assert at_once(8, lambda: app.test_client().get(f"/shared/{next(waiting)}/7/found").text) == ["found"] * 8
    client = app.test_client()
    assert {client.get(f"/shared/{name}/{n}/x").text for name in names for n in range(20)} == {"x"}


def test_late_blueprint_may_register_for_the_whole_application(app: Flask, write: Write) -> None:
    write("wide", """
from microflask import Blueprint
bp = Blueprint("wide", __name__)
calls = []
bp.before_app_first_request(lambda: calls.append("first"))
bp.before_app_request(lambda: calls.append("before"))
bp.add_app_template_filter(lambda text: text.upper(), "loud")
bp.app_errorhandler(404)(lambda error: ("wide 404", 404))
bp.add_url_rule("/", "index", lambda: "wide")
""")
    app.register_blueprint("late_site.wide:bp", url_prefix="/wide")
    client = app.test_client()
    assert client.get("/nothing").text != "wide 404"
    assert client.get("/wide/").text == "wide"
    assert client.get("/nothing").text == "wide 404"
    assert app.jinja_env.filters["loud"]("a") == "A"
    assert sys.modules["late_site.wide"].calls == ["first", "before", "before"]
    with pytest.raises(AssertionError, match="first request"):
        app.before_request(lambda: None)


def test_missing_late_blueprint_is_tried_again_and_handled_as_any_error(app: Flask, write: Write) -> None:
    app.register_blueprint("late_site.admin:bp", url_prefix="/admin")
    client = app.test_client()
    for _ in range(2):
        with pytest.raises(ImportError, match=r"late_site\.admin:bp"):
            client.get("/admin/")
    with app.test_request_context("/admin/"):
        assert isinstance(request.routing_exception, ImportError)
    write("admin", ADMIN)
    assert client.get("/admin/").text == "admin admin"


def test_error_inside_a_late_blueprint_is_shown_as_it_is_and_only_below_its_prefix(app: Flask, write: Write) -> None:
    write("broken", "1 / 0\n")
    write("admin", ADMIN)
    app.register_blueprint("late_site.broken:bp", url_prefix="/broken")
    app.register_blueprint("late_site.admin:bp", url_prefix="/admin")
    client = app.test_client()
    with pytest.raises(ZeroDivisionError):
        client.get("/broken/")
    with app.test_request_context():
        assert url_for("admin.index") == "/admin/"
        with pytest.raises(ZeroDivisionError):
            url_for("broken.index")
    assert client.get("/admin/").text == "admin admin"


def test_late_blueprint_that_is_none_is_refused(app: Flask, write: Write) -> None:
    app.register_blueprint("late_site.views:index", url_prefix="/index")
    with pytest.raises(TypeError, match=r"late_site\.views:index.*no blueprint"):
        app.test_client().get("/index/")


def test_late_blueprint_that_cannot_be_registered_gives_the_same_error_each_time(app: Flask, write: Write) -> None:
    write("admin", ADMIN)
    app.register_blueprint(Blueprint("admin", "other"))
    app.register_blueprint("late_site.admin:bp", url_prefix="/admin")
    client = app.test_client()
    depths = set()
    for _ in range(3):
        with pytest.raises(ValueError, match=r"'admin' of 'late_site\.admin'") as raised:
            client.get("/admin/")
        depths.add(len(raised.traceback))
    assert len(depths) <= 2
    assert len(list(app.url_map.iter_rules())) == 1
    assert repr(app.late_blueprints) == "[<LateBlueprint 'late_site.admin:bp'>]"


def test_set_up_is_refused_for_a_late_blueprint_after_the_first_request(late: FlaskClient) -> None:
    late.get("/")
    late.application.debug = True
    with pytest.raises(AssertionError, match="register_blueprint"):
        late.application.register_blueprint("late_site.views:index")
