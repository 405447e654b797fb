"""From what an analyst types to the fingerprints that stand for it in the tables, as the ingest makes them.

Tables hold no address, card or text, only keys. A raw value is hashed here just as a log's would be, in the same namespaces; `key:123` is a key as commands and
tables print it. Nothing is looked up anywhere, so a value that no log carried gives keys all the same, and they are found nowhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.errors import UsageError

_KEY = re.compile(r"key:(\d{1,19})")


@dataclass(frozen=True)
class Reading:
    """One way to read a value: what it is taken for, the column or kind whose keys it is compared with, and its key."""

    read_as: str
    column: str
    key: int
    is_shared: bool = False
    """the kind stands in shared_values (what two or more accounts of the accounts table hold), not in the requests"""


def printed_key(text: str) -> int | None:
    """The number of `key:N`; None if the text is none. Raises UsageError for a number that is no key."""
    found = _KEY.fullmatch(text.strip())
    if not found:
        return None
    key = int(found[1])
    if key >= 2**63:
        raise UsageError("key:N takes a key as tables hold it, 0 to 2^63 - 1.")
    return key


def value_key(text: str, namespace: str) -> int:
    """The key of a value, byte by byte."""
    import pyarrow as pa

    from pipeline.measures import fingerprints as fp

    return int(fp.value_keys(fp.spans_of(pa.array([text])), namespace)[0])


def address_readings(text: str) -> list[Reading]:
    """An address, a prefix (`203.0.113.0/24`) or the hash that the log has in place of an address; sign-up addresses beside."""
    import pyarrow as pa

    from pipeline.ingest.addresses import address_keys, prefix_keys

    if "/" in text:
        key = int(prefix_keys(pa.array([text]), 1)[0].as_py())
        return [Reading("address prefix", "ip_prefix_key", key)]
    address, prefix = address_keys(pa.array([text]), None, 1)
    hashed = int(address_keys(None, pa.array([text]), 1)[0][0].as_py())
    plain = int(address[0].as_py())
    if prefix[0].is_valid:
        return [Reading("address", "ip_key", plain), Reading("sign-up address", "signup_ip", plain, is_shared=True)]
    return [Reading("hash of an address", "ip_key", hashed), Reading("hash of a sign-up address", "signup_ip", hashed, is_shared=True), Reading("address as text", "ip_key", plain)]


def asn_readings(text: str) -> list[Reading]:
    """`AS64500` or `64500`. Raises UsageError for what is no AS number."""
    found = re.fullmatch(r"(?:AS)?(\d{1,10})", text.strip(), flags=re.IGNORECASE)
    if not found or int(found[1]) >= 2**32:
        raise UsageError(f"--asn takes an AS number, as in 64500 or AS64500, not '{text[:40]}'.")
    return [Reading("AS number", "asn", int(found[1]))]


def agent_readings(text: str) -> list[Reading]:
    """A whole user agent, or a product: what stands before its first slash, space or parenthesis."""
    product = re.sub(r"(?s)[/ (].*", "", text)
    whole = Reading("user agent", "agent_key", value_key(text, "agent"))
    return [whole, Reading("client product", "agent_product_key", value_key(text, "agent_product"))] if product == text else [whole]


def text_readings(text: str) -> list[Reading]:
    """A prompt as it was sent: the same once digits, names, quotes, code and paths are masked, word for word, or as a system prompt."""
    import pyarrow as pa

    from pipeline.measures import fingerprints as fp

    spans = fp.spans_of(pa.array([text]))
    made = fp.texts(spans, "prompt")
    system, _ = fp.text_keys(spans, "system-text")
    readings = [Reading("prompt template (masked text)", "skeleton_key", int(made.skeleton[0])), Reading("prompt, word for word", "prompt_key", int(made.exact[0]))]
    return [*(readings if made.word_counts[0] > 0 else readings[1:]), Reading("system prompt", "system_key", int(system[0]))]


def record_readings(text: str, kind: str, words: str) -> list[Reading]:
    """A value of the accounts table in its kind's namespace."""
    return [Reading(words, kind, value_key(text.strip(), kind), is_shared=True)]
