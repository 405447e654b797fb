"""What the file system says of a file without reading it: enough to notice that it was written to, replaced or touched since.

The time of the last change (ctime) counts too: a program may set a file's modification time back, not this.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stamp:
    """Size in bytes, times in nanoseconds since 1970, and number of a file on its device."""

    size_bytes: int
    modified_ns: int
    changed_ns: int
    inode: int

    @property
    def content(self) -> tuple[int, int, int]:
        """What changes when a file is written to or replaced, but not when it is linked or its permissions change."""
        return self.size_bytes, self.modified_ns, self.inode


def stamp_of(path: str) -> Stamp | None:
    """The stamp of a local file; None if it is not there or cannot be asked."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
