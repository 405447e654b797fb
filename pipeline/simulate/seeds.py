"""Random numbers that depend on names, never on the order in which things are drawn.

Two tools. `stream` gives a numpy Generator for one aspect of one population on one day, so that a dial which changes one
aspect leaves every other aspect's numbers as they were. `mix` is a counter-based hash (the finaliser of SplitMix64, Steele,
Lea and Flood 2014): the text of a document is a function of its 64-bit seed alone, which is how two accounts that take the same item of
a corpus send the same text on different days.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def _digest(seed: int, names: tuple[object, ...], size: int) -> int:
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=size).digest(), "big")


def stream(seed: int, *names: object) -> np.random.Generator:
    """A generator of its own for (seed, names); equal in every process and on every platform that numpy serves."""
    return np.random.Generator(np.random.PCG64(_digest(seed, names, 16)))


def key_of(seed: int, *names: object) -> np.uint64:
    """One 64-bit key for (seed, names)."""
    return np.uint64(_digest(seed, names, 8))


def mix(values: Keys) -> Keys:
    """A well-mixed 64-bit hash of each value; same shape."""
    x = values + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)), dtype=np.uint64)


def keys_of(base: np.uint64, numbers: Ints) -> Keys:
    """One key for each number, in the namespace `base`."""
    return mix(mix(numbers.astype(np.uint64)) ^ base)


def unit(keys: Keys) -> Floats:
    """Each key as a number in [0, 1), from its upper 53 bits."""
    return np.asarray((keys >> np.uint64(11)).astype(np.float64) * 2.0**-53, dtype=np.float64)


def normal(keys: Keys) -> Floats:
    """Each key as a standard normal number (Box and Muller 1958)."""
    return np.asarray(np.sqrt(-2.0 * np.log(1.0 - unit(mix(keys)))) * np.cos(2.0 * np.pi * unit(mix(keys + np.uint64(1)))), dtype=np.float64)
