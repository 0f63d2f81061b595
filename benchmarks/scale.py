"""Show what much of something costs by the piece, for microflask and for Flask: ``python -m benchmarks.scale``.

Each subject is measured in processes of its own, in turns; the least of the rounds counts. The status is 1 if an
application gave a wrong answer, 2 if the benchmarks could not run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import environment
from .contenders import CONTENDERS, WITH_VARIANTS
from .environment import Lab, Say, SetupFailed
from .report import NOTHING, csv_table, ratio, table
from .scale_costs import SUBJECTS, Cost


def measure(lab: Lab, subject: str, package: str) -> list[Cost]:
    """Return the costs of a subject, measured in a new process.

    :raises RuntimeError: the process failed, by a wrong answer or otherwise
    """
    command = [str(lab.python), "-m", "benchmarks.scale_costs", subject, package]
    done = subprocess.run(command, env=lab.variables(), cwd=lab.cache, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{package}, {subject}: {done.stderr[-1500:]}")
    return [Cost(**cost) for cost in json.loads(done.stdout)]


def least(rounds: Sequence[Sequence[Cost]]) -> list[Cost]:
    """Return for each figure the least amount of all rounds."""
    lines = []
    for costs in zip(*rounds, strict=True):
        amounts = [cost.amount for cost in costs if cost.amount is not None]
        lines.append(Cost(costs[0].what, min(amounts) if amounts else None, costs[0].unit))
    return lines


def amount(cost: Cost | None) -> str:
    """Return a figure with its unit."""
    if cost is None or cost.amount is None:
        return NOTHING
    # A difference that is smaller than the noise may come out below nothing.
    value = max(0.0, cost.amount)
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {cost.unit}"


def lines_of(costs: dict[str, list[Cost]]) -> list[list[str]]:
    """Return the header and the lines of a subject's table."""
    packages = list(costs)
    lines = [["", *(CONTENDERS[package].title for package in packages), "microflask / Flask"]]
    for index, first in enumerate(costs[packages[0]]):
        both = [costs[package][index] for package in packages]
        mine, other = both[0].amount, both[-1].amount
        times = mine / other if len(both) > 1 and mine is not None and other and min(mine, other) > 0 else None
        lines.append([first.what, *map(amount, both), ratio(times)])
    return lines


def section(title: str, costs: dict[str, list[Cost]]) -> str:
    """Return the table of a subject."""
    header, *lines = lines_of(costs)
    return f"## {title}\n\n{table(header, lines)}\n"


#: By subject and package.
Results = dict[str, dict[str, list[Cost]]]


def run(lab: Lab, subjects: Sequence[str], rounds: int, say: Say) -> tuple[Results, list[str]]:
    """Return the costs by subject and package, and what went wrong."""
    results: Results = {}
    wrong: list[str] = []
    for subject in subjects:
        kept: dict[str, list[list[Cost]]] = {}
        for number in range(rounds):
            for package in WITH_VARIANTS:
                say(f"{SUBJECTS[subject][0]}: {package}, round {number + 1} of {rounds}")
                try:
                    kept.setdefault(package, []).append(measure(lab, subject, package))
                except RuntimeError as error:
                    wrong.append(str(error))
        costs = {package: least(each) for package, each in kept.items() if each}
        if costs:
            results[subject] = costs
    return results, wrong


def page(results: Results, versions: Mapping[str, str], machine: str) -> str:
    """Return the tables of all subjects for the documentation."""
    about = (
        f"Measured with ``python -m benchmarks.scale --write``: microflask {versions['microflask']}, Flask "
        f"{versions['flask']}, Python {versions['python']}; {machine}."
    )
    tables = [
        csv_table(SUBJECTS[subject][0], header, lines)
        for subject, costs in results.items()
        for header, *lines in [lines_of(costs)]
    ]
    return "\n".join([".. written by python -m benchmarks.scale --write\n", about + "\n", *tables])


def main(words: Sequence[str] | None = None) -> int:
    """Run the measurements; return the status of the process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="two rounds instead of four")
    parser.add_argument("--only", nargs="+", choices=list(SUBJECTS), default=list(SUBJECTS), metavar="SUBJECT",
                        help=f"of {', '.join(SUBJECTS)}")  # fmt: skip
    parser.add_argument("--write", action="store_true", help="write the figures into the documentation")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    options = parser.parse_args(words)
    say = environment.progress()
    try:
        lab = environment.prepare(say)
    except SetupFailed as error:
        print(error, file=sys.stderr)
        return 2
    results, wrong = run(lab, options.only, 2 if options.quick else 4, say)
    for subject, costs in results.items():
        print(section(SUBJECTS[subject][0], costs))
    print("Versions: " + ", ".join(f"{name} {version}" for name, version in lab.versions.items()))
    for line in wrong:
        print(f"Wrong: {line}")
    if options.json:
        plain = {
            subject: {package: [vars(cost) for cost in each] for package, each in costs.items()}
            for subject, costs in results.items()
        }
        options.json.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    if options.write and not wrong:
        text = page(results, lab.versions, environment.machine())
        (environment.CHECKOUT / "docs" / "performance-scale.inc").write_text(text, encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
