"""A pocket for an application to carry things in: start-up tasks, late views, blueprints found by themselves.

Import it as ``microflask.ext.hippocket``.
"""

from . import pocket, tasks
from .pocket import HipPocket, Mapper

__all__ = ["HipPocket", "Mapper", "pocket", "tasks"]
