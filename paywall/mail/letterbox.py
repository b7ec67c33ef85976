"""Where journeys post letters: rows written in the transaction of what they tell of, so that neither goes without."""

from datetime import datetime

from paywall.storage import letters
from paywall.storage.database import new_id


def post_sign_in(to: str, link_id: str, now: datetime) -> None:
    """A letter with the link that signs in. Like every ``post``: commits nothing; call the postman after the commit."""
    letters.add("sign_in", to, f"link:{link_id}", now, link_id)


def post_no_subscription(to: str, now: datetime) -> None:
    """A letter that nobody subscribed under this address, and where to."""
    letters.add("no_subscription", to, f"asked:{new_id('ask')}", now)


def post_payment_confirmed(to: str, link_id: str, checkout_id: str, now: datetime) -> None:
    """Thanks for a payment with a link that signs in: once for a checkout."""
    letters.add("payment_confirmed", to, f"checkout:{checkout_id}", now, link_id)


def is_welcomed(subscription_id: str | None) -> bool:
    """Whether the letter of welcome, with its link, was posted when the subscription began."""
    return subscription_id is not None and letters.has(f"welcome:{subscription_id}")


def post_address_confirm(to: str, link_id: str, now: datetime, reader_id: str | None = None) -> None:
    """A letter to a new address with the link that confirms it; ``link_id`` is the row of the wished change."""
    letters.add("address_confirm", to, f"confirm:{link_id}", now, link_id, reader_id)


def post_address_changed(to: str, masked_new: str, cause: str, now: datetime, reader_id: str | None = None) -> None:
    """The notice that the address was changed: posted twice, to the old one and to the new one.

    ``cause`` names the change and the side, such as ``adr_1:old``, since one cause has one letter; ``masked_new`` is
    the new address with most of it left out.
    """
    letters.add("address_changed", to, f"address:{cause}", now, None, reader_id, {"new": masked_new})


def post_export_ready(to: str, export_id: str, now: datetime, reader_id: str | None = None) -> None:
    """The notice that an export can be fetched."""
    letters.add("export_ready", to, f"export:{export_id}", now, None, reader_id)


def post_invited(to: str, action_id: str, by: str, now: datetime, reader_id: str) -> None:
    """The notice of a role on the staff, once for the action that gave it. ``by`` is the role of who did."""
    letters.add("invited", to, f"invited:{action_id}", now, None, reader_id, {"by": by})


def post_erased(to: str, cause: str, now: datetime) -> None:
    """The last letter: what was held is erased. It names no reader, because there is none any more."""
    letters.add("erased", to, f"erased:{cause}", now)
