"""Stage 31: values that an account used in the window: the days' account_entities added up.

Days are sorted alike, so they are read side by side, kind after kind and account after account, and a piece of all days is added up in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from pipeline.config import Config
from pipeline.measures.grouping import grouped
from pipeline.stages.days import DayReader, SideBySide, ordered

_PIECE_ROWS = 1 << 18
_COLUMNS = ("day", "kind", "account_key", "value_key", "request_count")


def entities(days: Sequence[DayReader], config: Config) -> Iterator[pa.RecordBatch]:
    """In: the days of account_entities in order, each sorted by kind and account. Out: entities in the order of its grain, in batches. Nothing in, nothing out."""
    rows = SideBySide(days, _COLUMNS, _PIECE_ROWS, by_kind=True)
    while (bound := rows.bound()) is not None:
        yield _added(bound[0], rows.upto(bound).combine_chunks())


def _added(kind: str, rows: pa.Table) -> pa.RecordBatch:
    """The values of whole accounts of one kind."""
    account, value, count = (rows[name].to_numpy() for name in ("account_key", "value_key", "request_count"))
    day = rows["day"].cast(pa.int32()).to_numpy()
    group, first = grouped(account, value)
    last = np.empty_like(first)
    last[group] = np.arange(len(group))  # days come in order, and of the rows of a value the last one stays
    total = np.bincount(group, weights=count, minlength=len(first)).astype(np.int64)  # exact: far below 2^53 requests
    runs = ordered(account[first], value[first])
    first, last = first[runs], last[runs]
    columns = {
        "kind": pa.array([kind]).take(pa.array(np.zeros(len(runs), np.int8))),
        "account_key": account[first],
        "value_key": value[first],
        "day_count": np.bincount(group, minlength=len(runs))[runs],
        "request_count": total[runs],
        "first_day": pa.array(day[first], pa.int32()).cast(pa.date32()),
        "last_day": pa.array(day[last], pa.int32()).cast(pa.date32()),
    }
    return pa.RecordBatch.from_pydict(columns)
