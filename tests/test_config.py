"""Config: a dict that fills itself; ConfigAttribute: a key as an attribute."""

import builtins
import copy
import json
import os
import tomllib
from types import SimpleNamespace

import pytest

from microflask.config import Config, ConfigAttribute


@pytest.fixture
def config(tmp_path):
    return Config(tmp_path)


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


class Defaults:
    DEBUG = True
    secret = "not taken"
    Mixed = "not taken"
    KEY_2 = "two"


def test_is_a_dict_with_defaults(tmp_path):
    defaults = {"A": 1}
    config = Config(tmp_path, defaults)
    config["A"] = 2
    assert config == {"A": 2} and isinstance(config, dict)
    assert defaults == {"A": 1}
    assert config.root_path == tmp_path
    assert repr(config) == "<Config {'A': 2}>"
    assert copy.copy(config).root_path == tmp_path


def test_subclass_is_named_by_its_repr(tmp_path):
    class Mine(Config):
        pass

    assert repr(Mine(tmp_path)) == "<Mine {}>"


# -- Python files


def test_pyfile_is_executed_and_upper_case_kept(config, write):
    write("a.cfg", "helper = 3\nVALUE = helper * 2\nFILE = __file__\nNAME = __name__\n")
    assert config.from_pyfile("a.cfg") is True
    assert config == {"VALUE": 6, "FILE": os.path.join(config.root_path, "a.cfg"), "NAME": "config"}


def test_pyfile_may_be_absolute_and_path_like(tmp_path, write):
    path = write("a.cfg", "A = 1")
    config = Config("/nonexistent")
    assert config.from_pyfile(path) and config.from_pyfile(str(path))
    assert config["A"] == 1


def test_pyfile_has_its_own_future_statements(config, write):
    write("a.cfg", "def f(x: int): pass\nKIND = f.__annotations__['x']\n")
    config.from_pyfile("a.cfg")
    assert config["KIND"] is int


def test_pyfile_declares_its_encoding(config, write):
    write("a.cfg", "# -*- coding: latin-1 -*-\nNAME = '\xe4'\n".encode("latin-1"))
    config.from_pyfile("a.cfg")
    assert config["NAME"] == "\xe4"


def test_missing_pyfile_is_named_and_keeps_its_number(config, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"configuration file.*missing\.cfg") as caught:
        config.from_pyfile("missing.cfg")
    assert caught.value.filename == str(tmp_path / "missing.cfg")
    assert caught.value.errno == 2


def test_silent_passes_over_a_missing_file_a_folder_and_a_file_as_folder(config, write):
    write("file", "")
    assert config.from_pyfile("missing.cfg", silent=True) is False
    assert config.from_pyfile(".", silent=True) is False
    assert config.from_pyfile("file/below.cfg", silent=True) is False
    assert config == {}


