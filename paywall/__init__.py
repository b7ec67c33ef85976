"""The paywall service: sells the yearly plan, keeps entitlements, issues tokens that content services verify.

Where things live:

* ``app`` builds the application; ``cli`` the commands; ``settings`` the checked configuration.
* ``domain`` rules, ``storage`` tables, ``billing`` Stripe, ``tokens`` keys and tokens, ``mail`` messages.
* ``people`` what concerns one person, ``caring`` what staff do for a reader, ``explaining`` why somebody may read.
* ``checkout``, ``webhooks``, ``access``, ``accounts``, ``reports``, ``desk``, ``staff``: one folder for each journey.
* ``phrases`` sentences that can be translated, ``sentences`` lists them; ``describing`` the API's description.
* ``worker`` what is done without a request; ``seeding`` a made-up history to measure with.
* ``verifier``, ``sandbox``, ``demo``: islands that know nothing of the rest.
"""
