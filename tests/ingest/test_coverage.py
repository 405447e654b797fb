"""Coverage, blind spots, and the look at logs that writes nothing."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pytest

from pipeline.errors import InputError
from pipeline.ingest import Context, RecordCoverage, account_records, blind_spots, check_logs, coverage_of
from pipeline.ingest.coverage import COMPUTED, FAMILIES, Coverage
from pipeline.schema import BLIND_SPOTS

NONE = RecordCoverage(0, {})


def spots(counts, rows=100, records=NONE, **options):
    table = blind_spots(coverage_of(counts, rows, records), **options)
    return {family: (status, reason) for family, status, reason in table.iter_rows()}


def test_every_family_is_listed_once_in_order():
    table = blind_spots(coverage_of({}, 0, NONE))
    assert table.columns == list(BLIND_SPOTS.column_names)
    assert table["family"].to_list() == sorted(family.name for family in FAMILIES)
    assert set(table["status"]) == {"not_run"}


@pytest.mark.parametrize(("rows", "status"), [(100, "ran"), (80, "ran"), (79, "partial"), (1, "partial"), (0, "not_run")])
def test_eighty_percent_of_rows_is_the_line(rows, status):
    found = spots({"ja4": rows, "user_agent": rows})["client-stack graph"]
    assert found[0] == status
    assert ("ja4" in found[1]) == (status != "ran")


def test_a_weaker_input_makes_a_family_partial_and_is_named():
    status, reason = spots({"prompt_hash": 100})["template and near-duplicate prompts"]
    assert status == "partial"
    assert "prompt absent" in reason
    assert "prompt_hash" in reason


def test_columns_that_stand_for_each_other_count_as_one():
    assert spots({"client_ip_hash": 90, "client_ip_prefix": 85})["infrastructure graph"] == ("ran", "")
    assert spots({"client_ip": 90})["infrastructure graph"] == ("ran", "")
    assert spots({"client_ip_hash": 90})["infrastructure graph"][0] == "partial"


def test_columns_of_the_accounts_table_count_by_account():
    full = RecordCoverage(10, {"payment_fingerprint": 8, "device_fingerprint": 9})
    thin = RecordCoverage(10, {"payment_fingerprint": 7, "device_fingerprint": 9})
    assert spots({}, records=full)["identity and payment graph"] == ("ran", "")
    assert spots({}, records=thin)["identity and payment graph"] == ("partial", "coverage below 80 %: accounts.payment_fingerprint on 70 %")


def test_what_this_version_does_not_compute_does_not_read_as_clean():
    every = {column: 100 for family in FAMILIES for parts in family.inputs for part in parts for column in part.split("|")}
    found = spots(every)
    for family in FAMILIES:
        assert (found[family.name][0] == "not_run") == (family.name not in COMPUTED) or family.name.startswith(("identity", "benign"))
    assert spots({"model": 100}, context=Context(releases=(("m", 0),)), computed={"model-release pivot"})["model-release pivot"] == ("ran", "")


def test_a_family_that_is_tested_in_part_says_what_is_not_tested():
    found = spots({"timestamp": 100, "prompt": 100})
    assert found["synchrony across accounts"] == ("partial", "accounts are compared hour by hour and members of a network day by day; failover between them is not tested")
    assert found["topic coverage"][0] == "partial"
    assert "how broad" in found["topic coverage"][1]
    assert spots({"prompt_hash": 100})["topic coverage"] == ("not_run", "prompt absent; subjects are not compared")


def test_shares_of_accounts_come_from_their_days(log, scan):
    log(
        "a.parquet",
        rows=4,
        account_id=["a", "a", "b", "c"],
        user_agent=["x", None, None, "y"],
        timestamp=[pa.scalar(n * 86_400_000_000 + 1_772_366_400_000_000, pa.timestamp("us", tz="UTC")).as_py() for n in (0, 1, 1, 1)],
    )
    result = scan()
    counts = pl.DataFrame([day.non_null for day in result.report.days]).sum().row(0, named=True)
    found = coverage_of(counts, 4, NONE, ids=result.table("account_ids"))
    assert (found.row_counts["user_agent"], found.account_counts["user_agent"], found.account_counts["account_id"], found.account_counts["ja4"]) == (2, 2, 3, 0)


def test_placeholders_do_not_count_as_coverage(accounts_file):
    seen = pl.DataFrame({"account_key": [1], "account_id": ["a"], "organization_key": [None]}, schema_overrides={"organization_key": pl.Int64})
    assert account_records(accounts_file(account_id=["a"], device_fingerprint=["unknown"]), seen, Context()).coverage.counts["device_fingerprint"] == 0


def test_percent_without_rows_is_zero():
    assert Coverage(0, 0, {}, {}).percent("prompt") == 0
    assert Coverage(0, 0, {}, {}).percent("accounts.plan") == 0


def test_a_check_says_what_a_run_would_meet(log, tmp_path):
    log(
        "good.parquet",
        rows=4,
        prompt=["a", None, "b", "c"],
        input_tokens=pa.array([1, 2, 3, 4], pa.int32()),
        surprise=pa.array([1, 2, 3, 4]),
        tool_names=[["x"], None, ["y"], ["z"]],
    )
    log("old.parquet", rows=1, metadata={"write_statistics": False}, prompt=[None])
    (tmp_path / "logs" / "bad.parquet").write_bytes(b"no parquet")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    check = check_logs([str(tmp_path / "logs")])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert (check.row_count, check.first_day, check.has_errors) == (5, None, True)
    assert check.coverage.row_counts["prompt"] == 3
    assert check.coverage.row_counts["tool_names"] == 3
    assert check.coverage.row_counts["model"] == 5
    said = {(problem.severity, problem.where) for problem in check.problems}
    assert {("error", "bad.parquet"), ("note", "good.parquet"), ("note", "old.parquet"), ("warning", "all files")} <= said
    texts = " ".join(problem.what for problem in check.problems)
    assert "input_tokens" in texts
    assert "surprise" in texts
    assert "'ja4' has a value on 0 % of rows" in texts


def test_a_check_of_conforming_files_knows_their_days(log, tmp_path):
    log("a.parquet")
    check = check_logs([str(tmp_path / "logs")])
    assert (check.first_day, check.last_day, check.has_errors) == ("2026-03-01", "2026-03-01", False)
    assert {family: status for family, status, _ in check.blind_spots}["volume, diurnality, burst"] == "ran"


def test_a_check_of_nothing_is_an_error(tmp_path):
    with pytest.raises(InputError):
        check_logs([str(tmp_path)])
