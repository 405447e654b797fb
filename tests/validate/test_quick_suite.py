"""The quick suite as it was measured, kept as floors: what it found before it must find again, and it must accuse nobody."""

from __future__ import annotations

import json

import pytest

FLOORS = {
    **{("campaigns_found", f"campaign:L{rung}"): 1.0 for rung in range(6)},
    ("campaigns_found", "all"): 0.5,
    ("campaign_overlap", "all"): 0.5,
    ("campaigns_found", "campaign:L6"): 0.5,
    ("account_recall", "all"): 0.52,
    ("account_recall_listed", "all"): 0.53,
    ("account_precision", "all"): 1.0,
    ("referred_by_night", "campaign:L0, night 1"): 1.0,
    ("referred_by_night", "campaign:L5, night 4"): 1.0,
    ("membership_observed", "referred, membership 0.8 to 1"): 0.95,
    ("try_agreement", "seed: seed = 1"): 1.0,
}
CEILINGS = {
    ("innocent_accounts_flagged", "all"): 0.0,
    ("networks_false", "all"): 0.0,
    ("campaigns_split", "all"): 0.0,
    ("campaigns_merged", "all"): 0.0,
    ("chance_networks_at_q", "q at most 0.01"): 0.01,
    ("chance_networks_at_q", "q at most 0.05"): 0.05,
    ("membership_brier", "referred"): 0.06,
}


@pytest.fixture(scope="module")
def measured(program, tmp_path_factory):
    result = program("validate", "--suite", "quick", "--out", tmp_path_factory.mktemp("quick"), "--format", "json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.slow
def test_the_quick_suite_holds_its_floors(measured):
    figures = {(row["measure"], row["stratum"]): row["value"] for row in measured["figures"]}
    missed = {key: (figures[key], floor) for key, floor in FLOORS.items() if figures[key] is None or figures[key] < floor - 1e-6}
    above = {key: (figures[key], ceiling) for key, ceiling in CEILINGS.items() if figures[key] is None or figures[key] > ceiling + 1e-6}
    assert (missed, above) == ({}, {})


@pytest.mark.slow
def test_the_quick_suite_holds_every_sort_of_figure(measured):
    names = {row["measure"] for row in measured["figures"]}
    from pipeline.pages.validation_words import words

    assert names == set(words()["measure"])
    assert measured["degraded"] == []
    assert {row["n"] for row in measured["figures"] if row["stratum"] == "campaign:L0" and row["measure"] == "campaigns_found"} == {6}
