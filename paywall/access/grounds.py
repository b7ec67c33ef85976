"""What the decision on a token rests on, so that it may be given again while that stands."""

import math
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from paywall.tokens.snapshot import Snapshot
from paywall.verifier import Claims, Decision, KeySet, Reason


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """At which address, allowed or why not, which features had to be there. Made by ``use``, so that there are few."""

    address: str
    outcome: str
    features: tuple[str, ...]


@lru_cache(maxsize=256)
def use(address: str, reason: str | None, features: tuple[str, ...] = ()) -> Use:
    """What is counted and told of an answer."""
    return Use(address, reason or "allowed", features)


@dataclass(slots=True)
class Ground:
    """Keys, a span of time (Unix seconds), and that these claims are revoked, or are not.

    ``mark`` is that of the snapshot that was looked at last.
    """

    use: Use
    claims: Claims | None
    keys: KeySet
    since: float
    until: float
    revoked: bool
    mark: object

    def stands(self, held: Snapshot, now: datetime) -> bool:
        """Whether it would be decided alike from ``held`` now."""
        if not self.since <= now.timestamp() < self.until:
            return False
        if self.mark is not held.mark:
            if self.keys is not held.keys:
                return False
            if self.claims is not None and held.revocations.hits(self.claims) is not self.revoked:
                return False
            self.mark = held.mark
        return True


def of(use: Use, decision: Decision, held: Snapshot, now: datetime, leeway: int) -> Ground | None:
    """What a decision of this moment rests on; None where it is not to be remembered.

    A text that is no good token is looked at anew each time, and so are claims from the future.
    """
    claims = decision.claims
    if claims is None:
        missing = decision.reason is Reason.MISSING
        return Ground(use, None, held.keys, -math.inf, math.inf, revoked=False, mark=held.mark) if missing else None
    begins, moment = claims.iat - leeway, now.timestamp()
    if moment < begins:
        return None
    since, until = (begins, claims.exp) if moment < claims.exp else (claims.exp, math.inf)
    return Ground(use, claims, held.keys, since, until, held.revocations.hits(claims), held.mark)
