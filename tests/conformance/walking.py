"""All orders of a story's messages at once: orders that lead to the same state go on as one.

What is delivered next finds the same rows, the same Stripe and the same clock, whichever way led there; so from there
on one walk stands for all of them. Runs of single orders, without this shortcut, are the check on that.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from random import Random

from tests.conformance.judging import Memory
from tests.conformance.messages import Delivery
from tests.conformance.orders import Order
from tests.conformance.running import Run, Tape
from tests.conformance.stage import Frame, Stage
from tests.conformance.states import state_of
from tests.conformance.stories import Story

MOST = 7  # messages whose orders are all walked; if there are more, the first of them come in an order of chance


@dataclass
class Node:
    """A state on the way: the stage, what the judge knows, what came, what waits, and how many orders led here.

    ``own`` names the messages that the service itself has caused: their ids are others on each way.
    """

    frame: Frame
    memory: Memory
    done: tuple[str, ...]
    waiting: dict[str, Delivery]
    own: dict[str, str] = field(default_factory=dict)
    orders: int = 1

    def state(self) -> Hashable:
        """What is equal for two nodes from which everything goes on alike."""
        return tuple(sorted(self.done)), tuple(sorted(self.waiting)), state_of(self.frame, self.own)


@dataclass
class Walk:
    """What a walk met: so many orders, with so many messages delivered; what went wrong, each with its way there."""

    orders: int = 0
    messages: int = 0
    failures: list[str] = field(default_factory=list)


class Walker:
    """Walks all orders of the messages that wait when a story is over."""

    def __init__(self, stage: Stage, story: Story, tape: Tape, seed: int) -> None:
        self._stage, self._seed = stage, seed
        self._run = Run(stage, story, tape, Order("after", seed))
        self._found = Walk()

    def walk(self) -> Walk:
        """Walks them all."""
        layer = [self._begin()]
        while layer:
            after: dict[Hashable, Node] = {}
            for node in layer:
                for name in node.waiting:
                    self._step(node, name, after)
                if not node.waiting:
                    self._end(node)
            layer = list(after.values())
        return self._found

    def _begin(self) -> Node:
        """The story is over. If it has many messages, the first of them have come, in an order of chance."""
        self._run.play(but_the_last=True)
        waiting = [(f"{delivery.name} {number}", delivery) for number, delivery in self._run.take_due()]
        Random(self._seed).shuffle(waiting)
        early, late = waiting[:-MOST], dict(waiting[-MOST:])
        for _, delivery in early:
            self._run.deliver(delivery)
        node = Node(self._stage.take(), self._run.judge.save(), tuple(name for name, _ in early), late)
        self._add_own(node)
        node.frame = self._stage.take()
        self._tell(node)
        return node

    def _step(self, node: Node, name: str, after: dict[Hashable, Node]) -> None:
        """Delivers one of the waiting messages; where that leads to a known state, the orders are added to it."""
        self._show(node)
        self._run.deliver(node.waiting[name])
        self._found.messages += 1
        waiting = {key: delivery for key, delivery in node.waiting.items() if key != name}
        found = replace(node, done=(*node.done, name), waiting=waiting, own=dict(node.own))
        self._add_own(found)
        found.frame, found.memory = self._stage.take(), self._run.judge.save()
        if self._tell(found):
            return
        state = found.state()
        if state in after:
            after[state].orders += found.orders
        else:
            after[state] = found

    def _add_own(self, node: Node) -> None:
        for _, delivery in self._run.caused():
            turn = sum(1 for name in node.own.values() if name.startswith(delivery.name))
            node.own[delivery.key] = f"{delivery.name} of our own {turn}"
            node.waiting[node.own[delivery.key]] = delivery

    def _end(self, node: Node) -> None:
        self._show(node)
        self._run.finish()
        self._found.orders += node.orders
        self._tell(node)

    def _tell(self, node: Node) -> bool:
        """Notes what went wrong on the way to a node; there is no point in going on from there."""
        faults = [*self._run.faults, *(f"{one.name} was not dealt with" for one in self._run.forget_undone())]
        self._run.faults.clear()
        if faults:
            self._found.failures.append("\n    ".join(["in this order:", *node.done, *faults]))
        return bool(faults)

    def _show(self, node: Node) -> None:
        self._stage.show(node.frame, rows=True)
        self._run.judge.restore(node.memory)
        self._run.trace.clear()
