"""Each innocent population has the property that makes it what it is: otherwise an error rate by persona would be about nobody."""

import dataclasses
import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from pipeline.simulate import EVERYONE, PERSONAS, USUAL_SHARING, Sharing, compose, innocents, write_dials, write_world

DAYS = 8
START = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
CLOUD_ASNS = (16509, 15169, 8075, 14061, 24940, 16276, 20473, 45102)


@dataclasses.dataclass(frozen=True)
class Crowd:
    requests: pl.DataFrame  # with truth and network
    accounts: pl.DataFrame

    def of(self, name: str) -> pl.DataFrame:
        return self.requests.filter(pl.col("truth") == name)

    def records(self, name: str) -> pl.DataFrame:
        return self.accounts.filter(pl.col("truth") == name)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    out: Path = tmp_path_factory.mktemp("crowd")
    write_dials(out, compose(innocents(3000, personas=EVERYONE), (), USUAL_SHARING), DAYS, 6, {})
    truth = pl.read_parquet(out / "truth.parquet")
    requests = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in sorted(out.glob("requests/*/*.parquet"))])
    return Crowd(requests.join(truth, on="account_id"), pl.read_parquet(out / "accounts.parquet").join(truth, on="account_id"))


def span(times: str) -> pl.Expr:
    return pl.col(times).max() - pl.col(times).min()


def test_the_full_population_holds_the_plain_one_and_names_are_its_own():
    names = [entry.population.name for entry in EVERYONE]
    assert len(set(names)) == len(names) == 22
    assert EVERYONE[: len(PERSONAS)] == PERSONAS


def test_everyone_is_there_and_innocent(crowd):
    assert set(crowd.requests["truth"]) == {entry.population.name for entry in EVERYONE}
    assert crowd.accounts["malicious"].sum() == 0
    assert crowd.accounts["created_at"].max() < START + dt.timedelta(days=DAYS)


def test_a_hackathon_signs_up_on_one_morning_shares_a_venue_and_is_over_in_two_days(crowd):
    mornings = crowd.records("hackathon").group_by("network").agg(span("created_at"), pl.col("payment_fingerprint").is_null().all())
    assert mornings.height >= 2
    assert (mornings["created_at"] <= 3 * HOUR).all()
    requests = crowd.of("hackathon").join(crowd.accounts.select("account_id", "created_at"), on="account_id")
    assert ((requests["timestamp"] - requests["created_at"]) < 50 * HOUR).all()
    assert (requests["timestamp"] >= requests["created_at"]).all()
    venues = requests.group_by("network").agg((pl.col("client_ip") == pl.col("client_ip").mode().first()).mean(), pl.col("system_prompt").n_unique())
    assert (venues["client_ip"] > 0.8).all()
    assert (venues["system_prompt"] == 1).all()


def test_a_bootcamp_shares_exercises_and_a_room_but_no_card(crowd):
    groups = crowd.of("bootcamp").group_by("network").agg(top=(pl.col("client_ip") == pl.col("client_ip").mode().first()).mean())
    assert groups["top"].is_between(0.35, 0.8).all()
    shared = crowd.of("bootcamp").group_by("network", "prompt").agg(pl.col("account_id").n_unique())
    assert (shared["account_id"] > 3).sum() > 10
    weekend = crowd.of("bootcamp")["timestamp"].dt.weekday().is_in([6, 7]).mean()
    assert weekend < 0.15


def test_a_red_team_varies_its_probes_from_a_program_of_its_own(crowd):
    probes = crowd.of("red_team")
    others = crowd.requests.filter(pl.col("truth") != "red_team")
    assert probes.join(others, on="user_agent", how="semi")["timestamp"].is_empty()
    assert probes.group_by("network").agg(pl.col("prompt").str.slice(0, 25).n_unique())["prompt"].min() > 1
    assert probes["output_tokens"].median() < 260


def test_an_aggregator_alone_names_end_users_and_carries_everyones_traffic(crowd):
    carried = crowd.of("aggregator")
    assert carried["end_user_id"].null_count() == 0
    assert carried["end_user_id"].n_unique() > 500
    assert crowd.requests.filter(pl.col("truth") != "aggregator")["end_user_id"].null_count() == crowd.requests.height - carried.height
    assert set(crowd.records("aggregator")["access_pathway"]) == {"reseller"}
    assert carried["timestamp"].dt.hour().n_unique() == 24


def test_a_ci_key_comes_from_another_runner_each_time_and_rests_at_weekends(crowd):
    jobs = crowd.of("ci_key")
    assert jobs.group_by("account_id").agg(pl.col("client_ip").n_unique() / pl.len())["client_ip"].median() > 0.7
    assert jobs["client_asn"].is_in(CLOUD_ASNS).mean() > 0.8
    assert jobs["timestamp"].dt.weekday().is_in([6, 7]).mean() < 0.12


def test_a_load_test_is_one_hour_of_equal_requests(crowd):
    tests = crowd.of("load_test").group_by("account_id", pl.col("timestamp").dt.date()).agg(span("timestamp").alias("span"), pl.col("prompt").n_unique(), pl.len())
    assert (tests["span"] <= HOUR).all()
    assert (tests["prompt"] <= 5).all()
    assert tests["len"].median() > 60
    assert crowd.of("load_test")["output_tokens"].median() < 30


