"""Where a package lives: root path, container, instance folder, static folder, files."""

import os
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import jinja2
import pytest

from microflask import resources
from microflask.resources import (
    PackageBound,
    auto_instance_path,
    find_package,
    get_root_path,
    open_instance_resource,
)

SOURCE = Path(resources.__file__).parents[1]


def run_python(*args, cwd):
    """Run Python with the package on its path; return what it printed, line by line."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, *map(str, args)], cwd=cwd, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Make modules below a folder of the import path; forget them afterwards."""
    known = set(sys.modules)
    monkeypatch.chdir(tmp_path)

    def make(*names, root="."):
        folder = (tmp_path / root).resolve()
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        monkeypatch.syspath_prepend(str(folder))
        return str(folder)

    yield make
    for name in set(sys.modules) - known:
        if name.startswith("res_"):
            del sys.modules[name]


# -- root path


@pytest.mark.parametrize(("name", "below"), [("res_mod", ""), ("res_pkg", "res_pkg"), ("res_pkg.part", "res_pkg")])
def test_root_path_of_what_is_not_imported_yet(tree, name, below):
    root = tree("res_mod.py", "res_pkg/__init__.py", "res_pkg/part.py")
    assert get_root_path(name) == os.path.join(root, below).rstrip("/")


def test_root_path_of_an_imported_module():
    assert get_root_path(__name__) == os.path.dirname(os.path.abspath(__file__))
    assert get_root_path("microflask.resources") == str(SOURCE / "microflask")


@pytest.mark.parametrize("name", ["res_nowhere", "res_no.where", "res_mod.nothing"])
def test_root_path_of_a_missing_module_is_the_current_directory(tree, name):
    tree("res_mod.py")
    assert get_root_path(name) == os.getcwd()


def test_root_path_of_a_module_made_by_hand_is_the_current_directory(tree, monkeypatch):
    tree()
    monkeypatch.setitem(sys.modules, "res_made", types.ModuleType("res_made"))
    assert get_root_path("res_made") == os.getcwd()


def test_root_path_of_a_module_without_a_file():
    with pytest.raises(RuntimeError, match=r"'sys'.*root_path"):
        get_root_path("sys")


def test_root_path_of_a_namespace_package(tree):
    tree("res_space/inner/__init__.py")
    import res_space

    with pytest.raises(RuntimeError, match="'res_space'"):
        get_root_path(res_space.__name__)
    assert get_root_path("res_space.inner").endswith("res_space/inner")


def test_root_path_in_an_archive(tmp_path, monkeypatch):
    archive = tmp_path / "lib.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("res_zipped/__init__.py", "")
    monkeypatch.syspath_prepend(str(archive))
    assert get_root_path("res_zipped") == str(archive / "res_zipped")
    assert find_package("res_zipped") == (None, str(tmp_path))
    assert auto_instance_path("res_zipped") == str(tmp_path / "instance")


def test_an_error_of_the_parent_package_comes_out(tree, tmp_path):
    tree("res_broken/__init__.py", "res_broken/app.py")
    (tmp_path / "res_broken/__init__.py").write_text("import res_library_that_is_missing")
    with pytest.raises(ModuleNotFoundError, match="res_library_that_is_missing"):
        get_root_path("res_broken.app")


# -- container and instance path


@pytest.mark.parametrize("name", ["res_mod", "res_pkg", "res_pkg.part"])
def test_package_beside_the_program(tree, name):
    root = tree("res_mod.py", "res_pkg/__init__.py", "res_pkg/part.py")
    assert find_package(name) == (None, root)
    assert auto_instance_path(name) == os.path.join(root, "instance")


@pytest.mark.parametrize(
    ("folder", "prefix"),
    [("lib/python3.11/site-packages", ""), ("Lib/site-packages", ""), ("other/site-packages", "other")],
)
def test_installed_package(tree, tmp_path, folder, prefix):
    root = tree("res_installed/__init__.py", root=folder)
    expected = str(tmp_path / prefix)
    assert find_package("res_installed") == (expected, root)
    assert auto_instance_path("res_installed") == os.path.join(expected, "var", "res_installed-instance")


def test_package_below_the_interpreters_prefix(tree, tmp_path, monkeypatch):
    root = tree("res_prefixed.py", root="anywhere")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert find_package("res_prefixed") == (str(tmp_path), root)
    assert auto_instance_path("res_prefixed", "shown") == str(tmp_path / "var" / "shown-instance")


@pytest.mark.parametrize("name", ["res_space.two", "res_space.single", "res_space.bare.deep", "res_space.bare"])
def test_the_portion_of_a_namespace_package_that_holds_the_module(tree, name):
    tree("res_space/one/__init__.py", root="first")
    second = tree("res_space/two/__init__.py", "res_space/single.py", "res_space/bare/deep.py", root="second")
    tree("res_space/three/__init__.py", root="third")
    assert find_package(name) == (None, second)


