"""A payment signs one browser in, also when two come back with its cookie between each other's steps."""

import pytest
from flask.testing import FlaskClient

from paywall.checkout import views
from paywall.storage.database import db
from paywall.storage.models import ReaderSession
from tests.support.shop import ARTICLE, Shop

# on SQLite the first one's transaction lets nobody in between
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
CHECKOUT_COOKIE = "__Host-paywall_checkout"


def copy_of(shop: Shop, client: FlaskClient) -> FlaskClient:
    """Another browser with the same checkout cookie."""
    other = shop.browser()
    other.set_cookie(CHECKOUT_COOKIE, client.get_cookie(CHECKOUT_COOKIE).value)
    return other


@on_postgresql
def test_of_two_who_come_back_at_once_one_is_signed_in(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    client = shop.browser()
    back = shop.pay(shop.start(client))
    other, real, seen = copy_of(shop, client), views._sign_in, []

    def overtaken(response, row) -> None:
        if not seen:
            seen.append(row.id)
            assert other.get(back).headers["Location"] == ARTICLE
        real(response, row)

    monkeypatch.setattr(views, "_sign_in", overtaken)
    answer = client.get(back)
    assert (answer.status_code, answer.headers["Location"]) == (303, ARTICLE)
    assert other.get_cookie("paywall_token")
    assert client.get_cookie("paywall_token") is None
    assert db.session.query(ReaderSession).count() == 1
