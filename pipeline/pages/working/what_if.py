"""The network under lower and higher thresholds: whom links still join, and whether the tier holds.

What is computed is what the run's tables hold. *Joined*: members in the largest piece that linked pairs make, by the run's rule of an edge with other bits.
*Tier*: the run's own rule (stages 57 and 65) on the run's own tables with other settings; members, values, tests and p-values stay. Nothing is grouped again:
pieces that the run put together by hand-offs, rewritten clients or likeness across stay apart here, and no account outside comes in. `stillhunt whatif` does all that.
Where the run's own settings do not give the run's own verdict (tables of another version), no tier is stated.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline import redact
from pipeline.config import Config
from pipeline.measures.graph import components
from pipeline.measures.pairs import PairScorer
from pipeline.pages import numbers
from pipeline.pages.assessment import unweighed_sentence
from pipeline.pages.incident.wording import of
from pipeline.pages.pieces import Numbering, show_command, table
from pipeline.pages.records import Cell
from pipeline.pages.source import Row
from pipeline.pages.words import Wording
from pipeline.pages.working.bench import Bench
from pipeline.pages.working.joins import Linked, linked
from pipeline.pages.working.records import WhatIf
from pipeline.pages.working.wording import say
from pipeline.stages.ablations import FALLS_APART
from pipeline.stages.coverage import TELLING_DAYS, _admitted, _coverage, _held  # the rule of the gate itself; a copy of it here could drift from what judges
from pipeline.stages.population import Population
from pipeline.stages.verdict import tier_of, weigh

LOWER, AS_IS, HIGHER = "lower", "as_is", "higher"
_EDGE_BITS, _FAMILY_BITS, _EXTRACTION_BITS = 3.0, 1.0, 2.0
"""How far thresholds in bits are moved to either side."""
_Q_UP, _Q_DOWN = 5.0, 2.0
"""The largest q is so many times as large, and that part of itself: of the second, 2,999 random groups still tell."""
_TOO_FEW = "too_few_members_left"
_NAMED = 8


@dataclass(frozen=True)
class Setting:
    """One set of thresholds."""

    name: str
    edge_bits: float
    config: Config


@dataclass(frozen=True)
class Judged:
    """The network under one setting."""

    setting: Setting
    joined: frozenset[str]
    """members in the largest piece"""
    piece_count: int
    """pieces of two members or more"""
    tier: str | None
    """None if it was not judged"""
    reason: str


def settings_of(config: Config, edge_bits: float) -> tuple[Setting, ...]:
    """Lower thresholds (more counts), the run's own, higher ones (less counts)."""
    verdict, networks = config.verdict, config.networks
    lower = _moved(config, -1, verdict.gate_coverage_share / 2, min(1.0, verdict.max_q_value * _Q_UP))
    higher = _moved(config, 1, (1 + verdict.gate_coverage_share) / 2, verdict.max_q_value / _Q_DOWN)
    return tuple(Setting(name, edge_bits + one.networks.edge_margin_bits - networks.edge_margin_bits, one) for name, one in ((LOWER, lower), (AS_IS, config), (HIGHER, higher)))


def _moved(config: Config, sign: int, coverage: float, q_value: float) -> Config:
    networks = dataclasses.replace(
        config.networks,
        edge_margin_bits=max(0.0, config.networks.edge_margin_bits + sign * _EDGE_BITS),
        family_min_bits=max(0.0, config.networks.family_min_bits + sign * _FAMILY_BITS),
    )
    verdict = dataclasses.replace(
        config.verdict, gate_coverage_share=coverage, max_q_value=q_value, min_extraction_bits=max(0.0, config.verdict.min_extraction_bits + sign * _EXTRACTION_BITS)
    )
    return dataclasses.replace(config, networks=networks, verdict=verdict)


