"""`python -m pipeline` and the `stillhunt` command: one program, started here."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from pipeline.cli import start

    sys.exit(start(sys.argv[1:]))


if __name__ == "__main__":
    main()
