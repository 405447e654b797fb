"""Day tables of a finished run, one day in memory at a time: a window of many million requests need not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from pipeline.errors import IntegrityError
from pipeline.evidence.finished import FinishedRun


def day_frames(run: FinishedRun, table: str, columns: Sequence[str], keys: pl.Series | None = None, where: pl.Expr | None = None) -> Iterator[pl.DataFrame]:
    """Each day's rows of a day table in date order, of these account keys and of what fits `where` alone if they are given.

    Raises IntegrityError for a day that is gone or broken.
    """
    for day in sorted(run.manifest()["days"]):
        path = run.out / "days" / f"date={day}" / f"{table}.parquet"
        try:
            scan = pl.scan_parquet(path, glob=False, hive_partitioning=False).select(*columns)
            scan = scan if where is None else scan.filter(where)
            chosen = scan if keys is None else scan.join(pl.LazyFrame({"account_key": keys}), on="account_key", how="semi", maintain_order="left")
            yield chosen.collect(engine="in-memory")
        except (OSError, pl.exceptions.PolarsError):
            raise IntegrityError(f"{path}: is missing or not the Parquet file that the run wrote. Run again with another --out, or restore it.") from None
