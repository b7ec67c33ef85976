"""Flask integration: decides for the current request and finishes its answer."""

from typing import Unpack

from flask import Flask, Response, g, request

from paywall.verifier.client import Verifier
from paywall.verifier.decision import Decision
from paywall.verifier.gate import Gate, GateSettings, Offer, Visit

__all__ = ["Offer", "Paywall"]


class Paywall:
    """Decides per request; one instance per application.

    paywall = Paywall(app, verifier, join_url="https://pay.example/join")
    decision = paywall.decide(require="analyses")
    if not decision.allowed: show the opening and paywall.offer(request.url)
    """

    def __init__(self, app: Flask, verifier: Verifier, join_url: str, **settings: Unpack[GateSettings]) -> None:
        """For `settings` see `Gate`: `sign_in_url`, `plan`, `cookie_name`, `cookie_domain`, `cookie_secure`."""
        self._gate = Gate(verifier, join_url, **settings)
        app.extensions["paywall"] = self
        app.after_request(self._finish)

    def decide(self, require: str | None = None) -> Decision:
        """May the reader of the current request read what belongs to the feature `require`? See `Visit.decide`."""
        return self._visit().decide(require)

    def offer(self, return_to: str | None = None) -> Offer:
        """Addresses to subscribe and to sign in, that come back to `return_to` (by default this page)."""
        return self._gate.offer(return_to or request.url)

    def _visit(self) -> Visit:
        if "_paywall" not in g:
            headers = request.headers
            g._paywall = Visit(self._gate, request.url, headers.get("Authorization", ""), headers.get("Cookie", ""))
        visit: Visit = g._paywall
        return visit

    def _finish(self, response: Response) -> Response:
        visit: Visit | None = g.get("_paywall")
        if visit is None:
            return response
        for name, value in visit.headers(response.headers.get("Vary", "")):
            if name == "Set-Cookie":
                response.headers.add(name, value)
            else:
                response.headers[name] = value
        return response
