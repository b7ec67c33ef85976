"""What may be set: one typed, frozen table for each part of the service, and how a single value is checked."""

import functools
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from limits import parse_many
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from paywall import texts

_ORIGIN = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:[1-9][0-9]{0,4})?")
_HOST = r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_ADDRESS = rf"[^\s@<>,;:\"]+@{_HOST}"
_CURRENCY = re.compile("[a-z]{3}")
_DRIVERS = ("sqlite", "postgresql+psycopg")
_COUNTERS = ("memory", "redis", "rediss")
_zones = functools.cache(available_timezones)  # looks through the whole time zone database


def _origin(value: str) -> str:
    # origins stand in headers and are compared as text, so only their one plain spelling is taken
    default = {"http": ":80", "https": ":443"}[value.partition(":")[0]] if _ORIGIN.fullmatch(value) else ""
    if not default or value.endswith(default) or not _is_web_address(value):
        raise ValueError("must be an origin such as https://www.example.org: small letters, no path, no default port")
    return value


def _web_address(value: str) -> str:
    if not _is_web_address(value):
        raise ValueError("must be an address such as https://www.example.org/")
    return value


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _zone(value: str) -> str:
    if value not in _zones():
        raise ValueError("is not a time zone of the IANA database, such as Europe/Berlin")
    return value


def _language(value: str) -> str:
    if value not in texts.languages():
        known = ", ".join(sorted(texts.languages()))
        raise ValueError(f"has no catalogue; there is {known}, and docs/texts.md tells how to make another")
    return value


def _address(value: str) -> str:
    if not re.fullmatch(_ADDRESS, value, re.IGNORECASE):
        raise ValueError("must be an e-mail address such as help@example.org")
    return value


def _sender(value: str) -> str:
    if not re.fullmatch(rf"{_ADDRESS}|[^\r\n<>]*<{_ADDRESS}>", value, re.IGNORECASE):
        raise ValueError("must be an e-mail address, or a name with one: The Daily Ledger <readers@example.org>")
    return value


def _domain(value: str) -> str:
    # browsers ignore what is no name, and an address of a machine counts as none
    if not re.fullmatch(_HOST, value) or "." not in value or value.rpartition(".")[2].isdigit():
        raise ValueError("must be a domain such as example.org: small letters, no leading dot, no port")
    return value


