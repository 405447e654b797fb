"""Stage 31: how often an account used its prompts, prefixes, skeletons and sessions: for each number of requests, the values used exactly so often.

Nearly every request has values of its own, so they are counted out of the narrow requests and not kept a second time by day. Days are read side by side, so that
the values of few accounts are in memory at a time; what is left of them is few rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.measures.grouping import grouped
from pipeline.stages.days import DayReader, SideBySide, numbered

I64 = NDArray[np.int64]
_PIECE_ROWS = 1 << 18
_KEYS = {"prefix": "prefix_key", "prompt": "prompt_key", "session": "session_key", "skeleton": "skeleton_key"}
"""Kinds in the order of their names."""
_SILENT = pa.array(["embeddings", "count_tokens"])
"""Operations that generate nothing: such a request has a session only."""
_COUNT_BITS = 32


def request_counts(days: Sequence[DayReader], config: Config) -> Iterator[pa.RecordBatch]:
    """In: the days of requests, each sorted by account. Out: request_counts in the order of its grain, in batches. Nothing in, nothing out."""
    found: dict[str, list[tuple[I64, I64, I64]]] = {kind: [] for kind in _KEYS}
    for requests in SideBySide(days, ("account_key", "operation", *_KEYS.values()), _PIECE_ROWS).pieces():
        owners, place = numbered(requests["account_key"].to_numpy())
        generates = ~pc.is_in(requests["operation"], _SILENT).to_numpy()
        for kind, name in _KEYS.items():
            known = requests[name].is_valid().to_numpy()
            kept = known if kind == "session" else known & generates
            found[kind].append(_counts(owners, place[kept], requests[name].fill_null(0).to_numpy()[kept]))
    for kind, parts in found.items():
        for account, times, count in parts:
            yield pa.RecordBatch.from_pydict(
                {"kind": pa.array([kind]).take(pa.array(np.zeros(len(count), np.int8))), "account_key": account, "request_count": times, "value_count": count}
            )


def _counts(owners: I64, place: I64, key: I64) -> tuple[I64, I64, I64]:
    """Account, number of requests, how many of its keys come exactly so often; sorted by both."""
    group, first = grouped(place, key)
    packed, count = np.unique((place[first] << _COUNT_BITS) | np.bincount(group, minlength=len(first)), return_counts=True)
    return owners[packed >> _COUNT_BITS], packed & ((1 << _COUNT_BITS) - 1), count
