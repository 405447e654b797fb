"""Keys of client addresses and of their prefixes, equal however an address is written.

An address is keyed by its canonical text (RFC 5952; an IPv4-mapped IPv6 address is its IPv4 address), its prefix by the text of its /24 or
/48. What is no address is keyed as it stands and has no prefix. A hash of an address lives in a namespace of its own.
"""

from __future__ import annotations

import ipaddress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types as pt

from pipeline.measures import fingerprints as fp

_PREFIX_BITS = {4: 24, 6: 48}


def address_keys(addresses: pa.Array | None, hashes: pa.Array | None, count: int) -> tuple[pa.Array, pa.Array]:
    """Key of each row's address (else of its hash) and key of the prefix that follows from the address; null where there is none."""
    address, prefix = _from_text(addresses, count)
    if hashes is not None:
        address = pc.coalesce(address, _keyed(_distinct(hashes), "ip_hash"))
    return address, prefix


def prefix_keys(prefixes: pa.Array | None, count: int) -> pa.Array:
    """Key of each row's prefix as logged: `203.0.113.0/24` and `203.0.113.7/24` are one."""
    if prefixes is None or prefixes.null_count == count:
        return pa.nulls(count, pa.int64())
    distinct = _distinct(prefixes)
    texts = pa.array([_network(text) for text in distinct.dictionary.to_pylist()], pa.string())
    return pa.array(fp.value_keys(fp.spans_of(texts), "ip_prefix")).take(distinct.indices)


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        return text


def _distinct(values: pa.Array) -> pa.DictionaryArray:
    return values if pt.is_dictionary(values.type) else values.dictionary_encode()


def _keyed(values: pa.DictionaryArray, namespace: str) -> pa.Array:
    return pa.array(fp.value_keys(fp.spans_of(values.dictionary), namespace)).take(values.indices)


def _from_text(addresses: pa.Array | None, count: int) -> tuple[pa.Array, pa.Array]:
    if addresses is None or addresses.null_count == count:
        return pa.nulls(count, pa.int64()), pa.nulls(count, pa.int64())
    distinct = _distinct(addresses)
    spans = fp.spans_of(distinct.dictionary)
    plain, networks = fp.ipv4_networks(spans)
    known = np.ones(len(plain), np.bool_)
    key, prefix = fp.value_keys(spans, "ip"), fp.value_keys(networks, "ip_prefix")
    if not plain.all():
        odd = np.flatnonzero(~plain)
        addresses_of, networks_of = zip(*map(_parsed, distinct.dictionary.take(pa.array(odd)).to_pylist()), strict=True)
        key[odd] = fp.value_keys(fp.spans_of(pa.array(addresses_of, pa.string())), "ip")
        prefix[odd] = fp.value_keys(fp.spans_of(pa.array(networks_of, pa.string())), "ip_prefix")
        known[odd] = [network is not None for network in networks_of]
    return pa.array(key).take(distinct.indices), pa.array(prefix, mask=~known).take(distinct.indices)


def _parsed(text: str | None) -> tuple[str | None, str | None]:
    if text is None:
        return None, None
    try:
        address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text.strip().strip("[]"))
    except ValueError:
        return text, None
    address = getattr(address, "ipv4_mapped", None) or address
    return str(address), str(ipaddress.ip_network((address, _PREFIX_BITS[address.version]), strict=False))
