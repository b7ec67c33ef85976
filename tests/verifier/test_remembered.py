"""What is remembered of good tokens: bounded, the one not asked for longest forgotten first, by many threads."""

import random
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from paywall.verifier.remembered import Remembered, digest_of


@given(st.integers(1, 4), st.lists(st.tuples(st.booleans(), st.integers(0, 6)), max_size=40))
def test_the_last_ones_that_were_asked_for_or_kept_are_there(size: int, steps: list[tuple[bool, int]]) -> None:
    """Against a list in the order of use."""
    memory: Remembered[int] = Remembered(size)
    used: list[int] = []
    for keeps, number in steps:
        digest = digest_of(str(number))
        there = number in used
        if keeps:
            memory.keep(digest, number)
            used = [one for one in used if one != number] + [number] if there else [*used, number][-size:]
            if there:  # kept anew it stays in its place
                memory.find(digest)
        else:
            assert memory.find(digest) == (number if there else None)
            used = [one for one in used if one != number] + [number] if there else used
        assert len(memory) == len(used) <= size


def test_nothing_is_remembered_with_a_size_of_none() -> None:
    memory: Remembered[int] = Remembered(0)
    memory.keep(b"one", 1)
    assert (memory.find(b"one"), len(memory)) == (None, 0)


def test_many_threads_share_it() -> None:
    """None fails, none gets what is another's, and the bound holds in the end."""
    memory: Remembered[int] = Remembered(50)

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(5000):
            number = chance.randrange(200)
            found = memory.find(digest_of(str(number)))
            assert found in (None, number)
            memory.keep(digest_of(str(number)), number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(memory) <= 50
