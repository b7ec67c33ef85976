"""A sandbox starts only as a sandbox: test key, loopback address, signed webhooks."""

import pytest

from paywall.sandbox.config import ConfigError, SandboxConfig, loopback


@pytest.mark.parametrize("key", ["", "sk_live_x", "rk_live_x", "pk_test_x", "anything"])
def test_only_a_test_key_is_taken(key):
    with pytest.raises(ConfigError, match="test key"):
        SandboxConfig(key)


def test_webhooks_need_a_secret():
    with pytest.raises(ConfigError, match="webhook secret"):
        SandboxConfig("sk_test_x", "http://127.0.0.1:1/webhooks/stripe")


def test_the_secret_does_not_show_when_printed():
    assert "whsec_hidden" not in repr(SandboxConfig("sk_test_x", "http://127.0.0.1:1/", "whsec_hidden"))


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1"), ("127.9.9.9", "127.9.9.9"), ("::1", "::1"), ("localhost", "127.0.0.1")],
)
def test_loopback_addresses_are_taken(host, address):
    assert loopback(host) == address


OUTSIDE = ["0.0.0.0", "::", "192.168.1.2", "example.com", "", "127.0.0.1.example.com"]  # noqa: S104


@pytest.mark.parametrize("host", OUTSIDE)
def test_any_other_address_is_refused_in_one_line(host):
    with pytest.raises(ConfigError, match="loopback addresses only") as caught:
        loopback(host)
    assert "\n" not in str(caught.value)
