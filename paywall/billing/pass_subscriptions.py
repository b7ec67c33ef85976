"""The first pass of a reconciliation: all of Stripe's subscriptions beside ours, and ours that Stripe does not name."""

from collections.abc import Iterable, Sequence
from functools import partial

from paywall.billing import comparing
from paywall.billing.comparing import Difference, Ours
from paywall.billing.errors import StripeNotFound
from paywall.billing.listing import Listed
from paywall.billing.passes import Scene, load
from paywall.billing.windows import Stretch, Walk
from paywall.domain.lifecycle import Group, group_of
from paywall.domain.plans import Plan
from paywall.storage import beside
from paywall.storage.models import Subscription

UNKNOWN_AT_STRIPE = (
    "Stripe does not know it under this service's key, so it was left alone; access ends by its date. Sold in another "
    "account? Then mend PAYWALL_STRIPE__API_KEY. Test data that somebody deleted at Stripe? Then nothing is to be done."
)


def run(scene: Scene) -> None:
    """Compares, page by page. Raises OtherMode."""
    walk = Walk()
    for page in scene.lists.subscriptions():
        listed = [one for one in page if one is not None]
        _compare(scene, listed)
        _not_named(scene, walk.page((one.snapshot.created_at, one.snapshot.id) for one in listed))
        scene.step(len(page))
    _not_named(scene, walk.rest())


def _not_named(scene: Scene, stretch: Stretch | None) -> None:
    """Asks for each of our subscriptions that the list passed by: those of test clocks are there, though not listed."""
    if stretch is None:
        return
    for subscription_id in beside.not_named(Subscription, stretch.after, stretch.upto, stretch.named):
        try:
            listed = scene.lists.subscription(subscription_id)
        except StripeNotFound:
            _tell_extra(scene, subscription_id)
            continue
        _compare(scene, [listed] if listed else [])


def _tell_extra(scene: Scene, subscription_id: str) -> None:
    gives = beside.entitlements([subscription_id]).get(subscription_id)
    if gives is None or gives["until"] is None or gives["until"] <= scene.started_at:
        scene.repairs.counts.gone += 1  # neither side gives anything: there is nothing to do
        return
    row = beside.subscriptions([subscription_id])[subscription_id]
    values = {name: (row[name], None) for name in ("status", "customer_id", "current_period_end")}
    scene.repairs.give_up(
        Difference("extra", "subscription", subscription_id, subscription_id, values), UNKNOWN_AT_STRIPE
    )


def _compare(scene: Scene, listed: Sequence[Listed]) -> None:
    ours, counts = load([one.snapshot.id for one in listed]), scene.repairs.counts
    for one in listed:
        scene.refuse_other_mode(one.snapshot.livemode)
        counts.subscriptions += 1
        mine = ours.get(one.snapshot.id)
        plan = comparing.plan_of(one.snapshot, mine.subscription if mine else None, scene.plans)
        if plan is None:
            counts.foreign += 1
        elif mine is None and _is_unclaimed(one):
            counts.unclaimed += 1
        else:
            with scene.repairs.alone(one.snapshot.id):
                if found := _find(scene, one, mine, plan):
                    scene.repairs.settle(one.snapshot.id, found, partial(_look_again, scene, one, plan))


def _is_unclaimed(one: Listed) -> bool:
    """Whether it is over, and of nobody whom we know: of an erased reader, or of another installation."""
    there = one.snapshot
    if group_of(there.facts.status) is not Group.CLOSED:
        return False
    return not beside.buyer_is_known(there.reader_id, there.checkout_id, there.customer_id)


def _find(scene: Scene, one: Listed, mine: Ours | None, plan: Plan) -> list[Difference]:
    found = list(comparing.subscription(one, mine, plan))
    if found or mine is None:
        return found
    return _wrong_access(scene, one, mine, plan)


def _wrong_access(scene: Scene, one: Listed, mine: Ours, plan: Plan) -> list[Difference]:
    """Where our rows agree with Stripe and the access does not follow from them.

    The list tells less than a sync asks for (of several open invoices only the latest), so that is asked before
    anything is called different.
    """
    snapshot = comparing.with_our_money(one.snapshot, mine)
    if not comparing.access(snapshot, mine, plan, scene.zone, scene.started_at):
        return []
    paid_by = [part for parts in mine.parts.values() for part in parts.values()]
    known = frozenset(name for part in paid_by for name in (part["payment_intent_id"], part["charge_id"]) if name)
    fetch = partial(scene.gateway.fetch_subscription, one.snapshot.id, known)
    whole = scene.lists.pace.ask(fetch, requests=3)
    return comparing.access(whole, mine, plan, scene.zone, scene.started_at)


def _look_again(scene: Scene, one: Listed, plan: Plan) -> Iterable[Difference]:
    """What still differs after a repair; asks Stripe anew only where something seems to."""
    left = _find(scene, one, load([one.snapshot.id]).get(one.snapshot.id), plan)
    if not left:
        return []
    fresh = scene.lists.subscription(one.snapshot.id) or one
    return _find(scene, fresh, load([one.snapshot.id]).get(one.snapshot.id), plan)
