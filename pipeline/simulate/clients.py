"""Client programs: user agents, TLS fingerprints and their default settings.

A client is a family (browser, SDK, coding client, harness), a version and a machine. Families are shared by thousands of strangers; a
harness is one operator's own. JA4 follows the family's TLS library and the machine, never the account.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from pipeline.simulate import words
from pipeline.simulate.seeds import Ints, Keys, mix

SYSTEMS = ("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64", "Linux; Android 15", "iPhone; CPU iPhone OS 18_3 like Mac OS X")
BROWSERS = tuple(
    (f"Mozilla/5.0 ({system}) {engine.format(version)}", f"{engine[:18]}{system[:9]}")
    for system in SYSTEMS
    for engine in (
        "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Safari/537.36",
        "Gecko/20100101 Firefox/{0}.0",
        "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.{0} Safari/605.1.15",
    )
    for version in (3, 4, 131, 132, 133, 134)
    if ("Version/18" in engine) == (version < 10)
)
SDKS = tuple(
    (f"{name}{version}", f"{name}{version.split('.')[0]}")
    for name, versions in {
        "OpenAI/Python ": "1.58.1 1.59.9 1.61.0 1.63.2 1.65.1",
        "Anthropic/Python ": "0.42.0 0.45.2 0.47.1 0.49.0",
        "python-requests/": "2.31.0 2.32.3",
        "python-httpx/": "0.27.2 0.28.1",
        "axios/": "1.7.2 1.7.9 1.8.1",
        "OpenAI/JS ": "4.77.0 4.85.4",
        "Go-http-client/": "1.1 2.0",
        "okhttp/": "4.12.0",
        "curl/": "7.88.1 8.5.0 8.11.1",
        "node-fetch/": "3.3.2",
        "aiohttp/": "3.10.11 3.11.12",
    }.items()
    for version in versions.split()
)
CODING_VERSIONS = tuple(f"1.{minor}.{patch}" for minor in range(14, 22) for patch in (0, 3))
CODING_MACHINES = ("darwin; arm64", "linux; x64", "win32; x64")
CODING = tuple((f"loomcode/{version} ({machine})", f"loomcode{machine}") for version in CODING_VERSIONS for machine in CODING_MACHINES)
POPULAR = BROWSERS + SDKS + CODING
FIRST_SDK, FIRST_CODING = len(BROWSERS), len(BROWSERS) + len(SDKS)
DAYS_TO_RELEASE = 4  # a coding-client version every fourth day
# output cap, temperature in thousandths (-1: not sent), streamed
DEFAULTS = {"browser": (4096, 1000, True), "coding": (16000, 1000, True)}
CAPS = (256, 512, 1000, 1024, 2000, 2048, 3000, 4096, 8000, 8192, -1)
TEMPERATURES = (0, 200, 300, 500, 700, 800, 900, 1000, -1)


def ja4(name: str) -> str:
    """A fingerprint in JA4's form for a TLS stack's name."""
    digest = hashlib.blake2b(name.encode(), digest_size=14).hexdigest()
    return f"t13d{int(digest[:2], 16) % 7 + 12}{int(digest[2:4], 16) % 6 + 10}h{int(digest[4], 16) % 2 + 1}_{digest[4:16]}_{digest[16:28]}"


@dataclass(frozen=True)
class Clients:
    """User agents and fingerprints of a world; a client is a number in both. A box shows its own fingerprint instead; box 0 is none."""

    agents: tuple[str | None, ...]
    fingerprints: tuple[str, ...]
    boxes: tuple[str | None, ...] = (None,)


def catalogue(harness_keys: tuple[int, ...], boxes: tuple[str | None, ...] = (None,)) -> Clients:
    """The popular clients; one harness for each key; each harness without a name; each harness under every popular name. `boxes` are fingerprints, the first nobody's."""
    own = tuple(_harness(key) for key in harness_keys)
    nameless: tuple[tuple[str | None, str], ...] = tuple((None, stack) for _, stack in own)
    disguised = tuple((agent, stack) for _, stack in own for agent, _ in POPULAR)
    pairs = POPULAR + own + nameless + disguised
    return Clients(tuple(agent for agent, _ in pairs), tuple(ja4(stack) for _, stack in pairs), boxes)


def own_clients(number: int, count: int) -> tuple[int, int, int]:
    """Where the clients of harness `number` of `count` stand in the catalogue: its own name, without a name, the first of its disguises."""
    first = len(POPULAR)
    return first + number, first + count + number, first + 2 * count + number * len(POPULAR)


def _harness(key: int) -> tuple[str, str]:
    heads, tails = words.IDENTIFIER_HEADS, words.IDENTIFIER_TAILS
    return f"{heads[key % len(heads)]}-{tails[key // 64 % len(tails)]}/0.{key // 4096 % 40}.{key // 262144 % 12}", f"harness{key}"


def popular_client(family: str, keys: Keys) -> Ints:
    """A client of the family for each key, the commonest three times as often as the rarest. `varied` draws on SDKs and browsers alike."""
    first, count = {
        "browser": (0, FIRST_SDK),
        "sdk": (FIRST_SDK, len(SDKS)),
        "varied": (FIRST_SDK // 2, len(SDKS) + FIRST_SDK - FIRST_SDK // 2),
        "coding": (FIRST_CODING, len(CODING)),
    }[family]
    draw = (mix(keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return np.asarray(first + np.floor(count * draw**1.4), dtype=np.int64)


def claimed_client(keys: Keys) -> Ints:
    """The popular client whose name each account takes on: a browser, an SDK or the coding client, about as common as they are."""
    draw = (mix(keys + np.uint64(2)) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    family = np.searchsorted((0.5, 0.75), draw)
    return np.choose(family, [popular_client("browser", keys), popular_client("sdk", keys), coding_client(keys, 0)])


def coding_client(keys: Keys, day: int) -> Ints:
    """The version that each account of the popular coding client runs on a day: those who update late lag by up to six releases."""
    lag = (mix(keys) % np.uint64(7)).astype(np.int64)
    version = np.clip(7 + day // DAYS_TO_RELEASE - lag, 0, len(CODING_VERSIONS) - 1)
    machine = (mix(keys + np.uint64(1)) % np.uint64(len(CODING_MACHINES))).astype(np.int64)
    return np.asarray(FIRST_CODING + version * len(CODING_MACHINES) + machine, dtype=np.int64)


def version_of(client: Ints) -> Ints:
    """The version number behind a coding client."""
    return np.asarray((client - FIRST_CODING) // len(CODING_MACHINES), dtype=np.int64)
