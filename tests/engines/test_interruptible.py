"""A signal is heard while work goes on elsewhere, and goes on only when that work has ended."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from pipeline.interruptible import interruptible


@pytest.mark.parametrize("threads", [1, 2])
def test_a_query_of_one_task_ends_at_once(signalled, threads):
    """On two threads, another thread of the engine may hold the task; the main thread would hear the signal when the query ends."""
    with duckdb.connect(":memory:", config={"threads": threads}) as connection:
        started = time.monotonic()
        with pytest.raises(signalled):
            interruptible(lambda: connection.execute("SELECT sum(a.range * b.range) FROM range(200000) AS a, range(200000) AS b").fetchall(), connection.interrupt)
        assert time.monotonic() - started < 5
        assert connection.execute("SELECT 1").fetchall() == [(1,)], "the connection goes on"


def test_an_interruption_that_came_before_the_work_had_begun_is_made_again(signalled):
    asked, ended = threading.Event(), threading.Event()

    def deaf_at_first():
        asked.wait(5)
        asked.clear()
        if asked.wait(5):
            ended.set()

    with pytest.raises(signalled):
        interruptible(deaf_at_first, asked.set)
    assert ended.is_set()


def test_results_and_errors_come_through_and_no_thread_is_left():
    with pytest.raises(KeyError):
        interruptible(lambda: {}["a"], list)
    assert interruptible(lambda: 7, list) == 7
    assert not [thread for thread in threading.enumerate() if thread.name == "engine"]


def test_off_the_main_thread_the_work_is_done_in_place():
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(interruptible, threading.get_ident, list).result() == pool.submit(threading.get_ident).result()
