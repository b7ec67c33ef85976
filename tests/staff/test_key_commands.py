"""A service's key is replaced on the server: the new one is printed once, the old one works on for a while."""

import pytest
from click.testing import Result

from paywall.storage import service_keys, staff_actions
from paywall.storage.database import db
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
    [(["nobody"], "No live key has this id or name"), (["radio", "--overlap", "5"], "'5' is not one of")],
)
def test_what_cannot_be_is_refused(app, old, words: list[str], said: str) -> None:
    refused = run(app, *words)
    assert (refused.exit_code != 0, said in refused.output) == (True, True)
    assert len(service_keys.every()) == 1
