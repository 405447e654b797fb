"""Every dial changes what it should and nothing else."""

import dataclasses
from pathlib import Path

import polars as pl
import pytest

from pipeline.simulate import Campaign, Sharing, compose, innocents, write_dials

BASE = Campaign("probe", 12, 20.0, payment_group=3, device_group=2, infrastructure="pool", clients="varied")
DEALT = {"account_id", "organization_id", "client_ip", "client_asn", "client_country", "user_agent", "ja4", "api_key_id", "session_id", "model"}
ANSWER = {"output_tokens", "finish_reason", "latency_ms"}
TEXT = {"prompt", "input_tokens"}
# dial, other value, request columns and account columns that it changes
CASES = (
    ("payment_group", 6, set(), {"payment_fingerprint"}),
    ("device_group", 4, set(), {"device_fingerprint"}),
    ("infrastructure", "residential", {"client_ip", "client_asn", "client_country"}, set()),
    ("infrastructure", "per_request", {"client_ip", "client_asn", "client_country"}, set()),
    ("infrastructure", "shared", {"client_ip"}, set()),
    ("pool_addresses", 9, {"client_ip"}, set()),
    ("template", "family", TEXT, set()),
    ("template", "none", TEXT, set()),
    ("template", "injected", TEXT, set()),
    ("template", "paraphrase", TEXT, set()),
    ("schedule", "batch", {"timestamp", *DEALT, *TEXT, *ANSWER, "status_code", "is_rate_limited"}, set()),
    ("policy", "round_robin", DEALT, set()),
    ("policy", "sticky", DEALT, set()),
    ("policy", "headroom", DEALT, set()),
    ("weight_spread", 1.2, DEALT, set()),
    ("duty", 0.8, DEALT, set()),
    ("sessions", "masked", {"session_id"}, set()),
    ("sessions", "none", {"session_id"}, set()),
    ("source", "replay", TEXT, set()),
    ("source", "live", TEXT, set()),
    ("sharded", True, TEXT, set()),
    ("organization", True, {"organization_id", "api_key_id"}, {"organization_id"}),
    ("ageing_days", 90.0, set(), {"created_at", "status_changed_at"}),
    ("one_mail_shape", True, set(), {"email_local_shape"}),
    ("payment_type", "card", set(), {"payment_type"}),
    ("payment_type", "mixed", set(), {"payment_type"}),
    ("domain", "mixed", set(), {"email_domain", "email_domain_class"}),
    ("domain", "corporate", set(), {"email_domain", "email_domain_class"}),
    ("signup", "drip", set(), {"created_at", "status_changed_at"}),
    ("clients", "rewritten", {"user_agent", "ja4"}, set()),
    ("clients", "stripped", {"user_agent", "ja4"}, set()),
    ("settings", "client", {"max_tokens", "temperature", "stream", *ANSWER}, set()),
    ("replacement", True, TEXT, set()),
    ("corpora", 6, TEXT, set()),
    ("beyond", 0.9, TEXT, set()),
    ("tasks", (("grade", 1.0),), TEXT, set()),
    ("signup", "organic", set(), {"created_at", "status_changed_at"}),
    ("signup_days", 30.0, set(), {"created_at", "status_changed_at"}),
    ("pathways", (("education", 1.0),), set(), {"access_pathway"}),
    ("domain", "disposable", set(), {"email_domain", "email_domain_class"}),
    ("clients", "harness", {"user_agent", "ja4"}, set()),
    ("settings", "script", {"max_tokens", "temperature", "stream", *ANSWER}, set()),
    ("output_tokens", 2500.0, {*ANSWER, "max_tokens"}, set()),
)


@dataclasses.dataclass(frozen=True)
class Drawn:
    bad: pl.DataFrame
    good: pl.DataFrame
    accounts: pl.DataFrame
    truth: pl.DataFrame


def draw(out: Path, campaign: Campaign, sharing: Sharing | None = None) -> Drawn:
    write_dials(out, compose(innocents(60), (campaign,), sharing), 2, 4, {})
    truth = pl.read_parquet(out / "truth.parquet")
    requests = (
        pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in sorted(out.glob("requests/*/*.parquet"))])
        .sort("request_id")
        .join(truth.select("account_id", "malicious"), on="account_id", how="left")
    )
    return Drawn(requests.filter("malicious").drop("malicious"), requests.filter(~pl.col("malicious")).drop("malicious"), pl.read_parquet(out / "accounts.parquet"), truth)


