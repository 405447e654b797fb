"""Which rows are kept, and what counts as no value.

A row is rejected for the first of these that holds: null_required, timestamp_out_of_range, invalid_utf8, value_out_of_range. Only where it
stood and why is kept, never the value. Empty text, `{}`, `[]` and empty lists are null; a token count of 0 on a failed call is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import types as pt

from pipeline.config import IngestConfig
from pipeline.contract import REQUEST_COLUMNS
from pipeline.ingest.listing import DAY_US
from pipeline.ingest.reader import Batch

Bools = NDArray[np.bool_]
REASONS = ("null_required", "timestamp_out_of_range", "invalid_utf8", "value_out_of_range", "duplicate")
"""Every reason of a rejected row; its place here is its code while the scan runs."""
_REQUIRED = tuple(column.name for column in REQUEST_COLUMNS.values() if column.required)
_INT32 = 2**31 - 1
_TOKENS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "reasoning_output_tokens")
LIMITS: dict[str, tuple[float, float]] = {
    **dict.fromkeys((*_TOKENS, "max_tokens", "message_count", "prompt_chars", "n"), (0, _INT32)),
    "status_code": (0, 999),
    "temperature": (-1000.0, 1000.0),
    "top_p": (-1000.0, 1000.0),
    "latency_ms": (0.0, 1e12),
    "cost_usd": (-1e9, 1e9),
}
"""Values outside are no measurement and would overflow a sum: their row is rejected as value_out_of_range."""
_NOTHING = pa.array(["", "{}", "[]"])
_ZERO, _FAILED = pa.scalar(0), pa.scalar(400)
"""Arrow looks for an optional package each time that it takes a Python value over."""


@dataclass(frozen=True)
class Rejects:
    """Rejected rows: UTC day as days since 1970 (-1: not known), where they stood, and the place of the reason in REASONS."""

    day: NDArray[np.int32]
    file: NDArray[np.int32]
    row: NDArray[np.int64]
    reason: NDArray[np.int8]


@dataclass(frozen=True)
class CleanRows:
    """Rows that are kept, in the contract's types."""

    columns: dict[str, pa.Array]
    file: NDArray[np.int32]
    row: NDArray[np.int64]
    ts_us: NDArray[np.int64]
    day: NDArray[np.int32]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.row)


