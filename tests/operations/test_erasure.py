"""erase: the account is in no byte below DIR afterwards, a hold refuses, a stop on the way loses nothing, and what cannot be reached is named."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from pipeline.config import load_config
from pipeline.errors import InputError
from pipeline.history.journal import read_journal
from pipeline.operations import erasure, feedback
from pipeline.provenance import sha256_file
from pipeline.run import RunOptions, run_night
from pipeline.schema import REQUESTS
from pipeline.store import Store, open_store
from tests.conftest import Program
from tests.operations.test_retention import case, superseded

GONE = "pool-003"
TODAY = date(2026, 5, 3)


def quiet(_what: str, _done: int, _total: int) -> None:
    """No progress."""


def naming(root: Path, account: str) -> list[str]:
    """Files that name the account, by another way than the command's: every value of every column as text, every byte of every other file."""
    found = []
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            text = "\n".join(map(str, pq.read_table(path).to_pylist())) if path.suffix == ".parquet" else path.read_bytes().decode("utf-8", "replace")
            if re.search(rf"(?<![\w-]){account}(?![\w-])", text):
                found.append(path.relative_to(root).as_posix())
    return found


def erased(out: Path, account: str = GONE) -> tuple[str, ...]:
    with open_store(out) as store:
        return erasure.apply(store, erasure.plan(store, account), "Bo", quiet)


def key_of(out: Path, account: str) -> int:
    return pl.read_parquet(out / "latest" / "tables" / "accounts.parquet").filter(pl.col("account_id") == account)["account_key"].item()


def test_the_account_is_in_no_byte_afterwards(out: Path, network: str) -> None:
    run = superseded(out).name
    feedback.note(out, network, f"{GONE} and pool-0031 and pool-004 look alike", "Ann")
    feedback.allow(out, GONE, TODAY, "x", "Ann", TODAY)
    feedback.dispose(out, network, "benign", f"because of {GONE}.", "Ann")
    key = key_of(out, GONE)
    assert len(naming(out, GONE)) > 15
    assert erased(out) == ()
    assert naming(out, GONE) == []
    raw = [path.read_bytes() for path in out.rglob("*") if path.is_file() and path.suffix != ".parquet"]
    assert {found for data in raw for found in re.findall(rb"pool-003.", data)} == {b"pool-0031"}, "not a byte but inside a longer id"
    assert not (out / "runs" / run).exists(), "a superseded run that holds it goes whole"
    for path in out.rglob("*.parquet"):
        frame = pl.read_parquet(path)
        keys = [name for name in ("account_key", "account_a", "account_b", "entity_key") if name in frame.columns and frame.schema[name] == pl.Int64]
        assert not any((frame[name] == key).any() for name in keys), path
    entries = read_journal(out)
    assert entries[0].content["text"] == "[erased] and pool-0031 and pool-004 look alike"
    assert entries[2].content["reason"] == "because of [erased]."
    assert (entries[-1].kind, len(entries[-1].content["tombstone"])) == ("erasure", 64)
    assert network in (out / "latest" / "index.html").read_text()


def test_everybody_else_is_untouched(out: Path) -> None:
    before = {path.relative_to(out): pl.read_parquet(path) for path in (out / "days").rglob("*.parquet")}
    key = key_of(out, GONE)
    erased(out)
    for name, frame in before.items():
        column = "account_key" if "account_key" in frame.columns else None
        expected = frame.filter(pl.col(column) != key) if column else frame
        assert pl.read_parquet(out / name).equals(expected), name
    members = pl.read_parquet(out / "latest" / "tables" / "members.parquet")
    assert members.height == 7
    assert not (members["strongest_account_id"] == GONE).any()


def test_what_is_left_is_whole_and_a_run_goes_on_from_it(out: Path, tiny_log: Path, tiny_accounts: Path) -> None:
    erased(out)
    store = Store(out)
    for day in store.kept_days():
        record = store.day_record(day)
        assert record is not None
        assert {name: sha256_file(record.folder / f"{name}.parquet") for name in record.tables} == {name: table["sha256"] for name, table in record.tables.items()}
    manifest = json.loads((out / "latest" / "run.json").read_text())
    assert {name: sha256_file(out / "latest" / "tables" / f"{name}.parquet") for name in manifest["tables"]} == {
        name: entry["sha256"] for name, entry in manifest["tables"].items()
    }
    assert {name: sha256_file(out / "latest" / name) for name in manifest["pages"]} == manifest["pages"]
    assert manifest["erasures"] == 1
    again = run_night(RunOptions((str(tiny_log),), out, load_config(), tiny_accounts, threads=2), quiet)
    assert not again.already_done, "the night is judged again without the account, though the log still holds it"
    networks = pl.read_parquet(again.folder / "tables" / "networks.parquet")
    assert networks["account_count"].to_list() == [7]
    assert naming(out, GONE) == []


