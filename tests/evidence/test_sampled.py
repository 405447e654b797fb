"""Sampled prompts of a run's days as commands read them: lists as lists, whether a day's file has them packed or, of an older version, as lists."""

from __future__ import annotations

import json

import polars as pl
import pytest

from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.sampled import sampled
from tests.packing import as_bytes

ROWS = {
    "2026-05-01": [(1, [3, 4], [5]), (2, [], [2**62])],
    "2026-05-02": [(1, [2**31 - 1], []), (3, [7], [1, 2])],
    "2026-05-03": [],
}
COLUMNS = ("account_key", "shingles", "prefixes")


@pytest.fixture
def run(tmp_path):
    """A function: a run whose days named are as an older version wrote them."""

    def made(*older):
        folder = tmp_path / "runs" / "0"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"run_id": "0", "days": list(ROWS)}))
        for day, rows in ROWS.items():
            place = tmp_path / "days" / f"date={day}" / "prompt_samples.parquet"
            place.parent.mkdir(parents=True)
            accounts, *lists = zip(*rows, strict=True) if rows else ((), (), ())
            frame = pl.DataFrame({"account_key": accounts, "shingles": lists[0], "prefixes": lists[1]}, schema_overrides=_KINDS, strict=False)
            packed = [pl.Series(name, [as_bytes(name, row) for row in frame[name].to_list()], dtype=pl.Binary) for name in ("shingles", "prefixes")]
            (frame if day in older else frame.with_columns(packed)).write_parquet(place)
        return FinishedRun(tmp_path, folder)

    return made


_KINDS = {"account_key": pl.Int64, "shingles": pl.List(pl.Int32), "prefixes": pl.List(pl.Int64)}


@pytest.mark.parametrize("older", [(), ("2026-05-01",), ("2026-05-02",), tuple(ROWS)])
def test_lists_are_lists_whatever_made_the_day(run, older):
    parts = list(sampled(run(*older), COLUMNS, {}, sorted(ROWS)))
    assert [part.rows() for part in parts] == [ROWS["2026-05-01"], ROWS["2026-05-02"]]
    assert all(dict(part.schema) == _KINDS for part in parts)


def test_rows_and_days_that_nobody_wants_do_not_come(run):
    found = run("2026-05-02")
    assert [part.rows() for part in sampled(found, COLUMNS, {"account_key": [3]}, sorted(ROWS))] == [[ROWS["2026-05-02"][1]]]
    assert [part["account_key"].to_list() for part in sampled(found, ("account_key",), {"account_key": [1, 2]}, ["2026-05-01", "2026-04-30"])] == [[1, 2]]
    assert list(sampled(found, COLUMNS, {}, [])) == []
