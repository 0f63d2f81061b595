"""The benchmarks: their arithmetic, tables and plot, and that a wrong answer is never timed."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.validate import validator
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))  # the benchmarks are not installed

from benchmarks import chart, checks, material, report, stats, worker
from benchmarks.apps.flask_family import make
from benchmarks.checks import WrongAnswer
from benchmarks.contenders import CONTENDERS
from benchmarks.stats import Row
from benchmarks.wire import Answer, Ask, ErrorLog, caller
from benchmarks.workloads import OVER_HTTP, WORKLOADS

App = Callable[..., Any]
HTML = ("Content-Type", "text/html; charset=utf-8")


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets")
    material.write_assets(folder)
    return folder


def reply(body: bytes, *headers: tuple[str, str], status: str = "200 OK") -> App:
    """Return an application that has the same answer for everything."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return app


def answer(body: bytes = b"text", status: int = 200, **headers: str) -> Answer:
    pairs = {"content_type": "text/html; charset=utf-8", "content_length": str(len(body))} | headers
    return Answer(status, tuple((name.replace("_", "-"), value) for name, value in pairs.items()), body)


# -- arithmetic


def test_the_fastest_sample_counts() -> None:
    assert stats.fastest({"flask": [3.0, 2.0, 9.0], "bottle": []}) == {"flask": 2.0}


@pytest.mark.parametrize(("values", "mean"), [([4.0, 9.0], 6.0), ([0.5, 2.0], 1.0), ([7.0], 7.0)])
def test_geometric_mean(values: list[float], mean: float) -> None:
    assert stats.geometric_mean(values) == pytest.approx(mean)


def test_nothing_has_no_mean_and_no_scatter() -> None:
    assert stats.geometric_mean([]) is None
    assert stats.scatter([{}, {"flask": []}]) is None


def test_scatter_is_that_of_the_typical_cell() -> None:
    samples = [{"flask": [1.0, 1.0, 1.0], "falcon": [1.0, 1.1, 1.2]}, {"flask": [2.0, 4.0, 4.0]}]
    assert stats.scatter(samples) == pytest.approx(0.1)


def test_a_row_of_times_compares_by_the_least() -> None:
    row = Row("hello", "hello", {"microflask": 2.0, "flask": 40.0, "falcon": 4.0})
    assert row.best == ("falcon", 4.0)
    assert row.against_best == 0.5
    assert row.times_subject("flask") == 20.0
    assert row.times_subject("bottle") is None


def test_a_row_of_rates_compares_by_the_most() -> None:
    row = Row("hello", "hello", {"microflask": 900.0, "flask": 100.0, "falcon": 600.0}, more_is_better=True)
    assert row.best == ("falcon", 600.0)
    assert row.against_best == 1.5
    assert row.times_subject("flask") == 9.0


@pytest.mark.parametrize("figures", [{}, {"microflask": 1.0}, {"flask": 1.0}])
def test_a_row_without_both_sides_has_no_ratio(figures: dict[str, float]) -> None:
    assert Row("hello", "hello", figures).against_best is None


def test_rows_keep_the_order_of_the_titles_and_leave_out_what_was_not_measured() -> None:
    rows = stats.rows({"b": {"flask": [1.0]}, "a": {"flask": [2.0]}, "c": {}}, {"a": "A", "b": "B", "c": "C"})
    assert [(row.key, row.title, row.figures["flask"]) for row in rows] == [("a", "A", 2.0), ("b", "B", 1.0)]


# -- tables and notes


def test_a_table_is_aligned_markdown() -> None:
    lines = report.table(["", "Flask"], [["hello", "1.50"], ["a longer one", "-"]]).splitlines()
    assert lines[1] == "| ------------ | ----: |"
    assert lines[3] == "| a longer one |     - |"
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (0.654, "0.65"), (12.34, "12.3"), (250.4, "250")])
def test_ratios_have_the_digits_that_mean_something(value: float | None, text: str) -> None:
    assert report.ratio(value) == text


def test_ratios_show_a_gap_where_nothing_is_offered_and_take_means_of_shared_rows_only() -> None:
    rows = [
        Row("hello", "hello", {"microflask": 1.0, "flask": 8.0, "bottle": 2.0}),
        Row("json", "JSON", {"microflask": 1.0, "flask": 2.0, "bottle": 8.0}),
        Row("async", "async", {"microflask": 1.0, "flask": 1000.0}),
    ]
    lines = report.ratios("In process", rows, "What it means.").splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    assert cells[0] == ["", "Flask", "Bottle", "best peer", "microflask / best"]
    assert cells[4] == ["async", "1000", "-", "Flask", "0.00"]
    assert cells[5][1:3] == ["4.00", "4.00"]
    assert "2 of 3 rows" in cells[5][0]


