"""Modules, the documented predecessors of blueprints."""

import pytest

from microflask import Blueprint, Flask, Module, g, render_template, request, url_for
from microflask.module import blueprint_is_module

MODES = ("documented", "0.10", "3.1")

pytestmark = [
    pytest.mark.filterwarnings("ignore:register_module:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:request.module:DeprecationWarning"),
]


@pytest.fixture(params=MODES)
def app(request, tmp_path):
    return Flask("microflask_tests", root_path=str(tmp_path), compat=request.param)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The name of a package with a template and a static file, beside a module without any."""
    folder = tmp_path / "old_site" / "admin"
    for name in ("templates", "static"):
        (folder / name).mkdir(parents=True)
    (tmp_path / "old_site" / "__init__.py").touch()
    (tmp_path / "old_site" / "frontend.py").touch()
    (folder / "__init__.py").touch()
    (folder / "templates" / "page.html").write_text("page of {{ request.module }}")
    (folder / "static" / "style.css").write_text("/* admin */")
    monkeypatch.syspath_prepend(tmp_path)
    return "old_site.admin"


def test_name_is_the_last_part_of_the_import_name():
    assert Module("old_site.admin.views").name == "views"
    assert Module("old_site.admin.views", "admin").name == "admin"
    assert Module("views", name="given").name == "given"


@pytest.mark.parametrize("kind", [ValueError, AssertionError])
def test_module_of_no_package_needs_a_name(kind):
    with pytest.raises(kind, match=r"'views'.*name="):
        Module("views")


def test_module_is_known_as_one():
    assert blueprint_is_module(Module("old_site.admin"))
    assert not blueprint_is_module(Blueprint("admin", "old_site.admin"))


def test_views_are_found_under_the_prefix(app):
    module = Module("old_site.admin", url_prefix="/admin")

    @module.route("/<int:number>")
    def show(number):
        return f"{number} {request.module} {request.blueprint} {request.endpoint}"

    app.register_module(module)
    app.add_url_rule("/", "index", lambda: str(request.module))
    client = app.test_client()
    assert client.get("/admin/4").text == "4 admin admin admin.show"
    assert client.get("/").text == "None"


def test_request_of_a_blueprint_has_no_module(app):
    blueprint = Blueprint("bp", "microflask_tests")
    blueprint.add_url_rule("/", "view", lambda: str(request.module))
    app.register_blueprint(blueprint)
    assert app.test_client().get("/").text == "None"


def test_options_of_the_registration_replace_those_of_the_module(app, package):
    module = Module(package, url_prefix="/never", subdomain=None, static_path="/never")
    module.add_url_rule("/", "index", lambda: url_for("index"))
    app.register_module(module, name="renamed", url_prefix="/given", static_path="/files")
    client = app.test_client()
    assert client.get("/given/").text == "/given/"
    with client.get("/given/files/style.css") as response:
        assert response.text == "/* admin */"
    assert set(app.view_functions) == {"static", "renamed.static", "renamed.index"}


def test_module_on_a_subdomain():
    app = Flask("microflask_tests", root_path="/", subdomain_matching=True)
    app.config["SERVER_NAME"] = "shop.test"
    module = Module("old_site.admin", subdomain="admin")
    module.add_url_rule("/", "index", lambda: "admin")
    app.register_module(module)
    client = app.test_client()
    assert client.get("/", base_url="http://admin.shop.test").text == "admin"
    assert client.get("/", base_url="http://shop.test").status_code == 404


def test_names_of_endpoints_inside_of_a_module(app):
    admin, other = Module("old_site.admin", url_prefix="/admin"), Module("old_site.other", url_prefix="/other")
    admin.add_url_rule("/", "index", lambda: " ".join(map(url_for, ("index", ".index", "other.index"))))
    other.add_url_rule("/", "index", lambda: "")
    app.register_module(admin)
    app.register_module(other)
    app.add_url_rule("/", "index", lambda: " ".join(map(url_for, ("index", ".index", "admin.index"))))
    client = app.test_client()
    assert client.get("/admin/").text == "/admin/ / /other/"
    assert client.get("/").text == "/ / /admin/"


def test_templates_are_called_by_the_name_of_the_module(app, package):
    module = Module(package, url_prefix="/admin")
    module.add_url_rule("/", "index", lambda: render_template("admin/page.html"))
    app.register_module(module)
    assert app.test_client().get("/admin/").text == "page of admin"
    assert "admin/page.html" in app.jinja_env.list_templates()


def test_application_may_replace_a_template_of_a_module(app, package, tmp_path):
    (tmp_path / "templates" / "admin").mkdir(parents=True)
    (tmp_path / "templates" / "admin" / "page.html").write_text("replaced")
    app.register_module(Module(package))
    with app.app_context():
        assert render_template("admin/page.html") == "replaced"


def test_static_files_are_served_where_there_are_some(app, package):
    app.register_module(Module(package, url_prefix="/admin"))
    app.register_module(Module("old_site.frontend"))
    with app.test_client().get("/admin/static/style.css") as response:
        assert response.text == "/* admin */"
    assert "frontend.static" not in app.view_functions


def test_hooks_of_a_module_are_for_its_own_requests(app):
    module, log = Module("old_site.admin", url_prefix="/admin"), []
    module.before_request(lambda: log.append("before"))
    module.after_request(lambda response: log.append("after") or response)
    module.before_app_request(lambda: setattr(g, "seen", True))
    module.add_url_rule("/", "index", lambda: str(g.seen))
    app.register_module(module)
    app.add_url_rule("/", "index", lambda: str(g.seen))
    client = app.test_client()
    assert (client.get("/").text, log) == ("True", [])
    assert (client.get("/admin/").text, log) == ("True", ["before", "after"])


@pytest.mark.filterwarnings("error")
def test_registration_is_deprecated_in_0_10_only(app):
    if app.compat.name == "0.10":
        with pytest.warns(DeprecationWarning, match="Blueprint") as caught:
            app.register_module(Module("old_site.admin"))
        assert caught[0].filename == __file__
    else:
        app.register_module(Module("old_site.admin"))


def test_register_module_wants_a_module(app):
    with pytest.raises(AssertionError, match="register_blueprint"):
        app.register_module(Blueprint("bp", "microflask_tests"))


def test_module_may_be_registered_as_a_blueprint(app):
    module = Module("old_site.admin")
    module.add_url_rule("/", "index", lambda: request.module)
    app.register_blueprint(module, url_prefix="/a")
    assert app.test_client().get("/a/").text == "admin"


def test_modules_may_be_switched_off(app):
    app.enable_modules = False
    with pytest.raises(RuntimeError, match=r"enable_modules.*'admin'"):
        app.register_module(Module("old_site.admin"))
