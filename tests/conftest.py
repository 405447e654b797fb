"""What tests of several parts share: the order of the files, the program in its own process, and a tiny log."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.logs import write_accounts, write_log

ROOT = Path(__file__).parents[1]
Program = Callable[..., "subprocess.CompletedProcess[str]"]

# A worker of pytest-xdist takes whole files, in the order of the list. These hold few tests that take long: by number
# of tests, which is xdist's own order, they came last, and one core worked on while the others had nothing left.
LONG_FILES = tuple(
    f"tests/{name}.py"
    for name in (
        "test_docs run/test_nights run/test_night test_packaging validate/test_end_to_end test_planted_networks test_examples test_determinism "
        "pages/test_browser incident/test_browser test_analyst run/test_faults operations/test_feedback evidence/test_rerun"
    ).split()
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first, then files of many tests, each file in one piece; `make test` keeps xdist from sorting again."""
    files = [item.path.relative_to(ROOT).as_posix() for item in items]
    size = Counter(files)
    rank = {file: (LONG_FILES.index(file) if file in LONG_FILES else len(LONG_FILES), -size[file], file) for file in size}
    order = sorted(range(len(items)), key=lambda place: rank[files[place]])
    items[:] = [items[place] for place in order]


def run_program(*arguments: object, cwd: Path = ROOT, python: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m pipeline ARGUMENTS` in a process of its own and wait for it."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, *python, "-m", "pipeline", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env={**os.environ, "PYTHONPATH": path, **environment}, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def program() -> Program:
    """The command line as a function: arguments in, finished process out."""
    return run_program


@pytest.fixture(scope="session")
def tiny_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days of 150 innocent accounts and a pool of 8 that shares addresses, cards and a template. Read only."""
    return write_log(tmp_path_factory.mktemp("tiny") / "requests")


@pytest.fixture(scope="session")
def tiny_accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The accounts table of the tiny log. Read only."""
    return write_accounts(tmp_path_factory.mktemp("tiny_accounts") / "accounts.parquet")


@pytest.fixture(scope="session")
def finished(tiny_log: Path, tiny_accounts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with one finished run over the tiny log. Read only."""
    out = tmp_path_factory.mktemp("finished") / "out"
    result = run_program("run", tiny_log, "--accounts", tiny_accounts, "--out", out)
    assert result.returncode == 0, result.stderr
    return out
