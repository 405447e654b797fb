"""The frequent skeletons of a report in words: only the network's own, only from the file that was hashed, only through the gate."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from pipeline.evidence.cases import Case
from pipeline.evidence.dossier import counting
from pipeline.evidence.dossier.skeletons import Logs, in_words
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.incident import build_incident
from pipeline.evidence.lint import lint
from pipeline.pages.incident import render_incident
from pipeline.pages.incident.parts import SHOWN_FROM, Template
from pipeline.redaction import PROFILES, Release
from tests.incident.made_case import KEY, case
from tests.logs import WORDS


@pytest.fixture(scope="module")
def run(finished: Path) -> FinishedRun:
    return FinishedRun(finished)


@pytest.fixture(scope="module")
def network(run: FinishedRun) -> str:
    return str(run.table("networks")["network_id"][0])


@pytest.fixture(scope="module")
def members(run: FinishedRun) -> pl.DataFrame:
    """account_key, account_id, network_id and role of the members."""
    return run.table("members").join(run.table("accounts").select("account_id", "account_key"), on="account_id")


@pytest.fixture(scope="module")
def templates(run: FinishedRun, members: pl.DataFrame, network: str) -> tuple[Template, ...]:
    return counting.count_requests(run, members.select("account_key", "network_id", "role"))[network].templates


def innocent(run: FinishedRun) -> pl.Series:
    return run.table("accounts").filter(pl.col("account_id").str.starts_with("person"))["account_key"]


def worded(run: FinishedRun, templates: tuple[Template, ...], members: pl.DataFrame, controls: pl.Series, *roots: Path) -> tuple[Template, ...]:
    return in_words(run, templates, members["account_key"], controls, Logs(roots), Release("counsel", KEY, members["account_id"].to_list()))


def test_a_prompt_is_shown_where_enough_members_and_no_matched_account_sent_it(run, templates, members, tiny_log):
    found = worded(run, templates, members, innocent(run), tiny_log)
    assert {template.key for template in found} == {template.key for template in templates}
    assert {template.state for template in found if template.accounts >= SHOWN_FROM} == {"shown"}
    assert {template.state for template in found if template.accounts < SHOWN_FROM} <= {"few"}
    for template in (one for one in found if one.state == "shown"):
        assert not re.search(r"\d", template.text)
        assert "exercise" not in template.text, "only the pool says so"
        assert set(re.findall(r"[a-z]+", re.sub(r"\[\w+\]", "", template.text.lower()))) <= set(WORDS)
        assert template.text.split()[-1] in WORDS, "150 others use it"


def test_what_a_matched_account_sent_as_well_is_not_shown(run, templates, members, tiny_log):
    """Half of the members play the matched accounts: every skeleton that is shown without them was sent by one of them."""
    keys = members.sort("account_id")["account_key"]
    found = worded(run, templates, members, keys.head(4), tiny_log)
    assert {template.state for template in found if template.accounts >= SHOWN_FROM} == {"control"}
    assert not any(template.text for template in found)


def test_a_log_that_is_gone_or_changed_says_so_and_shows_nothing(run, templates, members, tiny_log, tmp_path):
    (tmp_path / "empty").mkdir()
    gone = worded(run, templates, members, innocent(run), tmp_path / "empty")
    assert {template.state for template in gone} == {"gone"} | ({"few"} if any(one.accounts < SHOWN_FROM for one in templates) else set())
    moved = Path(shutil.copytree(tiny_log, tmp_path / "moved"))
    for path in moved.rglob("*.parquet"):
        pl.read_parquet(path, hive_partitioning=False).with_columns(pl.lit("another text").alias("prompt")).write_parquet(path)
    changed = worded(run, templates, members, innocent(run), moved)
    assert "changed" in {template.state for template in changed}
    assert not any(template.text for template in (*gone, *changed))


@pytest.mark.parametrize("profile", PROFILES)
def test_the_report_carries_them_as_quotations_in_every_profile(run, network, tiny_log, profile):
    def report(logs: Logs | None) -> str:
        release = Release(profile, KEY, run.table("accounts")["account_id"].to_list())
        of: Case = case(networks=(network,))
        return render_incident(build_incident(run, of, [network], release, None, logs))

    page, again, without = report(Logs((tiny_log,))), report(Logs((tiny_log,))), report(None)
    assert page == again
    quotations = re.findall(r"<q>(.*?)</q>", page)
    assert quotations
    assert all("exercise" not in text and not re.search(r"\d", text) for text in quotations)
    assert "SHA-256 is the one that the run read" in page
    assert "<q>" not in without
    assert "report build --logs DIR" in without
    assert {one.found for one in lint(page)} == {one.found for one in lint(without)}, "somebody else's words are not the report's"
