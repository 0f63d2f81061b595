"""The frameworks that are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication


@dataclass(frozen=True)
class Contender:
    """Hold what the runner knows about a framework; its applications stand in ``apps/<key>_app.py``."""

    key: str
    title: str
    program: str
    """The shortest module that defines ``app``, which says hello."""
    not_offered: Mapping[str, str] = field(default_factory=dict)
    """The workloads that it has nothing for, and why."""
    by_hand: Mapping[str, str] = field(default_factory=dict)
    """The workloads where something was added that it does not bring, or brings in another form."""


def _like_flask(package: str) -> str:
    return (
        f"from {package} import Flask\n\napp = Flask('smallest')\n\n"
        "@app.route('/')\ndef hello():\n    return 'Hello, World!'\n"
    )


_FALCON = """\
from falcon import App, MEDIA_HTML

class Hello:
    def on_get(self, req, resp):
        resp.content_type = MEDIA_HTML
        resp.text = 'Hello, World!'

app = App()
app.add_route('/', Hello())
"""
_BOTTLE = """\
from bottle import Bottle

app = Bottle()

@app.route('/')
def hello():
    return 'Hello, World!'
"""
_PYRAMID = """\
from pyramid.config import Configurator
from pyramid.response import Response

with Configurator() as config:
    config.add_route('hello', '/')
    config.add_view(lambda request: Response('Hello, World!'), route_name='hello')
    app = config.make_wsgi_app()
"""
_DJANGO = """\
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, SECRET_KEY='smallest', ALLOWED_HOSTS=['*'],
                   MIDDLEWARE=['django.middleware.common.CommonMiddleware'])
urlpatterns = [path('', lambda request: HttpResponse('Hello, World!'))]
app = get_wsgi_application()
"""
_WERKZEUG = """\
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

urls = Map([Rule('/', endpoint='hello')])

@Request.application
def app(request):
    endpoint, values = urls.bind_to_environ(request.environ).match()
    return Response('Hello, World!', mimetype='text/html')
"""

SUBJECT = "microflask"
CONTENDERS: dict[str, Contender] = {
    each.key: each
    for each in (
        Contender("microflask", "microflask", _like_flask("microflask")),
        Contender("flask", "Flask", _like_flask("flask")),
        Contender("falcon", "Falcon", _FALCON, not_offered={
            "links": "it does not build URLs",
        }, by_hand={
            "nested": "no blueprints: the whole path is registered",
            "session-read": "no sessions: itsdangerous",
            "session-write": "no sessions: itsdangerous",
            "template": "no templates: Jinja2",
            "snippet": "no templates: Jinja2, compiled at the start",
            "async": "no async views under WSGI: falcon.async_to_sync",
        }),
        Contender("bottle", "Bottle", _BOTTLE, not_offered={
            "async": "no async views",
        }, by_hand={
            "json-rows": "a list is not turned into JSON: json.dumps",
            "session-read": "no sessions: its signed cookies (pickle)",
            "session-write": "no sessions: its signed cookies (pickle)",
            "template": "Jinja2, as for Flask",
            "snippet": "Jinja2, as for Flask, compiled at the start",
            "error-page": "no handlers for classes of exceptions: a plugin",
        }),
        Contender("pyramid", "Pyramid", _PYRAMID, not_offered={
            "async": "no async views",
        }, by_hand={
            "template": "pyramid_jinja2",
            "snippet": "pyramid_jinja2's environment, compiled at the start",
            "error-logged": "exceptions are not logged: logging in the exception view",
        }),
        Contender("django", "Django", _DJANGO, by_hand={
            "static": "only its view for development",
            "unchanged": "only its view for development",
            "snippet": "compiled at the start",
        }),
        Contender("werkzeug", "Werkzeug", _WERKZEUG, not_offered={
            "async": "no async views",
        }, by_hand={
            "nested": "no blueprints: Submount",
            "session-read": "no sessions: itsdangerous",
            "session-write": "no sessions: itsdangerous",
            "template": "no templates: Jinja2",
            "snippet": "no templates: Jinja2, compiled at the start",
            "error-logged": "no error handling: try and except in the dispatcher",
            "hooks": "no hooks: lines of the dispatcher",
        }),
    )
}
#: The variants are about Flask's API, so only these two have them.
WITH_VARIANTS = ("microflask", "flask")


def module_of(key: str) -> Any:
    """Import the applications of a framework, and with them the framework."""
    return import_module(f"{__package__}.apps.{key}_app")


def application(key: str, site: str, assets: Path) -> WSGIApplication:
    """Return the application that a framework answers the workloads of `site` with.

    :param assets: the folder that holds ``templates`` and ``static``
    """
    app: WSGIApplication = module_of(key).make(site, assets)
    return app
