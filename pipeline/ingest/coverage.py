"""Coverage of every contract column, and the evidence families that the log cannot support or this version does not compute.

A family runs where its best input has a value in at least 80 % of rows (accounts, for columns of the accounts table), is partial where the input is
thinner or only a weaker one is there, and does not run without any.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from pipeline.ingest.accounts import RecordCoverage
from pipeline.ingest.columns import READ_COLUMNS
from pipeline.ingest.context import Context
from pipeline.schema import BLIND_SPOTS

ENOUGH_PERCENT = 80


@dataclass(frozen=True)
class Coverage:
    """How many rows and accounts have a value in each column. Integers; a column that is absent has 0."""

    rows: int
    accounts: int
    row_counts: Mapping[str, int]
    """Rows with a value, by request column."""
    account_counts: Mapping[str, int]
    """Accounts with a value in at least one row, by request column that the scan reads."""
    record_counts: Mapping[str, int] = field(default_factory=dict)
    """Accounts with a value, by column of the accounts table."""

    def percent(self, column: str) -> float:
        """Share of rows with a value (of accounts, for a column `accounts.NAME`), 0 to 100; 0 without rows."""
        if column.startswith("accounts."):
            return 100 * self.record_counts.get(column.removeprefix("accounts."), 0) / self.accounts if self.accounts else 0.0
        return 100 * self.row_counts.get(column, 0) / self.rows if self.rows else 0.0


def coverage_of(non_null: Mapping[str, int], rows: int, records: RecordCoverage, *, ids: pl.DataFrame | None = None, unread: Mapping[str, int] | None = None) -> Coverage:
    """Coverage of a window.

    In: rows with a value by column that the scan reads (day.json, summed) and rows kept; AccountTable.coverage; if the shares of accounts are wanted, the days' account_ids
    (account_key, columns_seen); and, for columns that the scan does not read, values by the footers.
    """
    masks = np.zeros(0, np.int64) if ids is None else _masks(ids)
    counts = {name: int(np.count_nonzero(masks >> np.int64(bit) & 1)) for bit, name in enumerate(READ_COLUMNS)}
    return Coverage(rows, records.accounts, dict(non_null) | dict(unread or {}), counts, dict(records.counts))


def _masks(ids: pl.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Each account's columns, over all its days."""
    ordered = ids.sort("account_key")
    keys, seen = ordered["account_key"].to_numpy(), ordered["columns_seen"].to_numpy()
    if not len(keys):
        return np.zeros(0, np.int64)
    return np.bitwise_or.reduceat(seen, np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])))


@dataclass(frozen=True)
class _Family:
    """A family: alternatives from best to weakest; in each, `|` separates columns of which one is enough."""

    name: str
    inputs: tuple[tuple[str, ...], ...]
    consequence: str
    limit: str = ""
    """what is not tested although the columns are there; such a family never runs in full"""


_PEOPLE = "accounts.payment_fingerprint|accounts.device_fingerprint|accounts.email_hash|accounts.phone_hash"
FAMILIES = (
    _Family("volume, diurnality, burst", (("timestamp", "account_id"),), "nothing can be judged"),
    _Family(
        "synchrony across accounts",
        (("timestamp",),),
        "shared timing is not tested",
        "accounts are compared hour by hour and members of a network day by day; failover between them is not tested",
    ),
    _Family(
        "template and near-duplicate prompts",
        (("prompt",), ("prompt_simhash|prompt_minhash",), ("prompt_block_hashes",), ("prompt_hash",), ("system_prompt|system_prompt_hash", "tool_definitions_hash")),
        "accounts are linked by shape only",
    ),
    _Family("intent", (("prompt", "system_prompt"), ("max_tokens", "n", "temperature")), "what was asked for is not described"),
    _Family("topic coverage", (("prompt",),), "subjects are not compared", "subjects are compared between accounts; how broad those of one account are is not tested"),
    _Family("sampling profile", (("max_tokens", "temperature", "stream"), ("output_tokens",), ("finish_reason",)), "request settings link nothing"),
    _Family("token economics", (("input_tokens", "output_tokens"), ("prompt_chars|prompt",), ("cost_usd",)), "volumes are counted in requests only"),
    _Family(
        "infrastructure graph",
        (("client_ip|client_ip_hash", "client_ip|client_ip_prefix"), ("client_asn", "client_country"), ("accounts.signup_ip|accounts.signup_ip_hash",)),
        "no shared address is seen",
    ),
    _Family("client-stack graph", (("ja4", "user_agent"), ("sdk_name",)), "no shared client stack is seen"),
    _Family(
        "identity and payment graph",
        (
            ("accounts.payment_fingerprint", "accounts.device_fingerprint"),
            (_PEOPLE,),
            ("accounts.email_domain", "accounts.created_at"),
            ("organization_id|api_key_id",),
            ("accounts.referral_code",),
        ),
        "accounts are linked by behaviour only",
    ),
    _Family("model-release pivot", (("model", "context.releases"),), "moves to new models are not tested"),
    _Family("evasion", (("is_rate_limited|status_code", "api_key_id"), ("error_type",)), "rotation and probing are not tested"),
    _Family(
        "benign look-alikes",
        (("accounts.access_pathway", "accounts.verification_level"), ("organization_id",), ("end_user_id",)),
        "innocent explanations cannot be told apart well: more false alarms",
    ),
)
_NO_CONTEXT = Context()
COMPUTED = frozenset(family.name for family in FAMILIES) - {"intent"}
"""Families that this version has a test or a feature of."""


def blind_spots(coverage: Coverage, context: Context = _NO_CONTEXT, computed: Collection[str] = COMPUTED) -> pl.DataFrame:
    """Table blind_spots: every family with its status and, unless it ran in full, the columns that are to blame."""
    rows = [(family.name, *_judge(family, coverage, context, computed)) for family in FAMILIES]
    return pl.DataFrame(rows, schema=dict.fromkeys(BLIND_SPOTS.column_names, pl.String), orient="row").sort("family")


def _judge(family: _Family, coverage: Coverage, context: Context, computed: Collection[str]) -> tuple[str, str]:
    if family.name not in computed:
        return "not_run", "this version has no test of this family"
    best = {part: _percent(part, coverage, context) for part in family.inputs[0]}
    if min(best.values()) >= ENOUGH_PERCENT:
        return ("partial", family.limit) if family.limit else ("ran", "")
    lacking = ", ".join(f"{_words(part)} {_shown(percent)}" for part, percent in best.items() if percent < ENOUGH_PERCENT)
    if max(best.values()) > 0:
        return "partial", f"coverage below {ENOUGH_PERCENT} %: {lacking}"
    for weaker in family.inputs[1:]:
        if min(_percent(part, coverage, context) for part in weaker) > 0:
            return "partial", f"{lacking}; judged from {', '.join(_words(part) for part in weaker)} instead"
    return "not_run", f"{lacking}; {family.consequence}"


def _percent(part: str, coverage: Coverage, context: Context) -> float:
    """Coverage of a part: of several columns that may stand for each other, the best."""
    if part == "context.releases":
        return 100.0 if context.releases else 0.0
    return max(coverage.percent(column) for column in part.split("|"))


def _words(part: str) -> str:
    return " or ".join(part.split("|"))


def _shown(percent: float) -> str:
    return "absent" if percent == 0 else "on under 1 %" if percent < 1 else f"on {percent:.0f} %"
