"""Every name that the documented API has stands in the index of the built documentation."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="the documentation is built with Sphinx: pip install -e '.[docs]'")

ROOT = Path(__file__).parents[1]
DOCUMENTED = json.loads(Path(__file__).with_name("documented_api.json").read_text(encoding="utf-8"))


def full_name(row: dict[str, str]) -> str:
    """Return the name by which the index should know a documented thing."""
    return ".".join(part for part in ("microflask", row["owner"], row["name"]) if part)


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of all Python objects in the index of a fresh build, which must be free of warnings."""
    out = tmp_path_factory.mktemp("html")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs", str(out)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    # Four lines of header, then compressed lines of the form "name domain:role priority place title".
    body = (out / "objects.inv").read_bytes().split(b"\n", 4)[4]
    lines = zlib.decompress(body).decode().splitlines()
    return {line.partition(" py:")[0] for line in lines if " py:" in line}


def test_list_of_documented_names_is_whole() -> None:
    assert len({full_name(row) for row in DOCUMENTED}) == 276


@pytest.mark.parametrize("owner", sorted({row["owner"] for row in DOCUMENTED}))
def test_documented_names_are_in_the_inventory(inventory: set[str], owner: str) -> None:
    wanted = [full_name(row) for row in DOCUMENTED if row["owner"] == owner]
    assert [name for name in wanted if name not in inventory] == []
