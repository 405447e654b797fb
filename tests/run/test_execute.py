"""The bench: order and uniqueness of a table's rows, as its grain says."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import schema
from pipeline.engines.duckdb import arrow_schema, arrow_type
from pipeline.engines.parquet import write_parquet
from pipeline.errors import CheckFailed
from pipeline.run import execute, tablechecks
from pipeline.run.dayplan import together

ROWS = st.lists(st.tuples(st.none() | st.integers(0, 3), st.none() | st.sampled_from(["", "a", "b"])), max_size=8)


def _key(row: tuple[Any, ...]) -> tuple[tuple[bool, Any], ...]:
    """Python's order with nulls last."""
    return tuple((value is None, value if value is not None else 0) for value in row)


@settings(max_examples=200, deadline=None)
@given(ROWS)
def test_out_of_order_is_what_pythons_comparison_says(rows: list[tuple[int | None, str | None]]) -> None:
    found = pa.table({"number": pa.array([number for number, _ in rows], pa.int64()), "text": pa.array([text for _, text in rows], pa.string())})
    expected = [not _key(before) < _key(row) for before, row in itertools.pairwise(rows)]
    assert tablechecks.out_of_order(found).tolist() == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["", "a", "ab", "b", "é"]), st.integers(-(2**63), -(2**63) + 2)), max_size=12), st.integers(1, 5))
def test_numbered_words_are_ordered_as_words_whatever_their_numbers(rows: list[tuple[int, str, int]], chunk: int) -> None:
    """Words come as dictionaries, another one a batch, in the order of their first use; days as dates."""
    pieces = [rows[at : at + chunk] for at in range(0, len(rows), chunk)]
    schema = pa.schema([("day", pa.date32()), ("kind", pa.dictionary(pa.int32(), pa.string())), ("key", pa.int64())])
    batches = [
        pa.record_batch(
            [pa.array([row[0] for row in piece], pa.int32()).cast(pa.date32()), pa.array([row[1] for row in piece]).dictionary_encode(), pa.array([row[2] for row in piece])],
            schema=schema,
        )
        for piece in pieces
    ]
    expected = [not before < row for before, row in itertools.pairwise(rows)]
    assert tablechecks.out_of_order(pa.Table.from_batches(batches, schema)).tolist() == expected


@pytest.mark.parametrize("batch", [2, 3, 100])
@pytest.mark.parametrize("planted", ["none", "twice", "kinds", "accounts", "values", "days", "null kind"])
def test_a_fault_planted_in_account_entities_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str, batch: int) -> None:
    rows = [(20_000, kind, account, value) for kind in ("asn", "ip", "ip_prefix") for account in (1, 2) for value in (5, 7)]
    if planted == "twice":
        rows[6:6] = [rows[6]]
    elif planted == "null kind":
        rows[3] = (20_000, None, 1, 7)
    elif planted != "none":
        at = {"days": 0, "kinds": 1, "accounts": 2, "values": 3}[planted]
        first = {"days": 11, "kinds": 3, "accounts": 5, "values": 4}[planted]
        row = list(rows[first])
        row[at] = {"days": 19_999, "kinds": "zone", "accounts": 9, "values": 9}[planted]
        rows[first] = tuple(row)
    columns = list(zip(*rows, strict=True))
    given = {"day": pa.array(columns[0], pa.int32()).cast(pa.date32()), "kind": pa.array(columns[1], pa.string()), "account_key": columns[2], "value_key": columns[3]}
    path = tmp_path / "account_entities.parquet"
    write_parquet(pa.table({**given, "request_count": [1] * len(rows)}, schema=arrow_schema(schema.ACCOUNT_ENTITIES)).to_reader(), path, arrow_schema(schema.ACCOUNT_ENTITIES))
    monkeypatch.setattr(tablechecks, "CHECK_ROWS", batch)
    if planted == "none":
        tablechecks.check_grain(schema.ACCOUNT_ENTITIES, path)
    else:
        with pytest.raises(CheckFailed, match="21_account_entities__one_row_a_grain_in_order failed on 1 rows"):
            tablechecks.check_grain(schema.ACCOUNT_ENTITIES, path)


def entities(rows: list[dict[str, Any]], batch: int, *, coded: bool) -> list[pa.RecordBatch]:
    """Rows of account_entities in batches, their kinds as plain words or as dictionaries of each batch."""
    found = [pa.RecordBatch.from_pylist(rows[at : at + batch], schema=arrow_schema(schema.ACCOUNT_ENTITIES)) for at in range(0, len(rows), batch)]
    return [one.set_column(1, "kind", one.column("kind").dictionary_encode()) for one in found] if coded else found


