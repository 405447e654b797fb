"""What a run's tables hold about one network or one account, part by part, as rows; and the same in the sentences of the pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from pipeline import assets
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.names import ranked_members
from pipeline.features import FEATURES

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
    """network, findings, families, without (struck out one by one), tests, members, lineage."""
    name = network["network_id"]
    return {
        "network": facts(network),
        "findings": run.where("findings", network_id=name).sort("rank").drop("network_id", "evidence_sha256").rows(named=True),
        "families": run.where("network_families", network_id=name).drop("network_id").rows(named=True),
        "without": run.where("network_ablations", network_id=name).drop("network_id").rows(named=True) if run.holds("network_ablations") else [],
        "tests": run.where("network_tests", network_id=name).drop("network_id").rows(named=True),
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
    """One row an account that shares enough to be written down: other_account_id, bits in all, families and kinds with most bits first, its network."""
    links = links_of(run, name)
    if not links.height:
        return []
    own = pl.col("bits").sum().round(6), pl.col("family").unique(maintain_order=True), pl.col("kind").unique(maintain_order=True)
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


def innocent(network: Row) -> str:
    """The best innocent explanation in a few words, with what it leaves."""
    from pipeline.pages import numbers

    name, left = network["best_alternative"], network["alternative_margin_bits"]
    if name in (None, "none"):
        return "none of those that were tried fits"
    return f"{wording().word('alternative', name)}; it leaves {numbers.bits(left)} unexplained".replace("\u00a0", " ")


def facts(row: Row) -> list[Row]:
    """A row as lines of what and value."""
    return [{"what": key, "value": value} for key, value in row.items()]
