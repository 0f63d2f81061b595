"""The import redirector: one module under two names, clear errors, nothing half imported."""

import importlib
import importlib.util
import sys
import traceback
import types

import pytest

import microflask.ext
from microflask.ext import ExtensionImporter

SPELLINGS = ["from {0} import {1}", "import {0}.{1}", "from {0}.{1} import anything"]


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Write modules into a folder of the import path; forget all of it afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    modules, attributes, finders = set(sys.modules), set(vars(microflask.ext)), sys.meta_path[:]

    def write(name, source=""):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        importlib.invalidate_caches()
        return str(path)

    yield write
    sys.meta_path[:] = finders
    for name in set(sys.modules) - modules:
        if name.startswith(("microflask.ext.", "microflask_", "flask_", "flaskext", "other")):
            del sys.modules[name]
    for name in set(vars(microflask.ext)) - attributes:
        delattr(microflask.ext, name)


def run(statement):
    names = {}
    exec(compile(statement, "<statement>", "exec"), names)
    return names


def frames(error):
    """The files that the traceback goes through, without this one."""
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    return [name for name in files if name != __file__]


# -- finding


@pytest.mark.parametrize("real", ["microflask_demo", "flask_demo", "flaskext.demo"])
def test_extension_is_the_very_module(install, real):
    install(f"{real.replace('.', '/')}.py", "runs = []\nruns.append(__name__)\n")
    demo = run("from microflask.ext import demo")["demo"]
    assert demo is importlib.import_module(real)
    assert demo is run("import microflask.ext.demo as m")["m"]
    assert demo is importlib.import_module("microflask.ext.demo")
    assert run("from microflask.ext.demo import runs")["runs"] == [real]
    assert (demo.__name__, demo.__spec__.name, demo.__loader__.name) == (real, real, real)
    assert demo.__package__ == real.rpartition(".")[0]


def test_extension_that_was_imported_before(install):
    install("flask_demo.py", "value = object()")
    import flask_demo

    assert run("from microflask.ext.demo import value")["value"] is flask_demo.value


def test_candidates_are_tried_in_order(install):
    for name in ("microflask_demo.py", "flask_demo.py", "flaskext/demo.py"):
        install(name)
    assert run("from microflask.ext import demo")["demo"].__name__ == "microflask_demo"


def test_flask_name_comes_before_the_old_namespace(install):
    install("flask_demo.py")
    install("flaskext/__init__.py")
    install("flaskext/demo.py")
    assert run("from microflask.ext import demo")["demo"].__name__ == "flask_demo"


def test_submodules_are_the_extensions(install):
    install("microflask_demo/__init__.py")
    install("microflask_demo/part/__init__.py", "runs = []\nruns.append(1)")
    install("microflask_demo/part/deep.py")
    deep = run("import microflask.ext.demo.part.deep as m")["m"]
    import microflask_demo.part.deep

    assert deep is microflask_demo.part.deep
    assert deep.__spec__.name == "microflask_demo.part.deep"
    assert importlib.import_module("microflask.ext.demo.part") is microflask_demo.part
    assert microflask_demo.part.runs == [1]


def test_relative_imports_and_an_extension_that_imports_itself(install):
    source = "first = 1\nfrom microflask.ext.demo import first as again\nfrom . import part"
    install("microflask_demo/__init__.py", source)
    install("microflask_demo/part.py", "from .part2 import value")
    install("microflask_demo/part2.py", "value = 5")
    demo = run("from microflask.ext import demo")["demo"]
    assert (demo.again, demo.part.value, demo.__spec__.name) == (1, 5, "microflask_demo")


def test_module_without_a_spec_stays_as_it_was(install, monkeypatch):
    made = types.ModuleType("flask_demo")
    monkeypatch.setitem(sys.modules, "flask_demo", made)
    assert run("from microflask.ext import demo")["demo"] is made
    assert (made.__spec__, made.__loader__, made.__package__) == (None, None, None)


def test_extension_that_replaces_itself(install):
    install("microflask_demo.py", "import sys\nclass Thing: __slots__ = ()\nsys.modules[__name__] = Thing()\n")
    thing = run("from microflask.ext import demo")["demo"]
    assert type(thing).__name__ == "Thing" and thing is sys.modules["microflask_demo"]


def test_spec_is_found_without_running_the_extension(install):
    install("microflask_demo.py", "1 / 0")
    assert importlib.util.find_spec("microflask.ext.demo").origin == "microflask_demo"
    assert "microflask_demo" not in sys.modules


def test_reloading_an_extension_reloads_the_module(install):
    install("microflask_demo.py", "value = 1")
    demo = run("from microflask.ext import demo")["demo"]
    install("microflask_demo.py", "value = 22")
    assert importlib.reload(demo) is demo and demo.value == 22


# -- nothing found


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_missing_extension_names_what_was_tried(install, spelling):
    with pytest.raises(ImportError) as caught:
        run(spelling.format("microflask.ext", "demo"))
    assert type(caught.value) is ImportError
    for name in ("microflask.ext.demo", "microflask_demo", "flask_demo", "flaskext.demo"):
        assert name in str(caught.value)
    assert frames(caught.value) == ["<statement>"]
    assert not [name for name in sys.modules if name.endswith("demo")]


