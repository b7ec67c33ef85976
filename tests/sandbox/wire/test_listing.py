"""Lists come newest first, in pages, and every object stands on exactly one of them."""

import pytest


@pytest.fixture
def products(wire):
    """The ids of five products, newest first."""
    made = [wire.post("/v1/products", {"name": f"Product {number}"}).json["id"] for number in range(5)]
    return made[::-1]


def ids(reply):
    return [item["id"] for item in reply.json["data"]]


def test_a_list_is_newest_first_and_says_what_it_is(wire, products):
    reply = wire.get("/v1/products")
    assert ids(reply) == products
    assert {name: reply.json[name] for name in ("object", "has_more", "url")} == {
        "object": "list",
        "has_more": False,
        "url": "/v1/products",
    }


def test_pages_forward_meet_every_object_once(wire, products):
    seen, cursor = [], {}
    while True:
        reply = wire.get("/v1/products", {"limit": 2, **cursor})
        seen += ids(reply)
        if not reply.json["has_more"]:
            break
        cursor = {"starting_after": seen[-1]}
    assert seen == products


def test_pages_backward_keep_the_order(wire, products):
    reply = wire.get("/v1/products", {"limit": 2, "ending_before": products[3]})
    assert ids(reply) == products[1:3]
    assert reply.json["has_more"] is True
    assert wire.get("/v1/products", {"limit": 2, "ending_before": products[1]}).json["has_more"] is False


def test_the_sdk_pages_by_itself(sdk, products):
    assert [product.id for product in sdk.v1.products.list({"limit": 2}).auto_paging_iter()] == products


def test_ten_are_shown_unless_more_are_asked_for(wire):
    for number in range(11):
        wire.post("/v1/products", {"name": str(number)})
    assert len(ids(wire.get("/v1/products"))) == 10
    assert len(ids(wire.get("/v1/products", {"limit": 100}))) == 11


@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_a_limit_outside_1_to_100_is_refused(wire, limit):
    reply = wire.get("/v1/products", {"limit": limit})
    assert (reply.status, reply.error["param"]) == (400, "limit")


@pytest.mark.parametrize("name", ["starting_after", "ending_before"])
def test_an_unknown_cursor_is_refused(wire, name):
    reply = wire.get("/v1/products", {name: "prod_missing"})
    assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "resource_missing", name)


def test_created_filters_by_moment_and_by_bounds(wire, clock):
    first = wire.post("/v1/products", {"name": "first"}).json["id"]
    start = clock.seconds
    clock.advance(seconds=10)
    second = wire.post("/v1/products", {"name": "second"}).json["id"]
    assert ids(wire.get("/v1/products", {"created": start})) == [first]
    assert ids(wire.get("/v1/products", {"created[gt]": start})) == [second]
    assert ids(wire.get("/v1/products", {"created[gte]": start, "created[lt]": start + 10})) == [first]
    assert ids(wire.get("/v1/products", {"created[lte]": start + 10})) == [second, first]
