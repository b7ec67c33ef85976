"""Products: what is sold."""

from paywall.sandbox.errors import StripeError
from paywall.sandbox.state.bodies import Json, fields_set
from paywall.sandbox.state.filters import equals, one_of
from paywall.sandbox.state.ids import new_id
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, lists, reads, removes, writes
from paywall.sandbox.wire.params import ID, Boolean, Clearable, Fields, Items, Metadata, Text

FEATURES = Clearable(Items(Fields({"name": Text(80, clearable=False)}, required="name"), 15))
PLAIN = {
    "active": Boolean(),
    "description": Text(),
    "images": Clearable(Items(Text(2048), 8)),
    "marketing_features": FEATURES,
    "metadata": Metadata(),
    "name": Text(clearable=False),
    "shippable": Boolean(),
    "statement_descriptor": Text(22),
    "unit_label": Text(12),
    "url": Text(2048),
}
CREATE = Fields(
    {**PLAIN, "id": ID}, required="name", later="default_price_data package_dimensions tax_code tax_details"
)
UPDATE = Fields({**PLAIN, "default_price": ID}, later="package_dimensions tax_code tax_details")


def product_shape(product_id: str, now: int) -> Json:
    """A product of which nothing but its id is known."""
    return {
        "id": product_id,
        "object": "product",
        "active": True,
        "attributes": [],
        "created": now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": "",
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": now,
        "url": None,
    }


def create(call: Call) -> Json:
    """Make a product, under an id of the caller's choice if one is given."""
    product_id = call.params.get("id") or new_id("prod")
    if call.account.store.get("product", product_id):
        raise StripeError("Product already exists.", code="resource_already_exists", param="id")
    shape = product_shape(product_id, call.account.now())
    return call.account.create(shape | known(shape, call), "product.created")


def known(product: Json, call: Call) -> Json:
    """Return the fields that the request sets."""
    sent = fields_set(product, {name: value for name, value in call.params.items() if name != "id"})
    for name in ("images", "marketing_features"):
        if name in sent:
            sent[name] = sent[name] or []
    return sent


def update(call: Call) -> Json:
    """Change a product."""
    product = call.account.get("product", call.ids["product"])
    if "default_price" in call.params:
        price = call.account.get("price", call.params["default_price"], "default_price", 400)
        if price["product"] != product["id"]:
            raise StripeError("The default price must belong to this product.", param="default_price")
    changes = known(product, call)
    if any(product.get(name) != value for name, value in changes.items()):
        changes["updated"] = call.account.now()
    return call.account.amend(product, "product.updated", **changes)


def retrieve(call: Call) -> Json:
    """Return a product."""
    return call.account.get("product", call.ids["product"])


def delete(call: Call) -> Json:
    """Delete a product that has no prices; one that has can only be made inactive."""
    product = call.account.get("product", call.ids["product"])
    if call.account.store.find("price", [equals("product", product["id"])], limit=1):
        message = "This product cannot be deleted because it has one or more user-created prices."
        raise StripeError(message)
    call.account.store.remove(product["id"])
    call.account.emit("product.deleted", product)
    return {"id": product["id"], "object": "product", "deleted": True}


def listed(call: Call) -> Json:
    """Return products."""
    filters = [equals(name, call.params[name]) for name in ("active", "shippable", "url") if name in call.params]
    if "ids" in call.params:
        filters.append(one_of("id", call.params["ids"]))
    return page(call, "product", filters)


OPERATIONS = [
    writes("/v1/products", "product", create, CREATE),
    lists(
        "/v1/products",
        "product",
        listed,
        {"active": Boolean(), "shippable": Boolean(), "ids": Items(ID), "url": Text()},
    ),
    reads("/v1/products/<product>", "product", retrieve),
    writes("/v1/products/<product>", "product", update, UPDATE),
    removes("/v1/products/<product>", "product", delete),
]
