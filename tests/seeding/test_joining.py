"""Made-up readers join in their order, more of them each year, more in winter than in summer."""

from collections import Counter
from datetime import timedelta
from random import Random

from paywall.seeding.joining import Joining
from tests.support.made_up import NOW


def moments(readers: int = 5000, years: int = 5):
    joining = Joining(readers, years, NOW)
    return [joining.moment(index, Random(index)) for index in range(readers)]


def test_days_follow_each_other_up_to_yesterday() -> None:
    days = [one.date() for one in moments()]
    assert days == sorted(days)
    assert days[0] == (NOW - timedelta(days=1826)).date()
    assert days[-1] == (NOW - timedelta(days=1)).date()


def test_each_year_has_more_of_them() -> None:
    years = Counter((NOW - one).days // 366 for one in moments())
    assert years[0] > years[1] > years[2] > years[3] > years[4]


def test_winter_has_more_than_summer_and_a_campaign_more_than_any_day() -> None:
    months = Counter(one.month for one in moments())
    assert months[11] > months[1] > months[8]
    (most, _), *_ = Counter((one.month, one.day) for one in moments()).most_common(1)
    assert most == (11, 25)


def test_one_reader_joins_somewhere() -> None:
    assert NOW - timedelta(days=366) < moments(1, 1)[0] < NOW
