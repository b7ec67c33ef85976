"""The processes that share a campaign's jobs."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.conformance.campaign import Job, Result, Workshop

_workshop: Workshop | None = None


def done(planned: Sequence[Job], processes: int, folder: Path) -> Iterator[Result]:
    """The results of all jobs, as they come in."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_open, initargs=(folder,)) as pool:
        for future in as_completed([pool.submit(_do, job) for job in planned]):
            yield future.result()


def _open(folder: Path) -> None:
    global _workshop
    _workshop = Workshop(folder / str(os.getpid()))


def _do(job: Job) -> Result:
    if _workshop is None:
        raise AssertionError("a process without a workshop")
    return _workshop.do(job)
