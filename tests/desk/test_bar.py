"""The bar tells what a reader could do at each time, by what was known then."""

from itertools import count

from paywall.desk.bar import WIDTH, WORDS, spans
from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import State
from paywall.storage.models import Entitlement, LedgerEntry
from tests.support.builders import DAY, NOW, make_terms

_numbers = count(1)


def entry(at, reader_id: str = "rdr_1", **changes) -> LedgerEntry:
    terms = make_terms(**changes)
    names = ("starts_at", "paid_until", "until", "lapse", "in_dunning", "hold", "renews")
    values = {name: getattr(terms, name) for name in names}
    return LedgerEntry(id=next(_numbers), reader_id=reader_id, learned_at=at, **values)


def states(*entitlements, most: int = 40) -> list[tuple[int, int, State | None]]:
    """The spans in days before now."""
    histories = [(Entitlement(), list(entries)) for entries in entitlements]
    found = spans("rdr_1", histories, NOW, most)
    return [((one.since - NOW).days, (one.until - NOW).days, one.state) for one in found]


def test_dates_end_access_without_an_entry() -> None:
    begun = entry(NOW - 30 * DAY, until=NOW - 10 * DAY, paid_until=NOW - 12 * DAY)
    assert states([begun]) == [(-30, -10, State.ACTIVE), (-10, 0, State.ENDED)]


def test_each_entry_counts_from_when_it_was_learned() -> None:
    begun = entry(NOW - 30 * DAY)
    held = entry(NOW - 20 * DAY, hold=Reason.DISPUTED)
    lifted = entry(NOW - 5 * DAY)
    expected = [(-30, -20, State.ACTIVE), (-20, -5, State.SUSPENDED), (-5, 0, State.ACTIVE)]
    assert states([begun, held, lifted]) == expected
    assert states([lifted, held, begun]) == expected


def test_a_failed_renewal_is_shown_as_grace() -> None:
    failed = entry(NOW - 30 * DAY, paid_until=NOW - 7 * DAY, until=NOW + 7 * DAY, in_dunning=True)
    assert states([failed]) == [(-30, -7, State.ACTIVE), (-7, 0, State.GRACE)]


def test_of_two_the_better_counts() -> None:
    ended = entry(NOW - 30 * DAY, until=NOW - 10 * DAY, paid_until=NOW - 10 * DAY)
    second = entry(NOW - 5 * DAY, starts_at=NOW - 5 * DAY)
    expected = [(-30, -10, State.ACTIVE), (-10, -5, State.ENDED), (-5, 0, State.ACTIVE)]
    assert states([ended], [second]) == expected


def test_what_was_moved_away_is_nothing_held() -> None:
    assert states([entry(NOW - 30 * DAY), entry(NOW - 9 * DAY, "rdr_2")]) == [(-30, -9, State.ACTIVE), (-9, 0, None)]


def test_nothing_known_has_no_bar() -> None:
    assert states() == []
    assert states([entry(NOW)]) == []


def test_the_bar_is_filled_and_its_shortest_span_can_be_seen() -> None:
    short = [entry(NOW - 3000 * DAY), entry(NOW - 900 * DAY, hold=Reason.PAUSED), entry(NOW - 899 * DAY)]
    for one in short:
        one.starts_at = NOW - 3000 * DAY
    found = spans("rdr_1", [(Entitlement(), short)], NOW)
    assert [one.width >= 2 for one in found] == [True] * 3
    assert found[0].x == 0
    assert found[-1].x + found[-1].width == WIDTH


def test_of_too_many_spans_the_newest_are_shown() -> None:
    many = [entry(NOW - (100 - n) * DAY, hold=Reason.PAUSED if n % 2 else None) for n in range(100)]
    for one in many:
        one.starts_at = NOW - 100 * DAY
    found = states(many, most=10)
    assert len(found) == 10
    assert found[-1][1] == 0


def test_every_state_has_words() -> None:
    assert set(WORDS) == {*State, None}
