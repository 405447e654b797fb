"""Two-person review: what is reviewed is a report that was built from the case as it stands, and that lint has nothing to say about."""

from __future__ import annotations

from dataclasses import replace

from pipeline.errors import InputError
from pipeline.evidence import corrections
from pipeline.evidence.building import LINT
from pipeline.evidence.casefile import CaseFile, CaseFolder, reviewed
from pipeline.evidence.facts import short
from pipeline.redaction import PROFILES, Profile
from pipeline.store import read_json


def review(folder: CaseFolder, by: str) -> CaseFile:
    """The case one step on (see casefile.reviewed), written into its journal and its version. The folder is locked. Raises InputError."""
    by = short("by", by)
    if not by:
        raise InputError("--by is empty. Say who reviews: --by NAME.")
    file = folder.load()
    case = reviewed(file.case, by)
    version = corrections.kept(folder.path, file.case.version)
    stale = version is None or version.content_sha256 != file.content_sha256()
    if version is None or stale or not built_profiles(folder):
        what = "the case was changed since its report was built" if version else "no report was built yet"
        raise InputError(f"{what}, so there is nothing to review. Build it: stillhunt report build --case {folder.case_id} --profile internal --out {folder.out}")
    for profile in built_profiles(folder):
        found = read_json(folder.path / profile / LINT)
        if found["findings"] or found["version"] != version.version:
            reason = (
                f"lint has {len(found['findings'])} findings in it: stillhunt report lint {folder.case_id}" if found["findings"] else "it is of an earlier version; build it again"
            )
            raise InputError(f"the {profile} report of case {folder.case_id} cannot be reviewed: {reason} --out {folder.out}")
    corrections.keep(folder.path, replace(version, status=case.status))
    return folder.save(replace(file, case=case), by, "review", {"status": case.status, "version": case.version})


def built_profiles(folder: CaseFolder) -> tuple[Profile, ...]:
    """Profiles that have a report."""
    return tuple(profile for profile in PROFILES if (folder.path / profile / LINT).is_file())
