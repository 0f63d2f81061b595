"""What type checkers say of an application: nothing while it is right, and a word at each mistake."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "type_check"
#: How each checker is called, and how it names a line that it complains about.
CHECKERS = {
    "mypy": (["--strict", "--no-color-output"], re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d+): error: ", re.M)),
    "pyright": ([], re.compile(r"^ +(?P<file>[^:\n]+):(?P<line>\d+):\d+ - error: ", re.M)),
}


@pytest.fixture(scope="module", params=CHECKERS)
def checker(request, tmp_path_factory):
    """A function that returns the lines of a file, by their numbers, that a type checker complains about."""
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    options, complaint = CHECKERS[request.param]
    options = [sys.executable, "-m", request.param, *options]
    if request.param == "mypy":
        options += ["--cache-dir", str(tmp_path_factory.mktemp("cache"))]
    else:
        options += ["--pythonpath", sys.executable]
        try:
            # It is a program for node, which its Python package may have to fetch first.
            subprocess.run([*options[:3], "--version"], capture_output=True, timeout=120, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"pyright does not run here: {error}")

    def check(path):
        done = subprocess.run([*options, str(path)], cwd=HERE.parents[1], capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        complaints = [match for match in complaint.finditer(done.stdout) if Path(match["file"]).name == path.name]
        found = {int(match["line"]) for match in complaints}
        assert bool(found) is bool(done.returncode), done.stdout
        return found, done.stdout

    return check


def test_an_application_with_all_that_has_types_is_accepted(checker):
    lines, output = checker(HERE / "application.py")
    assert lines == set(), output


def test_each_mistake_is_found(checker):
    path = HERE / "mistakes.py"
    texts = path.read_text(encoding="utf-8").splitlines()
    wrong = {number for number, text in enumerate(texts, start=1) if text.endswith("# wrong")}
    assert len(wrong) > 10
    lines, output = checker(path)
    assert lines == wrong, output
