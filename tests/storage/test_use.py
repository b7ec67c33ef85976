"""Numbers of use: added up by the database, whoever adds; read by day; the last day of each service."""

import threading
from datetime import date, timedelta

from flask_openapi3.openapi import OpenAPI
from sqlalchemy.orm import Session

from paywall.storage import use
from paywall.storage.database import db
from paywall.storage.use import Counted, Kind

DAY = date(2026, 11, 22)
ASKED_OF_POSTGRESQL = frozenset({"test_two_who_add_at_once_lose_nothing", "test_numbers_add_up"})


def add(counts: dict[Counted, int]) -> None:
    with Session(db.engine) as session:
        use.add(session, counts)
        session.commit()


def one(service: str = "svc_1", kind: Kind = Kind.ALLOWED, features: str = "articles", day: date = DAY) -> Counted:
    return Counted(day, service, kind, features)


def test_numbers_add_up(app: OpenAPI) -> None:
    add({one(): 3, one("svc_2"): 1})
    add({one(): 4, one(kind=Kind.REFUSED): 2, one(features=""): 5})
    assert use.between(DAY, DAY) == [
        (one(features=""), 5),
        (one(), 7),
        (one(kind=Kind.REFUSED), 2),
        (one("svc_2"), 1),
    ]


def test_a_number_may_be_larger_than_32_bits(app: OpenAPI) -> None:
    add({one(): 2**31})
    add({one(): 2**31})
    assert use.between(DAY, DAY) == [(one(), 2**32)]


def test_more_rows_than_a_statement_may_have(app: OpenAPI) -> None:
    many = {one(service=f"svc_{number:05}"): number for number in range(2100)}
    add(many)
    assert dict(use.between(DAY, DAY)) == many


def test_two_who_add_at_once_lose_nothing(app: OpenAPI) -> None:
    """Each in its own order: they wait for each other, and never for ever."""
    keys = [one(f"svc_{number}") for number in range(6)]

    def work(order: list[Counted]) -> None:
        with app.app_context():
            for _ in range(10):
                add(dict.fromkeys(order, 1))

    threads = [threading.Thread(target=work, args=(order,)) for order in (keys, keys[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dict(use.between(DAY, DAY)) == dict.fromkeys(keys, 20)


def test_days_are_both_included(app: OpenAPI) -> None:
    days = [DAY + timedelta(days=number) for number in range(4)]
    add({one(day=day): 1 for day in days})
    assert [counted.day for counted, _ in use.between(days[1], days[2])] == days[1:3]


def test_the_last_day_of_each_service_that_was_there(app: OpenAPI) -> None:
    add({one(): 1, one(day=DAY - timedelta(days=3)): 1, one("svc_2", Kind.LISTED, "", DAY - timedelta(days=1)): 1})
    add({one(""): 1})
    assert use.last_days() == {"svc_1": DAY, "svc_2": DAY - timedelta(days=1)}
