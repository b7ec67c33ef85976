"""Which payments Stripe is asked about, by the name that a payment has: its intent, or its charge where it has none."""

from types import SimpleNamespace
from typing import Any

import pytest

from paywall.billing import cases
from paywall.billing.snapshots import InvoicePayment

BARE = InvoicePayment("in_1:ch_1", None, "ch_1", 10_000)
USUAL = InvoicePayment("inpay_2", "pi_2", None, 10_000)


class Stripe:
    """Answers each list with what it holds, and keeps what it was asked."""

    def __init__(self, **held: list[dict[str, Any]]) -> None:
        self.held, self.asked = held, []

    def ask(self, operation: str, call: Any, **ids: str) -> Any:
        kind = operation.removesuffix(".list")
        return call(SimpleNamespace(v1=SimpleNamespace(**{kind: SimpleNamespace(list=self._lister(kind))})))

    def _lister(self, kind: str) -> Any:
        def listed(params: dict[str, Any]) -> Any:
            self.asked.append((kind, params.get("charge") or params.get("payment_intent") or params["customer"]))
            found = [SimpleNamespace(to_dict=lambda one=one: one) for one in self.held.get(kind, [])]
            return SimpleNamespace(auto_paging_iter=lambda: found)

        return listed


@pytest.mark.parametrize(("payment", "name"), [(BARE, "ch_1"), (USUAL, "pi_2")], ids=["charge", "intent"])
def test_a_known_case_is_asked_about_though_its_charge_shows_nothing(payment: InvoicePayment, name: str) -> None:
    """A refund that failed leaves no trace on the charge."""
    stripe = Stripe(charges=[{"id": "ch_1", "amount_refunded": 0}], refunds=[{"id": "re_1", "status": "failed"}])
    found = cases.about(stripe, "cus_1", [payment], frozenset({name}))
    assert stripe.asked == [("charges", "cus_1"), ("refunds", name), ("disputes", name)]
    assert [one["status"] for one in found.refunds] == ["failed"]


def test_what_shows_nothing_and_is_not_known_is_not_asked_about() -> None:
    stripe = Stripe(charges=[{"id": "ch_1", "amount_refunded": 0}])
    assert cases.about(stripe, "cus_1", [BARE, USUAL]) == cases.NO_CASES
    assert stripe.asked == [("charges", "cus_1")]


def test_something_is_done_before_each_question() -> None:
    told: list[str] = []
    stripe = Stripe(charges=[{"id": "ch_1", "amount_refunded": 5}])
    cases.about(cases.Announced(stripe, lambda: told.append("before")), "cus_1", [BARE])
    assert len(told) == len(stripe.asked) == 3
