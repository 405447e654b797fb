"""A string that stands nowhere else is planted in every field of a log, its accounts table and its context; then every byte of every release is searched.

Outside internal no identifier, address, content or hash of the log may be found, in the page, its drawings, the CSV and JSON beside it, the PDF (every stream
of it, its text and what it says about itself) and what the command printed. Internal shows ids and addresses; content of prompts shows nowhere.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pypdf
import pytest

from pipeline.cli import start
from pipeline.contract import ACCOUNT_COLUMNS, REQUEST_COLUMNS
from pipeline.evidence.finished import FinishedRun
from pipeline.redaction import PROFILES
from tests.conftest import run_program
from tests.logs import INNOCENT, PLANTED, START, _innocent, _planted, write_rows

OUTSIDE = PROFILES[1:]
MARK, CASE = "zuq", "CANARY-1"
"""The mark has a letter that no pseudonym has: `ACCT-ZQEF-1B5W` was once dealt by chance and taken for a leak."""
NOT_OURS = {"request_id", "timestamp", "account_id", "model", "prompt", "client_ip"}
CONTENT = {"prompt", *(column.name for column in REQUEST_COLUMNS.values() if column.privacy == "C")}
_ELSE = rb"|pool-\d{3}|person-\d{3}|(?<![\d.])(?:203\.0\.113|198\.51\.100|10\.\d{1,3}\.0)\.(?!0/)\d{1,3}(?!\d|/24)|hunter2|41111111|4155550"
PRIVATE = re.compile(rb"(?i)zuq[a-z0-9_-]{4,}" + _ELSE)
PACKED = re.compile(rb"zuq[a-z_]{6,}" + _ELSE)
"""For the packed bytes of a PDF, in which two letters stand by chance; its streams are searched unpacked."""
NAME = "ask Dr. Zuqname Zuqsurname "
"""An author may name a person in a fact; of a log nobody is named."""
SECRETS = f"mail zuqmail@zuqhost.example, call +1 415 555 0142, card 4111 1111 1111 1111, password=hunter2hunter2, {NAME}at 203.0.113.99"


def _marked(row: dict[str, Any]) -> dict[str, Any]:
    """The row with a canary of its account in every private text field that it has not, and in its prompt."""
    account = row["account_id"].replace("-", "")
    texts = {name: f"{MARK}{name}-{account}" for name, column in REQUEST_COLUMNS.items() if column.privacy in "IC" and column.type == pa.string() and name not in NOT_OURS}
    texts |= {
        "prompt": f"{row['prompt']} {MARK}prompt{account} {SECRETS}",
        "session_id": f"{MARK}session-{row['request_id']}",
        "request_headers": {f"{MARK}header": f"{MARK}value"},
    }
    texts |= {"user_agent": f"indicator {row['user_agent']} {SECRETS}", "client_ip_prefix": None}
    return {**row, **texts}


def _schema(rows: list[dict[str, Any]]) -> pa.Schema:
    return pa.schema([(name, column.type) for name, column in REQUEST_COLUMNS.items() if name in rows[0]])


def _account(name: str, number: int, shared: str) -> dict[str, Any]:
    texts = {column: f"{MARK}{column}-{name}" for column, one in ACCOUNT_COLUMNS.items() if one.privacy == "I" and one.type == pa.string()}
    return {
        **texts,
        "account_id": name,
        "payment_fingerprint": f"{MARK}card-{shared}",
        "email_domain": f"{MARK}{shared}.example",
        "signup_ip": f"198.51.100.{1 + number % 250}",
        "signup_ip_prefix": None,
    }


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that only the provider knows, with canaries."""
    folder = tmp_path_factory.mktemp("canary_context")
    (folder / "releases.csv").write_text("model,released_at\nlarge-1,2026-05-02\n")
    (folder / "bans.csv").write_text("account_id,banned_at\npool-000,2026-05-03\nperson-001,2026-05-03\n")
    (folder / "vouched.csv").write_text(f"organization_id\n{MARK}vouched\n")
    (folder / "regions.csv").write_text("country\nDE\n")
    (folder / "preambles.toml").write_text(f'[[preamble]]\nproduct = "{MARK}product"\ntext = "{MARK}preamble"\n')
    return folder


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory, context: Path) -> Path:
    """An output folder of a run over the marked log."""
    home = tmp_path_factory.mktemp("canary")
    for day in range(3):
        plain = [row for number in range(INNOCENT) for row in _innocent(number, day)] + [row for number in range(PLANTED) for row in _planted(number, day)]
        rows = [_marked(row) for row in plain]
        write_rows(home / "log" / f"date={START.date().replace(day=1 + day)}" / "part-0.parquet", rows, _schema(rows))
    accounts = [_account(f"person-{number:03d}", number, f"person{number}") for number in range(INNOCENT)]
    accounts += [_account(f"pool-{number:03d}", number, f"pool{number % 2}") for number in range(PLANTED)]
    schema = pa.schema([(name, ACCOUNT_COLUMNS[name].type) for name in accounts[0]])
    write_rows(home / "accounts.parquet", accounts, schema)
    result = run_program("run", home / "log", "--accounts", home / "accounts.parquet", "--context", context, "--out", home / "out")
    assert result.returncode == 0, result.stderr
    return home / "out"


