"""validation.html: everything measured stands on it, in words and with its bounds; alone, silent, well-formed, and clean for axe."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from pipeline.config import load_config
from pipeline.pages import validation_charts
from pipeline.pages.validation import validation_page
from pipeline.pages.validation_words import bounds_text, measure_name, words
from pipeline.validate.figures import COLUMNS
from pipeline.validate.report import Asked, all_figures, document, write_report
from pipeline.validate.results import DELAYS, together
from tests.pages.reading import Page
from tests.validate.tables import world

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ASKED = Asked("quick", "stillhunt validate --suite quick", dt.date(2026, 11, 22), is_simulated=True)


def worlds(count: int = 7):
    """Worlds in which one campaign is found, one is split by luck, and one world accuses a stranger."""
    made = []
    for at in range(count):
        parts = (
            ("individual", None, 40, None),
            ("individual", None, 3, "refer-1" if at == 1 else None),
            ("classroom", "class:0", 12, "watch-1"),
            ("campaign:L0", "campaign:L0", 10, "refer-1"),
            ("campaign:L10", "campaign:L10", 4 + at, "refer-2" if at % 2 else None),
        )
        nights = pl.DataFrame([("campaign:L0", "campaign:L0", 6, 1, 10, 2, 1), ("campaign:L10", "campaign:L10", 6, 3 if at % 2 else None, 10, 5, 2)], schema=DELAYS, orient="row")
        looser = {"no evidence of: identity": (*parts[:3], ("campaign:L0", "campaign:L0", 10, None), *parts[4:])}
        made.append(world(f"world {at}", *parts, tries=looser, q={"refer-1": 0.001, "watch-1": 0.04}, membership=0.7 + 0.04 * at, delays=nights))
    return made


@pytest.fixture(scope="module")
def made():
    results = together(worlds())
    return document(ASKED, results, all_figures("quick", results), load_config())


@pytest.fixture(scope="module")
def html(made):
    return validation_page(made)


@pytest.fixture(scope="module")
def empty_html():
    results = together([])
    return validation_page(document(ASKED, results, all_figures("quick", results), load_config()))


def test_the_page_is_well_formed_and_loads_nothing(html):
    page = Page(html)
    assert page.faults == []
    assert not {"script", "link", "iframe", "img", "object", "form"} & {tag for tag, _ in page.elements}
    (policy,) = [attributes["content"] for tag, attributes in page.elements if attributes.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert not re.search(rb"style=|https?://(?!www\.w3\.org)", html.replace(b"http://www.w3.org/2000/svg", b""))


def test_every_drawing_is_there_and_named(html):
    page = Page(html)
    assert sum(tag == "svg" for tag, _ in page.elements) == 9  # found, recall, innocents, memberships of referred and of watched, q, ratios, nights, ablation
    assert all(attributes["role"] == "img" for tag, attributes in page.elements if tag == "svg")


def test_what_was_measured_stands_in_words(html, made):
    text = Page(html).text
    for part in ("3 innocent accounts referred among 385", "suite quick", "2026-11-22", made["config_sha256"], made["code_sha256"], "n carries no interval", "one-sided"):
        assert part in text, part
    assert text.index("L0") < text.index("L10")


def test_a_suite_without_a_world_says_that_nothing_was_measured(empty_html):
    page = Page(empty_html)
    assert page.faults == []
    assert "was not measured in this suite" in page.text
    assert not any(tag == "svg" for tag, _ in page.elements)


def test_equal_figures_give_equal_bytes(made):
    again = together(worlds())
    assert validation_page(document(ASKED, again, all_figures("quick", again), load_config())) == validation_page(made)


def test_names_from_a_foreign_log_cannot_be_markup(made):
    bad = '<script>alert(1)</script>"\u202e'
    hostile = {**made, "worlds": [bad], "degraded": [bad], "command": bad, "figures": [*made["figures"], {**made["figures"][0], "stratum": bad}]}
    page = Page(validation_page(hostile))
    assert page.faults == []
    assert not any(tag == "script" for tag, _ in page.elements)
    assert "\u202e" not in page.text


def test_every_measure_has_words(made):
    for name in {figure["measure"] for figure in made["figures"]}:
        assert name in words()["measure"], name
    assert measure_name("a_new_one") == "a new one"


@pytest.mark.parametrize(
    ("bound", "low", "high", "said"),
    [
        ("none", None, None, "n carries no interval"),
        ("upper", 0.0, 0.05, "at most 5\u202f%"),
        ("lower", 0.86, 1.0, "at least 86\u202f%"),
        ("two_sided", 0.1, 0.3, "10\u202f% to 30\u202f%"),
    ],
)
def test_bounds_in_words(bound, low, high, said):
    assert bounds_text({"bound": bound, "low": low, "high": high, "unit": "share"}) == said


def test_an_end_beyond_the_log_is_told():
    assert bounds_text({"bound": "two_sided", "low": 2.0, "high": None, "unit": "nights"}) == "2 to beyond the nights watched"


def test_long_labels_stay_apart():
    names = ["no columns of: template and near-duplicate prompts, long", "no columns of: template and near-duplicate prompts, short"]
    assert len(set(validation_charts.unlike(names))) == 2
    assert all(len(label) <= 48 for label in validation_charts.unlike(names))


def test_the_three_files_agree(made, tmp_path):
    table, text, page = write_report(tmp_path / "validation", made)
    rows = pl.read_parquet(table)
    assert rows.columns == list(COLUMNS)
    assert rows.to_dicts() == json.loads(text.read_text())["figures"]
    assert page.read_bytes() == validation_page(made)
    assert sorted(path.name for path in table.parent.iterdir()) == ["validation.html", "validation.json", "validation.parquet"]
    assert {"suite", "measure", "stratum", "value", "low", "high", "n", "unit"} <= set(rows.columns)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_browser_finds_nothing_wrong(html, empty_html, tmp_path: Path):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for name, source, scheme, width in (("full", html, "light", 1280), ("full", html, "dark", 320), ("empty", empty_html, "light", 768)):
            (tmp_path / f"{name}.html").write_bytes(source)
            page = browser.new_context(offline=True, color_scheme=scheme, bypass_csp=True, viewport={"width": width, "height": 800}).new_page()
            page.goto((tmp_path / f"{name}.html").as_uri())
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
        browser.close()
