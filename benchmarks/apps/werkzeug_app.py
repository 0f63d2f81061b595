"""The applications that a user of Werkzeug alone writes: its map, its request, its response, and a dispatcher."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from .. import material
from . import CookieSessions, chunks, jinja_environment, routes_of

routing: Any = import_module("werkzeug.routing")
Request: Any = import_module("werkzeug.wrappers").Request
Response: Any = import_module("werkzeug.wrappers").Response
HTTPException: Any = import_module("werkzeug.exceptions").HTTPException
send_from_directory: Any = import_module("werkzeug.utils").send_from_directory

View = Callable[..., Any]
Views = dict[str, View]


class Dispatcher:
    """Find the view of a request and call it; the methods for errors are there to be replaced."""

    def __init__(self, rules: list[Any], views: Views) -> None:
        self.map = routing.Map(rules)
        self.views = views

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        request = Request(environ)
        request.urls = self.map.bind_to_environ(environ)
        return self.respond(request)(environ, start_response)

    def respond(self, request: Any) -> Any:
        """Return the response of the view."""
        try:
            endpoint, values = request.urls.match()
            return self.views[endpoint](request, **values)
        except HTTPException as error:
            return error


class MendingDispatcher(Dispatcher):
    """Answer errors with the application's own pages."""

    def respond(self, request: Any) -> Any:
        """Return the response of the view, or a page about its failure."""
        try:
            endpoint, values = request.urls.match()
            return self.views[endpoint](request, **values)
        except HTTPException:
            return page(material.LOST, 404)
        except ValueError:
            return page(material.BROKEN, 500)
        except Exception:
            request.environ["wsgi.errors"].write(traceback.format_exc())
            return page(material.BROKEN, 500)


class StagedDispatcher(Dispatcher):
    """Do what the hooks of the other frameworks do."""

    def respond(self, request: Any) -> Any:
        """Return the response of the view with a header more."""
        try:
            request.visitor = "Ada"
            response = super().respond(request)
            response.headers["X-Seen"] = "yes"
            return response
        finally:
            material.teardowns[0] += 1


def page(content: Any, status: int = 200) -> Any:
    """Return an HTML page."""
    return Response(content, status, mimetype="text/html")


def document(value: Any) -> Any:
    """Return a JSON document."""
    return Response(json.dumps(value), mimetype="application/json")


def make(site: str, assets: Path) -> WSGIApplication:
    """Return the application for a site."""
    count = routes_of(site)
    made: WSGIApplication = many(count) if count else SITES[site](assets)
    return made


def rules_of(views: Views, **options: Any) -> list[Any]:
    """Return a rule for each view, whose endpoint is the rule's text."""
    return [routing.Rule(rule, endpoint=rule, **options) for rule in views]


def main(assets: Path) -> Dispatcher:
    """Return texts, documents, pages and files."""
    reading = {**texts(), **pages(assets)}
    writing = posts()
    reading["/static/<path:name>"] = lambda request, name: send_from_directory(
        assets / "static", name, request.environ
    )
    parts = {"/<int:number>": lambda request, number: page(f"part {number}")}
    nested = routing.Submount("/v2/shop", [routing.Submount("/parts", rules_of(parts))])
    rules = [*rules_of(reading, methods=["GET"]), *rules_of(writing, methods=["POST"]), nested]
    return Dispatcher(rules, {**reading, **writing, **parts})


def texts() -> Views:
    """Return what needs nothing but the path and the query."""

    def find(request: Any) -> Any:
        args = request.args
        return page(f"{args['term']}|{args.get('number', 1, type=int)}|{','.join(args.getlist('label'))}")

    return {
        "/": lambda request: page(material.HELLO),
        "/planet/<int:number>": lambda request, number: page(f"planet {number}"),
        "/find": find,
        "/small": lambda request: document(material.SMALL),
        "/rows": lambda request: document(material.ROWS),
    }


def posts() -> Views:
    """Return what reads JSON, forms and files."""

    def order(request: Any) -> Any:
        form = request.form
        return page(f"{form['name']}|{form['mail']}|{form.get('age', type=int)}")

    def upload(request: Any) -> Any:
        sent = request.files["attachment"]
        return page(f"{request.form['note']}|{sent.filename}|{material.digest(sent.stream)}")

    return {"/echo": lambda request: document(request.get_json()), "/order": order, "/upload": upload}


def pages(assets: Path) -> Views:
    """Return templates, links and the stream."""
    jinja = jinja_environment(assets)
    snippet_template = jinja.from_string(material.SNIPPET)
    shelf = "/shelf/<kind>/<int:number>"

    def template(request: Any) -> Any:
        return page(jinja.get_template("page.html").render(heading=material.HEADING, parts=material.PARTS))

    def links(request: Any) -> Any:
        build = request.urls.build
        return page("\n".join([build(shelf, {"kind": "books", "number": number}) for number in range(10)]))

    return {
        "/page": template,
        "/snippet": lambda request: page(snippet_template.render(signs=material.SIGNS)),
        shelf: lambda request, kind, number: page("shelf"),
        "/links": links,
        "/stream": lambda request: page(chunks()),
    }


def sessions(assets: Path) -> Dispatcher:
    """Return the views that count in the session."""
    kept = CookieSessions()

    def visits(request: Any) -> Any:
        return page(str(kept.load(request.cookies.get("session")).get("visits", 0)))

    def add_visit(request: Any) -> Any:
        session = kept.load(request.cookies.get("session"))
        session["visits"] = session.get("visits", 0) + 1
        response = page(str(session["visits"]))
        response.set_cookie("session", kept.dump(session), httponly=True, path="/")
        return response

    views = {"/visits": visits, "/visits/add": add_visit}
    return Dispatcher(rules_of(views), views)


def errors(assets: Path) -> Dispatcher:
    """Return views that fail."""

    def known(request: Any) -> Any:
        raise ValueError(material.REASON)

    def unknown(request: Any) -> Any:
        raise RuntimeError(material.REASON)

    views = {"/known": known, "/unknown": unknown}
    return MendingDispatcher(rules_of(views), views)


def hooks(assets: Path) -> Dispatcher:
    """Return the one view that the dispatcher surrounds."""
    views: Views = {"/": lambda request: page(f"Hello, {request.visitor}!")}
    return StagedDispatcher(rules_of(views), views)


def many(count: int) -> Dispatcher:
    """Return `count` routes, half of them with a parameter."""

    def everything(request: Any) -> Any:
        return page("all")

    def item(request: Any, number: int) -> Any:
        return page(f"item {number}")

    views: Views = {}
    for _, literal, head in material.many_rules(count):
        views[literal], views[f"{head}<int:number>"] = everything, item
    return Dispatcher(rules_of(views), views)


SITES: dict[str, Callable[[Path], Dispatcher]] = {
    "main": main,
    "sessions": sessions,
    "errors": errors,
    "hooks": hooks,
}
