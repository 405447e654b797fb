"""Where the bits of single members come from: the strongest, the median and the weakest, family by family, against the same fellows."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import polars as pl

from pipeline.config import Config
from pipeline.evidence.explanation import FELLOWS
from pipeline.evidence.finished import FinishedRun
from pipeline.history.recall import entity_total
from pipeline.kinds import kind_table
from pipeline.pages.incident.parts import Waterfall
from pipeline.stages.population import scorer_of


def waterfalls(run: FinishedRun, members: pl.DataFrame, config: Config, named: Callable[[int], str]) -> tuple[tuple[Waterfall, ...], float | None]:
    """(strongest, median and weakest member by median bits; bits from which two accounts count as linked).

    In: account_key and bits of the members. Fewer than three weighed members give none; without a shared value the second is None, too.
    """
    weighed = members.filter(pl.col("bits").is_not_null()).sort("bits", "account_key")
    fellows = members.sort("account_key")["account_key"].head(FELLOWS).to_list()
    places = {"strongest": weighed.height - 1, "median": weighed.height // 2, "weakest": 0} if weighed.height >= 3 else {}
    chosen = {which: int(weighed["account_key"][place]) for which, place in places.items()}
    keys = np.unique(np.array([*fellows, *chosen.values()], dtype=np.int64))
    values = run.among("shared_values", {"account_key": keys.tolist()}) if len(keys) else run.table("shared_values")
    scorer = scorer_of(values, kind_table(config.links), keys)
    found = []
    for which, key in chosen.items():
        here = int(np.searchsorted(keys, key))
        others = np.delete(np.arange(len(keys)), here)
        pairs = np.full(len(others), here), others
        bits, total = scorer.by_family(*pairs).mean(axis=0), float(scorer.total(*pairs).mean())
        families = tuple((family, round(float(value), 6)) for family, value in zip(scorer.families, bits, strict=True))
        found.append(Waterfall(which, named(key), families, round(total, 6), len(others)))
    return tuple(found), _edge_bits(values, config)


def _edge_bits(values: pl.DataFrame, config: Config) -> float | None:
    """The formula of stage 55: log2 of the number of entities, read back from a shared value's rarity, and a margin."""
    if values.is_empty():
        return None
    return round(math.log2(max(2, entity_total(values))) + config.networks.edge_margin_bits, 6)
