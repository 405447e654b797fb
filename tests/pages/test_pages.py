"""What the pages say: whole in every state, careful, and never clean when something failed."""

from __future__ import annotations

import dataclasses
import re

import polars as pl
import pytest

from pipeline.config import load_config
from pipeline.ingest.columns import READ_COLUMNS
from pipeline.pages import build_pages
from pipeline.pages.ratios import ratio_table
from tests.pages import fixtures
from tests.pages.reading import Page

REFER_PAGE = f"networks/{fixtures.REFER}.html"
FORBIDDEN = re.compile(
    r"fraudster|criminal|guilty|culprit|attacker|botnet|\bproves?\b|\bproof\b|\bstole\b|certainly|undoubtedly|100 % certain|(?-i:\bNone\b)|\bnan\b|\binf\b", re.IGNORECASE
)
LIKELY = re.compile(r"more probable|support for|likely", re.IGNORECASE)


def index(frames=None, **manifest):
    built = build_pages(fixtures.frames() if frames is None else frames, fixtures.manifest(**manifest), load_config(), pages_for=())
    return Page(dict(built)["index.html"])


def network(frames):
    """The text of the referred network's page."""
    return Page(dict(build_pages(frames, fixtures.manifest(), load_config(), pages_for=[fixtures.REFER]))[REFER_PAGE]).text


def test_one_index_and_one_page_a_network_in_the_order_of_the_queue(pages):
    assert list(pages) == ["index.html", *(f"networks/{name}.html" for name in (fixtures.REFER, fixtures.WATCH, fixtures.SILENT, fixtures.EXPLAINED))]


def test_a_group_too_small_for_a_network_is_listed_without_a_page_or_a_link(pages):
    assert f"networks/{fixtures.PAIR}.html" not in pages
    assert fixtures.PAIR in Page(pages["index.html"]).text
    assert f"{fixtures.PAIR}.html" not in pages["index.html"].decode()


def test_only_the_pages_that_are_asked_for_are_made(files):
    some = dict(build_pages(fixtures.frames(), fixtures.manifest(), load_config(), pages_for=[fixtures.WATCH]))
    assert list(some) == ["index.html", f"networks/{fixtures.WATCH}.html", f"networks/{fixtures.WATCH}-members.csv"]
    assert all(some[name] == files[name] for name in some)


def test_every_page_is_well_formed(pages, empty_page):
    assert {name: Page(page).faults for name, page in {**pages, "empty": empty_page}.items() if Page(page).faults} == {}


def test_every_link_leads_to_a_page_that_is_made(pages, files):
    for name, page in pages.items():
        root = "networks/" if name.startswith("networks/") else ""
        for target in Page(page).attributes("href"):
            path = target.split("#")[0]
            assert not path or (root + path).replace("networks/../", "") in files


def test_wording_is_careful(pages, empty_page):
    for page in [*pages.values(), empty_page]:
        assert FORBIDDEN.findall(Page(page).text) == []


def test_strength_and_confidence_are_never_in_one_sentence(pages):
    for page in pages.values():
        for sentence in re.split(r"[.?!] ", Page(page).text):
            assert not ("onfidence" in sentence and LIKELY.search(sentence))


def test_the_verdict_says_what_was_read_rejected_and_skipped():
    text = index().text
    assert "OK Everything that should have run did." in text
    assert "Requests kept 412,003 of 412,345 rows read" in text
    assert "Rejected 342 rows" in text
    assert "2026-04-09 to 2026-05-06" in text


def test_a_skipped_file_degrades_the_run():
    page = index(skipped_files=[{"name": "b.parquet", "reason": "truncated"}])
    assert "DEGRADED" in page.text
    assert "b.parquet (truncated)" in page.text
    assert "Nothing was skipped" not in page.text


def test_reasons_of_the_run_are_shown_once():
    page = index(degraded=["b.parquet was skipped: truncated"], skipped_files=[{"name": "b.parquet", "reason": "truncated"}])
    assert page.text.count("was skipped: truncated") == 1
    assert "could not be read" not in page.text


def test_too_many_rejected_rows_degrade_the_run_and_duplicates_do_not():
    assert "DEGRADED" in index(rejected={"null_required": 20_000}).text
    assert "DEGRADED" not in index(rejected={"duplicate": 20_000}).text


