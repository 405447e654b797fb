"""Stage 20: each account's UTC day in integers that merge: counts, sums, and histograms of hours, gaps and prompt lengths.

Gap bins grow eightfold: g00 holds gaps under 1,024 us and g09 those from 2^34 us (4.8 h). Length bins double: c00 holds prompts under 64 characters and c09 those
from 16,384. A harvested request succeeded, generated text and was not answered from a gateway's cache; its output is cut at 2^20 tokens, so that a BIGINT holds
the sum of squares over any window. Gaps that bridge two days are found from first_us and last_us when days are merged.

Requests are sorted by account and time, so an account is a run of rows and every column one walk over it. Batch by batch: all but extremes are sums, and the account that
two batches share is added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.errors import CheckFailed
from pipeline.schema import ACCOUNT_DAYS
from pipeline.stages.days import DayReader

I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]
Part = dict[str, I64]
"""Some accounts, ascending: columns of account_days by name, -1 for an extreme of nothing."""
_ROWS = 1 << 17
_DAY_US, _HOUR_US = 86_400_000_000, 3_600_000_000
_MOST_HARVEST = 1 << 20
_SILENT = pa.array(["embeddings", "count_tokens"])
_GAP_EDGES = np.array([1 << bits for bits in range(10, 35, 3)])
_LENGTH_EDGES = np.array([1 << bits for bits in range(6, 15)])
_LEAST, _MOST = frozenset({"account_key", "first_us"}), frozenset({"last_us", "longest_gap_us", "max_message_count"})
_WORDS = ("operation", "policy_action", "finish_reason")
_NUMBERS = ("gap_us", "status_code", "input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens", "cost_micro_usd", "max_tokens", "temperature_milli", "session_key",
            "message_count", "prompt_chars")  # fmt: skip
_FLAGS = ("is_rate_limited", "is_cached_response", "stream", "is_batch")
_COLUMNS = ("account_key", "ts_us", *_NUMBERS, *_FLAGS, *_WORDS)


def account_days(days: Sequence[DayReader], config: Config) -> Iterator[pa.RecordBatch]:
    """In: requests, a reader for each UTC day, sorted by account and time. Out: account_days in the order of its grain, in batches. Nothing in, nothing out.

    Raises CheckFailed if a sum does not fit 64 bits.
    """
    for read in days:
        for part in _whole(_part(rows) for rows in read(_COLUMNS, _ROWS) if rows.num_rows):
            yield _batch(part)


@dataclass(frozen=True)
class _Runs:
    """The rows of a batch in runs of one account each."""

    starts: I64
    lengths: I64

    def total(self, values: I64) -> I64:
        """The sum of each run. Raises CheckFailed where one does not fit."""
        highest = max(abs(int(values.min())), abs(int(values.max())))
        if highest * int(self.lengths.max()) >= 1 << 63 and not self._fits(values):
            raise _too_large()
        found: I64 = np.add.reduceat(values, self.starts)
        return found

    def _fits(self, values: I64) -> bool:
        """Whether the sum of each run fits, told from the sums of the upper and the lower half of each value: the highest value of one account and the most rows of another
        would together mean a sum that nobody has (a night's gap squared, and a thousand requests).
        """
        upper, lower = np.add.reduceat(values >> 32, self.starts), np.add.reduceat(values & ((1 << 32) - 1), self.starts)
        return bool((np.abs(upper + (lower >> 32)) < 1 << 31).all())

    def count(self, rows: Bools) -> I64:
        """How many rows of each run are true."""
        if not rows.any():
            return np.zeros(len(self.starts), np.int64)
        return self.lengths if rows.all() else np.add.reduceat(rows, self.starts, dtype=np.int64)

    def highest(self, values: I64) -> I64:
        """The largest value of each run."""
        found: I64 = np.maximum.reduceat(values, self.starts)
        return found

    def bins(self, letter: str, rows: Bools, values: I64, count: int) -> Part:
        """Histogram columns: rows of each run by value, from 0 up to `count`."""
        place = np.repeat(np.arange(len(self.starts)), self.lengths) * count + values
        table = np.bincount(place if rows.all() else place[rows], minlength=len(self.starts) * count).reshape(-1, count)
        return {f"{letter}{at:02d}": table[:, at] for at in range(count)}


@dataclass(frozen=True)
class _Values:
    """A column: where it is known, and its values (0 where not)."""

    known: Bools
    values: I64


def _too_large() -> CheckFailed:
    return CheckFailed("20_account_days__sums_fit", 1, ())


def _part(rows: pa.RecordBatch) -> Part:
    """The accounts of a batch of at least one row."""
    account, ts = rows.column("account_key").to_numpy(), rows.column("ts_us").to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], account[1:] != account[:-1]]))
    runs = _Runs(starts, np.diff(starts, append=len(account)))
    number = {name: _values(rows.column(name)) for name in _NUMBERS}
    flag = {name: _values(rows.column(name)) for name in _FLAGS}
    made = {"account_key": account[starts], "request_count": runs.lengths, "first_us": ts[starts], "last_us": ts[starts + runs.lengths - 1]}
    made |= _outcomes(runs, number, flag, rows) | _tokens(runs, number) | _habits(runs, number, flag, rows)
    gap, chars = number["gap_us"], number["prompt_chars"]
    made |= {"longest_gap_us": runs.highest(np.where(gap.known, gap.values, -1)), "gap_ms_squared": runs.total((gap.values // 1000) ** 2)}
    made |= runs.bins("h", np.ones(len(ts), np.bool_), ts // _HOUR_US % 24, 24)
    made |= runs.bins("g", gap.known, np.searchsorted(_GAP_EDGES, gap.values, side="right"), len(_GAP_EDGES) + 1)
    return made | runs.bins("c", chars.known, np.searchsorted(_LENGTH_EDGES, chars.values, side="right"), len(_LENGTH_EDGES) + 1)


def _values(column: pa.Array) -> _Values:
    known = np.asarray(column.is_valid()) if column.null_count else np.ones(len(column), np.bool_)
    if column.null_count == len(column):
        return _Values(known, np.zeros(len(column), np.int64))
    whole = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
    return _Values(known, whole.fill_null(0).to_numpy().astype(np.int64, copy=False))


def _outcomes(runs: _Runs, number: Mapping[str, _Values], flag: Mapping[str, _Values], rows: pa.RecordBatch) -> Part:
    """How requests ended, and what was harvested."""
    status, tokens, asked = number["status_code"].values, number["output_tokens"], number["input_tokens"]
    limited, cached = (flag[name].values != 0 for name in ("is_rate_limited", "is_cached_response"))
    limited = limited | (status == 429)
    failed = ~limited & (status >= 400)
    silent = np.asarray(pc.fill_null(pc.is_in(rows.column("operation"), _SILENT), False))
    harvested = ~(limited | failed | cached | silent) & tokens.known
    harvest = np.where(harvested, np.minimum(tokens.values, _MOST_HARVEST), 0)
    policy, finish = rows.column("policy_action"), rows.column("finish_reason")
    return {
        "ok_count": runs.count(~(limited | failed)), "error_count": runs.count(failed), "rate_limited_count": runs.count(limited),
        "cached_response_count": runs.count(cached),
        "policy_count": runs.count(np.asarray(pc.fill_null(pc.not_equal(policy, "none"), False))), "policy_known_count": runs.count(np.asarray(policy.is_valid())),
        "harvest_count": runs.count(harvested), "harvest_tokens": runs.total(harvest), "harvest_tokens_squared": runs.total(harvest**2),
        "ratio_output_tokens": runs.total(np.where(asked.known, harvest, 0)), "ratio_input_tokens": runs.total(np.where(harvested, asked.values, 0)),
        "length_finish_count": runs.count(np.asarray(pc.fill_null(pc.equal(finish, "length"), False))), "finish_known_count": runs.count(np.asarray(finish.is_valid())),
    }  # fmt: skip


def _tokens(runs: _Runs, number: Mapping[str, _Values]) -> Part:
    """Tokens and cost, and how far output caps were used."""
    asked, given, cached, thought, cost, cap = (number[name] for name in ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens", "cost_micro_usd", "max_tokens"))
    capped = (cap.values > 0) & given.known
    used = np.where(capped, 1000 * np.minimum(given.values, cap.values) // np.where(capped, cap.values, 1), 0)
    return {
        "input_tokens": runs.total(asked.values), "input_known_count": runs.count(asked.known), "output_tokens": runs.total(given.values),
        "cache_read_tokens": runs.total(cached.values), "cache_known_input_tokens": runs.total(np.where(cached.known, asked.values, 0)),
        "reasoning_tokens": runs.total(thought.values), "reasoning_known_output_tokens": runs.total(np.where(thought.known, given.values, 0)),
        "cost_micro_usd": runs.total(cost.values), "cost_known_count": runs.count(cost.known),
        "max_tokens_use_milli": runs.total(used), "max_tokens_use_count": runs.count(capped),
    }  # fmt: skip


def _habits(runs: _Runs, number: Mapping[str, _Values], flag: Mapping[str, _Values], rows: pa.RecordBatch) -> Part:
    """Settings, turns and lengths of requests."""
    heat, turns, chars = (number[name] for name in ("temperature_milli", "message_count", "prompt_chars"))
    made = {f"{name}_count": runs.count(flag[column].values != 0) for name, column in (("stream", "stream"), ("batch", "is_batch"))}
    made |= {f"{name}_known_count": runs.count(flag[column].known) for name, column in (("stream", "stream"), ("batch", "is_batch"))}
    return made | {
        "temperature_known_count": runs.count(heat.known), "temperature_milli": runs.total(heat.values), "temperature_milli_squared": runs.total(heat.values**2),
        "single_turn_count": runs.count(turns.known & (turns.values <= 1)), "message_known_count": runs.count(turns.known), "message_count": runs.total(turns.values),
        "max_message_count": runs.highest(np.where(turns.known, turns.values, -1)), "session_known_count": runs.count(number["session_key"].known),
        "prompt_known_count": runs.count(chars.known), "prompt_chars": runs.total(chars.values),
    }  # fmt: skip


def _whole(parts: Iterable[Part]) -> Iterator[Part]:
    """The same without an account in two parts."""
    held: Part | None = None
    for part in parts:
        joined = part if held is None else _joined(held, part)
        last = len(joined["account_key"]) - 1
        if last:
            yield {name: values[:last] for name, values in joined.items()}
        held = {name: values[last:] for name, values in joined.items()}
    if held is not None:
        yield held


def _joined(held: Part, part: Part) -> Part:
    """One account before those of later rows, which may begin with the same."""
    if held["account_key"][0] != part["account_key"][0]:
        return {name: np.concatenate([held[name], values]) for name, values in part.items()}
    return {name: np.concatenate([[_added(name, int(held[name][0]), int(values[0]))], values[1:]]) for name, values in part.items()}


def _added(name: str, before: int, after: int) -> np.int64:
    found = min(before, after) if name in _LEAST else max(before, after) if name in _MOST else before + after
    if abs(found) >= 1 << 63:
        raise _too_large()
    return np.int64(found)


def _batch(part: Part) -> pa.RecordBatch:
    columns: dict[str, pa.Array] = {
        name: pa.array(values, mask=values < 0) if name in ("longest_gap_us", "max_message_count") else pa.array(values) for name, values in part.items()
    }
    columns["day"] = pa.array((part["first_us"] // _DAY_US).astype(np.int32)).cast(pa.date32())
    columns["active_hours"] = pa.array(np.sum([part[f"h{hour:02d}"] > 0 for hour in range(24)], axis=0, dtype=np.int64))
    return pa.RecordBatch.from_pydict({name: columns[name] for name in ACCOUNT_DAYS.column_names})
