"""The tests, in the places of what they test; they see no settings of the shell that starts them."""

import os

for _name in [name for name in os.environ if name.startswith("PAYWALL_")]:
    del os.environ[_name]
os.environ["PAYWALL_ENV"] = "testing"