def test_footnotes_name_versions_gaps_additions_and_wrong_answers() -> None:
    text = report.footnotes({"flask": "3.1.3"}, "a machine", 0.05, ["links", "session-read"], ["bottle, hello: no"])
    assert "flask 3.1.3" in text
    assert "5% above" in text
    assert "Falcon does not offer: links (it does not build URLs)." in text
    assert "session-read (no sessions: itsdangerous)" in text
    assert "async" not in text
    assert text.endswith("## Wrong answers\n\n- bottle, hello: no\n")


def test_gaps_and_additions_are_told_of_workloads_that_exist() -> None:
    for contender in CONTENDERS.values():
        assert set(contender.not_offered) | set(contender.by_hand) <= set(WORKLOADS)


# -- the plot


def drawn(*rows: Row) -> ElementTree.Element:
    return ElementTree.fromstring(chart.plot([("In process", rows)], {"python": "3.13", "flask": "3.1.3"}))


def dots(svg: ElementTree.Element) -> list[float]:
    namespace = "{http://www.w3.org/2000/svg}"
    return [float(dot.attrib["cx"]) for dot in svg.iter(f"{namespace}circle") if float(dot.attrib["cy"]) > chart.TOP]


def test_the_plot_is_well_formed_whatever_the_titles_hold() -> None:
    svg = drawn(Row("x", 'a < b & "c"', {"microflask": 1.0, "flask": 3.0}))
    assert 'a < b & "c"' in [element.text for element in svg.iter()]
    assert svg.attrib["viewBox"].split()[2] == str(chart.WIDTH)


def test_the_plot_has_a_dot_for_each_peer_right_of_the_line_when_it_is_slower() -> None:
    svg = drawn(Row("x", "x", {"microflask": 2.0, "flask": 20.0, "falcon": 1.0}))
    left, right_one = sorted(dots(svg))
    line = next(float(each.attrib["x1"]) for each in svg.iter() if each.attrib.get("stroke-width") == "2"
                and float(each.attrib["y1"]) > 80)  # fmt: skip
    assert left < line < right_one
    assert all(chart.LEFT <= x <= chart.WIDTH - chart.RIGHT for x in (left, line, right_one))


def test_the_plot_turns_rates_around() -> None:
    times = drawn(Row("x", "x", {"microflask": 1.0, "flask": 4.0}))
    rates = drawn(Row("x", "x", {"microflask": 400.0, "flask": 100.0}, more_is_better=True))
    assert dots(times) == dots(rates)


def test_a_plot_of_nothing_is_still_a_picture() -> None:
    assert ElementTree.fromstring(chart.plot([("empty", [])], {})).tag.endswith("svg")


def test_each_contender_has_a_colour() -> None:
    assert set(chart.COLOURS) == set(CONTENDERS)


# -- what travels


def test_an_environ_is_what_wsgi_asks_for() -> None:
    app = validator(reply(b"hello", ("Content-Type", "text/plain")))
    got = caller(app)(Ask("/a", "b=c", headers=(("X-Y", "z"),)))
    assert (got.status, got.body, got.header("content-type")) == (200, b"hello", "text/plain")


def test_an_ask_has_a_new_body_each_time() -> None:
    ask = Ask("/", method="POST", body=b"abc", content_type="text/plain")
    first, second = ask.environ(), ask.environ()
    assert first["wsgi.input"].read() == b"abc"
    assert second["wsgi.input"].read() == b"abc"
    assert (first["CONTENT_LENGTH"], first["CONTENT_TYPE"]) == ("3", "text/plain")


def test_an_ask_as_bytes() -> None:
    ask = Ask("/a", "b=c", method="POST", body=b"abc", headers=(("X-Y", "z"),))
    head, _, body = ask.message("here:1").partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[:2] == [b"POST /a?b=c HTTP/1.1", b"Host: here:1"]
    assert {b"X-Y: z", b"Content-Length: 3"} <= set(lines)
    assert body == b"abc"


def test_the_caller_counts_pieces_and_closes_the_body() -> None:
    closed = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield from (b"a", b"", b"b")

        def close(self) -> None:
            closed.append(True)

    def app(environ: Any, start_response: Any) -> Body:
        start_response("200 OK", [])
        return Body()

    got = caller(app)(Ask("/"))
    assert (got.body, got.pieces, closed) == (b"ab", 2, [True])


def test_the_log_forgets_what_is_long_ago() -> None:
    log = ErrorLog()
    for _ in range(3000):
        log.write("ten bytes\n")
    assert len(log.text) == log.limit
    assert log.text.endswith("ten bytes\n")


