"""Is a sealed evidence bag what was sealed? Every check on a line, from the bag alone: no network, no clock, nothing but Python's standard library.

This file is also the verify.py inside each bag, with the three that it needs beside it; it runs with a plain `python3` (3.11 or later):

    python3 data/50_repro/verify.py [BAG]        exit code 0: all checks passed; 4: one failed; 6: there is no bag

It reads BagIt (RFC 8493) as stillhunt writes it, in one spelling only, so that no byte of any file can change unseen. Names come from the bag and are hostile until
they are checked: no path leaves the bag, no link is followed. What it cannot know: whether whoever sealed the bag told the truth. A bag without signature can be made
again whole by anybody, so compare its seal (the SHA-256 of tagmanifest-sha256.txt) with one that came by another way, such as the journal of the case.
"""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.dont_write_bytecode = True  # nothing may be added to the bag
    sys.path.insert(0, str(Path(__file__).resolve().parent))  # isolated Python does not look beside a script
    import agreement  # type: ignore[import-not-found,unused-ignore]
    import bagfiles  # type: ignore[import-not-found,unused-ignore]
    import ed25519  # type: ignore[import-not-found,unused-ignore]
else:
    from pipeline.evidence import agreement, bagfiles, ed25519

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

UNSIGNED = "none, the bag is not signed"
SHOWN = 5
"""Files that a failed check names."""
FAILED, NO_BAG = 4, 6
_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/]{59}=)\n-----END PUBLIC KEY-----\n")
_DER = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of an Ed25519 key (RFC 8410)."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    passed: bool
    detail: str
    """what was seen, or the first things that are wrong, each with its file"""


class NotABagError(Exception):
    """There is nothing at the path that could be a bag."""


def check(bag: Path, holds: Callable[[bytes, bytes, bytes], bool] = ed25519.holds) -> list[Check]:
    """Every check of a bag, in order. `holds` (public key, signature, message) says whether an Ed25519 signature does. Raises NotABagError."""
    if not bag.is_dir() or not any((bag / name).is_file() for name in (bagfiles.BAGIT, bagfiles.MANIFEST, bagfiles.TAGS)):
        raise NotABagError(f"{shown(str(bag))}: is no bag: it holds no {bagfiles.MANIFEST}. Name the folder that `stillhunt bundle seal` made.")
    files, links = bagfiles.list_files(bag)
    tags, bad_tags = bagfiles.read_manifest(bag, bagfiles.TAGS)
    payload, bad_payload = bagfiles.read_manifest(bag, bagfiles.MANIFEST)
    info, here = bagfiles.read_info(bag), {name for name in files if name.startswith("data/")}
    loose = {bagfiles.TAGS} if info.get("Stillhunt-Signature") == UNSIGNED else {bagfiles.TAGS, bagfiles.SIGNATURE}
    return [
        _made("structure", _structure(bag, files, links), "BagIt 1.0, every required file is there, no links"),
        _made("tag manifest", [*bad_tags, *_changed(bag, tags)], f"{len(tags)} files about the bag have their SHA-256"),
        _made("tag files", _apart(set(tags), files - here - loose), "none missing, none added"),
        _made("payload manifest", bad_payload, f"{len(payload)} files listed, no path leads out of data/"),
        _made("payload hashes", _changed(bag, payload), f"{len(payload)} files have their SHA-256"),
        _made("payload complete", _apart(set(payload), here), "none missing, none added"),
        _made("payload size", _size(bag, info, here), f"{info.get('Payload-Oxum', '')} (bytes.files), as {bagfiles.INFO} says"),
        _signature(bag, info, holds),
        _made("custody chain", agreement.custody_problems(bag), "each line of the journal holds the hash of the one before"),
        _made("inside agrees", agreement.problems(bag, info, payload), "report, journal, run.json, sources, settings and expected hashes fit"),
    ]


def seal_of(bag: Path) -> str:
    """The SHA-256 of the tag manifest, which stands for the whole bag; '' if there is none."""
    return bagfiles.sha256_of(bag, bagfiles.TAGS) or ""


