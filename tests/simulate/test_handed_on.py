"""Innocents who take a conversation from one account to another: owners of two accounts, groups behind a gateway, and scripts whose session ids only look alike."""

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipeline.simulate import EVERYONE, Sharing, World, compose, dealing, holders, innocents, world_of, write_dials
from pipeline.simulate.careers import DAY_US

DAYS = 6
OWNERS = ("individual", "power_user", "developer", "vpn_user", "mobile_user")
GATEWAYS = 90  # accounts
NO_LITERALS = Sharing(literal_session=0.0)  # no session id that strangers share


@dataclasses.dataclass(frozen=True)
class Drawn:
    requests: pl.DataFrame  # with truth and network, in the order of time
    accounts: pl.DataFrame

    @property
    def sessions(self) -> pl.DataFrame:
        """One row a session: lists in the order of time, how many accounts and groups it was on, and the truth of one of its accounts."""
        lists = pl.col("account_id", "message_count", "client_ip", "user_agent")
        counts = {"holders": pl.col("account_id").n_unique(), "groups": pl.col("network").n_unique()}
        return self.requests.drop_nulls("session_id").group_by("session_id").agg(lists, pl.col("truth", "network").first(), **counts)


def draw(out: Path, described: World, days: int = DAYS) -> Drawn:
    write_dials(out, described, days, 6, {})
    truth = pl.read_parquet(out / "truth.parquet")
    assert truth["malicious"].sum() == 0
    requests = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in sorted(out.glob("requests/*/*.parquet"))])
    return Drawn(requests.join(truth, on="account_id").sort("timestamp", "message_count"), pl.read_parquet(out / "accounts.parquet").join(truth, on="account_id"))


