"""What becomes of each planted group, from requests to findings; what holds for every table; and that no order of rows matters."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipeline.stages import PUBLISHED, STAGES, TABLES
from tests.stages import planted
from tests.stages.builders import Frames, empty, python_stage, run, shuffled

LATER = ("network_ids", "lineage", "known_networks", "known_values", "returned_values", "blind_spots")
"""Tables that the run makes at its edges or from earlier nights."""
PUBLISHED_HERE = sorted(set(PUBLISHED) - set(LATER))
PYTHON_STAGES = [stage for stage in STAGES if not stage.is_sql and not stage.is_edge and stage.writes[0] not in LATER]


def _networks(tables: Frames, group: str) -> pl.DataFrame:
    """Networks that hold an account of a group, each with how many of them it holds."""
    held = tables["members"].filter(pl.col("account_id").str.starts_with(group)).group_by("network_id").agg(pl.len().alias("held"))
    return tables["networks"].join(held, on="network_id")


def _only(tables: Frames, group: str) -> dict[str, object]:
    found = _networks(tables, group)
    assert found.height == 1
    return found.row(0, named=True)


def test_a_campaign_that_shares_cards_and_wording_is_referred_whole(tables: Frames) -> None:
    network = _only(tables, "carded")
    assert (network["tier"], network["flagged"]) == ("refer", True)
    assert network["held"] == network["account_count"] == planted.CARDED


def test_only_the_campaign_is_referred(tables: Frames) -> None:
    flagged = tables["networks"].filter("flagged")
    members = tables["members"].join(flagged, on="network_id", how="semi")
    assert members["account_id"].str.starts_with("carded").all()
    assert flagged.height == 1


def test_the_same_campaign_without_cards_or_addresses_is_watched(tables: Frames) -> None:
    network = _only(tables, "quiet")
    assert network["tier"] == "watch"
    assert network["held"] == network["account_count"] == planted.QUIET


def test_a_vouched_organisation_that_does_the_same_is_listed_and_never_referred(tables: Frames) -> None:
    network = _only(tables, "firm")
    assert network["tier"] in {"explained", "watch"}
    assert network["best_alternative"] == "vouched_organisation"
    assert network["entity_count"] == 1
    assert network["held"] == planted.FIRM


def test_no_link_joins_two_accounts_of_a_vouched_organisation(tables: Frames) -> None:
    firm = pl.col("account_a").str.starts_with("firm") & pl.col("account_b").str.starts_with("firm")
    assert tables["links"].filter(firm).height == 0
    assert tables["links"].height > 0


def test_a_class_is_explained(tables: Frames) -> None:
    network = _only(tables, "pupil")
    assert (network["tier"], network["best_alternative"]) == ("explained", "classroom")
    assert network["alternative_margin_bits"] <= 0


def test_users_of_one_public_client_are_not_even_linked(tables: Frames) -> None:
    assert tables["preambles"].filter("is_client").height == 1
    assert tables["links"].filter(pl.col("account_a").str.starts_with("client") & pl.col("account_b").str.starts_with("client")).height == 0
    assert _networks(tables, "client").height == 0


def test_a_self_serve_team_is_not_referred(tables: Frames) -> None:
    network = _only(tables, "team")
    assert network["best_alternative"] == "self_serve_team"
    assert network["tier"] != "refer"


def test_households_are_listed_as_small_groups_to_watch(tables: Frames) -> None:
    found = _networks(tables, "home")
    assert found["tier"].to_list() == ["watch"] * planted.HOMES
    assert found["account_count"].to_list() == [2] * planted.HOMES


@pytest.mark.parametrize("group", ["person", "script"])
def test_strangers_are_in_no_network(tables: Frames, group: str) -> None:
    assert _networks(tables, group).height == 0


def test_controls_are_outside_every_network_formed_by_links_and_never_members(tables: Frames) -> None:
    listed = tables["members"].join(tables["networks"].filter(pl.col("coordination_bits") > 0), on="network_id")["account_id"]
    assert tables["controls"].height > 0
    assert not tables["controls"]["account_id"].is_in(listed.implode()).any()


def test_bits_strength_and_scores_stay_in_their_ranges(tables: Frames) -> None:
    members, families = tables["members"], tables["network_families"]
    for column in ("membership", "extraction_score"):
        assert members[column].is_between(0, 1).all()
    for column in ("coverage_share", "linked_pair_share"):
        assert families[column].is_between(0, 1).all()
    assert families["control_percentile"].is_between(0, 100).all()
    assert (tables["links"]["bits"] >= 0).all()
    p_values = tables["network_tests"]["p_value"].drop_nulls()
    assert ((p_values > 0) & (p_values <= 1)).all()


def test_members_belong_to_one_network_and_are_counted_right(tables: Frames) -> None:
    counted = (
        tables["members"]
        .group_by("network_id")
        .agg(pl.len().cast(pl.Int64).alias("account_count"), (pl.col("role") == "core").sum().cast(pl.Int64).alias("core_count"), pl.col("request_count").sum())
    )
    wanted = tables["networks"].select(counted.columns)
    assert_frame_equal(counted.sort("network_id"), wanted.sort("network_id"))
    assert tables["members"]["account_id"].is_unique().all()


def test_the_strongest_fellow_is_a_member_and_stands_in_the_links(tables: Frames) -> None:
    bits = pl.concat(
        [
            tables["links"].filter(pl.col("bits_kind") == "rarity").select(pl.col(a).alias("account_id"), pl.col(b).alias("strongest_account_id"), "bits")
            for a, b in (("account_a", "account_b"), ("account_b", "account_a"))
        ]
    )
    pairs = bits.group_by("account_id", "strongest_account_id").agg(pl.col("bits").sum().round(6).alias("sum"))
    largest = pairs.group_by("account_id").agg(pl.col("sum").max().alias("largest"))
    named = tables["members"].drop_nulls("strongest_account_id").join(pairs, on=["account_id", "strongest_account_id"], how="left").join(largest, on="account_id")
    assert named.height >= planted.CARDED + planted.QUIET
    assert named["sum"].to_list() == pytest.approx(named["strongest_bits"].to_list())
    assert (named["strongest_bits"] <= named["largest"] + 1e-6).all()


@pytest.mark.parametrize("source", ["tables", "nothing"])
@pytest.mark.parametrize("name", PUBLISHED_HERE)
def test_a_published_table_has_the_columns_types_and_grain_of_the_schema(name: str, source: str, request: pytest.FixtureRequest) -> None:
    table = request.getfixturevalue(source)[name]
    assert dict(table.schema) == dict(empty(name).schema)
    assert list(table.columns) == list(TABLES[name].column_names)
    assert table.select(TABLES[name].grain).is_unique().all()


def test_a_log_without_rows_has_no_links_networks_or_findings(nothing: Frames) -> None:
    assert {name: nothing[name].height for name in PUBLISHED_HERE} == dict.fromkeys(PUBLISHED_HERE, 0)


def test_the_order_of_requests_samples_and_records_changes_nothing(given: Frames, tables: Frames) -> None:
    again = run(shuffled(given, 17))
    for name in PUBLISHED_HERE:
        assert_frame_equal(again[name], tables[name])


@pytest.mark.parametrize("stage", PYTHON_STAGES, ids=lambda stage: stage.writes[0])
def test_no_stage_depends_on_the_order_of_the_rows_it_reads(stage, tables: Frames) -> None:
    reads = {name: tables[name] if name in tables else empty(name) for name in stage.reads}
    made = python_stage(stage, shuffled(reads, 5))
    for name, table in made.items():
        assert_frame_equal(table, tables[name])
