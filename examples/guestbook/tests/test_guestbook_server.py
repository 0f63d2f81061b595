"""The guestbook in real servers: processes of their own, and sockets."""

from __future__ import annotations

import importlib.util
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[1]

Start = Callable[..., str]


@pytest.fixture
def start(instance: Path, tmp_path: Path) -> Iterator[Start]:
    """Start ``python <arguments>`` and return the address where it says that it listens."""
    processes: list[subprocess.Popen[str]] = []
    # The server imports what the tests import, also from a checkout that is not installed.
    env = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONUNBUFFERED": "1"}

    def run(*arguments: str, folder: Path = tmp_path) -> str:
        command = [sys.executable, *arguments]
        pipe, merged = subprocess.PIPE, subprocess.STDOUT
        process = subprocess.Popen(command, cwd=folder, env=env, text=True, stdout=pipe, stderr=merged)
        processes.append(process)
        assert process.stdout
        seen = ""
        for line in process.stdout:
            seen += line
            if found := re.search(r"(?:Listening at:|Running on) (http://127\.0\.0\.1:\d+)", line):
                return found[1]
        pytest.fail(f"the server did not start:\n{seen}")

    yield run
    for process in processes:
        process.terminate()
        process.communicate(timeout=30)


def free_port() -> str:
    """Return a port that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


def load(address: str) -> str:
    """Return the text of a page."""
    with urllib.request.urlopen(address, timeout=30) as answer:
        text: str = answer.read().decode()
        return text


@pytest.mark.skipif(not importlib.util.find_spec("gunicorn"), reason="gunicorn is not installed")
def test_gunicorn_serves_it(start: Start, instance: Path) -> None:
    address = start("-m", "gunicorn", "--workers=2", "--bind=127.0.0.1:0", "--chdir", str(ROOT), "wsgi:app")
    assert "Nobody has written anything yet" in load(f"{address}/")
    assert "--accent" in load(f"{address}/static/style.css")
    assert '"total":0' in load(f"{address}/api/entries").replace(" ", "")
    with pytest.raises(urllib.error.HTTPError) as refused:
        load(f"{address}/pictures/%2e%2e%2fsecret_key")
    assert refused.value.code == 404
    refused.value.close()
    assert (instance / "guestbook.sqlite").exists()


def test_run_py_starts_the_development_server(start: Start) -> None:
    port = free_port()
    address = start(str(ROOT / "run.py"), "--port", port)
    assert address.endswith(f":{port}")
    assert "Nobody has written anything yet" in load(f"{address}/")


def test_package_starts_the_development_server(start: Start) -> None:
    address = start("-m", "guestbook", "--port", free_port(), folder=ROOT)
    assert "Nobody has written anything yet" in load(f"{address}/")


def test_second_server_on_one_port_ends_with_a_message(start: Start) -> None:
    port = free_port()
    start(str(ROOT / "run.py"), "--port", port)
    env = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, str(ROOT / "run.py"), "--port", port]
    second = subprocess.run(command, env=env, text=True, capture_output=True, timeout=60, check=False)
    assert second.returncode == 1
    assert f"cannot use port {port}" in second.stderr
    assert "Traceback" not in second.stderr