def clean(batch: Batch, config: IngestConfig) -> tuple[CleanRows, Rejects]:
    """The rows to keep and the rows to reject."""
    columns, broken = _valid_text(batch.columns, len(batch))
    columns = {name: _without_nothing(values) for name, values in columns.items()}
    ts_us, dated = _timestamps(columns["timestamp"])
    in_range = dated & (ts_us >= _year_us(config.earliest_year)) & (ts_us < _year_us(config.latest_year + 1))
    columns, misfit = _within_limits(columns, batch.misfit)
    missing = np.zeros(len(batch), np.bool_)
    for name in _REQUIRED:
        if columns[name].null_count:
            missing |= np.asarray(columns[name].is_null())
    missing &= ~broken & ~(misfit & ~dated)
    faults = (missing, dated & ~in_range, broken, misfit)
    bad = np.logical_or.reduce(faults)
    day = np.where(in_range, ts_us // DAY_US, -1).astype(np.int32)
    reason = np.select(faults, range(len(faults)), 0).astype(np.int8)
    rejects = Rejects(day[bad], batch.file[bad], batch.row[bad], reason[bad])
    if bad.any():
        keep = pa.array(~bad)
        columns = {name: values.filter(keep) for name, values in columns.items()}
        return CleanRows(_honest_tokens(columns), batch.file[~bad], batch.row[~bad], ts_us[~bad], day[~bad]), rejects
    return CleanRows(_honest_tokens(columns), batch.file, batch.row, ts_us, day), rejects


def _year_us(year: int) -> int:
    """First microsecond of a year, UTC; years past 9999 count as its end."""
    return int(datetime(min(year, 9999), 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


def _timestamps(values: pa.Array) -> tuple[NDArray[np.int64], Bools]:
    dated = np.asarray(values.is_valid())
    return values.view(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False), dated


def _valid_text(columns: Mapping[str, pa.Array], rows: int) -> tuple[dict[str, pa.Array], Bools]:
    """The columns with text that is not UTF-8 made null, and the rows it stood in."""
    broken, result = np.zeros(rows, np.bool_), dict(columns)
    for name, values in columns.items():
        if not pt.is_primitive(values.type):
            bad = _broken_rows(values)
            if bad is not None:
                broken |= bad
                plain = values.dictionary_decode() if pt.is_dictionary(values.type) else values  # a dictionary would keep the broken value
                result[name] = plain.take(pa.array(np.arange(rows), mask=bad))
    return result, broken


def _broken_rows(values: pa.Array) -> Bools | None:
    """Rows whose text is not UTF-8; None if there is none."""
    try:
        (values.dictionary if pt.is_dictionary(values.type) else values).validate(full=True)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        bad = np.zeros(len(values), np.bool_)
        _find_broken(values, bad, 0)
        return bad
    return None


def _find_broken(values: pa.Array, bad: Bools, offset: int) -> None:
    """Sets `bad` where a row alone is not valid, by halving."""
    plain = values.dictionary_decode() if pt.is_dictionary(values.type) else values
    try:
        plain.validate(full=True)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        if len(plain) == 1:
            bad[offset] = True
            return
        half = len(plain) // 2
        # a slice keeps its parent's children: take copies just the rows that are looked at
        _find_broken(plain.take(pa.array(range(half))), bad, offset)
        _find_broken(plain.take(pa.array(range(half, len(plain)))), bad, offset + half)


def _without_nothing(values: pa.Array) -> pa.Array:
    """Empty text, `{}`, `[]`, empty lists and maps as null."""
    if pt.is_dictionary(values.type):
        nothing = pc.fill_null(pc.is_in(values.dictionary, value_set=_NOTHING), False)
        if not pc.any(nothing).as_py():
            return values
        indices = pc.if_else(pc.fill_null(nothing.take(values.indices), False), pa.scalar(None, values.indices.type), values.indices)
        return pa.DictionaryArray.from_arrays(indices, values.dictionary)
    if pt.is_string(values.type):
        shortest = pc.min(pc.binary_length(values)).as_py()
        if shortest is None or shortest > 2:
            return values
        return pc.if_else(pc.is_in(values, value_set=_NOTHING), pa.scalar(None, values.type), values)
    if pt.is_list(values.type):
        empty = np.asarray(pc.fill_null(pc.equal(pc.list_value_length(values), _ZERO), False))
        return values.take(pa.array(np.arange(len(values)), mask=empty)) if empty.any() else values
    return values


def _within_limits(columns: dict[str, pa.Array], misfit: Bools) -> tuple[dict[str, pa.Array], Bools]:
    """NaN as null, and the rows with a number outside LIMITS added to `misfit`."""
    misfit, result = misfit.copy(), dict(columns)
    for name, (low, high) in LIMITS.items():
        values = columns.get(name)
        if values is None:
            continue
        if pt.is_floating(values.type):
            values = result[name] = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
        ends = pc.min_max(values)
        if ends["min"].is_valid and (ends["min"].as_py() < low or ends["max"].as_py() > high):
            misfit |= np.asarray(pc.fill_null(pc.or_(pc.less(values, low), pc.greater(values, high)), False))
    return result, misfit


def _honest_tokens(columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """Token counts of 0 on failed calls as null: a gateway's default, not a measurement."""
    failed = failed_calls(columns)
    if failed is None or not pc.any(failed).as_py():
        return columns
    result = dict(columns)
    for name in _TOKENS:
        if name in columns:
            zero = pc.fill_null(pc.and_(failed, pc.equal(columns[name], _ZERO)), False)
            result[name] = pc.if_else(zero, pa.scalar(None, columns[name].type), columns[name])
    return result


def failed_calls(columns: Mapping[str, pa.Array]) -> pa.Array | None:
    """Which calls failed: status 400 and above, or rate limited; None if the log says neither."""
    signs = []
    if "status_code" in columns:
        signs.append(pc.fill_null(pc.greater_equal(columns["status_code"], _FAILED), False))
    if "is_rate_limited" in columns:
        signs.append(pc.fill_null(columns["is_rate_limited"], False))
    return signs[0] if len(signs) == 1 else pc.or_(*signs) if signs else None
