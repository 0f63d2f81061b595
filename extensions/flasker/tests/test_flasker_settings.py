"""The project file: what it may say, and the message for everything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flasker import ProjectImportError
from flasker.settings import convert, read_settings


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read_text(text: str | bytes) -> Any:
        path = tmp_path / "default.cfg"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_settings(path)

    return read_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("True", True), ("true", True), ("FALSE", False), ("5", 5), ("1.5", 1.5), ("None", None), ("'007'", "007"),
        ("007", "007"), ("['a']", ["a"]), ("{'a': 1}", {"a": 1}), ("redis://", "redis://"), ("", ""),
        ("a # b", "a # b"), ("100%", "100%"), ("[1,", "[1,"), ("os.getcwd()", "os.getcwd()"), ("'a\\d'", "'a\\d'"),
        ("[\n1,\n2]", [1, 2]), ("none", "none"), ("-3", -3),
    ],
)  # fmt: skip
def test_a_value_is_a_literal_or_the_text_itself(text: str, value: object) -> None:
    found = convert(text)
    assert found == value
    assert type(found) is type(value)


def test_the_sample_of_the_document_is_read(read: Any) -> None:
    settings = read("""\
[PROJECT]
NAME = My Project
MODULES = app.views, app.tasks
DB_URL = sqlite:///db/db.sqlite
[APP]
# any valid Flask configuration option can go here
DEBUG = True
TESTING = True
[CELERY]
BROKER_URL = redis://
""")
    assert settings.name == "My Project"
    assert settings.modules == ("app.views", "app.tasks")
    assert settings.db_url == "sqlite:///db/db.sqlite"
    assert settings.sections["APP"] == {"DEBUG": True, "TESTING": True}
    assert settings.celery == {"broker_url": "redis://"}


def test_modules_are_separated_by_commas_or_lines(read: Any) -> None:
    settings = read("[PROJECT]\nNAME = x\nMODULES =\n  a.b\n  c, d\n\n  e,\n")
    assert settings.modules == ("a.b", "c", "d", "e")


def test_the_project_section_is_text(read: Any) -> None:
    settings = read("[PROJECT]\nNAME = 007\nMODULES = 5\n")
    assert settings.sections["PROJECT"] == {"NAME": "007", "MODULES": "5"}


def test_utf_8_with_a_mark_in_front_and_percent_signs_are_text(read: Any) -> None:
    settings = read("\ufeff[PROJECT]\nNAME = Grüße %(x)s ; no comment\n".encode())
    assert settings.name == "Grüße %(x)s ; no comment"


def test_old_and_new_names_of_celery_mix(read: Any) -> None:
    settings = read(
        "[PROJECT]\nNAME = x\n[CELERY]\nBROKER_URL = a://\nCELERY_RESULT_BACKEND = b://\ntask_acks_late = True\n"
        "CELERYD_CONCURRENCY = 3\nTASK_ALWAYS_EAGER = false\n"
    )
    assert settings.celery == {
        "broker_url": "a://", "result_backend": "b://", "task_acks_late": True, "worker_concurrency": 3,
        "task_always_eager": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["no name"]),
        ("[PROJECT]\n", ["no name"]),
        ("[PROJECT]\nNAME =\n", ["no name"]),
        ("[PROJECT]\nNAME = x\n[FLASK]\nA = 1\n", ["[FLASK]"]),
        ("[PROJECT]\nNAME = x\n[project]\nA = 1\n", ["[project]"]),
        ("[DEFAULT]\nNAME = y\n[PROJECT]\nNAME = x\n", ["[DEFAULT]"]),
        ("[PROJECT]\nNAME = x\nNAMES = y\n", ["'NAMES'"]),
        ("[PROJECT]\nname = x\n", ["'name'"]),
        ("[PROJECT]\nNAME = x\n[CELERY]\nBROKER = y\n", ["'BROKER'"]),
        ("[PROJECT]\nNAME = x\n[CELERY]\nBROKER_URL = y\nbroker_url = z\n", ["'BROKER_URL'", "'broker_url'"]),
        ("[PROJECT]\nNAME = x\n[APP]\ndebug = 1\n", ["'debug'", "DEBUG"]),
        ("[PROJECT]\nNAME = x\n[APP]\nDebug = 1\n", ["'Debug'"]),
        ("NAME = x\n", ["no INI text", "line 1"]),
        ("[PROJECT]\nNAME = x\njust words\n", ["no INI text", "line 3"]),
        ("[PROJECT]\nNAME = x\nNAME = y\n", ["no INI text", "'NAME'"]),
        ("[PROJECT]\nNAME = x\n[PROJECT]\n", ["no INI text", "[PROJECT]"]),
        (b"[PROJECT]\nNAME = \xff\n", ["UTF-8"]),
        (b"\x00\x01\x02", ["no INI text"]),
    ],
)
def test_what_is_wrong_is_named_with_the_file(read: Any, text: str | bytes, parts: list[str]) -> None:
    with pytest.raises(ProjectImportError) as caught:
        read(text)
    for part in ["default.cfg", *parts]:
        assert part in str(caught.value)


def test_the_line_that_is_no_ini_text_is_not_shown(read: Any) -> None:
    with pytest.raises(ProjectImportError) as caught:
        read("[PROJECT]\nNAME = x\nDB_URL postgresql://me:secret@host/db\n")
    assert "secret" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectImportError, match="no such file"):
        read_settings(tmp_path / "missing.cfg")
    with pytest.raises(ProjectImportError, match="cannot be read"):
        read_settings(tmp_path)
