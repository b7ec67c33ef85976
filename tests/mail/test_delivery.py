"""Letters that wait: written with their cause, sent at least once, and never twice for one cause."""

import re
from datetime import timedelta

import pytest
from flask_openapi3.openapi import OpenAPI
from structlog.testing import capture_logs

from paywall.mail import delivery, letterbox, links
from paywall.mail.delivery import Delivered, deliver
from paywall.mail.sending import NotSent
from paywall.storage import letters, readers
from paywall.storage.database import db
from paywall.storage.letters import WaitingLetter
from tests.conftest import FrozenClock
from tests.mail.conftest import Postbox, free_port


@pytest.fixture
def app(make_app, smtp_port: int):
    """The service with the willing server, its context pushed."""
    made = make_app(mail={"server": "127.0.0.1", "port": smtp_port})
    with made.app_context():
        yield made
        db.session.remove()


def post(clock: FrozenClock, to: str = "ada@example.com") -> str:
    """Posts a sign-in letter to a reader, commits, and returns the link's id."""
    if readers.verified(to) is None:
        readers.create(to, clock.now()).email_verified_at = clock.now()
    link_id = links.create(to, "https://news.test/a", clock.now())
    letterbox.post_sign_in(to, link_id, clock.now())
    db.session.commit()
    return link_id


def rows() -> list[WaitingLetter]:
    query = db.select(WaitingLetter).order_by(WaitingLetter.created_at).execution_options(populate_existing=True)
    found = list(db.session.scalars(query))
    db.session.commit()
    return found


def texts(postbox: Postbox) -> list[str]:
    return [envelope.content.decode() for envelope in postbox.letters]


def test_a_letter_goes_out_once_and_leaves_no_address_behind(
    app: OpenAPI, clock: FrozenClock, postbox: Postbox
) -> None:
    post(clock)
    assert [deliver(), deliver()] == [Delivered(sent=1), Delivered()]
    (row,) = rows()
    assert (row.outcome, row.done_at, row.to, row.attempts) == ("sent", clock.now(), None, 1)
    (text,) = texts(postbox)
    assert "https://pay.test/sign-in/link?token=" in text
    assert letters.waiting() == 0


def test_a_letter_of_a_transaction_that_failed_never_existed(
    app: OpenAPI, clock: FrozenClock, postbox: Postbox
) -> None:
    letterbox.post_no_subscription("eve@example.com", clock.now())
    db.session.rollback()
    assert deliver() == Delivered()
    assert postbox.letters == []


def test_one_cause_has_one_letter(app: OpenAPI, clock: FrozenClock, postbox: Postbox) -> None:
    link_id = post(clock)
    for _ in range(2):
        letterbox.post_payment_confirmed("ada@example.com", link_id, "chk_1", clock.now())
        db.session.commit()
        deliver()
    letterbox.post_payment_confirmed("ada@example.com", link_id, "chk_1", clock.now())
    db.session.commit()
    assert deliver() == Delivered()
    assert sorted(row.kind for row in rows()) == ["payment_confirmed", "sign_in"]
    assert len(postbox.letters) == 2


def test_no_database_row_holds_a_link_that_works(app: OpenAPI, clock: FrozenClock) -> None:
    """The signed address is made when the letter is written, so a copy of the tables signs nobody in."""
    link_id = post(clock)
    token = links.address_of(link_id).split("token=")[1]
    (row,) = rows()
    assert token not in str([getattr(row, column.name) for column in WaitingLetter.__table__.columns])


@pytest.mark.parametrize("step", ["rcpt", "data"])
def test_a_server_that_refuses_now_gets_the_letter_later(
    app: OpenAPI, clock: FrozenClock, postbox: Postbox, step: str
) -> None:
    postbox.refuse_at, postbox.code = step, "451 come back later"
    post(clock)
    with capture_logs():
        assert deliver() == Delivered(failed=1)
        assert deliver() == Delivered(), "not due yet"
    (row,) = rows()
    assert (row.attempts, row.to, row.done_at) == (1, "ada@example.com", None)
    assert row.outcome is not None
    assert row.outcome.endswith(" 451")
    postbox.refuse_at = ""
    clock.advance(seconds=30)
    assert deliver() == Delivered(sent=1)
    assert len(postbox.letters) == 1


