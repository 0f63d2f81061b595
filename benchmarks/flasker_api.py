"""List a model by Flasker's API, whole and in pages, beside a view written by hand.

Run it with ``python -m benchmarks.flasker_api``; it needs flasker and microflask installed, or on PYTHONPATH. The
database is SQLite in memory. Each line is the best of several runs. Every answer is compared with the one of the view;
the status is 1 if they differ.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONF = """\
[PROJECT]
NAME = Benchmark
MODULES = benchmark_models
DB_URL = sqlite://
[APP]
JSONIFY_PRETTYPRINT_REGULAR = False
"""
MODELS = '''\
from datetime import date, timedelta

from flasker import current_project
from flasker.ext.api import APIManager
from flasker.util import Model
from microflask import jsonify, request
from sqlalchemy import Column, Date, ForeignKey, Integer, Unicode
from sqlalchemy.orm import relationship

app, db = current_project.app, current_project.db
current_project.register_manager(APIManager(add_all_models=True, default_limit=None))


class House(Model):
    id = Column(Integer, primary_key=True)
    address = Column(Unicode(128))


class Cat(Model):
    id = Column(Integer, primary_key=True)
    name = Column(Unicode(64))
    born = Column(Date)
    weight = Column(Integer)
    house_id = Column(ForeignKey("houses.id"))
    house = relationship("House", backref="cats")


@app.route("/by_hand/")
def by_hand():
    """List cats as one would write it: entities of the ORM, a dict for each, and jsonify."""
    query = Cat.query.order_by(Cat.id)
    total = query.count()
    if "limit" in request.args:
        query = query.offset(int(request.args.get("offset", 0))).limit(int(request.args["limit"]))
    content = [
        {
            "id": cat.id,
            "name": cat.name,
            "born": cat.born.isoformat(),
            "weight": cat.weight,
            "house_id": cat.house_id,
            "house": {"id": cat.house_id},
        }
        for cat in query
    ]
    return jsonify(content=content, matches={"total": total, "returned": len(content)})


def fill(rows):
    """Make cats, ten to a house."""
    with app.app_context():
        for number in range(0, rows, 10):
            house = House(address=f"Street {number}")
            house.cats = [
                Cat(name=f"Cat {number + n}", born=date(2020, 1, 1) + timedelta(days=n), weight=3000 + n)
                for n in range(min(10, rows - number))
            ]
            db.session.add(house)
        db.session.commit()
'''


@dataclass(frozen=True)
class Line:
    """Hold what one way of listing took."""

    name: str
    seconds: float
    rows: int
    statements: int

    @property
    def per_row(self) -> float:
        """Microseconds for each row."""
        return self.seconds / self.rows * 1e6


def start(folder: str, rows: int) -> tuple[Any, list[str]]:
    """Start a project with `rows` cats; return its test client, and the list that its SQL statements are noted in."""
    from flasker import Project
    from sqlalchemy import event

    Path(folder, "default.cfg").write_text(CONF)
    Path(folder, "benchmark_models.py").write_text(MODELS)
    project = Project(Path(folder, "default.cfg"))
    sys.modules["benchmark_models"].fill(rows)
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(project.db.engine, "before_cursor_execute", note)
    return project.app.test_client(), statements


def pages(url: str, rows: int, size: int) -> list[str]:
    """Return the URLs of all pages of a collection."""
    return [f"{url}?limit={size}&offset={offset}" for offset in range(0, rows, size)]


def measure(
    client: Any, statements: list[str], name: str, urls: Sequence[str], rows: int, runs: int,
    say: Callable[[str], None],
) -> Line:  # fmt: skip
    """Ask for all `urls` several times, and return the best run."""
    best, count = float("inf"), 0
    for _ in range(runs):
        statements.clear()
        begun = time.perf_counter()
        for url in urls:
            client.get(url)
        best = min(best, time.perf_counter() - begun)
        count = len(statements)
    line = Line(name, best, rows, count)
    say(f"{name:<34}{best * 1e3:>10.1f} ms{line.per_row:>10.2f} us per row{count:>8} statements")
    return line


def same_answers(client: Any, ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Tell whether two ways of listing give the same JSON."""
    return all(
        client.get(url).get_json() == client.get(other).get_json() for url, other in zip(ours, theirs, strict=True)
    )


def run(rows: int, size: int, runs: int, say: Callable[[str], None] = print) -> bool:
    """Print the figures, and return whether all answers were right.

    :param size: entities on a page
    """
    with tempfile.TemporaryDirectory() as folder:
        client, statements = start(folder, rows)
        say(f"{rows} rows of six members; pages of {size}; best of {runs} runs")
        whole, hand = ["/api/cats/"], ["/by_hand/"]
        paged, hand_paged = pages("/api/cats/", rows, size), pages("/by_hand/", rows, size)
        right = same_answers(client, whole, hand) and same_answers(client, paged, hand_paged)
        kinds = [
            ("whole: Flasker's API", whole), ("whole: by hand", hand),
            ("in pages: Flasker's API", paged), ("in pages: by hand", hand_paged),
        ]  # fmt: skip
        lines = [measure(client, statements, name, urls, rows, runs, say) for name, urls in kinds]
        measure(client, statements, "whole, houses in full: Flasker's API", ["/api/cats/?depth=1"], rows, runs, say)
        for api, other in (lines[:2], lines[2:]):
            say(f"{api.name.partition(':')[0]}: by hand takes {other.seconds / api.seconds:.2f} times as long")
        if not right:
            say("The answers differ.")
        return right


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000, help="how many entities there are")
    parser.add_argument("--page", type=int, default=20, help="how many are on a page")
    parser.add_argument("--runs", type=int, default=5, help="how often each is measured")
    options = parser.parse_args()
    return 0 if run(options.rows, options.page, options.runs) else 1


if __name__ == "__main__":
    sys.exit(main())