def _build(out: Path, profile: str, context: Path, capfd: pytest.CaptureFixture[str], *options: str) -> bytes:
    """Build a release with skeletons in words and lint it; gives what the commands printed."""
    logs = ["--logs", str(out.parent / "log"), "--accounts", str(out.parent / "accounts.parquet")]
    assert start(["report", "build", "--case", CASE, "--profile", profile, "--context", str(context), "--out", str(out), *logs, *options]) == 0
    assert start(["report", "lint", CASE, "--profile", profile, "--out", str(out)]) in (0, 3)
    printed = capfd.readouterr()
    return (printed.out + printed.err).encode()


def _bytes(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a release, and everything that is packed inside a PDF."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()
            if path.suffix == ".pdf":
                yield from _inside(path.name, pypdf.PdfReader(io.BytesIO(path.read_bytes())))


def _inside(name: str, reader: pypdf.PdfReader) -> Iterator[tuple[str, bytes]]:
    yield f"{name}: text", "\n".join(page.extract_text() for page in reader.pages).encode()
    yield f"{name}: about", repr(reader.metadata).encode() + repr(reader.outline).encode()
    for number in range(1, reader.trailer["/Size"]):
        found = reader.get_object(number)
        yield f"{name}: object {number}", repr(found).encode()
        if isinstance(found, pypdf.generic.StreamObject) and found.get("/Subtype") != "/Image":
            yield f"{name}: stream {number}", found.get_data()


def _found(folder: Path, pattern: re.Pattern[bytes] = PRIVATE) -> set[tuple[str, bytes]]:
    return {(name, hit) for name, data in _bytes(folder) for hit in (PACKED if name.endswith(".pdf") else pattern).findall(data)}


@pytest.fixture
def case(canary: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a case on the planted network, with a fact full of secrets; the same in all tests of the module."""
    monkeypatch.setenv("STILLHUNT_KEYS", str(canary.parent / "keys"))
    folder = canary / "cases" / CASE
    if not folder.exists():
        network = str(FinishedRun(canary).where("members", account_id="pool-000")["network_id"][0])
        assert start(["case", "new", CASE, "--network", network, "--author", "Ann", "--out", str(canary)]) == 0
        fact = ["--source", "a letter of pool-004", "--text", f"pool-003 wrote: {SECRETS.replace(NAME, '')}", "--by", "Ann", "--out", str(canary)]
        assert start(["case", "add-fact", CASE, "--rung", "L4", "--grade", "C3", *fact]) == 0
        capfd.readouterr()
    return folder


def _quoted(page: str) -> str:
    """Everything of the log that the page quotes."""
    return " ".join(re.findall(r"<q>(.*?)</q>", page, re.DOTALL))


def _is_clean(folder: Path, printed: bytes, out: Path) -> None:
    assert _found(folder) == set()
    assert _found(folder, re.compile(re.escape(str(out).encode()))) == set(), "nor a path"
    assert PRIVATE.findall(printed.replace(str(out).encode(), b"")) == []
    page = (folder / "incident.html").read_text()
    assert page.count("ACCT-") >= PLANTED
    assert folder.name.upper() in page
    assert "[mail]" in page
    assert "[card]" in page
    assert "mail" in _quoted(page), "prompts are quoted, and words that all use are shown"


@pytest.mark.parametrize("profile", OUTSIDE)
def test_no_canary_leaves_in_page_data_or_talk(canary: Path, case: Path, context: Path, capfd: pytest.CaptureFixture[str], profile: str) -> None:
    _is_clean(case / profile, _build(canary, profile, context, capfd), canary)


@pytest.mark.slow
@pytest.mark.parametrize("profile", OUTSIDE)
def test_no_canary_leaves_in_the_pdf(canary: Path, case: Path, context: Path, capfd: pytest.CaptureFixture[str], profile: str) -> None:
    _is_clean(case / profile, _build(canary, profile, context, capfd, "--pdf"), canary)
    assert {"incident.pdf: text", "incident.pdf: about", "incident.pdf"} <= {name for name, _ in _bytes(case / profile)}
    assert "ACCT-" in "".join(page.extract_text() for page in pypdf.PdfReader(case / profile / "incident.pdf").pages)


def test_internal_shows_ids_and_never_content(canary: Path, case: Path, context: Path, capfd: pytest.CaptureFixture[str]) -> None:
    printed = _build(canary, "internal", context, capfd)
    hits = {hit for _, hit in _found(case / "internal")}
    assert b"pool-000" in hits, "the search finds what is there"
    content = re.compile(b"(?i)(?:" + b"|".join(f"{MARK}{name}".encode() for name in sorted(CONTENT)) + rb"|zuqheader|zuqvalue|zuqpreamble)[a-z0-9_-]*")
    secrets = re.compile(content.pattern + rb"|zuqmail@|hunter2|4111 ?1111|113\.99")
    assert _found(canary / "cases", content) == set(), "nor in case.json, its journal and its versions"
    assert _found(case / "internal", secrets) == set()
    assert secrets.findall(printed) == []
    page = (case / "internal" / "incident.html").read_text()
    assert "ACCT-" not in page
    assert "mail" in _quoted(page)
    assert not re.search("zuq|pool-|person-|hunter|4111|555", _quoted(page), re.IGNORECASE), "a quotation holds no id either"
