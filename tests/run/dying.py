"""A run in a process of its own that dies by SIGKILL at a named step: python dying.py STEP FOLDER WINDOW DAY.

A step is `ingested`, `day kept`, `laid out`, `published`, `spoken for` or `pointed to` (the program has just done it), or the label of a stage.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.run import days, execute, night
from pipeline.store import Store
from tests.run.diary import Diary

STEPS = {
    "ingested": (days, "ingest_days"),
    "day kept": (Store, "keep_day"),
    "laid out": (night, "lay_out"),
    "published": (Store, "replace_folder"),
    "spoken for": (Store, "speak"),
    "pointed to": (Store, "point_to"),
}


def _die_after(owner: Any, name: str, is_step: Callable[..., bool] = lambda *_arguments: True) -> None:
    """Let a function kill the process when it is done."""
    done = getattr(owner, name)

    def last(*arguments: Any, **rest: Any) -> Any:
        found = done(*arguments, **rest)
        if is_step(*arguments):
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    setattr(owner, name, last)


def main(step: str, folder: str, window: str, day: str) -> None:
    """Run one night and die at the step."""
    if step == "published":
        _die_after(Store, "replace_folder", lambda store, _source, target: target.parent == store.runs)
    elif step in STEPS:
        _die_after(*STEPS[step])
    else:
        _die_after(execute.Bench, "_run", lambda _bench, stage, _params: stage.label == step)
    Diary(Path(folder), int(window)).run(int(day))


if __name__ == "__main__":
    main(*sys.argv[1:])
