"""Dials that add requests, move them between accounts or change who serves: each does what it says and leaves the rest as it was."""

import dataclasses
import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from pipeline.simulate import Campaign, World, compose, innocents, write_dials

BASE = Campaign("probe", 40, 20.0, template="none")
DAYS = 6
START = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
CHANGES_HANDS = {"account_id", "organization_id", "client_ip", "client_asn", "client_country", "user_agent", "ja4", "api_key_id", "max_tokens", "temperature", "stream"}


@dataclasses.dataclass(frozen=True)
class Drawn:
    out: Path
    bad: pl.DataFrame
    good: pl.DataFrame
    accounts: pl.DataFrame


def world(campaign: Campaign) -> World:
    return compose(innocents(40), (campaign,))


def draw(out: Path, described: World, days: int = DAYS) -> Drawn:
    write_dials(out, described, days, 4, {})
    truth = pl.read_parquet(out / "truth.parquet").select("account_id", "malicious")
    requests = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in sorted(out.glob("requests/*/*.parquet"))])
    requests = requests.sort("request_id").join(truth, on="account_id", how="left")
    accounts = pl.read_parquet(out / "accounts.parquet").join(truth, on="account_id")
    return Drawn(out, requests.filter("malicious").drop("malicious"), requests.filter(~pl.col("malicious")).drop("malicious"), accounts)


def changed(before: pl.DataFrame, after: pl.DataFrame) -> set[str]:
    assert before["request_id"].equals(after["request_id"])
    return {name for name in before.columns if not before[name].equals(after[name], null_equal=True)}


def but(**dials: object) -> World:
    return world(dataclasses.replace(BASE, **dials))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    return draw(tmp_path_factory.mktemp("base"), world(BASE))


def test_best_of_n_sends_each_item_from_n_accounts_within_seconds(tmp_path, base):
    drawn = draw(tmp_path, but(best_of=3))
    assert drawn.good.equals(base.good, null_equal=True)
    assert changed(base.bad, drawn.bad.filter(pl.col("request_id").is_in(base.bad["request_id"].implode()))) == set()
    items = drawn.bad.group_by("prompt").agg(pl.len(), pl.col("account_id").n_unique(), spread=pl.col("timestamp").max() - pl.col("timestamp").min())
    assert drawn.bad.height == 3 * base.bad.height
    assert (items["len"] % 3 == 0).all()
    assert (items.filter(pl.col("len") == 3)["account_id"] >= 2).all()
    assert (items.filter(pl.col("len") == 3)["spread"] < dt.timedelta(minutes=1)).mean() > 0.99


def test_failover_sends_each_throttled_request_again_from_another_account(tmp_path, base):
    drawn = draw(tmp_path, but(failover=True))
    throttled = base.bad.filter(pl.col("status_code") == 429)
    again = drawn.bad.filter(~pl.col("request_id").is_in(base.bad["request_id"].implode()))
    assert throttled.height > 10
    assert again.height == throttled.height
    assert changed(base.bad, drawn.bad.filter(pl.col("request_id").is_in(base.bad["request_id"].implode()))) == set()
    pairs = again.join(throttled, on="prompt", suffix="_first")
    assert pairs.height == again.height
    assert (pairs["account_id"] != pairs["account_id_first"]).all()
    assert (pairs["timestamp"] - pairs["timestamp_first"]).is_between(dt.timedelta(0), dt.timedelta(seconds=4)).all()
    assert pairs["session_id"].equals(pairs["session_id_first"], null_equal=True)
    assert (pairs["status_code"] == 200).all()


def test_handoff_moves_conversations_and_nothing_else(tmp_path):
    plain = draw(tmp_path / "plain", but(turns=3.0))
    moved = draw(tmp_path / "moved", but(turns=3.0, handoff=0.5))
    assert moved.good.equals(plain.good, null_equal=True)
    assert changed(plain.bad, moved.bad) <= CHANGES_HANDS
    for drawn, expected in ((plain, 0.0), (moved, 0.5)):
        talks = drawn.bad.drop_nulls("session_id").group_by("session_id").agg(pl.col("account_id").n_unique(), depth=pl.col("message_count").max(), turns=pl.len())
        long = talks.filter((pl.col("turns") >= 3) & (pl.col("depth") >= 5) & (pl.col("turns") < 60))
        assert (long["account_id"] > 1).mean() == pytest.approx(expected, abs=0.08)


def test_spare_accounts_take_over_what_a_ban_wave_leaves(tmp_path):
    drawn = draw(tmp_path, but(accounts=60, spare_share=0.4, ban_days=(3,), ban_share=0.8, succession_hours=2.0))
    bans = pl.read_csv(tmp_path / "context" / "bans.csv").with_columns(pl.col("banned_at").str.to_datetime(time_zone="UTC"))
    (wave,) = bans["banned_at"].unique().to_list()
    assert wave.date() == (START + dt.timedelta(days=3)).date()
    banned = drawn.accounts.filter(pl.col("status") == "banned")
    assert set(banned["account_id"]) == set(bans["account_id"])
    assert (banned["status_changed_at"] == wave).all()
    assert (drawn.accounts["as_of"] == (START + dt.timedelta(days=DAYS)).date()).all()
    lives = drawn.bad.group_by("account_id").agg(first=pl.col("timestamp").min(), last=pl.col("timestamp").max())
    assert lives.join(bans, on="account_id")["last"].max() < wave
    fresh = lives.filter(pl.col("first") > wave)
    assert 15 <= fresh.height <= bans.height
    assert fresh["first"].min() >= wave + dt.timedelta(hours=2)
    daily = drawn.bad.group_by(pl.col("timestamp").dt.date()).len().sort("timestamp")["len"]
    assert daily[4:].mean() == pytest.approx(daily[:3].mean(), rel=0.25)


