"""Where a reader may be sent: open redirects, in every spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.urls import iri_to_uri

from paywall.accounts.destination import checked, checked_again, join_path
from paywall.accounts.signing import mask
from paywall.returning import BadReturnAddress
from paywall.settings import Web

WEB = Web(
    base_url="https://pay.test",
    secret_key="insecure",
    return_origins=("https://news.test",),
    form_origins=(),
    cookie_secure=True,
    session_days=30,
    trusted_hops=0,
    max_body_bytes=1024,
)


@pytest.mark.parametrize(
    "value",
    [
        "/",
        "/account",
        "/admin/",
        "/admin/entitlements?state=grace&q=a%20b",
        "https://news.test/a?b=c",
        "https://news.test",
    ],
)
def test_our_pages_and_the_listed_sites_are_let_through_unchanged(value: str) -> None:
    assert checked(value, WEB, "/account") == value


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_wish_it_is_the_default(value: str | None) -> None:
    assert checked(value, WEB, "/account") == "/account"


@pytest.mark.parametrize(
    "value",
    [
        "//evil.test",
        "///evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/\t/evil.test",
        "/\n/evil.test",
        " /account",
        "/\x00",
        "/a\r\nSet-Cookie: a=b",
        "account",
        "https://evil.test/",
        "https:/evil.test",
        "https://news.test.evil.test/",
        "https://news.test@evil.test/",
        "https://news.test:444/",
        "http://news.test/",
        "https://pay.test/account",
        "javascript:alert(1)",
        "data:text/html,x",
        "/" + "a" * 2001,
        "/\N{FULLWIDTH SOLIDUS}evil.test",
    ],
)
def test_everything_else_is_refused(value: str) -> None:
    with pytest.raises(BadReturnAddress):
        checked(value, WEB, "/account")
    assert checked_again(value, WEB, "/account") == "/account"


@given(st.text(alphabet="/\\.:@?#%a\t ehtps", max_size=14))
def test_nothing_that_is_let_through_leads_to_another_host(value: str) -> None:
    try:
        found = checked(value, WEB, "/account")
    except BadReturnAddress:
        return
    assert found.startswith("/")
    assert iri_to_uri(found)[1:2] not in ("/", "\\")


def test_the_offer_leads_back_to_the_article_but_not_to_our_own_pages() -> None:
    assert join_path("annual", "/account") == "/join?plan=annual"
    assert join_path("annual", "https://news.test/a?b=c&d") == (
        "/join?plan=annual&return_to=https%3A%2F%2Fnews.test%2Fa%3Fb%3Dc%26d"
    )


@pytest.mark.parametrize(
    ("address", "masked"),
    [("ada@example.com", "a•••@example.com"), ("a@example.com", "•••@example.com"), ("ab@x.org", "a•••@x.org")],
)
def test_a_masked_address_tells_little(address: str, masked: str) -> None:
    assert mask(address) == masked
