"""A second factor's secret is sealed, its codes work once even when two come at once, its tries are counted for all."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from datetime import timedelta

import pytest

from paywall import second_factor
from paywall.second_factor import AROUND, SPAN, TRIES, CodeRefused, CodesRest, SetUpOver
from paywall.storage import factors
from paywall.storage.database import db
from paywall.storage.factors import RecoveryCode, SecondFactor
from paywall.storage.models import Reader
from paywall.tokens.vault import KeyUnreadable
from tests.support.authenticator import App
from tests.support.builders import make_reader, save
from tests.support.marks import on_sqlite


@pytest.fixture
def sue(app, clock) -> Reader:
    """Somebody on the staff."""
    reader = make_reader("sue@example.org", role="support", now=clock.now())
    save()
    return reader


@pytest.fixture
def kit(sue, clock) -> tuple[App, list[str]]:
    """Her app and recovery codes, a minute after the set-up."""
    made = App(second_factor.begin(sue, clock.now()).secret)
    codes = second_factor.confirm(sue, made.secret, made.code(clock.now()), clock.now())
    db.session.commit()
    clock.advance(minutes=1)
    return made, codes


def outcomes(app, *typed: tuple[str, str], now) -> list[bool]:
    """Whether each of these codes proved something, when they come at the same time."""

    def check(reader_id: str, code: str) -> bool:
        with app.app_context():
            try:
                second_factor.check(reader_id, code, now)
                db.session.commit()
            except (CodeRefused, CodesRest):
                return False
            return True

    db.session.commit()
    with ThreadPoolExecutor(len(typed)) as pool:
        waiting = [pool.submit(Context().run, check, *one) for one in typed]
        return [one.result(30) for one in waiting]


def test_of_two_who_type_a_code_at_once_one_is_let_in(app, sue, kit, clock) -> None:
    authenticator, codes = kit
    for code in (authenticator.code(clock.now()), codes[0]):
        assert sorted(outcomes(app, (sue.id, code), (sue.id, code), now=clock.now())) == [False, True]


def test_many_who_guess_at_once_have_no_more_tries_than_one(app, sue, kit, clock) -> None:
    assert not any(outcomes(app, *[(sue.id, "000000")] * (TRIES + 3), now=clock.now()))
    db.session.expire_all()
    assert factors.get(sue.id).tries == TRIES
    with pytest.raises(CodesRest):
        second_factor.check(sue.id, kit[0].code(clock.now()), clock.now())


@on_sqlite
def test_neither_the_secret_nor_a_recovery_code_is_stored_as_it_is(sue, kit) -> None:
    stored = str(db.session.execute(db.select(SecondFactor.secret)).all())
    stored += str(db.session.execute(db.select(RecoveryCode.code_hash)).all())
    assert kit[0].secret not in stored
    assert not any(one.replace("-", "") in stored for one in kit[1])


@on_sqlite
def test_a_sealed_secret_opens_for_its_owner_alone(sue, kit, clock) -> None:
    """Who can write into the database cannot give somebody a secret that is known to them."""
    other = make_reader(role="admin", now=clock.now())
    factors.begin(other.id, factors.get(sue.id).secret, clock.now())
    with pytest.raises(KeyUnreadable):
        second_factor.check(other.id, kit[0].code(clock.now()), clock.now())


@on_sqlite
def test_a_recovery_code_is_good_for_its_owner_alone(sue, kit, clock) -> None:
    other = make_reader(role="admin", now=clock.now())
    factors.begin(other.id, "sealed", clock.now())
    with pytest.raises(CodeRefused):
        second_factor.check(other.id, kit[1][0], clock.now())
    second_factor.check(sue.id, kit[1][0], clock.now())


@on_sqlite
def test_a_right_code_gives_the_tries_back(sue, kit, clock) -> None:
    for _ in range(3):
        for _ in range(TRIES - 1):
            with pytest.raises(CodeRefused):
                second_factor.check(sue.id, "000000", clock.now())
        second_factor.check(sue.id, kit[0].code(clock.now()), clock.now())
        clock.advance(minutes=2)


@on_sqlite
def test_tries_come_back_after_their_span_and_no_earlier(sue, kit, clock) -> None:
    for _ in range(TRIES):
        with pytest.raises(CodeRefused):
            second_factor.check(sue.id, "000000", clock.now())
    clock.advance(seconds=SPAN.total_seconds() - 1)
    with pytest.raises(CodesRest):
        second_factor.check(sue.id, "000000", clock.now())
    clock.advance(seconds=1)
    second_factor.check(sue.id, kit[0].code(clock.now()), clock.now())


def test_the_odds_of_guessing_are_small() -> None:
    """Who has the mailbox and types whatever is allowed would wait for years."""
    guesses_a_year = TRIES * (timedelta(days=365) / SPAN)
    assert guesses_a_year * len(AROUND) / 1_000_000 < 0.15


@on_sqlite
@pytest.mark.parametrize("text", ["", " ", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "x" * 10_000, "\x00", "000 000"])
def test_what_is_no_code_proves_nothing(sue, kit, clock, text: str) -> None:
    with pytest.raises(CodeRefused):
        second_factor.check(sue.id, text, clock.now())


@on_sqlite
def test_spaces_and_small_letters_are_as_good(sue, kit, clock) -> None:
    code = kit[0].code(clock.now())
    second_factor.check(sue.id, f" {code[:3]} {code[3:]} ", clock.now())
    second_factor.check(sue.id, kit[1][1].lower(), clock.now())


@on_sqlite
def test_a_reset_takes_everything_and_lets_a_new_one_be_set_up(sue, kit, clock) -> None:
    with pytest.raises(SetUpOver):
        second_factor.begin(sue, clock.now())
    assert second_factor.reset(sue.id)
    assert not second_factor.reset(sue.id)
    assert (second_factor.is_set_up(sue.id), factors.recovery_left(sue.id)) == (False, 0)
    again = App(second_factor.begin(sue, clock.now()).secret)
    assert again.secret != kit[0].secret
    with pytest.raises(CodeRefused):
        second_factor.confirm(sue, again.secret, kit[0].code(clock.now()), clock.now())


@on_sqlite
def test_a_recovery_code_confirms_no_set_up(sue, clock) -> None:
    first = second_factor.begin(sue, clock.now())
    codes = second_factor.renew_recovery(sue.id)
    with pytest.raises(CodeRefused):
        second_factor.confirm(sue, first.secret, codes[0], clock.now())


@on_sqlite
def test_a_set_up_that_was_begun_anew_is_over(sue, clock) -> None:
    first = second_factor.begin(sue, clock.now())
    second_factor.begin(sue, clock.now())
    with pytest.raises(SetUpOver):
        second_factor.confirm(sue, first.secret, App(first.secret).code(clock.now()), clock.now())


@on_sqlite
def test_after_a_change_of_the_encryption_key_secrets_are_sealed_anew(make_app, app, sue, kit, clock) -> None:
    old = app.extensions["paywall"].settings.tokens.encryption_key.get_secret_value()
    db.session.commit()
    with make_app(tokens={"encryption_key": "another-testing-encryption-key-000000000"}).app_context():
        with pytest.raises(KeyUnreadable):
            second_factor.check(sue.id, kit[0].code(clock.now()), clock.now())
        with pytest.raises(KeyUnreadable):
            second_factor.reseal("neither of the two")
        assert (second_factor.reseal(old), second_factor.reseal(old)) == (1, 0)
        second_factor.check(sue.id, kit[0].code(clock.now()), clock.now())
        db.session.remove()
