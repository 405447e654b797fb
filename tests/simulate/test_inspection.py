"""Boxes that end the TLS connection of innocents: one rare fingerprint behind whatever client each account uses, and never an operator's account behind it."""

import dataclasses
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipeline.simulate import EVERYONE, Sharing, World, compose, holders, innocents, inspection, world_of, write_dials
from pipeline.simulate.campaigns import CAMPAIGNS
from pipeline.simulate.clients import CODING, POPULAR, SDKS, ja4
from pipeline.simulate.ladder import RUNGS

DAYS, ACCOUNTS = 4, 1600
INSPECTED, GROUPS = 0.12, 0.3
PLAIN = Sharing(literal_session=0.0)  # no session id that strangers share
OWN_STACKS = pl.DataFrame([(agent, ja4(stack)) for agent, stack in POPULAR], schema=["user_agent", "own"], orient="row")
# a harness, noise through a customer's life, accounts bought from their holders, and a name for every account over one stack
OPERATORS = (
    dataclasses.replace(CAMPAIGNS["naive"], accounts=12),
    dataclasses.replace(CAMPAIGNS["hydra"], accounts=20),
    dataclasses.replace(CAMPAIGNS["slow"], accounts=12, clients="rewritten", purchased_share=0.5, purchase_days=2.0),
    dataclasses.replace(RUNGS["L9"], accounts=20),
)


def crowd(inspected: float, groups: float) -> World:
    return compose(innocents(ACCOUNTS, personas=EVERYONE), OPERATORS, dataclasses.replace(PLAIN, inspected=inspected, inspected_groups=groups))


def draw(out: Path, described: World, days: int = DAYS) -> pl.DataFrame:
    """Requests with truth, network and `own`, the fingerprint of the popular client that the user agent names."""
    write_dials(out, described, days, 7, {}, "cheap")
    truth = pl.read_parquet(out / "truth.parquet")
    requests = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in sorted(out.glob("requests/*/*.parquet"))])
    return requests.join(truth, on="account_id").join(OWN_STACKS, on="user_agent", how="left").sort("request_id")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    return draw(tmp_path_factory.mktemp("off"), crowd(0.0, 0.0))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, before: pl.DataFrame) -> pl.DataFrame:
    """With both dials on; `plain` is the fingerprint without, `boxed` whether a box's stands in its place."""
    after = draw(tmp_path_factory.mktemp("on"), crowd(INSPECTED, GROUPS))
    return after.with_columns(plain=before["ja4"]).with_columns(boxed=pl.col("ja4") != pl.col("plain"))


def boxes_of(rows: pl.DataFrame) -> pl.DataFrame:
    """One row a box: its accounts, personas and groups, and the user agents of what passed it. Accounts without a group count as a group each."""
    group = pl.coalesce("network", "account_id")
    return rows.filter("boxed").group_by("ja4").agg(pl.col("account_id", "truth", "user_agent").unique(), groups=group.n_unique())


def busy(rows: pl.DataFrame, at_least: int) -> pl.DataFrame:
    """One row an account with that many requests: the share that passed a box, and how many boxes."""
    accounts = rows.group_by("account_id", "truth", "network").agg(pl.len(), pl.col("boxed").mean(), boxes=pl.col("ja4").filter("boxed").n_unique())
    return accounts.filter(pl.col("len") >= at_least)


def test_without_the_dials_every_popular_client_shows_its_own_stack(before):
    innocent = before.filter(~pl.col("malicious"))
    named = innocent.drop_nulls("own")
    assert named.height > 0.8 * innocent.height
    assert (named["ja4"] == named["own"]).all()
    harnesses = innocent.filter(pl.col("own").is_null())
    assert set(harnesses["truth"]) == {"red_team", "aggregator"}
    assert harnesses["ja4"].n_unique() == harnesses["truth"].n_unique()


def test_a_box_changes_the_fingerprint_and_nothing_else(before, both):
    assert before.drop("ja4").equals(both.drop("ja4", "plain", "boxed"), null_equal=True)
    assert both["boxed"].any()


def test_no_account_of_an_operator_stands_behind_a_box(both):
    bad = both.filter("malicious")
    assert set(bad["truth"]) == {f"campaign:{entry.name}" for entry in OPERATORS}
    assert not bad["boxed"].any()
    assert not set(bad["ja4"]) & set(boxes_of(both)["ja4"])


def test_the_asked_share_of_strangers_stands_behind_boxes(both):
    strangers = busy(both.filter(~pl.col("malicious"), pl.col("network").is_null()), 5)
    assert strangers.height > 600
    assert (strangers["boxed"] > 0).mean() == pytest.approx(INSPECTED, abs=0.04)