def test_a_failed_check_never_reads_as_clean():
    for frames in (fixtures.frames(), fixtures.empty_frames()):
        page = index(frames, failed_checks=[{"check": "55_members__one_network", "count": 3}])
        assert "FAILED" in page.text
        assert "55_members__one_network failed on 3 rows" in page.text
        assert "No network was found" not in page.text
        assert "should have run did" not in page.text


def test_a_recorded_status_can_only_make_it_worse():
    assert "FAILED" in index(status="failed").text
    assert "DEGRADED" in index(status="ok", degraded=["short of memory"]).text


def test_every_network_page_repeats_that_the_run_is_not_whole():
    built = dict(build_pages(fixtures.frames(), fixtures.manifest(degraded=["short of memory"]), load_config()))
    assert all("The run is DEGRADED." in Page(page).text for name, page in built.items() if name != "index.html" and name.endswith(".html"))


def test_an_empty_night_says_which_families_ran(empty_page):
    text = Page(empty_page).text
    assert "No network was found. Families that ran: identity and payment and templates and near-duplicate prompts." in text
    assert "In part: addresses and networks." in text
    assert "Not run: family of tomorrow and reaction to model releases." in text


def test_an_empty_night_without_families_is_no_evidence_of_absence():
    page = index({})
    assert "DEGRADED" in page.text
    assert "an empty list is no evidence of absence" in page.text


@pytest.mark.parametrize(
    "missing",
    [
        *"members controls network_families network_tests network_ablations findings evidence blind_spots lineage links accounts account_days".split(),
        *"shared_values cluster_values cluster_ids clusters cluster_families cluster_tests cluster_alternatives boilerplate".split(),
    ],
)
def test_any_table_may_be_missing(missing):
    frames = fixtures.frames(8)
    del frames[missing]
    built = dict(build_pages(frames, fixtures.manifest(), load_config(), pages_for=[fixtures.REFER, fixtures.SILENT]))
    assert len(built) == 5
    assert all(Page(page).faults == [] for name, page in built.items() if name.endswith(".html"))


@pytest.mark.parametrize(
    "column",
    ["coordination_bits", "extraction_bits", "q_value", "p_value", "best_alternative", "alternative_margin_bits", "attribution_level", "reason", "first_seen_at", "entity_count"],
)
def test_any_value_of_a_network_may_be_missing(column):
    frames = fixtures.frames(8)
    frames["networks"] = frames["networks"].with_columns(pl.lit(None).cast(frames["networks"].schema[column]).alias(column))
    for page in dict(build_pages(frames, fixtures.manifest(), load_config(), pages_for=[fixtures.REFER])).values():  # lists of members too
        assert FORBIDDEN.findall(Page(page).text) == []


def test_the_queue_gives_reasons_in_words():
    text = index().text
    assert re.search(r"92\.5.% of the accounts paid with an instrument that another member used", text)
    assert "No payment instrument, device, mailbox or phone joins most of the group, nor do a rewritten client or conversations handed from account to account." in text
    assert "Measure of tomorrow" not in text  # the fourth reason


def test_the_queue_shows_an_explained_network_with_its_explanation():
    assert "fit a class or a course" in index().text


def _plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\xa0", " ")


def test_the_index_says_how_large_a_network_may_be_before_it_goes_unseen():
    config = load_config()
    strict = dataclasses.replace(config, links=dataclasses.replace(config.links, identity_max_df_share=0.25))
    for setting, percent in ((config, "12.5 %"), (strict, "25 %")):
        text = _plain(Page(dict(build_pages(fixtures.frames(), fixtures.manifest(), setting, pages_for=()))["index.html"]).text)
        assert f"more than {percent} of the accounts hold counts as common" in text
        assert "One network of more than 50 % of the log, or one that shares a single such fact, may go unseen." in text
    assert "such value" not in text, "a run of older code did not list what many hold"


def test_the_index_lists_what_was_left_out_as_common():
    frames = fixtures.frames()
    many = frames["accounts"].height
    rows = [("device", 1, many, many), ("payment", 2, many - 1, many - 1), ("payment", 3, many, 4), ("email", 4, 1, 1)]
    wide = pl.DataFrame([dict(zip(("kind", "value_key", "df", "counted_df"), row, strict=True)) for row in rows])
    for kept, said in (
        (4, f"In this log 2 such values are so common that nobody is joined by them: a sign-up device of {many} accounts and a payment instrument of {many - 1} accounts."),
        (1, f"In this log one such value is so common that nobody is joined by it: a sign-up device of {many} accounts."),
        (0, "In this log no payment instrument, device, mailbox or telephone was so common."),
    ):
        assert said in _plain(index(frames={**frames, "wide_values": wide.head(kept)}).text)


