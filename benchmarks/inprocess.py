"""Time the applications in process: a worker for each, asked in turns."""

from __future__ import annotations

import json
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from .environment import Lab, Say
from .workloads import WORKLOADS, Workload


class WorkerGone(Exception):
    """A worker ended before it was told to."""


@dataclass(frozen=True)
class Effort:
    """Say how much is measured."""

    passes: int
    """How often the processes are started anew, each time with other hashes."""
    rounds: int
    """How often everybody's turn comes in a pass."""
    milliseconds: float = 4.0
    batches: int = 5


@dataclass
class Timings:
    """Collect what the workers say, by workload and contender."""

    samples: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """Microseconds per request, one for each batch."""
    not_offered: dict[str, dict[str, str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def note(self, key: str, contender: str, answer: dict[str, Any]) -> bool:
        """Keep an answer; return whether the contender can go on with this workload."""
        if "not offered" in answer:
            self.not_offered.setdefault(key, {})[contender] = answer["not offered"]
        elif "wrong" in answer:
            message = f"{contender}, {WORKLOADS[key].title}: {answer['wrong']}"
            if message not in self.wrong:
                self.wrong.append(message)
        else:
            self.samples.setdefault(key, {}).setdefault(contender, []).extend(answer.get("figures", ()))
            return True
        return False


class Worker:
    """Hold a worker process; a context manager that ends it."""

    def __init__(self, lab: Lab, contender: str, site: str, seed: int) -> None:
        self.name = f"{contender}, {site}"
        self._log = tempfile.TemporaryFile(  # noqa: SIM115 - it lives as long as the process
            "w+", encoding="utf-8", errors="replace"
        )
        self._process = subprocess.Popen(
            [str(lab.python), "-m", "benchmarks.worker", contender, site, str(lab.assets)],
            env=lab.variables(seed), cwd=lab.cache, text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip

    def ask(self, do: str, key: str, **more: Any) -> dict[str, Any]:
        """Send a command and wait for the answer.

        :raises WorkerGone: the process has ended
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, "key": key, **more}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._log.seek(0)
            raise WorkerGone(f"the worker of {self.name} ended: {self._log.read()[-1500:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._log.close()


def turns(names: list[str], number: int) -> list[str]:
    """Return the names in the order of round `number`: each is the first once, so that none is favoured."""
    shift = number % len(names) if names else 0
    return names[shift:] + names[:shift]


class InProcess:
    """Measure the workloads of one site with one set of processes."""

    def __init__(self, timings: Timings, workers: dict[str, Worker], workloads: list[Workload]) -> None:
        self.timings = timings
        self.workers = workers
        self.keys = [workload.key for workload in workloads]
        self.able: dict[str, list[str]] = {}

    def prove(self) -> None:
        """Let every application answer, and remember who did so rightly."""
        for key in self.keys:
            self.able[key] = [name for name in list(self.workers) if self._ask(name, "prove", key)]

    def round(self, number: int, effort: Effort) -> None:
        """Time each workload once with every application."""
        for key in self.keys:
            for name in turns(self.able[key], number):
                if name in self.workers:
                    self._ask(name, "time", key, milliseconds=effort.milliseconds, batches=effort.batches)

    def _ask(self, name: str, do: str, key: str, **more: Any) -> bool:
        try:
            return self.timings.note(key, name, self.workers[name].ask(do, key, **more))
        except WorkerGone as error:
            del self.workers[name]
            self.timings.wrong.append(str(error))
            return False


def measure(lab: Lab, names: list[str], workloads: list[Workload], effort: Effort, say: Say) -> Timings:
    """Return the timings of the workloads; each answer is checked before the first round and after the last."""
    timings = Timings()
    for site in dict.fromkeys(workload.site for workload in workloads):
        chosen = [workload for workload in workloads if workload.site == site]
        here = effort
        if site == "routes-10000":  # one pass: Falcon needs most of a minute to register them
            here = replace(effort, passes=1, rounds=effort.rounds * effort.passes)
        for seed in range(here.passes):
            say(f"{site}: pass {seed + 1} of {here.passes}, starting {len(names)} processes")
            with ExitStack() as stack:
                workers = {name: stack.enter_context(Worker(lab, name, site, seed)) for name in names}
                _one_pass(InProcess(timings, workers, chosen), site, here, say)
    return timings


def _one_pass(session: InProcess, site: str, effort: Effort, say: Say) -> None:
    session.prove()
    for number in range(effort.rounds):
        say(f"{site}: round {number + 1} of {effort.rounds}, {len(session.keys)} workloads")
        session.round(number, effort)
    session.prove()
