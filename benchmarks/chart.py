"""One plot of all ratios, as an SVG that needs no library to be written and none to be seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from .contenders import CONTENDERS, SUBJECT
from .report import present, ratio
from .stats import Row

WIDTH = 920
LEFT, RIGHT, TOP = 270, 24, 100
LINE = 18
#: Colours that are told apart with any eyes (Okabe and Ito, 2008).
COLOURS = {
    "flask": "#d55e00", "falcon": "#0072b2", "bottle": "#009e73", "pyramid": "#cc79a7", "django": "#e69f00",
    "werkzeug": "#56b4e9", SUBJECT: "#000000",
}  # fmt: skip
_MEANING = (
    "What they need as a multiple of what microflask needs, logarithmic: right of the line microflask is ahead. "
    "Over HTTP: its requests per second by theirs."
)
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


class Scale:
    """Turn ratios into places on a logarithmic axis."""

    def __init__(self, values: Sequence[float]) -> None:
        self.low = min(0.8, *values) / 1.1
        self.high = max(2.0, *values) * 1.1

    def __call__(self, value: float) -> float:
        """Return the distance from the left edge."""
        part = math.log(value / self.low) / math.log(self.high / self.low)
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def ticks(self) -> list[float]:
        """Return the ratios that get a line."""
        return [step for step in _STEPS if self.low <= step <= self.high]


def _text(x: float, y: float, content: str, *, anchor: str = "start", size: int = 11, weight: str = "normal") -> str:
    style = f'font-size="{size}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(content)}</text>'


def _dot(x: float, y: float, name: str, tip: str) -> str:
    shape = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{COLOURS[name]}" fill-opacity="0.85">'
    return f"{shape}<title>{escape(tip)}</title></circle>"


def _legend(peers: Sequence[str]) -> list[str]:
    parts, x = [], float(LEFT)
    for name in (SUBJECT, *peers):
        title = CONTENDERS[name].title
        if name == SUBJECT:
            parts.append(f'<line x1="{x}" y1="58" x2="{x}" y2="70" stroke="{COLOURS[name]}" stroke-width="2"/>')
        else:
            parts.append(_dot(x, 64, name, title))
        parts.append(_text(x + 8, 68, title, size=12))
        x += 24 + 7.2 * len(title)
    return parts


def _axis(scale: Scale, bottom: float) -> list[str]:
    parts = []
    for tick in scale.ticks():
        colour, width = (COLOURS[SUBJECT], 2) if tick == 1 else ("#d8d8d8", 1)
        x = scale(tick)
        line = f'x1="{x:.1f}" y1="{TOP - 4}" x2="{x:.1f}" y2="{bottom:.1f}"'
        parts.append(f'<line {line} stroke="{colour}" stroke-width="{width}"/>')
        parts += [_text(x, y, f"{tick:g} x", anchor="middle") for y in (TOP - 9, bottom + 14)]
    return parts


def plot(groups: Sequence[tuple[str, Sequence[Row]]], versions: dict[str, str]) -> str:
    """Return the SVG: a line for each row, a dot for each peer; right of the black line microflask is ahead.

    :param groups: headings and their rows
    """
    groups = [(heading, rows) for heading, rows in groups if rows]
    everything = [row for _, rows in groups for row in rows]
    peers = present(everything)
    values = [value for row in everything for name in peers if (value := row.times_subject(name)) is not None]
    scale = Scale(values or [1.0])
    parts, y = [], float(TOP)
    for heading, rows in groups:
        y += LINE
        parts.append(_text(12, y, heading, size=12, weight="bold"))
        for row in rows:
            y += LINE
            parts.append(_text(24, y, row.title))
            parts.append(f'<line x1="{LEFT}" y1="{y - 4}" x2="{WIDTH - RIGHT}" y2="{y - 4}" stroke="#f0f0f0"/>')
            for name in peers:
                value = row.times_subject(name)
                if value is not None:
                    parts.append(_dot(scale(value), y - 4, name, f"{CONTENDERS[name].title}: {ratio(value)} x"))
    bottom = y + 8
    height = bottom + 62
    shown = ", ".join(f"{CONTENDERS[name].title} {versions[name]}" for name in peers if name in versions)
    python = f"Python {versions['python']}. " if "python" in versions else ""
    foot = [_text(12, bottom + 34, f"microflask {versions.get(SUBJECT, '')} against {shown}."),
            _text(12, bottom + 50, f"{python}Made by: python -m benchmarks --svg FILE")]  # fmt: skip
    head = [_text(12, 24, "How far microflask is ahead of the others, or behind", size=15, weight="bold")]
    head += [_text(12, 42, _MEANING, size=12), *_legend(peers)]
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" font-family="system-ui, sans-serif" fill="#222222" role="img">'
    )
    ground = '<rect width="100%" height="100%" fill="#ffffff"/>'
    title = "<title>microflask compared with other WSGI frameworks</title>"
    return "\n".join([opening, title, ground, *head, *_axis(scale, bottom), *parts, *foot, "</svg>", ""])
