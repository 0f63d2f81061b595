"""Pictures that visitors upload.

A file's name and type as the browser tells them are not trusted: the type is read from the first bytes, and the file
is stored under a name of our own, so that nobody can choose where it goes or what it is served as.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import IO

from microflask import current_app

MIMETYPES = {".gif": "image/gif", ".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}

_MAGIC = {
    ".gif": re.compile(rb"GIF8[79]a"),
    ".jpg": re.compile(rb"\xff\xd8\xff"),
    ".png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    ".webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}


class PictureError(ValueError):
    """The upload is refused; the text says why, for the visitor to read."""


def folder() -> Path:
    """Return the folder of the pictures."""
    return Path(current_app.instance_path, "pictures")


def save(stream: IO[bytes]) -> str:
    """Store a picture and return the name of its file.

    :raises PictureError: it is too large, or no picture
    """
    limit: int = current_app.config["MAX_PICTURE_SIZE"]
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise PictureError(f"This picture is too large; the limit is {limit // 1024} KiB.")
    suffix = next((suffix for suffix, magic in _MAGIC.items() if magic.match(data)), None)
    if suffix is None:
        raise PictureError("This is not a picture. Use a GIF, JPEG, PNG or WebP file.")
    name = secrets.token_hex(16) + suffix
    folder().mkdir(exist_ok=True)
    (folder() / name).write_bytes(data)
    return name


def delete(name: str) -> None:
    """Remove a picture's file, if it is there."""
    (folder() / name).unlink(missing_ok=True)
