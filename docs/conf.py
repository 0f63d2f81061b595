"""Configuration of the documentation's build: ``sphinx-build -W --keep-going -b html docs docs/_build``."""

import sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[1]

# The documentation describes the checkout that it lies in, whatever else may be installed.
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

_setup = ConfigParser(interpolation=None)
_setup.read(ROOT / "setup.cfg", encoding="utf-8")

project = "microflask"
author = _setup["metadata"]["author"]
copyright = author
release = _setup["metadata"]["version"]
exclude_patterns = ["_build"]

extensions = ["sphinx.ext.autodoc", "compat_table"]
autodoc_member_order = "alphabetical"
# Descriptions name the types that matter; those of the signatures are for type checkers, and unreadable in print.
autodoc_typehints = "none"

html_theme = "alabaster"
html_theme_options = {"description": _setup["metadata"]["description"], "page_width": "64rem"}
html_show_sourcelink = False
