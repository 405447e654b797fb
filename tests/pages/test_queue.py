"""The queue of the index: what changed, how long a network has been known, who has it, what its tokens list for; and what the page says where it cannot know."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import polars as pl
import pytest

from pipeline.config import load_config
from pipeline.history.past import Past, no_past
from pipeline.history.prices import PriceSheet
from pipeline.pages import build_pages
from pipeline.pages.queue import dollars
from tests.pages import fixtures
from tests.pages.fixtures import NIGHT, PAIR, REFER, SILENT, WATCH
from tests.pages.reading import Page


def queue(past: Past | None = None, frames: dict[str, pl.DataFrame] | None = None) -> dict[str, str]:
    """Text of each network's rows by id, and under '' what stands above the table."""
    told = fixtures.manifest(health=fixtures.health())
    made = dict(build_pages(frames or fixtures.frames(12), told, load_config(), pages_for=[], past=fixtures.past() if past is None else past))["index.html"]
    section = made.decode().split('<section aria-labelledby="queue">')[1].split('<section aria-labelledby="singles">')[0]
    lead, _, rows = section.partition("<thead>")
    found = {re.search(r"N-[0-9a-f]{10}", row).group(): " ".join(Page(f"<table><tbody{row}</table>".encode()).text.split()) for row in rows.split("<tbody")[1:]}
    return {"": " ".join(Page(lead.rpartition("<div")[0].encode()).text.split()), **found}


@pytest.fixture(scope="module")
def rows() -> dict[str, str]:
    return queue()


def test_figures_stand_beside_those_of_the_last_good_night(rows):
    assert f"{REFER} priority 1 Refer Grown +3 12 +3 104,210 +24,210 80.9" in rows[REFER].replace("▲", "").replace("  ", " ")
    assert "accounts and requests more or fewer than on the last good night, 2026-05-04, and tokens sent after it" in rows[""]


def test_tokens_since_are_those_of_the_days_after_that_night(rows):
    days = fixtures.frames(12)["account_days"].filter(pl.col("account_id").str.starts_with("acct-r-") & (pl.col("day") > NIGHT - dt.timedelta(days=2)))
    tokens = int(days["input_tokens"].sum() + days["output_tokens"].sum())
    assert f"{tokens / 1e6:.2f}\u202fM since".replace("\u202f", " ") in rows[REFER].replace("\u202f", " ")
    assert "since" not in rows[SILENT], "nothing is known of its traffic"


def test_age_owner_and_disposition_are_on_every_network(rows):
    assert "Open · A. Analyst · first flagged 3 days ago, on 2026-05-03" in rows[REFER]
    assert "Open · no owner yet: nobody has written about it · never flagged, first seen 12 days ago, on 2026-04-24" in rows[PAIR]
    assert "Cleared · A. Analyst" in rows[SILENT]
    assert "flagged" not in rows[SILENT], "no earlier night remembers it, so no age is made up"


def test_the_owner_is_whoever_wrote_last():
    past = fixtures.past()
    note = dataclasses.replace(past.standing.notes[0], number=9, by="B. Second")
    assert "Open · B. Second" in queue(dataclasses.replace(past, standing=dataclasses.replace(past.standing, notes=(*past.standing.notes, note))))[REFER]


def test_list_value_is_a_range_over_the_models_of_the_sheet(rows):
    days = fixtures.frames(12)["account_days"].filter(pl.col("account_id").str.starts_with("acct-r-"))
    given, made = int(days["input_tokens"].sum()), int(days["output_tokens"].sum())
    least, most = ((given * a + made * b) // 1_000_000 for a, b in ((250_000, 1_250_000), (3_000_000, 15_000_000)))
    assert f"{dollars(least)} to {dollars(most)}".replace("\u00a0", " ") in rows[REFER].replace("\u00a0", " ")
    assert "(SHA-256 5d5d5d5d5d5d5d5d)" in rows[""]
    assert "lowest price of the sheet's 2 models, every token at the highest" in rows[""]


def test_one_price_is_one_amount():
    sheet = PriceSheet(dt.date(2026, 4, 1), "5d" * 32, (("only-1", 1_000_000, 1_000_000),))
    found = queue(dataclasses.replace(fixtures.past(), prices=sheet))
    assert "every token is counted as that model's, and others may list for more or less" in found[""]
    assert "USD" in found[REFER]
    assert "to USD" not in found[REFER]


def test_without_prices_or_a_past_the_page_says_so_once_and_has_no_empty_column():
    found = queue(no_past(NIGHT))
    assert found[""].count("there is no price sheet") == 1
    assert "no differences are shown" in found[""]
    assert all("USD" not in row and "+3" not in row.replace("Grown +3", "") for name, row in found.items() if name)


def test_no_word_of_the_scale_goes_with_bits_of_links():
    found = queue(frames=fixtures.frames(12))
    assert not any(re.search("extremely strong|moderate", row) for name, row in found.items() if name)
    assert "no word of the verbal scale goes with them; the ratio that a finding is worth stands on the network's page" in found[""]


def test_networks_that_were_first_seen_tonight_are_told_so():
    past = fixtures.past()
    bare = dataclasses.replace(past, standing=dataclasses.replace(past.standing, allowed=()))
    assert "first seen tonight" in queue(bare)[WATCH]


@pytest.mark.parametrize(("micro", "text"), [(0, "USD 0.00"), (999_999_999, "USD 999.99"), (1_000_000_000, "USD 1,000"), (1_234_567_000_000, "USD 1.23 M")])
def test_money_is_cut_never_rounded_up_below_a_million(micro, text):
    assert dollars(micro).replace("\u00a0", " ").replace("\u202f", " ") == text
