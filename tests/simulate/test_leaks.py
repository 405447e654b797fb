"""No single number of an account gives a mid-ladder campaign away, in whatever range of values: leaks are reported by name.

A shallow tree on one feature finds thresholds and bands alike; it is trained on half the accounts and scored on the other. A detector that does well on these worlds can
therefore not rest on one column.
"""

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from pipeline.simulate import write_world

FEATURES = {
    "requests": pl.len(),
    "active_days": pl.col("timestamp").dt.date().n_unique(),
    "hours_of_day": pl.col("timestamp").dt.hour().n_unique(),
    "median_gap": pl.col("timestamp").sort().diff().dt.total_seconds().median().fill_null(0),
    "output_mean": pl.col("output_tokens").mean(),
    "output_median": pl.col("output_tokens").median(),
    "input_median": pl.col("input_tokens").median(),
    "latency_median": pl.col("latency_ms").median(),
    "prompt_median": pl.col("prompt").str.len_chars().median(),
    "prompt_spread": pl.col("prompt").str.len_chars().std().fill_null(0),
    "prompt_lines": pl.col("prompt").str.count_matches("\n").mean(),
    "foreign_share": pl.col("prompt").str.contains("[^\x00-\x7f]").mean(),
    "distinct_prompt_share": pl.col("prompt").n_unique() / pl.len(),
    "single_turn_share": (pl.col("message_count") <= 2).mean(),
    "addresses": pl.col("client_ip").n_unique(),
    "networks": pl.col("client_asn").n_unique(),
    "agents": pl.col("user_agent").n_unique(),
    "agent_length": pl.col("user_agent").str.len_chars().mean().fill_null(0),
    "tls_stacks": pl.col("ja4").n_unique(),
    "models": pl.col("model").n_unique(),
    "new_model_share": (pl.col("model") == "quill-4-large").mean(),
    "no_session_share": pl.col("session_id").is_null().mean(),
    "requests_a_session": pl.len() / pl.col("session_id").n_unique(),
    "system_share": pl.col("system_prompt").is_not_null().mean(),
    "max_tokens": pl.col("max_tokens").fill_null(-1).median(),
    "temperature": pl.col("temperature").fill_null(-1.0).mean(),
    "stream_share": pl.col("stream").mean(),
    "error_share": (pl.col("status_code") >= 400).mean(),
    "length_finish_share": (pl.col("finish_reason") == "length").fill_null(value=False).mean(),
}
RECORDS = {
    "age": pl.col("created_at").cast(pl.Int64),
    "disposable": pl.col("email_domain_class") == "disposable",
    "prepaid": pl.col("payment_type") == "prepaid",
    "self_serve": pl.col("access_pathway") == "self_serve",
    "no_device": pl.col("device_fingerprint").is_null(),
    "status": pl.col("status") == "active",
    "domain_holders": pl.len().over("email_domain"),
}
LEAK = 0.9
MIDDLE = ("L6", "L7", "L8", "L9")


@dataclasses.dataclass(frozen=True)
class Accounts:
    rows: pl.DataFrame

    def judged(self, campaign: str) -> pl.DataFrame:
        return self.rows.filter(~pl.col("malicious") | (pl.col("truth") == f"campaign:{campaign}"))

    def ranked(self, campaign: str) -> dict[str, float]:
        """Area under the curve of each feature as a score, whichever way it points."""
        rows = self.judged(campaign)
        scores = {name: float(roc_auc_score(rows["malicious"], rows[name])) for name in (*FEATURES, *RECORDS)}
        return {name: max(value, 1.0 - value) for name, value in scores.items()}

    def banded(self, campaign: str) -> dict[str, float]:
        """The same of a tree of two levels on each feature alone, on accounts that it was not trained on."""
        rows = self.judged(campaign)
        truth = rows["malicious"].to_numpy()
        return {name: self._held_out(rows[name].cast(pl.Float64).to_numpy()[:, None], truth, 2) for name in (*FEATURES, *RECORDS)}

    def together(self, campaign: str) -> float:
        """The same of a tree of three levels on all features."""
        rows = self.judged(campaign)
        return self._held_out(rows.select(pl.col(*FEATURES, *RECORDS).cast(pl.Float64)).to_numpy(), rows["malicious"].to_numpy(), 3)

    @staticmethod
    def _held_out(values: np.ndarray, truth: np.ndarray, depth: int) -> float:
        tree = DecisionTreeClassifier(max_depth=depth, min_samples_leaf=10, class_weight="balanced", random_state=0)
        folds = StratifiedKFold(2, shuffle=True, random_state=0)
        return float(roc_auc_score(truth, cross_val_predict(tree, values, truth, cv=folds, method="predict_proba")[:, 1]))


def accounts_of(out: Path, scenario: str, accounts: int, share: float) -> Accounts:
    write_world(out, scenario, accounts, 7, 3, share)
    requests = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in sorted(out.glob("requests/*/*.parquet"))])
    records = pl.read_parquet(out / "accounts.parquet").select("account_id", **RECORDS)
    return Accounts(requests.group_by("account_id").agg(**FEATURES).join(pl.read_parquet(out / "truth.parquet"), on="account_id").join(records, on="account_id"))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Accounts:
    return accounts_of(tmp_path_factory.mktemp("mixed"), "mixed", 1600, 0.15)


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Accounts:
    return accounts_of(tmp_path_factory.mktemp("ladder"), "ladder:0,6,7,8,9,10,11", 3000, 0.12)


def leaks(scores: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in sorted(scores.items(), key=lambda entry: -entry[1]) if value >= LEAK}


@pytest.mark.parametrize("rung", ["slow", "unlinked"])
def test_no_single_feature_separates_a_careful_campaign(mixed, rung):
    assert not leaks(mixed.ranked(rung)), f"{rung} leaks"


@pytest.mark.parametrize("rung", [*MIDDLE, "L10", "L11"])
def test_no_single_feature_separates_a_rung_from_the_middle_up(ladder, rung):
    assert not leaks(ladder.ranked(rung)), f"{rung} leaks"
    assert not leaks(ladder.banded(rung)), f"{rung} leaks by a band of values"


def test_a_few_features_together_are_worth_more_than_any_alone(ladder):
    """Else the worlds would be hard for want of any signal at all."""
    for rung in MIDDLE:
        assert ladder.together(rung) > 0.6


def test_a_naive_campaign_is_plain_to_see(mixed, ladder):
    assert max(mixed.ranked("naive").values()) > 0.95
    assert max(ladder.ranked("L0").values()) > 0.95


def test_innocents_overlap_with_campaigns_in_answer_length(mixed):
    hobby, campaign = (mixed.rows.filter(pl.col("truth") == name)["output_median"] for name in ("hobby_script", "campaign:pathways"))
    assert hobby.quantile(0.1) < campaign.median() < hobby.quantile(0.9)


def test_innocents_overlap_with_campaigns_in_prompt_length(ladder):
    for rung in MIDDLE:
        theirs = ladder.rows.filter(pl.col("truth") == f"campaign:{rung}")["prompt_median"]
        ours = ladder.rows.filter(~pl.col("malicious"))["prompt_median"]
        assert ours.quantile(0.05) < theirs.median() < ours.quantile(0.95)
