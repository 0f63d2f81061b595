"""The functions that views use. Each finds the current context once and hands the work to its owner."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import cached_property, update_wrapper
from stat import S_ISREG
from typing import Any, NoReturn, overload
from warnings import warn
from zlib import crc32

import werkzeug.security
from werkzeug.exceptions import NotFound
from werkzeug.exceptions import abort as _abort
from werkzeug.utils import redirect as _redirect
from werkzeug.utils import send_file as _send_file
from werkzeug.wrappers import Response as ResponseBase

from . import files
from .compat import documented_signature
from .globals import _request_ctx, current_frame, find_app, find_request_ctx
from .globals import current_app as current_app
from .globals import request as request
from .globals import session as session
from .resources import PackageBound as _PackageBoundObject  # noqa: F401 - old extensions have it from here
from .resources import find_package as find_package
from .resources import get_root_path as get_root_path
from .signals import message_flashed
from .urls import build_url

_UNSET: Any = object()
#: Those of send_file's arguments with which a file is sent by its path, and nothing more is asked.
_PLAIN_OPTIONS = frozenset({"conditional", "etag", "max_age"})
#: send_file's names since Flask 2.0 for what was called otherwise before.
_SEND_FILE_RENAMED = {"attachment_filename": "download_name", "add_etags": "etag", "cache_timeout": "max_age"}


def _needs_app(name: str) -> Any:
    app = find_app()
    if app is None:
        raise RuntimeError(
            f"Working outside of application context. {name}() needs a current application: call it while a request"
            " is handled, or inside of `with app.app_context():`"
        )
    return app


class locked_cached_property(cached_property[Any]):
    """Be a property that computes its value once; assigning and deleting work as on any attribute."""

    def __init__(self, func: Callable[[Any], Any], name: str | None = None, doc: str | None = None) -> None:
        super().__init__(func)
        self.__name__ = name or func.__name__
        self.__module__ = func.__module__
        self.__doc__ = doc or func.__doc__


def total_seconds(td: timedelta) -> int:
    """Return a time span in whole seconds; ``timedelta.total_seconds`` came with Python 2.7."""
    return int(td.total_seconds())


def debug_setting() -> str | None:
    """Return the environment variable MICROFLASK_DEBUG, else FLASK_DEBUG, else None."""
    return os.environ.get("MICROFLASK_DEBUG", os.environ.get("FLASK_DEBUG"))


def get_debug_flag() -> bool:
    """Tell whether the environment variable MICROFLASK_DEBUG, or FLASK_DEBUG, switches debugging on."""
    return (debug_setting() or "").lower() not in {"", "0", "false", "no"}


def get_load_dotenv(default: bool = True) -> bool:
    """Tell whether .env files are to be read: FLASK_SKIP_DOTENV switches that off."""
    value = os.environ.get("FLASK_SKIP_DOTENV")
    return value.lower() in {"0", "false", "no"} if value else default


def url_for(
    endpoint: str, *, _anchor: str | None = None, _method: str | None = None, _scheme: str | None = None,
    _external: bool | None = None, **values: Any,
) -> str:  # fmt: skip
    """Return the URL of an endpoint; values that its rule does not know become the query.

    :param endpoint: the endpoint; with a dot in front, one of the current blueprint
    :param _anchor: the part behind the ``#``
    :param _method: build with the rule for this HTTP method
    :param _scheme: the scheme of an absolute URL
    :param _external: make the URL absolute
    :param values: the rule's variables; None is left out
    :raises werkzeug.routing.BuildError: no rule fits, and no build error handler helped
    :raises RuntimeError: there is no current application, or its server name is not known here
    """
    frame = current_frame()
    app = _needs_app("url_for") if frame is None else frame[0].app
    if app._own_urls:
        return app.url_for(  # type: ignore[no-any-return]
            endpoint, _anchor=_anchor, _method=_method, _scheme=_scheme, _external=_external, **values
        )
    return build_url(app, frame, endpoint, values, _anchor, _method, _scheme, _external)


def redirect(location: str, code: int = 302, Response: type[Any] | None = None) -> ResponseBase:
    """Return a response that sends the client to another URL.

    :param location: the URL; other characters than ASCII are encoded
    :param code: one of 301, 302, 303, 305, 307, 308
    :param Response: the class of the response; the application's unless given
    """
    app = find_app()
    if app is None or Response is not None:
        return _redirect(one_line(location), code=code, Response=Response)
    return app.redirect(location, code=code)  # type: ignore[no-any-return]


def one_line(location: str) -> str:
    """Return a URL with its line breaks encoded as all else is, because a header has none."""
    # It may be an object that stands for a text, such as a translation that waits for its language.
    return str(location).replace("\r", "%0D").replace("\n", "%0A")


def abort(code: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Raise the HTTP error for a status, or end the request with a response.

    :param code: a status, or a WSGI application such as a response
    :raises LookupError: there is no HTTP error with that status
    """
    app = find_app()
    (_abort if app is None else app.aborter)(code, *args, **kwargs)
    raise AssertionError("an aborter raises")  # pragma: no cover


