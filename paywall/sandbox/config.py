"""What one sandbox needs to know before it starts, and the checks that keep it a sandbox."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

API_VERSION = "2026-10-28.endive"
TEST_KEY_PREFIXES = ("sk_test_", "rk_test_")


class ConfigError(ValueError):
    """A setting that this sandbox refuses; the message names it in one line."""


def utc_now() -> datetime:
    """The wall clock, the sandbox's clock unless another one is given."""
    return datetime.now(UTC)


def loopback(host: str) -> str:
    """Return `host` as a loopback address, or raise ConfigError: this server must never be reachable from outside."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        if ipaddress.ip_address(address).is_loopback:
            return address
    except ValueError:
        pass
    raise ConfigError(f"The sandbox serves loopback addresses only, not {host!r}: use 127.0.0.1.")


@dataclass
class SandboxConfig:
    """Settings of one sandbox.

    `now` drives every date in the objects. Signatures and retries follow the wall clock whatever `now` says, because
    the receiver of a webhook compares a signature's time with its own wall clock.
    `clock_file` keeps how many seconds the sandbox's time is ahead of `now`, for the programs that share its time.
    `patience` are the seconds after the sandbox's start in which an endpoint that refuses connections, and has not
    answered yet, is taken to be starting too: it is asked again each second, and no failure is noted.
    `retry_delays` are the seconds between attempts; when they are used up the delivery is given up.
    """

    api_key: str
    webhook_url: str | None = None
    webhook_secret: str = field(default="", repr=False)
    state: Path | None = None
    clock_file: Path | None = None
    base_url: str = "http://127.0.0.1:8002"
    account_name: str = "Sandbox account"
    now: Callable[[], datetime] = utc_now
    delivery_timeout: float = 20.0
    patience: float = 0.0
    retry_delays: tuple[float, ...] = (2, 5, 15, 60, 300, 1800, 3600, 7200)

    def __post_init__(self) -> None:
        if not self.api_key.startswith(TEST_KEY_PREFIXES):
            raise ConfigError("The sandbox takes a test key only: the API key must begin with sk_test_ or rk_test_.")
        if self.webhook_url and not self.webhook_secret:
            raise ConfigError("A webhook URL needs a webhook secret to sign with.")
