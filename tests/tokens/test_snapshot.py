"""What is read for checking tokens, and what is read again."""

from datetime import timedelta

import pytest

from paywall.storage import revocations, service_keys
from paywall.storage.database import db
from paywall.storage.hashing import sha256_hex
from paywall.storage.models import Fact, Revocation
from paywall.tokens import keyring, snapshot
from paywall.verifier.claims import Claims
from tests.support import subscribers


def load(now, previous=None):
    return snapshot.load(previous, now, session_days=30)


def claims(**changes):
    values = {"iss": "i", "sub": "rdr_1", "aud": "a", "jti": "tok_1", "sid": "ses_1", "iat": 1, "exp": 2, "gen": 1}
    return Claims(**{**values, "scope": "", **changes})


def test_an_empty_database_gives_an_empty_snapshot(app, now):
    held = load(now)
    assert (len(held.keys), held.services, len(held.revocations)) == (0, {}, 0)


def test_keys_and_services_are_read(app, now):
    row = keyring.generate(now)
    service, key = service_keys.add("news", now)
    db.session.commit()
    held = load(now)
    assert list(held.keys) == [row.kid]
    assert held.services[sha256_hex(key)] == snapshot.Service(service.id, "news")


def test_a_revoked_service_is_gone_from_the_next_snapshot(app, now):
    service, _key = service_keys.add("news", now)
    db.session.commit()
    before = load(now)
    service_keys.revoke(service.id, now)
    db.session.commit()
    assert before.services
    assert not load(now, before).services


def test_revocations_of_each_kind_hit(app, now):
    reader_id = subscribers.reader(now)
    revocations.of_session("ses_9", "signed_out", now)
    revocations.of_reader(reader_id, "erased", now)
    revocations.append("jti", "tok_9", "test", now, now + timedelta(minutes=15))
    db.session.commit()
    held = load(now).revocations
    assert held.hits(claims(sid="ses_9"))
    assert held.hits(claims(sub=reader_id, gen=1))
    assert held.hits(claims(jti="tok_9"))
    assert not held.hits(claims(sub=reader_id, gen=2))


def test_only_new_entries_are_read_again(app, now, monkeypatch):
    revocations.of_session("ses_1", "signed_out", now)
    db.session.commit()
    first = load(now)
    revocations.of_session("ses_2", "signed_out", now)
    db.session.commit()
    asked = []
    after = revocations.after
    monkeypatch.setattr(revocations, "after", lambda s, seq, n: asked.append(seq) or after(s, seq, n))
    second = load(now, first)
    assert asked == [1]
    assert second.revocations.hits(claims(sid="ses_1"))
    assert second.revocations.hits(claims(sid="ses_2"))


def test_without_news_the_list_is_not_built_again(app, now):
    revocations.of_session("ses_1", "signed_out", now)
    db.session.commit()
    first = load(now)
    assert load(now, first).revocations is first.revocations


def test_the_same_keys_are_the_same_set_and_a_withdrawn_one_is_in_none(app, now):
    """By their set remembered tokens are found, of which one key's must not outlive it."""
    kept, leaked = keyring.generate(now).kid, keyring.generate(now).kid
    db.session.commit()
    first = load(now)
    assert load(now, first).keys is first.keys
    keyring.withdraw(leaked)
    db.session.commit()
    assert set(load(now, first).keys) == {kept}


def test_an_entry_is_forgotten_when_no_token_can_be_hit_any_more(app, now):
    revocations.of_session("ses_1", "signed_out", now)
    db.session.commit()
    first = load(now)
    last = now + revocations.LONGEST_LIFE
    assert load(last - timedelta(seconds=1), first).revocations.hits(claims(sid="ses_1"))
    assert len(load(last, first).revocations) == 0
    assert len(load(last).revocations) == 0


def test_another_epoch_forces_a_full_reading(app, now):
    """A database restored from a copy counts on from an older number; the new epoch says so."""
    revocations.of_session("ses_1", "signed_out", now)
    revocations.of_session("ses_2", "signed_out", now)
    db.session.commit()
    first = load(now)
    db.session.delete(db.session.get(Revocation, 2))
    db.session.get(Revocation, 1).value = "ses_3"
    db.session.get(Fact, "revocation_epoch").value = "restored"
    db.session.commit()
    second = load(now, first)
    assert second.entries.seq == 1
    assert second.revocations.hits(claims(sid="ses_3"))
    assert not second.revocations.hits(claims(sid="ses_1"))


def test_reading_takes_no_write_lock(app, now):
    """On SQLite a reader that began as a writer would wait for every writer."""
    service_keys.add("news", now)
    assert load(now).services == {}
    db.session.commit()
    assert load(now).services


@pytest.mark.parametrize("days", [1, 400])
def test_retired_keys_stay_as_long_as_sessions_may_live(app, now, days):
    first = keyring.generate(now)
    keyring.generate(now)
    keyring.retire(first.kid, now)
    db.session.commit()
    edge = now + timedelta(days=days)
    assert first.kid in snapshot.load(None, edge - timedelta(seconds=1), days).keys
    assert first.kid not in snapshot.load(None, edge, days).keys


def test_a_number_given_again_after_a_restore_is_seen_once_the_epoch_is_renewed(app, now):
    """Whoever goes on from the last number that was seen would miss the entry that has taken its place."""
    end = now + timedelta(minutes=15)
    revocations.append("jti", "tok_lost", "test", now, end)
    db.session.commit()
    before = load(now)
    db.session.execute(db.delete(Revocation))  # the backup was made earlier
    revocations.append("jti", "tok_new", "test", now, end)
    db.session.commit()
    assert not load(now, before).revocations.hits(claims(jti="tok_new"))
    revocations.renew_epoch()
    db.session.commit()
    held = load(now, before).revocations
    assert held.hits(claims(jti="tok_new"))
    assert not held.hits(claims(jti="tok_lost"))
