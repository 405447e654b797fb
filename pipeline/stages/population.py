"""Accounts as positions: what the stages from 55 on share when they score pairs and groups.

Builds one record out of the tables `account_records`, `shared_values` and `kinds`; holds no result and decides nothing.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import NetworkConfig
from pipeline.kinds import FAMILIES
from pipeline.measures.numbering import ranked
from pipeline.measures.pairs import PairScorer, SharedKind

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SAMPLE = 20
"""Accounts compared with to judge one membership."""


@dataclass(frozen=True)
class Population:
    """The accounts of the window, sorted by key, and a scorer over their positions."""

    keys: Ints
    """account_key by position, ascending."""
    ids: tuple[str, ...]
    """account_id by position."""
    entity: Ints
    """entity_key by position: the vouched organisation, else the account itself."""
    make_scorer: Callable[[], PairScorer]
    """Indexes what the accounts share."""

    @functools.cached_property
    def scorer(self) -> PairScorer:
        """Bits of pairs of positions; made when first asked for, because many stages score no pair."""
        return self.make_scorer()

    @functools.cached_property
    def entity_total(self) -> int:
        """N of the rarity formula: vouched organisations and other accounts."""
        return len(np.unique(self.entity))

    def edge_bits(self, config: NetworkConfig) -> float:
        """Bits from which a pair is an edge: log2(N) pays for the number of possible partners, the margin is evidence beyond it."""
        return math.log2(max(2, self.entity_total)) + config.edge_margin_bits

    def positions(self, keys: pl.Series) -> Ints:
        """Positions of account keys; every key must be known."""
        found: Ints = np.searchsorted(self.keys, keys.to_numpy())
        return found


def population(inputs: Mapping[str, pl.DataFrame]) -> Population:
    """The population of a window. In: account_records, kinds, shared_values. Empty: no accounts."""
    records = inputs["account_records"].sort("account_key")
    keys = records["account_key"].to_numpy()
    values, kinds = inputs["shared_values"], inputs["kinds"]
    return Population(keys.astype(np.int64), tuple(records["account_id"].to_list()), entities_of(records), lambda: scorer_of(values, kinds, keys))


def entities_of(records: pl.DataFrame) -> Ints:
    """Entity of each row of account_records: the vouched organisation, else the account itself."""
    vouched = records["is_vouched"].fill_null(False) & records["organization_key"].is_not_null()
    entity = np.where(vouched.to_numpy(), records["organization_key"].fill_null(0).to_numpy(), records["account_key"].to_numpy())
    return entity.astype(np.int64)


def scorer_of(values: pl.DataFrame, kinds: pl.DataFrame, keys: Ints) -> PairScorer:
    """A scorer over accounts by their sorted keys. In: rows of shared_values of these accounts alone, and the table of kinds."""
    known = {family: int(cap) for family, cap in kinds.select("family", "family_cap_micro_bits").iter_rows()}
    caps = {family: known[family] for family in FAMILIES if family in known}
    held = {str(kind): rows for (kind,), rows in values.partition_by("kind", as_dict=True).items()}
    return PairScorer(len(keys), [_shared_kind(row, held.get(row["kind"], values.clear()), keys) for row in kinds.iter_rows(named=True)], caps)


def median_bits(people: Population, accounts: Ints, part: Ints, seed: int) -> Floats:
    """Each account's median bits to a sample of a part (itself left out). In: positions; the part has at least one account besides. Out: (accounts,)."""
    rng = np.random.default_rng(seed)
    sample = part if len(part) <= SAMPLE else np.sort(rng.choice(part, SAMPLE, replace=False))
    a, b = np.repeat(accounts, len(sample)), np.tile(sample, len(accounts))
    bits = people.scorer.total(a, b)
    bits[a == b] = np.nan
    return _medians(bits.reshape(len(accounts), len(sample)))


def _medians(rows: Floats) -> Floats:
    """Median of the numbers of each row that are known (not NaN); NaN of none. As numpy's nanmedian, whose masked arrays cost more than the numbers here."""
    ordered, known, place = np.sort(rows, axis=1), np.count_nonzero(~np.isnan(rows), axis=1), np.arange(len(rows))
    medians: Floats = (ordered[place, (known - 1) // 2] + ordered[place, known // 2]) / 2
    return medians


def _shared_kind(kind: dict[str, object], held: pl.DataFrame, keys: Ints) -> SharedKind:
    """In: a row of kinds, the rows of shared_values of that kind, and the accounts' sorted keys."""
    row = np.searchsorted(keys, held["account_key"].to_numpy()).astype(np.int64)
    column = numbered(held)[0]
    return SharedKind(
        str(kind["kind"]),
        str(kind["family"]),
        int(str(kind["cap_micro_bits"])),
        int(str(kind["min_support"])),
        row,
        column,
        held["share"].to_numpy().astype(np.float64),
        held["rarity_micro_bits"].to_numpy().astype(np.int64),
    )


def numbered(held: pl.DataFrame) -> tuple[Ints, Ints, Ints]:
    """Values numbered from 0, those of fewest holders first, then by key. In: rows of shared_values of one kind. Out: each row's number; each number's df and value_key."""
    keys, place = ranked(held["value_key"].to_numpy())
    df = np.empty(len(keys), dtype=np.int64)
    df[place] = held["df"].to_numpy()  # the same in all rows of a value
    order = np.lexsort((keys, df))
    number = np.empty(len(keys), dtype=np.int64)
    number[order] = np.arange(len(keys))
    return number[place], df[order], keys[order]
