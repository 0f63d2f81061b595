"""Check an extension by the rules of the guide to extensions; offered as ``microflask.testing.check_extension``."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from configparser import ConfigParser
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from importlib import import_module, metadata
from json import loads
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit
from weakref import ReferenceType

from .app import Flask

_MODULE_NAME = re.compile(r"(micro)?flask_[a-z0-9_]+|flaskext\.[a-z0-9_]+")
_DISTRIBUTION_NAME = re.compile(r"(micro)?flask-[a-z0-9-]+|[a-z0-9-]+-(micro)?flask")
_LICENCE = re.compile(r"\b(0?BSD|MIT|WTFPL|ISC|Unlicense|Zlib|CC0|public domain)\b", re.IGNORECASE)
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
#: Either answers to both names.
_FRAMEWORKS = {"flask", "microflask"}
_PACKAGING_FILES = ("setup.py", "setup.cfg", "pyproject.toml")


@dataclass(frozen=True)
class Finding:
    """Say which rule of the guide is broken, and how."""

    rule: str
    """``import``, ``naming``, ``modules``, ``initialisation``, ``factory``, ``two applications``, ``state``,
    ``teardown``, ``dependencies``, ``licence``, ``tests``, ``zip_safe`` or ``sources``."""
    message: str
    """What was found, and what to do."""

    def __str__(self) -> str:
        return f"{self.rule}: {self.message}"


def check_extension(
    module: ModuleType | str, folder: str | Path | None = None, config: Mapping[str, Any] | None = None
) -> list[Finding]:
    """Check an extension and return what it does not keep of the guide's rules; nothing is raised.

    Its classes, or its initialisation functions, are tried on applications made for it, so its code runs.

    :param module: the extension's module or package, or its name
    :param folder: where its packaging file is; found beside the module, or by pip's notes, unless given
    :param config: what the applications need in their configuration
    """
    if isinstance(module, str):
        try:
            module = import_module(module)
        except (Exception, SystemExit) as error:
            return [Finding("import", f"{module} cannot be imported: {_text(error)}")]
    place = find_sources(module) if folder is None else Path(folder)
    try:
        packaging = Packaging.of_sources(place) if place is not None else Packaging.of_installed(module)
    except Exception as error:
        packaging = Packaging(None)
        findings = [Finding("sources", f"the packaging files in {place} cannot be read: {_text(error)}")]
    else:
        findings = [*check_names(module, packaging), *check_packaging(module, packaging)]
    return [*findings, *Trial(module, config or {}).run()]


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


# -- the distribution


@dataclass
class Packaging:
    """Hold what the packaging files of an extension say, or what its installed metadata do."""

    folder: Path | None
    name: str | None = None
    licences: list[str] = field(default_factory=list)
    modules: set[str] | None = None
    requires: set[str] = field(default_factory=set)
    zip_safe: bool | None = None
    backend: str = "setuptools"

    @classmethod
    def of_sources(cls, folder: Path) -> Packaging:
        """Read the packaging files of a folder, without running any."""
        told: dict[str, Any] = {}
        for read in (_read_setup_py, _read_setup_cfg, _read_pyproject):
            told |= {key: value for key, value in read(folder).items() if value not in (None, [], "")}
        modules = {name.partition(".")[0] for name in told.get("py_modules", ())}
        packages = told.get("packages", ())
        if packages == "find:":
            packages = _find_packages(folder, told)
        modules |= {name.partition(".")[0] for name in packages}
        return cls(
            folder, told.get("name"), [*told.get("license", ()), *_licences(told.get("classifiers", ()))],
            modules or None, _names(told.get("requires", ())), told.get("zip_safe"), told.get("backend", "setuptools"),
        )  # fmt: skip

    @classmethod
    def of_installed(cls, module: ModuleType) -> Packaging:
        """Read the metadata of the distribution that a module was installed from."""
        found = _distribution_of(module)
        if found is None:
            return cls(None)
        about: Any = found.metadata
        given = [about.get("License-Expression"), about.get("License"), *_licences(about.get_all("Classifier") or ())]
        tops = {path.parts[0].removesuffix(".py") for path in found.files or () if path.suffix == ".py"}
        modules = {name for name in tops if name.isidentifier() and not name.startswith("__")}
        return cls(None, about["Name"], [*filter(None, given)], modules or None, _names(found.requires or ()))


def _licences(classifiers: Iterable[str]) -> list[str]:
    return [line for line in classifiers if line.startswith("License ::")]


def _distribution_of(module: ModuleType) -> metadata.Distribution | None:
    names = metadata.packages_distributions().get(module.__name__.partition(".")[0])
    return metadata.distribution(names[0]) if names else None


def find_sources(module: ModuleType) -> Path | None:
    """Return the folder of a module's packaging file; None for one that was installed from an index."""
    if getattr(module, "__file__", None):
        path = Path(str(module.__file__)).resolve()
        base = path.parents[len(module.__name__.split(".")) - (path.name != "__init__.py")]
        for folder in (base, base.parent) if base.name == "src" else (base,):
            if any((folder / name).is_file() for name in _PACKAGING_FILES):
                return folder
    installed = _distribution_of(module)
    url = urlsplit(loads((installed and installed.read_text("direct_url.json")) or "{}").get("url", ""))
    folder = Path(unquote(url.path))
    return folder if url.scheme == "file" and folder.is_dir() else None


