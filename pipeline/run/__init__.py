"""A run: from logs to published tables and pages, in the order of `stages.STAGES`.

`run_night` judges one window; `run_nights` replays several in date order. Here files are listed, days kept, stages
walked, tables checked and handed to the store. Nothing here decides anything about data.

    options.py   what a run is asked for, and what comes back
    dayplan.py   which days have to be made, and from which files (pure)
    days.py      make those days' tables and keep them
    remembered.py log files as the last run saw them, so that the next need not open them
    window.py    the days of the window, and what was dropped or missing in them
    execute.py   walk STAGES over the window
    dayworkers.py small days side by side
    publish.py   final ids, tables/, run.json, pages; switch `latest`
    history.py   what other nights mean for one: which it follows, which must be judged again
    night.py     run_night and run_nights
"""

from pipeline.run.night import run_night, run_nights
from pipeline.run.options import RunOptions, RunOutcome

__all__ = ["RunOptions", "RunOutcome", "run_night", "run_nights"]
