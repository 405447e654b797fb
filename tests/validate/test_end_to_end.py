"""From worlds to figures through the real pipeline, small: one world under every sort of try in this process, two labelled logs by the command line in processes of their own."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from pipeline.config import load_config
from pipeline.errors import InputError, LockHeld
from pipeline.simulate import write_world
from pipeline.validate.judging import Job, judge
from pipeline.validate.plans import AS_IT_IS, NIGHTS, Plan, Try
from pipeline.validate.pool import at_once, jobs_of, judge_all
from pipeline.validate.report import all_figures
from pipeline.validate.results import load, together

PLAN = Plan("planted", 240, 2, 5, 0.06)
TRIES = (
    Try(AS_IT_IS, AS_IT_IS),
    Try("no prompts", "without columns", ("prompt",)),
    Try("nothing is significant", "threshold", settings=(("verdict", "max_q_value", 0.0),)),
    Try(NIGHTS, NIGHTS),
)


def silent(_what: str, _done: int, _total: int) -> None:
    """No progress."""


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judged")
    (job,) = jobs_of([(PLAN, TRIES)], load_config(), folder, 4_000_000_000, 1)
    found = judge(job)
    assert not (folder / "scratch" / job.key).exists(), "what was made for a world goes with it"
    return found


def value(judged, measure: str, stratum: str = "all") -> float | None:
    (row,) = all_figures("quick", together([judged])).filter((pl.col("measure") == measure) & (pl.col("stratum") == stratum)).rows(named=True)
    return row["value"]


def test_a_naive_campaign_is_found_whole_and_nobody_else_is_accused(judged):
    assert value(judged, "campaigns_whole") == 1.0
    assert value(judged, "account_recall", "campaign:naive") == 1.0
    assert value(judged, "innocent_accounts_flagged") == 0


def test_each_try_costs_what_it_takes_away(judged):
    for stratum in ("without columns: no prompts", "threshold: nothing is significant"):
        assert value(judged, "try_recall_change", stratum) == -1.0, stratum


def test_nights_are_judged_in_date_order_and_counted_from_the_first_request(judged):
    (row,) = judged.delays.rows(named=True)
    assert row["group"] == "campaign:naive"
    assert row["nights"] == 2
    assert row["night_flagged"] in (1, 2)
    assert 0 < row["requests_before"] <= row["requests"]
    assert (row["requests_before"] == row["requests"]) == (row["night_flagged"] == 2)


def test_no_account_id_stays_in_the_results(judged, tmp_path):
    judged.save(tmp_path / "w")
    names = set(pl.concat([pl.read_parquet(path).select(pl.all().cast(pl.String)).unpivot()["value"] for path in (tmp_path / "w").glob("*.parquet")]).drop_nulls())
    assert not any(name.startswith("acct_") for name in names)
    again, frames = load(tmp_path / "w"), ("truth", "members", "networks", "delays")
    assert all(getattr(again, name).equals(getattr(judged, name)) for name in frames)
    assert dataclasses.replace(again, **dict.fromkeys(frames)) == dataclasses.replace(judged, **dict.fromkeys(frames))


def test_finished_worlds_are_not_judged_again(judged, tmp_path):
    jobs = jobs_of([(PLAN, TRIES)], load_config(), tmp_path, 4_000_000_000, 2)
    judged.save(tmp_path / "worlds" / jobs[0].key)
    (found,) = judge_all(jobs, tmp_path / "worlds", 2, silent)
    assert found.members.equals(judged.members)
    assert not (tmp_path / "scratch").exists()


def test_a_key_names_world_tries_and_settings():
    config = load_config()
    stricter = dataclasses.replace(config, verdict=dataclasses.replace(config.verdict, max_q_value=0.001))
    keys = [
        jobs_of([(plan, tries)], settings, Path("out"), 4_000_000_000, threads)[0].key
        for plan, tries, settings, threads in (
            (PLAN, TRIES, config, 1),
            (PLAN, TRIES, config, 2),
            (dataclasses.replace(PLAN, seed=6), TRIES, config, 1),
            (PLAN, TRIES[:1], config, 1),
            (PLAN, TRIES, stricter, 1),
        )
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


def test_a_world_that_cannot_be_judged_says_so_and_leaves_nothing(tmp_path):
    job = Job(Plan("no such scenario", 120, 1, 1, 0.1), TRIES, load_config(), "k", tmp_path / "scratch", 4_000_000_000, 1)
    with pytest.raises(Exception, match="no such scenario"):
        judge(job)
    assert not (tmp_path / "scratch" / "k").exists()


@pytest.fixture(scope="module")
def cases(tmp_path_factory) -> Path:
    """Two labelled logs with one truth file, as a user would hand them in."""
    folder = tmp_path_factory.mktemp("cases")
    labels = []
    for name, scenario, accounts, seed in (("first", "planted", 240, 11), ("second", "quiet", 110, 12)):
        write_world(folder / name, scenario, accounts, 1, seed, 0.06)
        labels.append(pl.read_parquet(folder / name / "truth.parquet"))
        (folder / name / "truth.parquet").unlink()
    shutil.rmtree(folder / "second" / "context", ignore_errors=True)
    pl.concat(labels).select("account_id", "truth", "network", "malicious").write_csv(folder / "labels.csv")
    return folder


def test_the_command_judges_labelled_logs_two_at_a_time(program, cases, tmp_path):
    result = program("validate", "--suite", "quick", "--worlds", cases, "--truth", cases / "labels.csv", "--out", tmp_path, "--threads", 2, "--format", "json")
    assert result.returncode == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["schema"] == "stillhunt.validation/1"
    assert said["worlds"] == ["first", "second"]
    assert said["is_simulated"] is False
    assert said["command"] == "stillhunt validate --suite quick --worlds " + cases.name + " --truth labels.csv"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", said["date"])
    figures = {(row["measure"], row["stratum"]): row for row in said["figures"]}
    assert figures["campaigns_found", "all"]["value"] == 1.0
    assert figures["worlds_with_a_false_accusation", "all"]["n"] == 2
    assert figures["worlds_with_a_false_accusation", "all"]["high"] == pytest.approx(1 - 0.05**0.5, abs=1e-6)
    assert json.loads((tmp_path / "validation" / "validation.json").read_text())["figures"] == said["figures"]
    assert (tmp_path / "validation" / "validation.html").is_file()
    assert not (tmp_path / "validation" / "scratch").exists()
    assert "acct_" not in result.stdout + result.stderr


def test_two_suites_never_write_to_one_folder(program, cases, tmp_path):
    (tmp_path / "validation").mkdir()
    with (tmp_path / "validation" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = program("validate", "--suite", "quick", "--worlds", cases, "--truth", cases / "labels.csv", "--out", tmp_path)
    assert result.returncode == LockHeld.exit_code, result.stderr
    assert not (tmp_path / "validation" / "validation.json").exists()


@pytest.mark.parametrize(("worlds", "memory", "threads", "expected"), [(10, 4_000_000_000, 2, 2), (1, 4_000_000_000, 8, 1), (10, 3_500_000_000, 8, 3), (10, 500_000_000, 2, 1)])
def test_as_many_worlds_at_once_as_threads_and_memory_allow(worlds, memory, threads, expected):
    assert at_once(worlds, memory, threads) == expected


def test_labels_without_a_log_are_a_usage_error(program, tmp_path):
    result = program("validate", "--suite", "quick", "--truth", tmp_path / "x.csv", "--out", tmp_path)
    assert result.returncode == 2
    assert "--worlds" in result.stderr


def test_a_folder_without_a_world_is_an_input_error(program, tmp_path):
    result = program("validate", "--suite", "quick", "--worlds", tmp_path, "--out", tmp_path / "out")
    assert result.returncode == InputError.exit_code
    assert "is no world" in result.stderr
    assert not (tmp_path / "out" / "validation" / "validation.json").exists()


def test_help_shows_examples(program):
    said = re.sub(r"\s+", " ", program("validate", "--help").stdout)
    assert "stillhunt validate --suite quick --worlds /cases --truth /cases/labels.csv" in said
