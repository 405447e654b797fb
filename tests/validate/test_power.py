"""The power table measures what it says: a planted mechanism is found where there is enough of it, chance is not, equal arguments give equal rows."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from pipeline.kinds import OPERATIONAL
from pipeline.validate import power

TRIALS = 4
ENOUGH = [("disjoint_work", 200, 100), ("repeated_work", 50, 100), ("release_pivot", 50, 300), ("ban_succession", 200, 100), ("even_load", 50, 100)]
TOO_LITTLE = [("disjoint_work", 10, 300), ("release_pivot", 200, 20), ("ban_succession", 10, 300), ("even_load", 50, 20)]
"""(test, accounts, requests): sizes at which the shown table of 25 trials says nearly always and nearly never."""


def shown(test, accounts, requests, kind):
    generators = (np.random.default_rng([7, accounts, requests, run]) for run in range(TRIALS))
    return [power._TRIALS[test](accounts, requests, kind, rng).is_shown for rng in generators]


def test_every_operational_test_has_a_mechanism_an_innocent_cause_and_a_row():
    assert set(power.PLANTED) == set(power.INNOCENT) == set(power._TRIALS) == set(OPERATIONAL)


@pytest.mark.parametrize(("test", "accounts", "requests"), ENOUGH)
def test_a_planted_mechanism_is_found_and_chance_is_not(test, accounts, requests):
    assert sum(shown(test, accounts, requests, "planted")) >= TRIALS - 1
    assert not any(shown(test, accounts, requests, "chance"))


@pytest.mark.parametrize(("test", "accounts", "requests"), TOO_LITTLE)
def test_too_little_evidence_finds_nothing(test, accounts, requests):
    assert sum(shown(test, accounts, requests, "planted")) <= 1


def test_the_table_has_a_row_a_test_and_size_and_is_the_same_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(power, "ACCOUNTS", (10,))
    monkeypatch.setattr(power, "REQUESTS", (20, 100))
    for name in ("one.csv", "two.csv"):
        power.write(tmp_path / name, trials=1)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    rows = list(csv.DictReader((tmp_path / "one.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["test"], row["accounts"], row["requests"], row["trials"]) for row in rows] == [(test, "10", size, "1") for test in power._TRIALS for size in ("20", "100")]
    assert all(float(row[kind]) in (0.0, 1.0) for row in rows for kind in ("planted", "chance", "innocent"))
