"""url_for: special arguments, places it works in, defaults, blueprints, and URLs that cannot be built."""

from __future__ import annotations

from typing import Any

import pytest
import werkzeug.routing
from markupsafe import Markup
from werkzeug.routing import BuildError

import microflask.routing
from microflask import Blueprint, Flask, Module, current_app, g, request, url_for

MODES = ("documented", "0.10", "3.1")


def add_rules(app: Flask) -> Flask:
    """Return `app` with a view for each kind of rule."""
    app.add_url_rule("/", "index", lambda: "")
    app.add_url_rule("/user/<int:n>", "user", lambda n: "")
    app.add_url_rule("/file/<path:name>", "file", lambda name: "")
    app.add_url_rule("/edit", "edit", lambda: "", methods=["GET"])
    app.add_url_rule("/edit/save", "edit", methods=["POST"])
    return app


@pytest.fixture
def site(app: Flask) -> Flask:
    return add_rules(app)


@pytest.fixture(params=MODES)
def any_site(any_app: Flask) -> Flask:
    return add_rules(any_app)


# -- arguments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "values", "url"),
    [
        ("index", {}, "/"),
        ("user", {"n": 3}, "/user/3"),
        ("user", {"n": "3"}, "/user/3"),
        ("user", {"n": 3, "page": 2, "q": "a b&c"}, "/user/3?page=2&q=a+b%26c"),
        ("user", {"n": 3, "page": None}, "/user/3"),
        ("index", {"tag": ["x", "y"], "none": None}, "/?tag=x&tag=y"),
        ("index", {"q": "\u00e4"}, "/?q=%C3%A4"),
        ("index", {"a": True, "b": 0, "c": ""}, "/?a=True&b=0&c="),
        ("file", {"name": "a/b c/\u00e9?#"}, "/file/a/b%20c/%C3%A9%3F%23"),
        ("edit", {"_method": "POST"}, "/edit/save"),
        ("edit", {"_method": "GET"}, "/edit"),
        ("index", {"_anchor": "top"}, "/#top"),
        ("index", {"_anchor": "x y<>\u00e9/", "q": 1}, "/?q=1#x%20y%3C%3E%C3%A9/"),
        ("index", {"_external": True}, "http://localhost/"),
        ("index", {"_external": True, "_scheme": "https"}, "https://localhost/"),
        ("index", {"_external": True, "_scheme": ""}, "//localhost/"),
        ("user", {"n": 1, "_external": True, "_anchor": "a", "q": 2}, "http://localhost/user/1?q=2#a"),
        ("index", {"self": 1, "app": 2, "request": 3, "values": 4}, "/?self=1&app=2&request=3&values=4"),
        ("static", {"filename": "css/a b.css"}, "/static/css/a%20b.css"),
    ],
)  # fmt: skip
def test_arguments(any_app: Flask, endpoint: str, values: dict[str, Any], url: str) -> None:
    with add_rules(any_app).test_request_context():
        assert url_for(endpoint, **values) == current_app.url_for(endpoint, **values) == url


def test_what_is_quoted_in_an_anchor(any_app: Flask) -> None:
    with add_rules(any_app).test_request_context():
        assert url_for("index", _anchor="a#b%41") == ("/#a%23b%2541" if any_app.compat.name == "0.10" else "/#a#b%41")


def test_scheme_without_external(any_app: Flask) -> None:
    with add_rules(any_app).test_request_context():
        if any_app.compat.name == "3.1":
            assert url_for("index", _scheme="https") == "https://localhost/"
        else:
            with pytest.raises(ValueError, match="_external=True"):
                url_for("index", _scheme="https")
        with pytest.raises(ValueError, match="_external=True"):
            url_for("index", _scheme="https", _external=False)


def test_a_scheme_does_not_stay(site: Flask) -> None:
    with site.test_request_context():
        assert url_for("index", _scheme="https", _external=True).startswith("https:")
        assert url_for("index", _external=True).startswith("http:")
        with pytest.raises(BuildError):
            url_for("missing", _scheme="https", _external=True)
        assert url_for("index", _external=True).startswith("http:")


