"""What every world promises: the contract's columns, the truth, and the same bytes from the same arguments."""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import UsageError
from pipeline.simulate import SCENARIOS, write_world

REQUEST_TYPES = {
    "request_id": pa.string(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "account_id": pa.string(),
    "model": pa.string(),
    "organization_id": pa.string(),
    "session_id": pa.string(),
    "operation": pa.string(),
    "prompt": pa.string(),
    "system_prompt": pa.string(),
    "input_tokens": pa.int64(),
    "output_tokens": pa.int64(),
    "max_tokens": pa.int64(),
    "temperature": pa.float64(),
    "stream": pa.bool_(),
    "finish_reason": pa.string(),
    "latency_ms": pa.float64(),
    "status_code": pa.int16(),
    "is_rate_limited": pa.bool_(),
    "client_ip": pa.string(),
    "client_asn": pa.uint32(),
    "client_country": pa.string(),
    "user_agent": pa.string(),
    "ja4": pa.string(),
    "api_key_id": pa.string(),
    "message_count": pa.int32(),
}

ACCOUNT_COLUMNS = (
    "account_id, as_of, organization_id, created_at, signup_ip, signup_ip_hash, signup_ip_prefix, signup_asn, signup_country, email_domain, email_domain_class, email_hash, "
    "email_local_shape, phone_hash, phone_country, payment_fingerprint, payment_type, payment_country, device_fingerprint, verification_level, access_pathway, reseller_id, "
    "referral_code, credits_usd, plan, status, status_reason, status_changed_at"
)


def file_hashes(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}


def read_requests(world: Path) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in sorted(world.glob("requests/*/*.parquet"))])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    write_world(out, "demo", 600, 7, 1, 0.08)
    return out


def test_columns_and_types_are_the_contracts(demo):
    for path in demo.glob("requests/*/*.parquet"):
        schema = pq.read_schema(path)
        assert {field.name: field.type for field in schema} == REQUEST_TYPES


def test_accounts_columns_are_the_contracts(demo):
    contract = {column.strip() for column in ACCOUNT_COLUMNS.split(",")}
    schema = pq.read_schema(demo / "accounts.parquet")
    assert set(schema.names) <= contract
    assert schema.field("created_at").type == pa.timestamp("us", tz="UTC")
    assert schema.field("signup_asn").type == pa.uint32()


def test_rows_lie_in_their_day_in_order_of_time(demo):
    for path in demo.glob("requests/*/*.parquet"):
        stamps = pl.read_parquet(path, hive_partitioning=False)["timestamp"]
        assert stamps.is_sorted()
        assert set(stamps.dt.date().cast(pl.String)) == {path.parent.name.removeprefix("date=")}


def test_request_ids_are_unique(demo):
    assert read_requests(demo)["request_id"].is_duplicated().sum() == 0


def test_the_demo_is_of_the_promised_size(demo):
    truth = pl.read_parquet(demo / "truth.parquet")
    assert truth.height == 600
    assert 0.07 <= truth["malicious"].mean() <= 0.09
    assert 30_000 < read_requests(demo).height < 60_000
    assert set(truth.filter("malicious")["network"]) == {"campaign:naive", "campaign:synchronised", "campaign:pathways"}


def test_truth_is_consistent(demo):
    truth, requests, accounts = pl.read_parquet(demo / "truth.parquet"), read_requests(demo), pl.read_parquet(demo / "accounts.parquet")
    assert truth["account_id"].is_unique().all()
    assert accounts["account_id"].to_list() == truth["account_id"].to_list()
    assert set(truth.filter("active")["account_id"]) == set(requests["account_id"])
    assert truth.filter("malicious")["network"].null_count() == 0
    assert (truth["malicious"] == truth["truth"].str.starts_with("campaign:")).all()
    per_network = truth.drop_nulls("network").group_by("network").agg(pl.col("truth").n_unique())
    assert per_network["truth"].max() == 1


