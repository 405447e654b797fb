"""Canaries are planted beside the log and nowhere else; what came of each is told as it is."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from pipeline.cli.canarying import _finish
from pipeline.config import load_config
from pipeline.errors import LockHeld
from pipeline.history.canaries import read_canaries
from pipeline.operations.canary import PREFIX, _carried, _plant, _with_accounts, canary_folder, first_day, keep, outcomes, world_days
from pipeline.provenance import sha256_file
from pipeline.run import RunOptions
from pipeline.simulate import write_world
from tests.conftest import Program, run_program
from tests.logs import REQUESTS

NIGHT = dt.date(2026, 5, 3)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated world of two days with one campaign."""
    folder = tmp_path_factory.mktemp("canary") / "world"
    write_world(folder, "planted", 60, 2, 3, 0.2)
    return folder


@pytest.fixture
def campaign(world: Path) -> pl.DataFrame:
    """Its accounts."""
    return pl.read_parquet(world / "truth.parquet").filter("malicious")


def judged(folder: Path, networks: dict[str, tuple[str, list[str]]]) -> SimpleNamespace:
    """A run with these networks: id -> tier, members."""
    (folder / "tables").mkdir()
    rows = [{"account_id": account, "network_id": name} for name, (_, members) in networks.items() for account in members]
    pl.DataFrame(rows, schema={"account_id": pl.String, "network_id": pl.String}).write_parquet(folder / "tables" / "members.parquet")
    tiers = {"network_id": list(networks), "tier": [tier for tier, _ in networks.values()]}
    pl.DataFrame(tiers, schema={"network_id": pl.String, "tier": pl.String}).write_parquet(folder / "tables" / "networks.parquet")
    return SimpleNamespace(folder=folder)


@pytest.mark.parametrize(
    ("networks", "expected"),
    [
        ({}, (0, "", False)),
        ({"N-1": ("refer", [f"{PREFIX}{n}" for n in range(8)])}, (8, "refer", True)),
        ({"N-1": ("refer", [f"{PREFIX}{n}" for n in range(4)])}, (4, "refer", True)),
        ({"N-1": ("refer", [f"{PREFIX}{n}" for n in range(3)])}, (3, "refer", False)),
        ({"N-1": ("watch", [f"{PREFIX}{n}" for n in range(8)])}, (8, "watch", False)),
        ({"N-1": ("refer", [f"{PREFIX}{n}" for n in range(8)] + [f"real-{n}" for n in range(9)])}, (8, "refer", False)),
        ({"N-1": ("watch", [f"{PREFIX}{n}" for n in range(5)]), "N-2": ("refer", [f"{PREFIX}{n}" for n in (5, 6, 7)])}, (5, "watch", False)),
        ({"N-1": ("refer", ["0", "1", "2", "3", "4", "5", "6", "7"])}, (0, "", False)),
    ],
)
def test_found_is_referred_and_half_of_either(tmp_path: Path, networks: dict[str, tuple[str, list[str]]], expected: tuple[int, str, bool]) -> None:
    truth = pl.DataFrame({"account_id": [str(n) for n in range(8)], "truth": ["campaign:L0"] * 8})
    (one,) = outcomes(truth, judged(tmp_path, networks))  # type: ignore[arg-type]
    assert (one["name"], one["account_count"]) == ("L0", 8)
    assert (one["found_count"], one["tier"], one["is_found"]) == expected


def test_only_campaigns_are_planted_without_columns_that_the_log_lacks(world: Path, campaign: pl.DataFrame, tiny_log: Path, tmp_path: Path) -> None:
    options = RunOptions((str(tiny_log),), tmp_path, load_config(), night=NIGHT)
    columns = _carried(options)
    planted = _plant(world / "requests", campaign["account_id"], columns, tmp_path / "planted")
    frame = pl.concat([pl.read_parquet(path) for path in sorted(planted.rglob("*.parquet"))])
    assert set(frame.columns) <= columns == {field.name for field in REQUESTS}
    assert set(frame["account_id"]) == {PREFIX + account for account in campaign["account_id"]}
    assert frame["request_id"].str.starts_with(PREFIX).all()
    source = pl.concat([pl.read_parquet(path) for path in (world / "requests").rglob("*.parquet")])
    assert frame.height == source.filter(pl.col("account_id").is_in(campaign["account_id"].implode())).height > 0


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_the_accounts_table_keeps_its_rows_and_types(world: Path, campaign: pl.DataFrame, tiny_accounts: Path, tmp_path: Path, form: str) -> None:
    real = tmp_path / f"real.{form}"
    theirs = pl.read_parquet(tiny_accounts)
    theirs.write_csv(real) if form == "csv" else theirs.write_parquet(real)
    merged = _with_accounts(real, world / "accounts.parquet", campaign["account_id"], tmp_path)
    whole = pl.read_csv(merged, infer_schema=False) if form == "csv" else pl.read_parquet(merged)
    assert whole.columns == theirs.columns
    assert whole.height == theirs.height + campaign.height
    ours = whole.filter(pl.col("account_id").str.starts_with(PREFIX))
    assert ours.height == campaign.height
    assert ours["created_at"].null_count() == 0
    if form == "parquet":
        assert whole.schema == theirs.schema
        assert whole.head(theirs.height).equals(theirs)
    from pipeline.ingest import account_records
    from pipeline.ingest.context import read_context
    from pipeline.run.execute import empty
    from pipeline.stages import TABLES

    assert account_records(merged, empty(TABLES["account_ids"]), read_context(None)).misfits == {}, "every value is one that a run can read"


