"""`rerun`: the run of a sealed bag made again from its logs in a folder of its own, and held against the hashes in the bag, file by file.

What is claimed is what was compared. Files are equal byte by byte; where program, packages or platform are others than the run's, also after floats are rounded to 1e-9, as
the contract allows there. Nights that the run rests on are replayed if the bag knows them and their logs are here; else what rests on earlier nights (network ids, lineage,
pages) is left out and named. Pages are left out, too, if they show what only the first folder held (its feedback journal, prices, canaries). Reports are never made again.
"""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pipeline.config import load_config
from pipeline.errors import IntegrityError
from pipeline.evidence import bagfiles, verify
from pipeline.evidence.comparing import Compared, Scope, compare
from pipeline.evidence.reinputs import Inputs, find_inputs, link
from pipeline.evidence.signing import holds
from pipeline.history.prices import given_prices
from pipeline.pages.error_rates import IN_OUTPUT
from pipeline.provenance import code_sha256, versions
from pipeline.run import RunOptions, RunOutcome, run_night
from pipeline.run.options import Progress

SHOWN_ON_PAGES = {
    "journal": "the feedback journal",
    "earlier_nights": "earlier nights",
    "canaries": "canary accounts",
    "operations": "operations.toml",
    "prices": "the price sheet",
    "validation": "a validation",
}
"""Hashes in run.json of what only pages show."""


@dataclass(frozen=True)
class Order:
    """What is asked for."""

    bag: Path
    inputs: Path
    accounts: Path | None
    context: Path | None
    memory_bytes: int
    threads: int


@dataclass(frozen=True)
class Rerun:
    """What came out."""

    outcome: Literal["equal", "differs"]
    run_id_then: str
    run_id: str
    nights: tuple[str, ...]
    """nights that were judged, in order"""
    input_count: int
    program: tuple[str, ...]
    """what about program, packages and platform is another than the run's; empty: nothing"""
    compared: tuple[Compared, ...]
    """every file that is expected, by path"""
    left_out: tuple[str, ...]
    """what was not compared and why, in sentences"""
    degraded: tuple[str, ...]

    def count(self, folder: str, *results: str) -> int:
        """Files of tables/ or of pages ('') with one of these results; all where none is named."""
        return sum(one.path.startswith("tables/") == bool(folder) and (not results or one.result in results) for one in self.compared)


def rerun(order: Order, progress: Progress) -> Rerun:
    """Make the run again and compare. Raises IntegrityError if the bag or an input was changed, InputError for an input that is missing, NotABagError."""
    failed = [one for one in verify.check(order.bag, holds) if not one.passed]
    if failed:
        raise IntegrityError(f"{order.bag}: this bag is not what was sealed: {failed[0].name}: {failed[0].detail}. All of it: stillhunt verify {order.bag}")
    inputs = find_inputs(order.bag, order.inputs, order.accounts, order.context)
    with tempfile.TemporaryDirectory(prefix="stillhunt-rerun-") as work:
        outcomes = _judged(order, inputs, Path(work), progress)
        return _held_against(order, inputs, outcomes)


def _judged(order: Order, inputs: Inputs, work: Path, progress: Progress) -> list[RunOutcome]:
    """Judge each night in turn, the run's own last."""
    out, bag = work / "out", order.bag
    config = load_config(bag / bagfiles.CONFIG)
    told = bagfiles.read_object(bag, bagfiles.NIGHTS)["nights"][-len(inputs.nights) :]
    context = link(inputs.context, work / "context") if inputs.context else None
    if (bag / bagfiles.VALIDATION).is_file():
        (out / IN_OUTPUT).parent.mkdir(parents=True)
        shutil.copyfile(bag / bagfiles.VALIDATION, out / IN_OUTPUT)
    outcomes = []
    for number, (night, files) in enumerate(zip(told, inputs.nights, strict=True)):
        logs = link(files, work / "logs" / str(number))
        day = date.fromisoformat(night["night"]) if night["is_night"] else None
        options = RunOptions((str(logs),), out, config, inputs.accounts, context, day, order.memory_bytes, order.threads)
        with given_prices(out, context):
            outcomes.append(run_night(options, progress))
    return outcomes


def _held_against(order: Order, inputs: Inputs, outcomes: Sequence[RunOutcome]) -> Rerun:
    then, last = bagfiles.read_object(order.bag, bagfiles.RUN), outcomes[-1]
    program = _program(order.bag, then)
    prior = bool(inputs.not_replayed)
    shown = [SHOWN_ON_PAGES[name] for name in _others(then, last.manifest, tuple(SHOWN_ON_PAGES))]
    scope = Scope(may_round=bool(program), has_prior=not prior, has_pages=not (prior or shown))
    compared = compare(order.bag, last.folder, last.manifest, scope)
    return Rerun(
        outcome="differs" if any(one.result == "differs" for one in compared) else "equal",
        run_id_then=then["run_id"],
        run_id=last.run_id,
        nights=tuple(one.night.isoformat() for one in outcomes),
        input_count=len({path for files in inputs.nights for path in files.values()}),
        program=program,
        compared=compared,
        left_out=tuple(_left_out(inputs.not_replayed, shown)),
        degraded=last.degraded,
    )


def _others(then: Mapping[str, Any], now: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    one, other = then["recipe"]["tables"], now["recipe"]["tables"]
    return [name for name in names if one.get(name) != other.get(name)]


def _left_out(not_replayed: str, shown: Sequence[str]) -> list[str]:
    found = []
    if not_replayed:
        found.append(
            f"The run rests on earlier nights that were not replayed: {not_replayed}. Tables of stages 10 to 75 were compared without network ids; lineage and its tables were not."
        )
    if not_replayed or shown:
        found.append(f"Pages were not compared: they show what is not here ({', '.join(shown or ['earlier nights'])}).")
    return [*found, "The report and its exhibits were not made again: the hashes in the bag are all that speaks for them."]


def _program(bag: Path, then: Mapping[str, Any]) -> tuple[str, ...]:
    """What computes now and did not then."""
    now, told = versions(), bagfiles.read_object(bag, f"{bagfiles.METHOD}versions.json")
    found = [
        f"{name} {then['versions'].get(name, 'absent')} then, {now.get(name, 'absent')} now"
        for name in sorted({*now, *then["versions"]})
        if now.get(name) != then["versions"].get(name)
    ]
    if then["recipe"]["code"] != code_sha256():
        found.append(f"code {then['recipe']['code'][:12]} then, {code_sha256()[:12]} now")
    here, there = f"{sys.platform}-{platform.machine()}", told["sealed_with"]["platform"]
    return (*found, *([f"platform {there} then, {here} now"] if here != there else []))
