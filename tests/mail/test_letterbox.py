"""Letters that journeys post: each once for its cause, with what its page needs, gone with the reader it is about."""

import pytest
from flask_openapi3.openapi import OpenAPI

from paywall.mail import letterbox, seals, writing
from paywall.mail.messages import Letter
from paywall.storage import addresses, letters
from paywall.storage.database import db
from paywall.storage.letters import WaitingLetter
from tests.conftest import FrozenClock
from tests.mail.stories import deliver, outcomes, posted
from tests.support.builders import make_reader
from tests.support.marks import on_sqlite

pytestmark = on_sqlite  # the rows themselves are asked of both databases


def wished(clock: FrozenClock) -> str:
    """A reader wishes for another address; returns the wish's id."""
    now = clock.now()
    reader = make_reader("old@example.com", now=now)
    wish = addresses.create(reader.id, "new@example.com", "new@example.com", now, now + writing.CONFIRM_LIFE)
    db.session.commit()
    return wish


def one(monkeypatch: pytest.MonkeyPatch) -> Letter:
    (letter,) = deliver(monkeypatch)
    return letter


def test_a_new_address_is_asked_with_a_link_that_only_we_can_make(
    app: OpenAPI, clock: FrozenClock, monkeypatch
) -> None:
    wish = wished(clock)
    for _ in range(2):
        letterbox.post_address_confirm("new@example.com", wish, clock.now(), "rdr_1")
        db.session.commit()
    letter = one(monkeypatch)
    (line,) = [line for line in letter.text.splitlines() if line.startswith("https://pay.test/account/address/confirm")]
    token = line.partition("token=")[2]
    assert seals.opened(writing.CONFIRM_ADDRESS, token) == wish
    assert letter.to == "new@example.com"


@pytest.mark.parametrize("fate", ["used", "replaced", "gone"])
def test_a_wish_that_came_to_its_end_meanwhile_is_not_mailed(
    app: OpenAPI, clock: FrozenClock, monkeypatch, fate
) -> None:
    wish = wished(clock)
    letterbox.post_address_confirm("new@example.com", wish, clock.now())
    row = addresses.get(wish)
    if fate == "used":
        addresses.use(wish, clock.now())
    elif fate == "replaced":
        clock.advance(minutes=5)
        addresses.end_open(row.reader_id, clock.now())
    else:
        db.session.delete(row)
    db.session.commit()
    assert deliver(monkeypatch) == []
    assert outcomes() == {"address_confirm": "void"}


def test_of_an_address_that_somebody_has_its_owner_is_told(app: OpenAPI, clock: FrozenClock, monkeypatch) -> None:
    wish = wished(clock)
    make_reader("new@example.com", now=clock.now())
    letterbox.post_address_confirm("new@example.com", wish, clock.now())
    db.session.commit()
    letter = one(monkeypatch)
    assert (letter.kind, letter.to) == ("address_taken", "new@example.com")
    assert "/account/address/confirm" not in letter.text + letter.html
    assert outcomes() == {"address_taken": "sent"}


@pytest.mark.parametrize("token", ["", "adr_1", "ImFkcl8xIg.x", "ImFkcl8xIg", "é", "a" * 5000])
def test_a_made_up_seal_opens_nothing(app: OpenAPI, token: str) -> None:
    assert seals.opened("confirm address", token) is None


def test_a_seal_opens_for_its_own_purpose_alone(app: OpenAPI) -> None:
    assert seals.opened("another", seals.seal("confirm address", "adr_1")) is None


def test_a_changed_address_is_told_to_both_and_names_neither_whole(
    app: OpenAPI, clock: FrozenClock, monkeypatch
) -> None:
    for _ in range(2):
        letterbox.post_address_changed("old@example.com", "n•••@example.com", "adr_1:old", clock.now(), "rdr_1")
        letterbox.post_address_changed("new@example.com", "n•••@example.com", "adr_1:new", clock.now(), "rdr_1")
    db.session.commit()
    sent = deliver(monkeypatch)
    assert {letter.to for letter in sent} == {"old@example.com", "new@example.com"}
    assert len(sent) == 2
    for letter in sent:
        assert "n•••@example.com" in letter.text
        assert "new@example.com" not in letter.text + letter.html


def test_a_ready_export_leads_to_its_page(app: OpenAPI, clock: FrozenClock, monkeypatch) -> None:
    letterbox.post_export_ready("ada@example.com", "exp_1", clock.now(), "rdr_1")
    db.session.commit()
    assert "https://pay.test/account/export" in one(monkeypatch).text


@pytest.mark.parametrize(("role", "told"), [("support", ["Your role is support"]), (None, [])])
def test_an_invitation_tells_the_role_as_it_is_when_it_leaves(
    app: OpenAPI, clock: FrozenClock, monkeypatch, role: str | None, told: list[str]
) -> None:
    reader = make_reader("new@example.org", role="admin", now=clock.now())
    for _ in range(2):
        letterbox.post_invited("new@example.org", "act_1", "admin", clock.now(), reader.id)
    reader.role = role
    db.session.commit()
    letters_sent = deliver(monkeypatch)
    assert [part in letter.text for part, letter in zip(told, letters_sent, strict=True)] == [True] * len(told)
    assert outcomes() == {"invited": "sent" if role else "void"}


def test_the_last_letter_outlives_what_is_dropped_with_the_reader(
    app: OpenAPI, clock: FrozenClock, monkeypatch
) -> None:
    letterbox.post_export_ready("ada@example.com", "exp_1", clock.now(), "rdr_1")
    letters.drop_of("rdr_1", clock.now())
    letterbox.post_erased("ada@example.com", "ers_1", clock.now())
    db.session.commit()
    assert one(monkeypatch).kind == "erased"
    assert outcomes() == {"export_ready": "void", "erased": "sent"}
    kept = db.session.scalars(db.select(WaitingLetter)).all()
    assert [(row.to, row.facts) for row in kept] == [(None, None)] * 2
    db.session.commit()


def test_a_letter_about_a_subscription_that_is_not_known_is_dropped(
    app: OpenAPI, clock: FrozenClock, monkeypatch
) -> None:
    facts = {"subscription": "sub_gone", "plan": "annual", "until": clock.now().isoformat(), "reason": "canceled"}
    letters.add("access_ended", "ada@example.com", "ended:1", clock.now(), None, "rdr_1", facts)
    db.session.commit()
    assert deliver(monkeypatch) == []
    assert posted() == ["access_ended"]
    assert outcomes() == {"access_ended": "void"}
