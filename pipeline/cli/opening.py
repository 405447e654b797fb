"""`open` and `completion`: the pages in a browser, and the words of the command line in a shell."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline import console
from pipeline.cli.guard import Stopped, guarded
from pipeline.cli.options import DEFAULT_OUT, Form, Out

_COMPLETE = "_STILLHUNT_COMPLETE"
"""Set by the shell while it asks what a word may become."""
_WHERE = {
    "bash": "stillhunt completion bash > ~/.local/share/bash-completion/completions/stillhunt",
    "zsh": "stillhunt completion zsh > ~/.zfunc/_stillhunt   (with fpath+=~/.zfunc before compinit in ~/.zshrc)",
    "fish": "stillhunt completion fish > ~/.config/fish/completions/stillhunt.fish",
}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("open", epilog="Example: stillhunt open --out stillhunt-out")(open_pages)
    app.command(epilog="Example: stillhunt completion bash")(completion)


def open_pages(
    serve: Annotated[int | None, typer.Option("--serve", min=0, max=65535, metavar="PORT", help="Serve the pages on loopback until Ctrl-C; 0 takes any free port.")] = None,
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Open the latest index in a browser; without a display, say where it is. With --serve, a read-only server for this machine alone."""
    guarded(lambda: _serve(out, serve) if serve is not None else _open(out, form))


def completion(shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="Your shell.")]) -> None:
    """Print the script that lets a shell complete commands and options."""

    def body() -> None:
        from typer import completion as shells

        console.data(shells.get_completion_script(prog_name="stillhunt", complete_var=_COMPLETE, shell=shell))  # type: ignore[attr-defined]  # imported there, not exported
        console.say(f"to keep it: {_WHERE[shell]}")

    guarded(body)


def prepare_completion() -> None:
    """Teach the library the shells' dialects, only when a shell is asking: a command's start must not pay for it."""
    if _COMPLETE in os.environ:
        from typer import completion as shells

        shells.completion_init()  # type: ignore[attr-defined]  # imported there, not exported


def _open(out: Path, form: console.Format) -> None:
    import webbrowser

    from pipeline.store import latest_run

    latest_run(out)
    index = (out / "latest" / "index.html").absolute()
    console.rows(("page",), [(str(index),)], form, "stillhunt.open/1") if form != "table" else console.data(str(index))
    if not _has_display() or not webbrowser.open(index.as_uri()):
        console.say("no display here, so no browser was opened. From another machine: ssh -L 8000:127.0.0.1:8000 HOST, and here:")
        console.say_next("open", "--serve", 8000, "--out", out)


def _has_display() -> bool:
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _serve(out: Path, port: int) -> int:
    from pipeline.evidence.serving import PageServer
    from pipeline.store import latest_run

    latest_run(out)
    with PageServer(out, port) as server:
        console.data(server.url)
        console.say("serving the latest run to this machine alone, read-only. Ctrl-C ends it.")
        try:
            server.serve_forever()
        except (KeyboardInterrupt, Stopped):
            console.say("stopped")
    return 0
