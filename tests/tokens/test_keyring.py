"""Signing keys: published before they sign, useful after they retire, gone when withdrawn."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from paywall.errors import NotFound
from paywall.storage import signing_keys
from paywall.storage.database import db
from paywall.tokens import keyring, vault
from paywall.tokens.keyring import LastKey, NoSigningKey, OtherSecret
from paywall.tokens.vault import KeyUnreadable

AHEAD = timedelta(minutes=5)


@pytest.fixture
def app(make_app):
    """Like a real installation: a new key waits for five minutes."""
    made = make_app(tokens={"publish_ahead_seconds": 300})
    with made.app_context():
        yield made
        db.session.remove()


def published(now):
    return set(keyring.published(signing_keys.every(), now, session_days=30))


def test_the_first_key_signs_at_once(app, now):
    row = keyring.generate(now)
    assert keyring.signing_key(now).kid == row.kid
    assert published(now) == {row.kid}


def test_without_a_key_nothing_is_signed(app, now):
    with pytest.raises(NoSigningKey):
        keyring.signing_key(now)


def test_a_later_key_is_published_before_it_signs(app, now):
    """Verifiers learn a key from the published set; a token that is there first would be refused."""
    first, second = keyring.generate(now), keyring.generate(now)
    assert published(now) == {first.kid, second.kid}
    assert keyring.signing_key(now + AHEAD - timedelta(seconds=1)).kid == first.kid
    assert keyring.signing_key(now + AHEAD).kid == second.kid


def test_a_key_retires_by_itself_when_the_next_one_signs(app, now):
    """It verifies while a session of its time may live, and is not published for ever."""
    first, second = keyring.generate(now), keyring.generate(now)
    end = now + AHEAD + timedelta(days=30)
    assert published(end - timedelta(seconds=1)) == {first.kid, second.kid}
    assert published(end) == {second.kid}


def test_a_retired_key_signs_no_more_but_verifies_while_sessions_live(app, now):
    """A reader comes back after weeks with a token of the old key, and must not have to sign in again."""
    first, second = keyring.generate(now), keyring.generate(now)
    later = now + AHEAD
    keyring.retire(first.kid, later)
    assert keyring.signing_key(later).kid == second.kid
    assert first.kid in published(later + timedelta(days=30) - timedelta(seconds=1))
    assert first.kid not in published(later + timedelta(days=30))


def test_retiring_the_newest_key_goes_back_to_the_one_before(app, now):
    first, second = keyring.generate(now), keyring.generate(now)
    keyring.retire(second.kid, now + AHEAD)
    assert keyring.signing_key(now + AHEAD).kid == first.kid


def test_the_last_key_that_signs_cannot_be_retired(app, now):
    first = keyring.generate(now)
    second = keyring.generate(now)
    with pytest.raises(LastKey):
        keyring.retire(first.kid, now)
    keyring.retire(first.kid, now + AHEAD)
    with pytest.raises(LastKey):
        keyring.retire(second.kid, now + AHEAD)


def test_retiring_twice_keeps_the_first_moment(app, now):
    first = keyring.generate(now)
    keyring.generate(now)
    moment = keyring.retire(first.kid, now + AHEAD).retired_at
    assert keyring.retire(first.kid, now + AHEAD * 2).retired_at == moment


def test_a_withdrawn_key_is_gone_at_once_even_the_last(app, now):
    row = keyring.generate(now)
    keyring.withdraw(row.kid)
    assert published(now) == set()
    with pytest.raises(NoSigningKey):
        keyring.signing_key(now)
    assert keyring.generate(now).signs_from == now


@pytest.mark.parametrize("end", [lambda now: keyring.retire("none", now), lambda now: keyring.withdraw("none")])
def test_an_unknown_key_cannot_be_ended(app, now, end):
    with pytest.raises(NotFound):
        end(now)


def test_the_first_key_is_made_once(app, now):
    assert keyring.ensure(now) is not None
    assert keyring.ensure(now) is None
    assert len(signing_keys.every()) == 1


def test_the_key_read_back_is_the_one_that_was_made(app, now):
    row = keyring.generate(now)
    db.session.commit()
    db.session.expire_all()
    assert keyring.published([row], now, 1).get(row.kid) == keyring.signing_key(now).public


def test_no_private_key_stands_in_the_database(app, now):
    row = keyring.generate(now)
    raw = keyring.signing_key(now).private_bytes()
    assert raw.hex() not in row.private_key
    assert len(row.private_key) > 70


def test_another_encryption_key_cannot_sign(make_app, now):
    with make_app().app_context():
        keyring.generate(now)
        db.session.commit()
    other = make_app(tokens={"encryption_key": "another-secret-of-thirty-two-characters"})
    with other.app_context(), pytest.raises(KeyUnreadable):
        keyring.signing_key(now)


def test_the_states_are_named_for_people(app, now):
    first, second = keyring.generate(now), keyring.generate(now)

    def states(moment):
        found = {life.row.kid: life.state(moment) for life in keyring.every_life()}
        return [found[first.kid], found[second.kid]]

    assert states(now) == ["signing", "published"]
    assert states(now + AHEAD) == ["retired", "signing"]
    assert states(now + AHEAD + timedelta(days=399)) == ["retired", "signing"]
    assert states(now + AHEAD + timedelta(days=400)) == ["gone", "signing"]


def test_keys_are_sealed_anew_after_a_change_of_the_secret(make_app, now):
    """And those that the new secret opens already stay as they are, so that it can be repeated."""
    secrets = [f"insecure-secret-of-the-{name}-key-000000000" for name in ("old", "new")]
    with make_app(tokens={"encryption_key": secrets[0]}).app_context():
        kid = keyring.generate(now).kid
        db.session.commit()
    with make_app(tokens={"encryption_key": secrets[1]}).app_context():
        with pytest.raises(KeyUnreadable):
            keyring.signing_key(now)
        with pytest.raises(KeyUnreadable):
            keyring.reseal("insecure-secret-of-somebody-else")
        assert keyring.reseal(secrets[0]) == 1
        db.session.commit()
        sealed = signing_keys.get(kid).private_key
        assert keyring.signing_key(now).kid == kid
        keyring.generate(now)
        assert keyring.reseal(secrets[0]) == 0
        assert signing_keys.get(kid).private_key == sealed
        db.session.rollback()


def test_no_key_is_made_beside_one_that_the_secret_does_not_open(make_app, now):
    """Sealed with the wrong secret it would sign one day, and the service could give out no token."""
    with make_app().app_context():
        kid = keyring.generate(now).kid
        db.session.commit()
    other = make_app(tokens={"encryption_key": "another-secret-of-thirty-two-characters"})
    with other.app_context():
        for make in (keyring.generate, keyring.ensure):
            with pytest.raises(OtherSecret, match=f"{kid} .*keys reseal"):
                make(now)
        assert [row.kid for row in signing_keys.every()] == [kid]
        keyring.withdraw(kid)
        assert keyring.ensure(now) is not None, "the way out when the old secret is lost"


def test_a_key_that_cannot_be_read_is_logged_as_an_error(app, now):
    row = keyring.generate(now)
    row.private_key = vault.seal(b"k" * 32, row.kid, "insecure-lost-encryption-key-000000000000")
    with capture_logs() as lines, pytest.raises(KeyUnreadable):
        keyring.signing_key(now)
    assert lines == [{"event": "signing_key_unreadable", "log_level": "error", "kid": row.kid}]