def test_a_stopped_erasure_is_finished_by_the_same_command(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    feedback.note(out, GONE, "x", "Ann")
    done = 0

    def stop_after_two(*arguments: object) -> None:
        nonlocal done
        done += 1
        if done > 2:
            raise KeyboardInterrupt
        rewrite(*arguments)  # type: ignore[arg-type]

    rewrite = erasure.rewrite_day
    monkeypatch.setattr(erasure, "rewrite_day", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        erased(out)
    assert [entry.kind for entry in read_journal(out)] == ["note", "erasure"]
    monkeypatch.setattr(erasure, "rewrite_day", rewrite)
    assert erased(out) == ()
    assert naming(out, GONE) == []
    assert [entry.kind for entry in read_journal(out)] == ["note", "erasure"], "one tombstone, however often the command is stopped"


def test_what_a_stop_left_in_scratch_goes_when_the_command_is_asked_again(out: Path, program: Program) -> None:
    """A stop after the last folder was replaced, before its old self was removed."""
    old = out / "scratch" / "killed"
    shutil.rmtree(out / "scratch", ignore_errors=True)
    shutil.copytree(out / "days" / "date=2026-05-01", old)
    with open_store(out) as store:
        kept = erasure.plan(store, GONE)
        for place in kept.places:
            if place.what == "day":
                erasure.rewrite_day(store, date.fromisoformat(place.name), place.rows, kept.account)
            else:
                erasure.rewrite_run(store, place.name, place.rows, kept.account)
    assert naming(out, GONE) == ["scratch/killed/account_ids.parquet"]
    assert program("erase", GONE, "--out", out).returncode == 5
    assert program("erase", GONE, "--out", out, "--apply", "--by", "Bo").returncode == 0
    assert naming(out, GONE) == []


def test_an_account_that_the_logs_bring_back_is_told(out: Path, program: Program, tiny_log: Path, tiny_accounts: Path) -> None:
    erased(out)
    shutil.rmtree(out / "days" / "date=2026-05-02")  # as after a late file: the day is read again
    result = program("run", tiny_log, "--accounts", tiny_accounts, "--out", out)
    assert result.returncode == 0
    assert "1 account that had been erased: the logs brought it back." in result.stderr


def test_an_erased_account_is_known_again(out: Path) -> None:
    erased(out)
    mark = read_journal(out)[-1].content["tombstone"]
    assert erasure.back_again(out, (mark,), pl.Series(["pool-001", GONE, "pool-004"])) == 1
    assert erasure.back_again(out, (mark,), pl.Series(["pool-001"])) == 0
    assert erasure.back_again(out, (), pl.Series([GONE])) == 0
    assert (out / erasure.KEY).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("how", ["held run", "held case names it"])
def test_a_hold_refuses_and_says_why(out: Path, how: str, program: Program) -> None:
    run = (out / "latest").resolve().name
    if how == "held run":
        case(out, "C-9", hold=True, runs=[run])
    else:
        case(out, "C-9", hold=True, text=f"about {GONE}")
    before = naming(out, GONE)
    result = program("erase", GONE, "--out", out, "--apply", "--by", "Bo")
    assert (result.returncode, "C-9" in result.stderr) == (6, True)
    assert naming(out, GONE) == before
    with open_store(out) as store, pytest.raises(InputError, match="C-9"):
        erasure.apply(store, erasure.plan(store, GONE), "Bo", quiet)


def test_what_is_not_ours_is_named(out: Path, program: Program) -> None:
    case(out, "C-2", hold=False, text=f"about {GONE}")
    result = program("erase", GONE, "--out", out, "--apply", "--by", "Bo")
    assert result.returncode == 5
    assert f"still names it, and is not this command's to change: {out}/cases/C-2/case.json" in result.stderr
    assert "stillhunt run LOGS --since 2026-05-03 --until 2026-05-03" in result.stderr
    assert naming(out, GONE) == ["cases/C-2/case.json"]


def test_a_dry_run_changes_nothing_and_a_stranger_is_nowhere(out: Path, program: Program) -> None:
    before = {path: path.stat().st_mtime_ns for path in (out / "days").rglob("*")}
    dry = program("erase", GONE, "--out", out, "--format", "json")
    rows = json.loads(dry.stdout)["rows"]
    assert [row["what"] for row in rows] == ["day"] * 3 + ["run"]
    assert min(row["rows"] for row in rows) > 30
    assert {path: path.stat().st_mtime_ns for path in (out / "days").rglob("*")} == before
    assert program("erase", GONE, "--out", out, "--apply").returncode == 2, "somebody must answer for it"
    nobody = program("erase", "nobody-at-all", "--out", out, "--apply", "--by", "Bo")
    assert (nobody.returncode, "no file below" in nobody.stderr) == (0, True)
    assert not (out / "journal.jsonl").exists()


@pytest.mark.parametrize(("text", "found"), [("pool-003", True), ("(pool-003)", True), ("pool-003.", True), ("pool-0031", False), ("xpool-003", False), ("pool-003-a", False)])
def test_an_id_is_found_as_a_word_of_its_own(text: str, found: bool) -> None:
    assert bool(erasure.mention(GONE).search(text)) is found


@pytest.mark.parametrize("account", ["a<b>&c", "zürich-1", 'quo"te', "back\\slash", "a b"])
def test_an_id_is_found_however_a_file_spells_it(tmp_path: Path, account: str) -> None:
    (tmp_path / "page.html").write_text(account.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;"))
    (tmp_path / "notes.json").write_text(json.dumps({"text": f"see {account} there"}))
    pl.DataFrame({"x": [account]}).write_parquet(tmp_path / "table.parquet")
    (tmp_path / "other.txt").write_text("nothing")
    assert erasure.leftovers(tmp_path, account) == ("notes.json", "page.html", "table.parquet")


def test_every_table_that_names_an_account_says_so_in_a_column_that_is_known() -> None:
    """A new table with an account under another column name must not slip past the erasure."""
    from pipeline.operations.rewriting import _BESIDE, _OF_ROW
    from pipeline.stages import TABLES

    known = {*_OF_ROW, *_BESIDE, "entity_key", "account_count", "entity_a", "entity_b"}
    named = {
        (table.name, column.name) for table in TABLES.values() for column in table.columns if "account" in column.name and not column.name.endswith(("_count", "_share", "_total"))
    }
    assert {name for _, name in named} <= known, sorted(named)
    assert "account_key" in REQUESTS.column_names
