"""The last pass of a reconciliation: invoices, refunds and disputes of the period beside our rows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from paywall.billing import comparing
from paywall.billing.comparing import Difference
from paywall.billing.listing import ListedCase, ListedInvoice
from paywall.billing.passes import Scene
from paywall.billing.windows import Stretch, Walk
from paywall.storage import beside
from paywall.storage.payments import Dispute, Refund

T = TypeVar("T")

TABLES: dict[str, type[beside.Case]] = {"refund": Refund, "dispute": Dispute}


def invoices(scene: Scene) -> None:
    """The invoices of our subscriptions beside our payments."""
    for page in scene.lists.invoices(scene.since):
        of_subscriptions = [one for one in page if one is not None]
        ours = beside.subscriptions({one.subscription_id for one in of_subscriptions})
        mine = [one for one in of_subscriptions if one.subscription_id in ours]
        _settle(scene, mine, lambda one: one.subscription_id, _compare_invoices)
        scene.step(len(page))


def cases(scene: Scene, thing: str) -> None:
    """The refunds, or the disputes, about our payments beside our rows. ``thing`` is refund or dispute."""
    walk = Walk()
    for page in scene.lists.cases(thing, scene.since):
        _compare_page(scene, thing, page)
        _extra(scene, thing, walk.page((one.created_at, one.id) for one in page))
        scene.step(len(page))
    _extra(scene, thing, walk.rest(scene.since))


def _compare_page(scene: Scene, thing: str, page: Sequence[ListedCase]) -> None:
    for one in page:
        scene.refuse_other_mode(one.livemode)
    whose = beside.subscriptions_of_money({key for one in page for key in one.paid_by})

    def subscription_of(one: ListedCase) -> str:
        return next((whose[key] for key in one.paid_by if key in whose), "")

    def compare(some: Sequence[ListedCase]) -> Iterator[Difference]:
        rows = beside.cases(TABLES[thing], [one.id for one in some])
        for one in some:
            yield from comparing.case(thing, one, rows.get(one.id), subscription_of(one))

    mine = [one for one in page if subscription_of(one)]
    scene.repairs.counts.foreign_money += len(page) - len(mine)
    _settle(scene, mine, subscription_of, compare)


def _compare_invoices(some: Sequence[ListedInvoice]) -> Iterator[Difference]:
    ids = [one.id for one in some]
    rows, parts = beside.payments_by_invoice(ids), beside.parts_of_payments(invoice_ids=ids)
    for one in some:
        yield from comparing.invoice(one, rows.get(one.id), parts.get(one.id, {}))


def _settle(
    scene: Scene, listed: Sequence[T], key: Callable[[T], str], compare: Callable[[Sequence[T]], Iterable[Difference]]
) -> None:
    """Compares what is listed, and repairs what differs, with one sync for each subscription."""
    found: dict[str, list[Difference]] = {}
    for one in compare(listed):
        found.setdefault(one.subscription_id or "", []).append(one)
    for subscription_id, differences in found.items():
        again = [one for one in listed if key(one) == subscription_id]
        scene.repairs.settle(subscription_id, differences, partial(compare, again))


def _extra(scene: Scene, thing: str, stretch: Stretch | None) -> None:
    """Our rows that the list passed by, after asking Stripe for each."""
    if stretch is None:
        return
    table = TABLES[thing]
    for case_id in beside.not_named(table, stretch.after, stretch.upto, stretch.named):
        if not scene.lists.has_case(thing, case_id):
            row = beside.cases(table, [case_id])[case_id]
            values = {name: (row[name], None) for name in comparing.CASE_FIELDS}
            extra = Difference("extra", thing, case_id, row["subscription_id"], values)
            scene.repairs.settle(row["subscription_id"], [extra], partial(_still_there, table, extra))


def _still_there(table: type[beside.Case], extra: Difference) -> list[Difference]:
    return [extra] if beside.cases(table, [extra.id]) else []
