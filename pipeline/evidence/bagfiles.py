"""The files of a sealed bag by name, read without leaving the bag: no link is followed, no path that is not safe is opened.

Also a file inside each bag, beside verify.py: standard library only.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

BAGIT, INFO, MANIFEST, TAGS, README = "bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "README.txt"
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
KEY, SIGNATURE = "signature/public-key.pem", "signature/tagmanifest-sha256.txt.sig"
REPORT, EXHIBITS, SOURCES = "data/10_report/", "data/20_exhibits/", "data/30_source/sources.csv"
METHOD, CONFIG, RUN = "data/40_method/", "data/40_method/config.toml", "data/40_method/run.json"
VALIDATION, NIGHTS, FINGERPRINTS = "data/40_method/validation.json", "data/50_repro/nights.json", "data/50_repro/fingerprints.json"
REPRO, EXPECTED, CASE, JOURNAL = "data/50_repro/", "data/50_repro/expected.sha256", "data/60_custody/case.json", "data/60_custody/journal.jsonl"
_LINE = re.compile(r"([0-9a-f]{64})  (\S(?:.*\S)?)")
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.,+=@ -]*(?:/[A-Za-z0-9_][A-Za-z0-9_.,+=@ -]*)*")


def is_safe(name: str) -> bool:
    """Whether a path of the bag is relative, stays below the bag, and is plain ASCII in the one spelling that is used."""
    return bool(_SAFE.fullmatch(name)) and not any(part.endswith((".", " ")) for part in name.split("/"))


def list_files(bag: Path) -> tuple[set[str], list[str]]:
    """Paths of regular files below the bag, and those of everything that is neither file nor folder, sorted."""
    files, other = set(), []
    for base, folders, names in os.walk(bag):
        for name in [*folders, *names]:
            path = Path(base) / name
            place = path.relative_to(bag).as_posix()
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                other.append(place)
            elif path.is_file():
                files.add(place)
    return files, sorted(other)


def read_manifest(bag: Path, name: str) -> tuple[dict[str, str], list[str]]:
    """Hashes by path, only of paths that are safe to open, and what is wrong with the list: one spelling is allowed, sorted, each path once."""
    data = read(bag, name)
    if data is None:
        return {}, [f"{name}: is missing"]
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    problems = [] if lines.pop() == "" else [f"{name}: its last line has no end"]
    hashes: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        found = _LINE.fullmatch(line)
        if not found:
            problems.append(f"{name}: line {number} is not a SHA-256, two spaces and a path")
        elif not is_safe(found[2]) or found[2].startswith("data/") != (name == MANIFEST):
            problems.append(f"{name}: line {number} names '{found[2]}', which may not stand there; it was not opened")
        else:
            hashes[found[2]] = found[1]
    if not problems and [*hashes] != sorted(line[66:] for line in lines):
        problems.append(f"{name}: its lines are not in order, each path once")
    return hashes, problems


def read_info(bag: Path) -> dict[str, str]:
    """bag-info.txt: value by label."""
    lines = (read(bag, INFO) or b"").decode("utf-8", "replace").split("\n")
    return {key: value for key, separator, value in (line.partition(": ") for line in lines) if separator}


def read_object(bag: Path, name: str) -> dict[str, Any]:
    """A JSON object of the bag; an empty one where there is none."""
    return loads(read(bag, name) or b"")


def loads(data: bytes) -> dict[str, Any]:
    """A JSON object; an empty one if the bytes are none."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def read(bag: Path, name: str) -> bytes | None:
    """The bytes of a file of the bag; None if it is missing, cannot be read or is no file of its own."""
    try:
        return (bag / name).read_bytes() if _is_own(bag, name) else None
    except OSError:
        return None


def sha256_of(bag: Path, name: str) -> str | None:
    """Hash of a file of the bag, read in pieces of 1 MiB; '' if it cannot be read, None if it is missing or no file of its own."""
    if not _is_own(bag, name):
        return None
    digest = hashlib.sha256()
    try:
        with (bag / name).open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    except OSError:
        return ""
    return digest.hexdigest()


def _is_own(bag: Path, name: str) -> bool:
    """Whether a path names a regular file and no link leads to it."""
    parts = name.split("/")
    return (bag / name).is_file() and not any(bag.joinpath(*parts[:count]).is_symlink() for count in range(1, len(parts) + 1))
