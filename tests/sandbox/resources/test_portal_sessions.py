"""Sessions of the billing portal by API: made for a customer who is there, with an address that nobody can guess."""

import re

import pytest
import stripe

from paywall.sandbox.shapes.portal import CONFIGURATION

PATH = "/v1/billing_portal/sessions"
BACK = "http://127.0.0.1:9/account"


def test_the_sdk_opens_a_session_with_its_address(sdk, customer, sandbox, clock):
    session = sdk.v1.billing_portal.sessions.create({"customer": customer["id"], "return_url": BACK})
    assert session.id.startswith("bps_")
    assert session.url.startswith(f"{sandbox.url}/p/session/")
    assert session.id not in session.url
    assert (session.customer, session.return_url, session.created) == (customer["id"], BACK, clock.seconds)
    assert (session.configuration, session.livemode) == (CONFIGURATION, False)


def test_what_is_answered_is_stripes_object_without_the_sandboxs_own_fields(wire, customer):
    session = wire.post(PATH, {"customer": customer["id"]}).json
    nothing = {name for name, value in session.items() if value is None}
    assert nothing == {"customer_account", "flow", "locale", "on_behalf_of", "return_url"}
    told = nothing | {"configuration", "created", "customer", "id", "livemode", "object", "url"}
    assert set(session) == told


def test_each_session_has_an_address_of_its_own_that_no_event_tells(wire, customer, sandbox):
    before = len(sandbox.events())
    urls = {wire.post(PATH, {"customer": customer["id"]}).json["url"] for _ in range(3)}
    assert len(urls) == 3
    assert all(re.search(r"/p/session/\w{64}$", url) for url in urls)
    assert len(sandbox.events()) == before


def test_a_repeat_under_the_same_key_is_the_same_session(wire, customer):
    first, second = (wire.post(PATH, {"customer": customer["id"]}, Idempotency_Key="k").json for _ in range(2))
    assert first == second


def test_a_customer_that_is_missing_or_deleted_is_named(wire, customer, sdk):
    wire.delete(f"/v1/customers/{customer['id']}")
    for customer_id in (customer["id"], "cus_missing"):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            sdk.v1.billing_portal.sessions.create({"customer": customer_id})
        error = caught.value
        assert (error.http_status, error.code, error.param) == (400, "resource_missing", "customer")


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"customer": ""}, "parameter_invalid_empty", "customer"),
        ({"return_url": BACK}, "parameter_missing", "customer"),
        ({"return_url": "javascript:alert(1)"}, "url_invalid", "return_url"),
        ({"return_url": "/account"}, "url_invalid", "return_url"),
        ({"plan": "annual"}, "parameter_unknown", "plan"),
    ],
)
def test_a_wrong_parameter_is_named(wire, customer, form, code, param):
    form = form if code == "parameter_missing" else {"customer": customer["id"], **form}
    reply = wire.post(PATH, form)
    assert (reply.status, reply.error["code"], reply.error["param"]) == (400, code, param)


@pytest.mark.parametrize(
    ("name", "value", "param"),
    [
        ("flow_data[type]", "subscription_cancel", "flow_data"),
        ("on_behalf_of", "acct_1", "on_behalf_of"),
        ("customer_account", "acct_1", "customer_account"),
        ("after_expiration[type]", "customer_login", "after_expiration"),
        ("locale", "de", "locale"),
    ],
)
def test_what_the_sandbox_does_not_play_is_refused_by_name(wire, customer, name, value, param):
    reply = wire.post(PATH, {"customer": customer["id"], name: value})
    assert (reply.status, reply.error["param"]) == (400, param)
    assert "The sandbox does not support" in reply.error["message"]


def test_an_unknown_configuration_opens_nothing(wire, customer):
    reply = wire.post(PATH, {"customer": customer["id"], "configuration": "bpc_1"})
    assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "resource_missing", "configuration")


def test_a_session_of_a_configuration_names_it_and_leads_back_where_it_says(wire, customer):
    form = {"features[invoice_history][enabled]": "true", "default_return_url": "http://127.0.0.1:9/back"}
    chosen = wire.post("/v1/billing_portal/configurations", form).json["id"]
    session = wire.post(PATH, {"customer": customer["id"], "configuration": chosen}).json
    assert (session["configuration"], session["return_url"]) == (chosen, "http://127.0.0.1:9/back")
