"""Features of each account: integer sums in, one documented number each out.

What each feature means is written in `pipeline/features.py`; this module holds one line of arithmetic for each. Sums
were made in SQL as integers; floating point starts here, and results are rounded to 1e-6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.config import Config
from pipeline.features import ENTITY_KINDS
from pipeline.features import FEATURES as DOCUMENTED
from pipeline.measures.entropy import entropy_bits, group_sums, grouped_entropy_bits
from pipeline.measures.intervals import HOURS, burstiness, dispersion, quietest_share
from pipeline.measures.ratios import Floats, Ints, deviation, log2_quantile, ratio

_QUIET_HOURS = 8
_LENGTH_EDGES = np.array([32.0, *(2.0**k for k in range(6, 16))])
_DAY_US = 86_400_000_000
_FINEST_GAP_S = 0.01


@dataclass(frozen=True)
class _Kind:
    """One kind of entity, an entry an account: distinct values, uses, uses of the commonest, entropy, and what churn needs."""

    values: Ints
    uses: Ints
    top_uses: Ints
    entropy: Floats
    value_days: Ints
    first_day_values: Ints

    @property
    def top_share(self) -> Floats:
        """Uses of the commonest value / uses."""
        return ratio(self.top_uses, self.uses)

    @property
    def distinct_share(self) -> Floats:
        """Distinct values / uses."""
        return ratio(self.values, self.uses)

    @property
    def churn_share(self) -> Floats:
        """Of the value-days after the first active day, those that bring a value never used before."""
        return ratio(self.values - self.first_day_values, self.value_days - self.first_day_values)


@dataclass(frozen=True)
class _Sums:
    """The inputs as arrays, an entry an account, in the order of account_key."""

    window: Callable[[str], Ints]
    gaps: Ints
    lengths: Ints
    week: Ints
    kinds: Mapping[str, _Kind]
    samples: Callable[[str], Ints]
    texts: Callable[[str], Ints]
    own_words: Floats


def features(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """One row an account with a request in the window, all columns of schema.FEATURES; no accounts give no rows.

    Reads account_windows, account_weekdays, entity_counts, request_counts, sample_counts and own_texts.
    """
    windows = inputs["account_windows"].sort("account_key")
    keys = windows["account_key"].to_numpy()
    sums = _Sums(
        window=lambda name: windows[name].fill_null(0).to_numpy(),
        gaps=windows.select(f"g{k:02d}" for k in range(10)).to_numpy().astype(np.int64),
        lengths=windows.select(f"c{k:02d}" for k in range(10)).to_numpy().astype(np.int64),
        week=_week(inputs["account_weekdays"], keys),
        kinds=_kinds(pl.concat([inputs["entity_counts"], inputs["request_counts"]], how="diagonal").fill_null(0), keys),
        samples=_lookup(inputs["sample_counts"], keys),
        texts=_lookup(inputs["own_texts"], keys),
        own_words=_own_words(inputs["own_texts"], keys),
    )
    found = {**_volume(sums), **_diversity(sums), **_timing(sums), **_entities(sums), **_shape(sums)}
    given = [windows["account_key"], windows["first_us"], windows["last_us"]]
    columns = [*given, *(_column(feature.name, feature.type, found[feature.name]) for feature in DOCUMENTED)]
    return {"features": pl.DataFrame(columns)}


def _column(name: str, kind: str, values: Ints | Floats) -> pl.Series:
    """A feature as a column: NaN, and -1 where a count is not known, become null; fractions are rounded to 1e-6."""
    if kind == "BIGINT":
        return pl.DataFrame({name: values}, schema={name: pl.Int64}).select(pl.when(pl.col(name) >= 0).then(pl.col(name)))[name]
    return pl.Series(name, np.round(values, 6) + 0.0, dtype=pl.Float64).fill_nan(None)


def _lookup(table: pl.DataFrame, keys: Ints) -> Callable[[str], Ints]:
    """Columns of a table of at most one row an account, 0 where it has none."""
    aligned = pl.DataFrame({"account_key": keys}).join(table, on="account_key", how="left", maintain_order="left")
    return lambda name: aligned[name].fill_null(0).to_numpy().astype(np.int64)


def _own_words(texts: pl.DataFrame, keys: Ints) -> Floats:
    """Median words of its own a prompt, NaN for an account without prompt text."""
    aligned = pl.DataFrame({"account_key": keys}).join(texts, on="account_key", how="left", maintain_order="left")
    return aligned["own_words_median"].fill_null(float("nan")).to_numpy().astype(np.float64)


def _week(weekdays: pl.DataFrame, keys: Ints) -> Ints:
    """Requests by account, weekday and hour, shape (n, 7, 24)."""
    week = np.zeros((len(keys), 7, HOURS), dtype=np.int64)
    rows = np.searchsorted(keys, weekdays["account_key"].to_numpy())
    week[rows, weekdays["weekday"].to_numpy()] = weekdays.select(f"h{k:02d}" for k in range(HOURS)).to_numpy()
    return week


def _kinds(counts: pl.DataFrame, keys: Ints) -> dict[str, _Kind]:
    """Every kind that a feature needs, aligned to the accounts."""
    wanted = (*ENTITY_KINDS, "model", "prefix", "prompt", "session", "settings", "skeleton", "system", "tools")
    return {kind: _kind(counts.filter(pl.col("kind") == kind).sort("account_key", "request_count"), keys) for kind in wanted}


def _kind(rows: pl.DataFrame, keys: Ints) -> _Kind:
    accounts, uses, values = (rows[name].to_numpy() for name in ("account_key", "request_count", "value_count"))
    starts = np.flatnonzero(np.concatenate([[True], accounts[1:] != accounts[:-1]])) if len(accounts) else np.zeros(0, dtype=np.int64)
    place = np.searchsorted(keys, accounts[starts])
    last = np.concatenate([starts[1:], [len(accounts)]]) - 1 if len(starts) else starts

    def spread(found: Ints) -> Ints:
        whole = np.zeros(len(keys), dtype=np.int64)
        whole[place] = found
        return whole

    entropy = np.full(len(keys), np.nan)
    entropy[place] = grouped_entropy_bits(starts, uses, values)
    days, first = (spread(group_sums(starts, rows[name].to_numpy())) for name in ("value_day_count", "first_day_count"))
    return _Kind(spread(group_sums(starts, values)), spread(group_sums(starts, uses * values)), spread(uses[last]), entropy, days, first)


def _volume(sums: _Sums) -> dict[str, Ints | Floats]:
    w = sums.window
    requests, days = w("request_count"), w("active_days")
    first_day, last_day = w("first_us") // _DAY_US, w("last_us") // _DAY_US
    centre = ratio(w("day_weighted_count") - first_day * requests, requests)
    return {
        "request_count": requests,
        "active_days": days,
        "span_days": last_day - first_day + 1,
        "requests_per_day": ratio(requests, days),
        "peak_day_share": ratio(w("peak_day_count"), requests),
        "daily_dispersion_ratio": dispersion(requests, w("day_count_squared"), days),
        "ramp_share": ratio(centre, last_day - first_day),
        "input_tokens": w("input_tokens"),
        "output_tokens": w("output_tokens"),
        "harvested_tokens": w("harvest_tokens"),
        "cost_usd": np.where(w("cost_known_count") > 0, w("cost_micro_usd") / 1e6, np.nan),
    }


def _diversity(sums: _Sums) -> dict[str, Ints | Floats]:
    w, samples, kinds = sums.window, sums.samples, sums.kinds
    middle, lower, upper = (log2_quantile(sums.lengths, _LENGTH_EDGES, q) for q in (0.5, 0.25, 0.75))
    return {
        "prompt_distinct_share": kinds["prompt"].distinct_share,
        "skeleton_distinct_share": kinds["skeleton"].distinct_share,
        "prefix_distinct_share": kinds["prefix"].distinct_share,
        "prompt_entropy_bits": kinds["prompt"].entropy,
        "skeleton_entropy_bits": kinds["skeleton"].entropy,
        "template_top_share": kinds["skeleton"].top_share,
        "prefix_top_share": kinds["prefix"].top_share,
        "near_duplicate_share": ratio(samples("near_duplicate_count"), samples("shingled_count")),
        "vocabulary_distinct_share": ratio(samples("distinct_token_count"), samples("token_count")),
        "prompt_chars_mean": ratio(w("prompt_chars"), w("prompt_known_count")),
        "prompt_chars_median": np.exp2(middle),
        "prompt_chars_spread_octaves": upper - lower,
        "own_words_median": sums.own_words,
        "client_preamble_share": ratio(sums.texts("preamble_count"), sums.texts("prompt_count")),
    }


def _timing(sums: _Sums) -> dict[str, Ints | Floats]:
    w, session = sums.window, sums.kinds["session"]
    gap_count, gap_sum = w("request_count") - 1, (w("last_us") - w("first_us")) / 1e6
    squares = w("gap_ms_squared") / 1e6 + w("bridge_s_squared")
    hours = sums.week.sum(axis=1)
    several = gap_count > 0
    return {
        "hour_of_day_entropy_bits": entropy_bits(hours),
        "hour_of_week_entropy_bits": entropy_bits(sums.week.reshape(len(hours), 7 * HOURS)),
        "gap_entropy_bits": entropy_bits(sums.gaps),
        "gap_mean_s": ratio(gap_sum, gap_count),
        "gap_top_share": ratio(sums.gaps.max(axis=1), gap_count) if len(hours) else np.zeros(0),
        "burstiness_ratio": np.where((gap_count > 1) & (gap_sum >= _FINEST_GAP_S * gap_count), burstiness(gap_count, gap_sum, squares), np.nan),
        "longest_quiet_gap_s": np.where(several, w("longest_gap_us") / 1e6, np.nan),
        "active_hours_per_day": ratio(w("active_hours"), w("active_days")),
        "active_day_share": ratio(w("active_days"), w("last_us") // _DAY_US - w("first_us") // _DAY_US + 1),
        "night_share": quietest_share(hours, _QUIET_HOURS),
        "weekend_share": ratio(sums.week[:, 5:].sum(axis=(1, 2)), w("request_count")),
        "session_request_ratio": session.distinct_share,
    }


def _entities(sums: _Sums) -> dict[str, Ints | Floats]:
    found: dict[str, Ints | Floats] = {}
    for kind in ENTITY_KINDS:
        one = sums.kinds[kind]
        found |= {f"{kind}_count": one.values, f"{kind}_entropy_bits": one.entropy, f"{kind}_churn_share": one.churn_share}
    return found


def _shape(sums: _Sums) -> dict[str, Ints | Floats]:
    w, kinds = sums.window, sums.kinds
    requests, harvests, warm = w("request_count"), w("harvest_count"), w("temperature_known_count")
    harvest_mean = ratio(w("harvest_tokens"), harvests)
    return {
        "input_tokens_mean": ratio(w("input_tokens"), w("input_known_count")),
        "output_tokens_mean": ratio(w("harvest_tokens"), harvests),
        "output_tokens_variation_ratio": ratio(deviation(harvests, w("harvest_tokens"), w("harvest_tokens_squared")), harvest_mean),
        "output_to_input_ratio": ratio(w("ratio_output_tokens"), w("ratio_input_tokens")),
        "cache_read_share": _share(w("cache_read_tokens"), w("cache_known_input_tokens")),
        "reasoning_share": _share(w("reasoning_tokens"), w("reasoning_known_output_tokens")),
        "max_tokens_use_share": ratio(w("max_tokens_use_milli") / 1000, w("max_tokens_use_count")),
        "length_finish_share": ratio(w("length_finish_count"), w("finish_known_count")),
        "temperature_mean": ratio(w("temperature_milli") / 1000, warm),
        "temperature_deviation": deviation(warm, w("temperature_milli"), w("temperature_milli_squared")) / 1000,
        "stream_share": ratio(w("stream_count"), w("stream_known_count")),
        "batch_share": ratio(w("batch_count"), w("batch_known_count")),
        "single_turn_share": ratio(w("single_turn_count"), w("message_known_count")),
        "messages_max_count": np.where(w("message_known_count") > 0, w("max_message_count"), -1),
        "messages_mean": ratio(w("message_count"), w("message_known_count")),
        "model_count": kinds["model"].values,
        "model_entropy_bits": kinds["model"].entropy,
        "settings_count": kinds["settings"].values,
        "settings_entropy_bits": kinds["settings"].entropy,
        "system_count": kinds["system"].values,
        "tools_count": kinds["tools"].values,
        "error_share": ratio(w("error_count"), requests),
        "rate_limited_share": ratio(w("rate_limited_count"), requests),
        "policy_share": ratio(w("policy_count"), w("policy_known_count")),
        "cached_response_share": ratio(w("cached_response_count"), requests),
    }


def _share(part: Ints, whole: Ints) -> Floats:
    """Part over whole, held at 1: a log may report more cached or thinking tokens than tokens."""
    return np.minimum(ratio(part, whole), 1.0)
