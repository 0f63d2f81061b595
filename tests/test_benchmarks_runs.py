"""The benchmarks: workers, turns, the command, the load generator, and the costs by the piece."""

from __future__ import annotations

import dataclasses
import json
import sys
import threading
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))  # the benchmarks are not installed

import microflask
from benchmarks import __main__ as command
from benchmarks import (
    checks,
    environment,
    inprocess,
    load,
    material,
    memory,
    over_http,
    scale,
    scale_costs,
    serve,
    startup,
    stats,
    worker,
)
from benchmarks.checks import WrongAnswer
from benchmarks.contenders import CONTENDERS, SUBJECT, WITH_VARIANTS
from benchmarks.scale_costs import Cost
from benchmarks.wire import Ask, caller
from benchmarks.workloads import WORKLOADS

App = Callable[..., Any]
HTML = ("Content-Type", "text/html; charset=utf-8")


@pytest.fixture
def lab(tmp_path: Path) -> environment.Lab:
    return environment.Lab(Path(sys.executable), tmp_path, {"microflask": "1.0", "flask": "3.1", "python": "3.11"})


def reply(body: bytes, *headers: tuple[str, str], status: str = "200 OK") -> App:
    """Return an application that has the same answer for everything."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return app


# -- a worker


def test_the_bench_tells_what_is_not_offered_and_what_is_wrong() -> None:
    bench = worker.Bench(reply(b"Hello, World!", HTML), {"async": "no async views"})
    assert bench.prove("async") == {"not offered": "no async views"}
    assert "the body" in bench.prove("parameter")["wrong"]
    assert bench.prove("hello") == {}
    assert list(bench.asks) == ["hello"]


def test_the_bench_tells_of_an_application_that_raises() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise RuntimeError("out of order")

    assert "RuntimeError: out of order" in worker.Bench(app, {}).prove("hello")["wrong"]


def test_the_bench_times_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "WARM_UP_NS", 1000)
    bench = worker.Bench(reply(b"Hello, World!", HTML), {})
    bench.prove("hello")
    bench.warm_up("hello")
    figures = bench.time("hello", 0.01, 3)
    assert len(figures) == 3
    assert all(figure > 0 for figure in figures)


def test_the_bench_does_not_take_changing_statuses() -> None:
    calls = [0]

    def app(environ: Any, start_response: Any) -> Any:
        calls[0] += 1
        return reply(b"Hello, World!", HTML, status="200 OK" if calls[0] < 4 else "503 BUSY")(environ, start_response)

    bench = worker.Bench(app, {})
    assert bench.prove("hello") == {}
    bench.pace["hello"] = 4 / 1e6
    with pytest.raises(WrongAnswer, match=r"200 OK.*503 BUSY"):
        bench.time("hello", 1.0, 1)


# -- turns


class FakeWorker(inprocess.Worker):
    """Answer without a process, and write down what was asked."""

    def __init__(self, name: str, diary: list[tuple[str, str, str]], wrong: str = "", ends: bool = False) -> None:
        self.name, self.diary, self.wrong, self.ends = name, diary, wrong, ends

    def ask(self, do: str, key: str, **more: Any) -> dict[str, Any]:
        self.diary.append((self.name, do, key))
        if self.ends and do == "time":
            raise inprocess.WorkerGone(f"{self.name} ended")
        if do == "prove":
            return {"wrong": self.wrong} if self.wrong else {}
        return {"figures": [1.0, 2.0]}


EFFORT = inprocess.Effort(1, 2)


@pytest.mark.parametrize(("number", "order"), [(0, "abc"), (1, "bca"), (2, "cab"), (3, "abc")])
def test_everybody_begins_a_round_once(number: int, order: str) -> None:
    assert inprocess.turns(list("abc"), number) == list(order)


def test_nobody_has_no_turns() -> None:
    assert inprocess.turns([], 3) == []


def test_rounds_are_interleaved_and_wrong_applications_are_not_timed() -> None:
    diary: list[tuple[str, str, str]] = []
    workers: dict[str, inprocess.Worker] = {
        "microflask": FakeWorker("microflask", diary), "flask": FakeWorker("flask", diary),
        "bottle": FakeWorker("bottle", diary, wrong="the body is wrong"),
    }  # fmt: skip
    timings = inprocess.Timings()
    session = inprocess.InProcess(timings, workers, [WORKLOADS["hello"]])
    session.prove()
    session.round(0, EFFORT)
    session.round(1, EFFORT)
    assert [name for name, do, _ in diary if do == "time"] == ["microflask", "flask", "flask", "microflask"]
    assert timings.wrong == ["bottle, hello, text: the body is wrong"]
    assert timings.samples == {"hello": {"microflask": [1.0, 2.0] * 2, "flask": [1.0, 2.0] * 2}}


def test_a_worker_that_ends_is_noted_and_the_others_go_on() -> None:
    diary: list[tuple[str, str, str]] = []
    workers: dict[str, inprocess.Worker] = {
        "falcon": FakeWorker("falcon", diary, ends=True), "flask": FakeWorker("flask", diary),
    }  # fmt: skip
    timings = inprocess.Timings()
    session = inprocess.InProcess(timings, workers, [WORKLOADS["hello"]])
    session.prove()
    session.round(0, EFFORT)
    session.round(1, EFFORT)
    assert timings.wrong == ["falcon ended"]
    assert timings.samples["hello"] == {"falcon": [], "flask": [1.0, 2.0] * 2}
    assert stats.rows(timings.samples, {"hello": "hello"})[0].figures == {"flask": 1.0}


def test_timings_keep_what_is_not_offered_apart() -> None:
    timings = inprocess.Timings()
    assert not timings.note("links", "falcon", {"not offered": "no URLs"})
    assert timings.not_offered == {"links": {"falcon": "no URLs"}}
    assert (timings.samples, timings.wrong) == ({}, [])


@pytest.mark.server
def test_a_real_worker_proves_and_times(tmp_path: Path) -> None:
    lab = environment.Lab(Path(sys.executable), tmp_path)
    material.write_assets(lab.assets)
    effort = inprocess.Effort(1, 1, milliseconds=0.1, batches=2)
    workloads = [WORKLOADS["hello"], WORKLOADS["hooks"]]
    timings = inprocess.measure(lab, ["microflask"], workloads, effort, lambda text: None)
    assert timings.wrong == []
    assert {key: len(row["microflask"]) for key, row in timings.samples.items()} == {"hello": 2, "hooks": 2}


@pytest.mark.server
def test_a_worker_that_cannot_start_is_reported(tmp_path: Path) -> None:
    lab = environment.Lab(Path(sys.executable), tmp_path)
    process = inprocess.Worker(lab, "microflask", "no-such-site", 0)
    with process, pytest.raises(inprocess.WorkerGone, match="no-such-site"):
        process.ask("prove", "hello")


# -- the plan and the command


def test_without_words_everything_is_planned() -> None:
    plan = command.make_plan([], [], quick=False)
    assert {each.key for each in (*plan.calls, *plan.variants)} == set(WORKLOADS)
    assert plan.startup and plan.http
    assert plan.names == list(CONTENDERS)
    assert list(plan.counts) == [1000, 10_000]


def test_a_quick_plan_leaves_out_the_largest_application() -> None:
    plan = command.make_plan([], [], quick=True)
    assert "routes-10000" not in {each.site for each in plan.calls}
    assert list(plan.counts) == [1000]


def test_words_choose_sections_and_beginnings_of_workloads() -> None:
    plan = command.make_plan(["json", "http"], ["flask"], quick=False)
    assert [each.key for each in plan.calls] == ["json", "json-rows", "json-echo"]
    assert (plan.variants, plan.startup, plan.http) == ([], False, True)
    assert plan.names == [SUBJECT, "flask"]


@pytest.mark.parametrize(("only", "peers"), [(["nonsense"], []), ([], ["cherrypy"])])
def test_a_word_that_means_nothing_is_an_error(only: list[str], peers: list[str]) -> None:
    with pytest.raises(command.PlanError, match=r"nonsense|cherrypy"):
        command.make_plan(only, peers, quick=False)


def test_the_list_names_sections_and_workloads(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in (*command.SECTIONS, *WORKLOADS))


def test_an_unknown_word_is_told_before_anything_is_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environment, "prepare", lambda say: pytest.fail("it was prepared"))
    assert command.main(["--only", "nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err


@pytest.mark.parametrize(("wrong", "status"), [([], 0), (["bottle, hello: the body is wrong"], 1)])
def test_the_command_writes_tables_figures_and_plot(
    wrong: list[str], status: int, lab: environment.Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    timings = inprocess.Timings({"hello": {"microflask": [2.0, 3.0], "flask": [30.0]}}, wrong=list(wrong))
    monkeypatch.setattr(environment, "prepare", lambda say: lab)
    monkeypatch.setattr(inprocess, "measure", lambda *arguments: timings)
    files = [tmp_path / "figures.json", tmp_path / "plot.svg"]
    words = ["--only", "hello", "--json", str(files[0]), "--svg", str(files[1])]
    assert command.main(words) == status
    text = capsys.readouterr().out
    assert "15.0" in text
    assert ("## Wrong answers" in text) is bool(wrong)
    document = json.loads(files[0].read_text())
    assert document["sections"]["In process"][0]["microflask/best"] == pytest.approx(2 / 30)
    assert document["samples"]["In process"]["hello"]["microflask"] == [2.0, 3.0]
    assert ElementTree.fromstring(files[1].read_text()).tag.endswith("svg")


# -- the environment


def test_the_environment_is_below_the_cache_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BENCHMARKS_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert environment.cache_folder() == tmp_path / "microflask-benchmarks"
    monkeypatch.setenv("BENCHMARKS_CACHE", str(tmp_path / "other"))
    assert environment.cache_folder() == tmp_path / "other"


def test_measured_processes_get_the_checkout_and_the_same_hashes(lab: environment.Lab) -> None:
    variables = lab.variables(3, {"BENCHMARKS_SITE": "main"})
    assert variables["PYTHONHASHSEED"] == "3"
    assert Path(variables["PYTHONPATH"]) == environment.CHECKOUT
    assert variables["BENCHMARKS_SITE"] == "main"


def test_what_cannot_be_installed_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BENCHMARKS_CACHE", str(tmp_path))
    monkeypatch.setattr("venv.EnvBuilder.create", lambda self, home: None)
    monkeypatch.setattr(environment, "_install", lambda *arguments: "no network")
    with pytest.raises(environment.SetupFailed, match="no network"):
        environment.prepare(lambda text: None)


def test_memory_is_positive_and_its_highest_mark_is_above() -> None:
    assert 0 < memory.resident() <= memory.highest() * 1.05


# -- start and registration


@pytest.mark.parametrize("count", [2, 40])
def test_registration_is_measured_with_a_right_answer(count: int, tmp_path: Path) -> None:
    figures = startup.measure_routes("microflask", count, tmp_path)
    assert set(figures) == {"register", "ready", "grown"}
    assert figures["ready"] > figures["register"] > 0


@pytest.mark.server
def test_a_program_that_fails_is_reported_and_left_out(lab: environment.Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = dataclasses.replace(CONTENDERS["bottle"], program="raise RuntimeError('out of order')")
    monkeypatch.setitem(CONTENDERS, "bottle", broken)
    wrong: list[str] = []
    samples = startup.imports(lab, ["microflask", "bottle"], 1, lambda text: None, wrong)
    assert list(samples["import"]) == list(samples["memory"]) == ["microflask"]
    assert len(wrong) == 1 and "out of order" in wrong[0]


# -- load

RIGHT = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: now\r\n\r\nhello"


def test_the_right_answer_is_complete_when_its_last_byte_is_there() -> None:
    wanted = load.Wanted(200, b"hello")
    assert [wanted.complete(RIGHT[:end]) for end in (0, 20, len(RIGHT) - 1, len(RIGHT))] == [False, False, False, True]
    assert wanted.size == len(RIGHT)
    assert wanted.complete(RIGHT)
    assert wanted.keeps_open


@pytest.mark.parametrize("change", [(b"200 OK", b"500 NO"), (b"hello", b"hullo"), (b"Length: 5", b"Length: 4")])
def test_a_wrong_first_answer_under_load_is_an_error(change: tuple[bytes, bytes]) -> None:
    with pytest.raises(WrongAnswer):
        load.Wanted(200, b"hello").complete(RIGHT.replace(*change))


@pytest.mark.parametrize("change", [(b"200 OK", b"500 NO"), (b"hello", b"hullo"), (b"Length: 5", b"Length: 55")])
def test_a_wrong_later_answer_under_load_is_an_error(change: tuple[bytes, bytes]) -> None:
    wanted = load.Wanted(200, b"hello")
    assert wanted.complete(RIGHT)
    with pytest.raises(WrongAnswer):
        wanted.complete(RIGHT.replace(*change))


@pytest.mark.parametrize("change", [(b"Date: now", b"Connection: close"), (b"HTTP/1.1", b"HTTP/1.0")])
def test_a_server_that_closes_is_noticed(change: tuple[bytes, bytes]) -> None:
    wanted = load.Wanted(200, b"hello")
    assert wanted.complete(RIGHT.replace(*change))
    assert not wanted.keeps_open


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a server that says hello, and closes each connection."""
    with make_server("127.0.0.1", 0, reply(b"hello", HTML), handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.server
def test_the_generator_counts_right_answers(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "WARM_UP_SECONDS", 0.02)
    got = load.drive(port, Ask("/").message("here"), load.Wanted(200, b"hello"), 0.2, connections=3)
    assert got.rate > 0
    assert got.busy > 0


@pytest.mark.server
def test_the_generator_stops_at_a_wrong_answer(port: int) -> None:
    with pytest.raises(WrongAnswer, match="hello"):
        load.drive(port, Ask("/").message("here"), load.Wanted(200, b"hullo"), 0.2, connections=3)


@pytest.mark.parametrize("kind", over_http.KINDS)
def test_servers_listen_where_they_are_told(kind: str) -> None:
    words = serve.command(kind, 8123)
    assert words[:3] == [sys.executable, "-m", kind]
    assert any("8123" in word for word in words)
    assert words[-1] == serve.TARGET


class FakeServer(over_http.Server):
    def __init__(self, name: str, wrong: bool = False) -> None:
        self.name, self.port, self.asks, self.wrong = name, 1, {}, wrong

    def wait(self) -> None:
        if self.wrong:
            raise WrongAnswer("the server did not start")

    def prove(self, workload: Any) -> None:
        self.asks[workload.key] = (self.name.encode(), load.Wanted(200, b""))


def test_servers_take_turns_and_the_busiest_moment_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    diary: list[bytes] = []

    def drive(port: int, message: bytes, wanted: load.Wanted, seconds: float) -> load.Load:
        diary.append(message)
        return load.Load(100.0 * len(diary), 0.1 * len(diary))

    monkeypatch.setattr(over_http, "drive", drive)
    servers: dict[str, over_http.Server] = {
        "microflask": FakeServer("microflask"),
        "flask": FakeServer("flask"),
        "bottle": FakeServer("bottle", wrong=True),
    }
    rates = over_http.Rates()
    session = over_http.OverHTTP(rates, "granian", servers, [WORKLOADS["hello"]])
    session.prove()
    session.round(0, 1.0)
    session.round(1, 1.0)
    assert diary == [b"microflask", b"flask", b"flask", b"microflask"]
    assert rates.samples == {"granian": {"hello": {"microflask": [100.0, 400.0], "flask": [200.0, 300.0]}}}
    assert rates.busy == pytest.approx(0.4)
    assert rates.wrong == ["bottle: the server did not start"]


# -- scale


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make little of everything that scale measures much of."""
    for name, value in {"ROUTES": 20, "BLUEPRINTS": 500, "HOOKS": 3, "RECEIVERS": 3, "MEGABYTES": 3, "CONTEXTS": 5,
                        "ROWS": 50}.items():  # fmt: skip
        monkeypatch.setattr(scale_costs, name, value)
    monkeypatch.setattr(scale_costs, "request_us", quick_request)


def quick_request(app: Any, ask: Ask = Ask("/"), text: str = material.HELLO) -> float:  # noqa: B008 - frozen
    checks.page(text)(caller(app)(ask))
    return 1.0


@pytest.mark.parametrize("subject", scale_costs.SUBJECTS)
@pytest.mark.usefixtures("small")
def test_each_subject_answers_rightly_and_tells_a_cost_by_the_piece(subject: str) -> None:
    if subject == "uploads" and metadata.version("werkzeug") < "3.1.9":
        pytest.skip("older werkzeug appends two bytes to such an upload")
    costs = scale_costs.SUBJECTS[subject][1](microflask)
    assert costs
    assert all(" per " in cost.unit for cost in costs)


def test_an_upload_is_sent_without_being_in_memory() -> None:
    body = scale_costs.Sending(b"head", 2, b"tail")
    content = body.read()
    assert len(content) == body.size
    assert content == b"head" + scale_costs.Sending.block * 2 + b"tail"


def test_the_least_of_the_rounds_counts() -> None:
    first = [Cost("a", 3.0, "us per x"), Cost("b", None, "us per x")]
    second = [Cost("a", 2.0, "us per x"), Cost("b", None, "us per x")]
    assert scale.least([first, second]) == second


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (-0.2, "0.00 us"), (1.234, "1.23 us"), (12.34, "12.3 us"), (1234.5, "1234 us")],
)
def test_costs_are_shown_with_their_unit(value: float | None, text: str) -> None:
    assert scale.amount(Cost("a", value, "us")) == text


def test_the_scale_table_has_both_and_their_ratio() -> None:
    text = scale.section("much", {"microflask": [Cost("a", 1.0, "us")], "flask": [Cost("a", 4.0, "us")]})
    assert [cell.strip() for cell in text.splitlines()[4].split("|")[1:-1]] == ["a", "1.00 us", "4.00 us", "0.25"]


def test_the_page_of_scale_has_a_table_for_each_subject() -> None:
    results = {"hooks": {"microflask": [Cost("before", 100.0, "ns per function")],
                         "flask": [Cost("before", 1000.0, "ns per function")]}}  # fmt: skip
    text = scale.page(results, {"microflask": "0.1", "flask": "3.1", "python": "3.13"}, "Linux")
    assert text.count(".. csv-table:: 100 hooks of each kind") == 1
    assert '   "before", "100 ns per function", "1000 ns per function", "0.10"' in text


def test_a_subject_that_fails_is_told_and_the_others_go_on(
    lab: environment.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(lab: environment.Lab, subject: str, package: str) -> list[Cost]:
        if package == "flask":
            raise RuntimeError("flask, hooks: out of order")
        return [Cost("a", 1.0, "us per x")]

    monkeypatch.setattr(scale, "measure", measure)
    results, wrong = scale.run(lab, ["hooks"], 2, lambda text: None)
    assert results == {"hooks": {"microflask": [Cost("a", 1.0, "us per x")]}}
    assert wrong == ["flask, hooks: out of order"] * 2
    assert "-" in scale.section("hooks", results["hooks"])


def test_variants_are_for_contenders() -> None:
    assert set(WITH_VARIANTS) <= set(CONTENDERS)
