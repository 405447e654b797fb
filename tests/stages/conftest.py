"""The planted world and what the stages make of it, built once."""

from __future__ import annotations

import pytest

from tests.stages.builders import Frames, run, world
from tests.stages.planted import PLANTED


@pytest.fixture(scope="session")
def given() -> Frames:
    """Requests, samples and records of the planted world. Read only."""
    return world(PLANTED)


@pytest.fixture(scope="session")
def tables(given: Frames) -> Frames:
    """Every table that the stages make of it. Read only."""
    return run(given)


@pytest.fixture(scope="session")
def nothing() -> Frames:
    """Every table that the stages make of a log without a row. Read only."""
    return run({})
