"""Workers in this process: a shift to run a job by hand, and workers whose threads really run."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from paywall.parts import Parts
from paywall.storage.database import db
from paywall.worker.jobs import Job
from paywall.worker.process import Worker
from paywall.worker.shift import Shift
from paywall.worker.signals import Stop


@pytest.fixture
def shift() -> Shift:
    """A job's time at work, which does not end by itself."""
    return Shift("wrk_test")


class Running:
    """A worker in a thread of this process, to be stopped and waited for."""

    def __init__(self, app, jobs: list[Job]) -> None:
        self.worker = Worker(app, app.extensions["paywall"], jobs)
        self._stop = Stop()
        self.code: int | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self.code = self.worker.run(self._stop)

    def stop(self, seconds: float = 20) -> int | None:
        """Asks it to stop and returns its exit code; None when it does not end."""
        self._stop.ask()
        return self.ended(seconds)

    def ended(self, seconds: float = 20) -> int | None:
        """Waits until it has ended."""
        self._thread.join(seconds)
        return None if self._thread.is_alive() else self.code


@pytest.fixture
def start(app) -> Iterator[Callable[..., Running]]:
    """Starts workers with the jobs given."""
    made: list[Running] = []
    db.session.commit()

    def start(*jobs: Job) -> Running:
        made.append(Running(app, list(jobs)))
        return made[-1]

    yield start
    for one in made:
        assert one.stop() is not None


def until(condition: Callable[[], object], seconds: float = 15) -> bool:
    """Whether it comes true in that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def parts_of(app) -> Parts:
    """The application's parts."""
    return app.extensions["paywall"]
