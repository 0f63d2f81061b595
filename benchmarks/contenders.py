"""The frameworks that are compared."""

from __future__ import annotations

from dataclasses import dataclass
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
    """The shortest module that defines ``app``, which says hello; imports first."""


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
        Contender("falcon", "Falcon", _FALCON),
        Contender("bottle", "Bottle", _BOTTLE),
        Contender("pyramid", "Pyramid", _PYRAMID),
        Contender("django", "Django", _DJANGO),
        Contender("werkzeug", "Werkzeug", _WERKZEUG),
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
