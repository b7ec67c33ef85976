"""A small stateful stand-in for Stripe's test mode on its own loopback port; no money moves in it.

config    what one sandbox needs to know              app       the Flask application that joins all parts
server    the threaded server, also for tests         __main__  the command
errors, periods, money, wording, cards   Stripe's refusals, billing periods, words for people, test cards
state/     the account: stored objects and the events that their changes cause
shapes/    how each kind of object looks        wire/     forms, parameters, expanding, idempotency, lists
billing/   what paying does: charges, subscriptions, the payment page, what the passing of time ends
resources/ one module of API operations for each kind of object; api is their front door
webhooks/  signed deliveries with retries       pages/    the hosted payment page, the portal, the control page
controls/  what people and tests do to it from outside Stripe's API
"""