def test_the_asked_share_of_groups_has_a_box_of_its_own_and_all_of_it_stands_behind(both):
    accounts = busy(both.filter(~pl.col("malicious"), pl.col("network").is_not_null()), 8)
    groups = accounts.group_by("network").agg(pl.len(), (pl.col("boxed") > 0).mean()).filter(pl.col("len") >= 3)
    whole = groups.filter(pl.col("boxed") == 1.0)
    assert groups.height > 40
    assert whole.height / groups.height == pytest.approx(GROUPS, abs=0.15)
    assert not groups.filter(pl.col("len") >= 6)["boxed"].is_between(0.5, 1.0, closed="left").any()  # elsewhere a member or two are behind a box of strangers
    seen = both.filter("boxed").join(whole, on="network", how="semi").group_by("network").agg(pl.col("ja4").n_unique())
    assert (seen["ja4"] == 1).all()
    shown = both.filter(pl.col("ja4").is_in(both.filter("boxed").join(whole, on="network", how="semi")["ja4"].unique().implode()))
    assert (
        (shown.group_by("ja4").agg(pl.col("network").n_unique(), pl.col("network").null_count().alias("strangers")).select(pl.col("network") == 1, pl.col("strangers") == 0))
        .to_numpy()
        .all()
    )


def test_boxes_of_groups_stand_before_personas_of_many_kinds(both):
    own = boxes_of(both).filter(pl.col("groups") == 1, pl.col("account_id").list.len() > 1)
    assert (own["truth"].list.len() == 1).all()
    assert own["truth"].explode().n_unique() >= 7


def test_a_box_of_strangers_gathers_several_products_and_people_with_nothing_in_common(both):
    sets = boxes_of(both).filter(pl.col("groups") > 1)
    large = sets.filter(pl.col("account_id").list.len() >= 8)
    assert large.height >= 5
    assert (large["truth"].list.len() >= 4).all()
    assert (large["groups"] >= 0.7 * large["account_id"].list.len()).all()
    families = (("browser", "Mozilla/"), ("coding", "loomcode/"), ("script", "/[0-9.]+$"))
    kinds = [pl.col("user_agent").list.eval(pl.element().str.contains(pattern)).list.any().alias(name) for name, pattern in families]
    assert (large.select(*kinds).sum_horizontal() >= 2).all()
    assert large.select(*kinds).to_numpy().all(axis=1).sum() >= 3
    assert (sets["ja4"].is_in(OWN_STACKS["own"].implode())).sum() == 0


def test_what_passes_a_box_keeps_the_name_of_its_popular_client(both):
    boxed = both.filter("boxed", ~pl.col("truth").is_in(["red_team", "aggregator"]))
    assert set(boxed["user_agent"]) <= {agent for agent, _ in POPULAR}
    assert {agent for agent, _ in (*SDKS, *CODING)} & set(boxed["user_agent"])
    assert (boxed["plain"] == boxed["own"]).all()


def test_templated_work_with_long_answers_is_among_what_boxes_of_strangers_show(tmp_path):
    rows = draw(tmp_path, crowd(0.5, 0.0), 2).filter(pl.col("own").is_not_null(), pl.col("ja4") != pl.col("own"), ~pl.col("malicious")).with_columns(boxed=pl.lit(value=True))
    assert {"hobby_script", "evaluator", "synthetic_data"} <= set(rows["truth"])
    sets = boxes_of(rows).filter(pl.col("account_id").list.len() >= 8)
    assert sets.height > 20
    assert (sets["truth"].list.contains("hobby_script")).mean() > 0.5
    assert rows.filter(pl.col("truth") == "hobby_script")["output_tokens"].median() > 400


def test_an_account_has_one_box_and_passes_it_in_seven_tenths_of_its_conversations_at_least(both):
    opening = both.filter(~pl.col("malicious"), pl.col("message_count") <= 2)  # a conversation's first request
    accounts = busy(opening.filter(pl.col("truth") != "stolen_key"), 50)
    assert accounts["boxes"].max() == 1
    behind = accounts.filter(pl.col("boxed") > 0)
    assert behind.height > 30
    assert 0.55 < behind["boxed"].min() < 0.85  # 0.7 but for chance: three sigmas of 50 conversations are 0.19
    assert (behind["boxed"] == 1.0).mean() == pytest.approx(0.5, abs=0.22)
    sessions = both.filter(~pl.col("malicious")).drop_nulls("session_id").group_by("session_id").agg(pl.col("boxed").n_unique())
    assert (sessions["boxed"] == 1).all()