def test_what_changed_is_compared_with_earlier_nights():
    text = index().text
    assert "Since the last night, 2026-05-05: 1 new, 1 grown and 1 merged." in text
    assert "Grown +3" in text


def test_the_first_night_has_nothing_to_compare_with():
    frames = fixtures.frames()
    frames["lineage"] = frames["lineage"].filter(pl.col("night") == fixtures.NIGHT)
    page = index(frames)
    assert "no earlier night to compare with" in page.text
    assert "What changed since 2" not in page.text
    assert "Table 1. Networks by tier" in page.text


def test_groups_too_small_for_a_network_come_after_networks_of_their_tier():
    frames = fixtures.frames()
    frames["networks"] = frames["networks"].with_columns(pl.when(pl.col("network_id") == fixtures.PAIR).then(99.0).otherwise("coordination_bits").alias("coordination_bits"))
    text = index(frames).text.split("Table 2.")[1]
    assert text.index(fixtures.SILENT) < text.index(fixtures.PAIR) < text.index(fixtures.EXPLAINED)


def test_bits_by_rarity_are_no_ratio_and_get_no_word_of_strength(pages):
    text = Page(pages[REFER_PAGE]).text
    assert "No ratio for such a finding has been measured with this version and these settings" in text
    assert "It was set beside 99 comparison groups." in text
    assert "times more probable" not in text, "a ratio is for findings weighed on known truth alone, as in the incident report"


JUDGED = [
    {"archetype": kind, "is_operated": operated, "tier": tier, "extraction_bits": bits, "networks": networks}
    for kind, operated, tier, bits, networks in (
        ("campaign:L1", True, "refer", 11, 60),
        ("campaign:L8", True, "watch", 10, 20),
        ("synthetic_data", False, "watch", 10, 10),
        ("classroom", False, "explained", 0, 989),
    )
]


def weighed(**changes: object) -> dict[str, str]:
    """Text of each network's page under a validation that measured ratios with this version, code and settings, but for changes."""
    quoted = {"suite": "all", "date": "2026-05-01", "is_simulated": True, "worlds": 60, "figures": [], "version": fixtures.manifest()["version"], "same_code": True, "stale": {}}
    quoted |= {"ratios": ratio_table(JUDGED), **changes}
    made = dict(build_pages(fixtures.frames(), {**fixtures.manifest(), "error_rates": quoted}, load_config(), pages_for=(fixtures.REFER, fixtures.EXPLAINED)))
    return {name: _plain(Page(made[f"networks/{name}.html"]).text) for name in (fixtures.REFER, fixtures.EXPLAINED)}


def test_a_finding_is_weighed_by_how_often_it_was_made_about_networks_of_known_truth():
    found = weighed()
    assert "is at least 750 times more probable if one operator runs the accounts than if they are an innocent group" in found[fixtures.REFER]
    assert "moderately strong support for one operator" in found[fixtures.REFER]
    assert "calibrated on 80 networks of one operator and 999 innocent groups in" in found[fixtures.REFER]
    assert "can carry none above 1,000" in found[fixtures.REFER]
    assert "times more probable if the accounts are an innocent group that the program has linked than if one operator runs them" in found[fixtures.EXPLAINED]
    assert "the ratio is calibrated on simulated worlds, not on adjudicated cases" in found[fixtures.REFER]


@pytest.mark.parametrize("change", [{"same_code": False}, {"stale": {"links.partners": {"then": 1, "now": 2, "measures": ["x"]}}}, {"version": "0.0"}, {"ratios": None}])
def test_what_was_measured_otherwise_weighs_nothing(change):
    assert "times more probable" not in weighed(**change)[fixtures.REFER]


def test_confidence_is_high_only_with_ratios_of_adjudicated_cases():
    assert "assessment is moderate" in weighed()[fixtures.REFER]
    assert "not on adjudicated cases" not in weighed(is_simulated=False)[fixtures.REFER]


def test_strength_without_comparison_is_not_put_into_words(pages):
    assert "its strength is not put into words" in Page(pages[f"networks/{fixtures.WATCH}.html"]).text


