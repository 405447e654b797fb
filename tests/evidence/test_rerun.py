"""`rerun`: equal comes out as equal, a difference is named by file, row and column or line, and nothing is claimed that was not compared."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipeline.config import load_config
from pipeline.errors import InputError, IntegrityError
from pipeline.evidence import bagfiles, bundle, fingerprints, reinputs, verify
from pipeline.evidence.building import Order as Asked
from pipeline.evidence.building import build
from pipeline.evidence.bundle import Sealing
from pipeline.evidence.comparing import Compared, Scope, compare
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.reinputs import find_inputs
from pipeline.evidence.rerun import Order, Rerun, rerun
from pipeline.run import RunOptions, run_nights
from pipeline.run.options import DEFAULT_MEMORY_BYTES
from tests.evidence.conftest import CASE, TODAY
from tests.evidence.standin import stand_in

WHOLE = Scope(may_round=False, has_prior=True, has_pages=True)
OTHER_PROGRAM = Scope(may_round=True, has_prior=True, has_pages=True)
NO_PRIOR = Scope(may_round=False, has_prior=False, has_pages=False)


def quiet(_what: str, _done: int, _total: int) -> None:
    """No progress."""


def _again(bag: Path, inputs: Path, accounts: Path | None = None) -> Rerun:
    return rerun(Order(bag, inputs, accounts, None, DEFAULT_MEMORY_BYTES, 1), quiet)


@pytest.fixture
def made(finished: Path, tmp_path: Path) -> Path:
    """A copy of the run, as if it had been made again."""
    run = FinishedRun(finished)
    return Path(shutil.copytree(run.folder, tmp_path / run.manifest()["run_id"]))


def _compared(bag: Path, folder: Path, scope: Scope = WHOLE) -> dict[str, Compared]:
    """What comparing says of a folder whose files may have been changed: run.json is made true first."""
    manifest = json.loads((folder / "run.json").read_text())
    for name, table in manifest["tables"].items():
        table["sha256"] = reinputs.sha256_file(folder / "tables" / f"{name}.parquet")
    manifest["pages"] = {name: reinputs.sha256_file(folder / name) for name in manifest["pages"]}
    return {one.path: one for one in compare(bag, folder, manifest, scope) if one.result != "equal"}


def _change(folder: Path, table: str, *changes: pl.Expr) -> None:
    path = folder / "tables" / f"{table}.parquet"
    pl.read_parquet(path).with_columns(*changes).write_parquet(path)


def test_the_same_logs_give_the_same_run(sealed: dict[str, Path], tiny_log: Path, tiny_accounts: Path, tmp_path: Path) -> None:
    """The folder is another, a file has another name and place, and files that the run did not read lie beside its own."""
    moved = Path(shutil.copytree(tiny_log, tmp_path / "elsewhere" / "requests"))
    first = min(moved.rglob("*.parquet"))
    first.rename(moved / "renamed.parquet")
    pl.DataFrame({"request_id": ["x"]}).write_parquet(moved / "stranger.parquet")
    shutil.copy(tiny_accounts, moved.parent / "accounts.parquet")
    found = _again(sealed["internal"], moved)
    assert (found.outcome, found.program, found.degraded, found.nights) == ("equal", (), (), ("2026-05-03",))
    assert {one.result for one in found.compared} == {"equal"}
    assert found.run_id == found.run_id_then
    assert found.count("tables") > 40
    assert found.count("") == len(json.loads((sealed["internal"] / bagfiles.RUN).read_text())["pages"]) >= 2
    assert found.left_out == ("The report and its exhibits were not made again: the hashes in the bag are all that speaks for them.",)


def test_an_equal_run_has_no_difference(sealed: dict[str, Path], made: Path) -> None:
    for bag in sealed.values():
        assert _compared(bag, made) == {}


def test_one_other_value_is_named_by_its_row_and_column(sealed: dict[str, Path], made: Path) -> None:
    key = pl.read_parquet(made / "tables" / "accounts.parquet")["account_id"][7]
    _change(made, "accounts", pl.when(pl.col("account_id") == key).then(pl.col("request_count") + 1).otherwise(pl.col("request_count")).alias("request_count"))
    (one,) = _compared(sealed["internal"], made).values()
    assert (one.path, one.result) == ("tables/accounts.parquet", "differs")
    assert one.detail.startswith(f"first in row 7 (account_id {key}); column request_count; ")
    (one,) = _compared(sealed["public"], made).values()
    assert one.result == "differs"
    assert key not in one.detail
    assert "the internal bag of the case names row and column" in one.detail


def test_rows_and_columns_that_come_or_go_are_named(sealed: dict[str, Path], made: Path) -> None:
    path = made / "tables" / "members.parquet"
    whole = pl.read_parquet(path)
    whole.filter(pl.col("account_id") != whole["account_id"][3]).write_parquet(path)
    (one,) = _compared(sealed["internal"], made).values()
    assert one.detail == f"first in row 3 (account_id {whole['account_id'][4]}); {whole.height} rows then, {whole.height - 1} now"
    whole.with_columns(pl.lit(1).alias("extra")).drop("role").write_parquet(path)
    (one,) = _compared(sealed["internal"], made).values()
    assert one.detail == f"column extra is new; column role is gone; {whole.height} rows then and now"
    (made / "tables" / "members.parquet").unlink()
    manifest = json.loads((made / "run.json").read_text())
    del manifest["tables"]["members"]
    gone = {one.path: one.detail for one in compare(sealed["internal"], made, manifest, WHOLE) if one.result == "differs"}
    assert gone["tables/members.parquet"] == "was not made again"


def test_floats_may_differ_below_a_billionth_only_for_another_program(sealed: dict[str, Path], made: Path) -> None:
    _change(made, "accounts", pl.col("extraction_score") + 1e-13)
    assert [one.result for one in _compared(sealed["internal"], made, OTHER_PROGRAM).values()] == ["equal after rounding"]
    assert [one.result for one in _compared(sealed["public"], made, OTHER_PROGRAM).values()] == ["equal after rounding"]
    (one,) = _compared(sealed["internal"], made).values()
    assert (one.result, one.detail) == ("differs", "other bytes, although no value differs by 1e-9")
    _change(made, "accounts", pl.col("extraction_score") + 1e-8)
    assert [one.result for one in _compared(sealed["internal"], made, OTHER_PROGRAM).values()] == ["differs"]


def test_another_line_of_a_page_is_named(sealed: dict[str, Path], made: Path) -> None:
    lines = (made / "index.html").read_text().split("\n")
    lines[40] += " more"
    (made / "index.html").write_text("\n".join(lines))
    (one,) = _compared(sealed["internal"], made, OTHER_PROGRAM).values()
    assert (one.path, one.detail) == ("index.html", "first in line 41")
    assert _compared(sealed["public"], made)["index.html"].detail == "the internal bag of the case names the line"


def test_a_page_of_another_program_may_differ_in_the_id_of_its_run_alone(sealed: dict[str, Path], made: Path) -> None:
    other = made.rename(made.with_name("0123456789ab"))
    for page in other.rglob("*.html"):
        page.write_text(page.read_text().replace(made.name, other.name))
    assert {one.result for one in _compared(sealed["internal"], other, OTHER_PROGRAM).values()} == {"equal but for the run id"}
    assert {one.result for one in _compared(sealed["internal"], other).values()} == {"differs"}


def test_without_earlier_nights_ids_are_left_out_and_all_that_rests_on_them(sealed: dict[str, Path], made: Path) -> None:
    for table in ("networks", "members", "findings"):
        _change(made, table, pl.col("network_id").replace(pl.read_parquet(made / "tables" / "networks.parquet")["network_id"].to_list(), "N-ffffffffff"))
    found = _compared(sealed["public"], made, NO_PRIOR)
    results = {path: one.result for path, one in found.items()}
    assert {path for path, result in results.items() if result == "equal without network ids"} == {f"tables/{name}.parquet" for name in ("networks", "members", "findings")}
    assert results["index.html"] == results["tables/lineage.parquet"] == results["tables/known_networks.parquet"] == "not compared"
    assert "differs" not in results.values()
    _change(made, "members", pl.lit("fringe").alias("role"))
    assert _compared(sealed["public"], made, NO_PRIOR)["tables/members.parquet"].result == "differs"


def test_inputs_that_are_missing_or_others_are_named(sealed: dict[str, Path], tiny_log: Path, tiny_accounts: Path, tmp_path: Path) -> None:
    bag, logs = sealed["internal"], Path(shutil.copytree(tiny_log, tmp_path / "logs"))
    paths = sorted(logs.rglob("*.parquet"))
    with pytest.raises(InputError, match=r"accounts table.*--accounts FILE"):
        find_inputs(bag, logs, None, None)
    with pytest.raises(IntegrityError, match="not the accounts table"):
        find_inputs(bag, logs, paths[0], None)
    paths[0].unlink()
    with pytest.raises(InputError, match=rf"{paths[0].relative_to(logs)}: missing"):
        find_inputs(bag, logs, tiny_accounts, None)
    paths[0].write_bytes(paths[1].read_bytes()[:-1])
    with pytest.raises(IntegrityError, match=rf"{paths[0].relative_to(logs)}: not what the run read"):
        find_inputs(bag, logs, tiny_accounts, None)
    with pytest.raises(InputError, match="no such folder"):
        find_inputs(bag, tmp_path / "gone", None, None)


def test_a_bag_that_was_changed_is_not_made_again(sealed: dict[str, Path], tiny_log: Path, tmp_path: Path) -> None:
    bag = Path(shutil.copytree(sealed["public"], tmp_path / "bag"))
    (bag / bagfiles.EXPECTED).write_text("")
    with pytest.raises(IntegrityError, match=r"payload hashes: data/50_repro/expected.sha256: was changed"):
        _again(bag, tiny_log)


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "", "a\0b"])
def test_no_recorded_name_leads_out_of_the_work_folder(name: str) -> None:
    assert not reinputs.is_below(name)


@pytest.mark.parametrize(("page", "same"), [("1.12345678901", True), ("1.12345679901", False), ("2.5", False)])
def test_numbers_of_a_page_are_rounded_where_they_are_long(page: str, same: bool) -> None:
    prints = [fingerprints.of_page(f"<p>{text}</p>\n".encode(), "0" * 12, with_places=True) for text in ("1.12345678902", page)]
    assert (prints[0] == prints[1]) is same


@pytest.fixture(scope="module")
def two_nights(tiny_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bag of a case about the second of two nights; the window is two days, so the first night reads a file that the second does not."""
    home = tmp_path_factory.mktemp("nights")
    (home / "short.toml").write_text("[window]\nwindow_days = 2\n")
    options = RunOptions((str(tiny_log),), home / "out", load_config(home / "short.toml"))
    run_nights(options, date(2026, 5, 2), date(2026, 5, 3), quiet)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STILLHUNT_KEYS", str(home / "keys"))
        network = FinishedRun(home / "out").table("networks")["network_id"][0]
        build(home / "out", Asked(CASE, (network,), "internal", author="Ann"), stand_in)
        (one,) = bundle.seal(home / "out", Sealing(CASE, None, by="", key_file=None, despite_lint=False, today=TODAY))
    return one.path


