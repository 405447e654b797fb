"""Masked prompts: counts held against the log, examples read again from the file that was hashed, and nothing rare in them."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from pipeline import redact
from pipeline.errors import InputError
from pipeline.evidence.common_words import LEAST, Organisations, common_words, organisations
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.given import Record
from pipeline.evidence.prompts import MOST, _telling, prompts
from pipeline.evidence.sources import fetch_prompts
from tests.logs import WORDS


@pytest.fixture(scope="module")
def run(finished: Path) -> FinishedRun:
    return FinishedRun(finished)


@pytest.fixture(scope="module")
def network(run: FinishedRun) -> str:
    return str(run.table("networks")["network_id"][0])


@pytest.fixture(scope="module")
def pool(tiny_log: Path) -> pl.DataFrame:
    log = pl.read_parquet(sorted(tiny_log.rglob("*.parquet")), hive_partitioning=False)
    return log.filter(pl.col("account_id").str.starts_with("pool"))


def test_counts_are_those_of_the_log(run: FinishedRun, network: str, pool: pl.DataFrame) -> None:
    """The pool's prompts are one text with a number and a last word: masked, there is one for each last word."""
    by_word = pool.with_columns(pl.col("prompt").str.split(" ").list.last().alias("word")).group_by("word")
    expected = sorted(by_word.agg(pl.len(), pl.col("account_id").n_unique(), pl.col("prompt").n_unique()).drop("word").iter_rows(), reverse=True)
    found = prompts(run, network, MOST, (), None)
    assert sorted(((one.request_count, one.account_count, one.prompt_count) for one in found.skeletons), reverse=True) == expected
    assert (found.skeleton_total, found.request_total) == (len(expected), pool.height)
    assert {(one.state, one.text, one.elsewhere_count) for one in found.skeletons} == {("not asked", None, 0)}
    assert "--logs" in found.notes[0]
    assert [one.request_count for one in prompts(run, network, 3, (), None).skeletons] == [row[0] for row in expected[:3]]


def test_an_example_is_the_text_of_its_request_and_shows_only_what_others_use(run: FinishedRun, network: str, pool: pl.DataFrame, tiny_log: Path) -> None:
    found = prompts(run, network, 10, [tiny_log], None)
    texts = dict(pool.select("request_id", "prompt").iter_rows())
    for one in found.skeletons:
        word = texts[one.request_id].rsplit(" ", 1)[1]
        shown = one.text or ""
        assert one.state == "shown"
        assert "exercise" not in shown, "only the pool says so"
        assert not re.search(r"\d", shown)
        assert shown.endswith(f": {word}"), "150 others use it"
        assert set(re.findall(r"[a-z]+", re.sub(r"\[\w+\]", "", shown.lower()))) <= set(WORDS)
    assert "Neither the log nor the accounts table" in found.notes[0]


