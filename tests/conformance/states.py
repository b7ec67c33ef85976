"""When two states are the same to whatever comes next.

Ids that chance gives and the names of causes are no part of a state, because nothing decides by them.
"""

import json
from collections.abc import Hashable, Mapping
from dataclasses import asdict
from typing import Any

from tests.conformance.stage import Frame

CHANCE = {
    "entitlements": {"id"},
    "ledger": {"id", "entitlement_id", "cause", "cause_id"},
    "ledger_periods": {"entry_id", "entitlement_id"},
    "events": {"outcome", "attempts"},
    "letters": {"id", "cause", "link_id"},  # causes name entitlements
}


def state_of(frame: Frame, names: Mapping[str, str]) -> Hashable:
    """What is equal for two frames from which everything goes on alike.

    ``names`` tells, by their ids, what events are called whose ids are others each time.
    """
    stripe = sorted(json.dumps(asdict(case), sort_keys=True) for case in frame.cases.values())
    rows = sorted(_plain(table, row, names) for table, found in frame.rows.items() for row in found)
    return frame.moment, tuple(stripe), tuple(rows)


def _plain(table: str, row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    kept = {name: value for name, value in row.items() if name not in CHANCE.get(table, ())}
    if table == "events":
        kept["id"] = names.get(kept["id"], kept["id"])
    return f"{table} {sorted(kept.items())}"
