"""Every name that the documented API has stands in the index of the built documentation."""

from __future__ import annotations

import dataclasses
import html
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from microflask.compat import Compat

pytest.importorskip("sphinx", reason="the documentation is built with Sphinx: pip install -e '.[docs]'")

ROOT = Path(__file__).parents[1]
DOCUMENTED = json.loads(Path(__file__).with_name("documented_api.json").read_text(encoding="utf-8"))


def full_name(row: dict[str, str]) -> str:
    """Return the name by which the index should know a documented thing."""
    return ".".join(part for part in ("microflask", row["owner"], row["name"]) if part)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a fresh build, which must be free of warnings."""
    out = tmp_path_factory.mktemp("html")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs", str(out)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return out


@pytest.fixture(scope="module")
def inventory(built: Path) -> set[str]:
    """The names of all Python objects in the index."""
    # Four lines of header, then compressed lines of the form "name domain:role priority place title".
    body = (built / "objects.inv").read_bytes().split(b"\n", 4)[4]
    lines = zlib.decompress(body).decode().splitlines()
    return {line.partition(" py:")[0] for line in lines if " py:" in line}


def test_list_of_documented_names_is_whole() -> None:
    assert len({full_name(row) for row in DOCUMENTED}) == 276


@pytest.mark.parametrize("owner", sorted({row["owner"] for row in DOCUMENTED}))
def test_documented_names_are_in_the_inventory(inventory: set[str], owner: str) -> None:
    wanted = [full_name(row) for row in DOCUMENTED if row["owner"] == owner]
    assert [name for name in wanted if name not in inventory] == []


def test_page_of_the_behaviours_has_each_with_its_values(built: Path) -> None:
    page = html.unescape(re.sub(r"<[^>]+>", "", (built / "api" / "compat.html").read_text(encoding="utf-8")))
    cells = re.compile(r"^(\w+)\n(\S.*)\n(.+)\n(.+)\n(.+)$", re.MULTILINE)
    rows = {name: rest for name, *rest in cells.findall(page)}
    names = {field.name for field in dataclasses.fields(Compat)} - {"name", "default_config"}
    assert names - rows.keys() == set()
    assert all(rows[name][0].endswith(".") and len(set(rows[name][1:])) > 1 for name in names)
    assert rows["slash_redirect_code"][1:] == ["301", "None", "None"]
