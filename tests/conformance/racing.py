"""Two workers at once, threads or processes with their own connections: they take the same messages, or share them."""

import threading
from collections.abc import Sequence
from contextvars import Context
from random import Random

from paywall.storage.database import db
from tests.conformance.killing import Laboratory
from tests.conformance.messages import Delivery, send
from tests.conformance.orders import Order
from tests.conformance.running import Run, Tape
from tests.conformance.stage import Stage
from tests.conformance.stories import Story

WAIT_SECONDS = 120.0
NEVER = 0  # the commit at which a process dies that shall live


class RacedRun(Run):
    """A run in which what is due is taken by two threads at the same time; ``shared`` gives both of them everything."""

    def __init__(self, stage: Stage, story: Story, tape: Tape, order: Order, *, shared: bool) -> None:
        super().__init__(stage, story, tape, order)
        self._shared = shared
        self._chance = Random(order.seed)

    def deliver_all(self, messages: list[tuple[int, Delivery]]) -> None:
        """Delivers messages at once: each thread in an order of its own."""
        found = [delivery for _, delivery in messages]
        shares = [list(found), list(found)] if self._shared else [found[::2], found[1::2]]
        for share in shares:
            self._chance.shuffle(share)
        failed: dict[str, Delivery] = {}
        barrier = threading.Barrier(2)
        threads = [
            threading.Thread(target=Context().run, args=(self._work, share, barrier, failed)) for share in shares
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_SECONDS)
            assert not thread.is_alive(), "a worker hangs"
        self.delivered += sum(map(len, shares))
        self.trace.append(f"  at once: {[[one.name for one in share] for share in shares]}")
        self._undone.update(failed)
        self.judge.look("two workers")

    def _work(self, share: list[Delivery], barrier: threading.Barrier, failed: dict[str, Delivery]) -> None:
        with self.stage.shop.app.app_context():
            barrier.wait(WAIT_SECONDS)
            for delivery in share:
                try:
                    done = send(self.stage.parts, delivery)
                except Exception as error:
                    self.faults.append(f"a worker met {type(error).__name__}: {error}")
                    return
                if not done:
                    failed[delivery.key] = delivery


class ApartRun(RacedRun):
    """The same with two processes, each the child of a laboratory of its own."""

    def __init__(
        self, stage: Stage, story: Story, tape: Tape, order: Order, *, shared: bool, labs: Sequence[Laboratory]
    ) -> None:
        super().__init__(stage, story, tape, order, shared=shared)
        self._free = list(labs)

    def deliver_all(self, messages: list[tuple[int, Delivery]]) -> None:
        """Delivers messages at once; what the processes ask Stripe is not seen here."""
        db.session.remove()
        self.judge.blind()
        super().deliver_all(messages)

    def _work(self, share: list[Delivery], barrier: threading.Barrier, failed: dict[str, Delivery]) -> None:
        lab = self._free.pop()
        barrier.wait(WAIT_SECONDS)
        for delivery in share:
            outcome = lab.take("before", NEVER, delivery, self.stage.clock.moment)
            if outcome != "done":
                self.trace.append(f"  {delivery.name}: {outcome}")
                failed[delivery.key] = delivery
        self._free.append(lab)
