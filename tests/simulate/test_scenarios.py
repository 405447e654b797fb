"""Named worlds: the ladder climbs one tactic at a time, public cases keep their published numbers, and a wrong name says the right one."""

import dataclasses
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import UsageError
from pipeline.simulate import EVERYONE, PRESETS, RUNGS, SCENARIOS, STEPS, compose, innocents, world_of, write_dials, write_world
from pipeline.simulate.lookalikes import LOOKALIKES
from tests.conftest import ROOT

CHEAP_ALIKE = {"prompt", "input_tokens"}


def requests_of(world: Path) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in sorted(world.glob("requests/*/*.parquet"))])


def dials_of(campaign: object) -> dict[str, object]:
    return {name: value for name, value in dataclasses.asdict(campaign).items() if name != "name"}


def test_there_are_twelve_rungs_in_order():
    assert list(RUNGS) == [f"L{number}" for number in range(12)] == [step.name for step in STEPS]
    assert [campaign.name for campaign in RUNGS.values()] == list(RUNGS)


def test_each_rung_is_the_one_before_with_its_own_dials_turned():
    for (before, after), step in zip(zip(list(RUNGS.values())[:-1], list(RUNGS.values())[1:], strict=True), STEPS[1:], strict=True):
        old, new = dials_of(before), dials_of(after)
        assert {name for name in new if new[name] != old[name]} == {name for name, _ in step.turned}, step.name
        assert all(new[name] == value for name, value in step.turned)
        assert len(step.turned) <= 4 or step.name == "L11"


def test_the_last_rung_shares_nothing():
    last = RUNGS["L11"]
    assert (last.payment_group, last.device_group, last.template, last.handoff, last.failover, last.ban_days) == (1, 1, "none", 0.0, False, ())


@pytest.mark.parametrize("case", PRESETS.values(), ids=list(PRESETS))
def test_a_public_case_keeps_its_published_numbers(case):
    published, campaign = case.published, case.campaign
    if published.per_account_day is not None:
        assert campaign.requests_per_account_day == published.per_account_day
    if published.accounts is not None:
        serving = round(campaign.accounts * (1 - campaign.spare_share))
        assert published.accounts in (campaign.accounts, serving)
    if published.exchanges and published.accounts and published.days and published.per_account_day and campaign.spare_share == 0:
        assert published.exchanges / published.accounts / published.days == pytest.approx(published.per_account_day, rel=0.03)


def test_a_scaled_case_keeps_what_an_account_does_in_a_day(tmp_path):
    write_world(tmp_path, "preset:replay-2026", 1000, 6, 5, 0.06)
    bad = pl.read_parquet(tmp_path / "truth.parquet").filter("malicious")
    assert bad.height == 60
    assert json.loads((tmp_path / "scenario.json").read_text())["published"]["accounts"] == 1500
    rate = requests_of(tmp_path).join(bad, on="account_id").height / 60 / 6
    assert rate == pytest.approx(13.0 * 0.95, rel=0.25)  # 0.95: chance that an account is used on a day


def test_a_small_case_is_never_larger_than_it_was():
    world = world_of("preset:relay-of-six", 2000, 0.05)
    assert world.campaigns[0].accounts == 6
    assert sum(population.size for population in world.populations) == 2000


def test_one_rung_has_many_names():
    worlds = [world_of(name, 600, 0.03) for name in ("ladder-L3", "rung:3", "ladder:3", "ladder-3", "rung:L3")]
    assert all(world == worlds[0] for world in worlds)
    assert [campaign.name for campaign in worlds[0].campaigns] == ["L3"]
    assert [campaign.name for campaign in world_of("ladder:0,4,9", 600, 0.06).campaigns] == ["L0", "L4", "L9"]
    assert [campaign.name for campaign in world_of("ladder", 1500, 0.06).campaigns] == list(RUNGS)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("laddr", "ladder"), ("ladder-L12", "ladder-L"), ("rung:99", "ladder-"), ("lookalikes", "lookalike"), ("preset:replay", "preset:replay-2026"), ("ladder:3,3", "ladder")],
)
def test_a_wrong_name_is_answered_with_the_nearest(wrong, right):
    with pytest.raises(UsageError, match=f"Did you mean '{right}"):
        world_of(wrong, 600, 0.05)


@pytest.mark.parametrize("share", [0.003, 0.02, 0.06])
def test_a_share_from_three_in_a_thousand_is_met(tmp_path, share):
    write_world(tmp_path, "ladder-L6", 3000, 1, 5, share)
    truth = pl.read_parquet(tmp_path / "truth.parquet")
    assert truth.height == 3000
    assert truth["malicious"].sum() == round(3000 * share)
    assert set(truth.filter("malicious")["rung"]) == {"L6"}
    assert truth.filter(~pl.col("malicious"))["rung"].null_count() == round(3000 * (1 - share))


def test_the_innocent_of_a_ladder_world_are_the_same_on_every_rung(tmp_path):
    """So that recall may be compared between rungs: only the campaign differs."""
    drawn = []
    for rung in ("ladder-L1", "ladder-L7"):
        write_world(tmp_path / rung, rung, 500, 1, 5, 0.04)
        truth = pl.read_parquet(tmp_path / rung / "truth.parquet").filter(~pl.col("malicious"))
        drawn.append(requests_of(tmp_path / rung).join(truth, on="account_id", how="semi").sort("request_id"))
    assert drawn[0].equals(drawn[1], null_equal=True)


