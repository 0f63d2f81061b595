"""The documented API: every name takes what the document says, and every example of it runs.

The number in a docstring is the line of the document at which the example begins. The examples are translated to
Python 3, shortened, and made to show that they work.
"""

from __future__ import annotations

import ast
import functools
import inspect
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import BaseConverter, BuildError
from werkzeug.test import create_environ

import microflask
from microflask import (
    Blueprint,
    Config,
    Flask,
    Markup,
    _request_ctx_stack,
    abort,
    after_this_request,
    copy_current_request_context,
    g,
    get_template_attribute,
    has_request_context,
    jsonify,
    make_response,
    render_template,
    render_template_string,
    request,
    safe_join,
    send_from_directory,
    session,
    stream_with_context,
    url_for,
)
from microflask import json as flask_json
from microflask.sessions import SessionInterface, SessionMixin
from microflask.views import MethodView, View

# -- names and parameters ------------------------------------------------------------------------------------------

ROWS = json.loads(Path(__file__).with_name("documented_api.json").read_text(encoding="utf-8"))
#: What the document calls otherwise than it is: the class that stands behind a proxy.
OWNERS = {"session": "sessions.SecureCookieSession"}


def full_name(row: dict[str, Any]) -> str:
    return ".".join(part for part in (row["owner"], row["name"]) if part)


def find(name: str, owner: str) -> Any:
    """Return what a documented name stands for."""
    found: Any = microflask
    for part in filter(None, OWNERS.get(owner, owner).split(".")):
        found = getattr(found, part)
    for part in name.split("."):
        if not hasattr(found, part):
            # Set when the object is made.
            found = EXAMPLES[owner]()
        found = getattr(found, part)
    return found


EXAMPLES: dict[str, Any] = {
    "Flask": lambda: Flask("example", root_path="/"),
    "Blueprint": lambda: Blueprint("example", "example", root_path="/"),
    "Request": lambda: microflask.Request({"wsgi.url_scheme": "http"}),
    "blueprints.BlueprintSetupState": lambda: Blueprint("b", "b", root_path="/").make_setup_state(
        Flask("example", root_path="/"), {}
    ),
}


def documented_parameters(signature: str) -> list[tuple[str, Any]]:
    """Return (name, default) for each parameter of a documented signature; the default is empty when there is none."""
    arguments = ast.parse(f"def f{signature}: pass").body[0].args  # type: ignore[attr-defined]
    names = [argument.arg for argument in arguments.args]
    defaults = [ast.literal_eval(value) for value in arguments.defaults]
    return list(zip(names, [inspect.Parameter.empty] * (len(names) - len(defaults)) + defaults, strict=True))


def test_the_list_is_whole() -> None:
    assert len({full_name(row) for row in ROWS}) == 276


#: A default that the document prints and that became another one of the same meaning.
SAME_DEFAULTS = {("category_filter", "[]"): "()", ("exc", "None"): "<object", ("secure", "None"): "False"}


@pytest.mark.parametrize("row", ROWS, ids=full_name)
def test_documented_names_take_documented_parameters(row: dict[str, Any]) -> None:
    found = find(row["name"], row["owner"])
    if row["signature"] is None:
        return
    assert callable(found)
    if inspect.isbuiltin(found):
        return
    wanted = documented_parameters(row["signature"])
    real = inspect.signature(found).parameters
    positional = [each for each in real.values() if each.kind in {each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD}]
    if positional and positional[0].name == "self":
        del positional[0]
    kinds = {each.kind for each in real.values()}
    for at, (name, default) in enumerate(wanted):
        if at >= len(positional):
            assert inspect.Parameter.VAR_POSITIONAL in kinds, f"{name} cannot be given by position"
            continue
        # What is called otherwise today comes by its old name with the keyword arguments.
        assert positional[at].name == name or inspect.Parameter.VAR_KEYWORD in kinds
        if default is not inspect.Parameter.empty:
            shown = repr(positional[at].default)
            assert shown == repr(default) or shown.startswith(SAME_DEFAULTS[name, repr(default)])
    if "**" in row["signature"] and wanted:
        assert inspect.Parameter.VAR_KEYWORD in kinds


