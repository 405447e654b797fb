"""Every example of every --help is executed, on the sample workspace: here, or where EXECUTED_ELSEWHERE says."""

from __future__ import annotations

import importlib
import os
import shlex
import shutil
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import polars as pl
import pytest
import typer

from pipeline.cli import app_of, start
from pipeline.cli.groups import GROUPS
from pipeline.measures.backends import is_compiled
from tests import test_analyst, test_cli_analyst, test_docs

PRICES = "as_of = 2026-05-01\n[[price]]\nmodel = 'large-1'\ninput_micro_usd_per_million = 3000000\noutput_micro_usd_per_million = 15000000\n"
TERMS = '[[clause]]\nclause_id = "4.2"\nversion = "1"\ntext = "No resale."\nin_force_from = 2026-01-01\n'
NETWORK, ACCOUNT, UNTIL = "N-0123456789", "acct-0001", "2027-01-31"
DAY_OF_WORK = (
    "check",
    "validate",
    "note",
    "disposition",
    "allow add",
    "journal list",
    "journal",
    "journal labels",
    "journal revoke",
    "allow add",
    "allow list",
    "allow",
    "allow expire",
    "case new",
    "case edit",
    "case add-fact",
    "case terms import",
    "case terms",
    "case prices import",
    "case prices",
    "report build",
    "report lint",
    "bundle seal",
    "bundle",
    "verify",
    "rerun",
    "case review",
    "case show",
    "case",
    "report",
    "runs",
    "gc",
    "erase",
    "canary",
    "run",
    "case hold",
)
"""In the order in which one needs the other. A group's example is one of a command of it."""


def _every() -> dict[str, str]:
    """The example of every command and group of the program, by its words."""
    found = {}

    def walk(command: click.Command, words: tuple[str, ...]) -> None:
        if len(words) == 1 and words[0] in GROUPS:  # loaded when it is used
            module, purpose = GROUPS[words[0]]
            command = typer.main.get_command(importlib.import_module(module).group(purpose))
        assert "Example: stillhunt" in (command.epilog or ""), words
        found[" ".join(words)] = str(command.epilog).rsplit("Example: ", 1)[1]
        for name, below in sorted(getattr(command, "commands", {}).items()):
            walk(below, (*words, name))

    walk(typer.main.get_command(app_of()), ())
    return found


EXAMPLES = _every()
EXECUTED_ELSEWHERE = {
    "": test_docs._commands(),
    "demo": test_docs._commands(),
    "simulate": test_docs._commands(),
    **{name: [EXAMPLES[name]] for name in test_analyst.READING},
    **{" ".join(words): [EXAMPLES[" ".join(words)]] for words in test_cli_analyst.COMMANDS},
}
"""Command lines that other tests of examples execute: those of the README, which make the demo, and those that read a finished run."""


@pytest.fixture
def sample(finished: Path, tiny_log: Path, tiny_accounts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The sample workspace, with what an example calls each of its parts."""
    shutil.copytree(finished, tmp_path / "stillhunt-out", symlinks=True)
    (tmp_path / "terms.toml").write_text(TERMS)
    (tmp_path / "prices.toml").write_text(PRICES)
    accounts = pl.read_parquet(tiny_accounts, columns=["account_id"])["account_id"]
    bad = accounts.str.starts_with("pool-")
    labels = {"account_id": accounts, "truth": bad.replace_strict({True: "pool", False: "person"}), "network": bad.replace_strict({True: "pool", False: None}), "malicious": bad}
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "requests").symlink_to(tiny_log)
    shutil.copy(tiny_accounts, tmp_path / "cases" / "accounts.parquet")
    pl.DataFrame(labels).write_csv(tmp_path / "cases" / "labels.csv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STILLHUNT_KEYS", str(tmp_path / "keys"))
    environment, handlers = dict(os.environ), {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    network = pl.read_parquet(finished / "latest" / "tables" / "networks.parquet")["network_id"][0]
    yield {
        "/logs/requests": str(tiny_log),
        "/logs/accounts.parquet": str(tiny_accounts),
        "/var/stillhunt": "stillhunt-out",
        "CASE-2026-0042_counsel_v1": "stillhunt-out/cases/CASE-2026-0042/bundles/CASE-2026-0042_counsel_v1",
        "/cases": "cases",
        "/cases/labels.csv": "cases/labels.csv",
        NETWORK: network,
        ACCOUNT: accounts.sort()[0],
        UNTIL: str(datetime.now(UTC).date() + timedelta(days=60)),  # an entry must end within a year from now
    }
    for number, handler in handlers.items():
        signal.signal(number, handler)
    os.environ.clear()
    os.environ.update(environment)
    is_compiled.cache_clear()


ENDS = {"canary": (0, 3)}
"""How an example may end, where that is not 0 alone: one night of a small log is too little to find what is planted beside it, and then the command says so with 3."""


def test_a_day_of_work_types_every_example_that_no_other_test_types(sample: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    """The whole day in one folder: the log is judged, something is said about the network, a case is made of it, the folder is kept in order."""
    for command in DAY_OF_WORK:
        words = shlex.split(EXAMPLES[command].partition(" > ")[0])
        assert " ".join(words).startswith(f"stillhunt {command}")
        capfd.readouterr()
        code = start([sample.get(word, word) for word in words[1:]])
        said = capfd.readouterr()
        assert code in ENDS.get(command, (0,)), f"{EXAMPLES[command]}\n{said.err}"
        assert said.out or said.err, command


def test_no_example_is_left_out() -> None:
    """A new command: put it into DAY_OF_WORK, or name the test that executes its example."""
    assert set(EXAMPLES) == set(DAY_OF_WORK) | set(EXECUTED_ELSEWHERE)
    for command, lines in EXECUTED_ELSEWHERE.items():
        assert any(EXAMPLES[command] in line for line in lines), command
