"""Links lead to where staff find the object: the dashboard's half of our mode, or the sandbox's page."""

import pytest

from paywall.desk.asking import KINDS
from paywall.desk.stripe_links import link
from paywall.settings import STRIPE_API, load_settings

LIVE = {"api_key": "sk_live_1", "allow_live": True}


@pytest.mark.parametrize(
    ("table", "name", "expected"),
    [
        ({}, "sub_1", "https://dashboard.stripe.com/test/subscriptions/sub_1"),
        ({}, "cus_1", "https://dashboard.stripe.com/test/customers/cus_1"),
        ({}, "evt_1", "https://dashboard.stripe.com/test/events/evt_1"),
        (LIVE, "in_1", "https://dashboard.stripe.com/invoices/in_1"),
        ({"api_base": "http://127.0.0.1:12111"}, "in_1", "http://127.0.0.1:12111/"),
        ({}, "rdr_1", None),
        ({}, "javascript:alert(1)", None),
    ],
)
def test_the_mode_and_the_kind_decide(table: dict[str, object], name: str, expected: str | None) -> None:
    assert link(load_settings(stripe={"api_base": STRIPE_API, **table}).stripe, name) == expected


def test_what_can_be_searched_and_is_stripes_has_a_page() -> None:
    settings = load_settings(stripe={"api_base": STRIPE_API}).stripe
    without = {kind.begins for kind in KINDS if link(settings, f"{kind.begins}1") is None}
    assert without == {"rdr_", "ent_", "chk_", "cs_", "re_", "pyr_"}