def judged_again(bench: Bench, network: Row) -> tuple[Judged, ...]:
    """The network under each setting; empty for one whose links were not weighed, or if the run lacks what is needed."""
    edge, network_id = bench.edge_bits, network["network_id"]
    ids = bench.members(network_id)["account_id"].to_list()
    if edge is None or not ids or unweighed_sentence(bench.source, network):
        return ()
    moved = settings_of(bench.source.config, edge)
    pairs, cluster = bench.pairs(network), _Cluster.of(bench, network_id)
    pieces = [_pieces(ids, linked(pairs, ids, setting.edge_bits, setting.config.networks.family_min_bits)) for setting in moved]
    verdicts = [cluster.judged(network, setting.config) if cluster else None for setting in moved]
    least = bench.source.config.networks.min_accounts
    if verdicts[1] != (network["tier"], network["reason"]):
        verdicts = [None] * len(moved)
    elif len(pieces[1][0]) >= least:
        verdicts = [verdict if len(joined) >= least else ("", FALLS_APART) for verdict, (joined, _) in zip(verdicts, pieces, strict=True)]
    return tuple(
        Judged(setting, joined, count, verdict[0] if verdict else None, verdict[1] if verdict else "")
        for setting, (joined, count), verdict in zip(moved, pieces, verdicts, strict=True)
    )


def _pieces(ids: Sequence[str], links: Linked) -> tuple[frozenset[str], int]:
    """Members of the largest piece (ties: the one with the first member), none if nobody is linked; and how many pieces there are."""
    if not links.a:
        return frozenset(), 0
    label = components(len(ids), np.array(links.a, dtype=np.int64), np.array(links.b, dtype=np.int64))
    names, first, sizes = np.unique(label, return_index=True, return_counts=True)
    largest = names[np.lexsort((first, -sizes))[0]]
    return frozenset(name for name, own in zip(ids, label, strict=True) if own == largest), int((sizes > 1).sum())


@dataclass(frozen=True)
class _Cluster:
    """The run's tables of one cluster, and its accounts as positions."""

    rows: pl.DataFrame
    tables: dict[str, pl.DataFrame]
    held: pl.DataFrame
    """its rows of shared_values that qualify for the gate"""
    people: Population
    config: Config
    """the run's own settings"""
    several: tuple[str, ...]
    """kinds of which one value opens no gate, because the log has too few days for it"""

    @staticmethod
    def of(bench: Bench, network_id: str) -> _Cluster | None:
        """None if the run lacks the cluster, its families or its accounts."""
        number = bench.clusters.get(network_id)
        if number is None:
            return None
        own = {
            name: bench.source.table(name).filter(pl.col("cluster") == number)
            for name in ("clusters", "cluster_tests", "cluster_families", "cluster_alternatives", "cluster_values")
        }
        rows = own.pop("clusters").sort("account_key")
        if rows.is_empty() or own["cluster_families"].is_empty():
            return None
        keys = rows["account_key"]
        facts = own.pop("cluster_values").filter("qualifies")
        inside = bench.source.table("shared_values").filter(pl.col("account_key").is_in(keys.implode()))
        entity = dict(inside.select("account_key", "entity_key").iter_rows())
        own["boilerplate"] = bench.source.table("boilerplate").filter(pl.col("account_key").is_in(keys.implode()))
        people = Population(keys.to_numpy(), (), np.array([entity.get(key, key) for key in keys], dtype=np.int64), lambda: PairScorer(len(keys), [], {}))
        return _Cluster(rows, own, _held(inside, facts, rows), people, bench.source.config, () if _day_count(bench) >= TELLING_DAYS else ("handoff",))

    def judged(self, network: Row, config: Config) -> tuple[str, str]:
        """Tier and reason by the run's rule. A network of which too few members could be named stays on watch for that, whatever the thresholds."""
        margin = pl.col("margin_bits") + self.config.networks.edge_margin_bits - config.networks.edge_margin_bits
        tables = {
            **self.tables,
            "cluster_families": self.tables["cluster_families"].with_columns(pl.Series("admitted", self.admitted(config))),
            "cluster_alternatives": self.tables["cluster_alternatives"].with_columns(margin.round(6).alias("margin_bits")),
        }
        known = {int(self.rows["cluster"][0]): (network["p_value"], network["q_value"])} if network["p_value"] is not None else {}
        tier, reason = tier_of(weigh(self.rows, np.arange(self.rows.height), tables, known, self.people, config), config)
        return ("watch", _TOO_FEW) if tier == "refer" and network["reason"] == _TOO_FEW else (tier, reason)

    def admitted(self, config: Config) -> list[bool]:
        """Whether each family of the cluster passes the gate."""
        covered = _coverage(self.held)
        entities = len(np.unique(self.people.entity))
        return [_admitted(covered.filter(pl.col("family") == family), entities, self.several, config) for family in self.tables["cluster_families"]["family"]]


