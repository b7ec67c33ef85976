"""The second factor of staff: a secret for their app whose codes work once, recovery codes, and few tries for both."""

import base64
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

import pyotp
import segno
import structlog

from paywall import context
from paywall.errors import Conflict, PaywallError
from paywall.storage import factors
from paywall.storage.database import db
from paywall.storage.hashing import sha256_hex
from paywall.storage.models import Reader
from paywall.tokens import vault

log = structlog.get_logger("paywall.second_factor")

STEP = 30  # seconds that a code is shown for (RFC 6238)
AROUND = (-1, 0, 1)  # steps whose codes are taken: clocks differ, and people type slowly
TRIES, SPAN = 5, timedelta(hours=1)
RECOVERY_CODES = 10
_DIGITS = re.compile("[0-9]{6}")
_CHANGE_OVER = "This change was finished or begun anew elsewhere. Open the page again and begin anew."
_RECOVERY_BYTES = 10  # 80 random bits: a plain hash of them cannot be guessed


class CodeRefused(PaywallError):
    """The code proves nothing."""

    code, status, title = "factor_refused", 403, "That is not the code"


class CodesRest(PaywallError):
    """Too many codes were typed in vain."""

    code, status, title = "factor_rests", 429, "Too many codes"


class SetUpOver(Conflict):
    """The set-up that a form belongs to was finished, or begun anew."""

    code, title = "set_up_over", "This set-up is over"


@dataclass(frozen=True, slots=True)
class SetUp:
    """What an app needs: the secret as people type it (base32), and the same as a picture (SVG)."""

    secret: str
    picture: str

    @property
    def groups(self) -> list[str]:
        """The secret in groups of four, as people read it out and type it."""
        return re.findall(".{1,4}", self.secret)


def is_set_up(reader_id: str) -> bool:
    """Whether the reader has a second factor that counts."""
    return factors.is_confirmed(reader_id)


def begin(reader: Reader, now: datetime) -> SetUp:
    """A new secret for the reader's app; it counts once ``confirm`` was given a code of it. Commits nothing.

    Raises SetUpOver where there is one that counts.
    """
    if is_set_up(reader.id):
        raise SetUpOver("You have a second factor. Open the page again, and choose another app or telephone there.")
    secret = pyotp.random_base32()
    factors.begin(reader.id, _seal(reader.id, secret), now)
    return _shown(reader, secret)


def again(reader: Reader, secret: str) -> SetUp:
    """The same set-up once more, for the browser that has its secret. Raises SetUpOver."""
    row = factors.get(reader.id)
    if row is None or row.confirmed_at is not None or not compare_digest(_secret_of(row), secret.encode()):
        raise SetUpOver("This set-up was finished or begun anew elsewhere. Open the page again and begin anew.")
    return _shown(reader, secret)


def confirm(reader: Reader, secret: str, text: str, now: datetime) -> list[str]:
    """Lets the factor count after a first code of it; returns the recovery codes, seen only here.

    Raises SetUpOver, CodeRefused and CodesRest. Commits a try in vain, and nothing else.
    """
    again(reader, secret)
    _try(reader.id, text, now, recovery=False)
    if not factors.confirm(reader.id, now):
        raise SetUpOver
    log.info("second_factor_set_up", reader=reader.id)
    return renew_recovery(reader.id)


def begin_change(reader: Reader) -> tuple[SetUp, str]:
    """A secret for another app, and the same sealed, for ``change``; the app of before counts until then.

    Writes nothing. Raises SetUpOver where there is none of before.
    """
    row, secret = _confirmed(reader.id), pyotp.random_base32()
    return _shown(reader, secret), vault.seal(secret.encode(), _next_label(row), _key())


def change_again(reader: Reader, sealed: str) -> SetUp:
    """The same change once more, for the browser that has it sealed. Raises SetUpOver."""
    return _shown(reader, _next_secret(_confirmed(reader.id), sealed))


def change(reader: Reader, sealed: str, text: str, now: datetime) -> list[str]:
    """Puts another app in place of the one of before, after a first code of it; returns the new recovery codes.

    What sessions had proved by the one of before counts no more. Tries are not counted: who has the form has the
    secret. Commits nothing. Raises SetUpOver and CodeRefused.
    """
    row = _confirmed(reader.id)
    secret = _next_secret(row, sealed)
    typed = _tidy(text)
    step = _step(secret.encode(), typed, now) if _DIGITS.fullmatch(typed) else None
    if step is None:
        raise CodeRefused("That is not a code of the new app that works now. Type the one that it shows next.")
    if not factors.replace(reader.id, row.secret, _seal(reader.id, secret), step, now):
        raise SetUpOver(_CHANGE_OVER)
    log.warning("second_factor_changed", reader=reader.id)
    return renew_recovery(reader.id)


