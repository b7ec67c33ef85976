"""Each setting takes what it can use and refuses the rest, naming the setting and not repeating a secret."""

import pytest

from paywall.options import Limits, Web
from paywall.settings import SettingsError, load_settings


def fault(group: str, name: str, value: object) -> str:
    """What is said when one setting has this value."""
    with pytest.raises(SettingsError) as caught:
        load_settings(**{group: {name: value}})
    message = str(caught.value)
    assert f"{group}.{name}" in message
    assert f"PAYWALL_{group}__{name}".upper() in message
    assert message.count("\n") == 1, "one setting at fault is one line"
    return message


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("newsroom", "name", ""),
        ("newsroom", "name", 7),
        ("newsroom", "home_url", "news.test"),
        ("newsroom", "home_url", "javascript:alert(1)"),
        ("newsroom", "home_url", "https://"),
        ("newsroom", "home_url", "https://news.test:port/"),
        ("newsroom", "home_url", "https://[news.test/"),
        ("newsroom", "time_zone", "Mars/Olympus"),
        ("newsroom", "time_zone", "/etc/passwd"),
        ("web", "secret_key", ""),
        ("web", "secret_key", "  "),
        ("web", "cookie_secure", "perhaps"),
        ("web", "session_days", 0),
        ("web", "session_days", 401),
        ("web", "session_days", "a week"),
        ("web", "session_days", 1.5),
        ("web", "trusted_hops", -1),
        ("web", "max_body_bytes", 1023),
        ("database", "url", "paywall.sqlite3"),
        ("database", "url", "postgresql://db/paywall"),
        ("database", "url", "mysql://db/paywall"),
        ("database", "url", "postgresql+psycopg://db:port/paywall"),
        ("stripe", "api_key", ""),
        ("stripe", "api_base", "https://api.stripe.com/v1"),
        ("stripe", "webhook_tolerance_seconds", 0),
        ("stripe", "webhook_tolerance_seconds", 3601),
        ("stripe", "connect_timeout_seconds", 0),
        ("stripe", "read_timeout_seconds", -1),
        ("stripe", "max_network_retries", 6),
        ("stripe", "allow_live", None),
        ("staff", "second_factor", "never"),
        ("staff", "session_hours", 0),
        ("staff", "session_hours", 25),
        ("staff", "idle_minutes", 4),
        ("staff", "recent_minutes", 61),
        ("tokens", "audience", ""),
        ("tokens", "lifetime_seconds", 59),
        ("tokens", "lifetime_seconds", 86401),
        ("tokens", "publish_ahead_seconds", -1),
        ("tokens", "encryption_key", ""),
        ("stripe", "connect_timeout_seconds", 120.1),
        ("stripe", "read_timeout_seconds", 3600),
        ("stripe", "read_timeout_seconds", float("inf")),
        ("stripe", "read_timeout_seconds", float("nan")),
        ("newsroom", "support_email", ""),
        ("newsroom", "support_email", "the desk"),
        ("newsroom", "support_email", "help@"),
        ("newsroom", "support_email", "Help <help@example.org>"),
        ("newsroom", "support_email", "help@example.org?bcc=x@y"),
        ("mail", "sender", ""),
        ("mail", "sender", "The Daily Ledger"),
        ("mail", "sender", "The Daily Ledger <>"),
        ("mail", "sender", "Ledger\nBcc: all@example.org <readers@example.org>"),
        ("mail", "server", ""),
        ("mail", "server", " "),
        ("mail", "server", "smtp.example.org 25"),
        ("mail", "port", 0),
        ("mail", "port", 65536),
        ("limits", "storage_url", "memcached://cache"),
        ("limits", "storage_url", ""),
        ("limits", "sign_in", "often"),
        ("limits", "checkout", "0"),
        ("log", "format", "xml"),
        ("log", "level", "loud"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(group: str, name: str, value: object) -> None:
    fault(group, name, value)


@pytest.mark.parametrize(
    "domain",
    ["", ".example.org", "example.org.", "example.org:443", "Example.org", "org", "127.0.0.1", "a b.org"],
)
def test_a_cookie_domain_is_the_name_of_a_domain(domain: str) -> None:
    assert "must be a domain such as example.org" in fault("web", "cookie_domain", domain)


@pytest.mark.parametrize("sender", ["readers@example.org", "The Daily Ledger <readers@news.example.org>", "<a@b>"])
def test_a_sender_is_an_address_with_or_without_a_name(sender: str) -> None:
    assert load_settings(mail={"sender": sender}).mail.sender == sender


@pytest.mark.parametrize(
    "origin",
    [
        "news.test",
        "ftp://news.test",
        "https://",
        "https://news.test/",
        "https://news.test/path",
        "https://news.test?x",
        "https://News.test",
        "HTTPS://news.test",
        "https://user@news.test",
        "https://news.test:443",
        "http://news.test:80",
        "https://news.test:0",
        "https://news.test:65536",
        "https://news.test:",
        "https://news.test.",
        "https://*.news.test",
        "https://news.test; script-src *",
        "https://news.test\n",
        " https://news.test",
        "https://näws.test",
        "",
    ],
)
def test_only_the_plain_spelling_of_an_origin_is_taken(origin: str) -> None:
    """It stands in a header and is compared as text with what browsers send."""
    assert "such as https://www.example.org" in fault("web", "base_url", origin)


@pytest.mark.parametrize(
    "origin", ["https://news.test", "http://127.0.0.1:8000", "http://[::1]:8000", "https://xn--nws-qla.test:8443"]
)
def test_origins_of_every_kind_of_host_are_taken(origin: str) -> None:
    assert load_settings(web={"base_url": origin}).web.base_url == origin


@pytest.mark.parametrize("name", ["return_origins", "form_origins"])
def test_each_origin_of_a_list_is_checked(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"web\.{name}\.1 \(PAYWALL_WEB__{name.upper()}\)"):
        load_settings(web={name: ["https://news.test", "news.test"]})


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("database", "url", "postgresql://paywall:sesame@db.test/paywall"),
        ("database", "url", "postgresql+psycopg://paywall:sesame@db.test:port/paywall"),
        ("database", "url", "sesame"),
        ("limits", "storage_url", "rabbit://:sesame@cache.test"),
        ("web", "secret_key", ["sesame"]),
        ("tokens", "encryption_key", {"key": "sesame"}),
        ("mail", "password", ["sesame"]),
    ],
)
def test_a_refused_secret_is_not_repeated(group: str, name: str, value: object) -> None:
    assert "sesame" not in fault(group, name, value)


