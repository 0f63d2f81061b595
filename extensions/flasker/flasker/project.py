"""A project: one application, one Celery application and one database, made from one file."""

from __future__ import annotations

import os
from typing import Any

from . import current
from .database import Database
from .errors import ProjectImportError
from .loading import answer_to_flask, import_modules
from .settings import Settings, read_settings
from .tasks import make_celery
from .util import Model
from .web import ProjectFlask

#: Below the folder of the project file: the default database, and the embedded broker and results.
EMBEDDED = ".flasker"


class Project:
    """Start a project: read its file, make the applications and the database, import its modules.

    A process has one project; :data:`flasker.current_project` stands for it.

    :param path: the project file
    :param debug: sets the application's debug flag, over what the file says
    :raises ProjectImportError: the project cannot be started, or the process has one already
    """

    def __init__(self, path: str | os.PathLike[str], debug: bool | None = None) -> None:
        self._settings: Settings = read_settings(path)
        #: The project's name.
        self.name: str = self._settings.name
        #: The absolute path of the file's folder.
        self.root_dir: str = self._settings.root_dir
        #: Section -> key -> value, as in the file, with converted values.
        self.config: dict[str, dict[str, Any]] = self._settings.sections
        #: The absolute path of the file.
        self.conf_path: str = self._settings.path
        self._managers: list[Any] = []
        self._started = False
        current.bind(self)
        try:
            self._start(debug)
        except BaseException:
            current.unbind(self)
            if hasattr(self, "db"):
                self.db.session.remove()
                self.db.engine.dispose()
            raise

    def _start(self, debug: bool | None) -> None:
        #: The application.
        self.app = ProjectFlask(self.root_dir)
        self.app.config.update(self.config["APP"])
        if debug is not None:
            self.app.debug = debug
        self.app.context_processor(lambda: {"project_name": self.name})
        #: The database.
        url = self._settings.db_url
        self.db = Database(f"sqlite:///{EMBEDDED}/db.sqlite" if url is None else url, self.root_dir)
        self.db.init_app(self.app)
        #: The Celery application.
        self.celery = make_celery(self, self._settings.celery)
        answer_to_flask()
        import_modules(self._settings.modules, self.root_dir)
        self._register_managers()
        self.db.create_tables(Model.metadata)
        os.makedirs(os.path.join(self.root_dir, EMBEDDED), exist_ok=True)
        # Modules may have looked into the database while they were imported.
        self.db.session.remove()

    def register_manager(self, manager: Any) -> None:
        """Let ``manager.register(project)`` be called once all modules are imported.

        :raises TypeError: it has no method `register`
        :raises RuntimeError: the project has started
        """
        if not callable(getattr(manager, "register", None)):
            raise TypeError(f"{manager!r} is no manager: it needs a method register(project)")
        if self._started:
            raise RuntimeError("the project has started: register managers in its modules, while they are imported")
        self._managers.append(manager)

    def _register_managers(self) -> None:
        # A manager may bring others.
        for manager in self._managers:
            manager.register(self)
        self._started = True

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


__all__ = ["Project", "ProjectImportError"]
