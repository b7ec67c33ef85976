"""Flask integration: reads the token of a request, renews it, sets the cookie and the caching headers."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from flask import Flask, Response, g, request

from paywall.verifier.client import Verifier
from paywall.verifier.decision import Decision
from paywall.verifier.errors import Reason

COOKIE_SECONDS = 400 * 86400  # what browsers allow at most; the token inside is short-lived
_RENEWABLE = (Reason.EXPIRED, Reason.REVOKED)


@dataclass(frozen=True, slots=True)
class Offer:
    """Where a reader without access can go; both addresses lead back to the page."""

    join_url: str
    sign_in_url: str


@dataclass(slots=True)
class _Seen:
    """What this request brought, and the token that replaced it."""

    token: str | None
    from_cookie: bool
    tried: bool = False
    fresh: str | None = None


class Paywall:
    """Decides per request; one instance per application.

    paywall = Paywall(app, verifier, join_url="https://pay.example/join")
    decision = paywall.decide(require="analyses")
    if not decision.allowed: show the opening and paywall.offer(request.url)
    """

    def __init__(
        self,
        app: Flask,
        verifier: Verifier,
        join_url: str,
        *,
        sign_in_url: str | None = None,
        plan: str = "annual",
        cookie_name: str = "paywall_token",
        cookie_domain: str | None = None,
        cookie_secure: bool = True,
    ) -> None:
        """`sign_in_url` is by default `sign-in` beside `join_url`. The cookie's name and domain are those that the
        paywall service itself sets; without a domain the cookie belongs to this host alone.
        """
        self._verifier = verifier
        self._join_url = join_url
        self._sign_in_url = sign_in_url or urljoin(join_url, "sign-in")
        self._plan = plan
        self._cookie_name = cookie_name
        self._cookie_domain = cookie_domain
        self._cookie_secure = cookie_secure
        app.extensions["paywall"] = self
        app.after_request(self._finish)

    def decide(self, require: str | None = None) -> Decision:
        """May the reader of the current request read what belongs to the feature `require`?

        An expired or revoked cookie is renewed, once per request. A token from the Authorization header is not: its
        bearer could not be given the new one. The answer to the request becomes private and uncacheable.
        """
        seen = self._seen()
        decision = self._verifier.check(seen.fresh or seen.token, require)
        if decision.reason in _RENEWABLE and seen.token and seen.from_cookie and not seen.tried:
            seen.tried = True
            seen.fresh = self._verifier.renew(seen.token).token
            if seen.fresh:
                return self._verifier.check(seen.fresh, require)
        return decision

    def offer(self, return_to: str | None = None) -> Offer:
        """Addresses to subscribe and to sign in, that come back to `return_to` (by default this page)."""
        target = return_to or request.url
        return Offer(
            join_url=_with(self._join_url, plan=self._plan, return_to=target),
            sign_in_url=_with(self._sign_in_url, return_to=target),
        )

    def _seen(self) -> _Seen:
        if "_paywall" not in g:
            scheme, _, value = request.headers.get("Authorization", "").partition(" ")
            if scheme.lower() == "bearer":
                g._paywall = _Seen(value.strip(), from_cookie=False)
            else:
                g._paywall = _Seen(request.cookies.get(self._cookie_name), from_cookie=True)
        seen: _Seen = g._paywall
        return seen

    def _finish(self, response: Response) -> Response:
        seen: _Seen | None = g.get("_paywall")
        if seen is None:
            return response
        response.headers["Cache-Control"] = "private, no-store"
        response.vary.update(["Cookie", "Authorization"])
        if seen.fresh:
            response.set_cookie(
                self._cookie_name,
                seen.fresh,
                max_age=COOKIE_SECONDS,
                domain=self._cookie_domain,
                secure=self._cookie_secure,
                httponly=True,
                samesite="Lax",
            )
        return response


def _with(url: str, **parameters: str) -> str:
    """The address with these query parameters added to those it has."""
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()])
    return urlunsplit(parts._replace(query=query))
