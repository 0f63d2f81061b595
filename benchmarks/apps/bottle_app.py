"""The applications of Bottle."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from .. import material
from . import chunks, jinja_environment, routes_of, typed

bottle: Any = import_module("bottle")


def make(site: str, assets: Path) -> WSGIApplication:
    """Return the application for a site."""
    app: Any = bottle.Bottle()
    count = routes_of(site)
    if count:
        many(app, count)
    else:
        SITES[site](app, assets)
    made: WSGIApplication = app
    return made


def main(app: Any, assets: Path) -> None:
    """Register texts, documents, pages and files."""
    for register in (texts, documents, pages):
        register(app, assets)

    @typed(app.route("/static/<name:path>"))
    def static(name: str) -> Any:
        return bottle.static_file(name, root=assets / "static")


def texts(app: Any, assets: Path) -> None:
    """Register what needs nothing but the path and the query."""

    @typed(app.route("/"))
    def hello() -> str:
        return material.HELLO

    @typed(app.route("/planet/<number:int>"))
    def planet(number: int) -> str:
        return f"planet {number}"

    @typed(app.route("/find"))
    def find() -> str:
        query = bottle.request.query.decode()  # the values of query itself are not Unicode yet
        return f"{query['term']}|{query.get('number', 1, type=int)}|{','.join(query.getall('label'))}"

    shop, parts = bottle.Bottle(), bottle.Bottle()

    @typed(parts.route("/<number:int>"))
    def part(number: int) -> str:
        return f"part {number}"

    shop.mount("/parts/", parts)
    app.mount("/v2/shop/", shop)


def documents(app: Any, assets: Path) -> None:
    """Register what reads or writes JSON, forms and files."""
    request, response = bottle.request, bottle.response

    @typed(app.route("/small"))
    def small() -> Any:
        return material.SMALL

    @typed(app.route("/rows"))
    def rows() -> str:
        response.content_type = "application/json"
        return json.dumps(material.ROWS)

    @typed(app.post("/echo"))
    def echo() -> Any:
        return request.json

    @typed(app.post("/order"))
    def order() -> str:
        form = request.forms
        return f"{form.name}|{form.mail}|{form.get('age', type=int)}"

    @typed(app.post("/upload"))
    def upload() -> str:
        sent = request.files["attachment"]
        return f"{request.forms.note}|{sent.raw_filename}|{material.digest(sent.file)}"


def pages(app: Any, assets: Path) -> None:
    """Register templates, links and the stream."""
    jinja = jinja_environment(assets)
    snippet_template = jinja.from_string(material.SNIPPET)

    @typed(app.route("/page"))
    def page() -> Any:
        return jinja.get_template("page.html").render(heading=material.HEADING, parts=material.PARTS)

    @typed(app.route("/snippet"))
    def snippet() -> Any:
        return snippet_template.render(signs=material.SIGNS)

    @typed(app.route("/shelf/<kind>/<number:int>", name="shelf"))
    def shelf(kind: str, number: int) -> str:
        return f"{kind} {number}"

    @typed(app.route("/links"))
    def links() -> str:
        return "\n".join([app.get_url("shelf", kind="books", number=number) for number in range(10)])

    @typed(app.route("/stream"))
    def stream() -> Any:
        return chunks()


def sessions(app: Any, assets: Path) -> None:
    """Register the views that count in the session."""
    request, response = bottle.request, bottle.response

    def load() -> dict[str, Any]:
        session: dict[str, Any] | None = request.get_cookie("session", secret=material.SECRET)
        return session or {}

    @typed(app.route("/visits"))
    def visits() -> str:
        return str(load().get("visits", 0))

    @typed(app.route("/visits/add"))
    def add_visit() -> str:
        session = load()
        session["visits"] = session.get("visits", 0) + 1
        response.set_cookie("session", session, secret=material.SECRET, path="/", httponly=True)
        return str(session["visits"])


def errors(app: Any, assets: Path) -> None:
    """Register views that fail, and pages of the application's own for that."""

    def catching(view: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                return view(*args, **kwargs)
            except ValueError:
                return bottle.HTTPResponse(material.BROKEN, status=500)

        return guarded

    @typed(app.route("/known", apply=[catching]))
    def known() -> str:
        raise ValueError(material.REASON)

    @typed(app.route("/unknown", apply=[catching]))
    def unknown() -> str:
        raise RuntimeError(material.REASON)

    @typed(app.error(404))
    def lost(error: Any) -> str:
        return material.LOST

    @typed(app.error(500))
    def broken(error: Any) -> str:
        return material.BROKEN


def hooks(app: Any, assets: Path) -> None:
    """Register a function for each stage of a request."""
    request = bottle.request

    def before() -> None:
        request.visitor = "Ada"

    def after() -> None:
        bottle.response.set_header("X-Seen", "yes")

    def teardown() -> None:
        material.teardowns[0] += 1

    for stage, function in (("before_request", before), ("after_request", teardown), ("after_request", after)):
        app.add_hook(stage, function)
    app.route("/", callback=lambda: f"Hello, {request.visitor}!")


def many(app: Any, count: int) -> None:
    """Register `count` routes, half of them with a parameter."""

    def everything() -> str:
        return "all"

    def item(number: int) -> str:
        return f"item {number}"

    for _, literal, head in material.many_rules(count):
        app.route(literal, callback=everything)
        app.route(f"{head}<number:int>", callback=item)


SITES: dict[str, Callable[[Any, Path], None]] = {
    "main": main,
    "sessions": sessions,
    "errors": errors,
    "hooks": hooks,
}
