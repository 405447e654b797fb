"""Likeness of pairs: operators are alike beyond what their manner explains, strangers are not, and nothing that judges changes by it."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipeline.config import Config
from pipeline.kinds import LIKENESS_FAMILIES, likeness_caps
from pipeline.stages.likeness import families, likeness
from pipeline.stages.likeness_signals import MANNER_SHARES, PROFILE, manners, signals
from tests.stages.builders import CONFIG, Frames, empty, python_stage, run, stage_named

STAGE = stage_named("pipeline.stages.likeness:likeness")


@pytest.fixture(scope="module")
def reads(tables: Frames) -> Frames:
    return {name: tables[name] for name in STAGE.reads}


def _keys(tables: Frames, name: str) -> list[int]:
    return tables["account_records"].filter(pl.col("account_id").str.starts_with(name))["account_key"].sort().to_list()


def _scored(reads: Frames, keys: list[int], family: str) -> np.ndarray:
    """Bits of all pairs of some accounts."""
    records = reads["account_records"].sort("account_key")
    everyone = records["account_key"].to_numpy()
    (found,) = [one for one in families(reads, records, everyone, CONFIG) if one.signal.family == family]
    places = np.searchsorted(everyone, keys)
    i, j = np.triu_indices(len(places), k=1)
    return found.bits(places[i], places[j])


@pytest.mark.parametrize("family", LIKENESS_FAMILIES)
def test_of_unrelated_people_and_scripts_few_pairs_reach_few_bits(tables: Frames, reads: Frames, family: str) -> None:
    for group in ("person", "script"):
        bits = _scored(reads, _keys(tables, group), family)
        for level in (3.0, 4.0, 5.0):
            assert float((bits >= level).mean()) <= 1.3 * 2.0**-level + 0.01, (group, level)
        assert float((bits > 0).mean()) > 0.0


def test_an_operator_is_alike_in_topic_and_what_it_shares_is_in_the_links(tables: Frames, reads: Frames) -> None:
    own = _keys(tables, "carded")
    assert float(np.median(_scored(reads, own, "topic"))) == CONFIG.links.topic_cap_bits
    links = tables["links"].filter(pl.col("account_a").str.starts_with("carded") & pl.col("account_b").str.starts_with("carded"))
    alike = links.filter(pl.col("family") == "topic")
    assert alike.height > 50
    assert set(alike["bits_kind"]) == {"tail"}
    assert alike["df"].null_count() == alike.height
    assert alike["support"].min() > 20
    assert links.filter(~pl.col("family").is_in(LIKENESS_FAMILIES))["bits_kind"].unique().to_list() == ["rarity"]


def test_every_row_is_in_the_tail_and_below_its_cap(tables: Frames) -> None:
    caps = likeness_caps(CONFIG.links)
    rows = tables["pair_likeness"]
    assert set(rows["family"]) == set(LIKENESS_FAMILIES)
    assert (rows["account_a"] < rows["account_b"]).all()
    for family, part in rows.group_by("family"):
        assert part["bits"].min() >= CONFIG.links.likeness_min_bits
        assert part["bits"].max() <= caps[str(family[0])]


def test_bits_are_those_of_a_count_over_the_null_written_out(tables: Frames, reads: Frames) -> None:
    records = reads["account_records"].sort("account_key")
    everyone = records["account_key"].to_numpy()
    for family in families(reads, records, everyone, CONFIG):
        rows = tables["pair_likeness"].filter(pl.col("family") == family.signal.family).head(20)
        for one, other, bits in rows.select("account_a", "account_b", "bits").iter_rows():
            a, b = (np.array([int(np.searchsorted(everyone, key))]) for key in (one, other))
            (stratum,), (figure,) = family.signal.strata.of(a, b), family.signal.figure(a, b)
            null = family.null.figures[family.null.ends[stratum] : family.null.ends[stratum + 1]].tolist()
            share = (1 + sum(seen <= figure for seen in null)) / (1 + len(null))
            assert bits == pytest.approx(min(-np.log2(share), family.cap), abs=1e-6)


def test_each_network_has_a_row_a_family_that_admits_nothing(tables: Frames) -> None:
    rows = tables["network_families"].filter(pl.col("family").is_in(LIKENESS_FAMILIES))
    networks = tables["clusters"].filter(pl.col("origin") == "network")["cluster"].n_unique()
    assert networks
    assert rows.height == networks * len(LIKENESS_FAMILIES)
    assert set(rows["evidence_class"]) == {"likeness"}
    assert not rows["admitted"].any()
    topic = rows.filter(pl.col("family") == "topic").sort("median_bits").row(-1, named=True)
    assert (topic["median_bits"], topic["control_percentile"], topic["kinds"]) == (CONFIG.links.topic_cap_bits, 100.0, "topic")


def _without_likeness() -> Config:
    off = {f"{family}_cap_bits": 0.0 for family in LIKENESS_FAMILIES}
    return dataclasses.replace(CONFIG, links=dataclasses.replace(CONFIG.links, **off))


def test_without_these_families_every_network_member_and_other_link_is_the_same(given: Frames, tables: Frames) -> None:
    again = run(given, _without_likeness())
    assert again["pair_likeness"].height == 0
    for name in ("clusters", "networks", "members", "network_tests", "network_ablations", "accounts"):
        assert_frame_equal(again[name], tables[name])
    assert_frame_equal(again["findings"].drop("finding_id"), tables["findings"].drop("finding_id"))  # an id is a hash of the settings, too
    for name in ("links", "network_families"):
        assert_frame_equal(again[name], tables[name].filter(~pl.col("family").is_in(LIKENESS_FAMILIES)))


def test_an_account_without_prompts_hours_or_features_gets_no_bits(reads: Frames) -> None:
    bare = {**reads, **{name: empty(name) for name in ("account_words", "hourly_requests", "sample_totals", "boilerplate")}}
    unknown = reads["features"].with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in PROFILE)
    found = likeness({**bare, "features": unknown}, CONFIG)
    assert found["pair_likeness"].height == 0
    assert found["cluster_likeness"]["median_bits"].max() == 0
    kept = likeness(bare, CONFIG)["pair_likeness"]
    assert set(kept["family"]) == {"behaviour"}, "features are there"


def test_manners_divide_at_the_shares(reads: Frames) -> None:
    keys = np.arange(4)
    totals = pl.DataFrame({"account_key": keys[:3], "document_count": [10, 10, 10]})
    held = [(key, prompt) for key, count in ((0, 0), (1, round(10 * MANNER_SHARES[0])), (2, round(10 * MANNER_SHARES[1]))) for prompt in range(count)]
    given = {"sample_totals": totals, "boilerplate": pl.DataFrame(held, schema={"account_key": pl.Int64, "prompt_key": pl.Int64}, orient="row")}
    assert manners(given, keys).tolist() == [0, 1, 2, 0]


def test_support_counts_prompts_requests_and_hours(tables: Frames, reads: Frames) -> None:
    keys = reads["account_records"].sort("account_key")["account_key"].to_numpy()
    a, b = _keys(tables, "carded")[:2]
    places = tuple(np.array([int(np.searchsorted(keys, key))]) for key in (a, b))
    support = {signal.family: int(signal.support(*places)[0]) for signal in signals(reads, keys, CONFIG)}
    prompts = tables["sample_totals"].filter(pl.col("account_key").is_in([a, b]))["document_count"].sum()
    requests = tables["requests"].filter(pl.col("account_key").is_in([a, b])).with_columns(hour=pl.col("ts_us") // 3_600_000_000)
    hours = [set(requests.filter(pl.col("account_key") == key)["hour"]) for key in (a, b)]
    assert support == {"topic": prompts, "behaviour": requests.height, "synchrony": len(hours[0] & hours[1])}


def test_no_accounts_give_empty_tables() -> None:
    found = python_stage(STAGE, {name: empty(name) for name in STAGE.reads})
    assert {name: table.height for name, table in found.items()} == {"pair_likeness": 0, "cluster_likeness": 0}
