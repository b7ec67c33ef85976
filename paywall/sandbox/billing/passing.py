"""The passing of time: everything that is due is done in the order of its moments, each at its own moment."""

from paywall.sandbox.billing import renewing, testclocks
from paywall.sandbox.billing.moments import PLAYED, played
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.due import WALL

played("subscription")(renewing.live)
played("invoice")(renewing.move_on)

FARTHEST = 20 * 366 * 86400  # seconds that time can be moved at once


def let_time_pass(account: Account) -> None:
    """Do everything that is due by now, each thing as one transaction; costs next to nothing when nothing is due."""
    until = account.wall()
    while account.store.next_moment(WALL, until) and step(account, until):
        pass


def step(account: Account, until: int, clock: str = WALL) -> bool:
    """Do the next thing that is due by `until` on a clock; False when there is none."""
    with account.unit():
        moment = account.store.next_moment(clock, until)
        body = moment and account.store.any_kind(moment.id)
        if not moment or not body:
            return False
        with account.at(moment.due, clock):
            PLAYED[body["object"]](account, body)
        if account.store.any_kind(moment.id) == body and account.store.next_moment(clock, until) == moment:
            raise AssertionError(f"{moment.id} was due at {moment.due} and nothing came of it")
        return True


def advance(account: Account, seconds: int) -> None:
    """Move the sandbox's time on, for everybody who shares its clock file, and do all that becomes due.

    The new time is written down first: after a crash in the middle the next look goes on where this one stopped.
    """
    if seconds < 0:
        raise ValueError("Time cannot be moved back: what happened would have to unhappen. Start with a new state.")
    if seconds > FARTHEST:
        raise ValueError("Time can be moved by 20 years at most at once.")
    with account.store.lock:
        account.move(account.offset + seconds)
    let_time_pass(account)


@played("checkout.session")
def expire(account: Account, session: Json) -> Json:
    """Close an unpaid session for good."""
    return account.amend(session, "checkout.session.expired", status="expired", url=None)


@played("test_helpers.test_clock")
def run_clock(account: Account, clock: Json) -> None:
    """Do the next thing on an advancing test clock, or end its advance; an old clock is deleted."""
    if clock.get("_asked") is None:
        testclocks.delete(account, clock)
        return
    target = clock["status_details"]["advancing"]["target_frozen_time"]
    moment = account.store.next_moment(clock["id"], target)
    if moment is None:
        testclocks.arrive(account, clock)
        return
    account.amend(clock, None, frozen_time=max(clock["frozen_time"], moment.due), _steps=clock.get("_steps", 0) + 1)
    step(account, target, clock["id"])
