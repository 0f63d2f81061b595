"""Messages for mistakes. Imported only when one was made, so that they may be long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import NoneType
from typing import Any

from .globals import find_request

_FORM_WITH_FILES = "multipart/form-data"


class UnexpectedUnicodeError(AssertionError, UnicodeError):
    """Raised where text and bytes were mixed; carries the more helpful message of the two."""


class DebugFilesKeyError(KeyError, AssertionError):
    """Explain why ``request.files`` lacks a key.

    :param quote: the quotation mark around names, ``app.compat.files_key_error_quote``
    """

    def __init__(self, request: Any, key: str, quote: str = "'") -> None:
        name = f"{quote}{key}{quote}"
        parts = [f"request.files has no file {name}."]
        if request.mimetype != _FORM_WITH_FILES:
            parts.append(_describe_content_type(request.mimetype, quote))
        sent = request.form.getlist(key)
        if sent:
            names = ", ".join(f"{quote}{value}{quote}" for value in sent)
            parts.append(
                f"The field {name} came as a form field that holds only a file's name. This was submitted: {names}. "
                f'Give the <form> element the attribute enctype="{_FORM_WITH_FILES}".'
            )
        self.message = " ".join(parts)
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message  # KeyError would show its repr


def _describe_content_type(mimetype: str, quote: str) -> str:
    arrived = f"of the type {quote}{mimetype}{quote}" if mimetype else "without a Content-Type"
    return (
        f"The request came {arrived}; files are sent only with {quote}{_FORM_WITH_FILES}{quote}, so no file contents"
        " were transmitted."
    )


class FormDataRoutingRedirect(AssertionError):
    """Raised in debug mode where a redirect of the URL map would lose the form that was sent."""

    def __init__(self, request: Any) -> None:
        target = request.routing_exception.new_url
        lines = [
            f"A form was sent with {request.method} to {request.url}, but rules lead to the canonical URL {target!r}.",
            "A browser may follow such a redirect without the form's data.",
        ]
        if target.partition("?")[0] == f"{request.base_url}/":
            lines.append("The rule of that view ends with a slash, and the URL that was used does not.")
        lines.append(
            f"Make sure to directly send your {request.method}-request to this URL: let the form's action be made with"
            " url_for(), or change the rule. Outside of debug mode the redirect is sent."
        )
        super().__init__("\n".join(lines))


def attach_enctype_error_multidict(request: Any, quote: str = "'") -> None:
    """Make ``request.files`` explain itself when a missing key can be blamed on the form's encoding.

    That is so when the key came as a form field. Everything else of the mapping stays; a key that simply was not
    sent raises what it always did.
    """
    plain: type = type(request.files)

    class Explaining(plain):  # type: ignore[misc]
        def __getitem__(self, key: str) -> Any:
            try:
                return super().__getitem__(key)
            except KeyError as error:
                if key not in request.form:
                    raise
                raise DebugFilesKeyError(request, key, quote) from error

    Explaining.__name__, Explaining.__qualname__, Explaining.__module__ = (
        plain.__name__, plain.__qualname__, plain.__module__,
    )
    request.files.__class__ = Explaining


def explain_template_loading_attempts(app: Any, template: str, attempts: Iterable[tuple[Any, Any, Any]]) -> None:
    """Log at level info where a template was looked for, in order, and what was found.

    :param attempts: for each place its loader, the application or blueprint that it belongs to, and what Jinja's
        ``get_source`` returned: source, filename and a function, or None
    """
    lines = [f"Looking for the template {template!r}:"]
    found = 0
    for number, (loader, owner, answer) in enumerate(attempts, 1):
        lines.append(f"{number:5}: trying loader of {_describe_owner(app, owner)}, {_describe_loader(loader)}")
        found += answer is not None
        lines.append("       no" if answer is None else f"       yes: {answer[1] or 'not from a file'}")
    if not found:
        lines.append("Error: the template could not be found. Compare its name and the folders above with the files.")
    elif found > 1:
        lines.append("Warning: several places have it; the first one is used.")
    if found != 1 and (request := find_request()) is not None and request.blueprint is not None:
        lines += [
            f"It was looked up from an endpoint that belongs to the blueprint {request.blueprint!r}.",
            "All folders share their names. See https://flask.palletsprojects.com/blueprints/#templates",
        ]
    app.logger.info("\n".join(lines))


def _describe_owner(app: Any, owner: Any) -> str:
    if owner is app:
        return f"application {app.import_name!r}"
    if hasattr(owner, "import_name"):
        return f"blueprint {owner.name!r} ({owner.import_name})"
    return repr(owner)


def _describe_loader(loader: Any) -> str:
    return " ".join([type(loader).__name__, *_loader_places(loader)])


def _loader_places(loader: Any) -> Iterator[str]:
    for attribute in ("searchpath", "package_name", "package_path"):
        value = getattr(loader, attribute, ())
        yield from [value] if isinstance(value, str) else map(str, value)


def missing_template_message(template_names: str | Iterable[str], places: list[str]) -> str:
    """Return the text for templates of which none was found in `places`."""
    names = [template_names] if isinstance(template_names, str) else list(template_names)
    quoted = ", ".join(map(repr, names))
    start = f"There is no template {quoted}." if len(names) == 1 else f"None of these templates is there: {quoted}."
    if not places:
        return f"{start} No template folder is known: pass template_folder to the application or a blueprint."
    return f"{start} These places were searched, in this order: {', '.join(places)}."


def view_returned_none_message(name: str, kind: type = NoneType) -> str:
    """Return the text for a view without an answer.

    :param name: the endpoint or the function
    :param kind: the type of what was returned: None itself, or a tuple whose first item is None
    """
    what = "returned None, or ended without a return statement" if kind is NoneType else (
        f"returned a {kind.__name__} that starts with None"
    )
    return f"The view {name!r} {what}. Return a response, a string, a dict or a list; '' stands for an empty body."


def no_return_type_message(name: str, kind: type) -> str:
    """Return the text for a view whose return value is of a type that no response can be made of."""
    return (
        f"The view {name!r} returned a {kind.__name__}, and no response can be made of what it was: it was a"
        f" {kind.__name__}. Return a string, bytes,"
        " a dict, a list, a generator, a response, a WSGI application, or a tuple (body, status, headers) of these."
    )
