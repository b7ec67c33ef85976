"""In which order, how often and whether at all messages arrive: each order has a short name that makes it again."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, permutations
from math import factorial
from random import Random

MOST_EXHAUSTIVE = 6
_NAME = re.compile(r"(after|between|soon)=([\d,]*)((?:\+(?:twice|lose|http|away)=(?:\d+|all))*)")


class UnreadableOrder(ValueError):
    """A text that names no order."""


@dataclass(frozen=True)
class Order:
    """When the messages of a story arrive.

    ``after``: all once the story is over; ``between``: each at some act after the one that caused it; ``soon``: each at
    once, as they were caused. Those with a ``rank`` come in that order, the others by chance of the ``seed``.
    ``twice``, ``lose`` and ``away`` name one message by its number, or all: it comes once more later, never, or for the
    first time while Stripe cannot be reached. ``http`` says that messages travel through the whole application.
    """

    when: str
    seed: int = 0
    ranks: tuple[int, ...] = ()
    twice: int | None = None
    lose: int | None = None
    away: int | None = None
    http: bool = False

    def __str__(self) -> str:
        numbers = ",".join(map(str, self.ranks)) if self.ranks else str(self.seed)
        more = [(name, getattr(self, name)) for name in ("twice", "lose", "away")]
        marks = "".join(f"+{name}={'all' if value == ALL else value}" for name, value in more if value is not None)
        return f"{self.when}={numbers}{marks}{'+http=all' if self.http else ''}"

    def places(self, number: int, act: int, last: int) -> Iterator[tuple[int, float]]:
        """The acts after which message ``number``, caused by act ``act``, arrives; each with its place among others."""
        if self.when == "soon":
            yield act, float(number)
            return
        chance = Random(f"{self.seed}:{number}")
        due = last if self.when == "after" else chance.randint(act, last)
        place = float(self.ranks.index(number)) if number in self.ranks else chance.random() + len(self.ranks)
        if self.lose not in (number, ALL):
            yield due, place
        if self.twice in (number, ALL):
            yield chance.randint(due, last), place + chance.random() * (len(self.ranks) or 1)


ALL = -1


def parse(text: str) -> Order:
    """The order of this name. Raises UnreadableOrder."""
    found = _NAME.fullmatch(text)
    if found is None or not found[2]:
        raise UnreadableOrder(f"{text}: an order looks like after=2,0,1 or between=77+twice=3; take one from a report")
    numbers = tuple(int(one) for one in found[2].split(",") if one)
    marks = dict(one.split("=") for one in found[3].split("+") if one)
    values = {name: ALL if value == "all" else int(value) for name, value in marks.items() if name != "http"}
    ranked = "," in found[2]
    return Order(found[1], 0 if ranked else numbers[0], numbers if ranked else (), **values, http="http" in marks)


def permuted(count: int, most: int, seed: int) -> tuple[list[Order], bool]:
    """All orders of so many messages after the story if they are few, else ``most`` of them; and whether it is all."""
    if count <= MOST_EXHAUSTIVE and factorial(count) <= most:
        orders = [Order("after", ranks=(*ranks, *range(count, 2))) for ranks in permutations(range(count))]
        return orders, True
    return [Order("after", seed + number) for number in range(most)], False


def interleaved(most: int, seed: int) -> list[Order]:
    """Orders in which messages arrive while the story goes on; every fifth through the whole application."""
    return [Order("between", seed + number, http=number % 5 == 0) for number in range(most)]


def doubled(count: int, rounds: int, seed: int) -> list[Order]:
    """Each message twice, in some orders each, and all of them twice."""
    when = ("after", "between")
    one = [Order(when[turn % 2], seed + turn, twice=number) for turn in range(rounds) for number in range(count)]
    return one + [Order(when[turn % 2], seed + turn, twice=ALL) for turn in range(2 * rounds)]


def lossy(count: int, rounds: int, seed: int) -> list[Order]:
    """Each message lost, in some orders each, and all of them lost."""
    one = [Order("between", seed + turn, lose=number) for turn in range(rounds) for number in range(count)]
    return [*one, Order("after", seed, lose=ALL)]


def unreachable(count: int, rounds: int, seed: int) -> list[Order]:
    """Each message arriving first while Stripe cannot be reached, and all of them."""
    one = [Order("between", seed + turn, away=number) for turn in range(rounds) for number in range(count)]
    return [*one, Order("after", seed, away=ALL)]


def sample(orders: list[Order], most: int, seed: int) -> list[Order]:
    """So many of them by chance, in their order; all if they are no more."""
    if len(orders) <= most:
        return orders
    chosen = sorted(Random(seed).sample(range(len(orders)), most))
    return [orders[number] for number in islice(chosen, most)]
