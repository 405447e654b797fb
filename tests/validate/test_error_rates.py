"""Which validation a night quotes, in which words, and what a changed threshold makes stale."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re

import pytest

from pipeline.config import load_config
from pipeline.pages import build_pages, error_rates
from pipeline.pages.error_rates import Validation, choose, find_validations, sentences, stale_measures, summary
from pipeline.run import RunOptions, run_night
from pipeline.validate.report import Asked, all_figures, document
from pipeline.validate.results import together
from tests.pages import fixtures
from tests.pages.reading import Page
from tests.validate.tables import world

CONFIG = load_config()
STRICTER = dataclasses.replace(CONFIG, verdict=dataclasses.replace(CONFIG.verdict, max_q_value=0.001))
SHORTER = dataclasses.replace(CONFIG, pages=dataclasses.replace(CONFIG.pages, queue_rows=20))


def made(config=CONFIG, day=1, **changed):
    results = together([world("w", ("individual", None, 40, None), ("campaign:L0", "campaign:L0", 10, "refer-1"), q={"refer-1": 0.001})])
    return {**document(Asked("quick", "cmd", dt.date(2026, 5, day), is_simulated=True), results, all_figures("quick", results), config), **changed}


def entry(path, **more):
    return Validation(path, made(**more))


def test_the_newest_that_fits_is_quoted(tmp_path):
    old, new, other = entry(tmp_path / "old", day=1), entry(tmp_path / "new", day=2), entry(tmp_path / "other", day=3, config=STRICTER)
    assert choose([old, new, other], CONFIG) == new
    assert choose([old, new, other], STRICTER) == other
    assert choose([old, entry(tmp_path / "later", day=9, version="9.9")], CONFIG) == old
    assert choose([], CONFIG) is None


def test_if_none_fits_the_newest_is_quoted_as_stale(tmp_path):
    chosen = choose([entry(tmp_path / "a", day=1), entry(tmp_path / "b", day=2)], STRICTER)
    assert chosen is not None
    assert chosen.path.name == "b"
    said = " ".join(sentences(summary(chosen.document, STRICTER)))
    assert "A setting has changed since: verdict.max_q_value (0.01 then, 0.001 now). Stale by that:" in said
    assert "account recall" in said
    assert "chance networks at q" not in said


def test_settings_of_pages_make_nothing_stale():
    assert summary(made(), SHORTER)["stale"] == {}


@pytest.mark.parametrize(("setting", "q_values"), [("verdict.max_q_value", False), ("verdict.null_groups", True), ("links.cohort_days", True), ("window.window_days", True)])
def test_what_a_setting_makes_stale(setting, q_values):
    assert stale_measures(setting, ["account_recall", "chance_networks_at_q"]) == (["account_recall", "chance_networks_at_q"] if q_values else ["account_recall"])


def test_a_setting_that_did_not_exist_then_is_a_change():
    older = made()
    older["config"] = {**older["config"], "links": {key: value for key, value in older["config"]["links"].items() if key != "cohort_days"}}
    assert "A setting has changed since: links.cohort_days (absent then, 3 now). Stale by that:" in " ".join(sentences(summary(older, CONFIG)))


def test_settings_that_make_the_same_stale_are_one_sentence():
    older = made()
    links = {key: value for key, value in older["config"]["links"].items() if key != "cohort_days"} | {"topic_cap_bits": 1.0}
    older["config"] = {**older["config"], "links": links, "verdict": {**older["config"]["verdict"], "min_harvest_share": 0.9}}
    said = [one for one in sentences(summary(older, CONFIG)) if "changed since:" in one]
    assert len(said) == 2
    both = f"links.cohort_days (absent then, 3 now) and links.topic_cap_bits (1.0 then, {CONFIG.links.topic_cap_bits} now)"
    assert said[0].startswith(f"Settings that have changed since: {both}. Stale by that: ")
    assert "verdict.min_harvest_share (0.9 then" in said[1]


def test_the_words_hold_counts_bounds_and_n():
    said = sentences(summary(made(), CONFIG))
    assert said[0] == (
        "Measured on 1 simulated world (suite quick, 2026-05-01, version " + error_rates.__version__ + "): 0 of 40 innocent accounts were referred "
        "(0 in 100,000; at most 95,000, n = 1 innocent groups, by their accounts); 100\u202f% of the campaigns were found (at least 5\u202f%, n = 1 campaigns, one a world)."
    )
    assert said[1:] == ("Rates on simulated worlds are not rates of this log.",)


def test_changed_code_is_told():
    assert "The program has been changed since within this version" in " ".join(sentences(summary(made(code_sha256="0" * 64), CONFIG)))
    assert "has been changed since within" not in " ".join(sentences(summary(made(), CONFIG)))


def test_another_version_is_told():
    assert "They were measured with version 9.9, not" in " ".join(sentences(summary(made(version="9.9"), CONFIG)))


def test_without_a_validation_the_command_is_told():
    assert "stillhunt validate --suite quick" in sentences(None)[0]


def test_the_program_carries_a_validation_that_its_pages_can_quote(tmp_path):
    (shipped,) = find_validations(tmp_path)
    quoted = summary(shipped.document, CONFIG)
    assert shipped.path == error_rates.PUBLISHED
    assert quoted["is_simulated"] is True
    assert {row["measure"] for row in quoted["figures"]} == set(error_rates.QUOTED)
    assert re.fullmatch(r"[0-9a-f]{64}", quoted["code_sha256"])
    assert "of the campaigns were found" in sentences(quoted)[0]


def test_files_of_the_folder_and_of_the_program_are_found_and_others_are_absent(tmp_path):
    published = tmp_path / "published.json"
    published.write_text(json.dumps(made(day=1)))
    assert [entry.path for entry in find_validations(tmp_path, published)] == [published]
    (tmp_path / "validation").mkdir()
    inside = tmp_path / "validation" / "validation.json"
    for broken in ("", "[]", '{"schema": "other/1"}', '{"schema": "stillhunt.validation/1"}'):
        inside.write_text(broken)
        assert [entry.path for entry in find_validations(tmp_path, published)] == [published]
    inside.write_text(json.dumps(made(day=2)))
    assert [entry.path for entry in find_validations(tmp_path, published)] == [inside, published]
    assert find_validations(tmp_path / "none", tmp_path / "none") == ()


def test_pages_quote_what_the_manifest_keeps():
    quoted = summary(made(), STRICTER)
    frames, manifest = fixtures.frames(), fixtures.manifest(error_rates=json.loads(json.dumps(quoted)))
    for name, page in build_pages(frames, manifest, CONFIG, pages_for=[fixtures.REFER]):
        if "-members" in name:
            continue  # tables of members only, which say whose they are
        text = Page(page).text
        assert "How often this is wrong" in text, name
        for sentence in sentences(quoted):
            assert " ".join(sentence.split()) in text, name


def test_a_night_quotes_the_validation_of_its_folder_and_is_judged_again_when_that_changes(tiny_log, tmp_path):
    def night():
        return run_night(RunOptions((str(tiny_log),), tmp_path, CONFIG, threads=1), lambda _what, _done, _total: None)

    first = night()
    assert night().already_done
    (tmp_path / "validation").mkdir()
    (tmp_path / "validation" / "validation.json").write_text(json.dumps({**made(), "date": "2126-05-30"}))
    second = night()
    assert not second.already_done
    assert second.run_id != first.run_id
    assert second.manifest["error_rates"]["date"] == "2126-05-30"
    assert "suite quick, 2126-05-30" in Page((second.folder / "index.html").read_bytes()).text
    assert night().already_done
