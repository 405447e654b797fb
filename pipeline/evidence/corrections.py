"""What each version of a case's report said about whom, and what a later one takes back.

DIR/cases/ID/versions/N.json holds, of version N, the run and every network with its tier and members. A report whose networks, tiers or members
differ from the last version's, or that follows a FINAL one and says something else, is a new version. Whoever the earlier one listed and this
one does not, or no longer under a referred network, is named with a reason that the run's own tables give.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import IntegrityError
from pipeline.evidence.cases import Case, Superseded
from pipeline.store import read_json, write_json

if TYPE_CHECKING:
    from pipeline.evidence.finished import FinishedRun

SCHEMA = "stillhunt.case_version/1"
REFERRED = "refer"


@dataclass(frozen=True)
class Said:
    """What a report says of one network."""

    tier: str
    members: tuple[str, ...]
    """account_ids, sorted"""


@dataclass(frozen=True)
class Version:
    """What one version of a case's report says about whom."""

    version: int
    run_id: str
    night: str
    status: str
    """DRAFT, REVIEWED or FINAL, as last built"""
    content_sha256: str
    """of what it took from the case"""
    basis_sha256: str
    """of what else it was made with: context files, validations, program"""
    networks: Mapping[str, Said]

    def made_of(self) -> tuple[str, str, str]:
        """The run, the case and the rest that it was made of: when one changes, nobody has reviewed what is said now."""
        return self.run_id, self.content_sha256, self.basis_sha256

    def says(self) -> dict[str, Any]:
        """The part that makes another version when it changes."""
        return {name: asdict(said) for name, said in sorted(self.networks.items())}


def version_of(run: FinishedRun, networks: Collection[str], case: Case, content_sha256: str, basis_sha256: str) -> Version:
    """What a report on these networks of the run says; networks that the run does not hold are left out."""
    rows = run.among("networks", {"network_id": sorted(networks)}).select("network_id", "tier")
    members = run.among("members", {"network_id": sorted(networks)}).sort("account_id").select("network_id", "account_id")
    listed: dict[str, list[str]] = {}
    for name, account in members.iter_rows():
        listed.setdefault(name, []).append(account)
    manifest = run.manifest()
    said = {name: Said(tier, tuple(listed.get(name, ()))) for name, tier in sorted(rows.iter_rows())}
    return Version(case.version, manifest["run_id"], manifest["night"], case.status, content_sha256, basis_sha256, said)


def keep(folder: Path, version: Version) -> None:
    """Write versions/N.json of a case folder; nothing if it is there as it would be written."""
    path = folder / "versions" / f"{version.version}.json"
    document = {"schema": SCHEMA, **asdict(version), "networks": version.says()}
    if not path.exists() or read_json(path) != _plain(document):
        path.parent.mkdir(exist_ok=True)
        write_json(path, document)


def kept(folder: Path, number: int) -> Version | None:
    """Version `number` of a case folder; None if no report was built yet. Raises IntegrityError if the file is not as it was written."""
    path = folder / "versions" / f"{number}.json"
    if not path.exists():
        return None
    document = read_json(path)
    try:
        networks = {name: Said(said["tier"], tuple(said["members"])) for name, said in document["networks"].items()}
        return Version(**{key: document[key] for key in ("version", "run_id", "night", "status", "content_sha256", "basis_sha256")}, networks=networks)
    except (KeyError, TypeError, AttributeError):
        raise IntegrityError(f"{path}: is not the version that was written there. Restore it from a copy.") from None


def superseded(run: FinishedRun, before: Version, now: Version) -> Superseded:
    """The earlier version and whom it listed that this one does not, or no longer under a referred network; by account, each with a reason."""
    present = {account: name for name, said in now.networks.items() for account in said.members}
    removed: dict[str, str] = {}
    gone: dict[str, list[str]] = {}
    for name, said in before.networks.items():
        for account in said.members:
            if account not in present:
                gone.setdefault(name, []).append(account)
            elif said.tier == REFERRED and now.networks[present[account]].tier != REFERRED:
                removed[account] = f"It stays a member of {present[account]}, which is no longer referred: its tier is now {now.networks[present[account]].tier}."
    for name, accounts in gone.items():
        removed |= _reasons(run, name, accounts, now.networks)
    return Superseded(before.version, tuple(sorted(removed.items())))


def cleared(before: Version, now: Version) -> tuple[str, ...]:
    """Networks that the earlier version referred and the run of this one does not, or that this one leaves out; sorted."""
    return tuple(sorted(name for name, said in before.networks.items() if said.tier == REFERRED and (name not in now.networks or now.networks[name].tier != REFERRED)))


def _reasons(run: FinishedRun, network: str, accounts: Sequence[str], reported: Collection[str]) -> dict[str, str]:
    """Why accounts of an earlier network are on no list now, from where this run has them."""
    window = run.manifest()["window"]
    found = dict(run.among("accounts", {"account_id": accounts}).select("account_id", "network_id").iter_rows())
    fate = "" if network in reported else _fate(run, network)
    return {account: " ".join(filter(None, [_reason(account, network, found, window), fate])) for account in accounts}


def _reason(account: str, network: str, found: Mapping[str, str | None], window: Mapping[str, Any]) -> str:
    if account not in found:
        return f"It has no request between {window['first_day']} and {window['last_day']}, the window of this version."
    now = found[account]
    if now is None:
        return "The run of this version finds it in no network: too little ties it to the others."
    return f"Network {network} is no longer part of this report." if now == network else f"The run of this version finds it in network {now}, which this report is not about."


def _fate(run: FinishedRun, network: str) -> str:
    """What became of a network that is not reported on: its tier in the run, or how it ended by the lineage."""
    row = run.where("networks", network_id=network)
    if row.height:
        return f"The tier of {network} in this run is {row['tier'][0]}."
    ended = run.where("lineage", network_id=network).sort("night", "event", "other_id").rows(named=True)
    if not ended:
        return f"This run does not find {network}."
    other = f" with {ended[-1]['other_id']}" if ended[-1]["other_id"] else ""
    return f"This run does not find {network}; last entry of its lineage: {ended[-1]['event']}{other}, night of {ended[-1]['night']}."


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """As it reads back from JSON."""
    return {**document, "networks": {name: {"tier": said["tier"], "members": list(said["members"])} for name, said in document["networks"].items()}}
