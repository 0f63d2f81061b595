"""The error of a project that cannot start."""

from __future__ import annotations


class ProjectImportError(Exception):
    """A project cannot be started, for a reason that its owner can mend; the text says which.

    The command prints the text alone, without a traceback, and ends with status 1.
    """
