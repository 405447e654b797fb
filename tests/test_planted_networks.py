"""End to end on worlds with known truth: campaigns are found whole, and no innocent account is accused.

The worlds are the simulator's; the pipeline sees the log and the accounts table, never the truth.
"""

import dataclasses
import json
from pathlib import Path

import polars as pl
import pytest

from pipeline.config import load_config
from pipeline.run import RunOptions, run_night
from pipeline.simulate import write_world

SAMPLES = Path(__file__).parent.parent / "data_samples"
FOUND_WHOLE = 0.9  # members in common over members of either
CAMPAIGNS = ("campaign:naive", "campaign:synchronised", "campaign:pathways")


@dataclasses.dataclass(frozen=True)
class Judged:
    """One world's truth with what the run said of each account that sent a request."""

    accounts: pl.DataFrame  # account_id, truth, network (true), malicious, network_id (found), flagged
    networks: pl.DataFrame

    def accused(self) -> pl.DataFrame:
        return self.accounts.filter("flagged")

    def best_overlap(self, campaign: str) -> float:
        """The largest overlap of a flagged network with the campaign: members of both over members of either."""
        true = set(self.accounts.filter(pl.col("network") == campaign)["account_id"])
        found = [set(part["account_id"]) for _, part in self.accused().group_by("network_id")]
        return max((len(true & members) / len(true | members) for members in found), default=0.0)


def judge(world: Path, out: Path) -> Judged:
    outcome = run_night(
        RunOptions(logs=(str(world / "requests"),), out=out, config=load_config(), accounts=world / "accounts.parquet", threads=2), lambda _what, _done, _total: None
    )
    assert outcome.degraded == ()
    tables = outcome.folder / "tables"
    networks = pl.read_parquet(tables / "networks.parquet")
    found = pl.read_parquet(tables / "members.parquet").select("account_id", "network_id").join(networks.select("network_id", "flagged"), on="network_id")
    truth = pl.read_parquet(world / "truth.parquet").filter("active")
    return Judged(truth.join(found, on="account_id", how="left").with_columns(pl.col("flagged").fill_null(value=False)), networks)


def make(tmp_path_factory: pytest.TempPathFactory, scenario: str, accounts: int, seed: int, share: float) -> Judged:
    world = tmp_path_factory.mktemp(f"{scenario}{seed}")
    write_world(world, scenario, accounts, 7, seed, share)
    return judge(world, world / "out")


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.slow)], ids=["seed1", "seed2"])
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return make(tmp_path_factory, "demo", 600, request.param, 0.08)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return make(tmp_path_factory, "quiet", 500, 3, 0.0)


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_every_campaign_is_found_whole(demo, campaign):
    assert demo.best_overlap(campaign) >= FOUND_WHOLE


def test_no_innocent_account_is_accused(demo):
    wrongly = demo.accused().filter(~pl.col("malicious"))
    assert wrongly.height == 0, wrongly.group_by("truth").len().to_dicts()


def test_two_campaigns_are_never_one_network(demo):
    mixed = demo.accused().group_by("network_id").agg(pl.col("network").n_unique())
    assert mixed["network"].max() == 1


def test_a_network_is_flagged_exactly_when_it_is_referred(demo):
    assert (demo.networks["flagged"] == (demo.networks["tier"] == "refer")).all()
    assert set(demo.networks["tier"]) <= {"refer", "watch", "explained"}


def test_a_quiet_week_refers_nothing(quiet):
    assert not quiet.networks["flagged"].any(), quiet.accused().group_by("truth").len().to_dicts()


def run_sample(name: str, out: Path) -> Path:
    options = RunOptions(logs=(str(SAMPLES / f"{name}.parquet"),), out=out, config=load_config(), accounts=SAMPLES / f"{name}.accounts.parquet")
    return run_night(options, lambda _what, _done, _total: None).folder / "tables"


def test_the_sample_with_a_planted_network_refers_it_and_nothing_else(tmp_path):
    tables = run_sample("planted_network", tmp_path)
    referred = pl.read_parquet(tables / "networks.parquet").filter("flagged")
    members = pl.read_parquet(tables / "members.parquet").join(referred, on="network_id", how="semi")
    (planted,) = json.loads((SAMPLES / "planted_network.truth.json").read_text())["campaigns"].values()
    assert referred.height == 1
    assert sorted(members["account_id"]) == sorted(planted)


def test_the_quiet_sample_refers_nothing(tmp_path):
    assert not pl.read_parquet(run_sample("quiet_night", tmp_path) / "networks.parquet")["flagged"].any()


@pytest.mark.parametrize(
    ("scenario", "seed"), [("ladder-L2", 6), pytest.param("ladder-L5", 7, marks=pytest.mark.slow)], ids=["device and address", "wording and a rewritten client"]
)
def test_a_network_of_a_third_of_the_log_does_not_make_its_own_facts_look_common(scenario, seed, tmp_path_factory):
    judged = make(tmp_path_factory, scenario, 600, seed, 0.3)
    (campaign,) = judged.accounts.filter("malicious")["network"].unique()
    assert judged.best_overlap(campaign) >= FOUND_WHOLE
    assert judged.accused()["malicious"].all()
