"""Which step a moment lies in, told by the database: many steps at no more cost than few, alike on both databases."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Date, DateTime, Integer, cast, func, literal

from paywall.domain.entitlements import SKEW

EARLIER = "paywall_earlier"  # a moment less the clocks' skew
_SLOT = "paywall_slot"  # how many thresholds are not above a value
_FORMAT = "%Y-%m-%d %H:%M:%S.%f"  # as SQLite's rows hold moments


def slot(connection: Connection, value: ColumnElement[Any], thresholds: Sequence[date]) -> ColumnElement[int]:
    """How many of the ascending ``thresholds`` (moments, or days) are at or below a column's value."""
    moments = bool(thresholds) and isinstance(thresholds[0], datetime)
    if connection.dialect.name == "postgresql":
        kind = ARRAY(DateTime(timezone=True) if moments else Date())
        return func.width_bucket(value, cast(literal(list(thresholds), kind), kind), type_=Integer)
    texts = [_text(one) for one in thresholds]
    _raw(connection).create_function(_SLOT, 1, lambda text: bisect_right(texts, text), deterministic=True)
    return getattr(func, _SLOT)(value, type_=Integer)  # type: ignore[no-any-return]


def prepare(connection: Connection) -> None:
    """Gives SQLite the function that ``contributions`` takes the skew off by."""
    if connection.dialect.name == "sqlite":
        _raw(connection).create_function(EARLIER, 1, _earlier, deterministic=True)


def _raw(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _text(value: date) -> str:
    return value.astimezone(UTC).strftime(_FORMAT) if isinstance(value, datetime) else value.isoformat()


def _earlier(text: str | None) -> str | None:
    return None if text is None else (datetime.strptime(text, _FORMAT) - SKEW).strftime(_FORMAT)  # noqa: DTZ007 (UTC)
