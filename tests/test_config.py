"""Config: a dict that fills itself; ConfigAttribute: a key as an attribute."""

import builtins
import copy
import json
import os
import pickle
import tomllib
from types import SimpleNamespace

import pytest

from microflask import Flask, session
from microflask.compat import get_compat
from microflask.config import Config, ConfigAttribute, version_of


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


# -- what is made of a configuration is kept no longer than its values

CHANGES = {
    "item": lambda config: config.__setitem__("A", 2),
    "deletion": lambda config: config.__delitem__("A"),
    "update": lambda config: config.update({"A": 2}),
    "update by keyword": lambda config: config.update(A=2),
    "operator": lambda config: config.__ior__({"A": 2}),
    "pop": lambda config: config.pop("A"),
    "popitem": lambda config: config.popitem(),
    "clear": lambda config: config.clear(),
    "setdefault": lambda config: config.setdefault("B", 2),
    "object": lambda config: config.from_object(Defaults),
    "mapping": lambda config: config.from_mapping(A=2),
    "environment": lambda config: config.from_prefixed_env("VERSION_TEST"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_is_noticed(config, monkeypatch, change):
    monkeypatch.setenv("VERSION_TEST_A", "2")
    config["A"] = 1
    before = version_of(config)
    assert version_of(config) is before and config.get("A") == 1 and "B" not in config
    change(config)
    assert config != {"A": 1}
    assert version_of(config) is not before


def test_half_of_a_change_is_noticed(config):
    def items():
        yield "A", 1
        raise OSError("the rest cannot be read")

    before = version_of(config)
    with pytest.raises(OSError):
        config.update(items())
    assert config == {"A": 1}
    assert version_of(config) is not before


@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda config: pickle.loads(pickle.dumps(config))],
    ids=["copy", "deep copy", "pickle"],
)
def test_copy_has_a_version_of_its_own(config, again):
    config["A"] = 1
    other = again(config)
    assert other == config and version_of(other) is not version_of(config)
    before = version_of(config)
    other["A"] = 2
    assert config == {"A": 1} and version_of(config) is before


class OfDict:
    """Changes that go past those of the configuration."""

    def __setitem__(self, key, value):
        dict.__setitem__(self, key, value)


class BesideDict(OfDict, Config):
    pass


class OwnChanges(Config):
    def update(self, *args, **kwargs):
        dict.update(self, *args, **kwargs)


class OwnReading(Config):
    def __getitem__(self, key):
        return "read elsewhere"


class OwnGet(Config):
    def get(self, key, default=None):
        return "read elsewhere"


class OwnDefaults(Config):
    def __missing__(self, key):
        return "read elsewhere"


@pytest.mark.parametrize("base", [BesideDict, OwnChanges, OwnReading, OwnGet, OwnDefaults])
@pytest.mark.parametrize("depth", [0, 1])
def test_subclass_with_ways_of_its_own_is_never_taken_for_unchanged(tmp_path, base, depth):
    kind = type("Deeper", (base,), {}) if depth else base
    config = kind(tmp_path, {"A": 1})
    assert version_of(config) is not version_of(config)
    assert config.setdefault("A", 2) == 1
    assert version_of(copy.copy(config)) is not version_of(config)


def test_subclass_that_only_adds_something_is_as_its_base(tmp_path):
    class Mine(Config):
        _version = "1.0"

        def from_vault(self):
            self["A"] = 1

    config = Mine(tmp_path)
    before = version_of(config)
    assert version_of(config) is before
    config.from_vault()
    assert version_of(config) is not before


class Versioned(dict):
    _version = "1.0"


class Dotted(dict):
    __getattr__ = dict.get


class Strict(dict):
    __getattr__ = dict.__getitem__


