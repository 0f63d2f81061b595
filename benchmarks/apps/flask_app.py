"""The applications of Flask."""

from __future__ import annotations

from functools import partial

from . import flask_family

make = partial(flask_family.make, "flask")
