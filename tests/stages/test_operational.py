"""Operational tests of clusters: planted mechanisms are told, strangers are not, innocent causes are seen as what they are, and no verdict knows any of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
import pytest

from pipeline.ingest.context import Context
from pipeline.ingest.events import context_events
from pipeline.kinds import OPERATIONAL
from pipeline.measures.succession import DAY_US, HOUR_US
from pipeline.stages import STAGES
from pipeline.stages.operations import SHOWN_P
from tests.stages.builders import START, START_US, Frames, empty, frame, key, python_stage, stage_named, streamed

STAGE = stage_named("pipeline.stages.operational:operational_tests")
ITEMS = stage_named("pipeline.stages.work_items:work_items")
ACCOUNTS, DAYS = 160, 14
KEYS = sorted(key("operational", n) for n in range(ACCOUNTS))
MEMBERS = range(12)
Rows = list[dict[str, object]]


def _given(members: range = MEMBERS, **tables: Rows) -> Frames:
    """Accounts that work alike; those of `members` (by place) are a cluster. Named tables come beside."""
    days = [
        {"account_key": KEYS[n], "day": START.replace(day=1 + day), "request_count": random.Random(f"{n} {day}").randint(1, 30)} for n in range(ACCOUNTS) for day in range(DAYS)
    ]
    rows: Mapping[str, Rows] = {
        "account_records": [{"account_key": KEYS[n], "account_id": f"a{n}", "is_vouched": False} for n in range(ACCOUNTS)],
        "features": [{"account_key": KEYS[n], "first_us": START_US, "request_count": 100 + n % 7, "active_days": DAYS, "output_tokens_mean": 400.0} for n in range(ACCOUNTS)],
        "first_requests": [{"account_key": KEYS[n], "request_id": f"first-{n}", "source_file": "f", "source_row": n} for n in range(ACCOUNTS)],
        "clusters": [{"cluster": 0, "account_key": KEYS[n], "origin": "network", "bits": 20.0} for n in members],
        "daily_requests": days,
    }
    return {name: frame(name, tables.get(name, rows.get(name, []))) for name in STAGE.reads}


def _row(given: Frames, test: str) -> dict[str, object]:
    return python_stage(STAGE, given)["operational_tests"].filter(pl.col("test") == test).row(0, named=True)


def _moved(n: int, *, moved: bool, active: int = 20) -> dict[str, object]:
    return {
        "model": "new",
        "account_key": KEYS[n],
        "before_count": 40,
        "after_count": active,
        "new_count": active // 2 if moved else 0,
        "request_id": f"new-{n}",
        "source_file": "f",
        "source_row": n,
    }


def test_nothing_that_judges_reads_an_operational_test() -> None:
    readers = {stage.writes[0] for stage in STAGES if {"operational_tests", "operational_requests"} & set(stage.reads)}
    assert readers == {"controls", "findings"}, "stage 66 gives them their network's name, stage 70 shows them"
    made = python_stage(STAGE, _given())["operational_tests"]
    assert dict(made.select("test", "family").iter_rows()) == OPERATIONAL
    judged = {"cluster_tests", "cluster_families", "cluster_alternatives", "networks", "members", "network_ablations"}
    upstream = {"operational_tests", "operational_requests", "work_items", "release_moves", "context_events"}
    assert not any(set(stage.reads) & upstream and set(stage.writes) & judged for stage in STAGES)


def test_no_clusters_and_small_clusters_have_no_tests() -> None:
    for given in ({name: empty(name) for name in STAGE.reads}, _given(range(0)), _given(clusters=[{"cluster": 0, "account_key": KEYS[0], "origin": "small", "bits": 20.0}])):
        assert [frame.height for frame in python_stage(STAGE, given).values()] == [0, 0]


def test_without_columns_and_context_each_test_says_why_it_did_not_run() -> None:
    given = {name: empty(name) for name in STAGE.reads} | {name: _given()[name] for name in ("clusters", "account_records")}
    made = python_stage(STAGE, given)["operational_tests"]
    assert made["status"].to_list() == ["not_run"] * len(OPERATIONAL)
    assert (made["reason"].str.len_chars() > 20).all()
    assert made["p_value"].null_count() == made.height


def test_members_who_move_at_a_release_are_told_and_the_requests_are_shown() -> None:
    rows = [_moved(n, moved=n in MEMBERS or n % 20 == 0) for n in range(ACCOUNTS)]
    made = python_stage(STAGE, _given(release_moves=rows))
    row = made["operational_tests"].filter(pl.col("test") == "release_pivot").row(0, named=True)
    assert (row["statistic"], row["status"], row["sample_size"]) == (1.0, "ran", 12)
    assert row["p_value"] <= SHOWN_P
    assert sorted(made["operational_requests"].filter(pl.col("test") == "release_pivot")["request_id"]) == sorted(f"new-{n}" for n in MEMBERS)


def test_where_everybody_moves_at_once_nobody_stands_out() -> None:
    """A client that changes its default model, or a model that everybody wants."""
    rows = [_moved(n, moved=random.Random(n).random() < 0.8) for n in range(ACCOUNTS)]
    assert _row(_given(release_moves=rows), "release_pivot")["p_value"] > 0.05  # type: ignore[operator]


def test_a_pivot_asks_only_accounts_that_were_active_before_and_after() -> None:
    idle = [_moved(n, moved=True, active=2) for n in MEMBERS] + [_moved(n, moved=False) for n in range(20, ACCOUNTS)]
    row = _row(_given(release_moves=idle), "release_pivot")
    assert (row["status"], row["p_value"]) == ("not_run", None)


def test_strangers_move_by_chance_about_as_often_as_the_level_says() -> None:
    p_values = []
    for seed in range(25):
        draw = random.Random(seed)
        rows = [_moved(n, moved=draw.random() < 0.3) for n in range(ACCOUNTS)]
        p_values.append(_row(_given(release_moves=rows, daily_requests=[]), "release_pivot")["p_value"])
    assert np.mean(np.array(p_values, dtype=float) <= 0.2) <= 0.2 + 3 * np.sqrt(0.16 / 25)


def _born(moment: Callable[[int], int], banned: Mapping[int, int], *, listed: bool = True) -> Frames:
    """Members are born at a moment each; some are banned."""
    status = {} if listed else {"status": "banned"}
    records = [
        {
            "account_key": KEYS[n],
            "account_id": f"a{n}",
            "is_vouched": False,
            "created_us": moment(n) if n in MEMBERS else START_US + n,
            **({"status_changed_us": banned[n], **status} if n in banned else {}),
        }
        for n in range(ACCOUNTS)
    ]
    events = [{"kind": "ban", "at_us": at_us, "model": "", "account_key": KEYS[n]} for n, at_us in banned.items()] if listed else []
    return _given(account_records=records, context_events=events)


BANS = {n: START_US + day * DAY_US + 10 * HOUR_US for n, day in ((0, 3), (1, 6), (2, 11))}


@pytest.mark.parametrize("listed", [True, False])
def test_births_after_bans_are_told_from_the_list_of_bans_or_from_the_accounts_table(listed: bool) -> None:
    days = (3, 6, 11)
    made = python_stage(STAGE, _born(lambda n: START_US + days[n % 3] * DAY_US + 11 * HOUR_US + n if n > 2 else START_US - DAY_US, BANS, listed=listed))
    row = made["operational_tests"].filter(pl.col("test") == "ban_succession").row(0, named=True)
    assert (row["status"], row["statistic"], row["sample_size"]) == ("ran", 1.0, 9)
    assert row["p_value"] < 0.02
    assert row["expected"] < 0.5


def test_births_of_one_day_after_one_ban_are_no_proof() -> None:
    """A class signs up on the day after one pupil was banned: one coincidence, however many pupils."""
    row = _row(_born(lambda n: START_US + 6 * DAY_US + 12 * HOUR_US + n if n > 2 else START_US - DAY_US, {1: BANS[1]}), "ban_succession")
    assert (row["status"], row["statistic"]) == ("ran", 1.0)
    assert row["p_value"] > 0.04  # type: ignore[operator]


def test_bans_on_most_days_tell_nothing() -> None:
    row = _row(_born(lambda n: START_US + n * DAY_US, {n: START_US + n * DAY_US + HOUR_US for n in range(12)}), "ban_succession")
    assert row["status"] == "not_run"
    assert "spread" in str(row["reason"])


def test_a_ban_right_after_a_birth_is_no_birth_after_a_ban() -> None:
    """Enforcement that catches newcomers within hours would else look like a succession."""
    row = _row(_born(lambda n: START_US + n * DAY_US, {n: START_US + n * DAY_US + 4 * HOUR_US for n in (1, 6)}), "ban_succession")
    assert row["sample_size"] == 10


def _dealt(seed: int, how: str) -> Rows:
    rng = np.random.default_rng(seed)
    totals = rng.integers(60, 90, DAYS)
    rows: Rows = []
    for day in range(DAYS):
        if how == "turns":
            counts = np.bincount(np.arange(totals[day]) % len(MEMBERS), minlength=len(MEMBERS))
        elif how == "chance":
            counts = rng.multinomial(totals[day], np.ones(len(MEMBERS)) / len(MEMBERS))
        else:
            counts = rng.poisson(rng.gamma(1.0, 6.0, len(MEMBERS)))
        counts = np.maximum(counts, day in (0, DAYS - 1))
        rows += [{"account_key": KEYS[n], "day": START.replace(day=1 + day), "request_count": int(counts[n])} for n in MEMBERS if counts[n]]
    return rows


def test_requests_in_turns_are_told() -> None:
    made = python_stage(STAGE, _given(daily_requests=_dealt(1, "turns")))
    row = made["operational_tests"].filter(pl.col("test") == "even_load").row(0, named=True)
    assert row["p_value"] == SHOWN_P
    assert row["statistic"] < 0.2 < row["expected"]
    assert made["operational_requests"].filter(pl.col("test") == "even_load").height == len(MEMBERS)


def test_people_are_not_even_and_chance_keeps_the_level() -> None:
    assert _row(_given(daily_requests=_dealt(1, "people")), "even_load")["p_value"] > 0.5  # type: ignore[operator]
    p_values = [_row(_given(daily_requests=_dealt(seed, "chance")), "even_load")["p_value"] for seed in range(20)]
    assert np.mean(np.array(p_values, dtype=float) <= 0.2) <= 0.2 + 3 * np.sqrt(0.16 / 20)


def test_accounts_that_come_and_go_are_left_out_of_the_table() -> None:
    """A member that is born on the ninth day would look uneven."""
    rows = [row for row in _dealt(1, "turns") if row["account_key"] != KEYS[0] or row["day"] >= START.replace(day=9)]  # type: ignore[operator]
    row = _row(_given(daily_requests=rows), "even_load")
    assert row["p_value"] == SHOWN_P


def _texts(wrapping: list[int], works: list[list[int]], prompts: range) -> Rows:
    return [{"prompt_key": prompt, "shingles": sorted({*wrapping, *work}), "shingle_count": 20} for prompt, work in zip(prompts, works, strict=True)]


def test_the_same_work_in_other_wrappings_is_one_item() -> None:
    work = [[1000 * n + 3, 1000 * n + 5, 1000 * n + 9] for n in range(1, 7)]
    one, other = _texts([7, 8], work, range(0, 12, 2)), _texts([11, 12], work, range(100, 112, 2))
    samples = frame("window_samples", [{**row, "account_key": 1} for row in one] + [{**row, "account_key": 2} for row in other])
    recurring = frame("recurring_shingles", [{"account_key": a, "half": 0, "shingle": s, "document_count": 6, "document_total": 6} for a, s in ((1, 7), (1, 8), (2, 11), (2, 12))])
    made = streamed(ITEMS, samples, recurring_shingles=recurring, rows=5)
    assert made.filter(pl.col("account_key") == 1)["item_key"].to_list() == made.filter(pl.col("account_key") == 2)["item_key"].to_list()
    assert made.height == 12
    assert made.filter(pl.col("account_key") == 1)["prompt_key"].to_list() == list(range(0, 12, 2))


def test_wording_that_one_account_has_twice_is_no_item_and_nothing_gives_nothing() -> None:
    samples = frame("window_samples", [{**row, "account_key": 1} for row in _texts([], [[3, 5, 9], [3, 5, 9], [4, 6], [8], [2**27, 2**27 + 1]], range(5))])
    made = streamed(ITEMS, samples, recurring_shingles=empty("recurring_shingles"), rows=2)
    assert made["prompt_key"].to_list() == [2]
    assert streamed(ITEMS, samples.clear(), recurring_shingles=empty("recurring_shingles")).height == 0


def _items(members: Callable[[int], list[int]], each: int = 60, corpus: int = 3000) -> tuple[Rows, Rows]:
    """What members work on, and what outsiders of the corpus do; and the members' prompts."""
    lists = {n: members(n) for n in MEMBERS} | {n: random.Random(n).sample(range(corpus), each) for n in range(20, 80)}
    items: Rows = [{"account_key": KEYS[n], "item_key": work, "prompt_key": 2 * work + 1} for n, own in lists.items() for work in own]
    prompts: Rows = [
        {"account_key": KEYS[n], "prompt_key": 2 * work + 1, "request_id": f"{n}-{work}", "source_file": "f", "source_row": work} for n in MEMBERS for work in lists[n]
    ]
    return items, prompts


