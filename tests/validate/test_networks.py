"""Fates of campaigns: found, whole, missed, split, merged; and false networks."""

from __future__ import annotations

import pytest

from pipeline.validate.networks import campaign_fates, figures_of_networks
from pipeline.validate.plans import AS_IT_IS
from tests.validate.tables import results, row, world


def fates(*parts):
    made = results(world("w", *parts))
    return {found["group"]: found for found in campaign_fates(made.accounts(AS_IT_IS)).rows(named=True)}


def test_a_campaign_alone_in_one_network_is_found_whole():
    found = fates(("campaign:a", "a", 10, "refer-1"))["a"]
    assert (found["overlap"], found["found"], found["whole"], found["missed"], found["split"], found["merged"]) == (1.0, True, True, False, False, False)


@pytest.mark.parametrize(
    ("inside", "outside", "strangers", "overlap"),
    [(5, 5, 0, 0.5), (4, 6, 0, 0.4), (9, 1, 0, 0.9), (10, 0, 10, 0.5), (10, 0, 11, 10 / 21)],
)
def test_found_is_an_overlap_of_half_of_all_accounts_in_either(inside, outside, strangers, overlap):
    parts = [("campaign:a", "a", inside, "refer-1"), ("campaign:a", "a", outside, None), ("individual", None, strangers, "refer-1")]
    found = fates(*(part for part in parts if part[2]))["a"]
    assert found["overlap"] == pytest.approx(overlap)
    assert (found["found"], found["missed"]) == (overlap >= 0.5, overlap < 0.5)
    assert found["whole"] == (overlap >= 0.9)


def test_a_watched_network_finds_nothing():
    found = fates(("campaign:a", "a", 10, "watch-1"))["a"]
    assert (found["overlap"], found["missed"]) == (0.0, True)


def test_two_networks_of_one_campaign_split_it():
    found = fates(("campaign:a", "a", 6, "refer-1"), ("campaign:a", "a", 4, "refer-2"))["a"]
    assert (found["split"], found["found"]) == (True, True)
    assert not fates(("campaign:a", "a", 6, "refer-1"), ("campaign:a", "a", 4, "refer-2"), ("individual", None, 5, "refer-2"))["a"]["split"], "mostly strangers: not a piece"


def test_one_network_of_two_campaigns_merges_both():
    found = fates(("campaign:a", "a", 8, "refer-1"), ("campaign:b", "b", 2, "refer-1"))
    assert found["a"]["merged"]
    assert found["b"]["merged"]
    assert not fates(("campaign:a", "a", 19, "refer-1"), ("campaign:b", "b", 1, "refer-1"))["a"]["merged"], "under a tenth is an error of membership"


def test_equal_names_in_two_worlds_are_two_campaigns():
    made = results(world("w1", ("campaign:a", "a", 10, "refer-1")), world("w2", ("campaign:a", "a", 10, None)))
    figures = figures_of_networks(made)
    assert (row(figures, "campaigns_found", "campaign:a").value, row(figures, "campaigns_found", "campaign:a").n) == (0.5, 2)
    assert row(figures, "campaigns_found", "campaign:a").cases == "campaigns, one a world"


def test_several_campaigns_of_a_world_are_no_independent_cases():
    made = results(world("w1", ("campaign:a", "a", 10, "refer-1"), ("campaign:b", "b", 10, None)))
    found = row(figures_of_networks(made), "campaigns_found")
    assert (found.value, found.n, found.cases, found.bound) == (0.5, 1, "worlds", "none")


def test_a_network_mostly_of_innocents_is_false():
    made = results(
        world("w1", ("campaign:a", "a", 4, "refer-1"), ("individual", None, 5, "refer-1"), ("campaign:b", "b", 5, "refer-2"), ("individual", None, 5, "refer-2")),
        world("w2", ("individual", None, 5, None)),
    )
    figures = figures_of_networks(made)
    assert (row(figures, "networks_referred").value, row(figures, "networks_false").value) == (2, 1)
    assert row(figures, "networks_false_share").value == 0.5
    assert (row(figures, "worlds_with_a_false_network").value, row(figures, "worlds_with_a_false_network").n) == (0.5, 2)


def test_found_and_missed_are_everything():
    made = results(*(world(f"w{at}", ("campaign:a", "a", 3 * at + 1, "refer-1"), ("campaign:a", "a", 7, None)) for at in range(6)))
    figures = figures_of_networks(made)
    assert row(figures, "campaigns_found").value + row(figures, "campaigns_missed").value == pytest.approx(1)
    assert row(figures, "campaigns_found").value == pytest.approx(4 / 6, abs=1e-6)  # 1/8, 4/11, 7/14, 10/17, 13/20, 16/23


def test_no_world_gives_no_figure_to_believe():
    for entry in figures_of_networks(results()):
        assert entry.bound == "none"
        assert entry.value in (None, 0.0)
