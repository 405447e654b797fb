"""Same inputs, same bytes: another process, thread count, time zone, locale, working directory, hash seed, order and layout of files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.provenance import sha256_file
from tests.conftest import Program


def published(out: Path) -> dict[str, str]:
    """Hash of every published file; of run.json all but `measured`."""
    run = out / "latest"
    found = {path.relative_to(run).as_posix(): sha256_file(path) for path in sorted(run.rglob("*")) if path.is_file()}
    manifest = json.loads((run / "run.json").read_text())
    del manifest["measured"]
    return {**found, "run.json": json.dumps(manifest, sort_keys=True)}


@pytest.mark.parametrize(
    ("threads", "environment"),
    [
        ("1", {"TZ": "Asia/Shanghai", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "4242"}),
        ("4", {"TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONHASHSEED": "0", "POLARS_MAX_THREADS": "4", "NUMBA_NUM_THREADS": "3", "OMP_NUM_THREADS": "2"}),
    ],
)
def test_another_process_gives_the_same_bytes(
    program: Program, finished: Path, tiny_log: Path, tiny_accounts: Path, tmp_path: Path, threads: str, environment: dict[str, str]
) -> None:
    shutil.copytree(tiny_log, tmp_path / "elsewhere" / "logs")
    result = program("run", "elsewhere/logs", "--accounts", tiny_accounts, "--threads", threads, cwd=tmp_path, **environment)
    assert result.returncode == 0, result.stderr
    assert published(tmp_path / "stillhunt-out") == published(finished)


def test_the_layout_of_row_groups_changes_no_table(program: Program, finished: Path, tiny_log: Path, tiny_accounts: Path, tmp_path: Path) -> None:
    """Other bytes on disk, the same rows in the same files: another run, equal tables."""
    for path in sorted(tiny_log.rglob("*.parquet"), reverse=True):
        target = tmp_path / "logs" / path.relative_to(tiny_log)
        target.parent.mkdir(parents=True)
        pq.write_table(pq.read_table(path), target, row_group_size=37, compression="zstd", use_dictionary=False)
    result = program("run", tmp_path / "logs", "--accounts", tiny_accounts, "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    ours, theirs = published(tmp_path / "out"), published(finished)
    tables = [name for name in theirs if name.startswith("tables/")]
    assert len(tables) > 10
    assert {name: ours[name] for name in tables} == {name: theirs[name] for name in tables}
    assert (tmp_path / "out" / "latest").readlink() != (finished / "latest").readlink()
