"""Walking beside a list: every row of ours that is not listed is found once, wherever pages and seconds end."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from paywall.billing.windows import Stretch, Walk

START = datetime(2026, 11, 22, tzinfo=UTC)

# few seconds and small pages: most borders fall within a second
SECONDS = st.lists(st.integers(0, 6), max_size=30)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def within(stretch: Stretch, moment: datetime) -> bool:
    later = stretch.after is None or moment > stretch.after
    return later and (stretch.upto is None or moment <= stretch.upto)


def walked(listed: list[tuple[datetime, str]], page: int) -> list[Stretch]:
    walk = Walk()
    found = [walk.page(listed[start : start + page]) for start in range(0, len(listed), page)]
    return [one for one in [*found, walk.rest()] if one is not None]


@given(SECONDS, SECONDS, st.integers(1, 5))
def test_each_row_that_is_not_listed_is_found_once_and_no_other(there: list[int], here: list[int], page: int) -> None:
    listed = sorted(((at(second), f"both{n}") for n, second in enumerate(there)), reverse=True)
    ours = {name: moment for moment, name in listed} | {f"ours{n}": at(second) for n, second in enumerate(here)}
    found = [
        name
        for stretch in walked(listed, page)
        for name, moment in ours.items()
        if within(stretch, moment) and name not in stretch.named
    ]
    assert sorted(found) == sorted(name for name in ours if name.startswith("ours"))


@given(SECONDS, SECONDS, st.integers(1, 5), st.randoms(use_true_random=False))
def test_a_list_out_of_order_finds_them_too_and_at_worst_names_some_that_are_there(
    there: list[int], here: list[int], page: int, random
) -> None:
    """Test clocks have times of their own: what is named too often is asked for, and found to be there."""
    listed = [(at(second), f"both{n}") for n, second in enumerate(there)]
    random.shuffle(listed)
    ours = {f"ours{n}": at(second) for n, second in enumerate(here)}
    stretches = walked(listed, page)
    for moment in ours.values():
        assert sum(within(stretch, moment) for stretch in stretches) == 1


def test_an_empty_list_leaves_everything() -> None:
    assert Walk().rest() == Stretch(None, None, frozenset())
    assert Walk().rest(START) == Stretch(START, None, frozenset())
    assert Walk().page([]) is None


def test_the_last_second_of_a_page_waits_for_the_next_page() -> None:
    walk = Walk()
    assert walk.page([(at(5), "a"), (at(4), "b")]) == Stretch(at(4), None, frozenset({"a", "b"}))
    assert walk.page([(at(4), "c")]) is None
    assert walk.page([(at(4), "d"), (at(1), "e")]) == Stretch(at(1), at(4), frozenset("bcde"))
    assert walk.rest() == Stretch(None, at(1), frozenset("e"))


def test_only_the_objects_of_the_last_second_are_remembered() -> None:
    walk = Walk()
    for second in range(1000, 0, -1):
        walk.page([(at(second), f"sub_{second}")])
    assert walk.rest().named == {"sub_1"}
