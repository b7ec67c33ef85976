"""The processes that share a campaign's jobs."""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.conformance.campaign import Job, Result, Workshop

_workshop: Workshop | None = None


def done(planned: Sequence[Job], processes: int, folder: Path) -> Iterator[Result]:
    """The results of all jobs, as they come in."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_open, initargs=(folder,)) as pool:
        waiting = [pool.submit(_do, job) for job in planned]
        try:
            for future in as_completed(waiting):
                yield future.result()
        finally:  # who stops early waits for what runs, not for what would have run
            for future in waiting:
                future.cancel()


def _open(folder: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the first process, which tells the others
    global _workshop
    _workshop = Workshop(folder / str(os.getpid()))


def _do(job: Job) -> Result:
    if _workshop is None:
        raise AssertionError("a process without a workshop")
    return _workshop.do(job)
