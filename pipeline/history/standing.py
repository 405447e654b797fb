"""What of the journal is in force on a night: the newest word on each network, allow entries with their expiry, notes, erasures.

An entry that a later one revokes counts as never written (revoking the revocation brings it back). Of several dispositions of one network the newest
unrevoked one stands. An allow entry is in force up to and on the day that it names. Equal entries give equal records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.history.journal import Entry


@dataclass(frozen=True)
class Disposition:
    """A person's word on a network, with the network as that person saw it."""

    number: int
    network_id: str
    verdict: str
    reason: str
    by: str
    on: str
    """UTC day on which it was written."""
    night: str
    """The night whose run the person had before them."""
    seen: Mapping[str, Any]
    """tier, account_count, coordination_bits, extraction_bits, families (names of the established ones) at that time."""


@dataclass(frozen=True)
class Allowed:
    """A network or account that an analyst vouches for until a day."""

    number: int
    subject: str
    is_network: bool
    reason: str
    by: str
    on: str
    until: date
    account_count: int | None
    """Accounts of the network when it was allowed; None for an account."""

    def holds_on(self, night: date) -> bool:
        """Whether it is in force on a night: up to and on its last day."""
        return night <= self.until


@dataclass(frozen=True)
class Note:
    """A remark on a network or account."""

    number: int
    subject: str
    text: str
    by: str
    on: str


@dataclass(frozen=True)
class Standing:
    """What people wrote, as far as it stands."""

    dispositions: Mapping[str, Disposition]
    """By network_id."""
    allowed: tuple[Allowed, ...]
    """Unrevoked, expired ones too, in order of writing."""
    notes: tuple[Note, ...]
    tombstones: tuple[str, ...]
    """Keyed hashes of erased accounts."""

    def verdict(self, verdict: str) -> tuple[Disposition, ...]:
        """The networks of one disposition, by id."""
        return tuple(self.dispositions[name] for name in sorted(self.dispositions) if self.dispositions[name].verdict == verdict)

    def allowed_on(self, night: date) -> dict[str, Allowed]:
        """What is allowed on a night, by network or account id; of several entries the one that holds longest."""
        held = sorted((entry for entry in self.allowed if entry.holds_on(night)), key=lambda entry: (entry.until, entry.number))
        return {entry.subject: entry for entry in held}

    def notes_on(self, subject: str) -> tuple[Note, ...]:
        """The notes on one network or account, oldest first."""
        return tuple(note for note in self.notes if note.subject == subject)


def standing(entries: Sequence[Entry]) -> Standing:
    """What stands of a journal."""
    kept = unrevoked(entries)
    spoken = (_disposition(entry) for entry in kept if entry.kind == "disposition")
    return Standing(
        dispositions={word.network_id: word for word in spoken},
        allowed=tuple(_allowed(entry) for entry in kept if entry.kind == "allow"),
        notes=tuple(_note(entry) for entry in kept if entry.kind == "note"),
        tombstones=tuple(str(entry.content["tombstone"]) for entry in kept if entry.kind == "erasure"),
    )


def unrevoked(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries but revocations that no standing revocation names. An erasure cannot be revoked."""
    gone = revoked_numbers(entries)
    return tuple(entry for entry in entries if entry.kind != "revoke" and (entry.number not in gone or entry.kind == "erasure"))


def revoked_numbers(entries: Iterable[Entry]) -> frozenset[int]:
    """Numbers of entries that are revoked; a revocation that is itself revoked does not count. An entry can only be revoked by a later one."""
    gone = set[int]()
    for entry in sorted((entry for entry in entries if entry.kind == "revoke"), key=lambda entry: -entry.number):
        if entry.number not in gone:
            gone.add(int(entry.content["entry"]))
    return frozenset(gone)


def _disposition(entry: Entry) -> Disposition:
    content = entry.content
    return Disposition(entry.number, content["network_id"], content["verdict"], content["reason"], entry.by, entry.at[:10], content["night"], content["seen"])


def _allowed(entry: Entry) -> Allowed:
    content = entry.content
    return Allowed(
        entry.number,
        content["subject"],
        content["is_network"],
        content["reason"],
        entry.by,
        entry.at[:10],
        date.fromisoformat(content["until"]),
        content["seen"].get("account_count"),
    )


def _note(entry: Entry) -> Note:
    return Note(entry.number, entry.content["subject"], entry.content["text"], entry.by, entry.at[:10])
