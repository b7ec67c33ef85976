"""JSON laid out as Stripe lays it out, in answers and in webhooks."""

import json
from typing import Any


def render(body: dict[str, Any]) -> str:
    """Return indented JSON with a final line break."""
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
