"""A copy of the finished run that a test may write to, and the command line in this process."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def program(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Ended]]:
    """The command line in this process, which starts a command in milliseconds: arguments in, how it ended out."""
    from pipeline.cli import start

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setenv("POLARS_MAX_THREADS", "2")

    def run(*arguments: object) -> Ended:
        capfd.readouterr()
        code = start(list(map(str, arguments)))
        found = capfd.readouterr()
        return Ended(code, found.out, found.err)

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)