def test_a_migration_silences_one_account_before_the_other_starts(crowd):
    moves = crowd.of("migration").group_by("network", "account_id").agg(first=pl.col("timestamp").min(), last=pl.col("timestamp").max()).sort("network", "first")
    pairs = moves.group_by("network", maintain_order=True).agg(pl.col("last").first(), pl.col("first").last(), pl.len()).filter(pl.col("len") == 2)
    assert pairs.height >= 5
    assert (pairs["first"] >= pairs["last"]).all()
    opened = moves.join(crowd.accounts.select("account_id", "created_at"), on="account_id").group_by("network").agg((pl.col("first") - pl.col("created_at")).min())
    assert opened["first"].min() < 30 * HOUR


def test_tunnel_users_share_exits_with_strangers(crowd):
    exits = crowd.of("vpn_user").filter(pl.col("client_asn").is_in(CLOUD_ASNS))
    assert exits.height > 0.75 * crowd.of("vpn_user").height
    assert exits["client_ip"].n_unique() <= 80
    assert exits.group_by("client_ip").agg(pl.col("account_id").n_unique())["account_id"].median() >= 5


def test_mobile_users_change_address_within_one_network_that_others_share(crowd):
    lines = crowd.of("mobile_user").group_by("account_id").agg(pl.col("client_ip").n_unique(), pl.col("client_asn").n_unique(), pl.len()).filter(pl.col("len") >= 20)
    assert (lines["client_ip"] >= 3).all()
    assert (lines["client_asn"] == 1).all()
    assert crowd.of("mobile_user").group_by("client_ip").agg(pl.col("account_id").n_unique())["account_id"].mean() > 2


def test_a_launch_crowd_comes_in_one_day_and_has_mostly_left_after_four(crowd):
    signups = crowd.records("launch_crowd")
    assert signups["created_at"].dt.date().n_unique() == 1
    assert signups["signup_country"].n_unique() > 8
    stay = crowd.of("launch_crowd").join(signups.select("account_id", "created_at"), on="account_id").select(pl.col("timestamp") - pl.col("created_at"))["timestamp"]
    assert stay.min() >= dt.timedelta(0)
    assert stay.max() < 4 * 24 * HOUR + HOUR


def test_a_stolen_key_is_used_from_elsewhere_for_a_while(crowd):
    stolen = crowd.of("stolen_key").with_columns(thief=~pl.col("user_agent").str.starts_with("loomcode"))
    ends = stolen.group_by("account_id").agg(
        theft=pl.col("timestamp").filter("thief").min(), honest=pl.col("timestamp").filter(~pl.col("thief")).min(), thief_rows=pl.col("thief").sum(), rows=pl.len()
    )
    robbed = ends.drop_nulls("theft")
    assert robbed.height > 0.8 * ends.height
    assert (robbed["theft"] - START).median() > dt.timedelta(days=1)
    assert stolen.filter("thief")["client_asn"].is_in(CLOUD_ASNS).all()
    assert not stolen.filter(~pl.col("thief"))["client_asn"].is_in(CLOUD_ASNS).any()


def test_synthetic_data_is_long_answers_of_one_open_customer(crowd):
    made = crowd.of("synthetic_data")
    assert made["output_tokens"].median() > 500
    assert (made.group_by("network").agg(pl.col("organization_id").n_unique())["organization_id"] == 1).all()


def test_an_account_that_is_handed_over_changes_line_and_client_once(tmp_path):
    sizes = {"enterprise": 400, "individual": 200}
    people = tuple(dataclasses.replace(entry.population, size=sizes[entry.population.name]) for entry in EVERYONE if entry.population.name in sizes)
    write_dials(tmp_path, compose(people, (), Sharing(handed_over=1.0)), DAYS, 6, {})
    truth = pl.read_parquet(tmp_path / "truth.parquet")
    requests = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in sorted(tmp_path.glob("requests/*/*.parquet"))])
    for name, moved in (("enterprise", True), ("individual", False)):
        rows = requests.join(truth.filter(pl.col("truth") == name), on="account_id").sort("account_id", "timestamp")
        switches = rows.with_columns(other=(pl.col("user_agent") != pl.col("user_agent").shift()).over("account_id")).group_by("account_id").agg(pl.col("other").sum(), pl.len())
        busy = switches.filter(pl.col("len") >= 10)
        assert busy.height > 20
        assert (busy["other"] <= 1).all()
        # nearly one in five is used on one side of the turning point only, or both colleagues have the same client
        assert (busy["other"] == 1).mean() > 0.75 if moved else busy["other"].sum() == 0


def test_heavy_sharing_is_met_in_the_look_alike_world(tmp_path):
    write_world(tmp_path, "lookalike", 2500, 2, 5, 0.05)
    accounts = pl.read_parquet(tmp_path / "accounts.parquet").join(pl.read_parquet(tmp_path / "truth.parquet"), on="account_id")
    assert accounts["malicious"].sum() == 0
    strangers = accounts.filter(pl.col("truth").is_in(["individual", "developer", "power_user", "hobby_script", "vpn_user", "mobile_user"]))
    cards = strangers.filter(pl.col("payment_fingerprint").is_duplicated())
    assert cards.height / strangers.height == pytest.approx(0.19, abs=0.04)  # households 0.12 and agencies 0.08
    assert cards.group_by("payment_fingerprint").len()["len"].max() >= 5
    assert strangers["device_fingerprint"].is_in(["unknown", "0000", ""]).mean() == pytest.approx(0.12 / 0.95, abs=0.03)
    assert (strangers["email_domain_class"] == "disposable").mean() == pytest.approx(0.15, abs=0.03)
    requests = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in sorted(tmp_path.glob("requests/*/*.parquet"))])
    sessions = requests.drop_nulls("session_id").group_by("session_id").agg(pl.col("account_id").n_unique())
    assert (sessions["account_id"] > 5).sum() > 20
