"""Blocks of a working page hold what the tables hold: shared values and links, members one by one, look-alikes, other thresholds."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import re
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import load_config
from pipeline.pages import build_pages, numbers
from pipeline.pages.working.bench import Bench
from pipeline.pages.working.joins import Linked, linked, pieces
from pipeline.pages.working.layout import places
from pipeline.pages.working.multiples import likeness, series
from pipeline.pages.working.what_if import judged_again, settings_of
from pipeline.store import read_json
from tests.pages import fixtures, shared
from tests.pages.reading import Page

REFER_PAGE = f"networks/{fixtures.REFER}.html"


def built(frames=None, config=None, **changes) -> dict[str, bytes]:
    return dict(build_pages(frames or fixtures.frames(12), fixtures.manifest(**changes), config or load_config(), pages_for=[fixtures.REFER]))


def said(frames=None, config=None, **changes) -> str:
    return " ".join(Page(built(frames, config, **changes)[REFER_PAGE]).text.replace("\u202f", " ").replace("\xa0", " ").split())


@pytest.fixture(scope="module")
def text() -> str:
    """The page of the referred network with twelve members."""
    return said()


def test_shared_values_are_named_by_kind_and_number_with_their_rarity(text):
    """The first card is held by members 0, 5 and 10 and nobody else: log2(2,048 / 3)."""
    table = text[text.index("Data of figure 1: shared values") : text.index("The same in words")]
    assert f"card 1 identity 3 25 % 0 {math.log2(2048 / 3):.1f} --card key:100" in table
    assert f"card 2 identity 3 25 % 1 {math.log2(2048 / 4):.1f} --card key:101" in table
    assert f"phrase 1 prompt templates 12 all 9 {math.log2(2048 / 21):.1f} --template key:300" in table
    assert "stillhunt pivot --card key:100 everybody who holds card 1, in this network and outside" in text
    assert "8 of 12 members hold a value of a kind that can open the gate with another member." in text


def test_each_row_of_the_matrix_is_told_in_words(text):
    rows = text[text.index("The same in words") : text.index("Figure 2.")]
    assert "acct-r-00000 card 1, address 1, exact prompt 1, phrase 1" in rows
    assert re.search(r"acct-r-00003 address 1, exact prompt \d, phrase 1", rows)
    assert rows.count("acct-r-") == 12


def test_links_alone_join_what_the_formula_joins(text):
    """18 bits between neighbours (32 between the first two), 15 after every third, nothing to the last: threes, a two and one alone."""
    figure = text[text.index("How do the members join") : text.index("Data of Figure 2")]
    assert "7 pairs of 17.0 bits or more from two families, join 3 of 12 members into one piece" in figure
    assert "there are 3 smaller pieces beside it and 1 member without a link of this weight" in figure


def test_lower_and_higher_thresholds_are_judged_by_the_run_s_own_rule(text):
    """Eight of twelve members hold a card: half is enough, three quarters are not."""
    table = text[text.index("Under lower and higher thresholds") : text.index("stillhunt whatif")]
    assert "Lower 14.0 bits 2.0 bits 25 % 0.05 4.0 bits 11 of 12 Refer As in the summary above." in table
    assert "As the run had them 17.0 bits 3.0 bits 50 % 0.01 6.0 bits 3 of 12 in 4 pieces, the largest counted Refer As in the summary above." in table
    assert "Higher 20.0 bits 4.0 bits 75 % 0.005 8.0 bits 2 of 12 Watch No payment instrument" in table
    assert table.strip().endswith("lead to a referral. acct-r-00002")
    assert "With higher thresholds the tier would not hold; with lower ones it would." in text


def test_no_tier_is_stated_where_the_run_s_own_settings_do_not_give_its_own():
    frames = fixtures.frames(12)
    frames["cluster_tests"] = frames["cluster_tests"].with_columns(pl.lit(0.4).alias("p_value"))
    text = said(frames)
    assert "do not give its own verdict with this version's rule, so no tier is stated" in text
    assert text.count("not stated see above") == 3


def test_a_network_of_which_too_few_could_be_named_stays_on_watch_whatever_the_thresholds():
    frames = fixtures.frames(12)
    own = pl.col("network_id") == fixtures.REFER
    given_up = {"tier": "watch", "reason": "too_few_members_left"}
    frames["networks"] = frames["networks"].with_columns(pl.when(own).then(pl.lit(value)).otherwise(name).alias(name) for name, value in given_up.items())
    table = said(frames)
    table = table[table.index("Under lower and higher thresholds") : table.index("stillhunt whatif")]
    assert "Refer" not in table
    assert table.count("As in the summary above.") == 2


def test_every_network_of_a_real_run_has_its_own_tier_at_its_own_thresholds(finished):
    """The gate, the margins and the rule are those of the run: nothing else can give equal tiers and reasons for all."""
    folder = finished / "latest"
    bench = Bench(fixtures.source({path.stem: pl.read_parquet(path) for path in (folder / "tables").glob("*.parquet")}, read_json(folder / "run.json")))
    judged = {row["network_id"]: judged_again(bench, row) for row in bench.source.networks if row["network_id"] in bench.source.paged}
    weighed = {name: found for name, found in judged.items() if found}
    assert weighed
    rows = {row["network_id"]: row for row in bench.source.networks}
    assert {name: (found[1].tier, found[1].reason) for name, found in weighed.items()} == {name: (rows[name]["tier"], rows[name]["reason"]) for name in weighed}
    for name, found in weighed.items():
        own = set(bench.members(name)["account_id"])
        assert len(found[0].joined) >= len(found[1].joined) >= len(found[2].joined)
        assert found[0].joined <= own


def test_thresholds_move_to_the_side_that_their_name_says():
    lower, now, higher = settings_of(load_config(), 17.4)
    assert [one.edge_bits for one in (lower, now, higher)] == pytest.approx([14.4, 17.4, 20.4])
    assert now.config == load_config()
    assert lower.config.verdict.max_q_value > now.config.verdict.max_q_value > higher.config.verdict.max_q_value
    for name in ("gate_coverage_share", "min_extraction_bits"):
        assert getattr(lower.config.verdict, name) < getattr(now.config.verdict, name) < getattr(higher.config.verdict, name)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from(["identity", "templates", "settings"]), st.integers(0, 12_000_000)), max_size=60))
@settings(max_examples=40, deadline=None)
def test_a_pair_is_linked_by_enough_bits_from_two_families(rows):
    """Against sums made one by one."""
    sums: dict[tuple[int, int], dict[str, int]] = {}
    for a, b, family, micro in rows:
        if a < b:
            sums.setdefault((a, b), {}).setdefault(family, 0)
            sums[a, b][family] += micro
    flat = [(f"a{a}", f"a{b}", family, micro) for (a, b), families in sums.items() for family, micro in families.items()]
    frame = pl.DataFrame(flat, schema={"account_a": pl.String, "account_b": pl.String, "family": pl.String, "micro": pl.Int64}, orient="row")
    found = linked(frame, [f"a{number}" for number in range(10)], 9.0, 3.0)
    expected = {pair for pair, families in sums.items() if sum(families.values()) >= 9_000_000 and sum(micro >= 3_000_000 for micro in families.values()) >= 2}
    assert set(zip(found.a, found.b, strict=True)) == expected
    assert pieces(10, found) == sizes_by_search(10, expected)


def sizes_by_search(count: int, pairs: set[tuple[int, int]]) -> list[int]:
    """Sizes of connected pieces by walking from each member."""
    left, found = set(range(count)), []
    while left:
        reached, ahead = set(), [min(left)]
        while ahead:
            here = ahead.pop()
            if here not in reached:
                reached.add(here)
                ahead += [b if a == here else a for a, b in pairs if here in (a, b)]
        left -= reached
        found.append(len(reached))
    return sorted(found, reverse=True)


def test_nobody_and_one_make_no_pieces_that_are_not_there():
    nothing = Linked((), (), (), ())
    assert pieces(0, nothing) == []
    assert pieces(2, nothing) == [1, 1]


@given(st.integers(0, 40), st.data())
@settings(max_examples=25, deadline=None)
def test_nodes_stand_inside_their_box_at_the_same_places_each_time(count, data):
    ends = st.integers(0, max(0, count - 1))
    edges = data.draw(st.lists(st.tuples(ends, ends, st.floats(0, 1)), max_size=60)) if count else []
    radii = data.draw(st.lists(st.floats(5, 12), min_size=count, max_size=count))
    found = places(radii, edges, 700, 400)
    assert found == places(radii, edges, 700, 400)
    assert len(found) == count
    assert all(0 <= x <= 700 and 0 <= y <= 400 for x, y in found)
    assert all(round(x, 1) == x and round(y, 1) == y for x, y in found)


def test_nodes_keep_clear_of_each_other_and_joined_ones_stand_nearer():
    cliques = [(a, b, 1.0) for start in (0, 10) for a in range(start, start + 10) for b in range(a + 1, start + 10)]
    at = np.array(places([9.5] * 20, [*cliques, (0, 10, 0.1)], 700, 400))
    gaps = np.sqrt(((at[:, None] - at[None]) ** 2).sum(axis=2))
    assert (gaps + 100 * np.eye(20)).min() >= 19
    assert gaps[:10, :10].sum() / 90 < gaps[:10, 10:].mean()


@given(st.lists(st.lists(st.integers(0, 50), min_size=6, max_size=6), min_size=2, max_size=8))
@settings(max_examples=40, deadline=None)
def test_likeness_is_the_median_correlation_of_accounts_that_vary(days):
    varied = [row for row in days if len(set(row)) > 1]
    found = likeness(days)
    if len(varied) < 2:
        assert found is None
    else:
        table = np.corrcoef(np.array(varied, dtype=float))
        assert found == pytest.approx(np.median(table[np.triu_indices(len(varied), k=1)]), abs=2e-6)


def test_members_are_drawn_from_the_busiest_to_the_quietest_both_included():
    day = dt.date(2026, 5, 1)
    counts = {f"a{number:03d}": 1_000 - number for number in range(100)} | {"idle": 0}
    days = pl.DataFrame({"account_id": list(counts), "day": [day] * len(counts), "request_count": list(counts.values())})
    found = series(days, [day], 1)
    assert len(found) == 30
    assert (found[0].account_id, found[-1].account_id) == ("a000", "a099")
    assert all(one.total > other.total for one, other in pairwise(found))


def test_a_window_of_more_than_a_quarter_is_drawn_week_by_week():
    text = said(fixtures.frames(6), window={"first_day": "2025-11-01", "last_day": "2026-05-06", "days": 187})
    assert "A bar is 7 days, the last possibly fewer." in text
    assert "Stretches with requests" in text


def test_members_of_one_rhythm_are_told_from_matched_accounts(text):
    frames = fixtures.frames(12)
    own, theirs = (middle_correlation(frames, [f"acct-{letter}-{number:05d}" for number in numbers]) for letter, numbers in (("r", range(12)), ("c", evenly(60, 30))))
    assert f"two members rise and fall together with a median correlation of {own:.2f}; two of 30 matched accounts with one of {theirs:.2f}" in text or (
        f"two members correlate with a median of {own:.2f}, two of 30 matched accounts with one of {theirs:.2f}" in text
    )
    assert "n = 12 members of 12 with traffic" in text


def evenly(count: int, shown: int) -> list[int]:
    """Places of those drawn; equal volumes are in the order of the ids."""
    return [round(place * (count - 1) / (shown - 1)) for place in range(shown)]


def middle_correlation(frames, accounts) -> float:
    """Median of numpy's correlations of requests by day."""
    days = frames["account_days"].filter(pl.col("account_id").is_in(accounts)).sort("account_id", "day")
    table = np.array([part["request_count"].to_list() for part in days.partition_by("account_id", maintain_order=True)], dtype=float)
    return float(np.median(np.corrcoef(table)[np.triu_indices(len(table), k=1)]))