def test_dealt_out_work_is_told_with_the_prompts_that_show_it() -> None:
    order = random.Random(0).sample(range(3000), 3000)
    items, prompts = _items(lambda n: order[n * 150 : (n + 1) * 150])
    made = python_stage(STAGE, _given(work_items=items, boilerplate=prompts))
    row = made["operational_tests"].filter(pl.col("test") == "disjoint_work").row(0, named=True)
    assert (row["status"], row["statistic"]) == ("ran", 0.0)
    assert row["expected"] > 9.2
    assert row["p_value"] < 1e-4
    behind = made["operational_requests"].filter(pl.col("test") == "disjoint_work")
    held: dict[object, int] = {}
    for item in items:
        if item["account_key"] not in KEYS[:12]:
            held[item["item_key"]] = held.get(item["item_key"], 0) + 1
    assert sorted(behind["source_row"].to_list()) == sorted(work for n in MEMBERS for work in order[n * 150 : (n + 1) * 150] if held.get(work) == 1)


def test_little_work_is_undecided_and_the_row_says_how_much_was_expected() -> None:
    order = random.Random(0).sample(range(3000), 3000)
    row = _row(_given(work_items=_items(lambda n: order[n * 20 : (n + 1) * 20])[0]), "disjoint_work")
    assert (row["status"], row["p_value"]) == ("undecided", None)
    assert str(row["reason"]).startswith(f"E = {row['expected']:.1f} repeats")


