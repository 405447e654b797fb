"""DIR/canaries/D.json: networks planted by the simulator beside the log of a night, and whether the detector found them.

Written by the command `canary`, which judges the real log with the planted one in a scratch folder of its own. No table of a run holds
anything of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.provenance import sha256_json
from pipeline.store import read_json

FOLDER = "canaries"
SCHEMA = "stillhunt.canary/1"


@dataclass(frozen=True)
class Canary:
    """One planted network."""

    name: str
    account_count: int
    found_count: int
    """Of its accounts, those that the network which holds most of them holds."""
    tier: str
    """Tier of that network; '' if no network holds any."""
    is_found: bool
    """Referred, and that network holds at least half of its accounts and of what the two hold together."""


@dataclass(frozen=True)
class CanaryNight:
    """What came of the canaries of one night."""

    night: date
    seed: int
    canaries: tuple[Canary, ...]
    version: str
    """Version of the program that judged."""
    sha256: str

    @property
    def found_count(self) -> int:
        """Planted networks that were found."""
        return sum(canary.is_found for canary in self.canaries)


def read_canaries(root: Path, night: date) -> CanaryNight | None:
    """The newest record of this night or an earlier one; None if there is none. Raises IntegrityError for a file that is not one."""
    names = sorted(path.stem for path in (root / FOLDER).glob("????-??-??.json") if path.stem <= night.isoformat())
    return _record(root / FOLDER / f"{names[-1]}.json") if names else None


def _record(path: Path) -> CanaryNight:
    found = read_json(path)
    planted = tuple(Canary(one["name"], one["account_count"], one["found_count"], one["tier"], one["is_found"]) for one in found["canaries"])
    return CanaryNight(date.fromisoformat(found["night"]), found["seed"], planted, found["version"], sha256_json(found))
