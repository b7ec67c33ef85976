"""Where journeys post letters: rows written in the transaction of what they tell of, so that neither goes without."""

from datetime import datetime

from paywall import context
from paywall.mail import links, messages
from paywall.mail.messages import Letter
from paywall.storage import letters
from paywall.storage.database import new_id
from paywall.storage.letters import WaitingLetter


def post_sign_in(to: str, link_id: str, now: datetime) -> None:
    """A letter with the link that signs in. Like every ``post``: commits nothing; call the postman after the commit."""
    letters.add("sign_in", to, f"link:{link_id}", now, link_id)


def post_no_subscription(to: str, now: datetime) -> None:
    """A letter that nobody subscribed under this address, and where to."""
    letters.add("no_subscription", to, f"asked:{new_id('ask')}", now)


def post_payment_confirmed(to: str, link_id: str, checkout_id: str, now: datetime) -> None:
    """Thanks for a payment with a link that signs in: once for a checkout."""
    letters.add("payment_confirmed", to, f"checkout:{checkout_id}", now, link_id)


def write(row: WaitingLetter, now: datetime) -> Letter | None:
    """The letter of a row; None where its link was used or replaced meanwhile, so that it would only mislead.

    A letter that waited gets a fresh link. Commits nothing. Raises BadLetter.
    """
    settings = context.settings()
    to, url = row.to or "", ""
    if row.link_id is not None:
        row.link_id = links.freshened(row.link_id, now)
        if row.link_id is None:
            return None
        url = links.address_of(row.link_id)
    if row.kind == "sign_in":
        return messages.sign_in(to, url, settings.newsroom)
    if row.kind == "payment_confirmed":
        return messages.payment_confirmed(to, url, f"{settings.web.base_url}/sign-in", settings.newsroom)
    join_url = f"{settings.web.base_url}/join?plan={next(iter(settings.plans))}"
    return messages.no_subscription(to, join_url, settings.newsroom)
