"""The report in a real browser, offline: silent, readable by machine and keyboard, never wider than the screen or the paper."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def file(page: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("browser") / "incident.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser, file):
    contexts = []

    def opened(**settings) -> Page:
        context = browser.new_context(offline=True, **settings)
        contexts.append(context)
        shown = context.new_page()
        shown.seen = []
        shown.on("console", lambda message: shown.seen.append(f"console: {message.text}"))
        shown.on("request", lambda request: shown.seen.append(f"request: {request.url.rsplit('/', 1)[-1]}"))
        shown.goto(file.as_uri())
        return shown

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), pytest.param("dark", 320, marks=pytest.mark.slow)])
def test_axe_finds_nothing(open_page, scheme, width):
    shown = open_page(color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
    shown.evaluate(OPEN_ALL)
    results = Axe().run(shown)
    assert results.violations_count == 0, results.generate_report()
    assert len(results.response["passes"]) > 20


def test_axe_finds_nothing_on_paper(open_page):
    shown = open_page(bypass_csp=True, viewport={"width": 688, "height": 970})
    shown.emulate_media(media="print")
    assert Axe().run(shown).violations_count == 0


@pytest.mark.parametrize(("media", "width"), [("screen", 320), ("screen", 1280), ("print", 688)])
def test_nothing_is_wider_than_the_page(open_page, media, width):
    shown = open_page(viewport={"width": width, "height": 900})
    shown.emulate_media(media=media)
    shown.evaluate(OPEN_ALL)
    assert shown.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_asks_for_itself_and_says_nothing(open_page):
    shown = open_page()
    shown.mouse.wheel(0, 20_000)
    assert shown.seen == ["request: incident.html"]


def test_headings_go_down_by_one_and_tables_have_captions(open_page):
    shown = open_page()
    levels = shown.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(each => +each.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert shown.evaluate("[...document.querySelectorAll('table')].every(each => each.caption && each.caption.textContent.trim().length > 5)")


def test_tab_goes_through_the_page_in_its_order(open_page):
    shown = open_page()
    places = []
    for _ in range(40):
        shown.keyboard.press("Tab")
        places.append(shown.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    assert shown.evaluate("document.querySelector('a.skip') !== null")
    assert places == sorted(places)
    assert len(set(places)) == len(places)


def test_every_exhibit_link_leads_somewhere(open_page):
    shown = open_page()
    assert shown.evaluate("[...document.querySelectorAll('a[href^=\"#\"]')].filter(each => !document.getElementById(each.getAttribute('href').slice(1))).length") == 0
    assert shown.evaluate("document.querySelectorAll('a[href^=\"#ex-\"]').length") > 10
