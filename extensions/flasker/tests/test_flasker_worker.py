"""Workers: tasks between processes, over the embedded broker and over Redis, and brokers that are not there."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from conftest import PATIENCE, Folder, Start, free_port, wait_until
from flasker.broker.store import SWEEP_INTERVAL
from test_flasker_command import fails, fetch

pytestmark = pytest.mark.server

# Celery waits ten seconds for what a process of its pool may have said before it was killed.
CONF = "[PROJECT]\nNAME = x\nMODULES = views\n[CELERY]\nWORKER_LOST_WAIT = 0.5\n"
#: Seconds, as in flasker.tasks, but fewer.
FAST_REDIS = {"visibility_timeout": 2, "unacked_restore_interval": 0.5}
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
        end = time.monotonic() + seconds
        while time.monotonic() < end and not os.path.exists('hurry'):
            time.sleep(0.05)
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
def project(folder: Folder, request: pytest.FixtureRequest) -> Folder:
    """A project with tasks, on each kind of broker."""
    broker = ""
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        import redis

        with redis.Redis.from_url(url) as client:
            client.flushall()
        broker = f"BROKER_URL = {url}\nBROKER_TRANSPORT_OPTIONS = {FAST_REDIS}\n"
    folder.write({"default.cfg": f"{CONF}{broker}", "views.py": VIEWS})
    return folder


@pytest.fixture
def views(project: Folder, start: Start) -> Any:
    """The views of the project, which this process has started, too."""
    start(project.read("default.cfg"), views=VIEWS)
    return sys.modules["views"]


only_embedded = pytest.mark.parametrize("project", ["embedded"], indirect=True)


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


def test_a_task_that_fails_in_a_worker_is_rolled_back(project: Folder, views: Any) -> None:
    project.worker()
    result = views.fail.delay("x")
    assert repr(result.get(timeout=PATIENCE, propagate=False)) == "KeyError('x')"
    assert result.status == "FAILURE"
    assert views.Note.query.all() == []


def test_messages_wait_for_a_worker_in_order(project: Folder, views: Any) -> None:
    for number in range(5):
        views.add.delay(str(number))
    project.worker()
    wait_until(lambda: project.read().count("succeeded") == 5, "all tasks")
    assert [note.text for note in views.Note.query.order_by(views.Note.id)] == ["0", "1", "2", "3", "4"]


def test_further_arguments_go_to_celery(project: Folder, views: Any) -> None:
    worker = project.start("worker", "--concurrency=2", "--pool", "threads", "-n", "mine@here", "-l", "INFO")
    wait_until(lambda: "mine@here ready" in project.read() or worker.poll() is not None, "the worker's start")
    assert "concurrency: 2 (thread)" in project.read()
    assert views.add.delay("x").get(timeout=PATIENCE)[0] == "x"


@only_embedded
def test_the_shell_sends_tasks_and_gets_their_results(project: Folder) -> None:
    project.worker()
    result = project.run("shell", stdin="import views\nviews.add.delay('x').get(timeout=30)[0]\n")
    assert (result.returncode, result.stdout, result.stderr) == (0, "'x'\n", "")


# -- the end of a worker -----------------------------------------------------------------------------------------


def test_sigterm_lets_a_worker_finish_its_tasks(project: Folder, views: Any) -> None:
    worker = project.worker()
    views.slow.delay("journal", 60)
    wait_for(project, ["begun"])
    worker.send_signal(signal.SIGTERM)
    wait_until(lambda: "Warm shutdown" in project.read(), "the end of the worker")
    project.write({"hurry": ""})
    assert worker.wait(PATIENCE) == 0
    assert project.lines("journal") == ["begun", "ended"]
    locks = {path.name for path in (project.path / ".flasker").glob("*.lock")}
    assert len(locks) <= 1, "only this process, which has sent the task, may hold messages"


@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_killing_a_worker_in_the_middle_of_a_task_loses_no_task(project: Folder, views: Any, pool: str) -> None:
    worker = project.worker("--pool", pool)
    views.slow.delay("journal", 60)
    for number in range(3):
        views.slow.delay(f"other{number}", 0)
    wait_for(project, ["begun"])
    if "redis" in project.read("default.cfg") and pool == "prefork":
        # Redis forgets a message when it hands it out, so here those that the worker fetches at once have to be there.
        wait_until(lambda: project.read().count(" received") == 4, "four messages")
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    project.write({"hurry": ""})
    project.worker(log="second.log")
    wait_for(project, ["begun", "begun", "ended"])
    for number in range(3):
        wait_until(partial(has_run, project, f"other{number}"), "the tasks behind it")


def test_a_second_worker_takes_over_from_one_that_is_killed(project: Folder, views: Any) -> None:
    first = project.worker("-n", "first@here")
    views.slow.delay("journal", 60)
    wait_for(project, ["begun"])
    project.worker("-n", "second@here", log="second.log")
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    project.write({"hurry": ""})
    wait_for(project, ["begun", "begun", "ended"])


def test_killing_the_process_that_runs_a_task_loses_no_task(project: Folder, views: Any) -> None:
    worker = project.worker()
    views.slow.delay("journal", 60)
    pid = int(wait_until(lambda: project.read("journal.pid"), "the begin of the task"))
    assert pid != worker.pid
    os.kill(pid, signal.SIGKILL)
    project.write({"hurry": ""})
    wait_for(project, ["begun", "begun", "ended"])


@pytest.mark.parametrize(
    ("project", "pool", "seconds"),
    # Longer than it takes both workers to look twice for what a dead one has left behind.
    [("embedded", "prefork", 2.2 * SWEEP_INTERVAL), ("redis", "prefork", 5), ("redis", "solo", 5)],
    indirect=["project"],
)
def test_a_task_that_is_being_run_or_waits_is_not_run_by_another_worker(
    project: Folder, views: Any, pool: str, seconds: float
) -> None:
    workers = [
        project.start("worker", "--concurrency", "1", "--pool", pool, "-l", "INFO", "-n", f"{name}@here", log=name)
        for name in ("first", "second")
    ]
    wait_until(lambda: all(" ready." in project.read(name) for name in ("first", "second")), "the workers' start")
    waiting = views.slow.apply_async(("later", 0), countdown=seconds)
    views.slow.delay("journal", seconds).get(timeout=PATIENCE)
    waiting.get(timeout=PATIENCE)
    # In the order of its queue, so that nothing is left of the others when this is done.
    views.add.delay("x").get(timeout=PATIENCE)
    assert has_run(project, "journal") and has_run(project, "later")
    assert all(worker.poll() is None for worker in workers)


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
    port, server_port = black_hole if kind == "silent" else free_port(), free_port()
    folder.write({"default.cfg": f"{CONF}BROKER_URL = {url.format(port)}\n", "views.py": VIEWS})
    sending = "import time, views\nbegun = time.time()\nviews.add.delay('x')\ntime.time() - begun < 10\n"
    server = folder.start("server", "-p", str(server_port), log="server.log")
    with ThreadPoolExecutor() as pool:
        worker, shell = pool.submit(folder.run, "worker"), pool.submit(folder.run, "shell", stdin=sending)
    fails(worker.result(), f"127.0.0.1:{port}")
    assert "secret" not in worker.result().stderr
    assert shell.result().stdout.strip() == "True"
    assert "Error" in shell.result().stderr
    answer = partial(fetch, f"http://127.0.0.1:{server_port}/?missing=text")
    wait_until(lambda: answer() or server.poll() is not None, "the answer of the server")
    assert server.poll() is None, folder.read("server.log")
    assert fetch(f"http://127.0.0.1:{server_port}/notes") == ""
    assert '"GET /notes HTTP/1.1" 200' in folder.read("server.log")


def test_a_database_out_of_reach(folder: Folder, black_hole: int) -> None:
    pytest.importorskip("psycopg")
    ports, commands = {"refusing": free_port(), "silent": black_hole}, ("server", "worker", "shell")
    for kind, port in ports.items():
        url = f"postgresql+psycopg://me:secret@127.0.0.1:{port}/x?connect_timeout=2"
        folder.write({f"{kind}.cfg": f"[PROJECT]\nNAME = x\nDB_URL = {url}\n"})
    with ThreadPoolExecutor() as pool:
        results = {"silent": list(pool.map(partial(folder.run, "-c", "silent.cfg"), commands))}
    results["refusing"] = [folder.call("-c", "refusing.cfg", command) for command in commands]
    for kind, found in results.items():
        for result in found:
            fails(result, f"127.0.0.1:{ports[kind]}", "cannot be reached")
            assert "secret" not in result.stderr
    assert sorted(path.name for path in folder.path.iterdir()) == ["refusing.cfg", "silent.cfg"]


# -- Flower ------------------------------------------------------------------------------------------------------


def test_flower_shows_workers_and_tasks(project: Folder, views: Any) -> None:
    pytest.importorskip("flower", reason="the extra flasker[flower] is not installed")
    project.worker("-n", "mine@here", "-E")
    port = free_port()
    flower = project.start("flower", "-p", str(port), "--inspect-timeout=3000", log="flower.log")
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: "mine@here" in fetch(f"{url}/workers") or flower.poll() is not None, "Flower's start")
    assert flower.poll() is None, project.read("flower.log")
    views.add.delay("x").get(timeout=PATIENCE)
    wait_until(lambda: "views.add" in fetch(f"{url}/tasks/datatable?draw=1&start=0&length=10&search[value]="
                                            "&order[0][column]=0&order[0][dir]=asc&columns[0][data]=name")
               or "views.add" in fetch(f"{url}/metrics"), "the task in Flower")  # fmt: skip


def test_flower_that_is_not_installed_names_the_extra(folder: Folder) -> None:
    folder.write({"default.cfg": "[PROJECT]\nNAME = x\n"})
    without = "import sys; sys.modules['flower'] = None\nfrom flasker.cli import main; main()"
    fails(folder.run("flower", program=("-c", without)), "flasker[flower]")