def shown(text: str) -> str:
    """Text for a terminal: nothing in it can steer one."""
    return "".join(character if character.isprintable() else f"<U+{ord(character):04X}>" for character in text)


def _made(name: str, problems: Sequence[str], fine: str) -> Check:
    if not problems:
        return Check(name, True, fine)
    more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    return Check(name, False, "; ".join(shown(problem) for problem in problems[:SHOWN]) + more)


def _structure(bag: Path, files: set[str], links: Iterable[str]) -> list[str]:
    found = [f"{name}: is missing" for name in (bagfiles.BAGIT, bagfiles.INFO, bagfiles.MANIFEST, bagfiles.TAGS) if name not in files]
    if bagfiles.BAGIT in files and bagfiles.read(bag, bagfiles.BAGIT) != bagfiles.DECLARATION:
        found.append(f"{bagfiles.BAGIT}: is not the declaration of a bag of version 1.0")
    return [*found, *(f"{name}: is a link or device, not a file" for name in links)]


def _changed(bag: Path, hashes: dict[str, str]) -> list[str]:
    """Files that are there and have other bytes. Those that are missing are named elsewhere."""
    digests = ((name, expected, bagfiles.sha256_of(bag, name)) for name, expected in hashes.items())
    return [f"{name}: {'was changed' if found else 'cannot be read'}" for name, expected, found in digests if found is not None and found != expected]


def _apart(listed: set[str], here: set[str]) -> list[str]:
    return [*(f"{name}: is missing" for name in sorted(listed - here)), *(f"{name}: was added" for name in sorted(here - listed))]


def _size(bag: Path, info: dict[str, str], here: set[str]) -> list[str]:
    said, found = info.get("Payload-Oxum", "nothing"), f"{sum((bag / name).stat().st_size for name in here)}.{len(here)}"
    return [] if said == found else [f"{bagfiles.INFO} says {said} (bytes.files), data/ holds {found}"]


def _signature(bag: Path, info: dict[str, str], holds: Callable[[bytes, bytes, bytes], bool]) -> Check:
    name, said = "signature", info.get("Stillhunt-Signature", "nothing")
    if said == UNSIGNED:
        return Check(name, True, f"not signed, as {bagfiles.INFO} says: compare the seal with the journal of the case")
    found = {place: bagfiles.read(bag, place) for place in (bagfiles.KEY, bagfiles.SIGNATURE, bagfiles.TAGS)}
    missing = [f"{place}: is missing" for place, data in found.items() if data is None]
    pem, signature, message = (data or b"" for data in found.values())
    key, digest = _public_key(pem), hashlib.sha256(pem).hexdigest()
    if missing:
        return _made(name, missing, "")
    if key is None or said != f"Ed25519 {digest}":
        return Check(name, False, f"{bagfiles.KEY}: is not the key that {bagfiles.INFO} names")
    if len(signature) != 64 or not holds(key, signature, message):
        return Check(name, False, f"{bagfiles.SIGNATURE}: is no signature of {bagfiles.TAGS} by {bagfiles.KEY}")
    return Check(name, True, f"Ed25519, holds; ask the signer whether this is the SHA-256 of their public-key.pem: {digest}")


def _public_key(pem: bytes) -> bytes | None:
    """The 32 bytes of an Ed25519 key in a PEM file; None if it is none."""
    found = _PEM.fullmatch(pem)
    der = base64.b64decode(found[1]) if found else b""
    return der[len(_DER) :] if der.startswith(_DER) and len(der) == len(_DER) + 32 else None


def main(words: Sequence[str]) -> int:
    """Print the checks of a bag, the one that this file lies in if none is named; the exit code."""
    bag = Path(words[0]) if words else Path(__file__).resolve().parents[2]
    try:
        checks = check(bag)
    except NotABagError as error:
        sys.stderr.write(f"{error}\n")
        return NO_BAG
    sys.stdout.writelines(f"{'pass' if one.passed else 'FAIL'}  {one.name:<16}  {one.detail}\n" for one in checks)
    sys.stdout.write(f"seal  {seal_of(bag)}\n")
    return 0 if all(one.passed for one in checks) else FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
