"""What people and tests do to the sandbox from outside Stripe's API: on its page, over HTTP."""