def test_confidence_is_moderate_at_most_without_a_calibrated_ratio(pages):
    text = Page(pages[REFER_PAGE]).text
    assert "Our confidence in this assessment is moderate, because rare facts of 3 families cover most of the group" in text
    assert "Our confidence in this assessment is low" in Page(pages[f"networks/{fixtures.WATCH}.html"]).text


def test_both_propositions_and_the_level_of_attribution_are_stated(pages):
    text = Page(pages[REFER_PAGE]).text
    assert "These 40 accounts are under the common control of one proxy or reselling operation." in text
    assert "These 40 accounts belong to independent customers" in text
    assert "No operator and no beneficiary is named" in text


def test_a_finding_gives_value_threshold_baseline_n_and_evidence(pages):
    text = Page(pages[REFER_PAGE]).text
    assert "Observed 92.5" in text
    assert "Counts from 50" in text
    assert re.search(r"Comparison 1\.2.% n = 60", text)
    assert "Evidence 1,204 requests" in text
    assert "1,199 further rows not shown; evidence.parquet keeps 20 of 1,204 under this finding." in text


def test_facts_stand_apart_from_inference(pages):
    text = Page(pages[REFER_PAGE]).text
    observed, inferred = text.index("What was observed"), text.index("What is inferred")
    assert observed < text.index("paid with an instrument", observed) < inferred < text.index("the wording of members is alike", inferred)


def test_a_family_that_cannot_open_the_gate_is_never_said_to_have_passed_it(pages):
    text = Page(pages[REFER_PAGE]).text
    table = text[text.index("Bits by family of evidence, beside") : text.index("Numbers are ranks")]
    assert "identity specific opened it 14.0" in table
    assert "infrastructure supporting cannot open it 6.5" in table
    assert "prompt templates likeness cannot open it" in table
    assert "conversation hand-off operational opened it 0.0 60" in " ".join(table.split())
    assert table.index("conversation hand-off operational") < table.index("infrastructure supporting")
    assert table.count("opened it") == 2
    assert "passed" not in text
    explained = Page(pages[f"networks/{fixtures.EXPLAINED}.html"]).text
    assert "opened it" not in explained.replace("did not open it", "")


def test_handed_on_conversations_are_shown_one_after_the_other_with_the_accounts_that_took_part(pages):
    text = " ".join(Page(pages[REFER_PAGE]).text.split())
    table = text[text.index("Conversation Account Its first request in it") :]
    turns = re.findall(r"(\d) (acct-r-\d+) (turn-\d) date=2026-05-03/part-0.parquet (\d+)", table)
    assert turns == [
        ("1", "acct-r-00001", "turn-2", "32"),
        ("1", "acct-r-00002", "turn-4", "34"),
        ("1", "acct-r-00003", "turn-0", "30"),
        ("2", "acct-r-00000", "turn-1", "31"),
        ("2", "acct-r-00001", "turn-3", "33"),
    ]
    assert "4 further rows not shown; evidence.parquet keeps 5 of 9 under this finding." in table


def test_a_run_that_lacks_the_conversations_shows_the_rows_all_the_same():
    frames = fixtures.frames(8)
    del frames["handoff_requests"]
    text = network(frames)
    assert "turn-4" in text
    assert "Its first request in it" not in text


def test_the_test_of_held_out_hand_offs_names_its_null_and_its_unit(pages):
    text = " ".join(Page(pages[REFER_PAGE]).text.replace("\u202f", " ").split())
    assert "25 % of pairs of members share one that was handed on or sent at once; 999 random groups of similar accounts average below 0.1 % of pairs." in text
    assert "Hand-offs among held-out conversations one operator ran beyond what chance gives 25 % of pairs below 0.1 % of pairs" in text


def test_a_referral_names_what_opened_the_gate(pages):
    assert "What opened the gate: identity and conversation hand-off." in Page(pages[REFER_PAGE]).text
    assert "What opened the gate" not in Page(pages[f"networks/{fixtures.WATCH}.html"]).text
    frames = fixtures.frames(8)
    frames["network_families"] = frames["network_families"].with_columns((pl.col("admitted") & (pl.col("family") != "identity")).alias("admitted"))
    text = network(frames)
    assert "What opened the gate: conversation hand-off." in text
    assert "identity specific did not open it" in text