@pytest.mark.slow
def test_nights_are_replayed_where_their_logs_are_here(two_nights: Path, tiny_log: Path) -> None:
    assert all(one.passed for one in verify.check(two_nights))
    found = _again(two_nights, tiny_log)
    assert (found.outcome, found.nights, found.run_id) == ("equal", ("2026-05-02", "2026-05-03"), found.run_id_then)
    assert {one.result for one in found.compared} == {"equal"}


@pytest.mark.slow
def test_where_the_logs_of_earlier_nights_are_gone_it_says_what_was_not_compared(two_nights: Path, tiny_log: Path, tmp_path: Path) -> None:
    logs = Path(shutil.copytree(tiny_log, tmp_path / "logs"))
    shutil.rmtree(logs / "date=2026-05-01")
    found = _again(two_nights, logs)
    results = {one.path: one.result for one in found.compared}
    assert (found.outcome, found.nights) == ("equal", ("2026-05-03",))
    assert results["tables/networks.parquet"] in ("equal", "equal without network ids")
    assert results["tables/lineage.parquet"] == results["index.html"] == "not compared"
    assert found.run_id != found.run_id_then
    assert "earlier nights that were not replayed: log files of earlier nights are not in" in found.left_out[0]
    assert "Pages were not compared" in found.left_out[1]
