"""One application in a process of its own, timed at the runner's word.

Started as ``python -m benchmarks.worker CONTENDER SITE ASSETS``; takes commands and gives answers as lines of JSON.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter_ns
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from . import contenders
from .checks import WrongAnswer
from .wire import Ask, caller
from .workloads import WORKLOADS

#: So many environs are made ahead at most.
LARGEST_BATCH = 4000
WARM_UP_NS = 30_000_000


def spend(app: WSGIApplication, environs: list[WSGIEnvironment]) -> tuple[int, set[str]]:
    """Return the nanoseconds that the application needs for these requests, and the statuses it gave.

    As a server does, this takes the body apart and closes it; an application that does nothing costs under 0.1 us.
    """
    statuses: set[str] = set()
    seen = statuses.add

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        seen(status)

    begin = perf_counter_ns()
    for environ in environs:
        body = app(environ, start_response)
        for _ in body:
            pass
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return perf_counter_ns() - begin, statuses


class Bench:
    """Keep an application and the requests that it has answered rightly."""

    def __init__(self, app: WSGIApplication, not_offered: Mapping[str, str]) -> None:
        self.app = app
        self.not_offered = not_offered
        self.asks: dict[str, Ask] = {}
        self.pace: dict[str, float] = {}
        """How many requests of a workload take a nanosecond."""

    def prove(self, key: str) -> dict[str, str]:
        """Check a workload; it can be timed if nothing speaks against it."""
        if key in self.not_offered:
            return {"not offered": self.not_offered[key]}
        try:
            self.asks[key] = WORKLOADS[key].prepare(caller(self.app))
        except WrongAnswer as error:
            return {"wrong": str(error)}
        except Exception:
            return {"wrong": traceback.format_exc()[-1500:]}
        return {}

    def warm_up(self, key: str) -> None:
        """Run a workload for a while, and learn how many requests make a batch."""
        count, spent = 1, 0
        while spent < WARM_UP_NS:
            spent, _ = spend(self.app, self._environs(key, count))
            self.pace[key] = count / max(spent, 1)
            if count == LARGEST_BATCH:
                break
            count = min(LARGEST_BATCH, count * 2)

    def time(self, key: str, milliseconds: float, batches: int) -> list[float]:
        """Return the microseconds per request of each of some batches.

        A batch is short, so that some fall between two disturbances of the machine.

        :raises WrongAnswer: not all answers had the same status
        """
        count = max(2, min(LARGEST_BATCH, round(self.pace[key] * milliseconds * 1e6)))
        figures = []
        gc.collect()
        for _ in range(batches):
            environs = self._environs(key, count)
            spent, statuses = spend(self.app, environs)
            if len(statuses) != 1:
                raise WrongAnswer(f"while it was timed, {key} answered {sorted(statuses)}")
            figures.append(spent / count / 1000)
        return figures

    def _environs(self, key: str, count: int) -> list[WSGIEnvironment]:
        ask = self.asks[key]
        return [ask.environ() for _ in range(count)]


def serve(bench: Bench) -> None:
    """Answer the runner's commands until there are no more."""
    # Whatever else is printed must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    frozen = False
    for line in sys.stdin:
        command: dict[str, Any] = json.loads(line)
        key = command["key"]
        answer: dict[str, Any]
        if command["do"] == "prove":
            answer = bench.prove(key)
        else:
            if not frozen:
                # What the application consists of is not looked through again by the collector.
                gc.collect()
                gc.freeze()
                frozen = True
            if key not in bench.pace:
                bench.warm_up(key)
            try:
                answer = {"figures": bench.time(key, command["milliseconds"], command["batches"])}
            except WrongAnswer as error:
                answer = {"wrong": str(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> None:
    """Run a worker as the command line says."""
    contender, site, assets = sys.argv[1:4]
    app = contenders.application(contender, site, Path(assets))
    serve(Bench(app, contenders.CONTENDERS[contender].not_offered))


if __name__ == "__main__":
    main()
