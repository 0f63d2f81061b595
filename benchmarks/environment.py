"""The virtual environment of the frameworks and servers, made once below the user's cache."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import material

Say = Callable[[str], None]

CHECKOUT = Path(__file__).resolve().parent.parent
FRAMEWORKS = (
    "flask==3.1.3", "werkzeug==3.1.9", "jinja2==3.1.6", "markupsafe==3.0.4", "itsdangerous==2.2.0", "blinker==1.9.0",
    "click==8.5.1", "asgiref==3.13.0", "falcon==4.4.0", "bottle==0.13.4", "pyramid==2.1", "pyramid-jinja2==2.10.1",
    "webob==1.8.11", "setuptools==81.0.0", 'legacy-cgi==2.6.4; python_version >= "3.13"',
    'django==6.1.3; python_version >= "3.12"', 'django>=5.2,<5.3; python_version < "3.12"',
)  # fmt: skip
#: Each of them may be missing; it is left out then.
SERVERS = ("gunicorn==27.0.1", "granian==2.8.7", "waitress==3.0.2")
#: Whose versions are printed.
SHOWN = (
    "flask", "falcon", "bottle", "pyramid", "django", "werkzeug", "jinja2", "itsdangerous", "gunicorn", "granian",
    "waitress",
)  # fmt: skip


def progress() -> Say:
    """Return a function that tells what is going on, on standard error: one line in a terminal, else one each time."""
    begin = time.monotonic()
    start, end = ("\r\033[K", "") if sys.stderr.isatty() else ("", "\n")

    def say(text: str) -> None:
        print(f"{start}[{time.monotonic() - begin:5.0f} s] {text}", end=end, file=sys.stderr, flush=True)

    return say


class SetupFailed(Exception):
    """The environment could not be made."""


@dataclass(frozen=True)
class Lab:
    """Hold where the frameworks are installed and which versions they have."""

    python: Path
    cache: Path
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def assets(self) -> Path:
        """Name the folder of the templates and the static file."""
        return self.cache / "assets"

    def variables(self, seed: int = 0, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment variables of a measured process.

        :param seed: of the hashes; processes that are compared have the same
        """
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONHASHSEED": str(seed),
            # The checkout may be read-only; without byte code its imports would look slow.
            "PYTHONPYCACHEPREFIX": str(self.cache / "bytecode"),
            **(more or {}),
        }


def cache_folder() -> Path:
    """Return the folder for the environment below the user's cache; BENCHMARKS_CACHE names another one."""
    if chosen := os.environ.get("BENCHMARKS_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    if not base and sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    return Path(base or Path.home() / ".cache") / "microflask-benchmarks"


def prepare(say: Say) -> Lab:
    """Make the environment unless it stands, and return it.

    :raises SetupFailed: the frameworks could not be installed
    """
    cache = cache_folder()
    key = hashlib.sha256("\n".join((sys.version, *FRAMEWORKS, *SERVERS)).encode()).hexdigest()[:10]
    home = cache / f"{sys.implementation.cache_tag}-{key}"
    python = home / "bin" / "python"
    finished = home / "installed"
    if not finished.exists():
        say(f"installing the frameworks into {home}")
        venv.EnvBuilder(with_pip=True, clear=True).create(home)
        if problem := _install(python, *FRAMEWORKS):
            raise SetupFailed(f"pip could not install the frameworks into {home}:\n{problem}")
        for server in SERVERS:
            if _install(python, server):
                say(f"{server} cannot be installed here and is left out")
        finished.touch()
    material.write_assets(cache / "assets")
    return Lab(python, cache, _versions(Lab(python, cache)))


def _install(python: Path, *requirements: str) -> str:
    """Install with pip; return what it said last if it failed, else nothing."""
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout[-3000:] or "no output" if done.returncode else ""


_ASK_VERSIONS = """
import importlib.metadata, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
import microflask
found["microflask"] = microflask.__version__
print(json.dumps(found))
"""


def _versions(lab: Lab) -> dict[str, str]:
    """Return the installed versions; a server that is not installed is not among them."""
    command = [str(lab.python), "-c", _ASK_VERSIONS, *SHOWN]
    done = subprocess.run(command, env=lab.variables(), cwd=lab.cache, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupFailed(f"microflask cannot be imported in the benchmarks' environment:\n{done.stderr[-3000:]}")
    versions: dict[str, str] = json.loads(done.stdout)
    versions["microflask"] += _commit()
    return {"microflask": versions.pop("microflask"), "python": platform.python_version(), **versions}


def _commit() -> str:
    """Return which commit the checkout is at, in words; nothing if that cannot be told."""
    try:
        command = ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return f" (checkout at {done.stdout.strip()})" if done.returncode == 0 else ""


def machine() -> str:
    """Return in a line what the figures were measured on."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return f"{platform.system()}, {os.cpu_count()} x {model}"
