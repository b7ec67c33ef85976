"""What all integrations share: the token of a request, its decision with renewal, the offer, the answer's headers."""

from dataclasses import dataclass, replace
from typing import TypedDict
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from paywall.verifier.client import Verifier
from paywall.verifier.decision import Decision
from paywall.verifier.errors import Reason

COOKIE_SECONDS = 400 * 86400  # what browsers allow at most; the token inside is short-lived
CACHE_CONTROL = "private, no-store"
VARY = ("Cookie", "Authorization")
_RENEWABLE = (Reason.EXPIRED, Reason.REVOKED)


@dataclass(frozen=True, slots=True)
class Offer:
    """Where a reader without access can go; both addresses lead back to the page."""

    join_url: str
    sign_in_url: str


class GateSettings(TypedDict, total=False):
    """What an integration may be given beside the verifier and `join_url`; see `Gate`."""

    sign_in_url: str | None
    plan: str
    cookie_name: str
    cookie_domain: str | None
    cookie_secure: bool


@dataclass(frozen=True, slots=True)
class Gate:
    """How one content service asks for access: with which verifier and cookie, and where its readers subscribe.

    `sign_in_url` is by default `sign-in` beside `join_url`. The cookie's name and domain are those that the paywall
    service itself sets; without a domain the cookie belongs to this host alone.
    """

    verifier: Verifier
    join_url: str
    sign_in_url: str | None = None
    plan: str = "annual"
    cookie_name: str = "paywall_token"
    cookie_domain: str | None = None
    cookie_secure: bool = True

    def offer(self, return_to: str) -> Offer:
        """Addresses to subscribe and to sign in, that come back to `return_to`."""
        sign_in_url = self.sign_in_url or urljoin(self.join_url, "sign-in")
        return Offer(
            join_url=_with(self.join_url, plan=self.plan, return_to=return_to),
            sign_in_url=_with(sign_in_url, return_to=return_to),
        )

    def cookie(self, token: str) -> str:
        """The value of a Set-Cookie header (RFC 6265) for a token that verified, so that it has no foreign sign."""
        parts = [f"{self.cookie_name}={token}", f"Max-Age={COOKIE_SECONDS}", "Path=/", "HttpOnly", "SameSite=Lax"]
        if self.cookie_domain:
            parts.append(f"Domain={self.cookie_domain}")
        if self.cookie_secure:
            parts.append("Secure")
        return "; ".join(parts)


class Visit:
    """One request: what its reader may read. Not shared between requests."""

    def __init__(self, gate: Gate, url: str, authorization: str = "", cookies: str = "") -> None:
        """`url` is the page's address; the two others are the request's headers of these names."""
        self._gate = gate
        self.url = url
        scheme, _, value = authorization.partition(" ")
        self._from_cookie = scheme.lower() != "bearer"
        self._token = _cookie_of(cookies, gate.cookie_name) if self._from_cookie else value.strip()
        self._tried = False
        self._fresh: str | None = None
        self._unrenewed: str | None = None
        self.asked = False

    def decide(self, require: str | None = None) -> Decision:
        """May the reader read what belongs to the feature `require`?

        An expired or revoked cookie is renewed, once per request. A token from the Authorization header is not: its
        bearer could not be given the new one. The answer to the request becomes private and uncacheable.
        """
        self.asked = True
        decision = self._gate.verifier.check(self._fresh or self._token, require)
        if self._may_renew(decision):
            self._renew(self._token or "")
            decision = self._gate.verifier.check(self._fresh or self._token, require)
        return self._explained(decision)

    def glance(self, require: str | None = None) -> Decision | None:
        """As `decide`, but None where the answer may need the network."""
        self.asked = True
        decision = self._gate.verifier.glance(self._fresh or self._token, require)
        return None if decision is None or self._may_renew(decision) else self._explained(decision)

    def offer(self, return_to: str | None = None) -> Offer:
        """Addresses to subscribe and to sign in, that come back to `return_to` (by default this page)."""
        return self._gate.offer(return_to or self.url)

    def headers(self, vary: str = "") -> list[tuple[str, str]]:
        """What the answer has to carry, given the Vary header that it has so far; nothing if nothing was decided.

        Cache-Control and Vary take the place of the answer's own; Set-Cookie is one more.
        """
        if not self.asked:
            return []
        names = [name.strip() for name in vary.split(",") if name.strip()]
        there = {name.lower() for name in names}
        names += [name for name in VARY if name.lower() not in there]
        found = [("Cache-Control", CACHE_CONTROL), ("Vary", "*" if "*" in there else ", ".join(names))]
        if self._fresh:
            found.append(("Set-Cookie", self._gate.cookie(self._fresh)))
        return found

    def _may_renew(self, decision: Decision) -> bool:
        return decision.reason in _RENEWABLE and bool(self._token) and self._from_cookie and not self._tried

    def _renew(self, token: str) -> None:
        self._tried = True
        renewal = self._gate.verifier.renew(token)
        if renewal.token and self._gate.verifier.check(renewal.token).claims:
            self._fresh = renewal.token
        self._unrenewed = renewal.reason

    def _explained(self, decision: Decision) -> Decision:
        """A refusal that a renewal would have prevented, with the reason why there was none."""
        return replace(decision, renewal=self._unrenewed) if decision.reason in _RENEWABLE else decision


def replaced(headers: list[tuple[str, str]], visit: Visit) -> list[tuple[str, str]]:
    """An answer's headers with those of the visit in them."""
    vary = ", ".join(value for name, value in headers if name.lower() == "vary")
    ours = visit.headers(vary)
    if not ours:
        return headers
    return [one for one in headers if one[0].lower() not in ("cache-control", "vary")] + ours


def _cookie_of(header: str, name: str) -> str | None:
    """The first cookie of this name. Other cookies, however odd, do not matter: unlike in `http.cookies`."""
    for part in header.split(";"):
        key, separator, value = part.partition("=")
        if separator and key.strip() == name:
            return value.strip().strip('"')
    return None


def _with(url: str, **parameters: str) -> str:
    """The address with these query parameters added to those it has."""
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()])
    return urlunsplit(parts._replace(query=query))
