"""The input contract's tables of a world: schemas, the accounts table, and one chunk of requests turned into text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.simulate import documents, places
from pipeline.simulate.clients import Clients
from pipeline.simulate.connections import COUNTED_SESSIONS, FIRST_COUNTED, LITERAL_SESSIONS
from pipeline.simulate.holders import PLACEHOLDERS, Holders
from pipeline.simulate.requests import FINISHES, MODELS, STATUSES, Rows
from pipeline.simulate.seeds import Flags, Ints, Keys, key_of, keys_of, mix, unit
from pipeline.simulate.work import Phrases

CHARS_PER_TOKEN = 4
UTC = pa.timestamp("us", tz="UTC")
REQUESTS = pa.schema(
    [
        ("request_id", pa.string()),
        ("timestamp", UTC),
        ("account_id", pa.string()),
        ("model", pa.string()),
        ("organization_id", pa.string()),
        ("session_id", pa.string()),
        ("operation", pa.string()),
        ("prompt", pa.string()),
        ("system_prompt", pa.string()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("max_tokens", pa.int64()),
        ("temperature", pa.float64()),
        ("stream", pa.bool_()),
        ("finish_reason", pa.string()),
        ("latency_ms", pa.float64()),
        ("status_code", pa.int16()),
        ("is_rate_limited", pa.bool_()),
        ("client_ip", pa.string()),
        ("client_asn", pa.uint32()),
        ("client_country", pa.string()),
        ("user_agent", pa.string()),
        ("ja4", pa.string()),
        ("api_key_id", pa.string()),
        ("message_count", pa.int32()),
    ]
)
ACCOUNTS = pa.schema(
    [
        ("account_id", pa.string()),
        ("as_of", pa.date32()),
        ("organization_id", pa.string()),
        ("created_at", UTC),
        ("signup_ip", pa.string()),
        ("signup_asn", pa.uint32()),
        ("signup_country", pa.string()),
        ("email_domain", pa.string()),
        ("email_domain_class", pa.string()),
        ("email_hash", pa.string()),
        ("email_local_shape", pa.string()),
        ("payment_fingerprint", pa.string()),
        ("payment_type", pa.string()),
        ("payment_country", pa.string()),
        ("device_fingerprint", pa.string()),
        ("verification_level", pa.string()),
        ("access_pathway", pa.string()),
        ("plan", pa.string()),
        ("status", pa.string()),
        ("status_changed_at", UTC),
    ]
)
STATUS_NAMES = ("active", "suspended", "closed", "banned")
END_USER = pa.field("end_user_id", pa.string())
SHAPES = ("a{6}9{2}", "a{8}", "a{5}.a{6}", "a{4}9{4}", "a{1}.a{7}", "a{10}", "a{7}9{1}", "a{5}_a{5}", "a{9}9{3}")
FREE_DOMAINS = ("postfach.example", "mailhaven.example", "quickpost.example", "inboxly.example", "letterbox.example")
DISPOSABLE_DOMAINS = tuple(f"drop{n:02d}.example" for n in range(40))


def hexes(keys: Keys, prefix: str) -> pa.StringArray:
    """Each key as `prefix` and sixteen hex digits."""
    digits = keys.astype(">u8").tobytes().hex().encode()
    offsets = np.arange(0, 16 * len(keys) + 1, 16, dtype=np.int32)
    plain = pa.StringArray.from_buffers(len(keys), pa.py_buffer(offsets), pa.py_buffer(digits))
    return pc.binary_join_element_wise(prefix, plain, "")


def account_ids(holders: Holders) -> pa.StringArray:
    """The accounts' ids, which tell nothing of their population."""
    return hexes(mix(holders.key), "acct_")


def organization_ids(holders: Holders) -> pa.StringArray:
    """One organisation a group where the population has one, else one an account."""
    shared = holders.population.identity.organization
    return hexes(mix((holders.group_key if shared else holders.key) + np.uint64(2)), "org_")


