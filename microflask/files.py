"""Files as responses: one stat, and nothing computed twice. The headers are those of werkzeug's ``send_file``."""

from __future__ import annotations

import mimetypes
import os
import re
from functools import lru_cache
from time import time
from typing import Any
from zlib import adler32

from werkzeug.http import dump_options_header, http_date, is_resource_modified
from werkzeug.security import safe_join
from werkzeug.utils import get_content_type
from werkzeug.wsgi import FileWrapper

from .attributes import compile_later
from .headers import Headers

#: One segment or more of a path, of which none is, or means, anything but its name on a POSIX system.
_PLAIN_PATH = compile_later(globals(), "_PLAIN_PATH", r"(?:[\w-][\w.-]*/)*[\w-][\w.-]*", re.ASCII)
_POSIX = os.name == "posix"
_CHUNK = 64 * 1024
_ASK_EACH_TIME = ("Cache-Control", "no-cache")
_RANGES = ("Accept-Ranges", "bytes")

#: The date of a whole second, for the header Date and for files.
_date = lru_cache(maxsize=256)(http_date)


def find_below(root: str, directory: str, path: str) -> str | None:
    """Return the whole path of what werkzeug's ``safe_join`` finds below a folder; None when it would lie outside.

    :param root: where the folder's path begins unless it is absolute
    """
    if _POSIX and directory[:1] == "/" and _PLAIN_PATH(path):
        return f"{directory}{path}" if directory[-1] == "/" else f"{directory}/{path}"
    inside = safe_join(directory, path)
    return None if inside is None else os.path.join(root, inside)


@lru_cache(maxsize=1024)
def _describe(
    path: str, size: int, mtime: float, named: bool, tagged: bool
) -> tuple[tuple[tuple[str, str], ...], str, str | None]:
    """Return the headers that follow from a file's name, size and time, and that time and its ETag as texts."""
    name = os.path.basename(path)
    mimetype, encoding = mimetypes.guess_type(name)
    headers = [("Content-Encoding", encoding)] if encoding else []
    if named:
        headers.append(("Content-Disposition", dump_options_header("inline", {"filename": name})))
    headers.append(("Content-Type", get_content_type(mimetype or "application/octet-stream", "utf-8")))
    changed = http_date(int(mtime))
    headers += [("Content-Length", str(size)), ("Last-Modified", changed)]
    return tuple(headers), changed, f'"{mtime}-{size}-{adler32(path.encode()) & 0xFFFFFFFF}"' if tagged else None


def can_send(path: str, environ: dict[str, Any]) -> bool:
    """Tell whether :func:`send_path` answers a request for the file: werkzeug does for parts of a file, and under
    conditions that are rare."""
    return path.isascii() and not (
        "HTTP_RANGE" in environ
        or "HTTP_IF_RANGE" in environ
        or "HTTP_IF_MATCH" in environ
        or "HTTP_IF_UNMODIFIED_SINCE" in environ
    )


def send_path(
    response_class: Any, environ: dict[str, Any], path: str, stat: os.stat_result, conditional: bool, etag: bool,
    max_age: int | None, named: bool,
) -> Any:  # fmt: skip
    """Return a response with the file at `path`; one without a body when the client has it already.

    :param stat: what is known of the file
    :param max_age: for how many seconds it may be cached; None asks for a check each time
    :param named: whether the response tells the file's name
    """
    about, changed, tag = _describe(path, stat.st_size, stat.st_mtime, named, etag)
    headers = [*about]
    if max_age is None:
        headers.append(_ASK_EACH_TIME)
    else:
        public = "public" if max_age > 0 else "no-cache"
        headers.append(("Cache-Control", f"{public}, max-age={max_age}"))
        headers.append(("Expires", _date(int(time() + max_age))))
    if tag is not None:
        headers.append(("ETag", tag))
    status = body = None
    if conditional:
        method = environ["REQUEST_METHOD"]
        if method == "GET" or method == "HEAD":
            headers.append(("Date", _date(int(time()))))
            if _is_known(environ, tag, changed):
                status = 304
            headers.append(_RANGES)
    if status is None:
        # Closed by whoever sends it. Without a buffer, which the pieces are larger than.
        body = environ.get("wsgi.file_wrapper", FileWrapper)(open(path, "rb", 0), _CHUNK)  # noqa: SIM115
    return response_class(body, status, Headers(None, headers), direct_passthrough=True)


def _is_known(environ: dict[str, Any], tag: str | None, changed: str) -> bool:
    """Tell whether the client has this version of the file."""
    tags, since = environ.get("HTTP_IF_NONE_MATCH"), environ.get("HTTP_IF_MODIFIED_SINCE")
    if tags is None:
        if since is None:
            return False
        if since == changed:
            return True
    elif tags == tag:
        return True
    return not is_resource_modified(environ, tag, last_modified=changed)
