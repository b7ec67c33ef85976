"""When made-up readers join: more each year, more in winter and in campaigns, fewer at weekends."""

from bisect import bisect_left
from datetime import UTC, datetime, time, timedelta
from itertools import accumulate
from random import Random

DAY = timedelta(days=1)
_GROWTH = 1.25  # from one year to the next
_MONTHS = (1.3, 1.05, 1.0, 0.95, 0.9, 0.85, 0.7, 0.65, 1.0, 1.1, 1.4, 1.2)
_WEEKEND = 0.7
_CAMPAIGNS = {(11, 25): 5.0, (11, 26): 4.0, (1, 2): 3.0, (9, 1): 2.5}  # month and day: times the day's usual number


class Joining:
    """Spreads readers over the years up to ``now``, in the order in which they join."""

    def __init__(self, readers: int, years: int, now: datetime) -> None:
        self.readers, self.now = readers, now
        count = max(1, round(years * 365.25))
        self.days = [(now - DAY * back).astimezone(UTC).date() for back in range(count, 0, -1)]
        self._sums = list(accumulate(self._weight(index) for index in range(count)))

    def moment(self, index: int, rng: Random) -> datetime:
        """When the reader of this number (from 0) joins: in whole seconds, as Stripe tells it."""
        place = (index + 0.5) / self.readers * self._sums[-1]
        day = self.days[min(bisect_left(self._sums, place), len(self.days) - 1)]
        second = timedelta(seconds=int(86_399 * rng.random()))
        return datetime.combine(day, time.min, tzinfo=UTC) + second

    def _weight(self, index: int) -> float:
        day = self.days[index]
        usual = float(_GROWTH ** (index / 365.25)) * _MONTHS[day.month - 1] * (_WEEKEND if day.weekday() > 4 else 1.0)
        return usual * _CAMPAIGNS.get((day.month, day.day), 1.0)
