"""Settings come from files and the environment in a fixed order; what cannot be used stops the start, named."""

import shutil
from pathlib import Path

import pytest

from paywall.settings import ROOT, Settings, SettingsError, load_settings
from tests.support.environment import SECRETS, refusal, setenv

__all__ = ["setenv"]  # a fixture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of config/ to break."""
    copy = tmp_path / "config"
    shutil.copytree(ROOT / "config", copy)
    return copy


def test_later_sources_win(setenv, tmp_path: Path) -> None:
    """default.toml < testing.toml < the extra file < the environment; what a source leaves out stays."""
    extra = tmp_path / "extra.toml"
    extra.write_text('[newsroom]\nname = "Extra"\nsupport_email = "extra@example.org"\n[web]\nsession_days = 7\n')
    assert load_settings().newsroom.name == "The Daily Ledger"
    setenv(PAYWALL_SETTINGS=str(extra), PAYWALL_NEWSROOM__NAME="Environment")
    settings = load_settings()
    assert settings.newsroom.name == "Environment"
    assert settings.newsroom.support_email == "extra@example.org"
    assert settings.newsroom.home_url == "https://news.test/"
    assert settings.newsroom.time_zone == "America/New_York"
    assert settings.web.session_days == 7


def test_who_signed_in_at_the_purchase_is_still_signed_in_after_the_renewal(setenv) -> None:
    settings = load_settings()
    (plan,) = settings.plans.values()
    assert plan.interval == "year"
    assert settings.web.session_days > 366 + plan.renewal_slack_days + plan.grace_days


def test_without_a_word_it_is_development(setenv) -> None:
    setenv(PAYWALL_ENV=None)
    settings = load_settings()
    assert settings.env == "development"
    assert not settings.production
    assert str(settings.zone) == "America/New_York"


def test_lists_and_empty_extras_come_from_the_environment(setenv) -> None:
    setenv(PAYWALL_WEB__RETURN_ORIGINS='["https://a.test", "https://b.test"]', PAYWALL_SETTINGS="")
    assert load_settings().web.return_origins == ("https://a.test", "https://b.test")


@pytest.mark.parametrize("text", ["https://a.test", "whsec_sesame", '"whsec_sesame"', '{"a": "sesame"}', ""])
@pytest.mark.parametrize("name", ["PAYWALL_WEB__RETURN_ORIGINS", "PAYWALL_STRIPE__WEBHOOK_SECRETS"])
def test_a_list_that_is_no_json_list_is_named_and_not_repeated(setenv, name: str, text: str) -> None:
    setenv(**{name: text})
    message = refusal()
    assert name in message
    assert "JSON list" in message
    assert "sesame" not in message


def test_a_table_comes_from_the_environment(setenv) -> None:
    setenv(PAYWALL_STAFF__SUPPORT_REFUND_LIMIT='{"usd": 2000, "jpy": 3000}')
    assert load_settings().staff.support_refund_limit == {"usd": 2000, "jpy": 3000}


@pytest.mark.parametrize("text", ["5000", '["usd"]', "usd = 5000", ""])
def test_a_table_that_is_no_json_object_is_named(setenv, text: str) -> None:
    setenv(PAYWALL_STAFF__SUPPORT_REFUND_LIMIT=text)
    assert refusal().endswith('must be a JSON object, such as {"usd": 5000}')


@pytest.mark.parametrize(
    "name",
    [
        "PAYWALL_WEB__BASE_ULR",
        "PAYWALL_WEB",
        "PAYWALL_WEBB__BASE_URL",
        "PAYWALL_WEB__BASE_URL__X",
        "PAYWALL_PLANS__ANNUAL",
        "PAYWALL_SECRET",
        "paywall_web__base_ulr",
    ],
)
def test_an_unknown_name_in_the_environment_is_refused(setenv, name: str) -> None:
    """A misspelt setting would otherwise silently not count."""
    setenv(**{name: "sesame"})
    assert refusal() == f"{name} in the environment is not a setting; docs/settings.md lists them"


@pytest.mark.parametrize("text", ['[web]\ncolour = "red"', "[colours]\nred = 1", "web = 3"])
def test_an_unknown_or_wrong_table_in_a_file_is_named(setenv, tmp_path: Path, text: str) -> None:
    extra = tmp_path / "extra.toml"
    extra.write_text(text)
    setenv(PAYWALL_SETTINGS=str(extra))
    assert any(name in refusal() for name in ("web.colour", "colours", "web (PAYWALL_WEB)"))


