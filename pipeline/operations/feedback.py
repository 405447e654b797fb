"""What people say about networks and accounts: each word is one entry of the journal, about the latest run as it stands.

No word changes a table, a threshold or a tier. A disposition marks a network on later nights and makes it a labelled case for `validate`; an
allow entry moves it to the suppressed ones on the index until a day; a revocation takes either back.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipeline import redact
from pipeline.errors import InputError, UsageError
from pipeline.history.journal import Entry, read_journal
from pipeline.history.standing import revoked_numbers
from pipeline.kinds import FAMILIES
from pipeline.operations.recording import append, journal_lock, record
from pipeline.store import latest_run, read_json

TEXT_LIMIT = 2000
LONGEST_ALLOWANCE_DAYS = 366


def note(root: Path, subject: str, text: str, by: str) -> Entry:
    """A remark on a network or account of the latest run, or on a network of an earlier night."""
    about = _about(root, subject)
    return record(root, "note", {**about, "text": _said(text, "the note")}, _named(by))


def dispose(root: Path, network_id: str, verdict: str, reason: str, by: str) -> Entry:
    """A person's word on a network: confirmed, benign, duplicate or unsure."""
    about = _about(root, network_id)
    if not about["is_network"]:
        raise InputError(f"'{redact.for_cell(network_id)}' is an account; a disposition is about a network. Write a note on it instead: stillhunt note")
    content = {"network_id": about["subject"], "verdict": verdict, "reason": _said(reason, "--reason"), "night": about["night"], "run_id": about["run_id"], "seen": about["seen"]}
    return record(root, "disposition", content, _named(by))


def allow(root: Path, subject: str, until: date, reason: str, by: str, today: date) -> Entry:
    """Vouch for a network or account up to and on a day, at most a year from today."""
    if until < today:
        raise UsageError(f"--until {until} has passed. Name a day from {today} on.")
    if (until - today).days > LONGEST_ALLOWANCE_DAYS:
        raise UsageError(f"--until {until} is more than a year from now. An allow entry must be looked at again: name a day up to a year ahead.")
    return record(root, "allow", {**_about(root, subject), "until": until.isoformat(), "reason": _said(reason, "--reason")}, _named(by))


def expire(root: Path, subject: str, reason: str, by: str) -> list[Entry]:
    """Revoke every standing allow entry about a network or account. Raises InputError if there is none."""
    with journal_lock(root):
        entries = read_journal(root)
        gone = revoked_numbers(entries)
        standing = [entry.number for entry in entries if entry.kind == "allow" and entry.number not in gone and entry.content["subject"] == subject]
        if not standing:
            raise InputError(f"'{redact.for_cell(subject)}' is not allowed by any standing entry. See: stillhunt allow list --out {root}")
        return [append(root, "revoke", {"entry": number, "reason": _said(reason, "--reason")}, _named(by)) for number in standing]


def revoke(root: Path, number: int, reason: str, by: str) -> Entry:
    """Take an entry back, or a revocation. Raises InputError for a number that is not there, an erasure, or what is revoked already."""
    with journal_lock(root):
        entries = read_journal(root)
        if not 1 <= number <= len(entries):
            raise InputError(f"the journal in {root} has no entry {number}. See: stillhunt journal list --out {root}")
        if entries[number - 1].kind == "erasure":
            raise InputError(f"entry {number} records an erasure, which cannot be taken back.")
        if number in revoked_numbers(entries):
            raise InputError(f"entry {number} is revoked already. See: stillhunt journal list --out {root}")
        return append(root, "revoke", {"entry": number, "reason": _said(reason, "--reason")}, _named(by))


