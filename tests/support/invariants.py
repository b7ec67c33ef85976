"""What must hold in a world after every step (I1, I5 to I8), and once all is told (I3)."""

from datetime import timedelta

from paywall.storage import entitlements
from paywall.storage.database import db
from paywall.tokens import verification
from tests.conformance import oracle
from tests.support import books
from tests.support.world import World


def check(world: World) -> None:
    """What must hold after every step, whatever was delivered or not."""
    found = books.read(world.shop)
    assert list(books.ledgers(found)) == [], "I5"
    twice = list(books.paid_twice(found))
    assert twice == [], f"I8: {twice}"
    opened = [row.reader_id for row in found.checkouts if row.state == "open"]
    assert len(opened) == len(set(opened)), "I8"
    _rule(world, found)
    tokens(world, refused=False)


def _rule(world: World, found: books.Books) -> None:
    """I1: what a row gives is what the facts that were read last deserve, by a judge of its own."""
    plan, zone = world.parts.settings.plans["annual"], world.parts.settings.zone
    for row in found.entitlements:
        judged = oracle.judge(world.seen[row.source_id], plan, zone, world.clock.moment)
        state, reason = entitlements.terms_of(row).explain(world.clock.moment)
        assert (state, reason, row.until) == (judged.state, judged.reason, judged.until), "I1"


def tokens(world: World, *, refused: bool) -> None:
    """I6 and I7: a token lets in only who has access now, and nobody once it was taken back."""
    world.shop.app.extensions.pop("paywall.verification", None)  # as a second later
    checked = verification.of_app()
    for held in world.tokens:
        allowed = checked.check(held.token, None, world.clock.moment).allowed
        access = entitlements.access_of(held.reader_id, world.parts.settings.plans, world.clock.moment).allowed
        assert not allowed or (access and not refused), "I7"
    db.session.commit()


def settle(world: World) -> None:
    """I3: once all is delivered that was not lost, and compared, our rows say what Stripe's state deserves."""
    world.line.plan = []
    world.clock.moment += timedelta(minutes=3)  # leases of what was cut off are over
    for _ in range(3):
        world.passes()
        world.deliver_all()
    world.passes(timedelta(hours=2))
    world.deliver_all()
    world.work()
    done, differences = world.reconcile()
    assert done.good, ("I3", differences)
    world.passes()
    world.deliver_all()
    world.work()
    check(world)
    plan, zone, now = world.parts.settings.plans["annual"], world.parts.settings.zone, world.clock.moment
    found = books.read(world.shop)
    assert {row.source_id for row in found.entitlements} == set(found.at_stripe) == set(found.subscriptions), "I3"
    cases = oracle.read(world.account)
    for row in found.entitlements:
        judged = oracle.judge(cases[row.source_id], plan, zone, now)
        _, reason = entitlements.terms_of(row).explain(now)  # the column says why as last decided
        assert (row.state, reason, row.until) == (judged.state, judged.reason, judged.until), "I3"
    assert list(books.left_over(found)) == [], "I3"