def test_quiet_has_no_campaign_whatever_the_share(tmp_path):
    write_world(tmp_path, "quiet", 120, 1, 3, 0.4)
    assert pl.read_parquet(tmp_path / "truth.parquet")["malicious"].sum() == 0


def test_scenario_json_says_what_was_drawn(demo):
    facts = json.loads((demo / "scenario.json").read_text())
    assert (facts["scenario"], facts["accounts"], facts["days"], facts["seed"]) == ("demo", 600, 7, 1)
    assert facts["requests"] == read_requests(demo).height
    assert [entry["name"] for entry in facts["world"]["campaigns"]] == ["naive", "synchronised", "pathways"]


def test_share_sets_the_campaigns_share(tmp_path):
    for share in (0.05, 0.2):
        write_world(tmp_path, "demo", 800, 1, 3, share)
        assert pl.read_parquet(tmp_path / "truth.parquet")["malicious"].mean() == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize(("scenario", "files"), [("mixed", 5), ("ladder:4,9,10", 11)])
def test_two_processes_write_the_same_bytes(tmp_path, scenario, files):
    days = files - 3 if scenario == "mixed" else files - 5
    call = f"write_world(Path(sys.argv[1]), '{scenario}', 300, {days}, 9, 0.2)"
    program = f"import sys; from pathlib import Path; from pipeline.simulate import write_world; {call}"
    for name, extra in (
        ("a", {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "POLARS_MAX_THREADS": "1"}),
        ("b", {"PYTHONHASHSEED": "2", "LANG": "de_DE.UTF-8", "OMP_NUM_THREADS": "1"}),
    ):
        subprocess.run([sys.executable, "-c", program, str(tmp_path / name)], check=True, env={**os.environ, **extra})
    first, second = file_hashes(tmp_path / "a"), file_hashes(tmp_path / "b")
    assert first == second
    assert len(first) == files


def test_another_seed_gives_other_wordings(tmp_path):
    heads = []
    for seed in (1, 2):
        write_world(tmp_path, "planted", 100, 1, seed, 0.12)
        bad = pl.read_parquet(tmp_path / "truth.parquet").filter("malicious")
        heads.append(set(read_requests(tmp_path).join(bad, on="account_id")["prompt"].str.slice(0, 200)))
    assert not heads[0] & heads[1]


def test_an_earlier_world_is_replaced_but_nothing_else(tmp_path):
    write_world(tmp_path / "w", "quiet", 60, 3, 1, 0.0)
    write_world(tmp_path / "w", "quiet", 60, 1, 1, 0.0)
    assert len(list((tmp_path / "w" / "requests").iterdir())) == 1
    (tmp_path / "mine" / "requests").mkdir(parents=True)
    with pytest.raises(UsageError, match="did not write"):
        write_world(tmp_path / "mine", "quiet", 60, 1, 1, 0.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("demoo", 600, 7, 1, 0.1), "demo"),
        (("demo", 5, 7, 1, 0.1), "40 accounts"),
        (("demo", 600, 0, 1, 0.1), "1 day"),
        (("demo", 40, 1, 1, 0.5), "innocent"),
        (("demo", 600, 1, 1, 0.9), "share"),
    ],
)
def test_impossible_worlds_are_refused(tmp_path, arguments, said):
    with pytest.raises(UsageError, match=said):
        write_world(tmp_path, *arguments)


def test_every_scenario_can_be_written(tmp_path):
    for name in (*(name for name in SCENARIOS if name != "preset"), "ladder-L3", "preset:hydra-2026"):
        write_world(tmp_path / name, name, 600, 1, 2, 0.15)
        assert read_requests(tmp_path / name).height > 400


@pytest.mark.slow
def test_twenty_thousand_rows_a_second_with_full_text(tmp_path):
    began = time.process_time()
    write_world(tmp_path, "ladder:4,6,9", 4000, 6, 5, 0.08)  # conversations and throttled requests move between accounts
    seconds = time.process_time() - began
    rows = json.loads((tmp_path / "scenario.json").read_text())["requests"]
    assert rows > 200_000
    assert rows / seconds >= 20_000