@pytest.mark.parametrize("parent", ["flaskext.py", "flaskext/__init__.py"])
def test_missing_in_the_old_namespace(install, parent):
    install(parent)
    with pytest.raises(ImportError, match=r"flaskext\.demo"):
        run("from microflask.ext import demo")


@pytest.mark.parametrize("name", ["sys", "annotations", "ModuleSpec", "importlib"])
def test_the_redirector_offers_none_of_its_own_names(install, name):
    with pytest.raises(ImportError, match=f"flask_{name}"):
        run(f"from microflask.ext import {name}")


def test_blocked_module_counts_as_missing(install, monkeypatch):
    install("microflask_demo.py")
    install("flask_demo.py")
    monkeypatch.setitem(sys.modules, "microflask_demo", None)
    assert run("from microflask.ext import demo")["demo"].__name__ == "flask_demo"


def test_missing_submodule_is_named(install):
    install("microflask_demo/__init__.py")
    with pytest.raises(ImportError, match=r"microflask_demo\.part"):
        run("import microflask.ext.demo.part")
    with pytest.raises(ImportError, match="microflask_demo"):
        run("from microflask.ext.demo import part")


# -- broken extensions


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import library_that_is_missing", ModuleNotFoundError),
        ("from sys import no_such_name", ImportError),
        ("1 / 0", ZeroDivisionError),
        ("raise SystemExit(3)", SystemExit),
        ("from microflask.ext import missing_extension", ImportError),
    ],
)
def test_error_of_an_extension_is_its_own(install, spelling, source, error):
    path = install("microflask_demo.py", f"def fail():\n    {source}\nfail()\n")
    install("flask_demo.py")
    for _ in range(2):
        with pytest.raises(error) as caught:
            run(spelling.format("microflask.ext", "demo"))
        assert type(caught.value) is error and caught.value.__context__ is None
        assert frames(caught.value) == ["<statement>", path, path]
    assert not [name for name in sys.modules if "demo" in name]


def test_syntax_error_names_the_file(install):
    path = install("microflask_demo.py", "broken(")
    with pytest.raises(SyntaxError) as caught:
        run("from microflask.ext import demo")
    assert caught.value.filename == path
    assert frames(caught.value) == ["<statement>"]


def test_error_through_two_extensions(install):
    inner = install("microflask_inner.py", "1 / 0")
    outer = install("microflask_outer.py", "from microflask.ext import inner")
    with pytest.raises(ZeroDivisionError) as caught:
        run("from microflask.ext import outer")
    assert frames(caught.value) == ["<statement>", outer, inner]


def test_error_of_a_submodule(install):
    install("microflask_demo/__init__.py")
    path = install("microflask_demo/part.py", "1 / 0")
    with pytest.raises(ZeroDivisionError) as caught:
        run("import microflask.ext.demo.part")
    assert frames(caught.value) == ["<statement>", path]
    assert "microflask_demo" in sys.modules and "microflask_demo.part" not in sys.modules


def test_error_of_the_old_namespace_package(install):
    path = install("flaskext/__init__.py", "import library_that_is_missing")
    with pytest.raises(ModuleNotFoundError, match="library_that_is_missing") as caught:
        run("from microflask.ext import demo")
    assert frames(caught.value) == ["<statement>", path]


def test_repaired_extension_works(install):
    install("microflask_demo/__init__.py", "from microflask.ext import demo\nfrom . import part\n1 / 0")
    install("microflask_demo/part.py", "value = 1")
    with pytest.raises(ZeroDivisionError):
        run("from microflask.ext import demo")
    assert not [name for name in sys.modules if "demo" in name]
    assert not hasattr(microflask.ext, "demo")
    install("microflask_demo/__init__.py", "from . import part")
    install("microflask_demo/part.py", "value = 22")
    assert run("from microflask.ext import demo")["demo"].part.value == 22


# -- the importer itself


def test_reloading_the_package_leaves_one_importer(install):
    install("microflask_demo.py")
    demo = run("from microflask.ext import demo")["demo"]
    importlib.reload(microflask.ext)
    mine = [f for f in sys.meta_path if getattr(f, "package_name", None) == "microflask.ext"]
    assert len(mine) == 1
    assert run("from microflask.ext import demo")["demo"] is demo


def test_importer_serves_another_package_name(install):
    install("other/__init__.py")
    install("other/ext/__init__.py")
    install("flask_demo/__init__.py")
    install("flask_demo/part.py")
    ExtensionImporter("other.ext").install()
    assert run("from other.ext import demo")["demo"] is run("from microflask.ext import demo")["demo"]
    assert run("import other.ext.demo.part as m")["m"].__name__ == "flask_demo.part"
    with pytest.raises(ImportError, match=r"other\.ext\.nothing.*flask_nothing"):
        run("from other.ext import nothing")


@pytest.mark.parametrize("name", ["microflask", "microflask.ext", "microflask.extra", "json", "microflask.ext2.demo"])
def test_importer_leaves_other_names_to_others(name):
    assert ExtensionImporter("microflask.ext").find_spec(name) is None
