"""Filters for templates."""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup, escape

from microflask import Flask


def paragraphs(text: str) -> Markup:
    """Turn blank lines into paragraphs and other line ends into breaks; all else is escaped."""
    blocks = text.replace("\r\n", "\n").split("\n\n")
    lines = ([escape(line) for line in block.strip().split("\n")] for block in blocks if block.strip())
    return Markup("\n").join(Markup("<p>{}</p>").format(Markup("<br>\n").join(block)) for block in lines)


def moment(value: datetime) -> str:
    """Write a time for people: ``5 March 2026, 14:07 UTC``."""
    value = value.astimezone(UTC)
    return f"{value.day} {value:%B %Y, %H:%M} UTC"


def init_app(app: Flask) -> None:
    """Add the filters to the templates of `app`."""
    app.add_template_filter(paragraphs)
    app.add_template_filter(moment)