def test_silent_does_not_hide_other_errors_of_opening(config, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied", args[0])

    monkeypatch.setattr(builtins, "open", refuse)
    with pytest.raises(PermissionError, match=r"Unable to load .*\(Permission denied\).*a\.cfg"):
        config.from_pyfile("a.cfg", silent=True)


def test_silent_does_not_hide_a_missing_file_inside_the_file(config, write):
    write("a.cfg", "open('/nonexistent/inner')")
    with pytest.raises(FileNotFoundError, match="inner"):
        config.from_pyfile("a.cfg", silent=True)


@pytest.mark.parametrize("content", ["A = (", b"A = '\xff'", b"A = 1\0"], ids=["syntax", "encoding", "null byte"])
def test_a_file_that_is_no_python_is_named(config, write, content):
    path = write("bad.cfg", content)
    with pytest.raises(SyntaxError, match=r"bad\.cfg") as caught:
        config.from_pyfile("bad.cfg")
    assert caught.value.filename == str(path)


# -- the environment


def test_envvar_names_a_file(config, write, monkeypatch):
    write("a.cfg", "A = 1")
    monkeypatch.setenv("TEST_SETTINGS", "a.cfg")
    assert config.from_envvar("TEST_SETTINGS") is True
    assert config["A"] == 1


@pytest.mark.parametrize("value", [None, ""])
def test_unset_envvar(config, monkeypatch, value):
    monkeypatch.delenv("TEST_SETTINGS", raising=False)
    if value is not None:
        monkeypatch.setenv("TEST_SETTINGS", value)
    with pytest.raises(RuntimeError, match="TEST_SETTINGS"):
        config.from_envvar("TEST_SETTINGS")
    assert config.from_envvar("TEST_SETTINGS", silent=True) is False


def test_envvar_with_a_missing_file(config, monkeypatch):
    monkeypatch.setenv("TEST_SETTINGS", "missing.cfg")
    with pytest.raises(FileNotFoundError, match=r"missing\.cfg"):
        config.from_envvar("TEST_SETTINGS")
    assert config.from_envvar("TEST_SETTINGS", silent=True) is False


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("true", True), ("null", None), ('{"a": [1]}', {"a": [1]}), ("plain text", "plain text"),
     ("True", "True"), ("", "")],
)
def test_prefixed_env_reads_json_and_keeps_the_rest(config, monkeypatch, text, value):
    monkeypatch.setenv("FLASK_KEY", text)
    assert config.from_prefixed_env() is True
    assert config["KEY"] == value and type(config["KEY"]) is type(value)


def test_prefixed_env_takes_its_prefix_only(config, monkeypatch):
    monkeypatch.setenv("MYAPP_A", "1")
    monkeypatch.setenv("MYAPPB", "2")
    monkeypatch.setenv("FLASK_C", "3")
    config.from_prefixed_env("MYAPP")
    assert config == {"A": 1}


def test_prefixed_env_with_another_reader(config, monkeypatch):
    def loads(text):
        if not text.isdigit():
            raise RuntimeError("not mine")
        return int(text) * 2

    monkeypatch.setenv("TEST_A", "4")
    monkeypatch.setenv("TEST_B", "b")
    config.from_prefixed_env("TEST", loads=loads)
    assert config == {"A": 8, "B": "b"}


def test_prefixed_env_nests_by_two_underscores(tmp_path, monkeypatch):
    config = Config(tmp_path, {"EXIST": {"ok": "value", "inner": {"ik": 1}}})
    monkeypatch.setenv("TEST_EXIST__ok", "other")
    monkeypatch.setenv("TEST_EXIST__inner__ik", "2")
    monkeypatch.setenv("TEST_NEW__more__k", "true")
    config.from_prefixed_env("TEST")
    assert config == {"EXIST": {"ok": "other", "inner": {"ik": 2}}, "NEW": {"more": {"k": True}}}


def test_prefixed_env_goes_in_the_order_of_the_names(config, monkeypatch):
    monkeypatch.setenv("TEST_DB__PORT", "1")
    monkeypatch.setenv("TEST_DB", '{"HOST": "h"}')
    config.from_prefixed_env("TEST")
    assert config == {"DB": {"HOST": "h", "PORT": 1}}


def test_prefixed_env_into_no_dict_names_the_variable_and_no_value(config, monkeypatch):
    monkeypatch.setenv("TEST_DB", "hidden-value")
    monkeypatch.setenv("TEST_DB__PORT", "1")
    with pytest.raises(TypeError, match=r"'TEST_DB__PORT'.*'DB'.*'str'") as caught:
        config.from_prefixed_env("TEST")
    assert "hidden-value" not in str(caught.value)


# -- objects


@pytest.mark.parametrize("given", [Defaults, Defaults(), f"{__name__}.Defaults", f"{__name__}:Defaults"])
def test_object_gives_its_upper_case_attributes(config, given):
    config.from_object(given)
    assert config == {"DEBUG": True, "KEY_2": "two"}


