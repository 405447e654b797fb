"""Stage 32: sampled prompts of the window: of each account the prompts with the smallest keys over all its days, equal prompts added up.

What stands for a prompt (its request, place in the log, lists) is that of its first request; no two days share a time, so there is one. A prompt counts only on
the days on which it was sampled. Days are read side by side, their lists as bytes; only those of the chosen rows become lists: most prompts of a long window are read and left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.measures.packed import SAMPLE_LISTS, taken, unpacked
from pipeline.schema import WINDOW_SAMPLES
from pipeline.stages.days import DayReader, SideBySide, ordered

I64 = NDArray[np.int64]
_PIECE_ROWS, _FEWEST = 1 << 17, 1 << 11
"""Rows of a piece of all days, and of a batch of one: a row with its lists takes some 400 bytes, and a batch of every day is held."""
_COLUMNS = WINDOW_SAMPLES.column_names
_NONE = np.iinfo(np.int64).min


def window_samples(days: Sequence[DayReader], config: Config) -> Iterator[pa.RecordBatch]:
    """In: the days of prompt_samples, each sorted by account. Out: window_samples in the order of its grain, in batches. Nothing in, nothing out."""
    for piece in SideBySide(days, _COLUMNS, _PIECE_ROWS, fewest=_FEWEST).pieces():
        yield _sampled(piece, config.window.samples_per_account)


def _sampled(rows: pa.Table, limit: int) -> pa.RecordBatch:
    """The prompts of whole accounts."""
    account, prompt, time = (rows[name].to_numpy() for name in ("account_key", "prompt_key", "first_us"))
    order = ordered(account, prompt)
    starts, kept = _groups(account[order], prompt[order], limit)
    sizes = np.diff(starts, append=len(order))
    times = time[order]
    is_first = times == np.repeat(np.minimum.reduceat(times, starts), sizes)
    first = order[is_first & np.repeat(kept, sizes)]
    made = {name: np.add.reduceat(rows[name].to_numpy()[order], starts)[kept] for name in ("request_count", "output_tokens")}
    deepest = np.maximum.reduceat(rows["max_message_count"].cast(pa.int64()).fill_null(_NONE).to_numpy()[order], starts)[kept]
    columns = {name: pa.array(values) for name, values in made.items()}
    columns["max_message_count"] = pa.array(deepest, mask=deepest == _NONE).cast(pa.int32())
    return pa.RecordBatch.from_pydict({name: columns[name] if name in columns else _of_rows(name, rows[name], first) for name in _COLUMNS})


def _of_rows(name: str, column: pa.ChunkedArray, rows: I64) -> pa.Array:
    """A column of some rows; packed lists as lists."""
    found = taken(column, rows)
    return unpacked(found, SAMPLE_LISTS[name]) if name in SAMPLE_LISTS else found


def _groups(account: I64, prompt: I64, limit: int) -> tuple[I64, NDArray[np.bool_]]:
    """Where each prompt of an account begins in sorted rows, and whether it is among the account's `limit` smallest. There is a row."""
    fresh = np.concatenate([[True], account[1:] != account[:-1]])
    starts = np.flatnonzero(fresh | np.concatenate([[True], prompt[1:] != prompt[:-1]]))
    place = np.arange(len(starts))
    rank = place - np.maximum.accumulate(np.where(fresh[starts], place, 0))
    return starts, rank < limit
