"""The last pass of a reconciliation: invoices, refunds and disputes of the period, and undecided ones, beside ours."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from paywall.billing import comparing
from paywall.billing.comparing import Difference
from paywall.billing.errors import StripeNotFound
from paywall.billing.listing import ListedCase, ListedInvoice
from paywall.billing.passes import Scene
from paywall.billing.windows import Stretch, Walk
from paywall.storage import beside
from paywall.storage.payments import Dispute, Refund

T = TypeVar("T")

TABLES: dict[str, type[beside.Case]] = {"refund": Refund, "dispute": Dispute}
# whatever else Stripe says of a case may still turn into one of these
DECIDED: dict[str, frozenset[str]] = {
    "refund": frozenset({"succeeded", "failed", "canceled"}),
    "dispute": frozenset({"won", "lost", "prevented", "warning_closed"}),
}


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
        listed = [one for one in page if one is not None]
        _compare_page(scene, thing, listed)
        _extra(scene, thing, walk.page((one.created_at, one.id) for one in listed))
        scene.step(len(page))
    _extra(scene, thing, walk.rest(scene.since))


def undecided(scene: Scene, thing: str) -> None:
    """Our refunds, or disputes, from before the period that were not decided when we last heard of them.

    A list goes by the time of creation, and a bank may take months: Stripe is asked for each.
    """
    for case_id in beside.undecided(TABLES[thing], scene.since, DECIDED[thing]):
        _ask_again(scene, thing, case_id)
        scene.step(1)


def _ask_again(scene: Scene, thing: str, case_id: str) -> None:
    row = beside.cases(TABLES[thing], [case_id]).get(case_id)
    if row is None:
        return  # a sync took it away meanwhile
    subscription_id = row["subscription_id"]
    with scene.repairs.alone(subscription_id):
        try:
            listed = scene.lists.case(thing, case_id)
        except StripeNotFound:
            _tell_extra(scene, thing, row)
            return
        if listed is None:
            return
        scene.refuse_other_mode(listed.livemode)

        def compare() -> list[Difference]:
            mine = beside.cases(TABLES[thing], [case_id]).get(case_id)
            return list(comparing.case(thing, listed, mine, subscription_id))

        scene.repairs.settle(subscription_id, compare(), compare)


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
    for case_id in beside.not_named(TABLES[thing], stretch.after, stretch.upto, stretch.named):
        _ask_again(scene, thing, case_id)


def _tell_extra(scene: Scene, thing: str, row: comparing.Row) -> None:
    values = {name: (row[name], None) for name in comparing.CASE_FIELDS}
    extra = Difference("extra", thing, row["id"], row["subscription_id"], values)
    scene.repairs.settle(row["subscription_id"], [extra], partial(_still_there, TABLES[thing], extra))


def _still_there(table: type[beside.Case], extra: Difference) -> list[Difference]:
    return [extra] if beside.cases(table, [extra.id]) else []