# -- examples: the application -------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Flask:
    """An application with a folder of its own."""
    for folder in ("templates", "static", "uploads", "wiki"):
        (tmp_path / folder).mkdir()
    app = Flask("example", root_path=str(tmp_path))
    app.config.update(TESTING=True, SECRET_KEY="a key", UPLOAD_FOLDER="uploads")
    return app


def get(app: Flask, path: str = "/", **kwargs: Any) -> Any:
    return app.test_client().get(path, buffered=True, **kwargs)


def test_an_application_of_a_module() -> None:
    """18: made of the module's name."""
    app = Flask(__name__)
    assert app.import_name == __name__ and app.root_path == str(Path(__file__).parent)


def test_an_application_of_a_package() -> None:
    """30: made of the package's name, in two ways."""
    first, second = Flask("microflask"), Flask(View.__module__.split(".")[0])
    assert first.root_path == second.root_path == str(Path(microflask.__file__).parent)


def test_rules_without_a_decorator(site: Flask) -> None:
    """72, 79, 86: route(), add_url_rule() with a view, and view_functions."""

    @site.route("/a")
    def first() -> str:
        return "first"

    def second() -> str:
        return "second"

    site.add_url_rule("/b", "second", second)
    site.add_url_rule("/c", "third")
    site.view_functions["third"] = lambda: "third"
    assert [get(site, path).text for path in ("/a", "/b", "/c")] == ["first", "second", "third"]


def test_an_application_context(site: Flask) -> None:
    """118: current_app is bound in the block."""
    with site.app_context():
        assert microflask.current_app.name == "example"
    assert not microflask.has_app_context()


def test_an_endpoint_by_decorator(site: Flask) -> None:
    """240: a view for an endpoint that has its rule from elsewhere."""
    site.add_url_rule("/x", "example.endpoint")

    @site.endpoint("example.endpoint")
    def example() -> str:
        return "an example"

    assert get(site, "/x").text == "an example"


def test_error_handlers(site: Flask) -> None:
    """255, 262: for a status, and for exceptions of one's own."""

    class DatabaseError(Exception):
        pass

    @site.errorhandler(404)
    def missing(error: Exception) -> Any:
        return "not here", 404

    @site.errorhandler(DatabaseError)
    def broken(error: Exception) -> Any:
        return "no database", 500

    def view() -> str:
        raise DatabaseError

    site.add_url_rule("/db", "db", view)
    assert [(get(site, path).text, get(site, path).status_code) for path in ("/no", "/db")] == [
        ("not here", 404), ("no database", 500),
    ]  # fmt: skip


@pytest.mark.parametrize("compat", ["documented", "0.10", "3.1"])
def test_an_error_handler_by_assignment(compat: str) -> None:
    """269: error_handler_spec is written to."""
    app = Flask("spec", root_path="/", compat=compat)
    app.error_handler_spec[None][404] = lambda error: ("assigned", 404)
    assert get(app, "/no").text == "assigned"


def test_the_state_of_an_extension(site: Flask) -> None:
    """285: under its name in extensions."""
    if not hasattr(site, "extensions"):
        site.extensions = {}
    site.extensions["name"] = state = object()
    assert site.extensions["name"] is state


@pytest.mark.parametrize("base", [Flask, Blueprint])
def test_max_age_by_file_name(site: Flask, base: type[Any]) -> None:
    """310, 997: get_send_file_max_age is overridden."""

    class Own(base):  # type: ignore[misc]
        def get_send_file_max_age(self, name: str) -> Any:
            return 60 if name.lower().endswith(".js") else base.get_send_file_max_age(self, name)

    owner = Own("own", "own", root_path=site.root_path) if base is Blueprint else Own("own", root_path=site.root_path)
    with site.app_context():
        assert (owner.get_send_file_max_age("A.JS"), owner.get_send_file_max_age("a.css")) == (60, 43200)


