"""Typed, checked settings: config/*.toml, then an extra file, then the environment; a bad one stops the start."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from paywall.domain.plans import Plan, PlanError, load_plans

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "PAYWALL_"
STRIPE_API = "https://api.stripe.com"


class SettingsError(Exception):
    """The configuration cannot be used; the message names each setting at fault."""


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or value != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("must be an origin such as https://www.example.org, without a path or slash at the end")
    return value


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("is not a time zone of the IANA database, such as Europe/Berlin")
    return value


Origin = Annotated[str, AfterValidator(_origin)]


class Group(BaseModel):
    """A table of settings; an unknown name in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Newsroom(Group):
    """Who publishes: shown to readers; the zone in which days begin and end."""

    name: str = Field(min_length=1)
    home_url: str
    time_zone: Annotated[str, AfterValidator(_zone)]
    support_email: str


class Web(Group):
    """Our own address, the origins that readers may be sent back to, cookies."""

    base_url: Origin
    secret_key: SecretStr
    return_origins: tuple[Origin, ...]
    form_origins: tuple[Origin, ...]
    cookie_domain: str | None = None
    cookie_secure: bool
    session_days: int = Field(ge=1, le=400)
    trusted_hops: int = Field(ge=0, le=5)
    max_body_bytes: int = Field(ge=1024)


class Database(Group):
    """Where rows are kept; the replica, if any, serves reports."""

    url: SecretStr
    replica_url: SecretStr | None = None


class Stripe(Group):
    """How Stripe is reached. No webhook secret means that there is no webhook endpoint."""

    api_key: SecretStr
    api_base: Origin
    webhook_secrets: tuple[SecretStr, ...]
    webhook_tolerance_seconds: int = Field(ge=1, le=3600)
    allow_live: bool
    connect_timeout_seconds: float = Field(gt=0)
    read_timeout_seconds: float = Field(gt=0)
    max_network_retries: int = Field(ge=0, le=5)

    @property
    def livemode(self) -> bool:
        """Whether the key is one of live mode."""
        return self.api_key.get_secret_value().startswith(("sk_live_", "rk_live_"))


class Tokens(Group):
    """Access tokens: their life in seconds, their audience, how keys are kept and rotated."""

    audience: str = Field(min_length=1)
    lifetime_seconds: int = Field(ge=60, le=86400)
    publish_ahead_seconds: int = Field(ge=0)
    encryption_key: SecretStr


class Mail(Group):
    """Where letters go: an SMTP server, or in development a folder of files."""

    sender: str
    server: str
    port: int = Field(ge=1, le=65535)
    use_tls: bool
    username: str | None = None
    password: SecretStr | None = None
    outbox_dir: Path | None = None


class Limits(Group):
    """Rate limits: where they are counted, and the limits themselves in Flask-Limiter's notation."""

    storage_url: str
    sign_in: str
    checkout: str


class Time(Group):
    """The development clock."""

    offset_file: Path | None = None


class Log(Group):
    """How log lines look."""

    format: Literal["json", "console"]
    level: Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """Everything that may be set. ``load_settings`` makes it; nothing else should."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    env: Literal["development", "testing", "production"]
    newsroom: Newsroom
    web: Web
    database: Database
    stripe: Stripe
    tokens: Tokens
    mail: Mail
    limits: Limits
    clock: Time
    log: Log
    plans: dict[str, Plan]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the files, which arrive as init values."""
        return EnvSettingsSource(settings_cls), init_settings

    @property
    def zone(self) -> ZoneInfo:
        """The newsroom's time zone."""
        return ZoneInfo(self.newsroom.time_zone)

    @property
    def production(self) -> bool:
        """Whether safety checks of production apply."""
        return self.env == "production"


