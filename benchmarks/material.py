"""What the applications work with: the same texts, rows, templates and files for all of them."""

from __future__ import annotations

import hashlib
import html
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SECRET = "benchmarks: a secret that is kept by nobody, 48 b"
HELLO = "Hello, World!"
GREETING = "Hello, Ada!"
LOST = "<h1>Lost</h1><p>Nothing is to be found at this address.</p>"
BROKEN = "<h1>Broken</h1><p>This should not have happened.</p>"
REASON = "broken on purpose"

SMALL: dict[str, Any] = {"greeting": "Hello, World!", "primes": [2, 3, 5], "fresh": True}
ROWS: list[dict[str, Any]] = [
    {"id": n, "title": f"Row {n}", "weight": n * 0.75, "labels": ["x", "y"], "even": n % 2 == 0} for n in range(200)
]
LETTER: dict[str, Any] = {
    "id": 12, "subject": "Çà et là ✓", "sender": "ada@example.org", "labels": ["in", "new", "long"],
    "place": {"road": "Mill Lane 3", "town": "Ely", "code": "CB7 4XX"}, "read": False, "rank": 0.5,
}  # fmt: skip

PART_COUNT = 20
PARTS: list[dict[str, Any]] = [
    {"number": n, "name": f"Nut & <i>bolt</i> {n}", "price": 7 * n, "left": n % 4} for n in range(PART_COUNT)
]
HEADING = "Nuts & bolts"
SIGNS = [f"{n} > {n - 1}" for n in range(10)]
SNIPPET = "<ol>{% for sign in signs %}<li>{{ sign }}</li>{% endfor %}</ol>"
LAYOUT = """<!doctype html>
<html><head><title>{% block title %}{% endblock %}</title></head>
<body><h1>{{ heading }}</h1>
{% block content %}{% endblock %}
</body></html>"""
PAGE = """{% extends "layout.html" %}{% block title %}{{ heading }}{% endblock %}{% block content %}<table>{% for \
part in parts %}
<tr class="{% if part.left %}here{% else %}gone{% endif %}"><td><a href="/part/{{ part.number }}">{{ part.name }}</a>\
</td><td>{{ part.price }}</td></tr>{% endfor %}
</table>{% endblock %}"""
STYLE = (b"td { margin: 0 auto; color: #2a4d69 }\n" * 300)[:10_240]
CHUNKS = [f"{n:03} ".ljust(63, "-").encode() + b"\n" for n in range(100)]

UPLOAD_SIZE = 1 << 20
READ_SIZE = 1 << 16

#: How often the teardown functions have run.
teardowns = [0]


def rendered_page() -> str:
    """Return what the templates in files make of the parts."""
    rows = "".join(
        f'\n<tr class="{"here" if part["left"] else "gone"}"><td><a href="/part/{part["number"]}">'
        f"{html.escape(part['name'])}</a></td><td>{part['price']}</td></tr>"
        for part in PARTS
    )
    heading = html.escape(HEADING)
    return (
        f"<!doctype html>\n<html><head><title>{heading}</title></head>\n<body><h1>{heading}</h1>\n"
        f"<table>{rows}\n</table>\n</body></html>"
    )


def rendered_snippet() -> str:
    """Return what the template in a string makes of the signs."""
    return "<ol>" + "".join(f"<li>{html.escape(sign)}</li>" for sign in SIGNS) + "</ol>"


def upload_content() -> bytes:
    """Return the file that is sent to the upload view, the same each time."""
    return random.Random(20).randbytes(UPLOAD_SIZE)


def multipart(boundary: str, note: str, filename: str, content: bytes) -> bytes:
    """Return the body of a form with the text field ``note`` and the file ``attachment``."""
    dashes = f"--{boundary}"
    head = (
        f'{dashes}\r\nContent-Disposition: form-data; name="note"\r\n\r\n{note}\r\n'
        f'{dashes}\r\nContent-Disposition: form-data; name="attachment"; filename="{filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return head.encode() + content + f"\r\n{dashes}--\r\n".encode()


def digest(stream: Any) -> str:
    """Return the SHA-256 of what `stream` still holds, read piece by piece."""
    running = hashlib.sha256()
    while piece := stream.read(READ_SIZE):
        running.update(piece)
    return running.hexdigest()


def many_rules(count: int) -> Iterator[tuple[int, str, str]]:
    """Yield the rules of an application with `count` routes: a number, a literal path, the head of another."""
    for number in range(count // 2):
        yield number, f"/api/list{number}/all", f"/api/item{number}/"


def write_assets(folder: Path) -> None:
    """Write the templates and the static file below `folder`, unless they stand there."""
    files = {
        "templates/layout.html": LAYOUT.encode(),
        "templates/page.html": PAGE.encode(),
        "static/style.css": STYLE,
    }
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
