"""The pages of the latest run over HTTP, for a machine without a display: on loopback alone, read-only, and nothing but that run's files.

Only GET and HEAD are answered, and only for regular files inside the run that `latest` points to; there are no listings, and a link that leads out of the run
is not followed. A request must name this machine as its host, so that no foreign page can have a browser fetch from here (DNS rebinding). Whoever has an account on this
machine can ask, as whoever can read the folder can.
"""

from __future__ import annotations

import http.server
import mimetypes
import shutil
import stat
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from pipeline.errors import StorageError

HOST = "127.0.0.1"
_NAMES = ("127.0.0.1", "localhost")
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class PageServer(http.server.ThreadingHTTPServer):
    """A server of DIR/latest. In: the output folder, and a port (0: any free one). Raises StorageError if the port cannot be had."""

    daemon_threads = True

    def __init__(self, out: Path, port: int) -> None:
        self.out = out
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError):
            raise StorageError(f"port {port} on {HOST} cannot be had: another program uses it, or it is not allowed. Choose another: --serve PORT") from None

    @property
    def url(self) -> str:
        """Where the index is."""
        return f"http://{HOST}:{self.server_port}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that leaves early is no error."""


def page_at(out: Path, target: str) -> Path | None:
    """The file of DIR/latest that a request's target names; None for everything else, whatever it is."""
    parts = unquote(urlsplit(target).path).strip("/").split("/")
    if parts == [""]:
        parts = ["index.html"]
    if any(not part or part.startswith(".") or "\\" in part or "\x00" in part for part in parts):
        return None
    try:
        run = (out / "latest").resolve(strict=True)
        found = run.joinpath(*parts).resolve(strict=True)
        is_inside = run.parent == (out / "runs").resolve() and found.is_relative_to(run)
        return found if is_inside and stat.S_ISREG(found.stat().st_mode) else None
    except (OSError, ValueError, RuntimeError):  # gone, too long a name, a loop of links
        return None


class _Handler(http.server.BaseHTTPRequestHandler):
    server: PageServer
    server_version, sys_version = "stillhunt", ""
    timeout = 30

    def do_GET(self) -> None:
        self._answer(is_whole=True)

    def do_HEAD(self) -> None:
        self._answer(is_whole=False)

    def _answer(self, *, is_whole: bool) -> None:
        if self.headers.get("Host", "").rpartition(":")[0] not in _NAMES or not self.headers["Host"].endswith(f":{self.server.server_port}"):
            self.send_error(403, "ask for it by the address that was printed")
            return
        page = page_at(self.server.out, self.path)
        try:
            file = page.open("rb") if page else None
        except OSError:
            file = None
        if page is None or file is None:
            self.send_error(404, "no page of the latest run")
            return
        with file:
            self._send(page, file, is_whole=is_whole)

    def _send(self, page: Path, file: BinaryIO, *, is_whole: bool) -> None:
        kind = mimetypes.guess_type(page.name)[0] or "application/octet-stream"
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
        self.send_header("Content-Length", str(page.stat().st_size))
        self.end_headers()
        if is_whole:
            shutil.copyfileobj(file, self.wfile)

    def _refuse(self) -> None:
        self.send_error(405, "only GET and HEAD are answered")

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_CONNECT = _refuse  # noqa: N815 (the library's names)

    def end_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (the library's name)
        """Who read which page is nobody's business."""
