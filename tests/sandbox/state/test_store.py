"""State is changed whole or not at all, by one at a time, and survives a kill."""

import os
import signal
import stat
import subprocess
import sys
import threading

import pytest

from paywall.sandbox.state.filters import any_item, equals, none_of, one_of, unset, within
from paywall.sandbox.state.store import Store


def thing(number, **fields):
    return {"id": f"t_{number}", "object": "thing", "number": number, **fields}


@pytest.fixture
def store():
    store = Store(None)
    yield store
    store.close()


def found(store, *filters, **options):
    return [body["number"] for body in store.find("thing", filters, **options)]


def test_what_is_stored_is_found_by_kind_and_id(store):
    store.add(thing(1))
    assert store.get("thing", "t_1") == thing(1)
    assert store.get("other", "t_1") is None
    store.put(thing(1, more="x"))
    assert store.get("thing", "t_1")["more"] == "x"
    store.remove("t_1")
    assert store.get("thing", "t_1") is None


def test_a_failed_unit_leaves_nothing_not_even_its_inner_ones(store):
    def work():
        with store.unit():
            store.add(thing(1))
            with store.unit():
                store.add(thing(2))
            raise LookupError("stop")

    with pytest.raises(LookupError, match="stop"):
        work()
    assert found(store) == []
    with store.unit():
        store.add(thing(3))
    assert found(store) == [3]


def test_units_of_many_threads_do_not_mix(store):
    store.add(thing(1, count=0))

    def add():
        for _ in range(50):
            with store.unit():
                body = store.get("thing", "t_1")
                store.put(body | {"count": body["count"] + 1})

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("thing", "t_1")["count"] == 200


def test_objects_are_found_newest_first_or_oldest_first(store):
    for number in (1, 2, 3):
        store.add(thing(number))
    assert found(store) == [3, 2, 1]
    assert found(store, limit=2) == [3, 2]
    assert found(store, oldest_first=True) == [1, 2, 3]


@pytest.mark.parametrize(
    ("condition", "numbers"),
    [
        (equals("state", "open"), [2, 1]),
        (equals("deep.name", "b"), [2]),
        (one_of("number", [1, 3]), [3, 1]),
        (none_of("state", ["open"]), [3]),
        (unset("gone"), [2, 1]),
        (within("number", 2), [2]),
        (within("number", {"gt": 1, "lte": 3}), [3, 2]),
        (within("number", {}), [3, 2, 1]),
        (any_item("items", "price.id", "p2"), [3]),
        (equals("flag", True), [1]),
        (equals("state", "x' OR '1'='1"), []),
    ],
)
def test_conditions_look_into_the_bodies(store, condition, numbers):
    store.add(thing(1, state="open", deep={"name": "a"}, items=[], flag=True))
    store.add(thing(2, state="open", deep={"name": "b"}, items=[{"price": {"id": "p1"}}], flag=False))
    store.add(thing(3, state="done", gone=1, items=[{"price": {"id": "p1"}}, {"price": {"id": "p2"}}]))
    assert found(store, condition) == numbers


def test_a_file_is_kept_private_and_read_again(tmp_path):
    path = tmp_path / "deep" / "state.db"
    store = Store(path)
    store.add(thing(1))
    store.close()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    again = Store(path)
    assert found(again) == [1]
    again.close()


WRITER = """
import sys
from pathlib import Path
from paywall.sandbox.state.store import Store
store = Store(Path(sys.argv[1]))
for number in range(100000):
    with store.unit():
        store.add({"id": f"a_{number}", "object": "thing", "number": number})
        store.add({"id": f"b_{number}", "object": "thing", "number": number})
    print(number, flush=True)
"""


def test_a_kill_in_the_middle_loses_nothing_that_was_done(tmp_path):
    """Killed while it writes pairs: every pair that was reported is there, and no half of one."""
    path = tmp_path / "state.db"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        reported = -1
        while reported < 30:
            reported = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        rest = [int(line) for line in writer.stdout.read().split() if line.isdecimal()]
    store = Store(path)
    numbers = found(store)
    store.close()
    assert max(numbers) >= max([reported, *rest[:-1]])
    assert all(numbers.count(number) == 2 for number in set(numbers))


def test_a_state_from_before_moments_were_kept_is_still_played(tmp_path):
    old = Store(tmp_path / "state")
    old.add({"id": "cs_1", "object": "checkout.session", "status": "open", "expires_at": 7})
    old.add({"id": "cs_2", "object": "checkout.session", "status": "complete", "expires_at": 5})
    old.rows("DELETE FROM moments")
    old.close()
    new = Store(tmp_path / "state")
    assert new.next_moment("", 7) == ("cs_1", 7)
    assert new.next_moment("", 6) is None
    new.close()


def test_the_next_moment_follows_every_change_of_an_object(store):
    store.add({"id": "x", "object": "thing", "_due": 9, "_clock": "clock_1"})
    assert (store.next_moment("clock_1", 9), store.next_moment("", 9)) == (("x", 9), None)
    store.put({"id": "x", "object": "thing", "_due": 4, "_clock": "clock_1"})
    assert store.next_moment("clock_1", 9) == ("x", 4)
    store.remove("x")
    assert store.next_moment("clock_1", 9) is None
