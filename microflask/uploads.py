"""Multipart forms of moderate size in one piece; whatever is not written as browsers write it is werkzeug's."""

from __future__ import annotations

from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from werkzeug.datastructures import FileStorage, Headers
from werkzeug.formparser import FormDataParser, MultiPartParser
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import File

from .attributes import compile_later
from .decoding import make_values

#: Bytes of a body that is kept in memory as a whole. Larger ones are read piece by piece, their files from disk.
WHOLE = 2 << 20
#: Werkzeug reads pieces of 64 KiB and refuses one that is larger than what a field may have.
_SMALLEST_LIMIT = 128 * 1024
_LONGEST_HEADERS = 16 * 1024
_PLAIN_BOUNDARY = compile_later(globals(), "_PLAIN_BOUNDARY", r"[A-Za-z0-9'()+_,./:=?-]{1,70}")
_PLAIN_DISPOSITION = compile_later(
    globals(), "_PLAIN_DISPOSITION", r'form-data; name="([^"\\%]*)"(?:; filename="([^"\\%]*)")?'
)


class Part:
    """Tell of one part of a form where its content lies in the body; `filename` is None for a field."""

    __slots__ = ("end", "filename", "headers", "name", "start")

    def __init__(self, name: Any, filename: str | None, headers: Headers, start: int, end: int) -> None:
        self.name = name
        self.filename = filename
        self.headers = headers
        self.start = start
        self.end = end


def find_parts(data: bytes, boundary: bytes) -> list[Part] | None:
    """Return the parts of a multipart body; None when anything in it is unusual.

    The boundary stands nowhere but on lines of its own, all lines of the headers end with CR and LF, and none goes on
    in the next one. What is found then is what any parser finds.
    """
    delimiter = b"--" + boundary
    width = len(delimiter)
    at = 2 if data.startswith(b"\r\n") else 0
    if not data.startswith(delimiter + b"\r\n", at):
        return None
    parts: list[Part] = []
    while True:
        begin = at + width + 2
        at = data.find(delimiter, begin)
        blank = data.find(b"\r\n\r\n", begin, min(at, begin + _LONGEST_HEADERS))
        if at < 0 or blank < 0 or not data.startswith(b"\r\n", at - 2) or at - 2 < blank + 4:
            return None
        headers = _parse_headers(data[begin:blank])
        if headers is None:
            return None
        parts.append(Part(*_disposition(headers), headers, blank + 4, at - 2))
        if not data.startswith(b"\r\n", at + width):
            return parts if data[at + width :] in (b"--", b"--\r\n") else None


def _parse_headers(block: bytes) -> Headers | None:
    try:
        lines = block.decode().split("\r\n")
    except UnicodeDecodeError:
        return None
    items = []
    for line in lines:
        # An empty start is in every text: the line is empty, or goes on from the one before it.
        if line[:1] in " \t" or "\r" in line or "\n" in line:
            return None
        name, _, value = line.partition(":")
        items.append((name.strip(" \t"), value.strip(" \t")))
    headers = Headers(items)
    return headers if "content-disposition" in headers else None


def _disposition(headers: Headers) -> tuple[Any, str | None]:
    """Return the name of a part and its filename."""
    disposition = headers["content-disposition"]
    match = _PLAIN_DISPOSITION(disposition)
    if match is not None:
        return match[1], match[2]
    options = parse_options_header(disposition)[1]
    return options.get("name"), options.get("filename")


class FormParser(FormDataParser):
    """Parse as werkzeug does, but a multipart body that fits into memory in one piece: one copy instead of six."""

    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> Any:
        """Return the stream, at its end, and multi dicts of fields and files.

        :raises RequestEntityTooLarge: a field is too long, or there are too many parts
        """
        limit, boundary = self.max_form_memory_size, (options or {}).get("boundary", "")
        if (
            mimetype != "multipart/form-data"
            or content_length is None
            or content_length > WHOLE
            or (limit is not None and limit < _SMALLEST_LIMIT)
            or not _PLAIN_BOUNDARY(boundary)
        ):
            return super().parse(stream, mimetype, content_length, options)
        try:
            # The second time, a stream that was cut at the limit says so.
            data = stream.read() + stream.read()
            parts = find_parts(data, boundary.encode())
            if parts is None or not self._allows(parts):
                form, files = super().parse(BytesIO(data), mimetype, content_length, options)[1:]
                return stream, form, files
            return stream, *self._collect(data, parts, content_length)
        except ValueError:
            if not self.silent:
                raise
        return stream, self.cls(), self.cls()

    def _allows(self, parts: list[Part]) -> bool:
        most, longest = self.max_form_parts, self.max_form_memory_size
        if most is not None and len(parts) > most:
            return False
        return longest is None or all(part.filename is not None or part.end - part.start <= longest for part in parts)

    def _collect(self, data: bytes, parts: list[Part], length: int) -> tuple[Any, Any]:
        helper = MultiPartParser(self.stream_factory)
        fields, files = [], []
        for part in parts:
            name, filename, headers, content = part.name, part.filename, part.headers, slice(part.start, part.end)
            if filename is None:
                charset = helper.get_part_charset(headers) if "content-type" in headers else "utf-8"
                fields.append((name, data[content].decode(charset, "replace")))
                continue
            file = helper.start_file_streaming(File(name, filename, headers), length)
            # Of ours it is known that they take a view, which is no copy.
            file.write(memoryview(data)[content] if type(file) is SpooledTemporaryFile else data[content])
            file.seek(0)
            files.append((name, FileStorage(file, filename, name, headers=headers)))
        return make_values(self.cls, fields), make_values(self.cls, files)


def open_upload(total: int | None) -> IO[bytes] | None:
    """Return a file in memory for an upload that is part of a body of `total` bytes; None when that is too large."""
    return None if total is None or total > WHOLE else SpooledTemporaryFile(WHOLE, "rb+")
