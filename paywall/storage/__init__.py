"""Tables and the queries on them; knows the rules' types, nothing of Stripe or HTTP."""