@pytest.fixture(scope="module")
def twofold(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    return draw(tmp_path_factory.mktemp("twofold"), compose(innocents(1000, personas=EVERYONE), (), dataclasses.replace(NO_LITERALS, second_account=1.0)))


@pytest.fixture(scope="module")
def clubs(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Many groups behind gateways, and individuals to compare them with."""
    sizes = {"shared_gateway": GATEWAYS, "individual": 500}
    people = tuple(dataclasses.replace(entry.population, size=sizes[entry.population.name]) for entry in EVERYONE if entry.population.name in sizes)
    return draw(tmp_path_factory.mktemp("clubs"), compose(people, (), NO_LITERALS))


def sent_by_gateways(clubs: Drawn) -> pl.DataFrame:
    """What the gateways sent: all but what members sent from a browser at home."""
    return clubs.requests.filter(pl.col("truth") == "shared_gateway", ~pl.col("user_agent").str.starts_with("Mozilla"))


def test_the_owner_of_two_accounts_takes_a_conversation_in_five_from_one_to_the_other(twofold):
    long = twofold.sessions.filter(pl.col("truth").is_in(OWNERS), pl.col("message_count").list.len() >= 3)
    assert long.height > 500
    assert (long["holders"] == 2).mean() == pytest.approx(0.2, abs=0.04)


def test_a_conversation_that_moves_stays_moved_and_its_turns_go_on(twofold):
    moved = twofold.sessions.filter(pl.col("holders") > 1, pl.col("truth").is_in(OWNERS))
    assert (moved["holders"] == 2).all()
    assert (moved["account_id"].list.eval((pl.element() != pl.element().shift()).fill_null(value=False)).list.sum() == 1).all()
    assert moved["message_count"].list.diff(null_behavior="drop").list.min().min() > 0
    assert (moved["user_agent"].list.n_unique() == 1).all()  # the owner has not changed machines


def test_an_owner_has_two_accounts_in_one_country_and_no_third(twofold):
    moved = twofold.sessions.filter(pl.col("holders") > 1, pl.col("truth") != "shared_gateway")
    pairs = moved.select(pair=pl.col("account_id").list.unique().list.sort()).unique().with_row_index("owner").explode("pair")
    assert pairs.height > 100
    assert not pairs["pair"].is_duplicated().any()
    records = pairs.join(twofold.accounts, left_on="pair", right_on="account_id").group_by("owner").agg(pl.col("signup_country", "truth").n_unique())
    assert (records["signup_country"] == 1).all()
    assert (records["truth"] == 1).all()
    assert "stolen_key" not in set(moved["truth"])  # a thief has the one account only


def test_nobody_goes_on_with_an_account_that_is_not_open_yet(twofold):
    opened = twofold.requests.join(twofold.accounts.select("account_id", "created_at"), on="account_id")
    assert (opened["timestamp"] >= opened["created_at"]).all()
    stay = opened.filter(pl.col("truth") == "launch_crowd").select(pl.col("timestamp") - pl.col("created_at"))["timestamp"]
    assert stay.max() < dt.timedelta(days=4, hours=1)


def test_no_conversation_of_an_innocent_leaves_its_owner_or_its_gateways_group(twofold):
    sessions = twofold.sessions.filter(pl.col("session_id").is_not_null())
    assert (sessions["groups"] == 1).all()
    assert sessions.filter(pl.col("network").is_null())["holders"].max() == 2
    assert sessions.filter(pl.col("network").is_not_null(), pl.col("truth") != "shared_gateway")["holders"].max() == 1


def test_without_the_dial_only_gateways_hand_on(tmp_path):
    drawn = draw(tmp_path, compose(innocents(1000, personas=EVERYONE), (), NO_LITERALS), 3)
    assert set(drawn.sessions.filter(pl.col("holders") > 1)["truth"]) == {"shared_gateway"}


def test_usual_and_heavy_worlds_hold_owners_of_two_accounts():
    rates = [world_of(name, 600, 0.0).sharing.second_account for name in ("quiet", "ladder-L6", "lookalike")]
    assert rates[0] == 0.0 < rates[1] < rates[2]


def test_a_shared_gateway_is_one_machine_before_a_few_cards_and_no_organisation(clubs):
    records = clubs.accounts.filter(pl.col("truth") == "shared_gateway")
    groups = records.group_by("network").agg(pl.len(), pl.col("organization_id", "signup_country").n_unique(), age=pl.col("created_at").max() - pl.col("created_at").min())
    assert groups.height >= 8
    assert groups["len"].median() == pytest.approx(8, abs=2)
    assert (groups["organization_id"] == groups["len"]).all()
    assert (groups["signup_country"] == 1).all()
    assert (groups["age"] <= dt.timedelta(days=20)).all()
    sent = sent_by_gateways(clubs).group_by("network").agg(pl.col("client_ip", "user_agent", "ja4").n_unique(), used=pl.col("account_id").n_unique())
    assert sent.height == groups.height
    assert (sent["client_ip"] == 1).all()
    assert (sent["user_agent"] == 1).all()
    assert (sent["ja4"] == 1).all()
    assert sent.join(groups, on="network").select(pl.col("used") == pl.col("len"))["used"].all()
    assert sent_by_gateways(clubs)["client_ip"].n_unique() == groups.height


def test_a_shared_gateway_carries_ordinary_chats_of_ordinary_length(clubs):
    sent, chats = sent_by_gateways(clubs), clubs.requests.filter(pl.col("truth") == "individual")
    assert sent["output_tokens"].median() == pytest.approx(chats["output_tokens"].median(), rel=0.25)
    assert sent["prompt"].str.len_chars().median() == pytest.approx(chats["prompt"].str.len_chars().median(), rel=0.35)
    openings = [rows.filter(pl.col("message_count") == 1, pl.col("status_code") != 429)["prompt"].is_unique().mean() for rows in (sent, chats)]
    assert openings[0] == pytest.approx(openings[1], abs=0.02)  # no more alike than those of strangers
    assert sent["system_prompt"].null_count() == sent.height


def test_a_shared_gateway_hands_on_within_its_group(clubs):
    talks = sent_by_gateways(clubs).drop_nulls("session_id")
    sessions = talks.group_by("session_id").agg(pl.col("network").n_unique(), pl.col("account_id"), pl.col("message_count"))
    assert (sessions["network"] == 1).all()
    long = sessions.filter(pl.col("message_count").list.n_unique() >= 3)
    assert (long["account_id"].list.n_unique() > 1).mean() == pytest.approx(0.2, abs=0.05)
    answered = talks.filter(pl.col("status_code") != 429).sort("timestamp").group_by("session_id", maintain_order=True).agg("message_count")
    order = answered["message_count"].list.diff(null_behavior="drop").list.min().drop_nulls()
    assert (order > 0).mean() > 0.99  # but where what was throttled comes after the next turn


def test_a_shared_gateway_sends_what_was_throttled_again_from_its_own_group(clubs):
    sent = sent_by_gateways(clubs)
    throttled = sent.filter(pl.col("status_code") == 429)
    again = throttled.join(sent.filter(pl.col("status_code") == 200), on=["session_id", "message_count", "network"], suffix="_again")
    assert throttled.height >= 20
    assert again["request_id"].n_unique() == throttled.height
    assert (again["account_id"] != again["account_id_again"]).all()
    assert (again["timestamp_again"] - again["timestamp"]).is_between(dt.timedelta(0), dt.timedelta(seconds=4)).all()


def test_scripts_number_their_sessions_in_words_or_as_a_hash_and_collide_either_way(tmp_path):
    drawn = draw(tmp_path, compose(innocents(400), (), Sharing(literal_session=0.0, colliding_session=1.0)), 2)
    sessions = drawn.sessions.with_columns(plain=pl.col("session_id").str.contains("^ticket-[1-9][0-9]{0,2}$"))
    assert sessions.filter(~pl.col("plain"))["session_id"].str.contains("^s_[0-9a-f]{16}$").all()
    assert not sessions["session_id"].str.contains("^s_0{12}").any()
    for plain in (True, False):
        assert (sessions.filter(pl.col("plain") == plain)["holders"] > 1).sum() > 100
    accounts = sessions.select("plain", "account_id").explode("account_id").group_by("account_id").agg(pl.col("plain").n_unique(), kind=pl.col("plain").first())
    assert (accounts["plain"] == 1).all()
    assert accounts["kind"].mean() == pytest.approx(0.7, abs=0.08)


def test_literal_session_ids_stand_as_they_were(tmp_path):
    drawn = draw(tmp_path, compose(innocents(100), (), Sharing(literal_session=1.0)), 1)
    assert set(drawn.requests["session_id"]) == {"default", "session-1", "test", "my_session"}


def test_a_groups_conversations_are_dealt_among_its_own_accounts_and_reach_all_of_them():
    (gateway,) = (entry.population for entry in EVERYONE if entry.population.name == "shared_gateway")
    people = holders.build(dataclasses.replace(gateway, size=GATEWAYS), NO_LITERALS, 6, 0, DAYS)
    begun = np.repeat(np.arange(GATEWAYS), 40)
    order = np.random.default_rng(6).permutation(len(begun))
    times = np.sort(np.random.default_rng(7).integers(0, DAY_US, len(begun)))
    dealt = dealing.deal(people, gateway.activities[0], begun[order], times, (gateway.name, 0), 6, 0, 0)
    assert (people.group[dealt] == people.group[begun[order]]).all()
    assert set(dealt.tolist()) == set(range(GATEWAYS))
    assert (dealt != begun[order]).mean() > 0.7
