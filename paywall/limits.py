"""Rate limits by network address, counted in memory or in Redis."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from paywall import context
from paywall.settings import Settings

limiter = Limiter(get_remote_address)


def init_app(app: Flask, settings: Settings) -> None:
    """Counts where the settings say; a Redis that is gone falls back to memory."""
    app.config.update(
        RATELIMIT_STORAGE_URI=settings.limits.storage_url,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=not settings.limits.storage_url.startswith("memory"),
        RATELIMIT_HEADERS_ENABLED=True,
    )
    limiter.init_app(app)


def sign_in() -> str:
    """The limit on asking for sign-in links."""
    return context.settings().limits.sign_in


def checkout() -> str:
    """The limit on starting checkouts."""
    return context.settings().limits.checkout