def make_response(*args: Any) -> Any:
    """Return a response object for what a view could return: nothing, one value, or the parts of a tuple."""
    app = _needs_app("make_response")
    if not args:
        return app.response_class()
    return app.make_response(args[0] if len(args) == 1 else args)


def get_template_attribute(template_name: str, attribute: str) -> Any:
    """Return a macro or variable that a template exports.

    :raises jinja2.TemplateNotFound: there is no such template
    :raises AttributeError: it does not export that
    """
    return getattr(_needs_app("get_template_attribute").jinja_env.get_template(template_name).module, attribute)


# -- flashing ------------------------------------------------------------------------------------------------------


def flash(message: str, category: str = "message") -> None:
    """Keep a message for the next request that asks for it.

    :param category: message, error, info and warning are usual; any text will do
    :raises RuntimeError: there is no current request, or no secret key for a session
    """
    ctx = _request_ctx()
    session = ctx.session
    # Assigned, not appended: a session does not notice changes inside of its values.
    session["_flashes"] = [*session.get("_flashes", ()), (category, message)]
    if message_flashed.receivers:
        message_flashed.send(ctx.app, _async_wrapper=ctx.app.ensure_sync, message=message, category=category)


def get_flashed_messages(with_categories: bool = False, category_filter: Iterable[str] = ()) -> list[Any]:
    """Take the flashed messages out of the session; later calls in the same request return them again.

    :param with_categories: return (category, message) tuples
    :param category_filter: only messages of these categories; all, when it is empty
    """
    ctx = _request_ctx()
    if ctx.flashes is None:
        session = ctx.session
        ctx.flashes = [tuple(pair) for pair in session.pop("_flashes")] if "_flashes" in session else []
    wanted = category_filter if isinstance(category_filter, str) else tuple(category_filter)
    chosen = [pair for pair in ctx.flashes if not wanted or pair[0] in wanted]
    return chosen if with_categories else [message for _, message in chosen]


# -- files ---------------------------------------------------------------------------------------------------------


