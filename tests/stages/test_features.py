"""Features from a log: every value against one written down another way, over the raw requests; ranges, units, emptiness, determinism.

The oracle below knows nothing of days, histograms of gaps inside days, or counts of counts: it walks over the whole window's
requests of an account in plain Python. What holds for it therefore also proves that merging days equals one pass over all.
"""

import itertools
import math
import re
from collections import Counter
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from pipeline import features as documented
from pipeline import schema
from pipeline.config import load_config
from pipeline.engines.duckdb import DuckEngine, arrow_schema
from pipeline.stages.features import features
from tests.stages import builders
from tests.stages.builders import stage_named, streamed

TABLES = {table.name: table for table in vars(schema).values() if isinstance(table, schema.Table)}
START = 1_777_766_400_000_000  # 2026-05-03, a Sunday
DAY = 86_400_000_000
PIPE = ("30_account_windows", "30_account_weekdays", "31_entity_counts", "34_own_texts")
DAYS, DAY_ENTITIES, ENTITIES, REQUEST_COUNTS, SAMPLES, COUNTS = (
    stage_named(f"pipeline.stages.{name}:{name}") for name in ("account_days", "account_entities", "entities", "request_counts", "window_samples", "sample_counts")
)
WORDS = ("temperature_mean", "temperature_deviation", "messages_mean")
UNITS = re.compile(r"_(count|days|share|bits|s|us|usd|tokens|octaves|ratio|per_day)$|_(tokens|chars|words|s)_(mean|median)$")


def empty(table):
    return pl.from_arrow(arrow_schema(table).empty_table())


def frame(rows, table):
    return pl.DataFrame([{name: row.get(name) for name in table.column_names} for row in rows], schema=empty(table).schema, orient="row")


