"""Everything that one night's pages say beyond the night itself, read once, and its hashes for the run's id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pipeline.history.canaries import CanaryNight, read_canaries
from pipeline.history.journal import Entry, read_journal
from pipeline.history.nights import EarlierNight, NetworkThen, earlier_nights, last_good, networks_then
from pipeline.history.prices import PriceSheet, prices_of
from pipeline.history.settings import Operations, read_operations, shipped_operations
from pipeline.history.standing import Standing, standing, unrevoked
from pipeline.provenance import sha256_json
from pipeline.store import Store


@dataclass(frozen=True)
class Past:
    """What stands before a night in one output folder."""

    night: date
    operations: Operations
    nights: tuple[EarlierNight, ...] = ()
    """Oldest first; as many as the ledger or the bands ask for."""
    good: EarlierNight | None = None
    """The last good night among them."""
    networks_then: Mapping[str, NetworkThen] = field(default_factory=dict)
    """Networks of that night."""
    entries: tuple[Entry, ...] = ()
    """The journal without what is revoked."""
    standing: Standing = field(default_factory=lambda: standing(()))
    canary: CanaryNight | None = None
    prices: PriceSheet | None = None
    """The sheet that the run was given, else DIR/prices.toml."""

    def hashes(self) -> dict[str, str | None]:
        """SHA-256 of each part that a page shows, None where there is none: part of what a run's id is made from."""
        nights = {night.night.isoformat(): night.run_id for night in self.nights}
        return {
            "earlier_nights": sha256_json(nights) if nights else None,
            "journal": sha256_json([entry.head() | {"previous": ""} for entry in self.entries]) if self.entries else None,
            "canaries": self.canary.sha256 if self.canary else None,
            "operations": sha256_json(self.operations.as_dict()),
            "prices": self.prices.sha256 if self.prices else None,
        }


def read_past(store: Store, night: date) -> Past:
    """What DIR holds from before a night. Raises IntegrityError for a file of ours that is broken, ConfigError for DIR/operations.toml,
    InputError for a price sheet.
    """
    operations = read_operations(store.root)
    nights = earlier_nights(store, night, max(operations.ledger_nights, operations.history_days))
    good = last_good(nights)
    entries = read_journal(store.root)
    return Past(
        night=night,
        operations=operations,
        nights=nights,
        good=good,
        networks_then=networks_then(store, good.run_id) if good else {},
        entries=unrevoked(entries),
        standing=standing(entries),
        canary=read_canaries(store.root, night),
        prices=prices_of(store.root),
    )


def no_past(night: date) -> Past:
    """The past of a folder that holds nothing."""
    return Past(night, shipped_operations())
