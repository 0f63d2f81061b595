"""The application object: its constructor, names, configuration, static files, logger and development server."""

import dataclasses
import inspect
import logging
import os
import sys
import warnings
from datetime import timedelta
from urllib.parse import unquote

import pytest
import werkzeug.serving
from werkzeug.exceptions import NotFound

from microflask import FLASK_0_10, FLASK_3_1, Compat, Flask, url_for

MODES = ("documented", "0.10", "3.1")
OLD_ORDER = ("documented", "0.10")


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


def make(mode="documented", **options):
    app = Flask("microflask_tests", root_path=os.path.dirname(__file__), compat=mode, **options)
    app.config["TESTING"] = True
    return app


# -- the constructor


@pytest.mark.parametrize("mode", OLD_ORDER)
def test_positional_arguments_have_the_documented_order(mode, tmp_path):
    app = Flask("some_name", None, "/files", "assets", "pages", str(tmp_path), True, compat=mode)
    assert app.static_url_path == "/files"
    assert os.path.basename(app.static_folder) == "assets"
    assert app.template_folder == "pages"
    assert app.instance_path == str(tmp_path)
    assert app.config.root_path == str(tmp_path)


def test_positional_arguments_of_3_1_have_another_order(tmp_path):
    app = Flask(
        "some_name", "/files", "assets", None, False, False, "pages", str(tmp_path), True, str(tmp_path), compat="3.1"
    )
    assert app.static_url_path == "/files"
    assert app.static_folder == os.path.join(tmp_path, "assets")
    assert app.template_folder == "pages"
    assert app.config.root_path == app.instance_path == app.root_path == str(tmp_path)


def test_host_matching_and_subdomain_matching_come_by_position_in_3_1():
    app = Flask("some_name", None, None, None, True, True, compat="3.1")
    assert app.url_map.host_matching is True
    assert app.subdomain_matching is True


def test_arguments_by_name_are_the_same_in_every_mode(mode, tmp_path):
    app = Flask(
        import_name="some_name", static_url_path="/files", static_folder="assets", template_folder="pages",
        instance_path=str(tmp_path), instance_relative_config=True, root_path=str(tmp_path), compat=mode,
    )  # fmt: skip
    assert (app.static_url_path, app.template_folder) == ("/files", "pages")
    assert app.static_folder == os.path.join(tmp_path, "assets")
    assert app.config.root_path == str(tmp_path)


@pytest.mark.filterwarnings("ignore:static_path:DeprecationWarning")
@pytest.mark.parametrize("mode", OLD_ORDER)
def test_static_path_is_another_name_of_static_url_path(mode):
    assert Flask("some_name", "/files", compat=mode).static_url_path == "/files"
    app = Flask("some_name", static_path="/files", compat=mode)
    assert app.static_path == app.static_url_path == "/files"
    app.static_path = "/other"
    assert app.static_url_path == "/other"


def test_static_path_is_deprecated_in_0_10_only(mode):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Flask("some_name", static_path="/files", compat=mode)
    assert [warning.category for warning in caught] == ([DeprecationWarning] if mode == "0.10" else [])
    assert all(warning.filename == __file__ for warning in caught)


@pytest.mark.parametrize(("mode", "too_many"), [("documented", 7), ("0.10", 7), ("3.1", 10)])
def test_too_many_positional_arguments_are_refused(mode, too_many):
    with pytest.raises(TypeError, match="positional"):
        Flask("some_name", *[None] * too_many, compat=mode)


@pytest.mark.filterwarnings("ignore:static_path:DeprecationWarning")
def test_argument_by_position_and_by_name_is_refused(mode):
    with pytest.raises(TypeError, match=r"static_url_path|static_path"):
        Flask("some_name", None, "/a", static_url_path="/a", static_path="/a", compat=mode)


def test_unknown_argument_is_named():
    with pytest.raises(TypeError, match="template_dir"):
        Flask("some_name", template_dir="pages")


def test_import_name_is_required():
    with pytest.raises(TypeError, match="import_name"):
        Flask()


def test_unknown_compat_names_the_known_ones():
    with pytest.raises(ValueError, match=r"'2\.0'.*'documented'.*'0\.10'.*'3\.1'"):
        Flask("some_name", compat="2.0")


