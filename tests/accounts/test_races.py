"""Two at once: a link signs in one of them."""

import threading

from sqlalchemy import func, select

from paywall.storage.database import db
from paywall.storage.models import ReaderSession
from tests.accounts.door import Door


def test_of_several_presses_at_the_same_time_one_wins(door: Door) -> None:
    door.subscriber("ada@example.com")
    link = door.mailed_link("ada@example.com")
    browsers = [door.browser() for _ in range(4)]
    pages = [browser.get(link) for browser in browsers]
    start, statuses = threading.Barrier(len(browsers)), []

    def press(number: int) -> None:
        start.wait()
        statuses.append(browsers[number].send(pages[number], "/sign-in/link").status_code)

    threads = [threading.Thread(target=press, args=(number,)) for number in range(len(browsers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(statuses) == [303, 410, 410, 410]
    with door.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(ReaderSession)) == 1
