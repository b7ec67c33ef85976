"""The application, for WSGI servers and the flask command."""

import sys

from paywall.app import create_app
from paywall.settings import SettingsError

try:
    app = create_app()
except SettingsError as error:
    sys.exit(f"paywall: {error}")
