"""What can go wrong between Stripe and us, as errors of ours."""

from paywall.errors import BadRequest, PaywallError, Unavailable


class StripeUnavailable(Unavailable):
    """Stripe did not answer, or asked us to come back: the same call may be repeated."""

    code = "stripe_unavailable"
    title = "The payment service does not answer"

    def __init__(self) -> None:
        super().__init__("The payment service does not answer right now. Nothing was charged; try again in a minute.")


class StripeNotFound(PaywallError):
    """Stripe has no such object in this account and mode."""

    code, status, title = "stripe_not_found", 404, "The payment service does not know this"


class StripeRefused(PaywallError):
    """Stripe understood and refused: repeating the call does not help. ``stripe_code`` is Stripe's."""

    code, status, title = "stripe_refused", 502, "The payment service refused the request"

    def __init__(self, stripe_code: str | None) -> None:
        super().__init__("The payment service refused the request. Nothing was charged; please try again later.")
        self.stripe_code = stripe_code


class BadSignature(BadRequest):
    """The event is not signed by any secret that we know, or too long ago."""

    code, title = "bad_signature", "The event's signature does not hold"


class BadEvent(BadRequest):
    """The event is signed, but is not a snapshot event of one object."""

    code, title = "bad_event", "The event cannot be read"
