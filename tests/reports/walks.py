"""A list walked by its links, as tests of any list need it."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from paywall.reports.filters import Filters
from paywall.reports.paging import page
from tests.support.builders import NOW

ZONE = ZoneInfo("America/New_York")


def walked(size: int, **filters: Any) -> list[str]:
    """The ids of all pages of ``size`` rows, from the first on."""
    ids, place = [], None
    for _ in range(30):
        here = page(Filters(**filters, after=place), ZONE, NOW, size)
        ids += [row.id for row in here.rows]
        place = here.after
        if place is None:
            return ids
    pytest.fail("no end")
