"""The command line through real processes: what a person at a terminal sees."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import pytest
from cli_tools import SITE, microflask_command, python, running, wait_for

import microflask

pytestmark = pytest.mark.server

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, source: str = "") -> Path:
        path = tmp_path / name
        path.write_text(source, encoding="utf-8")
        return path

    return write


@pytest.fixture
def site(write: Write, tmp_path: Path) -> Path:
    """A folder with an application in a module."""
    write("site_of_test.py", SITE)
    return tmp_path


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    """Return what a command that failed said; it has to be one line."""
    assert result.returncode in {1, 2}, result
    [line] = result.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    "arguments",
    [["-m", "microflask", "--app", "site_of_test", "run", "-p", "0"],
     ["-c", "from microflask.cli import main; main()", "--app", "site_of_test:app", "run", "--port=0", "--debug"]],
)  # fmt: skip
def test_server_says_its_address_and_answers(site: Path, arguments: list[str]) -> None:
    with running([*arguments, "--no-reload"], site, SITE_WORD="word") as process:
        address = wait_for(process, "Running on").split()[-1]
        with urllib.request.urlopen(address, timeout=20) as response:
            assert response.read().decode() == f"debug {'--debug' in arguments} word"


def test_reloader_starts_anew_when_the_code_changes(site: Path) -> None:
    file = site / "site_of_test.py"
    # The reloader looks at all files below the import path, of which there are many where microflask is developed.
    (site / "lib").mkdir()
    (site / "lib" / "microflask").symlink_to(Path(microflask.__file__).parent)
    arguments = ["-m", "microflask", "-A", "site_of_test", "run", "-p", "0", "--debug"]
    with running(arguments, site, PYTHONPATH=str(site / "lib")) as process:
        address = wait_for(process, "Running on").split()[-1]
        with urllib.request.urlopen(address, timeout=20) as response:
            assert response.read().decode().startswith("debug True")
        file.write_text(file.read_text().replace("debug {", "changed {"))
        # Again and again: it takes the reloader a while to note how things were.
        for seconds in range(100):
            os.utime(file, (time.time() + seconds, time.time() + seconds))
            with suppress(OSError, HTTPException), urllib.request.urlopen(address, timeout=20) as response:
                if response.read().decode().startswith("changed True"):
                    break
            time.sleep(0.3)
        else:
            pytest.fail("the server went on with the old code")


def test_server_with_tls(site: Path) -> None:
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2",
            "-keyout", "key.pem", "-out", "cert.pem"]  # fmt: skip
    try:
        subprocess.run(make, cwd=site, check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("there is no openssl to make a certificate")
    arguments = ["-m", "microflask", "--app", "site_of_test", "run", "-p", "0"]
    with running([*arguments, "--cert", "cert.pem", "--key", "key.pem"], site) as process:
        address = wait_for(process, "Running on").split()[-1]
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        assert address.startswith("https://")
        with urllib.request.urlopen(address, timeout=20, context=context) as response:
            assert response.read().decode() == "debug False None"


def test_module_that_ends_with_run_is_served_by_the_command(write: Write, tmp_path: Path) -> None:
    write("running.py", f"{SITE}\napp.run(port=1)\n")
    with running(["-m", "microflask", "--app", "running", "run", "-p", "0"], tmp_path) as process:
        assert "app.run()" in wait_for(process, "Ignoring")
        assert ":1\n" not in wait_for(process, "Running on")


def test_failures_are_one_line(site: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert port in one_line(microflask_command("--app", "site_of_test", "run", "-p", port, cwd=site))
    assert "'missing'" in one_line(microflask_command("--app", "missing", "run", cwd=site))
    assert "'nothing'" in one_line(microflask_command("--app", "site_of_test:nothing", "routes", cwd=site))
    assert "--app" in one_line(microflask_command("run", cwd=site))


def test_import_error_is_shown_as_it_is(write: Write, tmp_path: Path) -> None:
    write("broken.py", "import math\n\nimport thing_that_is_missing\n")
    result = microflask_command("--app", "broken", "run", cwd=tmp_path)
    assert result.returncode == 2
    assert 'broken.py", line 3, in <module>' in result.stderr
    assert result.stderr.strip().endswith("ModuleNotFoundError: No module named 'thing_that_is_missing'")
    assert result.stderr.count("Traceback") == 1
    assert "click" not in result.stderr


def test_shell(site: Path, write: Write) -> None:
    startup = write("startup.py", "from_startup = 7\nimport sys; sys.__interactivehook__ = lambda: print('hook')\n")
    code = "print(app.name, from_startup, more, g.get('a'))\nimport microflask as m; print(m.current_app.debug)\n"
    write("shelled.py", f"{SITE}\napp.shell_context_processor(lambda: {{'more': 8}})\n")
    result = microflask_command(
        "--app", "shelled", "shell", cwd=site, stdin=code, variables={"PYTHONSTARTUP": str(startup)}
    )
    assert result.returncode == 0
    assert "Application: shelled" in result.stderr
    assert "hook" in result.stdout
    assert "shelled 7 8 None" in result.stdout
    assert "False" in result.stdout


def test_routes_and_commands_of_the_application(site: Path) -> None:
    result = microflask_command("-A", "site_of_test.py", "routes", cwd=site)
    assert (result.returncode, result.stderr) == (0, "")
    assert "item      GET, POST  /item/<int:id>" in result.stdout
    assert microflask_command("-A", "site_of_test", "greet", cwd=site).stdout == "hello from site_of_test\n"


def test_doctor(site: Path) -> None:
    result = microflask_command("--app", "site_of_test", "doctor", cwd=site)
    assert (result.returncode, "hosts-unchecked" in result.stdout) == (0, True)
    with (site / "site_of_test.py").open("a") as file:
        file.write("\napp.secret_key = 'dev'\n")
    result = microflask_command("--app", "site_of_test", "doctor", "--json", cwd=site)
    assert (result.returncode, '"secret-key-weak"' in result.stdout) == (1, True)


def test_factory_with_arguments(write: Write, tmp_path: Path) -> None:
    write("making.py", "from microflask import Flask\ndef create_app(name, *, tail=''): return Flask(name + tail)\n")
    path = "making:create_app('one', tail='-two')"
    result = microflask_command("--app", path, "shell", cwd=tmp_path, stdin="print(app.name)\n")
    assert "one-two" in result.stdout


def test_click_is_not_imported_to_serve(tmp_path: Path) -> None:
    result = python("-c", "import microflask, sys; print('click' in sys.modules)", cwd=tmp_path)
    assert result.stdout == "False\n"
