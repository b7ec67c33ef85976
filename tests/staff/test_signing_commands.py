"""`flask paywall keys`: made, rotated, retired, sealed anew on the server; each change is noted."""

from datetime import timedelta

import pytest

from paywall.staff.signing_commands import keys_cli
from paywall.storage import signing_keys, staff_actions
from paywall.storage.database import db
from paywall.tokens import vault


@pytest.fixture
def run(make_app):
    """Runs a command; returns its exit code and what it printed."""
    app = make_app(tokens={"publish_ahead_seconds": 300})

    def run(group, *arguments):
        result = app.test_cli_runner().invoke(group, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stdout, result.stderr

    with app.app_context():
        yield run


def test_keys_are_made_listed_and_retired(run, clock):
    _, made, _ = run(keys_cli, "generate")
    first = made.split()[0]
    run(keys_cli, "generate")
    assert [line.split()[1] for line in run(keys_cli, "list")[1].splitlines()] == ["published", "signing"]
    clock.advance(seconds=300)
    assert run(keys_cli, "retire", first) == (0, f"{first} retired\n", "")
    assert [line.split()[1] for line in run(keys_cli, "list")[1].splitlines()] == ["signing", "retired"]


def test_keys_are_rotated_and_the_list_tells_when_what_happens(run, clock):
    first = run(keys_cli, "generate")[1].split()[0]
    code, made, _ = run(keys_cli, "rotate")
    second, ahead = made.split()[0], clock.now() + timedelta(seconds=300)
    assert (code, made) == (0, f"{second} signs from {ahead:%Y-%m-%d %H:%M:%SZ}\n")
    assert run(keys_cli, "rotate")[1].startswith(f"{second} was made before and signs from ")
    clock.advance(seconds=300)
    newer, older = run(keys_cli, "list")[1].splitlines()
    assert newer.split()[:3] == [second, "signing", "published"]
    assert older.split()[:2] == [first, "retired"]
    gone = ahead + timedelta(days=400)
    assert older.endswith(f"retires {ahead:%Y-%m-%d %H:%M:%SZ}  gone {gone:%Y-%m-%d %H:%M:%SZ}")


def test_no_key_is_rotated_where_the_secret_is_another_one(run):
    kid = run(keys_cli, "generate")[1].split()[0]
    signing_keys.get(kid).private_key = vault.seal(b"k" * 32, kid, "insecure-lost-encryption-key-000000000000")
    db.session.commit()
    code, printed, message = run(keys_cli, "rotate")
    assert (code, printed) == (1, "")
    assert "flask paywall keys reseal" in message


def test_a_key_is_refused_in_one_line_where_the_secret_is_another_one(run):
    kid = run(keys_cli, "generate")[1].split()[0]
    row = signing_keys.get(kid)
    row.private_key = vault.seal(b"k" * 32, kid, "insecure-lost-encryption-key-000000000000")
    db.session.commit()
    code, printed, message = run(keys_cli, "generate")
    assert (code, printed) == (1, "")
    assert message.startswith(f"Error: The signing key {kid} of this database cannot be read")
    assert message.count("\n") == 1
    assert [one.kid for one in signing_keys.every()] == [kid]


def test_the_list_shows_no_key_material(run):
    run(keys_cli, "generate")
    row = signing_keys.every()[0]
    shown = run(keys_cli, "list")[1]
    assert row.kid in shown
    assert row.public_key not in shown
    assert row.private_key not in shown


def test_the_last_key_is_not_retired_but_can_be_withdrawn(run):
    kid = run(keys_cli, "generate")[1].split()[0]
    code, _, message = run(keys_cli, "retire", kid)
    assert code == 1
    assert "No other key signs yet" in message
    assert run(keys_cli, "retire", kid, "--withdraw")[:2] == (0, f"{kid} withdrawn\n")
    assert run(keys_cli, "list")[1] == ""


def test_an_unknown_key_is_one_clear_line(run):
    assert run(keys_cli, "retire", "nothing") == (1, "", "Error: There is no signing key of this id.\n")


def test_keys_are_sealed_anew_with_the_secret_of_before(run, tmp_path):
    file = tmp_path / "old-key"
    file.write_text("insecure-other-encryption-key-00000000000\n")
    run(keys_cli, "generate")
    assert run(keys_cli, "reseal", "--old-key-file", str(file)) == (0, "0 encrypted anew\n", "")
    row = signing_keys.every()[0]
    row.private_key = vault.seal(b"k" * 32, row.kid, file.read_text().strip())
    db.session.commit()
    assert run(keys_cli, "reseal", "--old-key-file", str(file))[1] == "1 encrypted anew\n"
    file.write_text("insecure-wrong-encryption-key-00000000000")
    row.private_key = vault.seal(b"k" * 32, row.kid, "insecure-lost-encryption-key-000000000000")
    db.session.commit()
    code, _, message = run(keys_cli, "reseal", "--old-key-file", str(file))
    assert code == 1
    assert message == "Error: Neither this key nor that of the settings opens a stored key.\n"


def test_what_is_made_and_ended_is_noted(run, clock):
    first = run(keys_cli, "generate")[1].split()[0]
    clock.advance(days=1)
    second = run(keys_cli, "rotate")[1].split()[0]
    clock.advance(days=1)
    run(keys_cli, "retire", first)
    clock.advance(days=1)
    run(keys_cli, "retire", first, "--withdraw")
    noted = {kid: [(one.action, one.role) for one in staff_actions.of_thing(kid)] for kid in (first, second)}
    ends = [(f"signing-key-{how}", "command") for how in ("withdrawn", "retired")]
    made = [("signing-key-made", "command")]
    assert noted == {first: ends + made, second: made}