# -- checks


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (checks.page("text"), answer()),
        (checks.page("text", 500), answer(status=500)),
        (checks.document({"a": 1}), answer(b'{"a":1}\n', content_type="application/json")),
        (checks.file(b"text", "text/css"), answer(content_type="text/css; charset=utf-8", etag='"1"')),
        (checks.empty(304), Answer(304, (), b"")),
        (checks.refused(404), answer(b"whatever", 404)),
        (checks.with_header(checks.page("text"), "X-Seen", "yes"), answer(x_seen="yes")),
        (checks.with_header(checks.page("text"), "X-Seen", None), answer()),
    ],
)
def test_a_check_takes_the_right_answer(check: checks.Check, good: Answer) -> None:
    assert check(good) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("check", "bad", "about"),
    [
        (checks.page("text"), answer(b"other"), "the body"),
        (checks.page("text"), answer(status=201), "the status"),
        (checks.page("text"), answer(content_type="text/plain; charset=utf-8"), "Content-Type"),
        (checks.page("text"), answer(content_type="text/html"), "Content-Type"),
        (checks.page("text"), answer(content_length="3"), "Content-Length"),
        (checks.page("text", pieces=2), Answer(200, (HTML,), b"text", 1), "pieces"),
        (checks.document([1]), answer(b"[2]", content_type="application/json"), "the document"),
        (checks.document([1]), answer(b"[1", content_type="application/json"), "not JSON"),
        (checks.document([1]), answer(b"[1]"), "media type"),
        (checks.file(b"text", "text/css"), answer(content_type="text/css"), "neither ETag nor Last-Modified"),
        (checks.empty(304), Answer(304, (), b"text"), "the body"),
        (checks.refused(404), answer(), "the status"),
        (checks.with_header(checks.page("text"), "X-Seen", "yes"), answer(), "X-Seen"),
        (checks.with_header(checks.page("text"), "Set-Cookie", None), answer(set_cookie="a=b"), "Set-Cookie"),
    ],
)
def test_a_check_refuses_a_wrong_answer(check: checks.Check, bad: Answer, about: str) -> None:
    with pytest.raises(WrongAnswer, match=about):
        check(bad)


def test_the_cookie_must_be_set_and_kept_from_scripts() -> None:
    assert checks.cookie(answer(set_cookie="session=abc; HttpOnly; Path=/")) == "session=abc"
    with pytest.raises(WrongAnswer, match="lacks"):
        checks.cookie(answer(set_cookie="session=abc; Path=/"))
    with pytest.raises(WrongAnswer, match="no cookie"):
        checks.cookie(answer(set_cookie="other=abc"))


# -- workloads

FAST = [key for key, each in WORKLOADS.items() if each.site != "routes-10000"]


@pytest.mark.parametrize("key", FAST)
def test_microflask_answers_the_workload_rightly(key: str, assets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # pytest's handlers on the root logger would do instead of the one that writes to wsgi.errors.
    monkeypatch.setattr(logging.getLogger("benchmark"), "propagate", False)
    app = make("microflask", WORKLOADS[key].site, assets)
    ask = WORKLOADS[key].prepare(caller(app))
    _, statuses = worker.spend(app, [ask.environ() for _ in range(3)])
    assert len(statuses) == 1


@pytest.mark.parametrize("key", WORKLOADS)
@pytest.mark.parametrize(
    "app",
    [
        reply(b"", HTML),
        reply(b"Hello!", HTML),
        reply(b"{}", ("Content-Type", "application/json")),
        reply(b"Hello, World!", HTML, status="500 INTERNAL SERVER ERROR"),
    ],
    ids=["empty", "another text", "another document", "a failure"],
)
def test_no_workload_takes_a_wrong_application(key: str, app: App) -> None:
    with pytest.raises(WrongAnswer):
        WORKLOADS[key].prepare(caller(app))


def test_a_remembered_answer_is_found_out() -> None:
    with pytest.raises(WrongAnswer, match="planet 7"):
        WORKLOADS["parameter"].prepare(caller(reply(b"planet 42", HTML)))


def test_a_session_that_believes_a_forged_cookie_is_found_out() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        _, _, sent = environ.get("HTTP_COOKIE", "").partition("session=")
        count = str(len(sent.split(".")[0]) + 1)
        token = "B" * int(count) + ".a-signature-that-nobody-looks-at"
        cookie = ("Set-Cookie", f"session={token}; HttpOnly; Path=/")
        return reply(count.encode(), HTML, cookie)(environ, start_response)

    with pytest.raises(WrongAnswer, match="the body"):
        WORKLOADS["session-write"].prepare(caller(app))


def test_an_exception_without_a_traceback_in_the_log_is_found_out() -> None:
    app = reply(material.BROKEN.encode(), HTML, status="500 INTERNAL SERVER ERROR")
    with pytest.raises(WrongAnswer, match="not logged"):
        WORKLOADS["error-logged"].prepare(caller(app))


def test_the_http_workloads_exist() -> None:
    assert set(OVER_HTTP) <= set(WORKLOADS)
