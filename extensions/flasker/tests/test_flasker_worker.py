"""Workers: tasks between processes, over the embedded broker and over Redis, and brokers that are not there."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from functools import partial

import pytest
from conftest import Folder, free_port, wait_until
from test_flasker_command import fails, fetch

pytestmark = pytest.mark.server

VIEWS = """
    import os
    import time
    from flasker import current_project
    from flasker.util import Model
    from microflask import current_app, request
    from sqlalchemy import Column, Integer, String

    app, celery, db = current_project.app, current_project.celery, current_project.db

    class Note(Model):
        id = Column(Integer, primary_key=True)
        text = Column(String)

    @celery.task
    def add(text):
        db.session.add(Note(text=text))
        return [text, current_app.name, os.getpid()]

    @celery.task
    def fail(text):
        db.session.add(Note(text=text))
        db.session.flush()
        raise KeyError(text)

    @celery.task(acks_late=True)
    def slow(name, seconds):
        with open(name, 'a') as file:
            file.write('begun ')
        with open(name + '.pid', 'w') as file:
            file.write(str(os.getpid()))
        time.sleep(0 if os.path.exists('hurry') else seconds)
        with open(name, 'a') as file:
            file.write('ended ')

    @app.route('/')
    def index():
        return add.delay(request.args['text']).id

    @app.route('/result/<ident>')
    def result(ident):
        return str(celery.AsyncResult(ident).get(timeout=30))

    @app.route('/notes')
    def notes():
        return ' '.join(sorted(note.text for note in Note.query))
"""


@pytest.fixture(params=["embedded", "redis"])
def project(folder: Folder, request: pytest.FixtureRequest) -> Iterator[Folder]:
    """A project with tasks, on each kind of broker."""
    broker = ""
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        import redis

        with redis.Redis.from_url(url) as client:
            client.flushall()
        broker = f"BROKER_URL = {url}\nBROKER_TRANSPORT_OPTIONS = {{'visibility_timeout': 1}}\n"
    folder.write({"default.cfg": f"[PROJECT]\nNAME = x\nMODULES = views\n[CELERY]\n{broker}", "views.py": VIEWS})
    yield folder


def shell(folder: Folder, code: str) -> str:
    result = folder.run("shell", stdin=f"import views\n{code}\n")
    assert result.returncode == 0 and not result.stderr, result.stderr
    return str(result.stdout)


def send_slow(folder: Folder, seconds: float = 60) -> None:
    shell(folder, f"_ = views.slow.delay('journal', {seconds})")


def wait_for(folder: Folder, journal: list[str]) -> None:
    wait_until(lambda: folder.lines("journal") == journal, f"{journal} in the journal")


def has_run(folder: Folder, journal: str) -> bool:
    return folder.lines(journal) == ["begun", "ended"]


# -- from a view to a worker and back ----------------------------------------------------------------------------


def test_a_task_sent_from_a_view_is_run_by_a_worker(project: Folder) -> None:
    port = free_port()
    server = project.start("server", "-p", str(port), log="server.log")
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: fetch(f"{url}/notes") or "Running" in project.read("server.log"), "the start of the server")
    # Sent before there is a worker, and kept.
    ident = wait_until(lambda: fetch(f"{url}/?text=one"), "the answer of the server")
    worker = project.worker()
    text, name, pid = eval(fetch(f"{url}/result/{ident}"))
    assert (text, name) == ("one", "app")
    assert pid not in (server.pid, os.getpid())
    fetch(f"{url}/result/{fetch(f'{url}/?text=two')}")
    assert fetch(f"{url}/notes") == "one two"
    assert worker.poll() is None


def test_a_task_that_fails_in_a_worker_is_rolled_back(project: Folder) -> None:
    project.worker()
    send = "r = views.fail.delay('x')\nr.get(timeout=30, propagate=False)\nr.status\n"
    out = shell(project, f"{send}views.Note.query.all()")
    assert out.splitlines() == ["KeyError('x')", "'FAILURE'", "[]"]


def test_messages_wait_for_a_worker_in_order(project: Folder) -> None:
    shell(project, "for n in range(5): _ = views.add.delay(str(n))")
    project.worker()
    wait_until(lambda: project.read().count("succeeded") == 5, "all tasks")
    assert shell(project, "[note.text for note in views.Note.query.order_by(views.Note.id)]").strip() == (
        "['0', '1', '2', '3', '4']"
    )


def test_further_arguments_go_to_celery(project: Folder) -> None:
    worker = project.start("worker", "--concurrency=2", "--pool", "threads", "-n", "mine@here", "-l", "INFO")
    wait_until(lambda: "mine@here ready" in project.read() or worker.poll() is not None, "the worker's start")
    assert "concurrency: 2 (thread)" in project.read()
    assert shell(project, "views.add.delay('x').get(timeout=30)[0]").strip() == "'x'"


# -- the end of a worker -----------------------------------------------------------------------------------------


def test_sigterm_lets_a_worker_finish_its_tasks(project: Folder) -> None:
    worker = project.worker()
    send_slow(project, 3)
    wait_for(project, ["begun"])
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(40) == 0
    assert project.lines("journal") == ["begun", "ended"]
    assert not list((project.path / ".flasker").glob("*.lock"))


@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_killing_a_worker_in_the_middle_of_a_task_loses_no_task(project: Folder, pool: str) -> None:
    worker = project.worker("--pool", pool)
    send_slow(project)
    shell(project, "for n in range(3): _ = views.slow.delay(f'other{n}', 0)")
    wait_for(project, ["begun"])
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    # Over Redis a worker takes over, when it starts, what was taken longer ago than visibility_timeout.
    time.sleep(2 if "redis" in project.read("default.cfg") else 0)
    project.write({"hurry": ""})
    project.worker(log="second.log")
    wait_for(project, ["begun", "begun", "ended"])
    for number in range(3):
        wait_until(partial(has_run, project, f"other{number}"), "the tasks behind it")


def test_a_second_worker_takes_over_from_one_that_is_killed(folder: Folder) -> None:
    # Over Redis that takes minutes: kombu looks for such messages at the start of a worker, and then rarely.
    folder.write({"default.cfg": "[PROJECT]\nNAME = x\nMODULES = views\n", "views.py": VIEWS})
    project = folder
    first = project.worker("-n", "first@here")
    send_slow(project)
    wait_for(project, ["begun"])
    project.worker("-n", "second@here", log="second.log")
    project.write({"hurry": ""})
    os.killpg(first.pid, signal.SIGKILL)
    wait_for(project, ["begun", "begun", "ended"])


def test_killing_the_process_that_runs_a_task_loses_no_task(project: Folder) -> None:
    worker = project.worker()
    send_slow(project)
    pid = int(wait_until(lambda: project.read("journal.pid"), "the begin of the task"))
    assert pid != worker.pid
    project.write({"hurry": ""})
    os.kill(pid, signal.SIGKILL)
    wait_for(project, ["begun", "begun", "ended"])


def test_a_task_that_is_being_run_is_not_run_by_another_worker(folder: Folder) -> None:
    folder.write({"default.cfg": "[PROJECT]\nNAME = x\nMODULES = views\n", "views.py": VIEWS})
    folder.worker("-n", "first@here")
    folder.worker("-n", "second@here", log="second.log")
    send_slow(folder, 6)
    wait_for(folder, ["begun", "ended"])
    time.sleep(1)
    assert folder.lines("journal") == ["begun", "ended"]


# -- brokers and databases that are not there --------------------------------------------------------------------


@pytest.fixture
def black_hole() -> Iterator[int]:
    """The port of a server that lets nobody connect, and tells nobody so."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = []
        for _ in range(4):
            probe = socket.socket()
            probe.setblocking(False)
            probe.connect_ex(server.getsockname())
            waiting.append(probe)
        yield server.getsockname()[1]
        for probe in waiting:
            probe.close()