def test_without_spares_the_rest_carry_the_load(tmp_path, base):
    drawn = draw(tmp_path, but(ban_days=(3,), ban_share=0.5))
    before, after = (drawn.bad.filter((pl.col("timestamp") >= START + dt.timedelta(days=day)) & (pl.col("timestamp") < START + dt.timedelta(days=day + 1))) for day in (2, 4))
    assert after["account_id"].n_unique() < 0.75 * before["account_id"].n_unique()
    assert after.height == pytest.approx(before.height, rel=0.25)
    assert drawn.good.equals(base.good, null_equal=True)


def test_bought_accounts_lived_another_life_before(tmp_path, base):
    drawn = draw(tmp_path, but(template="fixed", purchased_share=0.5, purchase_days=4.0))
    head = drawn.bad.filter(pl.col("timestamp") > START + dt.timedelta(days=5))["prompt"].str.slice(0, 40).mode()[0]
    marked = drawn.bad.with_columns(harvest=pl.col("prompt").str.starts_with(head))
    lives = marked.group_by("account_id").agg(
        chatted=(~pl.col("harvest")).any(), last_chat=pl.col("timestamp").filter(~pl.col("harvest")).max(), first_harvest=pl.col("timestamp").filter("harvest").min()
    )
    bought = lives.filter("chatted")
    assert 10 <= bought.height <= 30
    assert (bought.drop_nulls("first_harvest")["last_chat"] <= bought.drop_nulls("first_harvest")["first_harvest"]).all()
    ages = drawn.accounts.filter("malicious").with_columns(age=pl.lit(START) - pl.col("created_at")).join(lives, on="account_id")
    truth = pl.read_parquet(tmp_path / "truth.parquet")
    assert set(truth.filter("malicious", "active")["account_id"]) == set(lives.drop_nulls("first_harvest")["account_id"])
    assert ages.filter("chatted")["age"].median() > dt.timedelta(days=30) > ages.filter(~pl.col("chatted"))["age"].median()
    assert drawn.good.equals(base.good, null_equal=True)


def test_a_pivot_moves_its_share_to_the_new_model_within_a_day(tmp_path):
    shares = {}
    for pivot in (0.0, 0.5):
        drawn = draw(tmp_path / str(pivot), dataclasses.replace(but(pivot_share=pivot), release_day=2))
        day_after = drawn.bad.filter(pl.col("timestamp") >= START + dt.timedelta(days=3))
        assert drawn.bad.filter(pl.col("timestamp") < START + dt.timedelta(days=2))["model"].is_in(["quill-4-large"]).sum() == 0
        shares[pivot] = (day_after["model"] == "quill-4-large").mean()
        good = drawn.good.filter(pl.col("timestamp") >= START + dt.timedelta(days=3))
        assert 0.02 < (good["model"] == "quill-4-large").mean() < 0.4
    assert shares[0.5] == pytest.approx(0.5, abs=0.06)
    assert shares[0.0] < 0.4


def test_a_release_changes_the_model_only(tmp_path, base):
    drawn = draw(tmp_path, dataclasses.replace(world(BASE), release_day=1))
    assert changed(base.good, drawn.good) == {"model"}
    assert changed(base.bad, drawn.bad) == {"model"}
    assert "quill-4-large,2026-03-03T00:00:00+00:00" in (tmp_path / "context" / "releases.csv").read_text()


def test_headroom_evens_use_out_and_weights_spread_it(tmp_path):
    spread = {}
    for name, dials in (("headroom", {"policy": "headroom"}), ("random", {}), ("weights", {"weight_spread": 1.0})):
        counts = draw(tmp_path / name, but(**dials), 1).bad.group_by("account_id").len()["len"]
        spread[name] = counts.std() / counts.mean()
    assert 2 * spread["headroom"] < spread["random"] < 0.5 * spread["weights"]


def test_weighted_shares_agree_between_policies(tmp_path):
    """An account's weight is its own, whatever the policy: heavy accounts are heavy under each."""
    use = []
    for policy in ("headroom", "random", "sticky", "round_robin"):
        drawn = draw(tmp_path / policy, but(policy=policy, weight_spread=1.0, requests_per_account_day=60.0), 2)
        use.append(drawn.bad.group_by("account_id").len(policy))
    joined = use[0].join(use[1], on="account_id").join(use[2], on="account_id").join(use[3], on="account_id").drop("account_id")
    assert joined.corr().to_numpy().min() > 0.8


