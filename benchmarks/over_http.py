"""Requests per second over HTTP: servers started side by side, driven in turns."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from .checks import WrongAnswer
from .environment import Lab, Say
from .inprocess import turns
from .load import Load, Wanted, drive
from .serve import OPTIONS
from .wire import Ask, http_caller
from .workloads import Workload

KINDS = tuple(OPTIONS)
_START_SECONDS = 40


@dataclass
class Rates:
    """Collect what the servers manage."""

    samples: dict[str, dict[str, dict[str, list[float]]]] = field(default_factory=dict)
    """Requests per second, one for each round, by server, workload and contender."""
    busy: float = 0.0
    """The highest share of a core that the load generator needed, 0 to 1."""
    wrong: list[str] = field(default_factory=list)

    def note(self, kind: str, key: str, name: str, load: Load) -> None:
        """Keep what a server managed."""
        self.samples.setdefault(kind, {}).setdefault(key, {}).setdefault(name, []).append(load.rate)
        self.busy = max(self.busy, load.busy)


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Server:
    """Hold a server process."""

    def __init__(self, lab: Lab, kind: str, contender: str, site: str) -> None:
        self.name = f"{kind}, {contender}"
        self.port = free_port()
        self.asks: dict[str, tuple[bytes, Wanted]] = {}
        self._log = tempfile.TemporaryFile(  # noqa: SIM115 - it lives as long as the process
            "w+", encoding="utf-8", errors="replace"
        )
        chosen = {"CONTENDER": contender, "SITE": site, "ASSETS": str(lab.assets)}
        self._process = subprocess.Popen(
            [str(lab.python), "-m", "benchmarks.serve", kind, str(self.port)],
            env=lab.variables(more={f"BENCHMARKS_{name}": value for name, value in chosen.items()}),
            cwd=lab.cache, stdout=self._log, stderr=self._log,
        )  # fmt: skip

    def wait(self) -> None:
        """Wait until the server takes connections.

        :raises WrongAnswer: it does not within 40 seconds
        """
        end = time.monotonic() + _START_SECONDS
        while self._process.poll() is None and time.monotonic() < end:
            try:
                http_caller(self.port)(Ask("/"))
            except OSError:
                time.sleep(0.05)
            else:
                return
        self._log.seek(0)
        raise WrongAnswer(f"the server did not start: {self._log.read()[-1000:]}")

    def prove(self, workload: Workload) -> None:
        """Check the answers, and keep the request and its answer for the load.

        :raises WrongAnswer: an answer is not the right one
        """
        call = http_caller(self.port)
        ask = workload.prepare(call)
        answer = call(ask)
        self.asks[workload.key] = ask.message(f"127.0.0.1:{self.port}"), Wanted(answer.status, answer.body)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


class OverHTTP:
    """Measure the workloads of one site with one set of servers of a kind."""

    def __init__(self, rates: Rates, kind: str, servers: dict[str, Server], workloads: list[Workload]) -> None:
        self.rates, self.kind, self.servers, self.workloads = rates, kind, servers, workloads
        self.able: list[str] = []

    def prove(self) -> None:
        """Check all answers, and remember whose are right."""
        for name, server in self.servers.items():
            try:
                server.wait()
                for workload in self.workloads:
                    server.prove(workload)
            except (WrongAnswer, OSError) as error:
                self.rates.wrong.append(f"{server.name}: {error}")
            else:
                self.able.append(name)

    def round(self, number: int, seconds: float) -> None:
        """Drive each server with each workload once."""
        for workload in self.workloads:
            for name in turns(self.able, number):
                server = self.servers[name]
                try:
                    load = drive(server.port, *server.asks[workload.key], seconds)
                except (WrongAnswer, OSError) as error:
                    self.rates.wrong.append(f"{server.name}, {workload.title}: {error}")
                else:
                    self.rates.note(self.kind, workload.key, name, load)


def measure(lab: Lab, names: list[str], workloads: list[Workload], rounds: int, seconds: float, say: Say) -> Rates:
    """Return the rates of the workloads, for each server that is installed."""
    rates = Rates()
    for kind in KINDS:
        if kind not in lab.versions:
            say(f"{kind} is left out: it is not installed")
            continue
        for site in dict.fromkeys(workload.site for workload in workloads):
            chosen = [workload for workload in workloads if workload.site == site]
            say(f"{kind}: starting {len(names)} servers, site {site}")
            with ExitStack() as stack:
                servers = {name: stack.enter_context(Server(lab, kind, name, site)) for name in names}
                session = OverHTTP(rates, kind, servers, chosen)
                session.prove()
                for number in range(rounds):
                    say(f"{kind}: round {number + 1} of {rounds}, {', '.join(each.key for each in chosen)}")
                    session.round(number, seconds)
    return rates