def changed(before: pl.DataFrame, after: pl.DataFrame) -> set[str]:
    assert before.height == after.height
    return {name for name in before.columns if not before[name].equals(after[name], null_equal=True)}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    return draw(tmp_path_factory.mktemp("base"), BASE)


@pytest.mark.parametrize(("dial", "value", "request_columns", "account_columns"), CASES, ids=[f"{case[0]}={case[1]}" for case in CASES])
def test_a_campaign_dial_changes_its_columns_only(tmp_path, base, dial, value, request_columns, account_columns):
    other = draw(tmp_path, dataclasses.replace(BASE, **{dial: value}))
    assert other.good.equals(base.good, null_equal=True)
    assert changed(base.truth, other.truth) == set()
    found = changed(base.bad, other.bad)
    assert found <= request_columns
    assert changed(base.accounts, other.accounts) <= account_columns
    assert found | changed(base.accounts, other.accounts), "the dial changed nothing"


def members(drawn: Drawn, malicious: bool = True) -> pl.DataFrame:
    return drawn.accounts.join(drawn.truth.filter(pl.col("malicious") == malicious), on="account_id")


def test_accounts_adds_accounts_and_leaves_the_innocent_alone(tmp_path, base):
    other = draw(tmp_path, dataclasses.replace(BASE, accounts=20))
    assert members(other).height == 20
    assert set(members(base)["account_id"]) < set(members(other)["account_id"])
    assert other.good.equals(base.good, null_equal=True)


def test_requests_per_account_day_scales_the_volume(tmp_path, base):
    other = draw(tmp_path, dataclasses.replace(BASE, requests_per_account_day=60.0))
    assert other.bad.height / base.bad.height == pytest.approx(3.0, rel=0.15)
    assert other.good.equals(base.good, null_equal=True)


def test_noise_is_multi_turn_chat_at_about_its_share(tmp_path, base):
    other = draw(tmp_path, dataclasses.replace(BASE, noise_share=0.5))
    template = base.bad["prompt"].str.slice(0, 40).mode()[0]
    assert base.bad["prompt"].str.starts_with(template).all()
    assert 1.0 - other.bad["prompt"].str.starts_with(template).mean() == pytest.approx(0.5, abs=0.2)
    assert (other.bad["message_count"] > 1).any()
    assert other.good.equals(base.good, null_equal=True)


def test_groups_have_the_sizes_asked_for(tmp_path, base):
    assert sorted(members(base)["payment_fingerprint"].value_counts()["count"]) == [3, 3, 3, 3]
    one = draw(tmp_path, dataclasses.replace(BASE, payment_group=0))
    assert members(one)["payment_fingerprint"].n_unique() == 1


def test_policies_deal_as_their_names_say(tmp_path):
    spread = {}
    for policy in ("round_robin", "random", "sticky"):
        counts = draw(tmp_path / policy, dataclasses.replace(BASE, policy=policy)).bad.group_by(pl.col("timestamp").dt.date(), "account_id").len()["len"]
        spread[policy] = counts.std() / counts.mean()
    assert spread["round_robin"] < 0.1 < spread["random"] <= spread["sticky"]


def test_without_replacement_no_item_comes_twice(tmp_path, base):
    assert base.bad["prompt"].is_unique().all()
    again = draw(tmp_path, dataclasses.replace(BASE, replacement=True, corpora=1, beyond=0.0, requests_per_account_day=200.0))
    assert again.bad["prompt"].is_duplicated().any()


def test_schedules_differ_in_how_they_fill_the_day(tmp_path, base):
    hours = {"always": base.bad["timestamp"].dt.hour().n_unique(), "batch": draw(tmp_path, dataclasses.replace(BASE, schedule="batch")).bad["timestamp"].dt.hour().n_unique()}
    assert hours["always"] >= 22
    assert hours["batch"] <= 12


