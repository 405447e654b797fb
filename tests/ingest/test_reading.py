"""Types and values: what is cast, what is null, what rejects a row, and what a row becomes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import polars as pl
import pyarrow as pa
import pytest

from pipeline.contract import REQUEST_COLUMNS
from pipeline.schema import ACCOUNT_IDS, LABELS, PROMPT_SAMPLES, REQUESTS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLARS = {"BIGINT": pl.Int64, "INTEGER": pl.Int32, "VARCHAR": pl.String, "BOOLEAN": pl.Boolean, "BINARY": pl.Binary}


def test_the_four_required_columns_are_enough(log, scan):
    log("part.parquet", rows=2)
    result = scan()
    assert result.report.rows_read == result.report.days[0].rows_kept == 2
    assert result.requests["request_id"].to_list() == ["r0", "r1"]
    assert result.requests["prompt_source"].to_list() == [0, 0]
    assert result.requests["gap_us"].to_list() == [None, 0]
    others = [name for name in result.requests.columns if name not in {"account_key", "ts_us", "gap_us", "request_id", "source_file", "source_row", "model", "prompt_source"}]
    assert result.requests.select(others).null_count().row(0) == (2,) * len(others)


@pytest.mark.parametrize(("name", "table"), [("requests", REQUESTS), ("prompt_samples", PROMPT_SAMPLES), ("labels", LABELS), ("account_ids", ACCOUNT_IDS)])
@pytest.mark.parametrize("memory_bytes", [1 << 30, 1])
def test_tables_have_the_schemas_columns_types_and_order(log, scan, name, table, memory_bytes):
    log("part.parquet", rows=40, account_id=[f"a{n % 7}" for n in range(40)], prompt=[f"prompt {n % 5} and {n}" for n in range(40)], user_agent="curl/8 (x)", ja4="t13")
    found = scan(memory_bytes=memory_bytes).table(name)
    assert dict(found.schema) == {column.name: POLARS[column.type] for column in table.columns}
    assert len(found) > 0
    assert found.equals(found.sort(table.grain))


def test_every_contract_column_is_accepted_in_its_own_type_in_any_order(log, scan):
    plain = {
        pa.string(): "text", pa.bool_(): True, pa.int16(): 200, pa.int32(): 3, pa.int64(): 5, pa.uint32(): 7, pa.uint64(): 9, pa.float64(): 0.5, pa.timestamp("us", tz="UTC"): NOON,
        pa.list_(pa.string()): ["one"], pa.list_(pa.uint32()): [1], pa.list_(pa.uint64()): [2], pa.list_(pa.float32()): [0.5], pa.map_(pa.string(), pa.string()): [("k", "v")],
    }  # fmt: skip
    values = {name: pa.array([plain[column.type]], column.type) for name, column in reversed(REQUEST_COLUMNS.items())}
    log("part.parquet", **values)
    result = scan()
    assert result.listing.files[0].conforms
    assert set(result.report.days[0].non_null.values()) == {1}
    filled = {name for name in result.requests.columns if result.requests[name].null_count() == 0}
    assert filled == set(result.requests.columns) - {"gap_us"}  # a single request has none before it


NARROW_AND_WIDE = {
    "input_tokens": [pa.array([7], pa.int32()), pa.array([7.0], pa.float64()), pa.array([7], pa.uint8()), pa.array([7], pa.int64()).dictionary_encode()],
    "client_asn": [pa.array([7], pa.int64()), pa.array([7.0], pa.float32())],
    "status_code": [pa.array([7], pa.int64()), pa.array([7], pa.uint16())],
}
NARROWED = {"input_tokens": "input_tokens", "client_asn": "asn", "status_code": "status_code"}


@pytest.mark.parametrize(("column", "values"), [(column, values) for column, several in NARROW_AND_WIDE.items() for values in several])
def test_narrower_and_wider_numbers_are_cast_by_value(log, scan, column, values):
    log("part.parquet", **{column: values})
    result = scan()
    assert result.requests[NARROWED[column]].to_list() == [7]


def test_text_types_and_dictionaries_read_alike(log, scan):
    kinds = [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.large_string())]
    for place, kind in enumerate(kinds):
        values = {name: pa.array(["Value one"]).cast(kind) for name in ("account_id", "model", "prompt", "user_agent", "client_ip", "session_id", "finish_reason")}
        log(f"{place}.parquet", request_id=[f"r{place}"], **values)
    log("dense.parquet", request_id=["int"], account_id=pa.array([123456]))
    rows = scan().requests
    same = rows.filter(pl.col("request_id") != "int").drop("request_id", "source_file", "source_row", "gap_us")
    assert len(same) == len(kinds)
    assert same.n_unique() == 1
    assert rows.filter(pl.col("request_id") == "int")["account_key"].null_count() == 0


def test_maps_and_lists_read_alike_in_every_form(log, scan):
    pairs = pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))
    log("0.parquet", request_id=["0"], request_headers=[[("X-App", "cli"), ("b", "2")]], tool_names=[["b", "a"]])
    log(
        "1.parquet",
        request_id=["1"],
        request_headers=pa.array([[{"key": "b", "value": "2"}, {"key": "x-app", "value": "cli"}]], pairs),
        tool_names=pa.array([["a", "b", "a"]], pa.large_list(pa.large_string())),
    )
    log("2.parquet", request_id=["2"], request_headers=[[("x-app", "cli"), ("b", "3")]], tool_names=pa.array([["a"]], pa.list_(pa.string(), 1)))
    log("3.parquet", request_id=["3"], request_headers=[None], tool_names=[[]])
    rows = scan().requests.sort("request_id")
    headers, tools = rows["headers_key"].to_list(), rows["tools_key"].to_list()
    assert headers[0] == headers[1] != headers[2]
    assert tools[0] == tools[1] != tools[2]
    assert headers[3] is None
    assert tools[3] is None


@pytest.mark.parametrize("unit", ["s", "ms", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_timestamps_of_any_unit_and_zone_are_instants(log, scan, unit, zone):
    moment = pa.array([NOON], pa.timestamp("us", tz="UTC")).cast(pa.timestamp(unit, tz="UTC"))
    log("part.parquet", timestamp=moment.cast(pa.timestamp(unit, tz=zone)) if zone else moment.cast(pa.timestamp(unit)))
    assert scan().requests["ts_us"].to_list() == [int(NOON.timestamp()) * 1_000_000]


def test_nanoseconds_lose_what_a_microsecond_cannot_hold(log, scan):
    log("part.parquet", timestamp=pa.array([1_700_000_000_123_456_789], pa.timestamp("ns", tz="UTC")))
    assert scan().requests["ts_us"].to_list() == [1_700_000_000_123_456]


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/Los_Angeles"])
def test_naive_times_are_utc_whatever_the_machines_zone(log, tmp_path, zone):
    log("part.parquet", timestamp=pa.array([datetime(2026, 3, 1, 23, 30)], pa.timestamp("us")))  # noqa: DTZ001 (a naive time is what is tested)
    program = f"""
