"""What is left of a network without one family: held against whole runs that never had the family."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest

from pipeline.kinds import FAMILIES, LIKENESS_FAMILIES
from pipeline.stages import ablations
from pipeline.stages.ablations import FALLS_APART, struck
from pipeline.stages.clusters import clusters, networks_of
from pipeline.stages.coupling import REWRITTEN
from pipeline.stages.verdict import TESTED
from tests.stages import planted
from tests.stages.builders import CONFIG, Frames, run, stage_named, world

STAGE = stage_named("pipeline.stages.ablations:ablations")


def _rows(tables: Frames) -> dict[str, dict[str, object]]:
    return {row["family"]: row for row in tables["network_ablations"].iter_rows(named=True)}


def test_only_the_referred_network_is_judged_again_once_a_family(tables: Frames) -> None:
    (flagged,) = tables["networks"].filter("flagged")["network_id"]
    assert set(tables["network_ablations"]["network_id"]) == {flagged}
    assert sorted(_rows(tables)) == sorted({*FAMILIES, *TESTED, *LIKENESS_FAMILIES})


def test_a_family_that_says_nothing_of_the_network_changes_nothing(tables: Frames) -> None:
    network = tables["networks"].filter("flagged").row(0, named=True)
    without = _rows(tables)["duplicates"]
    assert tables["network_families"].filter((pl.col("network_id") == network["network_id"]) & (pl.col("family") == "duplicates"))["linked_pair_share"].to_list() == [0.0]
    for column in ("tier", "reason", "coordination_bits", "q_value", "best_alternative", "alternative_margin_bits"):
        assert without[column] == network[column], column
    assert (without["held_count"], without["piece_count"]) == (network["account_count"], 1)


def test_without_the_gate_nothing_is_referred(tables: Frames) -> None:
    without = _rows(tables)["identity"]
    assert without["tier"] != "refer"
    assert without["reason"] != ""


@pytest.mark.parametrize(
    ("family", "blank"), [("identity", {"payment": "", "device": "", "signup": ""}), pytest.param("infrastructure", {"addresses": ()}, marks=pytest.mark.slow)]
)
def test_a_whole_run_over_a_world_without_the_facts_says_the_same(tables: Frames, family: str, blank: dict[str, object]) -> None:
    """The oracle: the same accounts, none of which shares anything of the family, through every stage."""
    again = run(world([dataclasses.replace(account, **blank) for account in planted.PLANTED]))
    held = again["members"].filter(pl.col("account_id").str.starts_with("carded")).group_by("network_id").len()
    network = held.join(again["networks"], on="network_id").sort("len").row(-1, named=True)
    without = _rows(tables)[family]
    assert without["held_count"] == network["len"]
    assert (without["tier"], without["reason"]) == (network["tier"], network["reason"])
    assert without["coordination_bits"] == pytest.approx(network["coordination_bits"], abs=0.2), "rarity is counted over other values"


def test_a_network_that_hangs_on_one_family_falls_apart_without_it() -> None:
    """Cards tie most pairs; without them only a likeness is left, which is one family and no link."""
    accounts = [*planted.ordinary(220, 40), *planted.group("ring", 16, payment="one card", wording="harvest", output=planted.LONG)]
    accounts[0] = dataclasses.replace(accounts[0], organization="a firm")  # organisations are logged, so the ring is none
    tables = run(world(accounts))
    if not tables["networks"].filter("flagged").height:
        pytest.fail("the ring is not referred, so nothing is tested")
    without = _rows(tables)
    assert (without["identity"]["held_count"], without["identity"]["piece_count"]) == (0, 0)
    assert (without["identity"]["tier"], without["identity"]["reason"]) == ("watch", FALLS_APART)
    assert without["templates"]["reason"] == FALLS_APART


def test_striking_takes_every_trace_of_a_family(tables: Frames) -> None:
    own = {name: tables[name] for name in STAGE.reads if name in tables}
    for family in (*FAMILIES, *TESTED):
        left = struck(own, family)
        kinds = set(own["kinds"].filter(pl.col("family") == family)["kind"])
        for name in ("shared_values", "pair_links", "cluster_values"):
            assert not kinds & set(left[name]["kind"])
            assert left[name].height == own[name].filter(~pl.col("kind").is_in(list(kinds))).height
        for name in ("kinds", "cluster_families", "cluster_tests"):
            assert family not in set(left[name]["family"])


def test_nothing_gives_an_empty_table(nothing: Frames) -> None:
    assert nothing["network_ablations"].height == 0


def _with_client(tables: Frames, topic: int) -> Frames:
    """The tables of a run in which the members of the referred network hold one rewritten client, too; with topic 1 they write about one thing, else each about its own."""
    flagged = tables["networks"].filter("flagged").select("network_id")
    keys = tables["members"].join(flagged, on="network_id", how="semi").join(tables["account_records"], on="account_id")["account_key"].sort()
    some = tables["shared_values"].filter(pl.col("kind") == "payment").head(1)
    rows = pl.concat([some.with_columns(pl.lit(key, pl.Int64).alias("account_key"), pl.lit(key, pl.Int64).alias("entity_key")) for key in keys])
    held = rows.with_columns(pl.lit(REWRITTEN).alias("kind"), pl.lit(77, pl.Int64).alias("value_key"), pl.lit(keys.len(), pl.Int64).alias("df")).select(some.columns)
    everybody = tables["account_records"]["account_key"].sort().to_list()
    inside = set(keys)
    words = [(key, 0, token, 9) for place, key in enumerate(everybody) for token in ([1, 2, 3] if key in inside and topic == 1 else [10 + place % 37, 60 + place % 41])]
    account_words = pl.DataFrame(words, schema=dict.fromkeys(("account_key", "half", "token", "document_count"), pl.Int64), orient="row")
    given = {**tables, "shared_values": pl.concat([tables["shared_values"], held]), "account_words": account_words}
    return given | {"joining_clients": clusters(given, CONFIG)["joining_clients"]}


@pytest.mark.parametrize(("topic", "joins"), [(1, True), (0, False)])
def test_a_client_puts_together_here_only_what_it_put_together_in_the_run(tables: Frames, monkeypatch: pytest.MonkeyPatch, topic: int, joins: bool) -> None:
    """A box between strangers and the service joins nobody in stage 55, so it must not hold a group together when a family is struck out."""
    given = _with_client(tables, topic)
    seen: dict[str, list[int]] = {}

    def spy(links: pl.DataFrame, values: pl.DataFrame, clients: list[object], *rest: object) -> object:
        seen.setdefault("with" if (values["kind"] == REWRITTEN).any() else "without", []).append(len(clients))
        return networks_of(links, values, clients, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(ablations, "networks_of", spy)
    ablations.ablations({name: given[name] for name in STAGE.reads}, CONFIG)
    assert set(seen["with"]) == {int(joins)}
    assert set(seen["without"]) == {0}, "the client itself is struck out"
