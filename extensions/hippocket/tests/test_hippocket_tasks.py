"""autoload and setup_errors, row by row of what they promise."""

from __future__ import annotations

import importlib
import logging
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from microflask_hippocket import HipPocket
from microflask_hippocket.tasks import autoload, setup_errors
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import (
    MethodNotAllowed,
    NotFound,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    default_exceptions,
)

from microflask import Flask, Response, abort, escape, redirect

Write = Callable[..., None]


def routes(name: str, variable: str = "routes") -> str:
    """The source of a module with a blueprint that answers its own name at ``/<name>``."""
    return (
        f"from microflask import Blueprint\n{variable} = Blueprint({name!r}, __name__)\n"
        f"{variable}.add_url_rule('/{name}', 'index', lambda: {name!r})\n"
    )


@pytest.fixture
def apps(write: Write) -> None:
    """A package with blueprints at several depths, and with things that are none."""
    for package, name in [("", "root"), ("zoo/", "zoo"), ("bar/", "bar"), ("bar/deep/", "deep"), ("bar/a/", "a")]:
        write(f"apps/{package}__init__.py")
        write(f"apps/{package}routes.py", routes(name))
    write("apps/plain.py", "raise AssertionError('a plain module is not imported')\n")
    write("apps/empty/__init__.py")
    write("apps/empty/below/__init__.py")
    write("apps/empty/below/routes.py", routes("below"))
    write("apps/data/readme.txt", "no package")


@pytest.fixture
def warnings(app: Flask) -> Iterator[list[str]]:
    """The warnings in the application's logger."""
    messages: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno == logging.WARNING:
                messages.append(record.getMessage())

    handler = Handler()
    app.logger.addHandler(handler)
    yield messages
    app.logger.removeHandler(handler)


# -- autoload


def test_autoload_registers_the_root_and_all_below_in_alphabetical_order(
    app: Flask, apps: None, warnings: list[str]
) -> None:
    autoload(app)
    assert list(app.blueprints) == ["root", "bar", "a", "deep", "below", "zoo"]
    client = app.test_client()
    assert [client.get(f"/{name}").text for name in app.blueprints] == list(app.blueprints)
    assert warnings == []


def test_autoload_passes_over_plain_modules_and_packages_without_routes(
    app: Flask, apps: None, warnings: list[str]
) -> None:
    autoload(app)
    assert "apps.plain" not in sys.modules
    assert "apps.empty" in sys.modules
    assert warnings == []


def test_autoload_takes_other_names(app: Flask, write: Write) -> None:
    write("views_site/__init__.py")
    write("views_site/part/__init__.py")
    write("views_site/part/urls.py", routes("part", "blueprint"))
    autoload(app, "views_site", "urls", "blueprint")
    assert list(app.blueprints) == ["part"]
    other = Flask("other")
    autoload(other, apps_package="views_site", module_name="part.urls", blueprint_name="blueprint")
    assert list(other.blueprints) == ["part"]


def test_autoload_takes_a_module_object(app: Flask, apps: None) -> None:
    autoload(app, importlib.import_module("apps.bar"))
    assert list(app.blueprints) == ["bar", "a", "deep"]


def test_autoload_serves_several_applications_and_is_a_task(apps: None) -> None:
    hip_pocket = HipPocket(tasks=[autoload])
    for name in ("one", "two"):
        app = Flask(name)
        hip_pocket.init_app(app)
        assert app.test_client().get("/deep").text == "deep"


@pytest.mark.parametrize(("source", "reason"), [
    ("", "missing"), ("routes = 'text'\n", "no blueprint but 'text'"), ("routes = None\n", "no blueprint but None"),
])  # fmt: skip
def test_autoload_warns_of_routes_without_a_blueprint(
    app: Flask, apps: None, write: Write, warnings: list[str], source: str, reason: str
) -> None:
    write("apps/bar/routes.py", source)
    autoload(app)
    assert "bar" not in app.blueprints and "deep" in app.blueprints
    [warning] = warnings
    assert "apps.bar" in warning and reason in warning


