"""The doctor: each kind of finding, where it points to, and how the findings are shown."""

from __future__ import annotations

import ast
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial, wraps
from pathlib import Path
from typing import Any

import pytest

from microflask import Flask, doctor, relics
from microflask.doctor import Finding, examine, source_files, to_json, to_text
from microflask.sessions import SessionInterface
from microflask.views import MethodView

GOOD_KEY = "b2f1c0d9e8a7465544332211ffeeddcc"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Write modules into a folder, import the first one and return it; forget them afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def load(name: str, source: str, **others: str) -> Any:
        for other, text in {**others, name: source}.items():
            (tmp_path / f"{other}.py").write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield load
    for name in set(sys.modules) - before:
        if not name.startswith("microflask"):
            del sys.modules[name]


@pytest.fixture
def safe(tmp_path: Path) -> Flask:
    """An application with which nothing is wrong."""
    app = Flask("safe_site", root_path=str(tmp_path))
    app.config.update(
        SECRET_KEY=GOOD_KEY, SESSION_COOKIE_SECURE=True, SESSION_COOKIE_SAMESITE="Lax", TRUSTED_HOSTS=["example.com"]
    )
    return app


def found(app: Flask, code: str | None = None) -> list[Finding]:
    return [finding for finding in examine(app) if code in {None, finding.code}]


def severities(app: Flask, code: str) -> list[str]:
    return [finding.severity for finding in found(app, code)]


def test_nothing_is_wrong(safe: Flask) -> None:
    assert found(safe) == []
    assert to_text(safe, []) == "'safe_site', compat='documented'\n\nFound: 0 severe, 0 warning, 0 note."


# -- keys


@pytest.mark.parametrize("key", ["dev", "Secret-Key", b"dev", "short", "0123456789abcde", "ab" * 20])
def test_weak_key(safe: Flask, key: str | bytes) -> None:
    safe.secret_key = key
    [finding] = found(safe)
    assert (finding.code, finding.severity) == ("secret-key-weak", "severe")


@pytest.mark.parametrize("key", ["a-key-nobody-guesses", b"\x00another key of bytes", "this-is-weak-no-longer-7"])
def test_no_report_holds_a_key(safe: Flask, key: Any) -> None:
    safe.config.update(SECRET_KEY="hidden-word", SECRET_KEY_FALLBACKS=[key, "hidden-other"])
    findings = found(safe)
    assert [finding.code for finding in findings] == ["secret-key-weak"] * 2
    assert "hidden" not in to_text(safe, findings) + to_json(safe, findings)


def test_fallbacks_as_text(safe: Flask) -> None:
    safe.config["SECRET_KEY_FALLBACKS"] = GOOD_KEY
    [finding] = found(safe)
    assert (finding.code, "list" in finding.message, GOOD_KEY in finding.message) == ("secret-key-weak", True, False)


def test_missing_key_is_noted(safe: Flask) -> None:
    safe.secret_key = None
    assert severities(safe, "secret-key-missing") == ["note"]


@pytest.mark.parametrize("use", ["session['a'] = 1", "flash('a')", "microflask.session"])
def test_missing_key_is_severe_when_sessions_are_used(load: Callable[..., Any], use: str) -> None:
    imports = "import microflask\nfrom microflask import Flask, flash, session\n"
    app = load("keyless", f"{imports}app = Flask('keyless')\ndef f():\n    {use}\n").app
    [finding] = found(app, "secret-key-missing")
    assert (finding.severity, Path(finding.file or "").name, finding.line) == ("severe", "keyless.py", 5)


@pytest.mark.parametrize(
    "line", ["app.secret_key = 'dev'", "app.config['SECRET_KEY'] = 'dev'", "app.config.update(A=1, SECRET_KEY='dev')"]
)
def test_key_is_pointed_at(load: Callable[..., Any], line: str) -> None:
    app = load("pointed", f"from microflask import Flask\napp = Flask(__name__)\n\n{line}\n").app
    [finding] = found(app, "secret-key-weak")
    assert (Path(finding.file or "").name, finding.line) == ("pointed.py", 4)