def _file_options(args: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of send_file by their present names, whichever generation's were used."""
    app = _needs_app("send_file")
    positions = app.compat.send_file_positions
    if len(args) > len(positions):
        raise TypeError(f"send_file() takes at most {len(positions) + 4} positional arguments, {len(args) + 4} given")
    named: dict[str, Any] = dict(zip(positions, args, strict=False))
    if twice := named.keys() & options.keys():
        raise TypeError(f"send_file() got {sorted(twice)} by position and by name")
    chosen: dict[str, Any] = {}
    for name, value in (named | options).items():
        current = _SEND_FILE_RENAMED.get(name, name)
        if name == current or value is not None:
            chosen[current] = value
    chosen.setdefault("conditional", app.compat.send_file_conditional)
    if chosen.get("max_age") is None:
        chosen["max_age"] = app.get_send_file_max_age
    return chosen


def send_file(
    path_or_file: Any = None, mimetype: str | None = None, as_attachment: bool = False,
    download_name: str | None = None, *args: Any, **options: Any,
) -> Any:  # fmt: skip
    """Answer with the contents of a file. Never pass a path that came with a request: see send_from_directory.

    :param path_or_file: a path, relative to the application's root path, or an open file, positioned at its start;
        `filename_or_fp` is its documented name
    :param mimetype: found by the file's name unless given
    :param as_attachment: offer it for saving
    :param download_name: the name for saving; `attachment_filename` is its documented name
    :param options: etag (documented as add_etags), max_age in seconds (documented as cache_timeout), conditional,
        last_modified; by position they come in the order of the generation that the application's compat names
    :raises FileNotFoundError: there is no such file
    :raises TypeError: an argument is not known, or the type of a nameless file cannot be found
    """
    app = _needs_app("send_file")
    if "filename_or_fp" in options:
        path_or_file = options.pop("filename_or_fp")
    chosen = _file_options(args, options)
    file: Any = path_or_file
    if download_name is not None:
        chosen["download_name"] = download_name
    if hasattr(file, "read"):
        file, mimetype = _open_file(app, file, mimetype, as_attachment, chosen)
    request = _request_ctx().request
    response = _send_file(
        file, request.environ, mimetype=mimetype, as_attachment=as_attachment, response_class=app.response_class,
        use_x_sendfile=app.use_x_sendfile, _root_path=app.root_path, **chosen,
    )  # fmt: skip
    if chosen["conditional"] and request.method in ("GET", "HEAD"):
        # Werkzeug before 3.1.9 said so only when it was asked for a range.
        response.headers.setdefault("Accept-Ranges", "bytes")
    return response if as_attachment else _without_name(app, response)


send_file.__signature__ = documented_signature(  # type: ignore[attr-defined]
    "filename_or_fp, mimetype=None, as_attachment=False, attachment_filename=None, add_etags=True, cache_timeout=None,"
    " conditional=False",
    path_or_file=None, download_name=None, etag=True, last_modified=None, max_age=None,
)  # fmt: skip


def _without_name(app: Any, response: Any) -> Any:
    """Return a response with a file that is not for saving, without the file's name if the application says so."""
    if not app.compat.inline_files_named:
        response.headers.pop("Content-Disposition", None)
    return response


def _open_file(
    app: Any, file: Any, mimetype: str | None, as_attachment: bool, chosen: dict[str, Any]
) -> tuple[Any, str | None]:
    """Return an open file, or its path, for the server, and its mimetype.

    :param chosen: the other arguments; what the file's name tells is entered
    """
    # Of what is no file of Python's the name may be anything: an upload's is the form field's.
    name = getattr(file, "name", None) if isinstance(file, io.IOBase) else None
    type_of = getattr(file, "name", None) if app.compat.open_files_tagged else name
    nameless = chosen.get("download_name") is None
    if app.compat.warns_of_deprecations:
        _warn_of_open_file(nameless and mimetype is None and isinstance(type_of, str), chosen.get("etag", True))
    if nameless:
        if mimetype is None:
            mimetype = _guess_type(type_of)
        if as_attachment and isinstance(name, str):
            chosen["download_name"] = os.path.basename(name)
    if app.compat.open_files_tagged and chosen.get("etag", True) is True and isinstance(name, str):
        try:
            found = os.stat(name)
        except OSError:
            pass
        else:
            chosen["etag"] = f"{found.st_mtime}-{found.st_size}-{crc32(os.path.abspath(name).encode())}"
    return _for_server(file, name, app.use_x_sendfile), mimetype


def _warn_of_open_file(by_name: bool, by_etag: bool) -> None:
    """Warn the caller of send_file() of what Flask 0.10 called deprecated."""
    if by_name:
        advice = "send_file() guesses the type of an open file: pass mimetype or attachment_filename"
        warn(advice, DeprecationWarning, stacklevel=4)
    if by_etag:
        advice = "send_file() makes an ETag of an open file's name: pass a path, or add_etags=False"
        warn(advice, DeprecationWarning, stacklevel=4)


def _guess_type(name: Any) -> str:
    """Return the mimetype that the name of an open file suggests; there may be no such name."""
    import mimetypes

    guessed = mimetypes.guess_type(name)[0] if isinstance(name, str) else None
    return guessed or "application/octet-stream"


def _for_server(file: Any, name: Any, by_path: bool) -> Any:
    """Return the path of an open file for the server to send, or the file itself, giving bytes."""
    if by_path and isinstance(name, str) and os.path.isfile(name):
        file.close()
        return os.path.abspath(name)
    if not isinstance(file, io.TextIOBase):
        return file
    if getattr(file, "buffer", None) is None or file.tell() != 0:
        return io.BytesIO(file.read().encode())
    # Taken out, because the text file would close it when nobody refers to the text file any more.
    return file.detach()


def send_from_directory(directory: str | os.PathLike[str], path: str = "", *args: Any, **kwargs: Any) -> Any:
    """Answer with a file from a folder, and with nothing outside of it.

    :param directory: the folder, trusted; relative to the application's root path
    :param path: the path below it, not trusted; `filename` is its documented name
    :param kwargs: as for :func:`send_file`
    :raises NotFound: there is no such file, or it would lie outside of the folder
    """
    app = _needs_app("send_from_directory")
    if "filename" in kwargs:
        path = kwargs.pop("filename")
    full = files.find_below(app.root_path, os.fspath(directory), os.fspath(path))
    if full is None:
        raise NotFound()
    if len(args) < 3 or "conditional" not in app.compat.send_file_positions[: len(args) - 3]:
        kwargs.setdefault("conditional", True)
    try:
        found = os.stat(full)
    except (OSError, ValueError):
        # There is no such file; or a null character, which no file name holds.
        raise NotFound() from None
    if not S_ISREG(found.st_mode):
        raise NotFound()
    response = None if args else _send_plainly(app, full, found, kwargs)
    return send_file(full, *args, **kwargs) if response is None else response


def _send_plainly(app: Any, path: str, found: os.stat_result, options: dict[str, Any]) -> Any:
    """Return the response of send_file() for a path; None where that takes more than a usual answer.

    :param found: what is known of the file
    :param options: the other arguments
    """
    environ = _request_ctx().environ
    if app.use_x_sendfile or not files.can_send(path, environ):
        return None
    if not options.keys() <= _PLAIN_OPTIONS:
        options = _file_options((), options)
    etag, max_age = options.get("etag", True), options.get("max_age")
    if not (options.keys() <= _PLAIN_OPTIONS and isinstance(etag, bool)):
        return None
    if max_age is None:
        max_age = app.get_send_file_max_age(path)
    elif callable(max_age):
        max_age = max_age(path)
    return files.send_path(
        app.response_class, environ, path, found, options["conditional"], etag, max_age, app.compat.inline_files_named
    )


def safe_join(directory: str, filename: str = "", *pathnames: str) -> str:
    """Join a trusted folder and untrusted path names.

    :raises NotFound: the result would lie outside of the folder
    """
    path = werkzeug.security.safe_join(directory, filename, *pathnames)
    if path is None or "\0" in path:
        raise NotFound()
    return path


# -- streams -------------------------------------------------------------------------------------------------------


@overload
def stream_with_context(generator_or_function: Iterator[Any]) -> Iterator[Any]: ...


@overload
def stream_with_context(generator_or_function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]: ...


def stream_with_context(
    generator_or_function: Iterator[Any] | Callable[..., Iterator[Any]],
) -> Iterator[Any] | Callable[..., Iterator[Any]]:
    """Keep the request context for a generator, which runs when the request is over; also a decorator.

    :raises RuntimeError: the generator is made where there is no request
    """
    if callable(generator_or_function) and not hasattr(generator_or_function, "__next__"):
        function = generator_or_function

        def decorated(*args: Any, **kwargs: Any) -> Iterator[Any]:
            return stream_with_context(function(*args, **kwargs))

        return update_wrapper(decorated, function)
    ctx = find_request_ctx()
    if ctx is None:
        raise RuntimeError(
            "stream_with_context() keeps the request's context, and there is none here: make the generator in a view"
        )
    from .streams import KeptStream

    return KeptStream(ctx, iter(generator_or_function))  # type: ignore[arg-type]
