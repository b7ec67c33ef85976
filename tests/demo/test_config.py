"""The news site's settings from the environment."""

from pathlib import Path

import pytest

from paywall.demo.config import ConfigError, SiteConfig


def test_without_settings_the_usual_ports_are_meant() -> None:
    config = SiteConfig.from_environment({})
    assert (config.base_url, config.paywall_url) == ("http://127.0.0.1:8000", "http://127.0.0.1:8001")
    assert (config.service_key, config.outbox_dir, config.sandbox_url) == (None, None, None)


def test_every_setting_is_read(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("pwk_from_file\n")
    config = SiteConfig.from_environment(
        {
            "NEWS_BASE_URL": "https://news.test/",
            "NEWS_PAYWALL_URL": "https://pay.test",
            "NEWS_SERVICE_KEY_FILE": str(tmp_path / "key"),
            "NEWS_OUTBOX_DIR": str(tmp_path),
            "NEWS_SANDBOX_URL": "http://127.0.0.1:9",
        }
    )
    assert config.base_url == "https://news.test"
    assert config.host == "news.test"
    assert config.paywall_url == "https://pay.test"
    assert config.service_key == "pwk_from_file"
    assert config.outbox_dir == tmp_path
    assert config.sandbox_url == "http://127.0.0.1:9"


def test_a_key_in_the_environment_wins_over_a_file() -> None:
    config = SiteConfig.from_environment({"NEWS_SERVICE_KEY": "pwk_a", "NEWS_SERVICE_KEY_FILE": "/nowhere"})
    assert config.service_key == "pwk_a"


@pytest.mark.parametrize("value", ["news.test", "ftp://news.test", "http://", "http://news.test/path"])
@pytest.mark.parametrize("name", ["NEWS_BASE_URL", "NEWS_PAYWALL_URL", "NEWS_SANDBOX_URL"])
def test_a_bad_address_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        SiteConfig.from_environment({name: value})


def test_a_key_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="NEWS_SERVICE_KEY_FILE"):
        SiteConfig.from_environment({"NEWS_SERVICE_KEY_FILE": str(tmp_path / "missing")})
