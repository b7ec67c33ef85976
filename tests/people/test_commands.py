"""The commands about one person, as an operator types them."""

import json
import stat
from pathlib import Path

import pytest

from paywall.billing.errors import StripeUnavailable
from paywall.billing.stripe_gateway import StripeGateway
from paywall.storage import erasures, readers
from paywall.storage.database import db
from paywall.storage.letters import WaitingLetter
from tests.people.life import NEW, OLD, Ada
from tests.support.marks import on_sqlite

pytestmark = on_sqlite


@pytest.fixture
def run(ada: Ada):
    """Types a command."""

    def type_it(*words: str, answer: str | None = None):
        db.session.commit()
        result = ada.shop.app.test_cli_runner().invoke(args=["paywall", "readers", *words], input=answer)
        db.session.expire_all()
        return result

    return type_it


@pytest.mark.parametrize("by", ["reader_id", "subscription_id", "address"])
def test_export_prints_the_copy(ada: Ada, run, by: str) -> None:
    printed = run("export", NEW if by == "address" else getattr(ada, by))
    assert printed.exit_code == 0
    assert json.loads(printed.output)["sections"]["account"]["entries"][0]["address"] == NEW


def test_export_to_a_file_is_for_its_owner_and_overwrites_nothing(ada: Ada, run, tmp_path: Path) -> None:
    file = tmp_path / "ada.json"
    assert run("export", NEW, "--out", str(file)).output == f"written to {file}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["sections"]
    again = run("export", NEW, "--out", str(file))
    assert (again.exit_code, again.stderr) == (1, f"Error: {file} is there already; name a new file.\n")
    nowhere = run("export", NEW, "--out", str(tmp_path / "no" / "ada.json"))
    assert "cannot be written" in nowhere.stderr


def test_export_may_tell_the_reader_where_to_fetch_it(ada: Ada, run) -> None:
    assert run("export", NEW, "--tell").output == f"{ada.reader_id} is told by mail where to fetch it\n"
    row = db.session.scalars(db.select(WaitingLetter).where(WaitingLetter.kind == "export_ready")).one()
    assert (row.to, row.reader_id) == (NEW, ada.reader_id)
    assert run("export", NEW, "--tell", "--out", "x").exit_code == 2
    nobody = readers.create(None, ada.clock.now()).id
    assert "has no address" in run("export", nobody, "--tell").stderr


def test_erase_asks_first_and_says_what_it_would_do(ada: Ada, run) -> None:
    told = run("erase", NEW, answer="n\n")
    assert told.exit_code == 1
    assert f"end {ada.subscription_id} at Stripe (active); nothing is given back" in told.output
    assert not erasures.is_begun(ada.reader_id)
    assert NEW not in told.output, "the address stays out of the terminal's history"


def test_erase_erases_and_may_be_repeated(ada: Ada, run) -> None:
    assert run("erase", NEW, "--yes").output.endswith(f"{ada.reader_id} is erased\n")
    assert erasures.of_reader(ada.reader_id).asked_by == "command"
    assert run("erase", ada.reader_id, "--yes").exit_code == 0
    unknown = run("erase", OLD, "--yes")
    assert (unknown.exit_code, "No reader is known by this" in unknown.stderr) == (1, True)


def test_erase_says_what_to_do_while_stripe_does_not_answer(ada: Ada, run, monkeypatch) -> None:
    def down(*_args, **_more):
        raise StripeUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(StripeGateway, "delete_customer", down)
        failed = run("erase", NEW, "--yes")
    assert failed.exit_code == 1
    assert "Run the command again, or leave it to the worker." in failed.stderr
    assert run("erase", ada.reader_id, "--yes").exit_code == 0
    assert erasures.of_reader(ada.reader_id).stage == "done"


def test_an_address_of_several_readers_names_none_of_them(ada: Ada, run) -> None:
    readers.create(NEW, ada.clock.now())
    assert "2 readers gave this address" in run("erase", NEW, "--yes").stderr
