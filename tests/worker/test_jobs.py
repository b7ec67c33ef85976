"""What each job does when its time has come, and what it leaves alone."""

from datetime import timedelta

import pytest

from paywall.billing import sync
from paywall.storage import events, leases, letters, pruning, readers
from paywall.storage.database import begin_read, db
from paywall.storage.models import Entitlement, InboxEvent
from paywall.webhooks import retrying
from paywall.webhooks.intake import Intake
from paywall.worker import jobs
from paywall.worker.shift import Shift, Stopped
from tests.support.builders import DAY, make_entitlement, make_subscription, make_terms, save
from tests.support.marks import on_sqlite
from tests.support.shop import Shop
from tests.worker.conftest import parts_of


def add_event(event_id: str, clock, **columns) -> str:
    """An event that is due and about nothing that Stripe knows."""
    values = {"id": event_id, "type": "customer.subscription.updated", "api_version": None}
    values |= {"created_at": clock.now(), "received_at": clock.now(), "objects": {"subscription": "sub_unknown"}}
    events.add({**values, "state": "parked", "next_try_at": clock.now(), **columns})
    db.session.commit()
    return event_id


def states() -> dict[str, str]:
    db.session.rollback()
    found = db.session.execute(db.select(InboxEvent.id, InboxEvent.state)).all()
    db.session.rollback()
    return {row[0]: row[1] for row in found}


class TestInbox:
    def test_what_was_parked_while_stripe_was_away_is_handled_later(self, shop: Shop, clock, shift, monkeypatch):
        shop.pay(shop.start(shop.browser()))
        created = shop.sandbox.events("customer.subscription.created")[0]
        with monkeypatch.context() as broken:
            broken.setattr(type(shop.parts.gateway), "fetch_subscription", _raise)
            shop.deliver(created)
        assert states()[created["id"]] == "parked"
        jobs.retry_events(shop.parts, shift)
        assert states()[created["id"]] == "parked", "its time has not come"
        clock.advance(seconds=5)
        jobs.retry_events(shop.parts, shift)
        assert states()[created["id"]] == "handled"
        assert db.session.query(Entitlement).count() == 1

    def test_what_a_dead_process_received_is_handled_a_minute_later(self, shop: Shop, clock, shift) -> None:
        add_event("evt_1", clock, state="received", next_try_at=clock.now() + events.UNTOUCHED)
        clock.advance(seconds=59)
        jobs.retry_events(shop.parts, shift)
        assert states() == {"evt_1": "received"}
        clock.advance(seconds=1)
        jobs.retry_events(shop.parts, shift)
        assert states() == {"evt_1": "ignored"}

    def test_the_lease_of_a_dead_process_holds_its_event_up_for_less_than_a_minute(
        self, shop: Shop, clock, shift, monkeypatch
    ) -> None:
        monkeypatch.setattr(sync, "PATIENCE_SECONDS", 0.0)
        shop.pay(shop.start(shop.browser()))
        created = shop.sandbox.events("customer.subscription.created")[0]
        began = clock.now()
        leases.take(f"subscription:{created['data']['object']['id']}", "own_dead", began, began + sync.LEASE)
        assert shop.deliver(created).status_code == 503
        while (row := events.get(created["id"])).state == "parked":
            assert row.outcome == "sync_busy"
            clock.moment = row.next_try_at
            db.session.commit()
            jobs.retry_events(shop.parts, shift)
        assert clock.now() - began <= sync.LEASE + retrying.LONGEST_BUSY

    def test_no_event_is_ever_given_up(self, shop: Shop, clock, shift, monkeypatch) -> None:
        """A hundred failures later it is still tried, at least every hour, and told of."""
        monkeypatch.setattr(type(shop.parts.gateway), "fetch_subscription", _raise)
        add_event("evt_1", clock)
        tries = 0
        while tries < 100:
            jobs.retry_events(shop.parts, shift)
            row = events.get("evt_1")
            db.session.commit()
            assert (row.state, row.attempts) == ("parked", tries + 1)
            assert timedelta() < row.next_try_at - clock.now() <= timedelta(hours=1)
            clock.moment, tries = row.next_try_at, tries + 1
        monkeypatch.undo()
        jobs.retry_events(shop.parts, shift)
        assert states() == {"evt_1": "ignored"}, "and dealt with once that is possible"

    def test_events_that_always_fail_keep_no_new_one_waiting_and_are_tried_too(self, app, clock, shift, monkeypatch):
        tried: list[str] = []
        monkeypatch.setattr(Intake, "handle", lambda _self, event_id: tried.append(event_id))
        for number in range(10):
            add_event(f"evt_bad_{number}", clock, attempts=50, next_try_at=clock.now() - DAY)
        for number in range(3):
            add_event(f"evt_new_{number}", clock)
        jobs.retry_events(parts_of(app), shift)
        assert len(tried) == 13
        assert [name for name in tried[:6] if "new" in name] == ["evt_new_0", "evt_new_1", "evt_new_2"]
        assert [name for name in tried[:6] if "bad" in name] == ["evt_bad_0", "evt_bad_1", "evt_bad_2"]

    def test_a_stop_leaves_the_rest_to_the_next_worker(self, app, clock, shift, monkeypatch) -> None:
        def handle(_self, event_id: str) -> None:
            shift.stopping.set()

        monkeypatch.setattr(Intake, "handle", handle)
        for number in range(3):
            add_event(f"evt_{number}", clock)
        jobs.retry_events(parts_of(app), shift)
        left = [events.claim(clock.now(), clock.now() + DAY, fresh_first=False) for _ in range(3)]
        assert left == ["evt_1", "evt_2", None], "only the one in hand was claimed"

    @on_sqlite
    def test_an_empty_inbox_takes_no_write_lock(self, app, shift, monkeypatch) -> None:
        monkeypatch.setattr(events, "claim", _raise)
        jobs.retry_events(parts_of(app), shift)


