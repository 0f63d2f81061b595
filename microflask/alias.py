"""The alias: after :func:`install_as_flask`, microflask answers to the name ``flask``.

``python -m microflask.alias script.py`` and ``python -m microflask.alias -m pytest`` run a program that way whose
source says ``import flask``. Each module exists once: ``flask.ctx is microflask.ctx``.
"""

from __future__ import annotations

import io
import os
import re
import runpy
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import abc, import_module, metadata
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from werkzeug.exceptions import BadRequest

from .borrowed import lend
from .compat import Compat, get_compat, set_default_compat
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

    _front_target: ModuleType
    _front_hidden: frozenset[str]

    def __init__(self, name: str, target: ModuleType) -> None:
        super().__init__(name, target.__doc__)
        is_package = hasattr(target, "__path__")
        spec = ModuleSpec(name, _Loader(lambda: self), origin=target.__file__, is_package=is_package)
        # Past __setattr__, which would set them on the other module.
        vars(self).update(
            _front_target=target, _front_hidden=frozenset(), __file__=target.__file__, __spec__=spec,
            __loader__=spec.loader, __package__=name if is_package else name.rpartition(".")[0],
        )  # fmt: skip
        if is_package:
            # No folder, so that nobody else finds the files in it and runs them a second time.
            vars(self)["__path__"] = []

    def __getattr__(self, name: str) -> Any:
        missing = f"module {self.__name__!r} has no attribute {name!r}"
        if name in self._front_hidden:
            raise AttributeError(missing)
        try:
            return getattr(self._front_target, name)
        except AttributeError as error:
            raise AttributeError(missing) from error

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _MODULE_MARKS or f"{self.__name__}.{name}" in _finder.made:
            vars(self)[name] = value
        # A module flask.session does not take the place of the proxy, as it did in Flask 0.10.
        elif not (isinstance(value, ModuleType) and name in getattr(self._front_target, "__all__", ())):
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
        return Path(__file__).parent / path


class _Loader(abc.InspectLoader):
    """Hand over a module that exists under another name.

    :param find: returns the module
    """

    def __init__(self, find: Callable[[], ModuleType]) -> None:
        self._find = find

    def exec_module(self, module: ModuleType) -> None:
        """Put the module that is meant in the place of the new one, where Python looks for it afterwards."""
        sys.modules[module.__name__] = found = self._find()
        lend(found)

    def get_code(self, fullname: str) -> Any:
        """Return the code of a module, for ``python -m``."""
        return _real_loader(fullname).get_code(_real_name(fullname))

    def get_source(self, fullname: str) -> str | None:
        """Return the source of a module."""
        return _real_loader(fullname).get_source(_real_name(fullname))  # type: ignore[no-any-return]