def test_special_arguments_are_not_positional(site: Flask) -> None:
    with site.test_request_context(), pytest.raises(TypeError):
        url_for("index", "anchor")  # type: ignore[misc]


def test_values_that_were_given_stay_as_they_were(site: Flask) -> None:
    site.url_defaults(lambda endpoint, values: values.update(lang="en"))
    given = {"n": 1, "tags": ["a"]}
    with site.test_request_context():
        assert url_for("user", **given) == "/user/1?tags=a&lang=en"
    assert given == {"n": 1, "tags": ["a"]}


# -- places --------------------------------------------------------------------------------------------------------


def test_without_any_context() -> None:
    with pytest.raises(RuntimeError, match="app_context"):
        url_for("index")


def test_outside_of_a_request_the_server_name_has_to_be_known(any_app: Flask) -> None:
    site = add_rules(any_app)
    with site.app_context(), pytest.raises(RuntimeError, match="SERVER_NAME"):
        url_for("index")


def test_outside_of_a_request_urls_are_absolute(any_app: Flask) -> None:
    site = add_rules(any_app)
    site.config.update(SERVER_NAME="x.org:8080", APPLICATION_ROOT="/shop", PREFERRED_URL_SCHEME="https")
    with site.app_context():
        assert url_for("user", n=1) == "https://x.org:8080/shop/user/1"
        assert url_for("user", n=1, _external=False) == "/shop/user/1"
        assert url_for("index", _scheme="http", _anchor="a") == "http://x.org:8080/shop/#a"
        with pytest.raises(ValueError, match="_external"):
            url_for("index", _scheme="http", _external=False)
    assert site.url_for("index") == "https://x.org:8080/shop/"


def test_server_name_counts_inside_of_a_request_too(any_app: Flask) -> None:
    site = add_rules(any_app)
    site.config.update(SERVER_NAME="x.org", APPLICATION_ROOT="/shop", PREFERRED_URL_SCHEME="https")
    scheme = "https" if site.compat.preferred_scheme_in_tests else "http"
    with site.test_request_context():
        assert url_for("index", _external=True) == f"{scheme}://x.org/shop/"
    with site.test_request_context(base_url="http://x.org/other/"):
        assert url_for("index", _external=True) == "http://x.org/other/"
        assert url_for("index") == "/other/"


def test_the_script_name_of_the_request_stands_in_front(site: Flask) -> None:
    with site.test_request_context("/user/3", base_url="https://x.org/a/b"):
        assert url_for("user", n=3) == "/a/b/user/3"
        assert url_for("user", n=3, _external=True) == request.url == "https://x.org/a/b/user/3"


def test_an_application_context_inside_of_a_request_changes_nothing(site: Flask) -> None:
    with site.test_request_context(), site.app_context():
        assert url_for("index") == "/"


def test_after_the_configuration_changed(site: Flask) -> None:
    for name in ("one.org", "two.org"):
        site.config["SERVER_NAME"] = name
        with site.app_context():
            assert url_for("index") == f"http://{name}/"


# -- defaults ------------------------------------------------------------------------------------------------------


def test_url_defaults_are_added(any_app: Flask) -> None:
    any_app.add_url_rule("/<lang>/", "home", lambda: "")
    any_app.add_url_rule("/plain", "plain", lambda: "")

    @any_app.url_value_preprocessor
    def take_language(endpoint: str | None, values: dict[str, Any] | None) -> None:
        if values:
            g.lang = values.pop("lang", None)

    @any_app.url_defaults
    def add_language(endpoint: str, values: dict[str, Any]) -> None:
        if "lang" in g and current_app.url_map.is_endpoint_expecting(endpoint, "lang"):
            values.setdefault("lang", g.lang)

    any_app.view_functions["home"] = lambda: f"{url_for('home')} {url_for('home', lang='fr')} {url_for('plain')}"
    assert any_app.test_client().get("/de/").text == "/de/ /fr/ /plain"


