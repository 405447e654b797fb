"""Who is who in a labelled log: the truth of a world, read and checked, never shown to the pipeline.

One row an account, Parquet or CSV: account_id; truth (its kind: a persona, or the name of a campaign); network (the group it belongs to, empty for a stranger; innocent
groups have one too); malicious (true, false, or empty where nobody knows); optionally decided_on, the day the case was decided, for a split by time, and active, false for
an account whose requests in this log are not its own kind's (bought, and used so far by its former holder only): such an account counts as unknown.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl

from pipeline.errors import InputError, SchemaError

NEEDED = {"account_id": pl.String, "truth": pl.String, "network": pl.String, "malicious": pl.Boolean}
WHEN, ACTIVE = "decided_on", "active"
NAMES = ("truth.parquet", "truth.csv")
STRANGERS = "strangers:"
"""Before the persona's name: the unit of accounts without a group. Strangers of a persona in a world are one case, because what joins two of them by mistake joins many."""
_TRUE, _FALSE = frozenset({"true", "t", "yes", "1"}), frozenset({"false", "f", "no", "0"})


def find_truth(world: Path) -> Path:
    """The truth file of a world's folder. Raises InputError if there is none."""
    for name in NAMES:
        if (world / name).is_file():
            return world / name
    raise InputError(f"{world}: holds neither {' nor '.join(NAMES)}. Name the labels with --truth FILE.")


def read_truth(path: Path) -> pl.DataFrame:
    """Columns place (0 ..., order of account_id), account_id, truth, group, unit, malicious, decided_on (null if the file has none).

    `group` names the operator or innocent group, null for a stranger; a campaign without a network is named by its truth. `unit` is what counts as one case. Accounts whose
    `malicious` is empty stay, with null. Raises InputError or SchemaError that name file, column and what to do.
    """
    frame = _read(path)
    missing = [name for name in NEEDED if name not in frame.columns]
    if missing:
        raise InputError(f"{path}: has no column {', '.join(missing)}. Labels need account_id, truth, network and malicious, one row an account.")
    columns = [_cast(frame[name], kind, path) for name, kind in NEEDED.items()]
    when = _day(frame[WHEN], path) if WHEN in frame.columns else pl.Series(WHEN, [None] * frame.height, pl.Date)
    checked = _checked(pl.DataFrame([*columns, when]), path)
    if ACTIVE in frame.columns:
        checked = checked.with_columns(pl.when(_cast(frame[ACTIVE], pl.Boolean, path).fill_null(value=True)).then("malicious").alias("malicious"))
    group = pl.coalesce(pl.col("network"), pl.when("malicious").then("truth"))
    ordered = checked.with_columns(group.alias("group")).sort("account_id").with_row_index("place")
    unit = pl.coalesce("group", pl.concat_str(pl.lit(STRANGERS), "truth"))
    return ordered.select(pl.col("place").cast(pl.Int64), "account_id", "truth", "group", unit.alias("unit"), "malicious", WHEN)


def eras(truth: pl.DataFrame) -> tuple[dt.date, pl.DataFrame] | None:
    """The cut day and, for each group decided on a day, whether it was decided later (`held_out`); None unless malicious groups were decided on two days or more.

    The cut is the median day of the malicious groups: groups after it are held out by time. Columns: group, held_out.
    """
    days = truth.filter(pl.col("group").is_not_null() & pl.col(WHEN).is_not_null()).group_by("group").agg(pl.col(WHEN).max(), pl.col("malicious").any())
    cases = days.filter("malicious")[WHEN].sort()
    if cases.n_unique() < 2:
        return None
    cut = cases[(len(cases) - 1) // 2]
    if cut == cases[-1]:
        cut = cases.filter(cases < cut)[-1]
    return cut, days.select("group", (pl.col(WHEN) > cut).alias("held_out")).sort("group")


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_csv(path, infer_schema=False, null_values=[""]) if path.suffix.lower() == ".csv" else pl.read_parquet(path, glob=False, hive_partitioning=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file. Check --truth.") from None
    except (OSError, pl.exceptions.PolarsError):
        raise InputError(f"{path}: is neither Parquet nor, by its name, CSV that can be read. Write the labels again.") from None


def _cast(column: pl.Series, kind: type[pl.DataType], path: Path) -> pl.Series:
    if kind is pl.Boolean and column.dtype == pl.String:
        return _booleans(column, path)
    if column.dtype in (kind, pl.Null) or (kind is pl.String and column.dtype.is_integer()):
        return column.cast(kind)
    raise SchemaError(str(path), column.name, "text" if kind is pl.String else "true or false", str(column.dtype))


def _booleans(column: pl.Series, path: Path) -> pl.Series:
    words = column.str.strip_chars().str.to_lowercase()
    unclear = words.filter(words.is_not_null() & ~words.is_in(sorted(_TRUE | _FALSE)))
    if len(unclear):
        raise SchemaError(str(path), column.name, "true or false", "other words")
    return pl.Series(column.name, [None if word is None else word in _TRUE for word in words], pl.Boolean)


def _day(column: pl.Series, path: Path) -> pl.Series:
    try:
        return column.str.to_date(strict=True) if column.dtype == pl.String else column.cast(pl.Date)
    except pl.exceptions.PolarsError:
        raise SchemaError(str(path), column.name, "days such as 2026-05-01", str(column.dtype)) from None


def _checked(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    for name in ("account_id", "truth"):
        if frame[name].null_count():
            raise InputError(f"{path}: column '{name}' is empty in {frame[name].null_count()} rows. Give every account its id and its kind.")
    if frame["account_id"].n_unique() != frame.height:
        raise InputError(f"{path}: column 'account_id' names {frame.height - frame['account_id'].n_unique()} accounts twice. Keep one row an account.")
    mixed = frame.filter(pl.col("network").is_not_null()).group_by("network").agg(pl.col("malicious").n_unique()).filter(pl.col("malicious") > 1)
    if mixed.height:
        raise InputError(
            f"{path}: {mixed.height} values of column 'network' join innocent accounts with others. A group is one operator's or it is innocent; give each its own name."
        )
    return frame
