"""The command seeds an empty database of a development installation, and no other."""

import pytest
from sqlalchemy import func, select

from paywall.seeding import commands
from paywall.storage.database import db
from paywall.storage.models import Entitlement, LedgerEntry, Reader, Subscription
from tests.support import rows as all_rows
from tests.support.builders import make_reader, make_subscription, save

ASKED_OF_POSTGRESQL: frozenset[str] = frozenset()  # the loading is asked of both elsewhere


def seed(app, *arguments: str):
    return app.test_cli_runner().invoke(args=["paywall", "dev", "seed", *arguments])


def count(table) -> int:
    return db.session.scalar(select(func.count()).select_from(table))


def test_it_makes_as_many_readers_as_were_asked_for(app) -> None:
    done = seed(app, "--readers", "30", "--seed", "5", "--years", "3")
    assert done.exit_code == 0, done.output
    assert "30 readers made" in done.output
    assert count(Reader) == 30
    assert count(LedgerEntry) >= count(Entitlement) >= 30 - 1


def test_the_same_seed_fills_two_databases_alike(app, clock) -> None:
    """At the same moment."""
    seed(app, "--readers", "12", "--seed", "5")
    first = all_rows.dump()
    all_rows.load({})
    seed(app, "--readers", "12", "--seed", "5")
    assert all_rows.dump() == first


def test_a_database_that_holds_a_reader_is_refused_and_keeps_what_it_has(app) -> None:
    save(make_reader("ada@example.org"))
    before = all_rows.dump()
    done = seed(app, "--readers", "5")
    assert done.exit_code == 1
    assert "set database.url to an empty, migrated one" in done.output
    assert all_rows.dump() == before


def test_a_database_with_a_purchase_and_only_staff_is_refused(app) -> None:
    save(make_subscription(make_reader("ada@example.org", role="admin")))
    assert seed(app, "--readers", "5").exit_code == 1
    assert count(Subscription) == 1


def test_staff_alone_may_be_there_before(app) -> None:
    save(make_reader("desk@example.org", role="admin"))
    assert seed(app, "--readers", "5").exit_code == 0
    assert count(Reader) == 6


@pytest.mark.parametrize("tables", [{"stripe": {"allow_live": True}}])
def test_an_installation_for_real_money_is_refused(make_app, tables) -> None:
    app = make_app(**tables)
    with app.app_context():
        done = seed(app, "--readers", "5")
        assert "this is a production installation" in done.output
        assert done.exit_code == 1
        assert count(Reader) == 0


def test_production_is_refused(app, monkeypatch) -> None:
    monkeypatch.setattr(type(app.extensions["paywall"].settings), "production", True)
    done = seed(app, "--readers", "5")
    assert "this is a production installation" in done.output
    assert count(Reader) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--readers", "0"], "1<=x<=5000000"),
        (["--readers", "9", "--plan", "weekly"], "choose one of annual"),
        ([], "--readers"),
    ],
)
def test_a_wrong_option_is_told(app, arguments, said) -> None:
    done = seed(app, *arguments)
    assert done.exit_code == 2
    assert said in done.output


def test_every_table_that_gets_rows_is_one_whose_indexes_wait(made) -> None:
    """Else a batch would be written row by row beside them. The periods are made of the ledger in the end."""
    assert {*made, "ledger_periods"} == set(commands.TABLES)
