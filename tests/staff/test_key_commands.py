"""Services' keys on the server: made and printed once, replaced with an overlap, revoked; each is noted."""

import re
from datetime import timedelta

import pytest
from click.testing import Result

from paywall.storage import service_keys, staff_actions
from paywall.storage.database import db
from paywall.storage.hashing import sha256_hex
from paywall.storage.models import ServiceKey
from paywall.storage.service_keys import Scope
from tests.support.marks import on_sqlite

pytestmark = on_sqlite


@pytest.fixture
def old(app, clock) -> tuple[ServiceKey, str]:
    """The key of the service "radio"."""
    made = service_keys.add("radio", clock.now(), Scope.REPORTS)
    db.session.commit()
    return made


def run(app, *words: str) -> Result:
    db.session.commit()
    return app.test_cli_runner().invoke(args=["paywall", "services", "rotate", *words])


def services(app, *words: str) -> tuple[int, str, str]:
    """A command's exit code, and what it printed."""
    done = app.test_cli_runner().invoke(args=["paywall", "services", *words])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.stdout, done.stderr


def works(key: str, clock) -> bool:
    return service_keys.find(key, Scope.REPORTS, clock.now()) is not None


@pytest.mark.parametrize("by", ["id", "name"])
def test_the_new_key_is_printed_alone_and_the_old_one_works_for_a_day_more(app, old, clock, by: str) -> None:
    row, key = old
    done = run(app, row.id if by == "id" else "radio")
    assert done.exit_code == 0, done.output
    made = done.stdout.strip()
    assert made.startswith("pwk_")
    assert made not in done.stderr
    assert f"{row.id} works on for one day" in done.stderr
    assert (works(made, clock), works(key, clock)) == (True, True)
    clock.advance(hours=24)
    assert (works(made, clock), works(key, clock)) == (True, False)


def test_without_an_overlap_the_old_key_ends_at_once(app, old, clock) -> None:
    done = run(app, "radio", "--overlap", "0")
    assert (works(done.stdout.strip(), clock), works(old[1], clock)) == (True, False)
    assert "works no more" in done.stderr


def test_it_is_noted_by_ids_alone(app, old) -> None:
    made = run(app, "radio").stdout.strip()
    (noted,) = staff_actions.of_thing(old[0].id)
    assert (noted.action, noted.role, noted.staff_id) == ("key-replaced", "command", None)
    assert made not in str(noted.after)


def test_a_key_that_was_replaced_is_not_replaced_again(app, old, clock) -> None:
    run(app, old[0].id)
    again = run(app, old[0].id)
    assert (again.exit_code, "was replaced or revoked before" in again.output) == (1, True)
    assert run(app, "radio").exit_code == 0, "by its name the new one is meant"


def test_of_two_keys_of_a_name_nobody_guesses_which(app, old, clock) -> None:
    service_keys.add("radio", clock.now())
    refused = run(app, "radio")
    assert (refused.exit_code, "2 keys have this name" in refused.output) == (1, True)
    assert old[0].id in refused.output


@pytest.mark.parametrize(
    ("words", "said"),
    [(["nobody"], "No live service key has this id or name"), (["radio", "--overlap", "5"], "'5' is not one of")],
)
def test_what_cannot_be_is_refused(app, old, words: list[str], said: str) -> None:
    refused = run(app, *words)
    assert (refused.exit_code != 0, said in refused.output) == (True, True)
    assert len(service_keys.every()) == 1


def test_a_service_key_is_printed_once_and_stored_hashed(app):
    code, key, note = services(app, "add", "news")
    key = key.strip()
    assert code == 0
    assert re.fullmatch(r"pwk_[A-Za-z0-9_-]{43}", key)
    assert "not shown again" in note
    row = service_keys.every()[0]
    assert row.key_hash == sha256_hex(key)
    shown = services(app, "list")[1]
    assert row.id in shown
    assert row.hint == key[:10]
    assert f"{row.hint}..." in shown
    assert key not in shown


def test_a_service_is_revoked_by_id_or_by_name(app, clock):
    services(app, "add", "news")
    services(app, "add", "news")
    clock.advance(seconds=1)
    services(app, "add", "radio")
    radio = service_keys.every()[-1]
    assert services(app, "revoke", "news")[1].count("revoked") == 2
    assert [row.id for row in service_keys.live(clock.now())] == [radio.id]
    assert services(app, "revoke", radio.id)[0] == 0
    assert services(app, "list")[1].count("revoked") == 3


def test_what_is_made_and_revoked_on_the_server_is_noted_by_ids_alone(app, clock) -> None:
    key = services(app, "add", "news", "--scope", "reports")[1].strip()
    services(app, "add", "news")
    clock.advance(seconds=1)
    services(app, "revoke", "news")
    for row in service_keys.every():
        ended, made = staff_actions.of_thing(row.id)
        assert (made.action, made.after) == ("key-made", {"name": "news", "scope": row.scope})
        assert (ended.action, ended.at) == ("key-revoked", clock.now())
        assert {(one.role, one.staff_id, one.reason) for one in (made, ended)} == {("command", None, None)}
        assert key[4:] not in str(made.after)


def test_what_came_to_nothing_is_not_noted(app) -> None:
    services(app, "add", " ")
    services(app, "revoke", "nobody")
    assert db.session.scalar(db.select(staff_actions.StaffAction.id)) is None


@pytest.mark.parametrize("name", ["nobody", ""])
def test_revoking_nothing_is_an_error(app, name):
    code, _, message = services(app, "revoke", name)
    assert code == 1
    assert "No live service key" in message


@pytest.mark.parametrize("name", ["", "x" * 81])
def test_a_service_needs_a_name_that_fits(app, name):
    code, _, message = services(app, "add", name)
    assert code == 1
    assert "1 to 80" in message
    assert service_keys.every() == []


def test_a_revoked_key_is_not_revoked_again(app, clock):
    services(app, "add", "news")
    services(app, "revoke", "news")
    moment = service_keys.every()[0].revoked_at
    clock.moment += timedelta(days=1)
    assert services(app, "revoke", "news")[0] == 1
    assert service_keys.every()[0].revoked_at == moment
