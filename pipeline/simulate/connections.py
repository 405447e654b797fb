"""How a request reaches the provider: client program, session, credential, named end user, address and network."""

from __future__ import annotations

import numpy as np

from pipeline.simulate import clients, inspection, places, rhythms
from pipeline.simulate.rhythms import Events
from pipeline.simulate.seeds import Ints, Keys, key_of, keys_of, mix, stream, unit
from pipeline.simulate.sources import Source

LITERAL_SESSIONS = ("default", "session-1", "test", "my_session")
FIRST_COUNTED, COUNTED_SESSIONS = 10, 900  # a script that numbers its sessions begins again at 1
VENDORS, HASHING_VENDORS = 10, 3  # of such scripts, and those among them that send a hash of the number
QUARTER_US = 900_000_000
VPN_EXITS, RUNNERS = 40, 512  # addresses of a tunnel's exits, and of a hosting network's shared machines


def clients_of(source: Source, happened: Events, persons: Keys, day: int) -> Ints:
    """The client of each request, as a number in the world's catalogue; `persons` is the key of whoever sends it."""
    family = source.access.clients
    if family in ("harness", "stripped"):
        return np.full(len(happened), source.harness_client if family == "harness" else source.stripped_client)
    keys = mix((source.holders.group_key[happened.holder] if family == "gateway" else persons) + np.uint64(61))
    if family == "rewritten":
        return source.rewritten_clients + clients.claimed_client(keys)
    return clients.coding_client(keys, day) if family == "coding" else clients.popular_client("sdk" if family == "gateway" else family, keys)


def boxes_of(source: Source, happened: Events) -> Ints:
    """The box that each request passes, 0 for none. A conversation passes it whole or not at all."""
    through = unit(mix(happened.conversation + np.uint64(182)))
    return np.where(through < inspection.shares(source.holders.key)[happened.holder], source.boxes[happened.holder], 0)


def sessions_of(source: Source, happened: Events) -> Keys:
    """Chat clients send the conversation; scripts send none, one a request, a number, its hash, or a literal that others send too."""
    holders = source.holders
    sample = (happened.again % rhythms.RETRY).astype(np.uint64)
    own = np.maximum(mix(happened.conversation + sample), np.uint64(10))
    if source.activity.rhythm.turns <= 1.0:
        silent = (unit(mix(holders.key + np.uint64(71))) < 0.5)[happened.origin]
        own = np.where(silent, np.uint64(0), own)
    if source.access.sessions != "conversation":
        quarter = mix(holders.key[happened.holder] + (happened.offset_us // QUARTER_US).astype(np.uint64))
        return quarter if source.access.sessions == "masked" else np.zeros(len(happened), np.uint64)
    own = np.where(holders.colliding_session[happened.holder], _counted(source, happened), own)
    literal = np.uint64(1) + mix(holders.key) % np.uint64(len(LITERAL_SESSIONS))
    return np.where(holders.literal_session[happened.holder], literal[happened.holder], own)


def _counted(source: Source, happened: Events) -> Keys:
    """A running number, from FIRST_COUNTED on, or its hash if the vendor of the holder's script sends that: equal numbers collide in both forms."""
    number = np.uint64(FIRST_COUNTED) + (happened.job % COUNTED_SESSIONS).astype(np.uint64)
    vendor = mix(source.holders.key + np.uint64(72)) % np.uint64(VENDORS)
    return np.where((vendor < np.uint64(HASHING_VENDORS))[happened.holder], mix(number), number)


def api_keys_of(source: Source, happened: Events) -> Keys:
    """One credential, or up to three (a service's stages) for organisations."""
    holders = source.holders
    many = 3 if holders.population.identity.organization else 1
    return keys_of(key_of(0, "api_key"), (mix(holders.key) >> np.uint64(2)).astype(np.int64)[happened.holder] + (mix(happened.conversation) % np.uint64(many)).astype(np.int64))


def end_users_of(source: Source, happened: Events) -> Keys:
    """The end user that each request names, one a conversation; 0: none."""
    count = source.activity.work.end_users
    if not count:
        return np.zeros(len(happened), np.uint64)
    person = np.floor(count * unit(mix(happened.conversation + np.uint64(131))) ** 2.0).astype(np.int64)
    return keys_of(key_of(0, "end_user"), person) | np.uint64(1)


def addresses_of(source: Source, happened: Events, persons: Keys, seed: int, day: int) -> tuple[Keys, Ints]:
    """Client address and network of each request, by the activity's way of connecting."""
    access = source.access
    home, line = _own_line(source, happened, persons, seed, day)
    if access.addresses == "home":
        return home, line
    shared, network = _shared_address(source, happened)
    chosen = stream(seed, *source.names, day, "address").random(len(happened)) < access.pool_share
    return np.where(chosen, shared, home), np.where(chosen, network, line)


def _own_line(source: Source, happened: Events, persons: Keys, seed: int, day: int) -> tuple[Keys, Ints]:
    """The holder's own line, or that of the colleague who took the account over."""
    holders = source.holders
    line = holders.line
    moves = np.where(unit(mix(holders.key + np.uint64(101))) < 0.3, day, -1)  # three lines in ten get a new address every day
    home = places.address(line, keys_of(key_of(seed, "line"), (holders.key >> np.uint64(8)).astype(np.int64) + moves), allow_v6=True)
    home = np.where(holders.shares_line, places.carrier_address(line, holders.key), home)[happened.holder]
    line = line[happened.holder]
    churned = places.address(line, mix(persons + mix(happened.conversation)), allow_v6=True)
    home = np.where(holders.churns[happened.holder], churned, home)
    moved = persons != holders.key[happened.holder]
    line = np.where(moved, places.consumer_network(holders.country[happened.holder], mix(persons + np.uint64(11))), line)
    return np.where(moved, places.address(line, persons, allow_v6=True), home), line


def _shared_address(source: Source, happened: Events) -> tuple[Keys, Ints]:
    holders, access = source.holders, source.access
    slot = mix(happened.conversation + np.uint64(111))
    if access.addresses == "mobile":
        network = holders.line[happened.holder]
        return places.carrier_address(network, slot), network
    if access.addresses in ("vpn", "serverless"):
        which = np.full(len(holders), np.uint64(5)) + mix(holders.key + np.uint64(112)) % np.uint64(2) if access.addresses == "vpn" else holders.key
        network, size = places.cloud_network(which)[happened.holder], VPN_EXITS if access.addresses == "vpn" else RUNNERS
        return places.address(network, slot % np.uint64(size), allow_v6=False), network
    if access.addresses == "per_request":
        country = (mix(slot) % np.uint64(len(places.COUNTRIES))).astype(np.int64)
        network = places.consumer_network(country, slot)
        return places.address(network, slot, allow_v6=False), network
    if access.addresses == "residential":
        network = holders.line[happened.holder]
        return places.address(network, holders.key[happened.holder] + slot % np.uint64(2), allow_v6=False), network
    owner = holders.group_key[happened.holder]
    hosted = access.addresses in ("pool", "cloud", "shared")
    size = 1 if access.addresses == "shared" else access.pool_addresses
    place = places.cloud_network(owner) if hosted else places.consumer_network(holders.country[holders.group_first()][happened.holder], owner)
    return places.address(place, owner + slot % np.uint64(size), allow_v6=False), place
