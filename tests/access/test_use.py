"""Every check, renewal and list is counted for the service that asked, beside the answer; no answer waits for it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event

from paywall import done, metrics
from paywall.access import afterwards, grounds
from paywall.domain.days import local_day
from paywall.later import LATER
from paywall.storage.database import db
from paywall.storage.service_keys import every
from paywall.storage.use import Counted, between
from paywall.tokens import use, verification
from tests.conftest import browser

ALL = "news analyses memos reports newsletters"  # what the plan gives
ASKED_OF_POSTGRESQL = frozenset({"test_checks_are_counted_by_service_outcome_and_feature"})


@pytest.fixture
def app(make_app):
    """An application that counts; storing is done by hand."""
    made = make_app(tokens={"count_seconds": 300})
    with made.app_context():
        verification.of_app().snapshots.interval = 0.0
        yield made
        db.session.remove()


@pytest.fixture
def client(app):
    return browser(app)


@pytest.fixture
def counted(app, now):
    """What was counted since the last time: service (its name, or nothing), kind and features, with its number."""
    today = local_day(now, app.extensions["paywall"].settings.zone)
    before: dict[Counted, int] = {}

    def counted() -> dict[tuple[str, str, str], int]:
        LATER.settle()
        assert use.of_app().flush()
        db.session.rollback()
        names = {row.id: row.name for row in every()} | {"": ""}
        found = dict(between(today, today))
        more = {key: number - before.get(key, 0) for key, number in found.items()}
        before.update(found)
        return {(names[key.service_id], key.kind, key.features): number for key, number in more.items() if number}

    return counted


def test_a_token_of_our_own_page_is_counted_with_its_features(token, counted) -> None:
    assert counted() == {("", "issued", ALL): 1}


def test_answers_told_of_together_are_counted_on_their_own_days(app, counted, now) -> None:
    """Of a batch over midnight."""
    zone, sort = app.extensions["paywall"].settings.zone, done.sort_of("/v1/authorize", "GET", 204)
    today = local_day(now, zone)
    midnight = datetime(today.year, today.month, today.day, tzinfo=zone)
    asked = grounds.use("authorize", None, ("memos",))
    moments = [midnight + timedelta(seconds=second) for second in (-2, -1, 0, 1, 2)]
    afterwards.tell(app, [(sort, 0.1, 0.0, asked, "", moment) for moment in moments])
    assert counted() == {("", "allowed", "memos"): 3}
    yesterday = dict(between(today - timedelta(days=1), today - timedelta(days=1)))
    assert [number for key, number in yesterday.items() if key.features == "memos"] == [2]


def test_checks_are_counted_by_service_outcome_and_feature(token, ask, counted) -> None:
    counted()
    ask("verify", token=token)
    ask("verify", token=token, require="memos")
    ask("verify", token=token, require="memos")
    ask("verify", token=token, require="no-such-feature")
    ask("verify", token="damaged", require="memos")
    assert counted() == {
        ("news", "allowed", ""): 1,
        ("news", "allowed", "memos"): 2,
        ("news", "refused", "other"): 1,
        ("news", "refused", "memos"): 1,
    }


def test_introspection_and_the_gateways_question_are_checks(token, client, service_key, counted) -> None:
    counted()
    client.post("/v1/introspect", data={"token": token}, headers={"Authorization": f"Bearer {service_key}"})
    bearer = {"Authorization": f"Bearer {token}"}
    for query in ("", "?require=memos", "?require=memos&require=archive", "?wrong=1"):
        client.get(f"/v1/authorize{query}", headers=bearer)
    assert counted() == {
        ("news", "allowed", ""): 1,
        ("", "allowed", ""): 1,
        ("", "allowed", "memos"): 1,
        ("", "refused", "several"): 1,
        ("", "refused", ""): 1,
    }


def test_a_renewal_is_a_token_made_for_the_service(token, ask, counted) -> None:
    counted()
    assert ask("renew", token=token).json["active"]
    assert not ask("renew", token="damaged").json["active"]
    assert counted() == {("news", "issued", ALL): 1}


def test_who_takes_the_list_alone_uses_its_key_too(client, service_key, counted) -> None:
    client.get("/v1/revocations", headers={"Authorization": f"Bearer {service_key}"})
    assert counted() == {("news", "listed", ""): 1}


def test_a_key_that_opens_nothing_is_not_counted(client, counted) -> None:
    client.post("/v1/tokens/verify", json={"token": "x"}, headers={"Authorization": "Bearer pwk_wrong"})
    client.get("/v1/revocations", headers={"Authorization": "Bearer pwk_wrong"})
    assert counted() == {}


def test_a_check_makes_no_query_for_its_count(app, token, ask, counted) -> None:
    counted()
    verification.of_app().snapshots.interval = 3600.0
    ask("verify", token=token)  # whoever comes first loads the keys
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *asked: statements.append(asked[2]))
    for _ in range(20):
        assert ask("verify", token=token).json["allowed"]
    LATER.settle()
    assert statements == []


def test_the_metrics_count_the_same_answers(token, ask, counted) -> None:
    labels = {"address": "verify", "outcome": "allowed"}
    before = metrics.REGISTRY.get_sample_value("paywall_token_answers_total", labels) or 0
    counted()
    for _ in range(3):
        ask("verify", token=token)
    assert metrics.REGISTRY.get_sample_value("paywall_token_answers_total", labels) - before == 3
    assert counted() == {("news", "allowed", ""): 3}
