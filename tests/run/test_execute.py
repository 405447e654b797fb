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
from pipeline.engines.duckdb import arrow_type
from pipeline.errors import CheckFailed
from pipeline.run import execute
from pipeline.run.dayplan import together

ROWS = st.lists(st.tuples(st.none() | st.integers(0, 3), st.none() | st.sampled_from(["", "a", "b"])), max_size=8)


def _key(row: tuple[Any, ...]) -> tuple[tuple[bool, Any], ...]:
    """Python's order with nulls last."""
    return tuple((value is None, value if value is not None else 0) for value in row)


@settings(max_examples=200, deadline=None)
@given(ROWS)
def test_out_of_order_is_what_pythons_comparison_says(rows: list[tuple[int | None, str | None]]) -> None:
    frame = pl.DataFrame(rows, schema={"number": pl.Int64, "text": pl.String}, orient="row")
    expected = [not _key(before) < _key(row) for before, row in itertools.pairwise(rows)]
    assert execute.out_of_order(frame).to_list() == expected


@pytest.mark.parametrize("batch", [2, 3, 1000])
@pytest.mark.parametrize(("rows", "bad"), [(["a", "b", "c", "d", "e"], 0), (["a", "b", "b", "c", "d"], 1), (["a", "b", "d", "c", "e"], 1), ([], 0), (["a"], 0)])
def test_a_table_is_checked_over_the_edges_of_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[str], bad: int, batch: int) -> None:
    path = tmp_path / "network_ids.parquet"
    pl.DataFrame({"provisional_id": rows, "network_id": rows}, schema={"provisional_id": pl.String, "network_id": pl.String}).write_parquet(path)
    monkeypatch.setattr(execute, "CHECK_ROWS", batch)
    if bad:
        with pytest.raises(CheckFailed, match=f"failed on {bad} rows"):
            execute.check_grain(schema.NETWORK_IDS, path)
    else:
        execute.check_grain(schema.NETWORK_IDS, path)


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
        execute.check_within(path, date(1970, 1, 1))
    else:
        with pytest.raises(CheckFailed, match="within_its_day"):
            execute.check_within(path, date(1970, 1, 1))


@given(st.lists(st.integers(0, 400_000), min_size=1, max_size=30))
def test_days_are_put_together_in_order_whole_and_up_to_a_size(sizes: list[int]) -> None:
    folders = {date(2026, 1, 1) + timedelta(days=at): size for at, size in enumerate(sizes)}
    groups = together(folders, 150_000)
    assert [day for group in groups for day in group] == list(folders)
    assert all(len(group) == 1 or sum(folders[day] for day in group) <= 150_000 for group in groups)
    assert all(sum(folders[day] for day in (*first, next(iter(then)))) > 150_000 for first, then in itertools.pairwise(groups))
