"""The pages in a real browser, offline: silent, alone, reachable by keyboard, readable by machine, whole on paper."""

from __future__ import annotations

import dataclasses
import itertools
import re
import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from pipeline.config import load_config
from pipeline.pages import build_pages
from tests.pages import fixtures

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
MEMBERS = f"networks/{fixtures.REFER}-members-2.html"
PAGES = ("index.html", "empty.html", f"networks/{fixtures.REFER}.html", f"networks/{fixtures.SILENT}.html", MEMBERS)
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def folder(page_folder: Path, empty_page: bytes) -> Path:
    """Pages of a folder with a past, which say the most, the empty one of a folder without, and further pages of members, ten a page."""
    told = fixtures.manifest(health=fixtures.health(), tiers={"refer": 1, "watch": 3, "explained": 1})
    for name, page in build_pages(fixtures.frames(), told, load_config(), past=fixtures.past()):
        (page_folder / name).write_bytes(page)
    (page_folder / "empty.html").write_bytes(empty_page)
    short = dataclasses.replace(load_config(), pages=dataclasses.replace(load_config().pages, member_rows=10))
    for name, page in build_pages(fixtures.frames(), told, short, pages_for=[fixtures.REFER]):
        if "-members-" in name:
            (page_folder / name).write_bytes(page)
    return page_folder


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, folder: Path):
    contexts = []

    def opened(name: str, **settings) -> Page:
        context = browser.new_context(offline=True, **settings)
        contexts.append(context)
        page = context.new_page()
        page.seen = []
        page.on("console", lambda message: page.seen.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: page.seen.append(f"error: {error}"))
        page.on("request", lambda request: page.seen.append(f"request: {request.url.rsplit('/', 1)[-1]}"))
        page.goto((folder / name).as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_itself_and_says_nothing(open_page, name):
    page = open_page(name)
    page.mouse.wheel(0, 5_000)
    assert page.seen == [f"request: {name.rsplit('/', 1)[-1]}"]


@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_the_page_itself_never_scrolls_sideways(open_page, name, width):
    page = open_page(name, viewport={"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


# One style sheet serves all pages, so the page that shows the most speaks for the dark ones in the gate.
@pytest.mark.parametrize(
    ("name", "scheme"),
    [(name, scheme) if scheme == "light" or name == PAGES[2] else pytest.param(name, scheme, marks=pytest.mark.slow) for name in PAGES for scheme in ("light", "dark")],
)
def test_axe_finds_nothing(open_page, name, scheme):
    page = open_page(name, color_scheme=scheme, bypass_csp=True)  # axe is a script, and the page's own policy lets no script run
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert len(results.response["passes"]) > 20


def test_forced_colours_keep_everything_named(open_page):
    page = open_page(PAGES[2], forced_colors="active", bypass_csp=True)
    assert Axe().run(page).violations_count == 0


def test_the_policy_is_in_force(open_page):
    page = open_page(PAGES[2])
    page.evaluate('document.body.insertAdjacentHTML(\'beforeend\', \'<img src="https://x.invalid/a.png"><p style="color: rgb(1, 2, 3)" id="late">x</p>\')')
    page.wait_for_timeout(100)
    assert any("Content Security Policy" in line for line in page.seen)
    assert page.evaluate("getComputedStyle(document.getElementById('late')).color") != "rgb(1, 2, 3)"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).fontSize") == "28px"  # the page's own style is let through


def test_the_dark_scheme_is_dark_and_paper_is_light(open_page):
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    page = open_page(PAGES[0], color_scheme="dark")
    assert page.evaluate(ground) == "rgb(19, 22, 25)"
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"


def test_tab_goes_through_the_page_in_its_order(open_page):
    page = open_page(PAGES[0])
    places, seen = [], []
    for _ in range(18):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.innerText.split('\\n')[0]"))
        places.append(page.evaluate("(() => { const all = [...document.querySelectorAll('*')]; return all.indexOf(document.activeElement) })()"))
    assert seen[0] == "Skip to the content"
    assert seen[1] == "Can this night be trusted?"
    assert places == sorted(places)
    assert len(set(places)) == len(places)


def test_focus_can_be_seen(open_page):
    page = open_page(PAGES[0])
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2


def test_the_skip_link_leads_to_the_content(open_page):
    page = open_page(PAGES[0])
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("name", PAGES)
def test_landmarks_headings_and_tables_are_in_order(open_page, name):
    page = open_page(name)
    for landmark in ("header", "nav", "main", "footer", "h1"):
        assert page.locator(landmark).count() == 1, landmark
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(each => +each.tagName[1])")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert page.evaluate("[...document.querySelectorAll('table')].every(each => each.caption && each.caption.textContent.trim().length > 5)")
    assert page.evaluate("[...document.querySelectorAll('th')].every(each => ['col', 'row'].includes(each.scope))")
    assert page.evaluate("[...document.querySelectorAll('svg')].every(each => each.getAttribute('role') === 'img' && each.querySelector('title'))")


def test_a_link_of_the_queue_opens_the_network(open_page):
    page = open_page(PAGES[0])
    page.click("table.queue a >> nth=0")
    assert page.locator("h1").inner_text().endswith(fixtures.REFER)
    page.click("header a")
    assert page.locator("h1").inner_text() == "Night of 2026-05-06"


def test_paper_shows_what_is_folded_on_screen(open_page):
    page = open_page(PAGES[2])
    cell = page.locator("#fig-2-data td").first
    assert cell.evaluate("each => each.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true})") is False
    page.emulate_media(media="print")
    assert cell.evaluate("each => each.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true})") is True
    assert cell.evaluate("each => each.getBoundingClientRect().height") > 5


def test_tables_go_on_over_pages_with_their_heads(open_page):
    page = open_page(PAGES[2])
    page.emulate_media(media="print")
    assert page.evaluate("[...document.querySelectorAll('thead')].every(each => getComputedStyle(each).display === 'table-header-group')")
    folded = len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True)))
    page.evaluate("document.querySelectorAll('details').forEach(each => each.remove())")
    without = len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True)))
    assert folded > without >= 3


