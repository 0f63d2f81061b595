"""The applications of Flask, and of microflask, which has the same API: this source runs with both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from .. import material
from . import chunks, routes_of, typed
from .flask_variants import VARIANTS


def make(package: str, site: str, assets: Path) -> WSGIApplication:
    """Return the application of `package` for a site."""
    api: Any = import_module(package)
    if site in VARIANTS:
        variant: WSGIApplication = VARIANTS[site](api, assets)
        return variant
    app = api.Flask("benchmark", **in_mode(api, "3.1"), **folders(assets))
    app.secret_key = material.SECRET
    count = routes_of(site)
    if count:
        many(app, count)
    else:
        for register in SITES[site]:
            register(app, api)
    made: WSGIApplication = app
    return made


def in_mode(api: Any, mode: str) -> dict[str, Any]:
    """Return the argument that chooses the mode of compatibility, where there are modes."""
    return {"compat": mode} if hasattr(api, "Compat") else {}


def folders(assets: Path) -> dict[str, str]:
    """Return where the files of the application are."""
    places = {"static_folder": str(assets / "static"), "template_folder": str(assets / "templates")}
    return {"root_path": str(assets), **places}


def texts(app: Any, api: Any) -> None:
    """Register what needs nothing but the path and the query."""
    request = api.request

    @typed(app.route("/"))
    def hello() -> str:
        return material.HELLO

    @typed(app.route("/planet/<int:number>"))
    def planet(number: int) -> str:
        return f"planet {number}"

    @typed(app.route("/find"))
    def find() -> str:
        args = request.args
        return f"{args['term']}|{args.get('number', 1, type=int)}|{','.join(args.getlist('label'))}"

    parts = api.Blueprint("parts", __name__, url_prefix="/parts")
    shop = api.Blueprint("shop", __name__, url_prefix="/v2/shop")

    @typed(parts.route("/<int:number>"))
    def part(number: int) -> str:
        return f"part {number}"

    shop.register_blueprint(parts)
    app.register_blueprint(shop)


def documents(app: Any, api: Any) -> None:
    """Register what reads or writes JSON, forms and files."""
    request, jsonify = api.request, api.jsonify

    @typed(app.route("/small"))
    def small() -> Any:
        return jsonify(material.SMALL)

    @typed(app.route("/rows"))
    def rows() -> Any:
        return jsonify(material.ROWS)

    @typed(app.route("/echo", methods=["POST"]))
    def echo() -> Any:
        return jsonify(request.get_json())

    @typed(app.route("/order", methods=["POST"]))
    def order() -> str:
        form = request.form
        return f"{form['name']}|{form['mail']}|{form.get('age', type=int)}"

    @typed(app.route("/upload", methods=["POST"]))
    def upload() -> str:
        sent = request.files["attachment"]
        return f"{request.form['note']}|{sent.filename}|{material.digest(sent.stream)}"


def sessions(app: Any, api: Any) -> None:
    """Register the views that count in the session."""
    session = api.session

    @typed(app.route("/visits"))
    def visits() -> str:
        return str(session.get("visits", 0))

    @typed(app.route("/visits/add"))
    def add_visit() -> str:
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])


def pages(app: Any, api: Any) -> None:
    """Register templates, links, the stream and the async view."""

    @typed(app.route("/page"))
    def page() -> Any:
        return api.render_template("page.html", heading=material.HEADING, parts=material.PARTS)

    @typed(app.route("/snippet"))
    def snippet() -> Any:
        return api.render_template_string(material.SNIPPET, signs=material.SIGNS)

    @typed(app.route("/shelf/<kind>/<int:number>"))
    def shelf(kind: str, number: int) -> str:
        return f"{kind} {number}"

    @typed(app.route("/links"))
    def links() -> str:
        return "\n".join([api.url_for("shelf", kind="books", number=number) for number in range(10)])

    @typed(app.route("/stream"))
    def stream() -> Any:
        return chunks()

    @typed(app.route("/async"))
    async def waiting() -> str:
        await asyncio.sleep(0)
        return "done"


def errors(app: Any, api: Any) -> None:
    """Register views that fail, and pages of the application's own for that."""

    @typed(app.route("/known"))
    def known() -> str:
        raise ValueError(material.REASON)

    @typed(app.route("/unknown"))
    def unknown() -> str:
        raise RuntimeError(material.REASON)

    @typed(app.errorhandler(404))
    def lost(error: Exception) -> tuple[str, int]:
        return material.LOST, 404

    def broken(error: Exception) -> tuple[str, int]:
        return material.BROKEN, 500

    app.register_error_handler(ValueError, broken)
    app.register_error_handler(500, broken)


def hooks(app: Any, api: Any) -> None:
    """Register a function for each stage of a request."""
    g = api.g

    @typed(app.before_request)
    def before() -> None:
        g.visitor = "Ada"

    @typed(app.after_request)
    def after(response: Any) -> Any:
        response.headers["X-Seen"] = "yes"
        return response

    @typed(app.teardown_request)
    def teardown(error: BaseException | None) -> None:
        material.teardowns[0] += 1

    app.add_url_rule("/", "hello", lambda: f"Hello, {g.visitor}!")


def many(app: Any, count: int) -> None:
    """Register `count` routes, half of them with a parameter."""

    def everything() -> str:
        return "all"

    def item(number: int) -> str:
        return f"item {number}"

    for number, literal, head in material.many_rules(count):
        app.add_url_rule(literal, f"list{number}", everything)
        app.add_url_rule(f"{head}<int:number>", f"item{number}", item)


SITES: dict[str, tuple[Callable[[Any, Any], None], ...]] = {
    "main": (texts, documents, pages),
    "sessions": (sessions,),
    "errors": (errors,),
    "hooks": (hooks,),
}
