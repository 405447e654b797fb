"""The law of less data: a log that lacks columns, days, requests or accounts is judged more mildly than the whole one, and says what it lacks; it is never refused or degraded.

A referral accuses, so each account that the poorer log refers must be referred in the whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from pipeline.config import load_config
from pipeline.run import RunOptions, RunOutcome, run_night
from pipeline.simulate import write_world
from tests.degraded import LOSS, Log, combinations

SEED = 8
ONE_EACH = ("nothing about customers", "half of the requests")
"""Losses tried in every gate: without organisations a team on one card was once referred."""


@dataclass(frozen=True)
class Judged:
    """What a run published of a log."""

    degraded: tuple[str, ...]
    tables: Mapping[str, pl.DataFrame]

    @property
    def referred(self) -> frozenset[str]:
        """Accounts under a referral."""
        flagged = self.tables["networks"].filter("flagged")
        return frozenset(self.tables["members"].join(flagged, on="network_id", how="semi")["account_id"].to_list())

    @property
    def blind(self) -> frozenset[str]:
        """Families that did not run in full."""
        return frozenset(self.tables["blind_spots"].filter(pl.col("status") != "ran")["family"].to_list())


Judge = Callable[[tuple[str, ...]], Judged]


def _judge(log: Log, folder: Path) -> Judged:
    folder.mkdir(parents=True)
    log.requests.write_parquet(folder / "requests.parquet")
    accounts = None if log.accounts is None else folder / "accounts.parquet"
    if log.accounts is not None and accounts is not None:
        log.accounts.write_parquet(accounts)
    options = RunOptions((str(folder / "requests.parquet"),), folder / "out", load_config(), accounts, pages=False)
    outcome: RunOutcome = run_night(options, lambda _what, _done, _total: None)
    tables = {name: pl.read_parquet(outcome.folder / "tables" / f"{name}.parquet", hive_partitioning=False) for name in ("networks", "members", "blind_spots")}
    return Judged(tuple(outcome.degraded), tables)


def _world(folder: Path, scenario: str, accounts: int, days: int, seed: int, share: float) -> Judge:
    """A world as a function from what it loses to how it is then judged; the same loss is judged once."""
    write_world(folder / "world", scenario, accounts, days, seed, share)
    whole = Log(pl.read_parquet(folder / "world" / "requests" / "**" / "*.parquet", hive_partitioning=False), pl.read_parquet(folder / "world" / "accounts.parquet"))
    known: dict[tuple[str, ...], Judged] = {}

    def judge(lost: tuple[str, ...]) -> Judged:
        if lost not in known:
            log = whole
            for name in lost:
                log = LOSS[name].take(log)
            known[lost] = _judge(log, folder / f"judged-{len(known)}")
        return known[lost]

    return judge


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """Five hundred accounts on four days, twelve campaigns among them. One of its teams pays with one card from one address."""
    return _world(tmp_path_factory.mktemp("ladder"), "ladder", 500, 4, 902, 0.22)


def _holds(judge: Judge, lost: tuple[str, ...]) -> None:
    whole, less = judge(()), judge(lost)
    assert less.degraded == (), "what a log does not carry is a blind spot: exit code 0"
    assert less.referred <= whole.referred
    assert less.blind >= whole.blind | {family for name in lost for family in LOSS[name].blind}


def test_the_whole_log_refers_campaigns_and_lacks_little(ladder: Judge) -> None:
    whole = ladder(())
    assert len(whole.referred) >= 20
    assert not whole.blind & {family for loss in LOSS.values() for family in loss.blind}


@pytest.mark.parametrize("name", ONE_EACH)
def test_less_data_is_never_bolder(ladder: Judge, name: str) -> None:
    _holds(ladder, (name,))


@pytest.mark.parametrize("lost", combinations(SEED, 2), ids=" + ".join)
def test_no_combination_of_losses_is_bolder(ladder: Judge, lost: tuple[str, ...]) -> None:
    _holds(ladder, lost)


@pytest.mark.slow
@pytest.mark.parametrize("lost", [*((name,) for name in LOSS if name not in ONE_EACH), *combinations(SEED + 1, 10)], ids=" + ".join)
def test_no_loss_of_many_is_bolder(ladder: Judge, lost: tuple[str, ...]) -> None:
    _holds(ladder, lost)


@pytest.fixture(scope="module")
def lookalikes(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """Innocent accounts only, which share cards, devices, addresses and session ids heavily."""
    return _world(tmp_path_factory.mktemp("lookalikes"), "lookalike", 600, 5, 911, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("lost", [*((name,) for name in LOSS), *combinations(SEED + 2, 10)], ids=" + ".join)
def test_where_nobody_is_bad_nobody_is_referred_however_little_the_log_says(lookalikes: Judge, lost: tuple[str, ...]) -> None:
    assert lookalikes(()).referred == frozenset()
    _holds(lookalikes, lost)
