"""A copy of the finished run that a test may write to."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    """An output folder of its own with one finished run over the tiny log."""
    return Path(shutil.copytree(finished, tmp_path / "out", symlinks=True))


@pytest.fixture(scope="session")
def network(finished: Path) -> str:
    """The network of the finished run."""
    return pl.read_parquet(finished / "latest" / "tables" / "networks.parquet")["network_id"][0]
