"""The sampled prompts of an account and UTC day: its distinct prompts with the smallest keys, each with a bounded sketch.

While the scan runs, a batch gives a sketch for each prompt that may be among an account's smallest of the day; which ones are is decided when the day is
finished and its duplicates are gone.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.measures import fingerprints as fp
from pipeline.measures import text_bytes as tb

I64 = NDArray[np.int64]

SKETCHES = pa.schema([
    ("day", pa.int32()), ("account_key", pa.int64()), ("prompt_key", pa.int64()), ("shingles", pa.list_(pa.int64())), ("shingle_count", pa.int32()),
    ("tokens", pa.list_(pa.int32())), ("prefixes", pa.list_(pa.int64())),
])  # fmt: skip


def smallest(day: NDArray[np.int32], account: I64, prompt: I64, limit: int) -> I64:
    """One row for each of the `limit` smallest distinct prompt keys of each day and account, in the order of (day, account, key).

    In: equally long arrays, keys not negative. Out: row numbers. Empty in, empty out.
    """
    if not len(prompt):
        return np.zeros(0, np.int64)
    order = np.lexsort((prompt, account, day)) if day[0] != day[-1] or (day != day[0]).any() else np.lexsort((prompt, account))
    same_group = (account[order][1:] == account[order][:-1]) & (day[order][1:] == day[order][:-1])
    repeats = same_group & (prompt[order][1:] == prompt[order][:-1])
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
    rows = rows[texts.word_counts[rows] >= 0]
    sketch = fp.sketches(texts, rows)
    rungs = texts.ladder[rows]
    climbed = rungs[:, :] != 0
    climbed = np.arange(len(tb.LADDER)) < climbed.sum(axis=1)[:, None]
    columns = [
        pa.array(day[rows]),
        pa.array(account[rows]),
        pa.array(prompt[rows]),
        _lists(sketch.shingle_ends, pa.array(sketch.shingles)),
        pa.array(sketch.shingle_counts.astype(np.int32)),
        _lists(sketch.token_ends, pa.array(sketch.tokens)),
        _lists(np.concatenate([[0], np.cumsum(climbed.sum(axis=1))]), pa.array(rungs[climbed])),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SKETCHES)


def _lists(ends: I64, values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(ends.astype(np.int32)), values)


def sample_table(requests: pl.DataFrame, sketches: pl.DataFrame, limit: int) -> pl.DataFrame:
    """Table prompt_samples of a day.

    In: the day's kept requests (account_key, prompt_key, ts_us, request_id, source_file, source_row, output_tokens, message_count, skeleton_key,
    prompt_source, prompt_chars, prompt_words) and the sketches made of its rows. Out: the columns of schema.PROMPT_SAMPLES and prompt_source, sorted by
    account_key, prompt_key. A prompt without a sketch has nulls in its columns.
    """
    rows = requests.filter(pl.col("prompt_key").is_not_null())
    order = ("account_key", "prompt_key", "ts_us", "source_file", "source_row")
    chosen = smallest(np.zeros(len(rows), np.int32), rows["account_key"].to_numpy(), rows["prompt_key"].to_numpy(), limit)
    picked = rows[chosen].select("account_key", "prompt_key")
    grouped = (
        rows.join(picked, on=["account_key", "prompt_key"], how="semi")
        .sort(order)
        .group_by("account_key", "prompt_key", maintain_order=True)
        .agg(
            pl.col("skeleton_key").first(),
            pl.col("prompt_source").first(),
            pl.len().cast(pl.Int64).alias("request_count"),
            pl.col("output_tokens").sum(),
            pl.col("message_count").max().alias("max_message_count"),
            pl.col("ts_us").first().alias("first_us"),
            *(pl.col(name).first() for name in ("request_id", "source_file", "source_row", "prompt_chars", "prompt_words")),
        )
    )
    once = sketches.select("prompt_key", "shingles", "shingle_count", "tokens", "prefixes").unique("prompt_key", keep="any")
    return grouped.join(once, on="prompt_key", how="left", maintain_order="left")
