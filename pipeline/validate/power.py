"""Power of the operational tests: how often each tells a planted mechanism, chance, and the innocent cause it is confused with.

`python -m pipeline.validate.power FILE` writes the table as CSV: one row a test, accounts and requests an account, with the share of trials in which the test would
become a finding. Nothing of a log is read; worlds are drawn for the tests themselves, in a window of 28 days, beside 400 accounts that work alike. What is planted stands
in PLANTED, what is innocent in INNOCENT; chance is the same world without a mechanism.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.measures.groups import Neighbours, unit_rows
from pipeline.measures.succession import DAY_US, HOUR_US
from pipeline.measures.worklist import Holdings
from pipeline.stages.operations import Outcome
from pipeline.stages.operations.bans import UNKNOWN, Births, succession
from pipeline.stages.operations.load import Days, even_load
from pipeline.stages.operations.releases import MIN_AFTER, MIN_BEFORE, MOVED_SHARE, Moves, release_pivot
from pipeline.stages.operations.work import Work, disjoint_work, repeated_work

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ACCOUNTS, REQUESTS = (10, 50, 200), (20, 100, 300)
TRIALS = 25
OTHERS, WINDOW_DAYS, GROUPS, SEED = 400, 28, 999, 20261122
SAMPLED, NAMED = 64, 0.7
"""Prompts sampled of an account at most, and how many of them show an item."""
SEEN = 0.3
"""Entries of a corpus that exactly one outsider holds, as a share."""
PLANTED = {
    "disjoint_work": "one list of 10,000 entries (or as many as are asked for) dealt out, three in ten of them seen at one outsider",
    "repeated_work": "a class that works on 40 tasks",
    "release_pivot": "half of the members move, of others one in twenty",
    "ban_succession": "three waves of bans, three members in ten born within a day after one of them",
    "even_load": "requests in turns",
}
INNOCENT = {
    "disjoint_work": "course work dealt out: the same mechanism",
    "repeated_work": "one operator who asks a quarter of the questions twice",
    "release_pivot": "keen developers: three in ten move",
    "ban_succession": "three waves, half of three banned members in ten sign up again within a day",
    "even_load": "jobs with the same quota each day, give or take one in ten",
}


@dataclass(frozen=True)
class Cell:
    """One row of the table: shares of trials, 0..1."""

    test: str
    accounts: int
    requests: int
    planted: float
    chance: float
    innocent: float


def cells(trials: int = TRIALS) -> Iterator[Cell]:
    """Every test at every size. A trial draws from a generator of its own: equal arguments give equal rows."""
    for number, (test, trial) in enumerate(_TRIALS.items()):
        for accounts in ACCOUNTS:
            for requests in REQUESTS:
                seeds = [(SEED, number, accounts, requests, run) for run in range(trials)]
                shares = [float(np.mean([trial(accounts, requests, kind, np.random.default_rng([*seed, place])).is_shown for seed in seeds])) for place, kind in enumerate(_KINDS)]
                yield Cell(test, accounts, requests, *(round(share, 3) for share in shares))


_KINDS = ("planted", "chance", "innocent")


def _work(lists: list[Ints], held_out: bool) -> Work:
    """What `work_of` makes, of entries by number."""
    holder = np.repeat(np.arange(len(lists)), [len(own) for own in lists])
    entry = np.concatenate(lists)
    rows = pl.DataFrame({"account": holder, "item": entry, "account_key": holder, "item_key": entry, "prompt_key": 2 * entry + 1})
    odd = unit_rows(holder, entry, np.ones(len(entry)), len(lists))
    return Work(rows, Holdings(holder, entry, len(lists)), odd if held_out else odd[:, :0], np.arange(int(entry.max()) + 1))


def _named(requests: int) -> int:
    return round(NAMED * min(requests, SAMPLED))


def _disjoint(accounts: int, requests: int, kind: str, rng: np.random.Generator) -> Outcome:
    corpus, each = max(10_000, accounts * requests), _named(requests)
    outsiders = round(corpus * 0.5 / _named(REQUESTS[-1]))  # a share of 0.5 exp(-0.5) = 0.3 is then held by exactly one
    order = rng.permutation(corpus)
    dealt = [order[n * each : (n + 1) * each] for n in range(accounts)]
    own = [rng.choice(corpus, each, replace=False) for _ in range(accounts)] if kind == "chance" else dealt
    others = [rng.choice(corpus, _named(REQUESTS[-1]), replace=False) for _ in range(outsiders)]
    return disjoint_work(_work([*own, *others], held_out=False), np.arange(accounts))


def _repeated(accounts: int, requests: int, kind: str, rng: np.random.Generator) -> Outcome:
    each = max(_named(requests) // 2, 1)  # half of the prompts are kept out
    corpus = 20_000
    lists = [rng.choice(corpus, each, replace=False) for _ in range(accounts + OTHERS)]
    if kind == "planted":
        lists[:accounts] = [corpus + rng.choice(40, min(each, 40), replace=False) for _ in range(accounts)]
    if kind == "innocent":
        for n in range(accounts):
            twice = rng.choice(lists[(n + 1) % accounts], each // 4, replace=False)
            lists[n] = np.unique(np.concatenate([lists[n], twice]))
    return repeated_work(_work(lists, held_out=True), _manner(accounts, rng), np.arange(accounts), GROUPS, rng)


def _pivot(accounts: int, requests: int, kind: str, rng: np.random.Generator) -> Outcome:
    total = accounts + OTHERS
    before, after = rng.poisson(requests / 4, total), rng.poisson(requests / WINDOW_DAYS, total)
    share = np.full(total, 0.05)
    share[:accounts] = {"planted": 0.5, "chance": 0.05, "innocent": 0.3}[kind]
    new = rng.binomial(after, np.where(rng.random(total) < share, 0.5, 0.0))
    active = (before >= MIN_BEFORE) & (after >= MIN_AFTER)
    moved = np.where(active, (new >= MOVED_SHARE * after).astype(float), np.nan)
    rows = pl.DataFrame({"account": np.flatnonzero(active)})
    return release_pivot(Moves(moved, rows), _manner(accounts, rng), np.arange(accounts), GROUPS, rng)


def _births(accounts: int, _requests: int, kind: str, rng: np.random.Generator) -> Outcome:
    banned, born = np.full(accounts, UNKNOWN), np.full(accounts, UNKNOWN)
    days = np.sort(rng.choice(np.arange(4, WINDOW_DAYS - 1), 3, replace=False))
    waves = days * DAY_US + rng.integers(9, 17, 3) * HOUR_US
    lost = max(3, round(0.3 * accounts))
    banned[:lost] = waves[np.arange(lost) % 3] + rng.integers(0, HOUR_US, lost)
    count = {"planted": lost, "chance": lost, "innocent": max(1, lost // 2)}[kind]
    follow = waves[np.arange(count) % 3] + rng.integers(0, DAY_US, count)
    drawn = rng.integers(0, WINDOW_DAYS * DAY_US, count)
    born[lost : lost + count] = drawn if kind == "chance" else follow
    return succession(Births(born.astype(np.int64), banned.astype(np.int64), 0, WINDOW_DAYS * DAY_US), np.arange(accounts), rng)


def _even(accounts: int, requests: int, kind: str, rng: np.random.Generator) -> Outcome:
    totals = rng.poisson(accounts * requests / WINDOW_DAYS, WINDOW_DAYS)
    if kind == "planted":
        table = np.stack([np.bincount((start + np.arange(total)) % accounts, minlength=accounts) for start, total in zip(np.cumsum(totals), totals, strict=True)], axis=1)
    elif kind == "chance":
        table = rng.multinomial(totals, np.ones(accounts) / accounts).T
    else:
        quota = np.full((accounts, WINDOW_DAYS), requests / WINDOW_DAYS)
        table = np.floor(quota * rng.uniform(0.9, 1.1, quota.shape) + rng.random(quota.shape)).astype(np.int64)
    table[:, [0, -1]] = np.maximum(table[:, [0, -1]], 1)  # members are there from the first day to the last
    account, day = np.nonzero(table)
    return even_load(Days(account.astype(np.int64), day.astype(np.int64), table[account, day].astype(np.int64)), np.arange(accounts), rng)


def _manner(accounts: int, rng: np.random.Generator) -> Neighbours:
    return Neighbours(rng.standard_normal((accounts + OTHERS, 4)))


_TRIALS: dict[str, Callable[[int, int, str, np.random.Generator], Outcome]] = {
    "disjoint_work": _disjoint,
    "repeated_work": _repeated,
    "release_pivot": _pivot,
    "ban_succession": _births,
    "even_load": _even,
}


def write(path: Path, trials: int = TRIALS) -> None:
    """The table as CSV, its columns those of Cell. Raises OSError."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["test", "accounts", "requests", *_KINDS, "trials"])
        for cell in cells(trials):
            out.writerow([cell.test, cell.accounts, cell.requests, cell.planted, cell.chance, cell.innocent, trials])


if __name__ == "__main__":
    write(Path(sys.argv[1]))
