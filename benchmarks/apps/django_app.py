"""The applications of Django, with CommonMiddleware and its own templates and sessions."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from wsgiref.types import WSGIApplication

from .. import material
from . import chunks, routes_of

settings: Any = import_module("django.conf").settings
http: Any = import_module("django.http")
urls_api: Any = import_module("django.urls")
get_wsgi_application: Any = import_module("django.core.wsgi").get_wsgi_application

Page: Any = http.HttpResponse
path: Any = urls_api.path
_COMMON = "django.middleware.common.CommonMiddleware"
#: The middleware of each site, from the outside.
MIDDLEWARE = {
    "sessions": ["django.contrib.sessions.middleware.SessionMiddleware", _COMMON],
    "errors": [_COMMON, f"{__name__}.Mending"],
    "hooks": [_COMMON, f"{__name__}.stages"],
}


def make(site: str, assets: Path) -> WSGIApplication:
    """Return the application for a site; Django allows for one in a process."""
    urls = ModuleType("benchmark_urls")
    sys.modules[urls.__name__] = urls
    templates = {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [str(assets / "templates")]}
    log_handler = {"class": "logging.StreamHandler", "stream": "ext://benchmarks.wire.LOG"}
    settings.configure(
        ALLOWED_HOSTS=["*"], SECRET_KEY=material.SECRET, ROOT_URLCONF=urls.__name__, USE_I18N=False,
        MIDDLEWARE=MIDDLEWARE.get(site, [_COMMON]), TEMPLATES=[templates], SESSION_COOKIE_NAME="session",
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        LOGGING={
            "version": 1, "handlers": {"log": log_handler},
            "loggers": {"django.request": {"handlers": ["log"], "level": "ERROR", "propagate": False}},
        },
    )  # fmt: skip
    made: WSGIApplication = get_wsgi_application()
    count = routes_of(site)
    patterns: Any = many(count) if count else SITES[site](assets, urls)
    urls.urlpatterns = patterns  # type: ignore[attr-defined]
    return made


def main(assets: Path, urls: Any) -> list[Any]:
    """Return texts, documents, pages and files."""
    serve = import_module("django.views.static").serve
    static = path("static/<path:path>", serve, {"document_root": assets / "static"})
    return [*texts(), *documents(), *pages(), static]


def texts() -> list[Any]:
    """Return what needs nothing but the path and the query."""
    def hello(request: Any) -> Any:
        return Page(material.HELLO)

    def planet(request: Any, number: int) -> Any:
        return Page(f"planet {number}")

    def find(request: Any) -> Any:
        query = request.GET
        return Page(f"{query['term']}|{int(query.get('number', 1))}|{','.join(query.getlist('label'))}")

    def part(request: Any, number: int) -> Any:
        return Page(f"part {number}")

    shop = [path("parts/", urls_api.include([path("<int:number>", part)]))]
    nested = path("v2/shop/", urls_api.include(shop))
    return [path("", hello), path("planet/<int:number>", planet), path("find", find), nested]


def documents() -> list[Any]:
    """Return what reads or writes JSON, forms and files."""

    def small(request: Any) -> Any:
        return http.JsonResponse(material.SMALL)

    def rows(request: Any) -> Any:
        return http.JsonResponse(material.ROWS, safe=False)

    def echo(request: Any) -> Any:
        return http.JsonResponse(json.loads(request.body))

    def order(request: Any) -> Any:
        form = request.POST
        return Page(f"{form['name']}|{form['mail']}|{int(form['age'])}")

    def upload(request: Any) -> Any:
        sent = request.FILES["attachment"]
        return Page(f"{request.POST['note']}|{sent.name}|{material.digest(sent)}")

    return [path(view.__name__, view) for view in (small, rows, echo, order, upload)]


def pages() -> list[Any]:
    """Return templates, links, the stream and the async view."""
    snippet_template = import_module("django.template").engines["django"].from_string(material.SNIPPET)
    get_template = import_module("django.template.loader").get_template

    def page(request: Any) -> Any:
        return Page(get_template("page.html").render({"heading": material.HEADING, "parts": material.PARTS}))

    def snippet(request: Any) -> Any:
        return Page(snippet_template.render({"signs": material.SIGNS}))

    def shelf(request: Any, kind: str, number: int) -> Any:
        return Page("shelf")

    def links(request: Any) -> Any:
        return Page("\n".join([urls_api.reverse("shelf", kwargs={"kind": "books", "number": n}) for n in range(10)]))

    def stream(request: Any) -> Any:
        return http.StreamingHttpResponse(chunks())

    async def waiting(request: Any) -> Any:
        await asyncio.sleep(0)
        return Page("done")

    plain = [path(view.__name__, view) for view in (page, snippet, links, stream)]
    return [*plain, path("shelf/<kind>/<int:number>", shelf, name="shelf"), path("async", waiting)]


def sessions(assets: Path, urls: Any) -> list[Any]:
    """Return the views that count in the session."""

    def visits(request: Any) -> Any:
        return Page(str(request.session.get("visits", 0)))

    def add_visit(request: Any) -> Any:
        session = request.session
        session["visits"] = session.get("visits", 0) + 1
        return Page(str(session["visits"]))

    return [path("visits", visits), path("visits/add", add_visit)]


class Mending:
    """Be a middleware that answers a ValueError with the application's own page."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        return self.get_response(request)

    def process_exception(self, request: Any, error: Exception) -> Any:
        """Return the page for 500, None for other exceptions."""
        return Page(material.BROKEN, status=500) if isinstance(error, ValueError) else None


def errors(assets: Path, urls: Any) -> list[Any]:
    """Return views that fail; the pages for that are set on the module of the patterns."""

    def known(request: Any) -> Any:
        raise ValueError(material.REASON)

    def unknown(request: Any) -> Any:
        raise RuntimeError(material.REASON)

    urls.handler404 = lambda request, exception: Page(material.LOST, status=404)
    urls.handler500 = lambda request: Page(material.BROKEN, status=500)
    return [path("known", known), path("unknown", unknown)]


def stages(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a middleware that does what the hooks of the other frameworks do."""

    def middleware(request: Any) -> Any:
        request.visitor = "Ada"
        try:
            response = get_response(request)
            response["X-Seen"] = "yes"
            return response
        finally:
            material.teardowns[0] += 1

    return middleware


def hooks(assets: Path, urls: Any) -> list[Any]:
    """Return the one view that the middleware surrounds."""
    return [path("", lambda request: Page(f"Hello, {request.visitor}!"))]


def many(count: int) -> list[Any]:
    """Return `count` routes, half of them with a parameter."""

    def everything(request: Any) -> Any:
        return Page("all")

    def item(request: Any, number: int) -> Any:
        return Page(f"item {number}")

    patterns = []
    for _, literal, head in material.many_rules(count):
        patterns += [path(literal[1:], everything), path(f"{head[1:]}<int:number>", item)]
    return patterns


SITES: dict[str, Callable[[Path, Any], list[Any]]] = {
    "main": main,
    "sessions": sessions,
    "errors": errors,
    "hooks": hooks,
}
