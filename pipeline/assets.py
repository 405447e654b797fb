"""Where sql/ and reports/ are: beside the package in a checkout, inside it in an installed wheel.

A checkout is recognised by its pyproject.toml, so a stray folder called `sql` in site-packages is never taken for ours.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder `sql` or `reports`. Raises FileNotFoundError when neither place has it (a broken installation)."""
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    if (_PACKAGE / name).is_dir():
        return _PACKAGE / name
    raise FileNotFoundError(f"{name}/ is neither beside nor inside {_PACKAGE}: the installation is incomplete")


def sql_folder() -> Path:
    """The SQL of the stages."""
    return folder("sql")


def reports_folder() -> Path:
    """Templates, style, fonts and wording of the pages."""
    return folder("reports")
