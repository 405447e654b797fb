"""A night from logs to pages: layout, identity of runs, replays in date order, late and corrected files, failures that publish nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import glob
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from pipeline import schema
from pipeline.config import load_config
from pipeline.errors import CheckFailed, InputError, StorageError
from pipeline.provenance import sha256_file
from pipeline.run import RunOptions, RunOutcome, run_night, run_nights
from pipeline.stages import STAGES, TABLES
from tests.conftest import ROOT, Program
from tests.logs import START, write_log

CONTRACT = {
    "accounts": "account_id request_count active_days extraction_score network_id",
    "links": "account_a account_b kind family bits bits_kind support",
    "networks": "network_id flagged tier account_count request_count first_seen_at last_seen_at coordination_bits extraction_bits q_value best_alternative attribution_level",
    "members": "account_id network_id membership role",
    "findings": "finding_id network_id measure value unit threshold baseline baseline_n p_value kind supports evidence_total evidence_sha256",
    "evidence": "finding_id request_id source_file source_row role",
    "blind_spots": "family status reason",
    "lineage": "network_id night event other_id account_count",
}


def day(number: int) -> dt.date:
    return (START + dt.timedelta(days=number)).date()


def quiet(_what: str, _done: int, _total: int) -> None:
    """No progress."""


def options(logs: Path, out: Path, accounts: Path | None = None, **changes: Any) -> RunOptions:
    return dataclasses.replace(RunOptions((str(logs),), out, load_config(), accounts, threads=2), **changes)


def hashes(outcome: RunOutcome) -> dict[str, str]:
    """Every published byte but `measured`, by name."""
    found = {path.relative_to(outcome.folder).as_posix(): sha256_file(path) for path in sorted(outcome.folder.rglob("*")) if path.is_file() and path.name != "run.json"}
    manifest = json.loads((outcome.folder / "run.json").read_text())
    manifest.pop("measured")
    return {**found, "run.json": json.dumps(manifest, sort_keys=True)}


def test_a_run_writes_what_the_contract_names(finished: Path) -> None:
    run = finished / "latest"
    assert {"run.json", "index.html", "rejects.parquet", "tables", "networks"} <= {path.name for path in run.iterdir()}
    assert pq.read_schema(run / "rejects.parquet").names == ["source_file", "source_row", "reason"]
    for table, columns in CONTRACT.items():
        names = pq.read_schema(run / "tables" / f"{table}.parquet").names
        assert set(columns.split()) <= set(names), table
    networks = pl.read_parquet(run / "tables" / "networks.parquet")
    assert networks["flagged"].to_list() == (networks["tier"] == "refer").to_list()
    assert {path.stem for path in (run / "networks").glob("*.html")} == set(networks["network_id"])
    assert all(len(name) == 12 and name.startswith("N-") for name in networks["network_id"])


def test_every_published_table_is_sorted_by_its_grain_and_has_its_types(finished: Path) -> None:
    from pipeline.engines.duckdb import arrow_schema

    for path in sorted((finished / "latest" / "tables").glob("*.parquet")):
        table = TABLES[path.stem]
        frame = pl.read_parquet(path)
        assert pq.read_schema(path).equals(arrow_schema(table)), path.stem
        assert frame.equals(frame.sort(table.grain, nulls_last=True, maintain_order=True)), path.stem


def test_provisional_ids_are_nowhere(finished: Path) -> None:
    for path in (finished / "latest" / "tables").glob("*.parquet"):
        frame = pl.read_parquet(path)
        if "network_id" in frame.columns:
            assert not frame["network_id"].drop_nulls().str.starts_with("P-").any(), path.stem


def test_the_manifest_says_what_went_in_and_came_out(finished: Path, tiny_log: Path) -> None:
    manifest = json.loads((finished / "latest" / "run.json").read_text())
    assert {entry["name"]: entry["sha256"] for entry in manifest["inputs"]} == {path.relative_to(tiny_log).as_posix(): sha256_file(path) for path in tiny_log.rglob("*.parquet")}
    assert manifest["counts"]["rows_read"] == sum(entry["rows"] for entry in manifest["inputs"]) == manifest["counts"]["rows_kept"]
    assert manifest["window"] == {"first_day": "2026-05-01", "last_day": "2026-05-03", "days": 3, "days_with_requests": 3}
    tables = finished / "latest" / "tables"
    assert {name: entry["sha256"] for name, entry in manifest["tables"].items()} == {path.stem: sha256_file(path) for path in tables.glob("*.parquet")}
    assert {name: sha256_file(finished / "latest" / name) for name in manifest["pages"]} == manifest["pages"]
    assert manifest["seeds"]
    assert set(manifest["stages"]) == {stage.label for stage in STAGES if not stage.per_day and not stage.is_edge} | {"11 account_records"}
    assert str(finished) not in (finished / "latest" / "run.json").read_text()
    assert str(tiny_log) not in (finished / "latest" / "run.json").read_text()
    for name, made in manifest["days"].items():
        for table, entry in made["tables"].items():
            assert sha256_file(finished / "days" / f"date={name}" / f"{table}.parquet") == entry["sha256"]


def test_the_same_again_is_already_done_whatever_the_threads_and_the_spelling_of_the_logs(program: Program, finished: Path, tiny_log: Path, tiny_accounts: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (finished / "latest").resolve().rglob("*")}
    result = program("run", f"{tiny_log}/date=*", "--accounts", tiny_accounts, "--out", finished, "--threads", "1", "--memory", "2GB")
    assert result.returncode == 0
    assert "already done" in result.stderr
    assert {path: path.stat().st_mtime_ns for path in (finished / "latest").resolve().rglob("*")} == before
    folders = sorted(tiny_log.iterdir(), reverse=True)
    found = program("run", *folders, "--accounts", tiny_accounts, "--out", finished, "--fail-on", "refer")
    assert (found.returncode, "already done" in found.stderr) == (3, True)
    outcomes = [json.loads(line)["outcome"] for line in (finished / "ledger.jsonl").read_text().splitlines()]
    assert outcomes == ["done", "already done", "already done"]


def test_a_run_whose_files_were_changed_is_not_already_done(program: Program, finished: Path, tiny_log: Path, tiny_accounts: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out, symlinks=True)
    run = (out / "latest").resolve()
    for name in ("index.html", "tables/members.parquet"):
        whole = (run / name).read_bytes()
        (run / name).write_bytes(whole[:-1] + b"?")
        result = program("run", tiny_log, "--accounts", tiny_accounts, "--out", out)
        assert (result.returncode, "already done" in result.stderr, str(run / name) in result.stderr) == (4, False, True)
        (run / name).write_bytes(whole)
    shutil.rmtree(run)
    assert program("run", tiny_log, "--accounts", tiny_accounts, "--out", out).returncode == 0
    assert (run / name).read_bytes() == whole, "to delete the run, as the error says, is enough"


def _wait_for(path: str, out: Path, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 300
    while not glob.glob(str(out / path)):  # noqa: PTH207 (Path.glob fails if a folder goes while it looks)
        assert process.poll() is None, "the run ended before it could be stopped"
        assert time.monotonic() < end
        time.sleep(0.02)


def _listen_to_interrupts() -> None:
    """A process that a shell started in the background inherits a deaf ear for SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(
    ("number", "code"), [pytest.param(signal.SIGKILL, -9, marks=pytest.mark.slow), (signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)]
)
def test_a_stopped_run_goes_on_and_ends_in_the_same_bytes(program: Program, finished: Path, tiny_log: Path, tiny_accounts: Path, tmp_path: Path, number: int, code: int) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "pipeline", "run", str(tiny_log), "--accounts", str(tiny_accounts), "--out", str(out)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, preexec_fn=_listen_to_interrupts)  # noqa: PLW1509 (this process starts no thread before)
    _wait_for("scratch/*/stage-40-*.json", out, process)
    process.send_signal(number)
    assert process.wait(timeout=120) == code
    assert not (out / "latest").exists()
    assert not list(out.glob("runs/*"))
    result = program("run", tiny_log, "--accounts", tiny_accounts, "--out", out)
    assert result.returncode == 0, result.stderr
    ours, theirs = ((folder / "latest" / "run.json").read_text() for folder in (out, finished))
    mine, other = json.loads(ours), json.loads(theirs)
    assert "40 candidate_pairs" not in mine["measured"]["stages"], "finished stages are not run again"
    assert "80 network_ids" in mine["measured"]["stages"]
    assert {**mine, "measured": 0} == {**other, "measured": 0}


