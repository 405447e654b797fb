"""What tests of engines share: a signal that arrives while something goes on."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest


class Arrived(BaseException):
    """What the handler of the signal raises."""


@pytest.fixture
def signalled() -> Iterator[type[Arrived]]:
    """SIGTERM half a second from now; gives the exception that its handler raises."""

    def handler(*_: object) -> None:
        raise Arrived

    before = signal.signal(signal.SIGTERM, handler)
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGTERM))
    timer.start()
    yield Arrived
    timer.cancel()
    signal.signal(signal.SIGTERM, before)