def test_a_percentile_beside_an_open_gate_says_when_the_median_pair_shares_nothing(pages):
    text = Page(pages[REFER_PAGE]).text
    assert "50.0 of 99 groups; the median pair shares none a handed-on conversation" in " ".join(text.split())
    assert text.count("the median pair shares none") == 1


def test_only_where_members_hand_on_the_page_speaks_of_its_innocent_causes_and_of_who_is_named(pages):
    referred, other = Page(pages[REFER_PAGE]).text, Page(pages[f"networks/{fixtures.EXPLAINED}.html"]).text
    for said in ("One person may use two accounts", "A small company's own gateway", "are named whatever else they carry"):
        assert said in referred
        assert said not in other


def test_a_referral_says_what_it_hangs_on(pages):
    text = Page(pages[REFER_PAGE]).text
    table = text[text.index("What is left without one family") : text.index("Numbers are ranks")]
    assert "the referral hangs on prompt templates, identity and family of tomorrow" in table
    assert "prompt templates 0 of 40 none no power Watch No five of the accounts hold together any more." in " ".join(table.split())
    assert "9 of 40 in 2 pieces, the largest counted 17.2" in " ".join(table.split())
    assert table.index("identity 9 of 40") < table.index("infrastructure 12 of 40")
    assert "What is left without" not in Page(pages[f"networks/{fixtures.WATCH}.html"]).text


@pytest.mark.parametrize(
    ("held", "pieces", "cut", "said"),
    [
        (12, 1, 31.5, ""),
        (9, 1, 37.6, "Compare the bits here with 37.6 bits, not with the run's 31.5 bits: .* which with no family struck out holds 9 of 12 members\\."),
        (12, 1, 37.6, "Compare the bits here with 37.6 bits, not with the run's 31.5 bits: .* holds 12 of 12 members\\."),
        (0, 0, None, "No bits here compare with the run's 31.5 bits: .* which with no family struck out gives no group of five\\."),
    ],
)
def test_bits_judged_again_say_why_they_are_not_those_of_the_run(held, pieces, cut, said):
    frames = fixtures.frames(12)
    ours = pl.col("network_id") == fixtures.REFER
    frames["networks"] = frames["networks"].with_columns(pl.when(ours).then(31.5).otherwise("coordination_bits").alias("coordination_bits"))
    judged = frames["network_ablations"]
    values = {"family": "behaviour", "held_count": held, "piece_count": pieces, "coordination_bits": cut, "tier": "refer", "reason": "specific_fact_and_extraction"}
    whole = judged.head(1).with_columns(pl.lit(value).cast(judged.schema[name]).alias(name) for name, value in values.items())
    text = " ".join(network({**frames, "network_ablations": pl.concat([judged, whole])}).replace("\u202f", " ").split())
    assert bool(re.search("Compare the bits here|No bits here compare", text)) is bool(said)
    assert re.search(said, text)


def test_a_referral_that_hangs_on_no_single_family_says_so():
    frames = fixtures.frames(12)
    frames["network_ablations"] = frames["network_ablations"].with_columns(pl.lit("refer").alias("tier"))
    page = Page(dict(build_pages(frames, fixtures.manifest(), load_config(), pages_for=[fixtures.REFER]))[REFER_PAGE])
    assert "the referral hangs on no single family" in page.text


def test_identity_that_does_not_cover_the_group_did_not_open_the_gate():
    frames = fixtures.frames(8)
    frames["network_families"] = frames["network_families"].with_columns(pl.lit(value=False).alias("admitted"))
    text = network(frames)
    assert "identity specific did not open it" in text
    assert "because no rare fact covers most of the group" in text


