"""The signing keys: made, sealed, opened to sign, retired, withdrawn, published."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import structlog

from paywall import context
from paywall.errors import Conflict, NotFound, Unavailable
from paywall.storage import signing_keys
from paywall.storage.models import SigningKey as Row
from paywall.tokens import vault
from paywall.tokens.keylife import KeyLife, lives
from paywall.verifier import KeySet, SigningKey
from paywall.verifier.encoding import base64_encode

log = structlog.get_logger("paywall.tokens")


class NoSigningKey(Unavailable):
    """No key signs at this moment."""

    code, title = "no_signing_key", "There is no signing key"


class OtherSecret(Conflict):
    """The keys that are stored were encrypted with another secret than that of the settings."""

    code, title = "other_encryption_key", "These settings cannot read the stored keys"


class LastKey(Conflict):
    """The key is the only one that signs."""

    code, title = "last_signing_key", "This is the only key that signs"


def generate(now: datetime) -> Row:
    """Makes a key. The first signs at once; a later one only after it has been published for
    ``tokens.publish_ahead_seconds``, so that verifiers know it before its first token. Commits nothing.

    Raises OtherSecret where the settings' secret does not open the newest key: what has the right secret could not use
    a key of ours, and once that signs, nobody gets a token.
    """
    tokens = context.settings().tokens
    key = SigningKey.generate()
    in_use = _newest_in_use()
    signs_from = now + timedelta(seconds=tokens.publish_ahead_seconds) if in_use else now
    public = base64_encode(key.public.public_bytes_raw()).decode()
    sealed = vault.seal(key.private_bytes(), key.kid, tokens.encryption_key.get_secret_value())
    return signing_keys.add(key.kid, public, sealed, now, signs_from)


def ensure(now: datetime) -> Row | None:
    """Makes the first key if there is none in use; returns it, or None when nothing was to do. Commits nothing.

    Raises OtherSecret as ``generate`` does.
    """
    signing_keys.lock()
    return None if _newest_in_use() else generate(now)


def signing_key(now: datetime) -> SigningKey:
    """The key that signs at this moment. Raises NoSigningKey, and KeyUnreadable after a change of the secret.

    The latter cuts readers off one by one as their tokens end, so it is logged as an error.
    """
    row = signing_keys.signing(now)
    if row is None:
        raise NoSigningKey("There is no signing key: run flask paywall keys generate.")
    secret = context.settings().tokens.encryption_key.get_secret_value()
    try:
        return SigningKey.from_private_bytes(vault.unseal(row.private_key, row.kid, secret), row.kid)
    except vault.KeyUnreadable:
        log.error("signing_key_unreadable", kid=row.kid)
        raise


def reseal(old_secret: str) -> int:
    """Encrypts every private key that ``old_secret`` opens with the settings' secret; returns how many there were.

    Keys that the settings' secret opens stay as they are, so that it can be repeated. Raises KeyUnreadable for a key
    that neither opens. Commits nothing.
    """
    secret = context.settings().tokens.encryption_key.get_secret_value()
    rows = [row for row in signing_keys.every() if not _opens(secret, row)]
    for row in rows:
        row.private_key = vault.seal(vault.unseal(row.private_key, row.kid, old_secret), row.kid, secret)
    return len(rows)


def retire(kid: str, now: datetime) -> Row:
    """Ends signing with a key. Its tokens verify, and can be renewed, for as long as a session may live.

    Raises NotFound, and LastKey when no other key signs yet. Commits nothing.
    """
    row = _get(kid)
    if row.retired_at is None:
        others = (one for one in every_life() if one.row.kid != kid and one.row.retired_at is None)
        if not any(one.signs_from <= now and one.state(now) != "gone" for one in others):
            raise LastKey("No other key signs yet: generate one, wait until it signs, then retire this one.")
        row.retired_at = now
    return row


def withdraw(kid: str) -> None:
    """Removes a key that is no longer trusted: every token that it signed is refused from now on.

    Raises NotFound. Commits nothing.
    """
    signing_keys.delete(_get(kid))


def published(rows: Sequence[Row], now: datetime, session_days: int) -> KeySet:
    """The public keys under which tokens verify: all but those that are gone. The rows are all there are, in order."""
    found = (life.row for life in lives(rows, session_days) if life.state(now) != "gone")
    return _key_set(tuple((row.kid, row.public_key) for row in found))


@lru_cache(maxsize=4)
def _key_set(keys: tuple[tuple[str, str], ...]) -> KeySet:
    """The set of these ids and keys; the same one each time, because what was verified is remembered with it."""
    return KeySet.from_jwks({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": key} for kid, key in keys]})


def every_life() -> list[KeyLife]:
    """All keys with the moments of their lives, those that sign the latest first."""
    return lives(signing_keys.every(), context.settings().web.session_days)


def _get(kid: str) -> Row:
    row = signing_keys.get(kid)
    if row is None:
        raise NotFound("There is no signing key of this id.")
    return row


def _newest_in_use() -> Row | None:
    """The newest key that is not retired; raises OtherSecret where the settings' secret does not open it."""
    newest = next((row for row in signing_keys.every() if row.retired_at is None), None)
    if newest is not None and not _opens(context.settings().tokens.encryption_key.get_secret_value(), newest):
        raise OtherSecret(
            f"The signing key {newest.kid} of this database cannot be read with tokens.encryption_key. Run this with "
            "the settings of the service that uses the database; after a change of the secret run flask paywall keys "
            "reseal first; if the old secret is lost, flask paywall keys retire --withdraw each key."
        )
    return newest


def _opens(secret: str, row: Row) -> bool:
    try:
        vault.unseal(row.private_key, row.kid, secret)
    except vault.KeyUnreadable:
        return False
    return True
