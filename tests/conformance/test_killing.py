"""Kills begin at a saved point; what follows is played once for all that lead to the same state, and is judged."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.conformance.killing import KilledRun, Scout, kill_points
from tests.conformance.messages import Delivery, send
from tests.conformance.running import record
from tests.conformance.stage import Stage, opened
from tests.conformance.states import state_of
from tests.conformance.stories import BY_NAME

STORY = BY_NAME["webhook only"]


class Pretended:
    """A laboratory that says what it is told to say; ``reach`` is how many commits a message takes."""

    def __init__(self, stage: Stage, reach: int, last: str = "done") -> None:
        self._stage, self._reach, self._last = stage, reach, last

    def take(self, when: str, number: int, delivery: Delivery, moment: datetime) -> str:
        """Killed at the first commits without a trace; after the last one the message is taken."""
        if number <= self._reach:
            return "killed"
        if self._last == "done":
            send(self._stage.parts, delivery)
        return self._last


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with opened("sqlite", tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest.fixture(scope="module")
def tape(stage: Stage):
    return record(stage, STORY)


def test_every_commit_of_a_message_is_tried_and_equal_states_go_on_once(stage: Stage, tape, monkeypatch) -> None:
    """Three kills that leave nothing behind lead to one state; one message that was taken before leads to another."""
    real, rests = KilledRun.rest, []
    monkeypatch.setattr(KilledRun, "rest", lambda self: rests.append(self) or real(self))
    runs = list(kill_points(stage, STORY, tape, Pretended(stage, 3), 2, "before"))
    assert [run.killed for run in runs] == [True, True, True, False]
    assert [run.faults for run in runs] == [[], [], [], []]
    assert len(rests) == 2


def test_a_process_that_gives_up_by_itself_is_a_fault_with_its_reason(stage: Stage, tape) -> None:
    *_, last = kill_points(stage, STORY, tape, Pretended(stage, 1, "not done: 503 stripe_unavailable"), 0, "after")
    assert any("503 stripe_unavailable" in fault for fault in last.faults)


def test_what_a_kill_leaves_undone_is_found(stage: Stage, tape, monkeypatch) -> None:
    """After the kill no message comes any more, also not the one that was killed."""
    monkeypatch.setattr(KilledRun, "deliver", lambda self, delivery, **_how: None)
    run, *_ = kill_points(stage, STORY, tape, Pretended(stage, 1), 0, "before")
    assert "active gives None, deserved is" in "\n".join(run.faults)


def test_a_point_lies_before_its_message_and_after_the_others(stage: Stage, tape) -> None:
    """The waiting messages are those behind it."""
    point = Scout(stage, STORY, tape, 3).find()
    assert (point.delivered, len(point.waiting), point.delivery) == (3, tape.count - 4, tape.caused[1][3])


def test_a_message_that_a_story_has_not_is_named(stage: Stage, tape) -> None:
    with pytest.raises(AssertionError, match="webhook only has no message 99"):
        Scout(stage, STORY, tape, 99).find()


def test_a_state_is_the_same_whatever_chance_gave_and_another_where_a_row_differs(stage: Stage, tape) -> None:
    """Two runs differ in the ids of entitlements alone; another moment, or a row less, is another state."""
    states = []
    for _ in range(2):
        stage.show(tape.frames[-1], rows=True)
        for delivery in tape.caused[-1]:
            send(stage.parts, delivery)
        states.append(state_of(stage.take(), {}))
    frame = stage.take()
    assert states[0] == states[1]
    frame.rows["events"].pop()
    assert state_of(frame, {}) != states[0]
