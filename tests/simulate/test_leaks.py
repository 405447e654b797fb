"""No single column gives a mid-ladder campaign away: one number per account separates it from the innocent no better than AUC 0.9."""

from pathlib import Path

import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from pipeline.simulate import write_world

FEATURES = {
    "requests": pl.len(),
    "active_days": pl.col("timestamp").dt.date().n_unique(),
    "hours_of_day": pl.col("timestamp").dt.hour().n_unique(),
    "output_mean": pl.col("output_tokens").mean(),
    "output_median": pl.col("output_tokens").median(),
    "input_median": pl.col("input_tokens").median(),
    "latency_median": pl.col("latency_ms").median(),
    "prompt_median": pl.col("prompt").str.len_chars().median(),
    "prompt_spread": pl.col("prompt").str.len_chars().std().fill_null(0),
    "distinct_prompt_share": pl.col("prompt").n_unique() / pl.len(),
    "single_turn_share": (pl.col("message_count") <= 2).mean(),
    "addresses": pl.col("client_ip").n_unique(),
    "networks": pl.col("client_asn").n_unique(),
    "agents": pl.col("user_agent").n_unique(),
    "models": pl.col("model").n_unique(),
    "no_session_share": pl.col("session_id").is_null().mean(),
    "system_share": pl.col("system_prompt").is_not_null().mean(),
    "max_tokens": pl.col("max_tokens").fill_null(-1).median(),
    "temperature": pl.col("temperature").fill_null(-1.0).mean(),
    "stream_share": pl.col("stream").mean(),
    "error_share": (pl.col("status_code") >= 400).mean(),
}


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    out: Path = tmp_path_factory.mktemp("leaks")
    write_world(out, "mixed", 1600, 7, 3, 0.15)
    requests = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in sorted(out.glob("requests/*/*.parquet"))])
    accounts = pl.read_parquet(out / "accounts.parquet").select("account_id", age=pl.col("created_at").cast(pl.Int64))
    return requests.group_by("account_id").agg(**FEATURES).join(pl.read_parquet(out / "truth.parquet"), on="account_id").join(accounts, on="account_id")


def auc(features: pl.DataFrame, rung: str) -> dict[str, float]:
    judged = features.filter(~pl.col("malicious") | (pl.col("truth") == f"campaign:{rung}"))
    scores = {name: float(roc_auc_score(judged["malicious"], judged[name])) for name in (*FEATURES, "age")}
    return {name: max(value, 1.0 - value) for name, value in scores.items()}


@pytest.mark.parametrize("rung", ["slow", "unlinked"])
def test_no_single_feature_separates_a_careful_campaign(features, rung):
    leaks = {name: round(value, 3) for name, value in auc(features, rung).items() if value >= 0.9}
    assert not leaks, f"{rung} leaks through {leaks}"


def test_a_naive_campaign_is_plain_to_see(features):
    assert max(auc(features, "naive").values()) > 0.95


def test_innocents_overlap_with_campaigns_in_answer_length(features):
    hobby, campaign = (features.filter(pl.col("truth") == name)["output_median"] for name in ("hobby_script", "campaign:pathways"))
    assert hobby.quantile(0.1) < campaign.median() < hobby.quantile(0.9)
