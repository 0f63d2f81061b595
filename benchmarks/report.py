"""The tables, in Markdown; ratios only, as times of another machine say little."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .contenders import CONTENDERS, SUBJECT
from .stats import Row, geometric_mean

NOTHING = "-"


def table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; the first column holds text, the others figures."""
    cells = [list(header), *map(list, lines)]
    widths = [max(3, *(len(line[column]) for line in cells)) for column in range(len(header))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def written(line: Sequence[str]) -> str:
        first = line[0].ljust(widths[0])
        others = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        return f"| {' | '.join([first, *others])} |"

    return "\n".join([written(cells[0]), written(rule), *map(written, cells[1:])])


def csv_table(title: str, header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table in reStructuredText; the first column is the widest."""

    def written(cells: Sequence[str]) -> str:
        # A hyphen alone would begin a list.
        texts = ("\\-" if cell == NOTHING else cell.replace('"', '""') for cell in cells)
        return ", ".join(f'"{text}"' for text in texts)

    widths = " ".join(["4", *["1"] * (len(header) - 1)])
    head = f".. csv-table:: {title}\n   :header: {written(header)}\n   :widths: {widths}\n"
    return "\n".join([head, *(f"   {written(line)}" for line in lines), ""])


def ratio(value: float | None) -> str:
    """Return a ratio with as many digits as mean something."""
    if value is None:
        return NOTHING
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def present(rows: Iterable[Row]) -> list[str]:
    """Return the peers that any of the rows has, in their usual order."""
    there = {name for row in rows for name in row.figures}
    return [name for name in CONTENDERS if name in there and name != SUBJECT]


def ratios(title: str, rows: Sequence[Row], meaning: str) -> str:
    """Return a section with the ratios of each row."""
    peers = present(rows)
    titles = [CONTENDERS[name].title for name in peers]
    lines = []
    for row in rows:
        best = row.best
        cells = [ratio(row.times_subject(name)) for name in peers]
        lines.append([row.title, *cells, CONTENDERS[best[0]].title if best else NOTHING, ratio(row.against_best)])
    # Geometric means are of the rows that all have; else a peer would gain by what it does not offer.
    shared = [row for row in rows if all(name in row.figures for name in (*peers, SUBJECT))]
    if len(shared) > 1:
        means = [geometric_mean(row.times_subject(name) or 1.0 for row in shared) for name in peers]
        best_mean = geometric_mean(row.against_best or 1.0 for row in rows if row.against_best)
        name = f"geometric mean ({len(shared)} of {len(rows)} rows; the last column of all)"
        lines.append([name, *map(ratio, means), NOTHING, ratio(best_mean)])
    header = ["", *titles, "best peer", "microflask / best"]
    return f"## {title}\n\n{meaning}\n\n{table(header, lines)}\n"


def footnotes(
    versions: dict[str, str], machine: str, scatter: float | None, keys: Iterable[str], wrong: Sequence[str]
) -> str:
    """Return what has to be known about the tables."""
    chosen = set(keys)
    lines = [
        "Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
        f"Machine: {machine}.",
    ]
    if scatter is not None:
        lines.append(f"In the typical cell the median of the samples lies {scatter:.0%} above the fastest.")
    for contender in CONTENDERS.values():
        missing = [f"{key} ({why})" for key, why in contender.not_offered.items() if key in chosen]
        if missing:
            lines.append(f"{contender.title} does not offer: {', '.join(missing)}.")
        added = [f"{key} ({how})" for key, how in contender.by_hand.items() if key in chosen]
        if added:
            lines.append(f"{contender.title}, added by hand or of another kind: {', '.join(added)}.")
    text = "## Notes\n\n" + "\n".join(f"- {line}" for line in lines) + "\n"
    if wrong:
        text += "\n## Wrong answers\n\n" + "\n".join(f"- {line}" for line in wrong) + "\n"
    return text
