"""Pages of the made-up run, made once."""

from __future__ import annotations

import pytest

from pipeline.config import load_config
from pipeline.pages import build_pages
from tests.pages import fixtures


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    """Everything that is made for the made-up run by name, lists of members too."""
    return dict(build_pages(fixtures.frames(), fixtures.manifest(), load_config()))


@pytest.fixture(scope="session")
def pages(files: dict[str, bytes]) -> dict[str, bytes]:
    """Every page of the made-up run by name."""
    return {name: page for name, page in files.items() if name.endswith(".html")}


@pytest.fixture(scope="session")
def empty_page() -> bytes:
    """The index of a night without a network."""
    return dict(build_pages(fixtures.empty_frames(), fixtures.manifest(counts={"rows_read": 9, "rows_kept": 9, "accounts": 3}), load_config()))["index.html"]


@pytest.fixture(scope="session")
def page_folder(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory):
    """The pages on disk."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "networks").mkdir()
    for name, page in files.items():
        (folder / name).write_bytes(page)
    return folder
