"""Lives of subscriptions in the sandbox: who buys, with which card, and what was told about it since."""

from typing import Any

from tests.support.stripe_spec import STRIPE_FILES, load_checker

DAY, HOUR = 86400, 3600
YEAR = 365 * DAY


class Lives:
    """What tests of the sandbox's time do in a line each; `wire` asks its API, `clock` is its time."""

    def __init__(self, sandbox: Any, wire: Any, clock: Any) -> None:
        self.sandbox, self.wire, self.clock = sandbox, wire, clock
        self.account = sandbox.sandbox.account
        self.seen = 0

    def customer(self, card: str | None = "pm_card_visa", **more: str) -> dict[str, Any]:
        """A customer with one of Stripe's test cards, or with none."""
        form = {"payment_method": card, "invoice_settings[default_payment_method]": card} if card else {}
        return self.wire.post("/v1/customers", {**form, **more}).json

    def buy(self, customer: dict[str, Any], price: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A subscription, begun by API."""
        form = {"customer": customer["id"], "items[0][price]": price["id"], **more}
        reply = self.wire.post("/v1/subscriptions", form)
        assert reply.status == 200, reply.text
        self.forget()
        return reply.json

    def card(self, customer: dict[str, Any], token: str) -> str:
        """Gives the customer another default card; returns its id."""
        method = self.wire.post(f"/v1/payment_methods/{token}/attach", {"customer": customer["id"]}).json["id"]
        form = {"invoice_settings[default_payment_method]": method}
        assert self.wire.post(f"/v1/customers/{customer['id']}", form).status == 200
        self.forget()
        return method

    def wait(self, **amount: float) -> None:
        """Lets time pass and looks."""
        self.clock.advance(**amount)
        self.look()

    def look(self) -> None:
        """Asks for anything, which plays what is due."""
        self.wire.get("/v1/events", {"limit": "1"})

    def forget(self) -> None:
        """Takes what was told so far as known."""
        self.seen = len(self.sandbox.events())

    def news(self) -> list[dict[str, Any]]:
        """The events since the last look at them, each held to Stripe's description."""
        found = self.sandbox.events()[self.seen :]
        self.forget()
        if STRIPE_FILES.exists():
            for event in found:
                assert load_checker().check_object(event["data"]["object"]) == [], event["type"]
        return found

    def told(self) -> list[str]:
        """Their types."""
        return [event["type"] for event in self.news()]

    def now(self, subscription: dict[str, Any], *expand: str) -> dict[str, Any]:
        """The subscription as Stripe has it now."""
        form = {f"expand[{index}]": path for index, path in enumerate(expand)}
        return self.wire.get(f"/v1/subscriptions/{subscription['id']}", form).json

    def invoices(self, subscription: dict[str, Any], **query: str) -> list[dict[str, Any]]:
        """Its invoices, newest first."""
        return self.wire.get("/v1/invoices", {"subscription": subscription["id"], **query}).json["data"]
