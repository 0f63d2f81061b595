"""Modules, the documented predecessors of blueprints."""

from __future__ import annotations

import os

from .blueprints import Blueprint


class Module(Blueprint):
    """Be a blueprint that is named after its module and finds its templates and static files by itself.

    :param import_name: the dotted name of the module
    :param name: the last part of `import_name` unless given
    :param url_prefix: stands in front of each rule
    :param static_path: where the folder `static` is served
    :param subdomain: the subdomain of each rule
    :raises ValueError: there is no name, and no dot in `import_name` to take one after
    """

    is_module = True

    def __init__(
        self, import_name: str, name: str | None = None, url_prefix: str | None = None,
        static_path: str | None = None, subdomain: str | None = None,
    ) -> None:  # fmt: skip
        package, _, last = import_name.rpartition(".")
        if name is None and not package:
            raise ModuleNameError(
                f"the module {import_name!r} is in no package that it could be named in: pass name='...'"
            )
        super().__init__(
            name or last, import_name, url_prefix=url_prefix, subdomain=subdomain, template_folder="templates",
            static_url_path=static_path,
        )  # fmt: skip
        if os.path.isdir(os.path.join(self.root_path, "static")):
            self.static_folder = "static"


class ModuleNameError(AssertionError, ValueError):
    """A module was made without a name that it could have."""


def blueprint_is_module(bp: object) -> bool:
    """Tell whether a blueprint is a Module."""
    return isinstance(bp, Module)
