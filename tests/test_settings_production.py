"""Production starts with settings of its own, and with nothing that is only good for one machine."""

import pytest

from paywall.settings import ROOT, load_settings
from tests.support.environment import SECRETS, refusal, setenv

__all__ = ["setenv"]  # a fixture

PRODUCTION = {
    **SECRETS,
    "PAYWALL_ENV": "production",
    "PAYWALL_NEWSROOM__HOME_URL": "https://www.example.org/",
    "PAYWALL_WEB__BASE_URL": "https://pay.example.org",
    "PAYWALL_WEB__RETURN_ORIGINS": '["https://www.example.org"]',
    "PAYWALL_WEB__COOKIE_DOMAIN": "example.org",
}


def test_production_starts_with_settings_of_its_own(setenv) -> None:
    setenv(**PRODUCTION)
    settings = load_settings()
    assert settings.production
    assert settings.web.trusted_hops == 1
    assert settings.stripe.api_base == "https://api.stripe.com"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"PAYWALL_WEB__SECRET_KEY": "sesame-too-short"}, "web.secret_key: needs a secret of its own"),
        ({"PAYWALL_WEB__SECRET_KEY": "insecure-sesame-0123456789012345678901234"}, "web.secret_key: needs"),
        ({"PAYWALL_TOKENS__ENCRYPTION_KEY": "sesame-too-short"}, "tokens.encryption_key: needs a secret of its own"),
        (
            {"PAYWALL_TOKENS__ENCRYPTION_KEY": SECRETS["PAYWALL_WEB__SECRET_KEY"]},
            "tokens.encryption_key: must not be web.secret_key again",
        ),
        ({"PAYWALL_STRIPE__API_BASE": "http://127.0.0.1:8002"}, "stripe.api_base: must be https://api.stripe.com"),
        ({"PAYWALL_STRIPE__WEBHOOK_SECRETS": None}, "stripe.webhook_secrets: must hold"),
        ({"PAYWALL_WEB__RETURN_ORIGINS": None}, "web.return_origins: must list"),
        ({"PAYWALL_WEB__RETURN_ORIGINS": '["http://www.example.org"]'}, "web.return_origins: must be https://"),
        ({"PAYWALL_WEB__FORM_ORIGINS": '["http://127.0.0.1:8002"]'}, "web.form_origins: must be https://"),
        ({"PAYWALL_WEB__BASE_URL": "http://pay.example.org"}, "web.base_url: must be https://"),
        ({"PAYWALL_NEWSROOM__HOME_URL": None}, "newsroom.home_url: must be https://"),
        ({"PAYWALL_WEB__COOKIE_SECURE": "false"}, "web.cookie_secure: must be true"),
        ({"PAYWALL_DATABASE__URL": "sqlite:///paywall.sqlite3"}, "database.url: production needs PostgreSQL"),
        ({"PAYWALL_CLOCK__OFFSET_FILE": "offset"}, "clock.offset_file: is for development only"),
        ({"PAYWALL_MAIL__OUTBOX_DIR": "outbox"}, "mail.outbox_dir: is for development only"),
        ({"PAYWALL_STAFF__SECOND_FACTOR": "offered"}, "staff.second_factor: must be required in production"),
        ({"PAYWALL_METRICS__LOOPBACK": "true"}, "metrics.loopback: is for development only"),
        ({"PAYWALL_METRICS__TOKEN": "sesame-too-short"}, "metrics.token: needs a secret of its own"),
        ({"PAYWALL_STRIPE__API_KEY": "sk_live_sesame"}, "stripe.api_key: is a live-mode key"),
    ],
)
def test_production_refuses_what_is_not_safe(setenv, changes: dict[str, str | None], words: str) -> None:
    setenv(**PRODUCTION)
    setenv(**changes)
    message = refusal()
    assert words in message
    assert message.count("\n") == 1, "nothing else is at fault"
    assert "sesame" not in message


def test_production_refuses_the_secrets_of_the_other_environments(setenv) -> None:
    """Whoever copies development.toml into production is told of every default in it."""
    setenv(PAYWALL_ENV="production", PAYWALL_SETTINGS=str(ROOT / "config/development.toml"))
    message = refusal()
    for name in ("web.secret_key", "tokens.encryption_key", "stripe.api_base", "database.url", "mail.outbox_dir"):
        assert f"{name}:" in message


SANDBOX = {
    "PAYWALL_STRIPE__API_BASE": "http://127.0.0.1:8002",
    "PAYWALL_WEB__FORM_ORIGINS": '["http://127.0.0.1:8002"]',
}


def test_production_can_be_rehearsed_with_the_sandbox_that_the_environment_names(setenv) -> None:
    setenv(**PRODUCTION, **SANDBOX, PAYWALL_REHEARSAL="http://127.0.0.1:8002")
    settings = load_settings()
    assert settings.production
    assert settings.stripe.api_base == "http://127.0.0.1:8002"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"PAYWALL_REHEARSAL": None}, "stripe.api_base: must be https://api.stripe.com"),
        ({"PAYWALL_REHEARSAL": ""}, "stripe.api_base: must be"),
        ({"PAYWALL_REHEARSAL": "http://127.0.0.1:8003"}, "stripe.api_base: must be"),
        ({"PAYWALL_WEB__FORM_ORIGINS": '["http://127.0.0.1:8003"]'}, "web.form_origins: must be https://"),
        ({"PAYWALL_WEB__BASE_URL": "http://127.0.0.1:8002"}, "web.base_url: must be https://"),
    ],
)
def test_a_rehearsal_allows_that_sandbox_and_nothing_else(setenv, changes: dict[str, str | None], words: str) -> None:
    setenv(**PRODUCTION, **SANDBOX, PAYWALL_REHEARSAL="http://127.0.0.1:8002")
    setenv(**changes)
    assert words in refusal()


@pytest.mark.parametrize(
    "address", ["http://192.0.2.1:8002", "http://localhost:8002", "https://127.0.0.1:8002", "http://sandbox.test"]
)
def test_a_rehearsal_is_held_on_this_machine_alone(setenv, address: str) -> None:
    setenv(**PRODUCTION, PAYWALL_STRIPE__API_BASE=address, PAYWALL_REHEARSAL=address)
    assert "stripe.api_base: must be" in refusal()


def test_a_rehearsal_takes_no_live_key(setenv) -> None:
    setenv(**PRODUCTION, **SANDBOX, PAYWALL_REHEARSAL="http://127.0.0.1:8002")
    setenv(PAYWALL_STRIPE__API_KEY="sk_live_sesame", PAYWALL_STRIPE__ALLOW_LIVE="true")
    assert "stripe.api_base: must be" in refusal()


def test_no_file_can_ask_for_a_rehearsal(setenv, tmp_path) -> None:
    file = tmp_path / "extra.toml"
    file.write_text('rehearsal = "http://127.0.0.1:8002"\n')
    setenv(**PRODUCTION, **SANDBOX, PAYWALL_SETTINGS=str(file))
    assert "rehearsal" in refusal()
