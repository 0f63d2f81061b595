"""Ready-made tasks: blueprints that are found by themselves, and one page for all HTTP errors."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from werkzeug.exceptions import HTTPException, InternalServerError, default_exceptions

from microflask import Blueprint, Flask, current_app, escape, make_response, render_template, request

__all__ = ["autoload", "setup_errors"]

OnError = Callable[[str], Any]


def autoload(
    app: Flask, apps_package: str | ModuleType = "apps", module_name: str = "routes",
    blueprint_name: str = "routes", on_error: OnError | None = None,
) -> None:  # fmt: skip
    """Register the blueprints of a package and of its sub-packages, at any depth, in alphabetical order.

    Each package may have a module `module_name`, and in it a blueprint `blueprint_name`. A package without the module
    is passed over; one with a module and without the blueprint is named in a warning of the application's logger.

    :param apps_package: the package, or its name
    :param on_error: called with the name of a sub-package or module that cannot be imported, while its exception is
        being handled; then the rest is loaded. Without it, the exception comes out
    :raises ValueError: the name is empty, or relative; or a blueprint's name is taken
    :raises ImportError: there is no such package
    """
    root = _find_package(apps_package)
    if not hasattr(root, "__path__"):
        app.logger.warning("autoload finds nothing in %s: it is a module and no package", root.__name__)
    for package in _walk(root, on_error):
        name = f"{package.__name__}.{module_name}"
        routes = _import(name, on_error)
        if routes is None:
            continue
        blueprint = getattr(routes, blueprint_name, None)
        if isinstance(blueprint, Blueprint):
            app.register_blueprint(blueprint)
            continue
        app.logger.warning(
            "autoload passes over the package %s: %s.%s is %s", package.__name__, name, blueprint_name,
            f"no blueprint but {blueprint!r}" if hasattr(routes, blueprint_name) else "missing",
        )  # fmt: skip


def _find_package(apps_package: str | ModuleType) -> ModuleType:
    if isinstance(apps_package, ModuleType):
        return apps_package
    if not apps_package or apps_package.startswith("."):
        raise ValueError(f"apps_package={apps_package!r} names no package: give the full name, as 'project.apps'")
    try:
        return import_module(apps_package)
    except ModuleNotFoundError as error:
        if not f"{apps_package}.".startswith(f"{error.name}."):
            raise
        raise ImportError(f"there is no package {apps_package!r} to load from: {error}", name=apps_package) from error


def _walk(package: ModuleType, on_error: OnError | None) -> Iterator[ModuleType]:
    """Yield a package, then all below it."""
    yield package
    found = pkgutil.iter_modules(getattr(package, "__path__", ()), f"{package.__name__}.")
    for name in sorted(info.name for info in found if info.ispkg):
        below = _import(name, on_error)
        if below is not None:
            yield from _walk(below, on_error)


def _import(name: str, on_error: OnError | None) -> ModuleType | None:
    """Import a module; None when there is none, or when that failed and `on_error` has been told."""
    try:
        return import_module(name) if _exists(name) else None
    except Exception:
        if on_error is None:
            raise
        on_error(name)
        return None


def _exists(name: str) -> bool:
    """Tell whether there is a module, without running it, so that a broken one does not count as missing."""
    if name in sys.modules:
        return True
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise
        return False


def setup_errors(app: Flask, error_template: str = "errors.html") -> None:
    """Answer every HTTP error by one template, which gets ``code``, ``name`` and ``description``.

    The description is escaped, in templates of any kind. The answer keeps the error's status and its headers, such as
    Allow. An exception that nobody handles is shown as the status 500, without its text. An error that brings a
    response of its own is answered by that.
    """
    for code in default_exceptions:
        app.register_error_handler(code, partial(_render_error, error_template))


def _render_error(error_template: str, error: Exception) -> Any:
    # Applications that behave as Flask 0.10 hand over the unhandled exception itself.
    http_error = error if isinstance(error, HTTPException) else InternalServerError()
    if http_error.response is not None:
        return http_error
    try:
        description = escape(http_error.description or "")
        body = render_template(error_template, code=http_error.code, name=http_error.name, description=description)
    except Exception:
        if http_error.code != 500:
            raise
        # The error may be in what every page needs; there is no other page to show then.
        current_app.logger.exception("the page %s for the status 500 cannot be shown", error_template)
        return http_error
    response = make_response(body, http_error.code)
    for name, value in http_error.get_headers(request.environ):
        if name.lower() != "content-type":
            response.headers.add(name, value)
    return response
