"""The alias: after :func:`install_as_flask`, microflask answers to the name ``flask``.

``python -m microflask.alias script.py`` and ``python -m microflask.alias -m pytest`` run a program that way whose
source says ``import flask``. Each module exists once: ``flask.ctx is microflask.ctx``.
"""

from __future__ import annotations

import os
import re
import runpy
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import abc, import_module, metadata
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from .compat import FLASK_0_10, Compat, get_compat, set_default_compat
from .ext import ExtensionImporter

_OWN = "microflask"
_NAME = "flask"
_USAGE = "usage: python -m microflask.alias [--compat NAME] (SCRIPT | -m MODULE) [ARGUMENT ...]"

#: What ``flask.__version__`` is for applications of a row of microflask.compat, by its name.
_VERSIONS = {"0.10": "0.10.1"}
_CURRENT_VERSION = "3.1.3"
#: The rows under which no name is hidden.
_WITH_ALL_NAMES = frozenset({"0.10", "documented"})
#: Names that current extensions look for to find out that this is an old Flask.
_HIDDEN = {_NAME: frozenset({"_request_ctx_stack", "scaffold"}), f"{_NAME}.signals": frozenset({"signals_available"})}
#: Modules that are called otherwise here.
_RENAMED = {
    "flask.sansio.app": "microflask.assembly",
    "flask.sansio.blueprints": "microflask.blueprints",
    "flask.sansio.scaffold": "microflask.scaffold",
}
_RENAMED_BY_0_10 = {"flask.exthook": "microflask.ext", "flask.session": "microflask.sessions"}
#: What `import flask` brings into sys.modules, where programs look for it without an import of their own.
_IMPORTED_AT_ONCE = (
    "app", "blueprints", "cli", "config", "ctx", "globals", "helpers", "json", "json.provider", "json.tag", "logging",
    "sansio", "sansio.app", "sansio.blueprints", "sansio.scaffold", "sessions", "signals", "templating", "typing",
    "wrappers",
)  # fmt: skip
#: Set on a module itself; everything else goes through to the module that it stands for.
_MODULE_MARKS = frozenset({
    "__all__", "__doc__", "__file__", "__loader__", "__name__", "__package__", "__path__", "__spec__", "__version__",
})  # fmt: skip


class Front(ModuleType):
    """Be a module that has the attributes of another one, but for a few; what is set on it is set on the other.

    :param name: the name under which it is imported
    :param target: the module that it stands for
    """

    def __init__(self, name: str, target: ModuleType) -> None:
        super().__init__(name, target.__doc__)
        # Past __setattr__, which would set them on the other module.
        vars(self).update(
            _front_target=target, _front_hidden=frozenset(), __file__=target.__file__, __package__=name,
        )  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        if name not in self._front_hidden:
            try:
                return getattr(self._front_target, name)
            except AttributeError:
                pass
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _MODULE_MARKS or isinstance(value, Front) or f"{self.__name__}.{name}" in _finder.made:
            vars(self)[name] = value
        elif not (isinstance(value, ModuleType) and name in getattr(self._front_target, "__all__", ())):
            # (A module flask.session must not take the place of the proxy, as it did in Flask 0.10.)
            setattr(self._front_target, name, value)

    def __delattr__(self, name: str) -> None:
        if name in vars(self):
            del vars(self)[name]
        else:
            delattr(self._front_target, name)

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *dir(self._front_target)} - self._front_hidden)

    def hide(self, names: frozenset[str]) -> None:
        """Let it seem that the other module lacks some names; those that were hidden before are there again."""
        vars(self)["_front_hidden"] = names
        if hasattr(self._front_target, "__all__"):
            vars(self)["__all__"] = [name for name in self._front_target.__all__ if name not in names]


class _Distribution(metadata.Distribution):
    """Be what ``importlib.metadata`` finds under the name Flask."""

    def __init__(self, version: str) -> None:
        self._text = f"Metadata-Version: 2.1\nName: Flask\nVersion: {version}\nSummary: The alias of microflask\n"

    def read_text(self, filename: str) -> str | None:
        """Return the contents of a file of the distribution's metadata, or None."""
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Any:
        """Return where a file of the distribution would be."""
        return os.path.join(os.path.dirname(__file__), path)


class _Loader(abc.InspectLoader):
    """Hand over a module that exists under another name.

    :param find: returns the module
    """

    def __init__(self, find: Callable[[], ModuleType]) -> None:
        self._find = find

    def exec_module(self, module: ModuleType) -> None:
        """Put the module that is meant in the place of the new one, where Python looks for it afterwards."""
        sys.modules[module.__name__] = self._find()

    def get_code(self, fullname: str) -> Any:
        """Return the code of a module, for ``python -m``."""
        loader: Any = find_spec(_real_name(fullname)).loader  # type: ignore[union-attr]
        return loader.get_code(_real_name(fullname))

    def get_source(self, fullname: str) -> str | None:
        """Return the source of a module."""
        loader: Any = find_spec(_real_name(fullname)).loader  # type: ignore[union-attr]
        return loader.get_source(_real_name(fullname))  # type: ignore[no-any-return]


class _Finder(abc.MetaPathFinder):
    """Find ``flask``, its modules and its distribution."""

    compat: Compat
    version = ""

    def __init__(self) -> None:
        #: Modules that exist under the alias alone, by their names there.
        self.made: dict[str, Callable[[], ModuleType]] = {}
        self.renamed: dict[str, str] = {}
        self.hidden: frozenset[str] = frozenset()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec that leads to the module of microflask, or None for all other names."""
        if fullname == _NAME:
            return vars(_front)["__spec__"]  # type: ignore[no-any-return]
        if not fullname.startswith(f"{_NAME}.") or fullname in self.hidden:
            return None
        if fullname in self.made:
            make = self.made[fullname]
            return ModuleSpec(fullname, _Loader(make), origin=__file__, is_package=fullname == "flask.sansio")
        real = _real_name(fullname)
        try:
            spec = find_spec(real)
        except ModuleNotFoundError:  # its parent is no package
            return None
        if spec is None:
            return None
        loader = _Loader(lambda: import_module(real))
        return ModuleSpec(
            fullname, loader, origin=spec.origin, is_package=spec.submodule_search_locations is not None
        )

    def find_distributions(self, context: Any = None) -> Iterable[metadata.Distribution]:
        """Return the distribution Flask, if it or any is asked for."""
        name = getattr(context, "name", None)
        if name is None or re.sub(r"[-_.]+", "-", name).lower() == _NAME:
            return [_Distribution(self.version)]
        return []


def _real_name(fullname: str) -> str:
    return _finder.renamed.get(fullname, f"{_OWN}{fullname.removeprefix(_NAME)}")


_finder = _Finder()
_front = Front(_NAME, import_module(_OWN))
