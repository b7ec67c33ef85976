"""The news site's settings, from NEWS_... in the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

NEWSROOM = "The Saltmere Courier"
TAGLINE = "News from Saltmere and the Levels"
HOME = "http://127.0.0.1:8000"
PAYWALL = "http://127.0.0.1:8001"


class ConfigError(Exception):
    """A setting that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteConfig:
    """Where the site and the paywall service live. `keys` pins the public keys (a JWKS document).

    `clock_file` holds the seconds that the site's time is ahead, in a demo whose time moves.
    """

    base_url: str = HOME
    paywall_url: str = PAYWALL
    service_key: str | None = None
    outbox_dir: Path | None = None
    sandbox_url: str | None = None
    clock_file: Path | None = None
    keys: Mapping[str, Any] | None = None

    @property
    def host(self) -> str:
        """Host and port under which the site wants to be visited."""
        return urlsplit(self.base_url).netloc

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Reads NEWS_BASE_URL, NEWS_PAYWALL_URL, NEWS_SERVICE_KEY or _FILE, NEWS_OUTBOX_DIR, NEWS_SANDBOX_URL,
        NEWS_CLOCK_FILE.

        Raises ConfigError for an address that is none and for a key file that cannot be read.
        """
        outbox, clock = environ.get("NEWS_OUTBOX_DIR"), environ.get("NEWS_CLOCK_FILE")
        return cls(
            base_url=_address(environ, "NEWS_BASE_URL", HOME),
            paywall_url=_address(environ, "NEWS_PAYWALL_URL", PAYWALL),
            service_key=_service_key(environ),
            outbox_dir=Path(outbox) if outbox else None,
            sandbox_url=_address(environ, "NEWS_SANDBOX_URL", "") or None,
            clock_file=Path(clock) if clock else None,
        )


def _address(environ: Mapping[str, str], name: str, default: str) -> str:
    value = environ.get(name) or default
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/")):
        raise ConfigError(f"{name} must be an address such as http://127.0.0.1:8000")
    return value.rstrip("/")


def _service_key(environ: Mapping[str, str]) -> str | None:
    if key := environ.get("NEWS_SERVICE_KEY"):
        return key
    file = environ.get("NEWS_SERVICE_KEY_FILE")
    if not file:
        return None
    try:
        return Path(file).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"NEWS_SERVICE_KEY_FILE: {file} cannot be read ({type(error).__name__})") from error
