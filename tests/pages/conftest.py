"""Pages of the made-up run, made once."""

from __future__ import annotations

import pytest

from pipeline.config import load_config
from pipeline.pages import build_pages
from tests.pages import fixtures


@pytest.fixture(scope="session")
def pages() -> dict[str, bytes]:
    """Every page of the made-up run by name."""
    return dict(build_pages(fixtures.frames(), fixtures.manifest(), load_config()))


@pytest.fixture(scope="session")
def empty_page() -> bytes:
    """The index of a night without a network."""
    return dict(build_pages(fixtures.empty_frames(), fixtures.manifest(counts={"rows_read": 9, "rows_kept": 9, "accounts": 3}), load_config()))["index.html"]


@pytest.fixture(scope="session")
def page_folder(pages: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory):
    """The pages on disk."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "networks").mkdir()
    for name, page in pages.items():
        (folder / name).write_bytes(page)
    return folder
