"""Sketches of single rows, read again from their files.

Needed only where a duplicate that lost had pushed a prompt out of its batch's smallest: a handful of rows in the worst of logs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.ingest.casting import cast_values
from pipeline.ingest.context import Preamble
from pipeline.ingest.listing import LogFile
from pipeline.ingest.prompts import prompt_columns
from pipeline.ingest.samples import SKETCHES, sketch_rows

I64 = NDArray[np.int64]


def sketches_again(files: Sequence[LogFile], file: NDArray[np.int32], row: I64, preambles: tuple[Preamble, ...]) -> pa.Table:
    """Sketches of the prompts at some places, in the columns of SKETCHES (day and account_key are 0)."""
    batches = []
    for number in np.unique(file).tolist():
        prompts = _prompts(files[number], np.sort(row[file == number]))
        made = prompt_columns({"prompt": prompts}, len(prompts), preambles)
        keys, zeros = made.columns["prompt_key"].fill_null(-1).to_numpy(zero_copy_only=False), np.zeros(len(prompts), np.int64)
        batches.append(sketch_rows(made.texts, np.arange(len(prompts)), zeros.astype(np.int32), zeros, keys))
    return pa.Table.from_batches(batches, SKETCHES)


def _prompts(log: LogFile, rows: I64) -> pa.Array:
    """The prompts at some rows of a file, ascending."""
    found, first = [], 0
    with log.open() as file:
        for group in range(file.metadata.num_row_groups):
            count = file.metadata.row_group(group).num_rows
            here = rows[(rows >= first) & (rows < first + count)] - first
            if len(here):
                column = file.read_row_group(group, columns=["prompt"], use_threads=False).column(0).take(pa.array(here))
                found.append(cast_values(pa.concat_arrays(column.chunks), pa.string())[0])
            first += count
    return pc.cast(pa.concat_arrays(found), pa.string())
