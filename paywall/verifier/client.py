"""The verifier that a content service holds: keys, revocations, check and renewal behind a few methods."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, Unpack

from paywall.verifier import forking
from paywall.verifier.checker import NO_REVOCATIONS, TokenChecker
from paywall.verifier.codec import key_id
from paywall.verifier.decision import Decision, Renewal
from paywall.verifier.errors import KeysError, Reason
from paywall.verifier.keys import KeySet
from paywall.verifier.keysource import KeySource, PinnedKeys, RemoteKeys
from paywall.verifier.line import Line
from paywall.verifier.options import Options, OptionValues
from paywall.verifier.refresher import Refresher
from paywall.verifier.renewal import Renewer
from paywall.verifier.revocations import RevocationList
from paywall.verifier.revocationsource import GivenRevocations, RemoteRevocations, RevocationSource
from paywall.verifier.transport import check_address


@dataclass(frozen=True, slots=True)
class Status:
    """What a verifier knows at this moment, for a health page or metrics.

    `reachable`: whether the service answered when it was last asked; `revocations_age`: seconds since the revocation
    list was last read; `degraded`: how many grants of this process rested on what was known before an outage.
    """

    reachable: bool
    keys: int
    revocations: int
    revocations_age: float
    degraded: int


class Verifier:
    """Checks readers' access tokens offline, with the public keys of one paywall service.

    Make one per process and share it: it is safe to use from threads and across forks. It makes no network call and
    starts no thread until a token needs one. `close`, or leaving it as a context, ends what it started.
    """

    def __init__(
        self,
        issuer: str,
        service_key: str | None = None,
        audience: str = "content",
        keys: Mapping[str, Any] | None = None,
        *,
        revocations: Callable[[], RevocationList] | None = None,
        **options: Unpack[OptionValues],
    ) -> None:
        """`issuer` is the service's base address, exactly as its tokens name it.

        `service_key` (`pwk_...`) is needed to renew tokens and to learn which were taken back. `keys` pins a JWKS
        document; without it the keys are fetched from `/.well-known/jwks.json` below the issuer. `revocations` gives
        the list of what was taken back, in place of the service's. For `options` see `Options`.

        Raises ValueError for an address that is none and for an impossible option, TypeError for an unknown option,
        KeysError for pinned keys that hold no usable key.
        """
        base = check_address(issuer)
        self.issuer = issuer
        self._options = Options(**options)
        self._checker = TokenChecker(issuer, audience, leeway=self._options.leeway, cache_size=self._options.cache_size)
        self._line = Line(self._options.transport, timeout=self._options.timeout)
        # renewals may fail alone, and nothing but the next one tells that they work again: so a shorter memory
        self._renewals = Line(self._options.transport, timeout=self._options.timeout, memory=10.0)
        self._source = self._keys_of(base, keys)
        self._revoked = self._revocations_of(base, service_key, revocations)
        self._renewer = Renewer(f"{base}/v1/tokens/renew", service_key, self._renewals)
        remote = (self._revoked, self._source)
        self._refresher = Refresher([one for one in remote if isinstance(one, RemoteKeys | RemoteRevocations)])
        self._may_be_old = 2 * self._options.refresh + self._options.timeout
        self._degraded = 0
        self.after_fork()
        forking.tell(self)

    def after_fork(self) -> None:
        """Makes a lock that nobody holds."""
        self._counting = threading.Lock()

    def _keys_of(self, base: str, keys: Mapping[str, Any] | None) -> KeySource:
        if keys is not None:
            return PinnedKeys(_pinned(keys))
        return RemoteKeys(f"{base}/.well-known/jwks.json", self._line, cooldown=self._options.cooldown)

    def _revocations_of(
        self, base: str, service_key: str | None, given: Callable[[], RevocationList] | None
    ) -> RevocationSource:
        if given is not None or service_key is None:
            return GivenRevocations(given or _none)
        return RemoteRevocations(
            f"{base}/v1/revocations",
            service_key,
            self._line,
            interval=self._options.refresh,
            keep=self._options.degraded,
            now=self._options.clock,
        )

    def check(self, token: str | None, require: str | None = None, now: datetime | None = None) -> Decision:
        """May the bearer of this token read? Never raises for a token, however broken.

        `require` is the feature that the page belongs to (such as "analyses"); without it any valid token will do.
        The first call fetches keys and revocations; later ones never wait for the network, but for a token whose key
        is not known: then keys are fetched once more, at most once per cool-down.
        """
        if token is None or token == "":
            return Decision.refuse(Reason.MISSING)
        if self._options.background:
            self._refresher.start()
        moment = now or self._options.clock()
        decision = self._judge(token, self._source.current(), require, moment)
        if decision.reason is Reason.UNKNOWN_KEY:
            return self._judge(token, self._source.after_unknown(key_id(token)), require, moment)
        return decision

    def glance(self, token: str | None, require: str | None = None, now: datetime | None = None) -> Decision | None:
        """As `check`, but None where the answer may need the network: for event loops, which must not wait."""
        if token and not (self._source.ready and self._revoked.ready):
            return None
        if token and self._options.background:
            self._refresher.start()
        if not token:
            return Decision.refuse(Reason.MISSING)
        decision = self._judge(token, self._source.current(), require, now or self._options.clock())
        return None if decision.reason is Reason.UNKNOWN_KEY else decision

    def _judge(self, token: str, keys: KeySet, require: str | None, moment: datetime) -> Decision:
        revoked = self._revoked.current()
        decision = self._checker.check(token, keys, moment, require, revoked)
        if decision.reason is Reason.EXPIRED and decision.claims and (self._line.lost or self._renewals.lost):
            tolerance = self._options.degraded
            decision = self._checker.judge(decision.claims, moment, require, revoked, tolerance)
        overdue = self._revoked.age() - self._may_be_old
        if decision.allowed and (decision.degraded or overdue > 0):
            return self._in_outage(decision, overdue)
        return decision

    def _in_outage(self, decision: Decision, overdue: float) -> Decision:
        """A grant that rests on old knowledge: counted, and refused once the revocation list is too old for it."""
        if decision.claims is None or overdue > self._options.degraded:
            return Decision.refuse(Reason.UNAVAILABLE, decision.claims)
        with self._counting:
            self._degraded += 1
        return Decision.grant(decision.claims, degraded=True)

    def renew(self, token: str) -> Renewal:
        """A fresh token in exchange for one that has expired. Network trouble gives a reason, never an exception.

        A token whose signature does not hold is not sent at all.
        """
        decision = self.check(token)
        return self._renewer.renew(token) if decision.claims else Renewal(reason=decision.reason)

    def refresh(self) -> float:
        """Do at once what the background thread would do now; returns the seconds until there is more to do."""
        return self._refresher.turn()

    def status(self) -> Status:
        """What is known at this moment, without asking anybody."""
        return Status(
            reachable=not (self._line.lost or self._renewals.lost),
            keys=len(self._source.current()) if self._source.ready else 0,
            revocations=len(self._revoked.current()) if self._revoked.ready else 0,
            revocations_age=self._revoked.age(),
            degraded=self._degraded,
        )

    def close(self) -> None:
        """End the background thread. Checks go on with what is known, until the revocation list is too old."""
        self._refresher.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _none() -> RevocationList:
    return NO_REVOCATIONS


def _pinned(document: Mapping[str, Any]) -> KeySet:
    keys = KeySet.from_jwks(document)
    if not keys:
        raise KeysError("the pinned document holds no Ed25519 key")
    return keys
