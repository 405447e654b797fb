"""The pages of a run, one after the other, so that only one is in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from pipeline import assets
from pipeline.config import Config
from pipeline.history import Past, no_past
from pipeline.history.report import report
from pipeline.pages.index_page import index_page
from pipeline.pages.network_page import network_page
from pipeline.pages.pieces import page_name
from pipeline.pages.render import index_bytes, members_bytes, network_bytes
from pipeline.pages.run_facts import read_manifest
from pipeline.pages.source import Source
from pipeline.pages.words import load_wording
from pipeline.pages.working.bench import Bench
from pipeline.pages.working.members import csv_name, members_csv, members_pages
from pipeline.pages.working.what_if import judged_again


def pages(
    frames: Mapping[str, pl.DataFrame],
    manifest: Mapping[str, Any],
    config: Config,
    pages_for: Collection[str] | None,
    past: Past | None,
    corrections: Mapping[str, Sequence[str]],
) -> Iterator[tuple[str, bytes]]:
    """See `pipeline.pages.build_pages`."""
    before = past or no_past(date.fromisoformat(manifest["night"]))
    health = report(manifest, before.nights, before.operations)
    source = Source(frames, read_manifest(manifest), config, load_wording(assets.reports_folder() / "wording.toml"), before, health)
    yield "index.html", index_bytes(index_page(source))
    bench = Bench(source)
    for network in source.networks:
        network_id = network["network_id"]
        if network_id in (source.paged if pages_for is None else pages_for):
            judged = judged_again(bench, network)
            yield page_name(network_id), network_bytes(replace(network_page(bench, network, judged), corrections=tuple(corrections.get(network_id, ()))))
            yield from ((name, members_bytes(page)) for name, page in members_pages(source, network))
            yield csv_name(network_id), members_csv(source, network, judged)
