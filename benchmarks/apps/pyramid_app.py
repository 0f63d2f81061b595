"""The applications of Pyramid."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from .. import material
from ..wire import LOG
from . import chunks, routes_of

Configurator: Any = import_module("pyramid.config").Configurator
Response: Any = import_module("pyramid.response").Response

View = Callable[[Any], Any]
log = logging.getLogger("benchmarks.pyramid")


def make(site: str, assets: Path) -> WSGIApplication:
    """Return the application for a site."""
    with Configurator(settings={"jinja2.directories": str(assets / "templates")}) as config:
        count = routes_of(site)
        if count:
            many(config, count)
        else:
            SITES[site](config, assets)
    made: WSGIApplication = config.make_wsgi_app()
    return made


def add(config: Any, views: dict[str, View], **options: Any) -> None:
    """Register views by their rules; the names of the routes are those of the functions."""
    for rule, view in views.items():
        config.add_route(view.__name__, rule)
        config.add_view(view, route_name=view.__name__, **options)


def main(config: Any, assets: Path) -> None:
    """Register texts, documents, pages and files."""
    for register in (texts, documents, pages):
        register(config, assets)
    config.add_static_view("static", str(assets / "static"))


def texts(config: Any, assets: Path) -> None:
    """Register what needs nothing but the path and the query."""

    def hello(request: Any) -> Any:
        return Response(material.HELLO)

    def planet(request: Any) -> Any:
        return Response(f"planet {int(request.matchdict['number'])}")

    def find(request: Any) -> Any:
        query = request.GET
        return Response(f"{query['term']}|{int(query.get('number', 1))}|{','.join(query.getall('label'))}")

    def part(request: Any) -> Any:
        return Response(f"part {int(request.matchdict['number'])}")

    def parts(nested: Any) -> None:
        add(nested, {r"/{number:\d+}": part})

    def shop(nested: Any) -> None:
        nested.include(parts, route_prefix="/parts")

    add(config, {"/": hello, r"/planet/{number:\d+}": planet, "/find": find})
    config.include(shop, route_prefix="/v2/shop")


def documents(config: Any, assets: Path) -> None:
    """Register what reads or writes JSON, forms and files."""

    def small(request: Any) -> Any:
        return material.SMALL

    def rows(request: Any) -> Any:
        return material.ROWS

    def echo(request: Any) -> Any:
        return request.json_body

    def order(request: Any) -> Any:
        form = request.POST
        return Response(f"{form['name']}|{form['mail']}|{int(form['age'])}")

    def upload(request: Any) -> Any:
        sent = request.POST["attachment"]
        return Response(f"{request.POST['note']}|{sent.filename}|{material.digest(sent.file)}")

    add(config, {"/small": small, "/rows": rows, "/echo": echo}, renderer="json")
    add(config, {"/order": order, "/upload": upload}, request_method="POST")


def pages(config: Any, assets: Path) -> None:
    """Register templates, links and the stream."""
    config.include("pyramid_jinja2")
    config.add_jinja2_renderer(".html")
    compiled: list[Any] = []

    def page(request: Any) -> Any:
        return {"heading": material.HEADING, "parts": material.PARTS}

    def snippet(request: Any) -> Any:
        if not compiled:  # the environment is there when the configuration is finished
            compiled.append(config.get_jinja2_environment().from_string(material.SNIPPET))
        return Response(compiled[0].render(signs=material.SIGNS))

    def shelf(request: Any) -> Any:
        return Response("shelf")

    def links(request: Any) -> Any:
        return Response("\n".join([request.route_path("shelf", kind="books", number=n) for n in range(10)]))

    def stream(request: Any) -> Any:
        return Response(app_iter=chunks(), content_type="text/html", charset="utf-8")

    add(config, {"/page": page}, renderer="page.html")
    add(config, {"/snippet": snippet, r"/shelf/{kind}/{number:\d+}": shelf, "/links": links, "/stream": stream})


def sessions(config: Any, assets: Path) -> None:
    """Register the views that count in the session."""
    factory = import_module("pyramid.session").SignedCookieSessionFactory
    # Without reissue_time=None a cookie that was only read would be sent again, which the others do not do.
    config.set_session_factory(factory(material.SECRET, httponly=True, reissue_time=None))

    def visits(request: Any) -> Any:
        return Response(str(request.session.get("visits", 0)))

    def add_visit(request: Any) -> Any:
        session = request.session
        session["visits"] = session.get("visits", 0) + 1
        return Response(str(session["visits"]))

    add(config, {"/visits": visits, "/visits/add": add_visit})


def errors(config: Any, assets: Path) -> None:
    """Register views that fail, and pages of the application's own for that."""
    log.addHandler(logging.StreamHandler(LOG))
    log.propagate = False

    def known(request: Any) -> Any:
        raise ValueError(material.REASON)

    def unknown(request: Any) -> Any:
        raise RuntimeError(material.REASON)

    def lost(request: Any) -> Any:
        return Response(material.LOST, status=404)

    def broken(error: Exception, request: Any) -> Any:
        return Response(material.BROKEN, status=500)

    def logged(error: Exception, request: Any) -> Any:
        log.error("%s %s failed", request.method, request.path, exc_info=error)
        return broken(error, request)

    add(config, {"/known": known, "/unknown": unknown})
    config.add_notfound_view(lost)
    config.add_exception_view(broken, context=ValueError)
    config.add_exception_view(logged, context=Exception)


def hooks(config: Any, assets: Path) -> None:
    """Register a function for each stage of a request."""
    events = import_module("pyramid.events")

    def teardown(request: Any) -> None:
        material.teardowns[0] += 1

    def before(event: Any) -> None:
        event.request.visitor = "Ada"
        event.request.add_finished_callback(teardown)

    def after(event: Any) -> None:
        event.response.headers["X-Seen"] = "yes"

    def hello(request: Any) -> Any:
        return Response(f"Hello, {request.visitor}!")

    config.add_subscriber(before, events.NewRequest)
    config.add_subscriber(after, events.NewResponse)
    add(config, {"/": hello})


def many(config: Any, count: int) -> None:
    """Register `count` routes, half of them with a parameter."""

    def everything(request: Any) -> Any:
        return Response("all")

    def item(request: Any) -> Any:
        return Response(f"item {int(request.matchdict['number'])}")

    for number, literal, head in material.many_rules(count):
        both = ((f"list{number}", literal, everything), (f"item{number}", head + r"{number:\d+}", item))
        for name, rule, view in both:
            config.add_route(name, rule)
            config.add_view(view, route_name=name)


SITES: dict[str, Callable[[Any, Path], None]] = {
    "main": main,
    "sessions": sessions,
    "errors": errors,
    "hooks": hooks,
}
