"""Orders: each has a name that makes it again; few messages come in all orders; none arrives before its cause."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance import orders
from tests.conformance.orders import ALL, Order, UnreadableOrder, parse

numbers = st.integers(0, 8)
maybe = st.none() | numbers | st.just(ALL)
made = st.builds(
    Order,
    st.sampled_from(["after", "between"]),
    seed=st.integers(0, 10**9),
    twice=maybe,
    lose=maybe,
    away=maybe,
    http=st.booleans(),
)


@given(made)
def test_a_name_makes_the_same_order_again(order: Order) -> None:
    assert parse(str(order)) == order


@given(st.permutations(range(5)))
def test_the_name_of_a_ranked_order_makes_it_again(ranks: list[int]) -> None:
    order = Order("after", ranks=tuple(ranks))
    assert parse(str(order)) == order


@pytest.mark.parametrize("text", ["", "after", "after=", "before=1", "after=1+thrice=2", "after=1+twice=x"])
def test_a_text_that_names_no_order_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UnreadableOrder, match="take one from a report"):
        parse(text)


@given(made, numbers, st.integers(0, 5), st.integers(0, 5))
def test_no_message_arrives_before_what_caused_it(order: Order, number: int, act: int, more: int) -> None:
    places = list(order.places(number, act, act + more))
    assert all(act <= due <= act + more for due, _ in places)
    if order.when == "after":
        assert all(due == act + more for due, _ in places[:1])


@given(made, numbers)
def test_each_message_arrives_once_twice_or_never(order: Order, number: int) -> None:
    lost, again = order.lose in (number, ALL), order.twice in (number, ALL)
    assert len(list(order.places(number, 0, 3))) == (not lost) + again


def test_few_messages_are_given_in_all_their_orders() -> None:
    found, every = orders.permuted(4, 1000, 1)
    assert (len(found), every, len({order.ranks for order in found})) == (24, True, 24)
    arrivals = {tuple(sorted(range(4), key=lambda n: next(order.places(n, 0, 3)))) for order in found}
    assert len(arrivals) == 24


def test_many_messages_are_given_in_as_many_orders_as_were_asked_for() -> None:
    found, every = orders.permuted(9, 300, 1)
    arrivals = {tuple(sorted(range(9), key=lambda n: next(order.places(n, 0, 3)))) for order in found}
    assert (len(found), every) == (300, False)
    assert len(arrivals) > 290


def test_another_seed_samples_other_orders() -> None:
    assert set(orders.interleaved(50, 1)).isdisjoint(orders.interleaved(50, 1000))


def test_each_message_is_doubled_lost_and_met_by_an_absent_stripe() -> None:
    for made_of, field in ((orders.doubled, "twice"), (orders.lossy, "lose"), (orders.unreachable, "away")):
        assert {getattr(order, field) for order in made_of(5, 1, 1)} == {0, 1, 2, 3, 4, ALL}
