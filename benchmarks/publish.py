"""Write what was measured where it is quoted: the figures, the plot, the tables of the documentation, the README.

All of it is made of one document, that of ``--json`` without the samples, so that nothing can contradict it.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import chart
from .contenders import CONTENDERS, SUBJECT
from .report import NOTHING, csv_table, present, ratio, table
from .stats import Row, geometric_mean

FIGURES, PLOT = Path("benchmarks/figures.json"), Path("docs/performance.svg")
TABLES, README = Path("docs/performance-figures.inc"), Path("README.md")
BEGIN, END = "<!-- figures: written by python -m benchmarks --write -->", "<!-- end of figures -->"
Groups = list[tuple[str, list[Row]]]


class NotPublishable(Exception):
    """The figures cannot be written, or not from this document."""


def groups_of(document: Mapping[str, Any]) -> Groups:
    """Return the headings and their rows."""
    return [
        (heading, [Row(row["key"], row["title"], row["figures"], row["rate"]) for row in rows])
        for heading, rows in document["sections"].items()
    ]


def read(path: Path) -> dict[str, Any]:
    """Return the document that an earlier run has written.

    :raises NotPublishable: there is none
    """
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotPublishable(f"{path} holds no figures: {error}") from error
    return document


def write(document: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write everything below the checkout `folder`; return the files.

    :raises NotPublishable: an answer was wrong, or the README has no place for figures
    """
    if document["wrong"]:
        raise NotPublishable("answers were wrong, so the figures are not written")
    kept = {name: value for name, value in document.items() if name != "samples"}
    old = (folder / README).read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not pattern.search(old):
        raise NotPublishable(f"{README} needs a line {BEGIN} and one {END}: the figures go in between")
    section = f"{BEGIN}\n{summary(document)}{END}"
    texts = {
        FIGURES: json.dumps(kept, indent=1) + "\n",
        PLOT: chart.plot(groups_of(document), document["versions"]),
        TABLES: tables(document),
        README: pattern.sub(lambda match: section, old),
    }
    for path, text in texts.items():
        (folder / path).write_text(text, encoding="utf-8")
    return [folder / path for path in texts]


def _meaning(document: Mapping[str, Any], code: str = "`") -> str:
    effort = " --quick" if document.get("quick") else ""
    versions = dict(document["versions"])
    mine, python = versions.pop(SUBJECT, ""), versions.pop("python", "")
    titles = {name: CONTENDERS[name].title if name in CONTENDERS else name for name in versions}
    others = ", ".join(f"{titles[name]} {version}" for name, version in versions.items())
    return (
        f"Measured on {document['date']} with {code}python -m benchmarks{effort} --write{code} on Python {python}: "
        f"microflask {mine} against {others}; {document['machine']}."
    )


def means(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    """Return for each name the geometric mean of the rows that it has."""
    return [
        ratio(geometric_mean(value for row in rows if (value := row.times_subject(name)) is not None))
        for name in names
    ]


def behind(groups: Groups) -> list[str]:
    """Name the rows in which another is ahead of microflask by more than two hundredths, the worst first."""
    found = []
    for heading, rows in groups:
        for row in rows:
            best = row.best
            value = None if best is None else row.times_subject(best[0])
            if best is not None and value is not None and value < 0.98:
                name = row.title if heading == "In process" else f"{heading}: {row.title}"
                found.append((value, f"{name} ({CONTENDERS[best[0]].title}, {ratio(value)})"))
    return [text for _, text in sorted(found)]


def summary(document: Mapping[str, Any]) -> str:
    """Return the README's section, in Markdown."""
    groups = groups_of(document)
    peers = present(row for _, rows in groups for row in rows)
    lines = []
    for heading, rows in groups:
        flask = [value for row in rows if (value := row.times_subject("flask")) is not None]
        span = f"{ratio(min(flask))} to {ratio(max(flask))}" if flask else NOTHING
        lines.append([f"{heading} ({len(rows)} rows)", *means(rows, peers), span])
    header = ["geometric means", *(CONTENDERS[name].title for name in peers), "Flask, least to most"]
    slower, count = behind(groups), sum(len(rows) for _, rows in groups)
    text = f"{textwrap.fill(_meaning(document), 119, break_on_hyphens=False)}\n\n{table(header, lines)}\n\n"
    if slower:
        worst = f"Another one is ahead in {len(slower)} of {count} rows, the furthest in {'; '.join(slower[:5])}."
        text += f"{textwrap.fill(worst, 119, break_on_hyphens=False)}\n\n"
    return text


def tables(document: Mapping[str, Any]) -> str:
    """Return the tables of the documentation, in reStructuredText."""
    parts = [".. written by python -m benchmarks --write\n", _meaning(document, "``") + "\n"]
    for heading, rows in groups_of(document):
        peers = present(rows)
        header = ["", *(CONTENDERS[name].title for name in peers)]
        lines = [[row.title, *(ratio(row.times_subject(name)) for name in peers)] for row in rows]
        if len(rows) > 1:
            lines.append(["geometric mean", *means(rows, peers)])
        parts.append(csv_table(heading, header, lines))
    slower = behind(groups_of(document))
    parts.append(f"Another one is ahead in: {'; '.join(slower) or 'no row'}.\n")
    return "\n".join(parts)
