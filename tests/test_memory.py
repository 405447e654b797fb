"""Memory: a run stays near what it was given, however many rows there are."""

from __future__ import annotations

import datetime as dt
import json
import resource
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import Program
from tests.logs import START, WORDS

ROWS_A_DAY, DAYS, ACCOUNTS, PROMPTS = 1_000_000, 4, 20_000, 200_000
ALLOWED = 1.25
"""Resident memory over what was asked for: libraries and allocators keep some."""


def _large_log(folder: Path) -> Path:
    """Four million requests; each account has ten prompts of its own of about 200 characters."""
    draw = np.random.default_rng(5)
    words = np.array(WORDS)
    prompts = pa.array([" ".join(row) for row in words[draw.integers(0, len(words), (PROMPTS, 30))]])
    accounts = pa.array([f"account-{number:06d}" for number in range(ACCOUNTS)])
    for day in range(DAYS):
        start = int((START + dt.timedelta(days=day)).timestamp() * 1_000_000)
        chosen = draw.integers(0, PROMPTS, ROWS_A_DAY)
        table = pa.table(
            {
                "request_id": pa.array(np.char.add(f"{day}-", np.arange(ROWS_A_DAY).astype(str))),
                "timestamp": pa.array(np.sort(draw.integers(0, 86_400_000_000, ROWS_A_DAY)) + start, pa.timestamp("us", tz="UTC")),
                "account_id": accounts.take(pa.array(chosen // (PROMPTS // ACCOUNTS))),
                "model": pa.array(["large-1"]).take(pa.array(np.zeros(ROWS_A_DAY, np.int64))),
                "prompt": prompts.take(pa.array(chosen)),
                "output_tokens": pa.array(draw.integers(1, 4000, ROWS_A_DAY)),
            }
        )
        path = folder / f"date={(START + dt.timedelta(days=day)).date()}" / "part-0.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(table, path, compression="zstd", row_group_size=122_880)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("memory", [2_000_000_000, 4_000_000_000])
def test_a_run_stays_within_its_memory(program: Program, tmp_path_factory: pytest.TempPathFactory, memory: int) -> None:
    """The highest resident memory of any process so far that this one waited for; the smaller limit comes first."""
    log = tmp_path_factory.mktemp("large") / "requests"
    out = tmp_path_factory.mktemp("large_out") / "out"
    result = program("run", _large_log(log), "--memory", memory, "--out", out)
    assert result.returncode == 0, result.stderr
    measured = json.loads((out / "latest" / "run.json").read_text())["measured"]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    assert measured["peak_rss_bytes"] <= peak <= ALLOWED * memory
    assert json.loads((out / "latest" / "run.json").read_text())["counts"]["rows_kept"] == ROWS_A_DAY * DAYS
