"""The same lives told in the events of six API versions: the same rows, the same access, the same ledger."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from paywall.storage.database import db
from paywall.storage.models import LedgerEntry
from tests.support.life import FAILING_CARD, GOOD_CARD, Life, lived
from tests.support.older import VERSIONS, Ties, told
from tests.support.rows import dump

Json = dict[str, Any]
TABLES = ("subscriptions", "payments", "invoice_payments", "refunds", "disputes", "entitlements", "ledger")
KINDS = ("subscription", "invoice", "invoice_payment", "payment_intent", "charge", "refund", "dispute", "customer")
# each life takes seconds: the suite takes the oldest shapes and two later ones, `make conformance` all of them
SOME = VERSIONS[:-1] if os.environ.get("LIVES") else VERSIONS[:-1:2]
NUMBER = re.compile(r'(?<="number": ")[A-Z0-9]+-')  # the customer's own beginning of invoices' numbers
ID = re.compile(r"\b(?:sub|in|inpay|pi|ch|re|du|dp|cus|rdr|ent|evt|chk|price|cs_test)_[A-Za-z0-9]+")
Step = Callable[[Life], object]


def told_in(life: Life, version: str) -> int:
    """Tells what happened in a version's shapes."""
    return life.tell(lambda event: told(event, version, Ties.of(life.account.store)))


def refunded() -> Iterator[Step]:
    """Bought, renewed, failed, recovered, ended and taken back in both ways, partly and then fully refunded."""
    yield lambda life: life.buy()
    yield Life.to_renewal
    yield lambda life: life.use_card(FAILING_CARD)
    yield Life.to_renewal
    yield lambda life: (life.later(days=1), life.use_card(GOOD_CARD), life.pay_what_is_open())
    yield lambda life: (life.later(days=30), life.end_in_the_portal())
    yield lambda life: (life.later(hours=5), life.keep_in_the_portal())
    yield lambda life: life.stripe.v1.subscriptions.update(life.subscription_id, {"cancel_at_period_end": True})
    yield lambda life: life.stripe.v1.subscriptions.update(life.subscription_id, {"cancel_at_period_end": False})
    yield lambda life: (life.later(days=2), life.refund(2500))
    yield lambda life: (life.later(days=2), life.refund())


def disputed() -> Iterator[Step]:
    """Bought, asked about, disputed and won, then disputed in the next period and lost."""
    yield lambda life: life.buy()
    yield lambda life: (life.later(days=9), life.dispute("warning_needs_response"))
    yield lambda life: (life.later(days=9), life.settle(newest(life, "dispute"), "warning_closed"))
    yield lambda life: (life.later(days=9), life.dispute())
    yield lambda life: (life.later(days=9), life.settle(newest(life, "dispute"), "won"))
    yield Life.to_renewal
    yield lambda life: (life.later(days=9), life.dispute())
    yield lambda life: (life.later(days=9), life.settle(newest(life, "dispute"), "lost"))


def newest(life: Life, kind: str) -> str:
    return str(life.account.store.find(kind, limit=1)[0]["id"])


def outcome(life: Life) -> Json:
    """What the tables say, with Stripe's ids by their order and ours without their chance."""
    names = {
        body["id"]: f"{kind}-{number}"
        for kind in KINDS
        for number, body in enumerate(life.account.store.find(kind, oldest_first=True))
    }
    rows = {name: found for name, found in dump().items() if name in TABLES}

    def plain(row: Json) -> str:
        text = NUMBER.sub("", json.dumps(row, default=str, sort_keys=True))
        return ID.sub(lambda found: names.get(found[0], found[0].split("_")[0]), text)

    return {name: sorted(map(plain, found)) for name, found in rows.items()}


def states(life: Life) -> list[str]:
    """The states of the one entitlement, as the ledger has them."""
    return list(db.session.scalars(db.select(LedgerEntry.state).order_by(LedgerEntry.id)))


def live_through(life: Life, story: Callable[[], Iterator[Step]], version: str) -> None:
    for step in story():
        step(life)
        assert told_in(life, version) > 0


STORIES = {
    "refunded": (refunded, ["active", "active", "grace", "active", "active", "active", "active", "active", "ended"]),
    "disputed": (disputed, ["active", "suspended", "active", "active", "suspended", "ended"]),
}


@pytest.fixture(scope="module", params=STORIES)
def today(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Json]:
    """A story told in today's version: its name, and what the tables say in the end."""
    story, expected = STORIES[request.param]
    with lived("sqlite", tmp_path_factory.mktemp("today")) as life:
        live_through(life, story, VERSIONS[-1])
        assert states(life) == expected
        return request.param, outcome(life)


@pytest.mark.parametrize(
    ("kind", "version"),
    [*(("sqlite", version) for version in SOME), ("postgresql", VERSIONS[0])],
)
def test_a_life_told_in_any_version_leaves_the_same_rows_and_ledger(
    kind: str, version: str, today: tuple[str, Json], tmp_path: Path
) -> None:
    name, expected = today
    with lived(kind, tmp_path) as life:
        live_through(life, STORIES[name][0], version)
        assert outcome(life) == expected


def lying(event: Json) -> Json:
    """The event with everything in its body untrue but the ids that it names."""
    data = event["data"]
    return {**event, "data": {**data, "object": _untrue(data["object"])}}


def _untrue(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _untrue(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [_untrue(one, name) for one in value]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value * 7 + 86400
    if name == "status":
        return "canceled" if value in ("active", "paid", "complete", "succeeded", "won") else "active"
    return value if name == "object" or value is None or ID.fullmatch(value) else f"{value} is a lie"


def test_a_life_told_with_untrue_bodies_leaves_the_same_rows_and_ledger(
    today: tuple[str, Json], tmp_path: Path
) -> None:
    """A body is a hint: of all that it says, the ids alone are used."""
    name, expected = today
    with lived("sqlite", tmp_path) as life:
        for step in STORIES[name][0]():
            step(life)
            assert life.tell(lying) > 0
        assert outcome(life) == expected


def test_events_told_again_under_new_ids_after_all_is_over_change_nothing(
    today: tuple[str, Json], tmp_path: Path
) -> None:
    """A second endpoint of another version tells everything twice; a replay tells what was true a year ago."""
    name, _ = today
    with lived("sqlite", tmp_path) as life:
        live_through(life, STORIES[name][0], VERSIONS[-1])
        before = outcome(life)
        for event in life.shop.sandbox.events():
            again = told({**event, "id": f"{event['id']}again"}, VERSIONS[0], Ties.of(life.account.store))
            assert again is None or life.shop.deliver(again).status_code == 200
        assert outcome(life) == before
