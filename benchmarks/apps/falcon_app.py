"""The applications of Falcon."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from .. import material
from . import CookieSessions, chunks, jinja_environment, routes_of

falcon: Any = import_module("falcon")

Handler = Callable[..., None]


class Resource:
    """Be a resource with one or two responders."""

    def __init__(self, get: Handler | None = None, post: Handler | None = None) -> None:
        if get is not None:
            self.on_get = get
        if post is not None:
            self.on_post = post


def answer(resp: Any, text: str, status: str = "200 OK") -> None:
    """Answer with a page."""
    resp.status = status
    resp.content_type = falcon.MEDIA_HTML
    resp.text = text


def make(site: str, assets: Path) -> WSGIApplication:
    """Return the application for a site."""
    app: Any = falcon.App()
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
    app.add_static_route("/static", assets / "static")


def texts(app: Any, assets: Path) -> None:
    """Register what needs nothing but the path and the query."""

    def hello(req: Any, resp: Any) -> None:
        answer(resp, material.HELLO)

    def planet(req: Any, resp: Any, number: int) -> None:
        answer(resp, f"planet {number}")

    def find(req: Any, resp: Any) -> None:
        number = req.get_param_as_int("number", default=1)
        answer(resp, f"{req.get_param('term')}|{number}|{','.join(req.get_param_as_list('label'))}")

    def part(req: Any, resp: Any, number: int) -> None:
        answer(resp, f"part {number}")

    app.add_route("/", Resource(hello))
    app.add_route("/planet/{number:int}", Resource(planet))
    app.add_route("/find", Resource(find))
    app.add_route("/v2/shop/parts/{number:int}", Resource(part))


def documents(app: Any, assets: Path) -> None:
    """Register what reads or writes JSON, forms and files."""

    def small(req: Any, resp: Any) -> None:
        resp.media = material.SMALL

    def rows(req: Any, resp: Any) -> None:
        resp.media = material.ROWS

    def echo(req: Any, resp: Any) -> None:
        resp.media = req.get_media()

    def order(req: Any, resp: Any) -> None:
        form = req.get_media()
        answer(resp, f"{form['name']}|{form['mail']}|{int(form['age'])}")

    def upload(req: Any, resp: Any) -> None:
        found = {}
        for part in req.get_media():
            if part.name == "note":
                found["note"] = part.get_text()
            else:
                found["file"] = f"{part.filename}|{material.digest(part.stream)}"
        answer(resp, f"{found['note']}|{found['file']}")

    app.add_route("/small", Resource(small))
    app.add_route("/rows", Resource(rows))
    for path, responder in (("/echo", echo), ("/order", order), ("/upload", upload)):
        app.add_route(path, Resource(post=responder))


def pages(app: Any, assets: Path) -> None:
    """Register templates, the stream and the async view."""
    jinja = jinja_environment(assets)
    snippet_template = jinja.from_string(material.SNIPPET)

    def page(req: Any, resp: Any) -> None:
        template = jinja.get_template("page.html")
        answer(resp, template.render(heading=material.HEADING, parts=material.PARTS))

    def snippet(req: Any, resp: Any) -> None:
        answer(resp, snippet_template.render(signs=material.SIGNS))

    def stream(req: Any, resp: Any) -> None:
        resp.content_type = falcon.MEDIA_HTML
        resp.stream = chunks()

    async def waiting() -> str:
        await asyncio.sleep(0)
        return "done"

    def run_async(req: Any, resp: Any) -> None:
        answer(resp, falcon.async_to_sync(waiting))

    for path, responder in (("/page", page), ("/snippet", snippet), ("/stream", stream), ("/async", run_async)):
        app.add_route(path, Resource(responder))


def sessions(app: Any, assets: Path) -> None:
    """Register the views that count in the session."""
    kept = CookieSessions()

    def visits(req: Any, resp: Any) -> None:
        answer(resp, str(kept.load(req.cookies.get("session")).get("visits", 0)))

    def add_visit(req: Any, resp: Any) -> None:
        session = kept.load(req.cookies.get("session"))
        session["visits"] = session.get("visits", 0) + 1
        resp.set_cookie("session", kept.dump(session), path="/", http_only=True, secure=False)
        answer(resp, str(session["visits"]))

    app.add_route("/visits", Resource(visits))
    app.add_route("/visits/add", Resource(add_visit))


def errors(app: Any, assets: Path) -> None:
    """Register views that fail, and pages of the application's own for that."""

    def known(req: Any, resp: Any) -> None:
        raise ValueError(material.REASON)

    def unknown(req: Any, resp: Any) -> None:
        raise RuntimeError(material.REASON)

    def lost(req: Any, resp: Any, error: Exception, params: Any) -> None:
        answer(resp, material.LOST, falcon.HTTP_404)

    def broken(req: Any, resp: Any, error: Exception, params: Any) -> None:
        answer(resp, material.BROKEN, falcon.HTTP_500)

    def logged(req: Any, resp: Any, error: Exception, params: Any) -> None:
        req.log_error(traceback.format_exc())
        broken(req, resp, error, params)

    app.add_route("/known", Resource(known))
    app.add_route("/unknown", Resource(unknown))
    for kind, handler in ((Exception, logged), (falcon.HTTPNotFound, lost), (ValueError, broken)):
        app.add_error_handler(kind, handler)


class Stages:
    """Be a middleware that does what the hooks of the other frameworks do."""

    def process_request(self, req: Any, resp: Any) -> None:
        """Remember the visitor."""
        req.context.visitor = "Ada"

    def process_response(self, req: Any, resp: Any, resource: Any, req_succeeded: bool) -> None:
        """Set the header."""
        resp.set_header("X-Seen", "yes")


class Last:
    """Be the outermost middleware; its response method runs after those of the others, as a teardown does."""

    def process_response(self, req: Any, resp: Any, resource: Any, req_succeeded: bool) -> None:
        """Count."""
        material.teardowns[0] += 1


def hooks(app: Any, assets: Path) -> None:
    """Register a function for each stage of a request."""

    def hello(req: Any, resp: Any) -> None:
        answer(resp, f"Hello, {req.context.visitor}!")

    app.add_middleware([Last(), Stages()])
    app.add_route("/", Resource(hello))


def many(app: Any, count: int) -> None:
    """Register `count` routes, half of them with a parameter."""

    def everything(req: Any, resp: Any) -> None:
        answer(resp, "all")

    def item(req: Any, resp: Any, number: int) -> None:
        answer(resp, f"item {number}")

    all_resource, item_resource = Resource(everything), Resource(item)
    for _, literal, head in material.many_rules(count):
        app.add_route(literal, all_resource)
        app.add_route(f"{head}{{number:int}}", item_resource)


SITES: dict[str, Callable[[Any, Path], None]] = {
    "main": main,
    "sessions": sessions,
    "errors": errors,
    "hooks": hooks,
}