class TestLetters:
    def test_a_letter_that_waits_is_sent_when_it_is_due(self, make_app, tmp_path, clock, shift) -> None:
        app = make_app(mail={"outbox_dir": str(tmp_path / "out")})
        with app.app_context():
            letters.add("no_subscription", "ada@example.com", "asked:1", clock.now())
            letters.add("no_subscription", "bob@example.com", "asked:2", clock.now() + DAY)
            db.session.commit()
            jobs.send_letters(shift)
            assert len(list((tmp_path / "out").glob("*.eml"))) == 1
            begin_read()
            assert letters.waiting() == 1
            db.session.remove()

    def test_a_renewal_that_is_near_is_told_of_once(self, app, clock, shift) -> None:
        (job,) = [job for job in jobs.all_jobs(parts_of(app)) if job.name == "reminders"]
        end = clock.now() + 10 * DAY
        row = make_subscription(now=clock.now())
        terms = make_terms(clock.now(), paid_until=end, until=end + 3 * DAY)
        make_entitlement(readers.get(row.reader_id), terms, now=clock.now(), source_id=row.id)
        save()
        for _ in range(2):
            job.run(shift)
            clock.advance(hours=2)
        assert letters.waiting_by_kind() == {"renewal_reminder": 1}
        db.session.commit()

    def test_none_is_begun_after_a_stop(self, app, shift, monkeypatch) -> None:
        monkeypatch.setattr("paywall.mail.delivery.deliver", _raise)
        shift.stopping.set()
        jobs.send_letters(shift)


class TestPruning:
    def run(self, app, shift: Shift) -> None:
        (prune,) = [job for job in jobs.all_jobs(parts_of(app)) if job.name == "prune"]
        prune.run(shift)

    def test_old_rows_go_by_the_settings_once_a_day(self, make_app, clock, shift) -> None:
        app = make_app(retention={"events_days": 40})
        with app.app_context():
            add_event("evt_old", clock, state="handled", received_at=clock.now() - 41 * DAY)
            add_event("evt_new", clock, state="handled", received_at=clock.now() - 39 * DAY)
            add_event("evt_waits", clock, received_at=clock.now() - 400 * DAY)
            self.run(app, shift)
            assert set(states()) == {"evt_new", "evt_waits"}
            clock.advance(hours=23)
            add_event("evt_old", clock, state="handled", received_at=clock.now() - 41 * DAY)
            self.run(app, shift)
            assert "evt_old" in states(), "a day has not passed"
            clock.advance(hours=1)
            self.run(app, shift)
            assert "evt_old" not in states()
            db.session.remove()

    def test_each_kind_of_row_is_kept_by_a_setting_of_its_own(self, make_app, clock, shift, monkeypatch) -> None:
        ages: dict[str, int] = {}

        def spy(real: pruning.Prune) -> pruning.Prune:
            def note(before, limit) -> int:
                ages[real.__name__] = (clock.now() - before).days
                return real(before, limit)

            return note

        kept = {name: tuple(spy(one) for one in prunes) for name, prunes in pruning.BY_AGE.items()}
        monkeypatch.setattr(pruning, "BY_AGE", kept)
        days = {"events_days": 41, "checkouts_days": 42, "letters_days": 43, "sign_ins_days": 44}
        app = make_app(retention=days)
        with app.app_context():
            self.run(app, shift)
            db.session.remove()
        assert ages == {"events": 41, "checkouts": 42, "letters": 43, "links": 44, "sessions": 44}

    def test_many_rows_go_in_batches_each_in_a_transaction_of_its_own(self, app, shift, clock, monkeypatch) -> None:
        batches: list[int] = []
        real = pruning.events

        def prune_events(before, limit) -> int:
            assert not db.session().in_transaction()
            batches.append(real(before, limit))
            return batches[-1]

        monkeypatch.setattr(jobs, "_PRUNE_BATCH", 2)
        monkeypatch.setattr(pruning, "BY_AGE", {"events_days": (prune_events,)})
        for number in range(5):
            add_event(f"evt_{number}", clock, state="handled", received_at=clock.now() - 100 * DAY)
        self.run(app, shift)
        assert batches == [2, 2, 1]

    def test_a_stop_between_two_batches_leaves_the_rest_to_the_next_run(self, app, shift, clock, monkeypatch) -> None:
        monkeypatch.setattr(jobs, "_PRUNE_BATCH", 1)
        add_event("evt_1", clock, state="handled", received_at=clock.now() - 100 * DAY)
        shift.stopping.set()
        self.run(app, shift)
        assert "evt_1" in states()
        self.run(app, Shift("wrk_next"))
        assert states() == {}


def test_a_step_after_a_stop_is_not_begun(shift) -> None:
    shift.step()
    shift.stopping.set()
    with pytest.raises(Stopped):
        shift.step()


def _raise(*_: object, **__: object) -> None:
    raise KeyError
