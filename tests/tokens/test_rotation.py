"""Rotation: repeated or at once it makes one key, and nothing of a key stays behind when it is gone."""

import threading
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from paywall.storage import signing_keys, workers
from paywall.storage.database import db
from paywall.tokens import keyring, rotation, vault
from paywall.tokens.keyring import OtherSecret
from paywall.worker.jobs import all_jobs
from paywall.worker.shift import Shift

AHEAD = timedelta(minutes=5)
DAY = timedelta(days=1)


@pytest.fixture
def app(make_app):
    made = make_app(
        log={"level": "info"},
        tokens={"publish_ahead_seconds": 300, "rotate_days": 90},
        web={"session_days": 30, "base_url": "https://pay.test"},
    )
    with made.app_context():
        yield made
        db.session.remove()


@pytest.fixture
def work(app, clock):
    """Lets a worker look after the keys; returns the ids of those that are there, the newest first."""
    (job,) = [one for one in all_jobs(app.extensions["paywall"]) if one.name == "keys"]

    def work(owner="wrk_1", **later):
        clock.advance(**later)
        db.session.remove()
        job.run(Shift(owner))
        try:
            return [row.kid for row in signing_keys.every()]
        finally:
            db.session.remove()

    return work


def test_the_first_rotation_makes_the_first_key(app, now):
    row, made = rotation.rotate(now)
    assert made
    assert keyring.signing_key(now).kid == row.kid


def test_a_rotation_is_not_repeated_while_the_next_key_waits(app, now):
    keyring.generate(now)
    row, made = rotation.rotate(now)
    assert (row.signs_from, made) == (now + AHEAD, True)
    again, made = rotation.rotate(now + AHEAD - timedelta(seconds=1))
    assert (again.kid, made) == (row.kid, False)
    later, made = rotation.rotate(now + AHEAD)
    assert made
    assert later.kid != row.kid


def on_hosts(app, number, work):
    """What the work gives on so many hosts that begin together, each with a transaction of its own."""
    ready, made = threading.Barrier(number), []

    def host():
        with app.app_context():
            ready.wait(10)
            made.append(work())
            db.session.commit()
            db.session.remove()

    threads = [threading.Thread(target=host) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return made


def test_on_many_hosts_at_once_one_key_is_made(app, now):
    """Each waits for the other's end, and then sees the key that waits."""
    keyring.generate(now)
    db.session.commit()
    made = on_hosts(app, 4, lambda: rotation.rotate(now))
    assert sorted(new for _, new in made) == [False, False, False, True]
    assert len({row.kid for row, _ in made}) == 1
    assert len(signing_keys.every()) == 2


def test_who_looks_while_another_makes_the_key_makes_none(make_app, now):
    """Also where a key signs as soon as it is made, so that none waits for the other to see."""
    app, made = make_app(tokens={"publish_ahead_seconds": 0, "rotate_days": 90}), []

    def other():
        with app.app_context():
            made.append(rotation.rotate_if_due(now + 90 * DAY))
            db.session.commit()
            db.session.remove()

    with app.app_context():
        keyring.generate(now)
        db.session.commit()
        assert rotation.rotate_if_due(now + 90 * DAY)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.3)  # it waits for us
        db.session.commit()
        thread.join(20)
        assert made == [None]
        assert len(signing_keys.every()) == 2
        db.session.remove()


def test_the_first_key_is_made_once_on_many_hosts(app, now):
    made = on_hosts(app, 3, lambda: keyring.ensure(now))
    assert len([row for row in made if row]) == len(signing_keys.every()) == 1


def test_a_worker_rotates_when_the_newest_key_is_old_enough(work, now):
    first = keyring.generate(now).kid
    db.session.commit()
    assert work() == [first]
    assert work(days=89, hours=23) == [first]
    second, _ = work("wrk_2", hours=1)
    assert work(hours=1) == [second, first]
    assert work(days=89, hours=22, minutes=59) == [second]
    assert len(work("wrk_2", hours=1)) == 2


def test_two_workers_do_it_once(work, now):
    keyring.generate(now)
    db.session.commit()
    assert len(work("wrk_1", days=91)) == 2
    assert len(work("wrk_2")) == 2
    assert workers.due_at("keys") == now + timedelta(days=91, hours=1)


def test_a_key_is_removed_a_day_after_it_is_gone(work, now):
    first = keyring.generate(now).kid
    db.session.commit()
    with capture_logs() as lines:
        second, _ = work(days=90)
        work(days=30)
        work(hours=23)
        assert work(minutes=59) == [second, first], "gone, and not for a day yet"
        assert work(hours=1) == [second]
    told = [(line["event"], line["kid"]) for line in lines if line["event"].startswith("signing_key")]
    assert told == [("signing_key_made", second), ("signing_key_removed", first)]


def test_zero_days_means_never(make_app, now, clock):
    with make_app(tokens={"rotate_days": 0}).app_context():
        keyring.generate(now)
        assert rotation.rotate_if_due(now + timedelta(days=4000)) is None


def test_no_key_is_made_in_place_of_one_that_an_operator_took_away(work, now):
    kid = keyring.generate(now).kid
    keyring.withdraw(kid)
    db.session.commit()
    assert work(days=100) == []


def test_a_key_that_waits_is_not_followed_by_another(app, now):
    keyring.generate(now)
    rotation.rotate(now + 90 * DAY)
    assert rotation.rotate_if_due(now + 90 * DAY) is None


def test_a_worker_with_another_secret_makes_no_key_and_still_removes(app, now):
    old, new = keyring.generate(now), keyring.generate(now)
    new.private_key = vault.seal(b"k" * 32, new.kid, "insecure-lost-encryption-key-000000000000")
    later = now + 200 * DAY
    assert rotation.remove_gone(later) == 1
    with pytest.raises(OtherSecret):
        rotation.rotate_if_due(later)
    assert [row.kid for row in signing_keys.every()] == [new.kid]
    assert old.kid != new.kid


def test_a_key_whose_successor_was_withdrawn_signs_again(app, now):
    """A new key that leaked leaves the service with the one before, as long as that is not gone."""
    first = keyring.generate(now)
    second, _ = rotation.rotate(now)
    assert keyring.signing_key(now + AHEAD).kid == second.kid
    keyring.withdraw(second.kid)
    assert keyring.signing_key(now + AHEAD).kid == first.kid
    assert {life.state(now + AHEAD) for life in keyring.every_life()} == {"signing"}


def test_between_hosts_whose_clocks_differ_every_host_can_sign(app, now):
    """The next key's time has come on one host and not on the other: each has a key, and both verify."""
    first = keyring.generate(now)
    second, _ = rotation.rotate(now)
    slow, fast = now + AHEAD - timedelta(seconds=30), now + AHEAD + timedelta(seconds=30)
    assert [keyring.signing_key(moment).kid for moment in (slow, fast)] == [first.kid, second.kid]
    for moment in (slow, fast):
        assert set(keyring.published(signing_keys.every(), moment, 30)) == {first.kid, second.kid}


def test_the_last_key_cannot_be_retired_where_all_others_are_gone(app, now):
    keyring.generate(now)
    second, _ = rotation.rotate(now)
    with pytest.raises(keyring.LastKey):
        keyring.retire(second.kid, now + AHEAD + 30 * DAY)
