"""The sampled prompts of an account and UTC day: its distinct prompts with the smallest keys, each with a bounded sketch.

While the scan runs, a batch gives a sketch for each prompt that may be among an account's smallest of the day; which ones are is decided when the day is
finished and its duplicates are gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.errors import CheckFailed
from pipeline.ingest.ordering import grouped_order
from pipeline.measures import fingerprints as fp
from pipeline.measures.packed import packed, taken
from pipeline.schema import PROMPT_SAMPLES

I64 = NDArray[np.int64]

SKETCHES = pa.schema([
    ("day", pa.int32()), ("account_key", pa.int64()), ("prompt_key", pa.int64()), ("shingles", pa.large_binary()), ("shingle_count", pa.int32()),
    ("tokens", pa.large_binary()), ("prefixes", pa.large_binary()),
])  # fmt: skip


def smallest(day: NDArray[np.int32], account: I64, prompt: I64, limit: int) -> I64:
    """One row for each of the `limit` smallest distinct prompt keys of each day and account, in the order of (day, account, key).

    In: equally long arrays, keys not negative. Out: row numbers. Empty in, empty out.
    """
    if not len(prompt):
        return np.zeros(0, np.int64)
    days = np.unique(day).tolist() if (day != day[0]).any() else []
    if len(days) > 1:
        return np.concatenate([rows[smallest(day[rows], account[rows], prompt[rows], limit)] for rows in (np.flatnonzero(day == one) for one in days)])
    order = grouped_order(account, prompt)
    account, prompt = account[order], prompt[order]
    same_group = account[1:] == account[:-1]
    repeats = same_group & (prompt[1:] == prompt[:-1])
    first = np.concatenate([[True], ~repeats])
    order, starts = order[first], np.concatenate([[True], ~same_group])[first]
    place = np.arange(len(order))
    rank = place - np.maximum.accumulate(np.where(starts, place, 0))
    chosen: I64 = order[rank < limit]
    return chosen


def sketch_rows(texts: fp.TextFingerprints | None, rows: I64, day: NDArray[np.int32], account: I64, prompt: I64) -> pa.RecordBatch:
    """Sketches of some rows of a batch, in the columns of SKETCHES; rows without text of their own are left out."""
    if texts is None:
        return pa.RecordBatch.from_pylist([], schema=SKETCHES)
    rows = np.sort(rows[texts.word_counts[rows] >= 0])  # as the words stand in memory
    sketch = fp.sketches(texts, rows)
    rungs = texts.ladder[rows]
    climbed = rungs != 0
    columns = [
        pa.array(day[rows]),
        pa.array(account[rows]),
        pa.array(prompt[rows]),
        packed(sketch.shingle_ends, sketch.shingles),
        pa.array(sketch.shingle_counts.astype(np.int32)),
        packed(sketch.token_ends, sketch.tokens),
        packed(np.concatenate([[0], np.cumsum(climbed.sum(axis=1))]), rungs[climbed]),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SKETCHES)


@dataclass(frozen=True)
class _Groups:
    """The sampled prompts of some rows: for each, its place among all groups of (account, prompt key) and its first row."""

    order: I64
    """Rows that have a prompt key, by account and prompt key."""
    starts: I64
    """Where each group starts in `order`."""
    chosen: NDArray[np.bool_]
    """Groups that are sampled."""

    @property
    def first(self) -> I64:
        """The first row of each sampled group."""
        return np.minimum.reduceat(self.order, self.starts)[self.chosen] if len(self.starts) else self.order[:0]

    @property
    def sizes(self) -> I64:
        """Rows of each sampled group."""
        return np.diff(self.starts, append=len(self.order))[self.chosen]

    def reduce(self, how: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
        """One value for each sampled group, of its rows' values."""
        return np.asarray(how.reduceat(values[self.order], self.starts)[self.chosen]) if len(self.starts) else values[:0]


def _groups(account: I64, prompt: I64, keyed: NDArray[np.bool_], limit: int) -> _Groups:
    """The rows of a group keep no particular order."""
    rows = np.flatnonzero(keyed)
    account, prompt = account[rows], prompt[rows]
    order = grouped_order(account, prompt)
    account, prompt = account[order], prompt[order]
    new_account = np.concatenate([[True], account[1:] != account[:-1]]) if len(rows) else np.zeros(0, np.bool_)
    starts = np.flatnonzero(new_account | np.concatenate([[True], prompt[1:] != prompt[:-1]])) if len(rows) else np.zeros(0, np.int64)
    place = np.arange(len(starts))
    rank = place - np.maximum.accumulate(np.where(new_account[starts], place, 0))
    return _Groups(rows[order], starts, rank < limit)