def test_new_scenarios_use_the_full_population_and_old_ones_theirs():
    assert len(world_of("lookalike", 600, 0.0).populations) == len(EVERYONE)
    assert {population.name for population in world_of("quiet", 600, 0.0).populations} < {entry.population.name for entry in EVERYONE}
    assert all(scenario in SCENARIOS for scenario in ("quiet", "demo", "planted", "mixed", "ladder", "lookalike", "preset"))


def test_cheap_text_changes_the_text_only(tmp_path):
    for text in ("full", "cheap"):
        write_world(tmp_path / text, "ladder-L6", 300, 1, 5, 0.05, text)
        assert json.loads((tmp_path / text / "scenario.json").read_text())["text"] == text
    full, cheap = requests_of(tmp_path / "full"), requests_of(tmp_path / "cheap")
    assert {name for name in full.columns if not full[name].equals(cheap[name], null_equal=True)} == CHEAP_ALIKE
    assert cheap["prompt"].n_unique() <= 4096
    with pytest.raises(UsageError, match="full, cheap"):
        write_world(tmp_path / "other", "quiet", 60, 1, 5, 0.0, "none")


def test_the_truth_stays_out_of_what_a_run_reads(tmp_path):
    write_world(tmp_path, "ladder:3,9", 400, 6, 5, 0.06)
    spelled = ("campaign", "hackathon", "malicious", "L9")
    read = requests_of(tmp_path).drop("prompt", "system_prompt"), pl.read_parquet(tmp_path / "accounts.parquet")
    for table in read:
        for name, kind in table.schema.items():
            assert name not in ("truth", "network", "malicious", "rung")
            if kind == pl.String:
                assert not any(word in value for value in table[name].drop_nulls().unique() for word in spelled), name


def test_a_world_without_releases_and_bans_has_no_context(tmp_path):
    write_world(tmp_path / "w", "ladder-L9", 300, 6, 5, 0.05)
    assert {path.name for path in (tmp_path / "w" / "context").iterdir()} == {"releases.csv", "bans.csv"}
    write_world(tmp_path / "w", "ladder-L9", 300, 2, 5, 0.05)  # ends before the wave
    assert {path.name for path in (tmp_path / "w" / "context").iterdir()} == {"releases.csv"}
    assert "banned" not in set(pl.read_parquet(tmp_path / "w" / "accounts.parquet")["status"])
    write_dials(tmp_path / "w", compose(innocents(60), ()), 1, 5, {})
    assert not (tmp_path / "w" / "context").exists()


def readme_rungs() -> dict[str, tuple[str, set[str]]]:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| L")]
    return {name: (tactic, {dial.split(":")[0].strip() for dial in dials.split(";")}) for name, tactic, dials in rows}


def test_the_readme_tells_the_ladder_as_it_is():
    told = readme_rungs()
    assert list(told) == list(RUNGS)
    for step in STEPS:
        tactic, dials = told[step.name]
        assert (tactic, dials) == (step.tactic, {dial for dial, _ in step.turned} or {"the ground"})


def test_the_readme_names_every_scenario_case_and_look_alike():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in (*SCENARIOS, *PRESETS, *(entry.population.name for entry in LOOKALIKES)):
        assert name in text, name


def test_the_command_writes_a_rung_and_names_the_context(program, tmp_path):
    done = program("simulate", tmp_path / "w", "--scenario", "rung:6", "--accounts", 300, "--days", 1, "--seed", 4, "--share", 0.05, "--text", "cheap")
    assert done.returncode == 0, done.stderr
    assert f"--context {tmp_path / 'w' / 'context'}" in done.stderr
    assert program("check", tmp_path / "w" / "requests").returncode == 0
    assert program("simulate", tmp_path / "x", "--scenario", "rung:66", "--seed", 4).returncode == 2
    assert program("simulate", tmp_path / "x", "--text", "terse", "--seed", 4).returncode == 2
    assert not (tmp_path / "x").exists()


PROGRAM = "import sys; from pathlib import Path; from pipeline.simulate import write_world; write_world(Path(sys.argv[1]), 'ladder', 12000, int(sys.argv[2]), 5, 0.05, 'cheap')"


@pytest.mark.slow
def test_memory_does_not_grow_with_days(tmp_path):
    """The highest resident memory of any process so far that this one waited for; the short world comes first."""
    peaks = []
    for days in (2, 10):
        subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path / str(days)), str(days)], check=True)
        peaks.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
    rows = json.loads((tmp_path / "10" / "scenario.json").read_text())["requests"]
    assert rows > 1_200_000
    assert peaks[1] <= 1.15 * peaks[0]
    a_day = rows / 10
    assert peaks[1] < 400_000_000 + 900 * a_day  # so 100 million rows over 28 days stay under 4 GB


@pytest.mark.slow
def test_a_hundred_thousand_rows_a_second_with_cheap_text(tmp_path):
    began = time.process_time()
    write_world(tmp_path, "lookalike", 16_000, 8, 5, 0.0, "cheap")
    seconds = time.process_time() - began
    assert json.loads((tmp_path / "scenario.json").read_text())["requests"] / seconds >= 100_000