@pytest.mark.parametrize("name", ["nowhere_at_all", "apps.nowhere", "nowhere_at_all.apps"])
def test_autoload_names_an_unknown_package(app: Flask, apps: None, name: str) -> None:
    for _ in range(2):
        with pytest.raises(ImportError, match=f"'{name}'"):
            autoload(app, name)


@pytest.mark.parametrize("name", ["", ".apps"])
def test_autoload_refuses_an_empty_or_relative_name(app: Flask, name: str) -> None:
    with pytest.raises(ValueError, match="full name"):
        autoload(app, name)


@pytest.mark.parametrize("package", ["apps.plain_file", types.ModuleType("made_up")])
def test_autoload_finds_nothing_in_a_plain_module(
    app: Flask, write: Write, warnings: list[str], package: Any
) -> None:
    write("apps/__init__.py")
    write("apps/plain_file.py")
    autoload(app, package)
    assert app.blueprints == {}
    assert "no package" in warnings[0]


BROKEN = [("import no_such_library\n", ModuleNotFoundError), ("1 / 0\n", ZeroDivisionError), ("def:\n", SyntaxError)]


@pytest.mark.parametrize(("source", "error"), BROKEN)
@pytest.mark.parametrize(("path", "name"), [
    ("apps/bar/__init__.py", "apps.bar"), ("apps/bar/routes.py", "apps.bar.routes"), ("apps/routes.py", "apps.routes"),
    ("apps/bar/deep/__init__.py", "apps.bar.deep"),
])  # fmt: skip
def test_autoload_raises_an_error_of_what_it_imports_as_it_is_or_hands_its_name_to_on_error(
    app: Flask, apps: None, write: Write, path: str, name: str, source: str, error: type[Exception]
) -> None:
    write(path, source)
    with pytest.raises(error) as raised:
        autoload(Flask("strict"))
    assert type(raised.value) is error

    told: list[tuple[str, Any]] = []
    autoload(app, on_error=lambda name: told.append((name, sys.exc_info()[0])))
    assert told == [(name, error)]
    assert "zoo" in app.blueprints
    assert ("deep" in app.blueprints) is not name.endswith(("bar", "deep"))


@pytest.mark.parametrize(("source", "error"), BROKEN)
def test_autoload_raises_an_error_of_the_package_itself_as_it_is(
    app: Flask, write: Write, source: str, error: type[Exception]
) -> None:
    write("apps/__init__.py", source)
    told: list[str] = []
    with pytest.raises(error) as raised:
        autoload(app, on_error=told.append)
    assert type(raised.value) is error
    assert told == []


def test_autoload_lets_an_error_of_on_error_out(app: Flask, apps: None, write: Write) -> None:
    write("apps/bar/routes.py", "1 / 0\n")

    def give_up(name: str) -> None:
        raise SystemExit(f"cannot load {name}")

    with pytest.raises(SystemExit, match=r"apps\.bar\.routes"):
        autoload(app, on_error=give_up)


def test_autoload_names_both_of_a_clash(app: Flask, apps: None, write: Write) -> None:
    write("apps/zoo/routes.py", routes("bar"))
    with pytest.raises(ValueError, match=r"'bar' of 'apps\.zoo\.routes'.*'apps\.bar\.routes'"):
        autoload(app, on_error=lambda name: None)


# -- setup_errors

TEMPLATE = "{{ code }}|{{ name }}|{{ description }}"


@pytest.fixture(params=["documented", "0.10", "3.1"])
def error_app(request: pytest.FixtureRequest, write: Write, tmp_path: Any) -> Flask:
    """An application in each of microflask's modes whose errors are answered by a template."""
    app = Flask("error_site", root_path=str(tmp_path), compat=request.param)
    app.logger.disabled = True
    write("templates/errors.html", TEMPLATE)
    write("templates/errors.txt", TEMPLATE)
    setup_errors(app)
    return app


