"""Stripe's error bodies: one exception that carries everything the client is told.

Source: https://docs.stripe.com/api/errors and recorded answers.
"""

from typing import Any

# How Stripe calls a kind of object in "No such …", where it is not the object's own name.
NOUNS = {"payment_method": "PaymentMethod"}


class StripeError(Exception):
    """An answer other than success. `stored` is False where a repeat under the same idempotency key may differ."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        stored: bool = True,
        **more: str | None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.stored = stored
        self.facts = {"code": code, "message": message, "param": param, "type": kind} | more

    @property
    def message(self) -> str:
        """The sentence for people."""
        return str(self.args[0])

    def body(self, base_url: str, request_id: str) -> dict[str, Any]:
        """Return the JSON body; the log address leads to this sandbox's own timeline."""
        facts = {name: value for name, value in self.facts.items() if value is not None}
        if code := facts.get("code"):
            facts["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if self.status != 401:
            facts["request_log_url"] = f"{base_url}/?request={request_id}"
        return {"error": dict(sorted(facts.items()))}


def missing_object(kind: str, object_id: str, param: str, status: int = 404) -> StripeError:
    """404 for an object in the address, 400 for one in a parameter."""
    message = f"No such {NOUNS.get(kind, kind)}: '{object_id}'"
    return StripeError(message, status=status, code="resource_missing", param=param)


def bad_parameter(message: str, param: str, code: str | None = None) -> StripeError:
    """A parameter that fails its check before anything ran; never stored under an idempotency key."""
    return StripeError(message, param=param, code=code, stored=False)


def unsupported(thing: str, param: str | None = None) -> StripeError:
    """Something that Stripe does and this sandbox does not: said plainly instead of silently ignored."""
    return StripeError(f"The sandbox does not support {thing}.", param=param, stored=False)
