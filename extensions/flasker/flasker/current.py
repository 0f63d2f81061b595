"""The project of this process, and the proxy that stands for it."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from werkzeug.local import LocalProxy

from .errors import ProjectImportError

if TYPE_CHECKING:
    from .database import Database
    from .tasks import ProjectCelery
    from .web import ProjectFlask

    class CurrentProject(Protocol):
        """Be what modules know of their project; see :class:`flasker.Project`."""

        name: str
        root_dir: str
        conf_path: str
        config: dict[str, dict[str, Any]]
        app: ProjectFlask
        db: Database
        celery: ProjectCelery

        def register_manager(self, manager: Any) -> None:
            """Let ``manager.register(project)`` be called once all modules are imported."""

NO_PROJECT = (
    "There is no project in this process. Start one with the `flasker` command (server, worker, shell), or in code"
    ' with flasker.Project("default.cfg"), before the modules that use current_project are imported.'
)

_lock = Lock()
_bound: Any = None


def find_project() -> Any | None:
    """Return the project of this process, or None."""
    return _bound


def bind(project: Any) -> None:
    """Make `project` the one of this process.

    :raises ProjectImportError: there is one already
    """
    global _bound
    with _lock:
        if _bound is not None:
            raise ProjectImportError(
                f"This process has a project already, {_bound.name!r}: one process runs one project"
            )
        _bound = project


def unbind(project: Any) -> None:
    """Let the process have no project, if `project` is the one it has: for a start that failed."""
    global _bound
    with _lock:
        if _bound is project:
            _bound = None


def _find_or_complain() -> Any:
    if _bound is None:
        raise RuntimeError(NO_PROJECT)
    return _bound


if TYPE_CHECKING:
    current_project: CurrentProject
else:
    #: Stands for the project of this process. RuntimeError as long as there is none.
    current_project = LocalProxy(_find_or_complain)
