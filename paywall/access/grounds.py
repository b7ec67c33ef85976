"""What the decision on a token rests on, so that it may be given again while that stands."""

import math
from dataclasses import dataclass
from datetime import datetime

from paywall.tokens.snapshot import Snapshot
from paywall.verifier import Claims, Decision, KeySet, Reason

Use = tuple[str, str, tuple[str, ...]]  # at which address, allowed or why not, which features had to be there


@dataclass(slots=True)
class Ground:
    """Keys, a span of time (Unix seconds), and that these claims are revoked, or are not.

    ``mark`` stands for the list of revocations that was looked at last: the list itself would be kept in memory by it.
    """

    use: Use
    claims: Claims | None
    keys: KeySet
    since: float
    until: float
    revoked: bool
    mark: object = None

    def stands(self, held: Snapshot, mark: object, now: datetime) -> bool:
        """Whether it would be decided alike now. ``mark`` is the one of the list that is held."""
        if self.keys is not held.keys or not self.since <= now.timestamp() < self.until:
            return False
        if self.mark is not mark:
            if self.claims is not None and held.revocations.hits(self.claims) is not self.revoked:
                return False
            self.mark = mark
        return True


def of(use: Use, decision: Decision, held: Snapshot, now: datetime, leeway: int) -> Ground | None:
    """What a decision of this moment rests on; None where it is not to be remembered.

    A text that is no good token is looked at anew each time, and so are claims from the future.
    """
    claims = decision.claims
    if claims is None:
        missing = decision.reason is Reason.MISSING
        return Ground(use, None, held.keys, -math.inf, math.inf, revoked=False) if missing else None
    begins, moment = claims.iat - leeway, now.timestamp()
    if moment < begins:
        return None
    since, until = (begins, claims.exp) if moment < claims.exp else (claims.exp, math.inf)
    return Ground(use, claims, held.keys, since, until, held.revocations.hits(claims))