def test_defaults_of_blueprints_count_for_their_endpoints(any_app: Flask) -> None:
    outer = Blueprint("outer", "outer", root_path="/", url_prefix="/<a>")
    inner = Blueprint("inner", "inner", root_path="/", url_prefix="/<b>")
    seen: list[str] = []

    def defaults(name: str, **added: str) -> Any:
        def add(endpoint: str, values: dict[str, Any]) -> None:
            seen.append(name)
            for key, value in added.items():
                values.setdefault(key, value)

        return add

    any_app.url_defaults(defaults("app", a="app"))
    outer.url_defaults(defaults("outer", a="outer", b="outer"))
    inner.url_defaults(defaults("inner", b="inner", c="inner"))
    inner.add_url_rule("/page", "page", lambda **_: "")
    outer.register_blueprint(inner)
    any_app.register_blueprint(outer)
    any_app.add_url_rule("/<a>", "top", lambda a: "")
    with any_app.test_request_context():
        assert url_for("outer.inner.page") == "/app/outer/page?c=inner"
        assert seen == ["app", "outer", "inner"]
        assert url_for("top") == "/app"
        assert seen[3:] == ["app"]
        assert url_for("outer.inner.page", a=1, b=2, c=3) == "/1/2/page?c=3"


def test_defaults_of_a_rule(any_app: Flask) -> None:
    any_app.add_url_rule("/users/", "users", lambda page: "", defaults={"page": 1})
    any_app.add_url_rule("/users/page/<int:page>", "users")
    with any_app.test_request_context():
        assert [url_for("users", page=page) for page in (1, 2)] == ["/users/", "/users/page/2"]
        assert url_for("users") == "/users/"


# -- blueprints ----------------------------------------------------------------------------------------------------


def relative_urls() -> str:
    return " ".join((url_for(".page"), url_for("shop.page"), url_for("index"), url_for(".page", _external=True)))


def test_a_dot_means_the_current_blueprint(any_app: Flask) -> None:
    site = add_rules(any_app)
    shop = Blueprint("shop", "shop", root_path="/")
    shop.add_url_rule("/page", "page", relative_urls)
    site.register_blueprint(shop, url_prefix="/shop")
    expected = "/shop/page /shop/page / http://localhost/shop/page"
    assert site.test_client().get("/shop/page").text == expected


def test_a_dot_without_a_blueprint_means_the_application(any_app: Flask) -> None:
    with add_rules(any_app).test_request_context("/"):
        assert url_for(".user", n=1) == "/user/1"
    with any_app.test_request_context("/no such page"):
        assert url_for(".user", n=1) == "/user/1"


def test_a_dot_counts_from_the_innermost_blueprint(any_app: Flask) -> None:
    outer, inner = (Blueprint(name, name, root_path="/", url_prefix=f"/{name}") for name in ("outer", "inner"))
    inner.add_url_rule("/a", "a", lambda: url_for(".b") + url_for("outer.inner.b") + url_for("outer.c"))
    inner.add_url_rule("/b", "b", lambda: "")
    outer.add_url_rule("/c", "c", lambda: "")
    outer.register_blueprint(inner)
    any_app.register_blueprint(outer)
    assert any_app.test_client().get("/outer/inner/a").text == "/outer/inner/b/outer/inner/b/outer/c"


def test_the_same_blueprint_under_two_names(app: Flask) -> None:
    shop = Blueprint("shop", "shop", root_path="/")
    shop.add_url_rule("/page", "page", lambda: url_for(".page"))
    for name in ("one", "two"):
        app.register_blueprint(shop, name=name, url_prefix=f"/{name}")
    client = app.test_client()
    assert [client.get(f"/{name}/page").text for name in ("one", "two")] == ["/one/page", "/two/page"]


