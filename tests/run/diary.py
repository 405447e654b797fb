"""Nights with faults: what arrives when, what goes wrong, and what comes of it, run one after another and then once more from a clean start."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipeline.config import Config, load_config
from pipeline.errors import InputError, StorageError
from pipeline.run import RunOptions, RunOutcome, run_night, run_nights
from tests.careers import CLAUSES, POPULAR, Rows, date_of, people, pool, write_day, write_records
from tests.conftest import ROOT

POOLS = ("old", "back", "other")
KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from datetime import date
from pathlib import Path
from tests.run import diary
from pipeline.run import execute
ran = execute.Bench._run
def dying(bench, stage, params):
    account = ran(bench, stage, params)
    if stage.number == int(sys.argv[5]):
        os.kill(os.getpid(), signal.SIGKILL)
    return account
execute.Bench._run = dying
diary.Diary(Path(sys.argv[2]), int(sys.argv[4])).run(int(sys.argv[3]))
"""


def quiet(_what: str, _done: int, _total: int) -> None:
    """No progress."""


def settings(window_days: int) -> Config:
    """The defaults with a short window and fewer random groups, so that a night costs little."""
    config = load_config()
    return dataclasses.replace(config, window=dataclasses.replace(config.window, window_days=window_days), verdict=dataclasses.replace(config.verdict, null_groups=299))


class Diary:
    """A folder of logs that grows night by night, and the output folder beside it. Pages are made by none of these runs."""

    def __init__(self, folder: Path, window_days: int) -> None:
        self.logs, self.out, self.config = folder / "logs", folder / "out", settings(window_days)
        self.accounts = folder / "accounts.parquet"
        if not self.accounts.exists():
            write_records(self.accounts, POOLS)

    def options(self, out: Path | None = None, **changes: object) -> RunOptions:
        """A run over these logs."""
        return dataclasses.replace(RunOptions((str(self.logs),), out or self.out, self.config, self.accounts, threads=2, pages=False), **changes)  # type: ignore[arg-type]

    def run(self, day: int) -> RunOutcome:
        """One night."""
        return run_night(self.options(night=date_of(day)), quiet)

    def replay(self, out: Path, nights: int) -> tuple[RunOutcome, list[float]]:
        """The nights from a clean start, over the logs as they are in the end: the last one, and the cpu seconds of each."""
        spent, outcomes = [time.process_time()], list[RunOutcome]()
        for day in range(nights):
            outcomes += run_nights(self.options(out), date_of(day), date_of(day), quiet)
            spent.append(time.process_time())
        return outcomes[-1], [after - before for before, after in itertools.pairwise(spent)]

    def killed(self, day: int, stage: int) -> None:
        """One night in a process of its own that dies when a stage is done."""
        command = [sys.executable, "-c", KILLED, str(ROOT), str(self.logs.parent), str(day), str(self.config.window.window_days), str(stage)]
        assert subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode == -signal.SIGKILL

    def full(self, day: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """One night whose disk is full when its tables are laid out."""

        def no_space(*_arguments: object, **_options: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device", "tables/networks.parquet")

        with monkeypatch.context() as patch:
            patch.setattr("pipeline.run.night.lay_out", no_space)
            with pytest.raises(StorageError, match="disk is full"):
                self.run(day)

    def half_written(self, day: int, rows: Rows) -> None:
        """A file whose export is not finished is refused; nothing is judged."""
        path = write_day(self.logs, day, rows)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError, match="not a readable Parquet file"):
            self.run(day)
        path.write_bytes(whole)

    def other_schema(self, day: int, rows: Rows) -> None:
        """An export with narrower numbers, a column nobody knows, and one that is missing."""
        path = write_day(self.logs, day, rows)
        frame = pl.read_parquet(path)
        frame.with_columns(pl.col("input_tokens").cast(pl.Int32), region_hint=pl.lit("eu")).drop("status_code").write_parquet(path)


def traffic(day: int, banned: int, returns: int) -> Rows:
    """Everybody, the old pool until it is banned, the same operator again from `returns` on, and from a day before that another operator with a popular client."""
    rows = people(day)
    rows += pool("old", day) if day < banned else []
    rows += pool("other", day, CLAUSES, POPULAR) if day >= returns - 1 else []
    return rows + (pool("back", day) if day >= returns else [])


def split(rows: Rows, held_back: Callable[[str], bool]) -> tuple[Rows, Rows]:
    """Rows that arrive in time, and those of the accounts that are held back."""
    return [row for row in rows if not held_back(row["account_id"])], [row for row in rows if held_back(row["account_id"])]


def same_tables(one: RunOutcome, other: RunOutcome) -> list[str]:
    """Names of published tables whose bytes differ."""
    names = sorted(path.name for path in (one.folder / "tables").glob("*.parquet"))
    assert len(names) > 10
    assert names == sorted(path.name for path in (other.folder / "tables").glob("*.parquet"))
    return [name for name in names if (one.folder / "tables" / name).read_bytes() != (other.folder / "tables" / name).read_bytes()]


def ledger(out: Path) -> list[str]:
    """Outcomes by the ledger, in order."""
    return [json.loads(line)["outcome"] for line in (out / "ledger.jsonl").read_text().splitlines()]
