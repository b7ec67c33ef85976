"""No private key leaves the encrypted column: not into the database's text, the log, the API or what commands print."""

import base64
import sqlite3

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import select
from structlog.testing import capture_logs

from paywall.staff.signing_commands import keys_cli
from paywall.storage.database import db
from paywall.tokens import keyring, rotation, vault
from tests.support import subscribers
from tests.support.browsers import browser

CIPHERED = "insecure-lost-encryption-key-000000000000"


def spellings(key):
    """The 32 private bytes as somebody might have written them down."""
    raw = key.private_bytes()
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    yield raw
    yield from (raw.hex().encode(), raw.hex().upper().encode(), raw.hex(":").encode(), raw.hex(" ").encode())
    yield from (base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"="))
    yield from (base64.b32encode(raw).rstrip(b"="), base64.b85encode(raw), base64.a85encode(raw))
    yield from (str(list(raw)).encode(), str(int.from_bytes(raw)).encode(), str(int.from_bytes(raw, "little")).encode())
    yield from (repr(raw)[2:-1].encode(), pem.splitlines()[1])


def is_in(key, text):
    return any(one in text for one in spellings(key))


def dump():
    """Everything that the database holds, as text and as its file."""
    db.session.commit()
    rows = [row for table in db.metadata.sorted_tables for row in db.session.execute(select(table))]
    db.session.rollback()
    # value by value: a tuple of them would write some quotes with a stroke before
    text = "\n".join(str(value) for row in rows for value in row).encode()
    if db.engine.dialect.name == "sqlite":
        with sqlite3.connect(db.engine.url.database) as connection:
            text += "\n".join(connection.iterdump()).encode() + connection.serialize()
        connection.close()
    return text


@pytest.fixture
def app(make_app):
    made = make_app(log={"level": "debug"}, tokens={"publish_ahead_seconds": 300})
    with made.app_context():
        yield made
        db.session.remove()


def test_a_search_finds_a_key_that_does_stand_there(app, now):
    """The search of the tests below can fail: here the secret part stands in the row, in each spelling in turn."""
    row = keyring.generate(now)
    key = keyring.signing_key(now)
    assert not is_in(key, dump())
    for place, spelling in enumerate(spellings(key)):
        if spelling.isascii() and b"\\" not in spelling and place:
            row.private_key = spelling.decode()
            assert is_in(key, dump()), place


def test_neither_database_nor_log_nor_api_shows_a_private_key(app, now, capfd):
    client = browser(app)
    reader, session = subscribers.subscriber(now)
    first = keyring.signing_key(now)
    with capture_logs() as lines:
        printed = app.test_cli_runner().invoke(keys_cli, ["rotate"]).output
        printed += app.test_cli_runner().invoke(keys_cli, ["list"]).output
        rotation.rotate(now)
        token = subscribers.token(reader, session, now)
        answers = client.get("/.well-known/jwks.json").data + client.get("/readyz").data
        answers += client.get("/metrics").data + client.get("/openapi/openapi.json").data
    second = keyring.signing_key(now + (rotation.rotate(now)[0].signs_from - now))
    assert first.kid != second.kid
    out, err = capfd.readouterr()
    shown = answers + f"{lines}{printed}{token}{out}{err}{first!r}{second!r}".encode() + dump()
    assert first.kid.encode() in shown
    for key in (first, second):
        assert not is_in(key, shown)
        assert vault.unseal(keyring.every_life()[-1].row.private_key, first.kid, _secret(app)) == first.private_bytes()


def test_a_dump_without_the_secret_opens_nothing(app, now):
    """What a plain backup holds is of no use: neither with another secret nor under another key's id."""
    row, other = keyring.generate(now), keyring.generate(now)
    for text, kid, secret in (
        (row.private_key, row.kid, CIPHERED),
        (row.private_key, other.kid, _secret(app)),
        (row.private_key, row.kid, ""),
    ):
        with pytest.raises(vault.KeyUnreadable):
            vault.unseal(text, kid, secret)


def _secret(app):
    return app.extensions["paywall"].settings.tokens.encryption_key.get_secret_value()
