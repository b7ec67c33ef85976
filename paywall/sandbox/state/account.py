"""The account: its clock, its objects and the event that each change of them causes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from paywall.sandbox.clockfile import read_offset, write_offset
from paywall.sandbox.config import API_VERSION, SandboxConfig
from paywall.sandbox.errors import missing_object
from paywall.sandbox.state.bodies import Json, Value, differences, public
from paywall.sandbox.state.due import WALL, clock_of
from paywall.sandbox.state.ids import new_id
from paywall.sandbox.state.settings import DEFAULTS, check_setting
from paywall.sandbox.state.store import Store
from paywall.sandbox.webhooks.queue import enqueue, prepare


class Here(threading.local):
    """The moment of what this thread is doing, if it is not today, and the test clock that it lives by.

    Pinned while something that was due is done.
    """

    moment: int | None = None
    clock: str = WALL
    pinned: bool = False

    def keep(self) -> tuple[int | None, str, bool]:
        """Return what `restore` brings back."""
        return self.moment, self.clock, self.pinned

    def restore(self, kept: tuple[int | None, str, bool]) -> None:
        """Bring back an earlier moment."""
        self.moment, self.clock, self.pinned = kept


@dataclass(frozen=True)
class Cause:
    """The API request that events are put down to; both fields are None for what a page or time caused."""

    request_id: str | None = None
    idempotency_key: str | None = None


NOBODY = Cause()


class Account:
    """What every operation works on. Changes are made inside `unit()`, which is also the lock against doubles."""

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.store = Store(config.state)
        prepare(self.store)
        self.cause = NOBODY
        self.fresh = False
        self.on_events: Callable[[], None] = lambda: None
        self.here = Here()
        self.offset = read_offset(config.clock_file) if config.clock_file else self.settings()["offset"]

    def now(self) -> int:
        """The moment of whatever is being done, in unix seconds: of the thing that is due, the test clock, or today."""
        return self.here.moment if self.here.moment is not None else self.wall()

    def wall(self) -> int:
        """Return the sandbox's own time, whatever is being done."""
        return int(self.config.now().timestamp()) + self.offset

    @contextmanager
    def at(self, moment: int, clock: str = WALL) -> Iterator[None]:
        """Do something at its own moment (unix seconds) of its own clock."""
        before = self.here.keep()
        self.here.restore((moment, clock, True))
        try:
            yield
        finally:
            self.here.restore(before)

    def move(self, offset: int) -> None:
        """Set how far the sandbox's time is ahead of the wall clock, for everybody who reads the clock file."""
        if self.config.clock_file:
            write_offset(self.config.clock_file, offset)
        else:
            self.set_setting("offset", offset)
        self.offset = offset

    def settings(self) -> Json:
        """Return the account's settings, as its owner would choose them in Stripe's dashboard."""
        return DEFAULTS | self.store.settings()

    def set_setting(self, name: str, value: Value) -> None:
        """Choose one of the account's settings; raises ValueError for one that there is not."""
        check_setting(name, value)
        with self.store.unit():
            self.store.set_setting(name, value)

    @contextmanager
    def unit(self, cause: Cause = NOBODY) -> Iterator[None]:
        """Make changes whole or not at all, and put their events down to `cause`."""
        with self.store.unit():
            self.cause, before, moment = cause, self.cause, self.here.keep()
            try:
                yield
            finally:
                self.cause = before
                self.here.restore(moment)
        if self.fresh:
            self.fresh = False
            self.on_events()

    def get(self, kind: str, object_id: str, param: str = "id", status: int = 404) -> Json:
        """Return a stored object or raise Stripe's `resource_missing` naming `param`."""
        found = self.store.get(kind, object_id)
        if found is None:
            raise missing_object(kind, object_id, param, status)
        self.live_by(clock_of(found))
        return found

    def live_by(self, clock_id: str) -> None:
        """Take a test clock's time for the rest of the unit, as work on the customers bound to it does."""
        if clock_id == WALL or self.here.pinned or not self.store.depth:
            return
        clock = self.store.get("test_helpers.test_clock", clock_id)
        if clock:
            self.here.moment, self.here.clock = clock["frozen_time"], clock_id

    def create(self, body: Json, event: str | None = None) -> Json:
        """Store a new object, bound to the test clock that the unit lives by, and tell about it."""
        if self.here.clock != WALL:
            body["test_clock" if "test_clock" in body else "_clock"] = self.here.clock
        self.store.add(body)
        if event:
            self.emit(event, body)
        return body

    def amend(self, body: Json, event: str | None, **changes: Value) -> Json:
        """Store an object's changed fields and tell about them; no change, no event."""
        new = body | changes
        if new == body:
            return body
        self.store.put(new)
        if event:
            previous = differences(public(body), public(new)) if event.endswith(".updated") else None
            self.emit(event, new, previous)
        return new

    def emit(self, kind: str, body: Json, previous: Json | None = None) -> None:
        """Store an event with the object as it is now, and its delivery as pending."""
        data: Json = {"object": public(body)}
        if previous is not None:
            data["previous_attributes"] = previous
        event_id = new_id("evt")
        event = {
            "id": event_id,
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": enqueue(self.store, event_id, kind),
            "request": {"id": self.cause.request_id, "idempotency_key": self.cause.idempotency_key},
            "type": kind,
        }
        self.fresh = True
        self.store.add(event)
