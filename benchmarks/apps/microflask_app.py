"""The applications of microflask."""

from __future__ import annotations

from functools import partial

from . import flask_family

make = partial(flask_family.make, "microflask")
