"""`flask paywall init` prepares an installation and may be repeated; every group of commands is there."""

import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import stripe
from click.testing import Result

from paywall.billing import catalog
from paywall.storage import service_keys, signing_keys, staff_actions
from paywall.storage.database import db
from paywall.storage.hashing import sha256_hex
from tests.support.marks import on_sqlite
from tests.support.shop import API_KEY


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the service's key is written."""
    return tmp_path / "news.key"


@pytest.fixture
def run(make_app, sandbox) -> Callable[..., Result]:
    """Runs `flask paywall ...` on the application, with Stripe behind it unless settings say otherwise."""

    def run(*arguments: object, **tables: dict[str, object]) -> Result:
        app = make_app(**{"stripe": {"api_base": sandbox.url}, **tables})
        run.app = app
        result = app.test_cli_runner().invoke(args=["paywall", *map(str, arguments)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


@pytest.fixture
def init(run, file: Path) -> Callable[..., Result]:
    """Runs init with a key for the news site."""
    return lambda **tables: run("init", "--service", "news", "--service-key-file", file, **tables)


def live_keys(run) -> set[str]:
    """The hashes of the keys that open the API."""
    with run.app.app_context():
        return {row.key_hash for row in service_keys.live(datetime.now(UTC))}


def price_ids(sandbox) -> list[str]:
    """The prices that Stripe has."""
    client = stripe.StripeClient(API_KEY, base_addresses={"api": sandbox.url})
    return [price.id for price in client.v1.prices.list().data]


def test_it_prepares_once_and_then_leaves_everything_as_it_is(run, init, file: Path, sandbox) -> None:
    first = init()
    assert first.exit_code == 0, first.output
    assert "database: migrated" in first.output
    assert "plan annual: $100 per year at Stripe" in first.output
    key = file.read_text().strip()
    assert key not in first.output
    with run.app.app_context():
        kids = [row.kid for row in signing_keys.every()]
        assert len(kids) == 1
        db.session.remove()
    prices = price_ids(sandbox)
    assert len(prices) == 1

    again = init()
    assert again.exit_code == 0
    assert "signing key: there" in again.output
    assert "service news: has its key" in again.output
    assert file.read_text().strip() == key
    assert live_keys(run) == {sha256_hex(key)}
    with run.app.app_context():
        assert [row.kid for row in signing_keys.every()] == kids
        (noted,) = staff_actions.of_thing(service_keys.every()[0].id)
        assert (noted.action, noted.role) == ("key-made", "command")
    assert price_ids(sandbox) == prices


def test_the_key_file_is_for_its_owner_alone(init, file: Path) -> None:
    file.write_text("an old key\n")
    file.chmod(0o644)
    assert init().exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().startswith("pwk_")


@pytest.mark.parametrize("loss", ["removed", "emptied", "of another installation"])
def test_a_lost_key_is_replaced_and_no_longer_opens(run, init, file: Path, loss: str) -> None:
    init()
    old = file.read_text().strip()
    if loss == "removed":
        file.unlink()
    else:
        file.write_text("" if loss == "emptied" else "pwk_of_another_installation\n")
    assert f"key written to {file}" in init().output
    new = file.read_text().strip()
    assert new != old
    assert live_keys(run) == {sha256_hex(new)}


def test_the_keys_of_other_services_stay(run, init) -> None:
    run("services", "add", "radio")
    before = live_keys(run)
    init()
    assert before < live_keys(run)


@pytest.mark.parametrize("time", ["first", "second"])
def test_no_transaction_is_open_while_stripe_is_asked(init, monkeypatch, time: str) -> None:
    """On SQLite it would be the write lock, and the running service could write nothing meanwhile."""
    held: list[bool] = []
    push = catalog.push

    def watched(gateway, plan) -> str:
        held.append(db.session.registry().in_transaction())
        return push(gateway, plan)

    if time == "second":
        init()
    monkeypatch.setattr(catalog, "push", watched)
    assert init().exit_code == 0
    assert held == [False]


@on_sqlite
def test_an_empty_database_is_migrated(run, tmp_path: Path) -> None:
    result = run("init", database={"url": f"sqlite:///{tmp_path / 'new.sqlite3'}"})
    assert result.exit_code == 0, result.output
    with run.app.app_context():
        assert len(signing_keys.every()) == 1
        assert service_keys.every() == []


@on_sqlite
def test_a_command_before_the_first_migration_says_in_a_line_what_to_do(run, make_app) -> None:
    with make_app().app_context():
        db.drop_all()
    result = run("keys", "list")
    assert result.exit_code == 1
    assert "signing_keys" in result.output
    assert "`flask paywall init` prepares" in result.output
    assert "Traceback" not in result.output


@on_sqlite
def test_without_stripe_the_rest_is_done_and_the_reason_given_in_a_line(run, init, file: Path) -> None:
    result = init(stripe={"api_base": "http://127.0.0.1:9"})
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(
        "Error: plan annual is not at Stripe: The payment service does not"
    )
    assert live_keys(run) == {sha256_hex(file.read_text().strip())}


@on_sqlite
def test_a_place_that_cannot_be_written_is_named_and_leaves_no_key_behind(run, tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "news.key"
    result = run("init", "--service", "news", "--service-key-file", file)
    assert result.exit_code == 1
    assert result.stderr == f"Error: the service key cannot be written to {file}: No such file or directory\n"
    assert live_keys(run) == set()


@on_sqlite
def test_a_database_of_other_settings_is_refused_before_anything_is_made(init, file: Path) -> None:
    """A command run with the wrong settings beside a service must not touch its keys."""
    init()
    file.unlink()
    result = init(tokens={"encryption_key": "another-secret-of-thirty-two-characters"})
    assert result.exit_code == 1
    assert "cannot be read with tokens.encryption_key" in result.stderr
    assert not file.exists()


@on_sqlite
@pytest.mark.parametrize("half", [("--service", "news"), ("--service-key-file", "news.key")])
def test_a_name_and_a_file_go_together(run, half: tuple[str, str]) -> None:
    result = run("init", *half)
    assert result.exit_code == 2
    assert "go together" in result.stderr


@on_sqlite
def test_the_help_lists_every_group(run) -> None:
    shown = run("--help").output
    for name in ("init", "keys", "plans", "services", "staff", "subscriptions", "webhooks"):
        assert f"\n  {name} " in shown
    for group, commands in {
        "keys": ("generate", "list", "retire"),
        "plans": ("check", "push"),
        "services": ("add", "list", "revoke"),
        "staff": ("add", "list", "remove"),
        "subscriptions": ("duplicates",),
        "webhooks": ("list", "replay", "retry"),
    }.items():
        shown = run(group, "--help").output
        assert all(f"\n  {command} " in shown for command in commands), group
