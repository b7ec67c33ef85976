"""Before the payment: whatever is clicked at once, one session can be paid."""

from functools import partial

from sqlalchemy import select

from paywall import sessions
from paywall.storage.models import Reader, Subscription
from tests.journeys.races.stories import APART, count, statuses
from tests.support import books, builders
from tests.support.farm import Farm, at_once

OTHER_ARTICLE = "https://reports.news.test/q3"


def test_several_clicks_at_once_lead_to_one_session(farm: Farm) -> None:
    for number, apart in enumerate(APART):
        visitor, before = farm.visitor(), len(books.read(farm).sessions)
        click = partial(visitor.submit, visitor.offer(), f"click{number}@example.com")
        answers = at_once(*(partial(click, door) for door in (0, 1, 0)), apart=apart)
        assert statuses(answers) == [303, 303, 303], apart
        assert len({answer.headers["Location"] for answer in answers}) == 1
        assert len(books.read(farm).sessions) == before + 1


def test_two_tabs_at_once_lead_to_one_session(farm: Farm) -> None:
    for number, apart in enumerate(APART):
        visitor, email = farm.visitor(), f"tabs{number}@example.com"
        tabs = [visitor.offer(), visitor.offer(OTHER_ARTICLE)]
        sends = [partial(visitor.submit, fields, email, door) for door, fields in enumerate(tabs)]
        answers = at_once(*sends, apart=apart)
        assert statuses(answers) == [303, 303], apart
        assert len({answer.headers["Location"] for answer in answers}) == 1


def test_two_addresses_in_two_tabs_at_once_leave_one_session_that_can_be_paid(farm: Farm) -> None:
    for number, apart in enumerate(APART):
        visitor = farm.visitor()
        fields = visitor.offer()
        emails = [f"first{number}@example.com", f"second{number}@example.com"]
        sends = [partial(visitor.submit, fields, email, door) for door, email in enumerate(emails)]
        answers = at_once(*sends, apart=apart)
        assert set(statuses(answers)) <= {303, 409}, apart
        assert 303 in statuses(answers)
        mine = [one for one in books.read(farm).sessions.values() if one["customer_email"] in emails]
        assert [one["status"] for one in mine].count("open") == 1


def test_one_reader_in_two_browsers_at_once_is_led_to_one_session(farm: Farm) -> None:
    for number, apart in enumerate(APART):
        now = farm.parts.clock.now()
        reader = builders.make_reader(f"devices{number}@example.com", now=now)
        visitors = [farm.visitor(), farm.visitor()]
        for visitor in visitors:
            visitor.cookies[sessions.SESSION_COOKIE] = builders.open_session(reader, now=now)
        sends = [partial(one.submit, one.offer(), "", door) for door, one in enumerate(visitors)]
        answers = at_once(*sends, apart=apart)
        assert statuses(answers) == [303, 303], apart
        assert len({answer.headers["Location"] for answer in answers}) == 1


def test_a_payment_and_another_start_at_once_end_in_one_of_the_two(farm: Farm) -> None:
    """The old session is paid in one tab while the other tab, with another address, has it ended."""
    for number, apart in enumerate(APART):
        visitor, email = farm.visitor(), f"changes{number}@example.com"
        session_id = visitor.start(email)
        fields = visitor.offer()
        started, paid = at_once(
            partial(visitor.submit, fields, f"mind{number}@example.com"),
            partial(farm.pay, session_id, email=email),
            apart=apart,
        )
        assert started.status_code == 303, started.text
        won = isinstance(paid, str)
        assert (f"session_id={session_id}" in started.headers["Location"]) == won
        assert farm.session(session_id)["status"] == ("complete" if won else "expired")


def test_back_and_subscribe_again_while_coming_back_from_the_payment(farm: Farm) -> None:
    for number, apart in enumerate(APART):
        email = f"back{number}@example.com"
        visitor = farm.visitor()
        fields = visitor.offer()
        session_id = visitor.submit(fields, email).headers["Location"].rpartition("/")[2].partition("?")[0]
        back = farm.pay(session_id, email=email)
        came, again = at_once(
            partial(visitor.send, "GET", back), partial(visitor.submit, fields, email, 1), apart=apart
        )
        assert came.status_code == 303
        assert again.status_code in (303, 409), again.text
        assert again.status_code == 409 or again.headers["Location"] == back
        assert count(select(Subscription.id).join(Reader).where(Reader.email_normalised == email)) == 1
