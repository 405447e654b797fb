"""Account figures of worlds written down by hand, every number counted on fingers."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.validate.accounts import figures_of_accounts
from tests.validate.tables import results, row, world

QUIET = world("quiet", ("individual", None, 50, None), ("classroom", "class:0", 10, None), ("classroom", "class:1", 10, "watch-1"))
HARD = world(
    "hard",
    ("individual", None, 38, None),
    ("individual", None, 2, "refer-1"),
    ("classroom", "class:0", 20, None),
    ("campaign:L0", "campaign:L0", 10, "refer-1"),
    ("campaign:L2", "campaign:L2", 6, "watch-1"),
    ("campaign:L2", "campaign:L2", 4, None),
    ("campaign:L10", "campaign:L10", 5, None),
)
FIGURES = figures_of_accounts(results(QUIET, HARD))


@pytest.mark.parametrize(("stratum", "value"), [("all", 10 / 25), ("campaign:L0", 1.0), ("campaign:L2", 0.0)])
def test_recall_counts_referred_accounts_only(stratum, value):
    found = row(FIGURES, "account_recall", stratum)
    assert (found.value, found.n, found.cases, found.bound) == (value, 1, "worlds", "none")


def test_listed_recall_counts_watched_networks_too():
    assert row(FIGURES, "account_recall_listed", "campaign:L2").value == 0.6
    assert row(FIGURES, "account_recall_listed").value == 16 / 25


def test_precision_is_of_referred_accounts():
    assert row(FIGURES, "account_precision").value == pytest.approx(10 / 12, abs=1e-6)


def test_false_accusations_are_counted_and_scaled():
    assert row(FIGURES, "innocent_accounts_flagged").value == 2
    assert row(FIGURES, "innocent_accounts_flagged").n == 130
    assert row(FIGURES, "false_accusations").value == pytest.approx(100_000 * 2 / 130, abs=1e-5)
    assert row(FIGURES, "false_accusations", "individual").value == pytest.approx(100_000 * 2 / 90, abs=1e-5)


def test_without_an_accusation_the_bound_is_that_of_the_groups():
    found = row(FIGURES, "false_accusations", "classroom")
    assert (found.value, found.n, found.cases, found.bound) == (0, 2, "innocent groups, by their accounts", "upper"), "classes of 10, 10 and 20: 40^2 / 600 = 2.67"
    assert found.high == pytest.approx(100_000 * (1 - 0.05 ** (1 / 2)), abs=1e-5)


def test_groups_of_one_size_count_in_full():
    quiet = [world(f"w{at}", *(("classroom", f"class:{number}", 7, None) for number in range(5))) for at in range(4)]
    assert row(figures_of_accounts(results(*quiet)), "false_accusations").n == 20


def test_strangers_of_a_kind_in_a_world_are_one_case():
    found = row(FIGURES, "innocent_groups_flagged", "individual")
    assert (found.value, found.n, found.bound) == (0.5, 2, "two_sided")
    assert row(FIGURES, "innocent_groups_flagged").n == 5


def test_worlds_with_any_false_accusation():
    found = row(FIGURES, "worlds_with_a_false_accusation")
    assert (found.value, found.n) == (0.5, 2)


def test_kinds_stand_in_the_order_of_their_numbers():
    assert [entry.stratum for entry in FIGURES if entry.measure == "account_recall"] == ["all", "campaign:L0", "campaign:L2", "campaign:L10"]


def test_accounts_of_unknown_truth_are_left_out_and_counted():
    labels = HARD.truth.with_columns(pl.when(pl.col("truth") == "individual").then(None).otherwise("malicious").alias("malicious"))
    unknown = dataclasses.replace(HARD, truth=labels, unlabelled_flagged=2)
    figures = figures_of_accounts(results(unknown))
    assert row(figures, "innocent_accounts_flagged").value == 0
    assert row(figures, "unlabelled_accounts_flagged").value == 2


def test_six_unequal_worlds_carry_an_interval_and_five_do_not():
    worlds = [world(f"w{at}", ("individual", None, 10, None), ("campaign:L0", "campaign:L0", at, "refer"), ("campaign:L0", "campaign:L0", 6 - at, None)) for at in range(1, 7)]
    found = row(figures_of_accounts(results(*worlds)), "account_recall")
    assert (found.value, found.n, found.bound) == (pytest.approx(21 / 36, abs=1e-6), 6, "two_sided")
    assert found.low < found.value < found.high
    assert row(figures_of_accounts(results(*worlds[:5])), "account_recall").bound == "none"


def test_eras_get_strata_of_their_own():
    split = HARD.truth.with_columns(pl.col("group").replace_strict({"campaign:L0": True, "campaign:L2": False}, default=None, return_dtype=pl.Boolean).alias("held_out"))
    figures = figures_of_accounts(results(dataclasses.replace(HARD, truth=split)))
    assert row(figures, "account_recall", "held out: decided after the cut").value == 1.0
    assert row(figures, "account_recall", "decided up to the cut").value == 0.0


KINDS, NETWORKS = ["individual", "classroom", "campaign:L0", "campaign:L1"], [None, "refer-1", "refer-2", "watch-1", "small-1"]
PARTS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 5), st.integers(1, 8), st.sampled_from(NETWORKS)), min_size=1, max_size=12)


@settings(deadline=None, max_examples=40)  # a bootstrap of four worlds takes a while on a busy machine
@given(st.lists(PARTS, min_size=1, max_size=4))
def test_laws_of_any_worlds(drawn):
    """Shares lie inside 0..1 and inside their bounds; counts of the kinds add up to the whole; the order of worlds changes nothing."""
    worlds = [
        world(f"w{at}", *((kind, kind if kind.startswith("campaign") else f"{kind}:{group}" if group else None, count, network) for kind, group, count, network in parts))
        for at, parts in enumerate(drawn)
    ]
    figures = figures_of_accounts(results(*worlds))
    for entry in figures:
        if entry.unit == "share" and entry.value is not None:
            assert 0 <= entry.value <= 1, entry
            assert entry.low is None or entry.low <= entry.value + 1e-6, entry
            assert entry.high is None or entry.high >= entry.value - 1e-6, entry
    counts = [entry for entry in figures if entry.measure == "innocent_accounts_flagged"]
    assert sum(entry.value for entry in counts if entry.stratum != "all") == row(figures, "innocent_accounts_flagged").value
    again = {(entry.measure, entry.stratum): entry.value for entry in figures_of_accounts(results(*reversed(worlds)))}
    assert again == {(entry.measure, entry.stratum): entry.value for entry in figures}