def _read_setup_py(folder: Path) -> dict[str, Any]:
    """Return the literal arguments of the call of setup()."""
    path = folder / "setup.py"
    if not path.is_file():
        return {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and _called(node) == "setup":
            break
    else:
        return {}
    told: dict[str, Any] = {}
    for keyword in node.keywords:
        if isinstance(keyword.value, ast.Call) and _called(keyword.value) == "find_packages":
            told["packages"] = "find:"
            continue
        try:
            told[keyword.arg or ""] = ast.literal_eval(keyword.value)
        except ValueError:
            pass  # it is computed
    extras = told.get("extras_require") or {}
    return told | {
        "license": [told["license"]] if "license" in told else [],
        "requires": [line for part in (told.get("install_requires", ()), *extras.values()) for line in _lines(part)],
    }


def _called(node: ast.Call) -> str:
    return str(getattr(node.func, "attr", None) or getattr(node.func, "id", None))


def _read_setup_cfg(folder: Path) -> dict[str, Any]:
    parser = ConfigParser(interpolation=None)
    parser.read(folder / "setup.cfg", encoding="utf-8")
    about, options, found = (
        parser[name] if parser.has_section(name) else {}
        for name in ("metadata", "options", "options.packages.find")
    )
    extras = parser["options.extras_require"].values() if parser.has_section("options.extras_require") else ()
    packages = (options.get("packages") or "").strip()
    zip_safe = options.get("zip_safe")
    return {
        "name": about.get("name"),
        "license": [about["license"]] if "license" in about else [],
        "classifiers": _lines(about.get("classifiers", "")),
        "py_modules": _lines(options.get("py_modules", "")),
        "packages": packages if packages == "find:" else _lines(packages),
        "requires": [line for part in (options.get("install_requires", ""), *extras) for line in _lines(part)],
        "zip_safe": None if zip_safe is None else zip_safe.strip().lower() in {"1", "true", "yes", "on"},
        **{key: _lines(found.get(key, "")) for key in ("where", "include", "exclude")},
    }


def _read_pyproject(folder: Path) -> dict[str, Any]:
    path = folder / "pyproject.toml"
    if not path.is_file():
        return {}
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    project, build = content.get("project", {}), content.get("build-system", {})
    options = content.get("tool", {}).get("setuptools", {})
    packages = options.get("packages")
    found = packages.get("find", {}) if isinstance(packages, dict) else {}
    licence = project.get("license", [])
    extras = project.get("optional-dependencies", {}).values()
    backend = " ".join((build.get("build-backend", ""), *build.get("requires", ())))
    return {
        "name": project.get("name"),
        "license": [*licence.values()] if isinstance(licence, dict) else licence and [licence],
        "classifiers": project.get("classifiers"),
        "py_modules": options.get("py-modules"),
        "packages": "find:" if isinstance(packages, dict) else packages,
        "requires": [line for part in (project.get("dependencies", ()), *extras) for line in part],
        "zip_safe": options.get("zip-safe"),
        "backend": backend.strip(),
        **{key: found.get(key) for key in ("where", "include", "exclude")},
    }


def _lines(value: str | Iterable[str]) -> list[str]:
    """Return the entries of a list, which setup.cfg separates by lines or by commas."""
    if isinstance(value, str):
        value = value.splitlines() if "\n" in value else value.split(",")
    return [line.strip() for line in value if line.strip()]


def _names(requirements: Iterable[str]) -> set[str]:
    """Return the normalised names of distributions that are required."""
    return {_normal(match[1]) for match in map(_REQUIREMENT.match, requirements) if match}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _find_packages(folder: Path, told: Mapping[str, Any]) -> list[str]:
    """Return the top-level packages that setuptools would find."""
    where = folder / (told.get("where") or ["."])[0]
    names = (path.parent.name for path in where.glob("*/__init__.py"))
    include, exclude = told.get("include") or ["*"], told.get("exclude") or []
    return [
        name for name in names
        if any(fnmatchcase(name, p) for p in include) and not any(fnmatchcase(name, p) for p in exclude)
    ]  # fmt: skip


# -- the rules about names and packaging


def check_names(module: ModuleType, packaging: Packaging) -> Iterator[Finding]:
    """Check what the extension and its distribution are called, and that they are one and one."""
    name = module.__name__
    if not _MODULE_NAME.fullmatch(name):
        yield Finding(
            "naming", f"microflask.ext does not find a module named {name!r}: call it microflask_... or flask_..."
        )
    if packaging.name is None:
        where = packaging.folder or "the installed distributions"
        yield Finding("naming", f"the distribution's name was not found in {where}: write name = in a packaging file")
    elif not _DISTRIBUTION_NAME.fullmatch(_normal(packaging.name)):
        yield Finding(
            "naming", f"the distribution is named {packaging.name!r}: give it a name like Microflask-ExtensionName"
        )
    top = name.partition(".")[0]
    if packaging.modules is not None and packaging.modules != {top}:
        listed = ", ".join(sorted(packaging.modules))
        yield Finding("modules", f"the distribution has the top-level modules {listed}: it may have {top} alone")


def check_packaging(module: ModuleType, packaging: Packaging) -> Iterator[Finding]:
    """Check licence, dependencies, tests and the zip_safe flag."""
    if not any(map(_LICENCE.search, packaging.licences)):
        given = ", ".join(packaging.licences) or "nothing"
        yield Finding("licence", f"{given} is given as licence: the guide asks for BSD, MIT or a more liberal one")
    undeclared = _undeclared(module, packaging.requires)
    if undeclared:
        yield Finding("dependencies", f"imported and not declared: {', '.join(undeclared)}; add to install_requires")
    folder = packaging.folder
    if folder is None:
        yield Finding("sources", "no packaging file was found, so tests and zip_safe are not checked: give folder=...")
        return
    if not any(path.is_file() for word in ("LICEN[SC]E*", "COPYING*") for path in folder.glob(word)):
        yield Finding("licence", f"there is no LICENSE file in {folder}")
    tests = next((path for path in (folder / "tests", folder / "test") if any(path.rglob("*test*.py"))), None)
    tests = tests or next(iter(folder.glob("*test*.py")), None)
    if tests is None:
        yield Finding("tests", f"there are no tests in {folder}: put them into the folder tests")
    elif "setuptools" in packaging.backend and "scm" not in packaging.backend and not _is_shipped(folder, tests.name):
        yield Finding("tests", f"source distributions leave out {tests.name}: add 'graft {tests.name}' to MANIFEST.in")
    if "setuptools" in packaging.backend and packaging.zip_safe is not False:
        yield Finding("zip_safe", "zip_safe is not switched off: write zip_safe = false")


def _is_shipped(folder: Path, name: str) -> bool:
    """Tell whether MANIFEST.in takes in a file or folder."""
    manifest = folder / "MANIFEST.in"
    for line in manifest.read_text(encoding="utf-8").splitlines() if manifest.is_file() else ():
        command, *patterns = line.split() or [""]
        if command == "recursive-include":
            patterns = patterns[:1]
        elif command not in {"graft", "include", "global-include"}:
            continue
        if command == "global-include" or any(fnmatchcase(name, p.removeprefix("./").split("/")[0]) for p in patterns):
            return True
    return False


def _undeclared(module: ModuleType, declared: set[str]) -> list[str]:
    """Return the distributions that a module, or the modules of a package, cannot do without and that are missing."""
    path = Path(str(getattr(module, "__file__", None)))
    inside = path.parent.rglob("*.py") if path.name == "__init__.py" else [path] if path.is_file() else []
    names: set[str] = set()
    for source in inside:
        if "tests" not in source.relative_to(path.parent).parts[:-1]:
            names.update(_imported_names(ast.parse(source.read_bytes()).body))
    names -= sys.stdlib_module_names | {module.__name__.partition(".")[0]}
    known = metadata.packages_distributions()
    if not declared.isdisjoint(_FRAMEWORKS):
        declared = declared | _FRAMEWORKS
    # A module may come from several distributions.
    wanted = {name: {_normal(found) for found in known.get(name, [name])} for name in names}
    return sorted(name for name, any_of in wanted.items() if any_of.isdisjoint(declared))


def _imported_names(body: Iterable[ast.AST]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if not node.level:
                yield (node.module or "").partition(".")[0]
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _imported_names(node.orelse)
        elif isinstance(node, ast.Try) and any("ImportError" in ast.unparse(h.type) for h in node.handlers if h.type):
            continue  # it does without
        else:
            yield from _imported_names(ast.iter_child_nodes(node))


# -- the rules about behaviour


class Trial:
    """Use an extension as applications would, and keep what goes wrong.

    :param module: the extension
    :param config: for the configuration of the applications
    """

    def __init__(self, module: ModuleType, config: Mapping[str, Any]) -> None:
        self.module = module
        self.config = config
        self.findings: list[Finding] = []
        self.made = 0

    def run(self) -> list[Finding]:
        """Try all classes that take an application, or, where there are none, all initialisation functions."""
        classes = [*self._own(lambda name, kind: inspect.isclass(kind) and _takes_application(kind))]
        functions = [*self._own(lambda name, f: inspect.isfunction(f) and re.match("init_|init$", name))]
        for kind in classes:
            self.try_class(kind)
        if not classes:
            for function in functions:
                self.try_binding(function, f"{function.__name__}(app)")
        if not classes and not functions:
            self.findings.append(Finding(
                "initialisation",
                f"{self.module.__name__} has no class with init_app(app), and no function init_...(app)",
            ))  # fmt: skip
        return self.findings

    def _own(self, wanted: Callable[[str, Any], Any]) -> Iterator[Any]:
        """Yield public things that are defined in the extension."""
        name = self.module.__name__
        for key, value in sorted(vars(self.module).items()):
            here = f"{getattr(value, '__module__', None)}.".startswith(f"{name}.")
            if not key.startswith("_") and here and wanted(key, value):
                yield value

    def attempt(self, rule: str, what: str, call: Callable[[], Any]) -> Any:
        """Return what `call` does, or None, with a finding, when it raises an exception."""
        try:
            return call()
        except (Exception, SystemExit) as error:
            self.findings.append(Finding(rule, f"{what} fails: {_text(error)}"))
            return None

    def make_app(self) -> Flask:
        """Return an application with one page."""
        self.made += 1
        app = Flask(f"{self.module.__name__}_trial_{self.made}", static_folder=None)
        app.config.update(self.config, TESTING=True)
        app.config.setdefault("SECRET_KEY", "of the trial")
        if not app.config["SECRET_KEY"]:
            app.config["SECRET_KEY"] = "of the trial"
        app.add_url_rule("/extension-trial", "extension_trial", lambda: "well")
        return app

    def try_class(self, kind: Any) -> None:
        """Make an object without and with an application, and bind the first to two of them."""
        name = kind.__name__
        if not callable(getattr(kind, "init_app", None)):
            self.findings.append(Finding(
                "factory", f"{name} has no init_app(app): applications made by a factory come after the object"
            ))  # fmt: skip
            self.try_binding(kind, f"{name}(app)")
            return
        shared = self.attempt("factory", f"{name}() without an application", kind)
        if shared is not None:
            apps = self.try_binding(shared.init_app, f"{name}().init_app(app)")
            self.look_for_state(shared, name, apps)
        app = self.make_app()
        if _takes_one_at_once(kind) and self.attempt("factory", f"{name}(app)", lambda: kind(app)) is not None:
            self.attempt("factory", f"a request to an application given to {name}(app)", lambda: _get(app))

    def try_binding(self, bind: Callable[[Flask], Any], what: str) -> list[Flask]:
        """Bind two applications, use both, and a third that answers its requests early; return them."""
        before = len(self.findings)
        apps = [self.make_app(), self.make_app()]
        for app, which in zip(apps, ("a first", "a second"), strict=True):
            self.attempt("two applications", f"{what} for {which} application", partial(bind, app))
        if len(self.findings) > before:
            return apps
        for app, which in ((apps[0], "first"), (apps[1], "second"), (apps[0], "first")):
            asked = f"a request to the {which} of two applications, bound by {what},"
            self.attempt("two applications", asked, partial(_get, app))
        early = self.make_app()
        early.before_request(lambda: "answered early")
        self.attempt("two applications", f"{what} for a third application", partial(bind, early))
        end = f"the end of a request that was answered before the functions of {what} ran"
        self.attempt("teardown", end, partial(_get, early))
        return [*apps, early]

    def look_for_state(self, shared: Any, name: str, apps: list[Flask]) -> None:
        """Find attributes of an object that hold one of its applications, or the configuration of one."""
        for key, value in getattr(shared, "__dict__", {}).items():
            target = value() if isinstance(value, ReferenceType) else value
            if any(target is app or target is app.config for app in apps):
                self.findings.append(Finding(
                    "state",
                    f"{name}.{key} holds one application of several: ask current_app, or keep it in app.extensions",
                ))  # fmt: skip


def _takes_application(kind: Any) -> bool:
    return callable(getattr(kind, "init_app", None)) or _takes_one_at_once(kind)


def _takes_one_at_once(kind: Any) -> bool:
    """Tell whether the first argument of a constructor is an application, by its name."""
    try:
        first = next(iter(inspect.signature(kind).parameters), "")
    except (TypeError, ValueError):
        return False
    return first in {"app", "application", "flask_app"}


def _get(app: Flask) -> None:
    """Send a request, and enter an application context."""
    app.test_client().get("/extension-trial")
    with app.app_context():
        pass