def test_a_name_after_a_title_is_masked_though_everybody_uses_the_word(run: FinishedRun, network: str, tiny_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a full stop a word in capitals may begin a sentence; after a title it does not."""
    word = WORDS[0]

    def named(*given: object) -> object:
        found = fetch_prompts(*given)  # type: ignore[arg-type]
        return dataclasses.replace(found, texts=dict.fromkeys(found.texts, f"{word} {WORDS[1]} Dr. {word.title()} {WORDS[1]}"))

    monkeypatch.setattr("pipeline.evidence.prompts.fetch_prompts", named)
    shown = prompts(run, network, 1, [tiny_log], None).skeletons[0].text or ""
    assert shown.startswith(f"{word} {WORDS[1]} "), "the word itself is common"
    assert word.title() not in shown
    assert "name" in shown


def test_examples_come_of_as_few_files_as_goes(run: FinishedRun, network: str, tiny_log: Path) -> None:
    found = prompts(run, network, MOST, [tiny_log], None)
    assert len({one.source_file for one in found.skeletons}) <= 2


@pytest.fixture
def moved(tiny_log: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_log, tmp_path / "moved"))


def test_a_source_that_moved_is_found_and_one_that_is_gone_or_changed_is_said(run: FinishedRun, network: str, moved: Path, tmp_path: Path) -> None:
    whole = prompts(run, network, MOST, [moved], None)
    assert {one.state for one in whole.skeletons} == {"shown"}
    first = whole.skeletons[0].source_file
    table = pl.read_parquet(moved / first, hive_partitioning=False)
    table.write_parquet(moved / first, compression="gzip")  # the same rows in other bytes
    changed = prompts(run, network, MOST, [moved], None)
    assert {one.state for one in changed.skeletons if one.source_file == first} == {"changed"}
    assert all(one.text is None for one in changed.skeletons if one.source_file == first)
    assert any(first in note and "SHA-256" in note for note in changed.notes)
    (moved / first).unlink()
    gone = prompts(run, network, MOST, [moved], None)
    assert {one.state for one in gone.skeletons if one.source_file == first} == {"gone"}
    with pytest.raises(InputError, match="--logs"):
        prompts(run, network, MOST, [tmp_path / "nowhere"], None)


def test_a_path_that_leaves_the_folder_is_not_followed(run: FinishedRun, tiny_log: Path) -> None:
    root = tiny_log / "date=2026-05-01"
    assert fetch_prompts(run, [root], [("../date=2026-05-02/part-0.parquet", 0)]).states == {"../date=2026-05-02/part-0.parquet": "gone"}
    assert fetch_prompts(run, [root], [("/etc/passwd", 0)]).states == {"/etc/passwd": "gone"}


def test_fetched_prompts_are_the_logs(run: FinishedRun, tiny_log: Path) -> None:
    name = "date=2026-05-02/part-0.parquet"
    logged = pl.read_parquet(tiny_log / name, hive_partitioning=False)["prompt"].to_list()
    rows = [0, 5, len(logged) - 1]
    found = fetch_prompts(run, [tiny_log], [(name, row) for row in rows])
    assert found.texts == {(name, row): logged[row] for row in rows}


def _members(run: FinishedRun, network: str) -> list[int]:
    return run.where("accounts", network_id=network)["account_key"].to_list()


def test_a_word_is_common_only_if_enough_other_organisations_use_it(run: FinishedRun, network: str) -> None:
    members = _members(run, network)
    words = {*WORDS, "exercise", "grade", "never-said", "river stone"}
    each = organisations(run, None)
    assert each.basis == "each"
    assert common_words(run, words, members, each) == frozenset(WORDS)
    people = sorted(set(run.table("accounts")["account_key"].to_list()) - set(members))
    for count, expected in ((LEAST, frozenset(WORDS)), (LEAST - 1, frozenset())):
        few = each.table.with_columns(pl.Series("organisation", [f"org {people.index(key) % count}" if key in people else "own" for key in each.table["account_key"]]))
        assert common_words(run, words, members, Organisations(few, "log")) == expected
    assert common_words(run, words, [*members, *people], each) == frozenset(), "a member's own organisation never counts"
    assert common_words(run, (), members, each) == frozenset()


def test_colleagues_of_the_accounts_table_count_once(run: FinishedRun, network: str) -> None:
    names = run.table("accounts")["account_id"].to_list()
    one = {name: Record(name, "the one organisation", None, None, None) for name in names if name.startswith("person")}
    whose = organisations(run, one)
    assert whose.basis == "accounts"
    assert common_words(run, WORDS, _members(run, network), whose) == frozenset()


def test_an_organisation_that_is_not_told_makes_every_word_rare(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out, symlinks=True)
    path = out / "latest" / "run.json"
    manifest = json.loads(path.read_text())
    manifest["accounts_table"]["values"]["organization_id"] = 158
    path.write_text(json.dumps(manifest))
    run = FinishedRun(out)
    whose = organisations(run, None)
    assert whose.basis == "unknown"
    assert common_words(run, WORDS, _members(run, str(run.table("networks")["network_id"][0])), whose) == frozenset()


def test_nothing_of_a_prompt_reaches_what_is_not_an_example(run: FinishedRun, network: str, tiny_log: Path) -> None:
    found = dataclasses.asdict(prompts(run, network, MOST, [tiny_log], None))
    for one in found["skeletons"]:
        one["text"] = None
    assert not [word for word in ("Solve", "exercise", "reasoning") if word in json.dumps(found)]
    assert redact.EXCERPT_LIMIT == 280


@pytest.mark.parametrize(("count", "expected"), [(LEAST + 1, frozenset(WORDS)), (LEAST, frozenset())])
def test_organisations_of_the_log_are_counted_once_and_the_networks_own_never(finished: Path, tmp_path: Path, count: int, expected: frozenset[str]) -> None:
    """Every account, the pool's too, gets one of `count` organisations in the day tables; the pool's eight are of the first alone."""
    out = tmp_path / "out"
    shutil.copytree(finished, out, symlinks=True)
    run = FinishedRun(out)
    pool = _members(run, str(run.table("networks")["network_id"][0]))
    for path in (out / "days").rglob("account_ids.parquet"):
        own = pl.when(pl.col("account_key").is_in(pool)).then(0).otherwise(pl.col("account_key") % count)
        pl.read_parquet(path, hive_partitioning=False).with_columns(own.cast(pl.Int64).alias("organization_key")).write_parquet(path)
    run.manifest()["coverage"]["organization_id"] = {"non_null": 1, "rows": 1}
    whose = organisations(run, None)
    assert (whose.basis, whose.table["organisation"].n_unique()) == ("log", count)
    assert common_words(run, WORDS, pool, whose) == expected


def test_openings_are_counted_where_the_filling_makes_every_prompt_another(run: FinishedRun, network: str, pool: pl.DataFrame) -> None:
    """Digits read as 0 in an opening, so the pool's prompts open in as many ways as their number has lengths; few skeletons hold all of them, so those are counted unless asked."""
    lengths = pool.with_columns(pl.col("prompt").str.split(" ").list.get(2).str.len_chars().alias("length")).group_by("length")
    expected = sorted(lengths.agg(pl.len(), pl.col("account_id").n_unique(), pl.col("prompt").n_unique()).drop("length").iter_rows(), reverse=True)
    assert prompts(run, network, 5, (), None).by == "skeleton"
    found = prompts(run, network, 50, (), None, "opening").skeletons
    assert sorted(((one.request_count, one.account_count, one.prompt_count) for one in found), reverse=True) == expected
    assert {one.elsewhere_count for one in found} == {0}
    few = pl.DataFrame({"skeleton_key": range(100), "prefix_key": [number % 2 for number in range(100)]})
    assert _telling(few, 5) == "opening"
    assert _telling(few, 50) == "skeleton"
    assert _telling(few.with_columns(pl.col("skeleton_key").alias("prefix_key")), 5) == "skeleton"
