"""`python -m pipeline` and the `stillhunt` command: one program, started here."""

from __future__ import annotations

import gc
import os
import sys

_KEPT_MS = "5000"
"""How long Arrow keeps freed memory before the system has it back, milliseconds: longer than between two batches of a log, which ask for the same again."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", _KEPT_MS)  # read once, when Arrow is loaded
    gc.disable()  # nothing that is loaded to read a command line is garbage; `guarded` turns it on for the command
    from pipeline.cli import start

    sys.exit(start(sys.argv[1:]))


if __name__ == "__main__":
    main()
