"""Rate limits by network address, counted in memory or in Redis."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from paywall import context
from paywall.settings import Settings

limiter = Limiter(get_remote_address)


def init_app(app: Flask, settings: Settings) -> None:
    """Counts where the settings say; a Redis that is gone falls back to memory."""
    storage = settings.limits.storage_url.get_secret_value()
    app.config.update(
        RATELIMIT_STORAGE_URI=storage,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=not storage.startswith("memory"),
        RATELIMIT_HEADERS_ENABLED=True,
    )
    limiter.init_app(app)


def sign_in() -> str:
    """The limit on asking for sign-in links."""
    return context.settings().limits.sign_in


def checkout_return() -> str:
    """The limit on coming back, each of which asks Stripe."""
    return context.settings().limits.checkout_return


def checkout() -> str:
    """The limit on starting checkouts."""
    return context.settings().limits.checkout
