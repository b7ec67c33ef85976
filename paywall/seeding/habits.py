"""How made-up readers behave: the chance of everything that may happen to a purchase."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habits:
    """Chances from 0 to 1, each of one purchase or one paid period as its line says."""

    # of a purchase
    never_pays: float = 0.015
    bought_twice: float = 0.001  # a second live one of the same reader
    discount: float = 0.06  # half of the first year's price
    taxed: float = 0.3
    returns: float = 0.22  # buys again after it has ended

    # of a paid period
    cancels_first: float = 0.2  # at its end, in the first year
    cancels_later: float = 0.11
    changes_mind: float = 0.12  # of those who planned to cancel
    cancels_at_once: float = 0.006
    fails: float = 0.085  # the renewal that follows it
    recovers: float = 0.55  # of those that failed, within the days of grace
    pays_late: float = 0.06  # of those that failed, when access has ended
    refunded: float = 0.012  # in full
    partly_refunded: float = 0.008
    refund_fails: float = 0.03  # of these
    disputed: float = 0.004
    inquired: float = 0.001
    dispute_won: float = 0.4  # of those that were decided

    # of a reader
    verified: float = 0.92
    former_address: float = 0.03
    erased: float = 0.004
    signed_in: float = 0.1
    comped: float = 0.015  # got some days free of charge
    comp_ended: float = 0.1  # of these, before their time


ORDINARY = Habits()

# everything happens far more often, so that few readers show it all
EVENTFUL = Habits(
    never_pays=0.08,
    bought_twice=0.05,
    returns=0.6,
    cancels_first=0.25,
    cancels_later=0.2,
    changes_mind=0.4,
    cancels_at_once=0.06,
    fails=0.3,
    recovers=0.45,
    pays_late=0.2,
    refunded=0.1,
    partly_refunded=0.08,
    disputed=0.1,
    inquired=0.04,
    erased=0.06,
    comped=0.2,
    comp_ended=0.3,
)
