"""The answers of this library: may this reader read, and what came of a renewal."""

from dataclasses import dataclass
from typing import Self

from paywall.verifier.claims import Claims
from paywall.verifier.errors import Reason


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a token opens what was asked for. A refusal has a `reason`; a grant never has one.

    `active` and `allowed` are false together: a valid token that lacks the required feature counts as refused, with
    the reason `not_entitled`. `claims` are those of a token that verified, also when it was refused afterwards.
    `degraded` marks a grant that rests on what was known before the service could no longer be reached. `renewal` says
    why a cookie that had expired or was taken back was not replaced, as `Renewal.reason` does: `unavailable` when the
    service could not be asked, `not_entitled` when its reader has no access any more.
    """

    allowed: bool
    active: bool
    reason: Reason | None = None
    claims: Claims | None = None
    degraded: bool = False
    renewal: str | None = None

    @classmethod
    def grant(cls, claims: Claims, degraded: bool = False) -> Self:
        """A token that opens what was asked for."""
        return cls(allowed=True, active=True, claims=claims, degraded=degraded)

    @classmethod
    def refuse(cls, reason: Reason, claims: Claims | None = None) -> Self:
        """A token that opens nothing, for this reason."""
        return cls(allowed=False, active=False, reason=reason, claims=claims)


@dataclass(frozen=True, slots=True)
class Renewal:
    """What came of asking for a new token: `token` with `expires_in` seconds, or a `reason`.

    The reason is one of `Reason`, `unavailable` (no usable answer from the service) or `no_service_key`.
    """

    token: str | None = None
    expires_in: int | None = None
    reason: str | None = None

    def __repr__(self) -> str:
        return f"Renewal(renewed={self.token is not None}, expires_in={self.expires_in}, reason={self.reason!r})"
