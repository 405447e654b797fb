"""The import order and the one home of each package hold, and the contract that says so is not empty."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINT = Path(sys.executable).with_name("lint-imports")


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def test_every_contract_holds() -> None:
    result = _lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert f"Contracts: {len(contracts)} kept, 0 broken." in result.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("measures/new.py", ""),
        ("measures/new.py", "from pipeline import store"),
        ("stages/new.py", "from pipeline.ingest import nothing"),
        ("errors.py", "from pipeline import schema"),
        ("new.py", "import json"),
        ("stages/new.py", "import duckdb"),
        ("stages/new.py", "import sklearn"),
        ("run/new.py", "import jinja2"),
        ("run/new.py", "import typer"),
        ("cli/new.py", "import rich"),
        ("run/new.py", "import pipeline.simulate"),
    ],
)
def test_a_step_out_of_line_is_seen(tmp_path: Path, module: str, line: str) -> None:
    """A copy of the package that holds one wrong import must fail, and one that holds none must pass."""
    for path in (ROOT / "pipeline").rglob("*.py"):
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("")  # the shape is enough: nothing else in the copy imports anything
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (tmp_path / "pipeline" / module).write_text(line + "\n")
    result = _lint(tmp_path)
    assert result.returncode == (1 if line else 0), result.stdout + result.stderr


def test_no_module_grows_past_its_size() -> None:
    """Files stay under 300 lines, so that each has one subject."""
    long = {str(path.relative_to(ROOT)): count for path in (ROOT / "pipeline").rglob("*.py") if (count := len(path.read_text().splitlines())) > 300 and path.name != "schema.py"}
    assert long == {}
