"""From an endpoint to its URL, for the application and the request that are current."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from werkzeug.routing import BuildError

from .globals import Frame, blueprint_chain
from .routing import RequestAdapter


def build_url(
    app: Any, frame: Frame | None, endpoint: str, values: dict[str, Any], anchor: str | None, method: str | None,
    scheme: str | None, external: bool | None,
) -> str:  # fmt: skip
    """Do the work of :func:`microflask.url_for` for an application; `values` is changed.

    :param frame: what is current
    """
    ctx = None if frame is None else frame[1]
    if not (ctx is None or external or method is not None or scheme is not None or app._own_urls or app._has_modules):
        adapter = ctx.url_adapter
        if type(adapter) is RequestAdapter and not app.url_default_functions:
            url = adapter.local_url(endpoint, values)
            if url is not None:
                return url if anchor is None else f"{url}#{quote(anchor, safe=app.compat.safe_in_anchor)}"
    if ctx is None:
        adapter = _adapter_without_request(app, frame)
        if external is None:
            external = True
    else:
        adapter = ctx.url_adapter
        endpoint = _local_endpoint(endpoint, ctx)
        if external is None:
            external = scheme is not None and app.compat.scheme_implies_external
    if adapter is None:
        raise RuntimeError(
            f"url_for({endpoint!r}) needs a current request, or SERVER_NAME (and APPLICATION_ROOT,"
            " PREFERRED_URL_SCHEME) in the configuration: nothing else here tells the host"
        )
    if scheme is not None and not external:
        raise ValueError(f"url_for(_scheme={scheme!r}) makes an absolute URL: add _external=True")
    if app.late_blueprints:
        app.late_blueprints.import_endpoint(app, endpoint)
    app.inject_url_defaults(endpoint, values)
    try:
        url = adapter.build(endpoint, values, method=method, url_scheme=scheme, force_external=external)
    except BuildError as error:
        values.update(_anchor=anchor, _method=method, _scheme=scheme, _external=external)
        return app.handle_url_build_error(error, endpoint, values)  # type: ignore[no-any-return]
    return url if anchor is None else f"{url}#{quote(anchor, safe=app.compat.safe_in_anchor)}"


def _adapter_without_request(app: Any, frame: Frame | None) -> Any:
    if frame is not None and frame[0].app is app:
        return frame[0].app_context.url_adapter
    return app.create_url_adapter(None)


def _local_endpoint(endpoint: str, ctx: Any) -> str:
    """Return the endpoint that is meant in the blueprint, or Module, of the request."""
    relative = endpoint[:1] == "."
    if "." in endpoint and not relative:
        return endpoint
    name = ctx.blueprints[0] if ctx.blueprints else None
    # In a Module it is the other way round: its own endpoints need no dot, and those of the application one.
    is_module = getattr(ctx.app.blueprints.get(name), "is_module", False)
    if relative is is_module or name is None:
        return endpoint.removeprefix(".")
    return f"{name}{endpoint}" if relative else f"{name}.{endpoint}"


def inject_url_defaults(self: Any, endpoint: str, values: dict[str, Any]) -> None:
    """Let the functions of url_defaults() add to the values that a URL is built with."""
    registry = self.url_default_functions
    if not registry:
        return
    blueprint = endpoint.rpartition(".")[0]
    for name in (None, *reversed(blueprint_chain(blueprint) if blueprint else ())):
        for function in registry.get(name, ()):
            function(endpoint, values)


def handle_url_build_error(self: Any, error: BuildError, endpoint: str, values: dict[str, Any]) -> str:
    """Return the URL that one of the build error handlers knows.

    :raises werkzeug.routing.BuildError: none does
    """
    for handler in self.url_build_error_handlers:
        try:
            url = handler(error, endpoint, values)
        except BuildError as raised:
            error = raised
        else:
            if url is not None:
                return url  # type: ignore[no-any-return]
    if self.build_error_handler is not None:
        return self.build_error_handler(error, endpoint, **values)  # type: ignore[no-any-return]
    raise error
