"""What a request wants to buy: prices and quantities, checked the same way for pages and subscriptions."""

from collections.abc import Mapping, Sequence
from typing import Any

from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.shapes.subscriptions import Bought
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.wire.operation import Call
from paywall.sandbox.wire.params import ID, Integer, Metadata

LINE = {"price": ID, "quantity": Integer(), "metadata": Metadata()}


def bought_lines(call: Call, sent: Sequence[Mapping[str, Any]], name: str) -> list[Bought]:
    """Return the prices that a list of lines named `name` asks for; all must renew together."""
    if not sent:
        raise StripeError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    lines = [
        Bought(price_of(call, line, f"{name}[{index}][price]"), line.get("quantity", 1), line.get("metadata") or {})
        for index, line in enumerate(sent)
    ]
    rhythms = {
        (line.price["currency"], line.price["recurring"]["interval"], line.price["recurring"]["interval_count"])
        for line in lines
    }
    if len(rhythms) > 1:
        raise StripeError("All prices of one subscription must have the same currency and interval.", param=name)
    return lines


def price_of(call: Call, line: Mapping[str, Any], param: str) -> Json:
    """Return a line's price, if it can be subscribed to."""
    if "price" not in line:
        raise StripeError(f"Missing required param: {param}.", code="parameter_missing", param=param)
    price = call.account.store.get("price", line["price"])
    if price is None:
        raise missing_object("price", line["price"], param, 400)
    if not price["active"]:
        message = "The price specified is inactive. This field only accepts active prices."
        raise StripeError(message, param=param)
    if price["recurring"] is None:
        message = "The price specified is set to `type=one_time` but this field only accepts prices with "
        raise StripeError(message + "`type=recurring`.", param=param)
    return price
