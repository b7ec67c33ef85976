"""Customers: who buys."""

from paywall.sandbox.billing.departing import delete_customer
from paywall.sandbox.errors import missing_object
from paywall.sandbox.resources.payment_methods import attach_to
from paywall.sandbox.shapes.customers import customer_shape
from paywall.sandbox.shapes.lists import embedded
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, fields_set
from paywall.sandbox.state.due import OVER
from paywall.sandbox.state.filters import equals, none_of, unset
from paywall.sandbox.wire.expand import made
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, lists, reads, removes, writes
from paywall.sandbox.wire.params import ID, Choice, Clearable, Fields, Items, Metadata, Text

ADDRESS = Fields({name: Text() for name in ("city", "country", "line1", "line2", "postal_code", "state")})
SETTINGS = Fields({"default_payment_method": Text()}, later="custom_fields footer rendering_options")
PLAIN = {
    "address": Clearable(ADDRESS),
    "description": Text(),
    "email": Text(512),
    "invoice_settings": SETTINGS,
    "metadata": Metadata(),
    "name": Text(256),
    "phone": Text(20),
    "preferred_locales": Items(Text()),
    "tax_exempt": Clearable(Choice("exempt", "none", "reverse")),
}
LATER = "balance business_name cash_balance individual_name invoice_prefix next_invoice_sequence shipping source tax"
CREATE = Fields({**PLAIN, "payment_method": ID, "test_clock": ID}, later=f"{LATER} tax_id_data")
OLD_CARDS = "bank_account card default_alipay_account default_bank_account default_card default_source"
UPDATE = Fields(PLAIN, later=f"{LATER} {OLD_CARDS}")


ELSEWHERE = ("invoice_settings", "payment_method", "test_clock")  # what other functions than `known` see to


def known(call: Call, customer: Json) -> Json:
    """Return the fields that the request sets; the default card is handled by itself."""
    sent = fields_set(customer, {name: value for name, value in call.params.items() if name not in ELSEWHERE})
    if sent.get("address"):
        blank = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
        sent["address"] = blank | sent["address"]
    if "tax_exempt" in sent:
        sent["tax_exempt"] = sent["tax_exempt"] or "none"
    return sent


def create(call: Call) -> Json:
    """Make a customer, with a card if one is given; a refused card leaves no customer behind."""
    account = call.account
    if "test_clock" in call.params:
        account.get("test_helpers.test_clock", call.params["test_clock"], "test_clock", 400)
        account.live_by(call.params["test_clock"])
    shape = customer_shape(account.now())
    customer = account.create(shape | known(call, shape), "customer.created")
    wanted = call.params.get("payment_method")
    attached = attach_to(account, wanted, customer, "payment_method") if wanted else None
    default = call.params.get("invoice_settings", {}).get("default_payment_method")
    if default and attached and default in (wanted, attached["id"]):
        default = attached["id"]
    return prefer(account, customer, default) if default else customer


def prefer(account: Account, customer: Json, method_id: str | None) -> Json:
    """Make one of the customer's own cards the one that invoices use, or none."""
    if method_id:
        method = account.store.get("payment_method", method_id)
        if method is None or method["customer"] != customer["id"]:
            raise missing_object("payment_method", method_id, "invoice_settings[default_payment_method]", 400)
    settings = customer["invoice_settings"] | {"default_payment_method": method_id}
    return account.amend(customer, "customer.updated", invoice_settings=settings)


def update(call: Call) -> Json:
    """Change a customer."""
    customer = living(call)
    customer = call.account.amend(customer, "customer.updated", **known(call, customer))
    settings = call.params.get("invoice_settings", {})
    if "default_payment_method" in settings:
        customer = prefer(call.account, customer, settings["default_payment_method"])
    return customer


def living(call: Call) -> Json:
    """Return a customer that is not deleted."""
    customer = call.account.get("customer", call.ids["customer"])
    if customer.get("deleted"):
        raise missing_object("customer", customer["id"], "id")
    return customer


def retrieve(call: Call) -> Json:
    """Return a customer; a deleted one says so."""
    return call.account.get("customer", call.ids["customer"])


def delete(call: Call) -> Json:
    """Delete a customer for good, ending all their subscriptions at once."""
    return delete_customer(call.account, living(call))


def listed(call: Call) -> Json:
    """Return customers, by exact address if one is given; those of a test clock only where it is named."""
    clock = call.params.get("test_clock")
    filters = [unset("deleted"), equals("test_clock", clock) if clock else unset("test_clock")]
    if "email" in call.params:
        filters.append(equals("email", call.params["email"]))
    return page(call, "customer", filters)


@made("customer", "subscriptions")
def subscriptions_of(account: Account, customer: Json) -> Json:
    """Return the customer's subscriptions that are not over."""
    mine = [equals("customer", customer["id"]), none_of("status", OVER)]
    url = f"/v1/customers/{customer['id']}/subscriptions"
    return embedded(account.store.find("subscription", mine), url)


OPERATIONS = [
    writes("/v1/customers", "customer", create, CREATE),
    lists("/v1/customers", "customer", listed, {"email": Text(512), "test_clock": ID}),
    reads("/v1/customers/<customer>", "customer", retrieve),
    writes("/v1/customers/<customer>", "customer", update, UPDATE),
    removes("/v1/customers/<customer>", "customer", delete),
]