def test_the_network_is_held_against_the_nearest_innocent_one(text):
    block = text[text.index("Held against others") :]
    assert f"The innocent network most like this one is {fixtures.EXPLAINED} (31 accounts, explained by: a course or a school)" in block
    assert "Both show infrastructure." in block
    assert "identity 14.0 opened the gate 92.5 % not weighed not weighed only here" in block
    assert "infrastructure 6.5 60 % 5.0 90 % stronger here" in block


def test_medians_and_middle_halves_are_those_of_the_accounts(text):
    accounts = fixtures.frames(12)["accounts"]
    own = accounts.filter(pl.col("network_id") == fixtures.REFER)["requests_per_day"].to_numpy()
    controls = accounts.filter(pl.col("account_id").str.starts_with("acct-c"))["requests_per_day"].to_numpy()
    other = accounts.filter(pl.col("network_id") == fixtures.EXPLAINED)["requests_per_day"].to_numpy()
    data = text[text.index("features side by side Feature") :]
    cells = []
    for values in (own, controls, other):
        low, middle, high = (numbers.measured(float(np.quantile(values, share)), "requests per day") for share in (0.25, 0.5, 0.75))
        cells.append(f"{middle} {low} to {high}")
    assert f"requests a day {' '.join(cells)} " in data


def test_matched_accounts_are_shown_from_twenty_on_only(text):
    frames = fixtures.frames(12)
    frames["controls"] = frames["controls"].filter(pl.col("network_id") == fixtures.REFER).head(19)
    few = said(frames)
    assert "Matched accounts are not shown: 19 matched accounts, and at least 20 are needed." in few
    whole, cut = (page[page.index("features side by side Feature") : page.index("Families of evidence, here and in")] for page in (text, few))
    assert whole.count("hours with a request, a day 23.5 hours 23.5 hours to 23.5 hours 7.5 hours") == 1
    assert cut.count("hours with a request, a day 23.5 hours 23.5 hours to 23.5 hours not compared not compared 7.5 hours") == 1


