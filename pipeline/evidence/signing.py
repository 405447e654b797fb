"""Ed25519 signatures of a bag's tag manifest, through the cryptography package, which is loaded only where something is signed or a signature is checked.

A key is a PEM file as `openssl genpkey -algorithm ed25519` makes it, without a passphrase, readable by its owner alone, and outside the output folder, which is handed on.
"""

from __future__ import annotations

import stat
from pathlib import Path

from pipeline.errors import ConfigError, InputError

_MAKE = "Make one with: (umask 077; openssl genpkey -algorithm ed25519 -out FILE)"


class Signer:
    """A private key out of a file. Raises InputError if it cannot be used, ConfigError if it lies in the output folder."""

    def __init__(self, path: Path, out: Path) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        if path.resolve().is_relative_to(out.resolve()):
            raise ConfigError(f"{path}: a signing key must not lie inside the output folder {out}. Move it elsewhere.")
        try:
            mode, data = stat.S_IMODE(path.stat().st_mode), path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: the signing key cannot be read ({error.strerror}). Check --sign. {_MAKE}") from None
        if mode & 0o077:
            raise InputError(f"{path}: others may read this signing key. Type: chmod 600 {path}")
        try:
            key = load_pem_private_key(data, None)
        except (TypeError, ValueError) as error:
            why = "it has a passphrase" if isinstance(error, TypeError) else "it is no private key in PEM"
            raise InputError(f"{path}: cannot sign with this file: {why}. {_MAKE}") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise InputError(f"{path}: holds another kind of key than Ed25519. {_MAKE}")
        self._key = key

    def public_pem(self) -> bytes:
        """The public key as a PEM file."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature of a message; the same message always gives the same."""
        return self._key.sign(message)


def holds(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature of 64 bytes is one of the message under the public key of 32 bytes."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
