"""The report, byte for byte, as it was last looked at and found right; `python -m tests.incident.made_case` writes the copy anew after a change that is meant."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.incident.made_case import GOLDEN, golden

ROOT = Path(__file__).parents[2]
PROGRAM = "import hashlib\nfrom tests.incident.made_case import golden\nprint(hashlib.sha256(golden().encode()).hexdigest())"


def test_the_report_is_the_one_that_was_looked_at(page):
    assert page == GOLDEN.read_text(encoding="utf-8"), "if the change is meant: python -m tests.incident.made_case"


def test_another_process_zone_locale_and_folder_make_the_same_bytes(page, tmp_path):
    """Threads and hash seed differ, too; the record is built from the tables anew."""
    settings = {"TZ": "Asia/Shanghai", "LANG": "de_DE.UTF-8", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "4242", "POLARS_MAX_THREADS": "1", "PYTHONPATH": str(ROOT)}
    made = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, env={**os.environ, **settings}, capture_output=True, text=True, check=True)
    assert made.stdout.strip() == hashlib.sha256(page.encode()).hexdigest()


def test_it_is_made_again_in_this_process(page):
    """Ids of drawings are counters of the process that drew them; the second time they would differ."""
    assert golden() == page
