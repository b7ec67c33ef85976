"""The stories: what readers, staff and time do, an act each; the events follow from Stripe's sandbox."""

from dataclasses import dataclass

from tests.conformance import acts


@dataclass(frozen=True)
class Act:
    """Something that happens. ``joins``: through the service's own pages; ``settles``: once the service knows all."""

    play: acts.Act
    joins: bool = False
    settles: bool = False

    @property
    def name(self) -> str:
        """The name of what happens."""
        return self.play.__name__


@dataclass(frozen=True)
class Story:
    """A purchase and what becomes of it.

    ``forks`` says that the end depends on when the service heard of what: what it ended at Stripe stays ended.
    """

    name: str
    acts: tuple[Act, ...]
    forks: bool = False


JOIN = Act(acts.join, joins=True)
JOIN_ANEW = Act(acts.join_anew, joins=True, settles=True)
JOIN_AGAIN = Act(acts.join, joins=True, settles=True)
PAY = Act(acts.pay)
BUY = (JOIN, PAY)


def _story(name: str, *happens: Act | acts.Act, forks: bool = False) -> Story:
    return Story(name, tuple(one if isinstance(one, Act) else Act(one) for one in happens), forks)


RENEW = (acts.the_period_ends, acts.an_hour_passes)
WON = acts.dispute_becomes("won")
LOST = (acts.dispute(), acts.dispute_becomes("lost"))
FAIL = (acts.the_card_will_fail, *RENEW)
UNPAID = (acts.exhausted_retries("unpaid"), *FAIL, acts.three_weeks_pass)
PAST_DUE = (acts.exhausted_retries("past_due"), *FAIL, acts.three_weeks_pass)

ALL = (
    _story("buy", *BUY),
    _story("webhook only", JOIN, acts.pay_and_leave),
    _story("return before webhook", JOIN, acts.pay_and_return),
    _story("buy with 3DS", JOIN, acts.pay_with_3ds),
    _story("decline, then buy", JOIN, acts.pay_in_vain, PAY),
    _story("3DS refused, then buy", JOIN, acts.refuse_3ds, PAY),
    _story("two tabs", JOIN, JOIN, PAY),
    _story("left at the payment page", JOIN, acts.a_day_passes, JOIN_AGAIN, PAY),
    _story("coupon", JOIN, acts.take_off_everything, PAY),
    _story("coupon, renew at full price", JOIN, acts.take_off_everything, PAY, *RENEW),
    _story("trial", JOIN, acts.give_a_trial, PAY, acts.a_month_passes),
    _story("trial, cancelled", JOIN, acts.give_a_trial, PAY, acts.cancel_with_the_period, acts.a_month_passes),
    _story("renew", *BUY, *RENEW),
    _story("renew twice", *BUY, *RENEW, *RENEW),
    _story("fail, recover", *BUY, *FAIL, acts.the_card_will_pay, acts.four_days_pass),
    _story("fail once, recover", *BUY, acts.the_next_charge_fails, *RENEW, acts.four_days_pass),
    *(
        _story(f"fail, exhaust: {choice}", *BUY, acts.exhausted_retries(choice), *FAIL, acts.three_weeks_pass)
        for choice in ("cancel", "unpaid", "past_due", "pause")
    ),
    _story("cancel, undo", *BUY, acts.cancel_with_the_period, acts.undo),
    _story("cancel with the period", *BUY, acts.cancel_with_the_period, acts.the_period_ends, acts.a_day_passes),
    _story("cancel at once", *BUY, acts.cancel_now, acts.a_day_passes),
    _story("portal cancel", *BUY, acts.cancel_in_the_portal, acts.the_period_ends, acts.a_day_passes),
    _story("portal cancel, undo", *BUY, acts.cancel_in_the_portal, acts.undo_in_the_portal),
    _story("refund in full", *BUY, acts.refund()),
    _story("refund in part", *BUY, acts.refund(4_000)),
    _story("refund in two parts", *BUY, acts.refund(4_000), acts.refund(6_000)),
    _story("refund on its way, arrives", *BUY, acts.refund(outcome="pending"), acts.refund_settles("succeeded")),
    _story("refund on its way, fails", *BUY, acts.refund(outcome="pending"), acts.refund_settles("failed")),
    _story("refund fails", *BUY, acts.refund(outcome="failed")),
    _story(
        "refund arrives, then fails",
        *BUY,
        acts.refund(),
        acts.a_day_passes,
        acts.refund_settles("failed"),
        forks=True,
    ),
    _story("refund after renewal", *BUY, *RENEW, acts.refund()),
    _story("inquiry", *BUY, acts.dispute("warning_needs_response"), acts.dispute_becomes("warning_closed")),
    _story(
        "inquiry, then dispute", *BUY, acts.dispute("warning_needs_response"), acts.dispute_becomes("needs_response")
    ),
    _story("dispute, won", *BUY, acts.dispute(), acts.dispute_becomes("under_review"), WON),
    _story("dispute, lost", *BUY, *LOST),
    _story("dispute, won after an appeal", *BUY, *LOST, acts.dispute_becomes("appeal_under_review"), WON, forks=True),
    _story("dispute, Stripe ends it, won", *BUY, acts.dispute(), acts.stripe_ends_it_over_the_dispute, WON),
    _story("dispute, Stripe ends it, lost", *BUY, acts.dispute(), acts.stripe_ends_it_over_the_dispute, LOST[1]),
    _story("dispute after renewal, lost", *BUY, *RENEW, *LOST),
    _story("pause collection, collect again", *BUY, acts.pause_collection("void"), *RENEW, acts.collect_again),
    _story("pause collection, as drafts", *BUY, acts.pause_collection("keep_as_draft"), *RENEW, acts.a_day_passes),
    _story("pause, resume", *BUY, acts.pause, acts.a_day_passes, acts.resume),
    _story("price change", *BUY, acts.the_price_rises, *RENEW),
    _story("debit arrives", JOIN, acts.pay_by_debit("000123456789"), acts.four_days_pass),
    _story("debit fails", JOIN, acts.pay_by_debit("000222222227"), acts.four_days_pass),
    _story("renewal voided", *BUY, *FAIL, acts.void_the_invoice, acts.a_day_passes),
    _story("renewal given up", *BUY, *FAIL, acts.give_up_the_invoice, acts.three_weeks_pass),
    _story("unpaid, then voided", *BUY, *UNPAID, acts.void_the_invoice, acts.a_day_passes),
    _story("unpaid, then given up", *BUY, *UNPAID, acts.give_up_the_invoice, acts.a_day_passes),
    _story("unpaid, paid late beside a draft", *BUY, *UNPAID, acts.the_period_ends, acts.pay_the_older_invoice),
    _story("past due, paid late beside a draft", *BUY, *PAST_DUE, acts.the_period_ends, acts.pay_the_older_invoice),
    _story("paid after the end", *BUY, *FAIL, acts.cancel_now, acts.pay_the_invoice),
    _story("delete customer", *BUY, acts.delete_the_customer, acts.a_day_passes),
    _story("past due beyond grace, buy again", *BUY, *PAST_DUE, JOIN_ANEW, PAY, acts.three_weeks_pass),
    _story("lapse and buy again", *BUY, acts.cancel_now, acts.a_day_passes, JOIN_AGAIN, PAY),
)

BY_NAME = {story.name: story for story in ALL}
