"""The made run, its record and its report, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.pages.incident import render_incident
from pipeline.pages.incident.records import Incident
from tests.incident.made_case import SMALL, incident, write_context, write_validation
from tests.incident.made_run import make_run


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DIR with the small made run and a validation. Read only."""
    out = make_run(tmp_path_factory.mktemp("made") / "out", SMALL)
    write_validation(out)
    return out


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The context folder of the small made run. Read only."""
    return write_context(tmp_path_factory.mktemp("context"), SMALL)


@pytest.fixture(scope="session")
def record(made: Path, context: Path) -> Incident:
    """The record for counsel, with everything given."""
    return incident(made, context=context)


@pytest.fixture(scope="session")
def page(record: Incident) -> str:
    """Its report."""
    return render_incident(record)