@pytest.mark.parametrize(
    ("margin", "said", "note"),
    [
        (7.4, "It leaves 13.4 bits of what ties the median member unexplained; a tie counts from 6.0 bits.", "leaves 13.4 bits unexplained; a tie counts from 6.0 bits"),
        (0.0, "It accounts for all but 6.0 bits", "leaves 6.0 bits unexplained, no more than the 6.0 bits from which a tie counts"),
        (-3.5, "It accounts for all but 2.5 bits", "leaves 2.5 bits unexplained, no more than the 6.0 bits from which a tie counts"),
        (-6.0, "It accounts for everything that ties these accounts", "leaves nothing unexplained"),
        (None, "How much it leaves unexplained could not be computed.", "what it leaves unexplained could not be computed"),
    ],
)
def test_what_the_best_innocent_explanation_leaves_is_said_without_a_negative_number(margin, said, note):
    frames = fixtures.frames(8)
    frames["networks"] = frames["networks"].with_columns(pl.lit(margin, dtype=pl.Float64).alias("alternative_margin_bits"))
    frames["network_tests"] = frames["network_tests"].with_columns(
        pl.when(pl.col("supports") == "benign").then(pl.lit(margin, dtype=pl.Float64)).otherwise("statistic").alias("statistic")
    )
    text = network(frames)
    assert said in text
    assert f"Best innocent explanation A public client program {note}" in text
    assert "in favour of" not in text
    assert "\u2212" not in text
    assert ("the innocent explanation named below accounts for the same links" in text) is (margin is not None and margin <= 0)


def test_a_vouched_organisation_is_not_weighed_and_says_so():
    frames = fixtures.frames(8)
    of_it = pl.col("network_id") == fixtures.REFER
    values = {
        "tier": "explained",
        "reason": "vouched_organisation",
        "best_alternative": "vouched_organisation",
        "coordination_bits": 0.0,
        "alternative_margin_bits": -6.0,
        "entity_count": 1,
    }
    frames["networks"] = frames["networks"].with_columns(pl.when(of_it).then(pl.lit(value)).otherwise(name).alias(name) for name, value in values.items())
    frames["network_families"] = frames["network_families"].filter(~of_it)
    text = network(frames)
    assert "Strength One vouched organisation owns these accounts. Colleagues are never evidence against each other" in text
    assert "It accounts for everything that ties these accounts; nothing is left that would take one operator." in text
    assert "One operator? not weighed" in text
    assert "Members: 8 accounts" in text
    for sign in ("0.0 bits", "\u2212", "in favour", "fringe", "unknown", "no rare fact"):
        assert sign not in text
    assert re.search(r"2026-05-06 23:51 not weighed 9\.5", index(frames).text)


def test_a_group_too_small_to_weigh_has_no_figures_and_no_claim_about_explanations():
    frames = fixtures.frames()
    small = pl.col("network_id") == fixtures.PAIR
    frames["networks"] = frames["networks"].with_columns(pl.when(small).then(0.0).otherwise("coordination_bits").alias("coordination_bits"))
    text = index(frames).text
    row = text[text.index(fixtures.PAIR) : text.index(fixtures.EXPLAINED)]
    assert "not weighed no test no test" in row
    assert "innocent explanation" not in row
    assert "1 group of two to four accounts among them" in text
    assert "a household or a team that shares a card looks the same" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Speaks for one operator."),
        ({"p_value": 0.01}, "Speaks for one operator."),
        ({"p_value": 0.011}, "Would speak for one operator, but chance gives this too often: it counts from p = 0.01."),
        ({"value": 0.4}, "Would speak for one operator, but counts only from 50\u202f%."),
        ({"value": 0.6, "baseline": 0.6}, "Would speak for one operator, but the comparison shows as much."),
        ({"supports": "extraction", "p_value": 0.015}, "Speaks for collection for training."),
        ({"supports": "extraction", "p_value": 0.016}, "Would speak for collection for training, but chance gives this too often: it counts from p = 0.016."),
        ({"measure": "pooled_harvest_share", "supports": "extraction", "p_value": 0.0078}, "Speaks for collection for training."),
        (
            {"measure": "pooled_harvest_share", "supports": "extraction", "p_value": 0.008},
            "Would speak for collection for training, but chance gives this too often: it counts from p = 0.0078.",
        ),
        ({"supports": "benign", "value": 0.2}, "Would speak for an innocent explanation, but counts only from 50\u202f%."),
        (
            {"measure": "even_load", "threshold": None, "p_value": 0.001},
            "It points to one operator, but was not counted in the verdict: jobs on a timetable with the same quota each day are as even.",
        ),
        ({"measure": "round_the_clock", "supports": "extraction"}, "Describes the traffic. Scripts and batch jobs of the innocent look the same, so it decides nothing."),
    ],
)
def test_a_finding_speaks_only_for_what_it_shows(changes, said):
    frames = fixtures.frames(8)
    first = pl.col("finding_id") == "F-00000000000a"
    frames["findings"] = frames["findings"].with_columns(pl.when(first).then(pl.lit(value)).otherwise(name).alias(name) for name, value in changes.items())
    card = next(part for part in network(frames).split("Evidence rows of finding ") if "Finding F-00000000000a" in part)
    assert said.replace("\u202f", " ") in card.split("Finding F-00000000000a")[0][-160:]


