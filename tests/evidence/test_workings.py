"""What a run did not publish is made again as it was, from the days and the inputs alone, or it is said why it cannot be."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipeline.errors import InputError
from pipeline.evidence.askable import other_days, run_tables
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.origins import NOTES, Origins, note_origins
from pipeline.evidence.workings import Workings
from pipeline.stages import SCRATCH, STAGES


@pytest.fixture(scope="module")
def copy(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run, without scratch and notes."""
    out = tmp_path_factory.mktemp("workings") / "out"
    shutil.copytree(finished, out, symlinks=True, ignore=shutil.ignore_patterns("scratch", NOTES))
    return out


def _edited(copy: Path, tmp_path: Path) -> Path:
    out = tmp_path / "out"
    shutil.copytree(copy, out, symlinks=True)
    return out


def test_every_table_of_the_scratch_is_made_again_as_the_run_had_it(finished, copy, tiny_accounts):
    (scratch,) = (path for path in (finished / "scratch").iterdir() if path.name != "spill")
    names = sorted(
        SCRATCH - {"network_ids", "network_prompts", "control_prompts", "turn_paces"}
    )  # which names are published, no thing to ask for; and what has the names from before that
    assert len(names) > 15
    with Workings(FinishedRun(copy), Origins(copy, tiny_accounts), 2) as workings:
        for name in names:
            assert_frame_equal(workings.frame(name), pl.read_parquet(scratch / f"{name}.parquet"), check_row_order=True)
        assert set(workings.remade) >= {"account_records", "window_samples", "account_words"}
    assert not (copy / "scratch").exists()


def test_counts_of_a_few_accounts_are_those_of_all(copy, tiny_accounts):
    run = FinishedRun(copy)
    keys = run.table("accounts")["account_key"].sort().to_list()[:40:3]
    with Workings(run, Origins(copy, tiny_accounts), 2) as workings:
        few = workings.rows_of("entity_counts", keys)
        whole = workings.frame("entity_counts")
        assert_frame_equal(few, whole.filter(pl.col("account_key").is_in(keys)))
        assert few.height > len(keys)
        assert workings.rows_of("entity_counts", []).height == 0


def test_published_tables_are_read_and_not_made(copy, tiny_accounts):
    run = FinishedRun(copy)
    with Workings(run, Origins(copy, tiny_accounts), 2) as workings:
        for name in ("networks", "members", "pair_links", "shared_values"):
            assert_frame_equal(workings.frame(name), run.table(name))
        assert workings.remade == []