@pytest.mark.parametrize("name", ["res_nowhere", "sys"])
def test_container_of_what_has_no_file_is_the_current_directory(tree, name):
    tree()
    assert find_package(name) == (None, os.getcwd())


def test_main_script_has_its_instance_folder_beside_it(tmp_path):
    script = tmp_path / "folder" / "program.py"
    script.parent.mkdir()
    script.write_text(
        "from microflask.resources import *\n"
        "print(get_root_path(__name__), auto_instance_path(__name__), sep='\\n')\n"
    )
    assert run_python(script, cwd="/") == [str(script.parent), str(script.parent / "instance")]


def test_interactive_session_lives_in_the_current_directory(tmp_path):
    code = "from microflask.resources import *; print(get_root_path('__main__'))"
    assert run_python("-c", code, cwd=tmp_path) == [str(tmp_path.resolve())]


# -- static folder and loader


def test_root_path_may_be_given(tmp_path):
    assert PackageBound("res_nowhere", root_path=str(tmp_path)).root_path == str(tmp_path)


@pytest.fixture
def bound(tmp_path):
    return PackageBound(__name__, template_folder="templates", root_path=str(tmp_path))


def test_no_static_folder_at_first(bound):
    assert bound.static_folder is None
    assert bound.static_url_path is None
    assert bound.has_static_folder is False


@pytest.mark.parametrize("given", ["files", "files/", "files//", Path("files")])
def test_static_folder_counts_from_the_root_path(bound, tmp_path, given):
    bound.static_folder = given
    assert bound.static_folder == str(tmp_path / "files")
    assert bound.static_url_path == "/files"
    assert bound.has_static_folder is True


def test_static_folder_may_be_absolute_and_taken_back(bound):
    bound.static_folder = "/srv/www/assets/"
    assert bound.static_folder == "/srv/www/assets"
    assert bound.static_url_path == "/assets"
    bound.static_folder = None
    assert bound.has_static_folder is False


@pytest.mark.parametrize(("given", "expected"), [("/s", "/s"), ("/s/", "/s"), ("/", ""), ("", "")])
def test_static_url_path_may_be_given(bound, given, expected):
    bound.static_folder = "files"
    bound.static_url_path = given
    assert bound.static_url_path == expected
    bound.static_url_path = None
    assert bound.static_url_path == "/files"


def test_static_folder_without_a_name_is_served_at_the_root(bound):
    bound.static_folder = ""
    assert bound.static_url_path == ""


def test_loader_reads_the_template_folder(bound, tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.txt").write_text("A")
    loader = bound.jinja_loader
    assert isinstance(loader, jinja2.FileSystemLoader)
    assert loader.list_templates() == ["a.txt"]
    assert bound.jinja_loader is loader


def test_loader_is_none_without_a_folder_and_may_be_assigned(tmp_path):
    bound = PackageBound(__name__, root_path=str(tmp_path))
    assert bound.jinja_loader is None
    bound.jinja_loader = loader = jinja2.DictLoader({})
    assert bound.jinja_loader is loader


def test_importing_resources_does_not_import_jinja():
    code = "import sys, microflask.resources; print('jinja2' in sys.modules)"
    assert run_python("-c", code, cwd="/") == ["False"]


# -- files


@pytest.mark.parametrize(("mode", "content"), [("rb", "\xe4".encode()), ("r", "\xe4"), ("rt", "\xe4")])
def test_resource_is_opened(bound, tmp_path, mode, content):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_text("\xe4", encoding="utf-8")
    with bound.open_resource("sub/a.txt", mode) as file:
        assert file.read() == content


def test_resource_is_bytes_by_default_and_of_the_named_encoding(bound, tmp_path):
    (tmp_path / "a.txt").write_text("\xe4", encoding="latin-1")
    with bound.open_resource("a.txt") as file:
        assert file.read() == b"\xe4"
    with bound.open_resource("a.txt", "r", "latin-1") as file:
        assert file.read() == "\xe4"


@pytest.mark.parametrize("mode", ["w", "a", "x", "wb", "r+", "rb+", ""])
def test_resource_is_for_reading_only(bound, tmp_path, mode):
    with pytest.raises(ValueError, match="not for reading"):
        bound.open_resource("a.txt", mode)
    assert not (tmp_path / "a.txt").exists()


def test_missing_resource(bound):
    with pytest.raises(FileNotFoundError, match=r"missing\.sql"):
        bound.open_resource("missing.sql")


@pytest.mark.parametrize(("mode", "content"), [("w", "\xe4"), ("wb", "\xe4".encode())])
def test_instance_resource_can_be_written(tmp_path, mode, content):
    with open_instance_resource(str(tmp_path), "a.txt", mode) as file:
        file.write(content)
    with open_instance_resource(str(tmp_path), "a.txt") as file:
        assert file.read() == "\xe4".encode()
