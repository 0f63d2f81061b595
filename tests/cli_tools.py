"""What the tests of the command line share: modules in a folder of their own, and real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from inspect import signature
from pathlib import Path
from threading import Timer
from typing import Any

from click.testing import CliRunner

import microflask

#: Arguments of click's runner with which it keeps stdout and stderr apart, as it always does since click 8.2.
SEPARATE_OUTPUTS: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}
SOURCES = Path(microflask.__file__).parents[1]
#: A module with an application and a command of its own.
SITE = """
import os
from microflask import Flask
app = Flask(__name__)
app.add_url_rule("/", "index", lambda: f"debug {app.debug} {os.environ.get('SITE_WORD')}")
app.add_url_rule("/item/<int:id>", "item", lambda id: str(id), methods=["POST", "GET"])
@app.cli.command()
def greet():
    "Say hello."
    print("hello from", app.name)
"""


def environment(**variables: str) -> dict[str, str]:
    """Return an environment for a process that imports microflask from where the tests do."""
    kept = {key: value for key, value in os.environ.items() if "FLASK" not in key and not key.startswith("WERKZEUG")}
    path = os.pathsep.join(filter(None, [str(SOURCES), os.environ.get("PYTHONPATH")]))
    return kept | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"} | variables


def python(
    *arguments: str, cwd: Path, stdin: str = "", variables: Mapping[str, str] | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a Python process to its end and return it, with what it printed."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, input=stdin, env=environment(**(variables or {})), timeout=timeout,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def microflask_command(*arguments: str, cwd: Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run ``python -m microflask`` to its end."""
    return python("-m", "microflask", *arguments, cwd=cwd, **options)  # type: ignore[arg-type]


@contextmanager
def running(arguments: Sequence[str], cwd: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Start a Python process, whose two outputs come as one; end it, and what it started, after the block."""
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=cwd, env=environment(**variables), text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip

    def end() -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    # So that waiting for words that are never said ends too.
    watchdog = Timer(90, end)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        end()
        process.communicate(timeout=20)


def wait_for(process: subprocess.Popen[str], words: str) -> str:
    """Return the first line of a process's output in which the words are."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if words in line:
            return line
    raise AssertionError(f"{words!r} was not said, but: {''.join(said)}")