@pytest.mark.parametrize("rate", ["10 per minute", "10/minute", "10 per minute; 60 per hour"])
def test_rates_are_written_as_the_limiter_reads_them(rate: str) -> None:
    assert load_settings(limits={"sign_in": rate}).limits.sign_in == rate


def test_a_table_cannot_be_changed_once_read() -> None:
    web = load_settings().web
    with pytest.raises(ValueError, match="frozen"):
        web.session_days = 3  # type: ignore[misc]


@pytest.mark.parametrize("group", [Web, Limits])
def test_an_unknown_name_in_a_table_is_refused(group: type) -> None:
    with pytest.raises(SettingsError, match=r"(web|limits)\.colour"):
        load_settings(**{group.__name__.lower(): {"colour": "red"}})


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (5000, "must be a table of currency codes in small letters, such as { usd = 5000 }"),
        ("usd", "must be a table of currency codes"),
        ({"USD": 5000}, "must be a table of currency codes"),
        ({"dollar": 5000}, "must be a table of currency codes"),
        ({"usd": -1}, "usd: must be a whole number of minor units, 0 or more"),
        ({"usd": 50.0, "eur": "50", "jpy": True}, "eur, jpy, usd: must be a whole number of minor units"),
    ],
)
def test_limits_of_refunds_are_whole_numbers_by_currency(value: object, said: str) -> None:
    assert said in fault("staff", "support_refund_limit", value)


def test_limits_of_refunds_add_to_the_default_name_by_name() -> None:
    limits = load_settings(staff={"support_refund_limit": {"eur": 4000}}).staff.support_refund_limit
    assert limits == {"usd": 5000, "eur": 4000}