def test_object_gives_inherited_and_computed_attributes(config):
    class More(Defaults):
        DEBUG = False

        @property
        def NAME(self):
            return f"debug={self.DEBUG}"

    config.from_object(More())
    assert config == {"DEBUG": False, "KEY_2": "two", "NAME": "debug=False"}


@pytest.mark.parametrize("name", ["no_such_module_at_all", f"{__name__}.NoSuchName", "no_such.module"])
def test_object_that_cannot_be_imported_is_named(config, name):
    with pytest.raises(ImportError, match=name.replace(".", r"\.")):
        config.from_object(name)


def test_empty_import_name_is_refused(config):
    with pytest.raises(ImportError, match="empty import name"):
        config.from_object("")


# -- other files and mappings


def test_file_is_read_by_a_loader(config, write):
    write("a.json", '{"A": "\xe4", "lower": 1}')
    assert config.from_file("a.json", json.load) is True
    assert config == {"A": "\xe4"}


def test_file_is_opened_in_binary_on_request(config, write):
    write("a.toml", "A = 1\n[TABLE]\nkey = 'v'\n")
    assert config.from_file("a.toml", tomllib.load, text=False) is True
    assert config == {"A": 1, "TABLE": {"key": "v"}}


def test_missing_file_for_a_loader(config):
    with pytest.raises(FileNotFoundError, match=r"missing\.json"):
        config.from_file("missing.json", json.load)
    assert config.from_file("missing.json", json.load, silent=True) is False


@pytest.mark.parametrize("content", ["{", "[1]"])
def test_what_a_loader_refuses_is_noted_with_the_file(config, write, content):
    write("bad.json", content)
    with pytest.raises((ValueError, TypeError)) as caught:
        config.from_file("bad.json", json.load, silent=True)
    assert "bad.json" in "".join(caught.value.__notes__)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [(({"A": 1, "b": 2},), {}), (([("A", 1), ("b", 2)],), {}), ((), {"A": 1, "b": 2}), (({"A": 0, 5: 6},), {"A": 1})],
)
def test_mapping_takes_upper_case_keys(config, args, kwargs):
    assert config.from_mapping(*args, **kwargs) is True
    assert config == {"A": 1}


def test_mapping_takes_one_positional_argument(config):
    with pytest.raises(TypeError):
        config.from_mapping({}, {})


# -- namespaces and attributes


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ({}, {"type", "path"}),
        ({"lowercase": False}, {"TYPE", "PATH"}),
        ({"trim_namespace": False}, {"store_type", "store_path"}),
        ({"lowercase": False, "trim_namespace": False}, {"STORE_TYPE", "STORE_PATH"}),
    ],
)
def test_namespace(config, options, keys):
    config.update(STORE_TYPE="fs", STORE_PATH="/x", OTHER=1)
    found = config.get_namespace("STORE_", **options)
    assert set(found) == keys and set(found.values()) == {"fs", "/x"}


class Host:
    debug = ConfigAttribute[bool]("DEBUG")
    lifetime = ConfigAttribute("LIFETIME", get_converter=int)

    def __init__(self, config):
        self.config = config


def test_attribute_reads_and_writes_its_key():
    host = Host({"DEBUG": False})
    host.debug = True
    assert host.config == {"DEBUG": True} and host.debug is True
    assert isinstance(Host.debug, ConfigAttribute) and Host.debug.__name__ == "DEBUG"


def test_attribute_converts_when_read():
    host = Host({"LIFETIME": "31"})
    assert host.lifetime == 31
    host.lifetime = "32"
    assert host.config == {"LIFETIME": "32"} and host.lifetime == 32


def test_attribute_of_a_missing_key():
    with pytest.raises(KeyError, match="DEBUG"):
        _ = Host({}).debug


def test_object_may_be_a_namespace(config):
    config.from_object(SimpleNamespace(A=1, b=2))
    assert config == {"A": 1}
