"""Numbers on the page are those of the tables, counted another way; and laws of what counts them."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evidence.dossier.counting import _concentration, _distinct
from pipeline.evidence.dossier.rhythm import evenly
from pipeline.pages.incident.drawings.canvas import cividis, round_steps
from pipeline.pages.incident.sections import linkage
from pipeline.pages.incident.sections.linkage import _pieces
from pipeline.pages.incident.wording import money, of, share
from tests.incident.made_case import PRICES, SMALL, incident
from tests.incident.made_run import Plan, make_run


@pytest.fixture(scope="module")
def requests(made) -> pl.DataFrame:
    """Requests of the members, all days."""
    return pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in sorted(made.glob("days/*/requests.parquet"))]).filter(pl.col("account_key") <= SMALL.members)


def test_every_counting_unit_is_that_of_the_rows(record, requests):
    units = record.networks[0].units
    assert units.requests == requests.height == SMALL.members * SMALL.days * SMALL.requests_a_day
    assert units.turns == len(requests["session_key"].drop_nulls())
    assert units.conversations == len(set(requests["session_key"].drop_nulls().to_list()))
    assert units.prompts == len(set(requests["prompt_key"].to_list()))
    assert (units.input_tokens, units.output_tokens) == (sum(requests["input_tokens"].to_list()), sum(requests["output_tokens"].to_list()))


def test_classes_add_up_where_they_may(record):
    sheet = record.networks[0]
    for name in ("requests", "turns", "input_tokens", "output_tokens", "harvested"):
        assert sum(getattr(volume.units, name) for volume in sheet.volumes) == getattr(sheet.units, name)
    assert sum(volume.units.prompts for volume in sheet.volumes) >= sheet.units.prompts
    assert sum(sum(series.counts) for series in sheet.models) == sheet.units.requests
    assert sum(country.requests for country in sheet.countries) == sheet.units.requests


def test_the_page_prints_these_numbers(page, record):
    units, row = record.networks[0].units, re.search(r'id="table-1".*?</table>', page, re.DOTALL)[0]
    for count in (units.requests, units.turns, units.conversations, units.prompts, units.input_tokens, units.output_tokens):
        assert f">{count:,}<" in row


def test_list_value_is_tokens_times_prices_in_whole_micro_usd(page, record):
    prices = {model: (given, made) for model, given, made in PRICES}
    total = sum(
        (volume.units.input_tokens * prices[volume.model][0] + volume.units.output_tokens * prices[volume.model][1]) // 1_000_000
        for volume in record.networks[0].volumes
        if volume.model in prices
    )
    assert f"{total:,} micro-USD (USD" in page
    assert "Not priced, because the sheet lacks the model: atlas-5-pro" in page.replace("\n", " ")


def test_lives_count_every_member_once(record):
    days = record.networks[0].life_days
    assert sum(day.first for day in days) == sum(day.last for day in days) == SMALL.members
    assert [(day.day, day.banned) for day in days if day.banned] == [(dt.date(2026, 4, 29), 2)]  # the third ban is of a stranger


def test_countries_are_held_against_the_list(record):
    assert {country.country: country.supported for country in record.networks[0].countries} == {"US": True, "DE": True, "IN": False, "BR": False}


def test_the_matrix_says_who_holds_what(record, made):
    """Cards are held by threes of neighbouring keys; every drawn share is that of the table."""
    sheet = record.networks[0].matrix
    held = pl.read_parquet(made / "latest" / "tables" / "shared_values.parquet").filter(pl.col("account_key") <= SMALL.members)
    cards = held.filter(pl.col("kind") == "payment").group_by("value_key").len().filter(pl.col("len") >= 2)
    drawn = [one for one in sheet.attributes if one.kind == "payment"]
    assert sum(one.values for one in drawn) == cards.height
    assert sorted(one.inside for one in drawn if one.number) == sorted(cards["len"].to_list())
    assert sum(block.accounts for block in sheet.blocks) == SMALL.members
    for place, one in enumerate(sheet.attributes):
        assert round(sum(block.accounts * block.shares[place] for block in sheet.blocks)) == one.inside


def test_hours_of_the_coverage_are_all_rows(record):
    assert [source for source, _ in record.run.hours] == ["gateway-a", "gateway-b"]
    assert sum(sum(hours) for _, hours in record.run.hours) == (SMALL.members + SMALL.controls) * SMALL.days * SMALL.requests_a_day


def test_indicators_count_members_and_strangers_apart(record):
    by_value = {indicator.value: (indicator.members, indicator.holders) for indicator in record.networks[0].indicators}
    assert by_value["python-requests"] == (7, 19)
    assert record.networks[0].common_traces == 0
    assert by_value["not logged as text"] == (5, 13)  # keys 2, 5, 8 ... of 14 and of 38


@given(st.lists(st.lists(st.integers(0, 50), max_size=30), min_size=1, max_size=6))
def test_distinct_is_the_union(parts):
    found = _distinct([np.array(part, dtype=np.int64) for part in parts])
    assert found.tolist() == sorted({key for part in parts for key in part})


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=60))
def test_concentration_rises_to_all(counts):
    table = pl.DataFrame({"requests": sorted(counts, reverse=True)})
    found = _concentration(table)
    shares = [part for _, part in found.points]
    assert shares == sorted(shares)
    assert (found.points[-1], found.requests) == ((len(counts), 1.0), sum(counts))
    assert shares[0] == pytest.approx(max(counts) / sum(counts), abs=1e-6)


@given(st.lists(st.integers(), unique=True, max_size=300), st.integers(2, 60))
def test_an_even_choice_keeps_order_and_both_ends(values, most):
    chosen = evenly([str(value) for value in values], most)
    assert len(chosen) == len(set(chosen)) == min(len(values), most)
    assert chosen == [str(value) for value in values if str(value) in set(chosen)]
    assert not values or (chosen[0], chosen[-1]) == (str(values[0]), str(values[-1]))


@given(st.floats(1e-5, 1e12))
def test_round_steps_reach_the_top_and_not_far_beyond(top):
    steps = round_steps(top)
    assert steps[0] == 0
    assert steps[-1] >= top * (1 - 1e-9)
    assert 2 <= len(steps) <= 6
    assert steps[-2] < top


@given(st.floats(0, 1))
def test_a_colour_is_a_colour(part):
    assert re.fullmatch(r"#[0-9a-f]{6}", cividis(part))


@given(st.integers(0, 10**18))
def test_money_keeps_every_micro_usd(amount):
    said = money(amount)
    assert int(said.split(" ")[0].replace(",", "")) == amount
    assert int(re.search(r"USD ([\d,]+)\.(\d\d)\)", said)[1].replace(",", "")) == amount // 10**6


@given(st.floats(0, 1))
def test_no_share_reads_as_certain(part):
    assert not re.search(r"\b100\b", share(part))


def test_counts_in_words_at_their_ends():
    assert of(0, 7, "accounts") == "none of 7 accounts"
    assert of(7, 7, "accounts") == "all 7 accounts"
    assert of(3, 7, "accounts") == "3 of 7 accounts"


def test_pieces_are_what_hangs_together(record):
    assert _pieces(record.networks[0].graph) == [SMALL.members]


@pytest.mark.parametrize("members", [5, 14, 80, 700])
def test_a_drawing_has_no_more_nodes_than_it_may(tmp_path, members):
    """Rows and columns of both drawings stay in bounds, and every member is in exactly one row."""
    out = make_run(tmp_path / "out", Plan(members=members, controls=20, days=2, requests_a_day=1))
    sheet = incident(out).networks[0]
    assert len(sheet.graph.blocks) + len(sheet.graph.attributes) <= 60
    assert len(sheet.matrix.blocks) <= 72
    for drawn in (sheet.graph, sheet.matrix):
        assert sum(block.accounts for block in drawn.blocks) == members
        assert drawn.grouped or len(drawn.blocks) == members


OPENED = (("identity", True, "yes"), ("identity", False, "no"), ("infrastructure", True, "cannot"), ("templates", True, "cannot"), ("client", True, "yes"))


@pytest.mark.parametrize(("family", "admitted", "said"), OPENED)
def test_only_a_family_of_the_gate_is_said_to_have_opened_it(family, admitted, said):
    """A shared address that covers all members is admitted as evidence and opens nothing."""
    row = {
        "family": family,
        "admitted": admitted,
        "kinds": "",
        "control_count": None,
        "control_percentile": None,
        "coverage_share": 1.0,
        "linked_pair_share": 1.0,
        "median_bits": 9.0,
    }
    cell = linkage._family(row)[1]
    assert (cell if isinstance(cell, str) else cell.text) == said
