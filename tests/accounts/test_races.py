"""Several at once: a link or a code signs in one of them, and guesses share no try."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select
from werkzeug.test import TestResponse

from paywall.storage.database import db
from paywall.storage.models import ReaderSession, SignInLink
from tests.accounts.door import Browser, Door


def test_of_several_presses_at_the_same_time_one_wins(door: Door) -> None:
    door.subscriber("ada@example.com")
    link = door.mailed_link("ada@example.com")
    browsers = [door.browser() for _ in range(4)]
    pages = [browser.get(link) for browser in browsers]
    answers = at_once([lambda b=b, p=p: b.send(p, "/sign-in/link") for b, p in zip(browsers, pages, strict=True)])
    assert statuses_of(answers) == [303, 410, 410, 410]
    assert sessions(door) == 1


def test_guesses_at_the_same_time_are_counted_one_by_one(door: Door) -> None:
    """Sixteen wrong codes at once: five are looked at."""
    door.subscriber("ada@example.com")
    browsers, pages = copies(door, 16)
    wrong = f"{(int(door.code()) + 1) % 10**6:06}"
    answers = at_once(
        [lambda b=b, p=p: b.send(p, "/sign-in/code", code=wrong) for b, p in zip(browsers, pages, strict=True)]
    )
    assert statuses_of(answers) == [400] * 5 + [410] * 11
    assert browsers[0].send(pages[0], "/sign-in/code", code=door.code()).status_code == 410
    assert sessions(door) == 0


def test_of_link_and_codes_at_the_same_time_one_wins(door: Door) -> None:
    door.subscriber("ada@example.com")
    browsers, pages = copies(door, 3)
    link, code, other = door.link(), door.code(), door.browser()
    button = other.get(link)
    typing = [lambda b=b, p=p: b.send(p, "/sign-in/code", code=code) for b, p in zip(browsers, pages, strict=True)]
    answers = at_once([*typing, lambda: other.send(button, "/sign-in/link")])
    assert statuses_of(answers) == [303, 410, 410, 410]
    assert sessions(door) == 1


def test_of_requests_at_the_same_time_one_stays_open(door: Door) -> None:
    """Else whoever asks often enough at once would have as many tries as they like."""
    door.subscriber("ada@example.com")
    browsers = [door.browser() for _ in range(4)]
    at_once([lambda b=b: b.ask("ada@example.com") for b in browsers])
    with door.app.app_context():
        still_open = SignInLink.used_at.is_(None), SignInLink.expires_at > door.clock.now()
        assert db.session.scalar(select(func.count()).select_from(SignInLink).where(*still_open)) == 1


def copies(door: Door, number: int) -> tuple[list[Browser], list[TestResponse]]:
    """Browsers that share the cookies of one that asked, and the page with the field in each."""
    first = door.browser()
    first.ask("ada@example.com")
    browsers = [door.browser() for _ in range(number)]
    for browser in browsers:
        browser.client.set_cookie("paywall_web", str(first.cookie("paywall_web")), domain="pay.test")
    return browsers, [browser.get("/sign-in/code") for browser in browsers]


def at_once(acts: list[Callable[[], TestResponse]]) -> list[TestResponse]:
    """The answers of acts that begin at the same time."""
    start = threading.Barrier(len(acts))

    def act(one: Callable[[], TestResponse]) -> TestResponse:
        start.wait(30)
        return one()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(act, acts, timeout=60))


def statuses_of(answers: list[TestResponse]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def sessions(door: Door) -> int:
    with door.app.app_context():
        return db.session.scalar(select(func.count()).select_from(ReaderSession)) or 0