def test_mimicry_keeps_the_hours_of_each_accounts_country(tmp_path):
    drawn = draw(tmp_path, dataclasses.replace(BASE, accounts=40, schedule="mimic"))
    quiet = drawn.bad.join(members(drawn).select("account_id", "signup_country"), on="account_id").filter(pl.col("signup_country") == "US")
    assert quiet.height > 60
    assert quiet["timestamp"].dt.hour().is_between(9, 13).mean() < 0.1  # 3 to 7 in the morning at UTC-6


def test_one_wrong_dial_is_refused_by_name():
    with pytest.raises(ValueError, match="policy"):
        Campaign("x", policy="roundrobin")
    with pytest.raises(ValueError, match="noise_share"):
        Campaign("x", noise_share=1.5)
    with pytest.raises(ValueError, match="shared_line"):
        Sharing(shared_line=1.2)


SHARING = (
    ("household_card", 0.5, set(), {"payment_fingerprint"}),
    ("shared_device", 0.5, set(), {"device_fingerprint"}),
    ("placeholder_device", 0.5, set(), {"device_fingerprint"}),
    ("missing_device", 0.5, set(), {"device_fingerprint"}),
    ("literal_session", 0.6, {"session_id"}, set()),
    ("shared_line", 0.7, {"client_ip"}, set()),
    ("closed", 0.6, set(), {"status", "status_changed_at"}),
    ("agency_card", 0.5, set(), {"payment_fingerprint"}),
    ("lab_device", 0.5, set(), {"device_fingerprint"}),
    ("disposable_mail", 0.5, set(), {"email_domain", "email_domain_class"}),
    ("prepaid_card", 0.5, set(), {"payment_type"}),
    ("colliding_session", 0.5, {"session_id"}, set()),
    ("address_churn", 0.5, {"client_ip"}, set()),
    ("handed_over", 1.0, {"client_ip", "client_asn", "user_agent", "ja4", *TEXT}, set()),
    ("second_account", 1.0, {"account_id", "organization_id", "api_key_id"}, set()),
    ("inspected", 0.5, {"ja4"}, set()),
    ("inspected_groups", 1.0, {"ja4"}, set()),
)


@pytest.mark.parametrize(("dial", "value", "request_columns", "account_columns"), SHARING, ids=[case[0] for case in SHARING])
def test_a_rate_of_innocent_sharing_changes_its_columns_only(tmp_path, base, dial, value, request_columns, account_columns):
    other = draw(tmp_path, BASE, dataclasses.replace(Sharing(), **{dial: value}))
    assert changed(base.good, other.good) | changed(base.bad, other.bad) == request_columns
    assert changed(base.accounts, other.accounts) == account_columns


def test_rates_of_innocent_sharing_are_met(tmp_path):
    sharing = Sharing(household_card=0.2, placeholder_device=0.1, missing_device=0.1)
    write_dials(tmp_path, compose(innocents(3000), (), sharing), 1, 4, {})
    accounts = pl.read_parquet(tmp_path / "accounts.parquet").join(pl.read_parquet(tmp_path / "truth.parquet"), on="account_id")
    strangers = accounts.filter(pl.col("truth").is_in(["individual", "developer", "power_user", "hobby_script"]))
    assert strangers["payment_fingerprint"].is_duplicated().mean() == pytest.approx(0.2, abs=0.04)
    assert strangers["device_fingerprint"].is_in(["unknown", "0000", ""]).sum() / strangers.height == pytest.approx(0.1, abs=0.02)
    assert strangers["device_fingerprint"].null_count() / strangers.height == pytest.approx(0.1, abs=0.02)


def test_a_public_template_is_one_for_all_of_its_kind_and_an_own_one_is_not(tmp_path):
    (script,) = (entry for entry in innocents(400) if entry.name == "hobby_script")
    heads = {}
    for template in ("public", "own"):
        main, *rest = script.activities
        work = dataclasses.replace(main.work, template=template, template_holders=1.0)
        people = dataclasses.replace(script, activities=(dataclasses.replace(main, work=work), *rest))
        write_dials(tmp_path / template, compose((people,), ()), 1, 4, {})
        requests = pl.read_parquet(tmp_path / template / "requests/*/*.parquet", hive_partitioning=False).filter(pl.col("message_count") == 1)
        heads[template] = requests.group_by(pl.col("prompt").str.slice(0, 30)).agg(pl.col("account_id").n_unique())["account_id"].max()
    assert heads["public"] > 25
    assert heads["own"] < 8
