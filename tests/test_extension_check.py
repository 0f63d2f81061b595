"""check_extension: it finds nothing in a good extension, and each broken rule in a bad one."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import microflask.testing
from microflask.extension_check import Finding, find_sources
from microflask.testing import check_extension

EXTENSIONS = Path(__file__).parents[1] / "extensions"

GOOD = '''
from microflask import current_app

class Demo:
    """An extension that keeps every rule."""

    def __init__(self, app=None):
        """Begin at once where there is one already."""
        if app:
            self.init_app(app)

    def init_app(self, app):
        """From now on, every request to it counts."""
        app.config.setdefault("DEMO_WORD", "well")
        app.extensions["demo"] = {"requests": 0}
        app.before_request(self.count)

    def count(self):
        current_app.extensions["demo"]["requests"] += 1
'''
SETTING = 'app.config.setdefault("DEMO_WORD", "well")'
SETUP_PY = '''
from setuptools import setup

setup(
    name="Flask-Demo", version="1.0", license="BSD", py_modules=["flask_demo"], zip_safe=False,
    install_requires=["Flask", "Werkzeug>=3"], long_description=__doc__,
)
'''
SETUP_CFG = """
[metadata]
name = Microflask-Demo
license = MIT
[options]
py_modules = flask_demo
zip_safe = no
install_requires =
    microflask; python_version > "3"
    werkzeug [watchdog] >= 3
"""
PYPROJECT = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "demo-flask"
license = "BSD-3-Clause"
dependencies = ["microflask"]
optional-dependencies = {more = ["werkzeug"]}
[tool.setuptools]
py-modules = ["flask_demo"]
zip-safe = false
"""
FILES = {
    "flask_demo.py": GOOD, "setup.py": SETUP_PY, "LICENSE": "BSD", "MANIFEST.in": "graft tests\n",
    "tests/test_demo.py": "def test(): pass\n",
}  # fmt: skip

Extension = Callable[..., list[Finding]]
Files = dict[str, str | None]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Extension]:
    """Write a good extension, with some files in place of its own (None takes one away), and check it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def check(module: str = "flask_demo", files: Files | None = None, **options: Any) -> list[Finding]:
        for name, source in {**FILES, **(files or {})}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if source is not None:
                path.write_text(source)
        importlib.invalidate_caches()
        findings: list[Finding] = check_extension(module, **options)
        return findings

    yield check
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def rules(findings: list[Finding]) -> list[str]:
    return [finding.rule for finding in findings]


# -- good ones


@pytest.mark.parametrize("name", ["sqlite3", "hippocket"])
def test_own_extensions_keep_every_rule(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.syspath_prepend(str(EXTENSIONS / name))
    assert check_extension(f"microflask_{name}") == []
    assert check_extension(sys.modules[f"microflask_{name}"], folder=EXTENSIONS / name) == []


@pytest.mark.parametrize("files", [
    {}, {"setup.py": None, "setup.cfg": SETUP_CFG}, {"setup.py": None, "pyproject.toml": PYPROJECT},
    {"setup.py": "from setuptools import setup\nsetup()\n", "setup.cfg": SETUP_CFG},
])  # fmt: skip
def test_packaging_files_of_all_kinds_are_read(check: Extension, files: Files) -> None:
    assert check(files={"flask_demo.py": f"import werkzeug.utils\n{GOOD}", **files}) == []


def test_initialisation_function_will_do(check: Extension) -> None:
    source = "def init_demo(app, word='well'):\n    app.extensions['demo'] = word\n"
    assert check(files={"flask_demo.py": source}) == []


def test_package_that_is_found_by_setuptools_will_do(check: Extension) -> None:
    setup_cfg = SETUP_CFG.replace("py_modules = flask_demo", "packages = find:")
    setup_cfg += "[options.packages.find]\nexclude = tests*\n"
    assert check(files={
        "flask_demo.py": None, "flask_demo/__init__.py": "from .core import Demo\n", "flask_demo/core.py": GOOD,
        "setup.py": None, "setup.cfg": setup_cfg, "tests/__init__.py": "",
    }) == []  # fmt: skip


def test_sources_below_src_are_found(check: Extension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    assert check(files={"flask_demo.py": None, "src/flask_demo.py": GOOD}) == []
    assert find_sources(sys.modules["flask_demo"]) == tmp_path


def test_extension_that_needs_configuration_gets_it(check: Extension) -> None:
    source = GOOD.replace(SETTING, 'app.config["DEMO_KEY"]')
    assert "two applications" in rules(check(files={"flask_demo.py": source}))
    assert check(config={"DEMO_KEY": 1}) == []


# -- bad ones


@pytest.mark.parametrize(("files", "rule", "said"), [
    ({"setup.py": SETUP_PY.replace("Flask-Demo", "Demo")}, "naming", "'Demo'"),
    ({"setup.py": SETUP_PY.replace('name="Flask-Demo",', "")}, "naming", "name was not found"),
    ({"setup.py": SETUP_PY.replace('["flask_demo"]', '["flask_demo", "demo_tools"]')}, "modules", "demo_tools"),
    ({"setup.py": SETUP_PY.replace('"BSD"', '"GPL-3.0"')}, "licence", "GPL-3.0"),
    ({"setup.py": SETUP_PY.replace('license="BSD",', "")}, "licence", "nothing"),
    ({"LICENSE": None}, "licence", "no LICENSE file"),
    ({"flask_demo.py": f"import jinja2.ext, os\n{GOOD}"}, "dependencies", "jinja2"),
    ({"flask_demo.py": f"{GOOD}\ndef late():\n    from click import echo\n"}, "dependencies", "click"),
    ({"tests/test_demo.py": None}, "tests", "no tests"),
    ({"MANIFEST.in": None}, "tests", "graft tests"),
    ({"MANIFEST.in": "include README\nrecursive-include docs *\nprune tests\n"}, "tests", "graft tests"),
    ({"setup.py": SETUP_PY.replace("zip_safe=False,", "")}, "zip_safe", "zip_safe = false"),
    ({"setup.py": SETUP_PY.replace("zip_safe=False", "zip_safe=True")}, "zip_safe", "zip_safe = false"),
    ({"setup.py": "setup(\n"}, "sources", "SyntaxError"),
    ({"setup.cfg": "no section"}, "sources", "cannot"),
])  # fmt: skip
def test_broken_rule_of_packaging_is_found(check: Extension, files: Files, rule: str, said: str) -> None:
    [finding] = check(files=files)
    assert finding.rule == rule
    assert said in finding.message
    assert str(finding) == f"{rule}: {finding.message}"


@pytest.mark.parametrize("source", [
    "try:\n    import missing_library\nexcept ImportError:\n    missing_library = None\n",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import missing_library\n",
    "import os, json.decoder\nfrom collections import abc\n",
])  # fmt: skip
def test_what_an_extension_can_do_without_need_not_be_declared(check: Extension, source: str) -> None:
    assert check(files={"flask_demo.py": f"{source}{GOOD}"}) == []


@pytest.mark.parametrize("manifest", ["recursive-include tests *.py", "global-include *.py", "include tests/*.py"])
def test_tests_are_shipped_by_any_line_that_takes_them_in(check: Extension, manifest: str) -> None:
    assert check(files={"MANIFEST.in": manifest}) == []


def test_other_build_backends_have_no_manifest_and_no_zip_safe(check: Extension) -> None:
    pyproject = PYPROJECT.replace("setuptools>=77", "hatchling").replace("setuptools.build_meta", "hatchling.build")
    pyproject = pyproject.partition("[tool.setuptools]")[0]
    assert check(files={"setup.py": None, "MANIFEST.in": None, "pyproject.toml": pyproject}) == []


def test_module_that_the_redirector_does_not_find_is_named(check: Extension) -> None:
    findings = check("demo_flask", files={"demo_flask.py": GOOD})
    assert rules(findings) == ["naming", "modules"]
    assert "demo_flask" in findings[0].message


FIRST_OF_THE_GUIDE = """
class Demo:
    def __init__(self, app):
        self.app = app
        app.before_request(self.open)
        app.teardown_request(self.close)

    def open(self):
        from microflask import _request_ctx_stack
        _request_ctx_stack.top.demo = []

    def close(self, error):
        from microflask import _request_ctx_stack
        _request_ctx_stack.top.demo.clear()