def test_nothing_is_cut_off_on_paper(open_page):
    for name in PAGES:
        page = open_page(name, viewport={"width": 688, "height": 970})  # A4 less its margins, at 96 pixels an inch
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth") <= 688, name
        assert page.evaluate("[...document.querySelectorAll('table')].filter(each => each.getBoundingClientRect().right > 689).length") == 0, name


def column(table, place: int) -> list[str]:
    """A column of a table's rows as they stand, without remarks in small type."""
    return table.evaluate("(each, place) => [...each.tBodies[0].rows].map(row => row.cells[place].firstChild.textContent.trim())", place)


def test_a_column_is_sorted_from_the_keyboard_and_says_so(open_page):
    page = open_page(PAGES[2])
    table = page.locator("section[aria-labelledby=members] table")
    before, requests = column(table, 0), table.locator("thead th").nth(3)
    assert requests.get_attribute("aria-sort") == "none"
    requests.locator("button").focus()
    for key, state in (("Enter", "descending"), ("Space", "ascending")):
        page.keyboard.press(key)
        found = [int(text.replace(",", "")) for text in column(table, 3)]
        assert found == sorted(found, reverse=state == "descending")
        assert len(set(found)) > 1
        assert table.evaluate("each => [...each.tHead.rows[0].cells].map(head => head.ariaSort).filter(sort => sort !== 'none')") == [state]
    page.keyboard.press("Enter")
    assert column(table, 0) == before
    table.locator("thead th").nth(0).locator("button").click()
    assert column(table, 0) == sorted(before)
    assert page.seen == [f"request: {fixtures.REFER}.html"]


def test_numbers_are_sorted_as_numbers_and_what_is_none_comes_last(open_page):
    page = open_page(PAGES[2])
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    table = page.locator("#fig-1-data table")
    rarity = table.locator("thead th", has_text="Rarity")
    place = rarity.evaluate("each => each.cellIndex")
    for turn in range(2):
        rarity.locator("button").click()
        texts = column(table, place)
        values = [float(text) for text in texts if text != "various"]
        assert texts[len(values) :] == ["various"] * (len(texts) - len(values))
        assert values == sorted(values, reverse=turn == 0)
    assert "various" in texts


def test_networks_are_sorted_with_their_reasons(open_page):
    page = open_page(PAGES[0])
    pairs = "[...document.querySelectorAll('table.queue tbody')].map(each => [each.rows[0].cells[0].textContent.trim(), each.rows[1].textContent.trim()])"
    before = dict(page.evaluate(pairs))
    page.locator("table.queue thead th").nth(2).locator("button").click()
    after = page.evaluate(pairs)
    assert dict(after) == before
    counts = [int(text) for text in page.evaluate("[...document.querySelectorAll('table.queue tbody')].map(each => each.rows[0].cells[2].firstChild.textContent.trim())")]
    assert counts == sorted(counts, reverse=True)


def test_rows_are_filtered_counted_and_all_there_on_paper(open_page):
    page = open_page(PAGES[2])
    table = page.locator("section[aria-labelledby=members] table")
    field = page.get_by_label("Show only rows of", exact=False).locator("visible=true").and_(page.locator("section[aria-labelledby=members] input"))
    total = len(column(table, 0))
    field.fill("00003")
    shown = table.locator("tbody tr:visible")
    assert 0 < shown.count() < total
    assert all("00003" in text for text in shown.all_inner_texts())
    assert page.locator("section[aria-labelledby=members] output").inner_text() == f"{shown.count()} of {total} rows"
    page.emulate_media(media="print")
    assert table.locator("tbody tr:visible").count() == total
    assert page.locator("section[aria-labelledby=members] input:visible").count() == 0
    page.emulate_media(media="screen")
    field.fill("")
    assert table.locator("tbody tr:visible").count() == total


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_without_the_script(open_page, name):
    with_script, without = (open_page(name, java_script_enabled=on) for on in (True, False))
    assert without.locator("th button, input, output").count() == 0
    assert without.locator("table").count() == with_script.locator("table").count() > 0
    rows = "tbody tr"
    assert without.locator(rows).all_text_contents() == with_script.locator(rows).all_text_contents()
    assert without.locator("[hidden]").count() == 0


def test_no_other_script_runs(open_page):
    page = open_page(PAGES[2])
    page.evaluate(
        "() => { const one = document.createElement('script'); one.textContent = 'window.bad = 1'; document.body.append(one);"
        " document.body.insertAdjacentHTML('beforeend', '<button id=late onclick=\"window.bad = 2\">x</button>'); document.getElementById('late').click(); }"
    )
    page.wait_for_timeout(100)
    assert page.evaluate("window.bad === undefined")
    assert sum("Content Security Policy" in line for line in page.seen) >= 2
