"""The paywall service: sells the yearly plan, keeps entitlements, issues tokens that content services verify.

Where things live:

* ``app`` builds the application; ``cli`` the commands; ``settings`` the checked configuration.
* ``domain`` rules, ``storage`` tables, ``billing`` Stripe, ``tokens`` keys and tokens, ``mail`` messages.
* ``checkout``, ``webhooks``, ``access``, ``accounts``, ``reports``: one folder for each journey.
* ``verifier``, ``sandbox``, ``demo``: islands that know nothing of the rest.
"""
