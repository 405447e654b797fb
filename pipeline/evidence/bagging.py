"""A payload as a BagIt bag (RFC 8493, version 1.0): the files around data/ that say what it is and hold the hash of every byte.

The clock is in one place, Bagging-Date of bag-info.txt (the journal of the case holds the moment); with the same date the same payload gives the same bytes.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline import __version__, assets
from pipeline.evidence import bagfiles
from pipeline.evidence.signing import Signer
from pipeline.evidence.verify import UNSIGNED
from pipeline.provenance import sha256_bytes
from pipeline.redaction import Profile


@dataclass(frozen=True)
class Label:
    """What a bag says of itself."""

    case_id: str
    version: int
    """of the report"""
    status: str
    profile: Profile
    run_id: str
    night: str
    lint_findings: int
    bagged_on: date


def bag_bytes(payload: Mapping[str, bytes], label: Label, signer: Signer | None) -> dict[str, bytes]:
    """Every file of the bag by path, the payload's among them."""
    unsafe = next((name for name in payload if not bagfiles.is_safe(name)), None)
    assert unsafe is None, unsafe  # names of a payload are made by this program
    pem = signer.public_pem() if signer else None
    tags = {
        bagfiles.BAGIT: bagfiles.DECLARATION,
        bagfiles.INFO: _info(payload, label, pem),
        bagfiles.MANIFEST: manifest_bytes(payload),
        bagfiles.README: _readme(label, is_signed=signer is not None),
        **({bagfiles.KEY: pem} if pem else {}),
    }
    sealed = manifest_bytes(tags)
    signature = {bagfiles.SIGNATURE: signer.sign(sealed)} if signer else {}
    return {**payload, **tags, bagfiles.TAGS: sealed, **signature}


def manifest_bytes(files: Mapping[str, bytes]) -> bytes:
    """`sha256  path` lines, by path."""
    return "".join(f"{sha256_bytes(data)}  {name}\n" for name, data in sorted(files.items())).encode("ascii")


def write_bag(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write every file below a fresh folder; what an interrupted attempt left there is removed. The caller flushes and renames it."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in sorted(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _info(payload: Mapping[str, bytes], label: Label, pem: bytes | None) -> bytes:
    said = {
        "Bag-Software-Agent": f"stillhunt {__version__}",
        "Bagging-Date": label.bagged_on.isoformat(),
        "External-Identifier": label.case_id,
        "Payload-Oxum": f"{sum(map(len, payload.values()))}.{len(payload)}",
        "Stillhunt-Version": str(label.version),
        "Stillhunt-Status": label.status,
        "Stillhunt-Profile": label.profile,
        "Stillhunt-Run": label.run_id,
        "Stillhunt-Night": label.night,
        "Stillhunt-Lint-Findings": str(label.lint_findings),
        "Stillhunt-Signature": f"Ed25519 {sha256_bytes(pem)}" if pem else UNSIGNED,
    }
    return "".join(f"{key}: {value}\n" for key, value in said.items()).encode("ascii")


def _readme(label: Label, *, is_signed: bool) -> bytes:
    words = (assets.reports_folder() / "bag" / "README.txt").read_text(encoding="utf-8")
    lint = f"The report has {label.lint_findings} lint findings and was sealed all the same.\n" if label.lint_findings else ""
    signed = "This bag is signed; signature/public-key.pem is the signer's public key." if is_signed else "This bag is not signed."
    return words.format(label=label, lint=lint, signed=signed, readers=_READERS[label.profile]).encode("utf-8")


_READERS: dict[Profile, str] = {
    "internal": "people inside the company. It shows account ids and addresses: do not hand it on.",
    "counsel": "counsel. Accounts and requests are pseudonyms under a key that is not in this bag.",
    "partner": "partners. Accounts and requests are pseudonyms under a key that is not in this bag.",
    "public": "anybody. Accounts and requests are pseudonyms under a key that is not in this bag.",
}
