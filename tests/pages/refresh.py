"""The golden pages: `python -m tests.pages.refresh` writes them anew into tests/golden."""

from __future__ import annotations

import functools
from pathlib import Path

from pipeline.config import load_config
from pipeline.pages import build_pages
from tests.pages import fixtures

GOLDEN = Path(__file__).parents[1] / "golden"


@functools.cache
def made() -> dict[str, bytes]:
    """The pages that have a golden copy, by its name."""
    told = fixtures.manifest(health=fixtures.health(), tiers={"refer": 1, "watch": 3, "explained": 1})
    full = dict(build_pages(fixtures.frames(12), told, load_config(), pages_for=[fixtures.REFER], past=fixtures.past()))
    empty = dict(build_pages(fixtures.empty_frames(), fixtures.manifest(degraded=["part-7.parquet was skipped: truncated"]), load_config()))
    return {"index.html": full["index.html"], "empty.html": empty["index.html"], f"{fixtures.REFER}.html": full[f"networks/{fixtures.REFER}.html"]}


if __name__ == "__main__":
    for name, page in made().items():
        (GOLDEN / name).write_bytes(page)
        print(f"tests/golden/{name}: {len(page):,} bytes")