def _filled(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().strip():
        raise ValueError("must not be empty")
    return value


def _database_url(value: SecretStr) -> SecretStr:
    try:
        driver = make_url(value.get_secret_value()).drivername
    except (ArgumentError, ValueError):  # their words hold the address, and so its password
        driver = ""
    if driver not in _DRIVERS:
        raise ValueError("must be a database address: sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME")
    return value


def _counter_url(value: SecretStr) -> SecretStr:
    if value.get_secret_value().partition("://")[0] not in _COUNTERS:
        raise ValueError("must be memory:// or the address of a Redis: redis://HOST/0, rediss://HOST/0")
    return value


def _rate(value: str) -> str:
    try:
        parse_many(value)
    except ValueError:
        raise ValueError("is not a rate such as 10 per minute, or 10 per minute; 60 per hour") from None
    return value


Origin = Annotated[str, AfterValidator(_origin)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Secret = Annotated[SecretStr, AfterValidator(_filled)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
TokenFormat = Literal["paywall", "jwt"]
Rate = Annotated[str, AfterValidator(_rate)]


def _by_currency(value: object) -> dict[str, int]:
    if not isinstance(value, dict) or not all(isinstance(one, str) and _CURRENCY.fullmatch(one) for one in value):
        raise ValueError("must be a table of currency codes in small letters, such as { usd = 5000 }")
    if bad := sorted(one for one, most in value.items() if type(most) is not int or most < 0):
        raise ValueError(f"{', '.join(bad)}: must be a whole number of minor units, 0 or more, such as 5000")
    return value


class Group(BaseModel):
    """A table of settings; an unknown name in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Newsroom(Group):
    """Who publishes: shown to readers; the zone in which days begin and end; the language of their pages."""

    name: str = Field(min_length=1)
    home_url: WebAddress
    time_zone: Annotated[str, AfterValidator(_zone)]
    support_email: Annotated[str, AfterValidator(_address)]
    language: Annotated[str, AfterValidator(_language)]


class Web(Group):
    """Our own address, the origins that readers may be sent back to, cookies."""

    base_url: Origin
    secret_key: Secret
    return_origins: tuple[Origin, ...]
    form_origins: tuple[Origin, ...]
    cookie_domain: Annotated[str, AfterValidator(_domain)] | None = None
    cookie_secure: bool
    session_days: int = Field(ge=1, le=400)
    trusted_hops: int = Field(ge=0, le=5)
    max_body_bytes: int = Field(ge=1024)


class Database(Group):
    """Where rows are kept."""

    url: DatabaseUrl


class Stripe(Group):
    """How Stripe is reached. No webhook secret means that there is no webhook endpoint."""

    api_key: Secret
    api_base: Origin
    webhook_secrets: tuple[Secret, ...]
    webhook_tolerance_seconds: int = Field(ge=1, le=3600)
    allow_live: bool
    # a thread waits that long for an answer, and the lease of a sync lasts as long as all tries of one call
    connect_timeout_seconds: float = Field(gt=0, le=120)
    read_timeout_seconds: float = Field(gt=0, le=120)
    max_network_retries: int = Field(ge=0, le=5)
    max_calls_at_once: int = Field(ge=1, le=100)

    @property
    def longest_call_seconds(self) -> float:
        """How long one call may take at worst: every try runs out of time, and the library pauses up to 5 s between."""
        one = self.connect_timeout_seconds + self.read_timeout_seconds
        return one + self.max_network_retries * (one + 5)

    @property
    def livemode(self) -> bool:
        """Whether the key is one of live mode."""
        return self.api_key.get_secret_value().startswith(("sk_live_", "rk_live_"))


class Tokens(Group):
    """Access tokens: their life in seconds, their audience, how keys are kept and rotated."""

    audience: str = Field(min_length=1)
    lifetime_seconds: int = Field(ge=60, le=86400)
    publish_ahead_seconds: int = Field(ge=0)
    rotate_days: int = Field(ge=0, le=3660)
    count_seconds: float = Field(ge=0, le=300)
    format: TokenFormat
    encryption_key: Secret


class Mail(Group):
    """Where letters go: an SMTP server, or in development a folder of files."""

    sender: Annotated[str, AfterValidator(_sender)]
    server: str = Field(pattern=r"^\S+$")
    port: int = Field(ge=1, le=65535)
    use_tls: bool
    username: str | None = None
    password: SecretStr | None = None
    in_background: bool
    reminder_days: int = Field(ge=0, le=90)
    outbox_dir: Path | None = None


class Limits(Group):
    """Rate limits: where they are counted, and the limits themselves in Flask-Limiter's notation."""

    storage_url: Annotated[SecretStr, AfterValidator(_counter_url)]
    sign_in: Rate
    sign_in_person: Rate
    checkout: Rate
    checkout_person: Rate
    checkout_return: Rate
    api: Rate
    api_refused: Rate


class Worker(Group):
    """How often `flask paywall worker` looks for work, and when it counts as gone."""

    pause_seconds: float = Field(ge=0.1, le=60)
    silent_seconds: int = Field(ge=10, le=600)
    reconcile_hours: int = Field(ge=1, le=720)
    reconcile_days: int = Field(ge=1, le=366)


class Retention(Group):
    """How long rows are kept that nobody needs any more."""

    events_days: int = Field(ge=31, le=3660)
    checkouts_days: int = Field(ge=7, le=3660)
    letters_days: int = Field(ge=7, le=3660)
    sign_ins_days: int = Field(ge=7, le=3660)


class Staff(Group):
    """How long the rights of staff last, how they are proved, and what support may give back."""

    second_factor: Literal["required", "offered"]
    session_hours: int = Field(ge=1, le=24)
    idle_minutes: int = Field(ge=5, le=240)
    recent_minutes: int = Field(ge=1, le=60)
    support_refund_limit: Annotated[dict[str, int], BeforeValidator(_by_currency)]


class Metrics(Group):
    """Who may read ``/metrics``: who sends the token; without one nobody, or programs on this machine."""

    token: Secret | None = None
    loopback: bool


class Time(Group):
    """The development clock."""

    offset_file: Path | None = None


class Log(Group):
    """How log lines look."""

    format: Literal["json", "console"]
    level: Literal["debug", "info", "warning", "error"]
