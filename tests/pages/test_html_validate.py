"""Every kind of page against the recommended rules of html-validate. `make test-slow` installs that from npm into .venv."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipeline.config import load_config
from pipeline.pages import build_pages
from pipeline.pages.validation import validation_page
from pipeline.validate.report import all_figures, document
from pipeline.validate.results import together
from tests.pages import fixtures
from tests.validate.test_page import ASKED, worlds

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).parents[2]
TOOL = Path(os.environ.get("HTML_VALIDATE", REPOSITORY / ".venv" / "html-validate" / "node_modules" / ".bin" / "html-validate"))


def faults(folder: Path) -> str:
    """What html-validate says of the pages of a folder; '' if nothing."""
    assert TOOL.is_file(), f"{TOOL} is missing; make test-slow installs it"
    found = subprocess.run([str(TOOL), "--formatter", "text", *sorted(map(str, folder.rglob("*.html")))], capture_output=True, text=True, check=False, cwd=folder)
    assert found.returncode in {0, 1}, found.stderr
    return found.stdout


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Index, networks, members, an empty night, an incident report and a validation."""
    folder = tmp_path_factory.mktemp("pages")
    for name, page in build_pages(fixtures.frames(), fixtures.manifest(), load_config()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(page)
    for golden in (REPOSITORY / "tests" / "golden").glob("*.html"):
        (folder / f"golden-{golden.name}").write_bytes(golden.read_bytes())
    results = together(worlds())
    (folder / "validation.html").write_bytes(validation_page(document(ASKED, results, all_figures("quick", results), load_config())))
    return folder


def test_no_page_breaks_a_rule(pages):
    assert len(list(pages.rglob("*.html"))) >= 8
    assert faults(pages) == ""


def test_a_fault_is_seen(tmp_path):
    (tmp_path / "bad.html").write_text('<!DOCTYPE html>\n<html lang="en"><head><title>x</title></head><body><p><div></div></p></body></html>\n')
    assert "no-implicit-close" in faults(tmp_path)
