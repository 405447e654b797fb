"""Error rates: the pipeline over worlds whose truth is known, and what came of it in figures with bounds.

plans.py        the suites and tries as tables
worlds.py       where a labelled log is; the same log without some columns
truth.py        labels, read and checked
judging.py      one world through the pipeline under every try
pool.py         many worlds at a time; finished ones are kept
results.py      what judging leaves, without account ids
figures.py      one figure: value, bounds, number of independent cases
accounts.py networks.py calibration.py delay.py sensitivity.py   the figures by subject
power.py        power of the operational tests, a table of its own
report.py       validation.parquet, validation.json, validation.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.config import Config
from pipeline.run.options import Progress
from pipeline.store import open_store, storage_errors
from pipeline.validate.plans import OWN_TRIES, SUITES, Plan, Try, tries_of
from pipeline.validate.pool import at_once, jobs_of, judge_all
from pipeline.validate.report import Asked, all_figures, document, write_report
from pipeline.validate.results import together
from pipeline.validate.worlds import World, find_worlds

__all__ = ["SUITES", "Asked", "find_worlds", "validate"]


def validate(
    asked: Asked, config: Config, folder: Path, given: tuple[World, ...] | None, memory_bytes: int, threads: int, progress: Progress
) -> tuple[dict[str, Any], tuple[Path, ...]]:
    """Judge the suite's worlds, or the given ones, and write the report into `folder`; gives the document and the files.

    Raises StillhuntError; LockHeld if another suite writes there.
    """
    planned: list[tuple[Plan | World, tuple[Try, ...]]] = [(plan, tries_of(plan.tries)) for plan in SUITES[asked.suite]]
    own: list[tuple[Plan | World, tuple[Try, ...]]] = [(world, tries_of(OWN_TRIES[asked.suite])) for world in given or ()]
    jobs = jobs_of(planned if given is None else own, config, folder, memory_bytes, threads)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with open_store(folder):  # one suite at a time writes here
        results = together(judge_all(jobs, folder / "worlds", at_once(len(jobs), memory_bytes, threads), progress))
        made = document(asked, results, all_figures(asked.suite, results), config)
        return made, write_report(folder, made)
