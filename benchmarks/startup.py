"""What an application costs before its first request: imports, memory, and the registration of many routes.

The figures of the routes come from ``python -m benchmarks.startup CONTENDER ROUTES ASSETS``, those of the imports from
a program of a few lines, as this module imports too much.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from . import contenders, material
from .checks import page
from .environment import Lab, Say
from .memory import resident
from .wire import Ask, caller

#: By figure, then contender: one sample for each process.
Samples = dict[str, dict[str, list[float]]]

_SMALLEST = """
import sys
from time import perf_counter
from benchmarks.memory import resident

environ = {
    "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "127.0.0.1", "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http", "wsgi.input": open("/dev/null", "rb"), "wsgi.errors": sys.stderr,
    "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
}
before = resident()
begin = perf_counter()
%s
answer = b"".join(app(environ, lambda status, headers, exc_info=None: None))
spent = perf_counter() - begin
after = resident()
assert answer == b"Hello, World!", answer
print(spent * 1000, after, after - before)
"""
TITLES = {
    "import": "import to first answer",
    "memory": "resident memory, one view",
}


def route_titles(count: int) -> dict[str, str]:
    """Return the figures of an application with `count` routes, and what they are called."""
    return {
        f"register-{count}": f"register {count} routes",
        f"ready-{count}": "the same, and the first answer",
        f"grown-{count}": f"memory of {count} routes",
    }


class ProgramFailed(Exception):
    """A measured program did not end well."""


def _run(lab: Lab, contender: str, *arguments: str) -> str:
    done = subprocess.run(
        [str(lab.python), *arguments], env=lab.variables(), cwd=lab.cache, capture_output=True, text=True,
        check=False, timeout=900,
    )  # fmt: skip
    if done.returncode:
        raise ProgramFailed(f"{contender}, start: {done.stderr[-1500:]}")
    return done.stdout


def imports(lab: Lab, names: list[str], rounds: int, say: Say, wrong: list[str]) -> Samples:
    """Return milliseconds and kilobytes of the smallest program of each framework."""
    samples: Samples = {key: {} for key in TITLES}
    names = list(names)
    for number in range(rounds + 1):
        say(f"imports: round {number} of {rounds}" if number else "imports: writing byte code")
        for name in list(names):
            try:
                output = _run(lab, name, "-c", _SMALLEST % contenders.CONTENDERS[name].program)
            except ProgramFailed as error:
                wrong.append(str(error))
                names.remove(name)
                continue
            if number:
                spent, whole, _ = map(float, output.split())
                samples["import"].setdefault(name, []).append(spent)
                samples["memory"].setdefault(name, []).append(whole)
    return samples


def routes(lab: Lab, names: list[str], count: int, rounds: int, say: Say, wrong: list[str]) -> Samples:
    """Return milliseconds and kilobytes of an application with `count` routes."""
    samples: Samples = {key: {} for key in route_titles(count)}
    names = list(names)
    for number in range(rounds):
        say(f"registering {count} routes: round {number + 1} of {rounds}")
        for name in list(names):
            try:
                output = _run(lab, name, "-m", "benchmarks.startup", name, str(count), str(lab.assets))
            except ProgramFailed as error:
                wrong.append(str(error))
                names.remove(name)
                continue
            for key, value in json.loads(output.splitlines()[-1]).items():
                samples[f"{key}-{count}"].setdefault(name, []).append(value)
    return samples


def measure_routes(name: str, count: int, assets: Path) -> dict[str, float]:
    """Return what registering the routes costs in this process.

    :raises WrongAnswer: the application does not answer its last rule
    """
    # What is imported by a first application is not what routes cost. Django allows for no second one.
    if name == "django":
        contenders.module_of(name)
    else:
        contenders.application(name, "routes-2", assets)
    before = resident()
    begin = perf_counter()
    app = contenders.application(name, f"routes-{count}", assets)
    registered = perf_counter()
    page("item 5")(caller(app)(Ask(f"/api/item{count // 2 - 1}/5")))
    answered = perf_counter()
    return {
        "register": (registered - begin) * 1000,
        "ready": (answered - begin) * 1000,
        "grown": resident() - before,
    }


def main() -> None:
    """Measure the registration as the command line says."""
    name, count, assets = sys.argv[1:4]
    material.write_assets(Path(assets))
    print(json.dumps(measure_routes(name, int(count), Path(assets))))


if __name__ == "__main__":
    main()
