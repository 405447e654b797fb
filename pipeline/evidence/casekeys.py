"""The key behind a case's pseudonyms: 32 random bytes in a file of their own, outside every case, readable by their owner alone.

It lies in $STILLHUNT_KEYS, else in ~/.config/stillhunt/keys, as CASE.KEYID.key. The case knows only the key's id, the first 16 hex digits of its
SHA-256, so a wrong key is recognised and no key can be computed from a case.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from pipeline.errors import ConfigError, InputError, IntegrityError
from pipeline.provenance import sha256_bytes
from pipeline.redaction import KEY_BYTES
from pipeline.store import storage_errors


def keys_folder(out: Path) -> Path:
    """Where keys are kept. Raises ConfigError if that is inside the output folder, which is handed on and packed up."""
    asked = os.environ.get("STILLHUNT_KEYS")
    try:
        folder = Path(asked) if asked else Path.home() / ".config" / "stillhunt" / "keys"
    except RuntimeError:
        raise ConfigError("there is no home folder to keep the key of a case in. Set STILLHUNT_KEYS to a folder outside --out.") from None
    if folder.resolve().is_relative_to(out.resolve()):
        raise ConfigError(f"{folder}: keys must not lie inside the output folder {out}. Set STILLHUNT_KEYS to a folder outside it.")
    return folder


def make_key(case_id: str, out: Path) -> str:
    """Make the key of a new case; gives its id. An older key of a case of that name stays where it is."""
    folder, key = keys_folder(out), secrets.token_bytes(KEY_BYTES)
    key_id = _id_of(key)
    with storage_errors(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(_path(folder, case_id, key_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
    return key_id


def read_key(case_id: str, key_id: str, out: Path) -> bytes:
    """The key of a case. Raises InputError if it is not here or others may read it, IntegrityError if it is another."""
    path = _path(keys_folder(out), case_id, key_id)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="ascii").strip()
        key = bytes.fromhex(text)
    except FileNotFoundError:
        raise InputError(
            f"{path}: the key of case {case_id} is not here, and without it no pseudonym can be made again. Copy it back from where it is kept, or set STILLHUNT_KEYS "
            "to its folder; a profile of internal needs none."
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the key of case {case_id} cannot be read ({type(error).__name__}). Copy it back from where it is kept.") from None
    if mode & 0o077:
        raise InputError(f"{path}: others may read the key of case {case_id}. Type: chmod 600 {path}")
    if _id_of(key) != key_id:
        raise IntegrityError(f"{path}: is not the key that case {case_id} was made with. Copy that one back from where it is kept.")
    return key


def _path(folder: Path, case_id: str, key_id: str) -> Path:
    return folder / f"{case_id}.{key_id}.key"


def _id_of(key: bytes) -> str:
    return sha256_bytes(key)[:16]
