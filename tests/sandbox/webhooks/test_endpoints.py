"""The endpoint of the command line follows the settings; a rolled secret signs beside the new one for a while."""

import pytest

from paywall.sandbox.config import SandboxConfig
from paywall.sandbox.state.store import Store
from paywall.sandbox.webhooks.endpoints import CONFIGURED, configure, endpoint_shape, roll, secrets_of, targets, wants

CONFIG = SandboxConfig("sk_test_x", "http://127.0.0.1:9/", "whsec_x")


@pytest.fixture
def store():
    store = Store(None)
    yield store
    store.close()


def test_another_start_keeps_what_was_chosen_and_takes_the_new_address(store):
    configure(store, CONFIG, 1)
    store.put(store.get("webhook_endpoint", CONFIGURED) | {"enabled_events": ["a.b"]})
    configure(store, SandboxConfig("sk_test_x", "http://127.0.0.1:10/", "whsec_y"), 2)
    one = store.get("webhook_endpoint", CONFIGURED)
    assert (one["url"], one["enabled_events"], one["created"]) == ("http://127.0.0.1:10/", ["a.b"], 1)
    assert secrets_of(one, 0) == ("whsec_y",)


def test_a_start_without_an_address_removes_it(store):
    configure(store, CONFIG, 1)
    configure(store, SandboxConfig("sk_test_x"), 2)
    assert store.get("webhook_endpoint", CONFIGURED) is None
    assert targets(store, "a.b") == [CONFIGURED]


@pytest.mark.parametrize(
    ("told", "status", "wanted"),
    [(["*"], "enabled", True), (["a.b"], "enabled", True), (["a.c"], "enabled", False), (["*"], "disabled", False)],
)
def test_an_endpoint_gets_its_types_while_it_is_on(told, status, wanted):
    one = endpoint_shape("we_1", "http://127.0.0.1:9/", "whsec_x", 0) | {"enabled_events": told, "status": status}
    assert wants(one, "a.b") is wanted


def test_while_a_secret_is_rolled_both_sign(store):
    store.add(endpoint_shape("we_1", "http://127.0.0.1:9/", "whsec_old", 0))
    fresh = roll(store, store.get("webhook_endpoint", "we_1"), 1000, 60)
    one = store.get("webhook_endpoint", "we_1")
    assert secrets_of(one, 1059) == (fresh, "whsec_old")
    assert secrets_of(one, 1060) == (fresh,)
