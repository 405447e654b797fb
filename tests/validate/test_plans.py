"""The suites as data: every name means something, no two worlds are the same, and the whole is affordable."""

from __future__ import annotations

import dataclasses

import pytest

from pipeline.config import load_config
from pipeline.contract import ACCOUNT_COLUMNS, REQUEST_COLUMNS
from pipeline.simulate import PRESETS, RUNGS
from pipeline.simulate.scenarios import world_of
from pipeline.validate.plans import OWN_TRIES, SUITES, TRIES, settings_of, tries_of

EVERY_PLAN = sorted({plan for plans in SUITES.values() for plan in plans}, key=lambda plan: plan.name)
EVERY_TRY = [entry for group in TRIES.values() for entry in group]


@pytest.mark.parametrize("suite", SUITES)
def test_worlds_of_a_suite_differ_and_can_be_made(suite):
    plans = SUITES[suite]
    assert len({plan.name for plan in plans}) == len(plans)
    assert len({plan.seed for plan in plans if plan.scenario == "ladder"}) == sum(plan.scenario == "ladder" for plan in plans)
    for scenario, accounts, share in sorted({(plan.scenario, plan.accounts, plan.share) for plan in plans}):
        world_of(scenario, accounts, share)


def test_seeds_of_one_suite_are_not_those_of_another():
    quick, full = ({(plan.scenario, plan.seed) for plan in SUITES[name]} for name in ("quick", "all"))
    assert not quick & full


def test_all_rungs_and_cases_are_in_the_ladder_and_no_campaign_in_the_lookalikes():
    scenarios = {plan.scenario for plan in SUITES["ladder"]}
    assert {f"ladder-{rung}" for rung in RUNGS} | {f"preset:{case}" for case in PRESETS} | {"ladder"} == scenarios
    assert {plan.scenario for plan in SUITES["lookalike"]} == {"lookalike", "quiet"}
    assert set(SUITES["ladder"]) | set(SUITES["lookalike"]) < set(SUITES["all"])


def test_every_try_that_a_plan_names_exists_and_has_a_name_of_its_own():
    assert {name for plan in EVERY_PLAN for name in plan.tries} | {name for names in OWN_TRIES.values() for name in names} <= set(TRIES)
    for names in {plan.tries for plan in EVERY_PLAN} | set(OWN_TRIES.values()):
        tries = tries_of(names)
        assert len({entry.name for entry in tries}) == len(tries)
        assert tries[0].group == "as it is"


@pytest.mark.parametrize("entry", EVERY_TRY, ids=lambda entry: entry.name)
def test_a_try_changes_what_it_says_and_nothing_required(entry):
    config = load_config()
    changed = settings_of(config, entry)
    for section, key, value in entry.settings:
        assert getattr(getattr(changed, section), key) == value
        assert getattr(getattr(config, section), key) != value, "a try of the default would show no difference"
        (field,) = [field for field in dataclasses.fields(getattr(config, section)) if field.name == key]
        assert field.metadata["low"] <= value <= field.metadata["high"]
    for column in entry.drops:
        if column.startswith("accounts."):
            assert column == "accounts.*" or not ACCOUNT_COLUMNS[column.removeprefix("accounts.")].required
        else:
            assert not REQUEST_COLUMNS[column].required


def test_the_ablations_name_every_family_of_evidence():
    from pipeline.kinds import FAMILIES

    assert [entry.name.split(": ")[1] for entry in TRIES["families"]] == list(FAMILIES)


def test_every_family_of_columns_that_a_log_may_lack_is_left_out_once():
    names = [entry.name for entry in TRIES["columns"]]
    assert "no accounts table" in names
    assert "no columns of: infrastructure graph" in names
    assert not any("volume" in name for name in names), "time and account are required"