def test_log_messages(site: Flask, caplog: pytest.LogCaptureFixture) -> None:
    """413: three levels, with arguments."""
    site.debug = True
    site.logger.propagate = True
    site.logger.debug("a value")
    site.logger.warning("a warning (%d apples)", 42)
    site.logger.error("an error")
    assert [record.getMessage() for record in caplog.records] == ["a value", "a warning (42 apples)", "an error"]


@pytest.mark.parametrize("owner", ["application", "blueprint"])
def test_resources(site: Flask, tmp_path: Path, owner: str) -> None:
    """476, 1026: a file beside the package is opened."""
    (tmp_path / "schema.sql").write_text("create", encoding="utf-8")
    opener: Any = site if owner == "application" else Blueprint("b", "b", root_path=str(tmp_path))
    with opener.open_resource("schema.sql") as binary, opener.open_resource("schema.sql", mode="r") as text:
        assert (binary.read(), text.read()) == (b"create", "create")


def test_a_request_context_of_an_environ(site: Flask) -> None:
    """561, 567: with a block, and with push and pop."""
    environ = create_environ("/p")
    with site.request_context(environ) as ctx:
        assert request.path == "/p" and ctx is _request_ctx_stack.top
    ctx = site.request_context(environ)
    ctx.push()
    try:
        assert request.path == "/p"
    finally:
        ctx.pop()
    assert not has_request_context()


def test_the_first_route(site: Flask) -> None:
    """588: a decorated view."""

    @site.route("/")
    def index() -> str:
        return "Hi"

    assert get(site).text == "Hi"


def test_teardown_at_the_end_of_contexts(site: Flask) -> None:
    """663, 689: the functions are called by pop()."""
    ended: list[str] = []
    site.teardown_appcontext(lambda error: ended.append("application"))
    site.teardown_request(lambda error: ended.append("request"))
    both = (site.app_context(), ["application"]), (site.test_request_context(), ["request", "application"])
    for ctx, expected in both:
        ctx.push()
        assert ended == []
        ctx.pop()
        assert ended == expected
        ended.clear()


def test_a_filter_a_global_and_a_test(site: Flask) -> None:
    """719, 728, 740: registered by their functions' names."""

    @site.template_filter()
    def reverse(text: str) -> str:
        return text[::-1]

    @site.template_global()
    def double(number: int) -> int:
        return number * 2

    @site.template_test()
    def is_prime(number: int) -> bool:
        return all(number % divisor for divisor in range(2, number))

    with site.app_context():
        assert render_template_string("{{ 'ab'|reverse }} {{ double(4) }} {{ 7 is is_prime }}") == "ba 8 True"


