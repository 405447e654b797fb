"""What the members of the made-up run share, how they are linked, and features of its accounts: tables that the blocks of a working page read. By formula, as fixtures.py."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pipeline import schema
from tests.pages import fixtures

ENTITIES = 2_048
"""Entities of the window: 11 bits, so a link needs 17."""
CARDS = 3
SINGLES = ("acct-x-00000", "acct-x-00001", "acct-x-00002")
"""Accounts in no network whose prompts look collected; the last is allowed in the run with a past, and too quiet otherwise."""
_FAMILY = {"payment": "identity", "ip": "infrastructure", "template": "templates", "prompt": "duplicates"}


def accounts(groups: Mapping[str, list[str]], controls: Sequence[str]) -> pl.DataFrame:
    """The table of accounts: members in the order of the networks, so that their keys count up, then controls and single accounts."""
    network = {account: name for name, ids in groups.items() for account in ids}
    names = [*network, *(name for name in controls if name not in network), *SINGLES]
    rows = [_account(key, name, network.get(name)) for key, name in enumerate(names)]
    kinds = {column.name: fixtures._KINDS[column.type] for column in schema.ACCOUNTS.columns}
    return pl.DataFrame([{name: row.get(name) for name in kinds} for row in rows], schema=kinds, orient="row")


def _account(key: int, name: str, network: str | None) -> dict[str, Any]:
    refers, single = network == fixtures.REFER, SINGLES.index(name) if name in SINGLES else None
    return {
        "account_id": name,
        "account_key": key,
        "network_id": network,
        "extraction_score": (0.9, 0.625, 0.75)[single] if single is not None else 0.8 if refers else 0.05,
        "request_count": (400, 120, 60)[single] if single is not None else 2_600,
        "active_days": 20,
        "requests_per_day": 90.0 + key % 7 if refers else 12.0 + key % 5,
        "active_hours_per_day": 23.5 if refers else 7.5,
        "night_share": 0.31 if refers else 0.02,
        "prompt_distinct_share": 0.99 if refers else 0.7 + key % 3 / 10,
        "template_top_share": 0.4 if refers else 0.1,
        "single_turn_share": 1.0 if refers else None,
        "output_tokens_mean": 1_900.0 if refers else 350.0 + key % 11,
        "model_count": 1 if refers else 2,
    }


def holdings(members: int) -> dict[str, pl.DataFrame]:
    """shared_values, cluster_values, clusters and cluster_ids: cards of some members, an address, a template of all, prompts of pairs; the explained network an address."""
    first = members + 6
    values = [("payment", 100 + card, [place for place in range(members) if place % 5 == card], card) for card in range(CARDS)]
    values += [("ip", 200, list(range(min(12, members))), 18), ("template", 300, list(range(members)), 9)]
    values += [("prompt", 400 + place, [2 * place, 2 * place + 1], place % 3) for place in range(members // 2)]
    explained = [("ip", 500, list(range(first, first + 31)), 9)]
    rows = [_held(kind, key, place, len(keys) + outside) for kind, key, keys, outside in [*values, *explained] for place in keys]
    shared = [(1, *value) for value in values if len(value[2]) > 1] + [(2, *value) for value in explained]
    cluster_values = [
        {"cluster": cluster, "kind": kind, "value_key": key, "inside_count": len(keys), "df": len(keys) + outside, "qualifies": kind == "payment"}
        for cluster, kind, key, keys, outside in shared
    ]
    places = [(1, place) for place in range(members)] + [(2, place) for place in range(first, first + 31)]
    return {
        "shared_values": fixtures.table(schema.SHARED_VALUES, rows),
        "cluster_values": fixtures.table(schema.CLUSTER_VALUES, cluster_values),
        "clusters": fixtures.table(schema.CLUSTERS, [{"cluster": number, "account_key": place, "origin": "network", "bits": 31.25} for number, place in places]),
        "cluster_ids": fixtures.table(schema.CLUSTER_IDS, [{"cluster": 1, "network_id": fixtures.REFER}, {"cluster": 2, "network_id": fixtures.EXPLAINED}]),
    }


def _held(kind: str, key: int, place: int, df: int) -> dict[str, Any]:
    rarity = round(math.log2(ENTITIES / df) * 1e6)
    return {
        "kind": kind,
        "value_key": key,
        "account_key": place,
        "entity_key": place,
        "family": _FAMILY[kind],
        "share": 1.0,
        "df": df,
        "counted_df": df,
        "rarity_micro_bits": rarity,
    }


def verdict(families: pl.DataFrame, tests: pl.DataFrame, members: int) -> dict[str, pl.DataFrame]:
    """Tables that the verdict on the referred network rests on, so that the run's own settings give the run's own tier."""
    own = {name: frame.filter(pl.col("network_id") == fixtures.REFER).with_columns(pl.lit(1, dtype=pl.Int64).alias("cluster")) for name, frame in (("f", families), ("t", tests))}
    documents = [{"account_key": place, "prompt_key": 10 * place + number, "output_tokens": 1_900, "request_count": 1} for place in range(members) for number in range(3)]
    choices = [{"cluster": 1, "alternative": name, "fit_share": 0.9, "applies": name != "none", "margin_bits": margin} for name, margin in (("public_client", 7.4), ("none", 9.0))]
    return {
        "cluster_families": fixtures.table(schema.CLUSTER_FAMILIES, own["f"].rows(named=True)),
        "cluster_tests": fixtures.table(schema.CLUSTER_TESTS, own["t"].rows(named=True)),
        "cluster_alternatives": fixtures.table(schema.CLUSTER_ALTERNATIVES, choices),
        "boilerplate": fixtures.table(schema.BOILERPLATE, documents),
    }


def chain(ids: Sequence[str]) -> list[dict[str, Any]]:
    """Links from each member to the next but for the last: 18 bits from two families, every third of them only 15, which is no link but with lower thresholds."""
    rows = []
    for place in range(len(ids) - 2):
        for kind, bits in (("payment", 10.0), ("template", 5.0 if place % 3 == 2 else 8.0)):
            rows.append({"account_a": ids[place], "account_b": ids[place + 1], "kind": kind, "family": _FAMILY[kind], "bits": bits, "bits_kind": "rarity", "support": 1, "df": 9})
    return rows
