"""Calls fail as they were told to, as often as they were told to, and the SDK sees what it would see at Stripe."""

import time

import pytest
import stripe

from paywall.sandbox.errors import StripeError


def test_the_next_calls_are_told_to_slow_down(sandbox, sdk):
    sandbox.fail_calls(429, times=2)
    for _ in range(2):
        with pytest.raises(stripe.RateLimitError) as caught:
            sdk.v1.products.list()
        assert caught.value.error.code == "rate_limit"
    assert sdk.v1.products.list().data == []
    assert [entry.status for entry in sandbox.requests] == [429, 429, 200]


def test_an_object_can_be_locked(sandbox, sdk):
    sandbox.fail_calls("lock_timeout")
    with pytest.raises(stripe.RateLimitError) as caught:
        sdk.v1.products.list()
    assert caught.value.error.code == "lock_timeout"


def test_a_failure_inside_stripe_changes_nothing_and_is_not_kept_under_the_key(sandbox, sdk):
    sandbox.fail_calls(500)
    with pytest.raises(stripe.APIError) as caught:
        sdk.v1.products.create({"name": "x"}, {"idempotency_key": "k"})
    assert (caught.value.http_status, caught.value.error.type) == (500, "api_error")
    assert sandbox.events() == []
    assert sdk.v1.products.create({"name": "x"}, {"idempotency_key": "k"}).name == "x"


def test_a_connection_breaks_off(sandbox, sdk):
    sandbox.fail_calls("reset")
    with pytest.raises(stripe.APIConnectionError):
        sdk.v1.products.create({"name": "x"})
    assert sandbox.events() == []
    assert [entry.status for entry in sandbox.requests] == [0]


def test_an_answer_keeps_the_caller_waiting(sandbox, monkeypatch):
    monkeypatch.setattr(stripe, "enable_telemetry", False)
    client = stripe.RequestsClient(timeout=0.2)
    sdk = stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url}, http_client=client)
    sandbox.fail_calls("timeout", seconds=30)
    begun = time.monotonic()
    with pytest.raises(stripe.APIConnectionError, match="timed out"):
        sdk.v1.products.list()
    assert time.monotonic() - begun < 5


def test_work_can_be_done_whose_answer_is_lost(sandbox, sdk):
    """The hard case of every payment: only the same idempotency key tells what became of it."""
    sandbox.fail_calls("reset", after=True)
    with pytest.raises(stripe.APIConnectionError):
        sdk.v1.products.create({"name": "x"}, {"idempotency_key": "k"})
    (event,) = sandbox.events()
    again = sdk.v1.products.create({"name": "x"}, {"idempotency_key": "k"})
    assert again.id == event["data"]["object"]["id"]
    assert len(sandbox.events()) == 1


def test_only_calls_below_the_path_fail(sandbox, sdk):
    sandbox.fail_calls(500, path="/v1/customers")
    assert sdk.v1.products.list().data == []
    with pytest.raises(stripe.APIError):
        sdk.v1.customers.list()


def test_faults_can_be_called_off(sandbox, sdk):
    sandbox.fail_calls(500, times=3)
    sandbox.fail_calls(429)
    assert sandbox.sandbox.api.faults.clear() == 4
    assert sdk.v1.products.list().data == []


@pytest.mark.parametrize(("kind", "times"), [("418", 1), ("500", 0)])
def test_a_fault_that_there_is_not_is_refused(sandbox, kind, times):
    with pytest.raises(StripeError, match=r"There is no fault|At least one call"):
        sandbox.fail_calls(kind, times)
