"""I7 through the API: a token from before a full refund or a dispute is refused the moment after it is known."""

import pytest
from flask.testing import FlaskClient

from paywall.storage import service_keys
from paywall.storage.database import db
from paywall.storage.models import Entitlement, Reader, ReaderSession
from paywall.tokens import issuer, verification
from tests.support import staff
from tests.support.shop import Shop


class Service:
    """A content service that asks about one reader's token."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.client = shop, shop.browser()
        verification.of_app().snapshots.interval = 0.0  # a second, in the clock of this test
        _, self.key = service_keys.add("news", shop.parts.clock.now())
        db.session.commit()

    def issue(self) -> str | None:
        """A new token of the reader's session, if there is access."""
        session = db.session.scalars(db.select(ReaderSession)).first()
        assert session is not None
        issued = issuer.issue(session.reader_id, session.id, self.shop.parts.clock.now())
        db.session.commit()
        return issued.token if issued else None

    def allows(self, token: str | None) -> tuple[bool, str | None]:
        """Whether the API lets the token in, and why not."""
        db.session.rollback()
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = self.client.post("/v1/tokens/verify", json={"token": token}, headers=headers)
        return answer.json["allowed"], answer.json.get("reason")


@pytest.fixture
def reader(shop: Shop) -> FlaskClient:
    return shop.browser()


def deliver(shop: Shop, kind: str) -> None:
    """The newest event of this type arrives."""
    assert shop.deliver(shop.sandbox.events(kind)[-1]).status_code == 200


def test_a_token_is_refused_once_its_payment_was_given_back(shop: Shop, reader: FlaskClient) -> None:
    bought = shop.buy(reader)
    service = Service(shop)
    token = service.issue()
    assert service.allows(token) == (True, None)
    staff.refund(shop, bought)
    deliver(shop, "refund.created")
    assert service.allows(token) == (False, "revoked")
    assert service.issue() is None


def test_a_partial_refund_takes_no_token_back(shop: Shop, reader: FlaskClient) -> None:
    bought = shop.buy(reader)
    service = Service(shop)
    token = service.issue()
    staff.refund(shop, bought, 100)
    deliver(shop, "refund.created")
    assert service.allows(token) == (True, None)


def test_a_dispute_takes_tokens_back_until_it_is_won(shop: Shop, reader: FlaskClient) -> None:
    bought = shop.buy(reader)
    service = Service(shop)
    token = service.issue()
    case = staff.dispute(shop, bought)
    deliver(shop, "charge.dispute.created")
    assert (service.allows(token), service.issue()) == ((False, "revoked"), None)
    staff.settle_dispute(shop, case["id"], "won")
    deliver(shop, "charge.dispute.closed")
    assert service.allows(token) == (False, "revoked"), "what was taken back stays so"
    assert service.allows(service.issue()) == (True, None)


def test_a_lost_dispute_refuses_every_token_for_good(shop: Shop, reader: FlaskClient) -> None:
    bought = shop.buy(reader)
    service = Service(shop)
    token = service.issue()
    case = staff.dispute(shop, bought)
    staff.settle_dispute(shop, case["id"], "lost")
    deliver(shop, "charge.dispute.closed")
    assert (service.allows(token), service.issue()) == ((False, "revoked"), None)


def test_an_inquiry_refuses_nobody(shop: Shop, reader: FlaskClient) -> None:
    bought = shop.buy(reader)
    service = Service(shop)
    token = service.issue()
    staff.dispute(shop, bought, "warning_needs_response")
    deliver(shop, "charge.dispute.created")
    assert service.allows(token) == (True, None)


def test_taking_a_token_back_and_ending_access_are_one_transaction(shop: Shop, reader: FlaskClient) -> None:
    """A crash between the two would leave a reader whose tokens work without access."""
    bought = shop.buy(reader)
    staff.refund(shop, bought)
    seen: list[tuple[int, str]] = []
    real = db.session.commit

    def watched() -> None:
        real()
        generation = db.session.scalars(db.select(Reader.generation)).one()
        seen.append((generation, db.session.scalars(db.select(Entitlement.state)).one()))
        db.session.rollback()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db.session, "commit", watched)
        deliver(shop, "refund.created")
    assert set(seen) == {(1, "active"), (2, "ended")}
