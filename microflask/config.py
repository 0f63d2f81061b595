"""Config, a dict that fills itself from files, objects and the environment; ConfigAttribute, a key as an attribute."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterable, Mapping
from functools import update_wrapper
from types import ModuleType
from typing import IO, Any, Generic, Self, TypeVar, overload

from werkzeug.utils import import_string

T = TypeVar("T")

_MISSING_FILE = frozenset({errno.ENOENT, errno.EISDIR, errno.ENOTDIR})


class ConfigAttribute(Generic[T]):
    """Forward an attribute of an application to a key of its ``config``.

    `get_converter`, when given, is applied to the value at each reading; assignment stores the value as it is.
    """

    def __init__(self, name: str, get_converter: Callable[[Any], T] | None = None) -> None:
        self.__name__ = name
        self.get_converter = get_converter

    @overload
    def __get__(self, obj: None, owner: type | None = None) -> Self: ...

    @overload
    def __get__(self, obj: Any, owner: type | None = None) -> T: ...

    def __get__(self, obj: Any, owner: type | None = None) -> T | Self:
        if obj is None:
            return self
        value = obj.config[self.__name__]
        convert = self.get_converter
        return value if convert is None else convert(value)

    def __set__(self, obj: Any, value: Any) -> None:
        obj.config[self.__name__] = value


#: The methods that change a dictionary.
_CHANGES = frozenset({
    "__delitem__", "__ior__", "__setitem__", "clear", "pop", "popitem", "setdefault", "update",
})  # fmt: skip
#: Those that find a value, which need not be in the dictionary where a subclass took one over.
_READS = frozenset({"__contains__", "__getattribute__", "__getitem__", "__missing__", "get"})


class Config(dict[str, Any]):
    """Hold the configuration of an application; a dict with ways to fill it.

    The loading methods take over upper-case keys only, so that a file or class may use other names for itself.
    Relative file names count from `root_path`. Documented as ``flask.Config``.
    """

    # Methods of an instance whose dictionary is a slot are found in two thirds of the time.
    __slots__ = ("__dict__", "__weakref__", "_version", "root_path")

    #: Another object after each change, so that what was made of the values can be kept as long as it is the same.
    #: To ask for one value takes thrice the time: a subclass is asked as if it had a __getitem__() of its own.
    _version: object

    def __init__(self, root_path: str | os.PathLike[str], defaults: Mapping[str, Any] | None = None) -> None:
        super().__init__(defaults or {})
        self.root_path = root_path
        self._version = object()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if any(getattr(cls, name, None) is not getattr(Config, name, None) for name in _CHANGES | _READS):
            # Here or in a class beside Config. What changes may call those of dict, and then nobody would know.
            cls._version = property(lambda self: object(), lambda self, version: None)

    def from_envvar(self, variable_name: str, silent: bool = False) -> bool:
        """Load the Python file that an environment variable names, and return whether that was done.

        With `silent`, an unset variable and a missing file are no errors.

        :raises RuntimeError: the variable is unset or empty
        """
        filename = os.environ.get(variable_name)
        if filename:
            return self.from_pyfile(filename, silent=silent)
        if silent:
            return False
        raise RuntimeError(
            f"No configuration was loaded: the environment variable {variable_name!r} is not set. "
            "Let it name a configuration file, or pass silent=True to go on without one."
        )

    def from_pyfile(self, filename: str | os.PathLike[str], silent: bool = False) -> bool:
        """Execute a Python file as if it were imported, take over its keys, and return whether that was done.

        With `silent`, a missing file is no error; whatever goes wrong inside the file always is.

        :raises OSError: the file cannot be read; ``errno`` and ``filename`` are set
        :raises SyntaxError: the file is not Python, or not in the encoding that it declares
        """
        path = os.path.join(self.root_path, filename)
        source = _read(path, silent, lambda file: file.read())
        if source is None:
            return False
        if b"\0" in source:  # compile() would not name the file
            raise SyntaxError("The configuration file holds null bytes, so it is no Python", (path, None, None, None))
        module = ModuleType("config")
        module.__file__ = path
        exec(compile(source, path, "exec", dont_inherit=True), vars(module))
        self.from_object(module)
        return True

    def from_object(self, obj: object | str) -> None:
        """Take over the upper-case attributes of a module, a class or any other object.

        A string is an import name, ``"package.module"`` or ``"package.module.Class"``.

        :raises ImportError: nothing can be imported under that name, which the message holds
        """
        if isinstance(obj, str):
            if not obj:
                raise ImportError("from_object got an empty import name: pass 'package.module' or an object")
            obj = import_string(obj)
        self.update((key, getattr(obj, key)) for key in dir(obj) if key.isupper())

    def from_file(
        self, filename: str | os.PathLike[str], load: Callable[[IO[Any]], Mapping[str, Any]],
        silent: bool = False, text: bool = True,
    ) -> bool:
        """Take over the mapping that `load` reads from a file, and return whether that was done.

        `load` gets the open file, as UTF-8 text or, with ``text=False``, as bytes: ``json.load``, ``tomllib.load``.
        With `silent`, a missing file is no error.

        :raises OSError: the file cannot be read; ``errno`` and ``filename`` are set
        """
        path = os.path.join(self.root_path, filename)

        def take_over(file: IO[Any]) -> bool:
            try:
                return self.from_mapping(load(file))
            except Exception as error:
                error.add_note(f"This happened while loading the configuration file {path!r}.")
                raise

        return bool(_read(path, silent, take_over, text=text))

    def from_mapping(
        self, mapping: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None, **kwargs: Any
    ) -> bool:
        """Take over the upper-case keys of a mapping, of pairs, or of keyword arguments, and return True."""
        merged: dict[Any, Any] = dict(mapping or ())
        merged.update(kwargs)
        self.update((key, value) for key, value in merged.items() if isinstance(key, str) and key.isupper())
        return True

    def from_prefixed_env(self, prefix: str = "FLASK", *, loads: Callable[[str], Any] = json.loads) -> bool:
        """Take over the environment variables that start with `prefix` and an underscore, and return True.

        Each value goes through `loads`; one that fails there stays the string it is. Two underscores lead into a
        dict: ``FLASK_MAIL__HOST`` sets ``config["MAIL"]["HOST"]``, and dicts that are missing on the way are made.

        :raises TypeError: a variable leads into a value that is no dict
        """
        start = f"{prefix}_"
        for variable in sorted(name for name in os.environ if name.startswith(start)):
            *way, key = variable.removeprefix(start).split("__")
            target: Any = self
            for step in way:
                target = target.setdefault(step, {})
                if not isinstance(target, dict):
                    raise TypeError(
                        f"The environment variable {variable!r} sets a key inside of {step!r}, which is "
                        f"{type(target).__name__!r} and not a dict. Rename one of the two."
                    )
            target[key] = _parsed(os.environ[variable], loads)
        return True

    def get_namespace(self, namespace: str, lowercase: bool = True, trim_namespace: bool = True) -> dict[str, Any]:
        """Return the keys that start with `namespace` and their values, as keyword arguments of something.

        :param lowercase: make the keys lower case
        :param trim_namespace: leave the namespace off the keys
        """
        cut = len(namespace) if trim_namespace else 0
        found = {key[cut:]: value for key, value in self.items() if key.startswith(namespace)}
        return {key.lower(): value for key, value in found.items()} if lowercase else found

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {super().__repr__()}>"


def _noted(change: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that does what one of dict does, and notes that something changed."""

    def method(self: Config, *args: Any, **kwargs: Any) -> Any:
        try:
            return change(self, *args, **kwargs)
        finally:
            # Afterwards, and also where only a part was done: what is made of old values is never taken for new.
            self._version = object()

    return update_wrapper(method, change)


def version_of(config: Any) -> object:
    """Return what stays the same as long as nothing in a configuration is changed; always new for other mappings."""
    try:
        # Other mappings may have an attribute of that name.
        return config._version if isinstance(config, Config) else object()
    except AttributeError:
        return object()


for _name in _CHANGES:
    setattr(Config, _name, _noted(getattr(dict, _name)))


def _read(path: str, silent: bool, consume: Callable[[IO[Any]], T], text: bool = False) -> T | None:
    """Return what `consume` makes of the open file, or None when `silent` and there is no such file."""
    try:
        # Opening alone is guarded: an OSError out of `consume` is no missing file.
        file = open(path, encoding="utf-8") if text else open(path, "rb")  # noqa: SIM115
    except OSError as error:
        if silent and error.errno in _MISSING_FILE:
            return None
        # OSError chooses the subclass by the number, so FileNotFoundError stays one.
        raise OSError(error.errno, f"Unable to load configuration file ({error.strerror})", path) from None
    with file:
        return consume(file)


def _parsed(text: str, loads: Callable[[str], Any]) -> Any:
    try:
        return loads(text)
    except Exception:  # whatever loader the caller chose, what it cannot read is a plain string
        return text
