"""Many worlds, several at a time, each in a process of its own; what is finished stays finished.

A world's result does not depend on how many are judged at once. A suite that is stopped loses only the worlds under way.
"""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import shutil
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import Config
from pipeline.errors import StillhuntError
from pipeline.provenance import judging_sha256, sha256_json, versions
from pipeline.run.options import MINIMUM_MEMORY_BYTES, Progress
from pipeline.validate.judging import Job, judge
from pipeline.validate.plans import Plan, Try
from pipeline.validate.results import Judged, load
from pipeline.validate.worlds import World


class WorldFailed(StillhuntError):
    """A world could not be judged; carries the exit code of what went wrong there."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class _Failure:
    """What a process says instead of an exception, which might not survive the way back."""

    message: str
    exit_code: int


def at_once(worlds: int, memory_bytes: int, threads: int) -> int:
    """How many worlds are judged at a time: one a thread, as far as each gets the memory that a run needs."""
    return max(1, min(threads, worlds, memory_bytes // MINIMUM_MEMORY_BYTES))


def jobs_of(worlds: Sequence[tuple[Plan | World, tuple[Try, ...]]], config: Config, folder: Path, memory_bytes: int, threads: int) -> list[Job]:
    """One job a world, with its share of memory and threads when several are judged at once."""
    parallel = at_once(len(worlds), memory_bytes, threads)
    made_by = {"config": config.as_dict(), "code": judging_sha256(), "versions": versions()}
    jobs = []
    for world, tries in worlds:
        key = sha256_json({**made_by, "world": _identity(world), "tries": [dataclasses.asdict(entry) for entry in tries]})[:16]
        jobs.append(Job(world, tries, config, key, folder / "scratch", memory_bytes // parallel, max(1, threads // parallel)))
    return jobs


def judge_all(jobs: Sequence[Job], folder: Path, parallel: int, progress: Progress) -> list[Judged]:
    """The results in the order of the jobs; `parallel` processes at most. Raises WorldFailed for the first world that could not be judged."""
    waiting = [job for job in jobs if not (folder / job.key).is_dir()]
    done = len(jobs) - len(waiting)
    progress("worlds", done, len(jobs))
    with _many(min(parallel, len(waiting))) as each:
        for key, result in each(waiting):
            if isinstance(result, _Failure):
                raise WorldFailed(result.message, result.exit_code)
            result.save(folder / key)
            done += 1
            progress(f"worlds: {result.name}", done, len(jobs))
    shutil.rmtree(jobs[0].scratch if jobs else folder / "none", ignore_errors=True)
    return [load(folder / job.key) for job in jobs]


def _identity(world: Plan | World) -> object:
    """A plan says all about its world; a given log is known by its files' names, sizes and times."""
    if isinstance(world, Plan):
        return dataclasses.asdict(world)
    places = [world.requests, *(path for path in (world.accounts, world.context, world.truth) if path)]
    files = sorted(path for place in places for path in ([place] if place.is_file() else place.rglob("*")) if path.is_file())
    return [world.name, [[str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns] for path in files]]


@contextlib.contextmanager
def _many(parallel: int) -> Iterator[Callable[[Sequence[Job]], Iterable[tuple[str, Judged | _Failure]]]]:
    """A function that judges jobs as they come: in this process for one at a time, else in `parallel` fresh ones, which end with the block."""
    if parallel <= 1:
        yield lambda jobs: ((job.key, judge(job)) for job in jobs)
        return
    with multiprocessing.get_context("spawn").Pool(parallel, initializer=_leave_signals_to_the_parent, maxtasksperchild=8) as pool:
        yield lambda jobs: pool.imap_unordered(_attempt, jobs)


def _leave_signals_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _attempt(job: Job) -> tuple[str, Judged | _Failure]:
    name = job.world.name
    try:
        return job.key, judge(job)
    except StillhuntError as error:
        return job.key, _Failure(f"world {name}: {error}", error.exit_code)
    except Exception as error:  # noqa: BLE001 (told in the parent: an exception with arguments of its own may not survive the way there)
        ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "pipeline" in Path(frame.filename).parts]
        places = ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in ours)
        return job.key, _Failure(f"world {name}: {type(error).__name__} at {places}", StillhuntError.exit_code)
