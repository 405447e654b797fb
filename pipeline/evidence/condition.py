"""Whether this machine and an output folder are fit for a run: what is there, what is missing, and the line to type.

Looks and writes nothing, but for the self-tests of the engine and of the compiled measures, which stay in memory. `missing`: a run cannot be made;
`note`: it can, but something is other than recommended, or a part that not everybody needs is absent.
"""

from __future__ import annotations

import ctypes.util
import fcntl
import importlib.metadata
import locale
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline.assets import reports_folder, sql_folder
from pipeline.errors import StillhuntError
from pipeline.provenance import COMPUTING_PACKAGES
from pipeline.store import read_json

Status = Literal["ok", "note", "missing"]
LEAST_PYTHON = (3, 11)
LEAST_MEMORY, USUAL_MEMORY = 1_000_000_000, 4_000_000_000
LEAST_DISK, USUAL_DISK = 1_000_000_000, 10_000_000_000
"""A log of ten million requests needs about 6 GB of days and runs."""
NEEDED_PACKAGES = (*COMPUTING_PACKAGES, "rich", "threadpoolctl", "typer")
LOCK_FILE = "requirements.lock"
_KERNEL_LOCKS = Path("/proc/locks")
KNOWN_KEY = 8510574978206822455
"""Fingerprint of the text `stillhunt` in the namespace `ip`, on every platform."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    what: str
    status: Status
    found: str
    to_do: str
    """the line to type or what else to do; '' if nothing"""


def checks(out: Path, threads: int) -> Iterator[Check]:
    """Everything, in the order in which one would mend it. In: the output folder, and the processors that this process may use."""
    yield _python()
    yield _self_test("installation", _whole, "pip install --force-reinstall stillhunt")
    yield _packages()
    yield _self_test("engine", _engine_answers, "pip install --force-reinstall duckdb polars pyarrow")
    yield _compiled()
    yield Check("processors", "ok", f"{threads} usable of {os.cpu_count()}", "")
    yield _memory()
    yield _disk(out)
    yield _text()
    yield _program("pages as PDF", _has_pango(), "apt-get install -y libpango-1.0-0 libpangoft2-1.0-0")
    yield _program("browser for tests of pages", any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")), "apt-get install -y chromium")
    yield _lock(out)
    yield _last_run(out)


def _python() -> Check:
    version = platform.python_version()
    wanted = ".".join(map(str, LEAST_PYTHON))
    return Check("Python", "ok", version, "") if sys.version_info >= LEAST_PYTHON else Check("Python", "missing", version, f"install Python {wanted} or newer")


def _whole() -> str:
    """Raises FileNotFoundError if a part of the program is not there."""
    return f"queries and templates are there ({sql_folder().name}/, {reports_folder().name}/)"


def _packages() -> Check:
    """Every package that a run needs, at the version with which the gates were run."""
    found = {name: _version(name) for name in NEEDED_PACKAGES}
    absent = sorted(name for name, version in found.items() if version is None)
    if absent:
        return Check("packages", "missing", f"absent: {', '.join(absent)}", f"pip install {' '.join(absent)}")
    locked = _locked()
    other = sorted(f"{name} {found[name]} (lock: {locked[_plain(name)]})" for name in found if _plain(name) in locked and locked[_plain(name)] != found[name])
    if other:
        return Check("packages", "note", f"not the versions that were tested: {', '.join(other)}", f"pip install --constraint {LOCK_FILE} --upgrade stillhunt")
    return Check("packages", "ok", f"{len(found)} there" + (", at the versions of the lock file" if locked else ""), "")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _locked() -> dict[str, str]:
    """Version by plain name, as the lock file of a checkout says; an installed wheel carries none."""
    try:
        path = sql_folder().parent / LOCK_FILE
    except FileNotFoundError:
        return {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    pairs = (line.split("==", 1) for line in lines if "==" in line and not line.startswith("#"))
    return {_plain(name.strip()): version.strip() for name, version in pairs}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _self_test(what: str, action: Callable[[], str], to_do: str) -> Check:
    try:
        return Check(what, "ok", action(), "")
    except Exception as error:  # noqa: BLE001 (whatever a broken library throws, it is the finding)
        return Check(what, "missing", f"does not work: {type(error).__name__}", to_do)


def _engine_answers() -> str:
    from pipeline.engines.locked import ask

    answer = ask("SELECT sum(range) AS total FROM range(5)", {}, {}, 1, 10.0, 1)
    if [int(row[0]) for row in answer.rows] != [10]:
        raise ArithmeticError
    return "answers"


def _compiled() -> Check:
    """Fingerprints compiled and in numpy are equal on every machine; without the compiler they only cost more."""
    found = _self_test("compiled measures", _fingerprint, "pip install --force-reinstall numba numpy")
    if found.status == "ok" and "numpy" in found.found:
        return Check(found.what, "note", found.found, "pip install numba   (or unset STILLHUNT_NO_NUMBA)")
    return found


def _fingerprint() -> str:
    import pyarrow as pa

    from pipeline.measures import fingerprints as fp
    from pipeline.measures.backends import is_compiled

    if int(fp.value_keys(fp.spans_of(pa.array(["stillhunt"])), "ip")[0]) != KNOWN_KEY:
        raise ArithmeticError
    return "numba works" if is_compiled() else "numba is absent or switched off; numpy gives the same, slower"


def _memory() -> Check:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    total = min([total, *_group_limit()])
    free = min(_available() or total, total)
    text = f"{_gigabytes(free)} free of {_gigabytes(total)}"
    if free < LEAST_MEMORY:
        return Check("memory", "missing", text, f"free {_gigabytes(LEAST_MEMORY)}: every run needs it")
    if free < USUAL_MEMORY:
        return Check("memory", "note", text, f"stillhunt run LOGS --memory {free // 10**8 / 10:g}GB")
    return Check("memory", "ok", text, "")


def _available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return None


def _group_limit() -> list[int]:
    """The limit of a container, if there is one."""
    try:
        text = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return []
    return [int(text)] if text.isdigit() else []


def _disk(out: Path) -> Check:
    place = next(path for path in (out, *out.parents) if path.exists())
    free = shutil.disk_usage(place).free
    text = f"{_gigabytes(free)} free at {place}"
    if not place.is_dir():
        return Check("output folder", "missing", f"{place} is a file", "stillhunt run LOGS --out DIR   (a folder)")
    if not os.access(place, os.W_OK):
        return Check("output folder", "missing", f"{place} cannot be written", "stillhunt run LOGS --out DIR   (a folder of yours)")
    if free < LEAST_DISK:
        return Check("output folder", "missing", text, "free space, or choose another --out")
    return Check("output folder", "ok" if free >= USUAL_DISK else "note", text, "" if free >= USUAL_DISK else "ten million requests need about 6 GB below --out")


def _text() -> Check:
    """How text leaves for a terminal: names and marks outside ASCII need UTF-8."""
    found = locale.getencoding()
    good = sys.flags.utf8_mode or found.lower().replace("-", "") == "utf8"
    return Check("locale", "ok" if good else "note", found, "" if good else "export PYTHONUTF8=1")


def _has_pango() -> bool:
    return _version("weasyprint") is not None and ctypes.util.find_library("pango-1.0") is not None


def _program(what: str, is_there: object, to_do: str) -> Check:
    return Check(what, "ok", "there", "") if is_there else Check(what, "note", "absent; a run does not need it", to_do)


def _lock(out: Path) -> Check:
    """Whether a run is writing to the folder now."""
    path = out / ".lock"
    if not path.is_file():
        return Check("lock", "ok", "no run yet in this folder", "")
    if _is_held(path):
        holder = path.read_text(encoding="ascii", errors="replace").strip() or "unknown"
        return Check("lock", "note", f"process {holder} is writing to this folder", "wait for it; reading commands work meanwhile")
    return Check("lock", "ok", "free", "")


def _is_held(path: Path) -> bool:
    """By the kernel's list of locks, which disturbs nobody; where there is none, the lock is asked for and given back at once."""
    with path.open("rb") as handle:
        try:
            lines = _KERNEL_LOCKS.read_text(encoding="ascii").splitlines()
            return any(" FLOCK " in line and f":{os.fstat(handle.fileno()).st_ino} " in line for line in lines)
        except OSError:
            pass
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _last_run(out: Path) -> Check:
    path = out / "latest" / "run.json"
    if not path.is_file():
        return Check("last run", "note", f"none in {out}", f"stillhunt demo --out {out}")
    try:
        run: dict[str, Any] = read_json(path)
        lost = [name for name in run["tables"] if not (path.parent / "tables" / f"{name}.parquet").is_file()]
        days = [day for day in run["days"] if not (out / "days" / f"date={day}").is_dir()]
        tiers = ", ".join(f"{count} {tier}" for tier, count in sorted(run["tiers"].items())) or "no network"
        text = f"{run['run_id']}, night {run['night']}: {tiers}"
    except (StillhuntError, OSError, KeyError, TypeError, AttributeError):
        return Check("last run", "missing", f"{path} cannot be read", "restore it, or run again with another --out")
    if lost:
        return Check("last run", "missing", f"{text}; tables gone: {', '.join(sorted(lost)[:5])}", "restore them, or run again with another --out")
    if days:
        return Check("last run", "note", f"{text}; days no longer kept: {len(days)}", "stillhunt run LOGS   (over the same logs, if whatif, test or query ask for them)")
    if run["degraded"]:
        return Check("last run", "note", f"{text}; not all ran: {'; '.join(run['degraded'])}", "stillhunt check LOGS")
    return Check("last run", "ok", text, "")


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"
