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
from tests.support.colleagues import pass_factor
from tests.support.marks import on_sqlite

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


@on_sqlite
@pytest.mark.parametrize(("second_factor", "counts"), [("offered", "signing in"), ("required", "setting up")])
def test_an_admin_who_could_not_act_is_not_the_one_who_stays(make_app, clock, second_factor: str, counts: str) -> None:
    """Invited and never seen, or without the second factor that is needed: nobody could undo anything."""
    app = make_app(staff={"second_factor": second_factor})
    with app.app_context():
        boss, late = (make_reader(role=Role.ADMIN, now=clock.now()) for _ in range(2))
        save()
        pass_factor(boss, clock.now())
        late.email_verified_at = None
        save()
        for act in ACTS.values():
            with pytest.raises(LastAdmin, match=rf"who was invited counts after .*{counts}"):
                act(boss.id, clock.now())
        late.email_verified_at = clock.now()
        save()
        if second_factor == "required":
            with pytest.raises(LastAdmin):
                members.remove(boss.id, COMMAND, clock.now())
            pass_factor(late, clock.now())
        members.remove(boss.id, COMMAND, clock.now())
        assert [row.id for row in staff.everyone()] == [late.id]
        db.session.remove()
