"""The benchmarks: the figures in the README and in the documentation."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))  # the benchmarks are not installed

from benchmarks import __main__ as command
from benchmarks import environment, inprocess, publish
from benchmarks.environment import CHECKOUT
from benchmarks.stats import Row


def row(key: str, title: str, rate: bool = False, **figures: float) -> dict[str, Any]:
    return {"key": key, "title": title, "figures": figures, "rate": rate}


@pytest.fixture
def document() -> dict[str, Any]:
    calls = [
        row("hello", "hello, text", microflask=2.0, flask=40.0, falcon=2.0),
        row("query", "query, of \"two\"", microflask=4.0, flask=40.0, falcon=3.0),
        row("async", "async view", microflask=1.0, flask=80.0),
    ]
    http = [row("hello", "hello, text", True, microflask=900.0, flask=100.0, falcon=1000.0)]
    return {
        "versions": {"microflask": "0.1", "python": "3.13.0", "flask": "3.1.3", "falcon": "4.4"},
        "machine": "Linux, 2 x a processor", "sections": {"In process": calls, "Over HTTP: granian": http},
        "samples": {"In process": {}}, "wrong": [], "quick": False, "date": "2026-01-02",
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("benchmarks", "docs"):
        (tmp_path / name).mkdir()
    (tmp_path / "README.md").write_text(f"# A\n\n{publish.BEGIN}\nold\n{publish.END}\n\nafter\n")
    return tmp_path


def test_everything_is_written_from_one_document(document: dict[str, Any], folder: Path) -> None:
    paths = publish.write(document, folder)
    assert all(path.is_relative_to(folder) and path.stat().st_size for path in paths)
    assert ElementTree.fromstring((folder / publish.PLOT).read_text()).tag.endswith("svg")
    kept = json.loads((folder / publish.FIGURES).read_text())
    assert kept == {name: value for name, value in document.items() if name != "samples"}


def test_writing_again_from_the_figures_changes_nothing(document: dict[str, Any], folder: Path) -> None:
    paths = publish.write(document, folder)
    before = [path.read_text() for path in paths]
    publish.write(publish.read(folder / publish.FIGURES), folder)
    assert [path.read_text() for path in paths] == before


def test_the_readme_gets_ratios_versions_and_the_command(document: dict[str, Any], folder: Path) -> None:
    publish.write(document, folder)
    text = (folder / "README.md").read_text()
    assert text.startswith("# A\n\n") and text.endswith(f"{publish.END}\n\nafter\n")
    assert "old" not in text
    text = " ".join(text.split())
    for words in ("`python -m benchmarks --write`", "Flask 3.1.3", "Python 3.13.0", "2026-01-02", "10.0 to 80.0"):
        assert words in text
    assert "| In process (3 rows)" in text


def test_rows_in_which_another_is_ahead_are_told_the_worst_first(document: dict[str, Any]) -> None:
    assert publish.behind(publish.groups_of(document)) == [
        'query, of "two" (Falcon, 0.75)', "Over HTTP: granian: hello, text (Falcon, 0.90)",
    ]  # fmt: skip
    assert "ahead in 2 of 4 rows" in publish.summary(document)


def test_means_are_of_the_rows_that_a_framework_has() -> None:
    rows = [Row("a", "a", {"microflask": 1.0, "flask": 2.0, "falcon": 4.0}),
            Row("b", "b", {"microflask": 1.0, "flask": 8.0})]  # fmt: skip
    assert publish.means(rows, ["flask", "falcon", "django"]) == ["4.00", "4.00", "-"]


def test_tables_have_a_cell_for_each_framework(document: dict[str, Any]) -> None:
    text = publish.tables(document)
    assert text.count(".. csv-table::") == 2
    assert '   "hello, text", "20.0", "1.00"' in text
    assert '"query, of ""two""", "10.0", "0.75"' in text
    assert r'"async view", "80.0", "\-"' in text
    assert '"hello, text", "9.00", "0.90"' in text


def test_wrong_answers_are_not_published(document: dict[str, Any], folder: Path) -> None:
    document["wrong"] = ["bottle, hello: the body is wrong"]
    with pytest.raises(publish.NotPublishable, match="wrong"):
        publish.write(document, folder)
    assert list((folder / "docs").iterdir()) == []


def test_a_readme_without_a_place_is_left_alone(document: dict[str, Any], folder: Path) -> None:
    (folder / "README.md").write_text("nothing here")
    with pytest.raises(publish.NotPublishable, match=r"README\.md"):
        publish.write(document, folder)
    assert (folder / "README.md").read_text() == "nothing here"


def test_the_command_writes_from_a_file_without_measuring(
    document: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environment, "prepare", lambda say: pytest.fail("it was prepared"))
    monkeypatch.setattr(environment, "CHECKOUT", folder)
    (folder / "run.json").write_text(json.dumps(document))
    assert command.main(["--from", str(folder / "run.json")]) == 0
    assert "performance.svg" in capsys.readouterr().out
    assert (folder / publish.TABLES).exists()


@pytest.mark.parametrize(("wrong", "status"), [([], 0), (["bottle, hello: the body is wrong"], 2)])
def test_a_run_is_written_unless_an_answer_was_wrong(
    wrong: list[str], status: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timings = inprocess.Timings({"hello": {"microflask": [2.0, 3.0], "flask": [30.0]}}, wrong=wrong)
    lab = environment.Lab(Path(sys.executable), folder, {"microflask": "1.0", "flask": "3.1", "python": "3.11"})
    monkeypatch.setattr(environment, "prepare", lambda say: lab)
    monkeypatch.setattr(environment, "CHECKOUT", folder)
    monkeypatch.setattr(inprocess, "measure", lambda *arguments: timings)
    assert command.main(["--quick", "--write", "--only", "hello"]) == status
    assert ("--quick --write" in (folder / "README.md").read_text()) is (status == 0)


@pytest.mark.parametrize("content", [None, "no JSON"])
def test_a_file_without_figures_is_told(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    assert command.main(["--from", str(tmp_path / "run.json")]) == 2
    assert "holds no figures" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "rounds"), [(["--quick"], 1), ([], 2), (["--thorough"], 4)])
def test_the_effort_is_chosen(words: list[str], rounds: int) -> None:
    options = command.arguments(words)
    plan = command.make_plan([], [], options.quick, options.thorough)
    assert plan.http_effort[0] == rounds
    assert plan.imports > rounds


def test_the_published_figures_and_the_texts_agree() -> None:
    document = publish.read(CHECKOUT / publish.FIGURES)
    assert document["wrong"] == []
    assert (CHECKOUT / publish.TABLES).read_text() == publish.tables(document)
    assert publish.summary(document) in (CHECKOUT / publish.README).read_text()
