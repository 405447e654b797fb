"""gc: a dry run first, what is lost is said, holds are respected, `latest` and every night stay."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from pipeline.operations import retention
from pipeline.operations.holds import read_holds
from pipeline.store import Store, open_store
from tests.conftest import Program

TODAY = date(2026, 5, 4)


def content(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and not path.name.startswith(".") and "latest/" not in str(path.relative_to(root))}


def superseded(out: Path, run_id: str = "0123456789ab") -> Path:
    """A run that no night points to."""
    return Path(shutil.copytree((out / "latest").resolve(), out / "runs" / run_id))


def planned(out: Path, keep_days: int = 2) -> retention.Plan:
    return retention.plan(Store(out), keep_days, TODAY)


def names(plan: retention.Plan) -> set[tuple[str, str]]:
    return {(loss.what, loss.name) for loss in plan.losses if loss.what != "scratch"}


def test_days_older_than_the_age_and_superseded_runs_would_go(out: Path) -> None:
    superseded(out)
    plan = planned(out)
    assert names(plan) == {("day", "2026-05-01"), ("day", "2026-05-02"), ("run", "0123456789ab")}
    assert plan.before == date(2026, 5, 3)
    assert all(loss.size_bytes > 0 for loss in plan.losses if loss.what != "scratch")
    assert "fingerprints of 901 requests of 158 accounts" in plan.losses[0].lost
    assert names(planned(out, 4)) == {("run", "0123456789ab")}
    assert len(planned(out, 1).warnings) == 1


def test_a_plan_changes_nothing_and_applying_drops_just_what_it_names(out: Path) -> None:
    superseded(out)
    before = content(out)
    with open_store(out) as store:
        plan = planned(out)
        assert content(out) == before
        freed = retention.apply(store, plan)
    gone = before - content(out)
    assert {name.split("/")[1] for name in gone if not name.startswith("scratch")} == {"date=2026-05-01", "date=2026-05-02", "0123456789ab"}
    assert freed == sum(loss.size_bytes for loss in plan.losses)
    assert (out / "latest" / "index.html").is_file()
    assert names(planned(out)) == set()


def test_latest_stays_even_if_no_night_points_to_it(out: Path) -> None:
    (out / "nights.json").write_text("{}")
    assert names(planned(out, 4)) == set()


def case(out: Path, name: str, **document: object) -> Path:
    folder = out / "cases" / name
    folder.mkdir(parents=True)
    (folder / "case.json").write_text(json.dumps(document))
    return folder


@pytest.mark.parametrize(
    "how", ["run named", "network named", "version names it", "holds.json names the run", "holds.json names the case", "case unreadable", "holds.json unreadable"]
)
def test_what_a_case_holds_stays_with_its_days(out: Path, network: str, how: str) -> None:
    run = superseded(out).name
    if how == "run named":
        case(out, "C-1", hold=True, runs=[run])
    elif how == "network named":
        case(out, "C-1", hold=True, networks=[network])
    elif how == "version names it":
        (case(out, "C-1", hold=True) / "versions").mkdir()
        (out / "cases" / "C-1" / "versions" / "1.json").write_text(json.dumps({"run_id": run}))
    elif how == "holds.json names the run":
        (out / "holds.json").write_text(json.dumps([run]))
    elif how == "holds.json names the case":
        case(out, "C-1", hold=False, runs=[run])
        (out / "holds.json").write_text(json.dumps(["C-1"]))
    elif how == "case unreadable":
        (case(out, "C-1", hold=True) / "case.json").write_text("{")
    else:
        (out / "holds.json").write_text("?")
    assert run in read_holds(out).runs
    plan = planned(out)
    assert names(plan) == set()
    assert {(kept.what, kept.name) for kept in plan.kept} == {("day", "2026-05-01"), ("day", "2026-05-02"), ("run", run)}
    assert all("held by" in kept.because for kept in plan.kept)


@pytest.mark.parametrize("document", [{"hold": False}, {}, {"title": "no hold was ever asked"}])
def test_a_case_that_nobody_held_holds_nothing(out: Path, network: str, document: dict[str, object]) -> None:
    run = superseded(out).name
    case(out, "C-1", networks=[network], runs=[run], **document)
    assert read_holds(out).runs == {}
    assert ("run", run) in names(planned(out))


def test_the_command_asks_for_apply_and_waits_for_no_lock(program: Program, out: Path) -> None:
    dry = program("gc", "--keep-days", "2", "--as-of", "2026-05-04", "--out", out)
    assert (dry.returncode, "nothing was changed" in dry.stderr) == (0, True)
    assert (out / "days" / "date=2026-05-01").is_dir()
    with open_store(out):
        assert program("gc", "--keep-days", "2", "--as-of", "2026-05-04", "--apply", "--out", out).returncode == 75
    done = program("gc", "--keep-days", "2", "--as-of", "2026-05-04", "--apply", "--out", out, "--format", "json")
    assert (done.returncode, json.loads(done.stdout)["schema"]) == (0, "stillhunt.gc/1")
    assert not (out / "days" / "date=2026-05-01").exists()
    assert program("networks", "--out", out).returncode == 0
    assert program("gc", "--out", out / "missing").returncode == 6