def test_the_world_covers_the_window_but_not_before_the_log(tiny_log: Path, tmp_path: Path) -> None:
    assert world_days(NIGHT, 7, None) == (dt.date(2026, 4, 27), 7)
    assert world_days(NIGHT, 7, dt.date(2026, 5, 1)) == (dt.date(2026, 5, 1), 3)
    assert world_days(NIGHT, 2, dt.date(2026, 4, 1)) == (dt.date(2026, 5, 2), 2)
    assert world_days(NIGHT, 2, dt.date(2026, 6, 1)) == (dt.date(2026, 5, 2), 2)
    assert first_day(RunOptions((str(tiny_log),), tmp_path, load_config())) == dt.date(2026, 5, 1)


def test_an_accounts_table_among_the_logs_is_none_of_the_real_log(tiny_log: Path, tiny_accounts: Path, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    shutil.copytree(tiny_log, logs)
    accounts = Path(shutil.copy(tiny_accounts, logs / "accounts.parquet"))
    alone, among = (RunOptions((str(folder),), tmp_path, load_config(), accounts) for folder in (tiny_log, logs))
    assert (_carried(among), first_day(among)) == (_carried(alone), first_day(alone))


def test_one_at_a_time_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / ".canary").mkdir()
    (tmp_path / ".canary" / "of a killed run").write_text("x")
    with canary_folder(tmp_path) as folder:
        assert list(folder.iterdir()) == []
        with pytest.raises(LockHeld), canary_folder(tmp_path):
            pass
        (folder / "x").write_text("x")
    assert not (tmp_path / ".canary").exists()


def test_the_newest_record_up_to_the_night_counts(tmp_path: Path) -> None:
    assert read_canaries(tmp_path, NIGHT) is None
    for day, found in ((1, True), (2, False), (9, True)):
        one = {"name": "L0", "account_count": 8, "found_count": 8, "tier": "refer", "overlap": 1.0, "is_found": found}
        keep(tmp_path, {"schema": "stillhunt.canary/1", "night": f"2026-05-0{day}", "seed": 7, "version": "0.1.0", "run_id": "0" * 12, "canaries": [one]})
    record = read_canaries(tmp_path, NIGHT)
    assert record is not None
    assert (record.night, record.found_count) == (dt.date(2026, 5, 2), 0)


def test_the_outcome_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("name", "account_count", "found_count", "tier", "overlap", "is_found")
    planted = [dict(zip(names, values, strict=True)) for values in (("L0", 12, 12, "refer", 1.0, True), ("L9", 6, 0, "", 0.0, False))]
    assert _finish({"schema": "stillhunt.canary/1", "canaries": planted}, tmp_path / "x.json", 2, "table") == 3
    shown, told = capsys.readouterr()
    assert [line.split() for line in shown.splitlines()[1:]] == [["L0", "12", "12", "refer", "100", "found"], ["L9", "6", "0", "none", "0", "missed"]]
    assert "1 of 2 planted networks found" in told
    assert "missed: L9. A network built like that may be missed in this log, too." in told
    assert _finish({"schema": "stillhunt.canary/1", "canaries": planted[:1]}, tmp_path / "x.json", 1, "csv") == 0
    shown, told = capsys.readouterr()
    assert shown.splitlines()[0] == ",".join(names), "what programs read keeps its names"
    assert "missed" not in told


@pytest.mark.slow
def test_canaries_are_found_in_the_log_and_leave_no_trace_in_it(finished: Path, tiny_log: Path, tiny_accounts: Path, program: Program, tmp_path: Path) -> None:
    before = {path: sha256_file(path) for folder in ("days", "runs") for path in (finished / folder).rglob("*") if path.is_file()}
    result = run_program("canary", tiny_log, "--accounts", tiny_accounts, "--night", "2026-05-03", "--out", finished, "--format", "json")
    assert result.returncode == 0, result.stderr
    rows = json.loads(result.stdout)["rows"]
    assert [row["name"] for row in rows] == ["L0", "L2", "L4"]
    assert rows[0]["is_found"]
    assert {path: sha256_file(path) for folder in ("days", "runs") for path in (finished / folder).rglob("*") if path.is_file()} == before
    assert not (finished / ".canary").exists()
    again = run_program("canary", tiny_log, "--accounts", tiny_accounts, "--night", "2026-05-03", "--out", finished, "--format", "json", "--min-found", "4")
    assert (again.returncode, again.stdout) == (3, result.stdout), "the same seed gives the same outcome"
    (finished / "canaries" / "2026-05-03.json").unlink()
