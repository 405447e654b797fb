"""The wheel works outside the checkout: sql/ and reports/ travel inside it."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from pipeline import __version__, assets

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout with the build tools of this environment (no network)."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)], check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that holds the wheel; the packages it needs are seen through a .pth file."""
    home = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    site = next((home / "lib").glob("python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    here = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    (site / "borrowed.pth").write_text(f"{here}\n")
    return home


def _run(home: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run([str(home / "bin" / "python"), *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_holds_every_asset_and_nothing_else_of_the_checkout(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("sql", "reports"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"pipeline/{path.relative_to(ROOT).as_posix()}" in names
    assert {"pipeline/default.toml", "pipeline/__main__.py", "pipeline/validation.json"} <= names
    assert {name.split("/")[0] for name in names} == {"pipeline", f"stillhunt-{__version__}.dist-info"}


def test_the_command_is_called_stillhunt(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    assert "stillhunt = pipeline.__main__:main" in archive.read(f"stillhunt-{__version__}.dist-info/entry_points.txt").decode()


def test_the_installed_package_uses_its_own_files(installed: Path, tmp_path: Path) -> None:
    code = "import pipeline, pipeline.assets as a; print(pipeline.__file__); print(a.sql_folder()); print(a.reports_folder())"
    result = _run(installed, "-c", code, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert all(str(installed) in line for line in result.stdout.splitlines())


def test_code_has_one_hash_in_a_checkout_and_in_a_wheel(installed: Path, tmp_path: Path) -> None:
    code = "from pipeline.provenance import code_sha256; print(code_sha256())"
    checkout = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert _run(installed, "-c", code, cwd=tmp_path).stdout == checkout.stdout


def test_the_installed_program_runs_a_night(installed: Path, tmp_path: Path, tiny_log: Path) -> None:
    result = _run(installed, "-m", "pipeline", "run", str(tiny_log), "--out", "out", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "latest" / "index.html").is_file()


def test_assets_that_are_nowhere_say_so() -> None:
    with pytest.raises(FileNotFoundError, match="installation is incomplete"):
        assets.folder("nonexistent")


def test_the_lock_satisfies_the_declared_ranges() -> None:
    from packaging.requirements import Requirement

    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line and not line.startswith("#")]
    lock = {name.lower().replace("_", "-"): version for name, version in (line.split("==") for line in lines)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for line in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(lock[wanted.name.lower()], prereleases=True), line
