"""`python -m pipeline` and the `stillhunt` command: one program, started here."""

from __future__ import annotations

import os
import sys

_KEPT_MS = "5000"
"""How long Arrow keeps freed memory before the system has it back, milliseconds: longer than between two batches of a log, which ask for the same again."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", _KEPT_MS)  # read once, when Arrow is loaded
    from pipeline.cli import start

    sys.exit(start(sys.argv[1:]))


if __name__ == "__main__":
    main()
