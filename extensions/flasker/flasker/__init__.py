"""Bring a microflask application, an SQLAlchemy database and Celery tasks together in one project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .current import current_project
from .errors import ProjectImportError

if TYPE_CHECKING:
    from .project import Project as Project

__version__ = "0.2.0"


def __getattr__(name: str) -> object:
    # Late: the command answers `flasker -h` without SQLAlchemy and Celery.
    if name == "Project":
        from .project import Project

        return Project
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["Project", "ProjectImportError", "current_project"]
