"""The sandbox's objects in older shapes, beside what accounts of those versions really sent."""

from collections.abc import Iterator

import pytest

from tests.support import recorded
from tests.support.marks import on_sqlite
from tests.support.older import VERSIONS, Ties, shaped, told
from tests.support.shop import Shop
from tests.support.stripe_spec import needs_spec

Json = recorded.Json

# this version's recorded invoices bill single items, no subscription
NOT_RECORDED = {("2025-02-24.acacia", "lines.data[].subscription_item")}


@pytest.fixture
def bought(shop: Shop) -> list[Json]:
    """The objects of a purchase, each as its last event told it."""
    shop.buy(shop.browser())
    return list({body["id"]: body for event in shop.sandbox.events() if (body := event["data"]["object"])}.values())


def differences(new: object, old: object, path: str = "") -> Iterator[tuple[str, str]]:
    """The members that one of two shapes has and the other has not: the path, and who has it."""
    if isinstance(new, dict) and isinstance(old, dict):
        for name in sorted(new.keys() | old.keys()):
            here = f"{path}.{name}".lstrip(".")
            if name in new and name in old:
                yield from differences(new[name], old[name], here)
            else:
                yield here, "new" if name in new else "old"
    elif isinstance(new, list) and isinstance(old, list) and new and old:
        yield from differences(new[0], old[0], f"{path}[]")


def has(body: object, path: str) -> bool | None:
    """Whether a body has a member; None where what should hold it is missing or null."""
    *way, name = path.split(".")
    for step in way:
        body = body.get(step.removesuffix("[]")) if isinstance(body, dict) else None
        body = (body[0] if body else None) if isinstance(body, list) and step.endswith("[]") else body
    return name in body if isinstance(body, dict) else None


@on_sqlite
@needs_spec
@pytest.mark.parametrize("version", VERSIONS)
def test_what_an_older_shape_has_and_lacks_is_what_recordings_of_that_version_have_and_lack(
    shop: Shop, bought: list[Json], version: str
) -> None:
    ties = Ties.of(shop.sandbox.sandbox.account.store)
    compared = 0
    for body in bought:
        old = shaped(body, version, ties)
        told_then = [one for when, one in recorded.objects() if (when, one["object"]) == (version, body["object"])]
        for path, owner in differences(body, old):
            seen = [found for one in told_then if (found := has(one, path)) is not None]
            # parts of some recordings were cut out, so one that has an old member is enough
            fits = any(seen) if owner == "old" else not any(seen)
            assert fits or not seen or (version, path) in NOT_RECORDED, (body["object"], path, owner)
            compared += len(seen)
    assert compared > 0 or version in ("2025-03-31.basil", "2026-10-28.endive")


@on_sqlite
def test_the_newest_shape_is_the_sandbox_s_own(shop: Shop, bought: list[Json]) -> None:
    ties = Ties.of(shop.sandbox.sandbox.account.store)
    assert [shaped(body, VERSIONS[-1], ties) for body in bought] == bought


@on_sqlite
def test_a_conversion_leaves_the_event_itself_alone(shop: Shop, bought: list[Json]) -> None:
    before = shop.sandbox.events()
    for event in shop.sandbox.events():
        told(event, VERSIONS[0], Ties.of(shop.sandbox.sandbox.account.store))
    assert shop.sandbox.events() == before


@on_sqlite
def test_older_invoices_and_charges_name_what_today_s_do_not(shop: Shop, bought: list[Json]) -> None:
    ties = Ties.of(shop.sandbox.sandbox.account.store)
    old = {body["object"]: shaped(body, VERSIONS[0], ties) for body in bought}
    invoice, charge, intent, subscription = (old[k] for k in ("invoice", "charge", "payment_intent", "subscription"))
    assert (invoice["subscription"], invoice["charge"], invoice["payment_intent"]) == (
        subscription["id"],
        charge["id"],
        intent["id"],
    )
    assert charge["invoice"] == intent["invoice"] == invoice["id"]
    assert invoice["lines"]["data"][0]["subscription"] == subscription["id"]
    assert subscription["current_period_end"] == invoice["lines"]["data"][0]["period"]["end"]
    assert "parent" not in invoice
    assert "current_period_end" not in subscription["items"]["data"][0]


def test_refunds_and_invoice_payments_are_told_under_the_types_that_a_version_had() -> None:
    def types(version: str, kind: str) -> str | None:
        event = {"type": kind, "data": {"object": {"object": "refund"}}}
        found = told(event, version, Ties())
        return found and found["type"]

    assert types("2020-08-27", "refund.created") is None
    assert types("2020-08-27", "refund.failed") == types("2020-08-27", "refund.updated") == "charge.refund.updated"
    assert types("2025-02-24.acacia", "refund.failed") == "refund.failed"
    assert types("2025-03-31.basil", "invoice_payment.paid") is None
    assert types("2025-10-29.clover", "invoice_payment.paid") == "invoice_payment.paid"
