"""The applications of Flask."""

from __future__ import annotations

from functools import partial

from . import flask_family

NOT_OFFERED: dict[str, str] = {}
BY_HAND: dict[str, str] = {}

make = partial(flask_family.make, "flask")