def accounts(holders: Holders, payment: Keys, device: Keys, seed: int, start_us: int, as_of: int) -> pa.Table:
    """The population's part of accounts.parquet, in the order of the holders; `as_of` is a day since 1970."""
    identity, count = holders.population.identity, len(holders)
    network = holders.line
    address = places.address(network, holders.key, allow_v6=True)
    created = holders.created_us
    changed = np.maximum(created, start_us - (mix(holders.key) % np.uint64(40 * 86_400_000_000)).astype(np.int64))
    changed = np.where(holders.service.banned, holders.service.until_us, changed)
    pathways = pa.array([name for name, _ in identity.pathways], pa.string())
    country = pa.array(places.COUNTRY_CODES).take(pa.array(holders.country))
    domains, classes = _domains(holders, seed)
    paid = np.full(count, identity.payment_type != "credits")
    columns: list[pa.Array] = [
        account_ids(holders),
        pa.array(np.full(count, as_of, np.int32)).cast(pa.date32()),
        organization_ids(holders),
        pa.array(created).cast(UTC),
        places.address_text(address),
        pa.array(places.ASNS[network].astype(np.uint32)),
        country,
        domains,
        classes,
        hexes(mix(holders.key + np.uint64(3)), "em_"),
        pa.array(SHAPES).take(pa.array((mix((holders.group_key if identity.one_mail_shape else holders.key) + np.uint64(4)) % np.uint64(len(SHAPES))).astype(np.int64))),
        _where(paid, hexes(payment, "pm_")),
        _payment_types(holders),
        _where(paid, country),
        _devices(device),
        pa.array([identity.verification] * count, pa.string()),
        pathways.take(pa.array(holders.pathway)),
        pa.array([identity.plan] * count, pa.string()),
        pa.array(STATUS_NAMES).take(pa.array(holders.status)),
        _where(holders.status > 0, pa.array(changed).cast(UTC)),
    ]
    return pa.Table.from_arrays(columns, schema=ACCOUNTS)


def _where(mask: Flags, values: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(mask), values, pa.nulls(len(values), values.type))


def _devices(keys: Keys) -> pa.StringArray:
    literal = np.clip(keys, 1, len(PLACEHOLDERS)).astype(np.int64) - 1
    shown = pc.if_else(pa.array(keys <= np.uint64(len(PLACEHOLDERS))), pa.array(PLACEHOLDERS).take(pa.array(literal)), hexes(keys, "dev_"))
    return _where(keys > 0, shown)


def _payment_types(holders: Holders) -> pa.StringArray:
    kind, half = holders.population.identity.payment_type, unit(mix(holders.key + np.uint64(7))) < 0.5
    plain = pa.array(["card" if kind == "mixed" else kind] * len(holders), pa.string())
    prepaid = (half if kind == "mixed" else holders.prepaid if kind == "card" else np.zeros(len(holders), np.bool_)) & ~holders.service.purchased
    return pc.if_else(pa.array(prepaid), "prepaid", plain)


def _domains(holders: Holders, seed: int) -> tuple[pa.StringArray, pa.StringArray]:
    """Mail domain and its class. Bought accounts keep the free mailbox of whoever opened them."""
    kind = holders.population.identity.domain
    names, classes = _domains_of(holders, "free" if kind == "mixed" else kind, seed), pa.array(["free" if kind == "mixed" else kind] * len(holders), pa.string())
    half = unit(mix(holders.key + np.uint64(6))) < 0.5
    thrown = (half if kind == "mixed" else holders.throwaway if kind == "free" else np.zeros(len(holders), np.bool_)) & ~holders.service.purchased
    for mask, other in ((thrown, "disposable"), (holders.service.purchased, "free")):
        if mask.any():
            names, classes = pc.if_else(pa.array(mask), _domains_of(holders, other, seed), names), pc.if_else(pa.array(mask), other, classes)
    return names, classes


def _domains_of(holders: Holders, kind: str, seed: int) -> pa.StringArray:
    if kind in ("corporate", "edu"):
        names = hexes(mix(holders.group_key + np.uint64(5)) >> np.uint64(32), "d")
        return pc.binary_join_element_wise(pc.replace_substring_regex(names, "d0{8}", "d"), f".{'edu' if kind == 'edu' else 'corp'}.example", "")
    pool = FREE_DOMAINS if kind == "free" else DISPOSABLE_DOMAINS
    if kind == "disposable" and holders.population.malicious:  # an operator buys two
        place = (mix(holders.group_key + mix(holders.key) % np.uint64(2)) % np.uint64(len(pool))).astype(np.int64)
    else:
        place = (mix(keys_of(key_of(seed, "domain"), (holders.key >> np.uint64(4)).astype(np.int64))) % np.uint64(len(pool))).astype(np.int64)
    return pa.array(pool).take(pa.array(place))