def test_in_a_module_names_are_its_own(app: Flask) -> None:
    add_rules(app)
    admin = Module("site.admin", url_prefix="/admin")
    admin.add_url_rule("/", "index", lambda: f"{url_for('index')} {url_for('.index')} {url_for('other.page')}")
    other = Module("site.other", url_prefix="/other")
    other.add_url_rule("/page", "page", lambda: "")
    app.register_module(admin)
    app.register_module(other)
    client = app.test_client()
    assert client.get("/admin/").text == "/admin/ / /other/page"


# -- what cannot be built ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "values", "named"),
    [("nope", {}, "nope"), ("user", {}, "n"), ("edit", {"_method": "PUT"}, "PUT"), ("indx", {}, "index")],
)
def test_build_errors_name_what_is_wrong(site: Flask, endpoint: str, values: dict[str, Any], named: str) -> None:
    with site.test_request_context(), pytest.raises(BuildError, match=named):
        url_for(endpoint, **values)


def test_values_that_a_converter_refuses(site: Flask) -> None:
    with site.test_request_context(), pytest.raises(ValueError, match="abc"):
        url_for("user", n="abc")


def test_build_error_handlers_are_asked_in_turn(any_app: Flask) -> None:
    asked: list[Any] = []

    def nothing(error: BuildError, endpoint: str, values: dict[str, Any]) -> None:
        asked.append((error.endpoint, endpoint, dict(values)))

    def fails(error: BuildError, endpoint: str, values: dict[str, Any]) -> str:
        raise BuildError(f"again {endpoint}", values, None, None)

    def helps(error: BuildError, endpoint: str, values: dict[str, Any]) -> str:
        asked.append(error.endpoint)
        return f"/help/{endpoint}"

    any_app.url_build_error_handlers += [nothing, fails, helps]
    with any_app.test_request_context():
        assert url_for("gone", a=1, _anchor="x") == "/help/gone"
    (first, second, values), later = asked
    assert (first, second, later) == ("gone", "gone", "again gone")
    assert values == {"a": 1, "_anchor": "x", "_method": None, "_scheme": None, "_external": False}


def test_the_last_build_error_comes_out_when_nobody_helps(any_app: Flask) -> None:
    any_app.url_build_error_handlers.append(lambda error, endpoint, values: None)
    with any_app.test_request_context(), pytest.raises(BuildError, match="gone"):
        url_for("gone")