def labels(root: Path) -> pl.DataFrame:
    """The confirmed and benign networks as labels for `validate --truth`: account_id, truth, network, malicious, decided_on.

    Members are those that the network had when it was last seen, as the latest run remembers them. An account of two labelled networks counts for the one decided last.
    """
    from pipeline.history.standing import standing

    words = standing(read_journal(root)).dispositions
    decided = [(name, word.verdict == "confirmed", word.on, word.number) for name, word in sorted(words.items()) if word.verdict in ("confirmed", "benign")]
    schema = {"network_id": pl.String, "malicious": pl.Boolean, "decided_on": pl.String, "number": pl.Int64}
    known = pl.read_parquet(latest_run(root) / "tables" / "known_networks.parquet", columns=["network_id", "account_id"], glob=False, hive_partitioning=False)
    rows = known.unique().join(pl.DataFrame(decided, schema=schema, orient="row"), on="network_id").sort("account_id", "number")
    last = rows.unique("account_id", keep="last", maintain_order=True)
    truth = pl.when("malicious").then(pl.lit("confirmed")).otherwise(pl.lit("cleared")).alias("truth")
    return last.select("account_id", truth, pl.col("network_id").alias("network"), "malicious", "decided_on").sort("account_id")


def _about(root: Path, subject: str) -> dict[str, Any]:
    """What the entry is about: subject, is_network, night and run_id of the latest run, and the network as that run has it."""
    folder = latest_run(root)
    manifest = read_json(folder / "run.json")
    base = {"subject": subject, "night": manifest["night"], "run_id": manifest["run_id"]}
    networks = pl.scan_parquet(folder / "tables" / "networks.parquet", glob=False, hive_partitioning=False)
    found = networks.filter(pl.col("network_id") == subject).collect().rows(named=True)
    if found:
        return {**base, "is_network": True, "seen": _seen(folder, found[0])}
    known = pl.scan_parquet(folder / "tables" / "known_networks.parquet", glob=False, hive_partitioning=False).filter(pl.col("network_id") == subject)
    members = known.collect().height
    if members:
        return {**base, "is_network": True, "seen": {"account_count": members}}
    accounts = pl.scan_parquet(folder / "tables" / "accounts.parquet", glob=False, hive_partitioning=False)
    if accounts.filter(pl.col("account_id") == subject).select(pl.len()).collect().item():
        return {**base, "is_network": False, "seen": {}}
    names = networks.select("network_id").collect()["network_id"].to_list()
    near = difflib.get_close_matches(subject, names, n=1, cutoff=0.6)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise InputError(f"'{redact.for_cell(subject)}' is neither a network nor an account of the latest run in {root}.{hint} See: stillhunt networks --out {root}")


def _seen(folder: Path, network: Mapping[str, Any]) -> dict[str, Any]:
    families = pl.read_parquet(folder / "tables" / "network_families.parquet", columns=["network_id", "family", "admitted", "median_bits"], glob=False, hive_partitioning=False)
    own = families.filter((pl.col("network_id") == network["network_id"]) & pl.col("family").is_in(FAMILIES) & (pl.col("admitted") | (pl.col("median_bits") > 0)))
    facts = {name: network[name] for name in ("tier", "account_count", "coordination_bits", "extraction_bits")}
    return {**facts, "families": sorted(own["family"].to_list())}


def _said(text: str, what: str) -> str:
    """Text that is worth keeping: not empty, on lines of its own, of bounded length."""
    kept = redact.visible(text.strip())
    if not kept:
        raise UsageError(f"{what} is empty. Say why: whoever reads the journal in a year has nothing else.")
    if len(kept) > TEXT_LIMIT:
        raise UsageError(f"{what} has {len(kept)} characters, more than {TEXT_LIMIT}. Keep the long text elsewhere and name it here.")
    return kept


def _named(by: str) -> str:
    kept = redact.visible(by.strip())
    if not kept or len(kept) > 200:
        raise UsageError("--by must name the person who says so.")
    return kept


def listed(root: Path) -> Sequence[tuple[Entry, bool]]:
    """Every entry of the journal and whether it stands."""
    entries = read_journal(root)
    gone = revoked_numbers(entries)
    return [(entry, entry.number not in gone) for entry in entries]
