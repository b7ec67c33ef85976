"""Old rows go in small batches; what is still needed stays, however old it is."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from paywall.storage import checkouts, events, leases, letters, pruning, revocations, sign_in_links, workers
from paywall.storage.database import db
from paywall.storage.models import Checkout, InboxEvent, Lease, ReaderSession, Revocation, SignInLink
from paywall.storage.sessions import create
from tests.support.builders import DAY, NOW, make_reader
from tests.support.plans import plans

OLD = NOW - 100 * DAY
HOUR = timedelta(hours=1)


def add_event(event_id: str, state: str, received_at) -> None:
    values = {"id": event_id, "type": "invoice.paid", "created_at": received_at, "received_at": received_at}
    events.add({**values, "objects": {}, "state": state})


def add_checkout(name: str, reader_id: str, **columns) -> None:
    values = {
        "id": name,
        "reader_id": reader_id,
        "plan": "annual",
        "price_id": "price_1",
        "email": "ada@example.com",
        "browser_hash": name,
        "return_to": "https://news.test/",
        "state": "expired",
        "created_at": OLD,
        "expires_at": OLD,
        "closed_at": OLD,
    }
    db.session.add(Checkout(**{**values, **columns}))


def left(column) -> set[object]:
    db.session.commit()
    return set(db.session.scalars(db.select(column)))


def test_events_go_once_they_are_dealt_with_and_old_and_those_that_wait_never(app) -> None:
    for state in ("handled", "ignored", "parked", "received"):
        add_event(f"evt_old_{state}", state, OLD)
        add_event(f"evt_new_{state}", state, NOW)
    assert pruning.events(NOW - 90 * DAY, 10) == 2
    assert not {"evt_old_handled", "evt_old_ignored"} & left(InboxEvent.id)
    assert len(left(InboxEvent.id)) == 6


def test_a_batch_is_no_larger_than_asked_for(app) -> None:
    for number in range(5):
        add_event(f"evt_{number}", "handled", OLD)
    db.session.commit()
    assert [pruning.events(NOW, 2) for _ in range(4)] == [2, 2, 1, 0]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_batch_is_no_larger_however_postgresql_plans_it(app) -> None:
    """What a plain subquery finds is found anew for each row where the planner takes a nested loop."""
    for number in range(50):
        add_event(f"evt_{number}", "handled", OLD)
    db.session.commit()
    for way in ("enable_hashjoin", "enable_mergejoin", "enable_hashagg", "enable_sort", "enable_material"):
        db.session.execute(db.text(f"SET LOCAL {way} = off"))
    assert pruning.events(NOW, 2) == 2


def test_checkouts_go_that_nobody_paid_and_nobody_is_to_look_at(app) -> None:
    reader = make_reader().id
    add_checkout("chk_unpaid", reader)
    add_checkout("chk_recent", reader, closed_at=NOW)
    add_checkout("chk_open", reader, state="open", closed_at=None)
    add_checkout("chk_paid", reader, state="complete", subscription_id="sub_1")
    add_checkout("chk_flagged", reader, flag="same_address")
    db.session.commit()
    assert pruning.checkouts(NOW - 90 * DAY, 10) == 1
    assert left(Checkout.id) == {"chk_recent", "chk_open", "chk_paid", "chk_flagged"}
    assert checkouts.get("chk_paid") is not None


def test_letters_go_that_left_and_those_that_wait_stay(app) -> None:
    for name in ("sent", "waiting"):
        letters.add("sign_in", f"{name}@example.com", f"link:{name}", OLD)
    (sent, _) = sorted(letters.due(NOW, 5), key=lambda one: db.session.get(letters.WaitingLetter, one).cause)
    letters.finish(sent, "sent", OLD)
    db.session.commit()
    assert pruning.letters(NOW - 90 * DAY, 10) == 1
    assert left(letters.WaitingLetter.cause) == {"link:waiting"}


def test_links_go_after_their_use_or_their_end(app) -> None:
    made = {
        "used": sign_in_links.create("a@example.com", None, OLD, NOW + DAY),
        "ended": sign_in_links.create("b@example.com", None, OLD, OLD + HOUR),
        "open": sign_in_links.create("c@example.com", None, OLD, NOW + DAY),
    }
    sign_in_links.use(made["used"], OLD)
    db.session.commit()
    assert pruning.links(NOW - 30 * DAY, 10) == 2
    assert left(SignInLink.id) == {made["open"]}


def test_requests_to_sign_in_that_came_to_nothing_go_after_two_days(app) -> None:
    """The address may be that of somebody who never had to do with us."""
    made = {hours: sign_in_links.create(f"{hours}@example.com", None, OLD, NOW - hours * HOUR) for hours in (47, 49)}
    used = sign_in_links.create("used@example.com", None, OLD, NOW - 49 * HOUR)
    sign_in_links.use(used, OLD)
    db.session.commit()
    assert pruning.unused_links(NOW, 10) == 1
    assert left(SignInLink.id) == {made[47], used}


def test_sessions_go_long_after_their_end(app) -> None:
    reader = make_reader().id
    ended = create(reader, "a", "link", OLD, NOW + DAY)
    db.session.get(ReaderSession, ended).ended_at = OLD
    create(reader, "b", "link", OLD, OLD + DAY)
    live = create(reader, "c", "link", OLD, NOW + DAY)
    lately = create(reader, "d", "link", OLD, NOW - DAY)
    db.session.commit()
    assert pruning.sessions(NOW - 30 * DAY, 10) == 2
    assert left(ReaderSession.id) == {live, lately}


def test_leases_go_an_hour_after_they_ran_out(app) -> None:
    leases.take("subscription:old", "own_1", OLD, NOW - HOUR - timedelta(seconds=1))
    leases.take("subscription:new", "own_1", OLD, NOW)
    assert pruning.leases(NOW, 10) == 1
    assert left(Lease.name) == {"subscription:new"}


@pytest.mark.parametrize("newest_is_old", [True, False])
def test_the_newest_revocation_stays_whatever_its_age_so_that_no_number_is_given_twice(app, newest_is_old) -> None:
    for _ in range(3):
        revocations.append("jti", "tok_1", "test", OLD, OLD + DAY)
    if not newest_is_old:
        revocations.append("jti", "tok_2", "test", NOW, NOW + DAY)
    db.session.commit()
    newest = 3 if newest_is_old else 4
    assert pruning.revocations(NOW, 10) == newest - 1
    assert left(Revocation.seq) == {newest}
    assert revocations.append("jti", "tok_3", "test", NOW, NOW + DAY) == newest + 1


def test_a_revocation_stays_that_could_still_hit_a_token(app) -> None:
    revocations.append("jti", "tok_1", "test", OLD, NOW + timedelta(seconds=1))
    revocations.append("jti", "tok_2", "test", OLD, NOW + DAY)
    db.session.commit()
    assert pruning.revocations(NOW, 10) == 0


def test_workers_go_a_week_after_their_last_word(app) -> None:
    workers.beat("wrk_old", "here:1", NOW - 8 * DAY)
    workers.beat("wrk_new", "here:2", NOW - DAY)
    assert pruning.workers(NOW, 10) == 1
    assert left(workers.WorkerRow.id) == {"wrk_new"}


def test_nothing_old_is_nothing_deleted(app) -> None:
    prunes: list[Callable[..., int]] = [*pruning.BY_NOW, *(one for some in pruning.BY_AGE.values() for one in some)]
    assert [prune(NOW, 10) for prune in prunes] == [0] * len(prunes)


@pytest.mark.parametrize(
    ("prune", "indexes"),
    [
        (pruning.checkouts, ["ix_checkouts_unpaid"]),
        (pruning.letters, ["ix_letters_done_at"]),
        (pruning.links, ["ix_sign_in_links_used_at", "ix_sign_in_links_expires_at"]),
        (pruning.unused_links, ["ix_sign_in_links"]),
        (pruning.sessions, ["ix_reader_sessions_ended_at", "ix_reader_sessions_expires_at"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_old_rows_are_found_by_an_index(app, prune: pruning.Prune, indexes: list[str]) -> None:
    """A table that holds years is not read in full once for each batch of 500."""
    (plan,) = plans(lambda: prune(NOW, 500), starting="WITH", bitmaps=True)
    assert [index in plan for index in indexes] == [True] * len(indexes), plan