def load_settings(config_dir: Path | None = None, **overrides: Mapping[str, Any]) -> Settings:
    """Reads and checks all settings.

    Order, later wins: ``default.toml``, ``<env>.toml``, the file named by ``PAYWALL_SETTINGS``, ``overrides`` (tables,
    for tests), the environment (``PAYWALL_WEB__BASE_URL``). Raises SettingsError naming every setting at fault.
    """
    folder = config_dir or Path(os.environ.get("PAYWALL_CONFIG_DIR") or ROOT / "config")
    env = os.environ.get("PAYWALL_ENV", "development")
    files = [folder / "default.toml", folder / f"{env}.toml"]
    if extra := os.environ.get("PAYWALL_SETTINGS"):
        files.append(Path(extra))
    values: dict[str, Any] = {"env": env}
    for file in files:
        _merge(values, _read(file))
    _merge(values, overrides)
    _refuse_unknown_environment()
    try:
        values["plans"] = load_plans(_read(folder / "plans.toml"))
        settings = Settings(**values)
    except PlanError as error:
        raise SettingsError(f"plans.toml: {error}") from error
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None
    _refuse_unsafe(settings)
    return settings


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"the settings file {file} does not exist; check PAYWALL_ENV and PAYWALL_SETTINGS"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file {file} is not valid TOML: {error}") from None


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, Mapping) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = dict(value) if isinstance(value, Mapping) else value


_CONTROL = {"PAYWALL_ENV", "PAYWALL_SETTINGS", "PAYWALL_CONFIG_DIR"}


def _refuse_unknown_environment() -> None:
    for name in sorted(os.environ):
        if not name.startswith(PREFIX) or name in _CONTROL:
            continue
        group, _, key = name.removeprefix(PREFIX).lower().partition("__")
        field = Settings.model_fields.get(group)
        known = getattr(field.annotation, "model_fields", {}) if field else {}
        if key not in known:
            raise SettingsError(f"{name} in the environment is not a setting; docs/settings.md lists them")


def _explain(error: ValidationError) -> str:
    lines = []
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        path = [str(part) for part in one["loc"]]
        variable = PREFIX + "__".join(part.upper() for part in path[:2])
        lines.append(f"{'.'.join(path)} ({variable}): {one['msg'].removeprefix('Value error, ')}")
    return "settings that cannot be used:\n  " + "\n  ".join(lines)


def _refuse_unsafe(settings: Settings) -> None:
    faults = _faults(settings)
    if settings.production:
        faults += _production_faults(settings)
    if faults:
        raise SettingsError("settings that cannot be used:\n  " + "\n  ".join(faults))


def _faults(settings: Settings) -> list[str]:
    key = settings.stripe.api_key.get_secret_value()
    faults = []
    if not key.startswith(("sk_test_", "rk_test_", "sk_live_", "rk_live_")):
        faults.append("stripe.api_key: is not a Stripe secret key (sk_test_... or rk_test_...)")
    if settings.stripe.livemode and not settings.stripe.allow_live:
        faults.append(
            "stripe.api_key: is a live-mode key; this service is built for test mode, stripe.allow_live lifts that"
        )
    if any(not one.get_secret_value().startswith("whsec_") for one in settings.stripe.webhook_secrets):
        faults.append("stripe.webhook_secrets: each must be an endpoint secret (whsec_...)")
    return faults


def _production_faults(settings: Settings) -> list[str]:
    web, faults = settings.web, []
    for name, secret in (("web.secret_key", web.secret_key), ("tokens.encryption_key", settings.tokens.encryption_key)):
        value = secret.get_secret_value()
        if len(value) < 32 or value.startswith("insecure-"):
            faults.append(f"{name}: needs a secret of its own, at least 32 characters")
    if settings.stripe.api_base != STRIPE_API:
        faults.append(f"stripe.api_base: must be {STRIPE_API} in production")
    if not settings.stripe.webhook_secrets:
        faults.append("stripe.webhook_secrets: must hold the secret of the webhook endpoint")
    if not web.return_origins:
        faults.append("web.return_origins: must list the origins of the news site")
    insecure = [url for url in (web.base_url, *web.return_origins) if not url.startswith("https://")]
    if insecure or not web.cookie_secure:
        faults.append("web: production needs https:// in base_url and return_origins, and cookie_secure = true")
    if settings.database.url.get_secret_value().startswith("sqlite"):
        faults.append("database.url: production needs PostgreSQL (postgresql+psycopg://...)")
    if settings.clock.offset_file or settings.mail.outbox_dir:
        faults.append("clock.offset_file and mail.outbox_dir: are for development only")
    return faults
