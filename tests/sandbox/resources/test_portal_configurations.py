"""Portal configurations: the account's own offers everything, others what they were made with."""

import pytest

PATH = "/v1/billing_portal/configurations"


@pytest.fixture
def made(wire):
    form = {
        "name": "Short",
        "features[subscription_cancel][enabled]": "true",
        "features[subscription_cancel][mode]": "immediately",
        "business_profile[headline]": "Hello",
        "metadata[a]": "b",
    }
    return wire.post(PATH, form).json


def test_the_accounts_own_is_there_from_the_beginning(wire):
    (own,) = wire.get(PATH).json["data"]
    assert own["is_default"] is True
    for name in ("invoice_history", "payment_method_update", "subscription_cancel"):
        assert own["features"][name]["enabled"] is True
    assert wire.get(f"{PATH}/{own['id']}").json == own


def test_a_configuration_offers_what_was_asked_for_and_no_more(wire, made, sandbox):
    assert (made["is_default"], made["active"], made["name"]) == (False, True, "Short")
    assert made["business_profile"]["headline"] == "Hello"
    assert made["features"]["subscription_cancel"]["mode"] == "immediately"
    assert made["features"]["invoice_history"]["enabled"] is False
    assert wire.get(f"{PATH}/{made['id']}").json == made
    assert len(sandbox.events("billing_portal.configuration.created")) == 1


def test_features_change_one_by_one(wire, made, sandbox):
    form = {"features[invoice_history][enabled]": "true", "business_profile[headline]": "", "metadata[a]": ""}
    changed = wire.post(f"{PATH}/{made['id']}", form).json
    assert changed["features"]["invoice_history"]["enabled"] is True
    assert changed["features"]["subscription_cancel"] == made["features"]["subscription_cancel"]
    assert (changed["business_profile"]["headline"], changed["metadata"]) == (None, {})
    assert len(sandbox.events("billing_portal.configuration.updated")) == 1


@pytest.mark.parametrize(("query", "count"), [({}, 2), ({"is_default": "true"}, 1), ({"active": "false"}, 0)])
def test_they_are_listed(wire, made, query, count):
    assert len(wire.get(PATH, query).json["data"]) == count


def test_the_accounts_own_stays_on(wire):
    own = wire.get(PATH).json["data"][0]["id"]
    assert wire.post(f"{PATH}/{own}", {"active": "false"}).error["param"] == "active"


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({}, "features"),
        ({"features[subscription_update][enabled]": "true"}, "features[subscription_update][enabled]"),
        ({"features[subscription_cancel][mode]": "later"}, "features[subscription_cancel][mode]"),
    ],
)
def test_what_is_not_played_is_refused_by_name(wire, form, param):
    reply = wire.post(PATH, form)
    assert (reply.status, reply.error["param"]) == (400, param)


def test_an_unknown_configuration_is_404(wire):
    reply = wire.get(f"{PATH}/bpc_x")
    assert (reply.status, reply.error["code"], reply.error["param"]) == (404, "resource_missing", "configuration")
