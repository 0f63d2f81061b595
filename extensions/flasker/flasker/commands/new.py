"""The command `flasker new`."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from importlib.resources import files

from ..errors import ProjectImportError

#: The files of the starting application, below the folder `app`.
APP_FILES = ("__init__.py", "views.py", "templates/base.html", "templates/index.html")


def create(folder: str, name: str, with_app: bool) -> Iterator[str]:
    """Write the files of a new project, and yield a line about each.

    :param name: the project file is ``NAME.cfg``
    :param with_app: whether there is an application in it
    :raises ProjectImportError: a file is in the way; then nothing was written
    """
    conf = os.path.join(folder, f"{name}.cfg")
    app = os.path.join(folder, "app")
    if os.path.lexists(conf):
        raise ProjectImportError(f"{os.path.basename(conf)} exists already: choose another name with -n")
    if with_app and os.path.lexists(app) and not os.path.isdir(app):
        raise ProjectImportError("app exists already and is no folder: rename it, or leave the application out (-a)")
    made: list[str] = []
    try:
        if with_app:
            yield from _create_app(app, made)
        text = _template("project.cfg")
        text = text.replace("{modules}", "app.views" if with_app else "")
        _write(conf, text.replace("{secret_key}", secrets.token_hex(32)).replace(" \n", "\n"), made)
        yield f"{os.path.basename(conf)}: made"
    except OSError as error:
        _undo(made)
        raise ProjectImportError(f"{error.filename}: the file cannot be written: {error.strerror}") from None


def _create_app(app: str, made: list[str]) -> Iterator[str]:
    if os.path.isdir(app):
        yield "app: kept as it is"
        return
    for path in APP_FILES:
        _write(os.path.join(app, *path.split("/")), _template(f"app/{path}"), made)
    yield "app: made"


def _template(path: str) -> str:
    # Under another name, or packaging tools would take a module of the starter for one of ours.
    return files("flasker").joinpath("starter", f"{path}.txt").read_text("utf-8")


def _write(path: str, text: str, made: list[str]) -> None:
    folder = os.path.dirname(path)
    missing = []
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    for folder in reversed(missing):
        os.mkdir(folder)
        made.append(folder)
    # "x": what has come into being in the meantime is not overwritten either.
    with open(path, "x", encoding="utf-8", newline="\n") as file:
        made.append(path)
        file.write(text)


def _undo(made: list[str]) -> None:
    for path in reversed(made):
        if os.path.isdir(path):
            os.rmdir(path)
        else:
            os.remove(path)
