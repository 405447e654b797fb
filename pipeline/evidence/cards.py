"""What a run's tables hold about one network or one account, part by part, as rows; and the same in the sentences of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from pipeline import assets
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.names import ranked_members
from pipeline.features import FEATURES
from pipeline.kinds import DESCRIBES, FAMILIES, OPERATIONAL

if TYPE_CHECKING:
    from pipeline.pages.words import Wording

Row = dict[str, Any]
Parts = dict[str, list[Row]]
"""Tables to print, each as rows by column name."""
FEATURE_NAMES = tuple(feature.name for feature in FEATURES)


@dataclass(frozen=True)
class Said:
    """A finding in words."""

    rank: int
    sentence: str
    speaks: str
    finding_id: str
    evidence: int
    """requests behind it"""


def wording() -> Wording:
    """The sentences that pages use."""
    from pipeline.pages.words import load_wording

    return load_wording(assets.reports_folder() / "wording.toml")


def network_parts(run: FinishedRun, network: Row) -> Parts:
    """network, findings, families, without (struck out one by one), tests, capabilities, elicitation, traffic (by whose it is), pace (of its conversations), members, lineage."""
    name = network["network_id"]
    return {
        "network": facts(network),
        "findings": run.where("findings", network_id=name).sort("rank").drop("network_id", "evidence_sha256").rows(named=True),
        "families": run.where("network_families", network_id=name).drop("network_id").rows(named=True),
        "without": run.where("network_ablations", network_id=name).drop("network_id").rows(named=True) if run.holds("network_ablations") else [],
        "tests": run.where("network_tests", network_id=name).drop("network_id").rows(named=True),
        "capabilities": run.where("network_capabilities", network_id=name).drop("network_id").rows(named=True) if run.holds("network_capabilities") else [],
        "elicitation": run.where("network_elicitation", network_id=name).drop("network_id").rows(named=True) if run.holds("network_elicitation") else [],
        "traffic": run.where("network_traffic", network_id=name).drop("network_id").rows(named=True) if run.holds("network_traffic") else [],
        "pace": run.where("network_pace", network_id=name).drop("network_id").rows(named=True) if run.holds("network_pace") else [],
        "members": ranked_members(run, name).drop("network_id").rows(named=True),
        "lineage": run.where("lineage", network_id=name).rows(named=True),
    }


def account_parts(run: FinishedRun, account: Row) -> Parts:
    """account, membership, links (one row a kind), features."""
    return {
        "account": facts({key: account[key] for key in ("account_id", "network_id", "request_count", "active_days", "extraction_score")}),
        "membership": run.where("members", account_id=account["account_id"]).rows(named=True),
        "links": links_of(run, account["account_id"]).rows(named=True),
        "features": facts({key: value for key, value in account.items() if key not in ("account_id", "account_key", "network_id")}),
    }


def links_of(run: FinishedRun, name: str) -> pl.DataFrame:
    """other_account_id, kind, family, bits, support of every link of an account, most bits first."""
    links = pl.concat([run.where("links", account_a=name), run.where("links", account_b=name)])
    other = pl.when(pl.col("account_a") == name).then("account_b").otherwise("account_a").alias("other_account_id")
    return links.select(other, "kind", "family", "bits", "support").sort(["bits", "other_account_id", "kind"], descending=[True, False, False])


def linked_accounts(run: FinishedRun, name: str) -> list[Row]:
    """One row an account that shares enough to be written down: other_account_id, bits of what is shared in all, families and kinds with most bits first, its network.

    How alike the two are is listed among the families and not in the bits, which are those that a link is made by.
    """
    links = links_of(run, name)
    if not links.height:
        return []
    shared = pl.col("bits").filter(pl.col("family").is_in(FAMILIES))
    own = shared.sum().round(6), pl.col("family").unique(maintain_order=True), pl.col("kind").unique(maintain_order=True)
    pairs = links.group_by("other_account_id", maintain_order=True).agg(*own).sort(["bits", "other_account_id"], descending=[True, False])
    networks = run.columns("accounts", "account_id", "network_id")
    joined = pairs.join(networks, left_on="other_account_id", right_on="account_id", how="left", maintain_order="left")
    return [{**row, "family": ",".join(row["family"]), "kind": ",".join(row["kind"])} for row in joined.rows(named=True)]


def percentiles(run: FinishedRun, account: Row) -> dict[str, float | None]:
    """For each feature, the share of accounts with a smaller value, ties counted half, among those where it is known; None where the account's own is not."""
    table = run.columns("accounts", *FEATURE_NAMES)
    asked = [name for name in FEATURE_NAMES if account[name] is not None]
    below = table.select(((pl.col(name) < account[name]).sum() + (pl.col(name) == account[name]).sum() / 2).alias(name) for name in asked).row(0, named=True)
    known = table.select(pl.col(name).is_not_null().sum() for name in asked).row(0, named=True)
    return {name: round(below[name] / known[name], 6) if name in below and known[name] else None for name in FEATURE_NAMES}