def test_a_reading_that_breaks_off_keeps_the_days_it_finished(tiny_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.run import days as made

    monkeypatch.setattr(made, "PART_ROWS", 1)
    read: list[int] = []
    ingest = made.ingest_days

    def breaking(files: Any, *arguments: Any, **rest: Any) -> Any:
        read.append(len(files))
        if len(read) == 2:
            raise KeyboardInterrupt
        return ingest(files, *arguments, **rest)

    monkeypatch.setattr(made, "ingest_days", breaking)
    with pytest.raises(KeyboardInterrupt):
        run_night(options(tiny_log, tmp_path / "out"), quiet)
    assert [path.name for path in (tmp_path / "out" / "days").glob("date=*")] == [f"date={day(0)}"]
    outcome = run_night(options(tiny_log, tmp_path / "out"), quiet)
    assert read == [1, 1, 1, 1], "the first day is not read again"
    assert outcome.manifest["window"]["days_with_requests"] == 3


@pytest.fixture(scope="module")
def replay(tiny_log: Path, tiny_accounts: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[RunOutcome]]:
    """Three nights replayed over the whole log in date order."""
    out = tmp_path_factory.mktemp("replay") / "out"
    return out, run_nights(options(tiny_log, out, tiny_accounts), day(0), day(2), quiet)


def test_nights_are_judged_on_their_own_windows(replay: tuple[Path, list[RunOutcome]]) -> None:
    _, outcomes = replay
    assert [outcome.night for outcome in outcomes] == [day(0), day(1), day(2)]
    assert [outcome.manifest["window"]["days_with_requests"] for outcome in outcomes] == [1, 2, 3]
    assert [outcome.manifest["window"]["days"] for outcome in outcomes] == [28, 28, 28]


def test_a_network_keeps_its_id_and_its_first_event_from_night_to_night(replay: tuple[Path, list[RunOutcome]]) -> None:
    _, outcomes = replay
    tables = [pl.read_parquet(outcome.folder / "tables" / "members.parquet").filter(pl.col("account_id").str.starts_with("pool-")) for outcome in outcomes]
    names = [set(table["network_id"]) for table in tables if table.height]
    assert len(names) >= 2
    assert all(name == names[0] and len(name) == 1 for name in names)
    lineage = pl.read_parquet(outcomes[-1].folder / "tables" / "lineage.parquet").filter(pl.col("network_id") == min(names[0]))
    assert lineage.sort("night")["event"][0] == "new"
    assert lineage["event"].to_list().count("new") == 1


def test_adding_one_night_at_a_time_equals_a_replay(replay: tuple[Path, list[RunOutcome]], tiny_log: Path, tiny_accounts: Path, tmp_path: Path) -> None:
    """Logs arrive day by day; each night sees only what has arrived, the last one only its own day's folder besides what is kept."""
    _, replayed = replay
    logs = tmp_path / "requests"
    outcomes = []
    for number in range(3):
        name = f"date={day(number)}"
        shutil.copytree(tiny_log / name, logs / name)
        outcomes.append(run_night(options(logs, tmp_path / "out", tiny_accounts, night=day(number)), quiet))
    assert [hashes(outcome) for outcome in outcomes] == [hashes(outcome) for outcome in replayed]


def test_kept_days_are_not_read_again(replay: tuple[Path, list[RunOutcome]], tiny_log: Path, tiny_accounts: Path, tmp_path: Path) -> None:
    out, outcomes = replay
    copy = tmp_path / "out"
    shutil.copytree(out, copy, symlinks=True)
    seen: list[str] = []
    (tmp_path / "logs").mkdir()
    shutil.copytree(tiny_log / f"date={day(2)}", tmp_path / "logs" / f"date={day(2)}")
    again = run_night(options(tmp_path / "logs", copy, tiny_accounts, night=day(2)), lambda what, _done, _total: seen.append(what))
    assert again.already_done
    assert again.run_id == outcomes[-1].run_id
    assert "days" not in seen


def test_a_late_file_makes_its_own_day_again_and_no_other(replay: tuple[Path, list[RunOutcome]], tiny_log: Path, tiny_accounts: Path, tmp_path: Path) -> None:
    out, outcomes = replay
    copy, logs = tmp_path / "out", tmp_path / "requests"
    shutil.copytree(out, copy, symlinks=True)
    shutil.copytree(tiny_log, logs)
    late = pl.read_parquet(next((logs / f"date={day(1)}").glob("*.parquet"))).head(5).with_columns(pl.col("request_id") + "-late")
    late.write_parquet(logs / f"date={day(2)}" / "late.parquet")
    outcome = run_night(options(logs, copy, tiny_accounts, night=day(2)), quiet)
    before, after = outcomes[-1].manifest["days"], outcome.manifest["days"]
    assert outcome.run_id != outcomes[-1].run_id
    assert {name for name in after if after[name] != before[name]} == {day(1).isoformat()}
    assert after[day(1).isoformat()]["tables"]["requests"]["rows"] == before[day(1).isoformat()]["tables"]["requests"]["rows"] + 5


def test_a_failed_check_publishes_nothing_and_is_5(
    replay: tuple[Path, list[RunOutcome]], tiny_log: Path, tiny_accounts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.stages import features

    out, outcomes = replay
    copy = tmp_path / "out"
    shutil.copytree(out, copy, symlinks=True)
    right = features.features
    monkeypatch.setattr(features, "features", lambda inputs, config: {"features": pl.concat([right(inputs, config)["features"]] * 2)})
    with pytest.raises(CheckFailed, match="one_row_a_grain") as failed:
        run_night(options(tiny_log, copy, tiny_accounts), quiet)
    assert failed.value.exit_code == 5
    assert (copy / "latest").readlink().name == outcomes[-1].run_id
    assert {path.name for path in (copy / "runs").iterdir()} == {outcome.run_id for outcome in outcomes}


def test_a_stage_that_forgets_a_column_fails_its_check(tmp_path: Path) -> None:
    from pipeline.run.execute import write_frame

    with pytest.raises(CheckFailed, match="columns"):
        write_frame(pl.DataFrame({"provisional_id": ["P-1"]}), schema.NETWORK_IDS, tmp_path / "x.parquet")
    with pytest.raises(CheckFailed, match="columns"):
        write_frame(pl.DataFrame({"provisional_id": ["P-1"], "network_id": [1]}), schema.NETWORK_IDS, tmp_path / "x.parquet")
    assert not (tmp_path / "x.parquet").exists()


def test_a_full_disk_is_told_and_leaves_latest_alone(replay: tuple[Path, list[RunOutcome]], tiny_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, outcomes = replay
    copy = tmp_path / "out"
    shutil.copytree(out, copy, symlinks=True)

    def full(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device", "tables/networks.parquet")

    monkeypatch.setattr("pipeline.run.night.lay_out", full)
    with pytest.raises(StorageError, match="disk is full"):
        run_night(options(tiny_log, copy), quiet)
    assert (copy / "latest").readlink().name == outcomes[-1].run_id


def test_a_window_without_requests_is_an_input_error(tiny_log: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2026-04-01"):
        run_night(options(tiny_log, tmp_path / "out", night=dt.date(2026, 4, 1)), quiet)


def test_a_night_without_requests_of_its_own_is_degraded(replay: tuple[Path, list[RunOutcome]], tiny_log: Path, tmp_path: Path) -> None:
    """The log of the night did not arrive: the window is judged, and nobody takes it for a whole night."""
    out, _ = replay
    shutil.copytree(out, tmp_path / "out", symlinks=True)
    outcome = run_night(options(tiny_log, tmp_path / "out", night=day(5)), quiet)
    assert outcome.night == day(5)
    assert ["holds no request" in reason for reason in outcome.degraded] == [True]


def test_a_skipped_file_degrades_the_run(program: Program, tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", days=1)
    (logs / "broken.parquet").write_bytes(b"PAR1")
    result = program("run", logs, "--on-bad-file", "skip", "--out", tmp_path / "out")
    assert result.returncode == 5
    assert "broken.parquet" in result.stderr
    manifest = json.loads((tmp_path / "out" / "latest" / "run.json").read_text())
    assert [entry["name"] for entry in manifest["skipped_files"]] == ["broken.parquet"]
    again = program("run", logs, "--on-bad-file", "skip", "--out", tmp_path / "out")
    assert (again.returncode, "already done" in again.stderr) == (5, True), "a degraded night never reads as clean"


def test_many_rejected_rows_degrade_the_run_and_are_listed(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", days=1)
    path = next(logs.rglob("*.parquet"))
    table = pl.read_parquet(path)
    spoilt = table.with_row_index().with_columns(
        account_id=pl.when(pl.col("index") < 40).then(None).otherwise("account_id"), timestamp=pl.when(pl.col("index") == 50).then(None).otherwise("timestamp")
    )
    spoilt.drop("index").write_parquet(path)
    outcome = run_night(options(logs, tmp_path / "out"), quiet)
    assert len(outcome.degraded) == 1
    assert "rejected" in outcome.degraded[0]
    rejects = pl.read_parquet(outcome.folder / "rejects.parquet")
    assert rejects["source_row"].to_list() == [*range(40), 50]
    assert set(rejects["reason"]) == {"null_required"}
    assert outcome.manifest["rejected"] == {"null_required": 41}
    assert outcome.manifest["counts"]["rows_read"] == outcome.manifest["counts"]["rows_kept"] + 41 == table.height