def requests(rows: Rows, day_us: int, ids: pa.StringArray, organizations: pa.StringArray, clients: Clients, phrases: Phrases, schema: pa.Schema, cheap: bool = False) -> pa.Table:
    """The rows as contract columns, text and all: those of REQUESTS and, if `schema` has it, END_USER."""
    prompt = _prompts(rows, phrases, cheap)
    system = phrases.systems.take(pa.array(rows.system))
    read = pc.add(pc.binary_length(prompt), pc.binary_length(system)).to_numpy(zero_copy_only=False) // CHARS_PER_TOKEN + rows.history_tokens + 4
    account = pa.array(rows.account)
    columns: list[pa.Array] = [
        hexes(mix(rows.tie), "req_"),
        pa.array(day_us + rows.offset_us).cast(UTC),
        ids.take(account),
        _named(MODELS, rows.model),
        organizations.take(account),
        _sessions(rows.session),
        pa.array(["chat"] * len(rows), pa.string()),
        prompt,
        _where(rows.system > 0, system),
        pa.array(read),
        pa.array(rows.output_tokens),
        _where(rows.max_tokens >= 0, pa.array(rows.max_tokens)),
        _where(rows.temperature_milli >= 0, pa.array(rows.temperature_milli / 1000.0)),
        pa.array(rows.stream == 1),
        _where(rows.finish >= 0, _named(FINISHES, np.maximum(rows.finish, 0))),
        pa.array(rows.latency_us / 1000.0),
        pa.array(np.array(STATUSES, np.int16)[rows.status]),
        pa.array(rows.status == 1),
        places.address_text(rows.address),
        pa.array(places.ASNS[rows.network].astype(np.uint32)),
        _named(places.COUNTRY_CODES, places.ASN_COUNTRY[rows.network]),
        pa.array(clients.agents).take(pa.array(rows.client)),
        _fingerprints(rows, clients),
        hexes(rows.api_key, "key_"),
        pa.array((2 * rows.turn + 1 + (rows.system > 0)).astype(np.int32)),
    ]
    if END_USER.name in schema.names:
        columns.append(_where(rows.end_user > 0, hexes(rows.end_user, "eu_")))
    return pa.Table.from_arrays(columns, schema=schema)


def _fingerprints(rows: Rows, clients: Clients) -> pa.StringArray:
    """The client's, or that of the box that the request passed."""
    own = pa.array(clients.fingerprints).take(pa.array(rows.client))
    return pc.if_else(pa.array(rows.box > 0), pa.array(clients.boxes, pa.string()).take(pa.array(rows.box)), own)


def _named(names: tuple[str, ...], numbers: Ints) -> pa.StringArray:
    return pa.array(names, pa.string()).take(pa.array(numbers))


def _prompts(rows: Rows, phrases: Phrases, cheap: bool) -> pa.StringArray:
    if cheap:
        return documents.stock().take(pa.array((rows.documents.seed % np.uint64(documents.STOCK)).astype(np.int64)))
    number = pa.array(rows.wording)
    return pc.binary_join_element_wise(phrases.heads.take(number), documents.render(rows.documents), phrases.tails.take(number), "")


def _sessions(keys: Keys) -> pa.StringArray:
    """Few texts for the small keys, which are literals and counters; a text of its own for any other."""
    counters = tuple(f"ticket-{number + 1}" for number in range(COUNTED_SESSIONS))
    unused = ("",) * (FIRST_COUNTED - 1 - len(LITERAL_SESSIONS))
    small = pa.array(("", *LITERAL_SESSIONS, *unused, *counters))
    last = np.uint64(len(small) - 1)
    shown = small.take(pa.array(np.minimum(keys, last).astype(np.int64)))
    return _where(keys > 0, pc.if_else(pa.array(keys <= last), shown, hexes(keys, "s_")))