def check(reader_id: str, text: str, now: datetime) -> None:
    """Uses a code of the reader's app, or a recovery code, up. Raises CodeRefused and CodesRest.

    Commits a try in vain, and nothing else.
    """
    _try(reader_id, text, now, recovery=True)


def renew_recovery(reader_id: str) -> list[str]:
    """New recovery codes in place of all others, seen only here. Commits nothing."""
    made = [base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]
    factors.replace_recovery(reader_id, [_hashed(reader_id, one) for one in made])
    return ["-".join(re.findall("....", one)) for one in made]


def reset(reader_id: str) -> bool:
    """Takes the factor away, so that its owner sets up another; says whether there was one. Commits nothing."""
    log.info("second_factor_reset", reader=reader_id)
    return factors.forget([reader_id])


def reseal(old_secret: str) -> int:
    """Encrypts every secret that ``old_secret`` opens with the settings' one; returns how many. Commits nothing.

    Raises KeyUnreadable for one that neither opens.
    """
    count = 0
    for row in factors.every():
        try:
            _secret_of(row)
        except vault.KeyUnreadable:
            row.secret = _seal(row.reader_id, vault.unseal(row.secret, _label(row.reader_id), old_secret).decode())
            count += 1
    return count


def _try(reader_id: str, text: str, now: datetime, *, recovery: bool) -> None:
    """Counts the try before it looks at the code, so that many at once cannot try more."""
    if not factors.take_try(reader_id, now, TRIES, SPAN):
        log.warning("second_factor_rests", reader=reader_id)
        raise CodesRest(
            "Too many codes were typed in vain. Wait an hour, or ask somebody with the role admin to reset it.",
            retry_after=int(SPAN.total_seconds()),
        )
    db.session.commit()
    if _fits(reader_id, _tidy(text), now, recovery=recovery):
        return
    log.info("second_factor_refused", reader=reader_id)
    raise CodeRefused("That is not a code that works now, or it was used. Type the one that your app shows next.")


def _fits(reader_id: str, typed: str, now: datetime, *, recovery: bool) -> bool:
    if _DIGITS.fullmatch(typed):
        row = factors.get(reader_id)
        step = _step(_secret_of(row), typed, now) if row is not None else None
        return step is not None and factors.take_step(reader_id, step)
    if recovery and factors.take_recovery(reader_id, _hashed(reader_id, typed), now):
        log.warning("recovery_code_used", reader=reader_id, left=factors.recovery_left(reader_id))
        return True
    return False


def _tidy(text: str) -> str:
    return re.sub(r"[\s-]", "", text).upper()[:40]


def _step(secret: bytes, digits: str, now: datetime) -> int | None:
    """Of which step this is the code; None for none of those around now."""
    codes = pyotp.HOTP(secret.decode())
    present = int(now.timestamp()) // STEP
    found = [present + apart for apart in AROUND if compare_digest(codes.at(present + apart), digits)]
    return found[-1] if found else None


def _shown(reader: Reader, secret: str) -> SetUp:
    name = context.settings().newsroom.name
    address = pyotp.TOTP(secret).provisioning_uri(name=reader.email or reader.id, issuer_name=name)
    picture = segno.make(address, error="m", micro=False)
    return SetUp(secret, picture.svg_inline(omitsize=True, svgclass="qr", lineclass=None, light="#fff", border=4))


def _hashed(reader_id: str, code: str) -> str:
    return sha256_hex(f"recovery {reader_id} {code}")


def _label(reader_id: str) -> str:
    return f"second factor of {reader_id}"


def _seal(reader_id: str, secret: str) -> str:
    return vault.seal(secret.encode(), _label(reader_id), _key())


def _secret_of(row: factors.SecondFactor) -> bytes:
    return vault.unseal(row.secret, _label(row.reader_id), _key())


def _key() -> str:
    return context.settings().tokens.encryption_key.get_secret_value()


def _confirmed(reader_id: str) -> factors.SecondFactor:
    row = factors.get(reader_id)
    if row is None or row.confirmed_at is None:
        raise SetUpOver("You have no second factor that could be changed. Open the page again and set one up.")
    return row


def _next_label(row: factors.SecondFactor) -> str:
    """Binds what follows a factor to that one: a form that was left open changes no later factor."""
    return f"{_label(row.reader_id)} after {sha256_hex(row.secret)}"


def _next_secret(row: factors.SecondFactor, sealed: str) -> str:
    try:
        return vault.unseal(sealed, _next_label(row), _key()).decode()
    except vault.KeyUnreadable:
        raise SetUpOver(_CHANGE_OVER) from None
