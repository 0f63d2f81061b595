"""An application that does everything gives a valid answer to every hostile request, and nothing is left behind."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hostile import Flaw, check, demand, make_app, make_environ, run, sign_session

#: In CI: HOSTILE_REQUESTS=20000 for each mode and configuration.
COUNT = int(os.environ.get("HOSTILE_REQUESTS", "334"))
CONFIGURATIONS: list[dict[str, Any]] = [
    {}, {"SERVER_NAME": "x.org", "TRUSTED_HOSTS": [".x.org", "localhost"], "APPLICATION_ROOT": "/root"},
]  # fmt: skip


@pytest.mark.parametrize("config", CONFIGURATIONS, ids=["any host", "one host"])
@pytest.mark.parametrize("mode", ["documented", "0.10", "3.1"])
def test_hostile_requests_get_valid_answers(mode: str, config: dict[str, Any], tmp_path: Path) -> None:
    app = make_app(mode, tmp_path, **config)
    valid = sign_session(app)
    with warnings.catch_warnings():
        # String templates that are not escaped, open files: Flask 0.10's ways, of which it is warned.
        warnings.filterwarnings("ignore", r"(render_template_string|send_file)\(\)")
        statuses = Counter(run(app, seed, valid)[:3] for seed in range(COUNT))
    # They are not all turned away at the door.
    assert {"200", "400", "404", "405", "413"} <= set(statuses) or "TRUSTED_HOSTS" in config
    assert statuses["200"] > COUNT // 20


def test_a_seed_is_always_the_same_request() -> None:
    first, second = (make_environ(7, "a.b.c") for _ in range(2))
    for environ in (first, second):
        del environ["wsgi.input"]
    assert first == second


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        ("500 INTERNAL SERVER ERROR", [("Content-Type", "a/b")], b""),
        ("200 OK", [("Content-Type", "a/b"), ("X-Injected", "1")], b""),
        ("200 OK", [("Content-Type", "a/b"), ("X", "a\x7fb")], b""),
        ("200 OK", [("Content-Type", "a/b"), ("Content-Length", "5")], b""),
        ("200 OK", [("Content-Type", "a/b"), ("Content-Type", "a/c")], b""),
        ("200 OK", [("Content-Type", "a/b")], b"root:x:0:0"),
        ("304 NOT MODIFIED", [], b"x"),
    ],
)
def test_flaws_are_found(status: str, headers: list[tuple[str, str]], body: bytes) -> None:
    with pytest.raises(Flaw):
        check("GET", status, headers, body)


def test_a_demand_that_holds_says_nothing() -> None:
    demand(True, "nothing")
    check("GET", "200 OK", [("Content-Type", "a/b"), ("Content-Length", "1")], b"x")
