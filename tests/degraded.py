"""Poorer copies of a log: each takes something away that a provider's log may lack, and says which families of the input contract can then no longer run in full."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

HASHED_IN_REQUESTS = ("session_id", "organization_id", "api_key_id", "end_user_id")
HASHED_IN_RECORDS = ("organization_id", "payment_fingerprint", "device_fingerprint", "email_hash", "email_domain")
TEMPLATES, IDENTITY, LOOKALIKES = "template and near-duplicate prompts", "identity and payment graph", "benign look-alikes"
ADDRESSES, CLIENTS = "infrastructure graph", "client-stack graph"


@dataclass(frozen=True)
class Log:
    """Requests, and the accounts table if there is one."""

    requests: pl.DataFrame
    accounts: pl.DataFrame | None


@dataclass(frozen=True)
class Loss:
    """One way in which a log is poorer."""

    name: str
    take: Callable[[Log], Log]
    blind: tuple[str, ...] = ()
    """Families that cannot run in full without it."""


def _secret(column: pl.Expr) -> pl.Expr:
    return column.map_elements(lambda value: hmac.new(b"key", str(value).encode(), "sha256").hexdigest(), return_dtype=pl.String)


def _drawn(column: pl.Expr, share: float) -> pl.Expr:
    """Whether a value falls into a random share of all values, the same in every table."""
    return column.map_elements(lambda value: int(hashlib.sha256(value.encode()).hexdigest()[:8], 16) < share * 2**32, return_dtype=pl.Boolean)


def without(*names: str, records: tuple[str, ...] = ()) -> Callable[[Log], Log]:
    """Requests without these columns, and records without those."""
    return lambda log: Log(log.requests.drop(names, strict=False), log.accounts.drop(records, strict=False) if log.accounts is not None else None)


def _hashed(log: Log) -> Log:
    requests = log.requests.with_columns(_secret(pl.col(name)) for name in HASHED_IN_REQUESTS if name in log.requests.columns)
    if "client_ip" in requests.columns:
        requests = requests.with_columns(_secret(pl.col("client_ip")).alias("client_ip_hash")).drop("client_ip")
    accounts = log.accounts
    if accounts is not None:
        accounts = accounts.with_columns(_secret(pl.col(name)) for name in HASHED_IN_RECORDS if name in accounts.columns)
        if "signup_ip" in accounts.columns:
            accounts = accounts.with_columns(_secret(pl.col("signup_ip")).alias("signup_ip_hash")).drop("signup_ip")
    return Log(requests, accounts)


def _hashed_prompts(log: Log) -> Log:
    if "prompt" not in log.requests.columns:
        return log
    texts = (_secret(pl.col("prompt")).alias("prompt_hash"), pl.col("prompt").str.len_chars().cast(pl.Int64).alias("prompt_chars"))
    return Log(log.requests.with_columns(*texts, _secret(pl.col("system_prompt")).alias("system_prompt_hash")).drop("prompt", "system_prompt"), log.accounts)


def _one_day(log: Log) -> Log:
    day = pl.col("timestamp").dt.date()
    days = log.requests.select(day.unique().sort())["timestamp"].to_list()
    return Log(log.requests.filter(day == days[len(days) // 2]), log.accounts)


def _sampled(share: float) -> Callable[[Log], Log]:
    return lambda log: Log(log.requests.filter(_drawn(pl.col("request_id"), share)).with_columns(pl.lit(1 / share).alias("sample_weight")), log.accounts)


def _some_accounts(log: Log) -> Log:
    return Log(log.requests.filter(_drawn(pl.col("account_id"), 0.5)), log.accounts)


LOSSES = (
    Loss("no prompt text", without("prompt", "system_prompt", "prompt_hash", "system_prompt_hash"), (TEMPLATES,)),
    Loss("hashes in the place of prompts", _hashed_prompts, (TEMPLATES,)),
    Loss("no accounts table", lambda log: Log(log.requests, None), (IDENTITY, LOOKALIKES)),
    Loss("no addresses", without("client_ip", "client_asn", "client_country", records=("signup_ip", "signup_asn", "signup_country")), (ADDRESSES,)),
    Loss("hashed identifiers", _hashed),
    Loss("no session ids", without("session_id")),
    Loss("no counts of messages", without("message_count")),
    Loss("one day", _one_day),
    Loss("a tenth of the requests", _sampled(0.1)),
    Loss("half of the requests", _sampled(0.5)),
    Loss("half of the accounts", _some_accounts),
    Loss("no organisations", without("organization_id", records=("organization_id",))),
    Loss("nothing about customers", without("organization_id", records=("organization_id", "access_pathway", "verification_level", "email_domain_class")), (LOOKALIKES,)),
    Loss("no names of clients", without("user_agent"), (CLIENTS,)),
    Loss("no TLS fingerprints", without("ja4"), (CLIENTS,)),
    Loss("no facts of sign-up", without(records=("created_at", "signup_ip", "signup_asn", "signup_country", "email_domain_class"))),
)
LOSS = {loss.name: loss for loss in LOSSES}


def combinations(seed: int, count: int) -> list[tuple[str, ...]]:
    """So many different combinations of two or three losses, drawn by a seed."""
    draw, found = random.Random(seed), set[tuple[str, ...]]()
    while len(found) < count:
        found.add(tuple(sorted(draw.sample(sorted(LOSS), draw.choice((2, 3))))))
    return sorted(found)
