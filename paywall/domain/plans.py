"""What is for sale: a plan with its price, features and policies, read from a table and checked."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, get_args

Interval = Literal["month", "year"]
TaxBehavior = Literal["exclusive", "inclusive"]
OnFullRefund = Literal["end", "keep"]
OnHold = Literal["suspend", "keep"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MARKS = {"usd": "$", "eur": "€", "gbp": "£"}
# currencies whose minor unit is not a hundredth: https://docs.stripe.com/currencies#zero-decimal
_WHOLE = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THOUSANDTHS = "bhd jod kwd omr tnd"


class PlanError(ValueError):
    """A plan that cannot be sold; the message names the plan, the field and the mend."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan. ``amount`` is in minor units of ``currency`` (ISO 4217, lower case), charged every ``interval``.

    ``product`` is the id of Stripe's product, ``lookup_key`` that of its current price. Days are local days of the
    newsroom. ``features`` become the scope of a token.
    """

    key: str
    name: str
    amount: int
    currency: str
    interval: Interval
    product: str
    lookup_key: str
    features: tuple[str, ...]
    renewal_slack_days: int
    grace_days: int
    tax_behavior: TaxBehavior = "exclusive"
    on_full_refund: OnFullRefund = "end"
    on_dispute: OnHold = "suspend"
    on_pause_collection: OnHold = "keep"

    @property
    def price(self) -> str:
        """The price for people."""
        return price_of(self.amount, self.currency)


def digits_of(currency: str) -> int:
    """How many decimals of a whole unit the minor unit is, in which Stripe counts.

    2 where it is a cent, 0 for a whole yen, 3 for a thousandth of a dinar.
    """
    return 0 if currency in _WHOLE.split() else 3 if currency in _THOUSANDTHS.split() else 2


def price_of(amount: int, currency: str) -> str:
    """Minor units for people: ``$100``, ``$99.50`` or ``-$5``; a currency without a known sign is spelled out."""
    digits = digits_of(currency)
    whole, rest = divmod(abs(amount), 10**digits)
    figure = f"{whole:,}" if rest == 0 else f"{whole:,}.{rest:0{digits}}"
    sign, mark = "-" if amount < 0 else "", _MARKS.get(currency)
    return f"{sign}{mark}{figure}" if mark else f"{sign}{figure} {currency.upper()}"


_CHOICES: dict[str, tuple[str, ...]] = {
    "interval": get_args(Interval),
    "tax_behavior": get_args(TaxBehavior),
    "on_full_refund": get_args(OnFullRefund),
    "on_dispute": get_args(OnHold),
    "on_pause_collection": get_args(OnHold),
}
_NUMBERS = {"amount": (1, 99_999_999), "renewal_slack_days": (0, 31), "grace_days": (0, 90)}


def load_plans(table: Mapping[str, Any]) -> dict[str, Plan]:
    """Checked plans by key, from the parsed ``plans.toml``: a table for each plan. Raises PlanError."""
    if not table:
        raise PlanError("holds no plan; add a table such as [annual]")
    plans = {key: load_plan(key, values) for key, values in table.items()}
    for field in ("product", "lookup_key"):
        values = [getattr(plan, field) for plan in plans.values()]
        if len(set(values)) < len(values):
            raise PlanError(f"two plans share one {field}; each needs its own")
    return plans


def load_plan(key: str, values: Any) -> Plan:
    """One checked plan. Raises PlanError at the first field that is unknown, missing or wrong."""
    if not _NAME.fullmatch(key):
        raise PlanError(f"[{key}]: a plan's key is small letters, digits and _")
    if not isinstance(values, Mapping):
        raise PlanError(f"{key}: must be a table of fields")
    known = {field.name: field for field in fields(Plan) if field.name != "key"}
    if unknown := sorted(set(values) - set(known)):
        raise PlanError(f"[{key}] {unknown[0]}: there is no such field")
    missing = [name for name, field in known.items() if name not in values and field.default is MISSING]
    if missing:
        raise PlanError(f"[{key}] {missing[0]}: is missing")
    checked = {name: _check(key, name, value) for name, value in values.items()}
    return Plan(key=key, **checked)


def _check(key: str, name: str, value: Any) -> Any:
    where = f"[{key}] {name}:"
    if name in _NUMBERS:
        low, high = _NUMBERS[name]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise PlanError(f"{where} must be a whole number from {low} to {high}")
        return value
    if name == "features":
        return _features(where, value)
    if not isinstance(value, str) or not value.strip():
        raise PlanError(f"{where} must be a text")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise PlanError(f"{where} must be one of {', '.join(_CHOICES[name])}")
    if name == "currency" and not re.fullmatch(r"[a-z]{3}", value):
        raise PlanError(f"{where} must be a currency code in small letters, such as usd")
    return value


def _features(where: str, value: Any) -> tuple[str, ...]:
    names = list(value) if isinstance(value, list | tuple) else []
    if not names or not all(isinstance(one, str) and _NAME.fullmatch(one) for one in names):
        raise PlanError(f"{where} must be a list of names of small letters, digits and _")
    if len(set(names)) < len(names):
        raise PlanError(f"{where} names a feature twice")
    return tuple(names)