@pytest.mark.parametrize("kind", [dict, Versioned, Dotted, Strict])
def test_other_mapping_may_stand_in_the_place_of_a_configuration(kind):
    assert version_of(kind(A=1)) is not version_of(kind(A=1))
    app = Flask("microflask_tests", root_path="/", compat="0.10")
    app.add_url_rule("/", "here", lambda: "here")
    app.add_url_rule("/", "there", lambda: "there", subdomain="there")
    client = app.test_client()
    assert client.get("/", base_url="http://there.x.org").text == "here"
    app.config = kind(app.config)
    for name, answer in ((None, "here"), ("x.org", "there"), (None, "here")):
        app.config["SERVER_NAME"] = name
        assert client.get("/", base_url="http://there.x.org").text == answer


HOSTS = ("x.org", "there.x.org", "y.org")


def answers(app):
    """Return what a client gets from each host."""
    client = app.test_client()
    return [client.get("/", base_url=f"http://{host}").text[:5] for host in HOSTS]


@pytest.fixture
def hosted():
    app = Flask("microflask_tests", root_path="/", compat="0.10")
    app.add_url_rule("/", "here", lambda: "here")
    app.add_url_rule("/", "there", lambda: "there", subdomain="there")
    app.register_error_handler(400, lambda error: "no")
    app.register_error_handler(404, lambda error: "none")
    return app


def test_hosts_may_be_configured_at_any_time(hosted):
    config = hosted.config
    everywhere, by_name, trusted = ["here"] * 3, ["here", "there", "none"], ["here", "no", "no"]
    assert answers(hosted) == everywhere
    config["SERVER_NAME"] = "x.org"
    assert answers(hosted) == by_name
    config["SERVER_NAME"] = None
    config.update(TRUSTED_HOSTS=["x.org"])
    assert answers(hosted) == trusted
    config["TRUSTED_HOSTS"].clear()
    assert answers(hosted) == everywhere
    config["TRUSTED_HOSTS"].append("x.org")
    assert answers(hosted) == trusted
    del config["TRUSTED_HOSTS"]
    assert answers(hosted) == everywhere
    config |= {"SERVER_NAME": "x.org"}
    assert answers(hosted) == by_name
    hosted.compat = get_compat("3.1")
    assert answers(hosted) == everywhere
    hosted.compat = get_compat("0.10")
    assert answers(hosted) == by_name
    hosted.compat = get_compat("3.1")
    assert answers(hosted) == everywhere
    hosted.subdomain_matching = True
    assert answers(hosted) == by_name
    hosted.config = type(config)("/", {**config, "SERVER_NAME": "org"})
    hosted.subdomain_matching = False
    assert answers(hosted) == everywhere


def test_hosts_may_be_configured_during_a_request(hosted):
    @hosted.teardown_request
    def trust(error):
        hosted.config["TRUSTED_HOSTS"] = ["x.org"]

    assert answers(hosted) == ["here", "no", "no"]


class FromElsewhere(Config):
    """A configuration whose values lie in a file, a database or the like."""

    elsewhere: dict = {}

    def __getitem__(self, key):
        return self.elsewhere[key] if key in self.elsewhere else super().__getitem__(key)

    def get(self, key, default=None):
        return self.elsewhere[key] if key in self.elsewhere else super().get(key, default)


def test_values_that_lie_elsewhere_are_read_each_time(monkeypatch):
    app = type("Mine", (Flask,), {"config_class": FromElsewhere})("microflask_tests", root_path="/", compat="3.1")
    app.secret_key = "a key for tests only"
    elsewhere = {}
    monkeypatch.setattr(FromElsewhere, "elsewhere", elsewhere)

    @app.route("/")
    def view():
        session["a"] = 1
        return {"b": "\xe4", "a": 1}

    client = app.test_client()
    plain = client.get("/")
    elsewhere.update(SESSION_COOKIE_PATH="/p", JSON_AS_ASCII=False)
    changed = client.get("/")
    assert ("Path=/p" in plain.headers["Set-Cookie"], "\xe4" in plain.text) == (False, False)
    assert ("Path=/p" in changed.headers["Set-Cookie"], "\xe4" in changed.text) == (True, True)
    elsewhere["TRUSTED_HOSTS"] = ["x.org"]
    assert client.get("/").status_code == 400
    elsewhere.clear()
    assert "Path=/p" not in client.get("/").headers["Set-Cookie"]
