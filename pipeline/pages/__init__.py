"""Pages that a person reads: index.html of a night and one working page a network.

Two steps, kept apart: `build` turns the run's tables and manifest into frozen records (what is said), `render` turns records into
bytes (how it looks). Nothing here reads a clock, a path of the run, a database or the network, so equal tables give equal bytes.
jinja2, altair and vl-convert are imported when the first page is made, never when this package is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from pipeline.config import Config
    from pipeline.history import Past


def build_pages(
    frames: Mapping[str, pl.DataFrame],
    manifest: Mapping[str, Any],
    config: Config,
    *,
    pages_for: Collection[str] | None = None,
    corrections: Mapping[str, Sequence[str]] | None = None,
    past: Past | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Yield (relative POSIX name, UTF-8 HTML) for `index.html` and each `networks/<network_id>.html`, in the order of the queue.

    Groups below networks.min_accounts are no networks: the index lists them with their reasons, and they have no page of their own.


    `frames` holds the run's tables by name: networks, members, controls, network_families, network_tests, findings, evidence,
    blind_spots, lineage, links, accounts and account_days (with account_id). A missing one counts as empty, which the pages say.
    `manifest` is run.json; pipeline/pages/run_facts.py lists the keys that are read. `pages_for` makes only these networks' pages
    (the index is always made and links to all). `past` is what earlier nights and people left (pipeline/history); without it
    the folder counts as new. `corrections` gives, by network_id, the sentences in which a case took back what it said of a network.
    A network_id that is not safe as a file name raises ValueError.
    """
    from pipeline.pages.build import pages

    return pages(frames, manifest, config, pages_for, past, corrections or {})