def test_what_was_made_goes_again(copy, tiny_accounts, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Workings(FinishedRun(copy), Origins(copy, tiny_accounts), 1) as workings:
        workings.frame("account_records")
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def test_days_that_are_no_longer_the_runs_are_told(copy, tmp_path):
    out = _edited(copy, tmp_path)
    assert other_days(FinishedRun(out)) == ()
    made = out / "days" / "date=2026-05-01" / "made.json"
    made.write_text(json.dumps(json.loads(made.read_text()) | {"key": "another"}))
    shutil.rmtree(out / "days" / "date=2026-05-02")
    assert other_days(FinishedRun(out)) == ("2026-05-01", "2026-05-02")
    assert len(run_tables(FinishedRun(out))["account_days"]) == 2


def test_a_day_that_is_gone_or_made_anew_is_named(copy, tiny_accounts, tmp_path):
    gone = _edited(copy, tmp_path)
    shutil.rmtree(gone / "days" / "date=2026-05-02")
    with Workings(FinishedRun(gone), Origins(gone, tiny_accounts), 1) as workings, pytest.raises(InputError, match="2026-05-02 are no longer kept"):
        workings.frame("window_samples")
    shutil.copytree(copy / "days" / "date=2026-05-02", gone / "days" / "date=2026-05-02")
    made = gone / "days" / "date=2026-05-02" / "made.json"
    made.write_text(json.dumps(json.loads(made.read_text()) | {"key": "another"}))
    with Workings(FinishedRun(gone), Origins(gone, tiny_accounts), 1) as workings, pytest.raises(InputError, match="2026-05-02 are no longer kept"):
        workings.frame("window_samples")


def test_a_table_that_comes_out_otherwise_is_not_answered_from(copy, tiny_accounts, tmp_path):
    out = _edited(copy, tmp_path)
    path = out / "latest" / "run.json"
    run = json.loads(path.read_text())
    run["stages"]["32 window_samples"]["tables"]["window_samples"]["sha256"] = "0" * 64
    path.write_text(json.dumps(run))
    with Workings(FinishedRun(out), Origins(out, tiny_accounts), 1) as workings, pytest.raises(InputError, match="'window_samples', made again from the days, is not the one"):
        workings.frame("window_samples")


def test_the_accounts_table_is_found_where_it_was_or_where_it_is_said_to_be(copy, tiny_accounts, tmp_path):
    out = _edited(copy, tmp_path)
    manifest = FinishedRun(out).manifest()
    with pytest.raises(InputError, match="--accounts FILE"):
        Origins(out).verified(manifest)
    assert Origins(out, tiny_accounts).verified(manifest).accounts == tiny_accounts
    note_origins(out, manifest["run_id"], ["logs", "s3://bucket/logs"], tiny_accounts, None)
    assert Origins(out).verified(manifest).accounts == tiny_accounts.absolute()
    noted = json.loads((out / NOTES / f"{manifest['run_id']}.json").read_text())
    assert noted["logs"] == [str(Path("logs").absolute()), "s3://bucket/logs"]
    assert noted["context"] is None


def test_a_note_that_cannot_be_written_spoils_nothing(tmp_path):
    (tmp_path / NOTES).write_text("a file in its place")
    note_origins(tmp_path, "r", [], None, None)
    assert (tmp_path / NOTES).read_text() == "a file in its place"


def test_another_accounts_table_or_a_broken_note_is_not_taken(copy, tiny_accounts, tmp_path):
    out = _edited(copy, tmp_path)
    manifest = FinishedRun(out).manifest()
    other = tmp_path / "other.parquet"
    other.write_bytes(tiny_accounts.read_bytes() + b" ")
    with pytest.raises(InputError, match="is not it"):
        Origins(out, other).verified(manifest)
    note_origins(out, manifest["run_id"], [], other, None)
    with pytest.raises(InputError, match="not where the run found it"):
        Origins(out).verified(manifest)
    for broken in ("{", "[]", '{"accounts": 5}'):
        (out / NOTES / f"{manifest['run_id']}.json").write_text(broken)
        with pytest.raises(InputError, match="--accounts FILE"):
            Origins(out).verified(manifest)


def test_the_context_folder_must_be_the_one_that_was_read(copy, tmp_path):
    context = tmp_path / "context"
    context.mkdir()
    (context / "vouched.csv").write_text("organization_id\nx\n")
    import hashlib

    digest = hashlib.sha256((context / "vouched.csv").read_bytes()).hexdigest()
    manifest = {"run_id": "r", "recipe": {"tables": {"accounts": None}, "context": {"vouched.csv": digest}}}
    assert Origins(copy, context=context).verified(manifest).context == context
    with pytest.raises(InputError, match="--context DIR"):
        Origins(copy).verified(manifest)
    (context / "vouched.csv").write_text("organization_id\ny\n")
    with pytest.raises(InputError, match=r"vouched\.csv"):
        Origins(copy, context=context).verified(manifest)
    nothing = {"run_id": "r", "recipe": {"tables": {}, "context": {}}}
    assert Origins(copy).verified(nothing).context is None


def _scratch(out: Path) -> Path:
    (folder,) = (path for path in (out / "scratch").iterdir() if path.name != "spill")
    return folder


def test_what_lies_in_scratch_as_the_run_left_it_is_taken(finished, tiny_accounts, tmp_path):
    out = _edited(finished, tmp_path)
    before = {path.name: path.read_bytes() for path in _scratch(out).glob("*.parquet")}
    shutil.rmtree(out / "days")
    with Workings(FinishedRun(out), Origins(out, tiny_accounts), 1) as workings:
        assert_frame_equal(workings.frame("window_samples"), pl.read_parquet(_scratch(finished) / "window_samples.parquet"))
        shutil.rmtree(out / "scratch")  # the next run clears it
        assert workings.frame("window_samples").height
        assert workings.remade == []
    assert before["window_samples.parquet"] == (_scratch(finished) / "window_samples.parquet").read_bytes()


def test_scratch_is_never_written_not_even_by_a_table_that_takes_another_ones_place(finished, tiny_accounts, tmp_path):
    out = _edited(finished, tmp_path)
    before = {path.name: path.read_bytes() for path in _scratch(out).glob("*.parquet")}
    with Workings(FinishedRun(out), Origins(out, tiny_accounts), 1) as workings:
        counts = workings.frame("entity_counts")
        workings.put({"entity_counts": counts.head(1)})
        workings.frame("sample_totals")
        workings.make([stage for stage in STAGES if stage.writes == ("sample_totals",)])
        assert workings.frame("entity_counts").height == 1
    assert {path.name: path.read_bytes() for path in _scratch(out).glob("*.parquet")} == before


@pytest.mark.parametrize("damage", ["another table", "half a file", "a folder", "a link to nowhere"])
def test_scratch_that_somebody_changed_is_not_believed(finished, tiny_accounts, tmp_path, damage):
    out = _edited(finished, tmp_path)
    path = _scratch(out) / "window_samples.parquet"
    whole = path.read_bytes()
    path.unlink()
    if damage == "another table":
        shutil.copy(_scratch(out) / "sample_totals.parquet" if (_scratch(out) / "sample_totals.parquet").is_file() else _scratch(out) / "features.parquet", path)
    elif damage == "half a file":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "a folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nowhere")
    with Workings(FinishedRun(out), Origins(out, tiny_accounts), 1) as workings:
        assert_frame_equal(workings.frame("window_samples"), pl.read_parquet(_scratch(finished) / "window_samples.parquet"))
        assert workings.remade == ["window_samples"]