# -- cookies


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"SESSION_COOKIE_HTTPONLY": False}, [("cookie-httponly", "severe")]),
        ({"SESSION_COOKIE_SECURE": False}, [("cookie-secure", "warning")]),
        ({"SESSION_COOKIE_SECURE": False, "DEBUG": True}, [("cookie-secure", "note")]),
        ({"SESSION_COOKIE_SECURE": False, "TESTING": True}, [("cookie-secure", "note")]),
        ({"SESSION_COOKIE_SAMESITE": None}, [("cookie-samesite", "warning")]),
        ({"SESSION_COOKIE_SAMESITE": "None", "SESSION_COOKIE_SECURE": False}, [("cookie-secure", "severe")]),
        ({"SESSION_COOKIE_PARTITIONED": True, "SESSION_COOKIE_SECURE": False}, [("cookie-secure", "severe")]),
        ({"SESSION_COOKIE_SAMESITE": "None", "SESSION_COOKIE_PARTITIONED": True}, []),
    ],
)
def test_flags_of_the_cookie(safe: Flask, config: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    safe.config.update(config)
    assert [(finding.code, finding.severity) for finding in found(safe)] == expected


@pytest.mark.parametrize(
    ("server", "domain", "expected"),
    [
        (None, "localhost", ["severe"]),
        (None, "10.0.0.1", ["severe"]),
        ("www.example.com:80", "example.org", ["severe"]),
        ("notexample.com", "example.com", ["severe"]),
        ("www.example.com", ".example.com", ["note"]),
        ("example.com", "example.com", ["note"]),
        (None, "example.com", ["note"]),
        ("localhost:5000", None, []),
    ],
)
def test_domain_of_the_cookie(safe: Flask, server: str | None, domain: str | None, expected: list[str]) -> None:
    safe.config.update(SERVER_NAME=server, SESSION_COOKIE_DOMAIN=domain)
    assert severities(safe, "session-domain") == expected


@pytest.mark.parametrize(("compat", "expected"), [("0.10", ["note"]), ("3.1", [])])
def test_domain_from_the_server_name(compat: str, expected: list[str], tmp_path: Path) -> None:
    app = Flask("safe_site", root_path=str(tmp_path), compat=compat)
    app.config.update(SECRET_KEY=GOOD_KEY, SERVER_NAME="www.example.com")
    assert severities(app, "session-domain") == expected


@pytest.mark.parametrize(("matching", "expected"), [(True, ["warning"]), (False, [])])
def test_sessions_of_subdomains(matching: bool, expected: list[str], tmp_path: Path) -> None:
    app = Flask("safe_site", root_path=str(tmp_path), subdomain_matching=matching)
    app.config.update(SECRET_KEY=GOOD_KEY, SERVER_NAME="example.com")
    app.add_url_rule("/", "shop", lambda: "", subdomain="shop")
    assert severities(app, "session-domain") == expected


@pytest.mark.parametrize("interface", [None, object()])
def test_cookie_is_nobodys_business_without_one(safe: Flask, interface: Any) -> None:
    safe.config.update(SESSION_COOKIE_SECURE=False, SESSION_COOKIE_DOMAIN="localhost")
    if interface is None:
        safe.secret_key = None
    else:
        safe.session_interface = interface
        assert not isinstance(interface, SessionInterface)
    assert {finding.code for finding in found(safe)} <= {"secret-key-missing"}


def test_unchecked_hosts(safe: Flask) -> None:
    safe.config["TRUSTED_HOSTS"] = None
    assert severities(safe, "hosts-unchecked") == ["warning"]


# -- keys without effect


@pytest.mark.parametrize(
    ("compat", "key", "value", "is_ignored"),
    [
        ("3.1", "LOGGER_NAME", "log", True),
        ("0.10", "LOGGER_NAME", "log", False),
        ("documented", "LOGGER_NAME", "log", False),
        ("0.10", "SESSION_REFRESH_EACH_REQUEST", False, True),
        ("3.1", "SESSION_REFRESH_EACH_REQUEST", False, False),
        ("3.1", "JSONIFY_MIMETYPE", "application/x", True),
        ("3.1", "ENV", "production", True),
        ("3.1", "LOGGER_HANDLER_POLICY", "never", True),
        ("3.1", "JSON_SORT_KEYS", False, False),
    ],
)
def test_ignored_keys(tmp_path: Path, compat: str, key: str, value: Any, is_ignored: bool) -> None:
    app = Flask("safe_site", root_path=str(tmp_path), compat=compat)
    app.config[key] = value
    findings = found(app, "config-ignored")
    assert [key in finding.message for finding in findings] == [True] * is_ignored


# -- rules


@pytest.mark.parametrize(
    ("one", "other", "code"),
    [
        ("/a", "/a", "rules-shadowed"),
        ("/<x>", "/<string:y>", "rules-shadowed"),
        ("/<default:x>/z", "/<y>/z", "rules-shadowed"),
        ("/<int:x>", "/<int:y>", "rules-shadowed"),
        ("/a", "/a/", "rules-slash"),
        ("/a/", "/a", "rules-slash"),
        ("/<x>/", "/<y>", "rules-slash"),
        ("/a", "/b", None),
        ("/a", "/<x>", None),
        ("/<int:x>", "/<x>", None),
        ("/<int(min=1):x>", "/<int:x>", None),
    ],
)
def test_pairs_of_rules(safe: Flask, one: str, other: str, code: str | None) -> None:
    safe.add_url_rule(one, "one", lambda **values: "")
    safe.add_url_rule(other, "other", lambda **values: "")
    findings = found(safe)
    assert [finding.code for finding in findings] == ([] if code is None else [code])
    for finding in findings:
        assert repr(one) in finding.message and repr(other) in finding.message
        assert (Path(finding.file or "").name, finding.severity) == ("test_doctor.py", "warning")


def test_rules_for_different_methods_or_hosts_go_together(safe: Flask) -> None:
    safe.add_url_rule("/a", "read", lambda: "")
    safe.add_url_rule("/a", "write", lambda: "", methods=["POST"])
    safe.add_url_rule("/a", "shop", lambda: "", subdomain="shop")
    safe.add_url_rule("/a", "only_built", build_only=True)
    safe.add_url_rule("/p/", "paged", lambda page: "", defaults={"page": 1})
    safe.add_url_rule("/p/", "paged", defaults={"page": 2})
    assert found(safe) == []


def test_views_are_pointed_at_below_decorators(safe: Flask) -> None:
    def plain(**values: str) -> str:
        return ""

    @wraps(plain)
    def wrapped(**values: str) -> str:
        return plain(**values)

    class Page(MethodView):
        def get(self) -> str:
            return ""

    safe.add_url_rule("/a", "first", lambda: "")
    safe.add_url_rule("/a", "wrapped", wrapped)
    safe.add_url_rule("/a", "partial", partial(plain))
    safe.add_url_rule("/a", "page", Page.as_view("page"))
    safe.add_url_rule("/a", "late", "nothing.such")
    lines = [(finding.file and Path(finding.file).name, finding.line) for finding in found(safe)]
    assert lines[0] == lines[1] == ("test_doctor.py", plain.__code__.co_firstlineno)
    assert ("test_doctor.py", Page.get.__code__.co_firstlineno) in lines
    assert lines[-1] == (None, None)


def test_late_blueprints_are_looked_at(safe: Flask, load: Callable[..., Any]) -> None:
    load("beside", "", late_pages="from microflask import Blueprint, Markup\nbp = Blueprint('late', __name__)\n"
         "bp.add_url_rule('/a', 'a', lambda: '')\n")  # fmt: skip
    safe.add_url_rule("/late/a/", "other", lambda: "")
    safe.register_blueprint("late_pages:bp", url_prefix="/late")
    safe.register_blueprint("nothing_such:bp", url_prefix="/nothing")
    assert [finding.code for finding in found(safe)] == ["late-import", "rules-slash", "removed-name"]
    assert "'nothing_such:bp'" in found(safe)[0].message


# -- the sources

LATE = """from functools import wraps
from microflask import Blueprint, Flask, current_app
from microflask.views import MethodView
app = Flask(__name__)
pages = Blueprint("pages", __name__)

def same(f):
    @wraps(f)
    def inner(**values):
        return f(**values)
    return inner

@app.route("/a")
@same
def view():
    app.before_request(print)
    {}.get("nothing late")
    return pages.get("/x")

@app.errorhandler(404)
def missing(error):
    current_app.add_url_rule("/b", "b")

@pages.before_request
def before():
    app = make()
    app.route("/of its own")

class Page(MethodView):
    def post(self):
        @app.route("/c")
        def inner(): pass

app.add_url_rule("/page", view_func=Page.as_view("page"))
app.register_blueprint(pages)

def make():
    other = Flask("other")
    other.add_url_rule("/d", "d")
    app.add_url_rule("/not during a request", "e")
"""


@pytest.mark.parametrize(("compat", "severity"), [("documented", "severe"), ("3.1", "severe"), ("0.10", "warning")])
def test_late_set_up(load: Callable[..., Any], compat: str, severity: str) -> None:
    app = load("late_module", LATE.replace("Flask(__name__)", f"Flask(__name__, compat={compat!r})")).app
    findings = found(app, "late-setup")
    assert [(finding.line, finding.severity) for finding in findings] == [
        (16, severity), (18, severity), (22, severity), (31, severity),
    ]  # fmt: skip
    assert "view() runs during requests and calls before_request()" in findings[0].message


@pytest.mark.parametrize(("compat", "lines"), [("0.10", [4, 5, 6]), ("documented", []), ("3.1", [])])
def test_unescaped_templates(load: Callable[..., Any], compat: str, lines: list[int]) -> None:
    source = (
        f"import microflask as m\nfrom microflask import render_template_string as r\napp = m.Flask(__name__,"
        f" compat={compat!r})\nr('')\nm.templating.stream_template_string('')\nm.render_template_string('')\n"
    )
    path = "safe_templates"
    app = load(path, source.replace("\nr('')", "\nif 0: r('')").replace("\nm.", "\nif 0: m.")).app
    assert [finding.line for finding in found(app, "templates-unescaped")] == lines


OLD = """
import flask, flask.ext.login
from flask import Markup, escape as e, Flask, json, url_for
from flask.ext.wtf import Form
from flask.globals import _request_ctx_stack
from . import Markup
app = Flask(__name__, static_path="/x")
site = flask.Flask("x")
site.json_encoder = 1
other.json_encoder = 2
self.app.use_x_sendfile = True
class Site(Flask):
    json_decoder = None
class Other(Base):
    json_decoder = None
app.config["JSON_AS_ASCII"] = False
app.config.update(JSON_SORT_KEYS=1)
JSONIFY_PRETTYPRINT_REGULAR = 1
@app.before_first_request
def f():
    flask._app_ctx_stack.top.x
    json.JSONEncoder
    flask.send_file("x", attachment_filename="y", mimetype="z")
    flask.request.is_xhr
"""


@pytest.mark.parametrize("package", ["flask", "microflask"])
def test_removed_names(package: str) -> None:
    uses = relics.find_uses(ast.parse(OLD.replace("flask", package)))
    assert [(use.line, use.name) for use in uses] == [
        (2, "flask.ext"), (3, "flask.Markup"), (3, "flask.escape"), (4, "flask.ext"),
        (5, "flask.globals._request_ctx_stack"), (7, "Flask(static_path=)"), (9, "json_encoder"),
        (11, "use_x_sendfile"), (13, "json_decoder"), (16, "JSON_AS_ASCII"), (17, "JSON_SORT_KEYS"),
        (18, "JSONIFY_PRETTYPRINT_REGULAR"), (19, "before_first_request"), (21, "flask._app_ctx_stack"),
        (22, "flask.json.JSONEncoder"), (23, "send_file(attachment_filename=)"), (24, "is_xhr"),
    ]  # fmt: skip


def test_removed_names_are_pointed_at(load: Callable[..., Any]) -> None:
    app = load("old_module", "from microflask import Flask, Markup\napp = Flask(__name__)\n").app
    [finding] = found(app, "removed-name")
    assert (finding.severity, Path(finding.file or "").name, finding.line) == ("note", "old_module.py", 1)
    assert ("3.0" in finding.message, "markupsafe" in finding.way_out) == (True, True)


def test_sources_of_a_package(load: Callable[..., Any], tmp_path: Path) -> None:
    for name in ("big/deep/unread.py", "big/node_modules/x.py", "big/.hidden/x.py", "big/env/x.py", "big/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "big" / "env" / "pyvenv.cfg").touch()
    (tmp_path / "big" / "__init__.py").touch()
    (tmp_path / "big" / "main.py").write_text("from microflask import Flask\napp = Flask(__name__)\n")
    load("beside", "")
    names = [str(Path(file).relative_to(tmp_path)) for file in source_files(importlib.import_module("big.main").app)]
    assert names == ["big/__init__.py", "big/main.py", "big/deep/unread.py"]


def test_sources_of_a_single_module_are_those_that_it_imports(load: Callable[..., Any], tmp_path: Path) -> None:
    source = "import helper_of_lone\nfrom microflask import Flask\napp = Flask(__name__)\n"
    app = load("lone", source, helper_of_lone="", not_imported="").app
    assert [Path(file).name for file in source_files(app)] == ["lone.py", "helper_of_lone.py"]


def test_sources_that_cannot_be_read_are_left_out(load: Callable[..., Any], tmp_path: Path) -> None:
    app = load("spoilt", "from microflask import Flask\napp = Flask(__name__)\n").app
    (tmp_path / "spoilt.py").write_text("from microflask import Markup\nno python\n")
    assert doctor.read_sources(app) == []
    (tmp_path / "spoilt.py").write_text("from microflask import Markup\n'\\d'\n")
    assert len(found(app, "removed-name")) == 1


# -- the reports


def test_severe_things_come_first_and_places_are_short(load: Callable[..., Any]) -> None:
    source = "from microflask import Flask, Markup\napp = Flask(__name__)\napp.secret_key = 'dev'\n"
    app = load("shown", source).app
    findings = examine(app)
    assert [finding.severity for finding in findings] == ["severe", "warning", "warning", "warning", "note"]
    lines = to_text(app, findings).splitlines()
    assert lines[0] == "'shown', compat='documented'"
    assert lines[2] == "severe  secret-key-weak  shown.py:3"
    assert lines[-1] == "Found: 1 severe, 3 warning, 1 note."


def test_json_report(safe: Flask) -> None:
    safe.secret_key = "dev"
    report = json.loads(to_json(safe, examine(safe)))
    assert (report["application"], report["compat"]) == ("safe_site", "documented")
    [finding] = report["findings"]
    assert set(finding) == {"code", "severity", "message", "way_out", "file", "line"}
    assert (finding["code"], finding["file"], finding["line"]) == ("secret-key-weak", None, None)


@pytest.mark.parametrize(("key", "status"), [(GOOD_KEY, 0), ("dev", 1)])
def test_status_of_the_command(safe: Flask, key: str, status: int) -> None:
    from microflask.cli import doctor_command

    safe.secret_key = key
    runner = safe.test_cli_runner()
    assert runner.invoke(doctor_command).exit_code == status
    assert json.loads(runner.invoke(doctor_command, ["--json"]).output)["application"] == "safe_site"