def test_other_errors_of_a_handler_come_out(app: Flask) -> None:
    app.url_build_error_handlers.append(lambda error, endpoint, values: 1 // 0)
    with app.test_request_context(), pytest.raises(ZeroDivisionError):
        url_for("gone")


def test_the_documented_build_error_handler(any_app: Flask) -> None:
    def look_up(error: BuildError, endpoint: str, **values: Any) -> str:
        if endpoint != "elsewhere":
            raise error
        assert isinstance(error, BuildError) and values.pop("_external") is False
        return f"http://elsewhere.org/{values['n']}"

    any_app.build_error_handler = look_up
    with any_app.test_request_context():
        assert url_for("elsewhere", n=4) == "http://elsewhere.org/4"
        with pytest.raises(BuildError, match="nowhere"):
            url_for("nowhere", n=4)


def test_url_for_may_be_overridden() -> None:
    class Site(Flask):
        def url_for(self, /, endpoint: str, **values: Any) -> str:  # type: ignore[override]
            return f"cdn:{endpoint}:{values.get('_external')}"

        def handle_url_build_error(self, error: BuildError, endpoint: str, values: dict[str, Any]) -> str:
            raise AssertionError("not asked")

    site = Site("site", root_path="/")
    with site.app_context():
        assert url_for("static", filename="a") == "cdn:static:None"
        assert microflask.render_template_string("{{ url_for('x', _external=true) }}") == "cdn:x:True"


def test_handle_url_build_error_may_be_overridden() -> None:
    class Site(Flask):
        def handle_url_build_error(self, error: BuildError, endpoint: str, values: dict[str, Any]) -> str:
            return f"#{endpoint}"

    with Site("site", root_path="/").test_request_context():
        assert url_for("missing") == "#missing"


def test_inject_url_defaults_may_be_called(app: Flask) -> None:
    app.url_defaults(lambda endpoint, values: values.setdefault("v", endpoint))
    values: dict[str, Any] = {}
    app.inject_url_defaults("a.b", values)
    assert values == {"v": "a.b"}


@pytest.mark.parametrize("value", [
    5, -5, 0, True, 1.0, "5", "-5", "\u0663", "a", "a b", "\u00e9", "a/b", "", "a.b~c", Markup("<"), b"x", 10**30,
    [1], None,
])  # fmt: skip
@pytest.mark.parametrize(
    "rule", ["/<v>", "/<int:v>", "/<float:v>", "/<path:v>", "/<int(fixed_digits=3):v>", "/x-<v>.y"]
)
def test_values_stand_in_a_url_as_with_werkzeug(rule: str, value: Any) -> None:
    built = []
    for package in (microflask.routing, werkzeug.routing):
        adapter = package.Map([package.Rule(rule, endpoint="e")]).bind("x.org")
        try:
            built.append(adapter.build("e", {"v": value, "w": value}))
        except Exception as error:
            built.append(type(error))
    assert built[0] == built[1]


def test_a_rule_may_decide_by_itself_which_values_suit(app: Flask) -> None:
    class Picky(microflask.routing.Rule):
        def suitable_for(self, values: Any, method: str | None = None) -> bool:
            return super().suitable_for(values, method) and values["v"] != 1

    app.url_rule_class = Picky
    app.add_url_rule("/<int:v>", "e", lambda v: "")
    with app.test_request_context():
        assert url_for("e", v=2) == "/2"
        with pytest.raises(BuildError):
            url_for("e", v=1)


def test_inject_url_defaults_may_be_overridden(app: Flask) -> None:
    class Site(Flask):
        def inject_url_defaults(self, endpoint: str, values: dict[str, Any]) -> None:
            values["by"] = "class"

    site = Site("site", root_path="/", static_folder=None)
    for some in (site, app):
        some.add_url_rule("/<by>", "page", lambda by: by)
    app.inject_url_defaults = lambda endpoint, values: values.update(by="hand")  # type: ignore[method-assign]
    for some, expected in ((site, "/class"), (app, "/hand")):
        with some.test_request_context("/"):
            assert url_for("page") == some.url_for("page") == expected


@pytest.mark.parametrize("root", ["", "/app", "/app/"])
@pytest.mark.parametrize(
    ("rule", "values", "path"),
    [
        ("/<path:p>", {"p": "//a/b"}, "/a/b"), ("/<path:p>", {"p": "/", "q": "/"}, "/?q=/"),
        ("/a/<p>", {"p": "x", "q": None, "r": [1, None, 2]}, "/a/x?r=1&r=2"), ("/a/<p>", {"p": 3, "q": None}, "/a/3"),
        ("/", {}, "/"), ("/a", {"_anchor": "b c"}, "/a#b%20c"), ("/a", {"_method": "GET"}, "/a"),
    ],
)  # fmt: skip
def test_urls_begin_with_the_root_of_the_application(
    app: Flask, root: str, rule: str, values: dict[str, Any], path: str
) -> None:
    app.add_url_rule(rule, "page", lambda **_: "")
    with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": root}):
        assert url_for("page", **values) == root.rstrip("/") + path
        with pytest.raises(BuildError):
            url_for("page", _method="PUT")


def test_another_rule_for_the_endpoint_counts_at_once(app: Flask) -> None:
    app.add_url_rule("/a", "page", lambda **_: "")
    with app.test_request_context("/"):
        assert url_for("page", n=1) == "/a?n=1"
        app.add_url_rule("/a/<int:n>", "page")
        assert url_for("page", n=1) == "/a/1" and url_for("page") == "/a"
        for wrong in ({"n": "x"}, {}):
            with pytest.raises((BuildError, ValueError)):
                app.add_url_rule("/b/<int:n>", f"page{wrong}")
                url_for(f"page{wrong}", **wrong)