import sys; from pathlib import Path
from pipeline.config import load_config; from pipeline.ingest import Context, ingest_days, list_logs
files = list_logs([{str(tmp_path / "logs")!r}], on_bad_file="fail").files
report = ingest_days(files, None, Path({str(tmp_path / zone.replace("/", "-"))!r}), Context(), load_config().ingest, threads=1, memory_bytes=1 << 30, progress=lambda *_: None)
print(report.days[0].day, files[0].first_us)
"""
    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, "TZ": zone}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2026-03-01", str(int(datetime(2026, 3, 1, 23, 30, tzinfo=UTC).timestamp()) * 1_000_000)]


def test_hive_columns_are_read_and_ignored_and_rows_go_to_their_own_day(log, scan):
    late = NOON + timedelta(days=1)
    log("date=2025-01-01/hour=05/part.parquet", rows=2, timestamp=[NOON, late], date=pa.array([0, 0], pa.date32()), hour=pa.array([5, 5], pa.int8()))
    result = scan()
    assert result.listing.files[0].unknown_columns == ()
    assert sorted(path.name for path in result.out.iterdir()) == ["date=2026-03-01", "date=2026-03-02"]
    assert result.requests["source_file"].unique().to_list() == ["date=2025-01-01/hour=05/part.parquet"]


def test_a_batch_of_files_with_different_columns_reads_missing_ones_as_null(log, scan):
    log("a.parquet", request_id=["old"])
    log("b.parquet", request_id=["new"], ja4="t13", surprise=pa.array([1]))
    rows = scan().requests.sort("request_id")
    assert rows["ja4_key"].is_null().to_list() == [False, True]


def reasons(result):
    found = [result.rejects, *(pl.read_parquet(path) for path in result.out.glob("undated/*.parquet"))]
    return dict(pl.concat(found).select("source_row", "reason").iter_rows())


def test_rows_are_rejected_with_place_and_reason_and_never_the_value(log, scan):
    log("part.parquet", rows=6, account_id=["a", None, "", "a", "a", "a"], input_tokens=pa.array([1, 1, 1, 2.7, 2.0**70, -5]))
    result = scan()
    assert reasons(result) == {1: "null_required", 2: "null_required", 3: "value_out_of_range", 4: "value_out_of_range", 5: "value_out_of_range"}
    assert result.rejects.columns == ["source_file", "source_row", "reason"]
    assert result.requests["request_id"].to_list() == ["r0"]
    assert result.report.days[0].rejected == {"null_required": 2, "value_out_of_range": 3}
    assert result.report.days[0].rows_read == 6
    assert result.report.rows_rejected == 5


def test_rows_without_a_usable_time_belong_to_no_day(log, scan):
    times = pa.array([None, 0, 4_000_000_000_000_000_000, 1_772_366_400_000_000], pa.timestamp("us", tz="UTC"))
    log("part.parquet", rows=4, timestamp=times)
    result = scan()
    assert reasons(result) == {0: "null_required", 1: "timestamp_out_of_range", 2: "timestamp_out_of_range"}
    assert result.report.undated == {"null_required": 1, "timestamp_out_of_range": 2}
    assert result.report.rows_read == 4
    assert len(result.requests) == 1


def test_times_beyond_microseconds_reject_their_row(log, scan):
    log("part.parquet", rows=2, timestamp=pa.array([2**60, 1_772_366_400_000], pa.timestamp("ms")))
    result = scan()
    assert reasons(result) == {0: "value_out_of_range"}
    assert len(result.requests) == 1


@pytest.mark.parametrize("column", ["prompt", "user_agent", "account_id", "request_id", "response", "system_prompt"])
def test_text_that_is_no_utf8_rejects_its_row(log, scan, column):
    log("part.parquet", rows=3, **{column: pa.array([b"fine 0", b"bad \xff\xfe", b"fine 2"], pa.binary())})
    result = scan()
    assert reasons(result) == {1: "invalid_utf8"}
    assert len(result.requests) == 2


@pytest.mark.parametrize("column", ["user_agent", "system_prompt", "client_ip", "model", "ja4", "sdk_name", "tool_definitions_hash"])
def test_one_broken_value_among_many_equal_ones_rejects_its_row_only(log, scan, column):
    log("part.parquet", rows=400, **{column: pa.array([b"192.0.2.7"] * 300 + [b"\xff/ \xfe("] + [b"192.0.2.8"] * 99, pa.binary())})
    result = scan()
    assert reasons(result) == {300: "invalid_utf8"}
    assert len(result.requests) == 399


def test_text_in_lists_and_maps_that_is_no_utf8_rejects_its_row(log, scan):
    names = pa.ListArray.from_arrays(pa.array([0, 1, 2, 3], pa.int32()), pa.array([b"ok", b"\xff", b"ok"], pa.binary()))
    log("part.parquet", rows=3, tool_names=names)
    assert reasons(scan()) == {1: "invalid_utf8"}


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [("temperature", -1e9, float("inf")), ("latency_ms", -1.0, 1e13), ("message_count", -1, None), ("cost_usd", float("-inf"), 1e12), ("max_tokens", -1, 2**40)],
)
def test_numbers_that_are_no_measurement_reject_their_row(log, scan, column, low, high):
    log("part.parquet", rows=3, **{column: [low, 1, high]})
    assert reasons(scan()) == {0: "value_out_of_range"} | ({2: "value_out_of_range"} if high is not None else {})


def test_a_list_whose_value_does_not_fit_rejects_its_row_only(log, scan):
    log("part.parquet", rows=3, prompt_minhash=pa.array([[1, 2], [3, 2**40], [5]], pa.list_(pa.int64())))
    result = scan()
    assert reasons(result) == {1: "value_out_of_range"}
    assert result.requests["prompt_source"].to_list() == [3, 3]


def test_nan_is_no_value(log, scan):
    log("part.parquet", rows=2, temperature=[float("nan"), 0.25], input_tokens=pa.array([float("nan"), 3.0]))
    result = scan()
    assert result.requests["temperature_milli"].to_list() == [None, 250]
    assert result.requests["input_tokens"].to_list() == [None, 3]


@pytest.mark.parametrize("nothing", ["", "{}", "[]"])
def test_empty_text_is_null(log, scan, nothing):
    log("part.parquet", rows=2, organization_id=[nothing, "o"], prompt=[nothing, "p"], finish_reason=[nothing, "stop"])
    result = scan()
    for column in ("organization_key", "prompt_key", "finish_reason"):
        assert result.requests[column].is_null().to_list() == [True, False]
    assert result.report.days[0].non_null["organization_id"] == 1
    assert result.requests["prompt_source"].to_list() == [0, 1]


def test_zero_tokens_on_a_failed_call_are_null(log, scan):
    log("part.parquet", rows=4, input_tokens=[0, 0, 5, 0], output_tokens=[0, 0, 0, 0], status_code=[200, 500, 500, None], is_rate_limited=[None, None, False, True])
    rows = scan().requests
    assert rows["input_tokens"].to_list() == [0, None, 5, None]
    assert rows["output_tokens"].to_list() == [0, None, None, None]


def test_rate_limits_are_derived_from_status_where_not_logged(log, scan):
    log("part.parquet", rows=4, status_code=[429, 200, 429, None], is_rate_limited=[None, None, False, None])
    assert scan().requests["is_rate_limited"].to_list() == [True, False, False, None]


def test_floats_become_integers_of_a_unit(log, scan):
    log("part.parquet", temperature=[0.7], top_p=[0.95], latency_ms=[12.3456], cost_usd=[0.00186], n=[3])
    row = scan().requests.row(0, named=True)
    assert (row["temperature_milli"], row["top_p_milli"], row["latency_us"], row["cost_micro_usd"], row["choice_count"]) == (700, 950, 12346, 1860, 3)


@pytest.mark.parametrize(
    "text",
    [
        "</script><script>alert(1)</script>",
        "\u202eevil\u2066",
        "nul\x00inside",
        "\x1b[31mred\x1b[0m",
        "=cmd|' /C calc'!A0",
        "x" * 1_000_000,
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ],
)
def test_hostile_text_in_every_field_leaves_only_fingerprints(log, scan, text):
    strings = {name: text for name, column in REQUEST_COLUMNS.items() if column.type == pa.string()}
    log("part.parquet", **strings, tool_names=[[text]], request_headers=[[(text, text)]])
    result = scan()
    assert len(result.requests) == 1
    content = {"prompt", "system_prompt", "response", "client_ip", "session_id", "api_key_id"}
    assert content <= set(strings)
    logged = {name for name, kind in result.requests.schema.items() if kind == pl.String and result.requests[name][0] == text}
    assert logged == {"request_id", "source_system", "model", "operation", "finish_reason", "policy_action", "ip_category", "country"}
    assert result.table("labels")["label"].str.len_chars().max() <= 200
    assert text not in json.dumps(result.report.days[0].as_dict())
