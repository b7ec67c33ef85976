"""What people see of a campaign: a progress bar, on a terminal or without one, and the table at the end."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from math import factorial
from types import TracebackType
from typing import TextIO

from tests.conformance.campaign import KINDS, Result
from tests.conformance.stories import Story

WIDTH = 40
EVERY = 0.05  # without a terminal a line is printed for each such part


class Progress:
    """How far a campaign is: one line that changes, or a line now and then where nobody can redraw it."""

    def __init__(self, total: int, what: str, out: TextIO = sys.stderr) -> None:
        self._what = what
        self._total, self._done, self._failed = max(total, 1), 0, 0
        self._out = out
        self._started = time.monotonic()
        self._told = 0.0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._out.isatty():
            self._out.write("\n")

    def step(self, done: int, failed: int) -> None:
        """So many more are done, so many of them failed."""
        self._done += done
        self._failed += failed
        part = self._done / self._total
        if self._out.isatty():
            self._out.write(f"\r{self._line(part)}")
        elif part - self._told >= EVERY or part == 1:
            self._told = part
            self._out.write(f"{self._line(part)}\n")
        self._out.flush()

    def _line(self, part: float) -> str:
        took = time.monotonic() - self._started
        left = took / part - took
        bar = "#" * int(part * WIDTH)
        failed = f", {self._failed} failed" if self._failed else ""
        total = f"{self._total:,} {self._what}"
        return f"[{bar:<{WIDTH}}] {part:4.0%} of {total}, about {left / 60:.1f} minutes left{failed}  "


def table(stories: Sequence[Story], results: Sequence[Result]) -> str:
    """A line for each story: how many messages it causes, how many runs of each kind there were, how many failed."""
    runs: Counter[tuple[str, str]] = Counter()
    failed: Counter[str] = Counter()
    counts: dict[str, int] = {}
    for result in results:
        runs[result.job.story, result.job.kind] += result.runs
        failed[result.job.story] += len(result.failures)
        counts[result.job.story] = result.job.count
    width = max(len(story.name) for story in stories)
    lines = [f"{'story':<{width}}  {'messages':>8}" + "".join(f"{kind:>13}" for kind in KINDS) + f"{'failed':>8}"]
    for story in stories:
        count = counts.get(story.name)
        cells = [f"{runs[story.name, kind]:,}" for kind in KINDS]
        if count and cells[0] == f"{factorial(count):,}":
            cells[0] += " (all)"
        line = f"{story.name:<{width}}  {count or '':>8}" + "".join(f"{cell:>13}" for cell in cells)
        lines.append(f"{line}{failed[story.name]:>8}")
    spent: Counter[str] = Counter()
    for result in results:
        spent[result.job.kind] += result.seconds  # type: ignore[assignment]
    seconds = "".join(f"{f'{spent[kind]:,.0f} s':>13}" for kind in KINDS)
    lines.append(f"{'processor time, about':<{width}}  {'':>8}{seconds}")
    return "\n".join(lines)