def _day_count(bench: Bench) -> int:
    """UTC days from the first request of the window to the last, both included; 0 without requests."""
    days = bench.source.account_days["day"]
    return (days.max() - days.min()).days + 1 if len(days) else 0  # type: ignore[operator, union-attr]  # polars types min as any


def what_if(bench: Bench, network: Row, judged: Sequence[Judged], numbering: Numbering) -> WhatIf:
    """The block of one network. In: what `judged_again` found."""
    source, network_id = bench.source, network["network_id"]
    size = source.of_network("members", network_id).height
    rows = [_row(bench, network, one, judged[1].joined, size) for one in judged]
    columns = "Thresholds | A link needs # | A family needs # | The gate covers # | q at most # | Extraction from # | Members still joined # | Tier then | Because | Who falls away"
    absent = "" if judged else unweighed_sentence(source, network) or say("what_if", "absent")
    edge = numbers.decimal(judged[2].setting.edge_bits) if judged else ""
    return WhatIf(
        sentence=_sentence(network, judged, size) if judged else "",
        table=table(numbering, "Under lower and higher thresholds", columns, rows, empty=absent or "nothing."),
        absent=absent,
        commands=(show_command(network_id, say("what_if", "command"), f" --threshold {edge}", verb="whatif"),) if judged else (),
    )


def _row(bench: Bench, network: Row, one: Judged, now: frozenset[str], size: int) -> tuple[Cell | str, ...]:
    config, wording = one.setting.config, bench.source.wording
    gone = sorted(now - one.joined)
    pieces = f"in {numbers.counted(one.piece_count, 'pieces')}, the largest counted" if one.piece_count > 1 else ""
    return (
        say("what_if", one.setting.name),
        numbers.bits(one.setting.edge_bits),
        numbers.bits(config.networks.family_min_bits),
        numbers.percent(config.verdict.gate_coverage_share),
        numbers.probability(config.verdict.max_q_value),
        numbers.bits(config.verdict.min_extraction_bits),
        Cell(f"{numbers.count(len(one.joined))} of {numbers.count(size)}", note=pieces),
        _tier(wording.word("tier", one.tier), one, network),
        _because(wording, one, network),
        _names(gone),
    )


def _because(wording: Wording, one: Judged, network: Row) -> str:
    if one.tier is None:
        return "see above"
    return say("what_if", "same_reason") if (one.tier, one.reason) == (network["tier"], network["reason"]) else wording.reason(one.reason)


def _tier(word: str, one: Judged, network: Row) -> Cell:
    if one.tier is None:
        return Cell("not stated", tone="quiet")
    if not one.tier:
        return Cell("no network", tone="strong")
    return Cell(word, tone="" if one.tier == network["tier"] else "strong")


def _names(accounts: Sequence[str]) -> str:
    if not accounts:
        return "nobody"
    rest = len(accounts) - _NAMED
    named = ", ".join(redact.identifier(account) for account in accounts[:_NAMED])
    return f"{named} and {numbers.count(rest)} more" if rest > 0 else named


def _sentence(network: Row, judged: Sequence[Judged], size: int) -> str:
    lower, now, higher = judged
    joined = say("what_if", "joined", now=of(len(now.joined), size, "members"), lower=numbers.count(len(lower.joined)), higher=numbers.count(len(higher.joined)))
    if now.tier is None:
        return f"{joined} {say('what_if', 'not_judged')}"
    same = [one.tier == network["tier"] for one in judged]
    held = "holds" if all(same) else "lower_only" if same[0] else "higher_only" if same[2] else "neither"
    return f"{joined} {say('what_if', held)}"