@pytest.mark.parametrize("code", sorted(default_exceptions))
def test_every_http_error_is_answered_by_the_template_with_its_status(error_app: Flask, code: int) -> None:
    error_app.add_url_rule("/", "index", lambda: abort(code))
    response = error_app.test_client().get("/")
    assert response.status_code == code
    shown, name, description = response.text.split("|", 2)
    assert (shown, name) == (str(code), escape(default_exceptions[code]().name))
    assert description
    assert response.mimetype == "text/html"


def test_error_without_a_view_is_answered_too(error_app: Flask) -> None:
    assert error_app.test_client().get("/nowhere").text.startswith("404|Not Found|The requested URL")


@pytest.mark.parametrize("template", ["errors.html", "errors.txt"])
def test_description_is_escaped_once_in_any_template(error_app: Flask, template: str) -> None:
    setup_errors(error_app, template)
    error_app.add_url_rule("/", "index", lambda: abort(404, "<script>alert('&')</script>"))
    response = error_app.test_client().get("/")
    assert response.text == "404|Not Found|&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;"


@pytest.mark.parametrize(("error", "header", "value"), [
    (MethodNotAllowed(["GET", "PUT"]), "Allow", "GET, PUT"),
    (TooManyRequests(retry_after=7), "Retry-After", "7"),
    (ServiceUnavailable(retry_after=60), "Retry-After", "60"),
    (Unauthorized(www_authenticate=WWWAuthenticate("basic", {"realm": "cellar"})), "WWW-Authenticate",
     "Basic realm=cellar"),
])  # fmt: skip
def test_headers_of_an_error_are_kept(error_app: Flask, error: Exception, header: str, value: str) -> None:
    @error_app.route("/")
    def index() -> str:
        raise error

    response = error_app.test_client().get("/")
    assert response.headers[header].replace('"', "") == value
    assert response.headers.getlist("Content-Type") == ["text/html; charset=utf-8"]
    assert response.text.startswith(str(response.status_code))


def test_method_that_is_not_offered_keeps_allow(error_app: Flask) -> None:
    error_app.add_url_rule("/", "index", lambda: "", methods=["PUT"])
    response = error_app.test_client().get("/")
    assert response.status_code == 405
    assert response.allow.as_set() == {"put", "options"}


def test_unhandled_exception_is_a_500_without_its_text(error_app: Flask) -> None:
    @error_app.route("/")
    def index() -> str:
        raise ValueError("the secret")

    response = error_app.test_client().get("/")
    assert response.status_code == 500
    assert response.text.startswith("500|Internal Server Error|")
    assert "secret" not in response.text


@pytest.mark.parametrize("path", ["/moved", "/slash", "/aborted"])
def test_redirects_are_left_alone(error_app: Flask, path: str) -> None:
    error_app.add_url_rule("/moved", "moved", lambda: redirect("/there"))
    error_app.add_url_rule("/aborted", "aborted", lambda: abort(redirect("/there")))
    error_app.add_url_rule("/slash/", "slash", lambda: "")
    response = error_app.test_client().get(path)
    assert response.status_code in {301, 302, 308}
    assert "|" not in response.text


def test_error_with_a_response_of_its_own_is_left_alone(error_app: Flask) -> None:
    @error_app.route("/")
    def index() -> str:
        raise NotFound(response=Response("my own page", 404))

    response = error_app.test_client().get("/")
    assert (response.status_code, response.text) == (404, "my own page")


def test_missing_template_is_an_error_that_is_seen_but_the_500_page_still_comes(error_app: Flask) -> None:
    setup_errors(error_app, "missing.html")
    response = error_app.test_client().get("/nowhere")
    assert response.status_code == 500
    assert "Internal Server Error" in response.text
    error_app.testing = True
    with pytest.raises(Exception, match=r"missing\.html"):
        error_app.test_client().get("/nowhere")


def test_errors_of_several_applications_have_their_own_templates(
    error_app: Flask, write: Write, tmp_path: Any
) -> None:
    write("other/templates/errors.html", "other {{ code }}")
    other = Flask("other", root_path=str(tmp_path / "other"))
    HipPocket(other, tasks=[setup_errors])
    assert other.test_client().get("/nowhere").text == "other 404"
    assert error_app.test_client().get("/nowhere").text.startswith("404|")
