"""A confirmed network that the run explained is no reference of `returned`, but a person hears of who holds what it made; no label lowers a threshold."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.history import recall
from pipeline.history.recall import Recall, entity_total, recalled
from pipeline.operations import feedback
from pipeline.pages import source
from tests.stages.nights import CONFIG, Held, State, events, ids, micros, night, shared_values

OLD, NEW, STRANGERS = "abcdefg", "nopqrst", 200
MADE: dict[tuple[str, int], str] = {**{("template", value): "" for value in range(10)}, ("stack", 77): "", ("settings", 78): ""}


def held_by(holders: str, made: Held = MADE) -> Held:
    return dict.fromkeys(made, holders)


def before(tier: str) -> State:
    """The old pool on night 0, gone on night 1."""
    return night(1, {}, night(0, {"P-1": OLD}, held=held_by(OLD), tiers={"P-1": tier}, strangers=STRANGERS), strangers=STRANGERS)


def published(state: State, made: Held, tier: str, still_sending: str = "") -> tuple[State, dict[str, pl.DataFrame]]:
    """Night 5 with the new pool: what stage 80 says, and the tables of the run as they are published."""
    spans = dict.fromkeys(NEW, (5, 5)) | dict.fromkeys(still_sending, (0, 5))
    after = night(5, {"P-9": NEW}, state, previous=1, held=held_by(NEW, made), tiers={"P-9": tier}, spans=spans, strangers=STRANGERS)
    homes = dict.fromkeys(NEW, ids(after)["P-9"])
    accounts = [(letter, ord(letter), homes.get(letter), micros(first - 1) + 1, micros(last)) for letter, (first, last) in spans.items()]
    schema = {"account_id": pl.String, "account_key": pl.Int64, "network_id": pl.String, "first_us": pl.Int64, "last_us": pl.Int64}
    entities = len(spans) + STRANGERS
    values = shared_values(held_by(NEW, made)).with_columns(pl.col("df").map_elements(lambda df: round(math.log2(entities / df) * 1e6), pl.Int64).alias("rarity_micro_bits"))
    assert entity_total(values) == entities
    networks = pl.DataFrame({"network_id": [ids(after)["P-9"]], "tier": [tier], "entity_count": [len(NEW)]})
    frames = {"accounts": pl.DataFrame(accounts, schema=schema, orient="row"), "networks": networks, "shared_values": values}
    return after, frames | {name: after[name] for name in ("known_networks", "known_values")}


def confirmed_of(state: State) -> str:
    return str(state["known_networks"]["network_id"][0])


@pytest.mark.parametrize(("then", "now"), [("explained", "refer"), ("explained", "explained"), ("refer", "explained")])
def test_a_person_hears_of_what_the_run_does_not_link(then: str, now: str) -> None:
    state = before(then)
    after, frames = published(state, MADE, now)
    assert [event for _, event, _, _ in events(after, 5)] == ["new"], "the run links nobody"
    (one,) = recalled(frames, [confirmed_of(state)], CONFIG)
    assert (one.network_id, one.confirmed_id) == (ids(after)["P-9"], confirmed_of(state))
    assert one.kinds == ("settings", "stack", "template")
    assert one.bits > CONFIG.networks.edge_margin_bits
    assert recalled(frames, [], CONFIG) == (), "what nobody confirmed, or what is revoked, is no reference"
    assert recalled(frames, ["N-0000000000"], CONFIG) == ()


def test_where_neither_is_explained_the_run_says_it_itself() -> None:
    state = before("refer")
    after, frames = published(state, MADE, "refer")
    assert [event for _, event, _, _ in events(after, 5)] == ["returned"]
    assert recalled(frames, [confirmed_of(state)], CONFIG) == ()


def test_wording_alone_and_a_pool_that_still_sends_are_none() -> None:
    state = before("explained")
    _, frames = published(state, {key: "" for key in MADE if key[0] == "template"}, "refer")
    assert recalled(frames, [confirmed_of(state)], CONFIG) == ()
    _, frames = published(state, MADE, "refer", still_sending=OLD[:1])
    assert recalled(frames, [confirmed_of(state)], CONFIG) == ()


def test_the_threshold_is_that_of_all_known_networks_whoever_is_confirmed() -> None:
    state = before("explained")
    _, frames = published(state, MADE, "refer")
    (one,) = recalled(frames, [confirmed_of(state)], CONFIG)
    pairs = 2 ** math.ceil(one.bits - CONFIG.networks.edge_margin_bits)
    row = frames["known_networks"].filter(pl.col("network_id") == confirmed_of(state)).head(1)
    others = pl.concat([row] * pairs).with_columns(pl.Series("network_id", [f"N-{number:010x}" for number in range(pairs)]))
    crowd = {**frames, "known_networks": pl.concat([frames["known_networks"], others])}
    assert recalled(crowd, [confirmed_of(state)], CONFIG) == ()


def test_without_a_table_nothing_is_said() -> None:
    state = before("explained")
    _, frames = published(state, MADE, "refer")
    for name in recall.NEEDED:
        assert recalled({other: frame for other, frame in frames.items() if other != name}, [confirmed_of(state)], CONFIG) == ()
        assert recalled({**frames, name: frames[name].clear()}, [confirmed_of(state)], CONFIG) == ()
    assert entity_total(frames["shared_values"].clear()) == 0


def test_networks_and_show_say_it_until_the_word_is_revoked(program: Callable[..., Any], out: Path, network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert source.recalled is recalled, "the pages ask the same, so they are loaded before it is replaced here"
    asked: list[list[str]] = []

    def found(frames: object, confirmed: dict[str, object], config: object) -> tuple[Recall, ...]:
        asked.append(sorted(confirmed))
        return (Recall(network, network, 21.5, ("stack", "template")),)

    monkeypatch.setattr(recall, "recalled", found)
    said = f"{network}: holds rare values of {network} (21.50 bits: stack, template), confirmed by Ann"
    assert said not in program("networks", "--out", out).stderr
    assert asked == [], "while nobody is confirmed no table is read"
    entry = feedback.dispose(out, network, "confirmed", "card owner found", "Ann")
    for command in ("networks", "show"):
        assert said in program(command, *([network] if command == "show" else []), "--out", out).stderr
    assert asked == [[network], [network]]
    feedback.revoke(out, entry.number, "wrong network", "Ann")
    assert said not in program("networks", "--out", out).stderr