def test_exceptions_reach_the_test_client(site: Flask) -> None:
    """759: with app.testing set."""
    site.testing = True
    site.add_url_rule("/", "index", lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        site.test_client().get("/")


def test_a_client_in_a_with_block(site: Flask) -> None:
    """765: the request can be looked at afterwards."""
    with site.test_client() as client:
        client.get("/?vodka=42")
        assert request.args["vodka"] == "42"


def test_a_converter(site: Flask) -> None:
    """827: lists in URLs."""

    class Words(BaseConverter):
        def to_python(self, value: str) -> list[str]:
            return value.split(",")

        def to_url(self, values: Any) -> str:
            return ",".join(BaseConverter.to_url(self, value) for value in values)

    site.url_map.converters["list"] = Words
    site.add_url_rule("/<list:words>", "words", lambda words: url_for("words", words=[*words, "c"]))
    assert get(site, "/a,b").text == "/a,b,c"


def test_middleware(site: Flask) -> None:
    """872, 877: around the application, or around wsgi_app."""

    class Middleware:
        def __init__(self, application: Any) -> None:
            self.application = application

        def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
            environ["PATH_INFO"] += "b"
            return self.application(environ, start_response)

    site.add_url_rule("/<name>", "index", lambda name: name)
    site.wsgi_app = Middleware(site.wsgi_app)  # type: ignore[method-assign]
    assert get(site, "/a").text == "ab"
    outer = Middleware(site)
    started: list[Any] = []
    assert b"".join(outer(create_environ("/a"), lambda *given: started.append(given))) == b"abb"


# -- examples: requests and sessions -------------------------------------------------------------------------------


def test_parts_of_a_url(site: Flask) -> None:
    """1131: an application below a host."""
    with site.test_request_context("/page.html?x=y", base_url="http://www.example.com/myapplication"):
        seen = (request.path, request.script_root, request.base_url, request.url, request.url_root)
    root = "http://www.example.com/myapplication"
    assert seen == ("/page.html", "/myapplication", f"{root}/page.html", f"{root}/page.html?x=y", f"{root}/")


def test_changes_inside_of_a_session_value(site: Flask) -> None:
    """1276: modified is to be set."""
    with site.test_request_context():
        session["objects"] = []
        session.modified = False
        session["objects"].append(42)
        assert not session.modified
        session.modified = True
        assert session.modified


def test_a_session_interface_of_ones_own(site: Flask) -> None:
    """1294, 1302: a dict with the mixin, and the interface that opens it."""

    class Session(dict, SessionMixin):  # type: ignore[type-arg,misc]
        pass

    class Memory(SessionInterface):
        kept: dict[str, Any] = {}

        def open_session(self, app: Any, request: Any) -> Any:
            return Session(self.kept)

        def save_session(self, app: Any, session: Any, response: Any) -> None:
            self.kept.update(session)

    site.session_interface = Memory()
    site.add_url_rule("/", "index", lambda: str(session.setdefault("n", 1)) + str(session.permanent))
    assert get(site).text == "1False" and Memory.kept == {"n": 1}


def test_a_session_transaction(site: Flask) -> None:
    """1405: a value for the next request."""
    client = site.test_client()
    with client.session_transaction() as opened:
        opened["value"] = 42
    with client:
        client.get("/")
        assert session["value"] == 42


def test_reading_g(site: Flask) -> None:
    """1436: getattr with a default, and get()."""
    with site.app_context():
        assert getattr(g, "user", None) is g.get("user", None) is None
        g.user = "me"
        assert g.get("user") == "me" and "user" in g and list(g) == ["user"]


@pytest.mark.parametrize("asking", ["function", "truth"])
def test_a_model_that_may_know_the_request(site: Flask, asking: str) -> None:
    """1454, 1465: has_request_context(), or the truth of the proxy."""

    class User:
        def __init__(self, name: str, remote_addr: str | None = None) -> None:
            there = has_request_context() if asking == "function" else bool(request)
            self.remote_addr = request.remote_addr if remote_addr is None and there else remote_addr

    assert User("a").remote_addr is None
    with site.test_request_context(environ_base={"REMOTE_ADDR": "1.2.3.4"}):
        assert User("a").remote_addr == "1.2.3.4" and User("a", "x").remote_addr == "x"


def test_work_beside_the_request(site: Flask) -> None:
    """1481: a copied context in another thread of execution."""
    seen: list[str] = []

    @site.route("/<name>")
    def index(name: str) -> str:
        @copy_current_request_context
        def work() -> None:
            seen.append(request.path)

        worker = threading.Thread(target=work)
        worker.start()
        worker.join()
        return "Regular response"

    assert get(site, "/x").text == "Regular response" and seen == ["/x"]


# -- examples: functions -------------------------------------------------------------------------------------------


def test_the_short_name_of_an_endpoint(site: Flask) -> None:
    """1509: a dot for the current blueprint."""
    shop = Blueprint("shop", "shop", root_path="/", url_prefix="/shop")
    shop.add_url_rule("/", "index", lambda: url_for(".index"))
    site.register_blueprint(shop)
    assert get(site, "/shop/").text == "/shop/"


def test_urls_of_elsewhere(site: Flask) -> None:
    """1516: build_error_handler looks an endpoint up, or raises the error again."""

    def look_up(error: BuildError, endpoint: str, **values: Any) -> str:
        url = {"docs": "http://docs.example.org/{page}"}.get(endpoint)
        if url is None:
            if sys.exc_info()[1] is error:
                raise
            raise error
        return url.format(**values)

    site.build_error_handler = look_up
    with site.test_request_context():
        assert url_for("docs", page="a") == "http://docs.example.org/a"
        with pytest.raises(BuildError, match="nowhere"):
            url_for("nowhere")


def test_responses_of_rendered_templates(site: Flask, tmp_path: Path) -> None:
    """1568, 1574, 1582, 1587: a header, a status, and any view's value."""
    (tmp_path / "templates" / "index.html").write_text("{{ foo }}", encoding="utf-8")

    def plain() -> str:
        return render_template("index.html", foo=42)

    def dressed() -> Any:
        response = make_response(plain())
        response.headers["X-Parachutes"] = "cool"
        return response

    for rule, view in (("/plain", plain), ("/dressed", dressed), ("/gone", lambda: make_response(plain(), 404))):
        site.add_url_rule(rule, rule[1:], view)
    assert get(site, "/plain").text == get(site, "/dressed").text == get(site, "/gone").text == "42"
    assert get(site, "/dressed").headers["X-Parachutes"] == "cool" and get(site, "/gone").status_code == 404


def test_after_this_request(site: Flask) -> None:
    """1598: a header is added by a function of the view."""

    @site.route("/")
    def index() -> str:
        @after_this_request
        def add(response: Any) -> Any:
            response.headers["X-Foo"] = "Parachute"
            return response

        return "Hello"

    assert get(site).headers["X-Foo"] == "Parachute"


def test_names_that_are_checked_by_hand(site: Flask) -> None:
    """1618: before send_file gets one."""

    @site.route("/<path:name>")
    def view(name: str) -> Any:
        if ".." in name or name.startswith("/"):
            abort(404)
        return name

    assert get(site, "/a/b").text == "a/b" and get(site, "/a/../b").status_code == 404


def test_downloads(site: Flask, tmp_path: Path) -> None:
    """1643: uploaded files are sent as attachments."""
    (tmp_path / "uploads" / "a.txt").write_text("content", encoding="utf-8")

    @site.route("/uploads/<path:filename>")
    def download(filename: str) -> Any:
        return send_from_directory(site.config["UPLOAD_FOLDER"], filename, as_attachment=True)

    response = get(site, "/uploads/a.txt")
    assert response.text == "content" and response.headers["Content-Disposition"].startswith("attachment")
    assert get(site, "/uploads/../a.txt").status_code == 404


def test_a_wiki(site: Flask, tmp_path: Path) -> None:
    """1664: safe_join keeps a name in its folder."""
    (tmp_path / "wiki" / "page").write_text("text", encoding="utf-8")

    @site.route("/wiki/<path:name>")
    def page(name: str) -> str:
        with open(safe_join(str(tmp_path / "wiki"), name), encoding="utf-8") as file:
            return file.read()

    assert get(site, "/wiki/page").text == "text" and get(site, "/wiki/../page").status_code == 404


def test_markup() -> None:
    """1687 to 1728: made, escaped, formatted, added, stripped and unescaped."""

    class Foo:
        def __html__(self) -> str:
            return '<a href="#">foo</a>'

    assert Markup("<em>x</em>!") == "<em>x</em>!" and Markup(Foo()) == '<a href="#">foo</a>'
    assert Markup.escape("<em>") == Markup("&lt;em&gt;")
    assert Markup("<em>%s</em>") % "a & b" == "<em>a &amp; b</em>"
    assert Markup("<b>%(t)s</b>") % {"t": "<i>"} == "<b>&lt;i&gt;</b>"
    assert Markup("<em>x</em> ") + "<foo>" == "<em>x</em> &lt;foo&gt;"
    assert Markup("Main &raquo;  <em>About</em>").striptags() == "Main \xbb About"
    assert Markup("Main &raquo; <em>About</em>").unescape() == "Main \xbb <em>About</em>"


# -- examples: JSON and templates ----------------------------------------------------------------------------------


def test_the_json_module() -> None:
    """1763, 1770: it stands in for the standard one."""
    assert flask_json.loads(flask_json.dumps({"a": [1, None]})) == json.loads(json.dumps({"a": [1, None]}))


def test_json_in_a_script(site: Flask) -> None:
    """1779: with |safe, which changes nothing any more."""
    source = "<script>doSomethingWith({{ name|tojson|safe }});</script>"
    with site.app_context():
        assert render_template_string(source, name="</script>") == (
            '<script>doSomethingWith("\\u003c/script\\u003e");</script>'
        )


def test_jsonify(site: Flask) -> None:
    """1787, 1798: the response that the document shows."""

    @site.route("/_get_current_user")
    def current() -> Any:
        return jsonify(username="admin", email="admin@localhost", id=42)

    response = get(site, "/_get_current_user")
    assert response.mimetype == "application/json"
    assert response.text.replace(" \n", "\n") == (
        '{\n  "email": "admin@localhost",\n  "id": 42,\n  "username": "admin"\n}'
    )
    assert "\n" not in get(site, "/_get_current_user", headers={"X-Requested-With": "XMLHttpRequest"}).text


def test_an_encoder_for_iterators(site: Flask) -> None:
    """1833: default() is overridden."""

    class Encoder(flask_json.JSONEncoder):
        def default(self, o: Any) -> Any:
            try:
                return list(iter(o))
            except TypeError:
                return flask_json.JSONEncoder.default(self, o)

    site.json_encoder = Encoder
    with site.app_context():
        assert flask_json.dumps({"a": (n for n in range(3))}) == '{"a": [0, 1, 2]}'
        with pytest.raises(TypeError):
            flask_json.dumps(object())


def test_a_macro_from_python(site: Flask, tmp_path: Path) -> None:
    """1862, 1867: get_template_attribute."""
    (tmp_path / "templates" / "_cider.html").write_text("{% macro hello(n) %}Hello {{ n }}!{% endmacro %}")
    with site.app_context():
        assert get_template_attribute("_cider.html", "hello")("World") == "Hello World!"


# -- examples: configuration and extensions ------------------------------------------------------------------------


def test_configuration_of_a_file(site: Flask, tmp_path: Path) -> None:
    """1884: names in upper case count."""
    (tmp_path / "your.cfg").write_text("KEY = 'value'\nlower = 1\n", encoding="utf-8")
    assert site.config.from_pyfile("your.cfg") is True
    assert site.config["KEY"] == "value" and "lower" not in site.config


DEBUG = True
ADMIN_KEY = "development key"


def test_configuration_of_this_module() -> None:
    """1889: values just before the call."""
    config = Config("/")
    config.from_object(__name__)
    assert (config["DEBUG"], config["ADMIN_KEY"]) == (True, "development key") and "pytest" not in config


def test_configuration_named_by_the_environment(
    site: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1898, 1903, 1915: from_envvar is from_pyfile with the variable's value."""
    (tmp_path / "settings").write_text("A = 1\n", encoding="utf-8")
    monkeypatch.setenv("YOURAPPLICATION_SETTINGS", str(tmp_path / "settings"))
    assert site.config.from_envvar("YOURAPPLICATION_SETTINGS") is True and site.config["A"] == 1


def test_configuration_of_an_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1934: by its import name, or itself."""
    (tmp_path / "default_config_of_example.py").write_text("B = 2\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import default_config_of_example as default_config  # type: ignore[import-not-found]

    for given in ("default_config_of_example", default_config):
        config = Config("/")
        config.from_object(given)
        assert dict(config) == {"B": 2}


def test_extensions_by_the_short_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1958: flask.ext finds flask_foo."""
    (tmp_path / "flask_foo_of_the_document.py").write_text("name = 'foo'\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    from microflask.ext import foo_of_the_document  # type: ignore[attr-defined]

    assert foo_of_the_document.name == "foo"


# -- examples: streams and internals -------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["decorator", "around a generator"])
def test_streams(site: Flask, way: str) -> None:
    """1970, 1984: the generator sees the request."""

    @site.route("/stream")
    def streamed() -> Any:
        def generate() -> Iterator[str]:
            yield "Hello "
            yield request.args["name"]

        kept: Any = stream_with_context(generate)() if way == "decorator" else stream_with_context(generate())
        return microflask.Response(kept)

    assert get(site, "/stream?name=World").text == "Hello World"


def test_the_stack_of_contexts(site: Flask) -> None:
    """2038: the session of whatever is on top."""

    def find_session() -> Any:
        ctx = _request_ctx_stack.top
        return None if ctx is None else ctx.session

    assert find_session() is None
    with site.test_request_context():
        session["a"] = 1
        assert find_session()["a"] == 1
        top = _request_ctx_stack.top
        assert top.app is site and top.request.path == "/" and top.url_adapter and top.g == g and top.flashes is None


# -- examples: classes and routes ----------------------------------------------------------------------------------


def test_a_view_class(site: Flask) -> None:
    """2149: dispatch_request gets the view arguments."""

    class Greeting(View):
        methods = ["GET"]

        def dispatch_request(self, name: str) -> str:
            return f"Hello {name}!"

    site.add_url_rule("/hello/<name>", view_func=Greeting.as_view("greeting"))
    assert get(site, "/hello/you").text == "Hello you!" and site.test_client().post("/hello/you").status_code == 405


def test_a_decorated_view_class(site: Flask) -> None:
    """2160: decorators are put around the view."""

    def superuser_required(view: Any) -> Any:
        @functools.wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            return view(*args, **kwargs) if "root" in request.args else abort(403)

        return checked

    class Secret(View):
        methods = ["GET"]
        decorators = [superuser_required]

        def dispatch_request(self) -> str:
            return "secret"

    site.add_url_rule("/secret", view_func=Secret.as_view("secret"))
    assert get(site, "/secret").status_code == 403 and get(site, "/secret?root").text == "secret"


def test_a_method_view(site: Flask) -> None:
    """2194: a method for each method."""

    class Counter(MethodView):
        def get(self) -> str:
            return str(session.get("counter", 0))

        def post(self) -> str:
            session["counter"] = session.get("counter", 0) + 1
            return "OK"

    site.add_url_rule("/counter", view_func=Counter.as_view("counter"))
    client = site.test_client()
    assert (client.get("/counter").text, client.post("/counter").text, client.get("/counter").text) == ("0", "OK", "1")
    assert client.put("/counter").status_code == 405


def test_rules_with_variables(site: Flask) -> None:
    """2227: text, a name, a number."""
    site.route("/")(lambda: "index")
    site.add_url_rule("/<username>", "show_user", lambda username: f"user {username}")
    site.add_url_rule("/post/<int:post_id>", "show_post", lambda post_id: f"post {post_id + 1}")
    site.add_url_rule("/at/<float:x>/<path:rest>", "at", lambda x, rest: f"{x} {rest}")
    paths = ("/", "/ada", "/post/41", "/at/1.5/a/b")
    assert [get(site, path).text for path in paths] == ["index", "user ada", "post 42", "1.5 a/b"]
    assert get(site, "/post/x").status_code == 404


def test_an_optional_page(site: Flask) -> None:
    """2248: defaults make two rules of one view."""

    @site.route("/users/", defaults={"page": 1})
    @site.route("/users/page/<int:page>")
    def show_users(page: int) -> str:
        return f"page {page}"

    assert [get(site, path).text for path in ("/users/", "/users/page/2")] == ["page 1", "page 2"]
    assert get(site, "/users/page/1").headers["Location"] == "http://localhost/users/"


def test_options_of_a_view_function(site: Flask) -> None:
    """2275: attributes of the function; the document forgets view_func."""

    def index() -> str:
        return "own options" if request.method == "OPTIONS" else "Hello"

    index.provide_automatic_options = False  # type: ignore[attr-defined]
    index.methods = ["GET", "OPTIONS"]  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="view_func"):
        site.add_url_rule("/", index)  # type: ignore[arg-type]
    site.add_url_rule("/", view_func=index)
    client = site.test_client()
    assert (client.get("/").text, client.options("/").text) == ("Hello", "own options")
    assert client.post("/").status_code == 405