@pytest.mark.parametrize("coded", [False, True])
@pytest.mark.parametrize("batch", [2, 100])
@pytest.mark.parametrize(
    "planted", [{}, {"kind": "email"}, {"kind": None}, {"account_key": None}, {"value_key": None}, {"value_key": -1}, {"request_count": 0}, {"request_count": None}]
)
def test_an_ill_formed_entity_is_found(planted: dict[str, Any], batch: int, coded: bool) -> None:
    row = {"day": date(2026, 5, 3), "kind": "ip", "account_key": 1, "request_count": 1}
    rows = [{**row, "value_key": value} for value in (0, 1, 2, 3, 4)]
    rows[2] |= planted
    batches = entities(rows, batch, coded=coded)
    if planted:
        with pytest.raises(CheckFailed, match="21_account_entities__well_formed failed on 1 rows"):
            list(tablechecks.checked(schema.ACCOUNT_ENTITIES, batches))
    else:
        assert list(tablechecks.checked(schema.ACCOUNT_ENTITIES, batches)) == batches


@pytest.mark.parametrize("coded", [False, True])
@pytest.mark.parametrize("batch", [1, 2, 100])
def test_entities_are_checked_for_order_too_and_every_kind_passes(batch: int, coded: bool) -> None:
    kinds = "agent agent_product api_key asn country end_user headers ip ip_prefix ja4 model settings stack system tools".split()
    rows = [{"day": date(2026, 5, 3), "kind": kind, "account_key": 1, "value_key": 2, "request_count": 3} for kind in kinds]
    for some in ([], rows):
        assert sum(found.num_rows for found in tablechecks.checked(schema.ACCOUNT_ENTITIES, entities(some, batch, coded=coded))) == len(some)
    for wrong in (rows[::-1], [*rows, rows[-1]]):
        with pytest.raises(CheckFailed, match="21_account_entities__one_row_a_grain_in_order"):
            list(tablechecks.checked(schema.ACCOUNT_ENTITIES, entities(wrong, batch, coded=coded)))


ACCOUNT_DAY: dict[str, Any] = {
    "day": date(1970, 1, 2), "account_key": 5, "request_count": 3, "ok_count": 2, "rate_limited_count": 1, "harvest_count": 2, "h00": 1, "h23": 2, "g04": 2, "c00": 1,
    "prompt_known_count": 1, "message_known_count": 2, "single_turn_count": 2, "first_us": 86_400_000_000, "last_us": 172_799_999_999, "longest_gap_us": 86_399_999_999,
}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"account_key": None}, {"request_count": 0}, {"ok_count": 3}, {"error_count": 1}, {"rate_limited_count": 0}, {"h07": 1}, {"g00": 1}, {"g04": 1}, {"c09": 1},
        {"prompt_known_count": 2}, {"harvest_count": 3}, {"single_turn_count": 3}, {"longest_gap_us": 86_400_000_000}, {"first_us": 86_399_999_999}, {"last_us": 172_800_000_000},
        {"day": date(1970, 1, 3)},
    ],
)  # fmt: skip
def test_an_account_day_whose_parts_do_not_make_the_whole_is_found(wrong: dict[str, Any]) -> None:
    columns = arrow_schema(schema.ACCOUNT_DAYS)
    blank = dict.fromkeys(columns.names, 0)
    right = [blank | ACCOUNT_DAY | {"account_key": account} for account in (4, 5, 6)]
    rows = [right[0], right[1] | wrong, right[2]]
    assert sum(batch.num_rows for batch in tablechecks.checked(schema.ACCOUNT_DAYS, [pa.RecordBatch.from_pylist(right, schema=columns)])) == 3
    with pytest.raises(CheckFailed, match="20_account_days__counts_add_up failed on 1 rows"):
        list(tablechecks.checked(schema.ACCOUNT_DAYS, [pa.RecordBatch.from_pylist(rows, schema=columns)]))


