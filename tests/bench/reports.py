"""Measures the reports of a made-up history: `make bench PARTS=reports`, with `READERS=1000000` for a large one."""

import os

from tests.bench.places import KINDS, say, servers
from tests.bench.report_files import files
from tests.bench.report_load import load
from tests.bench.report_pages import pages
from tests.bench.results import Findings
from tests.bench.seeded import histories, readers


def reports(found: Findings) -> None:
    """Both databases; goals are for PostgreSQL."""
    say(f"\nReports of {readers():,} made-up readers over five years, each beside the least that could be asked:")
    with servers():
        for kind in os.environ.get("KINDS", " ".join(KINDS)).split():
            with histories(kind) as of:
                pages(found, of)
                files(found, of)
                if kind == "postgresql":
                    load(found, of)
