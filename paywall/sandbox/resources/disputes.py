"""Disputes by API: look at them, answer with evidence, give in."""

from paywall.sandbox.billing.disputing import CLOSED, settle
from paywall.sandbox.errors import StripeError
from paywall.sandbox.shapes.refunds import EVIDENCE
from paywall.sandbox.state.bodies import Json, Value, merged
from paywall.sandbox.state.filters import equals
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, lists, reads, writes
from paywall.sandbox.wire.params import ID, Boolean, Fields, Metadata, Text

UPDATE = Fields(
    {
        "evidence": Fields({name: Text(150_000) for name in EVIDENCE.split()}, later="appeal enhanced_evidence"),
        "metadata": Metadata(),
        "submit": Boolean(),
    },
    later="intended_submission_method",
)
# What a text of evidence decides at once, as in Stripe's test mode (https://docs.stripe.com/testing#evidence);
# for a dispute, and for an inquiry.
DECISIONS = {
    "winning_evidence": ("won", "warning_closed"),
    "losing_evidence": ("lost", "warning_closed"),
    "escalate_inquiry_evidence": ("under_review", "needs_response"),
}


def stored(call: Call) -> Json:
    """Return the dispute in the address."""
    return call.account.get("dispute", call.ids["dispute"], "dispute")


def still_open(call: Call) -> Json:
    """Return the dispute if it can still be answered."""
    dispute = stored(call)
    if dispute["status"] in CLOSED:
        raise StripeError(f"This dispute is already closed with the status {dispute['status']}.")
    return dispute


def update(call: Call) -> Json:
    """Save evidence and hand it in, unless `submit=false` says to wait; metadata can always change."""
    params = call.params
    dispute = still_open(call) if "evidence" in params else stored(call)
    changes: dict[str, Value] = {}
    if "metadata" in params:
        changes["metadata"] = merged(dispute["metadata"], params["metadata"])
    if "evidence" in params:
        changes |= {"evidence": dispute["evidence"] | params["evidence"]}
        changes["evidence_details"] = dispute["evidence_details"] | {"has_evidence": True}
    dispute = call.account.amend(dispute, "charge.dispute.updated", **changes)
    handed_in = dispute["evidence_details"]["has_evidence"] and params.get("submit", "evidence" in params)
    return submit(call, dispute) if handed_in else dispute


def submit(call: Call, dispute: Json) -> Json:
    """Hand the evidence in; some texts are decided at once."""
    account, details = call.account, dispute["evidence_details"]
    handed_in = {"submission_count": details["submission_count"] + 1, "submission_method": "manual"}
    dispute = account.amend(dispute, None, evidence_details=details | handed_in)
    inquiry = dispute["status"].startswith("warning_")
    dispute = settle(account, dispute["id"], "warning_under_review" if inquiry else "under_review")
    decision = DECISIONS.get(dispute["evidence"]["uncategorized_text"] or "")
    return settle(account, dispute["id"], decision[inquiry]) if decision else dispute


def close(call: Call) -> Json:
    """Give in: a dispute is lost by that, an inquiry is simply over."""
    dispute = still_open(call)
    inquiry = dispute["status"].startswith("warning_")
    return settle(call.account, dispute["id"], "warning_closed" if inquiry else "lost")


def listed(call: Call) -> Json:
    """Return disputes, of one charge or intent if it is named."""
    names = [name for name in ("charge", "payment_intent") if name in call.params]
    return page(call, "dispute", [equals(name, call.params[name]) for name in names])


ONE = "/v1/disputes/<dispute>"
OPERATIONS = [
    lists("/v1/disputes", "dispute", listed, {"charge": ID, "payment_intent": ID}),
    reads(ONE, "dispute", stored),
    writes(ONE, "dispute", update, UPDATE),
    writes(f"{ONE}/close", "dispute", close, Fields({})),
]
