"""How a verifier behaves, apart from whom it trusts: times, bounds, and the way to the service."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypedDict

from paywall.verifier.transport import Exchange, exchange

LONGEST_DEGRADED = 3600.0


def utc_now() -> datetime:
    """The aware time of this machine."""
    return datetime.now(UTC)


class OptionValues(TypedDict, total=False):
    """The options as keyword arguments; see `Options`."""

    timeout: float
    cooldown: float
    refresh: float
    leeway: int
    degraded: float
    cache_size: int
    background: bool
    clock: Callable[[], datetime]
    transport: Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """All times in seconds; each may be given to `Verifier` by its name.

    timeout      bounds one call to the service
    cooldown     the least time between two fetches of keys
    refresh      the longest time between two readings of the revocation list
    leeway       by how much the service's clock may run ahead of ours
    degraded     for how long tokens are taken after they expired while the service cannot be reached; 0: never
    cache_size   how many good tokens are remembered
    background   whether a thread may be started; without it call `Verifier.refresh` every few seconds
    clock        gives the aware time
    transport    asks the service; tests may put their own in its place
    """

    timeout: float = 2.0
    cooldown: float = 5.0
    refresh: float = 30.0
    leeway: int = 60
    degraded: float = 600.0
    cache_size: int = 4096
    background: bool = True
    clock: Callable[[], datetime] = utc_now
    transport: Exchange = exchange

    def __post_init__(self) -> None:
        if not 0 <= self.degraded <= LONGEST_DEGRADED:
            raise ValueError("degraded must be from 0 to 3600 seconds")
        if self.timeout <= 0 or self.cooldown < 0 or self.refresh <= 0 or self.leeway < 0:
            raise ValueError("times must be positive numbers of seconds")
        if self.cache_size < 1:
            raise ValueError("cache_size must be at least 1")
