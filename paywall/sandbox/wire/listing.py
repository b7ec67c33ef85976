"""Lists: pages by cursor."""

from collections.abc import Sequence

from paywall.sandbox.errors import missing_object
from paywall.sandbox.state.bodies import Json, public
from paywall.sandbox.state.filters import Filter, newer_than, older_than, within
from paywall.sandbox.wire.operation import Call

USUAL = 10


def page(call: Call, kind: str, filters: Sequence[Filter] = ()) -> Json:
    """Return one page of the objects that pass the filters, newest first, at the request's cursor."""
    limit = call.params.get("limit", USUAL)
    wanted = [*filters, *cursor(call, kind)]
    if "created" in call.params:
        wanted.append(within("created", call.params["created"]))
    backwards = "ending_before" in call.params
    found = call.account.store.find(kind, wanted, limit=limit + 1, oldest_first=backwards)
    shown = found[:limit]
    if backwards:
        shown.reverse()
    data = [public(item) for item in shown]
    return {"object": "list", "data": data, "has_more": len(found) > limit, "url": call.path}


def cursor(call: Call, kind: str) -> list[Filter]:
    """Turn `starting_after` or `ending_before` into a condition; an unknown id is refused."""
    for name, condition in (("starting_after", older_than), ("ending_before", newer_than)):
        if name in call.params:
            position = call.account.store.position(kind, call.params[name])
            if position is None:
                raise missing_object(kind, call.params[name], name, status=400)
            return [condition(position)]
    return []
