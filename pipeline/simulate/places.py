"""Countries, networks, addresses and clients of the simulated world.

Autonomous system numbers are real public facts; the addresses under them are invented. They lie in 240.0.0.0/4, which is assigned to nobody,
and in the documentation prefix 2001:db8::/32, so that no page of a demo can name a real line. An address is one 64-bit number: below 2^32 IPv4, else IPv6.
"""

from __future__ import annotations

import ipaddress

import numpy as np
import pyarrow as pa

from pipeline.simulate.seeds import Flags, Ints, Keys, mix, unit

# country, hours from UTC, weight, language of those who do not write English, consumer networks
COUNTRIES = (
    ("US", -6, 0.26, "es", (7018, 7922, 701, 21928)),
    ("GB", 0, 0.07, "fr", (2856, 5607)),
    ("DE", 1, 0.08, "de", (3320, 3209)),
    ("FR", 1, 0.06, "fr", (3215, 12322)),
    ("ES", 1, 0.04, "es", (3352, 12479)),
    ("IN", 5, 0.12, "en", (55836, 24560)),
    ("JP", 9, 0.06, "zh", (2516, 17676)),
    ("KR", 9, 0.03, "zh", (4766,)),
    ("SG", 8, 0.03, "zh", (4773, 9506)),
    ("CN", 8, 0.04, "zh", (4134, 4837)),
    ("BR", -3, 0.06, "es", (28573, 27699)),
    ("MX", -6, 0.03, "es", (8151,)),
    ("CA", -5, 0.04, "fr", (577, 812)),
    ("AU", 10, 0.03, "en", (1221, 4804)),
    ("PL", 1, 0.02, "de", (5617,)),
    ("NG", 1, 0.03, "fr", (29465,)),
)
CLOUDS = ((16509, "US"), (15169, "US"), (8075, "US"), (14061, "SG"), (24940, "DE"), (16276, "FR"), (20473, "US"), (45102, "SG"))
CONSUMER = tuple((asn, number) for number, entry in enumerate(COUNTRIES) for asn in entry[4])
ASNS = np.array([asn for asn, _ in CONSUMER] + [asn for asn, _ in CLOUDS], dtype=np.int64)
COUNTRY_CODES = tuple(entry[0] for entry in COUNTRIES)
ASN_COUNTRY = np.array([country for _, country in CONSUMER] + [COUNTRY_CODES.index(code) for _, code in CLOUDS], dtype=np.int64)
HOURS = np.array([entry[1] for entry in COUNTRIES], dtype=np.int64)
WEIGHTS = np.array([entry[2] for entry in COUNTRIES]) / sum(entry[2] for entry in COUNTRIES)
_FIRST = np.array([min(i for i, (_, c) in enumerate(CONSUMER) if c == n) for n in range(len(COUNTRIES))], dtype=np.int64)
_COUNT = np.array([len(entry[4]) for entry in COUNTRIES], dtype=np.int64)
_SPAN = np.uint64(1 << 22)  # invented addresses under each network
_BASE = np.uint64(0xF0000000)
IPV6_SHARE = 0.2  # consumer lines that speak IPv6
NAT_ADDRESSES = 3  # carrier addresses of a network that strangers share


def consumer_network(country: Ints, keys: Keys) -> Ints:
    """A consumer network of each country, as a number in ASNS."""
    return np.asarray(_FIRST[country] + (mix(keys) % _COUNT[country].astype(np.uint64)).astype(np.int64), dtype=np.int64)


def cloud_network(keys: Keys) -> Ints:
    """A hosting network, as a number in ASNS."""
    return np.asarray(len(CONSUMER) + (mix(keys) % np.uint64(len(CLOUDS))).astype(np.int64), dtype=np.int64)


def address(network: Ints, keys: Keys, allow_v6: bool) -> Keys:
    """An address under each network, by key. With `allow_v6` a fifth of the keys give IPv6."""
    v4 = _BASE + network.astype(np.uint64) * _SPAN + mix(keys) % _SPAN
    if not allow_v6:
        return np.asarray(v4, dtype=np.uint64)
    v6 = np.uint64(1 << 63) | (network.astype(np.uint64) << np.uint64(50)) | (mix(keys) % np.uint64(1 << 50))
    return np.where(unit(mix(keys + np.uint64(1))) < IPV6_SHARE, v6, v4)


def carrier_address(network: Ints, keys: Keys) -> Keys:
    """One of the few addresses of the network's carrier-grade translation."""
    return address(network, mix(keys) % np.uint64(NAT_ADDRESSES), allow_v6=False)


def address_text(addresses: Keys) -> pa.StringArray:
    """Each address as logged."""
    distinct, place = np.unique(addresses, return_inverse=True)
    return pa.array([_text(int(value)) for value in distinct], pa.string()).take(pa.array(place))


def _text(value: int) -> str:
    if value < 1 << 32:
        return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
    line, host = (value >> 16) & 0xFFFFFFFFFFF, value & 0xFFFF
    return str(ipaddress.IPv6Address((0x20010DB8 << 96) | ((line >> 12) << 64) | ((line & 0xFFF) << 16) | host))


def is_cloud(network: Ints) -> Flags:
    """True where the network is a hosting network."""
    return np.asarray(network >= len(CONSUMER), dtype=np.bool_)
