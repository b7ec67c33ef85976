"""Signature, claims, expiry, revocation, scope: the one check that the service and its clients share."""

from datetime import datetime

from paywall.verifier.claims import Claims, features_of, read_claims
from paywall.verifier.codec import TokenCodec
from paywall.verifier.decision import Decision
from paywall.verifier.errors import Reason, TokenError
from paywall.verifier.keys import KeySet
from paywall.verifier.remembered import Remembered, digest_of
from paywall.verifier.revocations import RevocationList

NO_REVOCATIONS = RevocationList()


class TokenChecker:
    """Checks the access tokens of one issuer for one audience. Thread-safe.

    What a good token says is remembered by its text (`cache_size` texts) while the key set stays the same; a refused
    text never is. Expiry, revocation and scope are looked at on every call.
    """

    def __init__(
        self,
        issuer: str,
        audience: str = "content",
        *,
        codec: TokenCodec | None = None,
        leeway: int = 60,
        cache_size: int = 4096,
    ) -> None:
        """`leeway`, in seconds, allows for an issuer's clock that runs ahead of ours. Expiry has none."""
        self.issuer = issuer
        self.audience = audience
        self.leeway = leeway
        self._codec = codec or TokenCodec()
        self._cache_size = cache_size
        # grants, made once: a page that is asked for again must cost next to nothing; with the keys that they rest on
        self._remembered: tuple[KeySet, Remembered[Decision]] = KeySet(), Remembered(cache_size)

    def read(self, token: str, keys: KeySet) -> Claims:
        """The claims of a token that verifies, whether expired or not.

        Raises TokenError: `malformed` (also for another issuer or audience), `unknown_key` or `bad_signature`.
        """
        if not isinstance(token, str):
            raise TokenError(Reason.MALFORMED, "a token is a text")
        claims = self._read(token, keys).claims
        if claims is None:
            raise TypeError("a grant has claims")
        return claims

    def _read(self, token: str, keys: KeySet) -> Decision:
        """The grant of a token that verifies."""
        known, remembered = self._remembered
        if known is not keys and known != keys:
            remembered = Remembered(self._cache_size)
            self._remembered = keys, remembered  # in one piece: threads share it
        digest = digest_of(token) if token.isascii() else b""
        grant = remembered.find(digest)
        if grant is None:
            grant = Decision.grant(read_claims(self._codec.loads(token, keys), self.issuer, self.audience))
            remembered.keep(digest, grant)
        return grant

    def judge(
        self,
        claims: Claims,
        now: datetime,
        require: str | None,
        revocations: RevocationList = NO_REVOCATIONS,
        tolerance: float = 0.0,
    ) -> Decision:
        """Decide on claims whose signature was checked. `now` is aware; a naive one raises ValueError.

        A token is taken for `tolerance` seconds after it expired, but never beyond the end of the access that it was
        made from; such a grant is marked as degraded.
        """
        return self._judge(Decision.grant(claims), now, require, revocations, tolerance)

    def _judge(
        self, grant: Decision, now: datetime, require: str | None, revocations: RevocationList, tolerance: float = 0.0
    ) -> Decision:
        claims = grant.claims
        if claims is None:
            raise TypeError("a grant has claims")
        if now.tzinfo is None:
            raise ValueError("now must be an aware time")
        seconds = now.timestamp()
        if claims.iat > seconds + self.leeway:
            return Decision.refuse(Reason.MALFORMED, claims)
        expired = seconds >= claims.exp
        if expired and seconds >= min(claims.exp + tolerance, claims.ent or 0):
            return Decision.refuse(Reason.EXPIRED, claims)
        if revocations.hits(claims):
            return Decision.refuse(Reason.REVOKED, claims)
        if require is not None and not (isinstance(require, str) and require in features_of(claims.scope)):
            return Decision.refuse(Reason.NOT_ENTITLED, claims)
        return Decision.grant(claims, degraded=True) if expired else grant

    def check(
        self,
        token: str | None,
        keys: KeySet,
        now: datetime,
        require: str | None = None,
        revocations: RevocationList = NO_REVOCATIONS,
    ) -> Decision:
        """Decide on a token text; no text whatever makes this raise."""
        if token is None or token == "":
            return Decision.refuse(Reason.MISSING)
        if not isinstance(token, str):
            return Decision.refuse(Reason.MALFORMED)
        try:
            grant = self._read(token, keys)
        except TokenError as error:
            return Decision.refuse(error.reason)
        return self._judge(grant, now, require, revocations)
