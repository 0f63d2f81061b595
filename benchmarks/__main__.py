"""Compare microflask with Flask, Falcon, Bottle, Pyramid, Django and plain Werkzeug; print the ratios.

The first run installs the frameworks into a virtual environment below the user's cache (BENCHMARKS_CACHE names another
folder). The status is 1 if any application gave a wrong answer, 2 if the benchmarks could not run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import chart, environment, inprocess, over_http, publish, report, startup, stats
from .contenders import CONTENDERS, SUBJECT, WITH_VARIANTS
from .environment import Lab, Say, SetupFailed
from .load import CONNECTIONS
from .stats import Row
from .workloads import OVER_HTTP, WORKLOADS, Workload

SECTIONS = ("calls", "variants", "startup", "http")
#: What --quick compares over HTTP.
QUICK_HTTP = ("microflask", "flask", "falcon", "bottle")
_TIME = "What the others need for a request, as a multiple of microflask's time: above 1, microflask is faster."


@dataclass(frozen=True)
class Plan:
    """Hold what is to be measured, and how thoroughly."""

    calls: list[Workload]
    variants: list[Workload]
    startup: bool
    http: bool
    names: list[str]
    quick: bool
    thorough: bool = False

    @property
    def effort(self) -> inprocess.Effort:
        """Say how often each workload is timed in process."""
        if self.quick:
            return inprocess.Effort(1, 5, batches=4)
        return inprocess.Effort(3, 6) if self.thorough else inprocess.Effort(2, 5, batches=4)

    @property
    def counts(self) -> dict[int, int]:
        """Return the numbers of routes that are registered, and how often."""
        return {1000: 2} if self.quick else {1000: 6 if self.thorough else 3, 10_000: 1}

    @property
    def imports(self) -> int:
        """Return how often the start is measured."""
        return 3 if self.quick else 10 if self.thorough else 5

    @property
    def http_effort(self) -> tuple[int, float]:
        """Return the rounds over HTTP, and the seconds of each."""
        return (1, 1.0) if self.quick else (4, 1.5) if self.thorough else (2, 1.0)


class PlanError(Exception):
    """The command line asks for something that does not exist."""


def make_plan(only: Sequence[str], peers: Sequence[str], quick: bool, thorough: bool = False) -> Plan:
    """Return the plan for the words of ``--only``: sections, workloads, or beginnings of workloads.

    :raises PlanError: a word means nothing
    """
    unknown = [name for name in peers if name not in CONTENDERS]
    if unknown:
        raise PlanError(f"no such framework: {', '.join(unknown)} (there are {', '.join(CONTENDERS)})")
    names = [name for name in CONTENDERS if not peers or name in peers or name == SUBJECT]
    chosen: list[Workload] = []
    for word in only or SECTIONS:
        found = [each for each in WORKLOADS.values() if word == each.section or each.key.startswith(word)]
        if not found and word not in SECTIONS:
            raise PlanError(f"no such workload or section: {word} (see --list)")
        chosen += [each for each in found if each not in chosen]
    if quick and not only:
        chosen = [each for each in chosen if each.site != "routes-10000"]
    calls, variants = ([each for each in chosen if each.section == section] for section in SECTIONS[:2])
    return Plan(calls, variants, not only or "startup" in only, not only or "http" in only, names, quick,
                thorough)  # fmt: skip


@dataclass
class Result:
    """Collect tables and figures as they come."""

    lab: Lab
    groups: list[tuple[str, str, list[Row]]] = field(default_factory=list)
    """Heading, what the ratios mean, and the rows."""
    raw: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    scatter: float | None = None
    quick: bool = False

    def add(self, heading: str, meaning: str, rows: list[Row], raw: object) -> None:
        """Keep a section."""
        if rows:
            self.groups.append((heading, meaning, rows))
            self.raw[heading] = raw

    def text(self) -> str:
        """Return all tables and notes."""
        tables = [report.ratios(heading, rows, meaning) for heading, meaning, rows in self.groups]
        return "\n".join([*tables, report.footnotes(
            self.lab.versions, environment.machine(), self.scatter, self.keys, self.wrong,
        )])  # fmt: skip

    def document(self) -> dict[str, Any]:
        """Return all figures, absolute ones too: microseconds, milliseconds, kilobytes, requests per second."""
        sections = {
            heading: [
                {"key": row.key, "title": row.title, "figures": dict(row.figures), "rate": row.more_is_better,
                 "best": row.best, "microflask/best": row.against_best}
                for row in rows
            ]
            for heading, _, rows in self.groups
        }  # fmt: skip
        return {
            "versions": self.lab.versions, "machine": environment.machine(), "sections": sections,
            "samples": self.raw, "wrong": self.wrong, "quick": self.quick,
            "date": datetime.now(UTC).date().isoformat(),
        }  # fmt: skip


def run(lab: Lab, plan: Plan, say: Say) -> Result:
    """Measure what the plan says."""
    result = Result(lab, quick=plan.quick)
    _calls(result, plan, plan.calls, plan.names, "In process", say)
    _calls(result, plan, plan.variants, list(WITH_VARIANTS), "Variants, against Flask", say)
    if plan.startup:
        _start(result, plan, say)
    if plan.http:
        _http(result, plan, say)
    return result


def _calls(result: Result, plan: Plan, workloads: list[Workload], names: list[str], heading: str, say: Say) -> None:
    if not workloads:
        return
    timings = inprocess.measure(result.lab, names, workloads, plan.effort, say)
    rows = stats.rows(timings.samples, {workload.key: workload.title for workload in workloads})
    result.add(heading, _TIME, rows, timings.samples)
    result.wrong += timings.wrong
    result.keys += [workload.key for workload in workloads]
    result.scatter = result.scatter or stats.scatter(timings.samples.values())


def _start(result: Result, plan: Plan, say: Say) -> None:
    samples = startup.imports(result.lab, plan.names, plan.imports, say, result.wrong)
    titles = dict(startup.TITLES)
    for count, rounds in plan.counts.items():
        samples |= startup.routes(result.lab, plan.names, count, rounds, say, result.wrong)
        titles |= startup.route_titles(count)
    meaning = "What the others need, as a multiple of what microflask needs: above 1, microflask is ahead."
    result.add("Start and memory", meaning, stats.rows(samples, titles), samples)


def _http(result: Result, plan: Plan, say: Say) -> None:
    names = [name for name in plan.names if not plan.quick or name in QUICK_HTTP]
    workloads = [WORKLOADS[key] for key in OVER_HTTP]
    rounds, seconds = plan.http_effort
    rates = over_http.measure(result.lab, names, workloads, rounds, seconds, say)
    result.wrong += rates.wrong
    meaning = (
        f"How many times the requests per second of the others microflask serves ({CONNECTIONS} connections, one "
        "process): above 1, microflask serves more. The load generator was at work "
        f"{rates.busy:.0%} of the time at most."
    )
    for kind, by_workload in rates.samples.items():
        rows = [
            Row(key, WORKLOADS[key].title, {name: max(got) for name, got in cells.items()}, True)
            for key, cells in by_workload.items()
        ]  # fmt: skip
        result.add(f"Over HTTP: {kind}", meaning, rows, by_workload)


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="some two minutes: fewer rounds, no 10 000 routes")
    parser.add_argument("--thorough", action="store_true", help="twice the rounds, some twenty minutes")
    parser.add_argument("--write", action="store_true",
                        help="write the figures into README.md, docs/ and benchmarks/figures.json")  # fmt: skip
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE",
                        help="measure nothing; write what an earlier run has put into FILE")  # fmt: skip
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="sections or workloads, see --list")
    parser.add_argument("--peers", nargs="+", default=[], metavar="NAME", help=f"of {', '.join(CONTENDERS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the ratios")
    parser.add_argument("--list", action="store_true", help="list sections and workloads, and stop")
    return parser.parse_args(words)


def listing() -> str:
    """Return the words that ``--only`` knows."""
    rows = [f"  {each.key:28}{each.title}" for each in WORKLOADS.values()]
    return "\n".join([f"sections: {', '.join(SECTIONS)}", "workloads:", *rows])


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmarks; return the status of the process."""
    options = arguments(words)
    if options.list:
        print(listing())
        return 0
    try:
        if options.source:
            return _write(publish.read(options.source))
        say = environment.progress()
        plan = make_plan(options.only, options.peers, options.quick, options.thorough)
        result = run(environment.prepare(say), plan, say)
        print(result.text())
        _save(result, options)
        if options.write:
            _write(result.document())
    except (PlanError, SetupFailed, publish.NotPublishable) as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if result.wrong else 0


def _save(result: Result, options: argparse.Namespace) -> None:
    if options.json:
        options.json.write_text(json.dumps(result.document(), indent=1) + "\n", encoding="utf-8")
    if options.svg:
        groups = [(heading, rows) for heading, _, rows in result.groups]
        options.svg.write_text(chart.plot(groups, result.lab.versions), encoding="utf-8")


def _write(document: dict[str, Any]) -> int:
    for path in publish.write(document, environment.CHECKOUT):
        print(f"written: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
