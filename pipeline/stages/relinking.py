"""Pieces of one operator put together again: groups that share a card, device, mailbox or telephone and write in a network's own wording.

An operator who gives each handful of accounts a card and a client of its own leaves handfuls that no second family joins. Wording alone joins nobody: a handful comes to a
network only if a specific fact holds it together, its members write with most of what most of the network writes with, and few others in the whole log do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.measures.numbering import ranked, spans
from pipeline.stages.population import Population, median_bits

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PHRASE = 8
"""Word 4-grams that make a wording a network's own: eight adjacent ones are eleven words in a row."""
HALF = 0.5


@dataclass(frozen=True)
class _Lists:
    """Lists of items one after the other: list n is items[ends[n]:ends[n + 1]]."""

    items: Ints
    ends: Ints

    def of(self, numbers: Ints) -> Ints:
        """The items of some lists together."""
        return self.items[spans(self.ends, numbers)]


@dataclass(frozen=True)
class _Wording:
    """Who writes with which 4-gram, both ways round, so that a network's writers are found without a pass over all rows."""

    values: _Lists
    """4-grams (numbered from 0) of each account, by position"""
    writers: _Lists
    """positions of the accounts of each 4-gram"""


def with_handfuls(found: list[tuple[Ints, Floats]], handfuls: list[Ints], values: pl.DataFrame, people: Population, config: Config) -> list[tuple[Ints, Floats]]:
    """Networks with the handfuls that belong to them. In: members (sorted positions) and bits of each network, positions of each group that a fact joins, shared_values.

    A network takes handfuls in only if at least half of it is joined by facts already: what comes in must not be what opens the gate. The first network that fits takes
    what fits it; nothing given, nothing found.
    """
    wording = _wording(values, people)
    handful_of = np.full(len(people.keys), -1, dtype=np.int64)
    for number, handful in enumerate(handfuls):
        handful_of[handful] = number
    is_free = np.ones(len(people.keys), dtype=np.bool_)
    for members, _ in found:
        is_free[members] = False
    made = []
    for members, bits in found:
        is_made_of_handfuls = len(_in_company(members, handful_of)) >= HALF * len(members)
        writers = _writers(wording, members, people, config) if is_made_of_handfuls else members[:0]
        recruits = _in_company(writers[is_free[writers]], handful_of)
        is_free[recruits] = False
        order = np.argsort(everyone := np.concatenate([members, recruits]))
        weight = np.round(median_bits(people, recruits, members, config.networks.seed), 6) if len(recruits) else np.empty(0)
        made.append((everyone[order], np.concatenate([bits, weight])[order]))
    return made


def _in_company(accounts: Ints, handful_of: Ints) -> Ints:
    """Those of the accounts (positions) that are in a handful with another of them."""
    held = accounts[handful_of[accounts] >= 0]
    _, place, counts = np.unique(handful_of[held], return_inverse=True, return_counts=True)
    return held[counts[place] >= 2]


def _wording(values: pl.DataFrame, people: Population) -> _Wording:
    """In: rows of shared_values."""
    rows = values.filter(pl.col("kind") == "template")
    account, (known, value) = people.positions(rows["account_key"]), ranked(rows["value_key"].to_numpy())
    return _Wording(_listed(value, account, len(people.keys)), _listed(account, value, len(known)))


def _listed(items: Ints, by: Ints, count: int) -> _Lists:
    """The items of each number below `count`. In: items, each with the number that it belongs to."""
    ends = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.bincount(by, minlength=count))])
    return _Lists(items[np.argsort(by, kind="stable")], ends)


def _writers(wording: _Wording, members: Ints, people: Population, config: Config) -> Ints:
    """Accounts outside a network that write with at least half of what at least half of it writes with; none if that is little, or if too many do."""
    written, holders = np.unique(wording.values.of(members), return_counts=True)
    common = written[holders >= HALF * len(members)]
    if len(common) < PHRASE:
        return np.empty(0, dtype=np.int64)
    accounts, held = np.unique(wording.writers.of(common), return_counts=True)
    writers = np.setdiff1d(accounts[held >= HALF * len(common)], members)
    inside, outside = len(np.unique(people.entity[members])), len(np.unique(people.entity[writers]))
    is_own = inside >= config.verdict.gate_in_share * (inside + outside) and outside <= config.verdict.gate_max_outside_share * people.entity_total
    return writers if is_own else np.empty(0, dtype=np.int64)
