"""What every report holds: all sections, figures and tables, nothing to load, nothing that may not be said."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from pipeline.errors import InputError
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.incident import build_incident
from pipeline.evidence.lint import lint
from pipeline.evidence.tabledata import table_files
from pipeline.kinds import OPERATIONAL
from pipeline.pages.incident import render_incident
from pipeline.pages.incident.exhibits import finding_sentence
from pipeline.pages.incident.sections.closing import _why_against
from pipeline.provenance import judging_sha256
from pipeline.redaction import Release
from tests.incident import made_run
from tests.incident.made_case import KEY, SMALL, bare_case, case, incident, write_context, write_validation
from tests.incident.made_run import Plan, make_run

FIGURES = tuple(f"fig-{number}" for number in range(1, 17))
TABLES = tuple(f"table-{number}" for number in range(18))
PLANS = {
    "smallest": Plan(members=5, controls=20, days=2, requests_a_day=2),
    "watched": Plan(members=6, controls=3, days=3, requests_a_day=2, tier="watch"),
    "explained": Plan(members=30, controls=21, days=3, requests_a_day=2, tier="explained"),
    "blocks": Plan(members=400, controls=60, days=2, requests_a_day=2),
}


class Tags(HTMLParser):
    """Tags, ids and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    @property
    def ids(self) -> list[str]:
        return [found for _, attributes in self.tags if (found := attributes.get("id"))]


@pytest.fixture(scope="module", params=PLANS)
def other(request, tmp_path_factory):
    """Reports of other sizes and tiers, without context and additions to the case."""
    out = make_run(tmp_path_factory.mktemp("other") / "out", PLANS[request.param])
    return PLANS[request.param], render_incident(incident(out, "partner", of=bare_case()))


def test_every_figure_names_the_file_of_its_data_and_the_file_is_written(page):
    named = [href for tag, attributes in Tags(page).tags if tag == "a" and (href := attributes.get("href") or "").startswith("data/")]
    drawn = re.findall(r'<figure id="(fig-[0-9-]+)"', page)
    assert len(drawn) >= 16
    assert {f"data/{anchor}-data.csv" for anchor in drawn} >= set(named)
    assert len(named) >= len(drawn) - 2, "one that has no data names none"
    assert set(named) <= set(table_files(page))


def test_every_section_figure_and_table_is_there(page):
    ids = Tags(page).ids
    assert {f"s{number}" for number in range(14)} | {f"annex-{letter}" for letter in "abcde"} <= set(ids)
    assert set(FIGURES) | (set(TABLES) - {"table-9"}) <= set(ids)
    assert "table-9" in ids
    assert len(ids) == len(set(ids))


def test_none_vanishes_where_data_are_missing(other):
    _, text = other
    ids = set(Tags(text).ids)
    assert set(FIGURES) <= ids
    assert (set(TABLES) - {"table-9"}) <= ids
    assert "No price sheet was imported" in text
    assert "No clause was imported" in text
    assert "No outside fact was entered" in text
    assert "releases.csv was not given" in text


def test_every_figure_has_question_answer_n_and_data(page):
    figures = re.findall(r'<figure id="(fig-[\d-]+)">(.*?)</figure>', page, re.DOTALL)
    assert [name for name, _ in figures] == list(FIGURES)
    for name, body in figures:
        assert re.search(r'class="question">.*\?', body), name
        assert len(re.search(r'class="answer">(.*?)</p>', body)[1]) > 20, name
        assert "n = " in re.search(r'class="counted">(.*?)</p>', body, re.DOTALL)[1], name
        assert "<svg" in body, name
        assert f'id="{name}-data"' in body, name
        assert body.count("<tr>") > 1, name


