"""What a bench found: rows with their goals, and the arithmetic that leads to them."""

import json
import math
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """One figure of the table. `goal` with `most` is an upper bound, else a lower one; None only tells."""

    part: str
    what: str
    against: str
    value: float
    goal: float | None = None
    most: bool = False
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal is reached; a figure that could not be had reaches none."""
        if self.goal is None:
            return True
        return self.value <= self.goal if self.most else self.value >= self.goal


@dataclass
class Findings:
    """The rows of a run, and the measurements that they rest on."""

    rows: list[Row] = field(default_factory=list)
    measured: dict[str, list[float]] = field(default_factory=dict)

    def ratio(self, part: str, what: str, against: str, **goal: Any) -> Row:
        """Adds a row: the median of what was measured under one name, divided by that under the other."""
        return self.add(Row(part, what, against, divided(self.middle(what), self.middle(against)), **goal))

    def middle(self, name: str) -> float:
        """The median of what was measured under this name."""
        return statistics.median(self.measured[name])

    def add(self, row: Row) -> Row:
        """Adds a row."""
        self.rows.append(row)
        return row

    @property
    def missed(self) -> list[Row]:
        """The rows that do not reach their goal."""
        return [row for row in self.rows if not row.met]


def divided(value: float, by: float) -> float:
    """The ratio; what nothing can be compared with is no number, and so meets no goal."""
    return value / by if by else math.nan


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share (0 to 1) of all do not exceed: the nearest rank."""
    if not values or not 0 < share <= 1:
        raise ValueError("a percentile needs values, and a share above 0 and up to 1")
    # a share such as 0.07 of 100 is 7.000000000000001 in binary, which must not reach for the eighth
    return sorted(values)[max(1, math.ceil(round(len(values) * share, 9))) - 1]


def table(rows: Iterable[Row]) -> str:
    """The rows as text, a line each, with what was not reached marked."""
    told = list(rows)
    what = 2 + max((len(row.what) for row in told), default=4)
    against = 2 + max((len(row.against) for row in told), default=7)
    lines = [f"{'part':11}{'what':{what}}{'against':{against}}{'figure':>9}   goal"]
    for row in told:
        bound = "" if row.goal is None else f"at {'most' if row.most else 'least'} {number(row.goal)}"
        mark = "" if row.met else "   MISSED"
        note = f"   ({row.note})" if row.note else ""
        line = f"{row.part:11}{row.what:{what}}{row.against:{against}}{number(row.value):>9}   {bound}{mark}{note}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def number(value: float) -> str:
    """Three digits that count, without an exponent."""
    if math.isnan(value) or math.isinf(value):
        return "none"
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{2 - math.floor(math.log10(abs(value)))}f}"


def save(findings: Findings, folder: Path, now: datetime) -> Path:
    """Writes everything as JSON; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"bench-{now:%Y%m%d-%H%M%S}.json"
    told = {
        "at": now.isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": machine(),
        "rows": [asdict(row) | {"value": known(row.value), "met": row.met} for row in findings.rows],
        "measured": findings.measured,
    }
    file.write_text(json.dumps(told, indent=1, allow_nan=False) + "\n")
    return file


def known(value: float) -> float | None:
    """JSON knows no infinity and no missing number."""
    return value if math.isfinite(value) else None


def machine() -> str:
    """The processor's name, where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()
