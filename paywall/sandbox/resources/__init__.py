"""API operations, one module for each kind of object."""

from paywall.sandbox.resources import (
    checkout_sessions,
    coupons,
    credit_notes,
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
    subscription_changes,
    subscriptions,
    test_clocks,
    webhook_endpoints,
)

MODULES = (
    products,
    prices,
    customers,
    payment_methods,
    checkout_sessions,
    portal_sessions,
    subscription_changes,
    subscriptions,
    test_clocks,
    invoices,
    payments,
    refunds,
    disputes,
    credit_notes,
    coupons,
    promotion_codes,
    events,
    webhook_endpoints,
)
OPERATIONS = [operation for module in MODULES for operation in module.OPERATIONS]
