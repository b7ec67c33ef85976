"""Of admins who take each other's role at the same time one stays, on either database."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context

import pytest

from paywall.domain.roles import Role
from paywall.staff import members
from paywall.staff.doing import COMMAND
from paywall.staff.members import LastAdmin
from paywall.storage import staff
from paywall.storage.database import db
from tests.support.builders import make_reader, save

ACTS: dict[str, Callable[[str, object], object]] = {
    "remove": lambda reader_id, now: members.remove(reader_id, COMMAND, now),
    "change": lambda reader_id, now: members.change(reader_id, Role.SUPPORT, COMMAND, now),
}


@pytest.mark.parametrize("act", ACTS)
def test_one_admin_stays_whoever_is_faster(app, clock, act: str) -> None:
    admins = [make_reader(role=Role.ADMIN, now=clock.now()).id for _ in range(4)]
    save()
    start = threading.Barrier(len(admins))

    def run(reader_id: str) -> bool:
        with app.app_context():
            start.wait(20)
            try:
                ACTS[act](reader_id, clock.now())
            except LastAdmin:
                return False
            return True

    with ThreadPoolExecutor(len(admins)) as pool:
        waiting = [pool.submit(Context().run, run, one) for one in admins]
        assert sorted(one.result(30) for one in waiting) == [False, True, True, True]
    db.session.expire_all()
    assert [row.role for row in staff.everyone()].count(Role.ADMIN) == 1
