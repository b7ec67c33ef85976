"""The account: its clock, its objects and the event that each change of them causes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from paywall.sandbox.config import API_VERSION, SandboxConfig
from paywall.sandbox.errors import missing_object
from paywall.sandbox.state.bodies import Json, Value, differences, public
from paywall.sandbox.state.ids import new_id
from paywall.sandbox.state.store import Store
from paywall.sandbox.webhooks.queue import enqueue, prepare


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

    def now(self) -> int:
        """The sandbox's time in unix seconds."""
        return int(self.config.now().timestamp())

    @contextmanager
    def unit(self, cause: Cause = NOBODY) -> Iterator[None]:
        """Make changes whole or not at all, and put their events down to `cause`."""
        with self.store.unit():
            self.cause, before = cause, self.cause
            try:
                yield
            finally:
                self.cause = before
        if self.fresh:
            self.fresh = False
            self.on_events()

    def get(self, kind: str, object_id: str, param: str = "id", status: int = 404) -> Json:
        """Return a stored object or raise Stripe's `resource_missing` naming `param`."""
        found = self.store.get(kind, object_id)
        if found is None:
            raise missing_object(kind, object_id, param, status)
        return found

    def create(self, body: Json, event: str | None = None) -> Json:
        """Store a new object and tell about it."""
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