@pytest.mark.parametrize(("inspected", "groups", "gateway"), [(1.0, 0.0, False), (0.0, 1.0, True)])
def test_a_thief_and_a_gateway_connect_from_elsewhere(tmp_path, inspected, groups, gateway):
    sizes = {"stolen_key": 60, "shared_gateway": 60}
    people = tuple(dataclasses.replace(entry.population, size=sizes[entry.population.name]) for entry in EVERYONE if entry.population.name in sizes)
    rows = draw(tmp_path, compose(people, (), dataclasses.replace(PLAIN, inspected=inspected, inspected_groups=groups)))
    thief = rows.filter(pl.col("truth") == "stolen_key", ~pl.col("user_agent").str.starts_with("loomcode"))
    carried = rows.filter(pl.col("truth") == "shared_gateway", ~pl.col("user_agent").str.starts_with("Mozilla"))
    at_home = rows.filter(pl.col("truth") == "shared_gateway", pl.col("user_agent").str.starts_with("Mozilla"))
    assert min(thief.height, carried.height, at_home.height) > 100
    assert (thief["ja4"] == thief["own"]).all()
    assert (carried["ja4"] != carried["own"]).mean() == pytest.approx(0.91 if gateway else 0.0, abs=0.05)  # 1.0 for half of the accounts, 0.85 in the mean for the others
    assert (at_home["ja4"] != at_home["own"]).mean() > 0.8


def built(sharing: Sharing, **sizes: int) -> tuple[list[holders.Holders], inspection.Boxes]:
    people = tuple(dataclasses.replace(entry.population, size=sizes[entry.population.name]) for entry in EVERYONE if entry.population.name in sizes)
    parts = [holders.build(population, sharing, 5, 0, DAYS) for population in people]
    return parts, inspection.build(parts, sharing, 5)


def test_sets_of_strangers_are_some_twelve_and_spread():
    _, boxes = built(Sharing(inspected=0.04), individual=60_000, hobby_script=20_000)
    numbers = np.concatenate(boxes.accounts)
    assert (numbers > 0).mean() == pytest.approx(0.04, abs=0.003)
    sizes = np.bincount(numbers)[1:]
    assert np.median(sizes) == pytest.approx(12, abs=1.5)
    assert 0.03 < (sizes <= 5).mean() < 0.1
    assert 0.01 < (sizes >= 30).mean() < 0.07
    assert len(set(boxes.fingerprints)) == len(boxes.fingerprints) == boxes.strangers + 1 == len(sizes) + 1


def test_two_accounts_of_one_owner_stand_behind_the_same_box():
    (part,), boxes = built(Sharing(inspected=0.3, second_account=1.0), individual=2000)
    twofold = part.second != np.arange(len(part))
    assert twofold.sum() > 1500
    assert (boxes.accounts[0][part.second] == boxes.accounts[0]).all()
    assert (boxes.accounts[0] > 0).mean() == pytest.approx(0.3, abs=0.04)


def test_one_kind_of_box_does_not_move_the_other():
    """But that an account behind its group's box is behind no other."""
    sizes = {"individual": 1000, "enterprise": 1000}
    _, strangers = built(Sharing(inspected=0.1), **sizes)
    _, groups = built(Sharing(inspected_groups=0.3), **sizes)
    _, mixed = built(Sharing(inspected=0.1, inspected_groups=0.3), **sizes)
    assert groups.strangers == 0
    assert ((mixed.accounts[1] > mixed.strangers) == (groups.accounts[1] > 0)).all()
    assert ((mixed.accounts[0] > 0) == (strangers.accounts[0] > 0)).all()
    alone = groups.accounts[1] == 0
    assert ((mixed.accounts[1] > 0) == (strangers.accounts[1] > 0))[alone].all()
    assert set(groups.fingerprints) < set(mixed.fingerprints)


def test_no_account_of_an_operator_is_drawn_whatever_the_rates():
    described = crowd(1.0, 1.0)
    parts = [holders.build(population, described.sharing, 5, 0, DAYS) for population in described.populations]
    for part, numbers in zip(parts, inspection.build(parts, described.sharing, 5).accounts, strict=True):
        assert ((numbers > 0) != part.population.malicious).all()


def test_only_the_newer_worlds_hold_boxes_and_the_look_alike_one_most():
    rates = [
        (entry.inspected, entry.inspected_groups) for entry in (world_of(name, 600, 0.05).sharing for name in ("quiet", "demo", "ladder-L6", "preset:hydra-2026", "lookalike"))
    ]
    assert rates == [(0.0, 0.0), (0.0, 0.0), (0.02, 0.05), (0.02, 0.05), (0.04, 0.15)]


def test_two_processes_write_the_same_boxes(tmp_path):
    call = "write_world(Path(sys.argv[1]), 'lookalike', 300, 1, 9, 0.0, 'cheap')"
    for name, extra in (("a", {"PYTHONHASHSEED": "1", "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}), ("b", {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo"})):
        program = f"import sys; from pathlib import Path; from pipeline.simulate import write_world; {call}"
        subprocess.run([sys.executable, "-c", program, str(tmp_path / name)], check=True, env={**os.environ, **extra})
    written = [{path.relative_to(tmp_path / name): hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / name).rglob("*.parquet")} for name in ("a", "b")]
    assert written[0] == written[1]
    requests = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in (tmp_path / "a").glob("requests/*/*.parquet")]).join(OWN_STACKS, on="user_agent")
    assert requests.filter(pl.col("ja4") != pl.col("own"))["account_id"].n_unique() >= 5
