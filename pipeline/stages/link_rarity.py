"""Stage 41: what each pair worth comparing shares, by kind: links of all families whose evidence is a shared value.

Bits are log2(entities / holders) of what two accounts share, the rarest value of a kind in full and the others by a quarter, capped (`measures/pairs.py` has the formula);
each link names its rarest value, of several worth the same the one of fewest holders, then of the smallest key.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline import schema
from pipeline.config import Config
from pipeline.stages.frames import conform
from pipeline.stages.population import numbered, scorer_of

Ints = NDArray[np.int64]


def link_rarity(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """One row a pair and kind that it shares enough of. Reads candidate_pairs, shared_values, kinds. Empty: an empty table."""
    values, pairs, kinds = inputs["shared_values"], inputs["candidate_pairs"], inputs["kinds"].sort("kind")
    keys = pl.concat([values["account_key"], pairs["account_a"], pairs["account_b"]]).unique().sort().to_numpy()
    a, b = (np.searchsorted(keys, pairs[side].to_numpy()) for side in ("account_a", "account_b"))
    found = scorer_of(values, kinds, keys).links(a, b)
    df, value = _named(values, kinds, found.kind, found.rarest)
    columns = {"bits": found.bits, "support": found.support, "df": df, "value_key": value}
    table = pairs[found.pair].with_columns(kinds["kind"].gather(found.kind), *(pl.Series(name, column) for name, column in columns.items()))
    return {"link_rarity": conform(table, schema.LINK_RARITY)}


def _named(values: pl.DataFrame, kinds: pl.DataFrame, kind: Ints, rarest: Ints) -> tuple[Ints, Ints]:
    """Holders and key of each link's rarest value. In: each link's kind (place) and the value's number in it."""
    facts = [numbered(values.filter(pl.col("kind") == name))[1:] for name in kinds["kind"]]
    starts = np.cumsum([0, *(len(df) for df, _ in facts)])
    df, keys = (np.concatenate([np.empty(0, dtype=np.int64), *columns]) for columns in zip(*facts, strict=True)) if facts else (rarest, rarest)
    return df[starts[kind] + rarest], keys[starts[kind] + rarest]