def test_the_queue_gives_no_reason_that_chance_gives_too():
    frames = fixtures.frames()
    frames["findings"] = frames["findings"].with_columns(pl.when(pl.col("measure") == "held_out_wording").then(0.4).otherwise("p_value").alias("p_value"))
    text = index(frames).text
    assert "the wording of members is alike" not in text
    assert "The median answer to a templated prompt has 1,900 tokens" in text


@pytest.mark.parametrize(("network_id", "supports"), [(fixtures.REFER, "coordination"), (fixtures.EXPLAINED, "benign")])
def test_the_queue_gives_no_reason_that_no_verdict_counts(network_id, supports):
    frames = fixtures.frames()
    findings = frames["findings"]
    own = findings.filter(pl.col("network_id") == network_id).head(1)
    changes = {"rank": 0, "measure": "shared_days", "supports": supports, "value": 1.0, "threshold": None, "baseline": 0.0, "p_value": 0.001}
    for measure, told in (("shared_days", True), ("even_load", False)):
        first = own.with_columns(pl.lit(value).cast(findings.schema[name]).alias(name) for name, value in (changes | {"measure": measure}).items())
        text = index({**frames, "findings": pl.concat([first, findings])}).text
        assert ("Members are busier than usual on the same days" in text) is told
        assert "dealt out over members" not in text


def test_the_columns_are_counted_against_the_whole_contract():
    text = index().text
    assert f"3 of the 71 columns that the contract knows of a request carry data; this version reads {len(READ_COLUMNS)} of the 71." in text
    assert "Of the 28 columns of an accounts table 2 carry data." in text
    assert "ja4 36.4 % partial: below 80 %" in text
    assert "prompt 99.8 % enough: 80 % or more" in text
    assert "temperature 0 % no value in this run" in text
    assert "workspace_id 0 % not read by this version" in text
    assert "payment_fingerprint 50 % partial" in text
    assert "There was no accounts table." in index(accounts_table={"accounts": 9, "values": {}}).text
    assert "Coverage of the columns was not recorded. " in index(coverage={}).text


def test_controls_below_the_minimum_are_not_shown(pages):
    text = Page(pages[f"networks/{fixtures.WATCH}.html"]).text
    assert "No comparison is drawn: 12 matched accounts" in text
    assert "Controls Mon" not in text


def test_members_beyond_the_limit_are_counted_and_the_command_is_given():
    config = load_config()
    config = dataclasses.replace(config, pages=dataclasses.replace(config.pages, member_rows=10))
    page = Page(dict(build_pages(fixtures.frames(40), fixtures.manifest(), config, pages_for=[fixtures.REFER]))[REFER_PAGE])
    assert f"30 members of 40 not shown, those with least weight. All of them: stillhunt show --format csv {fixtures.REFER}" in page.text


def test_only_commands_that_exist_are_named(pages, empty_page):
    for page in [*pages.values(), empty_page]:
        assert set(re.findall(r"\bstillhunt ([a-z]+)", Page(page).text)) <= {
            "run",
            "demo",
            "check",
            "networks",
            "show",
            "explain",
            "validate",
            "runs",
            "canary",
            "note",
            "disposition",
            "allow",
            "pivot",
            "similar",
            "whatif",
            "case",
        }


def test_a_network_without_traffic_has_a_whole_page(pages):
    page = Page(pages[f"networks/{fixtures.SILENT}.html"])
    assert "No figure: account_days holds no request of these accounts." in page.text
    assert "The run gives the reason as: a reason of tomorrow." in page.text


def test_an_unsafe_network_id_is_refused_before_it_names_a_file():
    frames = fixtures.frames(5)
    frames["networks"] = frames["networks"].with_columns(pl.lit("../../x").alias("network_id"))
    with pytest.raises(ValueError, match="cannot be a file name"):
        list(build_pages(frames, fixtures.manifest(), load_config()))


def test_a_manifest_without_its_night_is_refused():
    manifest = fixtures.manifest()
    del manifest["night"]
    with pytest.raises(KeyError, match="night"):
        list(build_pages(fixtures.frames(5), manifest, load_config()))