def account_features(requests, samples=(), threads=2, preambles=()):
    """Day by day through stages 20 to 32, then the stage."""
    days = sorted({row["ts_us"] // DAY for row in requests})
    made = {"account_days": [], "account_entities": []}
    with DuckEngine(threads=threads, memory_bytes=10**9, temp_dir=pytest.spill) as engine:
        for day in days:
            logged = frame([row for row in requests if row["ts_us"] // DAY == day], schema.REQUESTS).sort("account_key", "ts_us")
            logged = logged.with_columns(gap_us=pl.col("ts_us").diff().over("account_key"))
            for name, stage in (("account_days", DAYS), ("account_entities", DAY_ENTITIES)):
                made[name].append(streamed(stage, logged))
        window = {name: pl.concat([empty(TABLES[name]), *parts]) for name, parts in made.items()}
        entities = streamed(ENTITIES, window["account_entities"])
        for name, table in (window | {"entities": entities}).items():
            engine.register(name, table)
        engine.register("prompt_preambles", frame(preambles, schema.PROMPT_PREAMBLES))
        sampled = builders.frame("prompt_samples", [{"first_us": START, "output_tokens": 0, **sample} for sample in samples])
        inputs = {"request_counts": streamed(REQUEST_COUNTS, frame(list(requests), schema.REQUESTS)), "window_samples": streamed(SAMPLES, sampled)}
        engine.register("window_samples", inputs["window_samples"])
        for stage in PIPE:
            name = stage.split("_", 1)[1]
            table = engine.select(f"{stage}.sql", {})
            engine.register(name, table)
            inputs[name] = pl.from_arrow(table)
        inputs["sample_counts"] = streamed(COUNTS, inputs["window_samples"])
    return features(inputs, load_config())["features"]


@pytest.fixture(autouse=True, scope="module")
def spill(tmp_path_factory):
    pytest.spill = tmp_path_factory.mktemp("spill")
    yield
    del pytest.spill


def share(part, whole):
    return part / whole if whole else None


def entropy(values):
    return stats.entropy(list(Counter(values).values()), base=2) if values else None


def known(rows, name):
    return [row[name] for row in rows if row.get(name) is not None]


def oracle(rows):
    """Features of one account from its requests."""
    rows = sorted(rows, key=lambda row: row["ts_us"])
    times = [datetime.fromtimestamp(row["ts_us"] // 10**6, UTC) for row in rows]
    gaps = [(b["ts_us"] - a["ts_us"]) / 1e6 for a, b in itertools.pairwise(rows)]
    days = Counter(time.date() for time in times)
    ordinals = {day: day.toordinal() for day in days}
    first, last = min(ordinals.values()), max(ordinals.values())
    prompts = [row for row in rows if row.get("operation") not in ("embeddings", "count_tokens")]
    harvest = [
        row["output_tokens"]
        for row in prompts
        if not row.get("is_rate_limited") and (row.get("status_code") or 0) < 400 and not row.get("is_cached_response") and row.get("output_tokens") is not None
    ]
    mean_day = sum(days.values()) / len(days)
    hours = Counter(time.hour for time in times)
    depths, streams, warm = known(rows, "message_count"), known(rows, "stream"), [value / 1000 for value in known(rows, "temperature_milli")]
    found = {
        "request_count": len(rows),
        "active_days": len(days),
        "span_days": last - first + 1,
        "requests_per_day": len(rows) / len(days),
        "peak_day_share": max(days.values()) / len(rows),
        "daily_dispersion_ratio": sum((count - mean_day) ** 2 for count in days.values()) / len(days) / mean_day if len(days) > 1 else None,
        "ramp_share": (sum(ordinals[day] * count for day, count in days.items()) / len(rows) - first) / (last - first) if last > first else None,
        "harvested_tokens": sum(harvest),
        "output_tokens_mean": share(sum(harvest), len(harvest)),
        "prompt_distinct_share": share(len(set(known(prompts, "prompt_key"))), len(known(prompts, "prompt_key"))),
        "prompt_entropy_bits": entropy(known(prompts, "prompt_key")),
        "template_top_share": share(max(Counter(known(prompts, "skeleton_key")).values(), default=0), len(known(prompts, "skeleton_key"))),
        "skeleton_entropy_bits": entropy(known(prompts, "skeleton_key")),
        "hour_of_day_entropy_bits": entropy([time.hour for time in times]),
        "hour_of_week_entropy_bits": entropy([(time.weekday(), time.hour) for time in times]),
        "gap_entropy_bits": entropy([gap_bin(gap) for gap in gaps]),
        "gap_mean_s": share(sum(gaps), len(gaps)),
        "longest_quiet_gap_s": max(gaps, default=None),
        "active_hours_per_day": len({(time.date(), time.hour) for time in times}) / len(days),
        "active_day_share": len(days) / (last - first + 1),
        "night_share": min(sum(hours[(start + offset) % 24] for offset in range(8)) for start in range(24)) / len(rows),
        "weekend_share": sum(time.weekday() >= 5 for time in times) / len(rows),
        "session_request_ratio": share(len(set(known(rows, "session_key"))), len(known(rows, "session_key"))),
        "ip_count": len(set(known(rows, "ip_key"))),
        "ip_entropy_bits": entropy(known(rows, "ip_key")),
        "ip_churn_share": churn(rows, times),
        "single_turn_share": share(sum(depth <= 1 for depth in depths), len(depths)),
        "messages_max_count": max(depths, default=None),
        "stream_share": share(sum(streams), len(streams)),
        "temperature_mean": share(sum(warm), len(warm)),
        "model_count": len(set(known(rows, "model"))),
        "model_entropy_bits": entropy(known(rows, "model")),
        "settings_count": len({key for row in prompts if any((key := tuple(row.get(n) for n in ("max_tokens", "temperature_milli", "stream")))[i] is not None for i in range(3))}),
        "rate_limited_share": sum(bool(row.get("is_rate_limited")) or row.get("status_code") == 429 for row in rows) / len(rows),
    }
    if len(gaps) > 1 and sum(gaps) > len(gaps):  # below a second a mean the millisecond of the sketch shows
        mean = sum(gaps) / len(gaps)
        deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
        found["burstiness_ratio"] = (deviation - mean) / (deviation + mean)
    return found


def gap_bin(gap):
    return next((k for k, edge in enumerate(range(10, 35, 3)) if round(gap * 1e6) < 2**edge), 9)


def churn(rows, times):
    uses = {(time.date(), row["ip_key"]) for time, row in zip(times, rows, strict=True) if row.get("ip_key") is not None}
    later = {(day, key) for day, key in uses if key not in {k for d, k in uses if d == min(time.date() for time in times)}}
    total = len(uses) - len({key for day, key in uses if day == min(time.date() for time in times)})
    return share(len({key for _, key in later}), total)


REQUEST = st.fixed_dictionaries(
    {"account_key": st.integers(0, 2), "ts_us": st.integers(0, 12 * DAY - 1).map(lambda offset: START + offset)},
    optional={
        "ip_key": st.integers(0, 4),
        "session_key": st.integers(0, 3),
        "prompt_key": st.integers(0, 5),
        "skeleton_key": st.integers(0, 2),
        "model": st.sampled_from(["opus", "haiku"]),
        "operation": st.sampled_from(["chat", "embeddings"]),
        "message_count": st.integers(0, 9),
        "stream": st.booleans(),
        "temperature_milli": st.integers(0, 2000),
        "max_tokens": st.integers(0, 4000),
        "output_tokens": st.integers(0, 5000),
        "status_code": st.sampled_from([200, 400, 429, 500]),
        "is_rate_limited": st.booleans(),
        "is_cached_response": st.booleans(),
    },
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(REQUEST, min_size=1, max_size=60))
def test_features_of_merged_days_are_those_of_one_pass_over_all_requests(requests):
    table = account_features(requests)
    assert table["account_key"].to_list() == sorted({row["account_key"] for row in requests})
    for row in table.rows(named=True):
        wanted = oracle([request for request in requests if request["account_key"] == row["account_key"]])
        for name, value in wanted.items():
            tolerance = 2e-3 if name == "burstiness_ratio" else 2e-6
            assert row[name] == (None if value is None else pytest.approx(value, abs=tolerance)), name
        assert_in_range(row)


def assert_in_range(row):
    for feature in documented.FEATURES:
        value = row[feature.name]
        assert value is None or feature.low <= value <= feature.high, (feature.name, value)


def test_one_bare_request_gives_what_the_documentation_says_of_empty():
    (row,) = account_features([{"account_key": 5, "ts_us": START}]).rows(named=True)
    for feature in documented.FEATURES:
        if feature.empty.startswith("null"):
            assert row[feature.name] is None, feature.name
        elif feature.empty.startswith("0"):
            assert row[feature.name] == 0, feature.name
        else:
            assert feature.empty == "never null"
            assert row[feature.name] is not None, feature.name
    assert_in_range(row)


def test_a_full_account_has_every_feature():
    one = dict.fromkeys((column.name for column in schema.REQUESTS.columns if column.type in ("BIGINT", "INTEGER")), 3)
    one |= dict.fromkeys((column.name for column in schema.REQUESTS.columns if column.type == "BOOLEAN"), False)
    one |= {"account_key": 1, "model": "opus", "operation": "chat", "finish_reason": "stop", "policy_action": "none", "country": "DE", "status_code": 200}
    requests = [{**one, "ts_us": START + offset} for offset in (0, 3_600_000_000, DAY, DAY + 5)]
    sample = {
        "account_key": 1,
        "prompt_key": 3,
        "request_count": 1,
        "first_us": START,
        "source_file": "a",
        "source_row": 0,
        "shingles": [1],
        "shingle_count": 1,
        "tokens": [1],
        "prompt_words": 4,
    }
    (row,) = account_features(requests, [sample]).rows(named=True)
    assert [name for name, value in row.items() if value is None] == []
    assert_in_range(row)


def test_no_accounts_give_no_rows_of_the_right_types():
    table = account_features([])
    assert table.height == 0
    assert table.schema == empty(schema.FEATURES).schema


def test_near_duplicates_and_vocabulary_come_from_the_samples():
    base = {"account_key": 1, "request_count": 1, "source_file": "a", "first_us": START}
    samples = [
        {**base, "prompt_key": 1, "source_row": 0, "shingles": [4, 9], "tokens": [1, 2]},
        {**base, "prompt_key": 2, "source_row": 1, "shingles": [4, 7], "tokens": [2, 3]},
        {**base, "prompt_key": 3, "source_row": 2, "shingles": [8], "tokens": [4]},
        {**base, "prompt_key": 4, "source_row": 3, "shingles": [], "tokens": []},
    ]
    (row,) = account_features([{"account_key": 1, "ts_us": START}], samples).rows(named=True)
    assert row["near_duplicate_share"] == pytest.approx(2 / 3, abs=1e-6)
    assert row["vocabulary_distinct_share"] == pytest.approx(4 / 5, abs=1e-6)


def test_own_words_are_what_is_left_without_a_clients_preamble():
    base = {"account_key": 1, "request_count": 1, "source_file": "a", "first_us": START}
    samples = [{**base, "prompt_key": key, "source_row": key, "prompt_words": words} for key, words in ((1, 40), (2, 39), (3, 3))]
    preambles = [{"account_key": 1, "prompt_key": key, "preamble_words": 32} for key in (1, 2)]
    (row,) = account_features([{"account_key": 1, "ts_us": START}], samples, preambles=preambles).rows(named=True)
    assert row["own_words_median"] == 7
    assert row["client_preamble_share"] == pytest.approx(2 / 3, abs=1e-6)


def test_the_median_length_lies_in_the_bin_of_the_middle_prompt():
    lengths = [100, 300, 301, 302, 5000]
    (row,) = account_features([{"account_key": 1, "ts_us": START + i, "prompt_chars": chars} for i, chars in enumerate(lengths)]).rows(named=True)
    assert 256 <= row["prompt_chars_median"] < 512
    assert row["prompt_chars_mean"] == pytest.approx(sum(lengths) / 5)


def test_requests_too_fast_for_the_sketch_have_no_burstiness():
    fast, slow = ([{"account_key": 1, "ts_us": START + i * step} for i in range(3)] for step in (9_000, 10_000))
    assert account_features(fast)["burstiness_ratio"].to_list() == [None]
    assert account_features(slow)["burstiness_ratio"].to_list() == [pytest.approx(-1)]


def test_output_shape():
    rows = [
        {"account_key": 1, "ts_us": START + i, "output_tokens": out, "input_tokens": 50, "max_tokens": 200, "finish_reason": why}
        for i, (out, why) in enumerate([(100, "stop"), (300, "length")])
    ]
    (row,) = account_features(rows).rows(named=True)
    assert row["output_tokens_mean"] == 200
    assert row["output_tokens_variation_ratio"] == 0.5
    assert row["output_to_input_ratio"] == 4
    assert row["max_tokens_use_share"] == 0.75
    assert row["length_finish_share"] == 0.5


def test_there_are_enough_features_each_documented_once():
    names = [feature.name for feature in documented.FEATURES]
    assert len(names) >= 40
    assert len(set(names)) == len(names)
    assert [column.name for column in schema.FEATURES.columns][3:] == names
    for feature in documented.FEATURES:
        assert feature.group in {"volume", "diversity", "timing", "entities", "shape"}
        assert feature.formula
        assert feature.source
        assert feature.empty
        assert feature.low < feature.high


@pytest.mark.parametrize("name", [feature.name for feature in documented.FEATURES])
def test_a_feature_carries_its_unit_in_its_name(name):
    assert name in WORDS or UNITS.search(name)


def test_shares_and_bits_are_bounded_as_such():
    for feature in documented.FEATURES:
        if feature.name.endswith("_share"):
            assert (feature.low, feature.type) == (0, "DOUBLE")
            assert feature.high <= 1
        if feature.name.endswith("_bits"):
            assert feature.low == 0


def test_threads_do_not_change_a_feature():
    requests = [{"account_key": i % 7, "ts_us": START + (i * 7919 * 10**6) % (9 * DAY), "ip_key": i * i % 13, "prompt_key": i % 5, "output_tokens": i} for i in range(400)]
    assert account_features(requests, threads=1).equals(account_features(requests[::-1], threads=4))