def said(run: FinishedRun, findings: list[Row]) -> list[Said]:
    """Findings as the network's page words them."""
    from pipeline.config import recorded_config
    from pipeline.pages.pieces import finding_sentence, speaks_sentence

    words, config = wording(), recorded_config(run.manifest()["config"], str(run.folder / "run.json"))
    return [Said(row["rank"], finding_sentence(row, words), speaks_sentence(row, words, config), row["finding_id"], row["evidence_total"] or 0) for row in findings]


@dataclass(frozen=True)
class Assessed:
    """How strongly, how surely and how far, in the sentences of the network's page; strength and confidence are never one sentence."""

    is_weighed: bool
    """the links were weighed; of a group of two to four, or of one organisation, they are not"""
    first: str
    """the proposition of one operator, which strength is about"""
    second: str
    """the proposition of independent customers"""
    strength: str
    confidence: str
    innocent: str
    attribution: str
    decisive: str
    cut_again: str
    """why bits judged again without a family are not to be held against the run's; '' where they may"""


def assessed(run: FinishedRun, network: Row) -> Assessed:
    """What the page of a network says of it as a whole."""
    from datetime import date

    from pipeline.config import recorded_config
    from pipeline.history import no_past
    from pipeline.history.report import report
    from pipeline.pages import assessment, numbers
    from pipeline.pages.run_facts import read_manifest
    from pipeline.pages.source import Source

    name, manifest = network["network_id"], run.manifest()
    members = run.where("members", network_id=name)
    frames = {
        "networks": run.where("networks", network_id=name),
        "network_families": run.where("network_families", network_id=name),
        "members": members,
        "links": run.among("links", {"account_a": members["account_id"].to_list()}),
        "blind_spots": run.table("blind_spots"),
    }
    before = no_past(date.fromisoformat(manifest["night"]))  # none of the sentences below speaks of earlier nights
    health = report(manifest, before.nights, before.operations)
    source = Source(frames, read_manifest(manifest), recorded_config(manifest["config"], str(run.folder / "run.json")), wording(), before, health)
    families = frames["network_families"].rows(named=True)
    judged = run.where("network_ablations", network_id=name).rows(named=True) if run.holds("network_ablations") else []
    level, accounts = network["attribution_level"], numbers.counted(network["account_count"], "accounts")
    return Assessed(
        is_weighed=not assessment.unweighed_sentence(source, network),
        first=source.wording.line("proposition", "control", accounts=accounts),
        second=source.wording.line("proposition", "independent", accounts=accounts),
        strength=assessment.likelihood(source, network, families),
        confidence=assessment.confidence(source, network, families),
        innocent=assessment.alternative(source, network) if name in source.paged else "None is tried for groups of two to four.",
        attribution=source.wording.text("attribution", level, "sentence") or str(level),
        decisive=assessment.decisive(source, network),
        cut_again=assessment.cut_again_sentence(source.wording, network, judged),
    )


def percent(share: float) -> str:
    """A share as `12.3 %`; what is not all never reads as all."""
    from pipeline.pages import numbers

    return numbers.percent(share).replace("\u202f", " ")


def facts(row: Row) -> list[Row]:
    """A row as lines of what and value."""
    return [{"what": key, "value": value} for key, value in row.items()]


def is_counted(test: Mapping[str, Any]) -> bool:
    """Whether the judgement counts a row of network_tests. Tests of mechanisms, and of how templated prompts are sent, are shown beside it and decide nothing."""
    return test["supports"] != DESCRIBES and test["test"] not in OPERATIONAL
