"""What to say where nobody fits a search: what can be searched for, and what the text looks like instead."""

from collections.abc import Iterator

from paywall.desk.asking import KINDS, SHORTEST, Asked

CAN_BE_FOUND = (
    "A reader is found by any address, now or earlier, a reader's id (rdr_...), Stripe's id of the customer (cus_...), "
    "subscription (sub_...), invoice (in_...), payment (pi_..., ch_...), refund (re_...) or dispute (dp_..., du_...), "
    "or the number on an invoice or a receipt; the beginning of each is enough."
)

# ids that people copy from Stripe's pages by mistake: what each is of, and where to look instead
_OTHERS = {
    "acct_": "an account at Stripe",
    "card_": "a card; copy the id of its customer (cus_...)",
    "cn_": "a credit note; copy the id of its invoice (in_...)",
    "evt_": "an event; copy the id of the customer or subscription that it names",
    "il_": "a line of an invoice; copy the id of the invoice (in_...)",
    "ii_": "an item of an invoice; copy the id of the invoice (in_...)",
    "pm_": "a card or another way to pay; copy the id of its customer (cus_...)",
    "price_": "a price, which many readers pay",
    "prod_": "a product, which many readers have",
    "seti_": "a card being kept; copy the id of its customer (cus_...)",
    "si_": "an item of a subscription; copy the id of the subscription (sub_...)",
    "sub_sched_": "a schedule; copy the id of its subscription (sub_...)",
    "txn_": "a movement of the balance; copy the id of the payment (pi_... or ch_...)",
    "tr_": "a transfer, which is of no reader",
    "po_": "a payout, which is of no reader",
}
_SECRETS = ("sk_", "rk_", "whsec_")
_OURS = ("rdr_", "ent_", "chk_")


def for_nobody(asked: Asked, *, livemode: bool) -> Iterator[str]:
    """Sentences for a search that found nobody, the most telling first."""
    text = asked.text
    if len(text) < SHORTEST:
        yield f"Type at least {SHORTEST} letters."
    elif text.startswith(_SECRETS):
        yield "That looks like a secret key of Stripe's: never paste one here. Have it replaced at Stripe."
    elif text.startswith("cs_") and text.startswith("cs_live_") is not livemode:
        theirs, ours = ("test", "live") if livemode else ("live", "test")
        yield f"That is a payment page of {theirs} mode, and this service works in {ours} mode."
    elif asked.is_address:
        yield "Nobody has, or had, an address that begins so."
        yield (
            "Paid with another address, as a wallet may give? Look the payment up at Stripe, and search by its id or "
            "number. Erased? Then the address is forgotten, and ids alone find the reader."
        )
    else:
        yield _of_id(text) if asked.is_id else "No address, no invoice and no receipt begins so."
    yield CAN_BE_FOUND


def _of_id(text: str) -> str:
    known = next((kind for kind in KINDS if text.startswith(kind.begins)), None)
    other = max((one for one in _OTHERS if text.startswith(one)), key=len, default=None)
    if other is not None:
        return f"{other}... is the id of {_OTHERS[other]}."
    if known is None:
        return "Nothing that a reader is found by has an id that begins so."
    whole = " Only the whole id finds." if known.whole else ""
    if known.begins in _OURS:
        return f"No {known.name} here has this id.{whole} Was it copied from this installation?"
    return (
        f"That looks like the id of a {known.name} at Stripe, but none that is known here begins so.{whole} It may be "
        "of another product, another account, or the other mode (test or live). If Stripe shows it as one of ours, its "
        "event has not come: `flask paywall reconcile` fetches what is missing."
    )
