"""When a stored object next changes by itself, and whose time it lives in."""

from paywall.sandbox.state.bodies import Json

OVER = ("canceled", "incomplete_expired")
UNPAID_FIRST = 23 * 3600  # seconds that a first invoice may stay unpaid
WARNING = 3 * 86400  # seconds before the end of a trial that Stripe tells about it
WALL = ""  # the clock of everything that is bound to no test clock


def clock_of(body: Json) -> str:
    """Return the id of the test clock that an object lives by, or WALL."""
    return body.get("test_clock") or body.get("_clock") or WALL


def due_of(body: Json) -> int | None:
    """Return the next moment (unix seconds) at which something happens to an object, or None.

    Objects of other kinds may carry their moment as `_due`.
    """
    known = {
        "checkout.session": session_due,
        "subscription": subscription_due,
        "invoice": invoice_due,
        "test_helpers.test_clock": clock_due,
    }
    moments = [known[body["object"]](body)] if body["object"] in known else []
    return earliest([*moments, body.get("_due")])


def earliest(moments: list[int | None]) -> int | None:
    """Return the first of the moments that are set."""
    return min((moment for moment in moments if moment is not None), default=None)


def session_due(session: Json) -> int | None:
    """An open session expires."""
    return session["expires_at"] if session.get("status") == "open" else None


def ends_of(subscription: Json) -> int:
    """Return when the running period ends: the earliest of the items'."""
    return min(int(item["current_period_end"]) for item in subscription["items"]["data"])


def warning_of(subscription: Json) -> int | None:
    """Return when the end of a trial is announced; at once where it is less than three days away."""
    if subscription["status"] != "trialing" or subscription.get("_warned") == subscription["trial_end"]:
        return None
    return max(int(subscription["trial_start"]), int(subscription["trial_end"]) - WARNING)


def subscription_due(subscription: Json) -> int | None:
    """A subscription is given up, ends, is announced to end, collects again or renews."""
    status = subscription.get("status")
    if status is None or status in OVER:
        return None
    if status == "incomplete":
        given_up = None if subscription.get("_waiting") else subscription["created"] + UNPAID_FIRST
        return earliest([given_up, subscription["cancel_at"]])
    pause = subscription["pause_collection"] or {}
    moments = [subscription["cancel_at"], pause.get("resumes_at"), warning_of(subscription)]
    moments.append(subscription.get("_resumes_until") if status == "paused" else ends_of(subscription))
    return earliest(moments)


def invoice_due(invoice: Json) -> int | None:
    """A draft is finalized, an open invoice is charged again."""
    if not invoice.get("auto_advance"):
        return None
    names = {"draft": "automatically_finalizes_at", "open": "next_payment_attempt"}
    moment: int | None = invoice.get(names.get(invoice["status"], ""))
    return moment


def clock_due(clock: Json) -> int | None:
    """A test clock advances as soon as it was asked to, and is deleted when it is old."""
    asked: int | None = clock.get("_asked")
    return asked if asked is not None else clock.get("deletes_after")
