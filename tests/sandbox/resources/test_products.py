"""Products can be named, changed, switched off and, while they have no price, deleted."""

import pytest


def test_a_product_can_have_an_id_of_our_own(sdk):
    product = sdk.v1.products.create({"id": "paywall_annual", "name": "All access", "metadata": {"plan": "annual"}})
    assert sdk.v1.products.retrieve("paywall_annual").to_dict() == product.to_dict()
    assert (product.active, product.metadata["plan"]) == (True, "annual")


def test_an_id_that_is_taken_is_refused(wire):
    wire.post("/v1/products", {"id": "p", "name": "x"})
    reply = wire.post("/v1/products", {"id": "p", "name": "y"})
    assert (reply.status, reply.error["code"]) == (400, "resource_already_exists")


def test_a_product_without_a_name_is_refused(wire):
    reply = wire.post("/v1/products", {"id": "p"})
    assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "parameter_missing", "name")


def test_metadata_is_merged_and_unset_by_empty_values(wire):
    wire.post("/v1/products", {"id": "p", "name": "x", "metadata[a]": "1", "metadata[b]": "2"})
    assert wire.post("/v1/products/p", {"metadata[b]": "", "metadata[c]": "3"}).json["metadata"] == {
        "a": "1",
        "c": "3",
    }
    assert wire.post("/v1/products/p", "metadata=").json["metadata"] == {}


def test_a_change_is_told_with_what_was_before(wire, sandbox, clock):
    wire.post("/v1/products", {"id": "p", "name": "x", "metadata[a]": "1"})
    clock.advance(seconds=60)
    updated = wire.post("/v1/products/p", {"name": "y", "metadata[a]": "2"}).json
    (event,) = sandbox.events("product.updated")
    assert event["data"]["object"] == updated
    before = clock.seconds - 60
    assert event["data"]["previous_attributes"] == {"name": "x", "metadata": {"a": "1"}, "updated": before}


def test_a_change_that_changes_nothing_is_not_told(wire, sandbox, clock):
    wire.post("/v1/products", {"id": "p", "name": "x"})
    clock.advance(seconds=60)
    wire.post("/v1/products/p", {"name": "x"})
    assert sandbox.events("product.updated") == []


def test_the_default_price_must_be_its_own(wire, price):
    assert wire.post("/v1/products/paywall_annual", {"default_price": price["id"]}).json["default_price"] == price["id"]
    wire.post("/v1/products", {"id": "other", "name": "x"})
    assert wire.post("/v1/products/other", {"default_price": price["id"]}).status == 400


def test_only_a_product_without_prices_can_be_deleted(wire, price, sandbox):
    assert wire.delete("/v1/products/paywall_annual").status == 400
    wire.post("/v1/products", {"id": "empty", "name": "x"})
    assert wire.delete("/v1/products/empty").json == {"id": "empty", "object": "product", "deleted": True}
    assert wire.get("/v1/products/empty").status == 404
    assert len(sandbox.events("product.deleted")) == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [("active=true", ["b", "a"]), ("active=false", ["c"]), ("ids[0]=a&ids[1]=c", ["c", "a"]), ("ids[]=x", [])],
)
def test_products_are_found_by_state_and_id(wire, query, found):
    for name, active in (("a", "true"), ("b", "true"), ("c", "false")):
        wire.post("/v1/products", {"id": name, "name": name, "active": active})
    assert [one["id"] for one in wire.get("/v1/products", query).json["data"]] == found


def test_lists_inside_a_product_can_be_emptied(wire):
    made = wire.post("/v1/products", {"id": "p", "name": "x", "marketing_features[0][name]": "News"}).json
    assert made["marketing_features"] == [{"name": "News"}]
    assert wire.post("/v1/products/p", "marketing_features=").json["marketing_features"] == []
