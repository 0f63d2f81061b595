"""The name under which extensions are imported: ``from microflask.ext import foo``.

Documented as ``flask.ext``. Apart from the importer, every name below this package is an extension's, so the names
that this file needs for itself start with an underscore.
"""

import importlib as _importlib
import importlib.abc as _abc
import importlib.util as _util
import sys as _sys
import types as _types
from collections.abc import Sequence as _Sequence
from importlib.machinery import ModuleSpec as _ModuleSpec
from typing import Any as _Any
from typing import NoReturn as _NoReturn

__all__ = ["ExtensionImporter"]

#: Where an extension is looked for, in this order.
_PATTERNS = ("microflask_{}", "flask_{}", "flaskext.{}")

# Python leaves its own import frames out of a traceback where they end in this function, which is not public.
_call: _Any = getattr(getattr(_importlib, "_bootstrap", None), "_call_with_frames_removed", lambda f, *args: f(*args))


class ExtensionImporter(_abc.MetaPathFinder, _abc.Loader):
    """Import what is asked for below `package_name` from the extension modules themselves.

    ``<package_name>.foo`` is ``microflask_foo``, ``flask_foo`` or ``flaskext.foo``, whichever is found first, and the
    very module: it runs once and keeps its own name. An error inside an extension comes out as it is.

    :param shown: whether the tracebacks of such errors show two calls of the importer, as those of Flask 0.10 did,
        which programs skip; otherwise they show none
    """

    def __init__(self, package_name: str, shown: bool = False) -> None:
        self.package_name = package_name
        self.shown = shown

    def install(self) -> None:
        """Let Python ask this importer first, in place of an earlier one for the same package."""
        # First, because the path finder would find an extension's submodule too, and run it a second time.
        # Compared by name: reloading this module makes a new class.
        mine = (type(self).__qualname__, self.package_name)
        others = [f for f in _sys.meta_path if (type(f).__qualname__, getattr(f, "package_name", None)) != mine]
        _sys.meta_path[:] = [self, *others]

    def find_spec(
        self, fullname: str, path: _Sequence[str] | None = None, target: _types.ModuleType | None = None
    ) -> _ModuleSpec | None:
        """Return a spec that leads to the extension's module, or None for names outside of the package.

        :raises ImportError: there is no such extension; the message holds the names that were tried
        """
        if not fullname.startswith(f"{self.package_name}."):
            return None
        try:
            real_name = self._locate(fullname)
        except BaseException as error:
            error.__traceback__ = _without_importer(error.__traceback__)
            raise  # a bare raise adds no frame of this function
        return _util.spec_from_loader(fullname, self, origin=real_name)

    def create_module(self, spec: _ModuleSpec) -> _types.ModuleType:
        """Import the extension and hand over its module."""
        real_name = str(spec.origin)
        before = frozenset(_sys.modules)
        try:
            _call(__import__, real_name)
            module = _sys.modules[real_name]
        except BaseException as error:
            for name in (real_name, spec.name):
                _forget(name, before)
            error.__traceback__ = _without_importer(error.__traceback__)
            if self.shown:
                _raise_again(error)
            raise
        spec.loader_state = {name: getattr(module, name) for name in _MARKS if hasattr(module, name)}
        return module

    def exec_module(self, module: _types.ModuleType) -> None:
        """Undo the marks that importing under a second name left on the module, which has run already."""
        spec = getattr(module, "__spec__", None)
        if spec is not None and spec.loader is self:
            for name, value in spec.loader_state.items():
                setattr(module, name, value)

    def _locate(self, fullname: str) -> str:
        """Return the name of the module that `fullname` stands for."""
        extension, dot, rest = fullname.removeprefix(f"{self.package_name}.").partition(".")
        candidates = [pattern.format(extension) for pattern in _PATTERNS]
        found = next(filter(_exists, candidates), None)
        if found is None:
            tried = ", ".join(candidates)
            raise ImportError(f"No extension {fullname}: none of {tried} is installed.", name=fullname)
        real_name = f"{found}{dot}{rest}"
        if rest and not _exists(real_name):
            raise ImportError(f"No module {real_name}, which {fullname} stands for.", name=fullname)
        return real_name


#: Attributes that Python sets on a module that a loader hands over.
_MARKS = ("__spec__", "__loader__", "__package__")


def _exists(name: str) -> bool:
    """Return whether a module is there, without running it. Its parents run, and their errors come out."""
    parent = name.rpartition(".")[0]
    if parent and not _exists(parent):
        return False
    if name in _sys.modules:
        return _sys.modules[name] is not None
    try:
        return _util.find_spec(name) is not None
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return False  # the parent is no package


def _forget(name: str, before: frozenset[str]) -> None:
    """Drop a module whose import failed, and those below it, so that nothing half imported is met again."""
    for entry in [key for key in _sys.modules if key not in before and f"{key}.".startswith(f"{name}.")]:
        module = _sys.modules.pop(entry)
        parent, _, child = entry.rpartition(".")
        owner = _sys.modules.get(parent)
        if owner is not None and getattr(owner, child, None) is module:
            delattr(owner, child)


def _raise_again(error: BaseException) -> _NoReturn:
    raise error


def _without_importer(traceback: _types.TracebackType | None) -> _types.TracebackType | None:
    """Return a traceback without the frames of this file, and of Python's own import, at its start."""
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_name == "_call_with_frames_removed":
            break  # Python drops it with the frames that it will add
        if code.co_filename not in {__file__, _util.__file__} and not code.co_filename.startswith("<frozen importlib"):
            break
        traceback = traceback.tb_next
    return traceback


ExtensionImporter(__name__).install()
