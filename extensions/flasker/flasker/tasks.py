"""The Celery application of a project: its options, and tasks that run in an application context."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

import celery

from microflask import current_app, has_app_context

from . import broker
from .errors import ProjectImportError
from .renewal import Renewal

#: URL schemes of Redis, which also keeps results.
_REDIS = {"redis", "rediss", "redis+socket"}
#: Seconds to wait for a broker to answer, so that a message that cannot be sent fails within ten.
_CONNECT_TIMEOUT = 2.0
#: Seconds in which a result store is tried again.
_RETRY_TIMEOUT = 3.0
#: Seconds after which Redis gives the messages of a dead worker to another one. Celery's hour is made for workers that
#: do not renew their hold on messages.
_VISIBILITY_TIMEOUT = 60
#: Seconds between two looks of a worker for such messages.
_RESTORE_INTERVAL = 5


def make_celery(project: Any, options: dict[str, Any]) -> celery.Celery:
    """Return the Celery application of a project.

    :param options: what the project file says, under the present names
    :raises ProjectImportError: the broker needs a library that is not installed
    """
    app = ProjectCelery(project.name, task_cls=_task_class(project))
    app.conf.update(with_defaults(options, os.path.join(project.root_dir, ".flasker")))
    if _scheme(app.conf.broker_url) in _REDIS:
        app.steps["consumer"].add(Renewal)
    return app


def _scheme(url: Any) -> str:
    return str(url).partition("://")[0]


def with_defaults(options: dict[str, Any], folder: str) -> dict[str, Any]:
    """Return Celery's options with those that the project leaves open: an embedded broker, and results in a file.

    :param folder: where the embedded files are
    """
    defaults: dict[str, Any] = {
        "broker_connection_timeout": _CONNECT_TIMEOUT,
        "broker_connection_retry_on_startup": True,
        "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0, "interval_step": 0.2},
        # Whoever asks for a late acknowledgement does not want the task to end with its process.
        "task_reject_on_worker_lost": True,
        "beat_schedule_filename": os.path.join(folder, "beat-schedule"),
        "result_backend": f"db+sqlite:///{os.path.join(folder, 'results.sqlite')}",
        "database_engine_options": {"connect_args": {"timeout": 20}},
    }
    url = options.get("broker_url") or broker.URL
    scheme = _scheme(url)
    transport: dict[str, Any] = {}
    if scheme == "flasker":
        transport["folder"] = folder
    elif scheme in _REDIS:
        if find_spec("redis") is None:
            raise ProjectImportError("BROKER_URL names Redis, whose library is missing: pip install flasker[redis]")
        transport |= {
            "socket_connect_timeout": _CONNECT_TIMEOUT, "visibility_timeout": _VISIBILITY_TIMEOUT,
            "unacked_restore_interval": _RESTORE_INTERVAL, "unacked_restore_throttle": 1,
        }  # fmt: skip
        defaults |= {"result_backend": url, "redis_socket_connect_timeout": _CONNECT_TIMEOUT}
        defaults["result_backend_transport_options"] = {"retry_policy": {"timeout": _RETRY_TIMEOUT}}
    merged = defaults | options
    merged["broker_url"] = url
    merged["broker_transport_options"] = transport | (options.get("broker_transport_options") or {})
    return merged


class ProjectCelery(celery.Celery):
    """Be the Celery application of a project; tasks of any class run in an application context."""

    def task(self, *args: Any, **options: Any) -> Any:
        """Make a task of a function; see :meth:`celery.Celery.task`."""
        base = options.get("base")
        if base is not None:
            options["base"] = self._with_context(base)
        return super().task(*args, **options)

    def register_task(self, task: Any, **options: Any) -> Any:
        """Register a task that was made as an object; see :meth:`celery.Celery.register_task`."""
        cls = task if isinstance(task, type) else type(task)
        mixed = self._with_context(cls)
        return super().register_task(mixed() if isinstance(task, type) else _as(task, mixed), **options)

    def _with_context(self, cls: Any) -> Any:
        """Return a subclass of a task class whose tasks run in an application context."""
        ours: Any = self.Task
        if issubclass(cls, ContextTask):
            return cls
        return type(cls.__name__, (ContextTask, cls), {"project": ours.project, "__module__": cls.__module__})


def _as(task: Any, cls: type[Any]) -> Any:
    task.__class__ = cls
    return task


class ContextTask(celery.Task):
    """Be a task that runs in an application context, at whose end the database session is committed."""

    abstract = True
    project: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task: with a context of its own for a worker; in the current context when simply called."""
        app = self.project.app
        request = self.request_stack.top
        called = request is None or request.called_directly or getattr(request, "_flasker_entered", False)
        if called and has_app_context() and current_app._get_current_object() is app:  # type: ignore[attr-defined]
            return super().__call__(*args, **kwargs)
        if called:
            with app.app_context(), self.project.db.transaction():
                return super().__call__(*args, **kwargs)
        request._flasker_entered = True
        with app.app_context(), self.project.db.transaction():
            return self.run(*args, **kwargs)


def _task_class(project: Any) -> type[ContextTask]:
    return type("ProjectTask", (ContextTask,), {"abstract": True, "project": project})
