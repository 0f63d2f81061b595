"""The application that the quickstart builds up really works."""

from __future__ import annotations

import importlib
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

QUICKSTART = Path(__file__).parents[1] / "docs" / "quickstart.rst"


def code_blocks(language: str) -> str:
    """Return all code blocks of the quickstart in one language, one below the other."""
    text = QUICKSTART.read_text(encoding="utf-8")
    found = re.findall(rf"^\.\. code-block:: {re.escape(language)}\n\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    return "\n\n".join(textwrap.dedent(block) for block in found)


@pytest.fixture
def hello(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module that a reader ends up with."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "greet.html").write_text(code_blocks("html+jinja"), encoding="utf-8")
    (tmp_path / "hello.py").write_text(code_blocks("python"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("hello")
    del sys.modules["hello"]


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/", 200, "Hello, world!"),
        ("/sum/2/40", 200, "42"),
        ("/sum/2/x", 404, "Nothing here."),
        ("/books/1", 200, "On Numbers"),
        ("/books/2", 404, "Nothing here."),
        ("/shop/", 200, "open"),
    ],
)
def test_pages(hello: ModuleType, path: str, status: int, text: str) -> None:
    answer = hello.app.test_client().get(path)
    assert (answer.status_code, answer.text) == (status, text)


def test_redirects(hello: ModuleType) -> None:
    client = hello.app.test_client()
    assert client.get("/me").headers["Location"].endswith("/people/Ada%20Lovelace?lang=en")
    assert client.get("/leave").headers["Location"].endswith("/")


def test_template_is_escaped(hello: ModuleType) -> None:
    text = hello.app.test_client().get("/greet/<script>").text
    assert "<h1>Hello, &lt;script&gt;!</h1>" in text
    assert '<a href="/">' in text


@pytest.mark.parametrize(
    ("path", "options", "status", "data"),
    [
        ("/people/Ada", {}, 200, {"name": "Ada"}),
        ("/search?q=a+b&page=2", {}, 200, {"words": ["a", "b"], "page": 2}),
        ("/search?page=x", {}, 200, {"words": [], "page": 1}),
        ("/double", {"method": "POST", "json": {"number": 21}}, 200, {"result": 42}),
        ("/double", {"method": "POST", "json": [21]}, 400, {"error": "send an object with the member number"}),
    ],
)
def test_data(hello: ModuleType, path: str, options: dict[str, Any], status: int, data: object) -> None:
    answer = hello.app.test_client().open(path, **options)
    assert (answer.status_code, answer.get_json()) == (status, data)


def test_methods(hello: ModuleType) -> None:
    client = hello.app.test_client()
    assert client.post("/log").status_code == 201
    assert client.get("/log").status_code == 405
    assert client.post("/form", data={"name": "Ada"}).text == "Ada sent 0 files"
    assert client.post("/form").status_code == 400
    assert client.post("/double", data="{", content_type="application/json").status_code == 400


def test_its_own_tests_pass(hello: ModuleType) -> None:
    names = [name for name in vars(hello) if name.startswith("test_")]
    assert len(names) == 2
    for name in names:
        getattr(hello, name)()


def test_own_compat_row_is_used(hello: ModuleType) -> None:
    assert hello.indented.compat.jsonify_pretty is True
    assert hello.app.compat.name == "documented"
