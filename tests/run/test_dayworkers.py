"""Small days side by side: the same files as one after the other, in order, and a failure of one is a failure."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipeline.config import load_config
from pipeline.engines.duckdb import DuckEngine
from pipeline.errors import CheckFailed
from pipeline.run import dayworkers
from pipeline.run.execute import Bench

MEMORY = 4_000_000_000


@pytest.fixture
def days(finished: Path, tmp_path: Path) -> dict[date, Path]:
    """The tables that the ingest left of each day of a small log."""
    kept = sorted(path for path in (finished / "days").glob("date=*") if (path / "requests.parquet").is_file())
    for path in kept:
        shutil.copytree(path, tmp_path / "in" / path.name, ignore=shutil.ignore_patterns("account_days*", "account_entities*", "made*"))
    return {date.fromisoformat(path.name.removeprefix("date=")): tmp_path / "in" / path.name for path in kept}


def make(days: dict[date, Path], folder: Path, threads: int, largest: int = 0) -> tuple[list[date], dict[str, bytes], Bench]:
    own = {day: Path(shutil.copytree(path, folder / path.name)) for day, path in days.items()}
    with DuckEngine(threads=threads, memory_bytes=MEMORY, temp_dir=folder / "spill") as engine:
        bench = Bench(engine, load_config(), folder)
        with dayworkers.DayWorkers(bench, threads, MEMORY, folder / "spill") as workers:
            made = list(workers.make([{day: path} for day, path in own.items()], largest))
    return [day for rows in made for day in rows], {f"{path.parent.name}/{path.name}": path.read_bytes() for path in sorted(folder.glob("date=*/*.parquet"))}, bench


def test_workers_make_the_files_that_one_engine_makes(days: dict[date, Path], tmp_path: Path) -> None:
    assert len(days) > 2
    one, side, large = (make(days, tmp_path / name, threads, largest) for name, threads, largest in (("one", 1, 0), ("side", 2, 0), ("large", 2, dayworkers.LARGE_DAY + 1)))
    assert one[0] == side[0] == large[0] == list(days)
    assert one[1] == side[1] == large[1]
    assert any(name.endswith("account_entities.parquet") for name in one[1])
    assert set(side[2].measured) == set(one[2].measured)
    assert all(spent["cpu_s"] > 0 for spent in side[2].measured.values())


def test_rows_of_another_day_end_the_run(days: dict[date, Path], tmp_path: Path) -> None:
    (day, path), (_, other) = list(days.items())[:2]
    shutil.copy(other / "requests.parquet", path / "requests.parquet")
    with pytest.raises(CheckFailed, match=f"within_its_day.*{day.isoformat()}"):
        make(days, tmp_path / "bad", 2)


def test_a_gap_that_is_too_short_ends_the_run(days: dict[date, Path], tmp_path: Path) -> None:
    path = next(iter(days.values())) / "requests.parquet"
    rows = pl.read_parquet(path)
    assert (rows["gap_us"] > 0).any()
    rows.with_columns((pl.col("gap_us") - 1).clip(0)).write_parquet(path)
    with pytest.raises(CheckFailed, match="every_request_counted"):
        make(days, tmp_path / "bad", 1)
