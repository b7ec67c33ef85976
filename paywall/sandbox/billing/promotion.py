"""Promotion codes on the payment page: a buyer types one, or takes it away again."""

from paywall.sandbox.billing.checkout import with_offer, without_offer
from paywall.sandbox.errors import StripeError
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.filters import Filter, equals, field


def same_code(text: str) -> Filter:
    """The code is this text, in whatever case."""
    return Filter(f"upper({field('code')}) = upper(?)", (text,))


def find_active(account: Account, text: str) -> Json | None:
    """Return the code that a buyer means by a text, or None."""
    found = account.store.find("promotion_code", [same_code(text), equals("active", value=True)], limit=1)
    return found[0] if found else None


def give_code(account: Account, session: Json, text: str) -> str | None:
    """Take a typed code off an open session's price; returns what is wrong with it, or None."""
    if not session["allow_promotion_codes"]:
        return "This page takes no promotion codes."
    with account.unit():
        code = find_active(account, text)
        if code is None:
            return "This code is invalid."
        try:
            changes = with_offer(account, session, {"promotion_code": code["id"]}, "promotion_code")
        except StripeError as refusal:
            return refusal.message
        account.amend(session, None, **changes)
    return None


def take_code(account: Account, session: Json) -> str | None:
    """Take a code away again, where the buyer had typed it; returns what is wrong, or None."""
    if not session["allow_promotion_codes"]:
        return "This page takes no promotion codes."
    with account.unit():
        account.amend(session, None, **without_offer(session))
    return None
