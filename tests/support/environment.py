"""Settings from the environment: secrets to look for, and what is said when they are refused."""

import pytest

from paywall.settings import SettingsError, load_settings

SECRETS = {
    "PAYWALL_WEB__SECRET_KEY": "sesame-web-0123456789012345678901234567",
    "PAYWALL_TOKENS__ENCRYPTION_KEY": "sesame-tokens-01234567890123456789012345",
    "PAYWALL_STRIPE__API_KEY": "sk_test_sesame",
    "PAYWALL_STRIPE__WEBHOOK_SECRETS": '["whsec_sesame"]',
    "PAYWALL_DATABASE__URL": "postgresql+psycopg://paywall:sesame@db.test/paywall",
    "PAYWALL_LIMITS__STORAGE_URL": "redis://:sesame@cache.test/0",
    "PAYWALL_MAIL__PASSWORD": "sesame",
}


@pytest.fixture
def setenv(monkeypatch: pytest.MonkeyPatch):
    """Sets environment variables; None takes one away."""

    def setenv(**values: str | None) -> None:
        for name, value in values.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    return setenv


def refusal(**tables: dict[str, object]) -> str:
    """What is said when the settings are refused."""
    with pytest.raises(SettingsError) as caught:
        load_settings(**tables)
    return str(caught.value)
