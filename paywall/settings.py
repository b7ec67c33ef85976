"""Typed, checked settings: config/*.toml, then an extra file, then the environment; a bad one stops the start."""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from paywall.domain.plans import Plan, PlanError, load_plans
from paywall.options import (
    Database,
    Limits,
    Log,
    Mail,
    Metrics,
    Newsroom,
    Retention,
    Staff,
    Stripe,
    Time,
    Tokens,
    Web,
    Worker,
)

__all__ = ["ROOT", "Log", "Newsroom", "Settings", "SettingsError", "Stripe", "Tokens", "Web", "load_settings"]

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "PAYWALL_"
STRIPE_API = "https://api.stripe.com"


class SettingsError(Exception):
    """The configuration cannot be used; the message names each setting at fault."""


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
    worker: Worker
    retention: Retention
    staff: Staff
    metrics: Metrics
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
    values: dict[str, Any] = {}
    for file in files:
        _merge(values, _tables(file))
    _merge(values, overrides)
    _check_environment()
    try:
        plans = load_plans(_read(folder / "plans.toml"))
        settings = Settings(**values, env=env, plans=plans)
    except PlanError as error:
        raise SettingsError(f"plans.toml: {error}") from error
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None
    _refuse_unsafe(settings)
    return settings


def _tables(file: Path) -> dict[str, Any]:
    values = _read(file)
    if fixed := {"env", "plans"} & set(values):
        raise SettingsError(
            f"the settings file {file} cannot set {min(fixed)}; see docs/settings.md for where it is set"
        )
    return values


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"the settings file {file} does not exist; check PAYWALL_ENV and PAYWALL_SETTINGS"
        ) from None
    except OSError as error:
        raise SettingsError(f"the settings file {file} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file {file} is not valid TOML: {_place(error)}") from None


def _place(error: ValueError) -> str:
    """Where a file is broken; its own words may hold a piece of it, and that piece may be a secret."""
    found = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
    return f"look at {found[1]}" if found else "it is not text in UTF-8"


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, Mapping) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = dict(value) if isinstance(value, Mapping) else value


REHEARSAL = "PAYWALL_REHEARSAL"
# what a variable holds for a setting of this kind, and how that is said
_JSON: Mapping[Any, tuple[type, str]] = {
    tuple: (list, 'list, such as ["one", "two"]'),
    dict: (dict, 'object, such as {"usd": 5000}'),
}
_CONTROL = {"PAYWALL_ENV", "PAYWALL_SETTINGS", "PAYWALL_CONFIG_DIR", REHEARSAL}


def _check_environment() -> None:
    for name in sorted(os.environ):
        if not name.upper().startswith(PREFIX) or name in _CONTROL:
            continue
        group, _, key = name[len(PREFIX) :].lower().partition("__")
        field = Settings.model_fields.get(group)
        known = getattr(field.annotation, "model_fields", {}) if field else {}
        if key not in known:
            raise SettingsError(f"{name} in the environment is not a setting; docs/settings.md lists them")
        kind = get_origin(known[key].annotation)
        if kind in _JSON and not isinstance(_parsed(os.environ[name]), _JSON[kind][0]):
            raise SettingsError(f"{name} in the environment must be a JSON {_JSON[kind][1]}")


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


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
    stripe, web, faults = settings.stripe, settings.web, []
    if not re.fullmatch(r"(sk|rk)_(test|live)_\S+", stripe.api_key.get_secret_value()):
        faults.append("stripe.api_key: is not a Stripe secret key (sk_test_... or rk_test_...)")
    if stripe.livemode and not stripe.allow_live:
        faults.append(
            "stripe.api_key: is a live-mode key; this service is built for test mode, stripe.allow_live lifts that"
        )
    if not all(re.fullmatch(r"whsec_\S+", one.get_secret_value()) for one in stripe.webhook_secrets):
        faults.append("stripe.webhook_secrets: each must be an endpoint secret (whsec_...)")
    host = urlsplit(web.base_url).hostname or ""
    # browsers drop cookies of a foreign domain without a word, and nobody would ever be signed in
    if web.cookie_domain is not None and not f".{host}".endswith(f".{web.cookie_domain or '-'}"):
        faults.append("web.cookie_domain: must be the host of web.base_url, or a domain that it belongs to")
    return faults


def _production_faults(settings: Settings) -> list[str]:
    web, faults = settings.web, []
    secrets = {"web.secret_key": web.secret_key, "tokens.encryption_key": settings.tokens.encryption_key}
    if settings.metrics.token is not None:
        secrets["metrics.token"] = settings.metrics.token
    for name, secret in secrets.items():
        value = secret.get_secret_value()
        if len(value) < 32 or value.startswith("insecure-"):
            faults.append(f"{name}: needs a secret of its own, at least 32 characters")
    if web.secret_key == settings.tokens.encryption_key:
        faults.append("tokens.encryption_key: must not be web.secret_key again")
    if settings.stripe.api_base not in (STRIPE_API, _rehearsal(settings)):
        faults.append(f"stripe.api_base: must be {STRIPE_API} in production")
    if not settings.stripe.webhook_secrets:
        faults.append("stripe.webhook_secrets: must hold the secret of the webhook endpoint")
    if not web.return_origins:
        faults.append("web.return_origins: must list the origins of the news site")
    if not web.cookie_secure:
        faults.append("web.cookie_secure: must be true in production")
    faults += [f"{name}: must be https:// in production" for name in _insecure_addresses(settings)]
    if settings.database.url.get_secret_value().startswith("sqlite"):
        faults.append("database.url: production needs PostgreSQL (postgresql+psycopg://...)")
    development = {"clock.offset_file": settings.clock.offset_file, "mail.outbox_dir": settings.mail.outbox_dir}
    if settings.staff.second_factor != "required":
        faults.append("staff.second_factor: must be required in production")
    if settings.metrics.loopback:
        faults.append("metrics.loopback: is for development only; set metrics.token instead")
    faults += [f"{name}: is for development only" for name, value in development.items() if value]
    return faults


def _rehearsal(settings: Settings) -> str:
    """The sandbox on this machine that production may be tried with: in test mode, and if the environment names it.

    No file can say so: what is left behind in one would open production to whoever reaches that port.
    """
    named = os.environ.get(REHEARSAL, "")
    allowed = re.fullmatch(r"http://127\.0\.0\.1:[0-9]+", named) and not settings.stripe.livemode
    return named if allowed else ""


def _insecure_addresses(settings: Settings) -> list[str]:
    web = settings.web
    form_origins = tuple(origin for origin in web.form_origins if origin != _rehearsal(settings))
    addresses = {
        "newsroom.home_url": (settings.newsroom.home_url,),
        "web.base_url": (web.base_url,),
        "web.return_origins": web.return_origins,
        "web.form_origins": form_origins,
    }
    return [name for name, urls in addresses.items() if not all(url.startswith("https://") for url in urls)]
