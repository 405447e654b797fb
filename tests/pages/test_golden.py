"""Whole pages, byte for byte, as they were last looked at and found right.

After a change that is meant: look at the pages, then refresh the copies with `python -m tests.pages.refresh`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import fixtures
from tests.pages.refresh import GOLDEN, made

ROOT = Path(__file__).parents[2]
PROGRAM = "import sys\nfrom tests.pages.refresh import made\nfor name, page in made().items():\n    sys.stdout.buffer.write(page)"


@pytest.mark.parametrize("name", ["index.html", "empty.html", f"{fixtures.REFER}.html"])
def test_the_page_is_the_one_that_was_looked_at(name):
    assert made()[name].decode() == (GOLDEN / name).read_bytes().decode(), "if the change is meant: python -m tests.pages.refresh"


def test_other_processes_make_the_same_bytes(tmp_path):
    """Another time zone, locale, hash seed, thread count and working directory."""
    first = printed(ROOT, TZ="UTC", LANG="C.UTF-8", PYTHONHASHSEED="1", POLARS_MAX_THREADS="1")
    second = printed(tmp_path, TZ="Asia/Shanghai", LANG="de_DE.UTF-8", LC_ALL="tr_TR.UTF-8", PYTHONHASHSEED="4242", POLARS_MAX_THREADS="2")
    assert first == second == b"".join(made().values())


def printed(folder: Path, **environment: str) -> bytes:
    result = subprocess.run([sys.executable, "-c", PROGRAM], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, capture_output=True, check=True)
    return result.stdout