def test_independent_work_is_not_told_and_a_class_repeats_itself() -> None:
    drawn = _given(work_items=_items(lambda n: random.Random(-n - 1).sample(range(3000), 150))[0])
    row = _row(drawn, "disjoint_work")
    assert row["status"] == "undecided" or float(str(row["p_value"])) > 0.01
    pupils = _given(work_items=_items(lambda _: list(range(40)))[0])
    row = _row(pupils, "repeated_work")
    assert (row["supports"], row["statistic"]) == ("benign", 1.0)
    assert row["p_value"] == SHOWN_P
    assert _row(pupils, "disjoint_work")["status"] != "ran" or _row(pupils, "disjoint_work")["p_value"] > 0.5  # type: ignore[operator]


def test_the_order_of_rows_and_of_clusters_changes_nothing() -> None:
    given = _given(release_moves=[_moved(n, moved=n % 5 == 0) for n in range(ACCOUNTS)], work_items=_items(lambda n: list(range(n, n + 30)))[0])
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=3) if name != "work_items" else frame for name, frame in given.items()}
    for name, made in python_stage(STAGE, given).items():
        assert made.equals(python_stage(STAGE, shuffled)[name])


def test_context_events_are_releases_and_bans_of_known_accounts() -> None:
    records = pl.DataFrame({"account_id": ["a", "b"], "account_key": [5, 3]})
    made = context_events(Context(releases=(("m", 9),), bans=(("b", 7), ("stranger", 8), ("a", 7))), records)
    assert made.rows() == [("ban", 7, "", 3), ("ban", 7, "", 5), ("release", 9, "m", 0)]
    assert context_events(Context(), records).schema == made.schema
