"""The project file: reading it, and finding what is wrong with it."""

from __future__ import annotations

import configparser
import os
import warnings
from ast import literal_eval
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from celery.app import defaults as celery_defaults

from .errors import ProjectImportError

SECTIONS = ("PROJECT", "APP", "CELERY")
PROJECT_KEYS = ("NAME", "MODULES", "DB_URL")


@dataclass(frozen=True)
class Settings:
    """Hold what a project file says."""

    path: str
    """The absolute path of the file."""
    sections: dict[str, dict[str, Any]]
    """Section -> key as written -> converted value."""
    celery: dict[str, Any] = field(default_factory=dict)
    """Celery's options under their present names."""

    @property
    def root_dir(self) -> str:
        """The folder of the file."""
        return os.path.dirname(self.path)

    @property
    def name(self) -> str:
        """The project's name."""
        return self.sections["PROJECT"]["NAME"]  # type: ignore[no-any-return]

    @property
    def modules(self) -> tuple[str, ...]:
        """The import names of the project's modules, in order."""
        words = self.sections["PROJECT"].get("MODULES", "").replace("\n", ",").split(",")
        return tuple(word.strip() for word in words if word.strip())

    @property
    def db_url(self) -> str | None:
        """The database's URL, or None for the default."""
        return self.sections["PROJECT"].get("DB_URL")


def read_settings(path: str | os.PathLike[str]) -> Settings:
    """Read and check a project file.

    :raises ProjectImportError: it cannot be read, is no INI text, or holds what no project file may hold
    """
    path = os.path.abspath(path)
    parser = _parse(path)
    unknown = [name for name in parser.sections() if name not in SECTIONS]
    if unknown:
        raise ProjectImportError(
            f"{path}: the section [{unknown[0]}] is unknown; a project file has {_listed(SECTIONS, '[{}]')}"
        )
    texts = {name: dict(parser[name]) if parser.has_section(name) else {} for name in SECTIONS}
    _check_project(path, texts["PROJECT"])
    for key in texts["APP"]:
        if not key.isupper():
            raise ProjectImportError(f"{path}: the key {key!r} in [APP] has to be upper case: {key.upper()}")
    sections: dict[str, dict[str, Any]] = {"PROJECT": dict(texts["PROJECT"])}
    for name in ("APP", "CELERY"):
        sections[name] = {key: convert(text) for key, text in texts[name].items()}
    return Settings(path, sections, _celery_options(path, sections["CELERY"]))


def _parse(path: str) -> configparser.ConfigParser:
    # No section gives defaults to the others, so the name for that is one that nobody writes.
    parser = configparser.ConfigParser(interpolation=None, default_section="\0")
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        with open(path, encoding="utf-8-sig") as file:
            parser.read_file(file)
    except FileNotFoundError:
        raise ProjectImportError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ProjectImportError(f"{path}: the file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ProjectImportError(f"{path}: the file is no UTF-8 text") from None
    except configparser.Error as error:
        raise ProjectImportError(f"{path}: the file is no INI text: {_where(error)}") from None
    return parser


def _where(error: configparser.Error) -> str:
    """Return the line and the kind of the error, without the line's text, which may hold a password."""
    lines: Any = getattr(error, "lineno", None) or [number for number, _ in getattr(error, "errors", ())]
    if isinstance(error, configparser.DuplicateSectionError):
        return f"line {lines} opens the section [{error.section}] for a second time"
    if isinstance(error, configparser.DuplicateOptionError):
        return f"line {lines} gives {error.option!r} in [{error.section}] for a second time"
    if isinstance(error, configparser.MissingSectionHeaderError):
        return f"line {lines} stands before any [SECTION]"
    number = lines[0] if isinstance(lines, list) and lines else lines
    return f"line {number} is neither a [SECTION] nor KEY = value"


def _check_project(path: str, texts: Mapping[str, str]) -> None:
    for key in texts:
        if key not in PROJECT_KEYS:
            known = _listed(PROJECT_KEYS)
            raise ProjectImportError(f"{path}: the key {key!r} in [PROJECT] is unknown; the section has {known}")
    if not texts.get("NAME", "").strip():
        raise ProjectImportError(f"{path}: the project has no name: write NAME = ... in [PROJECT]")


def convert(text: str) -> Any:
    """Return the value that the text of an option in [APP] or [CELERY] stands for.

    A Python literal is what it is, true and false count in any case, everything else is the text itself.
    """
    text = text.strip()
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    try:
        with warnings.catch_warnings():
            # What looks like a literal with an odd escape in it is a text like any other.
            warnings.simplefilter("error")
            return literal_eval(text)
    except (ValueError, SyntaxError, TypeError, Warning, MemoryError, RecursionError):
        return text


def _celery_options(path: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of [CELERY] under their present names; a file may mix old and new ones."""
    names: Any = celery_defaults
    old, new = names._TO_NEW_KEY, names.SETTING_KEYS
    options: dict[str, Any] = {}
    written: dict[str, str] = {}
    for key, value in values.items():
        name = old.get(key.upper()) or (key.lower() if key.lower() in new else None)
        if name is None:
            raise ProjectImportError(f"{path}: the key {key!r} in [CELERY] is no option of Celery")
        if name in written:
            raise ProjectImportError(f"{path}: {written[name]!r} and {key!r} in [CELERY] are one option: give it once")
        written[name] = key
        options[name] = value
    return options


def _listed(names: tuple[str, ...], form: str = "{}") -> str:
    *first, last = (form.format(name) for name in names)
    return f"{', '.join(first)} and {last}"
