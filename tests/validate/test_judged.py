"""Counts of judged networks of known truth, on worlds written down by hand."""

from __future__ import annotations

from pipeline.validate.judged import CELL, judged_networks
from tests.validate.tables import results, world


def cells(made):
    return {tuple(row[name] for name in CELL): (row["networks"], row["worlds"]) for row in judged_networks(made, 5)}


def test_networks_are_counted_by_kind_verdict_and_evidence():
    first = world("w", ("campaign:a", "a", 9, "refer-1"), ("classroom", "c", 6, "watch-1"), ("classroom", "d", 7, "watch-2"), bits=11.55)
    again = world("v", ("classroom", "c", 8, "watch-1"), bits=11.55)
    assert cells(results(first, again)) == {("campaign:a", True, "refer", "made_up", 1, 10, 11): (1, 1), ("classroom", False, "watch", "made_up", 0, 10, 11): (3, 2)}


def test_half_of_the_members_make_a_network_an_operators():
    half = world("w", ("campaign:a", "a", 5, "watch-1"), ("individual", None, 5, "watch-1"), ("campaign:a", "b", 4, "watch-2"), ("individual", None, 6, "watch-2"))
    assert cells(results(half)) == {("campaign:a", True, "watch", "made_up", 0, 0, 0): (1, 1), ("individual", False, "watch", "made_up", 0, 0, 0): (1, 1)}


def test_a_handful_counts_in_none_and_no_network_gives_no_count():
    assert cells(results(world("w", ("campaign:a", "a", 4, "small-1")))) == {}
    assert cells(results(world("w", ("individual", None, 9, None)))) == {}
