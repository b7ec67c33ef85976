"""Flask integration: decides for the current request and finishes its answer."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Unpack

from flask import Flask, Response, current_app, g, request

from paywall.verifier.client import Verifier
from paywall.verifier.decision import Decision
from paywall.verifier.gate import Gate, GateSettings, Offer, Visit

__all__ = ["Offer", "Paywall"]


class Paywall:
    """Decides per request; one instance per application.

    paywall = Paywall(app, verifier, join_url="https://pay.example/join")

    @app.get("/article")
    @paywall.decided("analyses")
    def article(decision, offer):
        return full_text() if decision.allowed else opening(offer.join_url)
    """

    def __init__(self, app: Flask, verifier: Verifier, join_url: str, **settings: Unpack[GateSettings]) -> None:
        """For `settings` see `Gate`: `sign_in_url`, `plan`, `cookie_name`, `cookie_domain`, `cookie_secure`."""
        self._gate = Gate(verifier, join_url, **settings)
        app.extensions["paywall"] = self
        app.after_request(self._finish)

    def decide(self, require: str | None = None) -> Decision:
        """May the reader of the current request read what belongs to the feature `require`? See `Visit.decide`."""
        return self._visit().decide(require)

    def decided(self, require: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A decorator: the view is given `decision` and `offer` as further arguments. Stands below the route.

        It refuses nobody: without `decision.allowed` the view shows the opening, and the offer.
        """

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(view)
            def with_decision(*args: Any, **values: Any) -> Any:
                decision = self.decide(require)
                return current_app.ensure_sync(view)(*args, **values, decision=decision, offer=self.offer())

            return with_decision

        return decorate

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
