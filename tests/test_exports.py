"""The names that the package offers, and what importing it costs."""

import ast
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import microflask
from microflask.attributes import compile_later

HERE = Path(__file__).parent
DOCUMENTED = json.loads((HERE / "documented_api.json").read_text(encoding="utf-8"))
#: What Flask 3.1 offers, beside its modules.
OF_3_1 = [
    "Blueprint", "Config", "Flask", "Request", "Response", "abort", "after_this_request", "appcontext_popped",
    "appcontext_pushed", "appcontext_tearing_down", "before_render_template", "copy_current_request_context",
    "current_app", "flash", "g", "get_flashed_messages", "get_template_attribute", "got_request_exception",
    "has_app_context", "has_request_context", "json", "jsonify", "make_response", "message_flashed", "redirect",
    "render_template", "render_template_string", "request", "request_finished", "request_started",
    "request_tearing_down", "send_file", "send_from_directory", "session", "stream_template",
    "stream_template_string", "stream_with_context", "template_rendered", "url_for",
]  # fmt: skip
ROOT = Path(microflask.__file__).parent
MODULES = [
    ".".join(("microflask", *path.relative_to(ROOT).with_suffix("").parts))
    for path in sorted(ROOT.rglob("*.py"))
    if path.name not in {"__init__.py", "__main__.py"}
]


def order(name):
    """Constants, then classes, then the rest, each by the alphabet."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def run(program):
    """Run a program in a fresh interpreter; return what it printed."""
    # Coverage, where it measures subprocesses too, would bring modules of its own.
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False, cwd=HERE.parent,
        env=surroundings,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


def test_exported_names_are_sorted_and_there():
    assert microflask.__all__ == sorted(microflask.__all__, key=order)
    assert len(set(microflask.__all__)) == len(microflask.__all__)
    assert [name for name in microflask.__all__ if not hasattr(microflask, name)] == []


def test_exported_names_are_complete():
    """Whatever the face of the package imports from its rooms, at once or later, it exports."""
    tree = ast.parse(Path(microflask.__file__).read_text(encoding="utf-8"))
    imported = set()
    for node in tree.body:
        bodies = [node] if isinstance(node, ast.ImportFrom) else getattr(node, "orelse", [])
        for each in bodies:
            if isinstance(each, ast.ImportFrom) and (each.level or each.module == "markupsafe"):
                imported.update(alias.asname or alias.name for alias in each.names)
    assert imported | set(microflask._LATER) == set(microflask.__all__)


@pytest.mark.parametrize("name", [row["name"] for row in DOCUMENTED if row["owner"] == ""])
def test_documented_names_are_there(name):
    place, _, last = f"microflask.{name}".rpartition(".")
    try:
        found = hasattr(importlib.import_module(place), last)
    except ImportError:
        found = False
    if not found:
        importlib.import_module(f"microflask.{name}")


def test_names_of_3_1_are_exported():
    assert set(OF_3_1) - set(microflask.__all__) == set()


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_what_it_exports(name):
    module = importlib.import_module(name)
    exported = getattr(module, "__all__", [])
    assert [one for one in exported if not hasattr(module, one)] == []
    assert module.__doc__


def test_unknown_name_is_refused_as_usual():
    with pytest.raises(AttributeError, match="'microflask' has no attribute 'no_such_thing'"):
        microflask.no_such_thing  # noqa: B018
    with pytest.raises(ImportError, match="no_such_thing"):
        exec("from microflask import no_such_thing")


@pytest.mark.parametrize(
    ("owner", "path"),
    [
        ("alias", "microflask.alias"), ("module", "microflask.module"), ("testing", "microflask.testing"),
        ("typing", "microflask.typing"), ("views", "microflask.views"), ("wrappers", "microflask.wrappers"),
    ],
)  # fmt: skip
def test_modules_are_found_on_the_package(owner, path):
    assert run(f"import microflask; print(microflask.{owner}.__name__)") == [path]


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("sansio.scaffold", "T_route"), ("sansio.scaffold", "T_error_handler"), ("blueprints", "T_template_filter"),
        ("sansio.blueprints", "T_teardown"), ("sansio.app", "T_shell_context_processor"),
    ],
)  # fmt: skip
def test_type_variables_are_found_where_flask_has_them(owner, name):
    program = (
        "import microflask; microflask.install_as_flask(compat='3.1')\n"
        f"import flask.{owner} as module\n"
        f"print(module.{name} is microflask.typing.{name}, hasattr(module, 'T_nothing'))"
    )
    assert run(program) == ["True", "False"]


def test_expression_is_compiled_when_it_is_needed():
    names = {}
    names["digits"] = match = compile_later(names, "digits", "[0-9]+")
    assert names["digits"] is match
    assert match("12")[0] == "12"
    assert names["digits"] is not match
    assert names["digits"]("1x") is None is match("x1")


def test_star_brings_the_exported_names():
    names = run("from microflask import *; print(*sorted(name for name in dir() if not name.startswith('__')))")
    assert names == sorted(microflask.__all__)


# -- what an import costs

#: What a server that answers with text and JSON never needs.
HEAVY = ["jinja2", "click", "itsdangerous", "asyncio", "sqlite3", "unittest", "multiprocessing", "werkzeug.debug"]
OWN_AND_LATE = [
    "alias", "blueprints", "cli", "commands", "debughelpers", "doctor", "extension_check", "logging", "module",
    "serving", "templating", "testing", "typing", "views", "wrappers",
]  # fmt: skip

SERVE = """
import sys, microflask
app = microflask.Flask("probe", root_path="/")
app.add_url_rule("/", "text", lambda: "text")
app.add_url_rule("/json/<int:n>", "json", lambda n: {"n": n, "path": microflask.request.path})
for path in ("/", "/json/4", "/missing"):
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }
    assert b"".join(app(environ, lambda status, headers: None))
"""


@pytest.mark.parametrize("program", ["import sys, microflask", SERVE], ids=["import", "first requests"])
def test_heavy_modules_are_not_imported(program):
    wanted = [*HEAVY, *(f"microflask.{name}" for name in OWN_AND_LATE)]
    assert run(f"{program}\nprint(*[name for name in {wanted} if name in sys.modules])") == []


def test_import_adds_no_logging_handlers():
    program = "import logging, microflask; print(len(logging.getLogger().handlers), len(logging._handlerList))"
    handlers, listed = run(program)
    assert (handlers, int(listed)) == ("0", int(run("import logging, werkzeug; print(len(logging._handlerList))")[0]))


def test_heavy_modules_come_when_they_are_used():
    program = (
        f"{SERVE}\nwith app.app_context(): print(microflask.render_template_string('{{{{ 1 + 1 }}}}'))\n"
        "print('jinja2' in sys.modules, 'microflask.templating' in sys.modules, 'click' in sys.modules)"
    )
    assert run(program) == ["2", "True", "True", "False"]
