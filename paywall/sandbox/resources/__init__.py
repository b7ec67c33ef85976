"""API operations, one module for each kind of object."""

from paywall.sandbox.resources import (
    checkout_sessions,
    coupons,
    customers,
    disputes,
    events,
    invoices,
    payment_methods,
    payments,
    portal_sessions,
    prices,
    products,
    promotion_codes,
    refunds,
    subscriptions,
    webhook_endpoints,
)

MODULES = (
    products,
    prices,
    customers,
    payment_methods,
    checkout_sessions,
    portal_sessions,
    subscriptions,
    invoices,
    payments,
    refunds,
    disputes,
    coupons,
    promotion_codes,
    events,
    webhook_endpoints,
)
OPERATIONS = [operation for module in MODULES for operation in module.OPERATIONS]