def test_a_refusal_for_good_ends_the_letter_and_not_the_round(
    app: OpenAPI, clock: FrozenClock, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(clock, "gone@example.com")
    clock.advance(seconds=1)
    post(clock)
    answer = postbox.handle_RCPT

    async def refuse_one(server, session, envelope, address, options):
        return "550 no such user" if "gone" in address else await answer(server, session, envelope, address, options)

    monkeypatch.setattr(postbox, "handle_RCPT", refuse_one)
    with capture_logs() as lines:
        assert deliver() == Delivered(sent=1, failed=1)
    assert "letter_given_up" in {line["event"] for line in lines}
    assert "gone@" not in str(lines)
    assert [(row.outcome, row.to) for row in rows()] == [("given_up", None), ("sent", None)]


def test_a_server_that_is_gone_is_asked_once_in_a_round(make_app, clock: FrozenClock) -> None:
    """Each letter would wait for the same silence."""
    made = make_app(mail={"server": "127.0.0.1", "port": free_port()})
    with made.app_context():
        for _ in range(3):
            post(clock)
            clock.advance(seconds=1)
        with capture_logs() as lines:
            assert deliver() == Delivered(failed=1)
        assert [line["event"] for line in lines] == ["mail_failed"]
        assert letters.waiting() >= 1
        db.session.remove()


def test_a_letter_is_given_up_after_a_day(make_app, clock: FrozenClock) -> None:
    made = make_app(mail={"server": "127.0.0.1", "port": free_port()})
    with made.app_context(), capture_logs():
        letterbox.post_no_subscription("eve@example.com", clock.now())
        db.session.commit()
        tries = 0
        while letters.waiting():
            db.session.commit()
            tries += deliver().failed
            clock.advance(minutes=10)
        assert 24 <= tries <= 40
        (row,) = rows()
        assert (row.outcome, row.to) == ("given_up", None)
        db.session.remove()


def test_pauses_grow_up_to_an_hour() -> None:
    pauses = [delivery.pause(attempts) for attempts in range(1, 40)]
    assert pauses[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(hours=1)


def test_a_late_letter_carries_a_fresh_link(app: OpenAPI, clock: FrozenClock, postbox: Postbox) -> None:
    """The mail server was away for an hour; the link that was made then would be dead on arrival."""
    post(clock)
    clock.advance(hours=1)
    assert deliver() == Delivered(sent=1)
    token = rows()[0].link_id
    assert token is not None
    assert links.look(links.address_of(token).split("token=")[1], clock.now()).return_to == "https://news.test/a"


@pytest.mark.parametrize("overtaken", ["used", "replaced"])
def test_a_late_letter_whose_link_was_overtaken_is_not_sent(
    app: OpenAPI, clock: FrozenClock, postbox: Postbox, overtaken: str
) -> None:
    """Only the newest of three impatient requests is mailed, and none to a reader who is in already."""
    link_id = post(clock)
    clock.advance(minutes=1)
    if overtaken == "used":
        links.use(links.address_of(link_id).split("token=")[1], clock.now())
        db.session.commit()
    else:
        post(clock)
    deliver()
    assert rows()[0].outcome == "void"
    assert len(postbox.letters) == (0 if overtaken == "used" else 1)


def test_two_senders_at_once_send_one_letter(app: OpenAPI, clock: FrozenClock) -> None:
    """The second finds it claimed; it is free again only when the first must be dead."""
    post(clock)
    (letter_id,) = letters.due(clock.now(), 5)
    until = clock.now() + delivery.CLAIM
    assert letters.claim(letter_id, clock.now(), until) is not None
    db.session.commit()
    assert letters.claim(letter_id, clock.now(), until) is None
    assert letters.due(clock.now(), 5) == []
    clock.advance(seconds=delivery.CLAIM.total_seconds())
    assert letters.due(clock.now(), 5) == [letter_id]


def test_a_sender_that_dies_before_it_wrote_the_end_down_repeats_the_letter(
    app: OpenAPI, clock: FrozenClock, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once: a letter twice is better than none."""
    post(clock)
    with monkeypatch.context() as patch:
        patch.setattr(letters, "finish", _die)
        with pytest.raises(RuntimeError):
            deliver()
    db.session.rollback()
    clock.advance(minutes=5)
    assert deliver() == Delivered(sent=1)
    assert len(postbox.letters) == 2


def test_a_server_that_goes_before_it_answers_gets_the_letter_again_and_can_tell(
    app: OpenAPI, clock: FrozenClock, postbox: Postbox
) -> None:
    """Nobody knows whether it took the letter; a mail program knows the second by its Message-ID."""
    postbox.refuse_at = "after data"
    post(clock)
    with capture_logs():
        assert deliver() == Delivered(failed=1)
    (row,) = rows()
    assert (row.outcome, row.done_at) == ("SMTPServerDisconnected", None)
    postbox.refuse_at = ""
    clock.advance(minutes=1)
    assert deliver() == Delivered(sent=1)
    names = [re.findall(r"^Message-ID: (.+)\r$", text, re.MULTILINE) for text in texts(postbox)]
    assert names == [[f"<{row.id}@pay.test>"]] * 2


def test_an_address_that_no_header_can_carry_is_given_up(app: OpenAPI, clock: FrozenClock, postbox: Postbox) -> None:
    letterbox.post_no_subscription("ada@example.com\r\nBcc: all@example.com", clock.now())
    db.session.commit()
    with capture_logs() as lines:
        assert deliver() == Delivered()
    assert rows()[0].outcome == "given_up"
    assert "Bcc" not in str(lines)
    assert postbox.letters == []


def test_the_command_sends_and_says_what_waits(app: OpenAPI, clock: FrozenClock, postbox: Postbox) -> None:
    post(clock)
    postbox.refuse_at, postbox.code = "rcpt", "451 later"
    run = app.test_cli_runner().invoke
    with capture_logs():
        failed = run(args=["paywall", "mail", "send"])
    db.session.commit()
    assert (failed.exit_code, failed.output) == (1, "0 sent, 1 failed, 1 waiting\n")
    postbox.refuse_at = ""
    clock.advance(minutes=1)
    done = run(args=["paywall", "mail", "send"])
    assert (done.exit_code, done.output) == (0, "1 sent, 0 failed, 0 waiting\n")


def test_why_a_letter_did_not_leave_names_no_address() -> None:
    error = NotSent("SMTPRecipientsRefused 550", final=True)
    assert "@" not in str(error)


def _die(*_: object) -> None:
    raise RuntimeError
