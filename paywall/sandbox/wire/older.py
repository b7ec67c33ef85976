"""What clients that name no version still send: they get the newest answers and may use some names of before."""

from paywall.sandbox.wire.forms import Form
from paywall.sandbox.wire.params import Fields

# Renamed in 2026-09-30.endive; the official command line tool names no version and sends the old name.
RENAMED = {"payment_method_types": "allowed_payment_method_types"}


def translated(form: Form, fields: Fields) -> Form:
    """Return a form with old names replaced, where the operation knows the new name alone."""
    changed = {
        old: new for old, new in RENAMED.items() if old in form and old not in fields.names and new in fields.names
    }
    return {changed.get(name, name): value for name, value in form.items()} if changed else form
