"""What belongs to a blueprint beside its views: templates, static files, filters and commands."""

import pytest

from microflask import Blueprint, Flask, render_template, url_for

MODES = ("documented", "0.10", "3.1")


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


def make(mode="documented"):
    return Flask("microflask_tests", root_path="/", compat=mode)


def make_blueprint(name="bp", rule="/", **options):
    blueprint = Blueprint(name, "microflask_tests", root_path="/", **options)
    blueprint.add_url_rule(rule, "view", lambda: name)
    return blueprint


# -- templates and static files


@pytest.fixture
def site(tmp_path):
    """An application and two blueprints, each with a folder of templates and one of static files."""
    for owner, names in (("app", ["shared"]), ("first", ["shared", "both"]), ("second", ["both", "only"])):
        for folder in ("templates", "static"):
            (tmp_path / owner / folder).mkdir(parents=True)
            for name in names:
                (tmp_path / owner / folder / f"{name}.html").write_text(f"{name} of {owner}")
    return tmp_path


def test_templates_are_looked_for_in_order_of_registration(mode, site):
    app = Flask("microflask_tests", root_path=str(site / "app"), compat=mode)
    for name in ("first", "second"):
        blueprint = Blueprint(name, "microflask_tests", root_path=str(site / name), template_folder="templates")
        app.register_blueprint(blueprint)
    with app.app_context():
        names = ("shared", "both", "only")
        found = [render_template(f"{name}.html") for name in names]
    assert found == ["shared of app", "both of first", "only of second"]


def test_static_files_of_a_blueprint(mode, site):
    class Mine(Blueprint):
        def get_send_file_max_age(self, filename):
            return 7

    app = Flask("microflask_tests", root_path=str(site / "app"), compat=mode)
    app.register_blueprint(
        Mine("first", "microflask_tests", root_path=str(site / "first"), static_folder="static", url_prefix="/first")
    )
    app.register_blueprint(
        Blueprint(
            "second", "microflask_tests", root_path=str(site / "second"), static_folder="static",
            static_url_path="/files",
        )
    )  # fmt: skip
    client = app.test_client()
    with client.get("/first/static/both.html") as response:
        assert (response.text, response.cache_control.max_age) == ("both of first", 7)
    with client.get("/files/both.html") as response:
        assert response.text == "both of second"
    with client.get("/static/shared.html") as response:
        assert response.text == "shared of app"
    with app.test_request_context("/first/static/both.html"):
        assert url_for(".static", filename="a") == "/first/static/a"
        assert url_for("second.static", filename="a") == "/files/a"
        assert url_for("static", filename="a") == "/static/a"


def test_blueprint_without_static_folder_has_no_static_rule():
    app, blueprint = make(), make_blueprint()
    app.register_blueprint(blueprint)
    assert not blueprint.has_static_folder
    assert "bp.static" not in app.view_functions
    with app.test_request_context(), pytest.raises(RuntimeError, match="static_folder"):
        blueprint.send_static_file("a")


def test_resources_of_a_blueprint(site):
    blueprint = Blueprint("first", "microflask_tests", root_path=str(site / "first"))
    with blueprint.open_resource("static/both.html") as file:
        assert file.read() == b"both of first"


@pytest.mark.parametrize("form", ["decorator with a name", "decorator", "bare decorator", "method", "method, named"])
def test_filters_tests_and_globals_for_all_templates(mode, form):
    app, blueprint = make(mode), make_blueprint()
    named = "name" in form

    def shout(value="x"):
        return value.upper()

    def is_loud(value):
        return value.isupper()

    for kind, function in (("filter", shout), ("test", is_loud), ("global", shout)):
        name = f"my_{kind}" if named else None
        if form.startswith("method"):
            getattr(blueprint, f"add_app_template_{kind}")(function, name)
        elif form == "bare decorator":
            assert getattr(blueprint, f"app_template_{kind}")(function) is function
        else:
            assert getattr(blueprint, f"app_template_{kind}")(name)(function) is function
    app.register_blueprint(blueprint)
    env = app.jinja_env
    filters, tests, variables = ("my_filter", "my_test", "my_global") if named else ("shout", "is_loud", "shout")
    assert env.filters[filters] is shout
    assert env.tests[tests] is is_loud
    assert env.globals[variables] is shout


# -- commands


def test_commands_of_a_blueprint_are_merged():
    pytest.importorskip("microflask.commands", reason="there is no command line here")
    app = make()
    for name, options in (("grouped", {}), ("renamed", {"cli_group": "other"}), ("merged", {"cli_group": None})):
        blueprint = make_blueprint(name, f"/{name}", **options)
        blueprint.cli.command(f"do-{name}")(lambda: None)
        app.register_blueprint(blueprint)
    late = make_blueprint("late", "/late", cli_group="never")
    late.cli.command("do-late")(lambda: None)
    app.register_blueprint(late, cli_group="given")
    app.register_blueprint(make_blueprint("silent", "/silent"))
    assert set(app.cli.commands) == {"grouped", "other", "do-merged", "given"}
    assert set(app.cli.commands["other"].commands) == {"do-renamed"}