class _Finder(abc.MetaPathFinder):
    """Find ``flask``, its modules and its distribution."""

    version = _CURRENT_VERSION

    def __init__(self) -> None:
        #: Modules that exist under the alias alone, by their names there.
        self.made: dict[str, ModuleType] = {}
        self.renamed: dict[str, str] = {}
        self.hidden: frozenset[str] = frozenset()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec that leads to the module of microflask, or None for all other names."""
        if fullname == _NAME:
            return _front.__spec__
        if not fullname.startswith(f"{_NAME}.") or fullname in self.hidden:
            return None
        if fullname in self.made:
            module = self.made[fullname]
            return ModuleSpec(
                fullname, _Loader(lambda: module), origin=__file__, is_package=hasattr(module, "__path__")
            )
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


def _real_loader(fullname: str) -> Any:
    spec = find_spec(_real_name(fullname))
    if spec is None:
        raise ImportError(f"there is no module {fullname}", name=fullname)
    return spec.loader


_finder = _Finder()
_front = Front(_NAME, import_module(_OWN))
_signals = Front(f"{_NAME}.signals", import_module(f"{_OWN}.signals"))


# -- modules that only Flask had -------------------------------------------------------------------------------------


def _make_module(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name, "Made by the alias of microflask.")
    vars(module).update(contents)
    return module


def _reraise(tp: Any, value: BaseException, tb: Any = None) -> NoReturn:
    raise value.with_traceback(tb)


def _with_metaclass(meta: type[type], *bases: type) -> type:
    """Return a base class; what is derived from it has the metaclass and the bases given here instead."""

    def build(cls: type[type], name: str, stand_in: Any, namespace: dict[str, Any]) -> type:
        return meta(name, bases, namespace)

    return type.__new__(type("once", (type,), {"__new__": build}), "with_metaclass", (), {})


def _iterator(method: str) -> Callable[[Any], Iterator[Any]]:
    return lambda mapping: iter(getattr(mapping, method)())


_sansio = _make_module(f"{_NAME}.sansio", __path__=[])


def _modules_of_0_10() -> dict[str, ModuleType]:
    """Return the modules with what Flask 0.10 had for itself in them, and extensions of its time took from there."""
    return {
        f"{_NAME}._compat": _make_module(
            f"{_NAME}._compat", PY2=False, text_type=str, string_types=(str,), integer_types=(int,),
            iterkeys=_iterator("keys"), itervalues=_iterator("values"), iteritems=_iterator("items"),
            StringIO=io.StringIO, reraise=_reraise, implements_to_string=lambda cls: cls,
            with_metaclass=_with_metaclass,
        ),
        f"{_NAME}.exceptions": _make_module(f"{_NAME}.exceptions", JSONBadRequest=BadRequest),
    }  # fmt: skip


# -- the alias -------------------------------------------------------------------------------------------------------


def _arrange(name: str) -> None:
    """Set names, modules and version for a row of :mod:`microflask.compat`."""
    lend(_front._front_target)
    _finder.version = _VERSIONS.get(name, _CURRENT_VERSION)
    hidden = {} if name in _WITH_ALL_NAMES else _HIDDEN
    _finder.hidden = frozenset(f"{_NAME}.{hidden_name}" for hidden_name in hidden.get(_NAME, ()))
    _finder.made = {_sansio.__name__: _sansio}
    _finder.renamed = dict(_RENAMED)
    if hidden:
        _finder.made[_signals.__name__] = _signals
    if name in _VERSIONS:
        _finder.made |= _modules_of_0_10()
        _finder.renamed |= _RENAMED_BY_0_10
    # What an earlier call has left.
    for module_name in [key for key in sys.modules if key.startswith(f"{_NAME}.")]:
        del sys.modules[module_name]
    for attribute in [key for key, value in vars(_front).items() if isinstance(value, ModuleType)]:
        if attribute != "_front_target":
            del vars(_front)[attribute]
    _front.hide(hidden.get(_NAME, frozenset()))
    _signals.hide(hidden.get(_signals.__name__, frozenset()))
    _front.__version__ = _finder.version


def install_as_flask(compat: str | Compat = "3.1") -> None:
    """Let microflask answer to the name ``flask``, in ``import`` and in :mod:`importlib.metadata`.

    A second call sets `compat` anew and is harmless otherwise.

    :param compat: what applications get that do not choose; "0.10", "documented", "3.1" or a row of your own, see
        :mod:`microflask.compat`
    :raises RuntimeError: Flask itself was imported before
    :raises ValueError: there is no row of that name
    """
    row = get_compat(compat)
    present = sys.modules.get(_NAME)
    if present is not None and present is not _front:
        place = getattr(present, "__file__", None) or "no file"
        raise RuntimeError(
            f"Flask itself was imported already, from {place}, and parts of the program have it: call"
            " install_as_flask() before anything imports flask, or start the program with python -m microflask.alias"
        )
    set_default_compat(row)
    _arrange(row.name)
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    sys.meta_path.insert(0, _finder)
    ExtensionImporter(f"{_NAME}.ext", shown=row.name in _VERSIONS).install()
    sys.modules[_NAME] = _front
    if row.name not in _VERSIONS:
        for name in _IMPORTED_AT_ONCE:
            import_module(f"{_NAME}.{name}")


# -- python -m microflask.alias --------------------------------------------------------------------------------------


def _stop(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise SystemExit(2)


def _parse(arguments: Sequence[str]) -> tuple[str, str, bool, list[str]]:
    """Return compat, the program, whether that is a module, and the program's arguments."""
    rest, compat = list(arguments), "3.1"
    while rest and rest[0].partition("=")[0] == "--compat":
        _, equals, compat = rest.pop(0).partition("=")
        if not equals:
            compat = rest.pop(0) if rest else ""
    first = rest.pop(0) if rest else ""
    if first in {"-h", "--help"}:
        print(_USAGE)
        raise SystemExit
    if not first.startswith("-m"):
        if not first or first.startswith("-"):
            _stop(_USAGE)
        return compat, first, False, rest
    module = first.removeprefix("-m") or (rest.pop(0) if rest else "")
    return compat, module or _stop(_USAGE), True, rest


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a program in which ``flask`` is microflask.

    :param arguments: an option ``--compat``, then the program and its arguments; of the command line unless given
    """
    compat, program, is_module, rest = _parse(sys.argv[1:] if arguments is None else arguments)
    try:
        install_as_flask(compat)
    except ValueError as error:
        _stop(str(error))
    sys.argv[:] = [program, *rest]
    if is_module:
        try:
            found = find_spec(program)
        except ModuleNotFoundError:
            found = None
        if found is None:
            _stop(f"There is no module {program!r} to run.")
        runpy.run_module(program, run_name="__main__", alter_sys=True)
        return
    if not os.path.exists(program):
        _stop(f"There is no file {program!r} to run.")
    if not sys.flags.safe_path:
        # Python put the current folder there, for -m, and would have put the script's.
        sys.path[0] = os.path.dirname(os.path.realpath(program))
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    # Not the main() of this copy of the module, which nobody else would know.
    import_module(f"{_OWN}.alias").main()