def test_compat_may_be_a_row_of_ones_own():
    row = dataclasses.replace(FLASK_3_1, name="mine", jsonify_pretty=True)
    app = Flask("some_name", compat=row)
    assert app.compat is row
    assert Flask("some_name", compat=FLASK_0_10).compat.name == "0.10"


def test_row_stays_as_it_is():
    row = dataclasses.replace(FLASK_3_1, name="mine")
    with pytest.raises(dataclasses.FrozenInstanceError, match="jsonify_pretty of <Compat 'mine'>"):
        row.jsonify_pretty = True
    with pytest.raises(dataclasses.FrozenInstanceError, match="name of <Compat 'mine'>"):
        del row.name
    assert row == dataclasses.replace(FLASK_3_1, name="mine") != FLASK_3_1
    assert hash(row) == hash("mine")


def test_row_has_each_behaviour_and_no_other():
    values = vars(FLASK_3_1)
    assert Compat(**values) == FLASK_3_1
    with pytest.raises(TypeError, match="jsonify_prety"):
        dataclasses.replace(FLASK_3_1, jsonify_prety=True)
    with pytest.raises(TypeError, match="error_spec_by_class, name"):
        Compat(**{name: value for name, value in values.items() if name not in {"name", "error_spec_by_class"}})
    with pytest.raises(TypeError, match="positional"):
        Compat("mine")


def test_default_compat_is_the_documented_one():
    assert Flask("some_name").compat.name == "documented"


def test_signature_is_the_documented_one():
    parameters = list(inspect.signature(Flask).parameters)
    assert parameters[:7] == [
        "import_name", "static_path", "static_url_path", "static_folder", "template_folder", "instance_path",
        "instance_relative_config",
    ]  # fmt: skip


def test_relative_instance_path_is_refused(mode):
    with pytest.raises(ValueError, match="absolute"):
        Flask("some_name", instance_path="instance", compat=mode)


