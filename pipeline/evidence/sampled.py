"""The sampled prompts of the days of a finished run, with their lists as lists.

Promises: rows come day by day, as a day may have been made by an older version, whose lists are not packed; a day that was dropped since gives no rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl

from pipeline.evidence.finished import FinishedRun
from pipeline.measures.packed import SAMPLE_LISTS, unpacked


def sampled(run: FinishedRun, columns: Sequence[str], wanted: Mapping[str, Iterable[str | int]], days: Iterable[str]) -> Iterator[pl.DataFrame]:
    """Columns of prompt_samples of each of some days that holds rows with one of the wanted values in each column named."""
    for day in days:
        found = run.days_among("prompt_samples", columns, wanted, [day])
        if found.height:
            yield found.with_columns(_as_lists(found[name]) for name in columns if found.schema[name] == pl.Binary)


def _as_lists(column: pl.Series) -> pl.Series:
    return pl.Series(column.name, unpacked(column.to_arrow(compat_level=pl.CompatLevel.oldest()), SAMPLE_LISTS[column.name]))