def test_the_page_loads_nothing_and_runs_nothing(page):
    tags = Tags(page)
    assert not {"script", "link", "iframe", "object", "img", "base", "form"} & {tag for tag, _ in tags.tags}
    assert not [key for _, attributes in tags.tags for key in attributes if key.startswith("on") or key == "style"]
    assert not [value for _, attributes in tags.tags for key, value in attributes.items() if key in ("href", "src") and not (value or "").startswith(("#", "data/fig-"))]
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(attributes["content"] for tag, attributes in tags.tags if attributes.get("http-equiv"))
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def test_lint_finds_nothing(page):
    assert lint(page, {"Example Relay Ltd"}, table_files(page)) == ()


def test_lint_finds_nothing_in_other_reports(other):
    assert lint(other[1], files=table_files(other[1])) == ()


def test_a_company_stands_in_the_attribution_section_only(page):
    start, end = page.index('id="s10"'), page.index('id="s11"')
    assert "Example Relay" in page[start:end]
    assert "Example Relay" not in page[:start] + page[end:]


@pytest.mark.parametrize("profile", ["counsel", "partner", "public"])
def test_no_account_id_leaves_in_any_profile_but_internal(made, context, profile):
    assert "acct-0000" not in render_incident(incident(made, profile, context))


def test_internal_shows_ids_as_logged(made):
    assert SMALL.account(3) in render_incident(incident(made, "internal"))


def test_few_controls_are_never_counted_or_drawn(tmp_path):
    out = make_run(tmp_path / "out", PLANS["watched"])
    made = incident(out, of=bare_case())
    assert made.networks[0].controls is None
    assert made.networks[0].control_concentration is None
    assert all(trait.controls is None for trait in made.networks[0].traits)
    assert "3 matched accounts" not in render_incident(made)


def test_a_rarity_is_no_probability(page):
    assert "times more probable" not in page
    assert "weighs 31.2\u00a0bits by rarity" in page


def test_a_calibrated_ratio_is_held_to_what_was_compared(tmp_path):
    out = make_run(tmp_path / "out", SMALL)
    write_validation(out, code_sha256=judging_sha256())
    text = render_incident(incident(out))
    assert "are at least 260 times more probable if its 14 accounts were under common control than if they were an innocent group" in text
    assert "moderately strong support for Hp" in text
    assert "calibrated on 52 networks of one operator and 299 innocent groups in 60 simulated worlds (suite all, 2199-01-01)" in text
    assert "no ratio above 300" in text


def test_a_ratio_of_other_code_is_not_stated(page):
    assert "No ratio for such a finding has been measured with this version and these settings" in page
    assert "no ratio was measured on networks of known truth" in page
    assert "Share of groups with a ratio at least so large" not in page


def test_the_ratios_are_shown_on_kinds_that_did_not_help_to_make_them(tmp_path):
    out = make_run(tmp_path / "out", SMALL)
    write_validation(out, code_sha256=judging_sha256())
    text = render_incident(incident(out))
    assert "Share of groups with a ratio at least so large" in text
    assert "52 networks of one operator, 299 innocent groups" not in text
    assert "The log-likelihood-ratio cost (Cllr) of the ratios is" in text
    assert "of 6 kinds (campaigns and innocent personas)" in text
    assert lint(text, {"Example Relay Ltd"}, table_files(text)) == ()


def test_an_explained_network_weighs_for_the_second_proposition(tmp_path):
    out = make_run(tmp_path / "out", PLANS["explained"])
    write_validation(out, code_sha256=judging_sha256())
    text = render_incident(incident(out, of=bare_case()))
    assert "times more probable if its 30 accounts were an innocent group of customers that the program has linked than if they were under common control" in text
    assert "support for Hd" in text


def test_the_word_for_control_rests_on_error_rates_that_hold(tmp_path, page):
    """Rates of other code: `likely`, and the section says that the program has changed; rates of this code without a false network: `very likely`."""
    assert "We judge it likely (55-80\u202f%) that the 14 accounts" in page
    assert "The program has been changed since within this version" in page
    out = make_run(tmp_path / "out", SMALL)
    write_validation(out, code_sha256=judging_sha256())
    text = render_incident(incident(out))
    assert "We judge it very likely (80-95\u202f%) that the 14 accounts" in text
    assert "We judge it very unlikely (5-20\u202f%) that an innocent explanation" in text


