"""Where a package lives: its root path, its instance folder, the files beside it."""

from __future__ import annotations

import importlib
import os
import sys
from functools import cached_property
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, Any

from .attributes import Aside

if TYPE_CHECKING:
    from jinja2 import BaseLoader

_READING_MODES = frozenset({"r", "rt", "tr", "rb", "br"})


def get_root_path(import_name: str) -> str:
    """Return the absolute path of the folder that holds a module, or of a package.

    The current directory stands in for a module that cannot be found and for an interactive session.

    :raises RuntimeError: the module is there but has no file, like a namespace package
    """
    filename = getattr(sys.modules.get(import_name), "__file__", None)
    if filename is None:
        spec = _spec_of(import_name)
        if spec is None or spec.loader is None:
            return os.getcwd()
        filename = spec.origin if spec.has_location else _file_after_import(import_name)
    if filename is None:
        raise RuntimeError(
            f"The module {import_name!r} does not come from a single file (it may be a namespace package, or made by "
            "an import hook), so its folder is unknown. Pass root_path with the folder of its resources."
        )
    return os.path.dirname(os.path.abspath(filename))


def find_package(import_name: str) -> tuple[str | None, str]:
    """Return the prefix under which a package is installed, or None, and the folder that contains it.

    The folder is that of the top-level package or module; of a zipped one, the folder with the archive.
    """
    path = os.path.abspath(_container(import_name))
    prefix = os.path.abspath(sys.prefix)
    if _is_below(path, prefix):
        return prefix, path
    above, folder = os.path.split(path)
    if folder.lower() != "site-packages":
        return None, path
    # <prefix>/Lib/site-packages on Windows, <prefix>/lib/pythonX.Y/site-packages elsewhere
    for candidate in (above, os.path.dirname(above)):
        if os.path.basename(candidate).lower() == "lib":
            return os.path.dirname(candidate), path
    return above, path


def auto_instance_path(import_name: str, name: str | None = None) -> str:
    """Return the instance folder that belongs to a package.

    ``<prefix>/var/<name>-instance`` for an installed package, else the folder ``instance`` beside it. `name` is the
    application's display name, and the import name when left out. The folder need not exist.
    """
    prefix, container = find_package(import_name)
    if prefix is None:
        return os.path.join(container, "instance")
    return os.path.join(prefix, "var", f"{name or import_name}-instance")


def open_instance_resource(
    instance_path: str, resource: str, mode: str = "rb", encoding: str | None = "utf-8"
) -> IO[Any]:
    """Open a file of the instance folder, for reading or writing; `encoding` counts for text modes only."""
    return _open(os.path.join(instance_path, resource), mode, encoding)


class PackageBound:
    """Know the package that an application or a blueprint belongs to, and the resources beside it.

    :param import_name: the name of the module or package
    :param template_folder: the folder of templates, relative to the root path; None: there is none
    :param root_path: the folder that relative names count from; found by the import name when left out
    """

    import_name: Aside[str] = Aside()
    template_folder: Aside[str | os.PathLike[str] | None] = Aside()
    _static_url_path: Aside[str | None] = Aside(lambda self: None)

    def __init__(
        self, import_name: str, template_folder: str | os.PathLike[str] | None = None, root_path: str | None = None
    ) -> None:
        self.import_name = import_name
        self.template_folder = template_folder
        self.root_path = get_root_path(import_name) if root_path is None else root_path
        self._static_folder: str | None = None

    @property
    def static_folder(self) -> str | None:
        """The absolute path of the folder of static files, or None. Assign a path relative to the root path."""
        return None if self._static_folder is None else os.path.join(self.root_path, self._static_folder)

    @static_folder.setter
    def static_folder(self, value: str | os.PathLike[str] | None) -> None:
        self._static_folder = None if value is None else os.fspath(value).rstrip("/\\")

    @property
    def static_url_path(self) -> str | None:
        """The URL prefix of the static files: the assigned one, else the name of their folder; None without any."""
        if self._static_url_path is None and self.static_folder is not None:
            name = os.path.basename(self.static_folder)
            return f"/{name}" if name else ""
        return self._static_url_path

    @static_url_path.setter
    def static_url_path(self, value: str | None) -> None:
        self._static_url_path = None if value is None else value.rstrip("/")

    @property
    def has_static_folder(self) -> bool:
        """Whether there is a folder of static files. Documented for Flask and Blueprint."""
        return self.static_folder is not None

    @cached_property
    def jinja_loader(self) -> BaseLoader | None:
        """The loader of the package's own templates, or None without a template folder. May be assigned."""
        if self.template_folder is None:
            return None
        from jinja2 import FileSystemLoader

        return FileSystemLoader(os.path.join(self.root_path, self.template_folder))

    def open_resource(self, resource: str, mode: str = "rb", encoding: str | None = "utf-8") -> IO[Any]:
        """Open a file below the root path for reading; `encoding` counts for text modes only.

        :raises ValueError: the mode is not a reading one
        """
        if mode not in _READING_MODES:
            raise ValueError(f"mode {mode!r} is not for reading: resources open with 'rb', 'r' or 'rt'")
        return _open(os.path.join(self.root_path, resource), mode, encoding)


def _open(path: str, mode: str, encoding: str | None) -> IO[Any]:
    return open(path, mode, encoding=None if "b" in mode else encoding)


def _file_after_import(import_name: str) -> str | None:
    """Import a module whose finder tells no file, and return the one that it, or its loader, may then claim."""
    filename = getattr(importlib.import_module(import_name), "__file__", None)
    if filename is None:
        spec = _spec_of(import_name)
        told = getattr(spec and spec.loader, "get_filename", None)
        filename = None if told is None else told(import_name)
    return filename


def _spec_of(import_name: str) -> ModuleSpec | None:
    """Return where a module would be loaded from, or None when it or its parent is missing or made by hand."""
    try:
        return find_spec(import_name)
    except ValueError:
        return None
    except ModuleNotFoundError as error:
        if f"{import_name}.".startswith(f"{error.name}."):
            return None
        raise  # the parent is there and lacks something of its own


def _is_below(path: str, folder: str) -> bool:
    """Tell whether `path` is `folder` or lies in it; both are absolute."""
    path, folder = os.path.normcase(path), os.path.normcase(folder)
    return path == folder or path.startswith(os.path.join(folder, ""))


def _container(import_name: str) -> str:
    """Return the folder that contains the top-level package or module of a dotted name."""
    top = import_name.partition(".")[0]
    spec = _spec_of(top)
    if spec is None:
        filename = getattr(sys.modules.get(top), "__file__", None)
        return os.getcwd() if filename is None else os.path.dirname(filename)
    archive: str | None = getattr(spec.loader, "archive", None)  # the file that a zipped module is in
    if archive is not None:
        return os.path.dirname(archive)
    if spec.submodule_search_locations:
        return os.path.dirname(_portion(import_name, list(spec.submodule_search_locations)))
    return os.path.dirname(spec.origin) if spec.has_location and spec.origin else os.getcwd()


def _portion(import_name: str, portions: list[str]) -> str:
    """Return the one of a package's folders that holds the module; a namespace package may have several."""
    if len(portions) > 1:
        spec = _spec_of(import_name)
        homes = [] if spec is None else [spec.origin, *(spec.submodule_search_locations or ())]
        for home in filter(None, homes):
            for portion in portions:
                if _is_below(home, portion):
                    return portion
    return portions[0]
