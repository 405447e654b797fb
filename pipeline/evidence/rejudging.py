"""What becomes of a network without some families of evidence, or with another edge: grouped and judged again, not looked up.

Two questions, answered apart. *What do its members still amount to?* They are put together again by what is left and judged by the run's own rule, exactly as the
run's table of ablations does for one family: extraction is another axis and stays; tests and coverage of the families that are left are those of all
members; the false-discovery rate is taken again over all candidates. *Who would be in it?* The whole log is grouped again, so accounts may come as well as go.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.errors import UsageError
from pipeline.evidence.neighbourhood import around
from pipeline.evidence.rescoring import rescoring
from pipeline.evidence.whatif import Piece, Standing, WhatIf, WholeLog, standing
from pipeline.evidence.workings import Frames, Workings
from pipeline.kinds import FAMILIES
from pipeline.stages.ablations import FALLS_APART, joined_by_client, struck
from pipeline.stages.alternatives import alternatives
from pipeline.stages.clusters import grouped, networks_of
from pipeline.stages.coupling import REWRITTEN, inside_of, one_client
from pipeline.stages.population import population
from pipeline.stages.verdict import TESTED, q_values_of, tier_of, weigh

Ints = NDArray[np.int64]
ALL_FAMILIES = (*FAMILIES, *TESTED)
_OF_MEMBERS = ("boilerplate", "features")
"""Tables of which a judgement on some accounts needs the rows of these."""
_WHOLE = tuple("account_records networks members clusters client_wording cluster_values cluster_families cluster_tests cluster_ids repeated_prompts kinds".split())
_FEATURES = tuple("account_key first_us last_us prompt_distinct_share output_tokens_mean batch_share".split())
"""Features that innocent explanations look at."""
_LINKS = ("account_a", "account_b", "kind", "family", "bits")
"""What puts accounts together asks no more of pair_links."""

_NOT_BY_BITS = {
    "small": "is listed because one specific fact joins its two to four accounts",
    "one_fact": "is listed because one specific fact joins its accounts",
    "vouched": "is listed because its accounts belong to one vouched organisation",
}


def what_if(workings: Workings, network_id: str, without: Sequence[str], threshold_bits: float | None, *, is_whole: bool = True) -> WhatIf:
    """In: a network of the run, families to strike out, bits from which a pair is an edge (None: the run's), whether to group the whole log as well.

    Raises UsageError for a family that does not exist, and for a network that links did not make.
    """
    unknown = sorted(set(without) - set(ALL_FAMILIES))
    if unknown:
        raise UsageError(f"'{unknown[0]}' is no family of evidence. Families: {', '.join(ALL_FAMILIES)}")
    tables, config = workings.frames(_WHOLE), workings.config
    cluster = _cluster(tables, network_id)
    members = tables["clusters"].filter(pl.col("cluster") == cluster).sort("account_key")
    whole = tables | _of_accounts(workings, members["account_key"].to_list(), is_whole=is_whole) | {"named": _named(tables, network_id)}
    left = whole
    for family in without:
        left = struck(left, family)
    own_edge = population(left).edge_bits(config.networks)
    edge = own_edge if threshold_bits is None else threshold_bits
    joining = joined_by_client(workings.frame("joining_clients"))
    judged = _explained(left, members, config)
    after, member_pieces = _of_members(judged, edge, joining, config)
    again = after if not without and edge == own_edge else _of_members(_explained(whole, members, config) if without else judged, own_edge, joining, config)[0]
    log = _whole_log(left, members, edge - own_edge, joining, config) if is_whole else None
    return WhatIf(network_id, tuple(without), round(own_edge, 6), round(edge, 6), _before(tables, network_id), again, after, member_pieces, log)


def _of_accounts(workings: Workings, keys: list[int], *, is_whole: bool) -> Frames:
    """The tables of which a judgement on some accounts needs the rows of these, or of who writes as they do; and what links them, or everybody."""
    formed = workings.among("recurring_shingles", "account_key", keys).filter(pl.col("half") == 0)
    cut = {"boilerplate": workings.among("boilerplate", "account_key", keys), "features": workings.among("accounts", "account_key", keys, *_FEATURES).sort("account_key")}
    wording = workings.among("recurring_shingles", "shingle", formed["shingle"].unique().to_list())
    links = workings.columns("pair_links", *_LINKS) if is_whole else workings.among("pair_links", "account_a", keys, *_LINKS)
    values = workings.frame("shared_values") if is_whole else workings.among("shared_values", "account_key", keys)
    return cut | {"recurring_shingles": wording, "entity_counts": workings.rows_of("entity_counts", keys), "pair_links": links, "shared_values": values}


def _cluster(tables: Frames, network_id: str) -> int:
    number = int(tables["cluster_ids"].filter(pl.col("network_id") == network_id)["cluster"][0])
    origin = str(tables["clusters"].filter(pl.col("cluster") == number)["origin"][0])
    if origin != "network":
        raise UsageError(f"{network_id} {_NOT_BY_BITS[origin]}, not by adding up bits of families: there is nothing to strike out. Look at it: stillhunt show {network_id}")
    return number


def _named(tables: Frames, network_id: str) -> pl.DataFrame:
    """account_id and account_key of the members that the run names."""
    members = tables["members"].filter(pl.col("network_id") == network_id).select("account_id")
    return members.join(tables["account_records"].select("account_id", "account_key"), on="account_id")


def _before(tables: Frames, network_id: str) -> Standing:
    return standing(tables["networks"].filter(pl.col("network_id") == network_id).row(0, named=True))


def _explained(left: Frames, rows: pl.DataFrame, config: Config) -> Frames:
    """The tables of the members alone, with the innocent explanations of their cluster. In: rows of `clusters`."""
    cut = left | {name: left[name].join(rows, on="account_key", how="semi") for name in ("shared_values", "account_records", *_OF_MEMBERS)} | {"clusters": rows}
    everyone = cut | {"account_records": left["account_records"]}
    return cut | {"cluster_alternatives": alternatives(everyone, config)["cluster_alternatives"]}


def _of_members(judged: Frames, edge: float, joining: list[Ints], config: Config) -> tuple[Standing, int]:
    """The members alone, put together by what is left and judged: as stage 67 does for one family. In: what `_explained` gives, accounts of each rewritten client that joins."""
    rows = judged["clusters"]
    inside = rescoring(population(judged), judged["shared_values"], judged["kinds"])  # its positions are those of the members
    links = judged["pair_links"].join(rows, left_on="account_a", right_on="account_key", how="semi").join(rows, left_on="account_b", right_on="account_key", how="semi")
    clients = inside_of(one_client(judged["shared_values"], inside, config.networks.min_accounts), inside, joining)
    found = networks_of(links, judged["shared_values"], clients, inside, edge, config.networks)
    members, bits = found[0] if found else (inside.positions(rows["account_key"]), [0.0] * rows.height)
    piece = pl.DataFrame({"cluster": [int(rows["cluster"][0])] * len(members), "account_key": inside.keys[members], "origin": ["network"] * len(members), "bits": bits})
    facts = weigh(piece, members, judged, q_values_of(judged["cluster_tests"]), inside, config)
    tier, reason = tier_of(facts, config) if found else ("watch", FALLS_APART)
    held = piece.join(judged["named"], on="account_key", how="semi").height if found else 0
    return Standing(held, facts.coordination_bits if found else None, facts.q_value, facts.alternative, facts.margin_bits, tier, reason), len(found)


def _whole_log(left: Frames, members: pl.DataFrame, more_bits: float, joining: list[Ints], config: Config) -> WholeLog:
    """Where the members are when the whole log is grouped again. In: their rows of `clusters`; how much more than the run's an edge takes."""
    in_cluster = _names(members, left)
    pieces, there = _of_log(left, more_bits, joining, config)
    own = set(left["named"]["account_id"].to_list())
    return WholeLog(pieces, tuple(sorted(own - there)), tuple(sorted(there - in_cluster)), len(in_cluster - own))


def _of_log(left: Frames, more_bits: float, joining: list[Ints], config: Config) -> tuple[tuple[Piece, ...], set[str]]:
    """The groups of the whole log in which the members would be, and the accounts of the first of them."""
    moved = dataclasses.replace(config, networks=dataclasses.replace(config.networks, edge_margin_bits=config.networks.edge_margin_bits + more_bits))
    members, people = left["named"], population(left)
    is_held = (left["shared_values"]["kind"] == REWRITTEN).any()
    clients = [people.positions(pl.Series(keys)) for keys in joining] if is_held else []
    near, people = around(people.positions(members["account_key"]), left, clients, people, people.edge_bits(moved.networks), config)
    groups = grouped(near, clients, people, moved)
    counted = (
        groups.join(members.select("account_key", pl.lit(1).alias("held")), on="account_key", how="left")
        .group_by("cluster")
        .agg(pl.len().alias("account_count"), pl.col("held").sum().alias("held_count"), pl.col("bits").median().round(6), pl.col("origin").first())
    )
    holding = counted.filter(pl.col("held_count") >= 2).sort("held_count", "account_count", "cluster", descending=[True, False, False])
    pieces = tuple(Piece(int(row["account_count"]), int(row["held_count"]), float(row["bits"]), str(row["origin"])) for row in holding.iter_rows(named=True))
    return pieces, _names(groups.filter(pl.col("cluster") == holding["cluster"][0]), left) if holding.height else set()


def _names(rows: pl.DataFrame, tables: Frames) -> set[str]:
    return set(rows.join(tables["account_records"], on="account_key")["account_id"].to_list())
