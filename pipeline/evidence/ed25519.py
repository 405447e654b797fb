"""Does an Ed25519 signature hold? The verification of RFC 8032, section 5.1.7, in plain integers: it holds no secret, so its time may tell what it likes.

Also a file inside each bag, beside verify.py: standard library only. `stillhunt verify` asks the cryptography package instead; the tests hold the two together.
"""

from __future__ import annotations

import hashlib

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
"""A square root of -1."""
_Point = tuple[int, int, int, int]
"""X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z."""


def holds(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the 64 bytes are a signature of the message under the key of 32 bytes. Nothing else raises or holds."""
    if len(key) != 32 or len(signature) != 64:
        return False
    public, first, scalar = _point(key), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    if public is None or first is None or scalar >= _ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % _ORDER
    return _same(_times(scalar, _BASE), _sum(first, _times(challenge, public)))


def _x_of(y: int, sign: int) -> int | None:
    """The x of a point of the curve; None if there is none."""
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    x = x if (x * x - square) % _P == 0 else x * _ROOT % _P
    if (x * x - square) % _P != 0 or (x == 0 and sign):
        return None
    return _P - x if x & 1 != sign else x


def _point(data: bytes) -> _Point | None:
    number = int.from_bytes(data, "little")
    y = number & ((1 << 255) - 1)
    x = _x_of(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % _P)


def _sum(one: _Point, other: _Point) -> _Point:
    a, b = (one[1] - one[0]) * (other[1] - other[0]) % _P, (one[1] + one[0]) * (other[1] + other[0]) % _P
    c, d = 2 * one[3] * other[3] * _D % _P, 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, point: _Point) -> _Point:
    total: _Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _sum(total, point)
        point, scalar = _sum(point, point), scalar >> 1
    return total


def _same(one: _Point, other: _Point) -> bool:
    return (one[0] * other[2] - other[0] * one[2]) % _P == 0 and (one[1] * other[2] - other[1] * one[2]) % _P == 0


_Y = 4 * pow(5, _P - 2, _P) % _P
_X = _x_of(_Y, 0) or 0
_BASE: _Point = (_X, _Y, 1, _X * _Y % _P)
