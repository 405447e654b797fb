"""A case with two sealed bags, made once: small documents in place of the reports, everything else for real."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipeline.evidence.building import Order, build
from pipeline.evidence.bundle import Sealing, seal
from pipeline.evidence.casefile import CaseFolder
from pipeline.evidence.facts import outside_fact
from pipeline.evidence.finished import FinishedRun
from tests.evidence.standin import stand_in

CASE, TODAY = "CASE-1", date(2026, 6, 1)
SECRET = "Ring 203.0.113.77 or mail ann@host.example about pool-003"


@pytest.fixture(scope="session")
def built(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An output folder with a case, a fact that names an account and an address, and the reports of two profiles. Read only."""
    home = tmp_path_factory.mktemp("built")
    shutil.copytree(finished, home / "out", symlinks=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STILLHUNT_KEYS", str(home / "keys"))
        network = str(FinishedRun(home / "out").where("networks", tier="refer")["network_id"][0])
        build(home / "out", Order(CASE, (network,), "internal", author="Ann"), stand_in)
        folder = CaseFolder(home / "out", CASE)
        fact = outside_fact({"rung": "L4", "grade": "B2", "source": "a letter", "text": SECRET, "by": "Ann"}, TODAY)
        with folder.locked():
            folder.change(folder.load(), "Ann", "add-fact", {"text": SECRET}, facts=(fact,))
        for profile in ("internal", "public"):
            build(home / "out", Order(CASE, (), profile), stand_in)
        yield home / "out"


@pytest.fixture(scope="session")
def sealed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The bag of each profile, unsigned. Read only."""
    out = tmp_path_factory.mktemp("sealed") / "out"
    shutil.copytree(built, out, symlinks=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STILLHUNT_KEYS", str(built.parent / "keys"))
        bags = seal(out, Sealing(CASE, None, by="", key_file=None, despite_lint=False, today=TODAY))
    return {one.profile: one.path for one in bags}


@pytest.fixture
def out(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder with the built reports."""
    monkeypatch.setenv("STILLHUNT_KEYS", str(built.parent / "keys"))
    shutil.copytree(built, tmp_path / "out", symlinks=True)
    return tmp_path / "out"