@pytest.mark.parametrize(
    ("gaps", "days", "failed"),
    [
        ([None, 4, 10, None], [(1, 3, 5, 19), (1, 1, 7, 7)], None),
        ([], [], None),
        ([None, 4, 10, None, None], [(1, 3, 5, 19), (1, 1, 7, 7)], "every_request_counted"),
        ([None, 4, 10], [(1, 3, 5, 19), (1, 1, 7, 7)], "every_request_counted"),
        ([None, 4, None, None], [(1, 3, 5, 19), (1, 1, 7, 7)], "every_request_counted"),
        ([None, 4, 10, 2], [(1, 3, 5, 19), (1, 1, 7, 7)], "every_request_counted"),
        ([None], [], "every_request_counted"),
        ([None, 4, 10, None], [(1, 3, 5, 19), (2, 1, 7, 7)], "account_days__within_its_day failed on 1 rows"),
    ],
)
def test_a_request_or_a_gap_that_is_lost_is_found(tmp_path: Path, gaps: list[int | None], days: list[tuple[int, int, int, int]], failed: str | None) -> None:
    """Days are (day of the month, requests, first, last), one an account."""
    pq.write_table(pa.table({"gap_us": pa.array(gaps, pa.int64())}), tmp_path / "requests.parquet")
    columns = arrow_schema(schema.ACCOUNT_DAYS)
    named = [{"day": date(2026, 5, day), "account_key": at, "request_count": count, "first_us": first, "last_us": last} for at, (day, count, first, last) in enumerate(days)]
    write_parquet(pa.Table.from_pylist([dict.fromkeys(columns.names) | row for row in named], schema=columns).to_reader(), tmp_path / "account_days.parquet", columns)
    if failed:
        with pytest.raises(CheckFailed, match=failed):
            tablechecks.check_counted(tmp_path / "requests.parquet", tmp_path / "account_days.parquet", date(2026, 5, 1))
    else:
        tablechecks.check_counted(tmp_path / "requests.parquet", tmp_path / "account_days.parquet", date(2026, 5, 1))


@pytest.mark.parametrize("batch", [2, 3, 1000])
@pytest.mark.parametrize(("rows", "bad"), [(["a", "b", "c", "d", "e"], 0), (["a", "b", "b", "c", "d"], 1), (["a", "b", "d", "c", "e"], 1), ([], 0), (["a"], 0)])
def test_a_table_is_checked_over_the_edges_of_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[str], bad: int, batch: int) -> None:
    path = tmp_path / "network_ids.parquet"
    pl.DataFrame({"provisional_id": rows, "network_id": rows}, schema={"provisional_id": pl.String, "network_id": pl.String}).write_parquet(path)
    monkeypatch.setattr(tablechecks, "CHECK_ROWS", batch)
    if bad:
        with pytest.raises(CheckFailed, match=f"failed on {bad} rows"):
            tablechecks.check_grain(schema.NETWORK_IDS, path)
    else:
        tablechecks.check_grain(schema.NETWORK_IDS, path)


def test_linear_algebra_is_single_threaded_inside_a_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in libraries that the stage's own module brings along."""
    import threadpoolctl

    from pipeline.config import load_config
    from pipeline.engines.duckdb import DuckEngine
    from pipeline.stages import Stage, clusters

    seen: list[dict[str, Any]] = []

    def stage(_inputs: object, _config: object) -> dict[str, pl.DataFrame]:
        seen.extend(threadpoolctl.threadpool_info())
        return {"network_ids": execute.empty(schema.NETWORK_IDS)}

    monkeypatch.setattr(clusters, "clusters", stage)
    with DuckEngine(threads=1, memory_bytes=10**9, temp_dir=tmp_path / "spill") as engine:
        bench = execute.Bench(engine, load_config(), tmp_path)
        bench.run_python(Stage(55, "pipeline.stages.clusters:clusters", (), ("network_ids",)))
    assert {library["num_threads"] for library in seen if library["user_api"] == "blas"} == {1}
    assert bench.frame("network_ids").height == 0


@pytest.mark.parametrize(("times", "whole"), [((0, 86_399_999_999), True), ((), True), ((0, 86_400_000_000), False), ((-1,), False), ((None,), False)])
def test_a_days_requests_are_of_that_day(tmp_path: Path, times: tuple[int | None, ...], whole: bool) -> None:
    path = tmp_path / "requests.parquet"
    rows = pa.table({"ts_us": pa.array(times, pa.int64())})
    full = pa.table({column.name: rows.column("ts_us") if column.name == "ts_us" else pa.nulls(len(rows), arrow_type(column.type)) for column in schema.REQUESTS.columns})
    pq.write_table(full, path)
    if whole:
        tablechecks.check_within(path, date(1970, 1, 1))
    else:
        with pytest.raises(CheckFailed, match="within_its_day"):
            tablechecks.check_within(path, date(1970, 1, 1))


@given(st.lists(st.integers(0, 400_000), min_size=1, max_size=30))
def test_days_are_put_together_in_order_whole_and_up_to_a_size(sizes: list[int]) -> None:
    folders = {date(2026, 1, 1) + timedelta(days=at): size for at, size in enumerate(sizes)}
    groups = together(folders, 150_000)
    assert [day for group in groups for day in group] == list(folders)
    assert all(len(group) == 1 or sum(folders[day] for day in group) <= 150_000 for group in groups)
    assert all(sum(folders[day] for day in (*first, next(iter(then)))) > 150_000 for first, then in itertools.pairwise(groups))
