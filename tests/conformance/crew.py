"""The processes that share a campaign's jobs."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing.util import Finalize
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
    Finalize(None, _workshop.close, exitpriority=0)  # the processes that it started end with it
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    """Ends this process when the first one is gone: nobody waits for its results any more."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _do(job: Job) -> Result:
    if _workshop is None:
        raise AssertionError("a process without a workshop")
    return _workshop.do(job)
