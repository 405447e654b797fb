"""Stage 37: how busy each day of the window was for everybody, apart from each account's own level: what shared days are measured against.

Kept by itself, so that the days of a few accounts can be measured without those of all others.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline import schema
from pipeline.config import Config
from pipeline.measures.groups import day_means
from pipeline.stages.frames import conform

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def day_levels(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """One row a day with requests. Reads daily_requests and account_records. Empty: no rows."""
    days = inputs["daily_requests"]["day"].unique().sort()
    keys = inputs["account_records"]["account_key"].sort().to_numpy()
    levels = day_means(day_counts(inputs["daily_requests"], keys, days)) if len(days) else np.zeros(0)
    return {"day_levels": conform(pl.DataFrame({"day": days, "level": levels}), schema.DAY_LEVELS)}


def day_counts(daily: pl.DataFrame, keys: Ints, days: pl.Series) -> Floats:
    """Requests of each account on each day, 0 where there are none. In: rows of daily_requests, all account_keys and all days, ascending. Out: (accounts, days)."""
    counts = np.zeros((len(keys), len(days)))
    row = np.searchsorted(keys, daily["account_key"].to_numpy())
    counts[row, np.searchsorted(days.to_physical().to_numpy(), daily["day"].to_physical().to_numpy())] = daily["request_count"].to_numpy()
    return counts