def sample_table(kept: pa.Table, sketches: pa.Table, limit: int) -> tuple[pa.Table, I64]:
    """Table prompt_samples of some accounts, and the rows of `kept` whose sketch is missing.

    In: requests sorted by their grain, in the columns of NARROW; sketches made of them, in the columns of SKETCHES. Out: the columns of schema.PROMPT_SAMPLES, sorted by
    account_key, prompt_key (source_file as the file's number). A prompt that only a precomputed fingerprint stands for has empty lists.
    """
    prompt = kept.column("prompt_key")
    groups = _groups(kept.column("account_key").to_numpy(), prompt.fill_null(-1).to_numpy(), prompt.is_valid().to_numpy(), limit)
    first = groups.first
    deepest = groups.reduce(np.maximum, kept.column("message_count").fill_null(-1).to_numpy())
    columns = {name: kept.column(source).take(pa.array(first)) for name, source in _FIRST.items()}
    columns["request_count"] = pa.array(groups.sizes)
    columns["output_tokens"] = pa.array(groups.reduce(np.add, kept.column("output_tokens").fill_null(0).to_numpy()))
    columns["max_message_count"] = pa.array(deepest, mask=deepest < 0)
    found, missing = _sketches_of(columns["prompt_key"].to_numpy(), sketches)
    text = kept.column("prompt_source").to_numpy()[first] == 1
    columns |= found
    return pa.table({column.name: columns[column.name] for column in PROMPT_SAMPLES.columns}), first[missing & text]


def check_samples(samples: pa.Table) -> None:
    """Raise CheckFailed if a row of prompt_samples lacks a key or stands for no request, or a list is longer than schema.py says or has more shingles than the prompt.

    Asked before the rows are written: it costs less than to read them again.
    """
    shingles, tokens = (pc.fill_null(pc.binary_length(samples.column(name)), 0).to_numpy() // 4 for name in ("shingles", "tokens"))
    counts, requests = (samples.column(name).fill_null(0).to_numpy() for name in ("shingle_count", "request_count"))
    keyed = np.logical_and.reduce([samples.column(name).is_valid().to_numpy() for name in ("account_key", "prompt_key")])
    _check("complete", samples, np.flatnonzero(~keyed | (requests < 1) | (counts < 0)))
    _check("lists_bounded", samples, np.flatnonzero((shingles > _MOST_SHINGLES) | (shingles > counts) | (tokens > _MOST_TOKENS)))


def _check(name: str, samples: pa.Table, wrong: I64) -> None:
    if len(wrong):
        first = samples.select(["account_key", "prompt_key"]).take(pa.array(wrong[:5])).to_pylist()
        raise CheckFailed(f"12_prompt_samples__{name}", len(wrong), tuple("/".join(map(str, row.values())) for row in first))


_MOST_SHINGLES, _MOST_TOKENS = 48, 32
_FIRST = {name: name for name in ("account_key", "prompt_key", "skeleton_key", "request_id", "source_file", "source_row", "prompt_chars", "prompt_words")} | {"first_us": "ts_us"}


def _sketches_of(keys: I64, sketches: pa.Table) -> tuple[dict[str, pa.Array], NDArray[np.bool_]]:
    """The sketch columns of each prompt key, empty where there is no sketch, and where that is."""
    known = sketches.column("prompt_key").to_numpy()
    order = np.argsort(known)
    ordered = known[order]
    at = _places(ordered, keys)
    missing = np.ones(len(keys), np.bool_) if not len(known) else ordered[np.minimum(at, len(known) - 1)] != keys
    if missing.any():
        blank = pa.table({"shingles": [b""], "shingle_count": [0], "tokens": [b""], "prefixes": [b""]}, schema=_SKETCH)
        rows = pa.concat_tables([sketches.select(_SKETCH.names), blank]).combine_chunks()
        return _taken(rows, np.where(missing, len(known), np.append(order, 0)[np.where(missing, len(known), at)])), missing
    return _taken(sketches.select(_SKETCH.names), order[at]), missing


def _places(ordered: I64, keys: I64) -> I64:
    """Where each key belongs among ascending ones. Looked up in the order of the keys, so that each search begins where the one before it ended."""
    ascending = np.argsort(keys)
    found = np.empty(len(keys), np.int64)
    found[ascending] = np.searchsorted(ordered, keys[ascending])
    return found


def _taken(rows: pa.Table, at: I64) -> dict[str, pa.Array]:
    """Some rows of a table, in the order of `at`."""
    return {name: taken(rows.column(name), at) for name in rows.column_names}


_SKETCH = pa.schema([field for field in SKETCHES if field.name in ("shingles", "shingle_count", "tokens", "prefixes")])
