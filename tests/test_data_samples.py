"""The committed samples are what their recipe makes and what their README says."""

import collections
import hashlib
import importlib.util
import json
import re
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config import load_config
from pipeline.ingest import ingest_days, list_logs, read_context

FOLDER = Path(__file__).parent.parent / "data_samples"
ROW = re.compile(r"^\| (\S+) \| (\d+|-) \| (\d+) \| `([0-9a-f]{64})` \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def recipe():
    spec = importlib.util.spec_from_file_location("make_samples", FOLDER / "make_samples.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def fresh(recipe, tmp_path_factory):
    out = tmp_path_factory.mktemp("samples")
    recipe.make(out)
    return out


def stated():
    return {name: (rows, int(size), digest) for name, rows, size, digest in ROW.findall((FOLDER / "README.md").read_text(encoding="utf-8"))}


def test_readme_states_every_file_and_nothing_else():
    assert set(stated()) == {path.name for path in FOLDER.iterdir() if path.suffix in (".parquet", ".json")}


def test_committed_bytes_are_those_stated():
    for name, (rows, size, digest) in stated().items():
        data = (FOLDER / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (size, digest), name
        assert rows == "-" or pq.read_metadata(FOLDER / name).num_rows == int(rows)


def test_a_fresh_make_gives_the_same_rows(fresh):
    for name in stated():
        if name.endswith(".parquet"):
            assert pq.read_table(fresh / name).equals(pq.read_table(FOLDER / name)), name
        else:
            assert (fresh / name).read_bytes() == (FOLDER / name).read_bytes()


def test_a_fresh_make_gives_the_same_bytes_under_the_stated_writer(fresh):
    writer = pq.read_metadata(FOLDER / "quiet_night.parquet").created_by
    assert writer in (FOLDER / "README.md").read_text(encoding="utf-8")
    fresh_digests = {name: hashlib.sha256((fresh / name).read_bytes()).hexdigest() for name in stated()}
    same_writer = pq.read_metadata(fresh / "quiet_night.parquet").created_by == writer
    assert not same_writer or fresh_digests == {name: digest for name, (_, _, digest) in stated().items()}


def test_every_sample_is_small():
    assert all(size < 200_000 for _, size, _ in stated().values())


def test_the_planted_networks_truth_names_active_accounts():
    truth = json.loads((FOLDER / "planted_network.truth.json").read_text())
    seen = set(pl.read_parquet(FOLDER / "planted_network.parquet")["account_id"])
    (members,) = truth["campaigns"].values()
    assert len(members) >= 10
    assert set(members) <= seen
    assert all(set(group) <= seen for group in truth["innocent_groups"].values())


def test_malformed_has_the_defects_it_claims(recipe):
    table = pq.read_table(FOLDER / "malformed.parquet")
    assert table.num_rows == recipe.GOOD_ROWS + recipe.DUPLICATES
    for name, row in recipe.NULL_CELLS:
        assert not table[name][row].is_valid
    assert table.schema.field("timestamp").type == pa.timestamp("ms")
    assert "gateway_note" in table.column_names
    assert not set(recipe.DROPPED) & set(table.column_names)
    for name, row in recipe.BROKEN_CELLS:
        with pytest.raises(UnicodeDecodeError):
            table[name][row].as_py()


def test_a_run_rejects_the_malformed_rows_as_the_readme_says(tmp_path):
    listing = list_logs([str(FOLDER / "malformed.parquet")], on_bad_file="fail")
    report = ingest_days(listing.files, None, tmp_path, read_context(None), load_config().ingest, threads=1, memory_bytes=10**9, progress=lambda _what, _done, _total: None)
    rejected = collections.Counter(dict(report.undated))
    for day in report.days:
        rejected.update(day.rejected)
    table = re.findall(r"^\| .* \| (\d+) \| .*?(?:: (\w+))? \|$", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rejected) == {reason: int(rows) for rows, reason in table if reason}
    assert sum(day.rows_kept for day in report.days) == 307 - sum(rejected.values())
