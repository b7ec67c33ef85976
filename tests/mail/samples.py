"""A letter of each kind, with everything in it that it may hold."""

from paywall.mail.messages import Letter, compose
from paywall.settings import Newsroom

NEWSROOM = Newsroom(
    language="en",
    name="The <Daily> Ledger",
    home_url="https://news.test/",
    time_zone="UTC",
    support_email="help@news.test",
)
URL = "https://pay.test/sign-in/link?token=abc&x=1"
SIGN_IN, ACCOUNT, JOIN = "https://pay.test/sign-in", "https://pay.test/account", "https://pay.test/join?plan=annual"
DUE = {"plan": "Everything & more", "until": "21 November 2027", "price": "$100 a year", "account_url": ACCOUNT}
VALUES = {
    "sign_in": {"url": URL, "digits": "012345"},
    "no_subscription": {"url": JOIN},
    "payment_confirmed": {"url": URL, "sign_in_url": SIGN_IN},
    "welcome": {
        "plan": "Everything & more",
        "paid": "$108",
        "tax": "$8",
        "paid_on": "21 November 2026",
        "number": "in_1abc",
        "until": "21 November 2027",
        "renews_at": "$100 a year",
        "taxed": True,
        "url": URL,
        "sign_in_url": SIGN_IN,
        "account_url": ACCOUNT,
    },
    "renewal_reminder": {**DUE, "taxed": True, "on": "21 November 2027"},
    "payment_failed": DUE,
    "action_required": DUE,
    "cancelled": DUE,
    "access_ended": {**DUE, "why": "it was cancelled", "join_url": JOIN},
    "address_confirm": {"url": "https://pay.test/account/address/confirm?token=abc"},
    "address_taken": {"sign_in_url": SIGN_IN},
    "address_changed": {"new": "a•••@example.org"},
    "export_ready": {"url": f"{ACCOUNT}/export"},
    "invited": {"by": "admin", "role": "support", "url": f"{SIGN_IN}?return_to=/admin/"},
    "erased": {},
}


def sample(kind: str, **changes: object) -> Letter:
    """The letter of a kind; ``changes`` take the place of its values."""
    return compose(kind, "ada@example.com", NEWSROOM, "let_1", **{**VALUES[kind], **changes})
