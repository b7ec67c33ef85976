"""For content services' own tests: a paywall service in memory, with real signatures and without a network."""

from collections.abc import Callable, Mapping
from datetime import datetime
from email.message import Message
from itertools import count
from typing import Any, Unpack

from paywall.verifier.client import Verifier
from paywall.verifier.codec import TokenCodec
from paywall.verifier.errors import TransportError
from paywall.verifier.keys import KeySet, SigningKey
from paywall.verifier.options import OptionValues, utc_now
from paywall.verifier.revocations import Revocation, RevocationList
from paywall.verifier.transport import Answer

_CODEC = TokenCodec("access")


class FakePaywall:
    """Makes tokens, takes them back, renews them or not, and can be out of reach.

    paywall = FakePaywall()
    verifier = paywall.verifier()
    assert verifier.check(paywall.token("analyses"), require="analyses").allowed

    Set `reachable` to False for an outage, `renews` to False for a service that refuses to renew.
    """

    def __init__(
        self, issuer: str = "https://paywall.test", audience: str = "content", clock: Callable[[], datetime] = utc_now
    ) -> None:
        """`clock` gives the aware time, to tokens and to the verifiers made here."""
        self.issuer = issuer
        self.audience = audience
        self.clock = clock
        self.reachable = True
        self.renews = True
        self._key = SigningKey.generate()
        self._numbers = count(1)
        self._revoked: list[Revocation] = []

    def verifier(self, **options: Unpack[OptionValues]) -> Verifier:
        """A verifier that trusts this service alone. It starts no thread; revocations count at once."""
        keys = KeySet({self._key.kid: self._key.public}).to_jwks()
        given: OptionValues = {"transport": self._answer, "clock": self.clock, **options}
        return Verifier(
            self.issuer, "pwk_fake", self.audience, keys, revocations=lambda: RevocationList(self._revoked), **given
        )

    def token(
        self,
        *features: str,
        reader: str = "rdr_fake",
        session: str = "ses_fake",
        lives: int = 900,
        access_for: int = 86400 * 365,
        **claims: Any,
    ) -> str:
        """A token for these features. It lives for `lives` seconds (less than nothing: it has expired), its reader's
        access goes on for `access_for`. `claims` take the place of those made here.
        """
        now = int(self.clock().timestamp())
        made = {
            "iss": self.issuer,
            "sub": reader,
            "aud": self.audience,
            "jti": f"tok_fake{next(self._numbers)}",
            "sid": session,
            "iat": min(now, now + lives - 1),
            "exp": now + lives,
            "ent": now + access_for,
            "gen": 1,
            "scope": " ".join(features),
        }
        return _CODEC.dumps({**made, **claims}, self._key)

    def revoke(self, token: str) -> None:
        """Take this token back. Raises TokenError for one that was not made here."""
        self._revoked.append(Revocation(jti=self._read(token)["jti"]))

    def sign_out(self, session: str = "ses_fake") -> None:
        """Take all tokens of a session back; they are not renewed either."""
        self._revoked.append(Revocation(sid=session))

    def _read(self, token: str) -> dict[str, Any]:
        return _CODEC.loads(token, KeySet({self._key.kid: self._key.public}))

    def _answer(self, url: str, *, send: Mapping[str, Any] | None = None, **_limits: Any) -> Answer:
        if not self.reachable or send is None:
            raise TransportError("the fake service is out of reach")
        return Answer(200, Message(), self._renewed(send["token"]))

    def _renewed(self, token: str) -> dict[str, Any]:
        claims = self._read(token)
        if Revocation(sid=claims["sid"]) in self._revoked:
            return {"active": False, "reason": "revoked"}
        if not self.renews:
            return {"active": False, "reason": "not_entitled"}
        fresh = self.token(*claims["scope"].split(), reader=claims["sub"], session=claims["sid"])
        return {"active": True, "token": fresh, "expires_in": 900}
