"""One run: a story is played, its messages are delivered in a given order, and every step is judged."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.conformance.judging import Judge, Standing, alike
from tests.conformance.messages import Delivery, send
from tests.conformance.orders import ALL, Order
from tests.conformance.stage import Frame, Stage
from tests.conformance.stories import Act, Story

ROUNDS = 6  # in which whatever was not dealt with, and whatever the service itself caused, is delivered


@dataclass
class Tape:
    """A story as it was once played with nothing delivered but what an act waits for."""

    frames: list[Frame] = field(default_factory=list)
    caused: list[list[Delivery]] = field(default_factory=list)

    standings: list[Standing] = field(default_factory=list)  # where its entitlements stand in the end

    @property
    def count(self) -> int:
        """How many messages the story causes."""
        return sum(map(len, self.caused))


class Run:
    """One run of a story on a stage; ``faults`` says what went wrong, ``trace`` what happened."""

    def __init__(self, stage: Stage, story: Story, tape: Tape | None, order: Order) -> None:
        self.stage, self.story, self.tape, self.order = stage, story, tape, order
        self.judge = Judge(stage)
        self.trace: list[str] = []
        self.messages = 0
        self.delivered = 0
        self.act = 0
        self._number = 0
        self._due: list[tuple[int, float, int, Delivery]] = []
        self._undone: dict[str, Delivery] = {}
        self._live = tape is None

    @property
    def faults(self) -> list[str]:
        """What is wrong."""
        return self.judge.faults

    def play(self, *, but_the_last: bool = False) -> "Run":
        """Plays the story to its end and delivers everything, in the order's way; or all until the last act."""
        self.stage.show(self.stage.beginning, rows=True)
        self.judge.begin()
        return self.go_on(0, but_the_last=but_the_last)

    def go_on(self, first: int, *, but_the_last: bool = False) -> "Run":
        """Plays the story from this act on."""
        for number, act in list(enumerate(self.story.acts))[first:]:
            if act.settles:
                self._deliver_until(len(self.story.acts))
                self._settle()
            self._perform(number, act)
            if but_the_last and number == len(self.story.acts) - 1:
                break
            self._deliver_until(number)
            if self.order.seed % 2:  # in every other run the worker is there all the time
                self.stage.expire()
        return self

    def finish(self) -> "Run":
        """What time does by itself: Stripe repeats what was not taken, the worker looks after what has run out."""
        self._settle()
        self.stage.expire()
        self.judge.at_the_end()
        found = self.judge.standings()
        told = self.tape.standings if self.tape and not self.story.forks else []
        if told and not alike(found, told):
            self.faults.append(f"in the end {found}, told in order it was {told}")
        return self

    def _perform(self, number: int, act: Act) -> None:
        self.trace.append(f"act {number}: {act.name}")
        self.act = number
        if self.tape is None or self._live or (act.joins and self.delivered):
            self._live = True
            act.play(self.stage)
            self.judge.shown(None)
            self._add(number, self.stage.caused())
        else:
            frame = self.tape.frames[number]
            self.stage.show(frame, rows=not self.delivered)
            self.judge.shown(frame.cases, () if self.delivered else frame.fetched)
            self._add(number, self.tape.caused[number])
        self.judge.look()

    def _add(self, act: int, caused: Sequence[Delivery]) -> None:
        last = len(self.story.acts) - 1
        for delivery in caused:
            for due, place in self.order.places(self._number, act, last):
                self._due.append((due, place, self._number, delivery))
            self._number += 1

    def _deliver_until(self, act: int) -> None:
        """Delivers what is due by an act, also what these deliveries cause."""
        while now := sorted((one for one in self._due if one[0] <= act), key=lambda one: one[:3]):
            self._due = [one for one in self._due if one[0] > act]
            self.deliver_all([(number, delivery) for *_, number, delivery in now])
            self._notice(act)

    def _notice(self, act: int) -> None:
        """The service itself acts at Stripe: from then on the tape shows another world."""
        if self.stage.changed and not self._live:
            self._live = True
        if self._live:
            self._add(act, self.stage.caused())

    def take_due(self) -> list[tuple[int, Delivery]]:
        """What waits to be delivered, in the order's way; from now on that is the caller's matter."""
        waiting, self._due = sorted(self._due, key=lambda one: one[:3]), []
        return [(number, delivery) for *_, number, delivery in waiting]

    def forget_undone(self) -> list[Delivery]:
        """What was delivered and not dealt with; it is not repeated then."""
        found = list(self._undone.values())
        self._undone.clear()
        return found

    def caused(self) -> list[tuple[int, Delivery]]:
        """What the service itself has caused at Stripe since this was asked last."""
        self._notice(len(self.story.acts))
        return self.take_due()

    def deliver_all(self, messages: list[tuple[int, Delivery]]) -> None:
        """Delivers messages, one after the other."""
        for number, delivery in messages:
            self.deliver(delivery, number=number, away=self.order.away in (number, ALL))

    def deliver(self, delivery: Delivery, *, number: int | None = None, away: bool = False) -> None:
        """Delivers one message, and judges what the reader may read then."""
        self.delivered += 1
        if away:
            with self.stage.sandbox.unreachable():
                done = self._send(delivery)
        else:
            done = self._send(delivery)
        where = " while Stripe is away" if away else ""
        self.trace.append(f"  {delivery.name} {delivery.key[-6:]}{where}: {'done' if done else 'not done'}")
        self._undone.pop(delivery.key, None)
        if not done:
            self._undone[delivery.key] = delivery
        self.judge.look(delivery.name)

    def _send(self, delivery: Delivery) -> bool:
        return self._send_over_http(delivery) if self.order.http else send(self.stage.parts, delivery)

    def _send_over_http(self, delivery: Delivery) -> bool:
        if delivery.event is not None:
            return self.stage.shop.deliver(delivery.event).status_code == 200
        return self.stage.browser.get(str(delivery.path)).status_code in (200, 303)

    def _settle(self) -> None:
        for _ in range(ROUNDS):
            self._deliver_until(len(self.story.acts))
            if not self._undone:
                return
            for delivery in list(self._undone.values()):
                self.deliver(delivery)
                self._notice(len(self.story.acts))
        if self._undone or self._due:
            self.judge.faults.append(f"after {ROUNDS} rounds not done: {sorted(self._undone)}")


def record(stage: Stage, story: Story) -> Tape:
    """Plays a story once, with nothing delivered but what an act waits for, and keeps what it looked like."""
    tape = Tape()
    run = Run(stage, story, None, Order("after"))
    stage.show(stage.beginning, rows=True)
    run.judge.begin()
    for number, act in enumerate(story.acts):
        if act.settles:
            run._settle()
        before = len(run._due)
        run._perform(number, act)
        tape.frames.append(stage.take(run.judge.fetched))
        tape.caused.append([one[3] for one in run._due[before:]])
    told = Run(stage, story, tape, Order("soon")).play().finish()
    if told.faults:
        raise AssertionError("\n".join([f"{story.name}, told in order:", *told.trace, *told.faults]))
    tape.standings = told.judge.standings()
    return tape
