"""Django integration: every request has its visit as `request.paywall`."""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

from paywall.verifier.client import Verifier
from paywall.verifier.gate import Gate, GateSettings, Visit

_GATE = ("join_url", *GateSettings.__optional_keys__)


class PaywallMiddleware:
    """Reads the setting `PAYWALL`, a dictionary with `issuer`, `join_url` and what else `Verifier` and `Gate` take.

    It may hold a `verifier` in place of the verifier's own values. A view asks
    `request.paywall.decide(require="analyses")` and shows `request.paywall.offer()`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._gate = _gate(getattr(settings, "PAYWALL", None))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Puts the visit in, and the headers of its decision into the answer."""
        authorization, cookies = request.META.get("HTTP_AUTHORIZATION", ""), request.META.get("HTTP_COOKIE", "")
        visit = Visit(self._gate, request.build_absolute_uri(), authorization, cookies)
        request.paywall = visit
        response = self._get_response(request)
        for name, value in visit.headers(response.headers.get("Vary", "")):
            if name == "Set-Cookie":
                response.cookies.load(value)
            else:
                response.headers[name] = value
        return response


def _gate(given: Mapping[str, Any] | None) -> Gate:
    if not isinstance(given, Mapping) or "join_url" not in given or not {"verifier", "issuer"} & set(given):
        raise ImproperlyConfigured("Set PAYWALL to a dictionary with 'issuer' (or 'verifier') and 'join_url'.")
    for_gate = {name: value for name, value in given.items() if name in _GATE}
    rest = {name: value for name, value in given.items() if name not in (*_GATE, "verifier")}
    return Gate(given["verifier"] if "verifier" in given else Verifier(**rest), **for_gate)
