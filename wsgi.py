"""The application, for WSGI servers and the flask command."""

import gc
import sys

from paywall.app import create_app
from paywall.settings import SettingsError

try:
    app = create_app()
except SettingsError as error:
    sys.exit(f"paywall: {error}")

# what was loaded stays to the end: a search for garbage passes it over, where it would hold requests up for long
gc.collect()
gc.freeze()
gc.set_threshold(20_000)  # new objects; at 700, those that tokens are remembered by would be gone through all the time
