"""The small parts that stages share: positions of a population, account views, tables made to fit, and names given to clusters."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipeline import schema
from pipeline.kinds import FAMILIES, family_caps, kind_table, kinds
from pipeline.stages.alternatives import EXPLAINS
from pipeline.stages.evidence_views import account_views, held_out_wording
from pipeline.stages.frames import conform
from pipeline.stages.population import population
from tests.stages import planted
from tests.stages.builders import CONFIG, Frames, empty, frame, key, python_stage, stage_named

KINDS = kind_table(CONFIG.links)


def _people(records: list[dict[str, object]]) -> Frames:
    return {"account_records": frame("account_records", records), "shared_values": empty("shared_values"), "kinds": KINDS}


def test_a_population_is_sorted_by_key_and_a_vouched_organisation_is_one_entity() -> None:
    people = population(
        _people(
            [
                {"account_key": 9, "account_id": "i", "is_vouched": True, "organization_key": 50},
                {"account_key": 3, "account_id": "c", "is_vouched": True, "organization_key": 50},
                {"account_key": 7, "account_id": "g", "is_vouched": False, "organization_key": 50},
                {"account_key": 5, "account_id": "e", "is_vouched": True},
                {"account_key": 4, "account_id": "d"},
            ]
        )
    )
    assert people.keys.tolist() == [3, 4, 5, 7, 9]
    assert people.ids == ("c", "d", "e", "g", "i")
    assert people.entity.tolist() == [50, 4, 5, 7, 50]
    assert people.entity_total == 4
    assert people.edge_bits(CONFIG.networks) == math.log2(4) + CONFIG.networks.edge_margin_bits
    assert people.positions(pl.Series([9, 3])).tolist() == [4, 0]


@pytest.mark.parametrize("records", [[], [{"account_key": 1, "account_id": "a"}]])
def test_an_edge_never_costs_less_than_two_entities_would(records: list[dict[str, object]]) -> None:
    assert population(_people(records)).edge_bits(CONFIG.networks) == 1 + CONFIG.networks.edge_margin_bits


def test_views_count_templated_and_long_answers_among_prompts_kept_out_of_clustering() -> None:
    least = CONFIG.verdict.min_output_tokens
    given = {
        **_people([{"account_key": n, "account_id": str(n)} for n in (1, 2, 3)]),
        "features": frame(
            "features", [{"account_key": 3, "request_count": 50, "active_days": 4, "output_tokens_mean": 9.0}, {"account_key": 1, "request_count": 10, "active_days": 2}]
        ),
        "boilerplate": frame("boilerplate", [{"account_key": 1, "prompt_key": n, "output_tokens": tokens} for n, tokens in enumerate((least - 1, least, least + 1))]),
        "sample_totals": frame("sample_totals", [{"account_key": 1, "document_count": 12}, {"account_key": 2, "document_count": 5}]),
    }
    views = account_views(given, population(given), CONFIG)
    assert views.requests.tolist() == [10, 0, 50]
    assert views.document_count.tolist() == [12, 5, 0]
    assert views.templated_share.tolist() == [3 / 12, 0, 0]
    assert views.harvest_share.tolist() == [2 / 12, 0, 0]
    assert (views.volume.shape, views.manner.shape) == ((3, 2), (3, 4))
    assert np.isfinite(views.manner).all()


def test_the_mix_of_wording_is_that_of_the_held_out_half_weighed_by_share() -> None:
    given = _people([{"account_key": n, "account_id": str(n)} for n in (1, 2)])
    rows = [(1, 0, 70, 9, 9), (1, 1, 71, 3, 5), (1, 1, 72, 4, 5)]
    habits = frame("habits", [dict(zip(("account_key", "half", "shingle", "document_count", "document_total"), row, strict=True)) for row in rows])
    assert held_out_wording(habits, population(given)).toarray() == pytest.approx(np.array([[0.6, 0.8], [0.0, 0.0]]))


def test_frames_are_made_to_fit_in_columns_types_and_order() -> None:
    rows = pl.DataFrame(
        {"extra": [1, 2], "other_id": [None, "b"], "account_count": [3, 4], "night": ["2026-05-02", "2026-05-01"], "event": ["new", "new"], "network_id": ["N-2", "N-1"]}
    )
    later = {"tier": pl.lit("watch"), "matched_by": pl.lit(None, dtype=pl.String), "matched_bits": pl.lit(None, dtype=pl.Float64), "is_superseded": pl.lit(value=False)}
    made = conform(rows.with_columns(pl.col("night").str.to_date(), **later), schema.LINEAGE)
    assert dict(made.schema) == dict(empty("lineage").schema)
    assert made["network_id"].to_list() == ["N-1", "N-2"]
    assert conform(pl.DataFrame(), schema.NETWORKS).schema == empty("networks").schema


def test_microseconds_become_times_in_utc() -> None:
    made = conform(empty("networks").select(pl.all().cast(pl.Int64, strict=False)), schema.NETWORKS)
    assert dict(made.schema)["first_seen_at"] == pl.Datetime("us", "UTC")


def test_every_kind_is_of_a_known_family_and_no_kind_is_worth_more_than_its_family() -> None:
    caps = family_caps(CONFIG.links)
    assert set(caps) == set(FAMILIES) == {kind.family for kind in kinds(CONFIG.links)}
    assert all(0 < kind.cap_bits <= caps[kind.family] for kind in kinds(CONFIG.links))
    assert KINDS["kind"].is_unique().all()


def test_clusters_keep_their_rows_under_the_networks_name(tables: Frames) -> None:
    names = dict(tables["cluster_ids"].iter_rows())
    for made, *sources in (("network_families", "cluster_families", "cluster_likeness"), ("controls", "cluster_controls")):
        assert all(tables[source].height for source in sources)
        assert tables[made].height == sum(tables[source].height for source in sources)
        assert set(tables[made]["network_id"]) == {names[cluster] for source in sources for cluster in tables[source]["cluster"]}
    alternatives = tables["network_tests"].filter(pl.col("family") == "alternative")
    scored = tables["cluster_alternatives"].filter(pl.col("alternative").is_in(list(EXPLAINS)))
    assert alternatives.height == scored.height > 0
    assert tables["network_tests"].height == tables["cluster_tests"].height + alternatives.height
    assert (alternatives["status"] == "ran").sum() == scored["applies"].sum()


def test_every_cluster_becomes_one_network(tables: Frames) -> None:
    assert sorted(tables["cluster_ids"]["cluster"]) == sorted(tables["clusters"]["cluster"].unique())
    assert sorted(tables["cluster_ids"]["network_id"]) == sorted(tables["networks"]["network_id"])


def test_every_account_of_the_window_is_listed_once_with_its_network_and_score(tables: Frames) -> None:
    accounts = tables["accounts"]
    assert set(accounts["account_id"]) == {account.name for account in planted.PLANTED}
    members = tables["members"].select("account_id", "network_id", "extraction_score")
    found = accounts.drop_nulls("network_id").select(members.columns)
    assert_frame_equal(found.sort("account_id"), members.sort("account_id"))
    people = accounts.filter(pl.col("account_id").str.starts_with("person"))
    assert people["extraction_score"].to_list() == [0.0] * people.height


def test_a_network_without_controls_or_tests_still_has_its_tables() -> None:
    stage = stage_named("pipeline.stages.network_tables:network_tables")
    given = {name: empty(name) for name in stage.reads}
    given["cluster_ids"] = frame("cluster_ids", [{"cluster": 0, "network_id": "P-1"}])
    given["account_records"] = frame("account_records", [{"account_key": key(1), "account_id": "a"}])
    assert {name: table.height for name, table in python_stage(stage, given).items()} == {"controls": 0, "network_families": 0, "network_tests": 0}


def test_a_small_group_says_what_it_shares(tables: Frames) -> None:
    homes = tables["members"].filter(pl.col("account_id").str.starts_with("home"))["network_id"].unique()
    shared = tables["findings"].filter(pl.col("network_id").is_in(homes.implode()) & (pl.col("measure") == "shared_payment"))
    assert shared.height == planted.HOMES
