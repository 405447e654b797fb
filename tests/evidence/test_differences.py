"""Two runs compared: every difference that was made is found, and nothing else; and causes are those of run.json."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.evidence.differences import Change, _known, causes, difference, find_runs, level
from pipeline.evidence.finished import FinishedRun
from tests.nights import EARLIER, VANISHED, with_an_earlier_night
from tests.sealing import seal


@pytest.fixture(scope="module")
def out(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_an_earlier_night(finished, tmp_path_factory.mktemp("nights") / "out")


def test_what_was_made_different_is_found(out: Path) -> None:
    found = difference(*find_runs(out, ()))
    network = FinishedRun(out).table("networks").row(0, named=True)
    moved, gone = found.changes
    assert (moved.change, moved.network_id, moved.tier_before, moved.tier) == ("tier", network["network_id"], "watch", network["tier"])
    assert (moved.accounts_before, moved.accounts, moved.joined, moved.left) == (7, 8, 1, 0)
    assert moved.bits == pytest.approx(moved.bits_before + 3, abs=1e-9)
    assert (gone.change, gone.network_id, gone.tier, gone.accounts_before, gone.accounts) == ("gone", VANISHED, None, 5, None)
    assert (found.night_before, found.night, found.run_before, found.same_count) == ("2026-05-02", "2026-05-03", EARLIER, 0)


def test_causes_are_what_run_json_says(out: Path) -> None:
    found = {(one.kind, one.what): (one.before, one.after) for one in difference(*find_runs(out, ())).causes}
    assert found["config", "networks.edge_margin_bits"] == ("5.0", "6.0")
    assert found["code", "program"][0] == "f" * 12
    assert found["versions", "polars"][0] == "1.0.0"
    assert found["data", "log files added"][1].startswith("1: date=2026-05-03/")
    assert {kind for kind, _ in found} == {"config", "code", "versions", "data"}


@pytest.mark.parametrize(
    ("bits", "weighed", "q_value", "shown"), [(0.0, True, 0.1, (0.0, 2.0)), (0.0, False, None, (None, None)), (0.0, False, 0.1, (None, 2.0)), (7.0, False, None, (7.0, 2.0))]
)
def test_what_was_not_weighed_or_tested_has_no_bits(bits: float, weighed: bool, q_value: float | None, shown: tuple[float | None, float | None]) -> None:
    row = {"network_id": "N-0123456789", "coordination_bits": bits, "extraction_bits": 2.0, "q_value": q_value}
    known = _known(row, {"N-0123456789"} if weighed else set())
    assert (known["coordination_bits"], known["extraction_bits"]) == shown


def test_turned_round_the_difference_is_the_opposite(out: Path) -> None:
    before, after = find_runs(out, ())
    there, back = difference(before, after), difference(after, before)
    assert {(one.network_id, one.tier_before, one.tier, one.joined, one.left) for one in there.changes} == {
        (one.network_id, one.tier, one.tier_before, one.left, one.joined) for one in back.changes
    }
    assert {one.change for one in back.changes} == {"tier", "new"}


def test_a_run_does_not_differ_from_itself(out: Path) -> None:
    found = difference(*find_runs(out, ("latest", "2026-05-03")))
    assert (found.changes, found.causes, found.same_count) == ((), (), 1)


def test_networks_of_two_folders_are_matched_by_their_members(out: Path, finished: Path) -> None:
    """As if two folders had given two ids to one network."""
    import polars as pl

    folder = out / "runs" / EARLIER / "tables"
    kept = {name: (folder / f"{name}.parquet").read_bytes() for name in ("networks", "members")}
    own = FinishedRun(out).table("networks")["network_id"][0]
    try:
        for name in kept:
            path = folder / f"{name}.parquet"
            pl.read_parquet(path).with_columns(pl.col("network_id").replace({own: "N-ffffffffff"})).write_parquet(path)
        seal(folder.parent)
        found = difference(*find_runs(out, ()))
        assert [(one.change, one.network_id, one.joined) for one in found.changes] == [("tier", own, 1), ("gone", VANISHED, 0)]
    finally:
        for name, data in kept.items():
            (folder / f"{name}.parquet").write_bytes(data)
        seal(folder.parent)


def test_runs_are_found_by_their_beginning_their_night_or_a_name(out: Path) -> None:
    latest = FinishedRun(out).folder
    for names, folders in {
        (): (EARLIER, latest.name),
        ("2026-05-02",): (EARLIER, latest.name),
        (EARLIER[:4], "latest"): (EARLIER, latest.name),
        ("latest", EARLIER): (latest.name, EARLIER),
        ("2026-05-03", "2026-05-02"): (latest.name, EARLIER),
    }.items():
        assert tuple(run.folder.name for run in find_runs(out, names)) == folders


@pytest.mark.parametrize(
    ("names", "said"), [(("0123456789ac",), EARLIER), (("2026-05-04",), "2026-05-03"), (("012",), "no run"), (("..", "latest"), "no run"), (("\x1b[2J",), "no run")]
)
def test_an_unknown_run_is_told_the_nearest(out: Path, names: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        find_runs(out, names)
    assert "\x1b" not in str(raised.value)


def test_one_night_alone_has_nothing_before_it(finished: Path) -> None:
    with pytest.raises(InputError, match="no run of a night before"):
        find_runs(finished, ())


def _change(change: str, before: str | None, after: str | None) -> Change:
    return Change(change, "N-1", before, after, 5, 5, 0, 0, 1.0, 1.0, 1.0, 1.0, None, None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ((), "none"),
        ((_change("moved", "watch", "watch"),), "any"),
        ((_change("grown", "refer", "refer"),), "any"),
        ((_change("tier", "watch", "explained"),), "tier"),
        ((_change("new", None, "watch"),), "tier"),
        ((_change("new", None, "refer"),), "refer"),
        ((_change("tier", "refer", "watch"), _change("moved", "watch", "watch")), "refer"),
        ((_change("gone", "refer", None),), "refer"),
    ],
)
def test_levels(changes: tuple[Change, ...], expected: str) -> None:
    assert level(changes) == expected


def test_every_input_of_a_run_is_a_cause(finished: Path) -> None:
    then = FinishedRun(finished).manifest()
    for kind, changed in {
        "data": {"recipe": then["recipe"] | {"tables": then["recipe"]["tables"] | {"accounts": None}}},
        "prior_state": {"recipe": then["recipe"] | {"tables": then["recipe"]["tables"] | {"previous_night": "2026-05-01"}}},
        "reports": {"recipe": then["recipe"] | {"tables": then["recipe"]["tables"] | {"validation": "0" * 64}}},
        "code": {"recipe": then["recipe"] | {"code": "0" * 64}},
        "versions": {"versions": then["versions"] | {"numpy": "0"}},
    }.items():
        (cause,) = causes(then, then | changed)
        assert cause.kind == kind
    context = then["recipe"] | {"context": {"bans.csv": "0" * 64}}
    (cause,) = causes(then, then | {"recipe": context})
    assert (cause.what, cause.before, cause.after) == ("context bans.csv", "none", "0" * 12)
