"""Which members of a network hold which shared values, read from a finished run; pages/holdings.py decides what is drawn of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from pipeline.config import Config
from pipeline.evidence.finished import FinishedRun
from pipeline.pages.holdings import Holdings, held_by

MATRIX_ROWS, MATRIX_COLUMNS = 72, 44
GRAPH_ROWS, GRAPH_COLUMNS, GRAPH_NODES = 36, 24, 60
"""Rows and columns that a drawing takes; a graph of both has 60 nodes at most."""


def holdings(run: FinishedRun, config: Config, cluster: int, keys: Sequence[int]) -> Holdings:
    """What the members (account keys) of a cluster share, at least two holding it."""
    ordered = np.sort(np.array(keys, dtype=np.int64))
    shared = run.where("cluster_values", cluster=cluster).filter(pl.col("inside_count") >= 2).select("kind", "value_key")
    own = run.among("shared_values", {"account_key": ordered.tolist()}) if len(ordered) else run.table("shared_values").clear()
    return held_by(ordered, own.join(shared, on=["kind", "value_key"], how="semi"), config)
