"""What the export of all entitlements costs beside the database's own, and whether its memory grows."""

import json
import subprocess
import sys

from paywall.settings import ROOT
from tests.bench.places import say
from tests.bench.report_pages import PART
from tests.bench.results import Findings, Row
from tests.bench.seeded import Histories


def files(found: Findings, of: Histories) -> None:
    """Seconds of the file of all entitlements, and memory of a large one beside that of a small one."""
    for _ in range(of.slow_rounds):
        _take(found, of, "file", of.large, "all")
        _take(found, of, "file", of.small, "a tenth")
        if of.kind == "postgresql":
            _take(found, of, "copy", of.large, "all")
    name = f"CSV of all, {of.kind}"
    if of.kind == "postgresql":
        note = f"{found.middle(f'{name}, s'):.1f} s"
        found.ratio(PART, f"{name}, s", f"COPY of all, {of.kind}, s", **of.goal(8), note=note)
    peaks = [found.middle(f"CSV of {size}, {of.kind}, MiB") for size in ("all", "a tenth")]
    note = f"{peaks[0]:.0f} MiB; flat is 1"
    found.add(Row(PART, f"{name}: memory", "of a tenth", peaks[0] / peaks[1], **of.goal(1.15), note=note))


def _take(found: Findings, of: Histories, how: str, url: str, size: str) -> None:
    command = [sys.executable, "-m", "tests.bench.draining", how, url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    met = json.loads(done.stdout.splitlines()[-1])
    name = f"{'CSV' if how == 'file' else 'COPY'} of {size}, {of.kind}"
    found.measured.setdefault(f"{name}, s", []).append(met["seconds"])
    found.measured.setdefault(f"{name}, MiB", []).append(met["mib"])
    say(f"  {name:32}{met['lines']:10,.0f} lines {met['seconds']:8.2f} s   {met['mib']:6.0f} MiB")
