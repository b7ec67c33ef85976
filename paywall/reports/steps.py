"""Which of many stretches of time a column's moment lies in, as SQL that takes a few comparisons for each row."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, literal_column


def step(column: Any, starts: Sequence[date], *, ending: bool = False) -> ColumnElement[int]:
    """The index of the last of the ascending ``starts`` (days or moments) that is not after the column; -1 before all.

    ``ending``: a moment on a boundary belongs to the stretch that it ends, as the end of an access does. Null for null.
    """
    return case((column.is_(None), None), else_=_search(column, starts, -1, len(starts) - 1, ending=ending))


def _search(column: Any, starts: Sequence[date], low: int, high: int, *, ending: bool) -> ColumnElement[int]:
    """Halves what is left: the answer lies between ``low`` and ``high``, both included."""
    if low == high:
        return literal_column(str(low))
    middle = (low + high + 1) // 2
    below = column <= starts[middle] if ending else column < starts[middle]
    return case(
        (below, _search(column, starts, low, middle - 1, ending=ending)),
        else_=_search(column, starts, middle, high, ending=ending),
    )
