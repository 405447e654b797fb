"""What earlier nights and people left behind, as frozen records: read here, written elsewhere, judged by nobody.

Nothing that decides about an account or a network reads this package: tables of stages 10 to 70 are the same with and without it.
Pages and commands do. Every record follows from files below DIR, so equal folders give equal records; what of it a page shows is hashed
into the run's id (`Past.hashes`).

    journal.py   what people wrote: notes, dispositions, allow entries, revocations, erasures; checked line by line
    standing.py  what of it is in force on a night
    nights.py    the earlier nights that a run is compared with
    health.py    counts of a night's day and the days before it, and the histogram of scores: part of run.json
    bands.py     what is usual, out of earlier values: median and spread with a floor
    canaries.py  what the planted networks of the last canary night came to
    settings.py  operations.toml
    prices.py    price sheets, DIR/prices.toml among them; sheets.py reads such files strictly
    recall.py    networks of tonight that hold what a confirmed, explained network made
    past.py      all of it for one night
"""

from pipeline.history.health import health_of
from pipeline.history.past import Past, no_past, read_past

__all__ = ["Past", "health_of", "no_past", "read_past"]
