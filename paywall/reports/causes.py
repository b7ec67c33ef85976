"""Why paid access ended, in the few words of the overview: every reason of the rule has its cause."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from paywall.domain.entitlements import Reason
from paywall.reports.contributions import ERASED


class EndCause(StrEnum):
    """Why something ended."""

    ASKED = "asked"  # somebody cancelled it
    CARD = "card"  # the renewal was not paid
    REFUND = "refund"
    DISPUTE = "dispute"
    ERASED = "erased"  # its reader had the account erased
    COMP = "comp"  # free time was over
    OTHER = "other"


CAUSES: Mapping[Reason, EndCause] = MappingProxyType(
    {
        Reason.PAID: EndCause.OTHER,
        Reason.RENEWAL_DUE: EndCause.OTHER,
        Reason.PAYMENT_FAILED: EndCause.CARD,
        Reason.PERIOD_OVER: EndCause.OTHER,
        Reason.CANCELED: EndCause.ASKED,
        Reason.REFUNDED: EndCause.REFUND,
        Reason.DISPUTED: EndCause.DISPUTE,
        Reason.DISPUTE_LOST: EndCause.DISPUTE,
        Reason.PAUSED: EndCause.OTHER,
        Reason.COLLECTION_PAUSED: EndCause.OTHER,
        Reason.NOT_PAID_YET: EndCause.OTHER,
        Reason.NEVER_PAID: EndCause.OTHER,
        Reason.UNKNOWN_STATUS: EndCause.OTHER,
        Reason.COMPED: EndCause.COMP,
        Reason.COMP_OVER: EndCause.COMP,
        Reason.COMP_ENDED: EndCause.COMP,
    }
)


def cause_of(text: str) -> EndCause:
    """The cause of an end from the text that the figures keep; OTHER for a reason that a newer version wrote."""
    if text == ERASED:
        return EndCause.ERASED
    return CAUSES[Reason(text)] if text in list(Reason) else EndCause.OTHER
