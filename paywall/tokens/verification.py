"""Checks tokens and service keys against the snapshot, without a query per request."""

from dataclasses import dataclass, field
from datetime import datetime

from flask import Flask, current_app

from paywall.settings import Settings
from paywall.storage.hashing import sha256_hex
from paywall.tokens.keeper import Keeper
from paywall.tokens.snapshot import Entries, Service, Snapshot, load
from paywall.verifier import Claims, Decision, KeySet, TokenChecker

_NAME = "paywall.verification"
_REMEMBERED = (
    110_000  # good tokens, of about 0.7 KiB each: all readers of a site ask here, where a signature costs most
)


@dataclass(frozen=True)
class Verification:
    """The checker of our own tokens, with the snapshot that it works from. One an application."""

    checker: TokenChecker
    snapshots: Keeper[Snapshot] = field(repr=False)

    def check(self, token: str | None, require: str | None, now: datetime) -> Decision:
        """May the bearer read what belongs to ``require`` (None: anything)? Raises Unavailable."""
        return self.decide(token, require, now)[0]

    def decide(self, token: str | None, require: str | None, now: datetime) -> tuple[Decision, Snapshot]:
        """The same with what it was decided from. Raises Unavailable."""
        held = self.snapshots.current(now)
        return self.checker.check(token, held.keys, now, require, held.revocations), held

    def read(self, token: str, now: datetime) -> Claims:
        """The claims of a token that verifies, expired and revoked ones too. Raises TokenError and Unavailable."""
        return self.checker.read(token, self.snapshots.current(now).keys)

    def entries(self, now: datetime) -> Entries:
        """The list of what was revoked, for who keeps a copy. Raises Unavailable."""
        return self.snapshots.current(now).entries

    def service(self, key: str, now: datetime) -> Service | None:
        """The content service with this key. The lookup goes by a digest, so its timing tells nothing of the key."""
        return self.snapshots.current(now).services.get(sha256_hex(key))

    def keys(self, now: datetime) -> KeySet:
        """The public keys to publish."""
        return self.snapshots.current(now).keys


def of_app() -> Verification:
    """The verification of the running application."""
    return of(current_app)


def of(app: Flask) -> Verification:
    """The verification of this application, made at its first use in a process; needs no context."""
    found: Verification | None = app.extensions.get(_NAME)
    if found is None:
        found = app.extensions.setdefault(_NAME, _make(app))
    return found


def _make(app: Flask) -> Verification:
    settings: Settings = app.extensions["paywall"].settings
    whose = app.app_context  # of the application itself: the proxy that stands for it ends with its request

    def load_ours(previous: Snapshot | None, now: datetime) -> Snapshot:
        with whose():
            return load(previous, now, settings.web.session_days)

    checker = TokenChecker(settings.web.base_url, settings.tokens.audience, cache_size=_REMEMBERED)
    return Verification(checker, Keeper(load_ours))
