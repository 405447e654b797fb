"""The inputs of a sealed run, found again below a folder: each log file, the accounts table and the context files, by the SHA-256 that the bag lists.

A file is looked for under its recorded name first, then, since folders move and a release may mask a part of a name, anywhere below the folder by its hash. What is found
is laid out under its recorded name as links in a folder of our own, so that files which the run did not read are not read now either. Names come from a bag: none leads out of
that folder.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline import redact
from pipeline.errors import InputError, IntegrityError
from pipeline.evidence import bagfiles
from pipeline.provenance import sha256_file

_ACCOUNTS = ("accounts.parquet", "accounts.csv")
SHOWN = 3


@dataclass(frozen=True)
class Inputs:
    """What a rerun reads."""

    nights: tuple[Mapping[str, Path], ...]
    """of each night to replay, oldest first, the log files by recorded name; the last is the run's own"""
    accounts: Path | None
    context: Mapping[str, Path]
    """context files by name"""
    not_replayed: str
    """why earlier nights are not replayed, '' if they are or there are none"""


class _Finder:
    """Files below a folder by hash; a file is hashed only if one of that size, or of that name, is asked for."""

    def __init__(self, root: Path, sizes: Iterable[int]) -> None:
        self._root, self._hashes = root, dict[Path, str]()
        wanted = frozenset(sizes)
        self._likely = sorted(path for path in root.rglob("*") if path.is_file() and path.stat().st_size in wanted)

    def sha256(self, path: Path) -> str:
        if path not in self._hashes:
            self._hashes[path] = sha256_file(path)
        return self._hashes[path]

    def named(self, name: str) -> Path | None:
        return self._root / name if is_below(name) and (self._root / name).is_file() else None

    def find(self, name: str, sha256: str) -> Path | None:
        """A file of that hash, of that name if there is one."""
        place = self.named(name)
        if place is not None and self.sha256(place) == sha256:
            return place
        return next((path for path in self._likely if self.sha256(path) == sha256), None)


def find_inputs(bag: Path, root: Path, accounts: Path | None, context: Path | None) -> Inputs:
    """Everything that the run read. Raises InputError for what is missing, IntegrityError for what is there and is another file."""
    if not root.exists():
        raise InputError(f"{root}: no such folder. Give --inputs the folder that was LOGS when the run was made.")
    root = root if root.is_dir() else root.parent
    listed = _sources(bag)
    finder = _Finder(root, (int(row["bytes"]) for row in listed if row["kind"] == "log"))
    masked = {row["sha256"] for row in listed if row["is_masked"] == "yes"}
    told = bagfiles.read_object(bag, bagfiles.NIGHTS)
    *earlier, own = [[(str(name), str(sha256)) for name, sha256 in night["inputs"]] for night in told["nights"]]
    files = _laid(finder, own, masked, root)
    nights, why = _replayed(finder, earlier, masked, root), str(told["broken"])
    if nights is None:
        nights, why = [], f"log files of earlier nights are not in {root}"
    recorded = bagfiles.read_object(bag, bagfiles.RUN)["recipe"]
    return Inputs((*nights, files), _accounts(root, accounts, recorded["tables"].get("accounts")), _context(root, context, recorded["context"]), why)


def is_below(name: str) -> bool:
    """Whether a recorded name stays below the folder that it is put in."""
    parts = PurePosixPath(name).parts
    return bool(parts) and not PurePosixPath(name).is_absolute() and ".." not in parts and "\0" not in name


def link(files: Mapping[str, Path], folder: Path) -> Path:
    """The files under their names below a fresh folder, as links; gives the folder."""
    for name, path in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path.resolve())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _sources(bag: Path) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO((bagfiles.read(bag, bagfiles.SOURCES) or b"").decode("utf-8"), newline="")))


def _laid(finder: _Finder, wanted: Sequence[tuple[str, str]], masked: frozenset[str] | set[str], root: Path) -> dict[str, Path]:
    """The files of one night by the name that they are read under."""
    changed, missing, files = [], [], dict[str, Path]()
    for name, sha256 in wanted:
        path = finder.find(name, sha256)
        if path is not None:
            files[path.relative_to(root).as_posix() if sha256 in masked or not is_below(name) else name] = path
        elif finder.named(name):
            changed.append(name)
        else:
            missing.append(name)
    if changed:
        raise IntegrityError(f"{root}: {_names(changed)}: not what the run read: the SHA-256 is another than the one in the bag. Get the file as it was.")
    if missing:
        raise InputError(f"{root}: {_names(missing)}: missing, under this name and by its SHA-256. Give --inputs the folder that was LOGS when the run was made.")
    return files


def _replayed(finder: _Finder, nights: Sequence[Sequence[tuple[str, str]]], masked: set[str], root: Path) -> list[dict[str, Path]] | None:
    """The files of earlier nights; None if one of them is not here."""
    try:
        return [_laid(finder, night, masked, root) for night in nights]
    except (InputError, IntegrityError):
        return None


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(redact.for_cell(name) for name in names[:SHOWN]) + more


def _accounts(root: Path, given: Path | None, sha256: str | None) -> Path | None:
    """The accounts table of the run: the one that is named, else one that lies in the folder or beside it."""
    if sha256 is None:
        return None
    if given is not None:
        if not given.is_file():
            raise InputError(f"{given}: no such file. Check --accounts.")
        if sha256_file(given) != sha256:
            raise IntegrityError(f"{given}: is not the accounts table that the run read (sha256 {sha256[:16]}). Get the file as it was.")
        return given
    places = (folder / name for folder in (root, root.resolve().parent) for name in _ACCOUNTS)
    found = next((place for place in places if place.is_file() and sha256_file(place) == sha256), None)
    if found is None:
        raise InputError(f"{root}: the accounts table that the run read (sha256 {sha256[:16]}) is neither there nor beside it. Say where it is: --accounts FILE")
    return found


def _context(root: Path, given: Path | None, recorded: Mapping[str, str]) -> dict[str, Path]:
    """The context files of the run by name: of the folder that is named, else of `context` in the folder or beside it."""
    if not recorded:
        return {}
    folders = [given] if given else [root / "context", root.resolve().parent / "context"]
    for folder in folders:
        files = {name: folder / name for name in recorded if is_below(name)}
        if len(files) == len(recorded) and all(path.is_file() for path in files.values()):
            changed = [name for name, path in files.items() if sha256_file(path) != recorded[name]]
            if changed:
                raise IntegrityError(f"{folder}: {_names(changed)}: not what the run read: the SHA-256 is another than the one in the bag. Get the file as it was.")
            return files
    where = f"{given}: does not hold" if given else f"{root}: neither there nor beside it is a folder `context` with"
    raise InputError(f"{where} {_names(sorted(recorded))}, which the run read. Say where they are: --context DIR")