@pytest.mark.parametrize("name", ["env", "plans"])
def test_a_file_cannot_set_what_is_set_elsewhere(setenv, tmp_path: Path, name: str) -> None:
    extra = tmp_path / "extra.toml"
    extra.write_text(f'{name} = "production"\n')
    setenv(PAYWALL_SETTINGS=str(extra))
    assert f"extra.toml cannot set {name}" in refusal()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'[web]\nsecret_key = "sesame', "line 2"),
        (b"sesame = sesame", "line 1"),
        (b"[web]\n[web]\n", "line 2"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_broken_file_is_named_with_the_place_but_without_its_text(
    setenv, tmp_path: Path, content: bytes, words: str
) -> None:
    extra = tmp_path / "extra.toml"
    extra.write_bytes(content)
    setenv(PAYWALL_SETTINGS=str(extra))
    message = refusal()
    assert "extra.toml is not valid TOML" in message
    assert words in message or "end of document" in message
    assert "sesame" not in message


def test_a_missing_file_is_named(setenv, tmp_path: Path) -> None:
    setenv(PAYWALL_SETTINGS=str(tmp_path / "nowhere.toml"))
    assert "nowhere.toml does not exist" in refusal()
    setenv(PAYWALL_SETTINGS=str(tmp_path))
    assert "cannot be read: Is a directory" in refusal()
    setenv(PAYWALL_SETTINGS=None, PAYWALL_ENV="staging")
    assert "staging.toml does not exist; check PAYWALL_ENV" in refusal()


@pytest.mark.parametrize("name", ["default", "plans"])
def test_an_environment_that_merely_has_a_file_is_refused(setenv, name: str) -> None:
    setenv(PAYWALL_ENV=name)
    assert "env (PAYWALL_ENV): Input should be 'development', 'testing' or 'production'" in refusal()


def test_every_missing_secret_is_named_at_once(setenv) -> None:
    setenv(PAYWALL_ENV="production")
    message = refusal()
    for name in ("WEB__SECRET_KEY", "DATABASE__URL", "STRIPE__API_KEY", "TOKENS__ENCRYPTION_KEY"):
        assert f"(PAYWALL_{name}): Field required" in message


def test_another_folder_is_read_where_the_environment_says_so(setenv, folder: Path) -> None:
    testing = folder / "testing.toml"
    testing.write_text(testing.read_text().replace("https://pay.test", "https://pay.elsewhere.test"))
    assert load_settings(folder).web.base_url == "https://pay.elsewhere.test"
    setenv(PAYWALL_CONFIG_DIR=str(folder))
    assert load_settings().web.base_url == "https://pay.elsewhere.test"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("amount = 10000", "amount = 0", "[annual] amount: must be a whole number"),
        ("amount = 10000", "amount = 100.5", "[annual] amount"),
        ('interval = "year"', 'interval = "week"', "[annual] interval: must be one of month, year"),
        ('currency = "usd"', 'currency = "dollars"', "[annual] currency"),
        ("grace_days = 14", "grace_dayz = 14", "[annual] grace_dayz: there is no such field"),
        ('product = "paywall_annual"', "", "[annual] product: is missing"),
        ("[annual]", "[Annual plan]", "plans.toml is not valid TOML: look at line 3"),
    ],
)
def test_a_plan_that_cannot_be_sold_is_named(folder: Path, old: str, new: str, words: str) -> None:
    plans = folder / "plans.toml"
    text = plans.read_text()
    assert old in text
    plans.write_text(text.replace(old, new))
    with pytest.raises(SettingsError) as caught:
        load_settings(folder)
    assert "plans.toml" in str(caught.value)
    assert words in str(caught.value)


def test_the_plan_for_sale_is_the_one_of_the_site() -> None:
    plan = load_settings().plans["annual"]
    assert (plan.amount, plan.currency, plan.interval) == (10000, "usd", "year")
    assert plan.features == ("news", "analyses", "memos", "reports", "newsletters")
    assert (plan.product, plan.lookup_key) == ("paywall_annual", "paywall_annual_usd_10000")
    assert plan.tax_behavior == "exclusive"


def test_no_secret_shows_in_what_the_settings_print(setenv) -> None:
    setenv(**SECRETS)
    settings = load_settings()
    for shown in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "sesame" not in shown
    assert "db.test" not in repr(settings)
    assert settings.stripe.webhook_secrets[0].get_secret_value() == "whsec_sesame"


@pytest.mark.parametrize("key", ["pk_test_sesame", "sesame", "sk_test_", "sk_test_sesame\n", "whsec_sesame"])
def test_what_is_no_secret_key_of_stripe_is_refused(key: str) -> None:
    message = refusal(stripe={"api_key": key})
    assert "stripe.api_key: is not a Stripe secret key" in message
    assert "sesame" not in message


@pytest.mark.parametrize("key", ["sk_live_sesame", "rk_live_sesame"])
def test_a_live_key_is_refused_unless_allowed(key: str) -> None:
    message = refusal(stripe={"api_key": key})
    assert "stripe.api_key: is a live-mode key" in message
    assert "sesame" not in message
    allowed = load_settings(stripe={"api_key": key, "allow_live": True})
    assert allowed.stripe.livemode


@pytest.mark.parametrize("key", ["sk_test_x", "rk_test_x"])
def test_a_test_key_is_taken(key: str) -> None:
    assert not load_settings(stripe={"api_key": key}).stripe.livemode


@pytest.mark.parametrize("secret", ["sk_test_sesame", "whsec_", "sesame"])
def test_what_is_no_endpoint_secret_is_refused(secret: str) -> None:
    message = refusal(stripe={"webhook_secrets": ["whsec_good", secret]})
    assert "stripe.webhook_secrets: each must be an endpoint secret" in message
    assert "sesame" not in message


@pytest.mark.parametrize("domain", ["", "est", "test.", ".test", "news.test", "x.pay.test", "ay.test", "Pay.test"])
def test_a_cookie_domain_that_browsers_would_ignore_is_refused(domain: str) -> None:
    assert "web.cookie_domain" in refusal(web={"cookie_domain": domain})


@pytest.mark.parametrize("domain", ["pay.example.org", "example.org"])
def test_a_cookie_domain_holds_our_own_host(domain: str) -> None:
    load_settings(web={"base_url": "https://pay.example.org", "cookie_domain": domain})


def test_settings_cannot_be_changed_once_read() -> None:
    settings: Settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.env = "production"
