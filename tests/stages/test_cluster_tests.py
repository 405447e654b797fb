"""Tests of clusters: they reject the planted campaign, keep their level among strangers, and never look at what formed a cluster."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import polars as pl
import pytest

from pipeline.kinds import DESCRIBES, SHAPES, kind_table
from tests.stages.builders import CONFIG, START, Frames, empty, frame, key, python_stage, stage_named

STAGE = stage_named("pipeline.stages.cluster_tests:cluster_tests")
FAST = dataclasses.replace(CONFIG, verdict=dataclasses.replace(CONFIG.verdict, null_groups=199))
ACCOUNTS, DAYS = 240, 12


def _strangers(seed: int, groups: list[list[int]], wording: dict[int, int] | None = None, burst: list[int] | None = None) -> Frames:
    """Accounts that each recur to habits of their own in half 1; `wording` gives some a common habit, `burst` makes some busy on one day."""
    draw = random.Random(seed)
    habits, boilerplate, daily = [], [], []
    for n in range(ACCOUNTS):
        own = (wording or {}).get(n, 1000 + draw.randrange(40))
        habits += [{"account_key": key(n), "half": 1, "shingle": shingle, "document_count": 9, "document_total": 12} for shingle in (own, 5000 + n)]
        boilerplate += [{"account_key": key(n), "prompt_key": 2 * d + 1, "habit_count": 5, "request_count": 1, "output_tokens": draw.choice([50, 900])} for d in range(6)]
        for day in range(DAYS):
            requests = draw.randint(5, 15) + (200 if n in (burst or []) and day == 7 else 0)
            daily.append({"account_key": key(n), "day": START.replace(day=1 + day), "request_count": requests})
    given = {
        "account_records": frame("account_records", [{"account_key": key(n), "account_id": f"a{n}", "is_vouched": False} for n in range(ACCOUNTS)]),
        "kinds": kind_table(CONFIG.links),
        "habits": frame("habits", habits),
        "boilerplate": frame("boilerplate", boilerplate),
        "sample_totals": frame("sample_totals", [{"account_key": key(n), "document_count": 12} for n in range(ACCOUNTS)]),
        "daily_requests": frame("daily_requests", daily),
        "features": frame("features", [{"account_key": key(n), "request_count": 100 + n % 7, "active_days": DAYS, "output_tokens_mean": 400.0} for n in range(ACCOUNTS)]),
        "clusters": frame("clusters", [{"cluster": c, "account_key": key(n), "origin": "network", "bits": 20.0} for c, members in enumerate(groups) for n in members]),
    }
    return {name: given[name] if name in given else empty(name) for name in STAGE.reads}


def _described(given: Frames) -> dict[str, dict[str, object]]:
    tests = python_stage(STAGE, given, FAST)["cluster_tests"].filter(pl.col("supports") == DESCRIBES)
    return {row["test"]: row for row in tests.iter_rows(named=True)}


def _p_values(given: Frames, test: str) -> list[float]:
    tests = python_stage(STAGE, given, FAST)["cluster_tests"]
    return tests.filter((pl.col("test") == test) & (pl.col("status") == "ran")).sort("cluster")["p_value"].to_list()


def test_strangers_are_rejected_about_as_often_as_the_level_says() -> None:
    p_values = []
    for seed in range(3):
        order = random.Random(seed).sample(range(ACCOUNTS), ACCOUNTS)
        given = _strangers(seed, [order[start : start + 8] for start in range(0, 80, 8)])
        for test in ("held_out_wording", "shared_days", "harvest_share"):
            p_values += _p_values(given, test)
    assert len(p_values) == 90
    for level in (0.05, 0.2):
        assert np.mean(np.array(p_values) <= level) <= level + 3 * np.sqrt(level / 90)


def test_a_common_mix_of_wording_on_held_out_prompts_is_found() -> None:
    members = list(range(10))
    assert _p_values(_strangers(1, [members], wording=dict.fromkeys(members, 7)), "held_out_wording") == [1 / 200]


def test_days_on_which_all_are_busy_are_found() -> None:
    members = list(range(10))
    assert _p_values(_strangers(1, [members], burst=members), "shared_days") == [1 / 200]


def test_long_templated_answers_are_found() -> None:
    given, members = _strangers(1, [list(range(10))]), [key(n) for n in range(10)]
    longer = pl.when(pl.col("account_key").is_in(members)).then(pl.lit(3000, dtype=pl.Int64)).otherwise(pl.lit(100, dtype=pl.Int64)).alias("output_tokens")
    assert _p_values(given | {"boilerplate": given["boilerplate"].with_columns(longer)}, "harvest_share") == [1 / 200]


def test_habits_of_the_half_that_forms_networks_change_nothing() -> None:
    given = _strangers(1, [list(range(10))])
    formed = given["habits"].with_columns(pl.lit(0, dtype=pl.Int64).alias("half"), pl.lit(7, dtype=pl.Int64).alias("shingle")).unique("account_key")
    one, other = (python_stage(STAGE, given | {"habits": habits}, FAST)["cluster_tests"] for habits in (given["habits"], pl.concat([given["habits"], formed])))
    assert one.equals(other)


@pytest.mark.parametrize("missing", ["habits", "account_words", "handoffs", "daily_requests", "sample_totals"])
def test_a_test_without_data_says_that_it_did_not_run_and_has_no_p(missing: str) -> None:
    given = _with_words(_strangers(1, [list(range(10))]), {}) | {"handoffs": _handed_on([(0, 1)], 1)}
    tests = python_stage(STAGE, given | {missing: empty(missing)}, FAST)["cluster_tests"].filter((pl.col("status") != "ran") & (pl.col("supports") != DESCRIBES))
    assert tests.height == 1
    assert tests["p_value"].to_list() == [None]
    assert tests["reason"].str.len_chars().min() > 0


def test_controls_are_outside_every_network_and_nearest_in_volume() -> None:
    given = _strangers(1, [list(range(10)), list(range(10, 20))])
    loud = pl.when(pl.col("account_key").is_in([key(n) for n in range(100, ACCOUNTS)])).then(90_000).otherwise(pl.col("request_count")).cast(pl.Int64).alias("request_count")
    given["features"] = given["features"].with_columns(loud)
    controls = python_stage(STAGE, given, FAST)["cluster_controls"]
    near = {key(n) for n in range(20, 100)}
    for (_,), rows in controls.group_by("cluster"):
        assert rows.height == CONFIG.verdict.control_accounts
        assert set(rows["account_key"]) <= near


def test_a_cluster_is_tested_alike_whatever_its_number() -> None:
    members, others = list(range(10)), list(range(50, 60))
    one = python_stage(STAGE, _strangers(1, [members, others]), FAST)["cluster_tests"]
    two = python_stage(STAGE, _strangers(1, [others, members]), FAST)["cluster_tests"]
    assert one.filter(pl.col("cluster") == 0).drop("cluster").equals(two.filter(pl.col("cluster") == 1).drop("cluster"))


def _handed_on(pairs: list[tuple[int, int]], half: int) -> pl.DataFrame:
    return frame("handoffs", [{"session_key": 2 * number + half, "account_key": key(n), "request_count": 1, "half": half} for number, pair in enumerate(pairs) for n in pair])


def test_conversations_that_members_went_on_with_are_found_if_they_formed_nothing() -> None:
    members = list(range(10))
    ring = [(n, (n + 1) % 10) for n in members]
    given = _strangers(1, [members])
    assert _p_values(given | {"handoffs": _handed_on(ring, 1)}, "held_out_handoff") == [1 / 200]
    assert _p_values(given | {"handoffs": _handed_on(ring, 0)}, "held_out_handoff") == []


def test_pairs_that_change_places_everywhere_are_no_surprise_in_a_cluster() -> None:
    pairs = [(2 * n, 2 * n + 1) for n in range(ACCOUNTS // 2)]
    p_values = [
        p for seed in range(20) for p in _p_values(_strangers(seed, [random.Random(seed).sample(range(ACCOUNTS), 10)]) | {"handoffs": _handed_on(pairs, 1)}, "held_out_handoff")
    ]
    assert len(p_values) == 20
    assert np.mean(np.array(p_values) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 / 20)


def test_extraction_is_that_of_the_median_member() -> None:
    given, few = _strangers(1, [list(range(10))]), [key(n) for n in range(4)]
    assert _p_values(given, "harvest_share")[0] > 1 / 200
    longer = pl.when(pl.col("account_key").is_in(few)).then(pl.lit(3000, dtype=pl.Int64)).otherwise(pl.lit(100, dtype=pl.Int64)).alias("output_tokens")
    assert _p_values(given | {"boilerplate": given["boilerplate"].with_columns(longer)}, "harvest_share") == [1.0]


def _with_words(given: Frames, words: dict[int, int]) -> Frames:
    """Each account writes two words of forty, drawn for it; those of `words` write a common one besides."""
    draw = random.Random(9)
    rows = [{"account_key": key(n), "half": 1, "token": token, "document_count": 3} for n in range(ACCOUNTS) for token in sorted(draw.sample(range(40), 2))]
    rows += [{"account_key": key(n), "half": 1, "token": token, "document_count": 9} for n, token in words.items()]
    return {**given, "account_words": frame("account_words", rows)}


def test_common_topics_are_found_on_the_words_of_prompts_that_formed_nothing() -> None:
    members, strangers = list(range(8)), list(range(20, 28))
    given = _with_words(_strangers(1, [members, strangers]), dict.fromkeys(members, 100))
    alike, unlike = _p_values(given, "held_out_topic")
    assert alike == pytest.approx(1 / 200)
    assert unlike > 0.05


def test_a_word_of_one_account_alone_makes_nobody_alike_or_unlike() -> None:
    given = _with_words(_strangers(1, [list(range(8))]), {})
    own = frame("account_words", [{"account_key": key(n), "half": 1, "token": 1000 + n, "document_count": 5} for n in range(8)])
    assert _p_values(given, "held_out_topic") == _p_values({**given, "account_words": pl.concat([given["account_words"], own])}, "held_out_topic")


def test_words_of_prompts_that_formed_networks_test_nothing() -> None:
    given = _with_words(_strangers(1, [list(range(8))]), {})
    formed = frame("account_words", [{"account_key": key(n), "half": 0, "token": 500, "document_count": 9} for n in range(8)])
    assert _p_values(given, "held_out_topic") == _p_values({**given, "account_words": pl.concat([given["account_words"], formed])}, "held_out_topic")


def test_without_words_the_test_of_topics_says_so() -> None:
    tests = python_stage(STAGE, _strangers(1, [list(range(8))]), FAST)["cluster_tests"].filter(pl.col("test") == "held_out_topic")
    assert tests["status"].to_list() == ["not_run"]
    assert tests["p_value"].to_list() == [None]


PROMPTS = 12


def _pooled_world(members: list[int], common: list[int], messages: int | None = 1, output: int = 900, admitted: bool = True, copies: int = 1) -> Frames:
    """Everybody's prompts at hand; the members `common` write four common 4-grams in half of theirs, each of which so many accounts send word for word."""
    given = _strangers(1, [members])
    documents, wording = [], []
    for n in range(ACCOUNTS):
        for prompt in range(PROMPTS):
            text = 100 * (n // copies) + prompt  # even and odd stay what they are
            documents.append(
                {"account_key": key(n), "prompt_key": text, "request_count": 1, "output_tokens": output, "max_message_count": messages, "request_id": f"r{n}-{prompt}"}
            )
            words = [1, 2, 3, 4] if n in common and prompt % 4 < 2 else [100 + 9 * (n % 30), 101 + 9 * (n % 30)]
            wording += [{"account_key": key(n), "prompt_key": text, "shingle": word} for word in words]
    family = [{"cluster": 0, "family": "client", "admitted": admitted}]
    return {**given, "boilerplate": empty("boilerplate"), "pool_documents": frame("pool_documents", documents), "pool_wording": frame("pool_wording", wording)} | {
        "cluster_families": frame("cluster_families", family)
    }


def test_what_members_have_in_common_shows_extraction_where_their_own_wording_does_not() -> None:
    members = list(range(10))
    made = python_stage(STAGE, _pooled_world(members, members), FAST)
    row = made["cluster_tests"].filter(pl.col("test") == "pooled_harvest_share").row(0, named=True)
    assert (row["status"], row["statistic"], row["expected"]) == ("ran", 0.5, 0.0)
    assert row["p_value"] == pytest.approx(0.001)
    assert row["sample_size"] == made["pooled_templates"].height == 10 * PROMPTS // 4
    assert (made["pooled_templates"]["prompt_key"] % 100).unique().sort().to_list() == [1, 5, 9]  # odd ones alone
    assert made["pooled_members"]["account_key"].to_list() == sorted(key(n) for n in members)
    assert made["pooled_members"]["harvest_share"].to_list() == [0.5] * 10
    assert min(made["pooled_members"]["likeness"]) > 0.999


@pytest.mark.parametrize(("messages", "output"), [(3, 900), (None, 900), (1, 255)])
def test_conversations_uncounted_messages_and_short_answers_are_no_harvest(messages: int | None, output: int) -> None:
    members = list(range(10))
    made = python_stage(STAGE, _pooled_world(members, members, messages, output), FAST)
    assert made["pooled_members"]["harvest_share"].to_list() == [0.0] * 10
    assert made["cluster_tests"].filter(pl.col("test") == "pooled_harvest_share")["statistic"].to_list() == [0.0]


def test_what_three_accounts_send_word_for_word_is_an_exercise_and_what_two_send_is_not() -> None:
    members = list(range(12))
    worlds = [_pooled_world(members, members, copies=copies) for copies in (2, 3)]
    rows = [python_stage(STAGE, world, FAST)["cluster_tests"].filter(pl.col("test") == "pooled_harvest_share") for world in worlds]
    assert [row["status"].item() for row in rows] == ["ran", "not_run"]


def test_common_wording_is_looked_for_only_in_networks_that_a_family_admits() -> None:
    members = list(range(10))
    made = python_stage(STAGE, _pooled_world(members, members, admitted=False), FAST)
    assert "pooled_harvest_share" not in made["cluster_tests"]["test"].to_list()
    assert not made["pooled_members"].height + made["pooled_templates"].height


def test_a_few_members_who_share_wording_are_not_the_network() -> None:
    made = python_stage(STAGE, _pooled_world(list(range(16)), [0, 1, 2]), FAST)
    assert made["cluster_tests"].filter(pl.col("test") == "pooled_harvest_share")["status"].to_list() == ["not_run"]


def test_where_own_wording_shows_extraction_nothing_is_pooled() -> None:
    members = list(range(10))
    given = _pooled_world(members, members)
    harvest = [{"account_key": key(n), "prompt_key": 2 * d + 1, "habit_count": 5, "request_count": 1, "output_tokens": 900} for n in members for d in range(6)]
    made = python_stage(STAGE, {**given, "boilerplate": frame("boilerplate", harvest)}, FAST)
    rows = dict(made["cluster_tests"].select("test", "status").iter_rows())
    assert (rows["harvest_share"], rows["pooled_harvest_share"]) == ("ran", "not_run")


LEAST = pytest.approx(1 / 300, abs=1e-6)
"""Smallest p of a description."""


def _sent(members: list[int], hour: dict[int, int] | None = None, once: bool = True, form: int = 10) -> Frames:
    """Everybody sends twelve templated prompts by day, half of them in conversation, four in one form; the members send them as said (at `hour` of the twelve, none: by day)."""
    draw = random.Random(3)
    given = _strangers(1, [members])
    rows, habits = [], []
    for n in range(ACCOUNTS):
        is_member = n in members
        for prompt in range(12):
            at = 2 * prompt if is_member and hour is not None else 9 + draw.randrange(8)
            messages = 1 if is_member and once else 1 + 4 * (prompt % 2)
            rows.append(
                {"account_key": key(n), "prompt_key": 2 * prompt + 1, "request_count": 1, "output_tokens": 400, "max_message_count": messages, "first_us": at * 3_600_000_000}
            )
        habits += [
            {"account_key": key(n), "half": half, "shingle": shingle, "document_count": count, "document_total": 12}
            for half, shingle, count in ((0, 1, 9), (0, 2, 5), (1, 1, form if is_member else 4), (1, 2, 12))
        ]
    return {**given, "boilerplate": frame("boilerplate", rows), "habits": frame("habits", habits)}


def test_the_shape_of_templated_prompts_is_described_beside_that_of_other_senders() -> None:
    found = _described(_sent(list(range(10)), hour={}))
    assert list(found) == sorted(SHAPES)
    assert {test: (row["statistic"], row["p_value"]) for test, row in found.items()} == {
        "asked_once": (1.0, LEAST),
        "one_form": (pytest.approx(10 / 12), LEAST),
        "round_the_clock": (pytest.approx(12 / 11), LEAST),  # exactly even: what is unbiased passes 1 by 1/(n - 1)
    }
    assert found["asked_once"]["expected"] == 0.5
    assert found["one_form"]["expected"] == pytest.approx(4 / 12)
    assert {row["sample_size"] for row in found.values()} == {120}


def test_members_like_everybody_are_no_surprise_in_shape() -> None:
    found = _described(_sent(list(range(10)), once=False, form=4))
    assert all(row["p_value"] > 0.05 for row in found.values())


def test_prompts_that_formed_nothing_are_counted_in_the_form_that_the_others_show() -> None:
    assert _described(_sent(list(range(10)), form=3))["one_form"]["statistic"] == pytest.approx(3 / 12)  # 4-gram 2 is in all twelve, but was not the most frequent before


def test_without_message_counts_nothing_is_said_to_be_asked_once_and_the_rest_is_described() -> None:
    given = _sent(list(range(10)))
    found = _described({**given, "boilerplate": given["boilerplate"].with_columns(pl.lit(None, dtype=pl.Int32).alias("max_message_count"))})
    assert {test: row["status"] for test, row in found.items()} == {"asked_once": "not_run", "one_form": "ran", "round_the_clock": "ran"}
    assert found["asked_once"]["reason"] == "messages are not counted in this log"


@pytest.mark.parametrize("senders", [4, 9])
def test_a_network_is_described_where_half_of_its_members_send_templated_prompts(senders: int) -> None:
    given = _sent(list(range(18)))
    silent = [key(n) for n in range(senders, 18)]
    found = _described({**given, "boilerplate": given["boilerplate"].filter(~pl.col("account_key").is_in(silent))})
    assert {row["status"] for row in found.values()} == ({"ran"} if senders == 9 else {"not_run"})


def test_a_description_changes_no_other_test() -> None:
    given = _sent(list(range(10)))
    plain = {**given, "boilerplate": given["boilerplate"].with_columns(pl.lit(0, dtype=pl.Int64).alias("first_us"), pl.lit(None, dtype=pl.Int32).alias("max_message_count"))}
    one, other = (python_stage(STAGE, tables, FAST)["cluster_tests"].filter(pl.col("supports") != DESCRIBES) for tables in (given, plain))
    assert one.equals(other)