def test_instance_path_is_found_beside_the_module(tmp_path, monkeypatch):
    (tmp_path / "module_with_app.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    app = Flask("module_with_app")
    assert app.root_path == str(tmp_path)
    assert app.instance_path == str(tmp_path / "instance")


def test_instance_path_may_be_found_otherwise(tmp_path):
    class Elsewhere(Flask):
        def auto_find_instance_path(self):
            return str(tmp_path / self.name)

    assert Elsewhere("some_name").instance_path == str(tmp_path / "some_name")
    assert Elsewhere("some_name", instance_path=str(tmp_path)).instance_path == str(tmp_path)


def test_instance_resource_is_written_and_read(tmp_path):
    app = Flask("some_name", instance_path=str(tmp_path))
    with app.open_instance_resource("note.txt", "w") as file:
        file.write("häuser")
    with app.open_instance_resource("note.txt") as file:
        assert file.read() == "häuser".encode()


# -- names


def test_name_is_the_import_name_and_may_be_set():
    app = Flask("some_name")
    assert app.name == "some_name"
    assert "some_name" in repr(app)
    app.name = "another"
    assert app.name == "another"
    assert app.import_name == "some_name"


def test_name_of_a_program_is_that_of_its_file(monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "/srv/shop/run_shop.py", raising=False)
    assert Flask("__main__", root_path="/srv/shop").name == "run_shop"


def test_name_of_an_interactive_session_stays_main(monkeypatch):
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    assert Flask("__main__", root_path="/srv").name == "__main__"


# -- configuration


@pytest.mark.parametrize("mode", OLD_ORDER)
def test_default_configuration_is_the_documented_one(mode):
    config = Flask("some_name", compat=mode).config
    documented = {
        "JSON_AS_ASCII": True, "USE_X_SENDFILE": False, "SESSION_COOKIE_PATH": None, "SESSION_COOKIE_DOMAIN": None,
        "SESSION_COOKIE_NAME": "session", "LOGGER_NAME": None, "DEBUG": False, "SECRET_KEY": None,
        "MAX_CONTENT_LENGTH": None, "APPLICATION_ROOT": None, "SERVER_NAME": None, "PREFERRED_URL_SCHEME": "http",
        "JSONIFY_PRETTYPRINT_REGULAR": True, "TESTING": False, "PERMANENT_SESSION_LIFETIME": timedelta(31),
        "PROPAGATE_EXCEPTIONS": None, "TRAP_BAD_REQUEST_ERRORS": False, "JSON_SORT_KEYS": True,
        "SESSION_COOKIE_HTTPONLY": True, "SEND_FILE_MAX_AGE_DEFAULT": 43200, "PRESERVE_CONTEXT_ON_EXCEPTION": None,
        "SESSION_COOKIE_SECURE": False, "TRAP_HTTP_EXCEPTIONS": False,
    }  # fmt: skip
    assert dict(Flask.default_config).items() >= documented.items()
    # "By default the logger name is the package name passed to the constructor", and so it stands there.
    assert {key: config[key] for key in documented} == documented | {"LOGGER_NAME": "some_name"}


def test_default_configuration_of_3_1():
    config = Flask("some_name", compat="3.1").config
    assert config["APPLICATION_ROOT"] == "/"
    assert config["SEND_FILE_MAX_AGE_DEFAULT"] is None
    assert config["TRAP_BAD_REQUEST_ERRORS"] is None
    assert config["MAX_FORM_MEMORY_SIZE"] == 500_000
    assert "LOGGER_NAME" not in config
    assert "JSON_SORT_KEYS" not in config


def test_configuration_is_not_shared():
    one, other = Flask("some_name"), Flask("some_name")
    one.config["SECRET_KEY"] = "one"
    assert other.config["SECRET_KEY"] is None
    assert Flask.default_config["SECRET_KEY"] is None


def test_subclass_may_change_the_defaults(mode):
    class Mine(Flask):
        default_config = {**Flask.default_config, "SESSION_COOKIE_NAME": "mine", "MY_KEY": 1}

    config = Mine("some_name", compat=mode).config
    assert config["SESSION_COOKIE_NAME"] == "mine"
    assert config["MY_KEY"] == 1
    assert config["TESTING"] is False


def test_configuration_is_made_by_make_config():
    calls = []

    class Mine(Flask):
        def make_config(self, instance_relative=False):
            calls.append(instance_relative)
            config = super().make_config(instance_relative)
            config["MADE"] = True
            return config

    assert Mine("some_name", instance_relative_config=True).config["MADE"] is True
    assert calls == [True]


@pytest.mark.parametrize(
    ("attribute", "key", "value"),
    [
        ("debug", "DEBUG", True),
        ("testing", "TESTING", True),
        ("secret_key", "SECRET_KEY", "a key"),
        ("session_cookie_name", "SESSION_COOKIE_NAME", "biscuit"),
        ("permanent_session_lifetime", "PERMANENT_SESSION_LIFETIME", timedelta(days=2)),
        ("use_x_sendfile", "USE_X_SENDFILE", True),
    ],
)
def test_attribute_and_configuration_are_one(mode, attribute, key, value):
    app = Flask("some_name", compat=mode)
    assert getattr(app, attribute) == app.config[key]
    setattr(app, attribute, value)
    assert app.config[key] == value
    app.config[key] = app.default_config[key]
    assert getattr(app, attribute) == app.default_config[key]


def test_lifetime_given_in_seconds_is_converted():
    app = Flask("some_name")
    app.config["PERMANENT_SESSION_LIFETIME"] = 90
    assert app.permanent_session_lifetime == timedelta(seconds=90)


@pytest.mark.parametrize(
    ("config", "propagates"),
    [
        ({}, False),
        ({"DEBUG": True}, True),
        ({"TESTING": True}, True),
        ({"TESTING": True, "PROPAGATE_EXCEPTIONS": False}, False),
        ({"PROPAGATE_EXCEPTIONS": True}, True),
    ],
)
def test_propagate_exceptions_has_a_sensible_default(mode, config, propagates):
    app = Flask("some_name", compat=mode)
    app.config.update(config)
    assert app.propagate_exceptions is propagates


@pytest.mark.parametrize(("mode", "default"), [("documented", True), ("0.10", True), ("3.1", False)])
def test_preserve_context_on_exception_follows_debug_in_old_modes(mode, default):
    app = Flask("some_name", compat=mode)
    assert app.preserve_context_on_exception is False
    app.debug = True
    assert app.preserve_context_on_exception is default
    app.config["PRESERVE_CONTEXT_ON_EXCEPTION"] = not default
    assert app.preserve_context_on_exception is not default


@pytest.mark.parametrize(("mode", "debug"), [("documented", True), ("0.10", False), ("3.1", True)])
@pytest.mark.parametrize("variable", ["FLASK_DEBUG", "MICROFLASK_DEBUG"])
def test_debug_flag_in_the_environment(mode, debug, variable, monkeypatch):
    monkeypatch.setenv(variable, "1")
    assert Flask("some_name", compat=mode).debug is debug
    monkeypatch.setenv(variable, "0")
    assert Flask("some_name", compat=mode).debug is False


# -- static files


@pytest.fixture
def site(tmp_path):
    for name in ("static", "assets"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "style.css").write_text(f"/* {name} */")
    (tmp_path / "secret.txt").write_text("secret")
    return str(tmp_path)


def fetch(app, path):
    with app.test_client().get(path) as response:
        return response.status_code, response.get_data(as_text=True)


def test_static_folder_is_served_under_its_name(mode, site):
    app = Flask("some_name", root_path=site, compat=mode)
    assert app.has_static_folder
    assert app.static_folder == os.path.join(site, "static")
    assert app.static_url_path == "/static"
    assert fetch(app, "/static/style.css") == (200, "/* static */")
    assert fetch(app, "/static/nothing.css")[0] == 404
    with app.test_request_context():
        assert url_for("static", filename="style.css") == "/static/style.css"


@pytest.mark.parametrize("name", ["../secret.txt", "%2e%2e/secret.txt", "%00", "/etc/passwd", "a/../../secret.txt"])
def test_static_files_stay_inside_of_their_folder(site, name):
    assert fetch(Flask("some_name", root_path=site), f"/static/{name}")[0] in {308, 404}
    app = Flask("some_name", root_path=site)
    with app.test_request_context(), pytest.raises(NotFound):
        app.send_static_file(unquote(name))


def test_static_folder_and_url_may_be_chosen(site):
    app = Flask("some_name", root_path=site, static_folder="assets", static_url_path="/files/")
    assert fetch(app, "/files/style.css") == (200, "/* assets */")
    assert fetch(Flask("some_name", root_path=site, static_folder="assets"), "/assets/style.css")[0] == 200
    assert fetch(Flask("some_name", root_path=site, static_url_path=""), "/style.css") == (200, "/* static */")


def test_application_without_static_folder(site):
    app = Flask("some_name", root_path=site, static_folder=None)
    assert not app.has_static_folder
    assert (app.static_folder, app.static_url_path) == (None, None)
    assert list(app.url_map.iter_rules()) == []
    with app.test_request_context(), pytest.raises(RuntimeError, match="static_folder"):
        app.send_static_file("style.css")


@pytest.mark.parametrize(("mode", "cached"), [("documented", True), ("0.10", True), ("3.1", False)])
def test_static_files_are_cached_by_default_in_old_modes(mode, cached, site):
    app = Flask("some_name", root_path=site, compat=mode)
    with app.test_client().get("/static/style.css") as response:
        assert response.cache_control.max_age == (43200 if cached else None)
        assert response.cache_control.public is cached
        assert bool(response.cache_control.no_cache) is not cached


def test_age_of_static_files_may_depend_on_their_name(site):
    class Mine(Flask):
        def get_send_file_max_age(self, name):
            return 60 if name.lower().endswith(".css") else super().get_send_file_max_age(name)

    app = Mine("some_name", root_path=site)
    with app.test_client().get("/static/style.css") as response:
        assert response.cache_control.max_age == 60
    with app.app_context():
        assert app.get_send_file_max_age("x.js") == 43200
        app.config["SEND_FILE_MAX_AGE_DEFAULT"] = timedelta(minutes=2)
        assert app.get_send_file_max_age("x.js") == 120


def test_static_files_answer_conditional_requests(mode, site):
    client = Flask("some_name", root_path=site, compat=mode).test_client()
    with client.get("/static/style.css") as response:
        etag = response.headers["ETag"]
    with client.get("/static/style.css", headers={"If-None-Match": etag}) as response:
        assert (response.status_code, response.data) == (304, b"")


def test_overridden_send_static_file_is_used(site):
    class Mine(Flask):
        def send_static_file(self, filename):
            return f"sent {filename}"

    assert fetch(Mine("some_name", root_path=site), "/static/a/b.css") == (200, "sent a/b.css")


def test_static_host_needs_host_matching_and_the_other_way_round(site):
    for options in ({"static_host": "cdn.test"}, {"host_matching": True}):
        with pytest.raises(AssertionError, match="static_host"):
            Flask("some_name", root_path=site, **options)
    app = Flask("some_name", root_path=site, static_host="cdn.test", host_matching=True)
    client = app.test_client()
    with client.get("/static/style.css", base_url="http://cdn.test") as response:
        assert response.status_code == 200
    assert client.get("/static/style.css", base_url="http://www.test").status_code == 404


# -- the logger


@pytest.mark.parametrize(("mode", "name"), [("documented", "by.import"), ("0.10", "by.import"), ("3.1", "by.name")])
def test_logger_is_named_by_import_name_or_name(mode, name):
    app = Flask("by.import", root_path="/", compat=mode)
    app.name = "by.name"
    assert app.logger.name == name
    assert app.logger is logging.getLogger(name)


@pytest.mark.parametrize("mode", OLD_ORDER)
def test_logger_name_is_configured_or_assigned(mode):
    app = make(mode)
    assert app.logger_name == "microflask_tests"
    app.config["LOGGER_NAME"] = "configured"
    assert app.logger.name == app.logger_name == "configured"
    app.logger_name = "assigned"
    assert app.logger.name == app.config["LOGGER_NAME"] == "assigned"


def test_another_logger_may_be_assigned(mode):
    app = make(mode)
    logger = logging.getLogger("of.the.house")
    app.logger = logger
    assert app.logger is logger


# -- the development server


def index():
    return "index"


@pytest.fixture
def served(monkeypatch):
    """What run_simple() was called with."""
    calls = []
    monkeypatch.setattr(
        werkzeug.serving, "run_simple", lambda host, port, app, **options: calls.append((host, port, app, options))
    )
    monkeypatch.setenv("FLASK_SKIP_DOTENV", "1")
    monkeypatch.delenv("FLASK_RUN_FROM_CLI", raising=False)
    for variable in ("FLASK_DEBUG", "MICROFLASK_DEBUG"):
        monkeypatch.delenv(variable, raising=False)
    return calls


@pytest.mark.parametrize(("mode", "debug"), [("documented", True), ("0.10", False), ("3.1", True)])
def test_server_takes_the_debug_flag_from_the_environment(mode, debug, served, monkeypatch):
    app = make(mode)
    monkeypatch.delenv("FLASK_SKIP_DOTENV")
    monkeypatch.setenv("MICROFLASK_DEBUG", "1")
    app.run(use_reloader=False)
    assert app.debug is debug
    monkeypatch.setenv("MICROFLASK_DEBUG", "0")
    app.run()
    assert app.debug is False


def test_server_listens_on_the_local_host_by_default(mode, served):
    app = make(mode)
    app.run()
    host, port, application, options = served[0]
    assert (host, port) == ("127.0.0.1", 5000)
    assert application is app
    assert (options["use_reloader"], options["use_debugger"]) == (False, False)


@pytest.mark.parametrize(("mode", "host"), [("documented", "127.0.0.1"), ("0.10", "127.0.0.1"), ("3.1", "shop.test")])
def test_server_name_gives_the_port_and_in_3_1_the_host(mode, host, served):
    app = make(mode)
    app.config["SERVER_NAME"] = "shop.test:8080"
    app.run()
    app.run("0.0.0.0", 9000)
    app.run(port=0)
    assert [call[:2] for call in served] == [(host, 8080), ("0.0.0.0", 9000), (host, 0)]


def test_server_name_without_a_port(mode, served):
    app = make(mode)
    app.config["SERVER_NAME"] = "shop.test"
    app.run()
    assert served[0][1] == 5000


def test_port_given_as_text_becomes_a_number(served):
    make().run(port="8000")
    assert served[0][1] == 8000


def test_debug_switches_reloader_and_debugger_on(mode, served):
    app = make(mode)
    app.run(debug=True)
    assert app.debug is True
    assert (served[0][3]["use_reloader"], served[0][3]["use_debugger"]) == (True, True)
    app.run(debug=True, use_reloader=False, use_evalex=False, threaded=False)
    options = served[1][3]
    assert (options["use_reloader"], options["use_evalex"], options["threaded"]) == (False, False, False)
    app.run(debug=False)
    assert app.debug is False


def test_run_does_nothing_below_the_command_line(served, monkeypatch, capsys):
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")
    make().run()
    assert served == []
    assert "run" in capsys.readouterr().err


def test_set_up_is_possible_again_after_the_server_ended(served):
    app = make()
    app.test_client().get("/")
    app.run()
    app.add_url_rule("/", view_func=index)
    assert app.test_client().get("/").status_code == 200
