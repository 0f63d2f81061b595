"""An application as its author would write it, with all that has types; never run, only checked."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn, assert_type

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.test import TestResponse

import microflask
from microflask import (
    Blueprint,
    Config,
    Flask,
    Request,
    Response,
    abort,
    after_this_request,
    app_ctx,
    copy_current_request_context,
    current_app,
    flash,
    g,
    get_flashed_messages,
    has_request_context,
    json,
    jsonify,
    make_response,
    redirect,
    render_template,
    render_template_string,
    request,
    request_ctx,
    request_started,
    send_file,
    send_from_directory,
    session,
    stream_template,
    stream_with_context,
    template_rendered,
    url_for,
)
from microflask.cli import AppGroup, with_appcontext
from microflask.ctx import AppContext, RequestContext
from microflask.json.provider import DefaultJSONProvider
from microflask.sessions import SecureCookieSessionInterface, SessionInterface, SessionMixin
from microflask.testing import FlaskClient, FlaskCliRunner
from microflask.typing import ResponseReturnValue
from microflask.views import MethodView, View


class OwnJSON(DefaultJSONProvider):
    sort_keys = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return super().dumps(obj, **kwargs)


class OwnRequest(Request):
    @property
    def shout(self) -> str:
        return self.path.upper()


class Shop(Flask):
    request_class = OwnRequest
    json_provider_class = OwnJSON
    session_interface: SessionInterface = SecureCookieSessionInterface()

    def make_response(self, rv: Any) -> Response:
        return super().make_response(rv)


app = Shop(__name__, static_folder="static", template_folder=Path("templates"), instance_relative_config=True)
app.config["SECRET_KEY"] = "a key for this check only"
app.config.update(TESTING=True, PERMANENT_SESSION_LIFETIME=timedelta(days=1))
app.config.from_mapping(DEBUG=False)
app.config.from_object("settings")
app.config.from_pyfile("settings.cfg", silent=True)
app.config.from_prefixed_env()
assert_type(app.config, Config)
assert_type(app.config.get_namespace("MAIL_"), dict[str, Any])
assert_type(app.name, str)
assert_type(app.debug, bool)
app.secret_key = b"another key"
assert_type(app.permanent_session_lifetime, timedelta)
app.permanent_session_lifetime = timedelta(hours=1)
logger: logging.Logger = app.logger
blueprint = Blueprint("shop", __name__, url_prefix="/shop", cli_group="goods")


# -- views: a decorator leaves the type of what it decorates alone


@app.route("/")
def index() -> str:
    return "hello"


@app.get("/item/<int:item>")
def show_item(item: int, page: int = 1) -> dict[str, int]:
    return {"item": item, "page": page}


@app.post("/item")
def make_item() -> tuple[dict[str, Any], int]:
    return {"made": request.json}, 201


@app.put("/item")
def put_item() -> tuple[str, HTTPStatus, dict[str, str]]:
    return "", HTTPStatus.NO_CONTENT, {"X-Item": "1"}


@app.delete("/item")
def delete_item() -> tuple[str, list[tuple[str, str]]]:
    return "gone", [("X-Item", "0")]


@app.patch("/item")
def patch_item() -> Response:
    return jsonify(patched=True)


@app.route("/list")
def all_items() -> list[dict[str, str]]:
    return [{"name": "a"}, {"name": "b"}]


@app.route("/stream")
def stream() -> Iterator[str]:
    yield "one"
    yield "two"


@app.route("/template")
def pages() -> Iterator[str]:
    return stream_template("page.html", title="t")


@app.route("/later")
async def later() -> str:
    return "later"


@app.route("/steps")
async def steps() -> AsyncIterator[str]:
    async def pieces() -> AsyncIterator[str]:
        yield "piece"

    return pieces()


@app.route("/anything")
def anything() -> ResponseReturnValue:
    return b"bytes"


@blueprint.route("/buy", methods=["GET", "POST"])
@app.route("/buy", defaults={"what": "all"})
def buy(what: str) -> str:
    return what


assert_type(index(), str)
assert_type(show_item(1, page=2), dict[str, int])
assert_type(make_item(), tuple[dict[str, Any], int])
assert_type(patch_item(), Response)
assert_type(stream(), Iterator[str])
assert_type(buy("a"), str)


class Greeting(View):
    methods = ["GET"]
    init_every_request = False

    def __init__(self, word: str) -> None:
        self.word = word

    def dispatch_request(self, name: str) -> str:
        return f"{self.word} {name}"


class Items(MethodView):
    def get(self, item: int | None = None) -> dict[str, int | None]:
        return {"item": item}

    async def post(self) -> tuple[str, int]:
        return "made", 201


app.add_url_rule("/greet/<name>", view_func=Greeting.as_view("greet", "hello"))
app.add_url_rule("/items", view_func=Items.as_view("items"))
blueprint.add_url_rule("/items", endpoint="all", view_func=all_items, methods=["GET"])


# -- hooks


@app.before_request
def count() -> None:
    g.count = g.get("count", 0) + 1


@app.before_request
def refuse() -> tuple[str, int] | None:
    return ("no", 403) if request.remote_addr is None else None


@app.before_request
async def wait() -> None:
    return None


@app.after_request
def mark(response: Response) -> Response:
    response.headers["X-Mark"] = "1"
    return response


@app.teardown_request
def close(error: BaseException | None) -> None:
    assert_type(error, BaseException | None)


@app.teardown_appcontext
def close_all(error: BaseException | None) -> None:
    return None


@blueprint.before_app_request
def before_all() -> None:
    return None


@blueprint.after_request
def after_blueprint(response: Response) -> Response:
    return response


@app.context_processor
def names() -> dict[str, Any]:
    return {"site": "shop"}


@app.url_value_preprocessor
def take(endpoint: str | None, values: dict[str, Any] | None) -> None:
    return None


@app.url_defaults
def give(endpoint: str, values: dict[str, Any]) -> None:
    values.setdefault("lang", "en")


@app.shell_context_processor
def shell() -> dict[str, Any]:
    return {"app": app}


@app.errorhandler(404)
def missing(error: HTTPException) -> tuple[str, int]:
    return error.description or "", 404


@app.errorhandler(ValueError)
def wrong(error: ValueError) -> str:
    return str(error)


@blueprint.app_errorhandler(NotFound)
async def missing_later(error: NotFound) -> Response:
    return make_response("none", 404)


assert_type(count(), None)
assert_type(refuse(), tuple[str, int] | None)
assert_type(mark(Response("a")), Response)
assert_type(names(), dict[str, Any])
assert_type(missing(NotFound()), tuple[str, int])
assert_type(wrong(ValueError()), str)
app.register_error_handler(500, lambda error: ("failed", 500))


@app.template_filter()
def double(value: int) -> int:
    return 2 * value


@app.template_filter("thrice")
def treble(value: int) -> int:
    return 3 * value


@app.template_test("even_number")
def is_even(value: int) -> bool:
    return value % 2 == 0


@app.template_global()
def answer() -> int:
    return 42


@blueprint.app_template_filter("half")
def halve(value: int) -> float:
    return value / 2


assert_type(double(1), int)
assert_type(treble(1), int)
assert_type(is_even(1), bool)
assert_type(answer(), int)
assert_type(halve(1), float)


@blueprint.record
def on_registration(state: microflask.blueprints.BlueprintSetupState) -> None:
    state.add_url_rule("/recorded", view_func=index)


blueprint.register_blueprint(Blueprint("inner", __name__), url_prefix="/inner")
app.register_blueprint(blueprint, name="twice", url_prefix="/twice")


# -- what is current


def look() -> None:
    assert_type(request, Request)
    assert_type(request.method, str)
    assert_type(request.args.get("page", 1, type=int), int)
    assert_type(request.form["a"], str)
    assert_type(request.cookies.get("c"), str | None)
    assert_type(request.headers.get("X-A"), str | None)
    assert_type(request.endpoint, str | None)
    assert_type(request.blueprint, str | None)
    assert_type(request.blueprints, list[str])
    assert_type(request.get_data(as_text=True), str)
    assert_type(request.view_args, dict[str, Any] | None)
    assert_type(request.is_json, bool)
    upload = request.files["file"]
    upload.save(Path("upload"))
    assert_type(session, SessionMixin)
    session["user"] = session.get("visits", 0) + 1
    session.permanent = True
    assert_type(session.modified, bool)
    assert_type(current_app, Flask)
    assert_type(current_app.extensions, dict[str, Any])
    current_app.logger.info("looked")
    assert_type(app_ctx, AppContext)
    assert_type(request_ctx, RequestContext)
    g.user = "peter"
    name: str = g.user
    assert_type(g.pop("user", None), Any)
    assert_type("user" in g, bool)
    assert_type(has_request_context(), bool)
    flash(f"hello {name}", "greeting")
    get_flashed_messages(with_categories=True, category_filter=["greeting"])


def answers() -> None:
    assert_type(url_for("index", _external=True, _anchor="top", page=1), str)
    assert_type(render_template("page.html", a=1), str)
    assert_type(render_template_string("{{ a }}", a=1), str)
    assert_type(jsonify([1, 2]), Response)
    assert_type(make_response("body", 200, {"X-A": "b"}), Response)
    assert_type(send_file("file.txt", as_attachment=True, download_name="a.txt", max_age=60), Response)
    assert_type(send_from_directory("static", "file.txt"), Response)
    assert_type(json.dumps({"a": 1}), str)
    assert_type(json.loads("1"), Any)
    answer = redirect(url_for("index"), code=303)
    answer.set_cookie("c", "1", max_age=timedelta(days=1), samesite="Lax")

    @after_this_request
    def set_mark(response: Response) -> Response:
        return response

    @copy_current_request_context
    def work(count: int, unit: str = "s") -> str:
        return f"{count} {unit} {request.path}"

    assert_type(work(3, unit="h"), str)

    @stream_with_context
    def rows() -> Iterator[str]:
        yield request.path

    assert_type(Response(stream_with_context(iter(["a"])), mimetype="text/csv").mimetype, str | None)


def stop() -> NoReturn:
    abort(404, "there is none")


def on_signal(sender: Flask, **extra: Any) -> None:
    return None


request_started.connect(on_signal, app)
template_rendered.connect(on_signal)


# -- commands


@app.cli.command("init")
@with_appcontext
def init_command() -> None:
    print(current_app.name)


goods = AppGroup("goods", help="Work on the goods.")


@goods.command("list")
def list_command() -> None:
    print("none")


app.cli.add_command(goods)


# -- tests of the author


def test_application() -> None:
    client = app.test_client()
    assert_type(client, FlaskClient)
    with client:
        answer = client.post("/item", json={"a": 1}, headers={"X-A": "b"}, follow_redirects=True)
        assert_type(answer, TestResponse)
        assert_type(answer.status_code, int)
        assert_type(answer.text, str)
        assert answer.json == {"made": {"a": 1}}
    with client.session_transaction() as opened:
        assert_type(opened, SessionMixin)
        opened["user"] = "peter"
    with app.app_context() as context:
        assert_type(context, AppContext)
    with app.test_request_context("/?a=1", method="POST") as request_context:
        assert_type(request_context, RequestContext)
    runner = app.test_cli_runner()
    assert_type(runner, FlaskCliRunner)
    assert_type(runner.invoke(args=["init"]).exit_code, int)


old = Flask(__name__, compat="0.10")
if __name__ == "__main__":
    app.run(debug=True, port=5001)