def test_a_network_that_was_not_referred_gets_no_word_for_control(tmp_path):
    out = make_run(tmp_path / "out", PLANS["explained"])
    text = render_incident(incident(out, of=bare_case()))
    assert "We judge it unlikely (20-45\u202f%) that the 30 accounts" in text
    assert "collected output in bulk" not in text


def test_the_ladder_ends_at_l3_without_outside_facts(made, context):
    text = render_incident(incident(made, context=context, of=bare_case()))
    assert "the logs carry L0, L1, L2 and L3" in text
    assert text.count("Not judged: logs cannot carry it") == 2


def test_a_correction_is_said_and_lists_who_was_removed(page):
    assert "This version supersedes version 1" in page
    assert page.count("carrier&#39;s billing account that strangers share") == 2


def test_a_report_with_marks_is_a_draft_whatever_its_case_says(record):
    import dataclasses

    text = render_incident(dataclasses.replace(record, marks=("section 1: a number without a unit",)))
    assert '<p class="profile status-draft">DRAFT</p>' in text
    assert "section 1: a number without a unit" in text


def test_an_unknown_network_or_none_is_refused(made):
    run = FinishedRun(made)
    with pytest.raises(InputError, match="no network 'N-none'"):
        build_incident(run, case(), ["N-none"], Release("counsel", KEY), None)
    with pytest.raises(InputError, match="at least one network"):
        build_incident(run, case(), [], Release("counsel", KEY), None)


def test_billed_amounts_stand_apart_from_list_value(tmp_path):
    out = make_run(tmp_path / "out", Plan(has_cost=True))
    text = render_incident(incident(out, context=write_context(tmp_path / "context", SMALL)))
    assert "The log carries a cost for 392 of 392 requests" in text


def test_a_page_stays_small(page, other):
    assert len(page.encode()) < 1_000_000
    assert len(other[1].encode()) < 1_000_000
    assert max(map(len, re.findall(r"<svg.*?</svg>", page + other[1], re.DOTALL))) < 250_000


@pytest.mark.parametrize(
    ("supports", "points", "listed"), [("coordination", "one operator", ""), ("benign", "an innocent explanation", "points to an innocent explanation and was not counted")]
)
def test_a_finding_that_no_verdict_counts_says_so_once(supports, points, listed):
    row = {
        "measure": "even_load",
        "supports": supports,
        "unit": "ratio",
        "value": 0.1,
        "threshold": None,
        "baseline": 1.0,
        "baseline_n": 999,
        "p_value": 0.001,
        "evidence_total": 9,
    }
    said = finding_sentence(row)
    assert said.endswith(f" It points to {points}, but was not counted in the verdict: jobs on a timetable with the same quota each day are as even.")
    assert said.count("verdict") == 1
    assert _why_against(row) == listed
    assert "verdict" not in finding_sentence({**row, "measure": "shared_days"})


def test_lint_finds_nothing_in_what_only_some_networks_show(tmp_path, monkeypatch):
    """Members judged again as another group than the run's, and a finding of each test that no verdict counts."""
    judged, found = made_run._ablations, made_run._findings
    monkeypatch.setattr(made_run, "_ablations", lambda size: [*judged(size), judged(size)[0] | {"family": "behaviour", "coordination_bits": 37.6, "held_count": size - 1}])
    uncounted = [{"measure": name, "finding_id": f"F-{place:012x}", "rank": 90 + place, "unit": "ratio"} for place, name in enumerate(OPERATIONAL, start=1)]
    monkeypatch.setattr(made_run, "_findings", lambda size: [*found(size), *(found(size)[2] | one for one in uncounted)])
    report = render_incident(incident(make_run(tmp_path / "out", SMALL), "partner", of=bare_case()))
    assert "Compare the bits here with" in report
    assert report.count("but was not counted in the verdict") >= len(OPERATIONAL)
    assert lint(report, files=table_files(report)) == ()