def test_duty_rests_accounts_for_whole_days(tmp_path, base):
    per_day = [drawn.bad.group_by(pl.col("timestamp").dt.date()).agg(pl.col("account_id").n_unique())["account_id"].mean() for drawn in (base, draw(tmp_path, but(duty=0.5)))]
    assert per_day[0] > 38
    assert per_day[1] == pytest.approx(20, abs=4)


def test_fewer_workers_keep_fewer_accounts_busy_and_stickier_ones_for_longer(tmp_path):
    an_hour, a_day = [], []
    for dials in ({"workers": 1.0}, {"workers": 0.15}, {"workers": 0.15, "sticky_minutes": 360.0}):
        drawn = draw(tmp_path / str(len(a_day)), but(policy="sticky", requests_per_account_day=60.0, **dials), 1)
        an_hour.append(drawn.bad.group_by(pl.col("timestamp").dt.truncate("1h")).agg(pl.col("account_id").n_unique())["account_id"].max())
        a_day.append(drawn.bad["account_id"].n_unique())
    assert an_hour[0] > 15
    assert an_hour[1] == an_hour[2] == 6
    assert a_day[1] >= 30
    assert a_day[2] <= 24


def test_sharded_accounts_walk_their_own_part(tmp_path):
    dials = {"corpora": 1, "beyond": 0.0, "replacement": False, "requests_per_account_day": 15.0}
    drawn = draw(tmp_path / "sharded", but(sharded=True, **dials), 3)
    assert drawn.bad.group_by("account_id").len()["len"].max() < 100  # items of each part
    assert drawn.bad["prompt"].is_unique().all()
    again = draw(tmp_path / "again", but(sharded=True, **{**dials, "replacement": True}), 3)
    assert again.bad["prompt"].is_duplicated().any()
    assert (again.bad.group_by("prompt").agg(pl.col("account_id").n_unique())["account_id"] == 1).all()


def test_masked_sessions_change_each_quarter_and_are_never_shared(tmp_path):
    drawn = draw(tmp_path, but(sessions="masked", turns=2.0), 1)
    quarters = drawn.bad.group_by("account_id", pl.col("timestamp").dt.truncate("15m")).agg(pl.col("session_id").n_unique())
    assert (quarters["session_id"] == 1).all()
    assert (drawn.bad.group_by("session_id").agg(pl.col("account_id").n_unique())["account_id"] == 1).all()


def test_replayed_conversations_are_quicker_than_live_ones_and_in_many_languages(tmp_path):
    gaps = {}
    for source in ("replay", "live"):
        drawn = draw(tmp_path / source, but(source=source, turns=3.0, foreign_share=0.8), 1)
        talks = drawn.bad.drop_nulls("session_id").sort("timestamp").filter(pl.col("session_id").len().over("session_id") < 60)
        gaps[source] = talks.select((pl.col("timestamp").diff().over("session_id")).dt.total_milliseconds().median()).item()
        assert drawn.bad["prompt"].str.contains("[\u4e00-\u9fff]").mean() > 0.05
        assert drawn.bad["prompt"].str.contains(" (und|ist|kann|wir) ").mean() > 0.05
    assert gaps["replay"] < 10_000 < gaps["live"]


def test_an_injected_instruction_stands_behind_every_turn_and_a_paraphrase_never_repeats(tmp_path):
    injected = draw(tmp_path / "injected", but(template="injected", source="live", turns=3.0), 1).bad
    tail = injected["prompt"].str.slice(-40).mode()[0]
    assert injected["prompt"].str.ends_with(tail).all()
    assert (injected["message_count"] > 1).any()
    paraphrased = draw(tmp_path / "paraphrased", but(template="paraphrase"), 1).bad
    fixed = draw(tmp_path / "fixed", but(template="fixed"), 1).bad
    assert paraphrased["prompt"].str.slice(0, 60).n_unique() > 0.5 * paraphrased.height
    assert fixed["prompt"].str.slice(0, 60).n_unique() < 0.1 * fixed.height


def test_rewritten_clients_keep_one_stack_under_many_names(tmp_path):
    drawn = draw(tmp_path, but(clients="rewritten"))
    innocent_names = draw(tmp_path / "plain", compose(innocents(2000), ()), 1).good["user_agent"].unique()
    assert drawn.bad["ja4"].n_unique() == 1
    assert drawn.bad["user_agent"].n_unique() > 12
    assert drawn.bad.group_by("account_id").agg(pl.col("user_agent").n_unique())["user_agent"].max() == 1
    assert drawn.bad["user_agent"].is_in(innocent_names.implode()).mean() > 0.5
    assert draw(tmp_path / "stripped", but(clients="stripped"), 1).bad["user_agent"].null_count() > 0


def test_dials_outside_their_range_are_refused_by_name():
    for dial, value in (("best_of", 0), ("duty", 0.0), ("duty", 1.5), ("handoff", 1.5), ("spare_share", 1.0), ("sessions", "often"), ("source", "magic"), ("workers", 0.0)):
        with pytest.raises(ValueError, match=dial):
            Campaign("x", **{dial: value})