@pytest.mark.parametrize("url", ["redis://:secret@127.0.0.1:{}/0", "amqp://me:secret@127.0.0.1:{}//"])
@pytest.mark.parametrize("kind", ["refusing", "silent"])
def test_a_broker_out_of_reach(folder: Folder, black_hole: int, url: str, kind: str) -> None:
    if url.startswith("redis"):
        pytest.importorskip("redis")
    port = black_hole if kind == "silent" else free_port()
    broker = url.format(port)
    folder.write({"default.cfg": f"[PROJECT]\nNAME = x\nMODULES = views\n[CELERY]\nBROKER_URL = {broker}\n",
                  "views.py": VIEWS})  # fmt: skip
    result = folder.run("worker")
    fails(result, f"127.0.0.1:{port}")
    assert "secret" not in result.stderr
    result = folder.run(
        "shell", stdin="import time, views\nbegun = time.time()\nviews.add.delay('x')\ntime.time() - begun < 10\n"
    )
    assert result.stdout.strip() == "True"
    assert "Error" in result.stderr
    server_port = free_port()
    server = folder.start("server", "-p", str(server_port))
    wait_until(lambda: "Running on" in folder.read() or server.poll() is not None, "the start of the server")
    assert server.poll() is None, folder.read()
    assert fetch(f"http://127.0.0.1:{server_port}/notes") == ""
    wait_until(lambda: '"GET /notes' in folder.read(), "the answer of the server")


def test_a_database_out_of_reach(folder: Folder, black_hole: int) -> None:
    pytest.importorskip("psycopg")
    for port in (free_port(), black_hole):
        url = f"postgresql+psycopg://me:secret@127.0.0.1:{port}/x?connect_timeout=2"
        folder.write({"default.cfg": f"[PROJECT]\nNAME = x\nDB_URL = {url}\n"})
        for command in ("server", "worker", "shell"):
            result = folder.run(command)
            fails(result, f"127.0.0.1:{port}", "cannot be reached")
            assert "secret" not in result.stderr
    assert [path.name for path in folder.path.iterdir()] == ["default.cfg"]


# -- Flower ------------------------------------------------------------------------------------------------------


def test_flower_shows_workers_and_tasks(project: Folder) -> None:
    pytest.importorskip("flower", reason="the extra flasker[flower] is not installed")
    project.worker("-n", "mine@here", "-E")
    port = free_port()
    flower = project.start("flower", "-p", str(port), "--inspect-timeout=3000", log="flower.log")
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: "mine@here" in fetch(f"{url}/workers") or flower.poll() is not None, "Flower's start")
    assert flower.poll() is None, project.read("flower.log")
    shell(project, "views.add.delay('x').get(timeout=30)")
    wait_until(lambda: "views.add" in fetch(f"{url}/tasks/datatable?draw=1&start=0&length=10&search[value]="
                                            "&order[0][column]=0&order[0][dir]=asc&columns[0][data]=name")
               or "views.add" in fetch(f"{url}/metrics"), "the task in Flower")  # fmt: skip


def test_flower_that_is_not_installed_names_the_extra(folder: Folder) -> None:
    folder.write({"default.cfg": "[PROJECT]\nNAME = x\n"})
    without = "import sys; sys.modules['flower'] = None\nfrom flasker.cli import main; main()"
    fails(folder.run("flower", program=("-c", without)), "flasker[flower]")
