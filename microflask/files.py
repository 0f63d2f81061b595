"""Files as responses: one stat, and nothing computed twice. The headers are those of werkzeug's ``send_file``."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable
from functools import lru_cache
from time import time
from typing import Any
from zlib import adler32

from werkzeug.datastructures import Headers
from werkzeug.http import dump_options_header, http_date, is_resource_modified
from werkzeug.utils import get_content_type
from werkzeug.wsgi import wrap_file

#: Headers of requests for parts of a file, or under conditions that are rare: werkzeug answers these.
_RARE = ("HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE")
_CHUNK = 64 * 1024

#: The date of a whole second, for the header Date and for files.
_date = lru_cache(maxsize=256)(http_date)


@lru_cache(maxsize=1024)
def _describe(name: str) -> tuple[tuple[str, str], ...]:
    """Return the headers that follow from a file's name."""
    mimetype, encoding = mimetypes.guess_type(name)
    headers = [("Content-Encoding", encoding)] if encoding else []
    headers.append(("Content-Disposition", dump_options_header("inline", {"filename": name})))
    headers.append(("Content-Type", get_content_type(mimetype or "application/octet-stream", "utf-8")))
    return tuple(headers)


def can_send(path: str, environ: dict[str, Any], options: dict[str, Any]) -> bool:
    """Tell whether :func:`send_path` answers such a request; `options` are those of ``send_file`` by name."""
    return (
        options.keys() <= {"conditional", "etag", "max_age"}
        and isinstance(options.get("etag", True), bool)
        and path.isascii()
        and not any(name in environ for name in _RARE)
    )


def send_path(
    response_class: Any, environ: dict[str, Any], path: str, stat: os.stat_result, conditional: bool, etag: bool,
    max_age: int | Callable[[str], int | None] | None,
) -> Any:  # fmt: skip
    """Return a response with the file at `path`; one without a body when the client has it already.

    :param stat: what is known of the file
    :param max_age: for how many seconds it may be cached, or what says so by the path; None asks for a check each time
    """
    size, mtime = stat.st_size, stat.st_mtime
    changed = _date(int(mtime))
    headers = [*_describe(os.path.basename(path)), ("Content-Length", str(size)), ("Last-Modified", changed)]
    seconds = max_age(path) if callable(max_age) else max_age
    if seconds is None:
        headers.append(("Cache-Control", "no-cache"))
    else:
        public = "public" if seconds > 0 else "no-cache"
        headers.append(("Cache-Control", f"{public}, max-age={seconds}"))
        headers.append(("Expires", _date(int(time() + seconds))))
    tag = f"{mtime}-{size}-{adler32(path.encode()) & 0xFFFFFFFF}" if etag else None
    if tag is not None:
        headers.append(("ETag", f'"{tag}"'))
    same = False
    if conditional:
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            headers.append(("Date", _date(int(time()))))
            same = _is_known(environ, tag, changed)
        headers.append(("Accept-Ranges", "bytes"))
    made = Headers()
    made._list = headers
    # Closed by whoever sends it.
    body = None if same else wrap_file(environ, open(path, "rb"), _CHUNK)  # noqa: SIM115
    return response_class(body, 304 if same else None, made, direct_passthrough=True)


def _is_known(environ: dict[str, Any], tag: str | None, changed: str) -> bool:
    """Tell whether the client has this version of the file."""
    tags = environ.get("HTTP_IF_NONE_MATCH")
    if tags is not None and tag is not None and tags == f'"{tag}"':
        return True
    if tags is None and "HTTP_IF_MODIFIED_SINCE" not in environ:
        return False
    quoted = None if tag is None else f'"{tag}"'
    return not is_resource_modified(environ, quoted, last_modified=changed)
