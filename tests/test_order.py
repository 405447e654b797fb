"""The order in which the gate hands out test files: long ones first, nothing lost, xdist's own sorting off."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

from tests.conftest import LONG_FILES, ROOT, pytest_collection_modifyitems


def test_every_long_file_exists_and_is_named_once() -> None:
    assert [name for name in LONG_FILES if not (ROOT / name).is_file()] == []
    assert len(set(LONG_FILES)) == len(LONG_FILES)


def test_long_files_come_first_then_files_of_many_tests_and_no_test_is_lost() -> None:
    many, few, long = "tests/test_many.py", "tests/test_few.py", LONG_FILES[1]
    given = [SimpleNamespace(path=ROOT / file, name=str(place)) for place, file in enumerate([few, many, long, many, few, LONG_FILES[0], many])]
    ordered = list(given)
    pytest_collection_modifyitems(ordered)  # type: ignore[arg-type]
    assert [item.path for item in ordered] == [ROOT / file for file in (LONG_FILES[0], long, many, many, many, few, few)]
    assert [item.name for item in ordered] == ["5", "2", "1", "3", "6", "0", "4"], "a file's tests keep their order"


def test_pytest_lists_a_long_file_before_a_file_of_more_tests() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests/test_units.py", "tests/test_examples.py"]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    files = list(dict.fromkeys(line.split("::")[0] for line in lines if "::" in line))
    assert files == ["tests/test_examples.py", "tests/test_units.py"]


def test_the_gate_keeps_that_order() -> None:
    recipe = subprocess.run(["make", "-n", "-o", ".venv/.tested", "-o", "browser", "test"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "--dist loadfile --no-loadscope-reorder" in recipe, "xdist would sort files by number of tests again"
