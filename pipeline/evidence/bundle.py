"""`bundle seal`: a built report and all that is needed to check it, as a bag that never changes again, in DIR/cases/ID/bundles/ID_PROFILE_vN.

One bag is for one kind of reader. Before anything is written, the report, the run and the case are held against the hashes that were recorded of them, and the report is linted
again. A bag is written beside its place and renamed into it; then the journal of the case gets its seal. Asked again for what is sealed already, nothing is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.errors import InputError, IntegrityError, LintFailed
from pipeline.evidence import bagfiles, corrections, custody, verify
from pipeline.evidence.bagging import Label, bag_bytes, write_bag
from pipeline.evidence.building import LINT, lint_of
from pipeline.evidence.casefile import CaseFile, CaseFolder
from pipeline.evidence.casekeys import read_key
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.payload import payload
from pipeline.evidence.reviewing import built_profiles
from pipeline.evidence.signing import Signer, holds
from pipeline.provenance import sha256_bytes, sha256_file
from pipeline.redaction import Profile, Release
from pipeline.store import Store, read_json

BUNDLES = "bundles"
ACTION = "seal"
_CUSTODY = "data/60_custody/"


@dataclass(frozen=True)
class Sealing:
    """What is asked for."""

    case_id: str
    profile: Profile | None
    """None: every profile that was built"""
    by: str
    """'' : the author of the case"""
    key_file: Path | None
    """Ed25519 private key; None: not signed"""
    despite_lint: bool
    today: date


@dataclass(frozen=True)
class Sealed:
    """One bag."""

    path: Path
    profile: Profile
    files: int
    size_bytes: int
    seal: str
    """SHA-256 of its tag manifest"""
    is_signed: bool
    lint_findings: int
    is_new: bool
    """False: an earlier command sealed just this"""


def seal(out: Path, order: Sealing) -> tuple[Sealed, ...]:
    """Seal the built reports of a case, one bag each. Raises StillhuntError, and then no bag was made."""
    folder = CaseFolder(out, order.case_id)
    folder.load()
    signer = Signer(order.key_file, out) if order.key_file else None
    with folder.locked():
        file = folder.load()
        lines = custody.read_custody(folder, file)
        profiles = _profiles(folder, order.profile)
        findings = {profile: _linted(folder, file, lines, profile, despite=order.despite_lint) for profile in profiles}
        made = {profile: _files(folder, file, lines, profile, findings[profile], order, signer) for profile in profiles}
        sealed = []
        for profile, files in made.items():
            kept = _kept(folder, profile, files)
            sealed.append(_described(kept or _put(folder, profile, files), profile, findings[profile], is_new=kept is None))
            file = _journaled(folder, file, sealed[-1], order.by)
        return tuple(sealed)


def _profiles(folder: CaseFolder, asked: Profile | None) -> tuple[Profile, ...]:
    built = built_profiles(folder)
    if asked and asked not in built:
        raise InputError(f"case {folder.case_id} has no {asked} report. Build it: stillhunt report build --case {folder.case_id} --profile {asked} --out {folder.out}")
    if not built:
        raise InputError(f"case {folder.case_id} has no report yet. Build it: stillhunt report build --case {folder.case_id} --profile internal --out {folder.out}")
    return (asked,) if asked else built


def _linted(folder: CaseFolder, file: CaseFile, lines: Sequence[bytes], profile: Profile, *, despite: bool) -> int:
    """Lint findings of a report that is as it was built, from the case as it stands. Raises IntegrityError, InputError, LintFailed."""
    place, again = folder.path / profile, f"Build it again: stillhunt report build --case {folder.case_id} --profile {profile} --out {folder.out}"
    recorded = _build_line(lines, profile)["files"]
    here = {path.relative_to(place).as_posix(): path for path in sorted(place.rglob("*")) if path.is_file()}
    for name in sorted({*recorded, *here}):
        if name not in here or recorded.get(name) != sha256_file(here[name]):
            what = "is missing" if name not in here else "was added" if name not in recorded else "was changed"
            raise IntegrityError(f"{place / name}: {what} since the report was built: the journal of the case holds another hash. Nothing was sealed. {again}")
    version = corrections.kept(folder.path, file.case.version)
    if version is None or version.content_sha256 != file.content_sha256() or read_json(place / LINT).get("version") != file.case.version:
        raise InputError(f"the {profile} report of case {folder.case_id} is of an earlier version than the case. {again}; or seal another with --profile.")
    found = len(lint_of(place, file.organisations))
    if found and not despite:
        raise LintFailed(
            f"the {profile} report of case {folder.case_id} has {found} lint findings, so nothing was sealed. See: stillhunt report lint {folder.case_id} --out {folder.out}. "
            "To seal it all the same: --despite-lint"
        )
    return found


def _build_line(lines: Sequence[bytes], profile: Profile) -> dict[str, Any]:
    """Details of the last time that the report of a profile was built."""
    entries = (json.loads(line) for line in reversed(lines))
    found: dict[str, Any] | None = next((one["details"] for one in entries if one["action"] == "build" and one["details"].get("profile") == profile), None)
    if found is None:
        raise IntegrityError(f"the journal of the case holds no word of building its {profile} report. Build it again.")
    return found


def _files(folder: CaseFolder, file: CaseFile, lines: Sequence[bytes], profile: Profile, findings: int, order: Sealing, signer: Signer | None) -> dict[str, bytes]:
    """Every file of the bag by path."""
    built = _build_line(lines, profile)
    run = FinishedRun(folder.out, folder.out / "runs" / built["run_id"])
    _verify(run)
    key = b"" if profile == "internal" else read_key(folder.case_id, file.key_id, folder.out)
    case = file.case
    members = run.among("members", {"network_id": list(case.networks)})["account_id"].to_list()
    release = Release(profile, key, {*members, *(account for account, _ in (case.supersedes.removed if case.supersedes else ()))})
    held = custody.released(folder.path / "case.json", file, lines, release)
    label = Label(case.case_id, case.version, str(built["status"]), profile, str(run.manifest()["run_id"]), str(run.manifest()["night"]), findings, order.today)
    return bag_bytes(payload(run, case.networks, folder.path / profile, held, release), label, signer)


def _verify(run: FinishedRun) -> None:
    """Raises IntegrityError for a table or page of the run that is not what run.json recorded."""
    run.verify()
    for name, recorded in sorted(run.manifest()["pages"].items()):
        path = run.folder / name
        if not path.is_file() or sha256_file(path) != recorded:
            raise IntegrityError(f"{path}: is not what the run wrote: its SHA-256 is not the one in run.json. Restore it, or run again with another --out.")


def _bags(folder: CaseFolder, profile: Profile) -> list[Path]:
    """Sealed bags of a profile, oldest first."""
    pattern = re.compile(rf"{re.escape(folder.case_id)}_{profile}_v([1-9][0-9]*)")
    found = ((match, path) for path in (folder.path / BUNDLES).glob("*") if (match := pattern.fullmatch(path.name)))
    return [path for _, path in sorted((int(match[1]), path) for match, path in found)]


def _kept(folder: CaseFolder, profile: Profile, files: dict[str, bytes]) -> Path | None:
    """The newest bag if it holds just this: equal but for the date and for lines of the journal that say what was sealed. One that was changed since is none."""
    bags = _bags(folder, profile)
    if not bags or not _is_sound(bags[-1]):
        return None
    hashes, _ = bagfiles.read_manifest(bags[-1], bagfiles.MANIFEST)
    info, journal = ((bags[-1] / name).read_bytes() for name in (bagfiles.INFO, bagfiles.JOURNAL))
    then = (_apart(hashes), _labels(info), _events(journal))
    now = (_apart({name: sha256_bytes(data) for name, data in files.items() if name.startswith("data/")}), _labels(files[bagfiles.INFO]), _events(files[bagfiles.JOURNAL]))
    return bags[-1] if then == now else None


def _is_sound(bag: Path) -> bool:
    try:
        return all(one.passed for one in verify.check(bag, holds))
    except verify.NotABagError:
        return False


def _apart(hashes: dict[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in hashes.items() if not name.startswith(_CUSTODY)}


def _labels(info: bytes) -> dict[str, str]:
    """What bag-info.txt says, but for the date and for the size, which the journal makes grow."""
    said = dict(line.partition(": ")[::2] for line in info.decode("utf-8").splitlines())
    return {label: value for label, value in said.items() if label not in ("Bagging-Date", "Payload-Oxum")}


def _events(journal: bytes) -> list[tuple[str, str]]:
    """What happened to the case, sealing apart."""
    entries = [json.loads(line) for line in journal.split(b"\n")[:-1]]
    return [(one["utc"], one["action"]) for one in entries if one["action"] != ACTION]


def _put(folder: CaseFolder, profile: Profile, files: dict[str, bytes]) -> Path:
    """Write a bag beside its place and rename it; its number is one more than the last."""
    bags = _bags(folder, profile)
    number = int(bags[-1].name.rpartition("_v")[2]) + 1 if bags else 1
    place = folder.path / BUNDLES / f"{folder.case_id}_{profile}_v{number}"
    fresh = place.with_name(f".{folder.case_id}_{profile}.new")
    write_bag(fresh, files)
    Store(folder.out).replace_folder(fresh, place)
    return place


def _described(bag: Path, profile: Profile, findings: int, *, is_new: bool) -> Sealed:
    files, _ = bagfiles.list_files(bag)
    size = sum((bag / name).stat().st_size for name in files)
    return Sealed(bag, profile, len(files), size, verify.seal_of(bag), bagfiles.SIGNATURE in files, findings, is_new)


def _journaled(folder: CaseFolder, file: CaseFile, one: Sealed, by: str) -> CaseFile:
    """The case with the seal in its journal; a command that was stopped before it could say so is caught up with."""
    if any(entry["action"] == ACTION and entry["details"].get("seal") == one.seal for entry in folder.journal(file)):
        return file
    details = {"bag": one.path.name, "profile": one.profile, "version": file.case.version, "status": file.case.status, "seal": one.seal, "is_signed": one.is_signed}
    return folder.change(file, by or file.case.author, ACTION, details)