def test_without_an_innocent_network_it_says_so():
    frames = fixtures.frames(12)
    frames["networks"] = frames["networks"].filter(pl.col("tier") != "explained")
    assert "No other network of this night is explained by an innocent cause" in said(frames)


def test_nothing_that_colleagues_of_a_vouched_organisation_share_is_listed():
    frames = fixtures.frames(12)
    own = pl.col("network_id") == fixtures.REFER
    frames["networks"] = frames["networks"].with_columns(pl.when(own).then(pl.lit("vouched_organisation")).otherwise("best_alternative").alias("best_alternative"))
    text = said(frames)
    assert "card 1" not in text
    assert "Links alone" not in text


def test_above_sixty_members_blocks_stand_for_them():
    text = said(fixtures.frames(70))
    assert "A row is a block of members that hold the same values, 60 at most" in text
    rows = text[text.index("The same in words") : text.index("Figure 2.")]
    numbers = [int(number) for _, number in re.findall(r"\bblock (\d+) (\d+) ", rows)]
    assert sum(numbers) == 70
    data = text[text.index("numbers in the drawing") : text.index("stillhunt pivot")]
    assert sum(int(found) for found in re.findall(r"block \d+ (\d+) \d+ \d+ \d+ ", data)) == 70


def test_single_accounts_are_listed_and_accused_of_nothing():
    text = " ".join(Page(dict(build_pages(fixtures.frames(12), fixtures.manifest(), load_config(), pages_for=[]))["index.html"]).text.split())
    block = text[text.index("Accounts in no network whose") : text.index("rows read, 342 rows rejected")]
    assert "An account here is accused of nothing and suspected of nothing" in block
    listed = re.findall(r"acct-[a-z]-\d+", block)
    assert listed == ["acct-x-00000", "acct-x-00001", "acct-x-00002"]
    assert "acct-x-00000 90 % 400 360 20 " in block


def test_single_accounts_that_somebody_allows_or_that_are_vouched_for_are_left_out():
    frames, past = fixtures.frames(12), fixtures.past()
    allowed = dataclasses.replace(past.standing.allowed[1], subject="acct-x-00000")
    past = dataclasses.replace(past, standing=dataclasses.replace(past.standing, allowed=(*past.standing.allowed, allowed)))
    key = frames["accounts"].filter(pl.col("account_id") == "acct-x-00001")["account_key"][0]
    colleague = fixtures.table(shared.schema.SHARED_VALUES, [{**shared._held("payment", 900, key, 2), "entity_key": 77}])
    frames["shared_values"] = pl.concat([frames["shared_values"], colleague])
    page = dict(build_pages(frames, fixtures.manifest(), load_config(), pages_for=[], past=past))["index.html"].decode()
    listed = page[page.index('<h2 id="singles">') : page.index('<h2 id="health">')]
    assert re.findall(r"acct-x-\d+", listed) == ["acct-x-00002"]
