"""The verifier that a content service holds: keys, check and renewal behind two methods."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from paywall.verifier.checker import NO_REVOCATIONS, TokenChecker
from paywall.verifier.decision import Decision, Renewal
from paywall.verifier.errors import KeysError, Reason
from paywall.verifier.keys import KeySet
from paywall.verifier.keysource import KeySource, PinnedKeys, RemoteKeys
from paywall.verifier.renewal import Renewer
from paywall.verifier.revocations import RevocationList
from paywall.verifier.transport import check_address


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Verifier:
    """Checks readers' access tokens offline, with the public keys of one paywall service.

    Make one per process and share it: it is thread-safe, starts no thread and makes no network call until a token
    needs one.
    """

    def __init__(
        self,
        issuer: str,
        service_key: str | None = None,
        audience: str = "content",
        keys: Mapping[str, Any] | None = None,
        *,
        timeout: float = 2.0,
        cooldown: float = 5.0,
        clock: Callable[[], datetime] = _utc_now,
        revocations: Callable[[], RevocationList] | None = None,
    ) -> None:
        """`issuer` is the service's base address, exactly as its tokens name it.

        `service_key` (`pwk_...`) is needed for `renew` only. `keys` pins a JWKS document; without it the keys are
        fetched from `/.well-known/jwks.json` below the issuer. `timeout` bounds a call to the service, `cooldown` is
        the least time between two fetches of keys; both in seconds. `clock` gives the aware time. `revocations`
        gives the list of what was taken back, as known now.

        Raises ValueError for an address that is none, KeysError for pinned keys that hold no usable key.
        """
        base = check_address(issuer)
        self.issuer = issuer
        self._checker = TokenChecker(issuer, audience)
        self._source: KeySource
        if keys is not None:
            self._source = PinnedKeys(_pinned(keys))
        else:
            self._source = RemoteKeys(f"{base}/.well-known/jwks.json", timeout=timeout, cooldown=cooldown)
        self._renewer = Renewer(f"{base}/v1/tokens/renew", service_key, timeout=timeout)
        self._clock = clock
        self._revocations = revocations

    def check(self, token: str | None, require: str | None = None, now: datetime | None = None) -> Decision:
        """May the bearer of this token read? Never raises for a token, however broken.

        `require` is the feature that the page belongs to (such as "analyses"); without it any valid token will do.
        A key id that is not known makes the keys be fetched once more, at most once per cool-down.
        """
        if token is None or token == "":
            return Decision.refuse(Reason.MISSING)
        keys = self._source.current()
        revoked = self._revocations() if self._revocations else NO_REVOCATIONS
        moment = now or self._clock()
        decision = self._checker.check(token, keys, moment, require, revoked)
        if decision.reason is not Reason.UNKNOWN_KEY:
            return decision
        kid = token.partition("~")[0]
        return self._checker.check(token, self._source.after_unknown(kid), moment, require, revoked)

    def renew(self, token: str) -> Renewal:
        """A fresh token in exchange for one that has expired. Network trouble gives a reason, never an exception.

        A token whose signature does not hold is not sent at all.
        """
        decision = self.check(token)
        return self._renewer.renew(token) if decision.claims else Renewal(reason=decision.reason)


def _pinned(document: Mapping[str, Any]) -> KeySet:
    keys = KeySet.from_jwks(document)
    if not keys:
        raise KeysError("the pinned document holds no Ed25519 key")
    return keys
