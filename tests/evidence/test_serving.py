"""The server gives the files of the latest run to this machine, and nothing else to anybody."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import StorageError
from pipeline.evidence.serving import HOST, PageServer, page_at


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a run of two pages, another run, and every way out of it that a link can be."""
    out = tmp_path_factory.mktemp("serving") / "out"
    run = out / "runs" / "r1"
    (run / "networks").mkdir(parents=True)
    (run / "index.html").write_text("<p>index</p>", encoding="utf-8")
    (run / "networks" / "N-1.html").write_text("<p>N-1</p>", encoding="utf-8")
    (run / "run.json").write_text("{}")
    (out / "runs" / "r2").mkdir()
    (out / "runs" / "r2" / "index.html").write_text("another run")
    (out / "ledger.jsonl").write_text("secret")
    (out / "latest").symlink_to("runs/r1")
    (run / "link.html").symlink_to("/etc/passwd")
    (run / "up").symlink_to("..")
    (run / "round").symlink_to("round")
    (run / ".hidden").write_text("hidden")
    (run / "inside.html").symlink_to("index.html")
    return out


@pytest.fixture(scope="module")
def server(out: Path) -> Iterator[PageServer]:
    with PageServer(out, 0) as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def _ask(server: PageServer, target: str, method: str = "GET", host: str | None = None) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(HOST, server.server_port, timeout=10)
    connection.putrequest(method, target, skip_host=True)
    connection.putheader("Host", host if host is not None else f"{HOST}:{server.server_port}")
    connection.endheaders()
    answer = connection.getresponse()
    found = (answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()})
    connection.close()
    return found


@pytest.mark.parametrize(
    ("target", "body"),
    [("/", b"<p>index</p>"), ("/index.html", b"<p>index</p>"), ("/networks/N-1.html?x=1#y", b"<p>N-1</p>"), ("/run.json", b"{}"), ("/inside.html", b"<p>index</p>")],
)
def test_files_of_the_run_are_given(server, target, body):
    status, found, headers = _ask(server, target)
    assert (status, found) == (200, body)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert _ask(server, target, "HEAD")[:2] == (200, b"")


OUTSIDE = [
    "/ledger.jsonl",
    "/../ledger.jsonl",
    "/../r2/index.html",
    "/..%2f..%2fledger.jsonl",
    "/%2e%2e/%2e%2e/ledger.jsonl",
    "/networks/../../r2/index.html",
    "//etc/passwd",
    "/%2fetc%2fpasswd",
    "/link.html",
    "/up/r2/index.html",
    "/up/r1/index.html",
    "/round",
    "/.hidden",
    "/networks",
    "/networks/",
    "/networks/.",
    "/index.html%00.png",
    "/..%5c..%5cledger.jsonl",
    "/" + "a" * 5000,
    "/%ff%fe",
]


@pytest.mark.parametrize("target", OUTSIDE)
def test_nothing_else_is(server, target):
    status, found, _ = _ask(server, target)
    if target == "/up/r1/index.html":
        assert status in (200, 404), "a way round to the run itself"
    else:
        assert status == 404
        assert b"secret" not in found
        assert b"another run" not in found


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"])
def test_only_reading_is_answered(server, method):
    assert _ask(server, "/index.html", method)[0] == 405


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", "", "127.0.0.1", "127.0.0.1:1", "localhost:1{port}"])
def test_a_page_from_elsewhere_cannot_have_a_browser_read_here(server, host):
    assert _ask(server, "/index.html", host=host.format(port=server.server_port))[0] == 403


def test_it_listens_to_this_machine_alone_and_a_taken_port_is_said(server, out):
    assert server.server_address[0] == "127.0.0.1"
    assert _ask(server, "/", host=f"localhost:{server.server_port}")[0] == 200
    with pytest.raises(StorageError, match="--serve PORT"):
        PageServer(out, server.server_port)


def test_a_latest_that_leads_elsewhere_is_not_followed(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "index.html").write_text("x")
    (tmp_path / "latest").symlink_to("elsewhere")
    assert page_at(tmp_path, "/") is None


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="./%25eFfcup\\r12indexhtml\x00\u202e", max_size=40))
def test_whatever_is_asked_is_a_file_of_the_run_or_nothing(out, text):
    found = page_at(out, "/" + text)
    assert found is None or found.is_relative_to(out / "runs" / "r1")