"""


@pytest.mark.parametrize(("source", "found", "said"), [
    ("", ["initialisation"], "init_app"),
    ("class Plain: pass\ndef helper(app): pass\n", ["initialisation"], "flask_demo"),
    ("from microflask import Flask\n", ["initialisation"], "no class"),
    (FIRST_OF_THE_GUIDE, ["factory", "teardown"], "Demo has no init_app"),
    (FIRST_OF_THE_GUIDE.replace("__init__", "init_app"), ["teardown", "state"], "AttributeError"),
    (GOOD.replace("app=None", "app"), ["factory"], "Demo() without an application fails: TypeError"),
    (GOOD.replace(SETTING, "self.config = app.config"), ["state"], "Demo.config"),
    (GOOD.replace(SETTING, "import weakref; self.last = weakref.ref(app)"), ["state"], "Demo.last"),
    (GOOD.replace("self.init_app(app)", "raise LookupError('no')"), ["factory"], "LookupError: no"),
    (GOOD.replace(SETTING, "assert not hasattr(self, 'app'); self.app = app"), ["two applications", "state"],
     "a second application"),
    ("def init_demo(app):\n    raise SystemExit('gone')\n", ["two applications"] * 2, "SystemExit: gone"),
    ("def init_demo(app):\n    app.before_request(lambda: 1 / 0)\n", ["two applications"] * 3, "ZeroDivisionError"),
])  # fmt: skip
def test_broken_rule_of_behaviour_is_found(check: Extension, source: str, found: list[str], said: str) -> None:
    findings = check(files={"flask_demo.py": source})
    assert rules(findings) == found
    assert said in findings[0].message


def test_extension_that_cannot_be_imported_is_one_finding(check: Extension) -> None:
    assert rules(check(files={"flask_demo.py": "1 / 0\n"})) == ["import"]
    [finding] = check_extension("flask_that_is_nowhere")
    assert "No module named" in finding.message


def test_module_without_sources_is_judged_by_its_installed_metadata() -> None:
    import blinker

    findings = check_extension(blinker)
    assert rules(findings) == ["naming", "naming", "sources", "initialisation"]
    assert "blinker" in findings[1].message


def test_module_that_is_in_no_distribution_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "microflask_alone.py").write_text("def init_alone(app): pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert rules(check_extension("microflask_alone")) == ["naming", "licence", "sources"]
    del sys.modules["microflask_alone"]


def test_check_is_offered_by_the_testing_module() -> None:
    assert microflask.testing.check_extension is check_extension
    assert check_extension.__module__ == "microflask.extension_check"
