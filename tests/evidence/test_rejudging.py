"""whatif against the run itself: nothing changed gives the run back, one family struck out gives the run's own ablation, all of them give nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from pipeline.cli import rejudging
from pipeline.errors import UsageError
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.origins import Origins
from pipeline.evidence.rejudging import ALL_FAMILIES, what_if
from pipeline.evidence.whatif import Standing, WhatIf, WholeLog, answered
from pipeline.evidence.workings import Workings
from pipeline.stages import STAGES
from pipeline.stages.ablations import ablations

ROW = ("coordination_bits", "q_value", "best_alternative", "alternative_margin_bits", "tier", "reason")


@pytest.fixture(scope="module")
def workings(finished: Path) -> Iterator[Workings]:
    with Workings(FinishedRun(finished), Origins(finished), 2) as found:
        yield found


@pytest.fixture(scope="module")
def network(finished: Path) -> str:
    return str(FinishedRun(finished).table("networks")["network_id"][0])


def _log(found: WhatIf) -> WholeLog:
    assert found.whole_log is not None
    return found.whole_log


def test_nothing_struck_out_gives_the_run_back(workings, finished, network):
    found = what_if(workings, network, (), None)
    row = FinishedRun(finished).table("networks").row(0, named=True)
    assert found.before == Standing(**{field.name: row[field.name] for field in dataclasses.fields(Standing)})
    assert (found.after.tier, found.after.reason, found.after.account_count) == (row["tier"], row["reason"], row["account_count"])
    assert dataclasses.replace(_log(found), pieces=()) == WholeLog((), (), (), 0)
    assert found.member_pieces == 1
    assert [(piece.account_count, piece.held_count, piece.origin) for piece in _log(found).pieces] == [(8, 8, "network")]
    assert found.threshold_bits == found.run_threshold_bits


def test_the_runs_own_threshold_named_is_the_same(workings, network):
    plain = what_if(workings, network, ("settings",), None)
    assert what_if(workings, network, ("settings",), plain.run_threshold_bits) == plain


def test_what_is_struck_out_does_not_move_the_group_it_is_compared_with(workings, network):
    plain = what_if(workings, network, (), None)
    assert plain.again == plain.after
    assert what_if(workings, network, ("identity",), None).again == plain.again
    assert what_if(workings, network, (), 500.0).again == plain.again


def test_a_group_that_comes_out_another_with_nothing_changed_is_told_apart(workings, network, capsys):
    found = what_if(workings, network, ("settings",), None)
    rejudging._print(found)
    same = capsys.readouterr().out
    assert [same.count(label) for label in ("as the run has it", "put together again", "with the change")] == [1, 1, 1]
    assert "with nothing changed" not in same
    rejudging._print(dataclasses.replace(found, again=dataclasses.replace(found.again, account_count=5, coordination_bits=37.6)))
    assert "The first two lines differ with nothing changed" in capsys.readouterr().out
    rejudging._print(what_if(workings, network, (), None))
    assert "with the change" not in capsys.readouterr().out


@pytest.fixture(scope="module")
def ablated(workings):
    """Stage 67 answers only for referred networks, so it is asked with the network called one."""
    tables = workings.frames(next(stage for stage in STAGES if "network_ablations" in stage.writes).reads)
    flagged = workings.frame("networks").with_columns(pl.lit(value=True).alias("flagged"))
    return ablations({**tables, "networks": flagged}, workings.config)["network_ablations"]


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_one_family_struck_out_is_the_ablation_of_the_run(workings, network, family, ablated, finished):
    row = ablated.filter((pl.col("network_id") == network) & (pl.col("family") == family)).row(0, named=True)
    found = what_if(workings, network, (family,), None)
    run = FinishedRun(finished)
    told = answered(run, run.where("networks", network_id=network).row(0, named=True), family)
    assert told == dataclasses.replace(found, again=None, whole_log=None), "what the run answers at once is what is computed"
    assert (found.after.account_count, found.member_pieces) == (row["held_count"], row["piece_count"])
    assert {name: getattr(found.after, name) for name in ROW} == {name: row[name] for name in ROW}


def test_a_run_answers_only_what_it_was_asked(finished, network):
    run = FinishedRun(finished)
    row = run.where("networks", network_id=network).row(0, named=True)
    assert answered(run, row, "astrology") is None
    assert answered(run, row | {"network_id": "N-0000000000"}, "identity") is None


def test_families_are_struck_out_together(workings, network):
    both, back = (what_if(workings, network, order, None) for order in (("identity", "templates"), ("templates", "identity")))
    assert dataclasses.replace(both, without=()) == dataclasses.replace(back, without=())
    assert both.after.coordination_bits is None or both.after.coordination_bits <= both.before.coordination_bits


def test_without_any_family_nothing_is_left(workings, network):
    found = what_if(workings, network, ALL_FAMILIES, None)
    assert (found.after.tier, found.after.reason, found.after.account_count, found.member_pieces) == ("watch", "falls_apart", 0, 0)
    assert len(_log(found).lost) == 8
    assert _log(found).pieces == ()


def test_an_edge_that_no_pair_reaches_leaves_nothing_that_links_made(workings, network):
    found = what_if(workings, network, (), 500.0)
    assert (found.threshold_bits, found.after.reason, found.after.account_count) == (500.0, "falls_apart", 0)
    assert all(piece.origin != "network" for piece in _log(found).pieces)


def test_a_lower_edge_loses_nobody(workings, network):
    found = what_if(workings, network, (), 1.0)
    assert _log(found).lost == ()
    assert _log(found).pieces[0].held_count == 8


def test_an_unknown_family_is_refused(workings, network):
    with pytest.raises(UsageError, match="'astrology' is no family"):
        what_if(workings, network, ("astrology",), None)


@pytest.mark.parametrize("origin", ["small", "one_fact", "vouched"])
def test_a_group_that_links_did_not_make_has_nothing_to_strike_out(workings, network, origin, monkeypatch):
    clusters = workings.frame("clusters").with_columns(pl.lit(origin).alias("origin"))
    whole = Workings.frame
    monkeypatch.setattr(Workings, "frame", lambda self, name: clusters if name == "clusters" else whole(self, name))
    with pytest.raises(UsageError, match="nothing to strike out"):
        what_if(workings, network, (), None)
