"""A campaign: which stories are run in which orders on which database, in jobs that several processes share."""

import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conformance import orders, walking
from tests.conformance.killing import Laboratory, kill_points, laboratory
from tests.conformance.orders import Order
from tests.conformance.racing import ApartRun, RacedRun
from tests.conformance.running import Run, Tape, record
from tests.conformance.stage import Stage, opened
from tests.conformance.stories import BY_NAME, Story
from tests.conformance.walking import Walker

PART = 40  # runs in a job
KINDS = ("walked", "orders", "between", "doubled", "lost", "away", "raced", "apart", "killed")
ON_POSTGRESQL = ("raced", "apart", "killed")


@dataclass(frozen=True)
class Job:
    """Some runs of one kind of one story, each by its name; ``count`` says how many messages the story causes."""

    story: str
    kind: str
    database: str
    names: tuple[str, ...]
    count: int = 0

    def again(self, name: str) -> str:
        """The command that makes one of its runs again."""
        return f"make conformance STORIES='{self.story}' ONLY='{self.kind}:{self.database}:{name}'"


@dataclass
class Result:
    """What came of a job: how many runs and messages, and what failed, with the way to see it again."""

    job: Job
    runs: int = 0
    messages: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Sizes:
    """How much is run: sampled orders of a story where not all are, and how often the other things are tried."""

    runs: int = 30
    seed: int = 1

    @property
    def rounds(self) -> int:
        """How often each message is doubled, lost, or met by a Stripe that is away."""
        return max(1, self.runs // 100)

    @property
    def walks(self) -> int:
        """How often the orders of the last messages are walked where there are more, each time after other ones."""
        return max(1, self.runs // 100)

    @property
    def races(self) -> int:
        """How many runs of two workers in one process."""
        return max(2, self.runs // 10)

    @property
    def apart(self) -> int:
        """How many runs of two processes, which take longer."""
        return max(1, self.runs // 30)


def plan(story: Story, count: int, sizes: Sizes) -> list[Job]:
    """The jobs of a story that causes so many messages."""
    seed, rounds = sizes.seed * 1_000_000, sizes.rounds
    ranked, _ = orders.permuted(count, sizes.runs, seed)
    found: dict[str, list[str]] = {
        "walked": [str(seed + turn) for turn in range(1 if count <= walking.MOST else sizes.walks)],
        "orders": list(map(str, ranked)),
        "between": list(map(str, orders.interleaved(sizes.runs, seed))),
        "doubled": list(map(str, orders.doubled(count, rounds, seed))),
        "lost": list(map(str, orders.lossy(count, rounds, seed))),
        "away": list(map(str, orders.unreachable(count, rounds, seed))),
        "raced": _raced(sizes.races, seed),
        "apart": _raced(sizes.apart, seed + count),
        "killed": [f"{when} {number}" for number in range(count) for when in ("before", "after")],
    }
    return [
        Job(story.name, kind, database, tuple(part), count)
        for kind, names in found.items()
        for database, part in _parts(kind, names)
    ]


def _raced(most: int, seed: int) -> list[str]:
    return [str(Order(("after", "between", "soon")[turn % 3], seed + turn)) for turn in range(most)]


def _parts(kind: str, names: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Slices of the names; of what runs on SQLite one slice in ten runs on PostgreSQL instead."""
    size = {"killed": 4, "walked": 1, "apart": 1}.get(kind, PART)
    for turn, start in enumerate(range(0, len(names), size)):
        other = kind in ON_POSTGRESQL or turn % 10 == 9
        yield "postgresql" if other else "sqlite", names[start : start + size]


class Workshop:
    """What a process needs for jobs, made when it is first needed: stages, tapes, the laboratory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._stages: dict[str, Stage] = {}
        self._tapes: dict[tuple[str, str], Tape] = {}
        self._labs: list[Laboratory] = []

    def close(self) -> None:
        """Ends everything."""
        self._stack.close()

    def stage(self, database: str) -> Stage:
        """The stage on a database."""
        if database not in self._stages:
            folder = self._folder / database
            folder.mkdir(parents=True, exist_ok=True)
            self._stages[database] = self._stack.enter_context(opened(database, folder))
        return self._stages[database]

    def tape(self, story: Story, database: str) -> Tape:
        """The story as it was played once on that database."""
        key = (story.name, database)
        if key not in self._tapes:
            with self.on(database) as stage:
                self._tapes[key] = record(stage, story)
        return self._tapes[key]

    @contextmanager
    def on(self, database: str) -> Iterator[Stage]:
        """Within the block the stage on that database is the one that is meant, though the other is open too."""
        stage = self.stage(database)
        with stage.shop.app.app_context():
            yield stage

    def do(self, job: Job) -> Result:
        """Does a job."""
        result = Result(job)
        started = time.process_time()
        for name in job.names:
            try:
                with self.on(job.database):
                    self._do(job, name, result)
            except Exception:
                result.failures.append(f"{job.again(name)}\n{traceback.format_exc()}")
        result.seconds = time.process_time() - started
        return result

    def _do(self, job: Job, name: str, result: Result) -> None:
        if job.kind == "walked":
            self._walk(job, name, result)
            return
        for run in self.runs(job, name):
            result.runs += 1
            result.messages += run.delivered
            if run.faults:
                result.failures.append("\n  ".join([job.again(name), *run.trace, *run.faults]))

    def _walk(self, job: Job, name: str, result: Result) -> None:
        story = BY_NAME[job.story]
        walk = Walker(self.stage(job.database), story, self.tape(story, job.database), int(name)).walk()
        result.runs += walk.orders
        result.messages += walk.messages
        result.failures += [f"{job.again(name)}\n  {text}" for text in walk.failures]

    def runs(self, job: Job, name: str) -> Iterator[Run]:
        """The runs of this name, each played to its end: one, or one for every commit of a message."""
        story = BY_NAME[job.story]
        tape, stage = self.tape(story, job.database), self.stage(job.database)
        if job.kind == "killed":
            when, number = name.split()
            yield from kill_points(stage, story, tape, self._laboratories(stage, 1)[0], int(number), when)
        elif job.kind == "apart":
            order, labs = orders.parse(name), self._laboratories(stage, 2)
            yield ApartRun(stage, story, tape, order, shared=order.seed % 2 == 0, labs=labs).play().finish()
        elif job.kind == "raced":
            order = orders.parse(name)
            yield RacedRun(stage, story, tape, order, shared=order.seed % 2 == 0).play().finish()
        else:
            run = Run(stage, story, tape, orders.parse(name)).play()
            if job.kind == "lost":
                run.faults.extend(stage.reconcile())
            yield run.finish()

    def _laboratories(self, stage: Stage, count: int) -> list[Laboratory]:
        while len(self._labs) < count:
            self._labs.append(self._stack.enter_context(laboratory(stage)))
        return self._labs
