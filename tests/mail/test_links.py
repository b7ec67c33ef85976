"""Mailed links as tokens: signed for this purpose alone, at the service's own clock."""

from datetime import timedelta

import pytest
from flask_openapi3.openapi import OpenAPI
from itsdangerous import URLSafeTimedSerializer

from paywall.mail import links
from paywall.mail.links import LinkExpired, LinkInvalid, LinkReplaced, LinkUsed
from paywall.storage.database import db
from tests.conftest import FrozenClock


def token_of(url: str) -> str:
    return url.split("token=")[1]


def test_a_link_is_short_and_stands_on_our_own_address(app: OpenAPI, clock: FrozenClock) -> None:
    url = links.address_of(links.create("ada@example.com", None, clock.now()))
    assert url.startswith("https://pay.test/sign-in/link?token=")
    assert len(url) < 140


def test_it_tells_nothing_of_its_owner(app: OpenAPI, clock: FrozenClock) -> None:
    """The token carries the row's id, so that a leaked one names nobody."""
    url = links.address_of(links.create("ada@example.com", "https://news.test/a", clock.now()))
    content = URLSafeTimedSerializer("any").loads_unsafe(token_of(url))[1]
    assert content.startswith("lnk_")


def test_looking_leaves_it_usable_and_using_it_does_not(app: OpenAPI, clock: FrozenClock) -> None:
    token = token_of(links.address_of(links.create("ada@example.com", "https://news.test/a", clock.now())))
    for _ in range(2):
        assert links.look(token, clock.now()).email_normalised == "ada@example.com"
    used = links.use(token, clock.now())
    assert (used.return_to, used.used_at) == ("https://news.test/a", clock.now())
    for act in (links.look, links.use):
        with pytest.raises(LinkUsed):
            act(token, clock.now())


def test_nothing_is_used_before_the_caller_commits(app: OpenAPI, clock: FrozenClock) -> None:
    """The link and the session that it opens are one transaction."""
    token = token_of(links.address_of(links.create("ada@example.com", None, clock.now())))
    db.session.commit()
    links.use(token, clock.now())
    db.session.rollback()
    assert links.look(token, clock.now()).used_at is None


def test_it_ends_by_the_clock_of_the_service(app: OpenAPI, clock: FrozenClock) -> None:
    clock.advance(days=400)
    token = token_of(links.address_of(links.create("ada@example.com", None, clock.now())))
    clock.advance(minutes=14, seconds=59)
    assert links.look(token, clock.now())
    clock.advance(seconds=1)
    for act in (links.look, links.use):
        with pytest.raises(LinkExpired):
            act(token, clock.now())


def test_the_signature_ends_by_the_same_clock_whatever_the_row_says(app: OpenAPI, clock: FrozenClock) -> None:
    clock.advance(days=400)
    token = token_of(links.address_of(links.create("ada@example.com", None, clock.now())))
    links.look(token, clock.now()).expires_at = clock.now() + timedelta(days=1)
    clock.advance(minutes=15)
    assert links.look(token, clock.now())
    clock.advance(seconds=1)
    with pytest.raises(LinkExpired):
        links.use(token, clock.now())


def test_an_older_one_is_replaced(app: OpenAPI, clock: FrozenClock) -> None:
    older = token_of(links.address_of(links.create("ada@example.com", None, clock.now())))
    newer = token_of(links.address_of(links.create("ada@example.com", None, clock.now())))
    for act in (links.look, links.use):
        with pytest.raises(LinkReplaced):
            act(older, clock.now())
    assert links.use(newer, clock.now())


@pytest.mark.parametrize(
    ("secret", "salt"), [("another secret", links._SALT), (None, "another purpose"), (None, "itsdangerous")]
)
def test_a_token_signed_for_another_purpose_or_by_somebody_else_is_refused(
    app: OpenAPI, clock: FrozenClock, secret: str | None, salt: str
) -> None:
    token = token_of(links.address_of(links.create("ada@example.com", None, clock.now())))
    content = URLSafeTimedSerializer("any").loads_unsafe(token)[1]
    ours = app.extensions["paywall"].settings.web.secret_key.get_secret_value()
    forged = URLSafeTimedSerializer(secret or ours, salt=salt).dumps(content)
    for act in (links.look, links.use):
        with pytest.raises(LinkInvalid):
            act(forged, clock.now())


def test_a_well_signed_token_of_no_link_is_refused(app: OpenAPI, clock: FrozenClock) -> None:
    for content in ("lnk_000000000000000000000000", "", 7, None, ["lnk_1"]):
        with pytest.raises(LinkInvalid):
            links.use(links._serializer(clock.now()).dumps(content), clock.now())
