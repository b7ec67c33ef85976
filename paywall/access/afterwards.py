"""What is counted and told of the lane's answers, beside the requests and many at a time."""

import logging
from collections.abc import Sequence
from datetime import datetime

from flask import Flask

from paywall import done, logs
from paywall.access.again import Known
from paywall.access.grounds import Use
from paywall.tokens import use

# the answer; who asked, if it was given again; the moment; how many seconds it took, and when, in Unix seconds, it left
News = tuple[Known, str | None, datetime, float, float]


def tell(app: Flask, news: Sequence[News]) -> None:
    """Counts the requests and logs their lines; and of answers given again what the handlers do for those they make."""
    done.tell([(found.route, found.method, found.status, seconds, at) for found, _, _, seconds, at in news])
    together: dict[tuple[Use, str], list[datetime]] = {}
    for found, service, now, _, _ in news:
        if service is not None and found.ground is not None:
            together.setdefault((found.ground.use, service), []).append(now)
    tally = use.of(app)
    for ((address, outcome, features), service), moments in together.items():
        tally.answered_often(address, outcome, service, features, moments)
    if logs.ready("paywall.access").is_enabled_for(logging.DEBUG):
        logs.write(map(_checked, (one for one in news if one[1] is not None)))


def _checked(one: News) -> str:
    """The line ``token_checked`` of the moment when it was answered."""
    found, service, _, _, at = one
    address, outcome, _ = found.ground.use if found.ground else ("", "", ())
    told = {"address": address, "service": service or None, "reason": None if outcome == "allowed" else outcome}
    return logs.rendered(told | {"event": "token_checked", "level": "debug", "timestamp": done.written(at)})
